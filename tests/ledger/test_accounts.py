"""Accounts: defaults, find-or-create, keys and default funds (R-BI-10, R-BL-1, R-BL-3, R-BL-7, R-ACC-03)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.accounts import book_accounts, with_defaults
from ledger.book import Book
from schemas.book import ACCOUNTS, FUNDS
from tests.ledger.inboxes import DAY, account, book, carrier, charge, inbox, issuance, of_account, taken


def after(landed, start: Book | None = None) -> Book:
    start = start or Book.empty().open_day()
    return book_accounts(start, taken(landed, start), DAY, carrier())


def row(booked: Book, account_id: str) -> dict[str, object]:
    return booked["accounts"].filter(pl.col("account_id") == account_id).row(0, named=True)


def test_an_account_has_the_defaults_of_the_carrier():
    found = row(after(inbox(accounts=[account("A")])), "A")
    assert found == {
        "account_key": 1,
        "account_id": "A",
        "account_type": "insured",
        "currency": "USD",
        "invoice_by": "policy",
        "separate_funds_by": "policy",
        "invoice_day_of_month": 15,
        "invoice_day_of_week": 5,
        "invoice_first_day_of_month": 1,
        "invoice_second_day_of_month": 15,
        "invoice_every_other_week_anchor": date(2009, 1, 1),
        "fix_invoices_on": "bill_date",
        "payment_instrument": "responsive",
        "billing_plan": "Standard",
        "delinquency_plan": None,
        "payment_allocation_plan": carrier().default_plan("payment_allocation", DAY),
        "parent_account_id": None,
        "name": None,
        "creation_date": DAY,
        "payment_plans": None,
        "landed_settings": None,
        "close_date": None,
    }


def test_what_the_row_says_is_kept():
    said = account(
        "A", account_type="payer", currency="EUR", invoice_day_of_month=31, payment_instrument="ach", name="N"
    )
    found = row(after(inbox(accounts=[said])), "A")
    assert {key: str(found[key]) for key in said} == {key: str(value) for key, value in said.items()}


def test_invoices_per_account_keep_funds_per_account():
    found = row(after(inbox(accounts=[account("A", invoice_by="account", separate_funds_by="policy")])), "A")
    assert (found["invoice_by"], found["separate_funds_by"]) == ("account", "account")


def test_an_account_that_only_an_instruction_names_is_created():
    booked = after(inbox(billing_instructions=[issuance("I", account_id="NEW")], charges=[charge("I")]))
    assert row(booked, "NEW") == row(after(inbox(accounts=[account("NEW")])), "NEW")


def test_an_account_that_is_booked_is_found():
    booked = after(inbox(billing_instructions=[of_account("I"), issuance("J", account_id="BOOKED")]), book())
    assert booked["accounts"].equals(book()["accounts"])
    assert booked["funds"].equals(book()["funds"])


def test_the_account_of_a_refused_instruction_is_not_created():
    refused = inbox(billing_instructions=[issuance("I", account_id="NEW")], charges=[charge("I", amount="x")])
    assert after(refused)["accounts"].is_empty()


def test_a_payer_or_a_payment_creates_no_account():
    landed = inbox(
        billing_instructions=[issuance("I")],
        charges=[charge("I", payer_account_id="PAYER")],
        payments=[{"payment_id": "M", "amount": "5", "account_id": "STRANGER"}],
    )
    assert after(landed)["accounts"].is_empty()


def test_new_accounts_are_numbered_in_order_of_their_ids_whichever_way_they_came():
    landed = inbox(
        accounts=[account("D"), account("B")],
        billing_instructions=[
            issuance("I1", account_id="C"),
            issuance("I2", account_id="A"),
            issuance("I3", account_id="B"),
        ],
    )
    booked = after(landed, book())
    known = book()["accounts"].height
    new = booked["accounts"].slice(known)
    assert new["account_id"].to_list() == ["A", "B", "C", "D"]
    assert new["account_key"].to_list() == [known + 1, known + 2, known + 3, known + 4]


def test_every_account_has_one_default_fund_in_its_currency():
    booked = after(inbox(accounts=[account("A"), account("E", currency="EUR")]))
    assert booked["funds"].select("fund_key", "account_key", "policy_key", "balance", "currency").rows() == [
        (2, 1, 0, 0, "USD"),
        (4, 2, 0, 0, "EUR"),
    ]


def test_what_is_booked_keeps_the_contract_of_its_tables():
    booked = after(inbox(accounts=[account("A", parent_account_id="B"), account("B")]))
    ACCOUNTS.validate(booked["accounts"])
    FUNDS.validate(booked["funds"])


def test_a_quiet_day_changes_nothing():
    assert after({}, book()) is book()


def test_a_carrier_without_a_plan_on_the_day_gives_its_first():
    rows = pl.DataFrame({"account_id": ["A"]}).with_columns(
        pl.lit(None, dtype).alias(name)
        for name, dtype in taken({}).accounts.drop("account_id", "file", "row_no").schema.items()
    )
    long_ago = with_defaults(rows, date(1950, 1, 1), carrier())
    assert long_ago["billing_plan"].item() == carrier().plans("billing")[0].name
    assert long_ago["payment_allocation_plan"].item() == carrier().plans("payment_allocation")[0].name
