"""Equity warnings of changed schedules: E-EQT-05, E-EQT-06, E-INV-05, and the rules R-EQT-12..19, R-PP-17, R-INV-40."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from ledger.carrier import Carrier
from schemas.journal import EQUITY_WARNINGS
from tests.golden.test_04_invoice_commands import invoice_key
from tests.story import Row, Story, plans, timing

JUL_1, END = date(2016, 7, 1), date(2017, 7, 1)
NOV_10 = date(2016, 11, 10)
FEB_1 = date(2017, 2, 1)
# 50.0563 % of 6,570.00 are 3,288.70, due on July 15; the rest, 3,281.30, is due on November 15. A day costs 18.00.
HALF_DOWN = "\n".join(
    [
        'payment_interval = "every_four_months"',
        "max_installments = 1",
        "has_down_payment = true",
        'down_payment_percent = "50.0563"',
        f"down_payment_timing = {timing('policy_effective_date')}",
        f"first_installment_timing = {timing('one_interval_after_policy_effective_date')}",
    ]
)
AT_ONCE = f'payment_interval = "every_year"\nmax_installments = 1\nfirst_installment_timing = {timing("charge_date")}\n'
LATE = (
    'payment_interval = "monthly"\nmax_installments = 1\n'
    f"first_installment_timing = {timing('policy_effective_date', 214)}\n"
)
E_EQT_05 = (date(2016, 12, 1), FEB_1, 1_103_30, date(2016, 12, 1))
OTHER_WORDS = ("command_id", "command_type", "period_key", "outcome")
WARNED = ("first_violation", "violation_end", "cure_amount", "cure_before")


def carrier(terms: str = HALF_DOWN) -> Carrier:
    return plans(terms, ("X", "AT ONCE", AT_ONCE), ("X", "LATE", LATE))


def insured(*policy_ids: str, chosen: Carrier | None = None, **account: object) -> Story:
    """Policies of a year from July 1st on plan X, for 6,570.00 each."""
    issuance = {"instruction_type": "issuance", "account_id": "A", "effective_date": JUL_1, "period_end": END}
    premium = {"charge_no": 1, "charge_pattern": "Premium", "amount": "6570.00"}
    return Story(chosen or carrier()).land(
        JUL_1,
        accounts=[{"account_id": "A", "invoice_day_of_month": 1, **account}],
        billing_instructions=[
            issuance | {"instruction_id": f"I{name}", "policy_id": name, "payment_plan": "X"} for name in policy_ids
        ],
        charges=[premium | {"instruction_id": f"I{name}"} for name in policy_ids],
    )


def command(command_type: str, target: str, **params: object) -> Row:
    kind, name = target.split("/")
    given = {"target_type": kind, "target_id": name, "params": json.dumps(params)}
    return {"command_id": f"{command_type} {name}", "command_type": command_type, **given}


def commanded(story: Story, day: date, *commands: Row) -> Story:
    story.close_through(day - timedelta(days=1))
    return story.land(day, commands=list(commands)).close_through(day)


def later(story: Story, stream: int = 1, due_date: date = FEB_1, **params: object) -> Row:
    """The command that gives November's invoice of a stream another due date."""
    invoices = story.close_through(NOV_10 - timedelta(days=1)).book["invoices"]
    of_november = (pl.col("bill_date") == date(2016, 11, 1)) & (pl.col("stream_key") == stream)
    key = invoices.filter(of_november)["invoice_key"].item()
    return command("change_invoice_dates", f"invoice/{key}", due_date=str(due_date), **params)


def warnings(story: Story) -> pl.DataFrame:
    rows = story.events("equity_warnings")
    EQUITY_WARNINGS.validate(rows)
    return rows


def test_e_eqt_05_the_shape_of_a_warning() -> None:
    """E-EQT-05 (R-EQT-13, R-EQT-15): 30 days; 12/01/2016 until 02/01/2017; 1,103.30 due before 12/01/2016."""
    story = insured("P")
    commanded(story, NOV_10, later(story))
    assert story.book["policy_periods"]["min_equity_days"].item() == 30
    assert warnings(story).select(WARNED).rows() == [E_EQT_05]
    assert warnings(story).select(OTHER_WORDS).rows()[0][1:] == ("change_invoice_dates", 1, "warned")


@pytest.mark.parametrize(("percent", "down", "is_cured"), [("66.8493", 4_392_00, True), ("66.8492", 4_391_99, False)])
def test_r_eqt_15_the_suggested_payment_cures_every_violation(percent: str, down: int, *, is_cured: bool) -> None:
    """R-EQT-15: with 3,288.70 + 1,103.30 = 4,392.00 due before December 1st none is left; with a cent less there is."""
    story = insured("P", chosen=carrier(HALF_DOWN.replace("50.0563", percent)))
    commanded(story, NOV_10, later(story))
    assert story.items()["amount"].to_list()[0] == down
    assert warnings(story).is_empty() is is_cured


