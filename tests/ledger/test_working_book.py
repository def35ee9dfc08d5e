"""Which accounts a day concerns, and what of the book it therefore works on."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest

from ledger import working_book
from ledger.billing import accounts_with_turning_invoices
from tests.instructed import JAN_1, YEAR_END, charge, instruction, terms
from tests.story import Row, Story, plans

QUIET = date(2025, 1, 2)
ACCOUNTS = ("A", "B", "C")


@pytest.fixture(autouse=True)
def divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_book, "SMALLEST_DIVIDED", 0)


@cache
def insured() -> Story:
    """Three accounts with a policy each, monthly installments and nothing in common."""
    story = Story(plans(terms()))
    story.land(
        JAN_1,
        accounts=[{"account_id": account, "invoice_by": "account", "invoice_day_of_month": 20} for account in ACCOUNTS],
        billing_instructions=[
            instruction(f"I{account}", "issuance", f"P{account}", account_id=account) for account in ACCOUNTS
        ],
        charges=[charge(f"I{account}") for account in ACCOUNTS],
        payments=[{"payment_id": f"M{account}", "account_id": account, "amount": "1.00"} for account in ACCOUNTS],
    )
    return story.close_through(JAN_1)


def concerned(day: date = QUIET, *, after: Story | None = None, **landed: list[Row]) -> set[str]:
    """The accounts whose invoice items the day worked on, when these rows land on it."""
    story = (after or insured()).fork().close_through(day - timedelta(days=1))
    story.land(day, **landed).close_through(day)
    items = story.days[day].outcome.before["invoice_items"]
    keys = dict(story.book["accounts"].select("account_key", "account_id").iter_rows())
    return {keys[key] for key in items["account_key"]}


def command(command_type: str, target_type: str, target_id: object, params: str | None = None) -> list[Row]:
    return [
        {
            "command_id": "C",
            "command_type": command_type,
            "target_type": target_type,
            "target_id": target_id,
            "params": params,
        }
    ]


def test_a_quiet_day_concerns_nobody() -> None:
    assert concerned() == set()


def test_what_lands_concerns_whom_it_names() -> None:
    assert concerned(payments=[{"payment_id": "X", "account_id": "B", "amount": "1.00"}]) == {"B"}
    assert concerned(payments=[{"payment_id": "X", "policy_id": "PC", "amount": "1.00"}]) == {"C"}
    change = instruction("X", "policy_change", "PA", effective_date=QUIET)
    assert concerned(billing_instructions=[change], charges=[charge("X", "5.00", payer_account_id="B")]) == {"A", "B"}


def test_a_payment_concerns_the_payer_of_the_invoice_that_it_names() -> None:
    invoice = insured().book["invoices"].filter(account_key=2)["invoice_key"][0]
    assert concerned(payments=[{"payment_id": "X", "invoice_id": f" {invoice} ", "amount": "1.00"}]) == {"B"}


def test_directions_concern_the_payers_of_the_items_that_they_name() -> None:
    item = insured().book["invoice_items"].filter(account_key=3)["item_key"][0]
    row = {"payment_id": "X", "account_id": "A", "amount": "1.00", "distribution": f'{{"include": [{item}]}}'}
    assert concerned(payments=[row]) == {"A", "C"}


def test_money_in_suspense_concerns_the_payers_of_the_items_that_it_names() -> None:
    item = insured().book["invoice_items"].filter(account_key=3)["item_key"][0]
    row = {"payment_id": "X", "account_id": "D", "amount": "1.00", "distribution": f'{{"include": [{item}]}}'}
    story = insured().fork().land(QUIET, payments=[row]).close_through(QUIET)
    day = QUIET + timedelta(days=1)
    assert concerned(day, after=story, accounts=[{"account_id": "D"}]) == {"C"}


def test_a_command_concerns_the_account_of_its_target_and_all_that_its_parameters_name() -> None:
    charged = insured().book["charges"].filter(account_key=1)["charge_key"][0]
    payer = command("set_charge_default_payer", "charge", charged, '{"payer_account_id": "B"}')
    assert concerned(commands=payer) == {"A", "B"}
    assert concerned(
        commands=command("reverse_payment", "payment", "MC", '{"reversal_reason": "entered_in_error"}')
    ) == {"C"}
    assert concerned(commands=command("redistribute_payments", "account", "A", '{"payments": ["MA"]}')) == {"A"}


def test_a_reference_concerns_all_payers_who_gave_it() -> None:
    twice = [
        {"payment_id": f"X{account}", "account_id": account, "amount": "1.00", "reference": "R"} for account in "BC"
    ]
    story = insured().fork().land(QUIET, payments=twice).close_through(QUIET)
    day = QUIET + timedelta(days=1)
    taken_back = command("reverse_payment", "payment", "reference:R", '{"reversal_reason": "entered_in_error"}')
    assert concerned(day, after=story, commands=taken_back) == {"B", "C"}


def test_words_that_are_not_written_out_concern_everybody() -> None:
    escaped = command("modify_payment_details", "payment", "MA", '{"description": "say \\"hello\\""}')
    assert concerned(commands=escaped) == {"A", "B", "C"}


def test_more_commands_than_are_worth_reading_concern_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_book, "MOST_COMMANDS", 0)
    assert concerned(commands=command("redistribute_payments", "account", "A")) == {"A", "B", "C"}


def test_ties_of_a_day_on_the_whole_book_hold_on_the_next() -> None:
    change = instruction("X", "policy_change", "PA", effective_date=QUIET)
    escaped = command("modify_payment_details", "payment", "MA", '{"description": "say \\"hello\\""}')
    story = insured().fork().close_through(QUIET - timedelta(days=1))
    paid_by_b = charge("X", "5.00", payer_account_id="B")
    story.land(QUIET, billing_instructions=[change], charges=[paid_by_b], commands=escaped).close_through(QUIET)
    day = QUIET + timedelta(days=1)
    assert concerned(day, after=story, payments=[{"payment_id": "X", "account_id": "A", "amount": "1.00"}]) == {
        "A",
        "B",
    }


def test_an_invoice_that_turns_concerns_its_payer() -> None:
    story = insured()
    days = {day for row in story.book["invoices"].select("bill_date", "due_date").rows() for day in row}
    first = min(day for day in days if day > QUIET)
    assert accounts_with_turning_invoices(story.book, first, story.carrier).n_unique() == 3
    assert concerned(first) == {"A", "B", "C"}
    assert concerned(first + timedelta(days=1)) == set()


def test_a_term_that_is_over_concerns_its_account_until_it_is_closed_and_when_it_opens_again() -> None:
    late = YEAR_END - timedelta(days=3)
    story = Story(plans(terms()))
    story.land(
        late,
        billing_instructions=[
            instruction(f"I{account}", "issuance", f"P{account}", account_id=account, effective_date=late)
            for account in ACCOUNTS
        ],
        charges=[charge(f"I{account}") for account in ACCOUNTS],
        payments=[{"payment_id": f"M{account}", "account_id": account, "amount": "1200.00"} for account in "BC"],
    )
    story.close_through(YEAR_END + timedelta(days=60))
    assert story.book["policy_periods"]["closed_date"].is_null().to_list() == [True, False, False]
    day = YEAR_END + timedelta(days=61)
    assert concerned(day, after=story) == {"A"}
    audited = instruction("AB", "audit", "PB", account_id="B", effective_date=YEAR_END - timedelta(days=1))
    assert concerned(day, after=story, billing_instructions=[audited], charges=[charge("AB", "9.00")]) == {"A", "B"}
