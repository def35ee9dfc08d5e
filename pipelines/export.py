"""The journal as text for plain-text accounting: hledger and beancount accept it and add it up again.

A second pair of eyes that shares no code with us. Account names are the same in both formats, such as
`Assets:PolicyPeriod:P1-1:Premium-Billed`: root by class, owner type, owner id, T-account. Two different owners or
T-accounts never share a name; the designated funds of an account do (their T-account has one name).
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import duckdb
import polars as pl

from ledger.money import format_minor_units, minor_units
from schemas.currencies import MINOR_UNIT_DECIMALS

ExportFormat = Literal["hledger", "beancount"]
Lines = pl.DataFrame | duckdb.DuckDBPyRelation | Iterable[pl.DataFrame]

COLUMNS = (
    "business_date",
    "transaction_id",
    "transaction_type",
    "line_no",
    "transaction_date",
    "owner_type",
    "owner_id",
    "t_account",
    "account_type",
    "side",
    "amount",
    "currency",
)
"""What the lines must have; the view `journal` has it. Amounts are minor units when whole, else decimals."""
NOTES = ("policy_id", "payment_id", "reverses_transaction_id")
"""What is written beside a transaction when the lines have it."""
ROOTS = {"Asset": "Assets", "Liability": "Liabilities", "Expense": "Expenses", "Revenue": "Income"}
_ACCOUNT = ("account_type", "owner_type", "owner_id", "t_account")
_ORDER = ("business_date", "transaction_id", "line_no")
_LINES_AT_ONCE = 200_000


class ExportError(ValueError):
    """The lines cannot be exported; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    transactions: int
    lines: int
    accounts: int


def export_journal(lines: Lines, export_format: ExportFormat, out: Path) -> Exported:
    """Write journal lines (COLUMNS, and NOTES if there) as a journal that hledger or beancount reads.

    A frame or a relation is sorted here; an iterator of frames must come by transaction and line number already, and
    may cut between any two lines. The file appears when it is complete. Raises ExportError for a column that is
    missing, a transaction that is not whole or whose lines are not in order, and an amount or currency we do not know.
    """
    unfinished = out.with_name(out.name + ".tmp")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as file:
            exported = _write(_batches(lines), export_format, file)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return exported


def _write(batches: Iterable[pl.DataFrame], export_format: ExportFormat, file: IO[str]) -> Exported:
    if export_format not in _FIRST:
        msg = f"unknown export format {export_format!r}; one of {', '.join(_FIRST)}"
        raise ExportError(msg)
    file.write(_FIRST[export_format])
    before: tuple[str, int] | None = None
    found: list[pl.DataFrame] = []
    transactions = line_count = 0
    for batch in batches:
        lines = _prepared(batch)
        if lines.is_empty():
            continue
        _check_order(lines, before)
        before = lines.select("transaction_id", "line_no").row(-1)
        transactions += lines.select((pl.col("line_no") == 1).sum()).item()
        line_count += lines.height
        found.append(lines.group_by("account").agg(pl.col("transaction_date").min(), pl.col("currency").unique()))
        file.write(_text(lines, _HEADS[export_format]([name for name in NOTES if name in lines.columns])))
    accounts = _accounts(found)
    file.write(_DIRECTIVES[export_format](accounts))
    return Exported(transactions, line_count, accounts.height)


def _batches(lines: Lines) -> Iterator[pl.DataFrame]:
    """The lines in pieces."""
    if isinstance(lines, duckdb.DuckDBPyRelation):
        ordered = lines.order(", ".join(_ORDER))
        for batch in ordered.to_arrow_reader(_LINES_AT_ONCE):
            piece = pl.from_arrow(batch)
            assert isinstance(piece, pl.DataFrame)
            yield piece
    elif isinstance(lines, pl.DataFrame):
        yield from lines.sort(_ORDER).iter_slices(_LINES_AT_ONCE)
    else:
        yield from lines


def _prepared(batch: pl.DataFrame) -> pl.DataFrame:
    """The lines with everything as text: `account`, and `amount` with the decimals of its currency, debits positive."""
    missing = [name for name in COLUMNS if name not in batch.columns]
    if missing:
        msg = f"the journal lacks {', '.join(missing)}"
        raise ExportError(msg)
    is_whole = batch.schema["amount"].is_integer()
    currency = pl.col("currency").cast(pl.String)
    decimals = currency.replace_strict(MINOR_UNIT_DECIMALS, default=None, return_dtype=pl.Int64)
    units = pl.col("amount").cast(pl.Int64) if is_whole else minor_units(pl.col("amount").cast(pl.String), decimals)
    signed = pl.when(pl.col("side").cast(pl.String) == "D").then(units).otherwise(-units)
    lines = batch.select(
        pl.col("transaction_date", "business_date").cast(pl.Date),
        pl.col("transaction_id", "transaction_type", *_ACCOUNT).cast(pl.String),
        pl.col("line_no").cast(pl.Int64),
        currency,
        format_minor_units(signed, decimals).alias("amount"),
        *(pl.col(name).cast(pl.String) for name in NOTES if name in batch.columns),
    )
    unclear = lines.filter(pl.col("amount").is_null())
    if unclear.height:
        msg = f"transaction {unclear['transaction_id'][0]}: no amount in minor units of {unclear['currency'][0]}"
        raise ExportError(msg)
    names = lines.select(_ACCOUNT).unique().with_columns(account_name().alias("account"))
    return lines.join(names, on=_ACCOUNT, how="left", maintain_order="left", nulls_equal=True)