def test_e_inv_05_a_later_due_date_is_kept_and_warned_of() -> None:
    """E-INV-05 (R-INV-40, R-EQT-16, R-PP-17): the change is carried out, and the warning is recorded."""
    story = insured("P")
    commanded(story, NOV_10, later(story))
    assert story.quarantined() == []
    assert story.items()["due_date"].to_list() == [date(2016, 7, 15), FEB_1]


def test_r_eqt_16_a_command_may_ask_to_be_rejected() -> None:
    """R-EQT-16: reject: the due date stays as it was, the command is refused, and the row says what would have been."""
    story = insured("P")
    commanded(story, NOV_10, later(story, on_equity_violation="reject"))
    assert [code for _, code in story.quarantined()] == ["E-EQUITY-VIOLATION"]
    assert story.items()["due_date"].to_list() == [date(2016, 7, 15), date(2016, 11, 15)]
    assert warnings(story).select(*WARNED, "outcome").rows() == [(*E_EQT_05, "rejected")]
    assert story.book["commands"].is_empty()


def test_r_eqt_16_others_are_carried_out_without_those_that_are_rejected() -> None:
    """R-EQT-16: of three commands of a day one is rejected, one warned of, and one leaves no violation."""
    story = insured("P", "Q", "R")
    commanded(
        story,
        NOV_10,
        later(story, 1, on_equity_violation="reject"),
        later(story, 2),
        later(story, 3, date(2016, 11, 20), on_equity_violation="reject"),
    )
    assert len(story.quarantined()) == 1
    rows = warnings(story).sort("period_key").select("period_key", "outcome").rows()
    assert rows == [(1, "rejected"), (2, "warned")]
    dues = story.items().filter(pl.col("item_type") == "installment")["due_date"].to_list()
    assert dues == [date(2016, 11, 15), FEB_1, date(2016, 11, 20)]


def test_r_eqt_14_only_periods_with_warnings_on_are_looked_at() -> None:
    """R-EQT-14, R-PP-17: turned off for the policy, nothing is said and nothing rejected; turned on again, it is."""
    story = insured("P")
    commanded(story, date(2016, 11, 8), command("set_policy_equity_warning", "policy/P", enabled=False))
    row = later(story, on_equity_violation="reject")
    commanded(story, NOV_10, row)
    assert (warnings(story).is_empty(), story.quarantined()) == (True, [])
    again = command("set_policy_equity_warning", "policy/P", enabled=True) | {"command_id": "on"}
    commanded(story, date(2016, 11, 11), again)
    commanded(story, date(2016, 11, 12), row | {"command_id": "again"})
    assert story.quarantined() == [("again", "E-EQUITY-VIOLATION")]


@pytest.mark.parametrize(("days", "first"), [(0, date(2016, 12, 31)), (30, date(2016, 12, 1)), (60, NOV_10)])
def test_r_eqt_12_the_preferred_days_move_the_first_violation(days: int, first: date) -> None:
    """R-EQT-12: 3,288.70 are 182.7 days of 18.00, through December 30th; 30 days sooner with 30 days preferred."""
    story = insured("P")
    setting = command("set_policy_equity_warning", "policy/P", enabled=True, min_days=days)
    commanded(story, date(2016, 11, 8), setting)
    commanded(story, NOV_10, later(story))
    assert warnings(story)["first_violation"].to_list() == [first]


def test_e_eqt_06_and_r_eqt_18_defaults_go_from_plan_to_period_when_it_is_created() -> None:
    """E-EQT-06, R-EQT-18: enabled, 30 days; a plan's own settings count for its periods, and stay with another plan."""
    terms = f"{HALF_DOWN}\nhas_equity_warnings = false\nmin_equity_days = 7"
    columns = ("has_equity_warnings", "min_equity_days")
    assert insured("P").close_through(JUL_1).book["policy_periods"].select(columns).rows() == [(True, 30)]
    story = insured("P", chosen=carrier(terms))
    commanded(story, NOV_10, command("assign_payment_plan", "policy/P", payment_plan="LATE"))
    assert story.book["policy_periods"].select("payment_plan", *columns).rows() == [("LATE", False, 7)]


def test_r_eqt_19_the_first_schedule_is_not_checked() -> None:
    """R-EQT-19: half of the premium due seven months after the start is no warning while nobody changes anything."""
    story = insured("P", chosen=carrier(LATE)).close_through(NOV_10)
    assert warnings(story).is_empty()


@pytest.mark.parametrize(
    ("command_type", "params", "is_short"),
    [
        ("change_payment_schedule", {"payment_plan": "LATE", "items": "all_items"}, True),
        ("change_payment_schedule", {"payment_plan": "AT ONCE", "items": "planned_items"}, False),
        ("assign_payment_plan", {"payment_plan": "LATE"}, True),
    ],
)
def test_r_eqt_14_another_payment_plan(command_type: str, params: dict[str, object], *, is_short: bool) -> None:
    """R-EQT-14 (4): another plan is looked at with the items that it makes."""
    story = insured("P")
    commanded(story, date(2016, 10, 10), command(command_type, "policy/P", **params))
    assert story.quarantined() == []
    assert warnings(story)["command_type"].to_list() == [command_type] * is_short


