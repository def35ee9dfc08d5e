"""Payment schedules and changes of plan: D-PS-1, E-PS-1 to E-PS-3, E-INV-06, and the rules R-PS-5..11 and R-PP-16."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cache

import polars as pl
import pytest

from ledger.carrier import Carrier
from ledger.money import format_minor_units
from schemas.book import INVOICE_ITEMS
from tests.story import Row, Story, by_allocation_plan, plans, timing

START, END = date(2016, 1, 1), date(2017, 1, 1)
MAY_15 = date(2016, 5, 15)


def plan(interval: str, maximum: int, *more: str, first: str = "policy_effective_date", days: int = 0) -> str:
    timings = f"first_installment_timing = {timing(first, days)}"
    return "\n".join([f'payment_interval = "{interval}"', f"max_installments = {maximum}", timings, *more])


def down_payment(percent: int, days: int = 0) -> tuple[str, ...]:
    return (
        "has_down_payment = true",
        f'down_payment_percent = "{percent}"',
        f"down_payment_timing = {timing('policy_effective_date', days)}",
    )


QUARTERLY = plan("quarterly", 4)
MONTHLY = plan("monthly", 12)
PAY_AHEAD = ('filters = ["next_planned_invoice", "policy_period"', 'filters = ["policy_period"')


def carrier(first: str = QUARTERLY, second: str = MONTHLY, *changes: tuple[str, ...]) -> Carrier:
    """Payment plan "X", which a policy starts with, and "NEW"."""
    return plans(first, ("X", "NEW", second), *changes)


def issued(
    chosen: Carrier,
    *,
    amount: str = "1200.00",
    on: date = START,
    charges: tuple[Row, ...] = (),
    **account: object,
) -> Story:
    """A policy of the year 2016 on plan "X"."""
    instruction = {"instruction_id": "I", "instruction_type": "issuance", "account_id": "A", "policy_id": "P"}
    instruction |= {"effective_date": START, "period_end": END, "payment_plan": "X"}
    premium = {"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": amount}
    return Story(chosen).land(
        on,
        accounts=[{"account_id": "A", **account}],
        billing_instructions=[instruction],
        charges=[premium, *({"instruction_id": "I"} | charge for charge in charges)],
    )


@cache
def _two_billed() -> Story:
    return issued(carrier(), on=date(2015, 12, 20)).close_through(MAY_15 - timedelta(days=1))


def two_billed() -> Story:
    """The policy on the day before the change: 300.00 of January and of April are billed, as much twice is planned."""
    return _two_billed().fork()


def changed(story: Story, day: date, command_type: str = "change_payment_schedule", **params: object) -> Story:
    """The story after this command for policy P was carried out or refused on a day."""
    given = {"payment_plan": "NEW"} | params
    row = {"command_id": f"C{day}", "command_type": command_type, "target_type": "policy", "target_id": "P"}
    story.close_through(day - timedelta(days=1))
    return story.land(day, commands=[row | {"params": json.dumps(given)}]).close_through(day)


def schedule(story: Story, pattern: str = "Premium") -> list[tuple[str, str, str, str]]:
    """Type, event date, bill date and amount of the items on invoices, in order of bill date and item."""
    items = story.items().filter((pl.col("charge_pattern") == pattern) & (pl.col("invoice_key") > 0))
    return (
        items.sort("bill_date", "item_key")
        .select(
            "item_type",
            pl.col("event_date", "bill_date").cast(pl.String),
            format_minor_units(pl.col("amount"), 2).alias("amount"),
        )
        .rows()
    )


def paid(story: Story) -> list[tuple[str, str, str]]:
    """Bill date, amount and paid of the items of which something is paid, in order of item."""
    items = story.items().filter(pl.col("paid") != 0)
    units = [format_minor_units(pl.col(name), 2).alias(name) for name in ("amount", "paid")]
    return items.select(pl.col("bill_date").cast(pl.String), *units).rows()


def fund(story: Story) -> str:
    """What the unapplied funds hold."""
    return story.book["funds"].select(format_minor_units(pl.col("balance").sum(), 2)).item()


def pay(story: Story, day: date, amount: str) -> Story:
    return story.land(day, payments=[{"payment_id": f"M{day}", "amount": amount, "account_id": "A", "policy_id": "P"}])


def test_d_ps_1_planned_items_go_over_the_dates_that_are_left() -> None:
    """D-PS-1 (R-PS-6, R-PS-9, R-PS-11): 600.00 over 7 dates, 85.72 x 3, then 85.71 x 4; billed items stay."""
    story = changed(two_billed(), MAY_15)
    assert story.quarantined() == []
    first = [(f"2016-{month:02}-01", "300.00") for month in (1, 4)]
    dates = [f"2016-{month:02}-01" for month in range(6, 13)]
    rest = list(zip(dates, ["85.72"] * 3 + ["85.71"] * 4, strict=True))
    assert schedule(story) == [("installment", day, day, amount) for day, amount in first + rest]
    assert story.book["policy_periods"]["payment_plan"].item() == "NEW"


def test_e_ps_3_and_e_inv_06_quarterly_becomes_monthly() -> None:
    """E-PS-3, E-INV-06 (R-CI-01 b, R-INV-33): nothing is billed yet; twelve monthly items on invoices of their own."""
    story = changed(issued(carrier(), on=date(2015, 12, 1)), date(2015, 12, 20))
    days = [f"2016-{month:02}-01" for month in range(1, 13)]
    assert schedule(story) == [("installment", day, day, "100.00") for day in days]
    assert story.invoices() == [(day, "Planned", "100.00") for day in days]


def test_r_inv_33_planned_invoices_that_are_left_empty_are_deleted() -> None:
    """R-INV-33: from monthly to quarterly, the invoices of the months between go; those that stay are the same ones."""
    before = issued(carrier(MONTHLY, QUARTERLY), on=date(2015, 12, 1)).close_through(date(2015, 12, 19))
    known = dict(before.book["invoices"].select("bill_date", "invoice_key").rows())
    story = changed(before, date(2015, 12, 20))
    days = [date(2016, month, 1) for month in (1, 4, 7, 10)]
    invoices = story.book["invoices"]
    left = invoices.filter(pl.col("outcome").is_null())
    assert left.select("bill_date", "invoice_key").rows() == [(day, known[day]) for day in days]
    assert invoices.filter(pl.col("outcome") == "deleted").height == 8


@pytest.mark.parametrize("items", ["all_items", "planned_items", "not_fully_paid_items"])
@pytest.mark.parametrize("payments", ["reverse_and_redistribute", "reverse_only"])
def test_r_ps_9_items_of_a_charge_keep_its_amount(items: str, payments: str) -> None:
    """R-PS-9: per charge, new items sum to those processed, with credits, taxes and money about."""
    credit = {"charge_no": 2, "charge_pattern": "Premium", "amount": "-99.99"}
    taxes = {"charge_no": 3, "charge_pattern": "Taxes", "amount": "61.01"}
    chosen = carrier(plan("quarterly", 4, *down_payment(10)), plan("monthly", 7, *down_payment(25)), PAY_AHEAD)
    story = issued(chosen, amount="1234.56", on=date(2016, 3, 25), charges=(credit, taxes))
    pay(story, date(2016, 4, 20), "777.77")
    changed(story, MAY_15, items=items, payments=payments, include_down_payment=items != "all_items")
    assert story.quarantined() == []
    story.close_through(date(2016, 6, 20))
    sums = story.book["invoice_items"].group_by("charge_key").agg(pl.col("amount").sum()).sort("charge_key")
    assert sums["amount"].to_list() == [1234_56, -99_99, 61_01]
    INVOICE_ITEMS.validate(story.book["invoice_items"])


def test_r_ps_6_all_items_are_cut_anew_billed_ones_are_offset() -> None:
    """R-PS-6, R-PS-10, R-PS-11: billed items get offsets on their invoices; past dates go on the next planned one."""
    story = changed(two_billed(), MAY_15, items="all_items")
    billed = [("2016-01-01", "300.00"), ("2016-01-01", "-300.00"), ("2016-04-01", "300.00"), ("2016-04-01", "-300.00")]
    past = [("2016-06-01", "100.00")] * 6
    ahead = [(f"2016-{month:02}-01", "100.00") for month in range(7, 13)]
    assert [(bill_date, amount) for _, _, bill_date, amount in schedule(story)] == billed + past + ahead
    assert schedule(story)[4][1] == "2016-01-01"
    receivables = {name: story.balance(f"<Charge Pattern> {name}", "Premium") for name in ("Unbilled", "Billed", "Due")}
    assert receivables == {"Unbilled": "1200.00", "Billed": "0.00", "Due": "0.00"}
    settled = story.items().filter(pl.col("bill_date") < MAY_15)
    assert (settled["amount"] == settled["paid"]).all()


def test_r_ps_6_a_billed_down_payment_that_is_included_is_made_anew() -> None:
    """R-PS-6: included, the 10 % that were billed go, and 25 % of what is processed come by the new plan."""
    first, second = plan("quarterly", 4, *down_payment(10)), plan("monthly", 12, *down_payment(25))
    story = issued(carrier(first, second))
    changed(story, date(2016, 1, 10), include_down_payment=True)
    deposits = [row for row in schedule(story) if row[0] == "deposit"]
    # 120.00 was paid down; with the planned 810.00 that is 930.00, of which 25 % are 232.50.
    assert deposits == [
        ("deposit", "2016-01-01", "2016-01-01", "120.00"),
        ("deposit", "2016-01-01", "2016-01-01", "-120.00"),
        ("deposit", "2016-01-01", "2016-02-01", "232.50"),
    ]
    assert sum(float(row[3]) for row in schedule(story)) == 1200


def test_r_ps_6_down_payments_stay_unless_they_are_included() -> None:
    """R-PS-6: without the tick a planned down payment is left alone, and the new plan makes none."""
    first, second = plan("quarterly", 4, *down_payment(10)), plan("monthly", 12, *down_payment(25))
    story = changed(issued(carrier(first, second), on=date(2015, 12, 1)), date(2015, 12, 10), items="planned_items")
    assert [row for row in schedule(story) if row[0] == "deposit"] == [
        ("deposit", "2016-01-01", "2016-01-01", "120.00")
    ]
    assert [row[3] for row in schedule(story) if row[0] == "installment"] == ["90.00"] * 12


def test_r_ps_5_not_fully_paid_items_are_cut_anew_the_others_stay() -> None:
    """R-PS-5: of two billed items one is paid in full and stays, one in part and is made anew with what is planned."""
    story = issued(carrier(), on=date(2015, 12, 20))
    pay(story, date(2016, 4, 2), "400.00")
    changed(story, MAY_15, items="not_fully_paid_items", payments="reverse_only")
    assert schedule(story)[:3] == [
        ("installment", "2016-01-01", "2016-01-01", "300.00"),
        ("installment", "2016-04-01", "2016-04-01", "300.00"),
        ("installment", "2016-04-01", "2016-04-01", "-300.00"),
    ]
    # 900.00 over the seven dates that are left.
    assert [row[3] for row in schedule(story)[3:]] == ["128.58", *["128.57"] * 6]
    assert fund(story) == "100.00"


@pytest.mark.parametrize(
    ("payments", "left", "on_new_items"),
    [
        ("reverse_only", "450.00", []),
        (
            "reverse_and_redistribute",
            "0.00",
            [("2016-06-01", "100.00", "100.00")] * 4 + [("2016-06-01", "100.00", "50.00")],
        ),
    ],
)
def test_r_ps_7_payments_on_processed_items(payments: str, left: str, on_new_items: list[tuple[str, str, str]]) -> None:
    """R-PS-7: what was paid of these items is reversed, and distributed over the new ones or left in its fund."""
    story = issued(carrier(), on=date(2015, 12, 20))
    pay(story, date(2016, 4, 2), "450.00")
    changed(story, MAY_15, items="all_items", payments=payments)
    assert fund(story) == left == story.balance("Designated Unapplied")
    assert paid(story)[4:] == on_new_items
    assert story.balance("<Charge Pattern> Due", "Premium") == ("0.00" if payments == "reverse_only" else "-450.00")


def test_r_ps_7_a_credit_that_paid_a_processed_item_is_taken_back_with_it() -> None:
    """R-PS-7: both halves of a credit come back, and the credit pays again after the items are made anew."""
    credit = {"charge_no": 2, "charge_pattern": "Fee", "amount": "-40.00"}
    story = by_allocation_plan(issued(carrier(), on=date(2015, 12, 20), charges=(credit,)))
    story.close_through(date(2016, 1, 1))
    assert sorted(story.book["invoice_items"]["paid"].to_list()) == [-40_00, 0, 0, 0, 40_00]
    changed(story, MAY_15, items="all_items")
    standing = story.items().filter(pl.col("bill_date") > MAY_15)
    assert standing["paid"].sum() == 0
    assert sorted(standing["paid"].unique().to_list()) == [-40_00, 0, 40_00]


def test_r_ps_11_without_a_date_left_one_installment_goes_on_the_next_planned_invoice() -> None:
    """R-PS-11: the new plan's dates are over; one installment, on the next planned invoice."""
    story = changed(issued(carrier(QUARTERLY, plan("monthly", 3)), on=date(2015, 12, 20)), MAY_15)
    assert schedule(story)[2:] == [("installment", "2016-05-15", "2016-06-01", "600.00")]


