"""What finance asks of cash: where receipts went, how old money is, which funds are overdrawn, how days roll on."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Row, Story, plans
from tests.warehouse.money_books import MoneyBook, disbursed, key, paid, payment, posted, received
from tests.warehouse.published_stories import PublishedStory

JAN_1, DAY = date(2025, 1, 1), date(2025, 1, 10)
ROLL = "SELECT business_date, opening, received, reversed, moved, disbursed, transferred, applied, written_off, closing"


def _money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


def _day(number: int) -> date:
    return DAY + timedelta(days=number)


def _command(command_type: str, target_type: str, target: str, amount: str | None = None, **params: Any) -> Row:
    return {
        "command_id": f"{command_type} {target}",
        "command_type": command_type,
        "target_type": target_type,
        "target_id": target,
        "amount": amount,
        "params": json.dumps(params),
    }


def _story() -> Story:
    """A owes 60.00 on the first of January and again on the first of February; B owes nothing."""
    told = Story(plans(monthly(maximum=2)))
    return told.land(
        JAN_1,
        accounts=[{"account_id": name, "invoice_by": "account", "invoice_day_of_month": 1} for name in "AB"],
        billing_instructions=[issuance("I", "P", JAN_1, date(2026, 1, 1))],
        charges=[{"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": "120.00"}],
    )


def _fates(home: Path) -> PublishedStory:
    """A receipt of 130.00 with every fate, one whose payer is found, one that bounces, one that nobody explains."""
    told = _story()
    told.land(
        DAY,
        payments=[
            {"payment_id": "M", "account_id": "A", "amount": "130.00", "distribute": "none"},
            {"payment_id": "N", "amount": "30.00"},
            {"payment_id": "X", "account_id": "B", "amount": "7.00"},
            {"payment_id": "Y", "amount": "9.00"},
        ],
    )
    told.land(
        _day(2),
        commands=[
            _command("create_suspense_item", "payment", "M", "10.00"),
            _command("apply_suspense_payment", "payment", "N", account_id="B"),
            _command("reverse_payment", "payment", "X", reversal_reason="other"),
        ],
    )
    target = {"account_id": "B", "amount": "25.00", "reason": "theirs"}
    told.land(_day(3), commands=[_command("transfer_funds", "account", "A", targets=[target])])
    told.land(_day(4), commands=[_command("write_off_surplus", "account", "A", "5.00")])
    return PublishedStory(home, told.close_through(date(2025, 2, 1)))


FATES = """
    SELECT went_to, is_named, amount, applied_date, days_to_apply, policy_id, to_account_id, to_payment_id
    FROM cash_application WHERE payment_id = '{}' ORDER BY applied_date, went_to, amount
