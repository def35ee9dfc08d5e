"""What became of the landing rows of a day: accepted, seen before, or refused; and the count of them per file.

Refused rows are named by table, file and row number while the day runs; the rows themselves are looked up once, at the
end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from ledger.any_row_checks import FREE_TEXT, SECRET_CODES
from schemas.journal import INTAKE
from schemas.landing import LANDING_TABLES

ROW = ("table_name", "file", "row_no")
"""What names a landing row."""
LANDED_SCHEMA = pl.Schema({"table_name": pl.String, "file": pl.String, "row_no": pl.Int64, "amount": pl.Int64})
"""A landing row and its amount in minor units; 0 when it has none or none that can be read."""
_HIDDEN = "(not shown)"
_NO_ROW = pl.Schema({"table_name": pl.String, "file": pl.String, "row_no": pl.Int64, "raw_json": pl.String})


@dataclass(frozen=True, slots=True)
class Accepted:
    """The landing rows of a day after intake.

    The tables hold typed columns with file and row_no, sorted by key. `refused` and `warnings` have the columns of
    `ledger.refusals.REFUSALS`; `duplicates` and `landed` (every row that came in) those of LANDED_SCHEMA.
    """

    accounts: pl.DataFrame
    billing_instructions: pl.DataFrame
    charges: pl.DataFrame
    payments: pl.DataFrame
    commands: pl.DataFrame
    refused: pl.DataFrame
    warnings: pl.DataFrame
    duplicates: pl.DataFrame
    landed: pl.DataFrame


def complete_refused(inbox: Mapping[str, pl.DataFrame], refused: pl.DataFrame) -> pl.DataFrame:
    """Refusals (or warnings) with the rows as they came in, sorted by table, file and row.

    In: columns of REFUSALS. Out: those of the quarantine without its business date. Free text in which a card or
    bank account number was found is not shown.
    """
    refused = refused.select(*ROW, "record_id", "code", "rule", "detail")
    if refused.is_empty():
        return refused.with_columns(raw_json=pl.lit(""))
    is_secret = pl.col("code").is_in(SECRET_CODES)
    hidden = refused.filter(is_secret)
    rows = raw_rows(inbox, refused.filter(~is_secret))
    if not hidden.is_empty():
        rows = pl.concat([rows, raw_rows(_without_free_text(inbox), hidden)])
    return (
        refused.join(rows, on=ROW, how="left", maintain_order="left")
        .with_columns(pl.col("raw_json").fill_null("{}"))
        .sort(*ROW, "code", "detail")
    )


def raw_rows(inbox: Mapping[str, pl.DataFrame], refs: pl.DataFrame) -> pl.DataFrame:
    """The rows named by table_name, file and row_no, as JSON objects of their texts without the empty ones.

    Out: table_name, file, row_no, raw_json; one row per row found.
    """
    found = [_NO_ROW.to_frame()]
    for name in refs["table_name"].unique().sort() if not refs.is_empty() else ():
        if name not in inbox:
            continue
        wanted = refs.filter(pl.col("table_name") == name).select("file", "row_no").unique()
        rows = inbox[name].join(wanted, on=["file", "row_no"], how="semi")
        columns = [column for column in rows.columns if column not in ("file", "row_no")]
        found.append(
            rows.select(pl.lit(name).alias("table_name"), "file", "row_no", raw_json=_as_json(columns)).cast(_NO_ROW)
        )
    return pl.concat(found)


def _as_json(columns: list[str]) -> pl.Expr:
    """A JSON object of the texts that are there, in the order of the columns."""
    members = [
        pl.when(pl.col(name).is_not_null()).then(
            pl.struct(pl.col(name).cast(pl.String)).struct.json_encode().str.strip_prefix("{").str.strip_suffix("}")
        )
        for name in columns
    ]
    inside = pl.concat_str(members, separator=",", ignore_nulls=True) if members else pl.lit("")
    return pl.concat_str(pl.lit("{"), inside, pl.lit("}"))


def _without_free_text(inbox: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The same rows, of which texts in free text columns, and columns that are not declared, are not shown."""
    hidden = {}
    for table in LANDING_TABLES:
        if table.name not in inbox:
            continue
        frame = inbox[table.name]
        shown = {"file", "row_no", *table.column_names} - set(FREE_TEXT[table.name])
        hidden[table.name] = frame.with_columns(
            pl.when(pl.col(name).is_not_null()).then(pl.lit(_HIDDEN)).alias(name)
            for name in frame.columns
            if name not in shown
        )
    return hidden


def counts(
    inbox: Mapping[str, pl.DataFrame],
    accepted: Accepted,
    refused: pl.DataFrame,
    day: date,
    waiting: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Rows and amounts per landing file: in, booked, seen before, in quarantine, waiting (schemas.journal.INTAKE).

    `refused` are the refusals of the whole day, those of the booking included; `waiting` the rows (columns ROW) that
    are to be tried again. Booked is counted from the accepted rows that nobody refused and that do not wait, so that
    in = booked + duplicates + quarantined + pending is a check and not a sum (I-39).
    """
    if all(rows.is_empty() for rows in inbox.values()):
        return INTAKE.empty()
    files = pl.concat(
        [
            _NO_FILES,
            *(
                inbox[table.name].select(pl.lit(table.name).alias("table_name"), "file").cast(_NO_FILES.schema)
                for table in LANDING_TABLES
                if table.name in inbox
            ),
        ]
    )
    refs = refused.filter(pl.col("row_no") > 0).select(ROW)
    taken = pl.concat(
        [
            LANDED_SCHEMA.to_frame(),
            *(
                getattr(accepted, table.name).select(
                    pl.lit(table.name).alias("table_name"),
                    "file",
                    "row_no",
                    pl.col("amount") if table.money else pl.lit(0, pl.Int64).alias("amount"),
                )
                for table in LANDING_TABLES
            ),
        ]
    )
    waits = refs.clear() if waiting is None else waiting
    quarantined = refs.join(accepted.landed, on=ROW, how="left")
    pending = waits.join(accepted.landed, on=ROW, how="left")
    put_aside = pl.concat([refs, waits])
    booked = taken if put_aside.is_empty() else taken.join(put_aside, on=ROW, how="anti")
    parts = [
        files.select("table_name", "file", pl.lit(None, pl.Int64).alias("amount"), pl.lit("file").alias("part")),
        *(
            frame.select("table_name", "file", "amount", pl.lit(part).alias("part"))
            for part, frame in (
                ("in", accepted.landed),
                ("booked", booked),
                ("duplicate", accepted.duplicates),
                ("quarantined", quarantined),
                ("pending", pending),
            )
        ),
    ]
    is_part = {part: pl.col("part") == part for part in ("booked", "duplicate", "quarantined", "pending")}
    return INTAKE.conform(
        pl.concat(parts)
        .group_by("table_name", "file")
        .agg(
            rows_in=(pl.col("part") == "file").sum(),
            amount_in=pl.col("amount").filter(pl.col("part") == "in").sum(),
            **{f"rows_{part}": chosen.sum() for part, chosen in is_part.items()},
            **{f"amount_{part}": pl.col("amount").filter(chosen).sum() for part, chosen in is_part.items()},
        )
        .with_columns(business_date=pl.lit(day))
        .sort("table_name", "file")
    )


_NO_FILES = pl.DataFrame(schema={"table_name": pl.String, "file": pl.String})
