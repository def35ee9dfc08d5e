"""List bill: one account pays the policies of others, by payment plans of its own (R-BT-3..7, R-LB-01..11).

A list bill account offers payment plans, chosen when it is created and fixed from then on. A policy period that it pays
uses one of them, and its items go on the account's streams.
"""

from __future__ import annotations

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier

ACCOUNT_TYPE = "list_bill"
"""The kind of account that pays the policies of others."""
BILLING_METHOD = "list_bill"
"""The billing method of a policy period that such an account pays."""


def offered_plans(accounts: pl.DataFrame, key: str, carrier: Carrier) -> pl.DataFrame:
    """The payment plans that list bill accounts offer, one row each.

    In: accounts with a key and `payment_plans`, names separated by semicolons; commas do as well, between names that
    have none. Out: the key and `payment_plan`, also where the carrier has no plan of that name.
    """
    known = pl.col("payment_plan").is_in(list(carrier.payment_plans))
    listed = accounts.filter(pl.col("payment_plans").is_not_null()).select(key, payment_plan="payment_plans")
    parts = [listed.clear()]
    for separator in (";", ","):
        listed = listed.with_columns(pl.col("payment_plan").str.split(separator)).explode("payment_plan")
        listed = listed.with_columns(pl.col("payment_plan").str.strip_chars()).filter(pl.col("payment_plan") != "")
        parts.append(listed.filter(known))
        listed = listed.filter(~known)
    return pl.concat([*parts, listed]).unique(maintain_order=True)


def payer_offers(book: Book, pairs: pl.DataFrame, carrier: Carrier) -> pl.Series:
    """Whether the payer of each row offers its plan (R-BT-6, R-LB-08).

    In: payer_account_key, payment_plan. Out: one truth value a row, in their order.
    """
    payers = book["accounts"].filter(pl.col("account_key").is_in(pairs["payer_account_key"].unique().implode()))
    offered = offered_plans(payers, "account_key", carrier).with_columns(is_offered=pl.lit(value=True))
    found = pairs.select(account_key="payer_account_key", payment_plan="payment_plan").join(
        offered, on=["account_key", "payment_plan"], how="left", maintain_order="left"
    )
    return found["is_offered"].fill_null(value=False)
