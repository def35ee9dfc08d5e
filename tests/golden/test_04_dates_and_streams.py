"""Streams, event dates, cadences and invoice dates: every interval, level, fixing and cutoff."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tests.instructed import JAN_1, charge, down_payment, instruction, land, terms
from tests.story import Row, Story, plans, timing

FAR = date(2035, 1, 31)
ACCOUNT_LEVEL = {"account_id": "A", "invoice_by": "account"}
TEN_DAYS = ("lead_days = 14", "lead_days = 10")


def issued(
    plan: str,
    *changes: tuple[str, str],
    effective: date = JAN_1,
    end: date | None = None,
    received: date | None = None,
    charges: tuple[Row, ...] = (),
    account: dict[str, object] | None = None,
) -> Story:
    """P1 of A with a premium of 1200.00, in cover for a year unless told."""
    story = Story(plans(plan, *changes))
    day = received or min(effective, JAN_1)
    story.land(day, accounts=[{"account_id": "A"} | (account or {}), {"account_id": "B"}])
    end = end or effective.replace(year=effective.year + 1)
    row = instruction("I1", "issuance", effective_date=effective, period_end=end)
    return land(story, day, row, charges=charges or (charge("I1"),))


def iso(*days: str) -> list[str]:
    """Days written shortly: 01-31 is of 2025."""
    return [day if len(day) > len("01-31") else f"2025-{day}" for day in days]


# Intervals


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("every_week", iso("01-31", "02-07", "02-14")),
        ("every_other_week", iso("01-31", "02-14", "02-28")),
        ("twice_per_month", iso("01-31", "02-16", "02-28", "03-16", "03-31")),
        ("monthly", iso("01-31", "02-28", "03-31")),
        ("every_other_month", iso("01-31", "03-31", "05-31")),
        ("quarterly", iso("01-31", "04-30", "07-31")),
        ("every_four_months", iso("01-31", "05-31", "09-30")),
        ("every_six_months", iso("01-31", "07-31", "2026-01-31")),
        ("every_year", ["2025-01-31", "2026-01-31", "2027-01-31"]),
        ("every_other_year", ["2025-01-31", "2027-01-31", "2029-01-31"]),
    ],
)
def test_r_ci_22_the_ten_intervals(interval: str, expected: list[str]) -> None:
    """R-CI-22, R-CI-16, R-CI-38, R-PP-6: every date counts from the first one, clamped to the end of its month.

    Policy-level and aligned: each installment is on an invoice of its own date (R-CI-50, R-INV-01).
    """
    story = issued(terms(interval=interval, maximum=len(expected)), effective=date(2025, 1, 31), end=FAR)
    assert story.dates("event_date") == expected
    assert story.dates("bill_date") == expected
    assert story.items()["invoice_key"].n_unique() == len(expected)


@pytest.mark.parametrize(
    ("interval", "first"),
    [
        ("every_week", "2025-02-07"),
        ("every_other_week", "2025-02-14"),
        ("twice_per_month", "2025-02-15"),
        ("monthly", "2025-02-28"),
        ("every_other_month", "2025-03-31"),
        ("quarterly", "2025-04-30"),
        ("every_four_months", "2025-05-31"),
        ("every_six_months", "2025-07-31"),
        ("every_year", "2026-01-31"),
        ("every_other_year", "2027-01-31"),
    ],
)
def test_r_ci_21_one_interval_after_a_date(interval: str, first: str) -> None:
    """R-CI-21, R-CI-22: one interval after the effective date, then the days of the timing."""
    for days in (0, 3):
        plan = terms(timing("one_interval_after_policy_effective_date", days), interval=interval, maximum=1)
        story = issued(plan, effective=date(2025, 1, 31), end=FAR)
        due = date.fromisoformat(first).toordinal() + days
        assert story.dates("event_date") == [str(date.fromordinal(due))]


@pytest.mark.parametrize(
    ("interval", "settings", "expected"),
    [
        ("monthly", {"invoice_day_of_month": 19}, iso("01-19", "02-19", "03-19")),
        ("monthly", {"invoice_day_of_month": 31}, iso("01-31", "02-28", "03-31")),
        ("quarterly", {"invoice_day_of_month": 19}, iso("01-19", "04-19", "07-19")),
        ("every_year", {"invoice_day_of_month": 19}, iso("01-19", "2026-01-19", "2027-01-19")),
        ("every_week", {"invoice_day_of_week": 5}, iso("01-03", "01-10", "01-17")),
        ("every_week", {"invoice_day_of_week": 3}, iso("01-01", "01-08", "01-15")),
        ("every_other_week", {"invoice_every_other_week_anchor": "2025-02-06"}, iso("01-09", "01-23", "02-06")),
        (
            "twice_per_month",
            {"invoice_first_day_of_month": 5, "invoice_second_day_of_month": 31},
            iso("01-05", "01-31", "02-05", "02-28"),
        ),
    ],
)
def test_r_ci_39_account_level_dates_follow_the_account(
    interval: str, settings: dict[str, object], expected: list[str]
) -> None:
    """R-CI-39, R-PP-11, R-INV-02: the first date of the account on or after the plan's, then whole intervals."""
    plan = terms(interval=interval, maximum=len(expected))
    story = issued(plan, account=ACCOUNT_LEVEL | settings, end=FAR)
    assert story.dates("event_date") == expected
    assert story.dates("bill_date") == expected


