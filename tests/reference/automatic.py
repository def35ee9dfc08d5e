"""Surplus that the billing plan pays out by itself (R-AD-1..6, R-DSB-4, R-DSB-10)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.authority import open_activity
from tests.reference.command_refunds import is_held, new_disbursement, waiting_to_be_paid_out
from tests.reference.dates import plus_days
from tests.reference.distribution import policy_of_fund
from tests.reference.entities import Account, Item
from tests.reference.payments import distribute_accounts

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def create_automatic_disbursements(model: Model, today: date) -> None:
    """For every fund with surplus of accounts whose plan says so, and that no ticket holds (R-DSB-4, R-DSB-9).

    What such an account can pay is paid first (R-DST-16); only where surplus would be paid out (decision 004; silent).
    """
    for account in model.accounts.values():
        if not account.billing_plan.get("automatic_disbursements") or is_held(model, account):
            continue
        if with_surplus(model, account):
            distribute_accounts(model, [account], today)
        for fund, surplus in with_surplus(model, account):
            create(model, account, fund, surplus, today)


def with_surplus(model: Model, account: Account) -> list[tuple[str | None, int]]:
    """The funds of an account whose surplus is worth paying out, with that surplus (R-AD-2, R-AD-6)."""
    least = account.billing_plan.get("disbursement_over", 0)
    surplus = [
        (fund, surplus_of(model, account, fund)) for fund in (account.funds if account.separate_funds else [None])
    ]
    return [(fund, amount) for fund, amount in surplus if amount > least and not has_one(model, account, fund)]


def has_one(model: Model, account: Account, fund: str | None) -> bool:
    """Whether an automatic disbursement of the fund is on its way (R-AD-6)."""
    rows = [row for row in model.disbursements.values() if row["origin"] == "Automatic"]
    rows = [row for row in rows if row["account_id"] == account.account_id and row["fund_policy_id"] == fund]
    return any(row["status"] in ("AwaitingApproval", "Approved") for row in rows)


def surplus_of(model: Model, account: Account, fund: str | None) -> int:
    """What a fund holds beyond what is owed and what waits to be paid out (R-AD-1, R-DSB-10)."""
    balance = account.funds[fund]
    return min(balance, balance - kept_back(account, fund)) - waiting_to_be_paid_out(model, account, fund)


def kept_back(account: Account, fund: str | None) -> int:
    """What is owed of the items that a fund pays, net of credits; the default fund may have to pay any item.

    So it keeps back what the designated funds do not cover (decision 030).
    """
    if fund is not None:
        return max(0, owed(account, fund))
    funds = [policy_id for policy_id in account.funds if policy_id is not None and account.separate_funds]
    covered = {policy_id: max(0, min(account.funds[policy_id], owed(account, policy_id))) for policy_id in funds}
    return max(0, sum(item.unpaid for item in counted(account)) - sum(covered.values()))


def owed(account: Account, fund: str) -> int:
    """What is open of the items of a designated fund."""
    return sum(item.unpaid for item in counted(account) if policy_of_fund(item) == fund)


def counted(account: Account) -> list[Item]:
    """All items that the account pays, or those billed and due, as its plan says (R-AD-1)."""
    if account.billing_plan.get("available_disbursement_basis") == "unapplied_minus_billed":
        return [item for item in account.items if not item.is_planned]
    return account.items


def create(model: Model, account: Account, fund: str | None, amount: int, today: date) -> None:
    """All of the surplus, after a delay; above an amount somebody looks at it first (R-AD-2..4)."""
    plan = account.billing_plan
    parts = ["auto", account.account_id, *([fund] if fund else []), str(today)]
    what = {"account_id": account.account_id, "fund_policy_id": fund, "amount": amount, "origin": "Automatic"}
    due_date = plus_days(today, plan.get("delay_disbursement_days", 0))
    disbursement = new_disbursement(model, "/".join(parts), what, due_date, today)
    if amount <= plan.get("review_disbursements_over", 0):
        disbursement |= {"status": "Approved", "approved_date": today}
    elif plan.get("create_approval_activities", True):
        open_activity(model, "Disbursement", disbursement, None, today)