"""


def test_every_part_of_a_receipt_is_told(tmp_path: Path) -> None:
    """Reliability I-24: named parts, and what left the fund first in first out; they add up to the receipt."""
    book = _fates(tmp_path)
    due = date(2025, 1, 16)
    assert book.ask(FATES.format("M")) == [
        ("suspense item", True, *_money("10.00"), _day(2), 2, None, None, None),
        ("transfer", False, *_money("25.00"), _day(3), 3, None, "B", None),
        ("write-off", False, *_money("5.00"), _day(4), 4, None, None, None),
        ("item", False, *_money("30.00"), due, 6, "P", None, None),
        ("item", False, *_money("60.00"), due, 6, "P", None, None),
    ]
    assert book.ask(FATES.format("N")) == [
        ("moved", True, *_money("30.00"), _day(2), 2, None, None, "N/apply_suspense_payment N")
    ]
    assert book.ask(FATES.format("X")) == [("reversed", True, *_money("7.00"), _day(2), 2, None, None, None)]
    assert book.ask(FATES.format("Y")) == [("suspense", True, *_money("9.00"), None, None, None, None, None)]
    assert book.ask("SELECT payment_id FROM cash_application GROUP BY ALL HAVING sum(amount) <> max(received)") == []


def test_a_payment_names_the_item_that_it_paid_wherever_that_moved(tmp_path: Path) -> None:
    """Applied at once on the day of the receipt; back-dated receipts count from the day on which money came in."""
    told = _story().land(
        DAY, payments=[{"payment_id": "M", "account_id": "A", "amount": "60.00", "payment_date": JAN_1}]
    )
    book = PublishedStory(tmp_path, told.close_through(DAY))
    asked = "SELECT went_to, is_named, amount, receipt_date, applied_date, days_to_apply FROM cash_application"
    assert book.ask(asked) == [("item", True, *_money("60.00"), JAN_1, DAY, 9)]
    asked = f"SELECT payment_id, went_to FROM cash_application_as_of(DATE '{_day(-1)}'{{}})"
    assert book.ask(asked.format("")) == [("M", "unapplied")]
    assert book.ask(asked.format(f", known_at := DATE '{_day(-1)}'")) == []
    named = f"SELECT DISTINCT payment_id FROM journal_as_of(DATE '{_day(-1)}') WHERE t_account = 'Cash'"
    assert book.ask(named) == [("M",)]


def _aged(home: Path) -> MoneyBook:
    """100.00 of day 0, 50.00 of day 60, of which it paid 20.00 itself; on day 100 the fund pays out 40.00."""
    journal = {
        _day(0): received(_day(0), 1, 1, 100_00),
        _day(60): [*received(_day(60), 1, 2, 50_00), *paid(_day(60), 2, 20_00, payment_key=2, item_key=11)],
        _day(100): disbursed(_day(100), 1, 40_00),
    }
    days: dict[date, dict[str, Any]] = {on: {"journal": rows} for on, rows in journal.items()}
    days[_day(0)]["payments"] = [payment(1, 100_00, _day(0))]
    days[_day(60)]["payments"] = [payment(2, 50_00, _day(60))]
    applied = {"kind": "payment", "payment_key": 2, "item_key": 11, "amount": 20_00}
    days[_day(100)]["disbursements"] = [
        {"disbursement_key": 1, "disbursement_id": "D", "transaction_key": key(_day(100), 1), "reason": "too much"}
    ]
    days[_day(60)]["payment_items"] = [
        {"payment_item_key": key(_day(60), 2), "transaction_key": key(_day(60), 2), **applied}
    ]
    return MoneyBook(home, days)


AGES = "SELECT days_0_30, days_31_60, days_61_90, days_91_plus, total, oldest_days FROM unapplied_age{}"


@pytest.mark.parametrize(
    ("day", "ages"),
    [
        (30, ("100.00", "0.00", "0.00", "0.00", "100.00")),
        (31, ("0.00", "100.00", "0.00", "0.00", "100.00")),
        (60, ("30.00", "100.00", "0.00", "0.00", "130.00")),
        (90, ("30.00", "0.00", "100.00", "0.00", "130.00")),
        (91, ("0.00", "30.00", "0.00", "100.00", "130.00")),
        (100, ("0.00", "30.00", "0.00", "60.00", "90.00")),
    ],
)
def test_what_is_left_of_a_fund_ages_first_in_first_out(tmp_path: Path, day: int, ages: tuple[str, ...]) -> None:
    """The money that a payment applied itself was its own; what was paid out was the oldest."""
    assert _aged(tmp_path).ask(AGES.format(f"_as_of(DATE '{_day(day)}')")) == [(*_money(*ages), day)]


def test_what_was_paid_out_is_told_of_the_receipt(tmp_path: Path) -> None:
    book = _aged(tmp_path)
    asked = "SELECT payment_id, went_to, amount, days_to_apply, disbursement_id FROM cash_application ORDER BY ALL"
    assert book.ask(asked) == [
        ("R1", "refund", *_money("40.00"), 100, "D"),
        ("R1", "unapplied", *_money("60.00"), None, None),
        ("R2", "item", *_money("20.00"), 0, None),
        ("R2", "unapplied", *_money("30.00"), None, None),
    ]
    refunds = "SELECT business_date, transaction_type, account_id, disbursement_id, reason, amount FROM refunds"
    assert book.ask(refunds) == [(_day(100), "DisbursementPaid", "A", "D", "too much", *_money("40.00"))]


def test_a_suspense_payment_that_is_sent_back_is_a_refund(tmp_path: Path) -> None:
    """Without an account; taken back, it has the opposite sign."""
    owner = {"owner_type": "SuspensePayment", "owner_key": 1, "account_key": 0, "payment_key": 1}
    journal = [
        *posted(DAY, 1, "SuspPymtTransaction", "Cash", "Unapplied", 30_00, **owner),
        *posted(DAY, 2, "SuspPymtDisbPaid", "Unapplied", "Cash", 30_00, **owner),
    ]
    back = {**owner, "reverses_transaction_key": key(DAY, 2)}
    again = posted(_day(1), 1, "SuspPymtDisbPaid", "Unapplied", "Cash", -30_00, **back)
    days = {DAY: {"journal": journal, "payments": [payment(1, 30_00, DAY)]}, _day(1): {"journal": again}}
    book = MoneyBook(tmp_path, days)
    asked = "SELECT account_id, payment_id, amount FROM refunds ORDER BY transaction_id"
    assert book.ask(asked) == [(None, "R1", *_money("30.00")), (None, "R1", *_money("-30.00"))]
    then = f"SELECT went_to, amount FROM cash_application_as_of(DATE '{DAY}')"
    assert book.ask(then) == [("refund", *_money("30.00"))]
    assert book.ask("SELECT went_to, amount FROM cash_application") == [("suspense", *_money("30.00"))]


def test_suspense_ages_from_the_day_on_which_it_was_set_aside(tmp_path: Path) -> None:
    """R-SUS-01, R-SUS-11: payments from their receipt, items from their creation; released, they are gone."""
    told = _story().land(
        DAY,
        payments=[
            {"payment_id": "M", "account_id": "A", "amount": "130.00", "distribute": "none"},
            {"payment_id": "N", "amount": "30.00", "account_id": "unknown", "payment_date": JAN_1},
        ],
    )
    told.land(_day(5), commands=[_command("create_suspense_item", "payment", "M", "10.00", policy_number="P?")])
    told.land(_day(40), commands=[_command("release_suspense_items", "payment", "M")])
    book = PublishedStory(tmp_path, told.close_through(_day(40)))
    asked = "SELECT kind, payment_id, named_account_id, named_policy_id, days, days_0_30, days_31_60, amount"
    item = ("suspense_item", "M", None, "P?", 15, *_money("10.00", "0.00", "10.00"))
    held = ("suspense_payment", "N", "unknown", None, 29, *_money("30.00", "0.00", "30.00"))
    assert book.ask(f"{asked} FROM suspense_age_as_of(DATE '{_day(20)}') ORDER BY kind") == [item, held]
    older = ("suspense_payment", "N", "unknown", None, 49, *_money("0.00", "30.00", "30.00"))
    assert book.ask(f"{asked} FROM suspense_age") == [older]


def test_a_fund_below_zero_tells_since_when_and_by_what(tmp_path: Path) -> None:
    """R-PMV-08: since the transaction after which it stayed below zero, not an earlier dip that was covered."""
    journal = {
        _day(0): [*received(_day(0), 1, 1, 10_00), *disbursed(_day(0), 2, 25_00)],
        _day(1): received(_day(1), 1, 2, 20_00),
        _day(2): [*disbursed(_day(2), 1, 3_00), *received(_day(2), 2, 1, -10_00, reverses_transaction_key=key(DAY, 1))],
        _day(3): disbursed(_day(3), 1, 1_00),
    }
    days: dict[date, dict[str, Any]] = {on: {"journal": rows} for on, rows in journal.items()}
    days[_day(0)]["payments"] = [payment(1, 10_00, _day(0)), payment(2, 20_00, _day(1))]
    book = MoneyBook(tmp_path, days)
    asked = "SELECT balance, negative_since, days_negative, transaction_type, transaction_amount, payment_id"
    assert book.ask(f"{asked} FROM negative_funds") == [
        (Decimal(-9), _day(2), 1, "DirectBillMoneyReceivedTxn", Decimal(-10), "R1")
    ]
    dip = (Decimal(-15), _day(0), 0, "DisbursementPaid", Decimal(-25), None)
    assert book.ask(f"{asked} FROM negative_funds_as_of(DATE '{DAY}')") == [dip]
    assert book.ask(f"{asked} FROM negative_funds_as_of(DATE '{_day(1)}')") == []
    assert book.ask(f"SELECT total FROM unapplied_age_as_of(DATE '{_day(1)}')") == [_money("5.00")]
    assert book.ask("SELECT total FROM unapplied_age") == []


def test_cash_and_funds_roll_forward_from_day_to_day(tmp_path: Path) -> None:
    """Reliability I-29: opening and movements make the closing balance, which is that of the T-accounts."""
    book = _fates(tmp_path)
    day = f"FROM cash_roll_forward WHERE business_date >= DATE '{DAY}' AND fund_type = '{{}}' ORDER BY business_date"
    assert book.ask(f"{ROLL} {day.format('cash')}") == [
        (DAY, *_money("0", "176", "0", "0", "0", "0", "0", "0", "176")),
        (_day(2), *_money("176", "0", "7", "0", "0", "0", "0", "0", "169")),
    ]
    assert book.ask(f"{ROLL} {day.format('suspense_payment')}") == [
        (DAY, *_money("0", "39", "0", "0", "0", "0", "0", "0", "39")),
        (_day(2), *_money("39", "0", "0", "-30", "0", "0", "0", "0", "9")),
    ]
    assert book.ask(f"{ROLL} {day.format('suspense_item')}") == [
        (_day(2), *_money("0", "0", "0", "0", "0", "10", "0", "0", "10")),
    ]
    assert book.ask(f"{ROLL} {day.format('default')}") == [
        (DAY, *_money("0", "137", "0", "0", "0", "0", "0", "0", "137")),
        (_day(2), *_money("137", "0", "7", "30", "0", "-10", "0", "0", "150")),
        (_day(3), *_money("150", "0", "0", "0", "0", "0", "0", "0", "150")),
        (_day(4), *_money("150", "0", "0", "0", "0", "0", "0", "5", "145")),
        (date(2025, 1, 16), *_money("145", "0", "0", "0", "0", "0", "90", "0", "55")),
    ]
    assert book.ask("SELECT sum(balance) FROM funds WHERE account_id IN ('A', 'B')") == [_money("55")]