def test_r_ci_39_a_date_of_the_account_before_the_plan_date_does_not_count() -> None:
    """R-CI-39: the plan starts on the twentieth; the nineteenth of January is over."""
    plan = terms(timing("policy_effective_date", 19), maximum=2)
    assert issued(plan, account=ACCOUNT_LEVEL | {"invoice_day_of_month": 19}).dates("event_date") == iso(
        "02-19", "03-19"
    )


# Event dates


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("charge_date", "2025-02-10"),
        ("charge_effective_date", "2025-02-20"),
        ("policy_effective_date", "2025-01-01"),
        ("one_interval_after_charge_effective_date", "2025-03-20"),
        ("one_interval_after_policy_effective_date", "2025-02-01"),
    ],
)
@pytest.mark.parametrize("days", [-40, 0, 40])
def test_r_ci_20_five_references_and_days_either_way(reference: str, expected: str, days: int) -> None:
    """R-CI-20, R-CI-21, R-PP-5: a tax that arrives on the tenth and takes effect on the twentieth of February."""
    story = issued(terms(more=f"one_time_timing = {timing(reference, days)}"))
    row = instruction("G1", "general", effective_date=date(2025, 2, 20))
    land(story, date(2025, 2, 10), row, charges=(charge("G1", "10.00", "Tax"),))
    moved = date.fromordinal(date.fromisoformat(expected).toordinal() + days)
    assert story.dates("event_date", "Tax") == [str(moved)]


def test_r_ci_20_of_a_new_period_the_charge_takes_effect_with_the_period() -> None:
    """R-CI-20, 04 section 2.1: the effective date of a charge of an issuance is that of the policy."""
    story = issued(terms(timing("charge_effective_date"), maximum=1), effective=date(2025, 3, 1))
    assert story.dates("event_date") == ["2025-03-01"]


def test_r_ci_23_the_four_timings_are_independent() -> None:
    """R-CI-23: down payment, installments and one-time charges each have a date of their own."""
    more = down_payment("10", timing("charge_date", 3)) + f"one_time_timing = {timing('policy_effective_date', -7)}"
    plan = terms(timing("policy_effective_date", 14), more, maximum=2)
    story = issued(plan, effective=date(2025, 3, 1), charges=(charge("I1"), charge("I1", "60.00", "Tax", 2)))
    assert story.dates("event_date") == iso("01-04", "03-15", "04-15")
    assert story.dates("event_date", "Tax") == iso("02-22")


# Streams


def streams(story: Story) -> list[tuple[object, ...]]:
    """Payer, policy, periodicity and anchor day of every stream."""
    columns = ("account_key", "policy_key", pl.col("periodicity").cast(pl.String), "anchor_day")
    return story.book["invoice_streams"].sort("stream_key").select(columns).rows()


def test_r_ci_11_a_renewal_uses_the_stream_of_its_policy() -> None:
    """R-CI-05, R-CI-11: an instruction names no stream; a renewal and a change use the one that the policy has."""
    story = issued(terms())
    rows = (
        instruction("I2", "renewal", effective_date=date(2026, 1, 1), period_end=date(2027, 1, 1)),
        instruction("C1", "policy_change", effective_date=date(2025, 2, 1), sequence=1),
    )
    land(story, date(2025, 1, 2), *rows, charges=(charge("I2"), charge("C1", "12.00")))
    assert streams(story) == [(1, 1, "monthly", 1)]


