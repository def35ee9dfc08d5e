"""Lines of invoices in the five ways of a billing plan, and the one that the plan of the payer asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from published_books import CHARGE_PATTERNS, Rows, write_book

from schemas import enums
from schemas.reports.plans import AGGREGATIONS
from warehouse.catalogue import connect, publish, query

DAY = date(2026, 1, 5)
CONTEXTS = (
    "audit",
    "issuance",
    "renewal",
    "policy_change",
    "new_renewal",
    "cancellation",
    "reinstatement",
    "premium_report",
    "premium_report_due_date",
    "general",
)
"""The ten contexts of R-BP-9."""
Charge = tuple[str, str, str | None, int]
"""Context, charge pattern, charge group and amount."""
D_AG_1: Sequence[Charge] = (
    ("issuance", "Premium", "A", 60_00),
    ("issuance", "Premium", "B", 40_00),
    ("issuance", "Taxes", None, 10_00),
    ("policy_change", "Premium", None, 20_00),
)


def _invoice(charges: Sequence[Charge], **more: Any) -> Rows:
    """One invoice of one account with one item per charge, all of one policy."""
    key = {"account_key": 1, "policy_key": 1, "period_key": 1}
    return {
        "accounts": [{"account_key": 1, "account_id": "A-1", "billing_plan": "Plain"}],
        "policies": [{"policy_key": 1, "policy_id": "P", "account_key": 1}],
        "policy_periods": [{"period_key": 1, "policy_key": 1, "account_key": 1, "term_number": 1}],
        "invoices": [{"invoice_key": 8, "account_key": 1, "bill_date": DAY, "due_date": DAY}],
        "charges": [
            {**key, "charge_key": n, "context": context, "charge_pattern": pattern, "charge_group": group, **more}
            for n, (context, pattern, group, _) in enumerate(charges, 1)
        ],
        "invoice_items": [
            {
                **key,
                "item_key": n * 1024 + 1,
                "charge_key": n,
                "invoice_key": 8,
                "charge_pattern": pattern,
                "amount": amount,
            }
            for n, (_, pattern, _, amount) in enumerate(charges, 1)
        ],
    }


def _published(home: Path, rows: Rows, aggregation: str = "charges", patterns: pl.DataFrame = CHARGE_PATTERNS) -> None:
    plan = pl.DataFrame({"billing_plan": ["Plain"], "aggregation": [aggregation]})
    published = write_book(home / "warehouse", {DAY: rows})
    publish(home, replace(published, plans={"billing_plans": plan, "charge_patterns": patterns}))


def _ask(home: Path, sql: str) -> list[tuple]:
    with connect(home) as connection:
        return query(connection, sql).rows()


def _amounts(home: Path, view: str) -> list[Decimal]:
    return [amount for (amount,) in _ask(home, f"SELECT amount FROM {view} ORDER BY amount DESC")]


D_AG_1_AMOUNTS = {
    "policies": [130],
    "contexts": [110, 20],
    "categories": [100, 20, 10],
    "charge_groups": [60, 40, 30],
    "charges": [60, 40, 20, 10],
}


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_d_ag_1_in_each_way(tmp_path: Path, aggregation: str) -> None:
    """D-AG-1, R-BP-9: group by and sum; the plan's way is the default, R-BP-10: any other may be asked for."""
    _published(tmp_path, _invoice(D_AG_1), aggregation)
    for other in AGGREGATIONS:
        assert _amounts(tmp_path, f"invoice_lines_{other}") == D_AG_1_AMOUNTS[other]
        assert _amounts(tmp_path, f"invoice_lines_{other}_as_of('{DAY}')") == D_AG_1_AMOUNTS[other]
    assert _amounts(tmp_path, "invoice_lines") == D_AG_1_AMOUNTS[aggregation]
    assert _ask(tmp_path, "SELECT DISTINCT aggregation, account_id, policy_id, invoice_id FROM invoice_lines") == [
        (aggregation, "A-1", "P", "8")
    ]


