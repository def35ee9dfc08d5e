"""The published catalogue: one DuckDB file of views over the Parquet parts of the closed days.

It is a cache, never the record: `publish` builds a new file from explicit lists of parts and swaps it in, so that those
who have the old file open keep it. The views are declared in `schemas.reports`, their SQL lives in `warehouse/sql`, one
file each, and is used twice: for the view (the last closed day) and for the macro `<view>_as_of` (any earlier day).
SQL adds and compares minor units; they become decimals in one place, the macro `money`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import duckdb
import polars as pl

from schemas.book import BOOK_TABLES
from schemas.currencies import MINOR_UNIT_DECIMALS
from schemas.declare import Column, Table
from schemas.journal import EVENT_TABLES
from schemas.reports import DAYS, REPORTS, Report

FILE_NAME = "paidthrough.duckdb"
STORAGE_VERSION = "v1.5.0"
"""The file format that the analysts' tools read; newer DuckDB versions read it too."""
_IDS = ("account_ids", "policy_ids", "period_ids", "owner_ids")
_RELATIONS = (*(table.name for table in (*BOOK_TABLES, *EVENT_TABLES)), "days", "item_status")
"""What the SQL files read by `$name`: as it is now in a view, as of a day in a macro."""
_REFERENCES: dict[str, dict[str, str]] = {
    "charge_patterns": {"charge_pattern": "VARCHAR", "charge_subtype": "VARCHAR", "category": "VARCHAR"},
    "chart": {"t_account_pattern": "VARCHAR", "account_type": "VARCHAR"},
}
_SQL_TYPES: dict[Any, str] = {
    pl.Int8: "TINYINT",
    pl.Int16: "SMALLINT",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.String: "VARCHAR",
}


class CatalogueError(Exception):
    """The catalogue cannot be published, or a query may not run on it."""


