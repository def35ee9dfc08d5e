from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ledger.book import Book, day_number
from ledger.chart import load_chart
from ledger.payments import distribute_funds, distribute_new_payments
from ledger.plans import PaymentAllocationPlan
from ledger.posting import post
from ledger.receipts import Received, receive_payments
from ledger.settlement import Distributed
from schemas.book import PAYMENT_ITEMS
from schemas.journal import QUARANTINE
from tests.small_book import DAY, SmallBook, allocation_plan, billed, carrier, payments

calm = settings(deadline=None, max_examples=60)
YESTERDAY = DAY - timedelta(days=1)
LONG_AGO, FAR, FARTHER = DAY - timedelta(days=60), DAY + timedelta(days=30), DAY + timedelta(days=60)
POLICY_FUNDS = {"invoice_by": "policy", "separate_funds_by": "policy"}


def receive(small: SmallBook, *rows: dict[str, Any]) -> Received:
    given_rows = [{"currency": "USD", "payment_id": f"PAY-{number}"} | row for number, row in enumerate(rows, start=1)]
    return receive_payments(small.book(), payments(*given_rows), DAY, carrier())


def receive_one(small: SmallBook, **row: Any) -> dict[str, Any]:
    return receive(small, {"amount": 1000} | row).book["payments"].row(0, named=True)


def new_payments(book: Book, *plans: PaymentAllocationPlan) -> Distributed:
    return distribute_new_payments(book, DAY, carrier(*plans), billed_through=YESTERDAY, due_through=YESTERDAY)


def pay(small: SmallBook, *rows: dict[str, Any]) -> Distributed:
    return new_payments(receive(small, *rows).book)


def paid(book: Book) -> list[int]:
    return book["invoice_items"]["paid"].to_list()


def balances(book: Book) -> dict[int, int]:
    return dict(book["funds"].sort("fund_key").select("fund_key", "balance").iter_rows())


# Receipt -------------------------------------------------------------------------------------------------------------


def two_accounts() -> SmallBook:
    """Ann keeps all money in one fund, Bob a fund per policy. Each has a policy with two terms, and an invoice."""
    small = SmallBook()
    for name, values in (("ann", {}), ("bob", POLICY_FUNDS)):
        account = small.account(name, **values)
        policy = small.policy(f"{name}-auto", account)
        first, second = small.period(policy, 1), small.period(policy, 2)
        del second
        small.item(small.invoice(account, billed()), 10_000, period_key=first)
    return small


ANN, BOB = 1, 2
ANN_FUND, BOB_FUND, BOB_AUTO_FUND = 2, 4, 5


@pytest.mark.parametrize(
    ("named", "account_key", "fund_key", "policy_key", "period_key"),
    [
        ({"account_id": "ann"}, ANN, ANN_FUND, 0, 0),
        ({"account_id": "ann", "policy_id": "ann-auto"}, ANN, ANN_FUND, 1, 2),
        ({"policy_id": "ann-auto", "term_number": 1}, ANN, ANN_FUND, 1, 1),
        ({"account_id": "bob"}, BOB, BOB_FUND, 0, 0),
        ({"account_id": "bob", "policy_id": "bob-auto"}, BOB, BOB_AUTO_FUND, 2, 4),
        ({"policy_id": "bob-auto", "term_number": 1}, BOB, BOB_AUTO_FUND, 2, 3),
    ],
)
def test_the_fund_and_the_period_of_a_payment(named, account_key, fund_key, policy_key, period_key) -> None:
    """R-ENT-15, R-DBP-02, R-DBP-03, R-PAP-02."""
    row = receive_one(two_accounts(), **named)
    assert row["status"] == "executed"
    assert (row["account_key"], row["fund_key"]) == (account_key, fund_key)
    assert (row["policy_key"], row["period_key"]) == (policy_key, period_key)


