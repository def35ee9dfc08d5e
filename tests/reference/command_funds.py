"""Commands that move money between unapplied funds (R-TRF-01..04)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.command_refunds import waiting_to_be_paid_out
from tests.reference.entities import Account
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def transfer_funds(model: Model, row: Row, account: Account, today: date) -> None:
    """Money of a fund goes to funds of other accounts, or to others of the account: all of it or none (R-TRF-01..03).

    What waits to be paid out is not free (R-TRF-02).
    """
    fund, targets = row["params"].get("policy_id"), row["params"]["targets"]
    if fund not in account.funds:
        refuse("the account has no such fund")
    receivers = [receiving_fund(model, target) for target in targets]
    if (account, fund) in receivers:
        refuse("the money would not leave the fund")
    amounts = [target["amount"] for target in targets]
    free = account.funds[fund] - waiting_to_be_paid_out(model, account, fund)
    if not amounts or min(amounts) <= 0 or sum(amounts) > free:
        refuse("more than nothing and no more than is free is transferred")
    for (receiver, to), amount in zip(receivers, amounts, strict=True):
        account.funds[fund] -= amount
        receiver.funds[to] += amount
        model.posted.transferred(account, fund, receiver, to, amount, today)


def receiving_fund(model: Model, target: Row) -> tuple[Account, str | None]:
    """The fund that a target names; the default one, unless it names the policy of another that is kept."""
    account, fund = model.accounts.get(target["account_id"]), target.get("policy_id")
    if account is None or fund not in account.funds or (fund is not None and not account.separate_funds):
        refuse("there is no such fund")
    return account, fund
