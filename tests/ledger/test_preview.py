"""Previews: what an instruction would bring, by the functions that would book it, and without booking it."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ledger.preview import PREVIEWED, available_payment_plans, preview
from tests.instructed import JAN_1, charge, down_payment, instruction, land, terms
from tests.story import Row, Story, plans, timing

FEB_10 = date(2025, 2, 10)
FEE = terms(timing("one_interval_after_policy_effective_date"), down_payment("25") + 'fee_amount = "5.00"\n', maximum=3)
OTHER = terms(interval="quarterly", maximum=4)


def rows(*landed: Row) -> pl.DataFrame:
    """Landing rows as text, without file and row number."""
    texts = [{name: None if value is None else str(value) for name, value in row.items()} for row in landed]
    names = list(dict.fromkeys(name for row in texts for name in row))
    return pl.DataFrame(texts, schema=dict.fromkeys(names, pl.String))


def story(**account: object) -> Story:
    """P1 of A, issued with 1200.00 by a plan with a quarter down and three installments with a fee."""
    told = Story(plans(FEE, ("X", "Other", OTHER)))
    told.land(JAN_1, accounts=[{"account_id": "A", **account}])
    return land(told, JAN_1, instruction("I1", "issuance"), charges=(charge("I1"),))


def quoted(
    told: Story, *instructions: Row, charges: tuple[Row, ...] = (), day: date = FEB_10, **more: object
) -> dict[str, pl.DataFrame]:
    """A preview on the book of the story."""
    return preview(told.book, rows(*instructions), rows(*charges), day, told.carrier, **more)  # type: ignore[arg-type]


NEW = instruction("Q1", "issuance", "P2", effective_date="2025-03-01", period_end="2026-03-01")
CARRIED = (charge("Q1", "1000.00"), charge("Q1", "60.00", "Tax", 2))
CHANGE = instruction("Q1", "policy_change", effective_date=FEB_10)


@pytest.mark.parametrize(
    ("row", "charges"),
    [
        (NEW, CARRIED),
        (CHANGE, (charge("Q1", "99.99"), charge("Q1", "6.00", "Tax", 2))),
        (CHANGE | {"special_handling": "bill_immediately"}, (charge("Q1", "50.00"),)),
        (CHANGE | {"instruction_type": "audit", "payment_plan": "Other"}, (charge("Q1", "50.00"),)),
    ],
    ids=["new period", "policy change", "billed immediately", "other plan"],
)
def test_r_bi_12_a_preview_is_what_booking_makes_of_it(row: Row, charges: tuple[Row, ...]) -> None:
    """R-BI-12: the same items on the same invoices, to the cent."""
    told = story()
    told.close_through(date(2025, 2, 9))
    shown = quoted(told, row, charges=charges)["items"]
    before = told.book["invoice_items"].height
    land(told, FEB_10, row, charges=charges)
    booked = told.items().filter(pl.col("item_key").is_in(told.book["invoice_items"]["item_key"][before:].implode()))
    booked = booked.filter((pl.col("amount") != 0) & (pl.col("charge_pattern") != "Installment Fee"))
    columns = ["charge_pattern", "item_type", "installment_number", "event_date", "bill_date", "due_date", "amount"]
    assert shown.select(columns).rows() == booked.select(columns).rows()


def test_r_bi_12_nothing_is_kept() -> None:
    """R-BI-12: the book is the same value afterwards, and the next day is as if nobody had asked."""
    told = story()
    before = {name: frame.clone() for name, frame in told.book.frames.items()}
    quoted(told, NEW, CHANGE | {"instruction_id": "Q2"}, charges=(*CARRIED, charge("Q2", "5.00")), day=date(2025, 1, 2))
    assert all(told.book[name].equals(frame) for name, frame in before.items())


def test_r_bi_12_plans_side_by_side() -> None:
    """R-BI-12, R-SEL-6: every plan with its down payment, largest invoice, fees and total."""
    shown = quoted(story(), NEW | {"payment_plan": None}, charges=CARRIED, payment_plans=["X", "Other"])
    columns = ["payment_plan", "down_payment", "installments", "largest_invoice", "fees", "total", "currency"]
    assert shown["plans"].select(columns).rows() == [
        ("X", 25000, 3, 31500, 2000, 108000, "USD"),
        ("Other", 0, 4, 31000, 0, 106000, "USD"),
    ]
    assert shown["invoices"].group_by("payment_plan").len().sort("payment_plan").rows() == [("Other", 4), ("X", 4)]
    assert shown["refused"].is_empty()


def test_r_bi_12_fees_that_the_new_items_bring() -> None:
    """R-BI-12, R-FE-2: the invoicing fee of each invoice; a change brings none where the invoice has one anyway."""
    told = story()
    new = quoted(told, NEW, charges=CARRIED, day=date(2025, 1, 2))
    assert new["fees"].select("policy_id", "charge_pattern", "amount").unique().rows() == [
        ("P2", "Installment Fee", 500)
    ]
    assert new["fees"]["bill_date"].to_list() == [date(2025, month, 1) for month in (3, 4, 5, 6)]
    assert new["invoices"].select("new_items", "fees", "other_items", "total").row(0) == (31000, 500, 0, 31500)
    change = quoted(told, CHANGE, charges=(charge("Q1", "90.00"),), day=date(2025, 1, 2))
    assert change["fees"].is_empty()
    assert change["invoices"].select("is_new", "other_items").row(0) == (False, 30000)


def test_r_bi_12_a_fee_that_a_credit_takes_away_is_not_added() -> None:
    """R-BI-12: fees are those that come on top; a return premium brings none."""
    change = quoted(story(), CHANGE, charges=(charge("Q1", "-1200.00"),), day=date(2025, 1, 2))
    assert change["fees"].is_empty()
    assert change["plans"]["total"].to_list() == [-120000]


def test_r_bi_12_refusals_are_answered() -> None:
    """R-BI-12: what could not be booked says why, by plan; a plan that could not be booked has no row of its own."""
    shown = quoted(story(), NEW, charges=(charge("Q1", pattern="Stamp"),))
    assert shown["refused"].select("table_name", "record_id", "code").rows() == [
        ("billing_instructions", "Q1", "E-CHARGE-REFUSED"),
        ("charges", "Q1", "E-PATTERN-UNKNOWN"),
    ]
    assert shown["plans"].is_empty()
    assert shown["items"].is_empty()


def test_r_bi_12_warnings_are_answered() -> None:
    """R-BI-12: an overlapping renewal can be booked, with a warning."""
    early = instruction("Q1", "renewal", effective_date="2025-12-01", period_end="2026-12-01")
    assert quoted(story(), early, charges=(charge("Q1"),))["warnings"]["code"].to_list() == ["W-PERIOD-OVERLAP"]


def test_r_bi_12_an_account_may_come_with_the_quote() -> None:
    """R-BI-12: an account that is not known has the carrier's defaults, or what its row says."""
    row = NEW | {"account_id": "NEW"}
    told = story()
    plain = quoted(told, row, charges=CARRIED)
    placed = quoted(
        told,
        row,
        charges=CARRIED,
        accounts=rows({"account_id": "NEW", "invoice_by": "account", "invoice_day_of_month": 20}),
    )
    assert plain["invoices"]["bill_date"][0] == date(2025, 3, 1)
    assert placed["invoices"]["bill_date"][0] == date(2025, 3, 20)
    assert placed["items"]["account_id"].unique().to_list() == ["NEW"]


