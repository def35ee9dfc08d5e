"""Money given to accounts and paid out to them: ad hoc credits, disbursements (R-AHC-1..6, R-DSB-1..10).

Nobody's authority is limited here: nothing waits for approval.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.entities import Account
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
TRANSACTION_OF_CREDIT = {
    "Goodwill": "AccountGoodwillTxn",
    "Interest": "AccountInterestTxn",
    "Collections": "AccountCollectionTxn",
    "Other": "AccountOtherTxn",
}
"""R-TXN-09."""


def chosen_fund(account: Account, params: Row) -> str | None:
    """The fund that a command names; where funds are kept per policy it must name one (decision 030)."""
    fund: str | None = params.get("fund_policy_id")
    if fund not in account.funds or (fund is not None and not account.separate_funds):
        refuse("the account has no such fund, or keeps it no longer")
    has_choice = account.separate_funds and len(account.funds) > 1
    if fund is None and has_choice and not params.get("default_fund"):
        refuse("which fund is meant is not said")
    return fund


def create_ad_hoc_credit(model: Model, row: Row, account: Account, today: date) -> None:
    """Money is put in a fund (R-AHC-1); it pays nothing by itself."""
    fund = chosen_fund(account, row["params"])
    if row["amount"] <= 0:
        refuse("more than nothing is given")
    credit = {"account_id": account.account_id, "fund_policy_id": fund, "amount": row["amount"], "status": "Executed"}
    credit["transaction_type"] = TRANSACTION_OF_CREDIT[row["params"]["credit_type"]]
    model.ad_hoc_credits[row["command_id"]] = credit
    give(model, credit, credit["amount"], today)


def reverse_ad_hoc_credit(model: Model, row: Row, credit: Row, today: date) -> None:  # noqa: ARG001
    """All of it is taken out of its fund, once, whatever is left there (R-AHC-4)."""
    if credit["status"] != "Executed":
        refuse("it is taken back already")
    credit["status"] = "Reversed"
    give(model, credit, -credit["amount"], today)


def give(model: Model, credit: Row, amount: int, today: date) -> None:
    """An amount of a credit enters its fund, or leaves it when negative."""
    account, fund = model.accounts[credit["account_id"]], credit["fund_policy_id"]
    account.funds[fund] += amount
    model.posted.ad_hoc_credit(account, fund, credit["transaction_type"], amount, today)


def create_disbursement(model: Model, row: Row, account: Account, today: date) -> None:
    """Money to be paid out of a fund on a day (R-DSB-1, R-DSB-2)."""
    fund, due_date = chosen_fund(account, row["params"]), row["params"]["due_date"]
    if row["amount"] <= 0 or not row.get("reason") or due_date < today:
        refuse("more than nothing is paid, today or later, for a reason")
    model.disbursements[row["command_id"]] = {
        "account_id": account.account_id,
        "fund_policy_id": fund,
        "amount": row["amount"],
        "due_date": due_date,
        "status": "Approved",
        "number": len(model.disbursements),
    }


def fund_of_disbursement(account: Account, disbursement: Row) -> str | None:
    """Out of which fund it is paid: the default one where none are kept per policy any more (R-BL-10)."""
    return disbursement["fund_policy_id"] if account.separate_funds else None


def pay_disbursements(model: Model, today: date) -> None:
    """What is due is paid, by due date, as far as the money in the fund goes (R-DSB-6)."""
    for disbursement in sorted(model.disbursements.values(), key=lambda row: (row["due_date"], row["number"])):
        if disbursement["status"] != "Approved" or disbursement["due_date"] > today:
            continue
        account = model.accounts[disbursement["account_id"]]
        fund = fund_of_disbursement(account, disbursement)
        if account.funds[fund] >= disbursement["amount"]:
            disbursement |= {"status": "Sent", "fund_policy_id": fund}
            pay_out(model, disbursement, disbursement["amount"], today)


def pay_out(model: Model, disbursement: Row, amount: int, today: date) -> None:
    """An amount leaves its fund, or comes back when negative (R-TXN-25)."""
    account, fund = model.accounts[disbursement["account_id"]], disbursement["fund_policy_id"]
    account.funds[fund] -= amount
    model.posted.disbursement_paid(account, fund, amount, today)


def void_disbursement(model: Model, row: Row, disbursement: Row, today: date) -> None:  # noqa: ARG001
    """A payment that was not cashed is in its fund again (R-LED-13)."""
    if disbursement["status"] != "Sent":
        refuse("only what was paid is voided")
    disbursement["status"] = "Voided"
    pay_out(model, disbursement, -disbursement["amount"], today)


def waiting_to_be_paid_out(model: Model, account: Account, fund: str | None) -> int:
    """What of a fund is not free, because it waits to be paid out (R-TRF-02)."""
    waiting = [row for row in model.disbursements.values() if row["status"] == "Approved"]
    waiting = [row for row in waiting if row["account_id"] == account.account_id]
    return sum(row["amount"] for row in waiting if fund_of_disbursement(account, row) == fund)