def test_r_ci_11_a_renewal_with_another_periodicity_gets_its_own_stream() -> None:
    """R-CI-11, R-CI-10: quarterly bills on the monthly stream, weekly needs another one; the policy keeps both."""
    story = Story(
        plans(terms(), ("X", "Q", terms(interval="quarterly", maximum=4)), ("X", "W", terms(interval="every_week")))
    )
    land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1"),))
    for number, plan in ((2, "Q"), (3, "W")):
        start = date(2024 + number, 1, 1)
        row = instruction(f"I{number}", "renewal", effective_date=start, period_end=start.replace(year=2025 + number))
        land(story, date(2025, 1, number), row | {"payment_plan": plan}, charges=(charge(f"I{number}"),))
    assert [row[1:3] for row in streams(story)] == [(1, "monthly"), (1, "weekly")]


def test_r_ci_12_and_r_bl_4_policies_of_one_periodicity_share_a_stream() -> None:
    """R-CI-12, R-BL-4, E-BL-1, E-PS-1, R-PS-4: monthly and quarterly on the fifteenth; items stay apart per charge."""
    story = Story(
        plans(terms(), ("X", "Q", terms(interval="quarterly", maximum=4)), ("X", "W", terms(interval="every_week")))
    )
    story.land(JAN_1, accounts=[ACCOUNT_LEVEL])
    rows = tuple(
        instruction(f"I{n}", "issuance", f"P{n}", payment_plan=plan) for n, plan in enumerate(("X", "Q", "W"), start=1)
    )
    land(story, JAN_1, *rows, charges=tuple(charge(f"I{n}") for n in (1, 2, 3)))
    assert [row[:3] for row in streams(story)] == [(1, 0, "monthly"), (1, 0, "weekly")]
    april = story.items().filter(pl.col("bill_date") == date(2025, 4, 15)).sort("item_key")
    assert april["policy_key"].to_list() == [1, 2]


def test_r_bl_5_every_policy_has_invoices_of_its_own() -> None:
    """R-BL-5, E-BL-2: two policies with the same interval, two streams, no invoice with items of both."""
    story = Story(plans(terms()))
    rows = tuple(instruction(f"I{n}", "issuance", f"P{n}") for n in (1, 2))
    land(story, JAN_1, *rows, charges=tuple(charge(f"I{n}") for n in (1, 2)))
    assert [row[:2] for row in streams(story)] == [(1, 1), (1, 2)]
    assert story.items().group_by("invoice_key").agg(pl.col("policy_key").n_unique())[
        "policy_key"
    ].unique().to_list() == [1]


@pytest.mark.parametrize(
    ("settings", "scope", "bill_date"),
    [
        ({"invoice_by": "account", "invoice_day_of_month": 20}, 0, "2025-01-20"),
        ({"invoice_by": "policy", "invoice_day_of_month": 20}, 1, "2025-01-01"),
    ],
)
def test_r_ci_13_the_stream_is_that_of_the_payer(settings: dict[str, object], scope: int, bill_date: str) -> None:
    """R-CI-07, R-CI-13, R-ITM-01: one instruction, two payers, a stream of each at its own level; A owns everything."""
    story = Story(plans(terms(maximum=1)))
    story.land(JAN_1, accounts=[{"account_id": "A"}, {"account_id": "B", **settings}])
    carried = (charge("I1"), charge("I1", "60.00", "Tax", 2, payer_account_id="B"))
    land(story, JAN_1, instruction("I1", "issuance"), charges=carried)
    assert [row[:2] for row in streams(story)] == [(1, 1), (2, scope)]
    assert story.dates("bill_date", "Tax") == [bill_date]
    assert story.book["charges"]["account_key"].to_list() == [1, 1]


def test_r_ci_15_the_cadence_runs_both_ways_from_its_anchor() -> None:
    """R-CI-14, R-CI-15, E-CI-03: a down payment seven weeks ahead falls on a date before the first installment.

    Nothing is billed on a day that is over: the same, received later, goes on the next date.
    """
    plan = terms(more=down_payment("10", timing("policy_effective_date", -45)), maximum=2)
    effective = date(2025, 4, 11)
    assert issued(plan, effective=effective).dates("bill_date") == iso("03-11", "04-11", "05-11")
    late = issued(plan, effective=effective, received=date(2025, 3, 12))
    assert late.dates("bill_date") == iso("04-11", "04-11", "05-11")
    assert late.book["invoices"].height == 2


