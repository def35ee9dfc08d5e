"""Invoices that ended without being billed, items that are gone, and what is written off, in every view of balances."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from published_books import write_book

from warehouse.catalogue import connect, publish, query

DAY = date(2026, 3, 31)
PERIOD = {"account_key": 1, "policy_key": 1, "period_key": 1}


def _ask(home: Path, sql: str) -> list[tuple]:
    with connect(home) as connection:
        return query(connection, sql).rows()


def _invoice(key: int, bill_date: date, outcome: str | None = None) -> dict[str, Any]:
    due_date = bill_date + timedelta(days=20)
    return {
        "invoice_key": key,
        "account_key": 1,
        "policy_key": 1,
        "bill_date": bill_date,
        "due_date": due_date,
        "outcome": outcome,
    }


def _item(number: int, invoice_key: int, amount: int, **more: Any) -> dict[str, Any]:
    key = {**PERIOD, "owner_type": "PolicyPeriod", "owner_key": 1, "charge_key": 1, "charge_pattern": "Premium"}
    return {**key, "item_key": 1024 + number, "invoice_key": invoice_key, "amount": amount, **more}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A due, a billed and a planned invoice, and one of each that ended in another way."""
    rows = {
        "accounts": [{"account_key": 1, "account_id": "A"}],
        "policies": [
            {"policy_key": 1, "policy_id": "P", "account_key": 1},
            {"policy_key": 2, "policy_id": "Q", "account_key": 1},
        ],
        "policy_periods": [{**PERIOD, "term_number": 1}],
        "charges": [{**PERIOD, "owner_type": "PolicyPeriod", "charge_key": 1, "charge_pattern": "Premium"}],
        "invoices": [
            _invoice(8, date(2026, 2, 1)),
            _invoice(16, date(2026, 3, 20)),
            _invoice(24, date(2026, 4, 20)),
            _invoice(32, date(2026, 2, 10), "written_off"),
            _invoice(40, date(2026, 2, 12), "carried_forward"),
            _invoice(48, date(2026, 2, 14), "deleted"),
        ],
        "invoice_items": [
            _item(1, 8, 100_00, paid=30_00, written_off=10_00),
            _item(2, 16, 200_00, paid=50_00),
            _item(3, 24, 300_00),
            _item(4, 32, 8_00, written_off=8_00),
            _item(5, 0, 0),
            _item(6, 8, 40_00, written_off=40_00),
        ],
        "write_off_items": [
            {"write_off_item_key": 46110 * 2**32 + 1, "item_key": 1025, "account_key": 1, "amount": 10_00},
        ],
        "funds": [
            {"fund_key": 2, "account_key": 1, "balance": -5_00},
            {"fund_key": 3, "account_key": 1, "policy_key": 1, "balance": 7_00},
        ],
    }
    publish(tmp_path, write_book(tmp_path / "warehouse", {DAY: rows}))
    return tmp_path


def test_how_an_invoice_ended_is_its_status(home: Path) -> None:
    """R-BAL-07, R-INV-12, R-INV-13, R-INV-15: carried forward and written off are shown, deleted invoices are not."""
    columns = "status, amount, paid, written_off, amount_due, is_paid"
    assert _ask(home, f"SELECT {columns} FROM invoices ORDER BY invoice_id::BIGINT") == [
        ("Due", *map(Decimal, (140, 30, 50, 60)), False),
        ("Billed", *map(Decimal, (200, 50, 0, 150)), False),
        ("Planned", *map(Decimal, (300, 0, 0, 300)), False),
        ("Written Off", *map(Decimal, (8, 0, 8, 0)), True),
        ("Carried Forward", *map(Decimal, (0, 0, 0, 0)), True),
    ]


@pytest.mark.parametrize("view", ["invoice_items", "payment_schedule", "invoice_schedule"])
def test_removed_items_are_not_shown(home: Path, view: str) -> None:
    """What is on no invoice is in no schedule; a fully written off item is not a paid one (R-ITM-10)."""
    sums = "sum(amount), sum(paid), sum(written_off), sum(amount_due)"
    assert _ask(home, f"SELECT {sums} FROM {view}") == [tuple(map(Decimal, (648, 80, 58, 510)))]


def test_an_item_is_paid_when_all_of_it_is(home: Path) -> None:
    """R-ITM-10: amount = paid, whatever was written off."""
    assert _ask(home, "SELECT count(*) FROM invoice_items WHERE is_paid") == [(0,)]


def test_what_is_written_off_is_not_open(home: Path) -> None:
    """R-BAL-09, R-BAL-06, R-BAL-08: 100.00 less 30.00 paid and 10.00 written off is 60.00 past due."""
    aging = "SELECT unbilled, not_due, days_31_60, total FROM aging"
    assert _ask(home, aging) == [tuple(map(Decimal, (300, 150, 60, 210)))]
    amounts = "SELECT amount_due, amount_billed, amount_unbilled FROM account_info"
    assert _ask(home, amounts) == [tuple(map(Decimal, (60, 150, 300)))]
    assert _ask(home, "SELECT owner_type, due_amount FROM delinquent ORDER BY 1") == [
        ("Account", Decimal(60)),
        ("PolicyPeriod", Decimal(60)),
    ]


def test_policy_details(home: Path) -> None:
    """04 section 6: what is outstanding and past due of a policy, and the invoice billed last; Q has none yet."""
    columns = "policy_id, unbilled_amount, outstanding_amount, past_due_amount, status, bill_date"
    assert _ask(home, f"SELECT {columns} FROM policy_details ORDER BY policy_id") == [
        ("P", *map(Decimal, (300, 210, 60)), "Billed", date(2026, 3, 20)),
        ("Q", *map(Decimal, (0, 0, 0)), None, None),
    ]


def test_write_offs_and_funds(home: Path) -> None:
    """Write-off items show the day in their key; a fund says its kind and whether it is below zero."""
    assert _ask(home, "SELECT business_date, item_id, account_id, amount, currency FROM write_off_items") == [
        (date(2026, 3, 31), "1025", "A", Decimal(10), "USD"),
    ]
    assert _ask(home, "SELECT kind, policy_id, balance, is_negative FROM funds ORDER BY kind") == [
        ("default", None, Decimal(-5), True),
        ("designated", "P", Decimal(7), False),
    ]
