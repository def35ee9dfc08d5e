"""What every landing table asks of its rows: readable text, required values, dates, whole numbers and words."""

from __future__ import annotations

from datetime import date
from typing import cast

import polars as pl

from ledger.checks import Check, Said, said, text_of
from schemas.declare import Column
from schemas.landing import LANDING_TABLES, LandingTable

FREE_TEXT = {
    "accounts": ("name",),
    "billing_instructions": (),
    "charges": ("charge_group",),
    "payments": ("reference", "method"),
    "commands": ("reason", "params", "requested_by"),
}
"""Columns in which people write what they like, by table: nothing secret may come in through them."""
SECRET_CODES = ("E-CARD-NUMBER", "E-IBAN")
"""Reasons because of which the free text of a row is not copied anywhere."""
_TABLES = {table.name: table for table in LANDING_TABLES}
_TEXT_LIMIT = 10_000
_FIRST_DATE = date(1950, 1, 1)
_LAST_DATE = date(2150, 12, 31)
_DAYS_AWAY = 36_525
_RANGES = {
    "invoice_day_of_month": (1, 31),
    "invoice_day_of_week": (1, 7),
    "invoice_first_day_of_month": (1, 31),
    "invoice_second_day_of_month": (1, 31),
    "term_number": (1, 9_999),
    "sequence": (-1_000_000, 1_000_000),
    "charge_no": (0, 1_000_000),
}


def checks_of_any_row(table_name: str) -> list[Check]:
    """What every table asks of its rows: readable text, required values, dates, whole numbers and words."""
    table = _TABLES[table_name]
    dates = [column.name for column in table.columns if column.dtype == pl.Date]
    wholes = [column.name for column in table.columns if column.dtype == pl.Int64 and column.name not in table.money]
    return [
        Check("E-CARD-NUMBER", pl.col("holds_card_number"), _in_free_text(table, "a card number")),
        Check("E-IBAN", pl.col("holds_iban"), _in_free_text(table, "a bank account number")),
        Check("E-CONTROL-CHARACTER", pl.col("has_unreadable_character"), said("a value holds a control character")),
        Check("E-TEXT-LONG", pl.col("text_bytes") > _TEXT_LIMIT, said("the row has {} bytes of text", "text_bytes")),
        *(_required(table, name) for name in table.required),
        *(_unreadable("E-NOT-A-DATE", name) for name in dates),
        *(_unreadable("E-NOT-A-WHOLE-NUMBER", name) for name in wholes),
        *(_word(column) for column in table.columns if column.values is not None),
        *(_whole_in_range(name) for name in wholes),
        *(_date_in_range(name) for name in dates),
    ]


def _in_free_text(table: LandingTable, what: str) -> Said:
    return said(f"{' or '.join(FREE_TEXT[table.name])} looks like {what}")


def _required(table: LandingTable, name: str) -> Check:
    is_parsed = table.schema[name] != pl.String
    return Check("E-VALUE-MISSING", pl.col(text_of(name) if is_parsed else name).is_null(), said(f"{name} is missing"))


def _unreadable(code: str, name: str) -> Check:
    is_broken = pl.col(name).is_null() & pl.col(text_of(name)).is_not_null()
    return Check(code, is_broken, said(f"{name} {{}}", text_of(name)))


def _word(column: Column) -> Check:
    words = cast("tuple[str, ...]", column.values)
    detail = said(f"{column.name} {{}} is none of {', '.join(words)}", column.name)
    return Check("E-WORD", ~pl.col(column.name).is_in(list(words)), detail)


def _whole_in_range(name: str) -> Check:
    low, high = _RANGES[name]
    detail = said(f"{name} {{}} is not {low} to {high}", name)
    return Check("E-NUMBER-RANGE", ~pl.col(name).is_between(low, high), detail)


def _date_in_range(name: str) -> Check:
    days_away = (pl.col(name) - pl.col("business_date")).dt.total_days().abs()
    is_far = ~pl.col(name).is_between(_FIRST_DATE, _LAST_DATE) | (days_away > _DAYS_AWAY)
    return Check("E-DATE-RANGE", is_far, said(f"{name} {{}} is too far away", name))
