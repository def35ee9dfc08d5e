"""The published catalogue: one DuckDB file of views over the Parquet parts of the closed days.

It is a cache, never the record: `publish` builds a new file from explicit lists of parts and swaps it in, so that those
who have the old file open keep it. `warehouse.views` has the SQL of the views. SQL adds and compares minor units; they
become decimals in one place, the macro `money`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl

from schemas.book import BOOK_TABLES
from schemas.currencies import MINOR_UNIT_DECIMALS
from schemas.journal import EVENT_TABLES
from schemas.reports import DAYS, REFERENCES
from warehouse.days import in_fewer_files
from warehouse.storage import Home, Store
from warehouse.views import StateParts, quoted, report_views, stored_tables, stored_type, stored_views

__all__ = ["CatalogueError", "Published", "StateParts", "catalogue_path", "connect", "publish", "query"]

FILE_NAME = "paidthrough.duckdb"
STORAGE_VERSION = "v1.5.0"
"""The file format that the analysts' tools read; newer DuckDB versions read it too."""
TEMPLATE_NAME = "catalogue-template"
_SETTINGS = {
    "carrier": "VARCHAR",
    "currency": "VARCHAR",
    "invoice_due_lag_days": "BIGINT",
    "through": "DATE",
    "warehouse": "VARCHAR",
}
_CURRENCIES = {"currency": "VARCHAR", "decimals": "BIGINT"}
_CHART = {"t_account_pattern": "VARCHAR", "account_type": "VARCHAR"}


class CatalogueError(Exception):
    """The catalogue cannot be published, or a query may not run on it."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a catalogue is made of: the parts of the closed days through `through`, and facts of the carrier.

    `plans` has frames by the names of `schemas.reports.REFERENCES`, money in minor units and shares in units of their
    last decimal; `chart` has t_account_pattern and account_type, `days` the columns of `schemas.reports.DAYS`, each as
    far as they are known.
    """

    through: date
    carrier: str
    currency: str
    invoice_due_lag_days: int
    state: Mapping[str, StateParts] = field(default_factory=dict)
    events: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    plans: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    chart: pl.DataFrame | None = None
    days: pl.DataFrame | None = None


_MADE: dict[str, Path] = {}
"""Templates that this process has made, by name."""


def catalogue_path(home: Path) -> Path:
    """Where the catalogue of a home is."""
    return home / "warehouse" / FILE_NAME


def publish(home: Path, published: Published) -> Path:
    """Build a new catalogue and put it in the place of the old one; readers of the old one keep it.

    Where the warehouse of the home has combined the parts that are named, the catalogue reads the combined ones. Raises
    CatalogueError when a table is not declared or a currency has no known number of decimals.
    """
    _require_declared(published)
    published = _in_fewer_files(Home(home), published)
    target = catalogue_path(home)
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{FILE_NAME}.*"):
        leftover.unlink()
    new = target.with_name(f".{FILE_NAME}.{os.getpid()}")
    decimals = {currency: _decimals(currency) for currency in sorted(_currencies(published))}
    scale = max(2, *decimals.values())
    shutil.copyfile(_template(target.parent, published.invoice_due_lag_days, scale), new)
    with _writing(new) as connection:
        _run(connection, stored_views(published.state, published.events))
        connection.execute(_through(published.through))
        connection.execute(_money(decimals, scale))
        _fill_references(connection, published, decimals, target.parent.absolute())
    _flush(new)
    new.replace(target)
    _flush(target.parent)
    return target


def _template(folder: Path, invoice_due_lag_days: int, scale: int) -> Path:
    """A catalogue without rows, made once: binding the reports takes longer than closing a day.

    It holds what does not change from day to day, and is named by the digest of that. Those of other versions go. A
    process that publishes several homes makes it for the first and copies it for the others.
    """
    statements = [
        *stored_tables(),
        *(_reference(name, columns) for name, columns in _references().items()),
        (
            "CREATE MACRO stored.days_as_of(as_of) AS TABLE "
            "SELECT * FROM stored.days WHERE business_date <= CAST(as_of AS DATE)"
        ),
        _through(date.min),
        _money({}, scale),
        *report_views(invoice_due_lag_days, scale),
    ]
    text = "\n".join([duckdb.__version__, STORAGE_VERSION, *statements])
    template = folder / f".{TEMPLATE_NAME}.{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if not template.exists():
        for other in folder.glob(f".{TEMPLATE_NAME}.*"):
            other.unlink()
        new = template.with_name(f".{FILE_NAME}.template")
        made = _MADE.get(template.name)
        if made is not None and made.exists():
            shutil.copyfile(made, new)
        else:
            with _writing(new) as connection:
                _run(connection, statements)
        new.replace(template)
        _MADE[template.name] = template
    return template


@contextmanager
def _writing(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that writes to a catalogue file, all or nothing."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {quoted(str(path))} AS catalogue (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE catalogue")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
        connection.execute("USE memory")
        connection.execute("DETACH catalogue")


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
        f"allowed_directories = [{quoted(warehouse)}]",
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


