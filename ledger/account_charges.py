"""Charges that billing itself raises on accounts: fees for bounced payments, for invoices, and the like.

A person would enter them as an account-level instruction; here they have none (instruction key 0), and their context
says what raised them.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, number_from
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.invoicing import initial_transactions, invoice_charges


def charge_accounts(book: Book, fees: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Raise account-level charges, each one item on a planned invoice of the account (R-CI-28, R-BP-5).

    In: account_key, amount (minor units, not zero), currency, charge_pattern, context; any number per account. A
    recapture also has `policy_key`, the policy whose designated fund it refills (R-RC-4). Out: the book with charges
    and items, their first transactions.
    """
    if fees.is_empty():
        return Effects(book)
    patterns = carrier.charge_pattern_frame().select("charge_pattern", "charge_subtype", "in_equity")
    none = pl.lit(0, pl.Int64)
    no_text = pl.lit(None, pl.String)
    policy_key = pl.col("policy_key") if "policy_key" in fees.columns else none
    charges = (
        fees.select("account_key", "amount", "currency", "charge_pattern", "context", policy_key=policy_key)
        .join(patterns, on="charge_pattern", how="left", maintain_order="left")
        .sort("account_key", "context", "charge_pattern", "amount")
        .with_columns(
            number_from(book.next_key("charges"), "charge_key"),
            instruction_key=none,
            charge_no=none,
            owner_type=pl.lit("Account"),
            owner_key="account_key",
            period_key=none,
            payer_account_key="account_key",
            charge_date=pl.lit(day),
            effective_date=pl.lit(day),
            coverage_end=pl.lit(None, pl.Date),
            charge_group=no_text,
            payer_account_id=no_text,
            plan_name=no_text,
            plan_context=no_text,
            modified_down_payment_ppm=pl.lit(None, pl.Int64),
            modified_max_installments=pl.lit(None, pl.Int64),
        )
    )
    book = invoice_charges(book.append("charges", charges), charges, day, carrier)
    return Effects(book, (initial_transactions(charges),))