def test_the_latest_term_in_force_is_meant_when_no_term_is_named() -> None:
    small = two_accounts()
    small.rows["policy_periods"][1]["status"] = "cancelled"
    assert receive_one(small, policy_id="ann-auto")["period_key"] == 1
    small.rows["policy_periods"][0]["status"] = "cancelled"
    assert receive_one(small, policy_id="ann-auto")["period_key"] == 2


def test_the_payer_of_an_invoice_pays_it_into_the_default_fund() -> None:
    small = two_accounts()
    key = small.rows["invoices"][1]["invoice_key"]
    row = receive_one(small, invoice_id=str(key))
    assert (row["account_key"], row["fund_key"], row["invoice_key"]) == (BOB, BOB_FUND, key)


@pytest.mark.parametrize(
    "named",
    [
        {"account_id": "nobody"},
        {"policy_id": "nothing"},
        {"invoice_id": "12345"},
        {"invoice_id": "INV-7"},
        {"account_id": "nobody", "policy_id": "ann-auto"},
        {},
    ],
)
def test_money_of_an_unknown_payer_is_suspended_and_not_lost(named: dict[str, str]) -> None:
    received = receive(two_accounts(), {"amount": 1000} | named)
    row = received.book["payments"].row(0, named=True)
    assert (row["status"], row["account_key"], row["fund_key"], row["policy_key"]) == ("suspended", 0, 0, 0)
    assert received.warnings["code"].to_list() == ["W-PAYMENT-SUSPENDED"]
    assert received.refused.is_empty()
    assert received.book["funds"].is_empty()
    transaction = received.transactions.row(0, named=True)
    assert (transaction["transaction_type"], transaction["amount"]) == ("SuspPymtTransaction", 1000)
    assert (transaction["owner_type"], transaction["owner_key"]) == ("SuspensePayment", row["payment_key"])


@pytest.mark.parametrize(
    "named",
    [
        {"account_id": "ann", "policy_id": "nothing"},
        {"account_id": "ann", "invoice_id": "12345"},
        {"policy_id": "ann-auto", "invoice_id": "INV-7"},
    ],
)
def test_money_of_a_known_payer_for_something_unknown_is_set_aside(named: dict[str, str]) -> None:
    """R-SUS-01, R-SUS-11: received by the payer, then all of it out of the fund into its Suspense."""
    received = receive(two_accounts(), {"amount": 1000} | named)
    row = received.book["payments"].row(0, named=True)
    assert (row["status"], row["account_key"]) == ("executed", ANN)
    assert received.warnings["code"].to_list() == ["W-PAYMENT-ASIDE"]
    item = received.book["suspense_items"].row(0, named=True)
    assert (item["payment_key"], item["account_key"], item["amount"], item["status"]) == (
        row["payment_key"],
        ANN,
        1000,
        "open",
    )
    assert item["policy_number"] == named.get("policy_id")
    assert received.book["funds"]["balance"].sum() == 0
    types = received.transactions["transaction_type"].cast(pl.String).to_list()
    assert types == ["DirectBillMoneyReceivedTxn", "AcctUnappliedSuspTxn"]


def test_a_suspense_payment_is_meant_to_be_suspended() -> None:
    received = receive(two_accounts(), {"amount": 1000, "kind": "suspense", "account_id": "ann"})
    assert received.book["payments"]["status"].to_list() == ["suspended"]
    assert received.warnings.is_empty()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"kind": "agency_bill", "producer_id": "P-1"}, "E-PAYMENT-KIND"),
        ({"account_id": "ann", "payment_date": DAY + timedelta(days=1)}, "E-PAYMENT-FUTURE"),
        ({"account_id": "ann", "currency": "EUR"}, "E-CURRENCY-ACCOUNT"),
    ],
)
def test_refused_rows_change_nothing(row: dict[str, Any], code: str) -> None:
    received = receive(two_accounts(), {"amount": 1000} | row)
    assert received.refused["code"].to_list() == [code]
    assert set(received.refused.columns) == set(QUARANTINE.column_names) - {"business_date", "raw_json"}
    assert received.refused.select("table_name", "file", "row_no", "record_id").row(0) == (
        "payments",
        "payments/test.csv",
        1,
        "PAY-1",
    )
    assert received.book["payments"].is_empty()
    assert received.transactions.is_empty()
    assert received.warnings.is_empty()


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"account_id": "bob", "policy_id": "ann-auto"}, "W-PAYMENT-TARGET"),
        ({"account_id": "bob", "policy_id": "bob-auto", "term_number": 9}, "W-PAYMENT-TERM"),
    ],
)
def test_a_target_that_does_not_fit_is_disregarded_with_a_warning(named: dict[str, Any], code: str) -> None:
    received = receive(two_accounts(), {"amount": 1000} | named)
    row = received.book["payments"].row(0, named=True)
    assert (row["status"], row["account_key"], row["period_key"]) == ("executed", BOB, 0)
    assert row["fund_key"] == (BOB_FUND if code == "W-PAYMENT-TARGET" else BOB_AUTO_FUND)
    assert received.warnings["code"].to_list() == [code]
    assert new_payments(received.book).payment_items.is_empty()


