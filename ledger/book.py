"""The book as a value: the frames of `schemas.book`, and what the day in progress has added to or changed in them.

Nothing here knows a rule of billing. A process of the day takes a book and returns another; the frames themselves are
never changed in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from schemas.book import BOOK_TABLES

TABLES = {table.name: table for table in BOOK_TABLES}
ITEMS_PER_CHARGE = 2**10
"""An item key is its charge key times this, plus the number of the item within the charge."""
TRANSACTIONS_PER_DAY = 2**32
"""A transaction key is the number of its day times this, plus its place in the day."""
_CHUNKS_BEFORE_RECHUNK = 8
_FIRST_DAY = date(1900, 1, 1)
_NO_ROWS = pl.Series(dtype=pl.UInt32)


def day_number(day: date) -> int:
    """Days since 1900-01-01: the part of packed keys that stands for a date."""
    return (day - _FIRST_DAY).days


def day_number_of(column: str) -> pl.Expr:
    """The same as `day_number`, for a date column."""
    return (pl.col(column) - pl.lit(_FIRST_DAY)).dt.total_days()


def default_fund_key(account_key: pl.Expr) -> pl.Expr:
    """Key of the default unapplied fund of an account."""
    return account_key * 2


def designated_fund_key(policy_key: pl.Expr) -> pl.Expr:
    """Key of the designated unapplied fund of a policy."""
    return policy_key * 2 + 1


@dataclass(frozen=True, slots=True)
class Book:
    """All frames of the book by table name, and which rows today has added or changed.

    `used_keys`: the highest key of a table of which only some rows are here. `groups`: which accounts are tied to each
    other, once somebody asked (`ledger.account_groups`).
    """

    frames: Mapping[str, pl.DataFrame]
    opened_at: Mapping[str, int] = field(default_factory=dict)
    changed_rows: Mapping[str, pl.Series] = field(default_factory=dict)
    used_keys: Mapping[str, int] = field(default_factory=dict)
    groups: pl.Series | None = None

    @classmethod
    def empty(cls) -> Book:
        """A book without rows."""
        return cls({name: table.empty() for name, table in TABLES.items()})

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.frames[table]

    def open_day(self) -> Book:
        """The same book at the start of a day: nothing added or changed yet."""
        frames = {
            name: frame.rechunk() if frame.n_chunks() > _CHUNKS_BEFORE_RECHUNK else frame
            for name, frame in self.frames.items()
        }
        return replace(
            self, frames=frames, opened_at={name: frame.height for name, frame in frames.items()}, changed_rows={}
        )

    def append(self, table: str, rows: pl.DataFrame) -> Book:
        """Add rows (columns may come in any order; types are cast to the declared ones)."""
        if rows.is_empty():
            return self
        frame = self.frames[table].vstack(TABLES[table].conform(rows))
        return replace(self, frames={**self.frames, table: frame})

    def update(self, table: str, rows: pl.Series, values: Mapping[str, pl.Series]) -> Book:
        """Put new values into some columns of the rows at these positions (from `with_row_index("row")`)."""
        if rows.is_empty():
            return self
        frame = self.frames[table]
        columns = [frame[name].clone().scatter(rows, new.cast(frame.schema[name])) for name, new in values.items()]
        changed = rows.cast(pl.UInt32)
        if table in self.changed_rows:
            changed = pl.concat([self.changed_rows[table], changed])  # a new series: the book before this one stays
        return replace(
            self,
            frames={**self.frames, table: frame.with_columns(columns)},
            changed_rows={**self.changed_rows, table: changed},
        )

    def added(self, table: str) -> pl.DataFrame:
        """The rows that today has added."""
        return self.frames[table].slice(self.opened_at.get(table, 0))

    def amend_added(self, table: str, *columns: pl.Series) -> Book:
        """Put other columns into the rows that today has added."""
        start = self.opened_at.get(table, 0)
        frame = self.frames[table]
        amended = frame.head(start).vstack(frame.slice(start).with_columns(columns))
        return replace(self, frames={**self.frames, table: amended})

    def changes(self) -> dict[str, pl.DataFrame]:
        """What today added or changed, whole rows, sorted by key: the delta that storage keeps."""
        result = {}
        for name, frame in self.frames.items():
            added = self.added(name)
            changed = self.changed(name)
            rows = pl.concat([frame[changed], added]) if len(changed) else added
            result[name] = rows if rows.is_empty() else rows.sort(TABLES[name].key)
        return result

    def changed(self, table: str) -> pl.Series:
        """Positions of the rows from before today that today has changed."""
        changed = self.changed_rows.get(table)
        if changed is None:
            return _NO_ROWS
        return changed.filter(changed < self.opened_at.get(table, 0)).unique()

    def next_key(self, table: str) -> int:
        """The first unused dense key of a table whose key is numbered from 1."""
        highest = self.frames[table][TABLES[table].key[0]].max() or 0
        return max(int(highest), self.used_keys.get(table, 0)) + 1  # type: ignore[arg-type]


def number_from(start: int, name: str) -> pl.Expr:
    """Dense keys for the rows of a sorted frame, from `start`."""
    return (pl.int_range(pl.len(), dtype=pl.Int64) + start).alias(name)