def test_r_ps_11_a_blackout_ends_the_dates_that_are_left() -> None:
    """R-PS-11, R-CI-33: the last installment is billed 60 days before the end: 2016-11-02, so five dates are left."""
    blackout = ("blackout_days = 60", 'blackout_basis = "billed"')
    story = changed(issued(carrier(QUARTERLY, plan("monthly", 12, *blackout)), on=date(2015, 12, 20)), MAY_15)
    assert schedule(story)[2:] == [
        ("installment", f"2016-{month:02}-01", f"2016-{month:02}-01", "100.00") for month in range(6, 12)
    ]


def test_r_pp_16_the_stream_of_the_policy_is_used_again() -> None:
    """R-PP-16: quarterly and monthly items go on one monthly stream; weekly ones need a stream of their own."""
    story = changed(two_billed(), MAY_15)
    assert story.book["invoice_streams"].height == 1
    weekly = changed(issued(carrier(QUARTERLY, plan("every_week", 52)), on=date(2015, 12, 20)), MAY_15)
    assert weekly.book["invoice_streams"]["periodicity"].to_list() == ["monthly", "weekly"]
    new = weekly.items().filter(pl.col("bill_date") > MAY_15)
    assert new["stream_key"].unique().to_list() == [2]
    # Weekly from Friday 2016-01-01 on: 52 dates, the last 2016-12-23.
    assert new["bill_date"].to_list() == [date(2016, 5, 20) + timedelta(days=7 * week) for week in range(32)]


