"""Instructions to charges, charges to items, items on invoices (R-BI, R-CI-01..51)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn

from tests.reference.dates import (
    PERIODICITY_OF_INTERVAL,
    cadence_of_account,
    cadence_through,
    plus_days,
    resolve_timing,
)
from tests.reference.entities import Account, Charge, Invoice, Item, Period, Policy, Stream
from tests.reference.slicing import Slice, effective_plan, first_periodic_timing, slice_charge

if TYPE_CHECKING:
    from tests.reference.model import Model

NEW_PERIOD = ("issuance", "renewal", "new_renewal", "rewrite")
EXISTING_PERIOD = ("policy_change", "cancellation", "reinstatement", "general")
SUBTYPES = ("immediate", "pro_rata", "pass_through")


class RejectedError(Exception):
    """An instruction that cannot be booked; none of it is (R-BI-16)."""


def refuse(reason: str) -> NoReturn:
    """Reject the instruction in hand."""
    raise RejectedError(reason)


def take_instructions(model: Model, inbox: dict[str, list[dict[str, Any]]], today: date) -> None:
    """Book the instructions of a day, in rounds (`in_rounds`)."""
    rows = inbox.get("billing_instructions", [])
    # R-CI-08: the same id again has no effect
    for row in in_rounds([row for row in rows if row["instruction_id"] not in model.instruction_ids]):
        own = [charge for charge in inbox.get("charges", []) if charge["instruction_id"] == row["instruction_id"]]
        try:
            take_instruction(model, row, sorted(own, key=lambda charge: charge["charge_no"]), today)
        except RejectedError as reason:
            model.reject("billing_instructions", row["instruction_id"], str(reason), today)
            if own:
                model.reject("charges", row["instruction_id"], str(reason), today, rows=len(own))
        else:
            model.instruction_ids.add(row["instruction_id"])


def in_rounds(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first instruction of every policy by id, then the second of every policy, and so on.

    Those of one policy are taken by sequence, new periods first, then by id; account-level ones are in the first round.
    """

    def order(row: dict[str, Any]) -> tuple[int, bool, str]:
        return row.get("sequence") or 0, row["instruction_type"] not in NEW_PERIOD, row["instruction_id"]

    taken: Counter[str] = Counter()
    numbered = []
    for row in sorted(rows, key=order):
        policy_id = row.get("policy_id") or f"none of {row['instruction_id']}"
        numbered.append((taken[policy_id], row["instruction_id"], row))
        taken[policy_id] += 1
    return [row for *_, row in sorted(numbered, key=lambda entry: entry[:2])]


def take_instruction(model: Model, row: dict[str, Any], charge_rows: list[dict[str, Any]], today: date) -> None:
    """Book one instruction (R-BI-1, R-CI-02)."""
    kind = row["instruction_type"]
    if row.get("special_handling") or row.get("billing_method") not in (None, "direct_bill"):
        raise NotImplementedError(row["instruction_id"])  # special handling, agency and list bill
    check_charges(model, kind, row["account_id"], charge_rows)
    period = None
    if kind in NEW_PERIOD:
        period = create_period(model, row, today)
    elif kind in EXISTING_PERIOD:
        period = find_period(model, row)
        check_status(period, row)
        period.status = {"cancellation": "cancelled", "reinstatement": "in_force"}.get(kind, period.status)
    elif kind != "account_general":
        raise NotImplementedError(kind)
    owner = model.find_or_create_account(row["account_id"])
    for charge_row in charge_rows:
        payer = owner
        if charge_row.get("payer_account_id"):  # R-ITM-03
            payer = model.find_or_create_account(charge_row["payer_account_id"])
        charge = Charge(
            instruction_id=row["instruction_id"],
            charge_no=charge_row["charge_no"],
            fee_of=None,
            pattern=charge_row["charge_pattern"],
            pattern_data=model.carrier["charge_patterns"][charge_row["charge_pattern"]],
            amount=charge_row["amount"],
            charge_date=today,
            effective_date=period.start if period and kind in NEW_PERIOD else row["effective_date"],
            owner=owner,
            period=period,
            payer=payer,
            context=kind,
            charge_group=charge_row.get("charge_group"),
        )
        model.add_charge(charge)
        model.posted.initial_charge(charge, today)
        if period is None:
            invoice_account_charge(model, charge, today)
        else:
            invoice_policy_charge(model, charge, plan_for(period, kind, row), today)


