"""Changes of list bill: another payer, plan or stream for a policy period (R-LB-13 to R-LB-17)."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from ledger.carrier import Carrier
from ledger.money import format_minor_units
from tests.story import Row, Story, plans, timing

START, END = date(2026, 1, 1), date(2027, 1, 1)
DEC_1 = date(2025, 12, 1)
FEB_10 = date(2026, 2, 10)
BANK, FIRM = 2, 4
BANK_STREAM, FIRM_WEEKS = 1, 4


def plan(interval: str, maximum: int) -> str:
    timings = f"first_installment_timing = {timing('policy_effective_date')}"
    return "\n".join([f'payment_interval = "{interval}"', f"max_installments = {maximum}", timings])


def carrier() -> Carrier:
    """Plan X has twelve installments, HALF six, both monthly; WEEKS has fifty, one a week."""
    half, weeks = ("X", "HALF", plan("monthly", 6)), ("X", "WEEKS", plan("every_week", 50))
    return plans(plan("monthly", 12), half, weeks)


def list_billed(*more_charges: Row) -> Story:
    """A policy of OWNER that BANK pays by plan X; FIRM offers X, HALF and WEEKS."""
    instruction = {"instruction_id": "I", "instruction_type": "issuance", "account_id": "A", "policy_id": "P"}
    instruction |= {"effective_date": START, "period_end": END, "payment_plan": "X"}
    instruction |= {"billing_method": "list_bill", "payer_account_id": "BANK"}
    charge = {"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200.00"}
    return Story(carrier()).land(
        DEC_1,
        accounts=[
            {"account_id": "A"},
            {"account_id": "BANK", "account_type": "list_bill", "payment_plans": "X;HALF", "invoice_day_of_month": 10},
            {
                "account_id": "FIRM",
                "account_type": "list_bill",
                "payment_plans": "X;HALF;WEEKS",
                "invoice_day_of_month": 20,
            },
            {"account_id": "EURO", "account_type": "list_bill", "payment_plans": "X", "currency": "EUR"},
        ],
        billing_instructions=[instruction],
        charges=[charge, *more_charges],
    )


def changed(story: Story, **params: object) -> Story:
    """The story after BANK and X became what these parameters say, or the command was refused, on February 10th."""
    story.close_through(FEB_10 - timedelta(days=1))
    given = {"payer_account_id": "FIRM", "payment_plan": "X"} | params
    row = {"command_id": "C", "command_type": "change_list_bill", "target_type": "policy", "target_id": "P"}
    return story.land(FEB_10, commands=[row | {"params": json.dumps(given)}]).close_through(FEB_10)


def pay(story: Story, day: date, amount: str, payer: str = "BANK") -> Story:
    return story.land(day, payments=[{"payment_id": f"M{day}", "amount": amount, "account_id": payer}])


def standing(story: Story, payer: int) -> list[tuple[str, str, str]]:
    """Bill date, amount and paid of the items of a payer, in order of bill date and item."""
    items = story.items().filter((pl.col("account_key") == payer) & (pl.col("invoice_key") > 0))
    units = [format_minor_units(pl.col(name), 2).alias(name) for name in ("amount", "paid")]
    return items.sort("bill_date", "item_key").select(pl.col("bill_date").cast(pl.String), *units).rows()


def fund(story: Story, account_key: int) -> int:
    return story.book["funds"].filter(pl.col("fund_key") == 2 * account_key)["balance"].item()


def test_r_lb_13_another_payer_takes_over_what_is_planned() -> None:
    """R-LB-13, R-LB-15: planned items go on the new payer's stream of the plan; what BANK was billed stays with it."""
    story = changed(list_billed(), items="planned_items")
    assert story.quarantined() == []
    assert standing(story, BANK) == [("2026-01-10", "100.00", "0.00")]
    # Dated the 10th of each month as BANK's invoices were, they go on FIRM's of the 20th.
    months = [f"2026-{month:02}-20" for month in range(2, 13)]
    assert standing(story, FIRM) == [(day, "100.00", "0.00") for day in months]
    period = story.book["policy_periods"].row(0, named=True)
    assert (period["payer_account_key"], period["payment_plan"], period["stream_key"]) == (FIRM, "X", 0)
    assert story.book["charges"]["payer_account_key"].to_list() == [FIRM]
    events = story.events("item_events")
    assert events["event_type"].unique().to_list() == ["Item Assigned to Payer"]
    story.close_through(date(2027, 1, 31))
    assert story.balance("<Charge Pattern> Due", "Premium") == "1200.00"


