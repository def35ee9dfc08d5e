"""The landing tables as Dagster sees them: what came in for each business date.

Files come in through `paidthrough land` or are put in place by another pipeline; these assets read them as a close
would, and record how many there are. Nothing is changed: a file that cannot be taken goes to quarantine when the day
is closed, and is reported here before that.
"""

from collections import defaultdict
from collections.abc import Iterator

import dagster as dg

from assets.days import LANDING, LedgerHome, business_dates, landing_key
from schemas.landing import LANDING_TABLES
from warehouse.landing import Refused, read_inbox

READABLE = "files_can_be_taken"


def build_landing(days: dg.DailyPartitionsDefinition) -> dg.AssetsDefinition:
    """One asset per landing table; any of them may be materialised alone."""

    @dg.multi_asset(
        name="landing",
        group_name=LANDING,
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        specs=[
            dg.AssetSpec(landing_key(table.name), description=table.description, skippable=True, kinds={"parquet"})
            for table in LANDING_TABLES
        ],
        check_specs=[
            dg.AssetCheckSpec(READABLE, asset=landing_key(table.name), description="no file was refused as a whole")
            for table in LANDING_TABLES
        ],
    )
    def landing(
        context: dg.AssetExecutionContext, ledger_home: LedgerHome
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        refused: dict[str, list[Refused]] = defaultdict(list)
        selected = [one for one in LANDING_TABLES if landing_key(one.name) in context.selected_asset_keys]
        for day in business_dates(context):
            inbox = read_inbox(ledger_home.home, day)
            for one in inbox.refused:
                refused[one.table].append(one)
            for table in selected:
                frame = inbox.frames.get(table.name)
                context.add_asset_metadata(
                    {
                        "dagster/partition_row_count": 0 if frame is None else frame.height,
                        "files": 0 if frame is None else frame["file"].n_unique(),
                    },
                    asset_key=landing_key(table.name),
                    partition_key=day.isoformat(),
                )
        for table in selected:
            yield dg.MaterializeResult(asset_key=landing_key(table.name))
        for key in context.selected_asset_check_keys:
            yield _readable(key, refused[key.asset_key.path[-1]])

    return landing


def _readable(key: dg.AssetCheckKey, refused: list[Refused]) -> dg.AssetCheckResult:
    """Whether the files of a table could be taken; a refused one does not stop the close, it is kept in quarantine."""
    return dg.AssetCheckResult(
        check_name=key.name,
        asset_key=key.asset_key,
        passed=not refused,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"refused": len(refused), "why": "\n".join(f"{one.code} {one.detail}" for one in refused)},
    )
