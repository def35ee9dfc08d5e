"""Parts: immutable Parquet files named by their own digest, one per table and commit.

A part is written, made durable, read back from the disk, compared with what was to be written and held against its
table's contract. Only then may a manifest name it. Readers hash the bytes they are about to parse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import polars as pl

from schemas.book import BOOK_TABLES
from schemas.declare import Table
from schemas.journal import EVENT_TABLES, JOURNAL
from warehouse.durable import failing_cleanly, move_into_place, sha256_of, sync_directories, write_temporary
from warehouse.faults import ContractError, CorruptError, SchemaError, fault_point
from warehouse.manifest import Commit, Part, Totals

TABLES: Mapping[str, Table] = {table.name: table for table in (*BOOK_TABLES, *EVENT_TABLES)}
"""The declared tables of the warehouse."""
ROWS_PER_GROUP = 500_000
_BUSINESS_DATE = "business_date"
_DIGITS_IN_NAME = 16


def write_deltas(warehouse: Path, tables: Mapping[str, pl.DataFrame], day: date) -> tuple[Part, ...]:
    """Write what a day added to tables, or changed in them, below tables/; state tables get the column business_date.

    Tables without rows get no part. Raises ContractError when rows break their table's contract, CorruptError
    when the disk does not give back what was written, WriteError when it does not take it.
    """
    return _write_all(
        warehouse,
        [
            _stage(warehouse / "tables" / name / f"{_BUSINESS_DATE}={day}", "part", name, _dated(name, rows, day))
            for name, rows in sorted(tables.items())
            if rows.height
        ],
    )


def write_snapshots(warehouse: Path, tables: Mapping[str, pl.DataFrame], day: date) -> tuple[Part, ...]:
    """Write whole state tables as at close of a day, below checkpoints/. Raises as `write_deltas`."""
    directory = warehouse / "checkpoints" / str(day)
    return _write_all(
        warehouse, [_stage(directory, name, name, rows) for name, rows in sorted(tables.items()) if rows.height]
    )


def write_combined(warehouse: Path, table: str, rows: pl.DataFrame, first: date) -> Part:
    """Write what the days of a month added to a table, or changed in it, as one part; rows in the order of the days.

    Raises as `write_deltas`.
    """
    directory = warehouse / "tables" / table / f"month={first:%Y-%m}"
    [part] = _write_all(warehouse, [_stage(directory, "part", table, rows)])
    return part


def read_parts(warehouse: Path, parts: Iterable[tuple[Part, Commit]], *, verify: bool = True) -> list[pl.DataFrame]:
    """The rows of parts, in their order, as frames whose columns are the declared ones.

    Raises CorruptError when a file is missing or, unless `verify` is off, not the one that its manifest names.
    """
    frames = []
    for _, group in groupby(parts, key=lambda pair: (pair[0].table, pair[0].schema)):
        members = list(group)
        sources = [_bytes_of(warehouse, part, commit, verify=verify) for part, commit in members]
        try:
            rows = pl.read_parquet(sources, glob=False, hive_partitioning=False)
        except (pl.exceptions.PolarsError, OSError) as error:
            msg = f"a file of table {members[0][0].table} cannot be read ({error}); verify the warehouse"
            raise CorruptError(msg) from error
        frames.append(_as_declared(rows, members[0][0]))
    return frames


def problem_of(warehouse: Path, part: Part) -> str | None:
    """What is wrong with the file of a part: missing, or not the bytes that were committed."""
    path = warehouse / part.path
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != part.bytes:
        return f"has {size} bytes instead of {part.bytes}"
    return None if sha256_of(path) == part.sha256 else "does not match its digest"


class _Staged(NamedTuple):
    """A part under its temporary name, durable, and the name it shall have."""

    temporary: Path
    path: Path
    digest: str
    table: str
    rows: pl.DataFrame


def _dated(table: str, rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """Rows with their business_date, which must be the day's where they bring one."""
    if _BUSINESS_DATE not in rows.columns:
        return rows.clone().insert_column(0, pl.Series(_BUSINESS_DATE, [day]).new_from_index(0, rows.height))
    if not (rows[_BUSINESS_DATE] == day).all():
        msg = f"table {table} of {day} holds rows of another business_date"
        raise ContractError(msg)
    return rows


def _stage(directory: Path, stem: str, table: str, rows: pl.DataFrame) -> _Staged:
    """Write one part under a temporary name and name it by its digest."""
    temporary = write_temporary(
        directory,
        lambda file: rows.write_parquet(
            file, compression="zstd", compression_level=1, statistics=True, row_group_size=ROWS_PER_GROUP
        ),
        "part",
    )
    with failing_cleanly(directory, temporary):
        fault_point("part.hash")
        digest = sha256_of(temporary)
    return _Staged(temporary, directory / f"{stem}-{digest[:_DIGITS_IN_NAME]}.parquet", digest, table, rows)


def _write_all(warehouse: Path, staged: Sequence[_Staged]) -> tuple[Part, ...]:
    """Move staged parts into place, make their names durable, read them back and check them."""
    for part in staged:
        move_into_place(part.temporary, part.path, "part")
    sync_directories([part.path for part in staged], warehouse, "part")
    return tuple(_checked(warehouse, part) for part in staged)


def _checked(warehouse: Path, staged: _Staged) -> Part:
    """A part that the disk gives back as it was written and that keeps its contract."""
    back = _read_back(staged.path, staged.rows)
    check_contract(back, staged.table)
    return Part(
        table=staged.table,
        path=staged.path.relative_to(warehouse).as_posix(),
        sha256=staged.digest,
        bytes=staged.path.stat().st_size,
        rows=back.height,
        schema=_schema_digest(back.schema),
        sums=_balanced_sums(back) if staged.table == JOURNAL.name else {},
    )


