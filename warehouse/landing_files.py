"""From the bytes of one file to rows of text, or a refusal of the whole file.

What can be said of a file without knowing any business rule is decided here: that it is whole, that its columns are
there once each, that its types cannot have lost money or zeros on the way. What a row says is the ledger's matter, so
values stay text, exactly as they came; an empty CSV field is no value.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from schemas.landing import LandingTable

MAX_BYTES = 2**30
MAX_ROWS = 10_000_000
MAX_COLUMNS = 1_000
MAX_EXPANSION = 100
"""How many times its own size a Parquet file may unpack to, once that is more than `EXPANSION_FROM_BYTES`."""
EXPANSION_FROM_BYTES = 2**26
RESERVED = ("file", "row_no")
"""Columns that reading adds to every row."""
BUSINESS_DATE = "business_date"
_UNEVEN_ROW = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_PARQUET_MARK = b"PAR1"


class Code(StrEnum):
    """Why a whole file is refused."""

    MISSING = "E-FILE-MISSING"
    EMPTY = "E-FILE-EMPTY"
    FORMAT = "E-FILE-FORMAT"
    LIMIT = "E-FILE-LIMIT"
    COLUMN = "E-FILE-COLUMN"
    TYPE = "E-FILE-TYPE"
    DATE = "E-FILE-DATE"
    TABLE = "E-FILE-TABLE"
    LINK = "E-FILE-LINK"
    CHANGED = "E-FILE-CHANGED"
    CONTROL = "E-FILE-CONTROL"


class LandingError(Exception):
    """A file is refused as a whole: a stable code, and one sentence that names the file, the place and the rule."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def read_csv(content: bytes, name: str, table: LandingTable) -> pl.DataFrame:
    """Rows of a CSV file in UTF-8 with a header, every column as text. Raises LandingError."""
    _check_size(len(content), name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start)
        msg = f"{name}, row {row}: not UTF-8; save the file in UTF-8"
        raise LandingError(Code.FORMAT, msg) from error
    if content.count(b'"') % 2:
        msg = f"{name} ends inside a quoted value; it may have been cut off"
        raise LandingError(Code.FORMAT, msg)
    columns = next(csv.reader(io.StringIO(text, newline="")), [])
    check_columns(columns, name, table)
    try:
        rows = pyarrow.csv.read_csv(
            pa.py_buffer(content),
            read_options=pyarrow.csv.ReadOptions(use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        # The parser quotes the row in its message; what is in the row stays out of ours.
        uneven = _UNEVEN_ROW.search(str(error))
        where = (
            f"row {int(uneven[1]) - 1} has {uneven[3]} values instead of {uneven[2]}" if uneven else "cannot be read"
        )
        msg = f"{name}: {where}"
        raise LandingError(Code.FORMAT, msg) from error
    _check_rows(rows.num_rows, name)
    return pl.DataFrame(rows)


def read_json_lines(content: bytes, name: str, table: LandingTable) -> pl.DataFrame:
    """Rows of a file of one JSON object per line, every value as the text that it has there. Raises LandingError."""
    _check_size(len(content), name)
    rows: list[dict[str, str | None]] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(
                line, parse_int=_Number, parse_float=_Number, parse_constant=_Number, object_pairs_hook=_once_each
            )
        except (ValueError, RecursionError) as error:
            reason = str(error) if isinstance(error, _RepeatedKeyError) else "not a whole JSON object in UTF-8"
            msg = f"{name}, row {number}: {reason}"
            raise LandingError(Code.FORMAT, msg) from error
        if not isinstance(row, dict):
            msg = f"{name}, row {number}: not a JSON object"
            raise LandingError(Code.FORMAT, msg)
        rows.append({key: _text_of(value) for key, value in row.items()})
    _check_rows(len(rows), name)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    check_columns(columns, name, table)
    return pl.DataFrame({column: [row.get(column) for row in rows] for column in columns}).cast(pl.String)


def read_parquet(content: bytes, name: str, table: LandingTable) -> tuple[pl.DataFrame, pl.Schema]:
    """Rows of a Parquet file as text, and the types that they had. Raises LandingError.

    What the footer claims is checked before anything is unpacked.
    """
    _check_size(len(content), name)
    if content[:4] != _PARQUET_MARK or content[-4:] != _PARQUET_MARK:
        what = "is no Parquet file" if content[:4] != _PARQUET_MARK else "is cut off"
        msg = f"{name} {what}: its end or its beginning lacks the mark of one"
        raise LandingError(Code.FORMAT, msg)
    try:
        footer = pyarrow.parquet.ParquetFile(pa.BufferReader(content))
        columns, metadata = footer.schema_arrow.names, footer.metadata
        unpacked = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    except (pa.ArrowException, OSError) as error:
        msg = f"{name} has a damaged footer; write it again"
        raise LandingError(Code.FORMAT, msg) from error
    _check_rows(metadata.num_rows, name)
    if unpacked > max(EXPANSION_FROM_BYTES, MAX_EXPANSION * len(content)):
        msg = (
            f"{name} claims to unpack from {len(content)} to {unpacked} bytes, more than {MAX_EXPANSION} times its size"
        )
        raise LandingError(Code.LIMIT, msg)
    check_columns(columns, name, table)
    try:
        rows = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        msg = f"{name} is damaged, or holds a type that cannot be read; write it again"
        raise LandingError(Code.FORMAT, msg) from error
    return _as_text(rows, name, table), rows.schema


def check_columns(columns: Sequence[str], name: str, table: LandingTable) -> None:
    """Each required column is there, no column twice, none with a name that reading needs. Raises LandingError."""
    repeated = (
        sorted({column for column in columns if columns.count(column) > 1}) if len(columns) <= MAX_COLUMNS else []
    )
    missing = [column for column in table.required if column not in columns]
    if len(columns) > MAX_COLUMNS:
        msg = f"{name} has {len(columns)} columns, the limit is {MAX_COLUMNS}"
        raise LandingError(Code.LIMIT, msg)
    if repeated:
        msg = f"{name}: column {repeated[0]!r} occurs more than once"
    elif missing:
        msg = f"{name}: column {missing[0]!r} is missing, which {table.name} requires; it has {', '.join(columns)}"
    elif reserved := [column for column in columns if column in RESERVED]:
        msg = f"{name}: column {reserved[0]!r} has a name that the landing itself uses; rename it"
    else:
        return
    raise LandingError(Code.COLUMN, msg)


def _as_text(rows: pl.DataFrame, name: str, table: LandingTable) -> pl.DataFrame:
    """Typed columns as the text that the ledger reads: dates ISO, decimals plain. Raises LandingError."""
    declared = {column.name: column.dtype for column in table.columns} | {BUSINESS_DATE: pl.Date}
    texts = []
    for column, dtype in rows.schema.items():
        if refusal := _type_refusal(dtype, is_declared=column in declared, is_money=column in table.money):
            msg = f"{name}: column {column!r} is {dtype}; {refusal}"
            raise LandingError(Code.TYPE, msg)
        values = pl.col(column)
        if isinstance(dtype, pl.Datetime):
            is_midnight = rows[column].dt.truncate("1d") == rows[column]
            values = values.dt.date() if declared.get(column) == pl.Date and is_midnight.all() else values
        texts.append(values.cast(pl.String))
    return rows.select(texts)


def _type_refusal(dtype: pl.DataType, *, is_declared: bool, is_money: bool) -> str | None:
    """Why a column may not have a type: because text would not say what was meant."""
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return "write text, numbers or dates"
    if not is_declared:
        return None
    if dtype.is_float():
        return "money comes as DECIMAL or text" if is_money else "write whole numbers or text"
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return "a business date has no time zone, write a date"
    if dtype in (pl.Time, pl.Duration):
        return "write text, numbers or dates"
    return None


def _check_size(size: int, name: str) -> None:
    if size == 0:
        msg = f"{name} is empty, without even the names of its columns"
        raise LandingError(Code.EMPTY, msg)
    if size > MAX_BYTES:
        msg = f"{name} has {size} bytes, the limit is {MAX_BYTES}; split it"
        raise LandingError(Code.LIMIT, msg)


def _check_rows(rows: int, name: str) -> None:
    if rows > MAX_ROWS:
        msg = f"{name} has {rows} rows, the limit is {MAX_ROWS}; split it"
        raise LandingError(Code.LIMIT, msg)


class _Number(str):
    """A number of a JSON file, spelled as it is there."""

    __slots__ = ()


class _RepeatedKeyError(ValueError):
    """A JSON object names a key twice."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, unless it says something twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        msg = "a key occurs more than once"
        raise _RepeatedKeyError(msg)
    return members


def _text_of(value: Any) -> str | None:  # noqa: ANN401 - whatever JSON can hold
    """A JSON value as the text of a column."""
    if value is None:
        return None
    return str(value) if isinstance(value, str) else _json_of(value)


def _json_of(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """A JSON value as JSON again, its numbers as they were spelled."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_json_of(key)}:{_json_of(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json_of, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