def test_r_inv_03_a_period_without_premium_has_the_dates_that_premium_would_have() -> None:
    """R-INV-03: only a tax comes with the issuance; the invoices are those of the eleventh."""
    more = f"one_time_timing = {timing('policy_effective_date', 12)}"
    story = issued(terms(timing("policy_effective_date", 10), more), charges=(charge("I1", "60.00", "Tax"),))
    assert streams(story) == [(1, 1, "monthly", 11)]
    assert story.dates("bill_date", "Tax") == iso("02-11")


def test_r_ci_40_a_change_snaps_to_the_dates_of_the_stream() -> None:
    """R-CI-40: the change counts from the twentieth of March; the stream of the policy bills on the tenth."""
    plan = terms(timing("charge_effective_date"), maximum=2)
    story = issued(plan, effective=date(2025, 1, 10))
    row = instruction("C1", "policy_change", effective_date=date(2025, 3, 20), modifiers='{"max_installments": 2}')
    land(story, date(2025, 1, 11), row, charges=(charge("C1", "20.00"),))
    assert story.items().filter(charge_key=2)["event_date"].cast(str).to_list() == iso("04-10", "05-10")


# Placement


def test_r_ci_46_the_first_invoice_on_or_after_the_event_date() -> None:
    """R-CI-46: the day itself counts, the day after does not."""
    for day, expected in ((0, "01-11"), (-1, "01-11"), (1, "02-11")):
        more = f"one_time_timing = {timing('policy_effective_date', 10 + day)}"
        story = issued(terms(timing("policy_effective_date", 10), more), charges=(charge("I1", "60.00", "Tax"),))
        assert story.dates("bill_date", "Tax") == iso(expected)


def test_r_ci_47_of_two_invoices_with_one_cutoff_the_one_due_first() -> None:
    """R-CI-47: somebody made a second invoice for the first of March, due earlier; a new tax goes on it."""
    story = issued(terms(more=f"one_time_timing = {timing('charge_effective_date')}"))
    made = {"command_id": "K1", "command_type": "create_invoice", "target_type": "invoice_stream", "target_id": "1"}
    story.land(date(2025, 1, 2), commands=[made | {"params": '{"bill_date": "2025-03-01", "due_date": "2025-03-02"}'}])
    row = instruction("G1", "general", effective_date=date(2025, 2, 20))
    land(story, date(2025, 1, 3), row, charges=(charge("G1", "10.00", "Tax"),))
    assert story.dates("due_date", "Tax") == ["2025-03-02"]


def test_r_ci_46_an_ad_hoc_invoice_takes_nothing_by_itself() -> None:
    """R-CI-46: the same invoice made ad hoc is no place for the tax."""
    story = issued(terms(more=f"one_time_timing = {timing('charge_effective_date')}"))
    made = {"command_id": "K1", "command_type": "create_invoice", "target_type": "invoice_stream", "target_id": "1"}
    params = '{"bill_date": "2025-02-25", "due_date": "2025-03-02", "is_ad_hoc": true}'
    story.land(date(2025, 1, 2), commands=[made | {"params": params}])
    row = instruction("G1", "general", effective_date=date(2025, 2, 20))
    land(story, date(2025, 1, 3), row, charges=(charge("G1", "10.00", "Tax"),))
    assert story.dates("bill_date", "Tax") == ["2025-03-01"]


def test_r_ci_49_an_invoice_is_the_sum_of_its_items() -> None:
    """R-CI-49: installment, tax and fee on one invoice; the fee is not there before it is billed."""
    carried = (charge("I1"), charge("I1", "60.00", "Tax", 2))
    story = issued(terms(more='fee_amount = "5.00"'), effective=date(2025, 1, 2), charges=carried)
    assert story.invoices()[0] == ("2025-01-02", "Planned", "160.00")
    assert story.close_through(date(2025, 1, 2)).invoices()[0] == ("2025-01-02", "Billed", "165.00")


def test_r_ci_50_aligned_installments_are_on_consecutive_invoices() -> None:
    """R-CI-50, R-PP-10, E-PS-2: at both levels one installment on each invoice of the thirteenth."""
    for account in (ACCOUNT_LEVEL | {"invoice_day_of_month": 13}, {}):
        first = timing("policy_effective_date", 0 if account else 12)
        story = issued(terms(first), account=account)
        assert story.dates("bill_date") == [f"2025-{month:02d}-13" for month in range(1, 13)]


