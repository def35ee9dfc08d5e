"""Every contract of a day fires when the day is damaged in its way, and on the day as it was none does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import polars as pl
import pytest

import ledger.close
from ledger import contracts
from ledger.book import Book
from ledger.contracts import ContractViolationError, DayOutcome, check_day
from tests.golden.refunds import about
from tests.story import Story, carrier

DAY = date(2026, 2, 1)
"""A day with everything: a new policy, an invoice billed, another due, money received and distributed."""


def issuance(number: int) -> dict[str, object]:
    return {
        "instruction_id": f"I{number}",
        "instruction_type": "issuance",
        "account_id": "A",
        "policy_id": f"P{number}",
        "period_start": "2026-01-01",
        "period_end": "2027-01-01",
        "effective_date": "2026-01-01",
        "payment_plan": "Monthly",
    }


def charges(number: int) -> list[dict[str, object]]:
    return [
        {"instruction_id": f"I{number}", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200.00"},
        {"instruction_id": f"I{number}", "charge_no": 2, "charge_pattern": "Taxes", "amount": "60.00"},
    ]


@cache
def story() -> Story:
    first = date(2026, 1, 1)
    aside = {"payment_id": "M2", "account_id": "A", "amount": "3.00", "distribute": "none"}
    set_aside = {
        "command_id": "C",
        "command_type": "create_suspense_item",
        "target_type": "payment",
        "target_id": "M2",
        "amount": "2.00",
    }
    return (
        Story(carrier(("lead_days = 14\nnon", "lead_days = 30\nnon")))
        .land(first, accounts=[{"account_id": "A"}], billing_instructions=[issuance(1)], charges=charges(1))
        .land(DAY - timedelta(days=1), payments=[{"payment_id": "M0", "account_id": "A", "amount": "7.00"}])
        .land(DAY - timedelta(days=1), payments=[aside])
        .land(DAY, billing_instructions=[issuance(2)], charges=charges(2), commands=[set_aside])
        .land(DAY, payments=[{"payment_id": "M1", "account_id": "A", "amount": "100.00"}])
        .land(DAY, payments=[{"payment_id": "N", "amount": "5.00"}])
        .land(DAY, accounts=[{"account_id": "R", "invoice_by": "account"}], commands=refunds())
        .land(DAY, payments=[{"payment_id": "N", "amount": "5.00"}])
        .close_through(DAY)
    )


def refunds() -> list[dict[str, object]]:
    """Money given to an account, and a part of it paid out on the same day."""
    given = about("K", "create_ad_hoc_credit", "10.00", {"credit_type": "Goodwill"}, account="R")
    paid = about("D", "create_disbursement", "4.00", {"due_date": DAY.isoformat()}, account="R", reason="asked for")
    return [given, paid]


def outcome() -> DayOutcome:
    return story().days[DAY].outcome


Damage = Callable[[DayOutcome], DayOutcome]


def in_book(table: str, column: str, add: int, row: int = -1) -> Damage:
    """Change a number of a row that the day added or changed."""

    def damaged(day: DayOutcome) -> DayOutcome:
        book = day.after
        frame = book[table]
        values = frame[column].clone()
        place = row % frame.height
        values[place] = values[place] + add
        frames = {**book.frames, table: frame.with_columns(values)}
        touched = pl.Series([place], dtype=pl.UInt32)
        known = book.changed_rows.get(table, touched)
        changed = {**book.changed_rows, table: pl.concat([known, touched])}
        after = replace(book, frames=frames, changed_rows=changed)
        return replace(day, after=after, changes=after.changes())

    return damaged


def in_events(table: str, *changes: pl.Expr) -> Damage:
    """Change columns of an event table."""

    def damaged(day: DayOutcome) -> DayOutcome:
        return replace(day, events={**day.events, table: day.events[table].with_columns(*changes)})

    return damaged


is_first = pl.int_range(pl.len()) == 0
is_billing = (pl.col("transaction_type") == "ChargeBilled") & (pl.col("charge_pattern") == "Premium")
as_taxes = pl.when(is_billing).then(pl.lit("Taxes")).otherwise("charge_pattern").alias("charge_pattern")


def one_more(column: str) -> pl.Expr:
    return pl.when(is_first).then(pl.col(column) + 1).otherwise(column).alias(column)


CASES = {
    "check_journal": ("I-01", in_events("journal", one_more("amount"))),
    "check_charge_conservation": ("R-CI-06", in_book("invoice_items", "amount", 1)),
    "check_receivables": ("R-LED-25", in_book("payment_items", "amount", 1)),
    "check_subledger": ("I-16", in_events("journal", as_taxes)),
    "check_funds": ("I-30", in_book("funds", "balance", 1, row=0)),
    "check_suspense": ("I-30", in_book("payments", "amount", 1)),
    "check_paid": ("I-21", in_book("invoice_items", "paid", 100_000_000)),
    "check_ad_hoc_credits": ("R-AHC-4", in_book("ad_hoc_credits", "amount", 1)),
    "check_disbursements": ("A-9", in_book("disbursements", "amount", 1)),
    "check_intake": ("I-39", in_events("intake", one_more("rows_booked"))),
}
"""By contract: the rule that must be broken, and what breaks it."""


def test_every_contract_has_a_case() -> None:
    assert {name for name in vars(contracts) if name.startswith("check_")} == {*CASES, "check_day"}


def test_the_day_as_it_was_keeps_every_contract() -> None:
    kinds = outcome().events["journal"]["transaction_type"].cast(pl.String).unique().sort().to_list()
    assert kinds == [
        "AccountGoodwillTxn",
        "AcctUnappliedSuspTxn",
        "ChargeBilled",
        "ChargeDue",
        "ChargePaidFromAccount",
        "DirectBillMoneyReceivedTxn",
        "DisbursementPaid",
        "InitialChargeTxn",
        "SuspPymtTransaction",
    ]
    assert check_day(outcome(), story().carrier).is_empty()


@pytest.mark.parametrize("name", CASES)
def test_a_contract_fires_on_a_damaged_day(name: str) -> None:
    rule, damage = CASES[name]
    violations = check_day(damage(outcome()), story().carrier)
    assert rule in violations["rule"].to_list()


@pytest.mark.parametrize("name", CASES)
def test_without_its_contract_the_damage_goes_unseen_or_shows_elsewhere(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule of the case is found by its own contract and by no other."""
    rule, damage = CASES[name]
    monkeypatch.setattr(contracts, name, lambda *_, **__: pl.DataFrame(schema=contracts.VIOLATIONS))
    assert rule not in check_day(damage(outcome()), story().carrier)["rule"].to_list()