def test_d_ag_1_shows_the_keys_of_its_groups(tmp_path: Path) -> None:
    """D-AG-1: what a line is grouped by is shown, the rest is empty."""
    _published(tmp_path, _invoice(D_AG_1), "charge_groups")
    columns = "context, category, charge_group, charge_id, item_id, amount"
    assert _ask(tmp_path, f"SELECT {columns} FROM invoice_lines ORDER BY charge_group NULLS LAST") == [
        (None, None, "A", None, None, Decimal(60)),
        (None, None, "B", None, None, Decimal(40)),
        (None, None, None, None, None, Decimal(30)),
    ]
    sql = "SELECT context, category, amount FROM invoice_lines_categories ORDER BY ALL"
    assert _ask(tmp_path, sql) == [
        ("issuance", "premium", Decimal(100)),
        ("issuance", "tax", Decimal(10)),
        ("policy_change", "premium", Decimal(20)),
    ]
    sql = "SELECT term_number, charge_id, item_id, charge_group FROM invoice_lines_charges ORDER BY charge_id"
    assert _ask(tmp_path, sql)[0] == (1, "1", "1025", "A")


def test_e_cg_1_lines_by_location(tmp_path: Path) -> None:
    """E-CG-1, R-CH-8: locations A, B and C with several vehicles each are three lines of the invoice."""
    vehicles = [("issuance", "Premium", location, 100_00 + n) for location in "ABC" for n in range(3)]
    _published(tmp_path, _invoice(vehicles), "charge_groups")
    assert _ask(tmp_path, "SELECT charge_group, amount FROM invoice_lines ORDER BY 1") == [
        (location, Decimal("300.03")) for location in "ABC"
    ]


def test_e_bp_2_at_most_forty_lines_of_a_policy(tmp_path: Path) -> None:
    """E-BP-2: four categories in ten contexts are at most 4 lines per context and 40 per policy."""
    patterns = pl.DataFrame({"charge_pattern": [*enums.CHARGE_CATEGORIES], "category": [*enums.CHARGE_CATEGORIES]})
    charges = [(context, pattern, None, 1_00) for context in CONTEXTS for pattern in enums.CHARGE_CATEGORIES] * 2
    _published(tmp_path, _invoice(charges), "categories", patterns)
    per_context = "SELECT context, count(*) FROM invoice_lines GROUP BY context"
    assert {lines for _, lines in _ask(tmp_path, per_context)} == {4}
    assert _ask(tmp_path, "SELECT count(*), sum(amount) FROM invoice_lines") == [(40, Decimal(80))]


def test_a_rewrite_has_a_context_of_its_own(tmp_path: Path) -> None:
    """R-BP-9: an eleventh context."""
    _published(tmp_path, _invoice([*D_AG_1, ("rewrite", "Premium", None, 5_00)]), "contexts")
    assert ("rewrite", Decimal(5)) in _ask(tmp_path, "SELECT context, amount FROM invoice_lines")


def test_a_charge_that_takes_another_back_has_no_context(tmp_path: Path) -> None:
    """R-BI-15."""
    _published(tmp_path, _invoice([("reversal", "Taxes", None, -5_00)], reverses_charge_key=7), "contexts")
    assert _ask(tmp_path, "SELECT context, amount FROM invoice_lines") == [(None, Decimal(-5))]
    assert _ask(tmp_path, "SELECT context, reverses_charge_id FROM charges") == [(None, "7")]


def test_lines_are_of_policies_not_of_terms(tmp_path: Path) -> None:
    """R-BP-9: two terms of a policy are one line; an item that is on no invoice any more is on no line."""
    rows = dict(_invoice(D_AG_1))
    rows["policy_periods"] = [*rows["policy_periods"], {**rows["policy_periods"][0], "period_key": 2, "term_number": 2}]
    items = [dict(item) for item in rows["invoice_items"]]
    items[0] |= {"period_key": 2}
    items[3] |= {"invoice_key": 0}
    rows["invoice_items"] = items
    _published(tmp_path, rows, "policies")
    assert _amounts(tmp_path, "invoice_lines") == [110]
    assert _ask(tmp_path, "SELECT term_number, sum(amount) FROM invoice_lines_charges GROUP BY 1 ORDER BY 1") == [
        (1, Decimal(50)),
        (2, Decimal(60)),
    ]