def test_r_lb_15_all_items_billed_ones_by_offset_and_onset() -> None:
    """R-LB-15: the item that BANK was billed gets an offset there, and an onset on FIRM's next planned invoice."""
    story = changed(list_billed())
    assert standing(story, BANK) == [("2026-01-10", "100.00", "100.00"), ("2026-01-10", "-100.00", "-100.00")]
    months = [f"2026-{month:02}-20" for month in range(2, 13)]
    assert standing(story, FIRM) == [(day, "100.00", "0.00") for day in ["2026-02-20", *months]]
    onset = story.items().filter(pl.col("reversal_kind") == "onset").row(0, named=True)
    assert (onset["related_item_key"], onset["amount"]) == (1024 + 1, 100_00)
    receivables = {name: story.balance(f"<Charge Pattern> {name}", "Premium") for name in ("Unbilled", "Billed", "Due")}
    assert receivables == {"Unbilled": "1200.00", "Billed": "0.00", "Due": "0.00"}
    counts = dict(story.events("item_events").group_by(pl.col("event_type").cast(pl.String)).len().rows())
    assert counts == {
        "Item Assigned to Payer": 12,
        "Item Created as Onset": 1,
        "Item Created as Reversal": 1,
        "Item Reversed": 1,
    }


def test_r_lb_16_without_another_plan_payments_are_reversed_and_rest_in_the_fund_of_who_paid() -> None:
    """R-LB-16: 150.00 of BANK on a billed and a planned item; both are taken back and stay with BANK."""
    story = changed(pay(list_billed(), date(2026, 1, 20), "150.00"))
    assert fund(story, BANK) == 150_00
    assert {paid for _, _, paid in standing(story, FIRM)} == {"0.00"}


def test_r_lb_16_payments_on_planned_items_may_stay_on_them() -> None:
    """R-LB-16, R-ITM-13: of billed or due items only; what is paid of a planned item travels with it."""
    story = changed(pay(list_billed(), date(2026, 1, 20), "150.00"), payments="billed_or_due_items")
    assert fund(story, BANK) == 100_00
    assert standing(story, FIRM)[:2] == [("2026-02-20", "100.00", "50.00"), ("2026-02-20", "100.00", "0.00")]


def test_r_lb_14_and_16_another_plan_of_the_same_payer_cuts_anew_and_distributes_again() -> None:
    """R-LB-14, R-LB-16, R-LB-17: BANK stays; all items are cut in six, and its 150.00 pay the new ones."""
    story = changed(pay(list_billed(), date(2026, 1, 20), "150.00"), payer_account_id="BANK", payment_plan="HALF")
    assert standing(story, BANK)[2:] == [
        # The dates of January and February are over or come next: two installments on the invoice of today.
        ("2026-02-10", "200.00", "150.00"),
        ("2026-02-10", "200.00", "0.00"),
        *((f"2026-{month:02}-10", "200.00", "0.00") for month in range(3, 7)),
    ]
    assert fund(story, BANK) == 0
    assert story.book["policy_periods"]["payment_plan"].item() == "HALF"


def test_r_lb_13_another_payer_and_another_plan() -> None:
    """R-LB-13, R-LB-16: cut anew for FIRM; the money rests with BANK, which owes nothing any more."""
    story = changed(pay(list_billed(), date(2026, 1, 20), "150.00"), payment_plan="HALF")
    assert fund(story, BANK) == 150_00
    assert [row[:2] for row in standing(story, FIRM)] == [
        ("2026-02-20", "200.00"),
        ("2026-02-20", "200.00"),
        *((f"2026-{month:02}-20", "200.00") for month in range(3, 7)),
    ]
    assert sum(int(amount[:-3]) for _, amount, _ in standing(story, BANK)) == 0


