"""The data dictionary: `docs/data-dictionary.md`, written from the declarations.

python -m warehouse.dictionary            writes it
python -m warehouse.dictionary --check    exits with 1 when it is out of date
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from schemas.book import BOOK_TABLES
from schemas.declare import Column, Table
from schemas.journal import EVENT_TABLES
from schemas.landing import LANDING_TABLES, LandingTable
from schemas.reports import REPORTS, Report
from warehouse.views import comment, sql_type

PATH = Path(__file__).parent.parent / "docs" / "data-dictionary.md"
_MONEY_DECIMALS = 2
_MOST_WORDS = 20
"""Longer lists of words, such as the transaction types, are not repeated here."""

_ABOUT_VIEWS = """\
# Data dictionary

Written by `python -m warehouse.dictionary` from the declarations in `schemas/`; edit those.

## Views

Views of `warehouse/paidthrough.duckdb`, as of the last closed day. For an earlier day d each has a macro, such as
`aging_as_of(d)`: what was recorded by d, seen from d. The macros of the journal, of its balances and of what finance
asks of cash take two dates: `trial_balance_as_of(d, known_at := k)` has the lines that take effect by d and were
recorded by k; without `known_at`, all that is recorded. A file attached under another name needs `USE` before its
macros.

Money is decimal with the decimals of the currency: two, or more where a currency of the book has more."""
_ABOUT_STORED = """
## Stored tables

Schema `stored` of the same file, with internal keys and money in minor units. The views are made from these; their
columns may change between versions. State tables show the newest version of each row, `<table>_versions` every version
with the business date on which it was recorded."""
_ABOUT_LANDING = """
## Landing tables

What comes in, below `landing/<table>/business_date=YYYY-MM-DD/`. Bold columns must be in the file. Amounts come in with
at most the decimals of their currency."""


def dictionary() -> str:
    """The text of the data dictionary."""
    return "\n".join(_lines()) + "\n"


def main(arguments: list[str]) -> int:
    """Write the dictionary, or say whether it is up to date."""
    text = dictionary()
    if arguments == ["--check"]:
        is_current = PATH.exists() and PATH.read_text(encoding="utf-8") == text
        if not is_current:
            sys.stderr.write(f"{PATH} is out of date: run python -m warehouse.dictionary\n")
        return 0 if is_current else 1
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(text, encoding="utf-8")
    return 0


def _lines() -> Iterator[str]:
    yield _ABOUT_VIEWS
    for report in REPORTS:
        yield from _report(report)
    yield _ABOUT_STORED
    for table in (*BOOK_TABLES, *EVENT_TABLES):
        yield from _table(table)
    yield _ABOUT_LANDING
    for landing in LANDING_TABLES:
        yield from _table(landing)


def _report(report: Report) -> Iterator[str]:
    arguments = "d, known_at := k" if report.has_known_at else "d"
    yield ""
    yield f"### {report.name}"
    yield ""
    yield f"{report.description} Macro: `{report.name}_as_of({arguments})`."
    yield from _columns(report.columns)


def _table(table: Table) -> Iterator[str]:
    yield ""
    yield f"### {table.name}"
    yield ""
    key = f" Key: {', '.join(table.key)}." if table.key else ""
    yield table.description + key
    required = table.required if isinstance(table, LandingTable) else ()
    yield from _columns(table.columns, required)


def _columns(columns: Iterable[Column], required: tuple[str, ...] = ()) -> Iterator[str]:
    yield ""
    yield "| column | type | empty | meaning |"
    yield "|---|---|---|---|"
    for column in columns:
        name = f"**{column.name}**" if column.name in required else column.name
        words = f" One of: {', '.join(column.values)}." if column.values and len(column.values) <= _MOST_WORDS else ""
        empty = "yes" if column.nullable else ""
        yield f"| {name} | {sql_type(column, _MONEY_DECIMALS)} | {empty} | {_cell(comment(column) + words)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
