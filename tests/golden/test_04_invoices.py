"""The invoice batch: what becomes of planned invoices on their bill date, and in which order."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from ledger.invoices import invoice_status
from ledger.money import format_minor_units
from tests.story import Row, Story, plans, timing

JAN_1 = date(2025, 1, 1)
STANDARD = 'description = "Due 14 calendar days after billing"\n'
LOW_BALANCE = (
    f'{STANDARD}suppress_low_balance = true\nlow_balance_threshold = "10.00"\nlow_balance_method = "carry_forward"\n'
)
MONTHLY = (
    'payment_interval = "monthly"\nmax_installments = 2\n'
    f"first_installment_timing = {timing('policy_effective_date')}\n"
)


def issued(premium: str, fee: str | None = None, *changes: tuple[str, str], more: str = "") -> Story:
    """A policy with a premium in two installments and maybe a fee, both to be billed on January 1."""
    charges: list[Row] = [{"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": premium}]
    if fee is not None:
        charges.append({"instruction_id": "I", "charge_no": 2, "charge_pattern": "Fee", "amount": fee})
    return Story(plans(MONTHLY + more, *changes)).land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        billing_instructions=[
            {
                "instruction_id": "I",
                "instruction_type": "issuance",
                "account_id": "A",
                "policy_id": "P",
                "period_start": "2025-01-01",
                "period_end": "2026-01-01",
                "effective_date": "2025-01-01",
                "payment_plan": "X",
            }
        ],
        charges=charges,
    )


def command(command_id: str, kind: str, target_type: str, target: object, **params: object) -> Row:
    row: dict[str, object] = {"command_id": command_id, "command_type": kind, "target_type": target_type}
    return row | {"target_id": target, "params": json.dumps(params)}


def invoices(story: Story) -> list[tuple[str, str, str]]:
    """Bill date, status and amount of every invoice."""
    lag = timedelta(days=story.carrier.invoice_due_lag_days)
    sums = story.book["invoice_items"].group_by("invoice_key").agg(pl.col("amount").sum())
    rows = story.book["invoices"].join(sums, on="invoice_key", how="left").sort("bill_date", "invoice_key")
    return rows.select(
        pl.col("bill_date").cast(pl.String),
        status=invoice_status(story.today, story.today - lag),
        amount=format_minor_units(pl.col("amount").fill_null(0), 2),
    ).rows()


def documents(story: Story) -> list[tuple[str, str, str]]:
    """Day, kind and amount of the documents that were asked for."""
    events = story.events("outbound_events")
    return events.select(
        pl.col("business_date").cast(pl.String),
        pl.col("event_type").cast(pl.String),
        amount=format_minor_units(pl.col("amount"), 2),
    ).rows()


def test_an_invoice_is_billed_on_its_bill_date_and_due_after_its_due_date() -> None:
    """R-INV-10, R-INV-11, R-INV-14, R-INV-16, R-INV-18: each step once, with one document."""
    story = issued("200.00").close_through(JAN_1)
    assert invoices(story) == [("2025-01-01", "Billed", "100.00"), ("2025-02-01", "Planned", "100.00")]
    story.close_through(date(2025, 1, 15))
    assert invoices(story)[0][1] == "Billed"
    story.close_through(date(2025, 1, 16))
    assert invoices(story)[0][1] == "Due"
    story.close_through(date(2025, 2, 28))
    turned = story.journal().filter(pl.col("transaction_type").is_in(["ChargeBilled", "ChargeDue"]))
    assert turned["transaction_key"].n_unique() == 4
    assert documents(story) == [
        ("2025-01-01", "InvoiceBilled", "100.00"),
        ("2025-02-01", "InvoiceBilled", "100.00"),
    ]


def test_a_paid_invoice_becomes_due_as_well() -> None:
    """R-INV-19: nothing is owed on it then."""
    story = issued("200.00")
    story.land(JAN_1, payments=[{"payment_id": "M", "account_id": "A", "policy_id": "P", "amount": "100.00"}])
    story.close_through(date(2025, 1, 16))
    assert invoices(story)[0][1] == "Due"
    assert story.balance("<Charge Pattern> Due", "Premium") == "0.00"


def test_an_empty_invoice_is_deleted_on_its_bill_date() -> None:
    """R-INV-15, R-INV-18, R-INV-30: not billed, no fee, no document."""
    fee = (STANDARD, f'{STANDARD}invoice_fee = "2.50"\n')
    story = issued("200.00", None, fee).close_through(JAN_1)
    stream = story.book["invoice_streams"]["stream_key"][0]
    story.land(
        date(2025, 1, 2),
        commands=[command("C", "create_invoice", "invoice_stream", stream, bill_date="2025-01-10")],
    )
    story.close_through(date(2025, 1, 9))
    assert ("2025-01-10", "Planned", "0.00") in invoices(story)
    story.close_through(date(2025, 1, 10))
    assert ("2025-01-10", "Deleted", "0.00") in invoices(story)
    assert documents(story) == [("2025-01-01", "InvoiceBilled", "102.50")]
    story.close_through(date(2025, 1, 31))
    assert story.book["charges"]["charge_pattern"].to_list() == ["Premium", "Invoice Fee"]


def test_holds_come_before_the_low_balance_and_both_before_fees() -> None:
    """R-INV-18: of 107.00 the held 100.00 go first, then 7.00 are a low balance; no fee is raised for it."""
    story = issued("200.00", "7.00", (STANDARD, LOW_BALANCE), more='fee_amount = "5.00"\n')
    story.land(JAN_1, commands=[command("H", "hold_charge", "charge", "I/1")]).close_through(JAN_1)
    assert invoices(story) == [("2025-01-01", "Carried Forward", "0.00"), ("2025-02-01", "Planned", "207.00")]
    assert documents(story) == []
    story.land(date(2025, 1, 2), commands=[command("R", "release_charge_hold", "charge", "I/1")])
    story.close_through(date(2025, 2, 1))
    assert invoices(story)[1] == ("2025-02-01", "Billed", "212.00")


def test_an_invoice_of_nothing_is_billed() -> None:
    """R-INV-17: a premium and a credit of the same amount are shown on an invoice."""
    story = issued("200.00", "-100.00", (STANDARD, LOW_BALANCE)).close_through(JAN_1)
    assert documents(story) == [("2025-01-01", "InvoiceBilled", "0.00")]


@pytest.mark.parametrize("is_ad_hoc", [True, False])
def test_ad_hoc_invoices_do_not_take_what_is_carried_forward(*, is_ad_hoc: bool) -> None:
    """R-INV-12, R-INV-20, R-INV-23: a planned invoice in between takes it, unless it is ad hoc."""
    story = issued("200.00").land(
        JAN_1,
        commands=[
            command("C", "create_invoice", "invoice_stream", 1, bill_date="2025-01-10", is_ad_hoc=is_ad_hoc),
            command("H", "hold_charge", "charge", "I/1"),
        ],
    )
    story.close_through(JAN_1)
    takes_it = "0.00" if is_ad_hoc else "100.00"
    assert ("2025-01-01", "Carried Forward", "0.00") in invoices(story)
    assert ("2025-01-10", "Planned", takes_it) in invoices(story)


def test_held_items_of_an_ad_hoc_invoice_go_to_the_next_planned_one() -> None:
    """R-INV-21, R-INV-23: what was to be billed immediately, and is held."""
    story = issued("200.00").close_through(JAN_1)
    change = {
        "instruction_id": "C",
        "instruction_type": "policy_change",
        "account_id": "A",
        "policy_id": "P",
        "effective_date": "2025-01-05",
        "special_handling": "bill_immediately",
    }
    charge: Row = {"instruction_id": "C", "charge_no": 1, "charge_pattern": "Fee", "amount": "30.00"}
    day = date(2025, 1, 5)
    story.land(day, billing_instructions=[change], charges=[charge])
    story.land(day, commands=[command("H", "hold_charge", "charge", "C/1")]).close_through(day)
    assert invoices(story) == [
        ("2025-01-01", "Billed", "100.00"),
        ("2025-01-05", "Carried Forward", "0.00"),
        ("2025-02-01", "Planned", "130.00"),
    ]
    assert story.book["invoices"].filter(bill_date=day)["is_ad_hoc"].to_list() == [True]


def test_an_invoice_that_was_carried_forward_does_not_come_back() -> None:
    """R-INV-16: what arrives later for its date goes to the invoice after it."""
    story = issued("19.98", None, (STANDARD, LOW_BALANCE)).close_through(JAN_1)
    change = {
        "instruction_id": "C",
        "instruction_type": "general",
        "account_id": "A",
        "policy_id": "P",
        "effective_date": "2025-01-01",
    }
    day = date(2025, 1, 2)
    charge: Row = {"instruction_id": "C", "charge_no": 1, "charge_pattern": "Fee", "amount": "30.00"}
    story.land(day, billing_instructions=[change], charges=[charge]).close_through(date(2025, 2, 1))
    assert invoices(story) == [("2025-01-01", "Carried Forward", "0.00"), ("2025-02-01", "Billed", "49.98")]
