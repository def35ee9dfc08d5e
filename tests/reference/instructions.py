"""Instructions to charges, charges to items, items on invoices (R-BI, R-CI-01..51)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.charging import (
    NEW_PERIOD,
    invoice_account_charge,
    invoice_at_once,
    invoice_policy_charge,
    is_part_of_issuance,
    plan_for,
    policy_stream,
    split_like_others,
    weights_of,
)
from tests.reference.dates import plus_days, resolve_timing
from tests.reference.entities import Account, Charge, Period, Policy
from tests.reference.list_bill import check_enrolment, check_payers
from tests.reference.refusing import RefusedError, refuse
from tests.reference.return_premium import choose_plan
from tests.reference.slicing import effective_plan, first_periodic_timing

if TYPE_CHECKING:
    from tests.reference.model import Model

EXISTING_PERIOD = ("audit", "policy_change", "cancellation", "reinstatement")
ANY_PERIOD = (*EXISTING_PERIOD, "general", "offset", "onset")
AT_ONCE = ("bill_immediately", "bill_on_next_invoice")
HOLDS = ("hold_for_final_audit", "hold_for_final_audit_all")
SUBTYPES = ("immediate", "pro_rata", "pass_through", "recapture")


def take_instructions(model: Model, inbox: dict[str, list[dict[str, Any]]], today: date) -> None:
    """Book the instructions of a day, in rounds (`in_rounds`)."""
    rows = inbox.get("billing_instructions", [])
    # R-CI-08: the same id again has no effect
    for row in in_rounds([row for row in rows if row["instruction_id"] not in model.instruction_ids]):
        own = [charge for charge in inbox.get("charges", []) if charge["instruction_id"] == row["instruction_id"]]
        try:
            take_instruction(model, row, sorted(own, key=lambda charge: charge["charge_no"]), today)
        except RefusedError as reason:
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
    kind, special_handling = row["instruction_type"], row.get("special_handling")
    if row.get("billing_method") == "agency_bill":
        raise NotImplementedError(row["instruction_id"])
    check_charges(model, kind, row["account_id"], charge_rows)
    if special_handling and kind not in EXISTING_PERIOD:
        refuse("special handling is for instructions on existing periods (R-CI-58)")
    check_payers(model, charge_rows, plan_of(model, row))
    period = None
    if kind in NEW_PERIOD:
        period = create_period(model, row, today)
    elif kind in ANY_PERIOD:
        period = find_period(model, row)
        check_status(period, row)
        period.status = {"cancellation": "cancelled", "reinstatement": "in_force"}.get(kind, period.status)
        if kind in ("cancellation", "reinstatement"):
            period.cancelled_on = row["effective_date"] if kind == "cancellation" else None
        if kind == "audit":
            release_for_audit(model, period)
            model.named_today.append(period)  # R-CLS-05
    elif kind != "account_general":
        raise NotImplementedError(kind)
    owner = model.find_or_create_account(row["account_id"])
    charges = [book_charge(model, row, charge_row, owner, period, today) for charge_row in charge_rows]
    invoice(model, charges, row, today)
    if special_handling in HOLDS:
        hold_for_audit(model, row, period)


def plan_of(model: Model, row: dict[str, Any]) -> dict[str, Any] | None:
    """The payment plan of the period that an instruction is for; none where it is for an account."""
    if row["instruction_type"] in NEW_PERIOD:
        return model.carrier["payment_plans"].get(row.get("payment_plan"))
    return find_period(model, row).plan if row["instruction_type"] in ANY_PERIOD else None


def book_charge(
    model: Model,
    row: dict[str, Any],
    charge_row: dict[str, Any],
    owner: Account,
    period: Period | None,
    today: date,
) -> Charge:
    """Book one charge of an instruction; who pays it by default is its own payer, or the period's (R-ITM-03)."""
    payer = period.payer if period else owner
    if charge_row.get("payer_account_id"):
        payer = model.find_or_create_account(charge_row["payer_account_id"])
    kind = row["instruction_type"]
    charge = Charge(
        instruction_id=row["instruction_id"],
        charge_no=charge_row["charge_no"],
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
    return charge


def invoice(model: Model, charges: list[Charge], row: dict[str, Any], today: date) -> None:
    """Make the items of charges: special handling first, then proportions, else the plan (R-BI-14, R-PO-4..6).

    What is split in proportion is placed after the plan has made new invoices for the others (silent).
    """
    kind, special_handling, modifiers = row["instruction_type"], row.get("special_handling"), row.get("modifiers") or {}
    if special_handling in AT_ONCE:
        for charge in charges:
            invoice_at_once(model, charge, special_handling, today)
        return
    in_proportion = [charge for charge in charges if is_split(charge, row) and weights_of(model, charge)]
    for charge in charges:
        if charge in in_proportion:
            continue
        if charge.period is None:
            invoice_account_charge(model, charge, today)
        else:
            plan = plan_for(charge.period, kind, row["effective_date"], modifiers)
            invoice_policy_charge(model, charge, plan, today)
    for charge in in_proportion:
        split_like_others(model, charge, today)


def is_split(charge: Charge, row: dict[str, Any]) -> bool:
    """Whether a charge is of a policy change that ignores the plan (R-PO-4, R-PO-5, R-PO-9)."""
    if row["instruction_type"] != "policy_change" or row.get("modifiers") or charge.period is None:
        return False
    return not is_part_of_issuance(charge.period, row["effective_date"])


def hold_for_audit(model: Model, row: dict[str, Any], period: Period | None) -> None:
    """Hold the charges of an instruction, and maybe all that have something unbilled in the period (R-CI-61)."""
    for charge in model.all_charges:
        is_own = charge.instruction_id == row["instruction_id"]
        is_other = charge.period is period and any(item.is_planned for item in charge.items)
        if is_own or (is_other and row["special_handling"] == "hold_for_final_audit_all"):
            charge.held = charge.held or "final_audit"


def check_charges(model: Model, kind: str, account_id: str, charge_rows: list[dict[str, Any]]) -> None:
    """Patterns must exist and suit the level of the instruction (R-CP-4..6); payers must be known."""
    for charge_row in charge_rows:
        pattern = model.carrier["charge_patterns"].get(charge_row["charge_pattern"])
        if pattern is None:
            refuse(f"unknown charge pattern {charge_row['charge_pattern']}")
        if pattern["subtype"] not in SUBTYPES:
            raise NotImplementedError(pattern["subtype"])
        if pattern["subtype"] == "recapture":
            refuse("a recapture is made by a command (R-RC-4)")
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
    check_enrolment(model, row)
    term = row.get("term_number")
    if term is None:
        term = 1 if policy is None or kind == "issuance" else max(policy.periods) + 1
    if policy is not None and term in policy.periods:
        refuse("the policy has that term already (R-BI-6)")
    if row.get("payment_plan") not in model.carrier["payment_plans"] or row.get("period_end") is None:
        refuse("unknown payment plan, or no expiration date")
    return int(term)


def release_for_audit(model: Model, period: Period) -> None:
    """The final audit ends what was held until then (R-CI-61, R-CAN-9)."""
    for charge in model.all_charges:
        if charge.period is period and charge.held == "final_audit":
            charge.held = None


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
    payer = model.accounts[row["payer_account_id"]] if row.get("billing_method") == "list_bill" else account
    period = Period(policy, term, start, row["period_end"], coverage_end, plan, kind, today, first, payer)
    period.has_equity_warnings = plan.get("has_equity_warnings", True)  # R-EQT-18
    period.min_equity_days = plan.get("min_equity_days", 30)
    period.return_premium_plan = choose_plan(model, kind, policy, today)
    policy.periods[term] = period
    policy_stream(payer, period)  # R-CI-02, R-INV-03: also without a charge
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
