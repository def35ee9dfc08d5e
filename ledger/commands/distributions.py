"""Payments distributed anew, as somebody directs (R-PMV-12, R-PMV-13)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.directed import DIRECTIONS, Directed, distribute_as_directed
from ledger.directions import read_directions
from ledger.effects import Effects
from ledger.reversals import undo_distribution


def modify_distributions(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take back what payments paid and distribute them anew, as directed; no new version is made.

    In: commands with payment_key and the parameters of DISTRIBUTION and `distribute`. Refused: payments that do not
    stand, targets that are not known, allocations beyond the payment (R-DBP-09). Rules: R-PMV-12, R-PMV-13.
    """
    facts = book["payments"].filter(pl.col("payment_key").is_in(commands["payment_key"].implode()))
    known = facts.select(
        "payment_key",
        "fund_key",
        "period_key",
        "invoice_key",
        money="amount",
        known_status=pl.col("status").cast(pl.String),
    )
    wanted = commands.drop("invoice_key", "amount").join(known, on="payment_key", how="left", maintain_order="left")
    allocations, choices, problems = read_directions(book, wanted, carrier)
    wanted = wanted.join(problems, on="payment_key", how="left", maintain_order="left")
    right, refused = split_refused(
        wanted,
        {
            "E-PAYMENT-STATUS": pl.col("known_status") != "executed",
            "E-DISTRIBUTION-TARGET": pl.col("has_unknown_target"),
            "E-DISTRIBUTION-AMOUNT": pl.col("has_wrong_amount") | (pl.col("allocated") > pl.col("money")),
        },
    )
    effects = Effects(book, refused=(refused,)).then(undo_distribution(book, right["payment_key"], day))
    again = right.filter(pl.col("distribute") == "auto").sort("payment_key")
    directed = Directed(
        again.with_columns(amount="money").select(pl.col(name).cast(dtype) for name, dtype in DIRECTIONS.items()),
        allocations.join(again, on="payment_key", how="semi"),
        choices.join(again, on="payment_key", how="semi"),
    )
    done = distribute_as_directed(effects.book, directed, day, carrier)
    return effects.then(Effects(done.book, (done.transactions,)))


PROCESSES = {"modify_payment_distribution": modify_distributions}
"""Which process carries out which command."""