def test_r_itm_04_new_items_are_paid_by_the_current_default_payer() -> None:
    """R-ITM-04: the charge has another default payer by now; its new items go on that account's invoices."""
    story = issued(carrier(), on=date(2015, 12, 20))
    story.land(date(2015, 12, 20), accounts=[{"account_id": "B"}])
    story.close_through(date(2016, 5, 14))
    story.book = story.book.update("charges", pl.Series([0]), {"payer_account_key": pl.Series([2])})
    changed(story, MAY_15)
    payers = story.items().filter(pl.col("bill_date") > MAY_15)
    assert payers["account_key"].unique().to_list() == [2]
    assert story.items()["account_key"].to_list()[:2] == [1, 1]


def test_r_inv_24_items_on_ad_hoc_invoices_are_cut_anew_as_well() -> None:
    """R-INV-24: an ad hoc invoice loses its planned item like any other; new items never go on it (R-INV-21)."""
    story = two_billed()
    july = story.book["invoices"].with_row_index("row").filter(pl.col("bill_date") == date(2016, 7, 1))["row"]
    dates = {"is_ad_hoc": pl.Series([True]), "cadence_date": pl.Series([None], dtype=pl.Date)}
    story.book = story.book.update("invoices", july, dates | {"bill_date": pl.Series([date(2016, 7, 2)])})
    changed(story, MAY_15)
    outcome = story.book["invoices"].filter("is_ad_hoc")["outcome"].to_list()
    assert (outcome, len(schedule(story))) == (["deleted"], 9)