def check_charges(model: Model, kind: str, account_id: str, charge_rows: list[dict[str, Any]]) -> None:
    """Patterns must exist and suit the level of the instruction (R-CP-4..6); payers must be known."""
    for charge_row in charge_rows:
        pattern = model.carrier["charge_patterns"].get(charge_row["charge_pattern"])
        if pattern is None:
            refuse(f"unknown charge pattern {charge_row['charge_pattern']}")
        if pattern["subtype"] not in SUBTYPES:
            raise NotImplementedError(pattern["subtype"])
        if (pattern["owner"] == "account") != (kind == "account_general"):
            refuse("the owner of the charge pattern does not suit the instruction")
        if charge_row.get("payer_account_id") not in (None, account_id, *model.accounts):
            refuse("unknown payer (silent)")
        if kind == "account_general" and pattern["invoicing_approach"] != "one_time":
            refuse("only one-time patterns are legal at account level (R-BI-8)")


def check_new_period(model: Model, row: dict[str, Any]) -> int:
    """Whether a new period may be created (R-BI-4, R-BI-6, R-CI-04); returns its term number."""
    kind = row["instruction_type"]
    policy = model.policies.get(row["policy_id"])
    if policy is None and kind in ("renewal", "rewrite"):
        refuse("unknown policy (R-BI-4)")
    if policy is not None and kind == "new_renewal":
        refuse("the policy is already known (R-BI-4)")
    if policy is not None and policy.account.account_id != row["account_id"]:
        refuse("the policy belongs to another account")
    term = row.get("term_number")
    if term is None:
        term = 1 if policy is None or kind == "issuance" else max(policy.periods) + 1
    if policy is not None and term in policy.periods:
        refuse("the policy has that term already (R-BI-6)")
    if row.get("payment_plan") not in model.carrier["payment_plans"] or row.get("period_end") is None:
        refuse("unknown payment plan, or no expiration date")
    return int(term)


def create_period(model: Model, row: dict[str, Any], today: date) -> Period:
    """Find or create the policy and create the period (R-BI-3..6)."""
    kind = row["instruction_type"]
    term = check_new_period(model, row)
    policy = model.policies.get(row["policy_id"])
    account = model.find_or_create_account(row["account_id"])
    if policy is None:
        policy = Policy(row["policy_id"], account)
        model.policies[policy.policy_id] = policy
        if account.separate_funds:
            account.funds[policy.policy_id] = 0  # R-BL-8
    start = row.get("period_start") or row["effective_date"]
    plan = model.carrier["payment_plans"][row["payment_plan"]]
    inclusive = model.carrier["expiration_convention"] == "inclusive_last_day"
    coverage_end = plus_days(row["period_end"], 1) if inclusive else row["period_end"]
    plan_now = effective_plan(plan, kind)
    first = resolve_timing(first_periodic_timing(plan_now), plan["interval"], today, start, start)
    period = Period(policy, term, start, row["period_end"], coverage_end, plan, kind, first)
    policy.periods[term] = period
    policy_stream(account, period)  # R-CI-02, R-INV-03: also without a charge
    return period


def find_period(model: Model, row: dict[str, Any]) -> Period:
    """The existing period that an instruction is for.

    Without a term it is the latest one that covers the effective date, else the latest one (silent).
    """
    policy = model.policies.get(row["policy_id"])
    if policy is None:
        refuse("unknown policy")
    if policy.account.account_id != row["account_id"]:
        refuse("the policy belongs to another account")
    term = row.get("term_number")
    if term is None:
        covering = [t for t, p in policy.periods.items() if p.start <= row["effective_date"] < p.coverage_end]
        term = max(covering or policy.periods)
    if term not in policy.periods:
        refuse("unknown policy period")
    return policy.periods[term]


def check_status(period: Period, row: dict[str, Any]) -> None:
    """What is cancelled cannot be cancelled again, what is in force not be reinstated (silent; Q-229 to Q-231)."""
    kind = row["instruction_type"]
    if kind == "cancellation" and period.status == "cancelled":
        refuse("the policy period is cancelled already")
    if kind == "reinstatement" and period.status == "in_force":
        refuse("the policy period is in force")
    if kind == "cancellation" and not period.start <= row["effective_date"] <= period.coverage_end:
        refuse("the cancellation takes effect outside of the period")


