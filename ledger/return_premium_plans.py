"""Return premium plans: how what is owed back on a policy period pays what is still owed on it.

A plan is chosen when the period begins and stays with it (R-RPP-4, R-RPP-5). Its schemes say what happens to a credit,
by the kind of billing instruction that brought it (R-RPP-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from ledger.carrier_values import Broken, OneOf, Settings
from ledger.plans import OVERRIDE_TYPES, Plan

OTHER = "other"
"""The context of every credit for which a plan has no scheme of its own; each plan ends with it (R-RPP-9)."""
CONTEXTS = (*OVERRIDE_TYPES, OTHER)

Qualifier = Literal[
    "same_payer_account",
    "same_policy",
    "same_policy_period",
    "same_policy_period_and_charge_pattern",
    "same_policy_period_and_charge_category",
    "same_policy_period_and_charge_group",
]


class ReturnPremiumScheme(Settings):
    """What happens to the credits of one kind of billing instruction."""

    context: Annotated[str, OneOf(CONTEXTS)] = Field(description="The billing instruction that brought the credit.")
    method: Literal["first_to_last", "last_to_first", "proportional"] = Field(
        description="Which items a credit pays: the earliest, the latest, or all by the same share (R-RPP-17..21)."
    )
    start_date: Literal["not_restricted", "charge_effective_date"] = Field(
        default="not_restricted", description="Whether items dated before the credit takes effect are left out."
    )
    allocate_timing: Literal["on_receipt", "billed", "due"] = Field(
        default="on_receipt", description="When it pays: at once, or when its own invoice is billed or due (R-RPP-23)."
    )
    excess_treatment: Literal["unapplied"] = Field(
        default="unapplied", description="What becomes of a credit that finds nothing to pay (R-RPP-24)."
    )


class ReturnPremiumPlan(Plan):
    """Which items the credits of a policy period may pay, and how, by context."""

    expiration_date: date | None = Field(
        default=None, description="First day on which the plan is no longer chosen; left out, it does not end."
    )
    positive_item_qualifier: Qualifier = Field(
        default="same_policy_period", description="What an item must share with the credit to be paid by it (R-RPP-13)."
    )
    list_bill_account_excess: Literal["policy_owner_unapplied", "policy_payer_unapplied"] = Field(
        default="policy_payer_unapplied", description="Whose fund gets the excess on a list bill account (R-RPP-25)."
    )
    schemes: tuple[ReturnPremiumScheme, ...] = Field(
        strict=False, min_length=1, description='Schemes in order; the last one is for "other" (R-RPP-9).'
    )

    def is_available(self, on: date) -> bool:
        """Whether a period that begins on a day takes the plan; the expiration date is outside (R-RPP-2)."""
        return self.effective_date <= on and (self.expiration_date is None or on < self.expiration_date)

    def _broken(self) -> Iterator[Broken]:
        yield from super()._broken()
        contexts = [scheme.context for scheme in self.schemes]
        if contexts[-1] != OTHER:
            yield Broken(("schemes", len(contexts) - 1, "context"), f'"{OTHER}" in the last scheme (R-RPP-9)')
        for place, context in enumerate(contexts):
            if context in contexts[:place]:
                yield Broken(("schemes", place, "context"), "each context once (R-RPP-9)")


_SCHEME_COLUMNS = (
    *("return_premium_plan", "context", "qualifier", "list_bill_account_excess"),
    *("method", "start_date", "allocate_timing"),
)


def days_without_plan(plans: Iterable[ReturnPremiumPlan]) -> date | None:
    """The first day, from the first plan on, on which none of the plans can be chosen; None when there is none.

    Rules: R-RPP-3.
    """
    spans = sorted((plan.effective_date, plan.expiration_date or date.max) for plan in plans)
    reached = [spans[0][1]]
    for _, (start, end) in pairwise(spans):
        if start > reached[-1]:
            break
        reached.append(max(reached[-1], end))
    return None if reached[-1] == date.max else reached[-1]


def scheme_frame(plans: Iterable[ReturnPremiumPlan]) -> pl.DataFrame:
    """One row per plan and context, those without a scheme of their own with the one for the others (R-RPP-10).

    Columns: return_premium_plan, context, qualifier, method, start_date, allocate_timing, list_bill_account_excess.
    """
    rows = []
    for plan in plans:
        schemes = {scheme.context: scheme for scheme in plan.schemes}
        for context in CONTEXTS:
            scheme = schemes.get(context, schemes[OTHER])
            rows.append(
                {
                    "return_premium_plan": plan.name,
                    "context": context,
                    "qualifier": plan.positive_item_qualifier,
                    "list_bill_account_excess": plan.list_bill_account_excess,
                    **scheme.model_dump(include={"method", "start_date", "allocate_timing"}),
                }
            )
    return pl.DataFrame(rows, schema=dict.fromkeys(_SCHEME_COLUMNS, pl.String))
