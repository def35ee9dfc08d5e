"""Checks on closed days: the invariants of the ledger, asked of what was published, and what lies in quarantine.

A close has proved its contracts before it kept the day; these look at the result with another engine. Where money is
wrong the check blocks: the reports of the day are not made.
"""

from collections.abc import Iterator

import dagster as dg

from assets.days import LedgerHome, business_dates, ledger_key
from assets.invariants import INVARIANTS, Invariant, findings
from assets.reports import record_table
from schemas.journal import QUARANTINE
from warehouse.catalogue import connect, query

BLOCKING: tuple[Invariant, ...] = tuple(
    invariant
    for invariant in INVARIANTS
    if invariant.name in ("debits_equal_credits", "subledger_ties_to_ledger", "in_is_booked_or_quarantined")
)
"""The invariants that are checked in every run; `paidthrough check` looks at all of them."""

NOTHING_QUARANTINED = "nothing_is_in_quarantine"


def build_checks() -> dg.AssetChecksDefinition:
    """One step that runs the checks after a close and before the reports."""

    @dg.multi_asset_check(
        name="ledger_checks",
        specs=[
            *(
                dg.AssetCheckSpec(one.name, asset=ledger_key(one.table), description=one.sentence, blocking=True)
                for one in BLOCKING
            ),
            dg.AssetCheckSpec(
                NOTHING_QUARANTINED, asset=ledger_key(QUARANTINE.name), description="every row that came in was booked"
            ),
        ],
    )
    def ledger_checks(context: dg.AssetCheckExecutionContext, ledger_home: LedgerHome) -> Iterator[dg.AssetCheckResult]:
        days = business_dates(context)
        first, last = days[0], days[-1]
        wrong = {finding.invariant.name: finding for finding in findings(ledger_home.home, first, last, BLOCKING)}
        for invariant in BLOCKING:
            finding = wrong.get(invariant.name)
            yield dg.AssetCheckResult(
                check_name=invariant.name,
                asset_key=ledger_key(invariant.table),
                passed=finding is None,
                severity=dg.AssetCheckSeverity.ERROR,
                description=invariant.sentence if finding is None else str(finding),
                metadata={"rule": invariant.rule, "violations": 0 if finding is None else finding.count},
            )
        with connect(ledger_home.home.root) as connection:
            refused = query(
                connection,
                "SELECT table_name, code, count(*) AS rows FROM stored.quarantine "
                f"WHERE business_date BETWEEN DATE '{first}' AND DATE '{last}' GROUP BY ALL ORDER BY ALL",
            )
        yield dg.AssetCheckResult(
            check_name=NOTHING_QUARANTINED,
            asset_key=ledger_key(QUARANTINE.name),
            passed=refused.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"rows": int(refused["rows"].sum()), "by_reason": record_table(refused)},
        )

    return ledger_checks