def test_r_eqt_14_the_due_dates_of_a_stream() -> None:
    """R-EQT-14 (3): November's invoice of the account bills on the 30th, so its half is due 18 days too late."""
    story = insured("P", invoice_by="account")
    commanded(
        story,
        date(2016, 10, 10),
        command("set_policy_equity_warning", "policy/P", enabled=True, min_days=50),
    )
    commanded(story, date(2016, 10, 11), command("change_invoice_days", "account/A", invoice_day_of_month=30))
    # 50 days preferred: 3,288.70 last through the 132nd day, November 10th; due is now December 14th.
    assert warnings(story).select(*WARNED[:2]).rows() == [(date(2016, 11, 11), date(2016, 12, 14))]


def test_r_eqt_14_a_billing_level_moves_items() -> None:
    """R-EQT-14 (1), R-BL-12: November's half goes on the account's invoice of the 30th, due December 14th."""
    story = insured("P", invoice_day_of_month=31)
    key = {"min_days": 50, "enabled": True}
    commanded(story, date(2016, 10, 10), command("set_policy_equity_warning", "policy/P", **key))
    commanded(story, date(2016, 10, 11), command("set_billing_level", "account/A", invoice_by="account"))
    assert story.dates("due_date") == ["2016-07-15", "2016-12-14"]
    assert warnings(story)["first_violation"].to_list() == [date(2016, 11, 11)]


def test_r_eqt_14_planned_items_with_other_amounts() -> None:
    """R-EQT-14 (1): an amount that goes from a planned item to a later one."""
    story = insured("P").close_through(date(2016, 10, 9))
    item = story.items()["item_key"].to_list()[1]
    params = {
        "changes": [{"item_id": str(item), "amount": "281.30"}],
        "additions": [{"event_date": "2017-03-01", "item_type": "installment", "amount": "3000.00"}],
    }
    commanded(story, date(2016, 10, 10), command("modify_planned_items", "charge/1", **params))
    assert story.quarantined() == []
    # 3,288.70 + 281.30 = 3,570.00 are 198.3 days: with 30 preferred, short from December 17th on.
    assert warnings(story)["first_violation"].to_list() == [date(2016, 12, 17)]


def test_r_eqt_17_a_moved_item_gets_a_flag_and_is_never_refused() -> None:
    """R-EQT-17, R-ITM-49: two items go on a later invoice; that of the policy whose warnings are on is flagged."""
    story = insured("P", "Q", invoice_by="account").close_through(date(2016, 10, 9))
    stream = story.book["invoice_streams"]["stream_key"].item()
    dates = {"bill_date": "2017-01-20", "due_date": "2017-02-01"}
    commanded(story, date(2016, 10, 10), command("create_invoice", f"invoice_stream/{stream}", **dates))
    commanded(story, date(2016, 10, 11), command("set_policy_equity_warning", "policy/Q", enabled=False))
    new = invoice_key(story, date(2017, 1, 20))
    items = story.items().filter(pl.col("item_type") == "installment").sort("policy_key")["item_key"].to_list()
    rows = [command("move_invoice_item", f"invoice_item/{item}", invoice_id=str(new)) for item in items]
    commanded(story, date(2016, 10, 12), *rows)
    assert story.quarantined() == []
    assert warnings(story).select("period_key", *WARNED).rows() == [(1, *E_EQT_05)]


def test_r_inv_41_a_negative_blackout_may_leave_a_violation() -> None:
    """R-INV-41: installments after the end of cover are allowed, and are what the warning is about."""
    terms = (
        'payment_interval = "every_four_months"\nmax_installments = 6\nblackout_days = -60\nblackout_basis = "billed"\n'
        f"first_installment_timing = {timing('policy_effective_date')}\n"
    )
    story = insured("P", chosen=plans(HALF_DOWN, ("X", "STRETCHED", terms)))
    commanded(story, date(2016, 7, 2), command("change_payment_schedule", "policy/P", payment_plan="STRETCHED"))
    assert max(story.dates("bill_date")) >= "2017-07-01"
    assert warnings(story)["outcome"].to_list() == ["warned"]


@pytest.mark.parametrize("days", [-1, 4000])
def test_r_eqt_12_days_out_of_range_are_refused(days: int) -> None:
    story = insured("P")
    commanded(
        story, JUL_1 + timedelta(days=1), command("set_policy_equity_warning", "policy/P", enabled=True, min_days=days)
    )
    assert [code for _, code in story.quarantined()] == ["E-EQUITY-DAYS"]
    missing = command("set_policy_equity_warning", "policy/P", enabled=True, term_number=8) | {"command_id": "T"}
    commanded(story, JUL_1 + timedelta(days=2), missing)
    assert ("T", "E-TERM-UNKNOWN") in story.quarantined()
