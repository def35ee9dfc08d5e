"""Checks on closed days: the invariants of the ledger, asked of what was published, and what lies in quarantine.

A close has proved its contracts before it kept the day; these look at the result with another engine. Where money is
wrong the check blocks: the reports of the day are not made.
"""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from assets.days import LedgerHome, business_dates, ledger_key
from assets.invariant import Invariant
from assets.invariants import INVARIANTS, Finding, findings
from assets.reports import record_table
from schemas.journal import QUARANTINE
from warehouse.catalogue import connect, query
from warehouse.storage import Home

BLOCKING: tuple[Invariant, ...] = tuple(
    invariant
    for invariant in INVARIANTS
    if invariant.name
    in (
        *("debits_equal_credits", "subledger_ties_to_ledger", "in_is_booked_or_quarantined", "funds_tie_to_ledger"),
        *("suspense_items_tie_to_ledger", "suspense_payments_tie_to_ledger", "surplus_write_offs_tie_to_ledger"),
        *("cash_is_received_less_paid_out", "cash_rolls_forward", "refunds_tie_to_cash"),
        *("ages_tie_to_ledger", "receipts_are_accounted_for"),
    )
)
"""The invariants that are checked in every run; `paidthrough check` looks at all of them."""

NOTHING_QUARANTINED = "nothing_is_in_quarantine"


def build_checks() -> dg.AssetChecksDefinition:
    """One step that runs the checks after a close and before the reports."""

    @dg.multi_asset_check(
        name="ledger_checks",
        can_subset=True,
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
        asked = {key.name for key in context.selected_asset_check_keys}
        invariants = [invariant for invariant in BLOCKING if invariant.name in asked]
        wrong = {finding.invariant.name: finding for finding in findings(ledger_home.home, first, last, invariants)}
        for invariant in invariants:
            yield _result(invariant, wrong.get(invariant.name))
        if NOTHING_QUARANTINED in asked:
            yield _quarantine(ledger_home.home, first, last)

    return ledger_checks


def _result(invariant: Invariant, finding: Finding | None) -> dg.AssetCheckResult:
    """The result of one invariant: an error when there is a finding."""
    return dg.AssetCheckResult(
        check_name=invariant.name,
        asset_key=ledger_key(invariant.table),
        passed=finding is None,
        severity=dg.AssetCheckSeverity.ERROR,
        description=invariant.sentence if finding is None else str(finding),
        metadata={"rule": invariant.rule, "violations": 0 if finding is None else finding.count},
    )


def _quarantine(home: Home, first: date, last: date) -> dg.AssetCheckResult:
    """What of these days lies in quarantine, by table and reason: a warning when anything does."""
    with connect(home.root) as connection:
        refused = query(
            connection,
            "SELECT table_name, code, count(*) AS rows FROM stored.quarantine "
            f"WHERE business_date BETWEEN DATE '{first}' AND DATE '{last}' GROUP BY ALL ORDER BY ALL",
        )
    return dg.AssetCheckResult(
        check_name=NOTHING_QUARANTINED,
        asset_key=ledger_key(QUARANTINE.name),
        passed=refused.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": int(refused["rows"].sum()), "by_reason": record_table(refused)},
    )
