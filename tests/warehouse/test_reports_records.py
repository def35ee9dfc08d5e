"""What is recorded beside the money: commands, what others are told, transactions of policies, refused instructions."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from published_books import write_book

from tests.story import Row, Story, plans, timing
from tests.warehouse.published_stories import PublishedStory
from warehouse.catalogue import connect, publish, query

JAN_1, JAN_2 = date(2025, 1, 1), date(2025, 1, 2)
TERMS = (
    'payment_interval = "monthly"\nmax_installments = 2\n'
    f"first_installment_timing = {timing('policy_effective_date')}\n"
)
ISSUANCE: Row = {
    "instruction_id": "I1",
    "instruction_type": "issuance",
    "account_id": "A",
    "policy_id": "P",
    "period_start": JAN_1,
    "period_end": date(2026, 1, 1),
    "effective_date": JAN_1,
    "payment_plan": "X",
}
PREMIUM: Row = {"instruction_id": "I1", "charge_no": 1, "charge_pattern": "Premium", "amount": "200.00"}


@pytest.fixture
def story() -> Story:
    """A policy, its first invoice billed and half paid, and one instruction that is refused."""
    return (
        Story(plans(TERMS))
        .land(
            JAN_1,
            billing_instructions=[ISSUANCE, {**ISSUANCE, "instruction_id": "I2", "payment_plan": "none"}],
            charges=[PREMIUM, {**PREMIUM, "instruction_id": "I2"}],
        )
        .land(JAN_2, payments=[{"payment_id": "M", "account_id": "A", "policy_id": "P", "amount": "50.00"}])
        .close_through(JAN_2)
    )


def test_transactions_of_a_policy(tmp_path: Path, story: Story) -> None:
    """R-ENT-22: 04 section 6: by policy, date and type, one row a transaction, with what a later day knew of it."""
    published = PublishedStory(tmp_path, story)
    columns = "business_date, transaction_type, amount, payment_id"
    rows = published.ask(
        f"SELECT {columns} FROM policy_transactions WHERE policy_id = 'P' ORDER BY transaction_id::BIGINT"
    )
    assert [row for row in rows if row[1] != "ProRataChargeEarned"] == [
        (JAN_1, "InitialChargeTxn", Decimal(200), None),
        (JAN_1, "ChargeBilled", Decimal(100), None),
        (JAN_2, "DirectBillMoneyReceivedTxn", Decimal(50), "M"),
        (JAN_2, "ChargePaidFromAccount", Decimal(50), "M"),
    ]
    known = "policy_transactions_as_of('2025-01-02', known_at := '2025-01-01')"
    assert published.ask(f"SELECT count(*) FROM {known} WHERE payment_id = 'M'") == [(0,)]
    lines = "SELECT count(DISTINCT transaction_id) FROM journal WHERE policy_id = 'P'"
    assert published.ask(lines) == [(len(rows),)]


def test_refused_instructions(tmp_path: Path, story: Story) -> None:
    """R-BI-16: with what the row said it was, and why it was refused."""
    columns = "business_date, instruction_id, instruction_type, account_id, policy_id, row_no"
    published = PublishedStory(tmp_path, story)
    assert published.ask(f"SELECT {columns} FROM rejected_instructions") == [(JAN_1, "I2", "issuance", "A", "P", 2)]
    assert published.ask("SELECT code FROM rejected_instructions")[0][0].startswith("E-")


def test_commands_and_what_others_are_told(tmp_path: Path, story: Story) -> None:
    """R-INV-32: an invoice is sent again because somebody asked for it."""
    invoice = story.invoices()
    assert invoice[0][1] == "Billed"
    key = story.book["invoices"].sort("bill_date")["invoice_key"][0]
    resend = {
        "command_id": "C1",
        "command_type": "resend_invoice",
        "target_type": "invoice",
        "target_id": key,
        "reason": "lost",
        "params": json.dumps({}),
        "requested_by": "clerk",
    }
    day = date(2025, 1, 3)
    published = PublishedStory(tmp_path, story.land(day, commands=[resend]).close_through(day))
    columns = "received_date, command_id, command_type, target_id, account_id, reason, requested_by"
    assert published.ask(f"SELECT {columns} FROM commands") == [
        (day, "C1", "resend_invoice", str(key), "A", "lost", "clerk")
    ]
    columns = "business_date, event_type, account_id, invoice_id, amount, currency, command_id"
    told = published.ask(f"SELECT {columns} FROM outbound_events WHERE command_id = 'C1'")
    assert told == [(day, "InvoiceResent", "A", str(key), Decimal(100), "USD", "C1")]
    assert published.ask(f"SELECT count(*) FROM commands_as_of('{JAN_2}')") == [(0,)]


def test_equity_warnings_name_the_policy(tmp_path: Path) -> None:
    """R-EQT-15: the range of the first violation and what would cure all."""
    day = date(2025, 3, 1)
    warning = {
        "command_id": "C1",
        "command_type": "change_invoice_dates",
        "period_key": 1,
        "first_violation": day,
        "violation_end": date(2025, 3, 9),
        "cure_amount": 12_34,
        "cure_before": day,
        "outcome": "warned",
    }
    rows = {
        "accounts": [{"account_key": 1, "account_id": "A"}],
        "policies": [{"policy_key": 1, "policy_id": "P", "account_key": 1}],
        "policy_periods": [{"period_key": 1, "policy_key": 1, "account_key": 1, "term_number": 2}],
        "equity_warnings": [warning],
    }
    publish(tmp_path, write_book(tmp_path / "warehouse", {day: rows}))
    columns = "business_date, policy_id, term_number, account_id, first_violation, violation_end, cure_amount, outcome"
    with connect(tmp_path) as connection:
        assert query(connection, f"SELECT {columns} FROM equity_warnings").rows() == [
            (day, "P", 2, "A", day, date(2025, 3, 9), Decimal("12.34"), "warned")
        ]
