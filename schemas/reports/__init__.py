"""The output contract: every view of the published catalogue, one declaration each.

The column types and comments in DuckDB and the data dictionary in `docs/` come from here. Internal keys do not appear:
reports show external ids, and text of the key where a thing has no external id. Money is declared with two decimals;
a catalogue that holds a currency with more publishes all of its money with that many.

`records` and `refunds` have what is recorded, `balances` what is computed from it, `lines` what an invoice shows,
`changes` what is asked before and after something is changed, `finance` where cash came from and went, `plans` what the
carrier sets, `closes` what the closes say of themselves. A new view is declared in one of them, with its SQL in
`warehouse/sql/<name>.sql`.
"""

from __future__ import annotations

from schemas.reports.balances import BALANCES
from schemas.reports.changes import CHANGES
from schemas.reports.closes import CLOSES, DAYS
from schemas.reports.columns import Report
from schemas.reports.finance import FINANCE
from schemas.reports.lines import LINES
from schemas.reports.plans import PLANS, REFERENCES
from schemas.reports.records import RECORDS
from schemas.reports.refunds import REFUNDS

__all__ = ["DAYS", "REFERENCES", "REPORTS", "Report"]

REPORTS: tuple[Report, ...] = (*RECORDS, *REFUNDS, *BALANCES, *LINES, *CHANGES, *FINANCE, *PLANS, *CLOSES)
"""Every view, in the order of the data dictionary."""
