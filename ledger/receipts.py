"""Money received: who paid, into which fund it goes, and what it is for.

Nothing is distributed here. Money whose payer is not known is suspended: it is booked as a suspense payment, with its
own Cash and Unapplied, until somebody clarifies it. Money of a known payer for a policy or an invoice that is not known
is set aside as a suspense item of the payer (R-SUS-01).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from ledger.book import Book, number_from
from ledger.carrier import Carrier
from ledger.command_params import read_params
from ledger.directions import DIRECTED, is_undoable, read_directions, with_available
from ledger.funds import change_balances, fund_key, separates_funds
from ledger.posting import empty_transactions, transaction_frame
from ledger.reasons import REASONS
from ledger.refusals import REFUSALS, no_refusals
from ledger.suspense_items import suspend_parts
from schemas.landing import PAYMENTS

_RULES = {code: reason.rule for code, reason in REASONS.items()}


@dataclass(frozen=True, slots=True)
class Received:
    """What receiving payments did: the book, transactions to post, rows refused and rows booked with a warning."""

    book: Book
    transactions: pl.DataFrame
    refused: pl.DataFrame
    warnings: pl.DataFrame


def receive_payments(book: Book, payments: pl.DataFrame, day: date, carrier: Carrier) -> Received:
    """Book the payments that came in today, in the order of payment date and payment id (R-DBP-02).

    payments: accepted landing rows, columns of `schemas.landing.PAYMENTS` with file and row_no. The payer is the
    account named, else the owner of the policy, else the payer of the invoice. The money goes into the designated fund
    of the policy named where the account keeps funds per policy, else into the default fund (R-DBP-03, R-BL-7). It is
    for the named term of the policy, else for its latest term in force, else its latest term; and for the invoice
    (R-PAP-02).

    Suspended: kind suspense, and rows that name nobody whom the book knows, or an account that it does not know. Set
    aside whole, until somebody releases it: what a known payer pays for a policy or an invoice that the book does not
    know; the policy need not exist, and when it appears nothing happens by itself (R-SUS-01, R-SUS-11, R-SUS-13).
    Refused: agency bill money, a payment date after today, another currency than the account's. A policy or an invoice
    of another account, or a term that the policy has not, is disregarded with a warning; such money is not distributed
    with today's payments (`is_as_named`).

    Receipts are posted on the payment date, suspense payments too (R-TXN-13, R-TXN-26).
    """
    if payments.is_empty():
        return Received(book, empty_transactions(), no_refusals(), no_refusals())
    rows = payments.with_columns(
        pl.col("payment_date").fill_null(day),
        pl.col("kind").fill_null("direct_bill"),
        pl.col("distribute").fill_null("auto"),
    )
    rows = _with_target(_with_payer(rows, book), book)
    rows = rows.with_columns(
        code=pl.when(pl.col("kind") == "agency_bill")
        .then(pl.lit("E-PAYMENT-KIND"))
        .when(pl.col("payment_date") > day)
        .then(pl.lit("E-PAYMENT-FUTURE"))
        .when((pl.col("account_key") > 0) & (pl.col("currency") != pl.col("account_currency")))
        .then(pl.lit("E-CURRENCY-ACCOUNT"))
    )
    booked = rows.filter(pl.col("code").is_null()).sort("payment_date", "payment_id")
    booked = booked.with_columns(
        number_from(book.next_key("payments"), "payment_key"),
        pl.coalesce("currency", "account_currency", pl.lit(carrier.currency)).alias("currency"),
        status=pl.when(pl.col("account_key") > 0).then(pl.lit("executed")).otherwise(pl.lit("suspended")),
        received_date=pl.lit(day),
    )
    warnings = pl.concat([_warnings(booked), _undoable_directions(booked, book, carrier)])
    executed = booked.filter(pl.col("account_key") > 0)
    suspended = booked.filter(pl.col("account_key") == 0)
    book = change_balances(
        book.append("payments", booked),
        executed.select("fund_key", "account_key", "currency", "amount", policy_key="fund_policy_key"),
    )
    on = pl.col("payment_date")
    aside = executed.filter("is_set_aside").with_columns(suspense_item_id="payment_id", policy_number="policy_id")
    set_aside = suspend_parts(book, aside, day)
    transactions = pl.concat(
        [
            transaction_frame(executed, "DirectBillMoneyReceivedTxn", transaction_date=on),
            transaction_frame(
                suspended,
                "SuspPymtTransaction",
                transaction_date=on,
                owner_type="SuspensePayment",
                owner_key=pl.col("payment_key"),
            ),
            *set_aside.transactions,
        ]
    )
    return Received(set_aside.book, transactions, _notices(rows.filter(pl.col("code").is_not_null())), warnings)


def is_as_named() -> pl.Expr:
    """Whether a booked payment is for the policy, term and invoice that its row names, none of them disregarded."""
    return (
        (pl.col("policy_id").is_null() | (pl.col("policy_key") > 0))
        & (pl.col("policy_id").is_null() | pl.col("term_number").is_null() | (pl.col("period_key") > 0))
        & (pl.col("invoice_id").is_null() | (pl.col("invoice_key") > 0))
    )


def _find(table: pl.DataFrame, rows: pl.DataFrame, key: str, **columns: str) -> pl.DataFrame:
    """Rows with columns of the table's row of the same key, 0 where there is none."""
    keys = rows[key].drop_nulls().unique()
    found = table.filter(pl.col(key).is_in(keys.implode())).select(key, **columns)
    return rows.join(found, on=key, how="left", maintain_order="left").with_columns(pl.col(*columns).fill_null(0))


