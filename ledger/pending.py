"""Instructions that come before what they are about: they wait, are tried again each day, and in the end are refused.

An instruction for a policy or a policy period that is not known may only be early: a cancellation can overtake the
issuance that it belongs to. Where the carrier gives it `pending_days`, it waits that long with its charges, and is
tried again with the rows of each day, as if it had come in with them. A row that is tried again has a file name of its
own, so that every day's rows in are booked, repeated, in quarantine, or still waiting (I-39).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ledger.book import Book, number_from
from ledger.carrier import Carrier
from ledger.quarantine import ROW, raw_rows
from schemas.book_pending import PENDING_ROWS
from schemas.landing import BILLING_INSTRUCTIONS, CHARGES

Inbox = Mapping[str, pl.DataFrame]
MAY_BE_EARLY = ("E-POLICY-UNKNOWN", "E-PERIOD-UNKNOWN")
"""The reasons for which an instruction may wait."""
_CARRIED = "E-INSTRUCTION-REFUSED"
_FOLDER = "pending"
_TABLES = (BILLING_INSTRUCTIONS, CHARGES)
_NONE_WAITING = PENDING_ROWS.empty().with_row_index("row")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a day lets wait: the book, the refusals that are left, and which rows wait (table_name, file, row_no)."""

    book: Book
    refused: pl.DataFrame
    rows: pl.DataFrame


def with_waiting_rows(book: Book, inbox: Inbox) -> Inbox:
    """The rows of a day, and with them the instructions and charges that wait.

    An instruction of which a row lands today waits no more: what landed counts.
    """
    waiting = _waiting(book)
    if waiting.is_empty():
        return inbox
    waiting = waiting.filter(~pl.col("record_id").is_in(_landed_ids(inbox).implode()))
    together = dict(inbox)
    for table in _TABLES:
        rows = waiting.filter(pl.col("table_name") == table.name)
        if not rows.is_empty():
            texts = rows["raw_json"].str.json_decode(pl.Struct(dict.fromkeys(table.column_names, pl.String)))
            again = rows.select(file=_file_of_waiting(), row_no="row_no").hstack(texts.struct.unnest())
            landed = [inbox[table.name]] if table.name in inbox else []
            together[table.name] = pl.concat([*landed, again], how="diagonal")
    return together


def let_wait(book: Book, inbox: Inbox, refused: pl.DataFrame, day: date, carrier: Carrier) -> Waiting:
    """Keep instructions that may only be early, with their charges, and settle those that waited.

    In: the book after the day's instructions; the day's rows with those that waited; everything that was refused of
    them. An instruction waits until `pending_days` after the day on which it came in; then it stays refused.
    """
    waiting = _waiting(book)
    if carrier.pending_days == 0 and waiting.is_empty():
        return Waiting(book, refused, refused.select(ROW).clear())
    since = waiting.select(file=_file_of_waiting(), row_no="row_no", table_name="table_name", since="received_date")
    found = refused.join(since, on=ROW, how="left", maintain_order="left").with_columns(
        pl.col("since").fill_null(pl.lit(day))
    )
    is_in_time = pl.col("since") + timedelta(days=carrier.pending_days) > day
    early = found.filter(
        (pl.col("table_name") == BILLING_INSTRUCTIONS.name) & pl.col("code").is_in(MAY_BE_EARLY) & is_in_time
    )
    goes_along = (pl.col("code") == _CARRIED) & (pl.col("table_name") == CHARGES.name)
    charges = found.filter(goes_along & pl.col("record_id").is_in(early["record_id"].implode()))
    rows = pl.concat([early, charges])
    left = refused.join(rows, on=ROW, how="anti", maintain_order="left")
    book = _settle(book, inbox, rows, left, day)
    return Waiting(_append(book, inbox, rows.filter(pl.col("since") == day), early, day), left, rows.select(ROW))


def _waiting(book: Book) -> pl.DataFrame:
    rows = book["pending_rows"]
    return rows.with_row_index("row").filter(pl.col("outcome") == "waiting") if rows.height else _NONE_WAITING


def _file_of_waiting() -> pl.Expr:
    """The file name under which a row is tried again: apart from those of every other day."""
    return pl.concat_str(pl.lit(_FOLDER), pl.col("received_date").cast(pl.String), "file", separator="/")


def _landed_ids(inbox: Inbox) -> pl.Series:
    """The ids of the instructions that landed."""
    if BILLING_INSTRUCTIONS.name not in inbox:
        return pl.Series(dtype=pl.String)
    return inbox[BILLING_INSTRUCTIONS.name]["instruction_id"].cast(pl.String).str.strip_chars().drop_nulls().unique()


def _tried_again(inbox: Inbox) -> pl.DataFrame:
    """The rows among those of a day that waited before."""
    none = pl.DataFrame(schema={"table_name": pl.String, "file": pl.String, "row_no": pl.Int64})
    found = [
        inbox[table.name].select(pl.lit(table.name).alias("table_name"), "file", "row_no")
        for table in _TABLES
        if table.name in inbox
    ]
    return pl.concat([none, *found]).filter(pl.col("file").str.starts_with(f"{_FOLDER}/"))


def _settle(book: Book, inbox: Inbox, waits_on: pl.DataFrame, refused: pl.DataFrame, day: date) -> Book:
    """Rows that waited and do so no more: booked, refused, or replaced by what landed."""
    waited = _waiting(book).with_columns(file=_file_of_waiting())
    done = waited.join(waits_on, on=ROW, how="anti", maintain_order="left")
    if done.is_empty():
        return book
    yes = pl.lit(value=True)
    found = done.join(refused.select(*ROW, is_refused=yes), on=ROW, how="left", maintain_order="left")
    found = found.join(_tried_again(inbox).with_columns(is_tried=yes), on=ROW, how="left", maintain_order="left")
    outcome = (
        pl.when(pl.col("is_tried").is_null())
        .then(pl.lit("replaced"))
        .when("is_refused")
        .then(pl.lit("refused"))
        .otherwise(pl.lit("booked"))
    )
    outcomes = found.select(outcome.alias("outcome"))["outcome"]
    settled = pl.Series([day]).new_from_index(0, done.height)
    return book.update("pending_rows", done["row"], {"outcome": outcomes, "settled_date": settled})


def _append(book: Book, inbox: Inbox, rows: pl.DataFrame, early: pl.DataFrame, day: date) -> Book:
    """Rows that begin to wait today, as they came in, in the order of table, file and row."""
    new = rows.filter(~pl.col("file").str.starts_with(f"{_FOLDER}/"))
    if new.is_empty():
        return book
    reasons = early.select("record_id", reason="code")
    kept = new.join(raw_rows(inbox, new.select(ROW)), on=ROW, how="left").join(reasons, on="record_id", how="left")
    kept = kept.sort(ROW).with_columns(
        number_from(book.next_key("pending_rows"), "pending_key"),
        code="reason",
        received_date=pl.lit(day),
        outcome=pl.lit("waiting"),
        settled_date=pl.lit(None, pl.Date),
    )
    return book.append("pending_rows", kept)