def in_account(table: str, **values: object) -> Damage:
    """Change values of the row of a state table that is about the second account."""

    def damaged(day: DayOutcome) -> DayOutcome:
        book = day.after
        frame = book[table]
        row = (frame["account_key"] == SECOND).arg_true()
        changes = {name: pl.Series([value], dtype=frame.schema[name]) for name, value in values.items()}
        after = book.update(table, row, changes)
        return replace(day, after=after, changes=after.changes())

    return damaged


SECOND = 2
REFUNDS = {
    "R-DSB-2": in_account("disbursements", approved_date=None),
    "R-DSB-6": in_account("funds", balance=-1),
    "A-9": in_account("disbursements", status="Approved"),
    "R-AHC-4": in_account("ad_hoc_credits", status="PendingApproval"),
}
"""By rule: what breaks it."""


@pytest.mark.parametrize("rule", REFUNDS)
def test_contracts_on_refunds(rule: str) -> None:
    """R-DSB-2, R-DSB-6, R-AHC-3, R-AHC-4: paid unapproved, out of what was not there, posted and not so, not posted."""
    assert rule in check_day(REFUNDS[rule](outcome()), story().carrier)["rule"].to_list()


@pytest.mark.parametrize(
    "damage", [in_book("suspense_items", "amount", 1), in_book("suspense_items", "account_key", 1)]
)
def test_suspense_items_tie_to_the_suspense_of_their_account(damage: Damage) -> None:
    assert check_day(damage(outcome()), story().carrier)["rule"].to_list()[0] == "I-30"


def test_nothing_of_a_day_that_breaks_a_contract_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first violation is named, and the others are counted."""
    wrong = pl.DataFrame({"rule": ["I-30"] * 2, "key": ["1", "2"], "message": ["the fund is wrong"] * 2})
    monkeypatch.setattr(ledger.close, "check_day", lambda *_: wrong)
    with pytest.raises(ContractViolationError, match=r"contract I-30 is broken at 1: the fund is wrong \(and 1 more\)"):
        ledger.close.close(Book.empty(), {}, DAY, carrier())