def _check_order(lines: pl.DataFrame, before: tuple[str, int] | None) -> None:
    """Raise ExportError unless every line is the first of its transaction or follows the line before it."""
    last_id, last_line = before or ("", 0)
    previous_id = pl.col("transaction_id").shift(1, fill_value=last_id)
    previous_line = pl.col("line_no").shift(1, fill_value=last_line)
    follows = (pl.col("transaction_id") == previous_id) & (pl.col("line_no") == previous_line + 1)
    starts = (pl.col("transaction_id") != previous_id) & (pl.col("line_no") == 1)
    wrong = lines.filter(~(follows | starts))
    if wrong.height:
        transaction_id, line_no = wrong.select("transaction_id", "line_no").row(0)
        msg = f"transaction {transaction_id}: line {line_no} does not follow the line before it"
        raise ExportError(msg)


def _accounts(found: list[pl.DataFrame]) -> pl.DataFrame:
    """Every account with its first date and its currencies, by name."""
    if not found:
        return pl.DataFrame(schema={"account": pl.String, "transaction_date": pl.Date, "currency": pl.List(pl.String)})
    accounts = pl.concat(found).group_by("account")
    return accounts.agg(pl.col("transaction_date").min(), pl.col("currency").explode().unique().sort()).sort("account")


# Account names


def account_name() -> pl.Expr:
    """The account of a line, from its account_type, owner_type, owner_id and t_account."""
    root = pl.col("account_type").replace_strict(ROOTS, default=None)
    parts = [root, pl.col("owner_type"), component(pl.col("owner_id"), "-"), component(pl.col("t_account"), " ")]
    return pl.concat_str(parts, separator=":")


def component(text: pl.Expr, plain: str) -> pl.Expr:
    """Text as a component of an account name: a capital or a digit, then letters, digits and hyphens.

    Different texts give different components. `plain`, one character, becomes a hyphen; any other that is no letter or
    digit becomes `-xHH-` with its hexadecimal code, and so does `plain` before an x. What then starts with neither a
    capital nor a digit gets `X-x-` in front. Text beyond ASCII becomes `X-xx` and the hexadecimal code of its bytes.
    """
    others = [chr(code) for code in range(128) if chr(code) not in string.ascii_letters + string.digits + plain]
    codes = {f"{plain}x": f"-x{ord(plain):02X}-x", plain: "-", **{other: f"-x{ord(other):02X}-" for other in others}}
    ascii_only = text.str.replace_many([*codes], [*codes.values()], leftmost=True)
    starts_well = ascii_only.str.contains(r"^[A-Z0-9]")
    return (
        pl.when(text.str.contains(r"[^\x00-\x7F]"))
        .then(pl.lit("X-xx") + text.str.encode("hex").str.to_uppercase())
        .when(starts_well)
        .then(ascii_only)
        .otherwise(pl.lit("X-x-") + ascii_only)
    )


# Formats


def _text(lines: pl.DataFrame, head: pl.Expr) -> str:
    """All lines as postings, each transaction with its head before the first."""
    posting = pl.concat_str(pl.lit("    "), "account", pl.lit("  "), "amount", pl.lit(" "), "currency", pl.lit("\n"))
    numbered = lines.with_row_index("place")
    heads = numbered.filter(pl.col("line_no") == 1).select(pl.col("place") * 2, head.alias("text"))
    postings = numbered.select(pl.col("place") * 2 + 1, posting.alias("text"))
    return str(pl.concat([heads, postings]).sort("place").select(pl.col("text").str.join("")).item())


def _hledger_head(notes: Sequence[str]) -> pl.Expr:
    return pl.concat_str(
        pl.lit("\n"),
        pl.col("transaction_date").cast(pl.String),
        pl.lit(" * ("),
        component(pl.col("transaction_id"), "-"),
        pl.lit(") "),
        "transaction_type",
        pl.lit("  ; business_date: "),
        pl.col("business_date").cast(pl.String),
        *((pl.lit(f", {name}: ") + component(pl.col(name), "-")).fill_null("") for name in notes),
        pl.lit("\n"),
    )


def _beancount_head(notes: Sequence[str]) -> pl.Expr:
    return pl.concat_str(
        pl.lit("\n"),
        pl.col("transaction_date").cast(pl.String),
        pl.lit(" * "),
        _quoted(pl.col("transaction_type")),
        pl.lit("\n    transaction_id: "),
        _quoted(pl.col("transaction_id")),
        pl.lit("\n    business_date: "),
        pl.col("business_date").cast(pl.String),
        pl.lit("\n"),
        *((pl.lit(f"    {name}: ") + _quoted(pl.col(name)) + pl.lit("\n")).fill_null("") for name in notes),
    )


def _quoted(text: pl.Expr) -> pl.Expr:
    escaped = text.str.replace_many(["\\", '"', "\n"], ["\\\\", '\\"', "\\n"])
    return pl.lit('"') + escaped + pl.lit('"')


def _hledger_directives(accounts: pl.DataFrame) -> str:
    currencies = accounts.select(pl.col("currency").explode().unique().sort()).to_series()
    samples = [f"commodity 1000.{'0' * MINOR_UNIT_DECIMALS[currency]} {currency}\n" for currency in currencies]
    names = accounts.select((pl.lit("account ") + pl.col("account") + pl.lit("\n")).str.join("")).item()
    return f"\n{''.join(samples)}\n{names}"


def _beancount_directives(accounts: pl.DataFrame) -> str:
    line = pl.concat_str(
        pl.col("transaction_date").cast(pl.String),
        pl.lit(" open "),
        "account",
        pl.lit(" "),
        pl.col("currency").list.join(","),
        pl.lit("\n"),
    )
    return "\n" + str(accounts.select(line.str.join("")).item())


_FIRST = {"hledger": "decimal-mark .\n", "beancount": ""}
_HEADS = {"hledger": _hledger_head, "beancount": _beancount_head}
_DIRECTIVES = {"hledger": _hledger_directives, "beancount": _beancount_directives}