def test_r_ci_51_alignment_off_at_policy_level() -> None:
    """R-CI-51, R-CI-38: events are dated by the plan, invoices by the account, also where one bills by policy."""
    more = "align_installments = false\n"
    plan = terms(timing("policy_effective_date", 9), more, maximum=3)
    story = issued(plan, account={"account_id": "A", "invoice_by": "policy", "invoice_day_of_month": 25})
    assert story.dates("event_date") == iso("01-10", "02-10", "03-10")
    assert story.dates("bill_date") == iso("01-25", "02-25", "03-25")


@pytest.mark.parametrize(
    ("interval", "events"),
    [("every_week", iso("01-02", "01-09", "01-16")), ("twice_per_month", iso("01-02", "01-17", "02-02"))],
)
def test_r_ci_51_alignment_off_in_other_intervals(interval: str, events: list[str]) -> None:
    """R-CI-51, R-CI-22: the plan's own weeks and half months, whatever days the account has."""
    plan = terms(timing("policy_effective_date", 1), "align_installments = false\n", interval=interval, maximum=3)
    days = {"invoice_day_of_week": 1, "invoice_first_day_of_month": 10, "invoice_second_day_of_month": 20}
    story = issued(plan, account=ACCOUNT_LEVEL | days)
    assert story.dates("event_date") == events
    monday = iso("01-06", "01-13", "01-20")
    assert story.dates("bill_date") == (monday if interval == "every_week" else iso("01-10", "01-20", "02-10"))


# Invoice dates


@pytest.mark.parametrize(
    ("fixing", "expected"),
    [("bill_date", ("2025-03-12", "2025-03-22")), ("due_date", ("2025-04-02", "2025-04-12"))],
)
@pytest.mark.parametrize("level", ["account", "policy"])
def test_r_inv_04_which_date_is_fixed(level: str, fixing: str, expected: tuple[str, str]) -> None:
    """R-INV-01, R-INV-02, R-INV-04, R-PP-12, E-INV-01, E-INV-02: by the account at its level, by the plan per policy.

    The other one of the two says the opposite and does not count. With the due date fixed the item, of a due date,
    fits the invoice billed after it (R-INV-09).
    """
    other = "due_date" if fixing == "bill_date" else "bill_date"
    of_account, of_plan = (fixing, other) if level == "account" else (other, fixing)
    plan = terms(timing("policy_effective_date", 11), f'fix_invoices_on = "{of_plan}"\n', maximum=1)
    account = {"account_id": "A", "invoice_by": level, "invoice_day_of_month": 12, "fix_invoices_on": of_account}
    story = issued(plan, TEN_DAYS, effective=date(2025, 3, 1), account=account)
    assert story.dates("event_date") == ["2025-03-12"]
    assert (story.dates("bill_date"), story.dates("due_date")) == ([expected[0]], [expected[1]])


@pytest.mark.parametrize(
    ("fixing", "cutoff", "bill_date"),
    [
        ("bill_date", "bill_date", "2025-03-12"),
        ("bill_date", "due_date", "2025-03-12"),
        ("due_date", "bill_date", "2025-04-02"),
        ("due_date", "due_date", "2025-03-02"),
    ],
)
def test_r_inv_09_due_dates_fixed_shift_items_unless_the_cutoff_is_the_due_date(
    fixing: str, cutoff: str, bill_date: str
) -> None:
    """R-INV-09, R-CI-45, R-PP-13: at account level the plan's cutoff says by which date an item must fall."""
    plan = terms(more=f'item_placement_cutoff = "{cutoff}"\n', maximum=1)
    account = ACCOUNT_LEVEL | {"invoice_day_of_month": 12, "fix_invoices_on": fixing}
    story = issued(plan, TEN_DAYS, effective=date(2025, 3, 1), account=account)
    assert story.dates("event_date") == ["2025-03-12"]
    assert story.dates("bill_date") == [bill_date]


def test_r_ci_45_policy_level_always_goes_by_the_bill_date() -> None:
    """R-CI-45, R-PP-13: the cutoff of the plan is for shared streams only."""
    more = f'item_placement_cutoff = "due_date"\none_time_timing = {timing("policy_effective_date", 3)}'
    story = issued(terms(more=more), charges=(charge("I1", "60.00", "Tax"),))
    assert story.dates("bill_date", "Tax") == ["2025-02-01"]


