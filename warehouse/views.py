"""The SQL of the published catalogue: the stored tables, and the views and macros of `schemas.reports` over them.

Each view is declared in `schemas.reports`; its SQL lives in one file of `warehouse/sql`, which is used twice: for the
view (the last closed day) and for the macro `<view>_as_of` (any earlier day). Here is text only, which
`warehouse.catalogue` runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import polars as pl

from schemas.book import BOOK_TABLES
from schemas.declare import Column, Table
from schemas.enums import PAYMENT_INTERVALS
from schemas.journal import EVENT_TABLES
from schemas.reports import REFERENCES, REPORTS, Report

_IDS = ("account_ids", "policy_ids", "period_ids", "owner_ids", "receipts")
_SHARED = ("invoice_status", "item_status", "item_lines")
"""What several views stand on, in this order; each with its macro, as the views themselves."""
_FIRST_IN_FIRST_OUT = {"receipt_matches": "receipt_sides", "tracking_matches": "tracking_sides"}
"""Which relation matches the money that comes into funds with what leaves them, and of what."""
_SHARED_OF_TWO_DATES = (
    *("fund_moves", "applied_parts", "receipt_sides", "receipt_matches"),
    *("tracking_moves", "tracking_sides", "tracking_matches"),
)
"""What views of two dates stand on, in this order; their macros take `as_of` and `known_at`."""
_RELATIONS = (*(table.name for table in (*BOOK_TABLES, *EVENT_TABLES)), "days", *_SHARED)
"""What the SQL files read by `$name`: as it is now in a view, as of a day in a macro."""
_VERSIONED = tuple(table.name for table in BOOK_TABLES)
"""What they read by `$name_versions`: every version of each row, with the day on which it was recorded."""
_INTERVALS = str(list(PAYMENT_INTERVALS))
"""A list of texts is written in SQL as in Python."""
_SQL_TYPES: dict[Any, str] = {
    pl.Int8: "TINYINT",
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.String: "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class StateParts:
    """Parts of a state table: a full checkpoint (none, or one day's), what changed since, and every delta."""

    checkpoint: Sequence[Path] = ()
    deltas_after_checkpoint: Sequence[Path] = ()
    all_deltas: Sequence[Path] = ()


def stored_views(state: Mapping[str, StateParts], events: Mapping[str, Sequence[Path]]) -> Iterator[str]:
    """The stored tables as they are: the newest version of each key, and every version, of the tables that have parts.

    They take the place of those of `stored_tables`, which the reports stand on.
    """
    for table in BOOK_TABLES:
        parts = state.get(table.name)
        if parts is not None and parts.all_deltas:
            yield from _state_views(table, parts)
    for table in EVENT_TABLES:
        if events.get(table.name):
            yield from _event_views(table, events[table.name])


def stored_tables() -> Iterator[str]:
    """The stored tables without a row, and versions of each as of a day."""
    yield "CREATE SCHEMA stored"
    for table in BOOK_TABLES:
        yield from _state_views(table, StateParts())
        known = f"(SELECT * FROM stored.{table.name}_versions WHERE business_date <= CAST(as_of AS DATE))"
        yield f"CREATE MACRO stored.{table.name}_as_of(as_of) AS TABLE {_newest(table, known)}"
    for table in EVENT_TABLES:
        yield from _event_views(table, ())
        yield (
            f"CREATE MACRO stored.{table.name}_as_of(as_of) AS TABLE "
            f"SELECT * FROM stored.{table.name} WHERE business_date <= CAST(as_of AS DATE)"
        )


def _state_views(table: Table, parts: StateParts) -> Iterator[str]:
    versions = _rows(table, parts.all_deltas, versioned=True)
    yield f"CREATE OR REPLACE VIEW stored.{table.name}_versions AS {versions}"
    yield f"CREATE OR REPLACE VIEW stored.{table.name} AS {_current(table, parts)}"
    yield f"COMMENT ON VIEW stored.{table.name} IS {quoted(table.description)}"


def _event_views(table: Table, parts: Sequence[Path]) -> Iterator[str]:
    yield f"CREATE OR REPLACE VIEW stored.{table.name} AS {_rows(table, parts, versioned=False)}"
    yield f"COMMENT ON VIEW stored.{table.name} IS {quoted(table.description)}"


def report_views(invoice_due_lag_days: int, scale: int) -> Iterator[str]:
    """The views as of the last closed day (`stored.through`), and for each its macro; both from one text."""
    yield (
        "CREATE MACRO stored.journal_in_effect(as_of, known_at) AS TABLE SELECT * FROM stored.journal "
        "WHERE transaction_date <= CAST(as_of AS DATE) "
        "AND (known_at IS NULL OR business_date <= CAST(known_at AS DATE))"
    )
    current = _current_names(invoice_due_lag_days)
    for name in _IDS:
        yield f"CREATE VIEW stored.{name} AS {read_sql(name)}"
    dated = _dated_names(invoice_due_lag_days, known_at="NULL")
    for name in _SHARED:
        sql = Template(read_sql(name))
        yield f"CREATE VIEW stored.{name} AS {sql.substitute(current)}"
        yield f"CREATE MACRO stored.{name}_as_of(as_of) AS TABLE {sql.substitute(dated)}"
    yield from _shared_of_two_dates(current, _dated_names(invoice_due_lag_days, known_at="known_at"))
    for report in REPORTS:
        sql = Template(read_sql(report.name))
        dated = _dated_names(invoice_due_lag_days, known_at="known_at" if report.has_known_at else "NULL")
        arguments = "as_of, known_at := NULL" if report.has_known_at else "as_of"
        view, macro = (_shown(report, sql.substitute(names), scale) for names in (current, dated))
        yield f"CREATE VIEW {report.name} AS {view}"
        yield f"CREATE MACRO {report.name}_as_of({arguments}) AS TABLE {macro}"
        yield f"COMMENT ON VIEW {report.name} IS {quoted(report.description)}"
        yield f"COMMENT ON MACRO TABLE {report.name}_as_of IS {quoted(report.description)}"
        yield "; ".join(f"COMMENT ON COLUMN {report.name}.{c.name} IS {quoted(comment(c))}" for c in report.columns)


def _shared_of_two_dates(current: Mapping[str, str], dated: Mapping[str, str]) -> Iterator[str]:
    """What views of two dates stand on, each with its macro; sources and uses of money are matched by one text."""
    for name in _SHARED_OF_TWO_DATES:
        sides = _FIRST_IN_FIRST_OUT.get(name)
        sql = Template(read_sql("first_in_first_out" if sides else name))
        now, then = ({**names, "sides": names.get(sides or "", "")} for names in (current, dated))
        yield f"CREATE VIEW stored.{name} AS {sql.substitute(now)}"
        yield f"CREATE MACRO stored.{name}_as_of(as_of, known_at) AS TABLE {sql.substitute(then)}"


def read_sql(name: str) -> str:
    """The text of a file of `warehouse/sql`."""
    return resources.files("warehouse").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def sql_type(column: Column, scale: int) -> str:
    """The DuckDB type of a declared column; money has the decimals of the catalogue."""
    if column.unit == "currency":
        return f"DECIMAL(18,{scale})"
    if column.unit == "percent":
        return f"DECIMAL(18,{column.dtype.scale})"
    return stored_type(column)


def stored_type(column: Column) -> str:
    """The DuckDB type of a column as it is stored: words as text, money in minor units, shares as whole numbers."""
    if column.unit in ("currency", "percent"):
        return "BIGINT"
    return "VARCHAR" if isinstance(column.dtype, pl.Enum) else _SQL_TYPES[column.dtype]


def comment(column: Column) -> str:
    """What DuckDB and the data dictionary say about a column."""
    unit = column.unit and ("the currency of the row" if column.unit == "currency" else column.unit)
    return f"{column.description} In {unit}." if unit else column.description


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _file_list(parts: Sequence[Path]) -> str:
    """The argument of `read_parquet` that names some parts."""
    return f"[{', '.join(quoted(str(part.absolute())) for part in parts)}]"


def _rows(table: Table, parts: Sequence[Path], *, versioned: bool) -> str:
    """The rows of some parts with the declared columns; without parts, no rows of the same types."""
    columns = [("business_date", "DATE")] if versioned else []
    columns += [(column.name, stored_type(column)) for column in table.columns]
    if not parts:
        return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {name}' for name, kind in columns)} WHERE false"
    selected = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in columns)
    return f"SELECT {selected} FROM read_parquet({_file_list(parts)}, hive_partitioning = false)"