def test_an_invoice_of_another_account_is_disregarded_with_a_warning() -> None:
    small = two_accounts()
    invoice_id = str(small.rows["invoices"][0]["invoice_key"])
    received = receive(small, {"amount": 1000, "account_id": "bob", "invoice_id": invoice_id})
    assert received.book["payments"]["invoice_key"].to_list() == [0]
    assert received.warnings["code"].to_list() == ["W-PAYMENT-TARGET"]
    assert new_payments(received.book).payment_items.is_empty()


def test_payments_are_numbered_by_date_and_id_and_booked_on_their_date() -> None:
    received = receive(
        two_accounts(),
        {"amount": 1, "payment_id": "b", "account_id": "ann"},
        {"amount": 2, "payment_id": "a", "account_id": "ann"},
        {"amount": 3, "payment_id": "c", "account_id": "ann", "payment_date": date(2026, 3, 1)},
    )
    rows = received.book["payments"].select("payment_key", "payment_id", "payment_date", "received_date")
    early = date(2026, 3, 1)
    assert rows.rows() == [(1, "c", early, DAY), (2, "a", DAY, DAY), (3, "b", DAY, DAY)]
    assert received.transactions["transaction_date"].to_list() == [early, DAY, DAY]
    assert received.transactions["payment_key"].to_list() == [1, 2, 3]
    assert balances(received.book) == {ANN_FUND: 6}
    later = receive_payments(received.book, payments({"payment_id": "d", "amount": 4}), DAY, carrier())
    assert later.book["payments"]["payment_key"].to_list() == [1, 2, 3, 4]


def test_no_payments_no_change() -> None:
    book = two_accounts().book()
    received = receive_payments(book, payments(), DAY, carrier())
    assert received.book is book
    assert received.transactions.is_empty()
    assert received.refused.columns == received.warnings.columns
    assert new_payments(book).book is book
    nobody = pl.Series([], dtype=pl.Int64)
    assert distribute_funds(book, nobody, DAY, carrier(), billed_through=DAY, due_through=DAY).book is book
    assert new_payments(book).payment_items.schema == PAYMENT_ITEMS.schema


# Distribution --------------------------------------------------------------------------------------------------------


def test_payments_of_a_day_pay_oldest_first_each_for_what_it_is_for() -> None:
    small = SmallBook()
    account = small.account("ann")
    auto, home = (small.period(small.policy(name, account)) for name in ("auto", "home"))
    invoice = small.invoice(account, billed())
    small.item(invoice, 100, period_key=auto)
    small.item(invoice, 100, period_key=home)
    done = pay(
        small,
        {"amount": 150, "account_id": "ann", "policy_id": "home"},
        {"amount": 30, "account_id": "ann", "policy_id": "auto"},
        {"amount": 25, "account_id": "ann", "policy_id": "home"},
    )
    # What the first payment cannot spend on the home stays in the fund and is not spread again today (R-DST-15).
    assert done.payment_items.select("payment_key", "item_key", "amount").rows() == [
        (1, 2 * 1024 + 1, 100),
        (2, 1 * 1024 + 1, 30),
    ]
    assert paid(done.book) == [30, 100]
    assert balances(done.book) == {ANN_FUND: 75}


