"""How the command line shows rows: a table for people, CSV and JSON for scripts, and a progress bar for long work.

Nothing here reads a home. Money stays exact: decimals are written with all their digits, in JSON as text.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal

Format = Literal["table", "csv", "json"]
Row = Sequence[Any]
Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is in all, and a word about the last step."""

_GAP = "  "


def write_rows(
    columns: Sequence[str], rows: Sequence[Row], shape: Format = "table", out: IO[str] | None = None
) -> None:
    """Write rows under their column names: an aligned table, CSV with a header, or a JSON list of objects."""
    out = out or sys.stdout
    if shape == "json":
        write_json([dict(zip(columns, row, strict=True)) for row in rows], out)
    elif shape == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)
    elif out.isatty():
        _write_rich(columns, rows, out)
    else:
        _write_plain(columns, rows, out)


def write_json(value: object, out: IO[str] | None = None) -> None:
    """Write one JSON value: dates as ISO text, decimals as text so that no digit is lost."""
    print(json.dumps(value, indent=2, default=_json_value, ensure_ascii=False), file=out or sys.stdout)


def write_facts(facts: Mapping[str, object], out: IO[str] | None = None) -> None:
    """Write a few named values, one a line, the names aligned."""
    out = out or sys.stdout
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        print(f"{name.ljust(width)}{_GAP}{_cell(value)}", file=out)


@contextmanager
def progress_bar(title: str) -> Iterator[Progress | None]:
    """A progress bar on the error stream while long work runs; none when that is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[word]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None, word="")

        def report(done: int, total: int, word: str) -> None:
            bar.update(task, completed=done, total=total, word=word)

        yield report


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _json_value(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _numeric_columns(columns: Sequence[str], rows: Sequence[Row]) -> list[bool]:
    return [bool(rows) and all(row[i] is None or _is_number(row[i]) for row in rows) for i in range(len(columns))]


def _write_plain(columns: Sequence[str], rows: Sequence[Row], out: IO[str]) -> None:
    cells = [list(columns), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    numeric = _numeric_columns(columns, rows)
    for line in cells:
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        print(_GAP.join(padded).rstrip(), file=out)


def _write_rich(columns: Sequence[str], rows: Sequence[Row], out: IO[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name, right in zip(columns, _numeric_columns(columns, rows), strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    Console(file=out, markup=False, highlight=False, emoji=False).print(table)
