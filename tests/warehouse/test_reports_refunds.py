"""Ad hoc credits, disbursements, approvals and holds as the views show them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from assets.invariants import findings
from tests.golden.refunds import USERS, about, command
from tests.story import Story, carrier
from tests.warehouse.published_stories import PublishedStory
from warehouse.storage import Home

DAY = date(2025, 1, 10)
ONE = timedelta(days=1)
NEXT = DAY + ONE
POLICY = {
    "instruction_id": "I",
    "instruction_type": "issuance",
    "account_id": "B",
    "policy_id": "P",
    "period_start": DAY,
    "period_end": date(2026, 1, 10),
    "effective_date": DAY,
    "payment_plan": "Monthly",
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> PublishedStory:
    """Of everything one: credits of all outcomes, disbursements paid, waiting, rejected with a ticket, sent back."""
    silent = ("create_approval_activities = true\nrequest", "create_approval_activities = false\nrequest")
    business = (
        '[billing_plans."Business Days"]\n',
        '[billing_plans."Business Days"]\nautomatic_disbursements = true\n',
    )
    story = Story(carrier(business, silent, more=USERS))
    story.land(
        DAY,
        accounts=[
            {"account_id": "A", "invoice_by": "account", "name": "Anne"},
            {"account_id": "B"},
            {"account_id": "C", "invoice_by": "account", "billing_plan": "Business Days"},
        ],
        billing_instructions=[POLICY],
        payments=[
            {"payment_id": "M", "account_id": "A", "amount": "300.00"},
            {"payment_id": "N", "amount": "80.00"},
            {"payment_id": "O", "account_id": "C", "amount": "2000.00"},
        ],
    )

    def credit(name: str, amount: str, who: str, account: str = "A", **params: object) -> dict[str, object]:
        return about(
            name,
            "create_ad_hoc_credit",
            amount,
            {"credit_type": "Goodwill"} | params,
            account=account,
            requested_by=who,
            reason="sorry",
        )

    def disburse(name: str, amount: str, due: date, who: str) -> dict[str, object]:
        params = {"due_date": due.isoformat()}
        return about(name, "create_disbursement", amount, params, requested_by=who, reason="overpaid")

    refund = {"due_date": DAY.isoformat(), "payee": "Sender"}
    story.land(
        DAY,
        commands=[
            credit("K1", "10.00", "clerk"),
            credit("K2", "60.00", "clerk"),
            credit("K3", "5.00", "lead", "B", fund_policy_id="P"),
            disburse("D1", "50.00", DAY, "clerk"),
            disburse("D2", "120.00", NEXT, "clerk"),
            disburse("D3", "20.00", DAY + 9 * ONE, "boss"),
            command("S", "disburse_suspense_payment", "payment", "N", params=refund, reason="nobody's"),
        ],
    ).land(
        NEXT,
        commands=[
            command("R1", "reverse_ad_hoc_credit", "ad_hoc_credit", "K1", requested_by="clerk"),
            command("H", "reject_and_hold_disbursements", "disbursement", "D3", requested_by="lead"),
            command("X", "reverse_payment", "payment", "N", params={"reversal_reason": "other"}),
        ],
    )
    return PublishedStory(tmp_path_factory.mktemp("refunds"), story.close_through(NEXT))


def test_ad_hoc_credits(published: PublishedStory) -> None:
    """R-AHC-6: executed, waiting and taken back, each with its fund and the transaction that posted it."""
    columns = "credit_id, account_id, fund_policy_id, credit_type, amount, status, requested_by, executed_date"
    assert published.ask(f"SELECT {columns}, reversed_date, reason FROM ad_hoc_credits ORDER BY credit_id") == [
        ("K1", "A", None, "Goodwill", Decimal(10), "Reversed", "clerk", DAY, NEXT, "sorry"),
        ("K2", "A", None, "Goodwill", Decimal(60), "PendingApproval", "clerk", None, None, "sorry"),
        ("K3", "B", "P", "Goodwill", Decimal(5), "Executed", "lead", DAY, None, "sorry"),
    ]
    posted = "SELECT transaction_id FROM journal WHERE transaction_type = 'AccountGoodwillTxn'"
    assert published.ask(f"SELECT credit_id FROM ad_hoc_credits WHERE transaction_id IN ({posted}) ORDER BY 1") == [
        ("K1",),
        ("K3",),
    ]
    assert published.ask(f"SELECT status FROM ad_hoc_credits_as_of('{DAY}') WHERE credit_id = 'K1'") == [("Executed",)]


def test_disbursements(published: PublishedStory) -> None:
    """R-DSB-2, R-DSB-6, R-DSB-9: who asked and decided, what a ticket stops, what was paid and by which transaction."""
    columns = "disbursement_id, account_id, payment_id, amount, origin, status, payee, assigned_to, is_held, sent_date"
    assert published.ask(f"SELECT {columns} FROM disbursements ORDER BY disbursement_id") == [
        ("D1", "A", None, Decimal(50), "Manual", "Sent", "Anne", None, False, DAY),
        ("D2", "A", None, Decimal(120), "Manual", "AwaitingApproval", "Anne", "lead", True, None),
        ("D3", "A", None, Decimal(20), "Manual", "Rejected", "Anne", None, False, None),
        ("S", None, "N", Decimal(80), "Suspense", "Sent", "Sender", None, False, DAY),
        ("auto/C/2025-01-10", "C", None, Decimal(2000), "Automatic", "AwaitingApproval", None, None, False, None),
    ]
    decided = "requested_by, approved_by, approved_date, rejected_by, rejected_date"
    assert published.ask(f"SELECT {decided} FROM disbursements WHERE disbursement_id IN ('D1', 'D3') ORDER BY 1") == [
        ("boss", "boss", DAY, "lead", NEXT),
        ("clerk", "clerk", DAY, None, None),
    ]
    posted = "SELECT transaction_id FROM journal WHERE transaction_type IN ('DisbursementPaid', 'SuspPymtDisbPaid')"
    assert published.ask(
        f"SELECT disbursement_id FROM disbursements WHERE transaction_id IN ({posted}) ORDER BY 1"
    ) == [
        ("D1",),
        ("S",),
    ]


def test_account_disbursements(published: PublishedStory) -> None:
    """06 section 6.1: past and pending, with what the fund holds for the pending ones."""
    columns = "disbursement_id, amount, due_date, reason, status, is_pending, fund_balance"
    assert published.ask(f"SELECT {columns} FROM account_disbursements WHERE account_id = 'A' ORDER BY 1") == [
        ("D1", Decimal(50), DAY, "overpaid", "Sent", False, None),
        ("D2", Decimal(120), NEXT, "overpaid", "AwaitingApproval", True, Decimal(250)),
        ("D3", Decimal(20), DAY + 9 * ONE, "overpaid", "Rejected", False, None),
    ]
    assert published.ask("SELECT count(*) FROM account_disbursements WHERE account_id IS NULL") == [(0,)]


def test_approvals(published: PublishedStory) -> None:
    """R-ACT-3, R-AD-3, R-AHC-6: activities by what they are about; what waits without one is in the statuses only."""
    columns = "subject_type, subject_id, account_id, amount, requested_by, assigned_to, status"
    activities = [
        ("AdHocCredit", "K2", "A", Decimal(60), "clerk", "lead", "Open"),
        ("Disbursement", "D2", "A", Decimal(120), "clerk", "lead", "Open"),
    ]
    assert published.ask(f"SELECT {columns} FROM approvals ORDER BY subject_type") == activities
    waiting = ("Disbursement", "auto/C/2025-01-10", "C", Decimal(2000), None, None, "Open")
    statuses = published.ask(f"SELECT {columns} FROM approval_statuses ORDER BY subject_type, subject_id")
    assert statuses == [*activities, waiting]
    opened = "SELECT DISTINCT opened_date, decided_by, decided_date FROM approval_statuses"
    assert published.ask(opened) == [(DAY, None, None)]


def test_holds_and_deficits(published: PublishedStory) -> None:
    """R-DSB-9, R-SUS-10: the ticket, and the suspense payment that was sent back before it bounced."""
    assert published.ask("SELECT * EXCLUDE (closed_by, closed_date) FROM disbursement_holds") == [
        ("H", "A", "D3", "lead", NEXT, True)
    ]
    assert published.ask("SELECT * FROM negative_unapplied") == [(None, None, "N", Decimal(-80), "USD")]
    assert published.ask(f"SELECT * FROM negative_unapplied_as_of('{DAY}')") == []


def test_the_ledger_holds(published: PublishedStory) -> None:
    assert [str(finding) for finding in findings(Home(published.home))] == []


def test_a_fund_in_deficit_is_listed(tmp_path: Path) -> None:
    """R-PMV-08, R-AHC-4: money paid out, and then the credit taken back."""
    story = Story().land(DAY, accounts=[{"account_id": "A", "invoice_by": "account"}])
    paid = about("D", "create_disbursement", "4.00", {"due_date": DAY.isoformat()}, reason="asked for")
    story.land(DAY, commands=[about("K", "create_ad_hoc_credit", "10.00", {"credit_type": "Other"}), paid])
    story.land(NEXT, commands=[command("R", "reverse_ad_hoc_credit", "ad_hoc_credit", "K")]).close_through(NEXT)
    published = PublishedStory(tmp_path, story)
    assert published.ask("SELECT * FROM negative_unapplied") == [("A", None, None, Decimal(-4), "USD")]
