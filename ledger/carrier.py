"""A carrier: its settings, calendar, charge patterns and plans, read from one TOML text and checked as a whole.

Plans are data. What a plan holds is in `ledger.plans`; here are the rules between plans (R-PLN-03, R-FE-7), the choice
of a plan (R-PLN-02, R-PLN-04, R-PAP-03, R-BI-11) and the frames that the processes of the day join.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

import polars as pl
from pydantic import Field, ValidationError, model_validator

from ledger.authority_settings import AuthorityProfile, User, broken_authority, limit_frame, user_frame
from ledger.carrier_file import CarrierError, problems_of, read_toml
from ledger.carrier_frames import (
    billing_plan_frame,
    charge_pattern_frame,
    effective_plan_frame,
    payment_plan_frame,
)
from ledger.carrier_values import (
    DEFAULT_CURRENCY,
    HEADER,
    Amount,
    Broken,
    CurrencyCode,
    Filled,
    Name,
    OneOf,
    Settings,
    refuse,
)
from ledger.finance_settings import AccountEvaluation, FundsTracking
from ledger.plans import BillingPlan, ChargePattern, PaymentAllocationPlan, PaymentPlan, Plan
from ledger.return_premium_plans import ReturnPremiumPlan, days_without_plan, scheme_frame
from schemas import enums
from schemas.currencies import MINOR_UNIT_DECIMALS

PlanKind = Literal["billing", "payment", "payment_allocation", "return_premium"]
PLAN_TABLES: dict[PlanKind, str] = {
    "billing": "billing_plans",
    "payment": "payment_plans",
    "payment_allocation": "payment_allocation_plans",
    "return_premium": "return_premium_plans",
}
"""The table of the carrier file that holds the plans of a kind."""
_FRAMES = (
    *("_payment_plans", "_effective_plans", "_billing_plans", "_charge_patterns"),
    *("_return_premium_schemes", "_limits", "_users"),
)
_NAMED_TABLES = ("charge_patterns", *PLAN_TABLES.values(), "authority_profiles", "users")

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


class Carrier(Settings):
    """All that one carrier sets."""

    name: Name = Field(description="Name of the carrier.")
    currency: CurrencyCode = Field(default=DEFAULT_CURRENCY, description="Currency of the carrier and its fees.")
    invoice_due_lag_days: Annotated[int, Field(ge=0, le=1)] = Field(
        default=1, description="Days after its due date on which an invoice turns Due (R-LIF-10)."
    )
    expiration_convention: Literal["exclusive", "inclusive_last_day"] = Field(
        default="exclusive", description="Whether the expiration date is the first day without cover or the last with."
    )
    installment_remainder: Literal[
        "overweight_from_front", "overweight_from_back", "overweight_first", "overweight_last"
    ] = Field(default="overweight_from_front", description="Which installments take the odd minor units (R-CI-42).")
    earning_interval: Literal["daily", "month_end"] = Field(
        default="month_end", description="When earned premium is posted."
    )
    largest_charge: Amount | None = Field(
        default=None, description="A charge above it, or below minus it, is refused; in the carrier's currency only."
    )
    pending_days: Annotated[int, Field(ge=0, le=366)] = Field(
        default=0,
        description="Days for which an instruction waits for its policy or policy period; 0 refuses it at once.",
    )
    invoicing_fee_pattern: str = Field(
        default="Installment Fee", description="Name of a one_time charge pattern, for invoicing fees (R-BP-5)."
    )
    invoice_fee_pattern: str = Field(
        default="Invoice Fee",
        description="Name of a one_time charge pattern of accounts, for the invoice fees of billing plans (R-BP-6).",
    )
    payment_reversal_fee_pattern: str = Field(
        default="Payment Reversal Fee",
        description="Name of a one_time charge pattern of accounts, for payments that bounce (R-BP-7).",
    )
    account_defaults: AccountDefaults = Field(
        default_factory=lambda: AccountDefaults.model_validate({}), description="What a new account has by default."
    )
    calendar: Calendar = Field(default_factory=Calendar, description="Which days the carrier works.")
    account_evaluation: AccountEvaluation = Field(
        default_factory=AccountEvaluation, description="How accounts are rated (R-EVL-2)."
    )
    funds_tracking: FundsTracking = Field(
        default_factory=FundsTracking, description="Whether it is told which money was used for what (R-FT-1)."
    )
    charge_patterns: dict[str, ChargePattern] = Field(min_length=1, description="Charge patterns by name.")
    billing_plans: dict[str, BillingPlan] = Field(min_length=1, description="Billing plans by name.")
    payment_plans: dict[str, PaymentPlan] = Field(min_length=1, description="Payment plans by name.")
    payment_allocation_plans: dict[str, PaymentAllocationPlan] = Field(
        min_length=1, description="Payment allocation plans by name."
    )
    return_premium_plans: dict[str, ReturnPremiumPlan] = Field(
        default_factory=dict,
        description="Return premium plans by name; without any, credits pay as the payment allocation plan says.",
    )
    authority_profiles: dict[str, AuthorityProfile] = Field(
        default_factory=dict, description="What users may do up to which amount, by name (R-ACT-2)."
    )
    users: dict[str, User] = Field(
        default_factory=dict,
        description="Who hands in commands, by name; without any, no amount needs approval and no permission is asked.",
    )

    @classmethod
    def from_toml(cls, text: str, source: str = "carrier.toml") -> Self:
        """Read a carrier from the text of its TOML file; `source` is what messages call the file.

        Raises CarrierError with one sentence for every problem: file, line, key, value and what is allowed.
        """
        data = read_toml(text, source)
        currency = data.get("currency") if data.get("currency") in [*MINOR_UNIT_DECIMALS] else DEFAULT_CURRENCY
        try:
            return cls.model_validate(_filled_in(data, currency), context={"currency": currency})
        except ValidationError as error:
            raise CarrierError(problems_of(error, cls, data, text, source)) from error

    @property
    def holidays(self) -> tuple[date, ...]:
        """Days off, ascending."""
        return self.calendar.holidays

    @property
    def business_days(self) -> tuple[int, ...]:
        """Working days of the week as ISO numbers, ascending."""
        return self.calendar.business_days

    def plans(self, kind: PlanKind) -> tuple[Plan, ...]:
        """The plans of a kind in order of priority (R-PLN-03)."""
        plans: Mapping[str, Plan] = getattr(self, PLAN_TABLES[kind])
        return tuple(sorted(plans.values(), key=lambda plan: plan.priority))

    def default_plan(self, kind: PlanKind, on: date) -> str | None:
        """Name of the first plan of a kind that is available on a day; None when there is none (R-PLN-04, R-PAP-03).

        The plans that `account_defaults` names are not looked at.
        """
        return next((plan.name for plan in self.plans(kind) if plan.is_available(on)), None)

    def available_payment_plans(self, on: date, currency: str) -> tuple[str, ...]:
        """Names of the payment plans of a currency that are available on a day, in order of priority (R-BI-11)."""
        ordered = self._ordered_payment_plans()
        return tuple(plan.name for plan in ordered if plan.currency == currency and plan.is_available(on))

    def payment_plan_frame(self) -> pl.DataFrame:
        """One row per payment plan, in order of priority, without its overrides.

        Columns: payment_plan, description, priority, effective_date, expiration_date, is_reporting, currency, then
        those of `effective_plan_frame` without the instruction type.
        """
        return self._payment_plans

    def effective_plan_frame(self) -> pl.DataFrame:
        """One row per payment plan and instruction type, overrides applied (R-PO-1), sorted by priority and type.

        Days are signed, negative before their reference. Without a down payment `down_payment_ppm` is 0 and its days
        and reference are null; without a second installment its days and reference are null; blackout columns are null
        where there is no blackout. `down_payment_ppm` is parts per million of the charge, `fee_amount` minor units.
        """
        return self._effective_plans

    def billing_plan_frame(self) -> pl.DataFrame:
        """One row per billing plan, in order of priority: billing_plan, then its settings. Amounts are minor units."""
        return self._billing_plans

    def charge_pattern_frame(self) -> pl.DataFrame:
        """One row per charge pattern, in order of the file; priority 1 is high, 2 medium, 3 low (R-CP-10).

        Columns: charge_pattern, charge_subtype, category, priority, invoicing_approach, in_equity.
        """
        return self._charge_patterns

    def return_premium_scheme_frame(self) -> pl.DataFrame:
        """One row per return premium plan and context (`scheme_frame`)."""
        return self._return_premium_schemes

    def limit_frame(self) -> pl.DataFrame:
        """One row per user and authority limit: user, limit_type, currency, max_amount in minor units (R-ACT-2)."""
        return self._limits

    def user_frame(self) -> pl.DataFrame:
        """One row per user: user, supervisor, may_credit (R-AHC-2)."""
        return self._users

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other settings, unchecked; its frames are built anew."""
        copy = super().model_copy(update=update, deep=deep)
        for frame in _FRAMES:
            copy.__dict__.pop(frame, None)
        return copy

    @cached_property
    def _payment_plans(self) -> pl.DataFrame:
        return payment_plan_frame(self._ordered_payment_plans())

    @cached_property
    def _effective_plans(self) -> pl.DataFrame:
        return effective_plan_frame(self._ordered_payment_plans())

    @cached_property
    def _billing_plans(self) -> pl.DataFrame:
        return billing_plan_frame(sorted(self.billing_plans.values(), key=lambda plan: plan.priority))

    @cached_property
    def _charge_patterns(self) -> pl.DataFrame:
        return charge_pattern_frame(self.charge_patterns.values())

    @cached_property
    def _return_premium_schemes(self) -> pl.DataFrame:
        return scheme_frame(self.return_premium_plans.values())

    @cached_property
    def _limits(self) -> pl.DataFrame:
        return limit_frame(self.authority_profiles, self.users)

    @cached_property
    def _users(self) -> pl.DataFrame:
        return user_frame(self.users)

    def _ordered_payment_plans(self) -> list[PaymentPlan]:
        return sorted(self.payment_plans.values(), key=lambda plan: plan.priority)

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(
            [
                *self._broken_references(),
                *self._broken_priorities(),
                *self._repeated_codes(),
                *self._days_without_return_premium_plan(),
            ]
        )
        refuse(broken_authority(self.authority_profiles, self.users))
        return self

    def _broken_references(self) -> Iterator[Broken]:
        """Names in the settings that name no plan or pattern, or one that cannot be used."""
        yield from self._broken_fee_pattern("invoicing_fee_pattern", "", ("PolicyPeriod", "Account"))
        has_invoice_fee = any(plan.invoice_fee for plan in self.billing_plans.values())
        if has_invoice_fee or "invoice_fee_pattern" in self.model_fields_set:
            yield from self._broken_fee_pattern("invoice_fee_pattern", " for accounts", ("Account",))
        has_reversal_fee = any(plan.payment_reversal_fee for plan in self.billing_plans.values())
        if has_reversal_fee or "payment_reversal_fee_pattern" in self.model_fields_set:
            yield from self._broken_fee_pattern("payment_reversal_fee_pattern", " for accounts", ("Account",))
        for key, plans in (
            ("billing_plan", list(self.billing_plans)),
            ("payment_allocation_plan", list(self.payment_allocation_plans)),
        ):
            name = getattr(self.account_defaults, key)
            if name is not None and name not in plans:
                yield Broken(("account_defaults", key), f"a plan of this file: {', '.join(plans)}")

    def _broken_fee_pattern(self, key: str, whose: str, owners: tuple[str, ...]) -> Iterator[Broken]:
        """A fee has one item, and the usual owner of its pattern is one that the fee can have (R-BP-5, R-FE-7)."""
        fits = [
            name
            for name, pattern in self.charge_patterns.items()
            if pattern.invoicing_approach == "one_time" and pattern.owner_types[0] in owners
        ]
        if getattr(self, key) not in fits:
            yield Broken((key,), f"a one_time charge pattern{whose} of this file: {', '.join(fits)} (R-BP-5)")

    def _broken_priorities(self) -> Iterator[Broken]:
        """Priorities that are taken twice or leave a gap (R-PLN-03)."""
        for kind, table in PLAN_TABLES.items():
            plans = self.plans(kind)
            times = Counter(plan.priority for plan in plans)
            for plan in plans:
                if times[plan.priority] > 1 or plan.priority > len(plans):
                    allowed = f"1 to {len(plans)}, each once among the {table}"
                    yield Broken((table, plan.name, "priority"), f"{allowed} (R-PLN-03)")

    def _days_without_return_premium_plan(self) -> Iterator[Broken]:
        """Every period begins with a plan, from the day on which the first plan is effective (R-RPP-3)."""
        plans = self.return_premium_plans
        missing = days_without_plan(plans.values()) if plans else None
        if missing is not None:
            yield Broken(("return_premium_plans",), f"a plan for {missing} and every day after it (R-RPP-3)")

    def _repeated_codes(self) -> Iterator[Broken]:
        times = Counter(pattern.code for pattern in self.charge_patterns.values())
        for pattern in self.charge_patterns.values():
            if times[pattern.code] > 1:
                yield Broken(("charge_patterns", pattern.name, "code"), "a code of one pattern only")


def _filled_in(data: Mapping[str, Any], currency: object) -> dict[str, Any]:
    """Give named tables their name, plans their priority, payment plans and limits their currency, where left out."""
    filled = dict(data)
    for table in _NAMED_TABLES:
        entries = data.get(table)
        if isinstance(entries, dict):
            given = [entry.get("priority") for entry in entries.values() if isinstance(entry, dict)]
            free = iter([number for number in range(1, len(entries) + 1) if number not in given])
            filled[table] = {name: _filled_table(table, name, entry, currency, free) for name, entry in entries.items()}
    return filled


def _filled_table(table: str, name: str, entry: object, currency: object, free: Iterator[int]) -> object:
    if not isinstance(entry, dict):
        return entry
    filled: dict[str, object] = {}
    if table in PLAN_TABLES.values() and "priority" not in entry:
        filled["priority"] = next(free)
    if table == "payment_plans":
        filled["currency"] = currency
    if table == "authority_profiles" and isinstance(entry.get("limits"), list):
        limits = [{"currency": currency} | limit if isinstance(limit, dict) else limit for limit in entry["limits"]]
        entry = entry | {"limits": limits}
    return filled | entry | {HEADER: name}
