"""The views on random books with commands: the ledger holds, histories add up, and a past day looks as it did then."""

from __future__ import annotations

import polars as pl
import pytest

from assets.invariants import findings
from ledger.carrier import Carrier
from ledger.finance_settings import FundsTracking
from schemas.reports import REPORTS
from tests.reference.books import shelf
from tests.reference.engine import Engine
from tests.warehouse.published_stories import PublishedDays
from warehouse.storage import Home

OPEN_BUT_NOT_IN_HISTORY = """
    WITH history AS (SELECT item_id, sum(gross) AS gross FROM invoice_item_history GROUP BY item_id)
    SELECT item_id, item.amount_due, history.gross FROM invoice_items AS item LEFT JOIN history USING (item_id)
    WHERE item.amount_due <> coalesce(history.gross, 0)
"""


@pytest.fixture(scope="module", params=range(2))
def engine(request: pytest.FixtureRequest) -> Engine:
    """Ten books closed together for a month and a half."""
    books = shelf(request.param, 10, longest=50, shortest=40)
    engine = Engine(books.carrier)
    for day in books.days:
        engine.close(day, books.inbox(day))
    return engine


@pytest.fixture(scope="module")
def published(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> PublishedDays:
    return PublishedDays(tmp_path_factory.mktemp("all"), _tracking(engine), engine.closed)


def _tracking(engine: Engine) -> Carrier:
    """The carrier, with funds tracked from the tenth day on."""
    setting = FundsTracking(enabled=True, enabled_on=engine.closed[9].day)
    return engine.carrier.model_copy(update={"funds_tracking": setting})


def test_every_statement_on_the_ledger_holds(published: PublishedDays) -> None:
    """What the close proved by day, in another engine and from the stored rows."""
    assert [str(finding) for finding in findings(Home(published.home))] == []


def test_histories_add_up_and_nothing_is_unallocated(published: PublishedDays) -> None:
    """R-ITM-20, R-ITM-43, R-CI-06."""
    assert published.ask("SELECT count(*) > 100 FROM invoice_item_history") == [(True,)]
    assert published.ask(OPEN_BUT_NOT_IN_HISTORY) == []
    assert published.ask("SELECT * FROM modify_items_balance WHERE unallocated <> 0") == []


def test_lines_of_invoices_sum_to_their_invoices(published: PublishedDays) -> None:
    """R-BP-9: whatever the grouping."""
    for view in ("invoice_lines", "invoice_lines_policies", "invoice_lines_categories", "invoice_lines_charges"):
        lines = f"SELECT invoice_id, sum(amount) AS amount, sum(amount_due) AS amount_due FROM {view} GROUP BY ALL"
        invoices = "SELECT invoice_id, amount, amount_due FROM invoices WHERE invoice_id IN (SELECT invoice_id FROM l)"
        assert (
            published.ask(f"WITH l AS ({lines}) (FROM l EXCEPT {invoices}) UNION ALL ({invoices} EXCEPT FROM l)") == []
        )


def test_tracked_money_is_matched_oldest_first(published: PublishedDays) -> None:
    """R-FT-3, R-FT-4: the overlaps of cumulative amounts are what serving one use after the other gives."""
    sides = {}
    for side in ("source", "use"):
        asked = f"SELECT account_id, fund_policy_id, {side}_id, amount FROM fund_{side}s ORDER BY event_date, sequence"
        rows = published.ask(f"{asked}, CAST({side}_id AS BIGINT)")
        sides[side] = [[(account, policy), name, amount] for account, policy, name, amount in rows]
    expected = []
    for fund, use, wanted in sides["use"]:
        for source in sides["source"]:
            part = min(wanted, source[2]) if source[0] == fund else 0
            if part > 0:
                expected.append((source[1], use, part))
                source[2] -= part
                wanted -= part  # noqa: PLW2901 -- what of the use is still to be served
    assert len(expected) > 20
    assert published.ask("SELECT source_id, use_id, amount FROM fund_allotments ORDER BY ALL") == sorted(expected)
    left = "SELECT unallotted FROM fund_sources ORDER BY event_date, sequence, CAST(source_id AS BIGINT)"
    assert [amount for (amount,) in published.ask(left)] == [source[2] for source in sides["source"]]


def test_cash_rolls_forward_as_the_days_were_closed(engine: Engine, published: PublishedDays) -> None:
    """Cash received, applied and held of each day, from the payments, payment items and funds of the closed days."""
    opening = 0
    for closed in engine.closed:
        new = closed.changes["payments"].filter(
            (pl.col("received_date") == closed.day) & (pl.col("from_payment_key") == 0)
        )
        applied = closed.changes["payment_items"].filter(pl.col("kind").cast(pl.String) != "settlement")["amount"].sum()
        held = closed.book["funds"]["balance"].sum()
        day = f"FROM cash_roll_forward WHERE business_date = DATE '{closed.day}'"
        rolled = published.ask(
            f"SELECT coalesce(sum(received) FILTER (fund_type = 'cash'), 0) * 100, coalesce(sum(applied), 0) * 100, "
            f"coalesce(sum(closing - opening) FILTER (fund_type IN ('default', 'designated')), 0) * 100 {day}"
        )
        assert rolled == [(new["amount"].sum(), applied, held - opening)], closed.day
        opening = held


def test_receipts_are_told_as_their_payments_are(published: PublishedDays) -> None:
    """What names a payment is what the view of payments says was distributed of it."""
    distributed = "SELECT payment_id, distributed FROM payments WHERE distributed <> 0"
    named = "SELECT payment_id, sum(amount) FROM cash_application WHERE is_named AND went_to = 'item' GROUP BY ALL"
    assert published.ask(f"{distributed} ORDER BY ALL") == published.ask(f"{named} ORDER BY ALL") != []
    assert published.ask("SELECT * FROM cash_application WHERE amount <= 0 OR went_to = 'other'") == []


def test_a_past_day_looks_as_it_did_then(
    engine: Engine, published: PublishedDays, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every view as of a day is what the view said when that day was the last, and as of the last day what it says."""
    middle = engine.closed[: len(engine.closed) // 2]
    then = PublishedDays(tmp_path_factory.mktemp("half"), _tracking(engine), middle)
    for report in REPORTS:
        before = f"{report.name}_as_of(DATE '{middle[-1].day}')"
        if report.has_known_at:
            before = f"{report.name}_as_of(DATE '{middle[-1].day}', known_at := DATE '{middle[-1].day}')"
        asked = "SELECT * FROM {} ORDER BY ALL"
        assert published.ask(asked.format(before)) == _shown(then, report.name, has_dates=report.has_known_at), (
            report.name
        )


def _shown(published: PublishedDays, view: str, *, has_dates: bool) -> list[tuple]:
    """The rows of a view; of the journal, only what is in effect, as its macro shows."""
    ((through,),) = published.ask("SELECT through FROM stored.settings")
    in_effect = (
        f" WHERE transaction_date <= DATE '{through}'"
        if has_dates and view in ("journal", "policy_transactions")
        else ""
    )
    return published.ask(f"SELECT * FROM {view}{in_effect} ORDER BY ALL")