def _current(table: Table, parts: StateParts) -> str:
    """The newest version of each key: the checkpoint alone where nothing changed since."""
    if not parts.checkpoint:
        return _newest(table, f"stored.{table.name}_versions")
    checkpoint = _rows(table, parts.checkpoint, versioned=False)
    if not parts.deltas_after_checkpoint:
        return checkpoint
    changed = _newest(table, f"({_rows(table, parts.deltas_after_checkpoint, versioned=True)})")
    return (
        f"WITH changed AS MATERIALIZED ({changed}) "
        f"SELECT * FROM ({checkpoint}) ANTI JOIN changed USING ({', '.join(table.key)}) UNION ALL SELECT * FROM changed"
    )


def _newest(table: Table, versions: str) -> str:
    """The version of the latest day of each key; a day holds one version of a key at the most."""
    key = ", ".join(table.key)
    return (
        f"SELECT version.* EXCLUDE (business_date) FROM {versions} AS version "
        f"JOIN (SELECT {key}, max(business_date) AS business_date FROM {versions} GROUP BY {key}) AS newest "
        f"USING ({key}, business_date)"
    )


def _shown(report: Report, sql: str, scale: int) -> str:
    """The declared columns of a report in order, with their declared types."""
    columns = ", ".join(f"{_shown_column(column, scale)} AS {column.name}" for column in report.columns)
    return f"SELECT {columns} FROM ({sql}) AS report"


