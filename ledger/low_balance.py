"""Invoices that are not worth sending: their balance is carried forward, or written off (R-BP-11, R-INV-12, R-INV-13).

The balance of an invoice is what is unpaid of its items on the bill date, before fees; it is low when it is more than
zero and less than the threshold of the payer's billing plan (R-INV-17). The threshold is an amount of the carrier's
currency, so invoices of another currency are billed whatever their balance.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.invoice_batch import InvoiceBatch, carry_forward, next_planned_invoices
from ledger.payment_items import append_write_off_items
from ledger.posting import transaction_frame
from ledger.taking_back import change_paid

_OPEN = pl.col("amount") - pl.col("paid") - pl.col("written_off")


def suppress_low_balances(batch: InvoiceBatch, day: date, carrier: Carrier) -> InvoiceBatch:
    """Carry forward or write off the invoices with a low balance whose payer's billing plan says so.

    Carried forward: every item goes to the next planned invoice of the stream; without one the invoice is billed, since
    a last small debt would otherwise go from one new invoice to the next for ever (the choice of R-BP-11 between it and
    R-INV-17). Rules: R-BP-11, R-INV-12, R-INV-13, R-INV-17, R-PR-7.
    """
    plans = carrier.billing_plan_frame().filter("suppress_low_balance")
    if plans.is_empty() or batch.items.is_empty():
        return batch
    low = _low_balances(batch, plans, carrier)
    if low.is_empty():
        return batch
    batch = _written_off(batch, low.filter(pl.col("low_balance_method") == "write_off"), day)
    return _carried_forward(batch, low.filter(pl.col("low_balance_method") == "carry_forward"), day)


def _low_balances(batch: InvoiceBatch, plans: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """The invoices of the batch with a low balance: invoice_key, stream_key, low_balance_method."""
    balances = batch.items.group_by("invoice_key").agg(balance=_OPEN.sum())
    is_low_for_some = pl.col("balance").is_between(1, plans["low_balance_threshold"].max(), closed="left")
    small = batch.invoices.join(balances.filter(is_low_for_some), on="invoice_key", how="inner", maintain_order="left")
    if small.is_empty():
        return small
    payers = batch.book["accounts"].filter(
        pl.col("account_key").is_in(small["account_key"].unique().implode()) & (pl.col("currency") == carrier.currency)
    )
    methods = payers.join(plans, on="billing_plan", how="inner").select(
        "account_key", "low_balance_threshold", "low_balance_method"
    )
    small = small.join(methods, on="account_key", how="inner", maintain_order="left")
    return small.filter(pl.col("balance") < pl.col("low_balance_threshold"))


def _carried_forward(batch: InvoiceBatch, low: pl.DataFrame, day: date) -> InvoiceBatch:
    if low.is_empty():
        return batch
    following = next_planned_invoices(batch.book, low["stream_key"], day).rename({"invoice_key": "to_invoice_key"})
    targets = low.join(following, on="stream_key", how="inner").select("invoice_key", "to_invoice_key")
    effects = carry_forward(batch.book, batch.items, targets)
    return batch.without(targets["invoice_key"], "carried_forward", effects)


def _written_off(batch: InvoiceBatch, low: pl.DataFrame, day: date) -> InvoiceBatch:
    """Bill these invoices, make them due and write off what is open, so that nothing is left of them (A-17)."""
    if low.is_empty():
        return batch
    items = batch.items.filter(pl.col("invoice_key").is_in(low["invoice_key"].implode()))
    gone = items.with_columns(amount=_OPEN).filter(pl.col("amount") != 0)
    book = change_paid(batch.book, gone.select("item_key", "amount"), "written_off")
    rows = gone.select("item_key", "charge_key", "account_key", "amount", reason=pl.lit("low_balance_invoice"))
    book = append_write_off_items(book, rows, day)
    effects = Effects(
        book,
        (
            transaction_frame(items, "ChargeBilled", transaction_date=day),
            transaction_frame(items, "ChargeDue", transaction_date=day),
            transaction_frame(gone, "ChargeWrittenOff", transaction_date=day),
        ),
    )
    return batch.without(low["invoice_key"], "written_off", effects)
