"""The reports of a closed day as a Dagster asset: aging and the trial balance, shown with the materialisation.

Nothing is stored: the views and macros of the catalogue are the reports, for any day. What is kept with the
materialisation is what a controller wants to see in the morning.
"""

import dagster as dg
import polars as pl

from assets.days import REPORTS, LedgerHome, business_dates, ledger_key
from warehouse.catalogue import connect, query

DAILY = "daily"
_MOST_ROWS = 50
_AGING = (
    "SELECT currency, sum(unbilled) AS unbilled, sum(not_due) AS not_due, sum(days_1_30) AS days_1_30, "
    "sum(days_31_60) AS days_31_60, sum(days_61_90) AS days_61_90, sum(days_91_plus) AS days_91_plus, "
    "sum(total) AS total FROM aging_as_of(DATE '{day}') GROUP BY currency ORDER BY currency"
)
_TRIAL_BALANCE = (
    "SELECT currency, account_type, t_account, debit_balance, credit_balance "
    "FROM trial_balance_as_of(DATE '{day}') ORDER BY ALL"
)


def build_reports(days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """The reports of each business date; in a backfill those of its last day."""

    @dg.asset(
        key=[REPORTS, DAILY],
        group_name=REPORTS,
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[ledger_key("journal"), ledger_key("invoice_items")],
        description="Aging and the trial balance at the close of a business date.",
        kinds={"duckdb"},
    )
    def daily(context: dg.AssetExecutionContext, ledger_home: LedgerHome) -> dg.MaterializeResult[None]:
        last = business_dates(context)[-1]
        with connect(ledger_home.home.root) as connection:
            aging = query(connection, _AGING.format(day=last))
            trial_balance = query(connection, _TRIAL_BALANCE.format(day=last))
        metadata = {"aging": record_table(aging), "trial_balance": record_table(trial_balance)}
        context.add_asset_metadata(metadata, asset_key=[REPORTS, DAILY], partition_key=last.isoformat())
        return dg.MaterializeResult()

    return daily


def record_table(frame: pl.DataFrame) -> dg.TableMetadataValue:
    """A frame as Dagster shows a table: the first rows, every value as text so that money keeps its digits."""
    columns = [dg.TableColumn(name, "string") for name in frame.columns]
    rows = [{name: str(value) for name, value in row.items()} for row in frame.head(_MOST_ROWS).rows(named=True)]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows], schema=dg.TableSchema(columns))
