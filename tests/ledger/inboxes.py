"""Landing rows for the tests of the intake: one good row of each table, and the book after a day with some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

import polars as pl

from carriers import standard
from ledger.accounts import book_accounts
from ledger.book import ITEMS_PER_CHARGE, Book
from ledger.carrier import Carrier
from ledger.instructions import book_instructions
from ledger.intake import Accepted, accept
from ledger.receipts import receive_payments
from schemas.landing import LANDING_TABLES

Row = dict[str, object]
Inbox = dict[str, pl.DataFrame]

FIRST_DAY = date(2024, 6, 3)
DAY = date(2024, 6, 10)
MORE_PLANS = """
[payment_plans."Euro"]
effective_date = 2000-01-01
currency = "EUR"
payment_interval = "monthly"
max_installments = 12
first_installment_timing = { reference = "policy_effective_date" }
one_time_timing = { reference = "policy_effective_date" }

[payment_plans."Reporting"]
effective_date = 2000-01-01
is_reporting = true
payment_interval = "monthly"
max_installments = 12
first_installment_timing = { reference = "policy_effective_date" }
one_time_timing = { reference = "policy_effective_date" }

[payment_plans."Withdrawn"]
effective_date = 2000-01-01
expiration_date = 2010-12-31
payment_interval = "monthly"
max_installments = 12
first_installment_timing = { reference = "policy_effective_date" }
one_time_timing = { reference = "policy_effective_date" }
"""


@cache
def carrier() -> Carrier:
    """The standard carrier with more plans, and with a pattern that no carrier file could hold: a fee that is split."""
    read = Carrier.from_toml(standard() + MORE_PLANS)
    split = read.charge_patterns["Account Late Fee"].model_copy(update={"invoicing_approach": "single_installment"})
    return read.model_copy(update={"charge_patterns": read.charge_patterns | {"Split Fee": split}})


def account(account_id: str = "A", **changes: object) -> Row:
    return {"account_id": account_id} | changes


def issuance(instruction_id: str = "I", **changes: object) -> Row:
    """A good issuance for the policy of the same name on account A."""
    return {
        "instruction_id": instruction_id,
        "instruction_type": "issuance",
        "account_id": "A",
        "policy_id": f"P-{instruction_id}",
        "period_start": "2024-07-01",
        "period_end": "2025-07-01",
        "effective_date": "2024-07-01",
        "payment_plan": "Monthly",
    } | changes


def change(instruction_id: str, instruction_type: str, **changes: object) -> Row:
    """An instruction of another type for the policy that is booked already."""
    return {
        "instruction_id": instruction_id,
        "instruction_type": instruction_type,
        "account_id": "BOOKED",
        "policy_id": "P-BOOKED",
        "effective_date": "2024-09-01",
    } | changes


def of_account(instruction_id: str, **changes: object) -> Row:
    """An account-level instruction on the booked account."""
    return {
        "instruction_id": instruction_id,
        "instruction_type": "account_general",
        "account_id": "BOOKED",
        "effective_date": "2024-06-10",
    } | changes


def charge(instruction_id: str = "I", charge_no: object = 1, **changes: object) -> Row:
    return {
        "instruction_id": instruction_id,
        "charge_no": charge_no,
        "charge_pattern": "Premium",
        "amount": "1200.00",
    } | changes


def payment(payment_id: str = "M", **changes: object) -> Row:
    return {"payment_id": payment_id, "amount": "100.00", "account_id": "BOOKED"} | changes


def command(command_id: str = "C", **changes: object) -> Row:
    """A good command about the booked account."""
    return {
        "command_id": command_id,
        "command_type": "resend_invoice",
        "target_type": "invoice",
        "target_id": "1",
    } | changes


def frame(table: str, rows: Sequence[Mapping[str, object]], file: str = "rows.parquet") -> pl.DataFrame:
    """Rows as the landing reader gives them: every landed column as text, with file and row number."""
    listed = [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]
    names = list(dict.fromkeys(name for row in listed for name in row))
    landed = pl.DataFrame(listed, schema=dict.fromkeys(names, pl.String))
    return landed.with_columns(file=pl.lit(f"{table}/{file}"), row_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def inbox(**tables: Sequence[Mapping[str, object]]) -> Inbox:
    return {table: frame(table, rows) for table, rows in tables.items()}


def taken(landed: Inbox, book: Book | None = None, day: date = DAY) -> Accepted:
    """What becomes of these rows; on an empty book unless told."""
    return accept(Book.empty().open_day() if book is None else book, landed, day, carrier())


def booked(book: Book, landed: Inbox, day: date = DAY) -> tuple[Book, pl.DataFrame]:
    """The book after these rows were booked, and everything that was refused."""
    accepted = accept(book, landed, day, carrier())
    book = book_accounts(book, accepted, day, carrier())
    instructed = book_instructions(book, accepted.billing_instructions, accepted.charges, day, carrier())
    received = receive_payments(instructed.book, accepted.payments, day, carrier())
    return received.book, pl.concat([accepted.refused, instructed.refused, received.refused])


@cache
def book() -> Book:
    """The book at the start of DAY: three accounts, a policy in force, one cancelled, one on reporting, payments."""
    landed = inbox(**first_day())
    after, refused = booked(Book.empty().open_day(), landed, FIRST_DAY)
    assert refused.is_empty(), refused
    return _cut_often(after, "I-CANCELLED").open_day()


def _cut_often(after: Book, instruction_id: str) -> Book:
    """The charge of an instruction has had so many items that few numbers are left for more."""
    key = after["instructions"].filter(instruction_id=instruction_id)["instruction_key"].item()
    charge_key = after["charges"].filter(instruction_key=key)["charge_key"].item()
    items = after["invoice_items"].with_row_index("row").filter(charge_key=charge_key).sort("item_key")
    last = pl.Series([charge_key * ITEMS_PER_CHARGE + 1000])
    return after.update("invoice_items", items["row"].tail(1), {"item_key": last})


def first_day() -> dict[str, list[Row]]:
    """The rows that were booked on the first day."""
    term = {"period_start": "2024-06-03", "period_end": "2025-06-03", "effective_date": "2024-06-03"}
    return {
        "accounts": [
            account("BOOKED", name="Booked Ltd", invoice_day_of_month=10),
            account("EUR", currency="EUR"),
            account("LISTBILL", account_type="list_bill", payment_plans="Monthly; Twice Per Month"),
        ],
        "billing_instructions": [
            issuance("I-BOOKED", account_id="BOOKED", policy_id="P-BOOKED", **term),
            issuance("I-CANCELLED", account_id="BOOKED", policy_id="P-CANCELLED", **term),
            issuance(
                "I-REPORTING", account_id="BOOKED", policy_id="P-REPORTING", **term | {"payment_plan": "Reporting"}
            ),
            change("C-CANCELLED", "cancellation", policy_id="P-CANCELLED", sequence=2),
        ],
        "charges": [
            charge("I-BOOKED", 1),
            charge("I-BOOKED", 2, charge_pattern="Taxes", amount="60.00"),
            charge("I-CANCELLED", 1),
        ],
        "payments": [
            payment("M-BOOKED", reference="chk 1", payment_date="2024-06-02"),
            payment("M-PLAIN", amount="5.00"),
        ],
    }


def refusals(accepted: Accepted) -> dict[tuple[str, str | None, int], str]:
    """Code of every refused row by table, id and row number."""
    rows = accepted.refused.sort("table_name", "file", "row_no")
    return {(row["table_name"], row["record_id"], row["row_no"]): row["code"] for row in rows.iter_rows(named=True)}


def ids(accepted: Accepted) -> dict[str, list[object]]:
    """Keys of the accepted rows by table, without the tables that have none."""
    listed = {}
    for table in LANDING_TABLES:
        rows = getattr(accepted, table.name)
        if not rows.is_empty():
            keys = rows.select(table.key).rows()
            listed[table.name] = [key[0] if len(key) == 1 else key for key in keys]
    return listed
