"""What random books are made of: payment plans of every kind, allocation plans, charge patterns."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

Row = dict[str, Any]

POLICY_EFFECTIVE = "policy_effective_date"
CHARGE_EFFECTIVE = "charge_effective_date"
AFTER_POLICY = "one_interval_after_policy_effective_date"
AFTER_CHARGE = "one_interval_after_charge_effective_date"
CHARGE_DATE = "charge_date"


def make_plan(interval: str, first: tuple[int, str], one_time: tuple[int, str], most: int, **other: Any) -> Row:
    """A payment plan: no down payment, aligned, bill dates, unless said otherwise."""
    result = {
        "interval": interval,
        "has_down_payment": False,
        "down_payment_percent": None,
        "down_payment_timing": None,
        "max_installments": most,
        "first_installment_timing": first,
        "out_of_sequence_first_installment": False,
        "second_installment_timing": None,
        "one_time_timing": one_time,
        "blackout_days": None,
        "blackout_basis": None,
        "fix_invoices_on": "bill_date",
        "item_placement_cutoff": "bill_date",
        "align_installments": True,
        "fee_amount": 0,
        "skip_fee_for_down_payments": False,
        "overrides": {},
    }
    return result | other


def down(percent: Any, days: int, reference: str) -> Row:
    """Down payment settings."""
    return {"has_down_payment": True, "down_payment_percent": percent, "down_payment_timing": (days, reference)}


def out_of_sequence(days: int, reference: str) -> Row:
    """Settings of an out-of-sequence first installment: the timing of the second."""
    return {"out_of_sequence_first_installment": True, "second_installment_timing": (days, reference)}


NO_DOWN_PAYMENT = {"has_down_payment": False}
FIX_DUE = {"fix_invoices_on": "due_date"}
CUTOFF_DUE = {"item_placement_cutoff": "due_date"}


def blackout(days: int, basis: str) -> Row:
    """Blackout settings."""
    return {"blackout_days": days, "blackout_basis": basis}


PAYMENT_PLANS: dict[str, Row] = {
    "monthly 10 down": make_plan(
        "monthly", (0, AFTER_POLICY), (-25, POLICY_EFFECTIVE), 9,
        **down(10, -25, POLICY_EFFECTIVE), **blackout(30, "billed"), fee_amount=300, skip_fee_for_down_payments=True,
        overrides={"policy_change": NO_DOWN_PAYMENT, "renewal": NO_DOWN_PAYMENT},
    ),
    "monthly": make_plan("monthly", (0, POLICY_EFFECTIVE), (0, CHARGE_DATE), 12, **CUTOFF_DUE),
    "monthly due": make_plan(
        "monthly", (10, POLICY_EFFECTIVE), (0, CHARGE_EFFECTIVE), 11, **FIX_DUE, **blackout(20, "due"), fee_amount=500
    ),
    "monthly oos": make_plan(
        "monthly", (0, CHARGE_DATE), (5, CHARGE_DATE), 10, **out_of_sequence(0, AFTER_CHARGE), fee_amount=250
    ),
    "monthly not aligned": make_plan(
        "monthly", (0, CHARGE_EFFECTIVE), (0, POLICY_EFFECTIVE), 12, **down("12.5", 0, CHARGE_DATE),
        align_installments=False, **CUTOFF_DUE,
    ),
    "weekly": make_plan(
        "every_week", (3, CHARGE_EFFECTIVE), (0, CHARGE_EFFECTIVE), 26, **down(25, 0, CHARGE_EFFECTIVE), fee_amount=100
    ),
    "weekly oos": make_plan(
        "every_week", (0, POLICY_EFFECTIVE), (7, CHARGE_DATE), 20, **out_of_sequence(15, POLICY_EFFECTIVE),
        **blackout(-20, "billed"),
    ),
    "every other week": make_plan("every_other_week", (7, CHARGE_DATE), (-10, AFTER_CHARGE), 20, **FIX_DUE),
    "twice per month": make_plan(
        "twice_per_month", (0, AFTER_CHARGE), (0, POLICY_EFFECTIVE), 18, **down(20, 2, CHARGE_DATE),
        **blackout(15, "due"), overrides={"cancellation": NO_DOWN_PAYMENT | {"max_installments": 1}},
    ),
    "twice per month not aligned": make_plan(
        "twice_per_month", (0, POLICY_EFFECTIVE), (0, CHARGE_DATE), 12, align_installments=False
    ),
    "every other month": make_plan(
        "every_other_month", (0, POLICY_EFFECTIVE), (0, POLICY_EFFECTIVE), 6, **CUTOFF_DUE, **FIX_DUE, fee_amount=400
    ),
    "quarterly": make_plan(
        "quarterly", (-10, AFTER_POLICY), (0, CHARGE_EFFECTIVE), 4, **down(33, -5, POLICY_EFFECTIVE),
        **blackout(45, "billed"), fee_amount=700,
        overrides={"policy_change": {"max_installments": 2, "first_installment_timing": (0, CHARGE_EFFECTIVE)}},
    ),
    "quarterly oos": make_plan(
        "quarterly", (-5, POLICY_EFFECTIVE), (0, CHARGE_DATE), 4, **out_of_sequence(0, AFTER_POLICY),
        **blackout(-40, "due"),
    ),
    "every four months": make_plan("every_four_months", (1, CHARGE_EFFECTIVE), (15, POLICY_EFFECTIVE), 3),
    "every six months": make_plan(
        "every_six_months", (0, POLICY_EFFECTIVE), (0, POLICY_EFFECTIVE), 2, **blackout(60, "billed"),
        overrides={"issuance": {"one_time_timing": (10, POLICY_EFFECTIVE)}, "general": {"max_installments": 1}},
    ),
    "every year": make_plan("every_year", (0, POLICY_EFFECTIVE), (-3, AFTER_POLICY), 1, **down(50, 5, CHARGE_DATE)),
    "every other year": make_plan("every_other_year", (0, CHARGE_EFFECTIVE), (0, CHARGE_EFFECTIVE), 2),
}  # fmt: skip

ALLOCATION_PLANS: dict[str, Row] = {
    "default": {
        "filters": ["next_planned_invoice", "policy_period", "invoice", "positive"],
        "orders": ["event_date", "charge_pattern"],
    },
    "billed first": {
        "filters": ["billed_or_due", "positive"],
        "orders": ["billed_status", "billed_date", "charge_pattern"],
    },
    "past due": {"filters": ["past_due", "policy_period"], "orders": ["policy_period", "reverse_event_date"]},
    "everything": {"filters": ["positive"], "orders": ["recapture_charges", "reverse_billed_date"]},
    "spread": {"filters": ["policy_period"], "orders": ["event_date", "spread_excess_even"]},
    "no order": {"filters": ["next_planned_invoice"], "orders": []},
    "by charge": {"filters": ["next_planned_invoice", "policy_period"], "orders": ["charge_pattern", "policy_period"]},
}


CONTEXTS = ("audit", "cancellation", "new_renewal", "policy_change", "issuance", "reinstatement", "renewal", "rewrite")
QUALIFIERS = (
    "same_payer_account",
    "same_policy",
    "same_policy_period",
    "same_policy_period_and_charge_pattern",
    "same_policy_period_and_charge_category",
    "same_policy_period_and_charge_group",
)


def return_premium_plans(rng: random.Random, start: date) -> dict[str, Row]:
    """Mostly one return premium plan, sometimes one after another, sometimes none: then credits pay like money."""
    choice = rng.random()
    if choice < 0.25:
        return {}
    plans = {"all along": return_premium_plan(rng)}
    if choice > 0.6:
        first = return_premium_plan(rng) | {"expiration_date": start + timedelta(days=rng.randint(5, 60))}
        plans = {"at first": first} | plans
    return plans


def return_premium_plan(rng: random.Random) -> Row:
    """A return premium plan with schemes of all kinds, that for other credits last."""
    contexts = [*rng.sample(CONTEXTS, rng.randint(0, 4)), "other"]
    plan: Row = {"effective_date": date(1990, 1, 1)}
    if rng.random() < 0.8:
        plan["positive_item_qualifier"] = rng.choice(QUALIFIERS)
    return plan | {"schemes": [return_premium_scheme(rng, context) for context in contexts]}


def return_premium_scheme(rng: random.Random, context: str) -> Row:
    """How credits of a kind pay."""
    scheme: Row = {"context": context}
    scheme["method"] = rng.choice(("first_to_last", "last_to_first", "proportional", "proportional"))
    if rng.random() < 0.7:
        scheme["allocate_timing"] = rng.choice(("on_receipt", "on_receipt", "billed", "due"))
    if rng.random() < 0.5:
        scheme["start_date"] = rng.choice(("charge_effective_date", "not_restricted"))
    return scheme


def pattern(subtype: str, category: str, priority: str, approach: str, owner: str = "policy_period") -> Row:
    """A charge pattern."""
    return {"subtype": subtype, "category": category, "owner": owner, "priority": priority} | {
        "invoicing_approach": approach
    }


CHARGE_PATTERNS: dict[str, Row] = {
    "Premium": pattern("pro_rata", "premium", "medium", "down_payment_and_installments"),
    "Terrorism Premium": pattern("pro_rata", "premium", "high", "down_payment_and_installments"),
    "Deposit Premium": pattern("pro_rata", "premium", "medium", "single_down_payment"),
    "Extra Premium": pattern("pro_rata", "premium", "low", "single_installment"),
    "Taxes": pattern("pass_through", "tax", "medium", "one_time"),
    "Policy Fee": pattern("immediate", "fee", "low", "one_time"),
    "Installment Fee": pattern("immediate", "fee", "low", "one_time"),
    "Invoice Fee": pattern("immediate", "fee", "low", "one_time", "account"),
    "Payment Reversal Fee": pattern("immediate", "fee", "medium", "one_time", "account"),
    "Recapture": pattern("recapture", "general", "high", "one_time", "account"),
    "Account Fee": pattern("immediate", "fee", "high", "one_time", "account"),
}