def test_fees_of_billing_and_their_items_follow_no_plan() -> None:
    """R-PP-9: an invoicing fee belongs to the invoice on which it was raised, whatever the plan becomes."""
    story = issued(carrier(f'{QUARTERLY}\nfee_amount = "5.00"'), on=date(2015, 12, 20))
    changed(story, MAY_15, items="all_items")
    assert schedule(story, "Installment Fee") == [("onetime", day, day, "5.00") for day in ("2016-01-01", "2016-04-01")]


def test_one_time_charges_go_on_the_date_of_the_new_plan() -> None:
    """R-PS-6: a planned tax item is dated by the new plan's one-time timing (R-CP-8)."""
    taxes = {"charge_no": 2, "charge_pattern": "Taxes", "amount": "60.00"}
    later = plan("monthly", 12, f"one_time_timing = {timing('policy_effective_date', 45)}")
    story = changed(issued(carrier(QUARTERLY, later), on=date(2015, 12, 1), charges=(taxes,)), date(2015, 12, 10))
    assert schedule(story, "Taxes") == [("onetime", "2016-02-15", "2016-03-01", "60.00")]


def test_what_happened_to_items_is_told() -> None:
    """R-PS-10: items removed or offset are Reversed, offsets Created as Reversal, new ones by the plan's refactor."""
    story = changed(two_billed(), MAY_15, items="all_items")
    events = story.events("item_events")
    counts = dict(events.group_by(pl.col("event_type").cast(pl.String)).len().rows())
    assert counts == {"Item Reversed": 4, "Item Created as Reversal": 2, "Item Created by Payment Plan Refactor": 12}
    assert events["command_id"].unique().to_list() == ["C2016-05-15"]
    assert events.filter(pl.col("event_type") == "Item Created by Payment Plan Refactor")["gross"].sum() == 1200_00


