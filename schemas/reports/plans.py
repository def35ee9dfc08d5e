"""Views of the carrier file: charge patterns, billing plans, payment plans and their overrides, as last published.

They are kept in the catalogue as tables of the schema `stored`. As of an earlier day they say what that day could
choose; they do not say what the carrier file held then.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas import enums
from schemas.declare import Column
from schemas.reports.columns import Report, count, day, flag, money, text

DAY_LOGICS = ("exact_day", "next_business_day", "previous_business_day")
LOW_BALANCE_METHODS = ("carry_forward", "write_off")
RETURN_PREMIUM_METHODS = ("first_to_last", "last_to_first", "proportional")
AGGREGATIONS = ("policies", "contexts", "categories", "charge_groups", "charges")
"""What one line of an invoice sums up (R-BP-9)."""
_PERCENT = pl.Decimal(18, 4)
_CURRENCY = text("currency", "ISO 4217 code of the amounts.")
_IS_AVAILABLE = flag("is_available", "Whether it may be chosen on the day.")
_VALIDITY = (
    text("description", "What it is for.", nullable=True),
    count("priority", "Its place among the plans; the first that is available is the default."),
    day("effective_date", "First day on which it may be chosen."),
    day("expiration_date", "Last day on which it may be chosen; none when open.", nullable=True),
)


def _timing(part: str, shown: str, *, nullable: bool) -> tuple[Column, Column]:
    """The event date of a part of a plan: days from a reference date."""
    return (
        count(f"{part}_days", f"Days from the reference date to the event date of {shown}.", "days", nullable=nullable),
        text(f"{part}_reference", f"Reference date of {shown}.", nullable=nullable, values=enums.REFERENCE_DATES),
    )


_CHARGE_PATTERN = (
    text("charge_pattern", "Name."),
    text("code", "Short code."),
    text("charge_subtype", "Accounting nature (R-CP-3).", values=enums.CHARGE_SUBTYPES),
    text("category", "What it is shown under.", values=enums.CHARGE_CATEGORIES),
    text("owner_types", "Who may own such charges, the usual owner first."),
    text("priority", "Which charge is paid first where dates are equal (R-CP-10).", values=enums.PRIORITIES),
    text("invoicing_approach", "How a charge becomes invoice items (R-CP-7).", values=enums.INVOICING_APPROACHES),
    flag("in_equity", "Whether it counts in equity dating (R-CP-11)."),
    flag("is_reversible", "Whether such charges can be reversed (R-CR-2)."),
)
_BILLING_PLAN = (
    text("billing_plan", "Name."),
    *_VALIDITY,
    _CURRENCY,
    text("payment_due_day_logic", "Where a due date goes that is not a business day (R-BP-4).", values=DAY_LOGICS),
    count("lead_days", "From bill date to due date (R-BP-3).", "days"),
    count("non_responsive_lead_days", "The same, where payments are drafted.", "days"),
    text("lead_day_unit", "In which days both are counted.", values=("calendar_days", "business_days")),
    count("dunning_lead_days", "From a dunning invoice to its due date (R-BP-12).", "days"),
    money("invoice_fee", "Fee per invoice of the account (R-BP-6)."),
    money("payment_reversal_fee", "Fee when a payment bounces for want of funds (R-BP-7)."),
    flag("skip_installment_fees", "Whether payment plan fees are left out for the account (R-BP-8)."),
    text("aggregation", "What one line of an invoice sums up (R-BP-9).", values=AGGREGATIONS),
    flag("suppress_low_balance", "Whether invoices below the threshold are not billed (R-BP-11)."),
    money("low_balance_threshold", "Invoices below it are not billed; none when all are.", nullable=True),
    text("low_balance_method", "What becomes of them.", nullable=True, values=LOW_BALANCE_METHODS),
    flag("automatic_disbursements", "Whether surplus is paid out by itself (R-DSB-4)."),
    money("review_disbursements_over", "Largest disbursement paid without approval (R-AD-3)."),
    count("delay_disbursement_days", "From creation to payment of a disbursement (R-AD-4).", "days"),
    money("disbursement_over", "A surplus up to this is not paid out (R-AD-2)."),
    text(
        "available_disbursement_basis",
        "What counts as surplus (R-AD-1).",
        values=("unapplied_minus_under_contract", "unapplied_minus_billed"),
    ),
    flag("create_approval_activities", "Whether a disbursement that waits raises an activity (R-AD-3)."),
    flag("send_disbursements_awaiting_approval", "Whether it is paid on its date although it waits (R-AD-5)."),
    count("request_interval_days", "From bill date to the payment request (R-PR-2).", "days"),
    count("change_deadline_days", "Before the draft date, when a request is fixed (R-PR-4).", "days"),
    count("draft_interval_days", "Before the due date, when a payment is drafted (R-PR-3).", "days"),
    text("draft_day_logic", "Where a draft date goes that is not a business day (R-PR-3).", values=DAY_LOGICS),
)
_PAYMENT_PLAN = (
    text("payment_plan", "Name."),
    *_VALIDITY,
    _CURRENCY,
    flag("is_reporting", "Whether premium is reported during the term (R-PP-15)."),
    text("payment_interval", "From one installment to the next (R-PP-11).", values=enums.PAYMENT_INTERVALS),
    flag("has_down_payment", "Whether there is a down payment (R-PP-2)."),
    Column("down_payment_percent", _PERCENT, "Share of the charge that is paid down (R-PP-3).", unit="percent"),
    *_timing("down_payment", "the down payment", nullable=True),
    count("max_installments", "Most installments (R-PP-4)."),
    *_timing("first_installment", "the first installment", nullable=False),
    flag("has_second_installment", "Whether the first installment is out of sequence (R-PP-7)."),
    *_timing("second_installment", "the second installment", nullable=True),
    *_timing("one_time", "one-time charges", nullable=False),
    flag("align_installments", "Whether installments are dated as invoices are (R-PP-10)."),
    text("fix_invoices_on", "Which date of an invoice is fixed, per policy (R-PP-12).", values=enums.DATE_FIXINGS),
    text(
        "item_placement_cutoff",
        "By which date of an invoice an item must fall, per account (R-PP-13).",
        values=enums.DATE_FIXINGS,
    ),
    count("blackout_days", "Before expiration, when installments end (R-PP-14).", "days", nullable=True),
    text("blackout_basis", "What must be past by then.", nullable=True, values=("billed", "due")),
    money("fee_amount", "Invoicing fee per policy and invoice (R-FE-2)."),
    flag("skip_fee_for_down_payments", "Whether a down payment without an installment is free (R-FE-5)."),
    flag("has_equity_warnings", "Whether low equity raises a warning (R-PP-17)."),
    count("min_equity_days", "Days of equity below which it does (R-EQT-12).", "days"),
)
_OVERRIDE = (
    text("payment_plan", "Payment plan."),
    text("instruction_type", "For which instructions (R-PO-2).", values=enums.INSTRUCTION_TYPES),
    Column("has_down_payment", pl.Boolean, "Whether there is a down payment.", nullable=True),
    Column("down_payment_percent", _PERCENT, "Share of the charge that is paid down.", unit="percent", nullable=True),
    *_timing("down_payment", "the down payment", nullable=True),
    count("max_installments", "Most installments.", nullable=True),
    *_timing("first_installment", "the first installment", nullable=True),
    Column("has_second_installment", pl.Boolean, "Whether the first is out of sequence.", nullable=True),
    *_timing("second_installment", "the second installment", nullable=True),
    *_timing("one_time", "one-time charges", nullable=True),
)

_RETURN_PREMIUM = (
    text("return_premium_plan", "Name."),
    *_VALIDITY[:-1],
    day("expiration_date", "First day on which it is no longer chosen; none when open (R-RPP-2).", nullable=True),
    text("positive_item_qualifier", "What an item must share with the credit (R-RPP-13)."),
    text("list_bill_account_excess", "Whose fund gets the excess on a list bill account (R-RPP-25)."),
    count("scheme", "Number of the scheme, from 1 (R-RPP-10)."),
    text("context", 'The billing instruction that brought the credit; "other" for the rest.'),
    text("method", "Which items a credit pays (R-RPP-17..21).", values=RETURN_PREMIUM_METHODS),
    text("start_date", "Whether items before the credit takes effect are left out (R-RPP-15)."),
    text("allocate_timing", "When a credit pays (R-RPP-23).", values=("on_receipt", "billed", "due")),
    text("excess_treatment", "What becomes of what finds nothing to pay (R-RPP-24)."),
)
_FUNDS_TRACKING = (day("enabled_on", "First day of funds tracking; no row without it."),)
_EVALUATION_SETTINGS = (
    count("window_days", "How many days an evaluation looks back.", "days"),
    text("pejorative_reversal_reasons", "Why a payment that is taken back counts."),
    *(
        count(f"{grade}_{what}", f"Most {what.replace('_', ' ')} of the grade {grade}.")
        for grade in ("excellent", "acceptable")
        for what in ("pejorative_reversals", "policy_cancellations")
    ),
)

CHARGE_PATTERNS = Report(name="charge_patterns", description="Charge patterns of the carrier.", columns=_CHARGE_PATTERN)
BILLING_PLANS = Report(
    name="billing_plans",
    description="Billing plans of the carrier: one per account.",
    columns=(*_BILLING_PLAN, _IS_AVAILABLE, flag("is_in_use", "Whether an account has it.")),
)
PAYMENT_PLANS = Report(
    name="payment_plans",
    description="Payment plans of the carrier: one per policy period.",
    columns=(*_PAYMENT_PLAN, _IS_AVAILABLE, flag("is_in_use", "Whether a policy period has it.")),
)
PAYMENT_PLAN_OVERRIDES = Report(
    name="payment_plan_overrides",
    description="What a payment plan has otherwise for one kind of instruction; empty is as in the plan (R-PO-1).",
    columns=_OVERRIDE,
)

RETURN_PREMIUM_PLANS = Report(
    name="return_premium_plans",
    description="Return premium plans of the carrier: one per policy period; a row per scheme, in order (R-RPP-10).",
    columns=(*_RETURN_PREMIUM, _IS_AVAILABLE, flag("is_in_use", "Whether a policy period has it.")),
)

PLANS = (CHARGE_PATTERNS, BILLING_PLANS, PAYMENT_PLANS, PAYMENT_PLAN_OVERRIDES, RETURN_PREMIUM_PLANS)
"""In the order of the data dictionary."""
REFERENCES: Mapping[str, tuple[Column, ...]] = {
    "charge_patterns": _CHARGE_PATTERN,
    "billing_plans": _BILLING_PLAN,
    "payment_plans": _PAYMENT_PLAN,
    "payment_plan_overrides": _OVERRIDE,
    "return_premium_plans": _RETURN_PREMIUM,
    "funds_tracking": _FUNDS_TRACKING,
    "evaluation_settings": _EVALUATION_SETTINGS,
}
"""The tables that are kept in the catalogue, and the columns that the carrier file fills."""
