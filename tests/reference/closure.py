"""Periods are closed when nothing is left of them, accounts by command when nothing is owed (R-CLS, R-ACC-09..12)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.entities import Account, Period, Policy
from tests.reference.refusing import refuse
from tests.reference.targets import period_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
OWED = ("Unbilled", "Billed", "Due")


def close_periods(model: Model, today: date) -> None:
    """What happened to a period today opens it; one to which nothing has happened is closed when it is over."""
    touched = touched_today(model, today)
    periods = [period for policy in model.policies.values() for period in policy.periods.values()]
    for period in periods:
        if owner_id(period) in touched:
            period.closed_date = period.opened_date = None
    waiting = [period for period in periods if period.closed_date is None and period.opened_date is None]
    over = [period for period in waiting if period.end < today and owner_id(period) not in touched]
    for period in over:
        if nothing_is_left(model, period):
            period.closed_date = today


def owner_id(period: Period) -> str:
    """The owner of the T-accounts of a period."""
    return f"{period.policy.policy_id}/{period.term_number}"


def touched_today(model: Model, today: date) -> set[str]:
    """Periods with a transaction against what they owe, an audit, or money that names them (R-CLS-05, R-DBP-18)."""
    lines = [line for line in model.posted.lines if line["business_date"] == today]
    owing = [line for line in lines if line["owner_type"] == "PolicyPeriod" and line["t_account"].endswith(OWED)]
    return {line["owner_id"] for line in owing} | {owner_id(period) for period in model.named_today}


def nothing_is_left(model: Model, period: Period) -> bool:
    """Whether Unbilled, Billed and Due are empty, each per charge pattern, and all premium is earned (R-CLS-01).

    So what is paid has also fallen due, for it stays in Billed by its full amount until then (R-LED-26).
    """
    charges = [charge for charge in model.all_charges if charge.period is period]
    owed: dict[str, int] = defaultdict(int)
    for line in model.posted.lines:
        if line["owner_type"] == "PolicyPeriod" and line["owner_id"] == owner_id(period):
            owed[line["t_account"]] += line["amount"] if line["side"] == "D" else -line["amount"]
    if any(balance for t_account, balance in owed.items() if t_account.endswith(OWED)):
        return False
    return all(charge.earned == charge.amount for charge in charges if charge.pattern_data["subtype"] == "pro_rata")


def open_policy_period(model: Model, row: Row, policy: Policy, today: date) -> None:  # noqa: ARG001
    """A closed period is open until something has happened to it (R-CLS-06, R-CLS-07)."""
    period = period_of(policy, (row.get("params") or {}).get("term_number"))
    if period.closed_date is None:
        refuse("it is open")
    period.closed_date, period.opened_date = None, today


def close_account(model: Model, row: Row, account: Account, today: date) -> None:  # noqa: ARG001
    """An account whose periods are closed and that owes nothing, nor is owed, is closed (R-ACC-09, R-ACC-10)."""
    if account.close_date is not None:
        refuse("it is closed")
    policies = [policy for policy in model.policies.values() if policy.account is account]
    periods = [period for policy in policies for period in policy.periods.values()]
    if any(period.closed_date is None for period in periods):
        refuse("a policy period is not closed")
    if remaining_balance(model, account, periods):
        refuse("something is owed")
    account.close_date = today


def remaining_balance(model: Model, account: Account, periods: list[Period]) -> int:
    """Unbilled, Billed and Due of charges of the account and of its periods, added up (R-ACC-10)."""
    owners = {("Account", account.account_id)} | {("PolicyPeriod", owner_id(period)) for period in periods}
    lines = [line for line in model.posted.lines if (line["owner_type"], line["owner_id"]) in owners]
    lines = [line for line in lines if line["t_account"].endswith(OWED)]
    return sum(line["amount"] if line["side"] == "D" else -line["amount"] for line in lines)


def reopen_account(model: Model, row: Row, account: Account, today: date) -> None:  # noqa: ARG001
    """A closed account is open again (R-ACC-12)."""
    if account.close_date is None:
        refuse("it is open")
    account.close_date = None