def plan_for(period: Period, kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """The effective plan of an instruction: plan, override, modifiers (R-CI-55, R-CI-56, R-PO-8)."""
    if kind == "policy_change" and period.created_by == "issuance" and row["effective_date"] == period.start:
        kind = "issuance"  # such a change is part of issuance
    return effective_plan(period.plan, kind) | (row.get("modifiers") or {})


def policy_stream(payer: Account, period: Period) -> Stream:
    """The stream of a payer for a policy period, found or created (R-CI-10..13, R-INV-01..03, R-CI-51)."""
    plan = period.plan
    periodicity = PERIODICITY_OF_INTERVAL[plan["interval"]]
    if not payer.policy_level:
        return account_stream(payer, periodicity)
    policy_id = period.policy.policy_id
    if (policy_id, periodicity) not in payer.streams:
        if plan["align_installments"]:
            cadence = cadence_through(period.first_periodic_date, periodicity)
        else:
            cadence = cadence_of_account(payer.row, periodicity)
        stream = Stream(payer, policy_id, periodicity, cadence, plan["fix_invoices_on"])
        payer.streams[policy_id, periodicity] = stream
    return payer.streams[policy_id, periodicity]


def account_stream(payer: Account, periodicity: str) -> Stream:
    """The stream of a payer that is shared by policies, or has account-level charges (R-CI-12, R-INV-02)."""
    if (None, periodicity) not in payer.streams:
        cadence = cadence_of_account(payer.row, periodicity)
        payer.streams[None, periodicity] = Stream(payer, None, periodicity, cadence, payer.row["fix_invoices_on"])
    return payer.streams[None, periodicity]


def invoice_account_charge(model: Model, charge: Charge, today: date) -> None:
    """An account-level charge: one item, dated at the charge date, on a monthly stream (R-CI-28)."""
    if charge.amount != 0:
        stream = account_stream(charge.payer, "monthly")
        place(model, stream, charge, [Slice("onetime", today, charge.amount)], cutoff="bill_date", today=today)


def invoice_policy_charge(model: Model, charge: Charge, plan: dict[str, Any], today: date) -> None:
    """Slice a charge of a policy period and place its items on the payer's stream (R-CI-25..48)."""
    period = charge.period
    assert period is not None
    stream = policy_stream(charge.payer, period)
    cutoff = plan["item_placement_cutoff"]
    resolve = resolver(charge, period, plan)

    first = resolve(first_periodic_timing(plan))
    # Aligned: snap to the dates of the stream (R-CI-39, R-CI-40); else the plan's own dates (R-CI-38, R-CI-51).
    cadence = stream.cadence if plan["align_installments"] else cadence_through(first, stream.periodicity)

    limit = plus_days(period.coverage_end, -(plan["blackout_days"] or 0))  # R-CI-33

    def may_be_placed(event_date: date) -> bool:
        invoice = stream.find(event_date, cutoff, today, model.business)
        return (invoice.due_date if plan["blackout_basis"] == "due" else invoice.bill_date) <= limit

    slices = slice_charge(
        charge.amount,
        charge.pattern_data["invoicing_approach"],
        plan,
        resolve=resolve,
        periodic_dates=cadence.series(first, plan["interval"]),
        may_be_placed=may_be_placed,
        remainder_treatment=model.carrier["installment_remainder"],
    )
    place(model, stream, charge, slices, cutoff=cutoff, today=today)


def resolver(charge: Charge, period: Period, plan: dict[str, Any]) -> Callable[[tuple[int, str]], date]:
    """What turns a timing of the plan into an event date of a charge (R-CI-20)."""

    def resolve(timing: tuple[int, str]) -> date:
        return resolve_timing(timing, plan["interval"], charge.charge_date, charge.effective_date, period.start)

    return resolve


def place(model: Model, stream: Stream, charge: Charge, slices: list[Slice], *, cutoff: str, today: date) -> None:
    """Make the items of a charge and put each on its invoice (R-CI-46)."""
    for item_no, part in enumerate(slices, start=1):
        invoice: Invoice = stream.find(part.event_date, cutoff, today, model.business)
        item = Item(
            charge,
            item_no,
            part.item_type,
            part.event_date,
            part.amount,
            invoice,
            part.installment_number,
            part.blackout_violation,
        )
        stream.place(item, invoice)
    assert sum(item.amount for item in charge.items) == charge.amount  # R-CI-06
