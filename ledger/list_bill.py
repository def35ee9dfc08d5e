"""List bill: one account pays the policies of others, by payment plans of its own (R-BT-3..7, R-LB-01..11).

A list bill account offers payment plans, chosen when it is created and fixed from then on. A policy period that it pays
uses one of them, and its items go on the account's streams.
"""

from __future__ import annotations

import polars as pl

from ledger.book import Book
from ledger.calendar import INTERVAL_FRAME
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


def without_stream(book: Book, needs: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Which payers could not be invoiced for what a plan bills: a list bill account has the streams of its plans only.

    needs: payer_account_key, payment_plan, and other columns. Out: those of them whose payer is a list bill account
    without a stream of the periodicity of the plan. Rules: R-LB-04, R-LB-06, R-LB-10.
    """
    is_list_bill = pl.col("account_type").cast(pl.String) == ACCOUNT_TYPE
    payers = book["accounts"].filter(pl.col("account_key").is_in(needs["payer_account_key"].implode()) & is_list_bill)
    needs = needs.filter(pl.col("payer_account_key").is_in(payers["account_key"].implode()))
    if needs.is_empty():
        return needs
    plans = carrier.payment_plan_frame().select("payment_plan", "payment_interval")
    intervals = INTERVAL_FRAME.select("payment_interval", "periodicity")
    streams = book["invoice_streams"].filter(~pl.col("is_account_level_only") & (pl.col("policy_key") == 0))
    known = streams.select(payer_account_key="account_key", periodicity=pl.col("periodicity").cast(pl.String))
    wanted = needs.join(plans, on="payment_plan").join(intervals, on="payment_interval")
    return wanted.join(known, on=["payer_account_key", "periodicity"], how="anti").select(needs.columns)