def test_a_payment_not_to_be_distributed_stays_in_its_fund() -> None:
    done = pay(two_accounts(), {"amount": 1000, "account_id": "ann", "distribute": "none"})
    assert paid(done.book) == [0, 0]
    assert balances(done.book) == {ANN_FUND: 1000}


def test_yesterdays_payments_are_not_distributed_again() -> None:
    received = receive(two_accounts(), {"amount": 1000, "account_id": "ann"})
    tomorrow = DAY + timedelta(days=1)
    done = distribute_new_payments(received.book, tomorrow, carrier(), billed_through=DAY, due_through=DAY)
    assert done.payment_items.is_empty()


@pytest.mark.parametrize(
    ("billed_through", "due_through", "expected"),
    [
        (DAY - timedelta(days=6), YESTERDAY, [0, 0, 0]),
        (DAY - timedelta(days=5), YESTERDAY, [100, 0, 0]),
        (DAY, YESTERDAY, [100, 100, 0]),
        (DAY, DAY + timedelta(days=14), [100, 100, 0]),
    ],
)
def test_the_clock_decides_what_is_billed(billed_through: date, due_through: date, expected: list[int]) -> None:
    small = SmallBook()
    account = small.account("ann", payment_allocation_plan="Billed")
    for bill_date in (billed(5), DAY, FAR):
        small.item(small.invoice(account, bill_date), 100)
    plan = allocation_plan("Billed", filters=("billed_or_due",))
    book = receive(small, {"amount": 1000, "account_id": "ann"}).book
    done = distribute_new_payments(book, DAY, carrier(plan), billed_through=billed_through, due_through=due_through)
    assert paid(done.book) == expected


@pytest.mark.parametrize(("lag", "due_through", "is_due"), [(0, 0, True), (1, 0, False), (1, 1, True), (5, 4, False)])
def test_an_invoice_is_due_a_lag_after_its_due_date(lag: int, due_through: int, *, is_due: bool) -> None:
    small = SmallBook()
    account = small.account("ann", payment_allocation_plan="Past Due")
    small.item(small.invoice(account, LONG_AGO, DAY), 100)
    book = receive(small, {"amount": 1000, "account_id": "ann"}).book
    plans = carrier(allocation_plan("Past Due", filters=("past_due",)), invoice_due_lag_days=lag)
    until = DAY + timedelta(days=due_through)
    done = distribute_new_payments(book, DAY, plans, billed_through=DAY, due_through=until)
    assert paid(done.book) == [100 if is_due else 0]


def test_the_next_planned_invoice_is_the_earliest_of_each_stream() -> None:
    small = SmallBook()
    account = small.account("ann")
    for stream in (1, 2):
        for bill_date, cadence_date in ((FARTHER, FAR), (FAR, FARTHER)):
            small.item(small.invoice(account, bill_date, stream=stream, cadence_date=cadence_date), 100)
    done = pay(small, {"amount": 1000, "account_id": "ann"})
    assert paid(done.book) == [0, 100, 0, 100]


def test_a_paid_next_planned_invoice_does_not_let_the_one_after_it_move_up() -> None:
    small = SmallBook()
    account = small.account("ann")
    small.item(small.invoice(account, FAR), 100, paid=100)
    small.item(small.invoice(account, FARTHER), 100)
    assert paid(pay(small, {"amount": 1000, "account_id": "ann"}).book) == [100, 0]


def test_another_payers_items_are_left_alone() -> None:
    done = pay(two_accounts(), {"amount": 99_999, "account_id": "ann"})
    assert paid(done.book) == [10_000, 0]


