"""Payments distributed anew, as somebody directs (R-PMV-12, R-PMV-13)."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.directed import DIRECTIONS, Directed, distribute_as_directed
from ledger.directions import read_directions, with_available
from ledger.effects import Effects
from ledger.payment_items import standing_parts_of_payments
from ledger.payments import distribute_payments
from ledger.reversals import undo_distribution
from ledger.segments import run_cum_sum


def modify_distributions(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take back what payments paid and distribute them anew, as directed; no new version is made.

    In: commands with payment_key and the parameters of DISTRIBUTION and `distribute`. What is distributed of a payment
    is what of it is not in suspense, as far as its fund still holds it. Refused: payments that do not stand, targets
    that are not known, allocations beyond what there is (R-DBP-04, R-DBP-09). Rules: R-PMV-12, R-PMV-13.
    """
    facts = book["payments"].filter(pl.col("payment_key").is_in(commands["payment_key"].implode()))
    known = facts.select(
        "payment_key",
        "fund_key",
        "period_key",
        "invoice_key",
        known_status=pl.col("status").cast(pl.String),
        known_amount="amount",
    )
    wanted = commands.drop("invoice_key", "amount").join(known, on="payment_key", how="left", maintain_order="left")
    wanted = with_available(book, _with_money(book, wanted))
    allocations, choices, problems = read_directions(book, wanted, carrier)
    wanted = wanted.join(problems, on="payment_key", how="left", maintain_order="left")
    right, refused = split_refused(
        wanted,
        {
            "E-PAYMENT-STATUS": pl.col("known_status") != "executed",
            "E-DISTRIBUTION-TARGET": pl.col("has_unknown_target"),
            "E-DISTRIBUTION-AMOUNT": pl.col("has_wrong_amount") | (pl.col("allocated") > pl.col("available")),
        },
    )
    effects = Effects(book, refused=(refused,)).then(undo_distribution(book, right["payment_key"], day))
    again = right.filter(pl.col("distribute") == "auto").sort("fund_key", "payment_key")
    again = _as_far_as_held(effects.book, again).sort("payment_key")
    directed = Directed(
        again.select(pl.col(name).cast(dtype) for name, dtype in DIRECTIONS.items()),
        allocations.join(again, on="payment_key", how="semi"),
        choices.join(again, on="payment_key", how="semi"),
    )
    done = distribute_as_directed(effects.book, directed, day, carrier)
    return effects.then(Effects(done.book, (done.transactions,)))


def redistribute(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Distribute what is not distributed of payments, last in first out; first in first out where funds are tracked.

    In: commands with account_key and payments (ids, null for all that stand). Of each payment goes what is neither
    applied nor in suspense, as far as its fund still holds it; where funds are tracked, what was refunded was of the
    earliest payments of the fund. Refused: a payment that is not one of the account, or does not stand. Rules:
    R-FT-7..9.
    """
    named = commands.select("command_id", "account_key", payment_id="payments").explode("payment_id")
    facts = book["payments"].filter(pl.col("account_key").is_in(commands["account_key"].implode()))
    standing = facts.filter(pl.col("status") == "executed").rename({"amount": "known_amount"})
    chosen = named.join(
        standing.select("account_key", "payment_id", "payment_key"), on=["account_key", "payment_id"], how="left"
    )
    unknown = chosen.filter(pl.col("payment_id").is_not_null() & pl.col("payment_key").is_null())["command_id"]
    right, refused = split_refused(commands, {"E-PAYMENT-STATUS": pl.col("command_id").is_in(unknown.implode())})
    takes_all = right.filter(pl.col("payments").is_null())["account_key"]
    is_meant = pl.col("account_key").is_in(takes_all.implode()) | pl.col("payment_key").is_in(
        chosen.join(right, on="command_id", how="semi")["payment_key"].drop_nulls().implode()
    )
    standing = standing.filter(pl.col("account_key").is_in(right["account_key"].implode()))
    tracking = carrier.funds_tracking
    latest_first = not tracking.enabled
    if tracking.enabled and tracking.link_disbursements:
        payments = _what_is_left(book, standing).filter(is_meant)
    else:
        payments = _with_money(book, standing.filter(is_meant)).with_columns(amount="in_fund")
    payments = _by_receipt(payments, "fund_key", latest_first=latest_first)
    payments = _as_far_as_held(book, payments).filter(pl.col("amount") > 0)
    ordered = _by_receipt(payments, "account_key", latest_first=latest_first)
    yesterday = day - timedelta(days=1)
    done = distribute_payments(book, ordered, day, carrier, billed_through=yesterday, due_through=yesterday)
    return Effects(done.book, (done.transactions,), refused=(refused,))


def _what_is_left(book: Book, payments: pl.DataFrame) -> pl.DataFrame:
    """All payments of some funds with what of each is still there: what left a fund otherwise was the earliest's."""
    with_money = _with_money(book, payments).with_columns(amount="in_fund")
    return _as_far_as_held(book, _by_receipt(with_money, "fund_key", latest_first=True)).drop("balance")


def _by_receipt(payments: pl.DataFrame, key: str, *, latest_first: bool) -> pl.DataFrame:
    """Payments by fund or account, and of each in the order in which they came in, or the other way round."""
    return payments.sort(key, "received_date", "payment_key", descending=[False, latest_first, latest_first])


def _with_money(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """Add what of the payment may be distributed, `amount`, and what of that lies in its fund, `in_fund`."""
    keys = commands["payment_key"]
    is_held = pl.col("payment_key").is_in(keys.implode()) & (pl.col("status") == "open")
    held = book["suspense_items"].filter(is_held).group_by("payment_key").agg(held=pl.col("amount").sum())
    applied = standing_parts_of_payments(book, keys).group_by("payment_key").agg(applied=pl.col("amount").sum())
    for sums in (held, applied):
        commands = commands.join(sums, on="payment_key", how="left", maintain_order="left")
    amount = pl.col("known_amount") - pl.col("held").fill_null(0)
    return commands.with_columns(amount=amount, in_fund=amount - pl.col("applied").fill_null(0)).drop("held", "applied")


def _as_far_as_held(book: Book, payments: pl.DataFrame) -> pl.DataFrame:
    """Payments with no more of their amount than their funds hold, the first ones first; they come by fund."""
    payments = payments.join(
        book["funds"].select("fund_key", "balance"), on="fund_key", how="left", maintain_order="left"
    )
    before = run_cum_sum(pl.col("amount"), "fund_key") - pl.col("amount")
    left = (pl.col("balance").fill_null(0) - before).clip(0)
    return payments.with_columns(pl.min_horizontal("amount", left).alias("amount"))


PROCESSES = {"modify_payment_distribution": modify_distributions, "redistribute_payments": redistribute}
"""Which process carries out which command."""
