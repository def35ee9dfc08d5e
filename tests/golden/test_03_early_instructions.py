"""Instructions that come before their policy or policy period: they wait where the carrier lets them (F-12, I-39)."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tests.instructed import JAN_1, YEAR_END, charge, instruction, land, terms
from tests.story import Row, Story, plans

WAITS = ('largest_charge = "1000000.00"', 'largest_charge = "1000000.00"\npending_days = 3')
JUN_1 = date(2025, 6, 1)


def day(number: int) -> date:
    """The n-th of January."""
    return date(2025, 1, number)


def waiting_story(*changes: tuple[str, str]) -> Story:
    """A carrier that lets instructions wait for three days, unless told."""
    return Story(plans(terms(), *(changes or (WAITS,)))).land(JAN_1, accounts=[{"account_id": "A"}])


def pending(story: Story) -> list[tuple[object, ...]]:
    """Record, outcome and settling day of every row that waited."""
    columns = ("record_id", "table_name", pl.col("outcome").cast(pl.String), "settled_date")
    return story.book["pending_rows"].sort("pending_key").select(columns).rows()


def counted(story: Story, on: date) -> list[tuple[object, ...]]:
    """Rows in, booked, quarantined and waiting of a day, by file."""
    columns = ("file", "rows_in", "rows_booked", "rows_quarantined", "rows_pending", "amount_pending")
    return story.days[on].events["intake"].filter(pl.col("table_name") != "accounts").select(columns).rows()


CANCEL = instruction("C1", "cancellation", effective_date=JUN_1)
REFUND = charge("C1", "-500.00")


def test_f_12_a_cancellation_before_its_issuance_waits_for_it() -> None:
    """F-12, R-BI-4, R-CI-04: with its charge; booked on the day of the issuance, after it, as if it had come then."""
    story = waiting_story()
    land(story, day(1), CANCEL, charges=(REFUND,))
    assert story.quarantined() == []
    assert pending(story) == [
        ("C1", "billing_instructions", "waiting", None),
        ("C1", "charges", "waiting", None),
    ]
    story.close_through(day(2))
    land(story, day(3), instruction("I1", "issuance"), charges=(charge("I1"),))
    assert story.quarantined() == []
    assert pending(story) == [
        ("C1", "billing_instructions", "booked", day(3)),
        ("C1", "charges", "booked", day(3)),
    ]
    assert story.book["policy_periods"]["status"].cast(pl.String).to_list() == ["cancelled"]
    assert story.book["charges"].sort("charge_key").select("context", "charge_date").rows() == [
        ("issuance", day(3)),
        ("cancellation", day(3)),
    ]
    in_order = waiting_story()
    land(in_order, day(3), instruction("I1", "issuance"), CANCEL, charges=(charge("I1"), REFUND))
    for table in ("charges", "invoice_items", "invoices", "policy_periods"):
        assert story.book[table].equals(in_order.book[table]), table


def test_i_39_every_day_accounts_for_the_rows_that_wait() -> None:
    """I-39: rows and amounts in are booked, in quarantine or waiting, on every day, whatever file they came in."""
    story = waiting_story()
    land(story, day(1), CANCEL, instruction("I2", "issuance", "P2"), charges=(REFUND, charge("I2")))
    assert counted(story, day(1)) == [
        ("billing_instructions/story.parquet", 2, 1, 0, 1, 0),
        ("charges/story.parquet", 2, 1, 0, 1, -50000),
    ]
    story.close_through(day(2))
    again = ("pending/2025-01-01/billing_instructions/story.parquet", "pending/2025-01-01/charges/story.parquet")
    assert counted(story, day(2)) == [(again[0], 1, 0, 0, 1, 0), (again[1], 1, 0, 0, 1, -50000)]
    land(story, day(3), instruction("I1", "issuance"))
    assert counted(story, day(3))[1:] == [(again[0], 1, 1, 0, 0, 0), (again[1], 1, 1, 0, 0, 0)]


def test_f_12_who_waits_too_long_is_refused() -> None:
    """F-12: after three days it is in quarantine, with its charge, for the reason that made it wait."""
    story = waiting_story()
    land(story, day(1), CANCEL, charges=(REFUND,))
    assert story.close_through(day(3)).quarantined() == []
    story.close_through(day(4))
    assert story.quarantined() == [("C1", "E-INSTRUCTION-REFUSED"), ("C1", "E-POLICY-UNKNOWN")]
    assert [row[2:] for row in pending(story)] == [("refused", day(4))] * 2
    assert counted(story, day(4)) == [
        ("pending/2025-01-01/billing_instructions/story.parquet", 1, 0, 1, 0, 0),
        ("pending/2025-01-01/charges/story.parquet", 1, 0, 1, 0, 0),
    ]
    story.close_through(day(5))
    assert story.days[day(5)].events["intake"].is_empty()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (instruction("X", "renewal", effective_date=YEAR_END, period_end=date(2027, 1, 1)), "E-POLICY-UNKNOWN"),
        (instruction("X", "audit", effective_date=JUN_1), "E-POLICY-UNKNOWN"),
    ],
)
def test_r_bi_4_what_needs_a_policy_waits_for_it(row: Row, code: str) -> None:
    """R-BI-4: renewals as well as changes; the reason is kept with the row."""
    story = waiting_story()
    land(story, day(1), row)
    assert story.book["pending_rows"]["code"].to_list() == [code]
    land(story, day(2), instruction("I1", "issuance"))
    assert [line[2] for line in pending(story)] == ["booked"]


def test_r_ci_04_what_needs_a_term_waits_for_it() -> None:
    """R-CI-04: a change of the second term, which comes a day later."""
    story = waiting_story()
    change = instruction("C2", "policy_change", effective_date=YEAR_END, term_number=2)
    land(story, day(1), instruction("I1", "issuance"), change, charges=(charge("C2", "5.00"),))
    assert story.book["pending_rows"]["code"].to_list() == ["E-PERIOD-UNKNOWN"] * 2
    land(story, day(2), instruction("I2", "renewal", effective_date=YEAR_END, period_end=date(2027, 1, 1)))
    assert story.quarantined() == []
    assert [line[2] for line in pending(story)] == ["booked"] * 2


def test_f_12_other_reasons_do_not_wait() -> None:
    """F-12: a reason that time does not cure refuses at once; so does one that turns up while a row waits."""
    story = waiting_story()
    other = instruction("X", "audit", account_id="B", effective_date=JUN_1)
    land(story, day(1), instruction("I1", "issuance"), other, instruction("Y", "audit", "P2", effective_date=JUN_1))
    assert story.quarantined() == [("X", "E-POLICY-ACCOUNT")]
    land(story, day(2), instruction("I2", "issuance", "P2", account_id="B"))
    assert story.quarantined() == [("X", "E-POLICY-ACCOUNT"), ("Y", "E-POLICY-ACCOUNT")]
    assert pending(story) == [("Y", "billing_instructions", "refused", day(2))]


def test_f_12_an_instruction_that_lands_again_takes_the_place_of_the_one_that_waits() -> None:
    """F-12: the corrected row counts, with the charges that came with it, and begins to wait anew."""
    story = waiting_story()
    land(story, day(1), CANCEL, charges=(REFUND,))
    land(story, day(3), CANCEL | {"effective_date": date(2025, 7, 1)}, charges=(charge("C1", "-400.00"),))
    assert [row[2:] for row in pending(story)] == [("replaced", day(3))] * 2 + [("waiting", None)] * 2
    story.close_through(day(5))
    assert story.quarantined() == []
    story.close_through(day(6))
    assert story.quarantined() == [("C1", "E-INSTRUCTION-REFUSED"), ("C1", "E-POLICY-UNKNOWN")]


def test_f_12_rows_of_several_days_wait_side_by_side() -> None:
    """F-12: files of the same name on different days; each row keeps its own time."""
    story = waiting_story()
    for number in (1, 2, 3):
        land(story, day(number), instruction(f"X{number}", "audit", f"P{number}", effective_date=JUN_1))
    story.close_through(day(4))
    assert story.quarantined() == [("X1", "E-POLICY-UNKNOWN")]
    land(story, day(5), instruction("I3", "issuance", "P3"))
    assert story.quarantined() == [("X1", "E-POLICY-UNKNOWN"), ("X2", "E-POLICY-UNKNOWN")]
    assert [row[2] for row in pending(story)] == ["refused", "refused", "booked"]


def test_f_12_without_days_to_wait_nothing_waits() -> None:
    """F-12: the standard carrier refuses at once."""
    story = waiting_story(("lead_days = 14", "lead_days = 14"))
    land(story, day(1), CANCEL, charges=(REFUND,))
    assert story.quarantined() == [("C1", "E-INSTRUCTION-REFUSED"), ("C1", "E-POLICY-UNKNOWN")]
    assert story.book["pending_rows"].is_empty()
