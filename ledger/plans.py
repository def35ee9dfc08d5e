"""What a carrier sets: charge patterns, billing plans, payment plans with overrides, payment allocation plans.

The rules within one plan are checked here (R-CP-4..6, R-PP-8, R-CI-30, R-PO-2, R-PP-18); those between plans in
`ledger.carrier`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ledger.carrier_values import (
    HEADER,
    Amount,
    Broken,
    CurrencyCode,
    Days,
    Filled,
    HeaderName,
    Name,
    OneOf,
    Percent,
    Settings,
    SignedDays,
    allowed_values,
    refuse,
)
from schemas import enums

OVERRIDE_TYPES = (
    "audit",
    "cancellation",
    "general",
    "new_renewal",
    "policy_change",
    "issuance",
    "premium_report",
    "reinstatement",
    "renewal",
    "rewrite",
)
"""The ten kinds of billing instruction for which a payment plan may be overridden (R-PO-2)."""
LATER_TERMS = ("renewal", "new_renewal")
"""Instructions for terms after the first, which need no down payment of their own (R-PP-18)."""
CHARGE_OWNERS = ("PolicyPeriod", "Account", "Collateral", "CollateralRequirement")
"""Who may own the T-accounts of a charge."""
MAX_INSTALLMENTS = 53
"""Most installments of a plan: one a week for a year."""

DayLogic = Literal["exact_day", "next_business_day", "previous_business_day"]
Filter = Literal["billed_or_due", "invoice", "next_planned_invoice", "past_due", "policy_period", "positive"]
Order = Literal[
    "billed_date",
    "billed_status",
    "charge_pattern",
    "event_date",
    "invoice",
    "policy_period",
    "recapture_charges",
    "reverse_billed_date",
    "reverse_event_date",
    "spread_excess_even",
]
Installments = Annotated[int, Field(ge=1, le=MAX_INSTALLMENTS)]


class ChargePattern(Settings):
    """How every charge of one kind is booked, split and paid."""

    name: HeaderName = Field(description="Name, from the table header.")
    code: Annotated[Name, Filled("the name without spaces")] = Field(description="Short code.")
    subtype: Annotated[str, OneOf(enums.CHARGE_SUBTYPES)] = Field(description="Accounting nature.")
    category: Annotated[str, OneOf(enums.CHARGE_CATEGORIES)] = Field(description="What it is shown under.")
    owner_types: tuple[Annotated[str, OneOf(CHARGE_OWNERS)], ...] = Field(
        strict=False, min_length=1, description="Who may own such a charge; the first is the usual owner."
    )
    priority: Annotated[str, OneOf(enums.PRIORITIES)] = Field(
        default="medium", description="Which charge is paid first where dates are equal."
    )
    invoicing_approach: Annotated[str, OneOf(enums.INVOICING_APPROACHES)] = Field(
        description="How a charge becomes invoice items."
    )
    in_equity: Annotated[bool, Filled("true for pro_rata, else false")] = Field(
        description="Whether it counts in equity dating (R-CP-11)."
    )

    @property
    def is_reversible(self) -> bool:
        """Whether such charges can be reversed (R-CR-2)."""
        return self.subtype not in ("pro_rata", "recapture")

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        derived = {"code": str(data.get(HEADER, "")).replace(" ", ""), "in_equity": data.get("subtype") == "pro_rata"}
        return derived | data

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._broken())
        return self

    def _broken(self) -> Iterator[Broken]:
        only_periods = self.owner_types == ("PolicyPeriod",)
        if self.subtype == "pro_rata" and not only_periods:
            yield Broken(("owner_types",), '["PolicyPeriod"] for a pro_rata charge (R-CP-4)')
        if self.invoicing_approach != "one_time" and not only_periods:
            allowed = '"one_time", unless owner_types is ["PolicyPeriod"] (R-CP-5, R-CP-6)'
            yield Broken(("invoicing_approach",), allowed)
        yield from _repeated("owner_types", self.owner_types)


class Plan(Settings):
    """What every plan has: a name, the days on which it may be chosen, and its place among the plans of its kind."""

    name: HeaderName = Field(description="Name, from the table header.")
    description: str = Field(default="", description="What the plan is for.")
    effective_date: date = Field(description="First day on which the plan may be chosen.")
    expiration_date: date | None = Field(
        default=None, description="Last day on which the plan may be chosen; left out, it does not end."
    )
    priority: Annotated[int, Field(ge=1, le=10_000), Filled("the order in the file")] = Field(
        description="Place among the plans of its kind, 1 first and without gaps (R-PLN-03)."
    )

    def is_available(self, on: date) -> bool:
        """Whether the plan may be chosen on a day; both ends of its validity count (R-BP-2, R-PLN-02)."""
        return self.effective_date <= on and (self.expiration_date is None or on <= self.expiration_date)

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._broken())
        return self

    def _broken(self) -> Iterator[Broken]:
        if self.expiration_date is not None and self.expiration_date < self.effective_date:
            allowed = f"effective_date ({self.effective_date}) or later"
            yield Broken(("expiration_date",), allowed)


class BillingPlan(Plan):
    """How the invoices of an account are dated, shown, drafted, and what is done with surplus money."""

    payment_due_day_logic: DayLogic = Field(
        default="exact_day", description="Where a due date goes that is not a business day (R-BP-4)."
    )
    lead_days: Days = Field(description="Days from bill date to due date (R-BP-3).")
    non_responsive_lead_days: Days = Field(
        description="The same, where payments are drafted: ach, credit_card, wire (R-BP-3)."
    )
    lead_day_unit: Literal["calendar_days", "business_days"] = Field(
        default="calendar_days", description="In which days both lead times are counted."
    )
    dunning_lead_days: Days = Field(default=0, description="Days from a dunning invoice to its due date (R-BP-12).")
    invoice_fee: Amount = Field(default=0, description="Fee per invoice of the account; 0 is none (R-BP-6).")
    payment_reversal_fee: Amount = Field(
        default=0, description="Fee when a payment bounces for want of funds; 0 is none (R-BP-7)."
    )
    skip_installment_fees: bool = Field(
        default=False, description="Whether payment plan fees are left out for the account (R-BP-8)."
    )
    aggregation: Literal["policies", "contexts", "categories", "charge_groups", "charges"] = Field(
        default="charges", description="What one line of an invoice sums up (R-BP-9)."
    )
    suppress_low_balance: bool = Field(
        default=False, description="Whether invoices below a threshold are not billed (R-BP-11)."
    )
    low_balance_threshold: Amount | None = Field(
        default=None, description="Invoices below it are not billed; required when suppressing, else left out."
    )
    low_balance_method: Literal["carry_forward", "write_off"] | None = Field(
        default=None, description="What becomes of such an invoice; required when suppressing, else left out."
    )
    automatic_disbursements: bool = Field(
        default=False,
        description="Whether surplus is paid out by itself (R-DSB-4), of accounts in the carrier's currency.",
    )
    review_disbursements_over: Amount = Field(
        default=0, description="Largest disbursement paid without approval (R-AD-3)."
    )
    delay_disbursement_days: Days = Field(
        default=0, description="Calendar days from creation to payment of a disbursement (R-AD-4)."
    )
    disbursement_over: Amount = Field(default=0, description="A surplus up to this is not worth paying out (R-AD-2).")
    available_disbursement_basis: Literal["unapplied_minus_under_contract", "unapplied_minus_billed"] = Field(
        default="unapplied_minus_under_contract", description="What counts as surplus (R-AD-1)."
    )
    create_approval_activities: bool = Field(
        default=True, description="Whether an automatic disbursement that waits raises an activity (R-AD-3)."
    )
    send_disbursements_awaiting_approval: bool = Field(
        default=False, description="Whether they are paid on their date although still waiting (R-AD-5)."
    )
    request_interval_days: Days = Field(default=0, description="Days from bill date to the payment request (R-PR-2).")
    change_deadline_days: Days = Field(
        default=0, description="Days before the draft date from which a request is fixed (R-PR-4)."
    )
    draft_interval_days: Days = Field(default=0, description="Days before the due date of the draft (R-PR-3).")
    draft_day_logic: DayLogic = Field(
        default="exact_day", description="Where a draft date goes that is not a business day (R-PR-3)."
    )

    def _broken(self) -> Iterator[Broken]:
        yield from super()._broken()
        for key in ("low_balance_threshold", "low_balance_method"):
            yield from _present_iff(self, key, self.suppress_low_balance, "suppress_low_balance is true (R-BP-11)")
        if self.low_balance_threshold == 0:
            yield Broken(("low_balance_threshold",), "an amount of more than zero")


class Timing(Settings):
    """An event date: so many days before or after a reference date (R-PP-5)."""

    days: Days = Field(default=0, description="Calendar days.")
    direction: Literal["before", "after"] = Field(default="after", description="Which way the days count.")
    reference: Annotated[str, OneOf(enums.REFERENCE_DATES)] = Field(description="What the days count from (R-PP-6).")

    @property
    def offset_days(self) -> int:
        """Signed days: negative before the reference date."""
        return self.days if self.direction == "after" else -self.days


class PaymentPlanOverride(Settings):
    """What a payment plan has otherwise for one kind of billing instruction; what is left out stays (R-PO-1)."""

    instruction_type: Annotated[str, OneOf(OVERRIDE_TYPES)] = Field(description="For which instructions.")
    has_down_payment: bool | None = Field(default=None, description="Whether there is a down payment.")
    down_payment_ppm: Percent | None = Field(
        default=None, alias="down_payment_percent", description="Percent of the charge that is paid down."
    )
    down_payment_timing: Timing | None = Field(default=None, description="Event date of the down payment.")
    max_installments: Installments | None = Field(default=None, description="Most installments.")
    first_installment_timing: Timing | None = Field(default=None, description="Event date of the first installment.")
    has_second_installment: bool | None = Field(default=None, description="Whether the first is out of sequence.")
    second_installment_timing: Timing | None = Field(default=None, description="Event date of the second installment.")
    one_time_timing: Timing | None = Field(default=None, description="Event date of one-time charges.")

    def given(self) -> dict[str, Any]:
        """The settings that it replaces."""
        return {name: value for name, value in self if value is not None and name != "instruction_type"}


class PaymentPlan(Plan):
    """How the charges of a policy period are split, when the parts fall, and on which invoices they go."""

    currency: Annotated[CurrencyCode, Filled("the carrier's currency")] = Field(description="Currency of the plan.")
    is_reporting: bool = Field(default=False, description="Whether premium is reported during the term (R-PP-15).")
    has_down_payment: bool = Field(default=False, description="Whether there is a down payment (R-PP-2).")
    down_payment_ppm: Percent | None = Field(
        default=None,
        alias="down_payment_percent",
        description="Percent of the charge that is paid down; required with a down payment, else left out (R-PP-3).",
    )
    down_payment_timing: Timing | None = Field(
        default=None, description="Event date of the down payment; required with one, else left out."
    )
    invoice_down_payment_for: Literal["all_terms", "only_first_term"] = Field(
        default="all_terms",
        description="only_first_term adds overrides without down payment for renewal and new_renewal (R-PP-18).",
    )
    max_installments: Installments = Field(description="Most installments; a blackout may allow fewer (R-PP-4).")
    first_installment_timing: Timing = Field(description="Event date of the first installment.")
    has_second_installment: bool = Field(
        default=False,
        description="Whether the first installment is out of sequence and the cadence starts at the second (R-PP-7).",
    )
    second_installment_timing: Timing | None = Field(
        default=None, description="Event date of the second installment; required then, else left out (R-PP-8)."
    )
    one_time_timing: Timing = Field(description="Event date of one-time charges of a policy (R-PP-9).")
    align_installments: bool = Field(
        default=True, description="Whether installments are dated as invoices are (R-PP-10)."
    )
    payment_interval: Annotated[str, OneOf(enums.PAYMENT_INTERVALS)] = Field(
        description="From one installment to the next; decides the invoice stream (R-PP-11)."
    )
    fix_invoices_on: Annotated[str, OneOf(enums.DATE_FIXINGS)] = Field(
        default="bill_date", description="Which date of an invoice the first installment fixes, per policy (R-PP-12)."
    )
    item_placement_cutoff: Annotated[str, OneOf(enums.DATE_FIXINGS)] = Field(
        default="bill_date", description="By which date of an invoice an item must fall, per account (R-PP-13)."
    )
    blackout_days: SignedDays | None = Field(
        default=None, description="Days before expiration that end installments; negative is after it (R-PP-14)."
    )
    blackout_basis: Literal["billed", "due"] | None = Field(
        default=None, description="Whether the last invoice must be billed or due by then; given with blackout_days."
    )
    fee_amount: Amount = Field(default=0, description="Invoicing fee per policy and invoice; 0 is none (R-FE-2).")
    skip_fee_for_down_payments: bool = Field(
        default=False, description="Whether an invoice with a down payment and no installment is free (R-FE-5)."
    )
    has_equity_warnings: bool = Field(default=True, description="Whether low equity raises a warning (R-PP-17).")
    min_equity_days: Days = Field(default=30, description="Days of equity below which it does (R-EQT-12).")
    overrides: tuple[PaymentPlanOverride, ...] = Field(
        default=(), strict=False, description="What differs for some kinds of instruction (R-PO-1)."
    )

    def for_instruction(self, instruction_type: str) -> PaymentPlan:
        """The plan as it is for one kind of billing instruction: the override where it says something (R-PO-1).

        Inherited down payment and second installment settings fall away where the override turns their flag off.
        """
        given = next((other.given() for other in self.overrides if other.instruction_type == instruction_type), {})
        terms: dict[str, Any] = {"overrides": ()}
        if given.get("has_down_payment") is False:
            terms |= {"down_payment_ppm": None, "down_payment_timing": None}
        if given.get("has_second_installment") is False:
            terms |= {"second_installment_timing": None}
        return self.model_copy(update=terms | given)

    @model_validator(mode="before")
    @classmethod
    def _add_first_term_overrides(cls, data: object) -> object:
        if not isinstance(data, dict) or data.get("invoice_down_payment_for") != "only_first_term":
            return data
        overrides = data.get("overrides", [])
        if not isinstance(overrides, list | tuple):
            return data
        added = [{"instruction_type": kind, "has_down_payment": False} for kind in LATER_TERMS]
        return data | {"overrides": [*overrides, *added]}

    def _broken(self) -> Iterator[Broken]:
        yield from super()._broken()
        yield from self.broken_terms()
        if self.blackout_basis is not None:
            yield from _present_iff(self, "blackout_days", wanted=True, when="blackout_basis is given (R-PP-14)")
        if self.blackout_days is not None:
            yield from _present_iff(self, "blackout_basis", wanted=True, when="blackout_days is given (R-PP-14)")
        if self.invoice_down_payment_for == "only_first_term" and not self.has_down_payment:
            allowed = '"all_terms" when has_down_payment is false (R-PP-18)'
            yield Broken(("invoice_down_payment_for",), allowed)
        yield from self._broken_overrides()

    def broken_terms(self) -> Iterator[Broken]:
        """Settings of down payment and second installment that contradict their flags (R-PP-8, R-CI-30)."""
        if self.has_down_payment and self.has_second_installment:
            yield Broken(("has_second_installment",), "false when has_down_payment is true (R-CI-30)")
        for key in ("down_payment_ppm", "down_payment_timing"):
            yield from _present_iff(self, key, self.has_down_payment, "has_down_payment is true (R-PP-8)")
        if not (self.has_down_payment and self.has_second_installment):
            flag = self.has_second_installment
            yield from _present_iff(self, "second_installment_timing", flag, "has_second_installment is true (R-PP-8)")

    def _broken_overrides(self) -> Iterator[Broken]:
        """Overrides given twice, and those with which the plan would contradict itself (R-PO-2)."""
        given = self.overrides
        if self.invoice_down_payment_for == "only_first_term":
            given = self.overrides[: -len(LATER_TERMS)]
            if any(override.instruction_type in LATER_TERMS for override in given):
                allowed = f'"all_terms" beside an override for {" or ".join(LATER_TERMS)} (R-PP-18)'
                yield Broken(("invoice_down_payment_for",), allowed)
        for place, override in enumerate(given):
            if override.instruction_type in [earlier.instruction_type for earlier in given[:place]]:
                yield Broken(("overrides", place, "instruction_type"), "each instruction type once (R-PO-2)")
                continue
            terms = self.for_instruction(override.instruction_type)
            yield from (broken.below("overrides", place) for broken in terms.broken_terms())


class PaymentAllocationPlan(Plan):
    """Which items money may pay, and in which order (R-PAP-06, R-PAP-09)."""

    filters: tuple[Filter, ...] = Field(
        default=("next_planned_invoice", "policy_period", "invoice", "positive"),
        strict=False,
        description="An item must pass each of them (R-PAP-08).",
    )
    orders: tuple[Order, ...] = Field(
        default=("event_date", "charge_pattern"),
        strict=False,
        description="Sort keys, the first counts most (R-PAP-10).",
    )

    def _broken(self) -> Iterator[Broken]:
        yield from super()._broken()
        yield from _repeated("filters", self.filters)
        yield from _repeated("orders", self.orders)


def _present_iff(plan: Plan, name: str, wanted: bool, when: str) -> Iterator[Broken]:
    """A setting that must be given exactly when a flag says so."""
    field, value = type(plan).model_fields[name], getattr(plan, name)
    key = field.alias or name
    if wanted and value is None:
        yield Broken((key,), f"{allowed_values(field.annotation, field.metadata)}, because {when}")
    if not wanted and value is not None:
        yield Broken((key,), f"nothing, unless {when}")


def _repeated(key: str, values: tuple[str, ...]) -> Iterator[Broken]:
    """Entries of a list that an earlier entry already has."""
    for place, value in enumerate(values):
        if value in values[:place]:
            yield Broken((key, place), "each entry once")
