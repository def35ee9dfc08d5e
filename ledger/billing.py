"""Invoices in the course of time: billed on their bill date, due after their due date, and the invoicing fee.

Nothing is stored about it: an invoice's status follows from its dates and the day (`is_billed`, `is_due`). What a day
adds are the transactions of the items on the invoices whose day has come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ledger.book import ITEMS_PER_CHARGE, Book, number_from
from ledger.carrier import Carrier
from ledger.invoicing import initial_transactions
from ledger.posting import empty_transactions, transaction_frame
from schemas.book import CHARGES as BOOK_CHARGES
from schemas.book import INVOICE_ITEMS as BOOK_ITEMS


@dataclass(frozen=True, slots=True)
class Turned:
    """What turning invoices did: the book, transactions to post, and the payers concerned."""

    book: Book
    transactions: pl.DataFrame
    account_keys: pl.Series


def bill_invoices(book: Book, day: date, carrier: Carrier) -> Turned:
    """Bill the invoices whose bill date is today: the invoicing fee first, then every item becomes billed.

    Each item moves from Unbilled to Billed by its full amount, whether it is paid or not (R-LED-26). Rules: R-INV-11,
    R-INV-35..38, R-LIF-09, R-TXN-03.
    """
    invoices = book["invoices"].filter(pl.col("bill_date") == day)
    if invoices.is_empty():
        return Turned(book, empty_transactions(), pl.Series(dtype=pl.Int64))
    items = _items_on(book, invoices)
    charges, fees = _invoicing_fees(book, items, day, carrier)
    items = pl.concat([items, fees]).sort("item_key")
    transactions = [
        initial_transactions(charges),
        transaction_frame(items, "ChargeBilled", transaction_date=day),
    ]
    book = book.append("charges", charges).append("invoice_items", fees)
    return Turned(book, pl.concat(transactions), invoices["account_key"].unique().sort())


def make_invoices_due(book: Book, day: date, carrier: Carrier) -> Turned:
    """Make due the invoices whose due date, plus the carrier's lag, is today; paid ones as well.

    Rules: R-INV-14, R-LIF-10, R-LIF-11, R-LED-26.
    """
    due_date = day - timedelta(days=carrier.invoice_due_lag_days)
    invoices = book["invoices"].filter(pl.col("due_date") == due_date)
    if invoices.is_empty():
        return Turned(book, empty_transactions(), pl.Series(dtype=pl.Int64))
    due = transaction_frame(_items_on(book, invoices), "ChargeDue", transaction_date=day)
    return Turned(book, due, invoices["account_key"].unique().sort())


def _items_on(book: Book, invoices: pl.DataFrame) -> pl.DataFrame:
    keys = invoices["invoice_key"].implode()
    return book["invoice_items"].filter(pl.col("invoice_key").is_in(keys)).sort("item_key")


def _invoicing_fees(book: Book, items: pl.DataFrame, day: date, carrier: Carrier) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Raise the plan's fee, once per policy on an invoice, as a charge with one item on that very invoice.

    The fee is due when the plan has one, the payer's billing plan does not skip it, an item of a pro rata charge of the
    policy is on the invoice and the policy's items on it sum to more than zero. A plan may skip it for an invoice with
    a down payment and no installment. Out: the charges and their items. Rules: R-INV-35..38, R-FE-1..8.
    """
    no_fees = BOOK_CHARGES.empty(), BOOK_ITEMS.empty()
    fee_plans = (
        carrier.payment_plan_frame()
        .filter(pl.col("fee_amount") != 0)
        .select("payment_plan", "fee_amount", "skip_fee_for_down_payments")
    )
    if fee_plans.is_empty():
        return no_fees
    is_free = pl.col("skip_fee_for_down_payments") & pl.col("has_deposit") & ~pl.col("has_installment")
    policies = _policies_on_invoices(book, items, fee_plans, carrier).filter(~is_free)
    if policies.is_empty():
        return no_fees
    charges = _fee_charges(book, policies.sort("invoice_key", "policy_key"), day, carrier)
    fees = charges.with_columns(
        item_key=pl.col("charge_key") * ITEMS_PER_CHARGE + 1,
        account_key=pl.col("payer_account_key"),
        is_recapture=pl.lit(value=False),
        item_type=pl.lit("onetime"),
        installment_number=pl.lit(0),
        event_date=pl.lit(day),
        paid=pl.lit(0, pl.Int64),
    )
    return BOOK_CHARGES.conform(charges), BOOK_ITEMS.conform(fees)


def _policies_on_invoices(book: Book, items: pl.DataFrame, fee_plans: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """One row per policy on an invoice for which its plan raises a fee.

    With items of several periods, the latest with a pro rata item decides (R-FE-8).
    """
    pro_rata = carrier.charge_pattern_frame().filter(pl.col("charge_subtype") == "pro_rata")["charge_pattern"]
    is_pro_rata = pl.col("charge_pattern").is_in(pro_rata.implode())
    premium = items.filter(is_pro_rata)
    periods = book["policy_periods"].filter(pl.col("period_key").is_in(premium["period_key"].unique().implode()))
    deciding = (
        premium.select("invoice_key", "policy_key", "period_key", "account_key", "currency")
        .join(
            periods.select(
                "period_key", "payment_plan", period_start="effective_date", owner_account_key="account_key"
            ),
            on="period_key",
            how="left",
        )
        .sort("invoice_key", "policy_key", "period_start", "period_key")
        .unique(["invoice_key", "policy_key"], keep="last", maintain_order=True)
        .join(fee_plans, on="payment_plan", how="inner")
    )
    plans = carrier.billing_plan_frame().select("billing_plan", "skip_installment_fees")
    payers = (
        book["accounts"]
        .filter(pl.col("account_key").is_in(deciding["account_key"].unique().implode()))
        .join(plans, on="billing_plan", how="left")
        .filter(~pl.col("skip_installment_fees"))
    )
    deciding = deciding.join(payers.select("account_key"), on="account_key", how="semi")
    totals = (
        items.join(deciding, on=["invoice_key", "policy_key"], how="semi")
        .group_by("invoice_key", "policy_key")
        .agg(
            total=pl.col("amount").sum(),
            has_deposit=(pl.col("item_type") == "deposit").any(),
            has_installment=(pl.col("item_type") == "installment").any(),
        )
    )
    return deciding.join(totals, on=["invoice_key", "policy_key"], how="left").filter(pl.col("total") > 0)


def _fee_charges(book: Book, fees: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Charges for these fees, owned by the policy period, paid by the payer of the invoice."""
    pattern = carrier.charge_pattern_frame().filter(pl.col("charge_pattern") == carrier.invoicing_fee_pattern)
    facts = pattern.select("charge_pattern", "charge_subtype", "in_equity", "priority")
    return fees.join(facts, how="cross", maintain_order="left").with_columns(
        number_from(book.next_key("charges"), "charge_key"),
        instruction_key=pl.lit(0, pl.Int64),
        charge_no=pl.lit(0, pl.Int64),
        owner_type=pl.lit("PolicyPeriod"),
        owner_key=pl.col("period_key"),
        payer_account_key=pl.col("account_key"),
        account_key=pl.col("owner_account_key"),
        amount=pl.col("fee_amount").cast(pl.Int64),
        charge_date=pl.lit(day),
        effective_date=pl.lit(day),
        coverage_end=pl.lit(None, pl.Date),
        context=pl.lit("invoicing_fee"),
        charge_group=pl.lit(None, pl.String),
        payer_account_id=pl.lit(None, pl.String),
    )
