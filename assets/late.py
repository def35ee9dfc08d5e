"""Noticing files that landed for days already closed, and asking for those days to be closed again."""

import hashlib

import dagster as dg

from assets.days import LedgerHome
from assets.status import status

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
_SECONDS_BETWEEN_LOOKS = 300


def build_late_landing_sensor(job_name: str) -> dg.SensorDefinition:
    """A sensor that requests one run over all days that must be closed again.

    The same request is made once: a run that failed is not tried again until something has landed or been closed.
    """

    @dg.sensor(
        name="late_landing",
        job_name=job_name,
        minimum_interval_seconds=_SECONDS_BETWEEN_LOOKS,
        description="Close days again when files have landed for them since.",
    )
    def late_landing(ledger_home: LedgerHome) -> dg.RunRequest | dg.SkipReason:
        now = status(ledger_home.home)
        if now.to_close_again is None:
            return dg.SkipReason("every closed day stands on what has landed for it")
        first, last = now.to_close_again
        reasons = [str(now.commits), *(f"{one.day} {one.reason}" for one in now.stale)]
        return dg.RunRequest(
            run_key=hashlib.sha256("\n".join(reasons).encode()).hexdigest(),
            tags={RANGE_START: first.isoformat(), RANGE_END: last.isoformat()},
        )

    return late_landing
