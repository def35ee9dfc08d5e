"""Publishing the DuckDB catalogue of a home: which stored files it shows, and what it says of the carrier."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from assets.plans import plan_tables
from ledger.carrier import Carrier
from ledger.chart import load_chart
from schemas.book import BOOK_TABLES
from schemas.journal import EVENT_TABLES
from schemas.reports import DAYS
from warehouse.catalogue import Published, StateParts, publish
from warehouse.days import Chain
from warehouse.storage import Commit, DayRecord, Home, Store


def publish_catalogue(home: Home, store: Store, carrier: Carrier) -> Path | None:
    """Build the catalogue of the fresh days and put it in the place of the old one; none when no day is closed.

    Readers of the old file keep it. Raises what `warehouse.catalogue.publish` raises.
    """
    chain = store.chain()
    fresh = chain.fresh_days()
    if not fresh:
        return None
    checkpoint = _latest_checkpoint(chain, fresh)
    published = Published(
        through=fresh[-1].business_date,
        carrier=carrier.name,
        currency=carrier.currency,
        invoice_due_lag_days=carrier.invoice_due_lag_days,
        state={table.name: _state_parts(home, table.name, fresh, checkpoint) for table in BOOK_TABLES},
        events={table.name: _files(home, table.name, fresh) for table in EVENT_TABLES},
        plans=plan_tables(carrier),
        chart=load_chart().t_account_frame.select("t_account_pattern", "account_type"),
        days=_days_frame(store.days(), Counter(c.business_date for c in chain.commits if c.kind == "day")),
    )
    return publish(home.root, published)


def _state_parts(home: Home, table: str, fresh: Sequence[Commit], checkpoint: Commit | None) -> StateParts:
    """The files of a state table: every delta, and where to begin when only the newest versions are asked for."""
    if checkpoint is None:
        return StateParts(all_deltas=_files(home, table, fresh))
    later = [commit for commit in fresh if commit.business_date > checkpoint.business_date]
    return StateParts(
        checkpoint=_files(home, table, [checkpoint]),
        deltas_after_checkpoint=_files(home, table, later),
        all_deltas=_files(home, table, fresh),
    )


def _latest_checkpoint(chain: Chain, fresh: Sequence[Commit]) -> Commit | None:
    """The newest checkpoint that is still a copy of the day it was taken after."""
    digests = {commit.business_date: commit.day_digest for commit in fresh}
    usable = [commit for day, commit in chain.checkpoints.items() if digests.get(day) == commit.day_digest]
    return max(usable, key=lambda commit: commit.business_date, default=None)


def _files(home: Home, table: str, commits: Iterable[Commit]) -> list[Path]:
    """The files of a table in some commits, in their order."""
    return [home.warehouse / part.path for commit in commits for part in commit.parts if part.table == table]


def _days_frame(records: Iterable[DayRecord], revisions: Mapping[date, int]) -> pl.DataFrame:
    """The closed days as the view `days` shows them; debits and credits in minor units, over all currencies."""
    rows = [
        {
            "business_date": record.business_date,
            "revision": revisions[record.business_date],
            "rows_stored": sum(record.rows.values()),
            "journal_lines": record.rows.get("journal", 0),
            "debits": sum(total.debits for total in record.totals.values()),
            "credits": sum(total.credits for total in record.totals.values()),
            "rows_quarantined": record.rows.get("quarantine", 0),
            "manifest": record.digest,
            "code_version": record.code_version,
            "carrier_digest": record.carrier_digest,
            "is_stale": record.is_stale,
            "is_locked": record.is_locked,
        }
        for record in records
    ]
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in DAYS.columns})
