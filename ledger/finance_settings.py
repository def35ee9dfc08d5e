"""What a carrier sets for the views of finance: how accounts are evaluated, and since when funds are tracked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from ledger.carrier_values import Broken, OneOf, Settings, refuse
from schemas import enums

_LONGEST_WINDOW = 3660
_MOST = 1000
Most = Annotated[int, Field(ge=0, le=_MOST)]


class EvaluationLimits(Settings):
    """The most of each that an account may have had for a grade."""

    pejorative_reversals: Most = Field(default=0, description="Payments taken back for a reason that counts.")
    policy_cancellations: Most = Field(default=0, description="Policy periods cancelled.")


class AccountEvaluation(Settings):
    """How accounts are rated: the worst grade of what is counted over some days (R-EVL-2)."""

    window_days: Annotated[int, Field(ge=1, le=_LONGEST_WINDOW)] = Field(
        default=365, description="How many days an evaluation looks back."
    )
    pejorative_reversal_reasons: tuple[Annotated[str, OneOf(enums.REVERSAL_REASONS)], ...] = Field(
        default=("insufficient_funds", "stop_payment", "account_closed"),
        strict=False,
        description="Reasons for which a payment that is taken back counts against its payer.",
    )
    excellent: EvaluationLimits = Field(
        default_factory=EvaluationLimits, description="The most that an excellent account has."
    )
    acceptable: EvaluationLimits = Field(
        default_factory=lambda: EvaluationLimits(pejorative_reversals=1),
        description="The most that an acceptable account has; one with more is poor.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._broken())
        return self

    def _broken(self) -> Iterator[Broken]:
        for name in EvaluationLimits.model_fields:
            excellent = getattr(self.excellent, name)
            if getattr(self.acceptable, name) < excellent:
                yield Broken(("acceptable", name), f"what excellent allows ({excellent}), or more")


class FundsTracking(Settings):
    """Whether it is told which money was used for what (R-FT-1)."""

    enabled: bool = Field(default=False, description="Whether sources and uses of funds are matched (R-FT-1).")
    enabled_on: date | None = Field(
        default=None, description="First day of it; what funds held before is brought forward. Needed when enabled."
    )
    link_disbursements: bool = Field(
        default=True,
        description="Whether a redistribution leaves out what was refunded or used otherwise of a payment (R-FT-9).",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.enabled != (self.enabled_on is not None):
            allowed = (
                "a date such as 2026-01-31, without quotes" if self.enabled else "a date only when enabled is true"
            )
            refuse([Broken(("enabled_on",), allowed)])
        return self
