"""The statements on the whole ledger: none is broken by what the ledger closes, and each is broken by a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.closing import close_through
from assets.invariants import INVARIANTS, findings
from tests.assets.homes import day, small_home
from tests.warehouse.money_books import posted, tracked
from tests.warehouse.published_books import line, write_book
from warehouse.catalogue import publish
from warehouse.storage import Home

DAY = date(2026, 1, 31)
Rows = dict[str, list[dict[str, Any]]]
GOODWILL, PAID_OUT = {"transaction_type": "AccountGoodwillTxn"}, {"transaction_type": "DisbursementPaid"}


def _item(**more: Any) -> dict[str, Any]:
    return {"item_key": 1025, "charge_key": 1, "invoice_key": 8, "account_key": 1, "charge_pattern": "Premium", **more}


_SUSPENSE = {"owner_type": "SuspensePayment", "owner_key": 2, "account_key": 0, "payment_key": 2}


def _sound() -> Rows:
    """A premium of 100.00 on a due invoice: 40.00 paid from 50.00 received, 5.00 written off and taken back again.

    To the 10.00 left come 7.00 of goodwill; 4.00 are in suspense, 1.00 is kept, 6.00 are paid out, and 6.00 are left.
    Another 20.00 has no known payer.
    """
    due = "<Charge Pattern> Due"
    paid = {"transaction_type": "ChargePaidFromAccount", "payment_key": 1}
    received = {"transaction_type": "DirectBillMoneyReceivedTxn", "payment_key": 1}
    return {
        "accounts": [{"account_key": 1, "account_id": "A"}],
        "charges": [{"charge_key": 1, "charge_pattern": "Premium", "account_key": 1, "amount": 100_00}],
        "invoices": [
            {"invoice_key": 8, "account_key": 1, "bill_date": date(2026, 1, 1), "due_date": date(2026, 1, 20)},
            {
                "invoice_key": 16,
                "account_key": 1,
                "bill_date": date(2026, 2, 1),
                "due_date": date(2026, 2, 20),
                "outcome": "deleted",
            },
        ],
        "invoice_items": [
            _item(amount=100_00, paid=40_00),
            _item(item_key=1026, invoice_key=0, amount=0),
        ],
        "funds": [{"fund_key": 2, "account_key": 1, "balance": 6_00}],
        "payments": [
            {"payment_key": 1, "payment_id": "R1", "account_key": 1, "amount": 50_00},
            {"payment_key": 2, "payment_id": "R2", "status": "suspended", "amount": 20_00},
        ],
        "suspense_items": [
            {
                "suspense_item_key": 1,
                "suspense_item_id": "S",
                "payment_key": 1,
                "account_key": 1,
                "fund_key": 2,
                "amount": 4_00,
                "status": "open",
                "created_date": DAY,
            }
        ],
        "surplus_write_offs": [{"surplus_write_off_key": 1, "account_key": 1, "fund_key": 2, "amount": 1_00}],
        "payment_items": [
            {"payment_item_key": 1, "payment_key": 1, "item_key": 1025, "charge_key": 1, "amount": 15_00},
            {
                "payment_item_key": 2,
                "payment_key": 1,
                "item_key": 1025,
                "charge_key": 1,
                "amount": -15_00,
                "reverses_payment_item_key": 1,
            },
            {
                "payment_item_key": 3,
                "payment_key": 1,
                "item_key": 1025,
                "charge_key": 1,
                "amount": 40_00,
                "transaction_key": 2,
            },
        ],
        "write_off_items": [
            {"write_off_item_key": 1, "item_key": 1025, "charge_key": 1, "amount": 5_00},
            {
                "write_off_item_key": 2,
                "item_key": 1025,
                "charge_key": 1,
                "amount": -5_00,
                "reverses_write_off_item_key": 1,
            },
        ],
        "journal": [
            line(1, 1, "D", due, 100_00, DAY, charge_key=1),
            line(1, 2, "C", "<Charge Pattern> Unearned", 100_00, DAY, charge_key=1),
            line(2, 1, "D", "Unapplied", 40_00, DAY, **paid),
            line(2, 2, "C", due, 40_00, DAY, charge_key=1, **paid),
            line(3, 1, "D", "Cash", 50_00, DAY, **received),
            line(3, 2, "C", "Unapplied", 50_00, DAY, **received),
            line(4, 1, "D", "Goodwill Credit", 7_00, DAY, **GOODWILL),
            line(4, 2, "C", "Unapplied", 7_00, DAY, **GOODWILL),
            line(5, 1, "D", "Unapplied", 6_00, DAY, **PAID_OUT),
            line(5, 2, "C", "Cash", 6_00, DAY, **PAID_OUT),
            *posted(DAY, 1, "SuspPymtTransaction", "Cash", "Unapplied", 20_00, **_SUSPENSE),
            *posted(DAY, 2, "AcctUnappliedSuspTxn", "Unapplied", "Suspense", 4_00, payment_key=1),
            *posted(DAY, 3, "AccountNegativeWriteoffTxn", "Unapplied", "Negative Write-Off", 1_00),
        ],
        "ad_hoc_credits": [
            {"credit_key": 1, "account_key": 1, "credit_type": "Goodwill", "amount": 7_00, "status": "Executed"},
            {"credit_key": 2, "account_key": 1, "credit_type": "Goodwill", "amount": 9_00, "status": "Rejected"},
        ],
        "disbursements": [
            {"disbursement_key": 1, "account_key": 1, "fund_key": 2, "amount": 6_00, "status": "Sent"}
            | {"origin": "Manual", "approved_date": DAY},
            {"disbursement_key": 2, "account_key": 1, "fund_key": 2, "amount": 5_00, "status": "Voided"}
            | {"origin": "Manual", "approved_date": DAY},
        ],
        "intake": [{"file": "f", "rows_in": 1, "rows_booked": 1, "amount_in": 5, "amount_booked": 5}],
    }


def _change(table: str, place: int, **values: Any) -> Callable[[Rows], None]:
    def apply(rows: Rows) -> None:
        rows[table][place] |= values

    return apply


def _remove(table: str, place: int) -> Callable[[Rows], None]:
    def apply(rows: Rows) -> None:
        del rows[table][place]

    return apply


DAMAGE: dict[str, list[Callable[[Rows], None]]] = {
    "debits_equal_credits": [_change("journal", 4, amount=49_99), _change("journal", 4, currency="EUR")],
    "lines_are_numbered_once": [_change("journal", 4, line_no=2), _remove("journal", 4)],
    "subledger_ties_to_ledger": [
        _change("invoices", 0, due_date=date(2026, 2, 20)),
        _change("invoices", 0, outcome="carried_forward"),
        _change("invoice_items", 0, written_off=5_00),
    ],
    "receivables_are_what_is_open": [_change("invoice_items", 0, written_off=5_00), _change("charges", 0, amount=1)],
    "items_sum_to_their_charge": [_change("invoice_items", 0, amount=99_99), _change("charges", 0, amount=100_01)],
    "no_item_is_overpaid": [
        _change("invoice_items", 0, paid=100_01),
        _change("invoice_items", 0, paid=-1),
        _change("invoice_items", 0, written_off=60_01),
        _change("invoice_items", 0, written_off=-1),
    ],
    "items_are_on_invoices_of_their_payer": [
        _change("invoice_items", 0, invoice_key=16),
        _change("invoice_items", 0, invoice_key=0),
        _change("invoice_items", 0, account_key=2),
    ],
    "paid_is_what_was_applied": [
        _change("payment_items", 2, amount=39_99),
        _change("write_off_items", 1, amount=-4_99),
        _change("invoice_items", 0, written_off=1),
    ],
    "what_is_taken_back_stood": [
        _change("payment_items", 1, reverses_payment_item_key=3),
        _change("payment_items", 1, item_key=1026),
        _change("payment_items", 2, amount=-15_00, reverses_payment_item_key=1),
        _change("write_off_items", 1, amount=-4_00),
        _change("write_off_items", 0, reverses_write_off_item_key=2),
    ],
    "funds_tie_to_ledger": [_change("funds", 0, balance=6_01)],
    "credits_stand_as_posted": [
        _change("ad_hoc_credits", 0, amount=7_01),
        _change("ad_hoc_credits", 0, credit_type="Other"),
        _change("ad_hoc_credits", 1, status="ReversalPendingApproval"),
    ],
    "disbursements_are_posted_as_paid": [
        _change("disbursements", 0, amount=6_01),
        _change("disbursements", 0, status="Approved"),
        _change("disbursements", 0, payment_key=1),
    ],
    "what_is_paid_out_was_approved": [
        _change("disbursements", 0, approved_date=None),
        _change("disbursements", 1, approved_date=None),
    ],
    "no_payment_is_applied_twice": [
        _change("payments", 0, amount=39_99),
        _change("payment_items", 2, amount=-1),
    ],
    "suspense_items_tie_to_ledger": [_change("suspense_items", 0, amount=4_01), _remove("suspense_items", 0)],
    "suspense_payments_tie_to_ledger": [
        _change("payments", 1, amount=20_01),
        _change("payments", 1, status="applied"),
    ],
    "surplus_write_offs_tie_to_ledger": [
        _change("surplus_write_offs", 0, amount=1_01),
        _change("surplus_write_offs", 0, reversed_date=DAY),
    ],
    "cash_is_received_less_paid_out": [
        _change("payments", 0, amount=50_01),
        _change("payments", 1, status="reversed"),
        _change("journal", 9, amount=6_01),
    ],
    "cash_rolls_forward": [
        _change("journal", 5, transaction_type="ReserveCmsnEarned"),
        _change("funds", 0, balance=6_01),
        _change("suspense_items", 0, amount=4_01),
        _change("payments", 1, amount=20_01),
    ],
    "ages_tie_to_ledger": [
        _change("suspense_items", 0, amount=4_01),
        _change("payment_items", 2, credit_item_key=1025),
        _remove("payments", 1),
    ],
    "receipts_are_accounted_for": [
        _change("payment_items", 2, amount=39_99),
        _change("suspense_items", 0, amount=4_01),
        _remove("journal", 4),
    ],
    "refunds_tie_to_cash": [_change("journal", 9, amount=6_01), _remove("journal", 8)],
    "funds_are_tracked_in_full": [_change("payment_items", 2, amount=39_99), _remove("accounts", 0)],
    "in_is_booked_or_quarantined": [_change("intake", 0, rows_in=2), _change("intake", 0, amount_in=6)],
}
CASES = [
    pytest.param(name, damage, id=f"{name}-{n}") for name, cases in DAMAGE.items() for n, damage in enumerate(cases)
]


def _found(home: Path, rows: Rows) -> set[str]:
    publish(home, tracked(write_book(home / "warehouse", {DAY: rows}), DAY))
    return {finding.invariant.name for finding in findings(Home(home))}


def test_every_statement_is_tried() -> None:
    assert DAMAGE.keys() == {invariant.name for invariant in INVARIANTS}


def test_a_sound_book_has_no_findings(tmp_path: Path) -> None:
    assert _found(tmp_path, _sound()) == set()


@pytest.mark.parametrize(("name", "damage"), CASES)
def test_a_statement_is_broken_by_a_row(tmp_path: Path, name: str, damage: Callable[[Rows], None]) -> None:
    """R-LED-02, R-LED-17, R-LED-25, R-LED-27, R-ENT-17."""
    rows = _sound()
    damage(rows)
    assert name in _found(tmp_path, rows)


def test_what_the_ledger_closes_has_no_findings(tmp_path: Path) -> None:
    home = small_home(tmp_path / "home")
    close_through(home, day(40))
    assert findings(home) == []