def test_assign_payment_plan_is_the_change_with_its_defaults() -> None:
    """R-PP-19: planned items go over the dates of the plan that is assigned."""
    story = changed(two_billed(), MAY_15, "assign_payment_plan")
    assert [row[3] for row in schedule(story)[2:]] == ["85.72"] * 3 + ["85.71"] * 4


def test_installments_are_numbered_after_those_that_stay() -> None:
    """R-PS-9: items one and two stay, so the new ones are three to nine."""
    story = changed(two_billed(), MAY_15)
    standing = story.items().filter(pl.col("invoice_key") > 0)
    assert standing["installment_number"].to_list() == list(range(1, 10))


def test_two_policies_of_an_account_change_together() -> None:
    """Each gets its own items; what one of them has does not touch the other."""
    story = issued(carrier(), on=date(2015, 12, 20), invoice_by="account", invoice_day_of_month=1)
    second = {"instruction_id": "J", "instruction_type": "issuance", "account_id": "A", "policy_id": "Q"}
    second |= {"effective_date": START, "period_end": END, "payment_plan": "X"}
    charge = {"instruction_id": "J", "charge_no": 1, "charge_pattern": "Premium", "amount": "600.00"}
    story.land(date(2015, 12, 20), billing_instructions=[second], charges=[charge])
    story.close_through(date(2016, 5, 14))
    command = {"command_type": "assign_payment_plan", "target_type": "policy", "params": '{"payment_plan": "NEW"}'}
    rows = [command | {"command_id": f"C{policy}", "target_id": policy} for policy in ("P", "Q")]
    story.land(MAY_15, commands=rows).close_through(MAY_15)
    sums = story.items().group_by("policy_key").agg(pl.col("amount").sum(), pl.len()).sort("policy_key")
    assert sums.rows() == [(1, 1200_00, 11), (2, 600_00, 11)]
    assert story.book["policy_periods"]["payment_plan"].to_list() == ["NEW", "NEW"]


