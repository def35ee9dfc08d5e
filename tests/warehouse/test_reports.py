"""What the report views say of books made by hand, and equity in SQL against `ledger.equity`."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from published_books import Rows, line, rows_of, write_book

from ledger.equity import equity
from schemas import book
from warehouse.catalogue import connect, publish, query

START, END = date(2015, 11, 1), date(2016, 11, 1)
TODAY = date(2016, 4, 15)


def _ask(home: Path, sql: str) -> list[tuple]:
    with connect(home) as connection:
        return query(connection, sql).rows()


def _money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


def _bakery() -> dict[str, list[dict[str, Any]]]:
    """E-POL-02: 6,000.00 premium, 325.00 other; down payment and eleven installments, the third 90.00 short."""
    amounts = [600_00, *[490_91] * 10, 490_90]
    paid = [600_00, 490_91, 490_91, 400_91, *[0] * 8]
    due_dates = [date(2015, 11, 15), date(2015, 12, 26), *(date(2016, month, 26) for month in range(1, 11))]
    common = {"account_key": 1, "owner_type": "PolicyPeriod", "owner_key": 1, "policy_key": 1, "period_key": 1}
    items = [
        {
            **common,
            "item_key": 1024 + n,
            "charge_key": 1,
            "invoice_key": n,
            "charge_pattern": "Premium",
            "amount": amount,
            "paid": money,
        }
        for n, (amount, money) in enumerate(zip(amounts, paid, strict=True), 1)
    ]
    other = {**items[0], "item_key": 2049, "charge_key": 2, "charge_pattern": "Taxes", "amount": 325_00, "paid": 325_00}
    return {
        "accounts": [{"account_key": 1, "account_id": "Big Lake"}],
        "policies": [{"policy_key": 1, "policy_id": "BOP-700334", "account_key": 1}],
        "policy_periods": [
            {
                "period_key": 1,
                "policy_key": 1,
                "account_key": 1,
                "term_number": 1,
                "effective_date": START,
                "expiration_date": END,
                "coverage_end": END,
            }
        ],
        "charges": [
            {**_charge(1, "Premium", 6_000_00), "in_equity": True, "charge_subtype": "pro_rata"},
            {**_charge(2, "Taxes", 325_00), "charge_subtype": "pass_through"},
        ],
        "invoices": [
            {
                "invoice_key": n,
                "stream_key": 1,
                "account_key": 1,
                "policy_key": 1,
                "bill_date": due - timedelta(days=14),
                "due_date": due,
            }
            for n, due in enumerate(due_dates, 1)
        ],
        "invoice_items": [*items, other],
        "payments": [
            {"payment_key": n, "payment_id": f"PAY-{n}", "account_key": 1, "amount": amount, "payment_date": day}
            for n, (amount, day) in enumerate([(925_00, date(2015, 11, 15)), (2_307_73 - 925_00, TODAY)], 1)
        ],
        "payment_items": [{"payment_item_key": 1, "payment_key": 1, "amount": 900_00, "account_key": 1}],
    }


def _charge(key: int, pattern: str, amount: int, **more: Any) -> dict[str, Any]:
    return {
        "charge_key": key,
        "charge_pattern": pattern,
        "owner_type": "PolicyPeriod",
        "owner_key": 1,
        "account_key": 1,
        "policy_key": 1,
        "period_key": 1,
        "amount": amount,
        "effective_date": START,
        "coverage_end": END,
        **more,
    }


@pytest.fixture
def bakery(tmp_path: Path) -> Path:
    publish(tmp_path, write_book(tmp_path / "warehouse", {START: _bakery(), TODAY: {}}))
    return tmp_path


def test_e_pol_02_amounts_by_status(bakery: Path) -> None:
    """R-BAL-11: 580.91 past due, 490.91 billed, 2,945.45 unbilled."""
    columns = "amount_due, amount_billed, amount_unbilled, is_delinquent, last_payment_date"
    assert _ask(bakery, f"SELECT {columns} FROM account_info") == [
        (*_money("580.91", "490.91", "2945.45"), True, TODAY),
    ]
    assert _ask(bakery, "SELECT status, count(*), sum(amount_due) FROM invoices GROUP BY status ORDER BY status") == [
        ("Billed", 1, Decimal("490.91")),
        ("Due", 5, Decimal("580.91")),
        ("Planned", 6, Decimal("2945.45")),
    ]
    assert _ask(bakery, "SELECT count(*) FROM invoices WHERE is_paid") == [(3,)]


def test_e_eqt_07_in_the_view(bakery: Path) -> None:
    figures = "paid_to_date, earned_to_date, equity, equity_percent, days_paid, paid_through_date, equity_zero_date"
    assert _ask(bakery, f"SELECT {figures}, days_till_paid_through FROM equity") == [
        (*_money("1982.73", "2721.31", "-738.58", "-12.31"), -45, date(2016, 3, 1), date(2016, 3, 1), -45),
    ]


def test_aging_buckets_begin_the_day_after(bakery: Path) -> None:
    """90.00 open since February 26 and an installment each month after: the buckets at their edges."""
    sql = "SELECT unbilled, not_due, days_1_30, days_31_60, days_61_90, days_91_plus, total FROM aging_as_of('{}')"
    for day, amounts in {
        date(2016, 2, 26): ("3927.27", "90.00", "0", "0", "0", "0", "90.00"),
        date(2016, 2, 27): ("3927.27", "0", "90.00", "0", "0", "0", "90.00"),
        date(2016, 3, 27): ("3436.36", "0", "580.91", "0", "0", "0", "580.91"),
        date(2016, 3, 28): ("3436.36", "0", "490.91", "90.00", "0", "0", "580.91"),
        TODAY: ("2945.45", "490.91", "490.91", "90.00", "0", "0", "1071.82"),
        date(2016, 4, 26): ("2945.45", "490.91", "0", "580.91", "0", "0", "1071.82"),
        date(2016, 4, 27): ("2945.45", "0", "490.91", "490.91", "90.00", "0", "1071.82"),
        date(2016, 5, 26): ("2454.54", "490.91", "490.91", "0", "580.91", "0", "1562.73"),
        date(2016, 5, 27): ("2454.54", "0", "490.91", "490.91", "490.91", "90.00", "1562.73"),
    }.items():
        assert _ask(bakery, sql.format(day)) == [_money(*amounts)], day
    assert _ask(bakery, "SELECT * FROM aging") == _ask(bakery, f"SELECT * FROM aging_as_of('{TODAY}')")


def test_delinquent_owners(bakery: Path) -> None:
    columns = "owner_type, account_id, policy_id, term_number, due_amount, oldest_due_date, days_past_due"
    assert _ask(bakery, f"SELECT {columns} FROM delinquent ORDER BY owner_type") == [
        ("Account", "Big Lake", None, None, Decimal("580.91"), date(2016, 2, 26), 49),
        ("PolicyPeriod", "Big Lake", "BOP-700334", 1, Decimal("580.91"), date(2016, 2, 26), 49),
    ]


def test_schedules_and_payments(bakery: Path) -> None:
    schedule = (
        "SELECT charge_pattern, amount, amount_due, status FROM invoice_schedule WHERE invoice_id = '1' ORDER BY 1"
    )
    assert _ask(bakery, schedule) == [
        ("Premium", *_money("600.00", "0.00"), "Due"),
        ("Taxes", *_money("325.00", "0.00"), "Due"),
    ]
    assert _ask(bakery, "SELECT count(*), sum(amount) FROM payment_schedule WHERE policy_id = 'BOP-700334'") == [
        (13, Decimal("6325.00")),
    ]
    assert _ask(bakery, "SELECT amount, distributed, account_id FROM payments ORDER BY payment_id") == [
        (*_money("925.00", "900.00"), "Big Lake"),
        (*_money("1382.73", "0.00"), "Big Lake"),
    ]


@pytest.mark.parametrize(
    ("lag", "day", "status"),
    [
        (1, date(2025, 1, 9), "Planned"),
        (1, date(2025, 1, 10), "Billed"),
        (1, date(2025, 1, 24), "Billed"),
        (1, date(2025, 1, 25), "Due"),
        (0, date(2025, 1, 23), "Billed"),
        (0, date(2025, 1, 24), "Due"),
    ],
)
def test_status_follows_from_the_dates(tmp_path: Path, lag: int, day: date, status: str) -> None:
    invoice = {"invoice_key": 8, "account_key": 1, "bill_date": date(2025, 1, 10), "due_date": date(2025, 1, 24)}
    item = {"item_key": 1025, "charge_key": 1, "invoice_key": 8, "account_key": 1, "owner_key": 1, "amount": 5}
    rows: Rows = {
        "accounts": [{"account_key": 1, "account_id": "A"}],
        "invoices": [invoice],
        "invoice_items": [item],
    }
    publish(tmp_path, write_book(tmp_path / "warehouse", {date(2025, 1, 1): rows, day: {}}, lag=lag))
    assert _ask(tmp_path, "SELECT status FROM invoices") == [(status,)]
    assert _ask(tmp_path, "SELECT status FROM invoice_items") == [(status,)]
    assert _ask(tmp_path, f"SELECT status FROM invoices_as_of('{day}')") == [(status,)]


def test_paid_as_of_an_earlier_day(tmp_path: Path) -> None:
    """The state of an item on a day is its last version by that day."""
    first, second = date(2016, 2, 1), date(2016, 2, 2)
    rows = _bakery()
    unpaid = [{**item, "paid": 0} for item in rows["invoice_items"]]
    days: dict[date, Rows] = {
        first: {**rows, "invoice_items": unpaid},
        second: {"invoice_items": rows["invoice_items"]},
    }
    publish(tmp_path, write_book(tmp_path / "warehouse", days))
    assert _ask(tmp_path, f"SELECT sum(paid) FROM invoice_items_as_of('{first}')") == [(Decimal(0),)]
    assert _ask(tmp_path, f"SELECT sum(paid) FROM invoice_items_as_of('{second}')") == [(Decimal("2307.73"),)]
    assert _ask(tmp_path, f"SELECT paid_to_date FROM equity_as_of('{first}')") == [(Decimal(0),)]


def test_owner_amounts_and_pass_through(tmp_path: Path) -> None:
    """Charged 100, 30 paid and 5 written off; a later charge in the other direction gives 2 back as income."""
    pattern = "<Charge Pattern> {}"
    rows = _bakery()
    rows["charges"] = [_charge(1, "Premium", 100_00), _charge(2, "Taxes", 7_00, charge_subtype="pass_through")]
    rows["invoice_items"] = [
        {"item_key": 2049, "charge_key": 2, "charge_pattern": "Taxes", "amount": 7_00, "paid": 3_00},
    ]
    taxes = {"charge_pattern": "Taxes", "account_type": "Liability"}
    rows["journal"] = [
        line(1, 1, "D", pattern.format("Unbilled"), 60_00, END),
        line(2, 1, "D", pattern.format("Billed"), 30_00, START),
        line(3, 1, "D", pattern.format("Due"), 20_00, START),
        line(3, 2, "C", pattern.format("Due"), 45_00, START),
        line(4, 1, "D", pattern.format("Write-Off Expense"), 5_00, START),
        line(5, 1, "C", pattern.format("Negative Write-Off Income"), 2_00, START),
        line(6, 1, "C", pattern.format("Reserve"), 7_00, START, **taxes),
    ]
    publish(tmp_path, write_book(tmp_path / "warehouse", {START: rows}))
    assert _ask(tmp_path, "SELECT * EXCLUDE (currency) FROM owner_amounts") == [
        (
            "PolicyPeriod",
            "BOP-700334/1",
            *_money("107.00", "60.00", "30.00", "-25.00", "5.00", "65.00", "3.00", "39.00", "42.00"),
        ),
    ]
    assert _ask(tmp_path, "SELECT * FROM pass_through_liability") == [
        ("Taxes", "USD", *_money("7.00", "3.00", "7.00")),
    ]


PERIOD = st.fixed_dictionaries(
    {
        "days": st.integers(0, 400),
        "cancelled_after": st.none() | st.integers(0, 400),
        "charges": st.lists(
            st.tuples(st.integers(-5, 420), st.integers(-(10**9), 10**10), st.sampled_from(["Premium", "Taxes"])),
            min_size=1,
            max_size=5,
        ),
        "paid": st.integers(-1_000, 4 * 10**10),
    }
)


@settings(
    deadline=None,
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(
    # Money for a hundred million years at the daily cost of the day.
    periods=[
        {"days": 400, "cancelled_after": None, "charges": [(0, 1, "Premium"), (300, 10**10, "Premium")], "paid": 10**10}
    ],
    offset=5,
)
@given(periods=st.lists(PERIOD, min_size=1, max_size=25), offset=st.integers(-10, 430))
def test_equity_in_sql_is_equity_in_the_ledger(tmp_path: Path, periods: list[dict], offset: int) -> None:
    day = START + timedelta(days=offset)
    rows: dict[str, list[dict[str, Any]]] = {
        "accounts": [{"account_key": 1, "account_id": "A"}],
        "policies": [],
        "policy_periods": [],
        "charges": [],
        "invoice_items": [],
    }
    for key, period in enumerate(periods, 1):
        cancelled = period["cancelled_after"]
        rows["policies"].append({"policy_key": key, "policy_id": f"{key}", "account_key": 1})
        rows["policy_periods"].append(
            {
                "period_key": key,
                "policy_key": key,
                "account_key": 1,
                "effective_date": START,
                "coverage_end": START + timedelta(days=period["days"]),
                "cancellation_date": None if cancelled is None else START + timedelta(days=cancelled),
            }
        )
        for n, (start, amount, pattern) in enumerate(period["charges"]):
            charge = _charge(10 * key + n, pattern, amount, period_key=key, in_equity=True)
            rows["charges"].append({**charge, "effective_date": START + timedelta(days=start)})
        rows["invoice_items"].append({"item_key": key, "charge_key": 10 * key, "paid": period["paid"]})
    publish(tmp_path, write_book(tmp_path / "warehouse", {day: rows}))
    expected = equity(
        rows_of(book.POLICY_PERIODS, rows["policy_periods"]),
        rows_of(book.CHARGES, rows["charges"]),
        rows_of(book.INVOICE_ITEMS, rows["invoice_items"]),
        day,
        premium_patterns=["Premium"],
    ).drop("period_key")
    with connect(tmp_path) as connection:
        shown = query(connection, "SELECT * FROM equity ORDER BY policy_id::BIGINT")
        dated = query(connection, f"SELECT * FROM equity_as_of('{day}') ORDER BY policy_id::BIGINT")
    assert shown.equals(dated)
    found = shown.drop("policy_id", "term_number", "account_id", "currency", "effective_date", "coverage_end")
    money = (pl.selectors.decimal() * 100).cast(pl.Int64)
    assert found.with_columns(money).rows() == expected.rows()