def test_r_lb_09_the_stream_is_one_of_the_payer_that_fits_the_plan() -> None:
    """R-LB-09, R-LB-13: a stream may be named; weekly installments need FIRM's weekly stream."""
    story = changed(list_billed(), payment_plan="WEEKS", stream_id=str(FIRM_WEEKS), items="planned_items")
    assert story.quarantined() == []
    moved = story.items().filter(pl.col("account_key") == FIRM)
    assert moved["stream_key"].unique().to_list() == [FIRM_WEEKS]
    assert story.book["policy_periods"]["stream_key"].item() == FIRM_WEEKS


def test_r_lb_10_what_another_account_pays_stays_with_it() -> None:
    """R-LB-10: the owner pays the taxes itself, before and after BANK hands over to FIRM."""
    taxes = {"instruction_id": "I", "charge_no": 2, "charge_pattern": "Taxes", "amount": "60.00"}
    story = changed(list_billed(taxes | {"payer_account_id": "A"}))
    assert story.book["charges"]["payer_account_key"].to_list() == [FIRM, 1]
    assert standing(story, 1) == [("2026-01-01", "60.00", "0.00")]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"term_number": 9}, "E-TERM-UNKNOWN"),
        ({"payer_account_id": "NOBODY"}, "E-LIST-BILL-ACCOUNT"),
        ({"payer_account_id": "A"}, "E-LIST-BILL-ACCOUNT"),
        ({"payer_account_id": "EURO"}, "E-LIST-BILL-ACCOUNT"),
        ({"payment_plan": "NOTHING"}, "E-PLAN-UNKNOWN"),
        ({"payer_account_id": "BANK", "payment_plan": "WEEKS"}, "E-SCHEDULE-OFFER"),
        ({"stream_id": str(BANK_STREAM)}, "E-LIST-BILL-STREAM"),
        ({"stream_id": str(FIRM_WEEKS)}, "E-LIST-BILL-STREAM"),
        ({"stream_id": "77"}, "E-LIST-BILL-STREAM"),
    ],
)
def test_r_lb_08_what_does_not_fit_is_refused(params: dict[str, object], code: str) -> None:
    """R-LB-08, R-LB-09: each violation has its own code, and nothing is done."""
    story = changed(list_billed(), **params)
    assert story.quarantined() == [("C", code)]
    assert story.book["policy_periods"]["payer_account_key"].item() == BANK


def test_r_lb_12_a_policy_that_is_not_on_list_bill_changes_its_billing_method_instead() -> None:
    story = list_billed()
    instruction = {"instruction_id": "J", "instruction_type": "issuance", "account_id": "A", "policy_id": "Q"}
    instruction |= {"effective_date": START, "period_end": END, "payment_plan": "X"}
    story.land(DEC_1, billing_instructions=[instruction]).close_through(DEC_1)
    params = '{"payer_account_id": "FIRM", "payment_plan": "X"}'
    row = {"command_id": "C", "command_type": "change_list_bill", "target_type": "policy", "target_id": "Q"}
    story.land(date(2025, 12, 2), commands=[row | {"params": params}]).close_through(date(2025, 12, 2))
    assert story.quarantined() == [("C", "E-LIST-BILL-METHOD")]


def test_r_bt_6_a_list_bill_policy_may_use_only_the_plans_of_its_payer() -> None:
    """R-BT-6: change_payment_schedule of a list bill policy takes a plan of BANK, and no other."""
    story = list_billed().close_through(FEB_10 - timedelta(days=1))
    row = {"command_type": "assign_payment_plan", "target_type": "policy", "target_id": "P"}
    rows = [row | {"command_id": name, "params": json.dumps({"payment_plan": name})} for name in ("WEEKS", "HALF")]
    story.land(FEB_10, commands=rows).close_through(FEB_10)
    assert story.quarantined() == [("WEEKS", "E-SCHEDULE-OFFER")]
    assert story.book["policy_periods"]["payment_plan"].item() == "HALF"
    assert {row["account_key"] for row in story.items().to_dicts()} == {BANK}
