"""Who may do what up to which amount, and the activities of what waits for somebody who may (R-ACT-2..6, R-AHC-2)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.refusing import RefusedError, refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
WAITING = ("AwaitingApproval", "PendingApproval", "ReversalPendingApproval")


class HandedOnError(RefusedError):
    """An approval refused to its assignee, and handed on: the one refusal that changes something (R-DSB-3)."""


def is_within(model: Model, who: str | None, limit_type: str, amount: int) -> bool:
    """Whether an amount needs nobody else: no limit of that type for who asks, or not above it (R-ACT-2)."""
    user = model.carrier.get("users", {}).get(who, {})
    limits = model.carrier.get("authority_profiles", {}).get(user.get("profile"), {})
    return limit_type not in limits or amount <= limits[limit_type]


def may_approve(model: Model, who: str | None, limit_type: str, amount: int) -> bool:
    """Only users approve, where there are any, and only what is not above their own limits (R-ACT-4)."""
    users = model.carrier.get("users", {})
    return (not users or who in users) and is_within(model, who, limit_type, amount)


def check_may_credit(model: Model, who: str | None) -> None:
    """Once there are users, only some of them may create and take back ad hoc credits (R-AHC-2)."""
    users = model.carrier.get("users", {})
    if users and not users.get(who, {}).get("may_credit"):
        refuse("may neither create nor take back ad hoc credits")


def supervisor_of(model: Model, who: str | None) -> str | None:
    """Who decides for somebody (R-ACT-3)."""
    supervisor: str | None = model.carrier.get("users", {}).get(who, {}).get("supervisor")
    return supervisor


def open_activity(model: Model, subject_type: str, subject: Row, who: str | None, today: date) -> None:
    """Something waits for the supervisor of who asked for it (R-ACT-3)."""
    model.approvals.append(
        {
            "subject_type": subject_type,
            "subject_id": subject["id"],
            "account_id": subject["account_id"],
            "amount": subject["amount"],
            "requested_by": who,
            "assigned_to": supervisor_of(model, who),
            "status": "Open",
            "opened_date": today,
            "decided_by": None,
            "decided_date": None,
        }
    )


def open_activities(model: Model, subject: Row) -> list[Row]:
    """The activities, one at most, in which it waits; of credits and disbursements the ids are different."""
    return [row for row in model.approvals if row["subject_id"] == subject["id"] and row["status"] == "Open"]


def close_activity(model: Model, subject: Row, status: str, who: str | None, today: date) -> None:
    """It waits no longer (R-ACT-4..6)."""
    for activity in open_activities(model, subject):
        activity |= {"status": status, "decided_by": who, "decided_date": today}


def check_authority(model: Model, subject: Row, who: str | None, limit_type: str) -> None:
    """Whether somebody may approve; refused to its assignee an activity goes to the next one up (R-DSB-3)."""
    if may_approve(model, who, limit_type, subject["amount"]):
        return
    activities = open_activities(model, subject)
    if activities and who is not None and activities[0]["assigned_to"] == who and supervisor_of(model, who):
        raise HandedOnError(subject["id"])
    refuse("above the limits of who approves")


def hand_on(model: Model, subject_id: str) -> None:
    """The open activity goes to the supervisor of its assignee."""
    for activity in model.approvals:
        if activity["subject_id"] == subject_id and activity["status"] == "Open":
            activity["assigned_to"] = supervisor_of(model, activity["assigned_to"])