@dataclass(frozen=True, slots=True)
class StateParts:
    """Parts of a state table: a full checkpoint (none, or one day's), what changed since, and every delta."""

    checkpoint: Sequence[Path] = ()
    deltas_after_checkpoint: Sequence[Path] = ()
    all_deltas: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What a catalogue is made of: the parts of the closed days through `through`, and facts of the carrier.

    `charge_patterns` has charge_pattern, charge_subtype and category, `chart` has t_account_pattern and account_type,
    `days` the columns of `schemas.reports.DAYS` as far as they are known.
    """

    through: date
    carrier: str
    currency: str
    invoice_due_lag_days: int
    state: Mapping[str, StateParts] = field(default_factory=dict)
    events: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    charge_patterns: pl.DataFrame | None = None
    chart: pl.DataFrame | None = None
    days: pl.DataFrame | None = None


def catalogue_path(home: Path) -> Path:
    """Where the catalogue of a home is."""
    return home / "warehouse" / FILE_NAME


def publish(home: Path, published: Published) -> Path:
    """Build a new catalogue and put it in the place of the old one; readers of the old one keep it.

    Raises CatalogueError when a table is not declared or a currency has no known number of decimals.
    """
    _require_declared(published)
    target = catalogue_path(home)
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{FILE_NAME}.*"):
        leftover.unlink()
    new = target.with_name(f".{FILE_NAME}.{os.getpid()}")
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {_quoted(str(new))} AS catalogue (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE catalogue")
        connection.execute("BEGIN")
        _create_stored(connection, published)
        _create_references(connection, published, target.parent.absolute())
        scale = _create_money(connection, published)
        _create_reports(connection, published, scale)
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("DETACH catalogue")
    _flush(new)
    new.replace(target)
    _flush(target.parent)
    return target


def connect(home: Path) -> duckdb.DuckDBPyConnection:
    """Open the catalogue for analysts: read-only, no file outside the warehouse, settings locked.

    Raises CatalogueError when nothing has been published, or another version did it.
    """
    path = catalogue_path(home)
    if not path.exists():
        msg = f"{path} does not exist: close a day first"
        raise CatalogueError(msg)
    connection = duckdb.connect(str(path), read_only=True)
    # The views name their parts by the path that the home had when it was published.
    try:
        ((warehouse,),) = connection.execute("SELECT warehouse FROM stored.settings").fetchall()
    except duckdb.Error as error:
        connection.close()
        msg = f"{path} was published by another version: `paidthrough close` publishes it again"
        raise CatalogueError(msg) from error
    for setting in (
        f"allowed_directories = [{_quoted(warehouse)}]",
        "enable_external_access = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")
    return connection


def query(connection: duckdb.DuckDBPyConnection, sql: str) -> pl.DataFrame:
    """Run one SELECT. A read-only database may still write files (COPY), so other statements are refused.

    Raises CatalogueError when the text is not exactly one query.
    """
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        msg = "one SELECT statement is expected; nothing else may run on the catalogue"
        raise CatalogueError(msg)
    frame: pl.DataFrame = connection.sql(sql).pl()
    return frame


def read_sql(name: str) -> str:
    """The text of a file of `warehouse/sql`."""
    return resources.files("warehouse").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def sql_type(column: Column, scale: int) -> str:
    """The DuckDB type of a declared column; money has the decimals of the catalogue."""
    if column.unit == "currency":
        return f"DECIMAL(18,{scale})"
    if column.unit == "percent":
        return "DECIMAL(18,2)"
    return "VARCHAR" if isinstance(column.dtype, pl.Enum) else _SQL_TYPES[column.dtype]


def comment(column: Column) -> str:
    """What DuckDB and the data dictionary say about a column."""
    unit = column.unit and ("the currency of the row" if column.unit == "currency" else column.unit)
    return f"{column.description} In {unit}." if unit else column.description


def _require_declared(published: Published) -> None:
    unknown = (set(published.state) - {table.name for table in BOOK_TABLES}) | (
        set(published.events) - {table.name for table in EVENT_TABLES}
    )
    if unknown:
        msg = f"tables {sorted(unknown)} are not declared in schemas"
        raise CatalogueError(msg)


def _create_stored(connection: duckdb.DuckDBPyConnection, published: Published) -> None:
    """The stored tables as they are: the newest version of each key, every version, and versions as of a day."""
    connection.execute("CREATE SCHEMA stored")
    for table in BOOK_TABLES:
        parts = published.state.get(table.name, StateParts())
        versions = f"stored.{table.name}_versions"
        connection.execute(f"CREATE VIEW {versions} AS {_rows(table, parts.all_deltas, versioned=True)}")
        connection.execute(f"CREATE VIEW stored.{table.name} AS {_current(table, parts)}")
        known = f"(SELECT * FROM {versions} WHERE business_date <= CAST(as_of AS DATE))"
        connection.execute(f"CREATE MACRO stored.{table.name}_as_of(as_of) AS TABLE {_newest(table, known)}")
        connection.execute(f"COMMENT ON VIEW stored.{table.name} IS {_quoted(table.description)}")
    for table in EVENT_TABLES:
        rows = _rows(table, published.events.get(table.name, ()), versioned=False)
        connection.execute(f"CREATE VIEW stored.{table.name} AS {rows}")
        connection.execute(
            f"CREATE MACRO stored.{table.name}_as_of(as_of) AS TABLE "
            f"SELECT * FROM stored.{table.name} WHERE business_date <= CAST(as_of AS DATE)"
        )
        connection.execute(f"COMMENT ON VIEW stored.{table.name} IS {_quoted(table.description)}")


def _rows(table: Table, parts: Sequence[Path], *, versioned: bool) -> str:
    """The rows of some parts with the declared columns; without parts, no rows of the same types."""
    columns = [("business_date", "DATE")] if versioned else []
    columns += [(column.name, _stored_type(column)) for column in table.columns]
    if not parts:
        return f"SELECT {', '.join(f'CAST(NULL AS {kind}) AS {name}' for name, kind in columns)} WHERE false"
    paths = ", ".join(_quoted(str(part.absolute())) for part in parts)
    selected = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in columns)
    return f"SELECT {selected} FROM read_parquet([{paths}], hive_partitioning = false)"


def _stored_type(column: Column) -> str:
    return "VARCHAR" if isinstance(column.dtype, pl.Enum) else _SQL_TYPES[column.dtype]


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


def _create_references(connection: duckdb.DuckDBPyConnection, published: Published, warehouse: Path) -> None:
    """Small tables kept inside the file: settings of the carrier, its charge patterns, the chart, the closed days."""
    settings = pl.DataFrame(
        {
            "carrier": [published.carrier],
            "currency": [published.currency],
            "invoice_due_lag_days": [published.invoice_due_lag_days],
            "through": [published.through],
            "warehouse": [str(warehouse)],
        }
    )
    _create_table(connection, "settings", settings, dict.fromkeys(settings.columns, ""))
    given = {"charge_patterns": published.charge_patterns, "chart": published.chart}
    for name, columns in _REFERENCES.items():
        _create_table(connection, name, given[name], columns)
    days = {column.name: _stored_type(column) for column in DAYS.columns}
    _create_table(connection, "days", published.days, days)
    connection.execute(
        "CREATE MACRO stored.days_as_of(as_of) AS TABLE "
        "SELECT * FROM stored.days WHERE business_date <= CAST(as_of AS DATE)"
    )


def _create_table(
    connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame | None, columns: Mapping[str, str]
) -> None:
    """A table with the declared columns; a column that the frame lacks is empty."""
    known = frame if frame is not None else pl.DataFrame()
    selected = ", ".join(
        f"CAST({column if column in known.columns else 'NULL'} AS {kind}) AS {column}" if kind else column
        for column, kind in columns.items()
    )
    if known.is_empty():
        connection.execute(f"CREATE TABLE stored.{name} AS SELECT {selected} WHERE false")
        return
    connection.register("frame", known.with_columns(pl.col(pl.Enum).cast(pl.String)).to_arrow())
    connection.execute(f"CREATE TABLE stored.{name} AS SELECT {selected} FROM frame")
    connection.unregister("frame")


def _create_money(connection: duckdb.DuckDBPyConnection, published: Published) -> int:
    """The macro that turns minor units into decimals, for the currencies that occur; returns the decimals of money.

    An amount never passes through a DOUBLE, and an unknown currency is an error, not a wrong amount.
    """
    decimals = {currency: _decimals(currency) for currency in sorted(_currencies(connection, published))}
    scale = max(2, *decimals.values())
    cases = " ".join(
        f"WHEN {_quoted(currency)} THEN CAST({Decimal(1).scaleb(-places):.{scale}f} AS DECIMAL({scale + 1},{scale}))"
        for currency, places in decimals.items()
    )
    connection.execute(
        f"CREATE MACRO money(minor_units, currency) AS CAST(CAST(minor_units AS DECIMAL(18,0)) * "
        f"CASE currency {cases} ELSE error('currency ' || currency || ' is not in this catalogue') END "
        f"AS DECIMAL(18,{scale}))"
    )
    frame = pl.DataFrame({"currency": list(decimals), "decimals": list(decimals.values())})
    _create_table(connection, "currencies", frame, {"currency": "", "decimals": ""})
    return scale


def _currencies(connection: duckdb.DuckDBPyConnection, published: Published) -> set[str]:
    """Currencies of the carrier, its accounts and the money received: no other amount has one of its own."""
    occurring = {published.currency}
    for name in ("accounts", "payments"):
        parts = published.state.get(name, StateParts())
        paths = [*parts.checkpoint, *parts.deltas_after_checkpoint] if parts.checkpoint else parts.all_deltas
        if paths:
            listed = ", ".join(_quoted(str(path.absolute())) for path in paths)
            found = connection.execute(f"SELECT DISTINCT currency FROM read_parquet([{listed}])").fetchall()
            occurring |= {currency for (currency,) in found}
    return occurring


def _decimals(currency: str) -> int:
    if currency not in MINOR_UNIT_DECIMALS:
        msg = f"currency {currency} has no number of decimals in schemas.currencies"
        raise CatalogueError(msg)
    return MINOR_UNIT_DECIMALS[currency]


def _create_reports(connection: duckdb.DuckDBPyConnection, published: Published, scale: int) -> None:
    """The views, and for each its macro; both from one text."""
    connection.execute(
        "CREATE MACRO stored.journal_in_effect(as_of, known_at) AS TABLE SELECT * FROM stored.journal "
        "WHERE transaction_date <= CAST(as_of AS DATE) "
        "AND (known_at IS NULL OR business_date <= CAST(known_at AS DATE))"
    )
    current = _current_names(published)
    for name in _IDS:
        connection.execute(f"CREATE VIEW stored.{name} AS {read_sql(name)}")
    item_status = Template(read_sql("item_status"))
    connection.execute(f"CREATE VIEW stored.item_status AS {item_status.substitute(current)}")
    dated = _dated_names(published, known_at="NULL")
    connection.execute(f"CREATE MACRO stored.item_status_as_of(as_of) AS TABLE {item_status.substitute(dated)}")
    for report in REPORTS:
        sql = Template(read_sql(report.name))
        dated = _dated_names(published, known_at="known_at" if report.has_known_at else "NULL")
        arguments = "as_of, known_at := NULL" if report.has_known_at else "as_of"
        view, macro = (_shown(report, sql.substitute(names), scale) for names in (current, dated))
        connection.execute(f"CREATE VIEW {report.name} AS {view}")
        connection.execute(f"CREATE MACRO {report.name}_as_of({arguments}) AS TABLE {macro}")
        described = [
            f"COMMENT ON VIEW {report.name} IS {_quoted(report.description)}",
            f"COMMENT ON MACRO TABLE {report.name}_as_of IS {_quoted(report.description)}",
            *(f"COMMENT ON COLUMN {report.name}.{c.name} IS {_quoted(comment(c))}" for c in report.columns),
        ]
        connection.execute("; ".join(described))


def _shown(report: Report, sql: str, scale: int) -> str:
    """The declared columns of a report in order, with their declared types."""
    columns = ", ".join(f"{_shown_column(column, scale)} AS {column.name}" for column in report.columns)
    return f"SELECT {columns} FROM ({sql}) AS report"


def _shown_column(column: Column, scale: int) -> str:
    if column.unit == "currency":
        return f"money({column.name}, currency)"
    if column.unit == "percent":
        return f"CAST(CAST({column.name} AS DECIMAL(18,0)) * CAST(0.01 AS DECIMAL(3,2)) AS DECIMAL(18,2))"
    return f"CAST({column.name} AS {sql_type(column, scale)})"


def _current_names(published: Published) -> dict[str, str]:
    """What the names in the SQL files stand for in a view: the newest versions, seen from the last closed day."""
    through = _quoted(published.through.isoformat())
    return {
        **{name: f"stored.{name}" for name in _RELATIONS},
        "as_of": f"DATE {through}",
        "due_lag_days": str(published.invoice_due_lag_days),
        "journal_lines": "stored.journal",
        "lines_in_effect": f"stored.journal_in_effect({through}, NULL)",
    }


def _dated_names(published: Published, *, known_at: str) -> dict[str, str]:
    """What the same names stand for in a macro: the versions recorded by the day that is asked for."""
    in_effect = f"stored.journal_in_effect(as_of, {known_at})"
    return {
        **{name: f"stored.{name}_as_of(as_of)" for name in _RELATIONS},
        "as_of": "CAST(as_of AS DATE)",
        "due_lag_days": str(published.invoice_due_lag_days),
        "journal_lines": in_effect,
        "lines_in_effect": in_effect,
    }


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _flush(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