def _shown_column(column: Column, scale: int) -> str:
    if column.unit == "currency":
        return f"money({column.name}, currency)"
    if column.unit == "percent":
        places = column.dtype.scale
        one = f"CAST({Decimal(1).scaleb(-places)} AS DECIMAL({places + 1},{places}))"
        return f"CAST(CAST({column.name} AS DECIMAL(18,0)) * {one} AS DECIMAL(18,{places}))"
    return f"CAST({column.name} AS {sql_type(column, scale)})"


def _current_names(invoice_due_lag_days: int) -> dict[str, str]:
    """What the names in the SQL files stand for in a view: the newest versions, seen from the last closed day."""
    return {
        **{name: f"stored.{name}" for name in (*_RELATIONS, *_SHARED_OF_TWO_DATES, *REFERENCES)},
        **{f"{name}_versions": f"stored.{name}_versions" for name in _VERSIONED},
        "as_of": "stored.through()",
        "known_at": "CAST(NULL AS DATE)",
        "due_lag_days": str(invoice_due_lag_days),
        "payment_intervals": _INTERVALS,
        "journal_lines": "stored.journal",
        "lines_in_effect": "stored.journal_in_effect(stored.through(), NULL)",
    }


def _dated_names(invoice_due_lag_days: int, *, known_at: str) -> dict[str, str]:
    """What the same names stand for in a macro: the versions recorded by the day that is asked for."""
    in_effect = f"stored.journal_in_effect(as_of, {known_at})"
    # A table of the book records what takes effect on the same day: what is known later takes effect later.
    recorded_by = "as_of" if known_at == "NULL" else f"least(as_of::DATE, coalesce({known_at}::DATE, as_of::DATE))"
    known = "WHERE business_date <= CAST(as_of AS DATE)"
    return {
        **{name: f"stored.{name}_as_of({recorded_by})" for name in _RELATIONS},
        **{name: f"stored.{name}_as_of(as_of, {known_at})" for name in _SHARED_OF_TWO_DATES},
        **{name: f"stored.{name}" for name in REFERENCES},
        **{f"{name}_versions": f"(SELECT * FROM stored.{name}_versions {known})" for name in _VERSIONED},
        "as_of": "CAST(as_of AS DATE)",
        "known_at": f"CAST({known_at} AS DATE)",
        "due_lag_days": str(invoice_due_lag_days),
        "payment_intervals": _INTERVALS,
        "journal_lines": in_effect,
        "lines_in_effect": in_effect,
    }
