"""Payments: from the funds that received them to the items that they pay.

How money gets into a fund is in `ledger.receipts`. Distribution is a step of its own: of the payments of the day, each
with what it is for, and later of whatever lies in the funds (R-DST-15, R-DST-16). How money meets items is in
`ledger.settlement`.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.book import Book, default_fund_key
from ledger.carrier import Carrier
from ledger.directions import distribute_landed
from ledger.receipts import is_as_named
from ledger.return_premiums import allocate_credits, payers_with_credits
from ledger.segments import at_run_start, run_number
from ledger.settlement import Clock, Distributed, Settlement, book_settlement

_RUN = ("account_key", "fund_key", "period_key", "invoice_key")


def distribute_new_payments(
    book: Book, day: date, carrier: Carrier, *, billed_through: date, due_through: date
) -> Distributed:
    """Apply the payments that were received today and are to be distributed, oldest first (R-DBP-05, R-DST-15).

    Per account in the order of payment date and payment id, each with its own fund, policy period and invoice, credits
    before money (R-DST-03). What a payment cannot pay stays in its fund (R-DST-04). Invoices count as billed and due
    by `billed_through` and `due_through` (`settlement.Clock`). Call it once a day: it does not look at what is paid
    already. Transactions carry the business date.
    """
    is_to_distribute = (pl.col("status") == "executed") & (pl.col("distribute") == "auto") & is_as_named()
    payments = book["payments"].filter(pl.col("received_date") == day)
    if payments.is_empty():
        return Distributed.nothing(book)
    payments = payments.filter(is_to_distribute)
    payments = payments.sort("account_key", "payment_date", "payment_id")
    directed = payments.filter(pl.col("distribution").is_not_null())["account_key"].unique()
    if len(directed):
        return _distribute_some_as_directed(book, payments, directed, day, carrier)
    return distribute_payments(book, payments, day, carrier, billed_through=billed_through, due_through=due_through)


def _distribute_some_as_directed(
    book: Book, payments: pl.DataFrame, accounts: pl.Series, day: date, carrier: Carrier
) -> Distributed:
    """Payments of these accounts as they are directed, then those of the others (R-DBP-06)."""
    is_directed = pl.col("account_key").is_in(accounts.implode())
    yesterday = day - timedelta(days=1)
    first = distribute_landed(book, payments.filter(is_directed), day, carrier)
    others = payments.filter(~is_directed)
    second = distribute_payments(first.book, others, day, carrier, billed_through=yesterday, due_through=yesterday)
    return Distributed(
        second.book,
        pl.concat([first.transactions, second.transactions]),
        pl.concat([first.payment_items, second.payment_items]),
    )


def distribute_payments(  # noqa: PLR0913 -- the clock of a billing day is two dates
    book: Book, payments: pl.DataFrame, day: date, carrier: Carrier, *, billed_through: date, due_through: date
) -> Distributed:
    """Apply these payments, of which nothing is applied yet, in their order, which is by account.

    payments: payment_key, account_key, fund_key, period_key, invoice_key, amount. Otherwise as
    `distribute_new_payments`.
    """
    if payments.is_empty():
        return Distributed.nothing(book)
    # Consecutive payments of an account with the same fund and association see the same items: they are one run.
    payments = payments.with_columns(run=run_number(*_RUN))
    payments = payments.with_columns(round=pl.col("run") - at_run_start(pl.col("run"), "account_key"))
    clock = Clock.of(carrier, billed_through, due_through)
    settlement = Settlement.start(book, payments["account_key"].unique(), clock, carrier)
    for now in payments.partition_by("round", maintain_order=True):
        runs = now.unique("run", keep="first", maintain_order=True).select(
            "run",
            "account_key",
            "fund_key",
            fund_policy_key=pl.when(pl.col("fund_key") % 2 == 1).then(pl.col("fund_key") // 2).otherwise(0),
            for_period_key="period_key",
            for_invoice_key="invoice_key",
        )
        settlement = settlement.settle(runs, now.select("run", "payment_key", "amount"))
    return book_settlement(book, settlement, day)


def distribute_payments_anew(book: Book, payments: pl.DataFrame, day: date, carrier: Carrier) -> Distributed:
    """Apply money of these payments that has come free in their funds today, before invoices are billed.

    payments: rows of the book, `amount` being what has come free.
    """
    ordered = payments.sort("account_key", "payment_date", "payment_id")
    yesterday = day - timedelta(days=1)
    return distribute_payments(book, ordered, day, carrier, billed_through=yesterday, due_through=yesterday)


def distribute_on_turned_invoices(
    book: Book, billed_accounts: pl.Series, due_accounts: pl.Series, day: date, carrier: Carrier
) -> Distributed:
    """Apply credits, then the funds of the payers whose invoices were billed or became due today (R-DST-10, R-DST-16).

    As if that were done once when invoices are billed and once more when others become due. One pass over the funds
    gives the same, but for payers who have both and whose plan tells billed from due, who have credits that wait for
    their invoice (R-RPP-23), or who pay recaptures, which bring new money into a fund (R-RC-5): those get both.
    """
    yesterday = day - timedelta(days=1)
    on_billed = allocate_credits(book, day, carrier, billed_through=day, due_through=yesterday)
    if billed_accounts.is_empty() and due_accounts.is_empty():
        return on_billed
    book = on_billed.book
    sensitive = [
        name
        for name, plan in carrier.payment_allocation_plans.items()
        if "past_due" in plan.filters or "billed_status" in plan.orders
    ]
    both = billed_accounts.filter(billed_accounts.is_in(due_accounts.implode()))
    is_sensitive = pl.col("payment_allocation_plan").is_in(sensitive)
    others = pl.concat([_payers_of_recaptures(book, both), payers_with_credits(book, both)])
    twice = book["accounts"].filter(
        pl.col("account_key").is_in(both.implode()) & (is_sensitive | pl.col("account_key").is_in(others.implode()))
    )["account_key"]
    first = distribute_funds(book, twice, day, carrier, billed_through=day, due_through=yesterday)
    on_due = allocate_credits(first.book, day, carrier, billed_through=day, due_through=day)
    turned = pl.concat([billed_accounts, due_accounts]).unique().sort()
    second = distribute_funds(on_due.book, turned, day, carrier, billed_through=day, due_through=day)
    steps = (on_billed, first, on_due, second)
    return Distributed(
        second.book,
        pl.concat([step.transactions for step in steps]),
        pl.concat([step.payment_items for step in steps]),
    )


def _payers_of_recaptures(book: Book, account_keys: pl.Series) -> pl.Series:
    """Those of these accounts that have recapture items to pay."""
    if account_keys.is_empty():
        return account_keys
    is_open = pl.col("paid") + pl.col("written_off") != pl.col("amount")
    items = book["invoice_items"].filter("is_recapture").filter(is_open)
    return items.filter(pl.col("account_key").is_in(account_keys.implode()))["account_key"].unique()


def distribute_funds(  # noqa: PLR0913 -- the clock of a billing day is two dates
    book: Book, account_keys: pl.Series, day: date, carrier: Carrier, *, billed_through: date, due_through: date
) -> Distributed:
    """Apply all the money in the funds of these accounts, without an association, credits first (R-DST-10, R-DST-16).

    First each designated fund, to the items of its own policy; then the default fund, to any item that its account pays
    (R-BL-6). A fund in deficit pays nothing, but the credits of its items still do. Other arguments as in
    `distribute_new_payments`.
    """
    if account_keys.is_empty():
        return Distributed.nothing(book)
    keys = account_keys.implode()
    funds = book["funds"].filter(pl.col("account_key").is_in(keys))
    items = book["invoice_items"].filter(pl.col("amount") < 0)
    has_credit = (pl.col("paid") != pl.col("amount") - pl.col("written_off")) & pl.col("account_key").is_in(keys)
    moving = pl.concat(
        [funds.filter(pl.col("balance") > 0)["account_key"], items.filter(has_credit)["account_key"]]
    ).unique()
    if moving.is_empty():
        return Distributed.nothing(book)
    settlement = Settlement.start(book, moving, Clock.of(carrier, billed_through, due_through), carrier)
    funds = funds.filter(pl.col("account_key").is_in(moving.implode()))
    designated = funds.filter(pl.col("policy_key") > 0)
    if not designated.is_empty():
        settlement = _settle_funds(settlement, designated)
    default = pl.DataFrame({"account_key": moving.sort()}).with_columns(
        fund_key=default_fund_key(pl.col("account_key"))
    )
    default = default.join(funds.select("fund_key", "balance"), on="fund_key", how="left", maintain_order="left")
    settlement = _settle_funds(
        settlement, default.with_columns(pl.col("balance").fill_null(0), policy_key=pl.lit(0, pl.Int64))
    )
    return book_settlement(book, settlement, day)


def _settle_funds(settlement: Settlement, funds: pl.DataFrame) -> Settlement:
    """One round in which each of these funds pays with its balance."""
    none = pl.lit(0, pl.Int64)
    runs = funds.sort("fund_key").select(
        "account_key",
        "fund_key",
        "balance",
        fund_policy_key="policy_key",
        run=pl.int_range(pl.len(), dtype=pl.Int64),
        for_period_key=none,
        for_invoice_key=none,
    )
    payers = runs.filter(pl.col("balance") > 0).select("run", amount="balance", payment_key=none)
    return settlement.settle(runs.drop("balance"), payers)