@pytest.mark.parametrize(
    ("logic", "due_date"),
    [("exact_day", "2025-12-25"), ("next_business_day", "2025-12-26"), ("previous_business_day", "2025-12-24")],
)
def test_e_bp_1_only_the_due_date_moves_to_a_business_day(logic: str, due_date: str) -> None:
    """E-BP-1, D-BP-1, R-BP-4, R-INV-07: due on the twenty-fifth of December, which is a holiday."""
    account = ACCOUNT_LEVEL | {"invoice_day_of_month": 15}
    story = issued(terms(maximum=1), *adjusting(logic), effective=date(2025, 12, 1), account=account)
    assert (story.dates("bill_date"), story.dates("due_date")) == (["2025-12-15"], [due_date])


@pytest.mark.parametrize(
    ("logic", "bill_date", "due_date"),
    [
        ("exact_day", "2025-12-15", "2025-12-25"),
        ("next_business_day", "2025-12-15", "2025-12-26"),
        ("previous_business_day", "2026-01-15", "2026-01-23"),
    ],
)
def test_r_inv_07_a_fixed_due_date_moves_while_the_bill_date_counts_from_it(
    logic: str, bill_date: str, due_date: str
) -> None:
    """R-INV-07: in due-date mode the bill date is the lead time before the twenty-fifth itself.

    Taken literally (R-CI-46), an item of that day does not fit an invoice whose due date moved to the day before.
    """
    account = ACCOUNT_LEVEL | {"invoice_day_of_month": 25, "fix_invoices_on": "due_date"}
    plan = terms(more='item_placement_cutoff = "due_date"\n', maximum=1)
    story = issued(plan, *adjusting(logic), effective=date(2025, 12, 1), account=account)
    assert (story.dates("bill_date"), story.dates("due_date")) == ([bill_date], [due_date])


def adjusting(logic: str) -> tuple[tuple[str, str], ...]:
    """Changes of the standard carrier: ten days of lead time, and where a due date goes that is no business day."""
    return TEN_DAYS, ('payment_due_day_logic = "exact_day"', f'payment_due_day_logic = "{logic}"')


@pytest.mark.parametrize(
    ("day", "fixing", "bill_date", "due_date"),
    [
        (3, "bill_date", "2025-03-03", "2025-03-17"),
        (1, "bill_date", "2025-03-01", "2025-03-14"),
        (17, "due_date", "2025-03-03", "2025-03-17"),
        (15, "due_date", "2025-03-03", "2025-03-17"),
    ],
)
def test_r_inv_06_a_lead_time_in_business_days(day: int, fixing: str, bill_date: str, due_date: str) -> None:
    """R-INV-06, R-BP-3: ten business days, the start not counted, weekends left out; a Saturday is no business day.

    In due-date mode the lead is taken from the date as it is fixed, and then the due date moves to the Monday.
    """
    account = ACCOUNT_LEVEL | {"invoice_day_of_month": day, "fix_invoices_on": fixing, "billing_plan": "Business Days"}
    plan = terms(more='item_placement_cutoff = "due_date"\n', maximum=1)
    story = issued(plan, effective=date(2025, 3, 1), account=account, received=date(2025, 2, 1))
    assert (story.dates("bill_date"), story.dates("due_date")) == ([bill_date], [due_date])


@pytest.mark.parametrize(
    ("instrument", "due_date"),
    [
        ("responsive", "2025-01-11"),
        ("check", "2025-01-11"),
        ("ach", "2025-01-21"),
        ("credit_card", "2025-01-21"),
        ("wire", "2025-01-21"),
    ],
)
def test_r_inv_05_the_instrument_of_the_payer_decides_the_lead_time(instrument: str, due_date: str) -> None:
    """R-INV-05: the owner is drafted with a longer lead; the payer of the charge pays as told."""
    story = Story(plans(terms(maximum=1), ("non_responsive_lead_days = 14", "non_responsive_lead_days = 20"), TEN_DAYS))
    story.land(
        JAN_1,
        accounts=[
            {"account_id": "A", "payment_instrument": "ach"},
            {"account_id": "B", "payment_instrument": instrument},
        ],
    )
    land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1", payer_account_id="B"),))
    assert story.dates("due_date") == [due_date]