def test_e_ps_1_the_smallest_interval_is_that_of_the_account() -> None:
    """E-PS-1 (R-PS-1, R-PS-2): a quarterly and a monthly policy share one monthly stream."""
    story = issued(carrier(), on=date(2015, 12, 20), invoice_by="account", invoice_day_of_month=1)
    changed(story, date(2015, 12, 21))
    second = {"instruction_id": "J", "instruction_type": "issuance", "account_id": "A", "policy_id": "Q"}
    second |= {"effective_date": START, "period_end": END, "payment_plan": "X"}
    charge = {"instruction_id": "J", "charge_no": 1, "charge_pattern": "Premium", "amount": "600.00"}
    story.land(date(2015, 12, 22), billing_instructions=[second], charges=[charge]).close_through(date(2015, 12, 22))
    assert story.book["invoice_streams"]["periodicity"].to_list() == ["monthly"]
    assert story.invoices()[:4] == [
        ("2016-01-01", "Planned", "250.00"),
        ("2016-02-01", "Planned", "100.00"),
        ("2016-03-01", "Planned", "100.00"),
        ("2016-04-01", "Planned", "250.00"),
    ]


def test_e_ps_2_the_anchor_is_the_day_of_every_payment() -> None:
    """E-PS-2 (R-PS-3): anchor 3/13/2008, monthly: payments on the 13th of each month."""
    start = date(2008, 3, 13)
    instruction = {"instruction_id": "I", "instruction_type": "issuance", "account_id": "A", "policy_id": "P"}
    instruction |= {"effective_date": start, "period_end": date(2009, 3, 13), "payment_plan": "NEW"}
    story = Story(carrier()).land(
        start,
        accounts=[{"account_id": "A", "invoice_by": "account", "invoice_day_of_month": 13}],
        billing_instructions=[instruction],
        charges=[{"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200.00"}],
    )
    story.close_through(start)
    assert [day[-2:] for day in story.dates("bill_date")] == ["13"] * 12


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"payment_plan": "Unheard of"}, "E-PLAN-UNKNOWN"),
        ({"payment_plan": "OVER"}, "E-PLAN-NOT-EFFECTIVE"),
        ({"payment_plan": "LATER"}, "E-PLAN-NOT-EFFECTIVE"),
        ({"payment_plan": "EURO"}, "E-SCHEDULE-CURRENCY"),
        ({"term_number": 7}, "E-TERM-UNKNOWN"),
    ],
)
def test_plans_that_cannot_be_chosen_are_refused(params: dict[str, object], code: str) -> None:
    """R-BI-11: the plan is known, may be chosen on the day, and has the currency of the account."""
    more = "".join(
        f"\n[payment_plans.{name}]\n{dates}\n{MONTHLY}\none_time_timing = {timing('policy_effective_date')}\n"
        for name, dates in {
            "OVER": "effective_date = 2000-01-01\nexpiration_date = 2015-12-21",
            "LATER": "effective_date = 2015-12-23",
            "EURO": 'effective_date = 2000-01-01\ncurrency = "EUR"',
        }.items()
    )
    story = issued(plans(QUARTERLY, ("X", "NEW", MONTHLY), more=more), on=date(2015, 12, 20))
    changed(story, date(2015, 12, 22), **params)
    assert story.quarantined() == [("C2015-12-22", code)]
    assert story.book["policy_periods"]["payment_plan"].item() == "X"
    assert len(schedule(story)) == 4


def test_a_charge_that_cannot_number_more_items_is_refused() -> None:
    """R-PS-9: a charge has numbers for 1023 items; weekly plans assigned again and again use them up."""
    weekly = plan("every_week", 52)
    story = issued(carrier(weekly, weekly), on=date(2015, 12, 1)).close_through(date(2015, 12, 1))
    for number in range(17):
        changed(story, date(2015, 12, 2 + number), "assign_payment_plan")
    assert [code for _, code in story.quarantined()] == ["E-SCHEDULE-ITEMS"]
    assert story.book["invoice_items"]["amount"].sum() == 1200_00
