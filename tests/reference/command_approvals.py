"""What waits is approved or rejected; disbursements are changed and held (R-DSB-3, R-DSB-7..9, R-AHC-5)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.authority import (
    WAITING,
    check_authority,
    close_activity,
    is_within,
    may_approve,
    open_activities,
    open_activity,
)
from tests.reference.command_refunds import give
from tests.reference.entities import Account
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
LIMIT = "Approve Disbursement"


def approve(model: Model, row: Row, subject: Row, today: date) -> None:
    """What waits is done, today, by somebody who may do it himself (R-DSB-3, R-AHC-5, R-ACT-4)."""
    who = row.get("requested_by")
    if subject["status"] not in WAITING:
        refuse("it does not wait for approval")
    if "credit_type" not in subject:
        check_authority(model, subject, who, LIMIT)
        subject |= {"status": "Approved", "approved_by": who, "approved_date": today}
    elif subject["status"] == "PendingApproval":
        check_authority(model, subject, who, f"{subject['credit_type']} Credit")
        subject["status"] = "Executed"
        give(model, subject, subject["amount"], today)
    else:
        check_authority(model, subject, who, f"{subject['credit_type']} Credit Reversal")
        subject["status"] = "Reversed"
        give(model, subject, -subject["amount"], today)
    close_activity(model, subject, "Approved", who, today)


def reject(model: Model, row: Row, subject: Row, today: date) -> None:
    """What waits is not done; what is approved and not paid is not paid (R-DSB-8, R-AHC-5, R-ACT-5)."""
    who = row.get("requested_by")
    if subject["status"] not in (*WAITING, "Approved"):
        refuse("it does not wait")
    if "credit_type" in subject:
        subject["status"] = "Rejected" if subject["status"] == "PendingApproval" else "Executed"
    else:
        subject |= {"status": "Rejected", "rejected_by": who, "rejected_date": today}
    close_activity(model, subject, "Rejected", who, today)


def reject_and_hold_disbursements(model: Model, row: Row, disbursement: Row, today: date) -> None:
    """Rejected, and a ticket is opened: nothing is paid to the account until it is closed (R-DSB-9)."""
    if disbursement["account_id"] is None:
        refuse("there is no account to be held")
    reject(model, row, disbursement, today)
    model.holds.append(
        {
            "ticket_id": row["command_id"],
            "account_id": disbursement["account_id"],
            "disbursement_id": disbursement["id"],
            "opened_by": row.get("requested_by"),
            "opened_date": today,
            "closed_by": None,
            "closed_date": None,
        }
    )


def release_disbursement_hold(model: Model, row: Row, account: Account, today: date) -> None:
    """The tickets of an account are closed (R-DSB-9)."""
    tickets = [hold for hold in model.holds if hold["account_id"] == account.account_id]
    tickets = [hold for hold in tickets if hold["closed_date"] is None]
    if not tickets:
        refuse("no ticket holds the account")
    for ticket in tickets:
        ticket |= {"closed_by": row.get("requested_by"), "closed_date": today}


def edit_disbursement(model: Model, row: Row, disbursement: Row, today: date) -> None:
    """What is not paid is changed; a higher amount is judged anew (R-DSB-7)."""
    params = row.get("params") or {}
    if disbursement["status"] not in ("AwaitingApproval", "Approved"):
        refuse("it is paid or rejected")
    before = disbursement["amount"]
    amount = before if row.get("amount") is None else row["amount"]
    due_date = params.get("due_date") or disbursement["due_date"]
    if amount <= 0 or due_date < disbursement["trigger_date"]:
        refuse("more than nothing is paid, and not before it was asked for")
    if disbursement["payment_id"] is not None and amount != before:
        refuse("a suspense payment is sent back whole")
    disbursement |= {"amount": amount, "due_date": due_date}
    if amount > before:
        judge_anew(model, disbursement, row.get("requested_by"), today)
    for activity in open_activities(model, disbursement):
        activity["amount"] = amount


def judge_anew(model: Model, disbursement: Row, who: str | None, today: date) -> None:
    """A higher amount waits when it is above the limit of who asks; one that waited does unless he may (R-ACT-6)."""
    amount = disbursement["amount"]
    is_waiting = disbursement["status"] == "AwaitingApproval"
    if may_approve(model, who, LIMIT, amount) if is_waiting else is_within(model, who, LIMIT, amount):
        disbursement |= {"status": "Approved", "approved_by": who, "approved_date": today}
        close_activity(model, disbursement, "Obsolete", who, today)
        return
    disbursement |= {"status": "AwaitingApproval", "approved_by": None, "approved_date": None}
    if not open_activities(model, disbursement):
        open_activity(model, "Disbursement", disbursement, who, today)
