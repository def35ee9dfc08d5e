"""Commands about payments: taken back, moved to another account or to suspense, distributed anew (R-PMV, R-BP-7)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.charging import account_stream
from tests.reference.command_suspense import end, left_of, open_items
from tests.reference.directions import Directions, check_amounts, directions_of, distribute_directed
from tests.reference.distribution import Association
from tests.reference.entities import Account, Charge, Item, add_item
from tests.reference.payments import distribute_fund
from tests.reference.refusing import refuse
from tests.reference.settling import empty_designated_funds, undo
from tests.reference.suspense import successor
from tests.reference.targets import find_account

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def reverse_payment(model: Model, row: Row, payment: Row, today: date) -> None:
    """What a payment paid is open again, and its money gone, also when the fund has none left (R-PMV-05..09).

    Also of a suspense payment that was sent back: its Unapplied lacks the money then (R-SUS-10).
    """
    if payment["status"] not in ("executed", "suspended", "disbursed"):
        refuse("a payment is reversed once (R-PMV-09)")
    if row.get("amount") not in (None, payment["amount"]):
        refuse("a payment is taken back whole (R-DBP-24)")
    is_suspended = payment["status"] != "executed"
    give_back(model, payment, today)
    payment["status"] = "reversed"
    if row["params"]["reversal_reason"] == "insufficient_funds" and not is_suspended:
        charge_reversal_fee(model, model.accounts[payment["account_id"]], today)


def give_back(model: Model, payment: Row, today: date) -> None:
    """First what it paid, what of it is in suspense, then the receipt (R-PMV-05, R-SUS-20, T-02, T-05)."""
    take_back_distribution(model, payment, today)
    end(model, payment, open_items(model, payment), "reversed", today)
    if payment["status"] in ("suspended", "disbursed"):
        model.posted.suspense_received(payment, today, back=True)
        return
    account, fund = model.accounts[payment["account_id"]], payment["fund_policy_id"]
    account.funds[fund] -= payment["amount"]
    model.posted.money_received(account, fund, payment, today, back=True)


def take_back_distribution(model: Model, payment: Row, today: date) -> None:
    """What a payment paid and stands goes back to its fund (T-16), or the default fund by now (R-BL-10)."""
    of_payment = [part for part in model.all_payment_items if part.payment_id == payment["payment_id"]]
    for part in [part for part in of_payment if not part.is_undone]:
        undo(model, part, today)
    empty_designated_funds(model, today)


def charge_reversal_fee(model: Model, account: Account, today: date) -> None:
    """The fee of the billing plan for a payment that bounced, on a monthly stream (R-PMV-07, R-BP-7, T-30)."""
    amount = account.billing_plan.get("payment_reversal_fee")
    if not amount:
        return
    context, pattern = "payment_reversal_fee", model.carrier["payment_reversal_fee_pattern"]
    same_day = [c for c in model.all_charges if c.context == context and c.charge_date == today]
    number = len([charge for charge in same_day if charge.owner is account]) + 1
    charge = Charge(
        instruction_id=None,
        charge_no=None,
        pattern=pattern,
        pattern_data=model.carrier["charge_patterns"][pattern],
        amount=amount,
        charge_date=today,
        effective_date=today,
        owner=account,
        period=None,
        payer=account,
        context=context,
        made_as=f"{context}/{account.account_id}/{today}/{number}",
    )
    model.add_charge(charge)
    model.posted.initial_charge(charge, today)
    invoice = account_stream(account, "monthly").find(today, "bill_date", today, model.business)
    add_item(Item(charge, 1, "onetime", today, amount, invoice), invoice)


def move_payment_to_account(model: Model, row: Row, payment: Row, today: date) -> None:
    """Reversed here, an equal payment of the same date there, for nothing in particular (R-PMV-01, 02, 04)."""
    account = find_account(model, row["params"].get("account_id"))
    if payment["status"] != "executed":
        refuse("only a payment that stands is moved")
    if payment["account_id"] == account.account_id:
        refuse("it is there already")
    give_back(model, payment, today)
    payment["status"] = "moved"
    moved = successor(model, payment, f"{payment['payment_id']}/{row['command_id']}", today)
    moved["account_id"] = account.account_id
    account.funds[None] += moved["amount"]
    model.posted.money_received(account, None, moved, today)
    if row["params"].get("distribute") != "none":  # as any payment that comes in: all of it, whatever its fund lacks
        association, amount = moved["association"], moved["amount"]
        distribute_fund(model, account, None, association, money=amount, payment=moved, today=today)


def move_payment_to_suspense(model: Model, row: Row, payment: Row, today: date) -> None:
    """Reversed here, an equal payment of nobody there, maybe with a number to be found by (R-PMV-03, R-PMV-04)."""
    params = row.get("params") or {}
    if payment["status"] != "executed":
        refuse("only a payment that stands is moved")
    if params.get("account_number") and params.get("policy_number"):
        refuse("it has one number at most (R-SUS-03)")
    give_back(model, payment, today)
    payment["status"] = "moved"
    moved = successor(model, payment, f"{payment['payment_id']}/{row['command_id']}", today)
    moved |= {
        "account_id": params.get("account_number"),
        "policy_id": params.get("policy_number"),
        "association": None,
        "status": "suspended",
    }
    model.posted.suspense_received(moved, today)


def modify_payment_details(model: Model, row: Row, payment: Row, today: date) -> None:
    """Another amount or method is a new version, with nothing distributed; a note is not (R-PMV-10, R-PMV-11)."""
    amount, method = row.get("amount") or payment["amount"], row["params"].get("method") or payment["method"]
    if payment["status"] != "executed" or (row.get("amount") is not None and row["amount"] <= 0):
        refuse("only a payment that stands is corrected, and it is more than zero")
    if (amount, method) == (payment["amount"], payment["method"]):
        return
    give_back(model, payment, today)
    payment["status"] = "superseded"
    version = payment | {
        "payment_id": f"{payment['payment_id']}/{row['command_id']}",
        "amount": amount,
        "method": method,
        "business_date": today,
        "status": "executed",
    }
    model.all_payments[version["payment_id"]] = version
    account, fund = model.accounts[payment["account_id"]], payment["fund_policy_id"]
    account.funds[fund] += amount
    model.posted.money_received(account, fund, version, today)


def modify_payment_distribution(model: Model, row: Row, payment: Row, today: date) -> None:
    """What a payment paid is taken back, and it pays anew (R-PMV-12, R-PMV-13)."""
    if payment["status"] != "executed":
        refuse("only a payment that stands is distributed")
    directions = directions_of(model, row["params"])
    take_back_distribution(model, payment, today)
    if row["params"].get("distribute") != "none":
        pay_again(model, payment, today, directions)
    elif directions is not None:
        check_amounts(model, payment, directions, spare_for(model, payment))


def redistribute_payments(model: Model, row: Row, account: Account, today: date) -> None:
    """What several payments have not paid yet is distributed, the latest received first (R-FT-7, R-FT-8)."""
    named = row["params"].get("payments")
    standing = {
        payment["payment_id"]: payment
        for payment in model.all_payments.values()
        if payment["status"] == "executed" and payment["account_id"] == account.account_id
    }
    if named is not None and {*named} - {*standing}:
        refuse("a payment that is named does not stand, or not for the account")
    payments = [payment for payment in standing.values() if named is None or payment["payment_id"] in named]
    numbers = {payment_id: number for number, payment_id in enumerate(model.all_payments)}
    payments.sort(key=lambda payment: (payment["payment_date"], numbers[payment["payment_id"]]), reverse=True)
    for payment in payments:
        money = max(0, min(left_of(model, payment), account.funds[payment["fund_policy_id"]]))
        distribute_fund(
            model,
            account,
            payment["fund_policy_id"],
            payment["association"] or Association(),
            money=money,
            payment=payment,
            today=today,
        )


def pay_again(model: Model, payment: Row, today: date, directions: Directions | None = None) -> None:
    """Distribute a payment as its association says: what is not in suspense, as far as its fund has it (R-PMV-13)."""
    account, fund = model.accounts[payment["account_id"]], payment["fund_policy_id"]
    association = payment["association"] or Association()
    money = payment_money(model, payment)
    if directions is None:
        distribute_fund(model, account, fund, association, money=money, payment=payment, today=today)
    else:
        spare = spare_for(model, payment)
        distribute_directed(model, payment, association, directions, money, spare, today)


def spare_for(model: Model, payment: Row) -> int:
    """What the default fund holds beside what is left of a payment (R-DBP-04)."""
    balance = model.accounts[payment["account_id"]].funds[None]
    return max(0, balance - (payment_money(model, payment) if payment["fund_policy_id"] is None else 0))


def payment_money(model: Model, payment: Row) -> int:
    """What is not in suspense of a payment of which nothing is applied, as far as its fund has it (R-PMV-13)."""
    money = payment["amount"] - sum(item["amount"] for item in open_items(model, payment))
    return int(max(0, min(money, model.accounts[payment["account_id"]].funds[payment["fund_policy_id"]])))