def _read_back(path: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """What the disk gives back. Raises CorruptError when it is not what was written."""
    try:
        fault_point("part.read_back")
        back = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        msg = f"{path} cannot be read back ({error}); check the disk and run again"
        raise CorruptError(msg) from error
    if back.schema != rows.schema or not back.equals(rows):
        msg = f"{path} does not hold what was written to it; check the disk and run again"
        raise CorruptError(msg)
    return back


def check_contract(rows: pl.DataFrame, table: str) -> None:
    """Hold rows against the contract of a declared table. Raises ContractError.

    Rows of a state table may open with the business_date of their delta; a key may then recur on another day. A quick
    look finds out whether anything is wrong; pandera, fifty times slower, then says what.
    """
    declared = TABLES.get(table)
    if declared is None:
        return
    is_delta = declared.kind == "state" and rows.columns[0] == _BUSINESS_DATE
    expected = {_BUSINESS_DATE: pl.Date(), **declared.schema} if is_delta else dict(declared.schema)
    spans_days = is_delta and rows[_BUSINESS_DATE].n_unique() > 1
    key = (_BUSINESS_DATE, *declared.key) if spans_days else declared.key
    if list(rows.schema.items()) != list(expected.items()) or not _keeps_contract(rows, declared, key):
        raise ContractError(_reason(rows.drop(_BUSINESS_DATE) if is_delta else rows, declared))


def _keeps_contract(rows: pl.DataFrame, table: Table, key: tuple[str, ...]) -> bool:
    """Whether rows of the declared types have the values that they may have, and each key once."""
    for column in table.columns:
        values = rows[column.name]
        if not column.nullable and values.null_count():
            return False
        if column.minimum is not None and (values < column.minimum).any():
            return False
        if column.values is not None and column.dtype == pl.String and not values.is_in(column.values).all():
            return False
    if len(key) == 1:
        return rows[key[0]].n_unique() == rows.height
    return not key or not rows.select(key).is_duplicated().any()


def _reason(rows: pl.DataFrame, table: Table) -> str:
    """What pandera finds wrong with rows, in one sentence."""
    import pandera.errors

    try:
        table.validate(rows)
    except pandera.errors.SchemaErrors as error:
        failures = error.failure_cases.select("column", "check", "failure_case").unique(maintain_order=True).head(3)
        cases = "; ".join(f"{column}: {check} ({case})" for column, check, case in failures.rows())
        return f"table {table.name} breaks its contract: {cases}"
    except (pandera.errors.SchemaError, ValueError) as error:
        return str(error)
    return f"table {table.name} has the columns {rows.schema}, declared are {table.schema}"


def _balanced_sums(lines: pl.DataFrame) -> dict[str, Totals]:
    """Debits and credits of journal lines by currency. Raises ContractError when they differ (R-LED-02)."""
    is_debit = pl.col("side") == "D"
    sums = lines.group_by("currency").agg(
        pl.col("amount").filter(is_debit).sum().alias("debits"),
        pl.col("amount").filter(~is_debit).sum().alias("credits"),
    )
    totals = {currency: Totals(debits, credits_) for currency, debits, credits_ in sums.sort("currency").iter_rows()}
    for currency, total in totals.items():
        if total.debits != total.credits:
            msg = f"table journal: debits {total.debits} and credits {total.credits} differ in {currency}"
            raise ContractError(msg)
    return totals


def _bytes_of(warehouse: Path, part: Part, commit: Commit, *, verify: bool) -> bytes:
    """The bytes of a part, hashed before anybody parses them."""
    path = warehouse / part.path
    again = "run `paidthrough compact`" if commit.kind == "compaction" else f"close {commit.business_date} again"
    remedy = f"restore it, or {again}"
    try:
        fault_point("part.read")
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path}, named by manifest {commit.file_name}, cannot be read ({error.strerror}); {remedy}"
        raise CorruptError(msg) from error
    if verify and hashlib.sha256(content).hexdigest() != part.sha256:
        msg = f"{path} is not the file that manifest {commit.file_name} names; {remedy}"
        raise CorruptError(msg)
    return content


def _as_declared(rows: pl.DataFrame, part: Part) -> pl.DataFrame:
    """Rows of a part in today's declared types: an older part may know fewer words of an enumeration."""
    declared = TABLES.get(part.table)
    if declared is None:
        return rows
    wanted = dict(declared.schema)
    if _BUSINESS_DATE in rows.columns and _BUSINESS_DATE not in wanted:
        wanted = {_BUSINESS_DATE: pl.Date(), **wanted}
    if dict(rows.schema) == wanted and rows.columns == list(wanted):
        return rows
    try:
        return rows.select(pl.col(name).cast(dtype) for name, dtype in wanted.items())
    except pl.exceptions.PolarsError as error:
        msg = f"{part.path} was written by a version with other columns ({error}); close that day again"
        raise SchemaError(msg) from error


def _schema_digest(schema: pl.Schema) -> str:
    """Sixteen digits that stand for column names and types in their order."""
    text = "\n".join(f"{name} {_type_name(dtype)}" for name, dtype in schema.items())
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS_IN_NAME]


def _type_name(dtype: pl.DataType) -> str:
    """A type as text, with every word of an enumeration."""
    return f"Enum{dtype.categories.to_list()}" if isinstance(dtype, pl.Enum) else str(dtype)