def _with_payer(rows: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Add who pays: account_key (0 when the payment is to be suspended) and settings of the account.

    And for what: policy_key, invoice_key, and is_set_aside, whether the payer is known and that is not.
    """
    # An invoice id is the decimal text of the invoice key; other text is an invoice that is not known.
    rows = rows.with_columns(invoice_key=pl.col("invoice_id").str.strip_chars().cast(pl.Int64, strict=False))
    rows = _find(book["accounts"], rows, "account_id", named_account="account_key")
    rows = _find(book["policies"], rows, "policy_id", policy_key="policy_key", policy_account="account_key")
    rows = _find(book["invoices"], rows, "invoice_key", invoice_account="account_key", known_invoice="invoice_key")
    is_unknown = {
        name: pl.col(name).is_not_null() & (pl.col(key) == 0)
        for name, key in (("account_id", "named_account"), ("policy_id", "policy_key"), ("invoice_id", "known_invoice"))
    }
    payer = (
        pl.when(pl.col("named_account") > 0)
        .then("named_account")
        .when(pl.col("policy_account") > 0)
        .then("policy_account")
        .otherwise("invoice_account")
    )
    rows = rows.with_columns(
        account_key=pl.when(is_unknown["account_id"] | (pl.col("kind") == "suspense")).then(0).otherwise(payer),
        invoice_key="known_invoice",
    ).with_columns(is_set_aside=(pl.col("account_key") > 0) & (is_unknown["policy_id"] | is_unknown["invoice_id"]))
    accounts = book["accounts"].filter(pl.col("account_key").is_in(rows["account_key"].unique().implode()))
    return rows.join(
        accounts.select("account_key", account_currency="currency", separates_funds=separates_funds()),
        on="account_key",
        how="left",
        maintain_order="left",
    )


def _with_target(rows: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Add period_key and fund; forget the policy and invoice of another account, and those of suspended money."""
    rows = rows.with_columns(pays_policy=_pays_items_of_policy(rows, book))
    is_own_policy = (pl.col("account_key") > 0) & (pl.col("policy_account") == pl.col("account_key"))
    is_own_invoice = (pl.col("account_key") > 0) & (pl.col("invoice_account") == pl.col("account_key"))
    rows = rows.with_columns(
        policy_key=pl.when(is_own_policy | pl.col("pays_policy")).then("policy_key").otherwise(0),
        own_policy_key=pl.when(is_own_policy).then("policy_key").otherwise(0),
        invoice_key=pl.when(is_own_invoice).then("invoice_key").otherwise(0),
    )
    periods = book["policy_periods"].filter(pl.col("policy_key").is_in(rows["policy_key"].unique().implode()))
    latest = (
        periods.sort("policy_key", pl.col("status") == "in_force", "term_number")
        .unique("policy_key", keep="last")
        .select("policy_key", latest_period="period_key")
    )
    named = periods.select("policy_key", "term_number", named_period="period_key")
    rows = rows.join(named, on=["policy_key", "term_number"], how="left", maintain_order="left")
    rows = rows.join(latest, on="policy_key", how="left", maintain_order="left")
    fund_policy_key = pl.when(pl.col("separates_funds").fill_null(value=False)).then("own_policy_key").otherwise(0)
    return rows.with_columns(
        period_key=pl.when(pl.col("term_number").is_null())
        .then("latest_period")
        .otherwise("named_period")
        .fill_null(0),
        fund_policy_key=fund_policy_key,
    ).with_columns(fund_key=fund_key(pl.col("account_key"), pl.col("fund_policy_key")))


def _pays_items_of_policy(rows: pl.DataFrame, book: Book) -> pl.Series:
    """Whether the payer pays for the policy that it names, although another account owns it.

    It pays items of the policy, or a term of it as a rule (R-BL-6, R-ITM-05, R-PAP-02).
    """
    wants_other = (
        (pl.col("account_key") > 0) & (pl.col("policy_key") > 0) & (pl.col("policy_account") != pl.col("account_key"))
    )
    others = rows.filter(wants_other)
    if others.is_empty():
        return pl.Series([False]).new_from_index(0, rows.height)
    items = book["invoice_items"].filter(
        pl.col("account_key").is_in(others["account_key"].implode())
        & pl.col("policy_key").is_in(others["policy_key"].implode())
    )
    periods = book["policy_periods"].filter(pl.col("payer_account_key").is_in(others["account_key"].implode()))
    payers = periods.select("policy_key", account_key="payer_account_key")
    pairs = pl.concat([items.select("account_key", "policy_key"), payers.select("account_key", "policy_key")])
    pairs = pairs.unique().with_columns(pays=pl.lit(value=True))
    found = rows.select("account_key", "policy_key").join(
        pairs, on=["account_key", "policy_key"], how="left", maintain_order="left"
    )
    return found["pays"].fill_null(value=False)


def _undoable_directions(booked: pl.DataFrame, book: Book, carrier: Carrier) -> pl.DataFrame:
    """Payments that came with directions which cannot be followed (R-DBP-09)."""
    directed = booked.filter(pl.col("distribution").is_not_null() & (pl.col("account_key") > 0))
    if directed.is_empty():
        return no_refusals()
    given = read_params(directed.with_columns(params="distribution"), DIRECTED)
    _, _, problems = read_directions(book, given, carrier)
    given = with_available(book, given.with_columns(in_fund=pl.lit(0, pl.Int64)))
    wrong = given.join(problems, on="payment_key", how="inner").filter(is_undoable())
    return _notices(wrong.with_columns(code=pl.lit("W-PAYMENT-DISTRIBUTION")))


def _warnings(booked: pl.DataFrame) -> pl.DataFrame:
    """Payments that are not what they seem: suspended although of another kind, or not for what they name."""
    is_suspended = (pl.col("status") == "suspended") & (pl.col("kind") != "suspense")
    is_target_lost = (pl.col("status") == "executed") & ~is_as_named()
    is_of_other_account = (pl.col("policy_id").is_not_null() & (pl.col("policy_key") == 0)) | (
        pl.col("invoice_id").is_not_null() & (pl.col("invoice_key") == 0)
    )
    return _notices(
        booked.with_columns(
            code=pl.when(is_suspended)
            .then(pl.lit("W-PAYMENT-SUSPENDED"))
            .when(pl.col("is_set_aside"))
            .then(pl.lit("W-PAYMENT-ASIDE"))
            .when(is_target_lost & is_of_other_account)
            .then(pl.lit("W-PAYMENT-TARGET"))
            .when(is_target_lost)
            .then(pl.lit("W-PAYMENT-TERM"))
        ).filter(pl.col("code").is_not_null())
    )


def _notices(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a `code` in the shape of the quarantine, with what they name as detail."""
    named = ("kind", "payment_date", "currency", "account_id", "policy_id", "term_number", "invoice_id")
    said = [
        pl.when(pl.col(name).is_not_null()).then(pl.format(f"{name} {{}}", pl.col(name).cast(pl.String)))
        for name in named
    ]
    return rows.select(
        "file",
        "row_no",
        "code",
        table_name=pl.lit(PAYMENTS.name),
        record_id="payment_id",
        rule=pl.col("code").replace_strict(_RULES, return_dtype=pl.String),
        detail=pl.concat_str(said, separator=", ", ignore_nulls=True),
    ).select(REFUSALS.names())
