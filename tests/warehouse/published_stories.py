"""Days that the ledger closed in a test, published as a home would publish them: what the views say of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from assets.plans import plan_tables
from ledger.carrier import Carrier
from ledger.close import ClosedDay
from schemas.book import BOOK_TABLES
from schemas.journal import EVENT_TABLES
from tests.story import Story
from warehouse.catalogue import Published, StateParts, connect, publish, query


class PublishedDays:
    """Closed days that can be asked."""

    def __init__(self, home: Path, carrier: Carrier, closed: Sequence[ClosedDay]) -> None:
        self.home = home
        self._parts = home / "warehouse" / "parts"
        self._parts.mkdir(parents=True, exist_ok=True)
        publish(
            home,
            Published(
                through=closed[-1].day,
                carrier=carrier.name,
                currency=carrier.currency,
                invoice_due_lag_days=carrier.invoice_due_lag_days,
                state={table.name: StateParts(all_deltas=self._changes(closed, table.name)) for table in BOOK_TABLES},
                events={table.name: self._events(closed, table.name) for table in EVENT_TABLES},
                plans=plan_tables(carrier),
            ),
        )

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with connect(self.home) as connection:
            return query(connection, sql).rows()

    def _changes(self, closed: Sequence[ClosedDay], table: str) -> list[Path]:
        changes = [
            rows.clone().insert_column(0, pl.Series("business_date", [day.day] * rows.height, pl.Date))
            for day in closed
            if not (rows := day.changes[table]).is_empty()
        ]
        return self._write(table, changes)

    def _events(self, closed: Sequence[ClosedDay], table: str) -> list[Path]:
        return self._write(table, [rows for day in closed if not (rows := day.events[table]).is_empty()])

    def _write(self, table: str, frames: list[pl.DataFrame]) -> list[Path]:
        path = self._parts / f"{table}.parquet"
        if frames:
            pl.concat(frames).write_parquet(path)
        return [path] if frames else []


class PublishedStory(PublishedDays):
    """A story whose closed days can be asked."""

    def __init__(self, home: Path, story: Story) -> None:
        super().__init__(home, story.carrier, [story.days[day] for day in sorted(story.days)])
