"""The landing: what came in, by table and business date, kept as it came and never changed.

    landing/payments/business_date=2026-01-05/bank-3f2a91bc.parquet

Files come through `land` (CSV, JSON lines, Parquet), or are put there as Parquet by whoever can. A file that cannot be
taken as a whole is refused with a reason, and the rest of its day goes on. Rows are the ledger's matter.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from schemas.journal import QUARANTINE
from schemas.landing import LANDING_TABLES, LandingTable
from warehouse.durable import Staging, sha256_of
from warehouse.landing_files import (
    BUSINESS_DATE,
    MAX_BYTES,
    Code,
    LandingError,
    read_csv,
    read_json_lines,
    read_parquet,
)
from warehouse.storage import Home

__all__ = [
    "Code",
    "Inbox",
    "Landed",
    "LandingError",
    "Refused",
    "dates",
    "day_digests",
    "land",
    "land_all",
    "landing_digests",
    "read_inbox",
    "strays",
]

_TABLES = {table.name: table for table in LANDING_TABLES}
_PREFIX = f"{BUSINESS_DATE}="
_STEM_LENGTH = 40
_digests: dict[tuple[str, int, int], str] = {}
"""Digests by path, size and time of the last change, for as long as the process lives."""


class Landed(NamedTuple):
    """What one file gave to one business date."""

    path: Path
    business_date: date
    rows: int
    is_new: bool
    """False when the same rows had landed under this name before; nothing was done then."""
    unknown_columns: tuple[str, ...]
    """Columns that no declaration knows: they are kept as they came in, and nothing reads them."""


class Refused(NamedTuple):
    """A file that a day cannot take."""

    table: str
    file: str
    """Below landing/."""
    code: str
    detail: str


@dataclass(frozen=True)
class Inbox:
    """What came in for one business date."""

    day: date
    frames: dict[str, pl.DataFrame]
    """Rows by table, every column as text, with `file` and `row_no` (from 1)."""
    digests: dict[str, str]
    """SHA-256 of each file by its path below landing/, refused ones included."""
    refused: list[Refused]

    def quarantine(self) -> pl.DataFrame:
        """The refused files as rows of the quarantine, with row number 0."""
        rows = [(self.day, r.table, r.file, 0, None, r.code, "R-FILE", r.detail, "{}") for r in self.refused]
        return pl.DataFrame(rows, schema=QUARANTINE.schema, orient="row")


def land(home: Home, table: str, file: str | os.PathLike[str], day: date | None = None) -> list[Landed]:
    """Copy the rows of a CSV, JSON lines or Parquet file into the landing, once.

    The business date is `day`, or what the column business_date of the file says, row by row. Either all dates of the
    file land or, when it is refused, none. Returns one entry per date, in date order.

    Raises LandingError (the file is refused), WriteError (the landing cannot be written to).
    """
    return land_all(home, [(table, file)], day)


def land_all(home: Home, files: Iterable[tuple[str, str | os.PathLike[str]]], day: date | None = None) -> list[Landed]:
    """The same for many files, each with its table: when one is refused, none lands.

    They get their names in the landing together, so that making them durable is paid for once. After a crash in
    between, some have landed, each whole; landing the files again completes them.
    """
    with Staging(home.root, "landing") as staging:
        return [landed for table, file in files for landed in _stage(home, table, Path(file), day, staging)]


def read_inbox(home: Home, day: date) -> Inbox:
    """The rows that have landed for a business date, files in name order, and the files that are refused.

    Tables for which nothing has landed are absent.
    """
    frames: dict[str, list[pl.DataFrame]] = {}
    digests: dict[str, str] = {}
    refused: list[Refused] = []
    is_number: dict[tuple[str, str], bool] = {}
    for file in _files_of(home, day):
        try:
            content = file.content()
            digests[file.name] = hashlib.sha256(content).hexdigest()
            rows = _rows_of(file, content, is_number)
            dated = _by_date(rows, day, file.name)[day]
        except LandingError as error:
            digests.setdefault(file.name, file.digest())
            refused.append(Refused(file.table, file.name, str(error.code), error.message))
            continue
        row_no = pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row_no")
        frames.setdefault(file.table, []).append(dated.with_columns(pl.lit(file.name).alias("file"), row_no))
    return Inbox(day, {table: pl.concat(read, how="diagonal") for table, read in frames.items()}, digests, refused)


def landing_digests(home: Home) -> dict[date, dict[str, str]]:
    """SHA-256 of every file in the landing, by business date and path below landing/; dates ascending.

    A file is read again only when its size or time of change differs from when this process last saw it.
    """
    digests: dict[date, dict[str, str]] = {}
    for day, directory in sorted(_partitions(home)):
        for file in _files_in(home, directory):
            digests.setdefault(day, {})[file.name] = file.digest()
    return digests


def day_digests(home: Home, day: date) -> dict[str, str]:
    """The same for one business date."""
    return {file.name: file.digest() for file in _files_of(home, day)}


def dates(home: Home) -> list[date]:
    """The business dates for which a file has landed, ascending."""
    return sorted({day for day, directory in _partitions(home) if _files_in(home, directory)})


def strays(home: Home) -> list[Path]:
    """What lies in the landing where no day will ever look: not below <table>/business_date=<date>/."""
    partitions = {directory for _, directory in _partitions(home)}
    found = []
    for table in _entries(home.landing):
        found += [entry for entry in _entries(table) if entry not in partitions] if table.is_dir() else [table]
    return found


class _File(NamedTuple):
    """Something that lies in the partition of a day."""

    table: str
    name: str
    """Its path below landing/."""
    path: Path
    is_link: bool
    """Whether it, or the directory it is in, is a symbolic link; what that leads to is never read."""

    def content(self) -> bytes:
        """The bytes of a file that a day may take. Raises LandingError when it is none."""
        if self.is_link:
            msg = f"{self.name} is a symbolic link; put the file itself there"
            raise LandingError(Code.LINK, msg)
        if not self.path.is_file() or self.path.suffix != ".parquet":
            msg = f"{self.name} is no Parquet file; bring CSV and JSON lines in with `paidthrough land`"
            raise LandingError(Code.FORMAT, msg)
        if self.path.stat().st_size > MAX_BYTES:
            msg = f"{self.name} has more than {MAX_BYTES} bytes; split it"
            raise LandingError(Code.LIMIT, msg)
        return self.path.read_bytes()

    def digest(self) -> str:
        """SHA-256 of the bytes of a file; of where a link leads, of nothing for what is neither."""
        if self.is_link:
            return hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()
        if not self.path.is_file():
            return hashlib.sha256().hexdigest()
        status = self.path.stat()
        state = (str(self.path), status.st_size, status.st_mtime_ns)
        if state not in _digests:
            _digests[state] = sha256_of(self.path)
        return _digests[state]


def _partitions(home: Home) -> list[tuple[date, Path]]:
    """The directories of the landing that belong to a business date, in name order."""
    found = []
    for table in _entries(home.landing):
        for directory in _entries(table) if table.is_dir() else ():
            day = _date_of(directory.name.removeprefix(_PREFIX))
            if day is not None and directory.name == f"{_PREFIX}{day}" and directory.is_dir():
                found.append((day, directory))
    return found


def _files_of(home: Home, day: date) -> list[_File]:
    """What lies in the landing for a business date, tables and files in name order."""
    directories = [table / f"{_PREFIX}{day}" for table in _entries(home.landing)]
    return [file for directory in directories if directory.is_dir() for file in _files_in(home, directory)]


def _files_in(home: Home, directory: Path) -> list[_File]:
    """What lies in the directory of a table and business date, in name order."""
    table = directory.parent.name
    if directory.is_symlink() or directory.parent.is_symlink():
        return [_File(table, directory.relative_to(home.landing).as_posix(), directory, is_link=True)]
    return [
        _File(table, path.relative_to(home.landing).as_posix(), path, path.is_symlink()) for path in _entries(directory)
    ]


def _entries(directory: Path) -> list[Path]:
    """The entries of a directory in name order, without those that programs hide or mark with an underscore."""
    if not directory.is_dir():
        return []
    with os.scandir(directory) as entries:
        return [directory / name for name in sorted(entry.name for entry in entries) if name[0] not in "._"]


def _rows_of(file: _File, content: bytes, is_number: dict[tuple[str, str], bool]) -> pl.DataFrame:
    """The rows of a file as text. Raises LandingError, also when an id is a number here and text in a file before it.

    `is_number` is what the files before have said of each text column of each table: 7 and 007 are not to be mixed.
    """
    declared = _table(file.table)
    rows, schema = read_parquet(content, file.name, declared)
    for column in declared.columns:
        if column.dtype != pl.String or schema.get(column.name, pl.Null) == pl.Null:
            continue
        is_number_here = schema[column.name].is_integer()
        if is_number.setdefault((file.table, column.name), is_number_here) != is_number_here:
            msg = f"{file.name}: column {column.name!r} is {schema[column.name]}, unlike in another file of the day"
            raise LandingError(Code.TYPE, msg)
    return rows


def _stage(home: Home, table: str, path: Path, day: date | None, staging: Staging) -> list[Landed]:
    """Read one file and write its rows, date by date, for the landing. Raises LandingError."""
    declared = _table(table)
    rows = read_file(path, declared)
    by_date = _by_date(rows, day, path.name)
    unknown = tuple(name for name in rows.columns if name not in {*declared.column_names, BUSINESS_DATE})
    landed = []
    for business_date, dated in sorted(by_date.items()):
        content = hashlib.sha256(dated.write_csv().encode()).hexdigest()[:8]
        target = home.landing / table / f"{_PREFIX}{business_date}" / f"{_stem(path)}-{content}.parquet"
        landed.append(Landed(target, business_date, dated.height, _keep(target, dated, staging), unknown))
    return landed


def read_file(path: Path, table: LandingTable) -> pl.DataFrame:
    """The rows of a file that somebody brings, as text. Raises LandingError."""
    if not path.is_file():
        msg = f"{path} is not there, or is no file"
        raise LandingError(Code.MISSING, msg)
    if path.stat().st_size > MAX_BYTES:
        msg = f"{path.name} has more than {MAX_BYTES} bytes; split it"
        raise LandingError(Code.LIMIT, msg)
    content, suffix = path.read_bytes(), path.suffix.lower()
    if suffix == ".parquet":
        return read_parquet(content, path.name, table)[0]
    if suffix == ".csv":
        return read_csv(content, path.name, table)
    if suffix in (".jsonl", ".ndjson"):
        return read_json_lines(content, path.name, table)
    msg = f"{path.name} is neither .csv, .jsonl nor .parquet; rename it to what it is, or convert it"
    raise LandingError(Code.FORMAT, msg)


def _by_date(rows: pl.DataFrame, day: date | None, name: str) -> dict[date, pl.DataFrame]:
    """Rows by business date, without that column. Raises LandingError when it is missing, unreadable or another."""
    if BUSINESS_DATE not in rows.columns:
        if day is None:
            msg = f"{name} has no column business_date; say the business date"
            raise LandingError(Code.DATE, msg)
        return {day: rows}
    written = rows[BUSINESS_DATE]
    dated = rows.with_columns(written.str.to_date("%Y-%m-%d", strict=False))
    is_wrong = (dated[BUSINESS_DATE].is_null()) if day is None else dated[BUSINESS_DATE].ne_missing(day)
    if (row := is_wrong.arg_max()) is not None and is_wrong[row]:
        wanted = "a date as YYYY-MM-DD" if day is None else f"{day}"
        msg = f"{name}, row {row + 1}: business_date is {written[row]!r}, not {wanted}"
        raise LandingError(Code.DATE, msg)
    if day is not None:
        return {day: dated.drop(BUSINESS_DATE)}
    by_date = dated.partition_by(BUSINESS_DATE, include_key=False, as_dict=True)
    return {business_date: part for (business_date,), part in by_date.items()}


def _keep(target: Path, rows: pl.DataFrame, staging: Staging) -> bool:
    """Write rows into the landing unless they are there. Raises LandingError when other rows are."""
    current = staging.current(target)
    if current.exists():
        try:
            is_same = pl.read_parquet(current, glob=False, hive_partitioning=False).equals(rows)
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
            is_same = False
        if not is_same:
            msg = f"{target} is there already and holds something else; move it away and land again"
            raise LandingError(Code.CHANGED, msg)
        return False
    staging.write(target, lambda file: rows.write_parquet(file, compression="zstd", compression_level=1))
    return True


def _table(name: str) -> LandingTable:
    if name not in _TABLES:
        msg = f"there is no landing table {name!r}; there are {', '.join(_TABLES)}"
        raise LandingError(Code.TABLE, msg)
    return _TABLES[name]


def _stem(path: Path) -> str:
    """The name of a file without its kind, fit for any file system."""
    stem = "".join(letter if letter.isprintable() and letter not in '\\:*?"<>|' else "_" for letter in path.stem)
    return stem.lstrip("._")[:_STEM_LENGTH] or "file"


def _date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
