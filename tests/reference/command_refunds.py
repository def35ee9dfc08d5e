"""Money given to accounts and paid out to them: ad hoc credits, disbursements (R-AHC-1..6, R-DSB-1..10)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.authority import check_may_credit, close_activity, is_within, open_activity
from tests.reference.entities import Account
from tests.reference.refusing import refuse
from tests.reference.suspense import check_is_free

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
    who, credit_type = row.get("requested_by"), row["params"]["credit_type"]
    check_may_credit(model, who)
    credit = {
        "id": row["command_id"],
        "account_id": account.account_id,
        "fund_policy_id": fund,
        "amount": row["amount"],
        "credit_type": credit_type,
        "status": "PendingApproval",
    }
    model.ad_hoc_credits[row["command_id"]] = credit
    if is_within(model, who, f"{credit_type} Credit", credit["amount"]):
        credit["status"] = "Executed"
        give(model, credit, credit["amount"], today)
    else:
        open_activity(model, "AdHocCredit", credit, who, today)  # R-AHC-3


def reverse_ad_hoc_credit(model: Model, row: Row, credit: Row, today: date) -> None:
    """All of it is taken out of its fund, once, whatever is left there (R-AHC-4)."""
    who = row.get("requested_by")
    check_may_credit(model, who)
    if credit["status"] != "Executed":
        refuse("it is not in its fund")
    if is_within(model, who, f"{credit['credit_type']} Credit Reversal", credit["amount"]):
        credit["status"] = "Reversed"
        give(model, credit, -credit["amount"], today)
    else:
        credit["status"] = "ReversalPendingApproval"
        open_activity(model, "AdHocCreditReversal", credit, who, today)


def give(model: Model, credit: Row, amount: int, today: date) -> None:
    """An amount of a credit enters its fund, or leaves it when negative."""
    account, fund = model.accounts[credit["account_id"]], credit["fund_policy_id"]
    account.funds[fund] += amount
    model.posted.ad_hoc_credit(account, fund, TRANSACTION_OF_CREDIT[credit["credit_type"]], amount, today)


def create_disbursement(model: Model, row: Row, account: Account, today: date) -> None:
    """Money to be paid out of a fund on a day (R-DSB-1, R-DSB-2)."""
    fund = chosen_fund(account, row["params"])
    if row["amount"] <= 0:
        refuse("more than nothing is paid")
    ask(model, row, {"account_id": account.account_id, "fund_policy_id": fund, "amount": row["amount"]}, today)


def disburse_suspense_payment(model: Model, row: Row, payment: Row, today: date) -> None:
    """An open suspense payment is sent back, whole (R-DSB-5, R-SUS-09)."""
    check_is_free(model, payment)
    what = {"payment_id": payment["payment_id"], "amount": payment["amount"], "origin": "Suspense"}
    ask(model, row, what, today)


def ask(model: Model, row: Row, what: Row, today: date) -> None:
    """A disbursement, to be paid today or later, for a reason; above the limit of who asks it waits (R-DSB-2)."""
    due_date, who = row["params"]["due_date"], row.get("requested_by")
    if not row.get("reason") or due_date < today:
        refuse("it is paid today or later, for a reason")
    disbursement = new_disbursement(model, row["command_id"], what | {"requested_by": who}, due_date, today)
    if is_within(model, who, "Approve Disbursement", disbursement["amount"]):
        disbursement |= {"status": "Approved", "approved_by": who, "approved_date": today}
    else:
        open_activity(model, "Disbursement", disbursement, who, today)


def new_disbursement(model: Model, disbursement_id: str, what: Row, due_date: date, today: date) -> Row:
    """A disbursement that waits, unless somebody approves it."""
    nothing = ("account_id", "payment_id", "fund_policy_id", "requested_by")
    nothing += ("approved_by", "approved_date", "rejected_by", "rejected_date")
    disbursement = dict.fromkeys(nothing) | {
        "id": disbursement_id,
        "origin": "Manual",
        "trigger_date": today,
        "due_date": due_date,
        "status": "AwaitingApproval",
        "number": len(model.disbursements),
    }
    model.disbursements[disbursement_id] = disbursement | what
    return model.disbursements[disbursement_id]


def fund_of_disbursement(account: Account, disbursement: Row) -> str | None:
    """Out of which fund it is paid: the default one where none are kept per policy any more (R-BL-10)."""
    return disbursement["fund_policy_id"] if account.separate_funds else None


def pay_disbursements(model: Model, today: date) -> None:
    """What is due is paid, by due date, as far as the money in the fund goes (R-DSB-6)."""
    for disbursement in sorted(model.disbursements.values(), key=lambda row: (row["due_date"], row["number"])):
        if not is_to_be_paid(model, disbursement) or disbursement["due_date"] > today:
            continue
        if disbursement["payment_id"] is not None:
            if model.all_payments[disbursement["payment_id"]]["status"] == "suspended":
                disbursement["status"] = "Sent"
                pay_out(model, disbursement, disbursement["amount"], today)
            continue
        account = model.accounts[disbursement["account_id"]]
        fund = fund_of_disbursement(account, disbursement)
        if account.funds[fund] >= disbursement["amount"]:
            disbursement |= {"status": "Sent", "fund_policy_id": fund}
            pay_out(model, disbursement, disbursement["amount"], today)
            close_activity(model, disbursement, "Obsolete", None, today)


def is_to_be_paid(model: Model, disbursement: Row) -> bool:
    """What is approved, or automatic where the plan sends it all the same (R-AD-5); of no account on hold (R-DSB-9)."""
    if disbursement["account_id"] is None:
        return bool(disbursement["status"] == "Approved")
    account = model.accounts[disbursement["account_id"]]
    is_sent_unseen = account.billing_plan.get("send_disbursements_awaiting_approval")
    waits = disbursement["status"] == "AwaitingApproval" and disbursement["origin"] == "Automatic" and is_sent_unseen
    return (disbursement["status"] == "Approved" or bool(waits)) and not is_held(model, account)


def is_held(model: Model, account: Account) -> bool:
    """Whether a ticket stops the disbursements of an account (R-DSB-9)."""
    tickets = [hold for hold in model.holds if hold["account_id"] == account.account_id]
    return any(hold["closed_date"] is None for hold in tickets)


def pay_out(model: Model, disbursement: Row, amount: int, today: date) -> None:
    """An amount leaves its fund, or comes back when negative (R-TXN-25); a suspense payment leaves whole."""
    if disbursement["payment_id"] is not None:
        payment = model.all_payments[disbursement["payment_id"]]
        if payment["status"] in ("suspended", "disbursed"):
            payment["status"] = "disbursed" if amount > 0 else "suspended"
        model.posted.suspense_sent_back(payment, today, back=amount < 0)
        return
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
    waiting = [row for row in model.disbursements.values() if row["status"] in ("AwaitingApproval", "Approved")]
    waiting = [row for row in waiting if row["account_id"] == account.account_id]
    return sum(row["amount"] for row in waiting if fund_of_disbursement(account, row) == fund)