def test_a_recapture_refills_the_fund_of_its_owner() -> None:
    small = SmallBook()
    account = small.account("ann")
    small.fund(account, -45)
    small.item(small.invoice(account, billed()), 45, is_recapture=True, charge_pattern="Recapture")
    received = receive(small, {"amount": 45, "account_id": "ann"})
    assert balances(received.book) == {ANN_FUND: 0}
    done = new_payments(received.book)
    assert paid(done.book) == [45]
    assert balances(done.book) == {ANN_FUND: 0}
    assert done.transactions["variant"].to_list() == ["recapture"]
    check_ledger(small.book(), done.book, received, done)


def test_payment_items_are_numbered_over_the_day() -> None:
    done = pay(two_accounts(), {"amount": 300, "account_id": "ann"}, {"amount": 300, "account_id": "bob"})
    assert done.payment_items["payment_item_key"].to_list() == [day_number(DAY) * 2**32 + n for n in (1, 2)]


def test_funds_pay_designated_first_then_default_and_keep_what_is_left() -> None:
    small = SmallBook()
    account = small.account("bob", **POLICY_FUNDS)
    auto, home = (small.period(small.policy(name, account)) for name in ("auto", "home"))
    for period, stream in ((auto, 1), (home, 2)):
        small.item(small.invoice(account, billed(), stream=stream), 100, period_key=period)
    small.fund(account, 50)
    small.fund(account, 130, policy_key=1)
    small.fund(account, -7, policy_key=2)
    accounts = pl.Series([account])
    done = distribute_funds(small.book(), accounts, DAY, carrier(), billed_through=DAY, due_through=YESTERDAY)
    assert paid(done.book) == [100, 50]
    assert balances(done.book) == {2: 0, 3: 30, 5: -7}
    assert done.payment_items.select("kind", "payment_key", "fund_key", "amount").rows() == [
        ("credit", 0, 3, 100),
        ("credit", 0, 2, 50),
    ]


def test_only_the_accounts_asked_for_are_touched() -> None:
    small = two_accounts()
    small.fund(ANN, 500)
    small.fund(BOB, 500)
    done = distribute_funds(small.book(), pl.Series([BOB]), DAY, carrier(), billed_through=DAY, due_through=YESTERDAY)
    assert balances(done.book) == {ANN_FUND: 500, BOB_FUND: 0}
    assert paid(done.book) == [0, 500]


# Against a model that knows one account, one payment, one item at a time ---------------------------------------------

Row = dict[str, Any]


def status_of(invoice: Row) -> int:
    if invoice["due_date"] + timedelta(days=1) <= YESTERDAY:
        return 0
    return 1 if invoice["bill_date"] <= YESTERDAY else 2


