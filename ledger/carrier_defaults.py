"""What a carrier sets for its accounts where they say nothing, and which days it works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from ledger.carrier_values import Broken, Filled, Name, OneOf, Settings, refuse
from schemas import enums

DayOfMonth = Annotated[int, Field(ge=1, le=31)]
DayOfWeek = Annotated[int, Field(ge=1, le=7)]


class AccountDefaults(Settings):
    """What a new account has where its landing row says nothing."""

    account_type: Annotated[str, OneOf(enums.ACCOUNT_TYPES)] = Field(default="insured", description="Kind of account.")
    invoice_by: Annotated[str, OneOf(enums.LEVELS)] = Field(
        default="policy", description="Invoices per account or per policy (R-BL-3)."
    )
    separate_funds_by: Annotated[str, OneOf(enums.LEVELS), Filled("as invoice_by")] = Field(
        description="Incoming funds per account or per policy; per policy only if invoices are (R-BL-3)."
    )
    invoice_day_of_month: DayOfMonth = Field(default=15, description="Day of month of monthly invoices.")
    invoice_first_day_of_month: DayOfMonth = Field(default=1, description="First day of invoices twice per month.")
    invoice_second_day_of_month: DayOfMonth = Field(
        default=15, description="Second day of invoices twice per month, after the first."
    )
    invoice_day_of_week: DayOfWeek = Field(default=5, description="Day of week of weekly invoices, 1 is Monday.")
    invoice_every_other_week_anchor: date = Field(
        default=date(2009, 1, 1), description="A date on the every-other-week cadence."
    )
    fix_invoices_on: Annotated[str, OneOf(enums.DATE_FIXINGS)] = Field(
        default="bill_date", description="Which date of an invoice these days fix."
    )
    payment_instrument: Annotated[str, OneOf(enums.PAYMENT_INSTRUMENTS)] = Field(
        default="responsive", description="How the account pays."
    )
    billing_plan: str | None = Field(
        default=None, description="Name of a billing plan; left out, the first that is available."
    )
    payment_allocation_plan: str | None = Field(
        default=None, description="Name of a payment allocation plan; left out, the first that is available (R-PAP-03)."
    )
    delinquency_plan: Name | None = Field(
        default=None, description="Name of a delinquency plan; not checked, as the file holds none."
    )

    @model_validator(mode="before")
    @classmethod
    def _follow_invoice_by(cls, data: object) -> object:
        return {"separate_funds_by": data.get("invoice_by", "policy")} | data if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._broken())
        return self

    def _broken(self) -> Iterator[Broken]:
        if self.invoice_by == "account" and self.separate_funds_by == "policy":
            yield Broken(("separate_funds_by",), '"account" when invoice_by is "account" (R-BL-3)')
        if self.invoice_second_day_of_month <= self.invoice_first_day_of_month:
            allowed = f"a day after invoice_first_day_of_month ({self.invoice_first_day_of_month})"
            yield Broken(("invoice_second_day_of_month",), allowed)


class Calendar(Settings):
    """Which days the carrier works (R-BP-4)."""

    holidays: tuple[date, ...] = Field(default=(), strict=False, description="Days off, in order of date.")
    business_days: tuple[DayOfWeek, ...] = Field(
        default=(1, 2, 3, 4, 5), strict=False, min_length=1, description="Working days of the week, 1 is Monday."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse([*_not_ascending("holidays", self.holidays), *_not_ascending("business_days", self.business_days)])
        return self


def _not_ascending(key: str, values: tuple[Any, ...]) -> Iterator[Broken]:
    for place, (earlier, later) in enumerate(pairwise(values), start=1):
        if later <= earlier:
            yield Broken((key, place), f"something after {earlier}, as the list is in order and names each once")
