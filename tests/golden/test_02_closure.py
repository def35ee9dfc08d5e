"""Spec 02, closure of policy periods and of accounts: when they close, and what opens them again."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.instructed import JAN_1, charge, instruction, land, terms
from tests.story import Row, Story, plans
from tests.warehouse.published_stories import PublishedStory

END = date(2025, 2, 1)
FIRST_CHANCE = END + timedelta(days=1)


def told(paid: str = "100.00", **more: object) -> Story:
    """A policy of one month for 100.00, and money."""
    story = Story(plans(terms(maximum=1)))
    payment = {"payment_id": "P", "account_id": "A", "amount": paid, "payment_date": date(2025, 1, 5)}
    story.land(date(2025, 1, 5), payments=[payment])
    return land(
        story, JAN_1, instruction("I1", "issuance", **{"period_end": END} | more), charges=(charge("I1", "100.00"),)
    )


def closed(story: Story) -> list[date | None]:
    """When each policy period was closed."""
    return story.book["policy_periods"].sort("period_key")["closed_date"].to_list()


def command(command_type: str, target_type: str, target_id: str, **more: object) -> Row:
    named = {"command_type": command_type, "target_type": target_type, "target_id": target_id}
    return {"command_id": f"{command_type} {target_id}"} | named | more


def test_r_cls_01_a_period_closes_when_its_term_is_over_and_nothing_is_left() -> None:
    """R-CLS-01, R-CLS-02, R-CLS-03, R-LIF-19: not on the expiration date, but on the day after it."""
    assert closed(told().close_through(END)) == [None]
    assert closed(told().close_through(FIRST_CHANCE)) == [FIRST_CHANCE]


def test_r_cls_01_a_period_that_is_owed_a_cent_stays_open() -> None:
    assert closed(told("99.99").close_through(date(2025, 3, 10))) == [None]


def test_r_cls_01_a_period_that_has_not_earned_its_premium_stays_open() -> None:
    """Premium is posted at the end of a month: a term that ends within one is earned only then."""
    story = told(period_end=date(2025, 2, 10)).close_through(date(2025, 2, 27))
    assert closed(story) == [None]
    assert closed(story.close_through(date(2025, 2, 28))) == [date(2025, 2, 28)]
    assert story.balance("<Charge Pattern> Unearned", "Premium") == "0.00"


def test_e_pol_06_a_reinstatement_opens_it_only_with_a_fee() -> None:
    """E-POL-06, R-CLS-05: the transaction opens it, not the instruction; it closes when the fee is paid."""
    day = date(2025, 3, 1)
    cancelled = instruction("C1", "cancellation", effective_date=date(2025, 1, 25))
    ended = land(told(), date(2025, 1, 25), cancelled).close_through(FIRST_CHANCE)
    without = land(ended.fork(), day, instruction("I2", "reinstatement", effective_date=day))
    assert without.quarantined() == []
    assert closed(without) == [FIRST_CHANCE]
    fee = charge("I2", "25.00", "Reinstatement Fee")
    story = land(ended, day, instruction("I2", "reinstatement", effective_date=day), charges=(fee,))
    assert story.quarantined() == []
    assert closed(story) == [None]
    assert closed(story.close_through(day + timedelta(days=40))) == [None]
    later = story.today + timedelta(days=1)
    story.land(later, payments=[{"payment_id": "Q", "policy_id": "P1", "amount": "25.00", "payment_date": later}])
    assert closed(story.close_through(later)) == [None]
    assert closed(story.close_through(later + timedelta(days=1))) == [later + timedelta(days=1)]


def test_r_cls_05_an_audit_opens_it_even_without_a_charge() -> None:
    day = date(2025, 3, 1)
    story = land(told().close_through(FIRST_CHANCE), day, instruction("I2", "audit", effective_date=JAN_1))
    assert closed(story) == [None]
    assert closed(story.close_through(day + timedelta(days=1))) == [day + timedelta(days=1)]


def test_r_cls_05_a_payment_reversed_after_its_policy_was_closed() -> None:
    """R-CLS-05, R-CLS-07: the item is owed again, so the period is open until it is paid again."""
    day = date(2025, 3, 1)
    bounced = command("reverse_payment", "payment", "P", params='{"reversal_reason": "insufficient_funds"}')
    story = told().close_through(FIRST_CHANCE).land(day, commands=[bounced]).close_through(day + timedelta(days=5))
    assert story.quarantined() == []
    assert closed(story) == [None]
    again = {"payment_id": "Q", "policy_id": "P1", "amount": "100.00", "payment_date": day}
    story.land(day + timedelta(days=6), payments=[again]).close_through(day + timedelta(days=7))
    assert closed(story) == [day + timedelta(days=7)]


def test_r_dbp_18_money_that_names_a_closed_policy_opens_it() -> None:
    day = date(2025, 3, 1)
    story = told().close_through(FIRST_CHANCE)
    story.land(day, payments=[{"payment_id": "Q", "policy_id": "P1", "amount": "1.00", "payment_date": day}])
    assert closed(story.close_through(day)) == [None]


def test_r_cls_06_and_07_one_that_somebody_opens_stays_open_until_something_happens() -> None:
    story = told().close_through(FIRST_CHANCE)
    story.land(date(2025, 3, 1), commands=[command("open_policy_period", "policy", "P1")])
    assert closed(story.close_through(date(2025, 3, 20))) == [None]
    row = instruction("I2", "general", effective_date=JAN_1)
    charges = (charge("I2", "5.00", "Fee"), charge("I2", "-5.00", "Fee", 2))
    land(story, date(2025, 3, 21), row, charges=charges)
    assert closed(story.close_through(date(2025, 5, 31))) != [None]


def test_r_acc_09_an_account_closes_when_its_periods_are_closed_and_nothing_is_owed() -> None:
    """R-ACC-09, R-ACC-10, R-ACC-11, R-ACC-12: money in a fund is only warned about; a closed account works on."""
    story = told("130.00").land(date(2025, 1, 20), commands=[command("close_account", "account", "A")])
    story.land(date(2025, 2, 3), commands=[command("close_account", "account", "A", command_id="2")])
    story.close_through(date(2025, 2, 3))
    assert story.quarantined() == [("close_account A", "E-ACCOUNT-PERIODS")]
    assert story.book["accounts"]["close_date"].to_list() == [date(2025, 2, 3)]
    assert "W-ACCOUNT-FUNDS" in story.events("warnings")["code"].to_list()
    row = instruction("I2", "issuance", "P2", effective_date=date(2025, 2, 4), period_end=date(2025, 3, 1))
    land(story, date(2025, 2, 4), row, charges=(charge("I2", "10.00"),))
    assert story.book["policy_periods"].height == 2
    reopen = command("reopen_account", "account", "A")
    story.land(date(2025, 2, 5), commands=[reopen]).close_through(date(2025, 2, 5))
    assert story.book["accounts"]["close_date"].to_list() == [None]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (command("open_policy_period", "policy", "P1"), "E-PERIOD-OPEN"),
        (command("open_policy_period", "policy", "P1", params='{"term_number": 7}'), "E-TERM-UNKNOWN"),
        (command("close_account", "account", "A"), "E-ACCOUNT-PERIODS"),
        (command("reopen_account", "account", "A"), "E-ACCOUNT-OPEN"),
    ],
)
def test_what_is_open_is_not_opened(asked: Row, code: str) -> None:
    story = told().land(date(2025, 1, 10), commands=[asked]).close_through(date(2025, 1, 10))
    assert [found for _, found in story.quarantined()] == [code]


def test_r_acc_09_an_account_that_owes_or_is_closed_is_not_closed() -> None:
    """R-ACC-09, R-ACC-10: charges of the account itself count."""
    story = told().close_through(FIRST_CHANCE)
    row = instruction("I2", "account_general", None, effective_date=FIRST_CHANCE)
    land(story, date(2025, 2, 3), row, charges=(charge("I2", "7.00", "Account Late Fee"),))
    story.land(date(2025, 2, 4), commands=[command("close_account", "account", "A")]).close_through(date(2025, 2, 4))
    assert story.quarantined() == [("close_account A", "E-ACCOUNT-BALANCE")]
    paid = told().close_through(FIRST_CHANCE)
    paid.land(date(2025, 2, 4), commands=[command("close_account", "account", "A")])
    paid.land(date(2025, 2, 5), commands=[command("close_account", "account", "A", command_id="2")])
    assert paid.close_through(date(2025, 2, 5)).quarantined() == [("2", "E-ACCOUNT-CLOSED")]


def test_nothing_is_posted_for_closing() -> None:
    story = told().close_through(FIRST_CHANCE)
    assert story.events("journal").filter(pl.col("business_date") == FIRST_CHANCE).is_empty()


def test_r_lif_20_a_closed_period_is_summed_up_by_charge_pattern(tmp_path: Path) -> None:
    """R-LIF-20, R-LED-31: earned premium, taxes for a third party, what was written off; nothing while it is open."""
    story = told("112.00")
    again = date(2025, 1, 2)
    rows = (instruction("I2", "general"), instruction("I3", "general"))
    land(story, again, *rows, charges=(charge("I2", "7.00", "Taxes"), charge("I3", "10.00", "Reinstatement Fee")))
    off = command("write_off", "policy", "P1") | {"amount": "5.00"}
    story.land(date(2025, 1, 31), commands=[off]).close_through(date(2025, 2, 20))
    published = PublishedStory(tmp_path, story)
    sums = ("expense", "reserve", "revenue", "write_off_expense")
    columns = ", ".join(["policy_id", "charge_pattern", *(f"{name}_rollup::VARCHAR" for name in sums)])
    assert published.ask(f"SELECT {columns} FROM closed_period_rollups ORDER BY charge_pattern") == [
        ("P1", "Premium", "0.00", "0.00", "100.00", "0.00"),
        ("P1", "Reinstatement Fee", "0.00", "0.00", "10.00", "5.00"),
        ("P1", "Taxes", "7.00", "7.00", "7.00", "0.00"),
    ]
    assert published.ask(f"SELECT * FROM closed_period_rollups_as_of('{END}')") == []
