"""What a command is about: from the external id of its target to the keys of the book."""

from __future__ import annotations

import polars as pl

from ledger.book import Book
from ledger.parsing import decimals_of

_ID_IS_KEY = {
    "invoice": ("invoices", "invoice_key"),
    "invoice_stream": ("invoice_streams", "stream_key"),
    "invoice_item": ("invoice_items", "item_key"),
    "charge": ("charges", "charge_key"),
}
"""Targets whose external id is the number that the published views show."""
_ID_IS_TEXT = {
    "account": ("accounts", "account_id", "account_key"),
    "policy": ("policies", "policy_id", "policy_key"),
    "payment": ("payments", "payment_id", "payment_key"),
    "ad_hoc_credit": ("ad_hoc_credits", "credit_id", "credit_key"),
    "disbursement": ("disbursements", "disbursement_id", "disbursement_key"),
    "credit_distribution": ("credit_distributions", "distribution_id", "distribution_key"),
}
REFERENCE = "reference:"
"""What a target id begins with that names a payment by its reference, such as the trace number of a bank."""
KEYS = (
    *("account_key", "policy_key", "invoice_key", "stream_key", "item_key", "charge_key", "payment_key"),
    *("credit_key", "disbursement_key", "distribution_key"),
)
"""What a resolved command has, 0 where it does not apply."""


def find_targets(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """Add the keys of what each command is about.

    In: commands with `target_type` and `target_id`. Out: the same rows in the same order with KEYS, `is_known` (its
    target is in the book, or it has none), `currency` and `decimals` of the account concerned. The account is the one
    named, the owner of the policy or charge, the payer of the invoice, stream, item or payment, or the one that a
    credit, disbursement or credit distribution is for. Invoices, streams, items and charges are named by the number
    that the views show; a charge also as instruction_id/charge_no, a payment also as reference:<its reference>. Rows of
    several types may be mixed.
    """
    commands = commands.with_columns(pl.lit(0, pl.Int64).alias(key) for key in KEYS)
    commands = commands.with_row_index("place")
    parts = []
    for (kind,), rows in commands.partition_by("target_type", as_dict=True, maintain_order=True).items():
        if kind in _ID_IS_TEXT:
            table, column, key = _ID_IS_TEXT[str(kind)]
            named, wanted = rows, pl.col("target_id")
            if kind == "payment":
                named = _with_ids_of_references(book, rows)
                wanted = pl.coalesce("id_of_reference", wanted)
            parts.append(_found(book[table], named, wanted, pl.col(column), key).select(commands.columns))
        elif kind in _ID_IS_KEY:
            table, key = _ID_IS_KEY[str(kind)]
            number = pl.col("target_id").cast(pl.Int64, strict=False)
            named = rows
            if kind == "charge":
                named = _with_charge_numbers(book, rows)
                number = pl.coalesce("charge_number", number)
            parts.append(_found(book[table], named, number, pl.col(key), key).select(commands.columns))
        else:
            parts.append(rows)
    found = pl.concat(parts).sort("place").drop("place") if parts else commands.drop("place")
    found = found.with_columns(is_known=pl.col("target_id").is_null() | pl.any_horizontal(pl.col(KEYS) > 0))
    accounts = book["accounts"].filter(pl.col("account_key").is_in(found["account_key"].unique().implode()))
    accounts = accounts.select("account_key", "currency", decimals=decimals_of(pl.col("currency")))
    return found.join(accounts, on="account_key", how="left", maintain_order="left")


def _found(table: pl.DataFrame, rows: pl.DataFrame, wanted: pl.Expr, column: pl.Expr, key: str) -> pl.DataFrame:
    """These commands with the keys that the table's row of the wanted id has."""
    rows = rows.with_columns(wanted=wanted)
    is_wanted = column.is_in(rows["wanted"].drop_nulls().unique().implode())
    known = [name for name in KEYS if name in table.columns or name == key]
    facts = table.filter(is_wanted).select(column.alias("wanted"), *known).unique("wanted", keep="first")
    joined = rows.drop(known).join(facts, on="wanted", how="left", maintain_order="left")
    return joined.with_columns(pl.col(known).fill_null(0)).select(*(name for name in rows.columns if name != "wanted"))


def _with_charge_numbers(book: Book, rows: pl.DataFrame) -> pl.DataFrame:
    """Add charge_number, the key of a charge that is named as instruction_id/charge_no."""
    named = rows.with_columns(
        instruction_id=pl.col("target_id").str.extract(r"^(.+)/[0-9]+$", 1),
        charge_no=pl.col("target_id").str.extract(r"^.+/([0-9]+)$", 1).cast(pl.Int64, strict=False),
    )
    instructions = book["instructions"].filter(pl.col("instruction_id").is_in(named["instruction_id"].implode()))
    charges = (
        book["charges"]
        .filter(pl.col("instruction_key").is_in(instructions["instruction_key"].implode()))
        .join(instructions.select("instruction_key", "instruction_id"), on="instruction_key")
        .select("instruction_id", "charge_no", charge_number="charge_key")
    )
    found = named.join(charges, on=["instruction_id", "charge_no"], how="left", maintain_order="left")
    return found.drop("instruction_id", "charge_no")


def _with_ids_of_references(book: Book, rows: pl.DataFrame) -> pl.DataFrame:
    """Add id_of_reference: of a payment that is named by its reference, the id; null where that is not one payment.

    Of several payments with the reference the one that stands is meant, so that the successor of a payment that was
    corrected is found; if none stands, the last. Several that stand are not told apart: the target is unknown.
    """
    is_reference = pl.col("target_id").str.starts_with(REFERENCE)
    references = rows.filter(is_reference)["target_id"].str.slice(len(REFERENCE)).unique()
    if references.is_empty():
        return rows.with_columns(id_of_reference=pl.lit(None, pl.String))
    stands = pl.col("status").is_in(["executed", "suspended"])
    found = (
        book["payments"]
        .filter(pl.col("reference").is_in(references.implode()))
        .select("reference", "payment_id", "payment_key", stands=stands)
        .sort("reference", "stands", "payment_key")
        .with_columns(standing=pl.col("stands").sum().over("reference"))
        .unique("reference", keep="last", maintain_order=True)
        .filter(pl.col("standing") <= 1)
        .select(target_id=pl.lit(REFERENCE) + pl.col("reference"), id_of_reference="payment_id")
    )
    return rows.join(found, on="target_id", how="left", maintain_order="left")


def find_periods_of(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """Add `period_key`: of commands about a policy, the term that they name, else the latest in force, else the latest.

    In: commands with `policy_key` and `term_number` (null when not named). Out: 0 when there is no such term.
    """
    periods = book["policy_periods"].filter(pl.col("policy_key").is_in(commands["policy_key"].unique().implode()))
    latest = (
        periods.sort("policy_key", pl.col("status") == "in_force", "term_number")
        .unique("policy_key", keep="last")
        .select("policy_key", latest_period="period_key")
    )
    named = periods.select("policy_key", "term_number", named_period="period_key")
    found = commands.join(named, on=["policy_key", "term_number"], how="left", maintain_order="left")
    found = found.join(latest, on="policy_key", how="left", maintain_order="left")
    period = pl.when(pl.col("term_number").is_null()).then("latest_period").otherwise("named_period")
    return found.with_columns(period_key=period.fill_null(0)).drop("named_period", "latest_period")