def _require_declared(published: Published) -> None:
    unknown = (
        (set(published.state) - {table.name for table in BOOK_TABLES})
        | (set(published.events) - {table.name for table in EVENT_TABLES})
        | (published.plans.keys() - REFERENCES.keys())
    )
    if unknown:
        msg = f"tables {sorted(unknown)} are not declared in schemas"
        raise CatalogueError(msg)


def _in_fewer_files(home: Home, published: Published) -> Published:
    """The same rows, with the parts of compactions in the place of those that they hold."""
    combined = Store(home).chain().combined()
    if not combined:
        return published

    def fewer(parts: Sequence[Path]) -> list[Path]:
        paths = [part.absolute().relative_to(home.warehouse).as_posix() for part in parts]
        return [home.warehouse / path for path in in_fewer_files(paths, combined)]

    state = {
        table: StateParts(parts.checkpoint, fewer(parts.deltas_after_checkpoint), fewer(parts.all_deltas))
        for table, parts in published.state.items()
    }
    return replace(published, state=state, events={table: fewer(parts) for table, parts in published.events.items()})


def _run(connection: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement)


def _references() -> dict[str, dict[str, str]]:
    """Small tables kept inside the file, with the types of their columns by name."""
    return {
        "settings": _SETTINGS,
        "currencies": _CURRENCIES,
        "chart": _CHART,
        "days": {column.name: stored_type(column) for column in DAYS.columns},
        **{name: {column.name: stored_type(column) for column in columns} for name, columns in REFERENCES.items()},
    }


def _reference(name: str, columns: Mapping[str, str]) -> str:
    declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    return f"CREATE TABLE stored.{name} ({declared})"


def _fill_references(
    connection: duckdb.DuckDBPyConnection, published: Published, decimals: Mapping[str, int], warehouse: Path
) -> None:
    """Settings and plans of the carrier, the chart, the closed days; a column that a frame lacks is empty."""
    settings = {
        "carrier": [published.carrier],
        "currency": [published.currency],
        "invoice_due_lag_days": [published.invoice_due_lag_days],
        "through": [published.through],
        "warehouse": [str(warehouse)],
    }
    frames = {
        "settings": pl.DataFrame(settings),
        "currencies": pl.DataFrame({"currency": list(decimals), "decimals": list(decimals.values())}),
        "chart": published.chart,
        "days": published.days,
        **published.plans,
    }
    for name in _references():
        frame = frames.get(name)
        if frame is not None and not frame.is_empty():
            connection.register("frame", frame.with_columns(pl.col(pl.Enum).cast(pl.String)).to_arrow())
            connection.execute(f"INSERT INTO stored.{name} BY NAME SELECT * FROM frame")
            connection.unregister("frame")


def _through(day: date) -> str:
    """The last closed day, as a constant in the SQL of the views."""
    return f"CREATE OR REPLACE MACRO stored.through() AS DATE '{day.isoformat()}'"


def _money(decimals: Mapping[str, int], scale: int) -> str:
    """The macro that turns minor units into decimals, for the currencies that occur.

    An amount never passes through a DOUBLE, and an unknown currency is an error, not a wrong amount.
    """
    cases = " ".join(
        f"WHEN {quoted(currency)} THEN CAST({Decimal(1).scaleb(-places):.{scale}f} AS DECIMAL({scale + 1},{scale}))"
        for currency, places in decimals.items()
    )
    unknown = "error('currency ' || currency || ' is not in this catalogue')"
    factor = f"CASE currency {cases} ELSE {unknown} END" if cases else unknown
    return (
        "CREATE OR REPLACE MACRO money(minor_units, currency) AS "
        f"CAST(CAST(minor_units AS DECIMAL(18,0)) * {factor} AS DECIMAL(18,{scale}))"
    )


def _currencies(published: Published) -> set[str]:
    """Currencies of the carrier, its plans and accounts, and the money received: no other amount has one of its own."""
    occurring = {published.currency}
    for plans in published.plans.values():
        if "currency" in plans.columns:
            occurring |= set(plans["currency"])
    for name in ("accounts", "payments"):
        parts = published.state.get(name, StateParts())
        paths = [*parts.checkpoint, *parts.deltas_after_checkpoint] if parts.checkpoint else parts.all_deltas
        if paths:
            found = (
                pl.scan_parquet(list(paths), hive_partitioning=False, extra_columns="ignore")
                .select("currency")
                .unique()
            )
            occurring |= set(found.collect()["currency"])
    return occurring


def _decimals(currency: str) -> int:
    if currency not in MINOR_UNIT_DECIMALS:
        msg = f"currency {currency} has no number of decimals in schemas.currencies"
        raise CatalogueError(msg)
    return MINOR_UNIT_DECIMALS[currency]


def _flush(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
