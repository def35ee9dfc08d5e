"""Payments distributed anew, as somebody directs (R-PMV-12, R-PMV-13)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.directed import DIRECTIONS, Directed, distribute_as_directed
from ledger.directions import read_directions, with_available
from ledger.effects import Effects
from ledger.payment_items import standing_parts_of_payments
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
    again = _as_far_as_held(effects.book, right.filter(pl.col("distribute") == "auto"))
    directed = Directed(
        again.select(pl.col(name).cast(dtype) for name, dtype in DIRECTIONS.items()),
        allocations.join(again, on="payment_key", how="semi"),
        choices.join(again, on="payment_key", how="semi"),
    )
    done = distribute_as_directed(effects.book, directed, day, carrier)
    return effects.then(Effects(done.book, (done.transactions,)))


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
    """Payments with no more of their amount than their funds hold, the first ones first."""
    payments = payments.sort("fund_key", "payment_key").join(
        book["funds"].select("fund_key", "balance"), on="fund_key", how="left", maintain_order="left"
    )
    before = run_cum_sum(pl.col("amount"), "fund_key") - pl.col("amount")
    left = (pl.col("balance").fill_null(0) - before).clip(0)
    return payments.with_columns(pl.min_horizontal("amount", left).alias("amount")).sort("payment_key")


PROCESSES = {"modify_payment_distribution": modify_distributions}
"""Which process carries out which command."""
