"""The Dagster project: assets and checks of one home, the jobs that close days, a schedule and a sensor.

The home is `PAIDTHROUGH_HOME` (default `./home`). Partitions begin at `PAIDTHROUGH_START`, else at the first business
date that the home knows of, else at the first day of this year.
"""

from __future__ import annotations

import os
import warnings
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from assets.checks import build_checks
from assets.close import build_close
from assets.days import LedgerHome, daily
from assets.landing import build_landing
from assets.late import build_late_landing_sensor
from assets.reports import build_reports
from pipelines.homes import first_business_date
from warehouse.storage import Home

CLOSE_DAYS = "close_days"
HOME_TAG = "paidthrough/home"
"""Runs that close days carry this tag with the home as its value; dagster.yaml lets one of them run at a time."""


def build_definitions(home: Home, start: date) -> dg.Definitions:
    """Everything that Dagster shows of a home whose first business date is `start`."""
    days = daily(start)
    with warnings.catch_warnings():
        # Single-run backfills are flagged beta; the behaviour that the ledger needs of them is tested.
        warnings.simplefilter("ignore", dg.BetaWarning)
        assets = [build_landing(days), build_close(days), build_reports(days)]
    close_days = dg.define_asset_job(
        CLOSE_DAYS,
        selection=dg.AssetSelection.all(),
        description="Read what came in, close the days, check them, and report.",
        executor_def=dg.in_process_executor,
        tags={HOME_TAG: str(home.root)},
    )
    return dg.Definitions(
        assets=assets,
        asset_checks=[build_checks()],
        jobs=[close_days],
        schedules=[
            dg.build_schedule_from_partitioned_job(
                close_days,
                name="close_yesterday",
                description="Close yesterday, every night at two.",
                hour_of_day=2,
            )
        ],
        sensors=[build_late_landing_sensor(CLOSE_DAYS)],
        resources={"ledger_home": LedgerHome(path=str(home.root))},
        executor=dg.in_process_executor,
    )


def home_from_environment() -> Home:
    """The home that `PAIDTHROUGH_HOME` names."""
    return Home(Path(os.environ.get("PAIDTHROUGH_HOME", "home")).resolve())


def start_from_environment(home: Home) -> date:
    """The first partition: `PAIDTHROUGH_START`, else the first day of the home, else the first day of this year."""
    if text := os.environ.get("PAIDTHROUGH_START"):
        return date.fromisoformat(text)
    return first_business_date(home) or datetime.now(UTC).date().replace(month=1, day=1)


HOME = home_from_environment()
defs = build_definitions(HOME, start_from_environment(HOME))
