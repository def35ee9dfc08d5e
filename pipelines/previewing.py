"""The command that answers what an instruction would bring, and books nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.options import DEFAULT_HOME, AsJson, HomePath, parse_day

if TYPE_CHECKING:
    import polars as pl

_MONEY = ("amount", "down_payment", "largest_invoice", "fees", "total", "new_items", "other_items")
_FOR_ONE_PLAN = ("items", "fees")
"""What is only shown of a single plan; in JSON it is always there."""
_TITLES = {
    "plans": "by payment plan",
    "invoices": "invoices",
    "items": "invoice items",
    "fees": "fees",
    "refused": "not booked, because",
    "warnings": "booked with a warning",
}


def preview(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Files named after billing_instructions, charges and accounts."),
    ],
    plans: Annotated[
        list[str] | None,
        typer.Option("--plans", metavar="PLAN", help="Quote new policy periods by this plan; may be given repeatedly."),
    ] = None,
    day: Annotated[
        date | None,
        typer.Option(
            "--date", parser=parse_day, metavar="DAY", help="When the rows arrive; default the next open day."
        ),
    ] = None,
    home: HomePath = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Show the invoices that an instruction would bring, by one payment plan or several; book nothing.

    CSV, JSON lines or Parquet, as for `land`. An instruction for a new policy period that names no plan is quoted by
    every plan that it could have. Exit code 2 when no plan can be booked.
    """
    from pipelines import render
    from pipelines.errors import BAD_INPUT
    from pipelines.homes import open_home
    from pipelines.preview import quote

    shown = quote(open_home(home), files, plans or [], day)
    tables = {name: _rows(frame) for name, frame in shown.items()}
    if as_json:
        render.write_json(tables)
    else:
        is_one = len(tables["plans"]) == 1
        for name, rows in tables.items():
            if rows and (is_one or name not in _FOR_ONE_PLAN):
                print(f"\n{_TITLES[name]}:" if name != "plans" else f"{_TITLES[name]}:")
                render.write_rows(list(rows[0]), [list(row.values()) for row in rows])
    if not tables["plans"]:
        raise typer.Exit(BAD_INPUT)


def _rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows with money as decimals of their currency."""
    from schemas.currencies import MINOR_UNIT_DECIMALS

    rows = frame.to_dicts()
    for row in rows:
        decimals = MINOR_UNIT_DECIMALS.get(row.get("currency") or "", 0)
        row |= {name: Decimal(row[name]).scaleb(-decimals) for name in _MONEY if row.get(name) is not None}
    return rows
