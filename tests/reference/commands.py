"""Commands: found, put in order, carried out whole or refused whole (`/tmp` vocabulary in docs of the harness)."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tests.reference import (
    closure,
    command_approvals,
    command_charges,
    command_credit_distributions,
    command_funds,
    command_invoices,
    command_items,
    command_levels,
    command_list_bill,
    command_payers,
    command_payments,
    command_refunds,
    command_schedules,
    command_suspense,
    command_writeoffs,
)
from tests.reference.authority import HandedOnError, hand_on
from tests.reference.refusing import RefusedError, refuse
from tests.reference.settling import empty_designated_funds
from tests.reference.targets import find_target, queue_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
Process = Callable[["Model", Row, Any, date], None]
PROCESSES: dict[str, Process] = {
    "create_invoice": command_invoices.create_invoice,
    "change_invoice_dates": command_invoices.change_invoice_dates,
    "resend_invoice": command_invoices.resend_invoice,
    "reverse_payment": command_payments.reverse_payment,
    "move_payment_to_account": command_payments.move_payment_to_account,
    "modify_payment_details": command_payments.modify_payment_details,
    "move_payment_to_suspense": command_payments.move_payment_to_suspense,
    "modify_payment_distribution": command_payments.modify_payment_distribution,
    "redistribute_payments": command_payments.redistribute_payments,
    "reassign_charge_payer": command_payers.reassign_charge_payer,
    "set_charge_default_payer": command_payers.set_charge_default_payer,
    "reassign_item_payer": command_payers.reassign_item_payer,
    "refer_to_collection_agency": command_payers.refer_to_collection_agency,
    "reverse_item_and_reallocate": command_items.reverse_item_and_reallocate,
    "move_invoice_item": command_items.move_invoice_item,
    "modify_planned_items": command_items.modify_planned_items,
    "change_payment_schedule": command_schedules.change_payment_schedule,
    "assign_payment_plan": command_schedules.change_payment_schedule,
    "set_policy_equity_warning": command_schedules.set_policy_equity_warning,
    "set_billing_level": command_levels.set_billing_level,
    "open_policy_period": closure.open_policy_period,
    "close_account": closure.close_account,
    "reopen_account": closure.reopen_account,
    "change_invoice_days": command_levels.change_invoice_days,
    "change_list_bill": command_list_bill.change_list_bill,
    "change_billing_method": command_list_bill.change_billing_method,
    "edit_suspense_payment": command_suspense.edit_suspense_payment,
    "apply_suspense_payment": command_suspense.apply_suspense_payment,
    "create_suspense_item": command_suspense.create_suspense_item,
    "release_suspense_items": command_suspense.release_suspense_items,
    "transfer_funds": command_funds.transfer_funds,
    "create_ad_hoc_credit": command_refunds.create_ad_hoc_credit,
    "reverse_ad_hoc_credit": command_refunds.reverse_ad_hoc_credit,
    "create_disbursement": command_refunds.create_disbursement,
    "disburse_suspense_payment": command_refunds.disburse_suspense_payment,
    "edit_disbursement": command_approvals.edit_disbursement,
    "approve": command_approvals.approve,
    "reject": command_approvals.reject,
    "reject_and_hold_disbursements": command_approvals.reject_and_hold_disbursements,
    "release_disbursement_hold": command_approvals.release_disbursement_hold,
    "void_disbursement": command_refunds.void_disbursement,
    "distribute_credits": command_credit_distributions.distribute_credits,
    "distribute_default_fund": command_credit_distributions.distribute_default_fund,
    "distribute_negative_items": command_credit_distributions.distribute_negative_items,
    "modify_credit_distribution": command_credit_distributions.modify_credit_distribution,
    "reverse_credit_distribution": command_credit_distributions.reverse_credit_distribution,
    "write_off_surplus": command_writeoffs.write_off_surplus,
    "reverse_surplus_write_off": command_writeoffs.reverse_surplus_write_off,
    "write_off": command_writeoffs.write_off,
    "reverse_write_off": command_writeoffs.reverse_write_off,
    "reverse_charge": command_charges.reverse_charge,
    "create_recapture": command_charges.create_recapture,
    "hold_charge": command_charges.hold_charge,
    "release_charge_hold": command_charges.release_charge_hold,
}
"""In the order in which those of different types are carried out within a round."""


def take_commands(model: Model, rows: list[Row], today: date) -> None:
    """Carry out the commands of a day; the same id again has no effect."""
    by_account: dict[str, list[Row]] = {}
    for row in rows:
        if row["command_id"] in model.commands_known:
            continue
        target = find_target(model, row["target_type"], row["target_id"])
        if target is None or row["command_type"] not in PROCESSES:
            model.reject("commands", row["command_id"], "unknown target or type", today)
        else:
            by_account.setdefault(queue_of(target), []).append(row)
    for row in in_rounds(by_account):
        try:
            carry_out(model, row, today)
        except RefusedError as reason:
            model.reject("commands", row["command_id"], str(reason), today)
        else:
            model.commands_known.add(row["command_id"])


def in_rounds(by_account: dict[str, list[Row]]) -> list[Row]:
    """Round k has the k-th group of same-type commands of every account; within it type by type."""
    numbered = []
    types = list(PROCESSES)
    for account_id, rows in by_account.items():
        rows.sort(key=lambda row: (row.get("sequence") or 0, row["command_id"]))
        for number, (kind, group) in enumerate(groupby(rows, key=lambda row: row["command_type"])):
            numbered += [(number, types.index(kind), account_id, place, row) for place, row in enumerate(group)]
    return [row for *_, row in sorted(numbered, key=lambda entry: entry[:4])]


def carry_out(model: Model, row: Row, today: date) -> None:
    """Carry out one command; when it is refused everything is as it was before."""
    target = find_target(model, row["target_type"], row["target_id"])
    if target is None:
        refuse("the target has gone")
    before = snapshot(model)
    try:
        PROCESSES[row["command_type"]](model, row, target, today)
        empty_designated_funds(model, today)
    except RefusedError as refused:
        model.__dict__.update(before)
        if isinstance(refused, HandedOnError):
            hand_on(model, str(refused))
        raise


def snapshot(model: Model) -> dict[str, Any]:
    """A copy of everything that a command may change."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        shared = {id(model.carrier): model.carrier, id(model.business): model.business}
        for named in ("charge_patterns", "billing_plans", "payment_plans", "allocation_plans", "return_premium_plans"):
            shared |= {id(settings): settings for settings in model.carrier.get(named, {}).values()}
        shared |= {id(line): line for line in model.posted.lines}
        return copy.deepcopy(model.__dict__, shared)
    finally:
        sys.setrecursionlimit(limit)
