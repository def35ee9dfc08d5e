"""Answering from the published catalogue: any SELECT, and each view as of a day or as known on a day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from pipelines.homes import open_home
from pipelines.render import Format, write_rows
from schemas.reports import REPORTS
from warehouse.catalogue import connect, query

LIST = "list"
"""Not a view: asks which views there are."""


class QuestionError(Exception):
    """A view cannot be shown as asked: one sentence."""


def answer(home: Path, sql: str, shape: Format) -> None:
    """Run one SELECT on the catalogue of a home and write the rows.

    Raises CatalogueError when nothing is published or it is no SELECT, QuestionError when DuckDB
    cannot answer it.
    """
    with connect(open_home(home).root) as connection:
        try:
            frame = query(connection, sql)
        except duckdb.Error as error:
            raise QuestionError(str(error)) from error
    write_rows(frame.columns, frame.rows(), shape)


def report_query(name: str, as_of: date | None, known_at: date | None) -> str:
    """The SELECT that shows a view now, as of a day, or as of a day with what was recorded by another.

    Raises QuestionError when there is no such view or it cannot be asked by that date.
    """
    if name == LIST:
        rows = ", ".join(f"({_quoted(report.name)}, {_quoted(report.description)})" for report in REPORTS)
        return f"FROM (VALUES {rows}) AS views (view, shows) ORDER BY view"
    report = next((report for report in REPORTS if report.name == name), None)
    if report is None:
        msg = f"there is no view {name}; there are {', '.join(sorted(report.name for report in REPORTS))}"
        raise QuestionError(msg)
    if as_of is None and known_at is None:
        return f"FROM {name}"
    if known_at is None:
        return f"FROM {name}_as_of(DATE '{as_of}')"
    if not report.has_known_at:
        asked = ", ".join(report.name for report in REPORTS if report.has_known_at)
        msg = f"{name} can be asked by --as-of only, which is what was known on that day; --known-at is for {asked}"
        raise QuestionError(msg)
    return f"FROM {name}_as_of(DATE '{as_of or known_at}', known_at := DATE '{known_at}')"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
