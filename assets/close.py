"""Closing a day as a Dagster asset: one step, whose outputs are the main tables that a day adds to.

The work is `assets.closing.close_range`, the same that the command line calls. The step depends on itself one day
earlier; in a backfill it reads the book once, before the first day, and carries it through the range. Any of its
tables may be asked for alone, and the day is closed whole. (Of a step that can only be asked for whole, Dagster refuses
backfills: it compares the partitions of its tables with a count that some have and others have not.)
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.closing import DayClosing, Progress, close_range
from assets.days import LEDGER, LedgerHome, business_dates, landing_key, ledger_key
from schemas.book import CHARGES, FUNDS, INVOICE_ITEMS, INVOICES, PAYMENTS, POLICY_PERIODS
from schemas.declare import Table
from schemas.journal import JOURNAL, QUARANTINE
from schemas.landing import LANDING_TABLES

LEDGER_TABLES: tuple[Table, ...] = (
    POLICY_PERIODS,
    CHARGES,
    INVOICES,
    PAYMENTS,
    FUNDS,
    INVOICE_ITEMS,
    JOURNAL,
    QUARANTINE,
)
"""The tables that stand for a closed day in the asset graph, each after those that it is made from.

The other tables of the day are stored with them.
"""

FEEDS: dict[str, tuple[str, ...]] = {
    "policy_periods": ("accounts", "billing_instructions"),
    "charges": ("billing_instructions", "charges"),
    "payments": ("payments",),
    "quarantine": tuple(table.name for table in LANDING_TABLES),
}
"""Which landing tables a table of the ledger comes from, first hand."""

MADE_FROM: dict[str, tuple[str, ...]] = {
    "invoices": ("charges",),
    "invoice_items": ("charges", "invoices", "payments", "funds"),
    "funds": ("payments",),
    "journal": ("charges", "invoice_items", "payments", "funds", "policy_periods"),
}
"""Which tables of the same day a table of the ledger is made from."""


def build_close(days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """The step that closes business dates."""

    @dg.multi_asset(
        name="close",
        group_name=LEDGER,
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        specs=[
            dg.AssetSpec(
                ledger_key(table.name),
                deps=_dependencies(table.name),
                description=table.description,
                kinds={"polars", "parquet"},
                skippable=True,
            )
            for table in LEDGER_TABLES
        ],
    )
    def close(context: dg.AssetExecutionContext, ledger_home: LedgerHome) -> Iterator[dg.MaterializeResult[None]]:
        dates = business_dates(context)
        closings = close_range(ledger_home.home, dates[0], dates[-1], progress=_log_progress(context))
        for table in LEDGER_TABLES:
            key = ledger_key(table.name)
            is_selected = key in context.selected_asset_keys
            for closing in closings:
                _record(context, key, closing, is_selected=is_selected)
            if is_selected:
                yield dg.MaterializeResult(asset_key=key)

    return close


def _record(context: dg.AssetExecutionContext, key: dg.AssetKey, closing: DayClosing, *, is_selected: bool) -> None:
    """Record what a day holds of a table, also of one that was not asked for: a day is closed whole."""
    metadata, partition = day_metadata(closing, key.path[-1]), closing.day.isoformat()
    if is_selected:
        context.add_asset_metadata(metadata, asset_key=key, partition_key=partition)
    else:
        context.log_event(dg.AssetMaterialization(asset_key=key, partition=partition, metadata=metadata))


def day_metadata(closing: DayClosing, table: str) -> dict[str, Any]:
    """What a materialisation shows of one table of one closed day: rows, seconds, and for the journal its sums."""
    metadata: dict[str, Any] = {
        "dagster/partition_row_count": closing.record.rows.get(table, 0),
        "outcome": closing.outcome,
        "seconds": round(closing.seconds, 3),
    }
    if table == JOURNAL.name:
        for currency, totals in sorted(closing.record.totals.items()):
            metadata[f"debits_{currency}_minor_units"] = totals.debits
            metadata[f"credits_{currency}_minor_units"] = totals.credits
    return metadata


def _dependencies(table: str) -> list[dg.AssetDep]:
    """The landing tables and the tables of the day that a table comes from, and itself one day earlier."""
    yesterday = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1)
    return [
        *(dg.AssetDep(landing_key(name)) for name in FEEDS.get(table, ())),
        *(dg.AssetDep(ledger_key(name)) for name in MADE_FROM.get(table, ())),
        dg.AssetDep(ledger_key(table), partition_mapping=yesterday),
    ]


def _log_progress(context: dg.AssetExecutionContext) -> Progress:
    """Write each day into the log of the run."""

    def report(done: int, total: int, word: str) -> None:
        context.log.info("%s of %s days: %s", done, total, word)

    return report
