"""Where people say how a payment is distributed: read from its row, then followed (R-DBP-06..12)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, default_fund_key
from ledger.carrier import Carrier
from ledger.command_params import read_params
from ledger.directed import ALLOCATIONS, CHOICES, DIRECTIONS, Directed, distribute_as_directed
from ledger.money import minor_units
from ledger.parsing import decimals_of
from ledger.settlement import Distributed
from schemas.commands import CommandType
from schemas.commands.payments import DISTRIBUTION

DIRECTED = CommandType(
    name="distribution", description="How a payment is distributed.", rules="R-DBP-06", params=DISTRIBUTION
)
"""What the column `distribution` of a landed payment may hold."""
_KEY_IS_ID = {"invoice": ("invoices", "invoice_key"), "invoice_item": ("invoice_items", "item_key")}


def distribute_landed(book: Book, payments: pl.DataFrame, day: date, carrier: Carrier) -> Distributed:
    """Apply the payments of accounts of which one at least came with directions, all in their order.

    payments: rows of the book, sorted as payments are taken. Directions that cannot be followed are disregarded as a
    whole (`ledger.receipts` warns of them); the payment then goes by the plan of its account.
    """
    given = read_params(payments.with_columns(params="distribution"), DIRECTED)
    allocations, choices, problems = read_directions(book, given, carrier)
    given = with_available(book, given.with_columns(in_fund="amount"))
    given = given.join(problems, on="payment_key", how="left", maintain_order="left").with_columns(
        is_wrong=is_undoable().fill_null(value=False)
    )
    right = given.filter(~pl.col("is_wrong"))
    plain = pl.col("is_wrong")
    directions = given.with_columns(
        include_only=pl.when(~plain).then("include_only"),
        select_where=pl.when(plain).then(pl.lit("payer")).otherwise("select_where"),
        select_is=pl.when(plain).then(pl.lit("account")).otherwise("select_is"),
        use_default_unapplied=pl.when(plain).then(pl.lit(value=False)).otherwise("use_default_unapplied"),
    )
    directed = Directed(
        directions.select(pl.col(name).cast(dtype) for name, dtype in DIRECTIONS.items()),
        allocations.join(right, on="payment_key", how="semi"),
        choices.join(right, on="payment_key", how="semi"),
    )
    return distribute_as_directed(book, directed, day, carrier)


def is_undoable() -> pl.Expr:
    """Whether directions (with the problems of `read_directions` and what is `available`) cannot be followed."""
    return pl.col("has_unknown_target") | pl.col("has_wrong_amount") | (pl.col("allocated") > pl.col("available"))


def with_available(book: Book, payments: pl.DataFrame) -> pl.DataFrame:
    """Add what a payment may distribute: its amount and, where it asks for it, what the default fund held before.

    In: account_key, fund_key, amount, use_default_unapplied, and in_fund, how much of its money is in its fund. Rule:
    R-DBP-04.
    """
    default = default_fund_key(pl.col("account_key"))
    balances = book["funds"].select("fund_key", "balance").rename({"fund_key": "default_fund_key"})
    received = payments.filter(pl.col("fund_key") == default).group_by(default_fund_key="fund_key")
    payments = (
        payments.with_columns(default_fund_key=default)
        .join(balances, on="default_fund_key", how="left", maintain_order="left")
        .join(received.agg(new=pl.col("in_fund").sum()), on="default_fund_key", how="left", maintain_order="left")
    )
    held = (pl.col("balance").fill_null(0) - pl.col("new").fill_null(0)).clip(0)
    available = pl.col("amount") + pl.when("use_default_unapplied").then(held).otherwise(0)
    return payments.with_columns(available=available).drop("default_fund_key", "balance", "new")


def read_directions(
    book: Book, payments: pl.DataFrame, carrier: Carrier
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The allocations and choices of payments, and what is wrong with them.

    In: payment_key, currency and the columns of DISTRIBUTION. Out: ALLOCATIONS and CHOICES, amounts in minor units; and
    per payment with allocations or choices payment_key, has_unknown_target, has_wrong_amount, allocated.
    """
    currency = pl.col("currency").fill_null(carrier.currency)
    listed = payments.select("payment_key", "allocate", decimals=decimals_of(currency)).filter(
        pl.col("allocate").list.len() > 0
    )
    allocations = (
        listed.with_columns(place=pl.int_ranges(pl.col("allocate").list.len()))
        .explode("allocate", "place")
        .unnest("allocate")
        .with_columns(amount=minor_units(pl.col("amount"), pl.col("decimals")))
    )
    allocations = _with_target_keys(book, allocations)
    items = pl.concat(
        [
            payments.select("payment_key", item_id=name, is_included=pl.lit(name == "include")).explode("item_id")
            for name in ("include", "exclude")
        ]
    ).filter(pl.col("item_id").is_not_null())
    choices = _with_target_keys(
        book, items.with_columns(target_type=pl.lit("invoice_item"), target_id="item_id")
    ).with_columns(item_key="target_key")
    amount = pl.col("amount")
    problems = pl.concat(
        [
            allocations.select(
                "payment_key",
                has_unknown_target=pl.col("target_key").is_null(),
                has_wrong_amount=(amount.is_null() | (amount < 0)),
                allocated=amount.fill_null(0),
            ),
            choices.select(
                "payment_key",
                has_unknown_target=pl.col("target_key").is_null(),
                has_wrong_amount=pl.lit(value=False),
                allocated=pl.lit(0, pl.Int64),
            ),
        ]
    )
    problems = problems.group_by("payment_key").agg(
        pl.col("has_unknown_target", "has_wrong_amount").any(), pl.col("allocated").sum()
    )
    return (
        allocations.select(pl.col(name).cast(dtype) for name, dtype in ALLOCATIONS.items()),
        choices.select(pl.col(name).cast(dtype) for name, dtype in CHOICES.items()),
        problems,
    )


def _with_target_keys(book: Book, rows: pl.DataFrame) -> pl.DataFrame:
    """Add target_key, null when there is no such policy, invoice or item."""
    number = pl.col("target_id").cast(pl.Int64, strict=False)
    rows = rows.with_columns(number=number)
    policies = book["policies"].filter(pl.col("policy_id").is_in(rows["target_id"].implode()))
    found = rows.join(
        policies.select(target_id="policy_id", policy_target="policy_key"),
        on="target_id",
        how="left",
        maintain_order="left",
    )
    known = {
        kind: book[table].filter(pl.col(key).is_in(rows["number"].implode()))[key].implode()
        for kind, (table, key) in _KEY_IS_ID.items()
    }
    is_kind = pl.col("target_type")
    of_policies = pl.when(is_kind == "policy").then("policy_target")
    of_numbers = [
        pl.when((is_kind == kind) & pl.col("number").is_in(keys)).then("number") for kind, keys in known.items()
    ]
    key = pl.coalesce(of_policies, *of_numbers)
    return found.with_columns(target_key=key).drop("number", "policy_target")
