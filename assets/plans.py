"""The plans and charge patterns of a carrier as the catalogue shows them."""

from __future__ import annotations

import polars as pl

from ledger.carrier import Carrier
from ledger.plans import PaymentPlan, PaymentPlanOverride
from ledger.return_premium_plans import ReturnPremiumPlan

_TIMINGS = ("down_payment", "first_installment", "second_installment", "one_time")


def plan_tables(carrier: Carrier) -> dict[str, pl.DataFrame]:
    """Frames by the names of `schemas.reports.REFERENCES`: amounts in minor units, percentages in parts per million."""
    percent = {"down_payment_ppm": "down_payment_percent"}
    return {
        "charge_patterns": _charge_patterns(carrier),
        "billing_plans": carrier.billing_plan_frame().with_columns(currency=pl.lit(carrier.currency)),
        "payment_plans": carrier.payment_plan_frame().rename(percent),
        "payment_plan_overrides": pl.DataFrame(
            [_override(plan, override) for plan in carrier.payment_plans.values() for override in plan.overrides],
            infer_schema_length=None,
        ),
        "return_premium_plans": pl.DataFrame(
            [row for plan in carrier.return_premium_plans.values() for row in _schemes(plan)], infer_schema_length=None
        ),
        "funds_tracking": pl.DataFrame(
            {"enabled_on": [carrier.funds_tracking.enabled_on]}, {"enabled_on": pl.Date}
        ).drop_nulls(),
        "evaluation_settings": _evaluation_settings(carrier),
    }


def _schemes(plan: ReturnPremiumPlan) -> list[dict[str, object]]:
    """A row per scheme of a return premium plan."""
    facts = plan.model_dump(exclude={"name", "schemes"}) | {"return_premium_plan": plan.name}
    return [facts | {"scheme": number} | scheme.model_dump() for number, scheme in enumerate(plan.schemes, start=1)]


def _evaluation_settings(carrier: Carrier) -> pl.DataFrame:
    """One row: how accounts are evaluated."""
    evaluation = carrier.account_evaluation
    row: dict[str, object] = {
        "window_days": evaluation.window_days,
        "pejorative_reversal_reasons": ", ".join(evaluation.pejorative_reversal_reasons),
    }
    for grade in ("excellent", "acceptable"):
        limits = getattr(evaluation, grade)
        row |= {f"{grade}_{what}": getattr(limits, what) for what in type(limits).model_fields}
    return pl.DataFrame([row])


def _charge_patterns(carrier: Carrier) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "charge_pattern": pattern.name,
                "code": pattern.code,
                "charge_subtype": pattern.subtype,
                "category": pattern.category,
                "owner_types": ", ".join(pattern.owner_types),
                "priority": pattern.priority,
                "invoicing_approach": pattern.invoicing_approach,
                "in_equity": pattern.in_equity,
                "is_reversible": pattern.is_reversible,
            }
            for pattern in carrier.charge_patterns.values()
        ]
    )


def _override(plan: PaymentPlan, override: PaymentPlanOverride) -> dict[str, object]:
    """What an override says; what it leaves as it is in the plan is none."""
    row: dict[str, object] = {
        "payment_plan": plan.name,
        "instruction_type": override.instruction_type,
        "has_down_payment": override.has_down_payment,
        "down_payment_percent": override.down_payment_ppm,
        "max_installments": override.max_installments,
        "has_second_installment": override.has_second_installment,
    }
    for part in _TIMINGS:
        timing = getattr(override, f"{part}_timing")
        row[f"{part}_days"] = None if timing is None else timing.offset_days
        row[f"{part}_reference"] = None if timing is None else timing.reference
    return row