class Model:
    """The book as plain rows."""

    def __init__(self, small: SmallBook, plan: PaymentAllocationPlan) -> None:
        self.plan = plan
        self.invoices = {row["invoice_key"]: row for row in small.rows["invoices"]}
        self.periods = {row["period_key"]: row for row in small.rows["policy_periods"]}
        self.policies = {row["policy_key"]: row for row in small.rows["policies"]}
        self.items = [dict(row) for row in small.rows["invoice_items"]]
        self.parts: dict[tuple[int, int], int] = defaultdict(int)

    def passes(self, item: Row, name: str, period: int, invoice: int) -> bool:
        own = self.invoices[item["invoice_key"]]
        planned = [self.invoices[row["invoice_key"]] for row in self.items]
        planned = [row for row in planned if row["stream_key"] == own["stream_key"] and status_of(row) == 2]
        following = min((row["bill_date"] for row in planned), default=None)
        return {
            "billed_or_due": status_of(own) < 2,
            "past_due": status_of(own) == 0,
            "next_planned_invoice": status_of(own) < 2 or own["bill_date"] == following,
            "invoice": invoice in (0, item["invoice_key"]),
            "policy_period": period in (0, item["period_key"]),
            "positive": True,
        }[name]

    def key(self, item: Row, name: str, period: int, invoice: int) -> Any:
        own = self.invoices[item["invoice_key"]]
        term = self.periods.get(item["period_key"])
        by_term = (1,) if term is None else (0, term["effective_date"], self.policies[term["policy_key"]]["policy_id"])
        return {
            "billed_date": own["bill_date"].toordinal(),
            "reverse_billed_date": -own["bill_date"].toordinal(),
            "event_date": item["event_date"].toordinal(),
            "reverse_event_date": -item["event_date"].toordinal(),
            "billed_status": status_of(own),
            "charge_pattern": item["priority"],
            "recapture_charges": 0 if item["is_recapture"] else 1,
            "invoice": (
                invoice not in (0, item["invoice_key"]),
                own["bill_date"],
                own["due_date"],
                item["invoice_key"],
            ),
            "policy_period": (term is None or period not in (0, item["period_key"]), by_term),
        }[name]

    def shares(self, money: int, items: list[Row], sign: int, key: Callable[[Row], Any]) -> list[tuple[Row, int]]:
        """What each of these items gets of the money, or gives of its credit, in the order of the plan."""
        spread = "spread_excess_even" in self.plan.orders
        evenly = [row for row in items if spread and status_of(self.invoices[row["invoice_key"]]) == 2]
        ranked = sorted((row for row in items if row not in evenly), key=lambda row: (key(row), row["item_key"]))
        result = []
        for _, tie in groupby(ranked, key):
            group = list(tie)
            left = [sign * (row["amount"] - row["paid"]) for row in group]
            part = min(money, sum(left))
            money -= part
            floors = [part * one // sum(left) for one in left]
            by_remainder = sorted(range(len(group)), key=lambda at: (-(part * left[at] % sum(left)), at))
            for at in by_remainder[: part - sum(floors)]:
                floors[at] += 1
            result += list(zip(group, floors, strict=True))
        even = {row["item_key"]: 0 for row in evenly}
        evenly.sort(key=lambda row: row["item_key"])
        while money and any(even[row["item_key"]] < sign * (row["amount"] - row["paid"]) for row in evenly):
            for row in evenly:
                if money and even[row["item_key"]] < sign * (row["amount"] - row["paid"]):
                    even[row["item_key"]] += 1
                    money -= 1
        return result + [(row, even[row["item_key"]]) for row in evenly]

    def run(self, account: int, policy: int, period: int, invoice: int, monies: list[tuple[int, int]]) -> int:
        """Credits, then each (payment, money) in turn; returns what is left of the money."""
        filters = self.plan.filters
        orders = [name for name in self.plan.orders if name != "spread_excess_even"]
        chosen = [
            item
            for item in self.items
            if item["account_key"] == account
            and (not policy or item["policy_key"] == policy)
            and all(self.passes(item, name, period, invoice) for name in filters)
        ]

        def key(item: Row) -> Any:
            return tuple(self.key(item, name, period, invoice) for name in orders)

        def open_items(sign: int) -> list[Row]:
            return [item for item in chosen if sign * (item["amount"] - item["paid"]) > 0 and sign * item["amount"] > 0]

        owed = {sign: sum(sign * (item["amount"] - item["paid"]) for item in open_items(sign)) for sign in (1, -1)}
        moves = [
            (item, sign * share)
            for sign in (-1, 1)
            for item, share in self.shares(min(owed.values()), open_items(sign), sign, key)
        ]
        self.apply(0, moves)
        rest = 0
        for payment, money in monies:
            moves = self.shares(money, open_items(1), 1, key)
            self.apply(payment, moves)
            rest += money - sum(share for _, share in moves)
        return rest

    def apply(self, payment: int, moves: list[tuple[Row, int]]) -> None:
        for item, share in moves:
            item["paid"] += share
            self.parts[payment, item["item_key"]] += share


PLANS = st.builds(
    lambda filters, orders: allocation_plan("Test Plan", filters=filters, orders=orders),
    st.lists(
        st.sampled_from(["billed_or_due", "invoice", "next_planned_invoice", "past_due", "policy_period", "positive"]),
        unique=True,
        max_size=3,
    ),
    st.lists(
        st.sampled_from(
            [
                "billed_date",
                "billed_status",
                "charge_pattern",
                "event_date",
                "invoice",
                "policy_period",
                "recapture_charges",
                "reverse_billed_date",
                "reverse_event_date",
                "spread_excess_even",
            ]
        ),
        unique=True,
        max_size=4,
    ),
)
ITEMS = st.lists(
    st.tuples(
        st.integers(0, 2),  # account-level, or the first or second policy
        st.integers(0, 3),  # invoice
        st.one_of(st.integers(-90, -1), st.integers(1, 90), st.integers(1, 90)),
        st.integers(1, 3),  # priority
        st.integers(0, 2),  # event date
    ),
    max_size=9,
)
MONEY = st.lists(
    st.tuples(
        st.integers(0, 1),  # account
        st.integers(0, 2),  # for nothing or a policy
        st.integers(0, 4),  # for nothing or an invoice
        st.integers(1, 120),
    ),
    max_size=6,
)


def small_world(items_of: list[list[tuple[int, int, int, int, int]]]) -> SmallBook:
    small = SmallBook()
    for name, values, items in zip(("ann", "bob"), ({}, POLICY_FUNDS), items_of, strict=True):
        account = small.account(name, payment_allocation_plan="Test Plan", **values)
        periods = [
            0,
            *(small.period(small.policy(f"{name}-{kind}", account), start) for kind, start in (("b", 1), ("a", 1))),
        ]
        dates = (LONG_AGO, billed(), FAR, FARTHER)
        invoices = [small.invoice(account, bill_date) for bill_date in dates]
        for policy, invoice, amount, priority, event in items:
            small.item(
                invoices[invoice],
                amount,
                period_key=periods[policy],
                priority=priority,
                event_date=date(2026, 1, 1 + event),
                is_recapture=amount > 0 and policy == 0 and priority == 1,
            )
    return small


def landed(small: SmallBook, money: list[tuple[int, int, int, int]]) -> list[Row]:
    rows = []
    for number, (account, policy, invoice, amount) in enumerate(money):
        name = ("ann", "bob")[account]
        key = small.rows["invoices"][account * 4 + invoice - 1]["invoice_key"]
        rows.append(
            {
                "payment_id": f"{number:02}",
                "amount": amount,
                "currency": "USD",
                "account_id": name,
                "policy_id": (None, f"{name}-b", f"{name}-a")[policy],
                "invoice_id": str(key) if invoice else None,
            }
        )
    return rows


def check_ledger(before: Book, after: Book, received: Received, done: Distributed) -> None:
    """Transactions post, balance, and move each fund and each item by what the book says (R-DST-09, R-DBP-22)."""
    transactions = pl.concat([received.transactions, done.transactions])
    lines = post(transactions, DAY, load_chart()).with_columns(
        signed=pl.when(pl.col("side") == "D").then("amount").otherwise(-pl.col("amount"))
    )
    assert lines.group_by("transaction_key").agg(pl.col("signed").sum()).filter(pl.col("signed") != 0).is_empty()
    is_fund = pl.col("t_account_pattern").cast(pl.String).is_in(["Unapplied", "Designated Unapplied"])
    moved: dict[int, int] = defaultdict(int)
    for policy, owner, amount in lines.filter(is_fund).select("fund_policy_key", "owner_key", "signed").iter_rows():
        moved[policy * 2 + 1 if policy else owner * 2] -= amount
    then = balances(before)
    assert {key: balance - then.get(key, 0) for key, balance in balances(after).items()} == {
        key: moved.get(key, 0) for key in balances(after)
    }
    by_item = dict(done.payment_items.group_by("item_key").agg(pl.col("amount").sum()).iter_rows())
    joined = (
        before["invoice_items"]
        .select("item_key", "amount", before="paid")
        .hstack(after["invoice_items"].select(after="paid"))
    )
    for item, amount, paid_before, paid_after in joined.iter_rows():
        assert paid_after - paid_before == by_item.get(item, 0)
        assert min(0, amount) <= paid_after <= max(0, amount)
    signs = done.payment_items.join(joined.select("item_key", of="amount"), on="item_key")
    assert signs.filter(pl.col("amount").sign() != pl.col("of").sign()).is_empty()


@calm
@given(PLANS, st.lists(ITEMS, min_size=2, max_size=2), MONEY)
def test_the_payments_of_a_day_equal_the_model(plan, items_of, money) -> None:
    small = small_world(items_of)
    received = receive_payments(small.book(), payments(*landed(small, money)), DAY, carrier(plan))
    done = new_payments(received.book, plan)
    model = Model(small, plan)
    for account in (1, 2):
        rows = [row for row in received.book["payments"].iter_rows(named=True) if row["account_key"] == account]
        same = ("fund_key", "period_key", "invoice_key")
        for (fund, period, invoice), run in groupby(rows, key=lambda row: tuple(row[name] for name in same)):
            policy = fund // 2 if fund % 2 else 0
            model.run(account, policy, period, invoice, [(row["payment_key"], row["amount"]) for row in run])
    assert paid(done.book) == [item["paid"] for item in model.items]
    parts = done.payment_items.group_by("payment_key", "item_key").agg(pl.col("amount").sum())
    assert {(payment, item): amount for payment, item, amount in parts.iter_rows()} == {
        key: share for key, share in model.parts.items() if share
    }
    check_ledger(small.book(), done.book, received, done)


@calm
@given(PLANS, st.lists(ITEMS, min_size=2, max_size=2), st.lists(st.integers(-50, 150), min_size=6, max_size=6))
def test_the_funds_of_accounts_equal_the_model(plan, items_of, money) -> None:
    small = small_world(items_of)
    funds = [(1, 0), (1, 1), (1, 2), (2, 0), (2, 3), (2, 4)]  # also Ann has designated funds, from earlier days
    for (account, policy), balance in zip(funds, money, strict=True):
        small.fund(account, balance, policy_key=policy)
    book = small.book()
    done = distribute_funds(
        book, pl.Series([1, 2]), DAY, carrier(plan), billed_through=YESTERDAY, due_through=YESTERDAY
    )
    model = Model(small, plan)
    by_fund = dict(zip(funds, money, strict=True))
    for account in (1, 2):
        moving = any(balance > 0 for (owner, _), balance in by_fund.items() if owner == account) or any(
            item["amount"] < 0 for item in model.items if item["account_key"] == account
        )
        for owner, policy in sorted(by_fund, key=lambda fund: (fund[1] == 0, fund[1])) if moving else []:
            if owner == account:
                balance = max(by_fund[owner, policy], 0)
                model.run(account, policy, 0, 0, [(0, balance)])
    assert paid(done.book) == [item["paid"] for item in model.items]
    check_ledger(book, done.book, receive_payments(book, payments(), DAY, carrier()), done)


@calm
@given(st.lists(ITEMS, min_size=2, max_size=2), MONEY, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_of_a_file_does_not_matter(items_of, money, random) -> None:
    small = small_world(items_of)
    plan = allocation_plan("Test Plan")
    rows = landed(small, money)
    mixed = random.sample(rows, len(rows))
    outcomes = []
    for order in (rows, mixed):
        received = receive_payments(small.book(), payments(*order), DAY, carrier(plan))
        done = new_payments(received.book, plan)
        outcomes.append([*done.book.frames.values(), received.transactions, done.transactions, done.payment_items])
    for one, other in zip(*outcomes, strict=True):
        assert_frame_equal(one, other)


@calm
@given(st.lists(ITEMS, min_size=2, max_size=2), MONEY)
def test_accounts_do_not_see_each_other(items_of, money) -> None:
    small = small_world(items_of)
    plan = allocation_plan("Test Plan")

    def paid_by(rows: list[Row]) -> list[int]:
        return paid(new_payments(receive_payments(small.book(), payments(*rows), DAY, carrier(plan)).book, plan).book)

    rows = landed(small, money)
    apart = [paid_by([row for row in rows if row["account_id"] == name]) for name in ("ann", "bob")]
    assert paid_by(rows) == [one + other for one, other in zip(*apart, strict=True)]
