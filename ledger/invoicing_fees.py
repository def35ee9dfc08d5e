"""Fees for sending invoices: the payment plan's per policy and invoice, the billing plan's per invoice.

Both are raised while an invoice is billed, as charges with one item on that very invoice (R-BP-5, R-FE-1). Whether a
fee is due is decided before any fee is on the invoice (R-FE-6).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import ITEMS_PER_CHARGE, number_from
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.invoice_batch import InvoiceBatch
from ledger.invoicing import initial_transactions
from ledger.plans import ChargePattern
from schemas import enums
from schemas.book import CHARGES, INVOICE_ITEMS

_FEE = ("invoice_key", "account_key", "policy_key", "period_key", "owner_account_key", "currency", "fee_amount")
"""Facts of a fee: `account_key` is the payer, `owner_account_key` the account that owns it, or its policy period."""


def raise_fees(batch: InvoiceBatch, day: date, carrier: Carrier) -> InvoiceBatch:
    """Add the fees of the invoices that are billed today, and their items to the batch.

    First the invoicing fees by invoice and policy, then the invoice fees by invoice. Rules: R-FE-1..9, R-INV-35..38,
    R-BP-5, R-BP-6, R-BP-8.
    """
    fees = [
        _charges_for(fees, carrier.charge_patterns[pattern], context, day)
        for fees, pattern, context in (
            (_invoicing_fees(batch, carrier), carrier.invoicing_fee_pattern, "invoicing_fee"),
            (_invoice_fees(batch, carrier), carrier.invoice_fee_pattern, "invoice_fee"),
        )
        if not fees.is_empty()
    ]
    if not fees:
        return batch
    numbered = pl.concat(fees).with_columns(number_from(batch.book.next_key("charges"), "charge_key"))
    items = INVOICE_ITEMS.conform(
        numbered.with_columns(
            item_key=pl.col("charge_key") * ITEMS_PER_CHARGE + 1,
            account_key="payer_account_key",
            is_recapture=pl.lit(value=False),
            item_type=pl.lit("onetime"),
            installment_number=pl.lit(0),
            event_date=pl.lit(day),
            paid=pl.lit(0, pl.Int64),
        )
    )
    charges = CHARGES.conform(numbered)
    book = batch.book.append("charges", charges).append("invoice_items", items)
    effects = batch.effects.then(Effects(book, (initial_transactions(charges),)))
    return InvoiceBatch(effects, batch.invoices, pl.concat([batch.items, items]).sort("item_key"))


def _invoicing_fees(batch: InvoiceBatch, carrier: Carrier) -> pl.DataFrame:
    """Fees of payment plans, at most one per policy on an invoice (R-FE-4, R-INV-36): columns _FEE, by invoice, policy.

    A fee is due when the plan has one, the payer's billing plan does not skip it, an item of a pro rata charge of the
    policy is on the invoice and the policy's items on it sum to more than zero (R-FE-2, R-INV-35). A plan may skip it
    for an invoice with a down payment and no installment (R-FE-5, R-INV-37).
    """
    fee_plans = (
        carrier.payment_plan_frame()
        .filter(pl.col("fee_amount") != 0)
        .select("payment_plan", "fee_amount", "skip_fee_for_down_payments")
    )
    if fee_plans.is_empty():
        return fee_plans.clear()
    deciding = _deciding_periods(batch, carrier).join(fee_plans, on="payment_plan", how="inner")
    if deciding.is_empty():
        return deciding
    plans = carrier.billing_plan_frame().select("billing_plan", "skip_installment_fees")
    payers = (
        batch.book["accounts"]
        .filter(pl.col("account_key").is_in(deciding["account_key"].unique().implode()))
        .join(plans, on="billing_plan", how="left")
        .filter(~pl.col("skip_installment_fees"))
    )
    deciding = deciding.join(payers.select("account_key"), on="account_key", how="semi")
    totals = (
        batch.items.join(deciding, on=["invoice_key", "policy_key"], how="semi")
        .group_by("invoice_key", "policy_key")
        .agg(
            total=pl.col("amount").sum(),
            has_deposit=(pl.col("item_type") == "deposit").any(),
            has_installment=(pl.col("item_type") == "installment").any(),
        )
    )
    is_free = pl.col("skip_fee_for_down_payments") & pl.col("has_deposit") & ~pl.col("has_installment")
    due = deciding.join(totals, on=["invoice_key", "policy_key"], how="left").filter((pl.col("total") > 0) & ~is_free)
    return due.sort("invoice_key", "policy_key").select(_FEE)


def _deciding_periods(batch: InvoiceBatch, carrier: Carrier) -> pl.DataFrame:
    """The policies with a pro rata item on an invoice; of several periods there the latest decides (R-FE-8)."""
    pro_rata = carrier.charge_pattern_frame().filter(pl.col("charge_subtype") == "pro_rata")["charge_pattern"]
    premium = batch.items.filter(pl.col("charge_pattern").is_in(pro_rata.implode()))
    periods = batch.book["policy_periods"].filter(pl.col("period_key").is_in(premium["period_key"].unique().implode()))
    periods = periods.select(
        "period_key", "payment_plan", period_start="effective_date", owner_account_key="account_key"
    )
    return (
        premium.select("invoice_key", "policy_key", "period_key", "account_key", "currency")
        .join(periods, on="period_key", how="left")
        .sort("invoice_key", "policy_key", "period_start", "period_key")
        .unique(["invoice_key", "policy_key"], keep="last", maintain_order=True)
    )


def _invoice_fees(batch: InvoiceBatch, carrier: Carrier) -> pl.DataFrame:
    """Fees of billing plans, one per direct bill invoice with an amount of more than zero (R-BP-6): columns _FEE.

    The payer owns the fee. An invoice of a list bill payer is no direct bill invoice. The fee is an amount of the
    carrier's currency, so invoices of another currency are free.
    """
    plans = carrier.billing_plan_frame().filter(pl.col("invoice_fee") != 0)
    if plans.is_empty():
        return plans
    payers = batch.book["accounts"].filter(
        pl.col("account_key").is_in(batch.invoices["account_key"].unique().implode())
        & (pl.col("account_type") != "list_bill")
        & (pl.col("currency") == carrier.currency)
    )
    payers = payers.join(plans, on="billing_plan", how="inner").select("account_key", "currency", "invoice_fee")
    totals = batch.items.group_by("invoice_key").agg(total=pl.col("amount").sum()).filter(pl.col("total") > 0)
    due = batch.invoices.join(payers, on="account_key", how="inner").join(totals, on="invoice_key", how="semi")
    none = pl.lit(0, pl.Int64)
    due = due.sort("invoice_key").with_columns(policy_key=none, period_key=none, owner_account_key="account_key")
    return due.rename({"invoice_fee": "fee_amount"}).select(_FEE)


def _charges_for(fees: pl.DataFrame, pattern: ChargePattern, context: str, day: date) -> pl.DataFrame:
    """Charges for these fees, without keys, each with what its item needs; the pattern says who owns them (R-FE-7)."""
    owner = pattern.owner_types[0]
    is_of_account = owner == "Account"
    no_key = pl.lit(0, pl.Int64)
    return fees.select(
        "invoice_key",
        "currency",
        policy_key=no_key if is_of_account else pl.col("policy_key"),
        period_key=no_key if is_of_account else pl.col("period_key"),
        owner_type=pl.lit(owner),
        owner_key=pl.col("owner_account_key") if is_of_account else pl.col("period_key"),
        account_key=pl.col("owner_account_key"),
        payer_account_key=pl.col("account_key"),
        amount=pl.col("fee_amount").cast(pl.Int64),
        charge_pattern=pl.lit(pattern.name),
        charge_subtype=pl.lit(pattern.subtype),
        in_equity=pl.lit(pattern.in_equity),
        priority=pl.lit(enums.PRIORITIES.index(pattern.priority) + 1, pl.Int8),
        instruction_key=no_key,
        charge_no=no_key,
        charge_date=pl.lit(day),
        effective_date=pl.lit(day),
        coverage_end=pl.lit(None, pl.Date),
        context=pl.lit(context),
        charge_group=pl.lit(None, pl.String),
        payer_account_id=pl.lit(None, pl.String),
    )
