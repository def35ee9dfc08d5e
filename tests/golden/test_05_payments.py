"""The worked examples of payments and their distribution (E-DST, D-DST, E-PAP, E-DBP, E-BL), by id.

Amounts are written as in the examples, in units of the currency; items are named by what they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from ledger.book import Book
from ledger.payments import distribute_funds, distribute_new_payments
from ledger.receipts import receive_payments
from tests.small_book import DAY, SmallBook, allocation_plan, billed, carrier, payments

YESTERDAY = DAY - timedelta(days=1)
HIGH, MEDIUM, LOW = 1, 2, 3
BASE_ORDER = ("event_date", "charge_pattern")


def cents(amount: str) -> int:
    return int(Decimal(amount) * 100)


def units(amount: int) -> str:
    return f"{Decimal(amount) / 100:.2f}"


@dataclass
class Example:
    """One account, what it owes, and what happens to the money that comes in."""

    filters: tuple[str, ...] = ()
    orders: tuple[str, ...] = BASE_ORDER
    account_values: dict[str, Any] = field(default_factory=dict)
    small: SmallBook = field(default_factory=SmallBook)
    names: list[str] = field(default_factory=list)
    book: Book | None = None

    def __post_init__(self) -> None:
        self.account = self.small.account("payer", payment_allocation_plan="Example", **self.account_values)
        self.carrier = carrier(allocation_plan("Example", filters=self.filters, orders=self.orders))
        self.count = 0

    def policy(self, policy_id: str, **values: Any) -> int:
        return self.small.period(self.small.policy(policy_id, self.account), **values)

    def owes(self, name: str, amount: str, bill_date: date | None = None, *, stream: int = 1, **values: Any) -> Example:
        bill_date = bill_date or billed()
        known = [row["invoice_key"] for row in self.small.rows["invoices"] if row["bill_date"] == bill_date]
        known = [key for key in known if key // 2**20 == self.account * 100 + stream]
        invoice = known[0] if known else self.small.invoice(self.account, bill_date, stream=stream)
        self.small.item(invoice, cents(amount), **({"event_date": date(2026, 1, 10)} | values))
        self.names.append(name)
        return self

    def pays(self, amount: str, **named: Any) -> Example:
        self.book = self.book or self.small.book()
        self.count += 1
        row = {"payment_id": f"{self.count}", "amount": cents(amount), "account_id": "payer", "currency": "USD"}
        received = receive_payments(self.book, payments(row | named), DAY, self.carrier)
        assert received.refused.is_empty()
        done = distribute_new_payments(
            received.book.open_day(), DAY, self.carrier, billed_through=YESTERDAY, due_through=YESTERDAY
        )
        # A later payment of the example is one of a later day.
        self.book = done.book.update(
            "payments",
            pl.Series(range(done.book["payments"].height)),
            {"received_date": pl.Series([date(2000, 1, 1)] * done.book["payments"].height)},
        )
        return self

    def distributes_funds(self) -> Example:
        accounts = pl.Series([self.account])
        done = distribute_funds(
            self.book or self.small.book(), accounts, DAY, self.carrier, billed_through=DAY, due_through=YESTERDAY
        )
        self.book = done.book
        return self

    @property
    def paid(self) -> dict[str, str]:
        assert self.book is not None
        return {
            name: units(amount)
            for name, amount in zip(self.names, self.book["invoice_items"]["paid"], strict=True)
            if amount
        }

    @property
    def unapplied(self) -> dict[str, str]:
        """Balance of each fund by policy id; the default fund is ``default``."""
        assert self.book is not None
        ids = dict(self.book["policies"].select("policy_key", "policy_id").iter_rows()) | {0: "default"}
        rows = self.book["funds"].sort("policy_key").select("policy_key", "balance").iter_rows()
        return {ids[policy]: units(balance) for policy, balance in rows}


def owing(example: Example, items: Iterable[tuple[str, str]]) -> Example:
    for name, amount in items:
        example.owes(name, amount)
    return example


# Distribution


def test_e_dst_01_negative_items_pay_first() -> None:
    example = owing(Example(), [("premium", "100"), ("return premium", "-40")]).distributes_funds()
    assert example.paid == {"premium": "40.00", "return premium": "-40.00"}
    assert example.unapplied == {"default": "0.00"}


def test_d_dst_04_then_money_pays_what_is_left() -> None:
    example = owing(Example(), [("premium", "100"), ("return premium", "-40")]).pays("50")
    assert example.paid == {"premium": "90.00", "return premium": "-40.00"}
    assert example.unapplied == {"default": "0.00"}


def test_e_dst_02_high_priority_first_on_the_same_event_date() -> None:
    """R-CP-10."""
    example = Example().owes("installment", "100", priority=MEDIUM).owes("recapture", "45", priority=HIGH)
    assert example.pays("60").paid == {"installment": "15.00", "recapture": "45.00"}


@pytest.mark.parametrize(
    "balances",
    [
        pytest.param(["60", "36", "24"], id="three items"),
        pytest.param(["12", "108"], id="two items"),
    ],
)
def test_e_dst_03_equal_items_share_in_proportion(balances: list[str]) -> None:
    """Unapplied 100 against 120: each item gets 10/12 of its balance."""
    example = owing(Example(), [(balance, balance) for balance in balances]).pays("100")
    assert example.paid == {balance: units(cents(balance) * 10 // 12) for balance in balances}


def test_e_dst_04_cents_are_always_the_same() -> None:
    """Whatever the order in which the items were raised, the item with the largest remainder gets the odd cent."""
    expected = {"1.00": "0.33", "1.01": "0.34", "0.99": "0.33"}
    for order in (["1.00", "1.01", "0.99"], ["0.99", "1.01", "1.00"], ["1.01", "0.99", "1.00"]):
        assert owing(Example(), [(balance, balance) for balance in order]).pays("1.00").paid == expected


@pytest.mark.parametrize(
    ("available", "items", "expected", "left"),
    [
        pytest.param(
            "100",
            [("a", "60"), ("b", "36"), ("c", "24")],
            {"a": "50.00", "b": "30.00", "c": "20.00"},
            "0.00",
            id="D-DST-01",
        ),
        pytest.param(
            "100",
            [("1", "40"), ("2", "40"), ("3", "40")],
            {"1": "33.34", "2": "33.33", "3": "33.33"},
            "0.00",
            id="D-DST-02",
        ),
        pytest.param("150", [("a", "70"), ("b", "50")], {"a": "70.00", "b": "50.00"}, "30.00", id="D-DST-06"),
    ],
)
def test_shares_of_one_tie_group(available, items, expected, left) -> None:
    example = owing(Example(), items).pays(available)
    assert example.paid == expected
    assert example.unapplied == {"default": left}


def test_d_dst_03_waterfall_with_one_partly_paid_tie_group() -> None:
    first, second = date(2026, 10, 1), date(2026, 10, 2)
    example = (
        Example()
        .owes("i1", "20", event_date=first, priority=HIGH)
        .owes("i2", "50", event_date=first, priority=MEDIUM)
        .owes("i3", "30", event_date=first, priority=MEDIUM)
        .owes("i4", "40", event_date=second, priority=HIGH)
    )
    assert example.pays("60").paid == {"i1": "20.00", "i2": "25.00", "i3": "15.00"}


def test_d_dst_05_excess_is_spread_evenly_over_planned_items() -> None:
    later = DAY + timedelta(days=30)
    example = (
        Example(orders=("spread_excess_even", *BASE_ORDER))
        .owes("due", "50", DAY - timedelta(days=60))
        .owes("planned 20", "20", later)
        .owes("planned 50", "50", later)
        .owes("planned 60", "60", later)
    )
    assert example.pays("150").paid == {
        "due": "50.00",
        "planned 20": "20.00",
        "planned 50": "40.00",
        "planned 60": "40.00",
    }


# Allocation plans


def test_e_pap_01_orders_are_applied_one_after_the_other() -> None:
    """Recapture items first, then by billed date, then by charge pattern priority."""

    def example() -> Example:
        return (
            Example(orders=("recapture_charges", "billed_date", "charge_pattern"))
            .owes("late low", "10", billed(3), priority=LOW)
            .owes("late high", "10", billed(3), priority=HIGH)
            .owes("early", "10", billed(9), priority=LOW)
            .owes("recapture", "10", billed(2), priority=LOW, is_recapture=True, charge_pattern="Recapture")
        )

    paid_in_order = []
    for money in ("10", "20", "30", "40"):
        paid_in_order += [name for name in example().pays(money).paid if name not in paid_in_order]
    assert paid_in_order == ["recapture", "early", "late high", "late low"]


def test_e_pap_02_ineligible_items_get_nothing_while_money_is_left() -> None:
    example = Example(filters=("billed_or_due",)).owes("billed", "70").owes("planned", "50", DAY + timedelta(days=30))
    example.pays("100")
    assert example.paid == {"billed": "70.00"}
    assert example.unapplied == {"default": "30.00"}


LONG_AGO, FAR, FARTHER = DAY - timedelta(days=60), DAY + timedelta(days=30), DAY + timedelta(days=60)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("billed_or_due", ["due", "billed"]),
        ("invoice", ["billed"]),
        ("next_planned_invoice", ["due", "billed", "next"]),
        ("past_due", ["due"]),
        ("policy_period", ["next"]),
        ("positive", ["due", "billed", "next", "later"]),
    ],
)
def test_r_pap_08_each_filter(name: str, expected: list[str]) -> None:
    """A payment for the invoice that is billed and for the policy of the item that is next, by a plan of one filter."""
    example = Example(filters=(name,))
    home, auto = example.policy("home"), example.policy("auto")
    for item, bill_date in (("due", LONG_AGO), ("billed", billed()), ("next", FAR), ("later", FARTHER)):
        example.owes(item, "10", bill_date, period_key=auto if item == "next" else home)
    invoice_id = str(example.small.rows["invoices"][1]["invoice_key"])
    assert list(example.pays("1000", policy_id="auto", invoice_id=invoice_id).paid) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("billed_date", "due"),
        ("billed_status", "due"),
        ("charge_pattern", "high"),
        ("event_date", "first event"),
        ("invoice", "invoice"),
        ("policy_period", "period"),
        ("recapture_charges", "recapture"),
        ("reverse_billed_date", "planned"),
        ("reverse_event_date", "last event"),
    ],
)
def test_r_pap_10_each_order(name: str, expected: str) -> None:
    """Eight items, each first under one order; 10.00 comes in."""
    example = Example(orders=(name,))
    auto, home = example.policy("auto"), example.policy("home", effective_date=date(2027, 1, 1))
    middle = {"event_date": date(2026, 2, 1), "priority": MEDIUM, "period_key": auto}
    example.owes("due", "10", LONG_AGO, **middle)
    example.owes("high", "10", billed(5), **(middle | {"priority": HIGH}))
    example.owes("first event", "10", billed(5), **(middle | {"event_date": date(2026, 1, 1)}))
    example.owes("last event", "10", billed(5), **(middle | {"event_date": date(2026, 3, 1)}))
    example.owes("recapture", "10", billed(5), **(middle | {"period_key": 0, "is_recapture": True}))
    example.owes("period", "10", billed(5), **(middle | {"period_key": home}))
    example.owes("invoice", "10", billed(2), **middle)
    example.owes("planned", "10", FAR, **middle)
    bill_dates = [row["bill_date"] for row in example.small.rows["invoices"]]
    invoice_id = str(example.small.rows["invoices"][bill_dates.index(billed(2))]["invoice_key"])
    assert example.pays("10", policy_id="home", invoice_id=invoice_id).paid == {expected: "10.00"}


# Money for a change that is not known yet


def test_e_dbp_01_what_the_known_charge_does_not_take_waits_for_the_next() -> None:
    example = Example().owes("premium", "100").pays("110")
    assert example.paid == {"premium": "100.00"}
    assert example.unapplied == {"default": "10.00"}
    example.owes("change", "10")
    assert example.book is not None
    item = example.small.book()["invoice_items"].tail(1)
    example.book = example.book.append("invoice_items", item)
    example.distributes_funds()
    assert example.paid == {"premium": "100.00", "change": "10.00"}
    assert example.unapplied == {"default": "0.00"}


# Which fund


POLICY_FUNDS = {"invoice_by": "policy", "separate_funds_by": "policy"}


def test_e_bl_3_one_designated_fund_per_policy_beside_the_default_fund() -> None:
    example = Example(account_values=POLICY_FUNDS)
    for policy in ("p1", "p2", "p3"):
        example.policy(policy)
    for policy in ("p1", "p2", "p3"):
        example.pays("1", policy_id=policy)
    example.pays("2")
    assert example.unapplied == {"default": "2.00", "p1": "1.00", "p2": "1.00", "p3": "1.00"}


def test_e_bl_4_a_designated_fund_pays_its_policy_on_all_its_streams() -> None:
    example = Example(account_values=POLICY_FUNDS)
    first, second = example.policy("p1"), example.policy("p2")
    example.owes("p1", "10", period_key=first, stream=1)
    example.owes("p2 weekly", "10", period_key=second, stream=2)
    example.owes("p2 monthly", "10", period_key=second, stream=3)
    example.pays("100", policy_id="p1")
    assert (example.paid, example.unapplied) == ({"p1": "10.00"}, {"p1": "90.00"})
    example.pays("100", policy_id="p2")
    assert example.paid == {"p1": "10.00", "p2 weekly": "10.00", "p2 monthly": "10.00"}
    assert example.unapplied == {"p1": "90.00", "p2": "80.00"}


def test_e_bl_5_money_for_no_policy_pays_any_policy_from_the_default_fund() -> None:
    example = Example(account_values=POLICY_FUNDS)
    for number, policy in enumerate(("p1", "p2")):
        example.owes(policy, "10", period_key=example.policy(policy), stream=number)
    example.pays("15")
    assert example.paid == {"p1": "7.50", "p2": "7.50"}
    assert example.unapplied == {"default": "0.00"}


@pytest.mark.parametrize(
    "levels", [{"invoice_by": "account"}, {"invoice_by": "policy", "separate_funds_by": "account"}]
)
def test_r_bl_6_without_separate_funds_all_money_is_in_the_default_fund(levels: dict[str, str]) -> None:
    example = Example(filters=("policy_period",), account_values=levels)
    for number, policy in enumerate(("p1", "p2")):
        example.owes(policy, "10", period_key=example.policy(policy), stream=number)
    example.pays("15", policy_id="p1")
    assert (example.paid, example.unapplied) == ({"p1": "10.00"}, {"default": "5.00"})
    assert example.distributes_funds().paid == {"p1": "10.00", "p2": "5.00"}
