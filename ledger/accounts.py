"""Accounts of the book: what a new one has where nobody said otherwise, and finding or creating those that are named.

Rules: R-ACC-03, R-BI-10, R-BL-1, R-BL-3, R-BL-7.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, default_fund_key, number_from
from ledger.carrier import Carrier
from ledger.list_bill import ACCOUNT_TYPE, offered_plans
from ledger.quarantine import Accepted
from ledger.streams import open_list_bill_streams
from schemas.landing import ACCOUNTS


def with_defaults(accounts: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Fill what account rows leave open from the carrier's defaults.

    A plan that the defaults leave open is the first that may be chosen on the day, or the first at all when none may
    (R-PLN-04). Accounts that are invoiced per account keep their funds per account too (R-BL-3).
    """
    defaults = carrier.account_defaults
    settings = defaults.model_dump(exclude={"billing_plan", "payment_allocation_plan"}) | {
        "currency": carrier.currency,
        "billing_plan": defaults.billing_plan
        or carrier.default_plan("billing", day)
        or carrier.plans("billing")[0].name,
        "payment_allocation_plan": defaults.payment_allocation_plan
        or carrier.default_plan("payment_allocation", day)
        or carrier.plans("payment_allocation")[0].name,
    }
    filled = accounts.with_columns(
        pl.col(name).fill_null(value) for name, value in settings.items() if value is not None
    )
    is_by_account = pl.col("invoice_by") == "account"
    return filled.with_columns(
        separate_funds_by=pl.when(is_by_account).then(pl.lit("account")).otherwise("separate_funds_by")
    )


def book_accounts(book: Book, accepted: Accepted, day: date, carrier: Carrier) -> Book:
    """Book the day's new accounts, each with its default fund.

    In: the accepted rows of the day. Accounts that landed and those that only an instruction names, with the carrier's
    defaults (R-BI-10), are numbered together in order of their ids. Every account has one default fund (R-BL-7).
    """
    if accepted.accounts.is_empty() and accepted.billing_instructions.is_empty():
        return book
    landed = accepted.accounts.select(ACCOUNTS.column_names)
    named = accepted.billing_instructions.select("account_id").unique()
    known = book["accounts"].select("account_id").filter(pl.col("account_id").is_in(named["account_id"].implode()))
    only_named = named.join(known, on="account_id", how="anti").join(landed, on="account_id", how="anti")
    if landed.is_empty() and only_named.is_empty():
        return book
    new = with_defaults(pl.concat([landed, only_named], how="diagonal"), day, carrier)
    new = new.sort("account_id").with_columns(
        number_from(book.next_key("accounts"), "account_key"), creation_date=pl.lit(day)
    )
    funds = new.select(
        "account_key",
        "currency",
        fund_key=default_fund_key(pl.col("account_key")),
        policy_key=pl.lit(0, pl.Int64),
        balance=pl.lit(0, pl.Int64),
    )
    book = book.append("accounts", new).append("funds", funds)
    payers = new.filter(pl.col("account_type") == ACCOUNT_TYPE)
    if payers.is_empty():
        return book
    return open_list_bill_streams(book, payers, offered_plans(payers, "account_key", carrier), carrier)
