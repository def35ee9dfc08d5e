"""Commands about invoices: create one, change its dates, send it again (R-INV-30..32)."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.effects import Effects
from ledger.invoices import append_invoices, invoice_status, with_special_keys
from ledger.placement import next_cadence_invoices


def create_invoices(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Empty planned invoices; dates left out are those of the next unused date of the stream's cadence.

    In: commands with stream_key, bill_date, due_date, is_ad_hoc. The bill date is not before today, the due date not
    before the bill date. Rules: R-INV-20, R-INV-30.
    """
    following = next_cadence_invoices(book, commands["stream_key"], day, carrier)
    wanted = commands.join(following, on="stream_key", how="left", maintain_order="left", suffix="_of_cadence")
    lead = pl.col("due_date_of_cadence") - pl.col("bill_date_of_cadence")
    bill_date = pl.coalesce("bill_date", "bill_date_of_cadence")
    wanted = wanted.with_columns(
        bill_date=bill_date,
        due_date=pl.coalesce("due_date", pl.max_horizontal(bill_date + lead, bill_date)),
        takes_cadence=pl.col("bill_date").is_null() & pl.col("due_date").is_null() & ~pl.col("is_ad_hoc"),
    ).sort("command_id")
    # Two commands for one stream in a round have different dates or stand outside the cadence.
    wanted = with_special_keys(book, wanted).with_columns(
        invoice_key=pl.when("takes_cadence").then("invoice_key_of_cadence").otherwise("invoice_key"),
        cadence_date=pl.when("takes_cadence").then("cadence_date"),
    )
    right, refused = split_refused(
        wanted,
        {
            "E-INVOICE-DATES": (pl.col("bill_date") < day) | (pl.col("due_date") < pl.col("bill_date")),
            "E-INVOICE-MANY": pl.col("invoice_key").is_null(),
        },
    )
    streams = book["invoice_streams"].select("stream_key", "policy_key")
    right = right.drop("policy_key").join(streams, on="stream_key", how="left", maintain_order="left")
    return Effects(append_invoices(book, right), refused=(refused,))


def change_invoice_dates(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give planned invoices other dates, billed ones another due date; their items stay on them.

    In: commands with invoice_key, bill_date, due_date. Rules: R-INV-31, R-INV-40.
    """
    dates = _invoices_of(book, commands, day, carrier)
    changed = dates.with_columns(
        new_bill_date=pl.coalesce("bill_date", "known_bill_date"),
        new_due_date=pl.coalesce("due_date", "known_due_date"),
    )
    is_planned = pl.col("status") == "Planned"
    is_billed = pl.col("status") == "Billed"
    moves_bill_date = pl.col("new_bill_date") != pl.col("known_bill_date")
    right, refused = split_refused(
        changed,
        {
            "E-INVOICE-STATUS": ~(is_planned | (is_billed & ~moves_bill_date)),
            "E-INVOICE-DATES": pl.all_horizontal(pl.col("bill_date", "due_date").is_null())
            | (pl.col("new_due_date") < pl.col("new_bill_date"))
            | (is_planned & (pl.col("new_bill_date") < day))
            | (pl.col("new_due_date") < day),
        },
    )
    values = {"bill_date": right["new_bill_date"], "due_date": right["new_due_date"]}
    return Effects(book.update("invoices", right["row"], values), refused=(refused,))


def resend_invoices(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Ask for the documents of billed and due invoices once more; nothing else changes (R-INV-32)."""
    right, refused = split_refused(
        _invoices_of(book, commands, day, carrier),
        {"E-INVOICE-STATUS": ~pl.col("status").is_in(["Billed", "Due"])},
    )
    sent = right.select("account_key", "invoice_key", "amount", "command_id", event_type=pl.lit("InvoiceResent"))
    return Effects(book, refused=(refused,)).recording(outbound_events=sent)


def _invoices_of(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """The commands with the place, dates, status and amount of their invoice, before invoices are billed today."""
    yesterday = day - timedelta(days=1)
    keys = commands["invoice_key"].implode()
    invoices = book["invoices"].with_row_index("row").filter(pl.col("invoice_key").is_in(keys))
    items = book["invoice_items"].filter(pl.col("invoice_key").is_in(keys))
    amounts = items.group_by("invoice_key").agg(pl.col("amount").sum())
    status = invoice_status(yesterday, yesterday - timedelta(days=carrier.invoice_due_lag_days))
    facts = invoices.join(amounts, on="invoice_key", how="left").select(
        "row",
        "invoice_key",
        pl.col("amount").fill_null(0),
        known_bill_date="bill_date",
        known_due_date="due_date",
        status=status,
    )
    return commands.drop("amount").join(facts, on="invoice_key", how="left", maintain_order="left")


PROCESSES = {
    "create_invoice": create_invoices,
    "change_invoice_dates": change_invoice_dates,
    "resend_invoice": resend_invoices,
}
"""Which process carries out which command."""
