"""A check of a landing row: its reason code, when it is broken, and what is wrong in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

_SHOWN = 80


class Said(NamedTuple):
    """A sentence with places for the values of columns, put into words only for the rows that need it."""

    template: str
    columns: tuple[str, ...]

    def in_words(self) -> pl.Expr:
        """The sentence with the values of a row, each cut to a length that can be read; empty values say so."""
        values = [pl.col(name).cast(pl.String).str.slice(0, _SHOWN).fill_null("(empty)") for name in self.columns]
        return pl.format(self.template, *values) if values else pl.lit(self.template)


def said(template: str, *columns: str) -> Said:
    """A sentence with the values of columns in it."""
    return Said(template, columns)


class Check(NamedTuple):
    """A rule that a row may break: the reason code, when it is broken, and what is wrong in words."""

    code: str
    is_broken: pl.Expr
    detail: Said


class CheckList:
    """Checks of one table in their order, and the expression that runs them all."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self.checks = tuple(checks)
        self.first_broken = pl.coalesce(
            *(pl.when(check.is_broken).then(place) for place, check in enumerate(self.checks)), pl.lit(None, pl.Int32)
        )
        """Place of the first check that a row breaks, null when it breaks none."""


def text_of(column: str) -> str:
    """Name of the column that holds the text from which a column was parsed."""
    return f"{column}_text"