def test_r_bi_12_the_same_row_again_brings_nothing() -> None:
    """R-CI-08, R-BI-12: an instruction that is booked already would have no effect."""
    told = story()
    again = quoted(told, instruction("I1", "issuance"), charges=(charge("I1"),))
    assert all(again[name].is_empty() for name in PREVIEWED)


def test_r_bi_11_available_payment_plans() -> None:
    """R-BI-11, R-BT-6: the plans of a list bill payer, else those in the currency of the account, valid on the day."""
    told = Story(plans(terms(), ("X", "Late", "expiration_date = 2024-12-31\n" + terms())))
    accounts = [
        {"account_id": "A"},
        {"account_id": "E", "currency": "EUR"},
        {"account_id": "BANK", "account_type": "list_bill", "payment_plans": "X; Monthly; Late"},
    ]
    told.land(JAN_1, accounts=accounts).close_through(JAN_1)

    def available(account_id: str, day: date = JAN_1) -> tuple[str, ...]:
        return available_payment_plans(told.book, account_id, day, told.carrier)

    assert available("A") == available("NOBODY") == told.carrier.available_payment_plans(JAN_1, "USD")
    assert available("E") == ()
    assert available("BANK") == ("Monthly", "X")
    assert available("BANK", date(2024, 12, 31)) == ("Monthly", "X", "Late")
