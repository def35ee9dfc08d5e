"""Invoice days of an account: on which days its shared invoices are fixed, and other dates for those still planned.

Rules: R-ACC-06, R-ACC-07, R-INV-08, R-INV-22.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.account_settings import INVOICE_DAYS, change_settings
from ledger.book import Book
from ledger.calendar import BusinessCalendar, slot_date, slot_on_or_after
from ledger.carrier import Carrier
from ledger.invoices import is_planned
from ledger.placement import invoice_dates
from ledger.streams import CADENCE, account_cadence
from ledger.terms import lead_times

_FACTS = ("lead_days", "lead_day_unit", "payment_due_day_logic")


def change_invoice_days(book: Book, settings: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """Give accounts other invoice days; the planned invoices of their shared streams get their dates anew.

    settings: account_key (each once) and INVOICE_DAYS in full. Any that changes gives these invoices their dates anew,
    also what was dated by hand. The streams of single policies follow their payment plan and stay (R-ACC-07). An
    invoice keeps its place in the cadence: its month, half month or week; every other week, the first date of the new
    cadence on or after its old one. One whose bill date would be over is billed today, and is due no sooner than if it
    had been meant for today (our choice). Its items stay on it. Ad hoc invoices, and others that stand outside the
    cadence, keep their dates, as do billed ones. Rules: R-ACC-06, R-ACC-07, R-INV-04..08, R-INV-22.
    """
    accounts = book["accounts"].select("account_key", *(pl.col(name).alias(f"old_{name}") for name in INVOICE_DAYS))
    rows = accounts.with_row_index("row").join(settings, on="account_key", how="inner", maintain_order="left")
    is_changed = [pl.col(name) != pl.col(f"old_{name}").cast(rows.schema[name]) for name in INVOICE_DAYS]
    rows = rows.filter(pl.any_horizontal(is_changed))
    book = change_settings(book, rows["row"], {name: rows[name] for name in INVOICE_DAYS})
    streams = _with_new_cadence(book, rows["account_key"])
    if streams.is_empty():
        return book
    book = _redate(book, streams, day, carrier)
    values = {name: streams[f"new_{name}"] for name in CADENCE if name != "periodicity"}
    return book.update("invoice_streams", streams["row"], values)


def _with_new_cadence(book: Book, account_keys: pl.Series) -> pl.DataFrame:
    """The shared streams of these accounts: their rows with `new_` columns for the cadence that they get."""
    streams = book["invoice_streams"].with_row_index("row")
    streams = streams.filter(pl.col("account_key").is_in(account_keys.implode()) & (pl.col("policy_key") == 0))
    accounts = book["accounts"].select("account_key", *INVOICE_DAYS[:-1], new_fix_invoices_on="fix_invoices_on")
    streams = streams.with_columns(pl.col("periodicity", "fix_invoices_on").cast(pl.String))
    streams = streams.join(accounts, on="account_key", how="left", maintain_order="left")
    anchor_date, anchor_day, second_anchor_day = account_cadence()
    return streams.with_columns(
        pl.col("new_fix_invoices_on").cast(pl.String),
        new_anchor_date=anchor_date,
        new_anchor_day=anchor_day,
        new_second_anchor_day=second_anchor_day,
    )


def _redate(book: Book, streams: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """The planned invoices of these streams get the dates of their place in the new cadence."""
    invoices = book["invoices"].with_row_index("row")
    is_on_cadence = ~pl.col("is_ad_hoc") & pl.col("cadence_date").is_not_null()
    planned = invoices.filter(
        pl.col("stream_key").is_in(streams["stream_key"].implode()) & is_planned(day) & is_on_cadence
    ).select("row", "stream_key", "account_key", "cadence_date")
    if planned.is_empty():
        return book
    cadences = streams.select("stream_key", *CADENCE, *(f"new_{name}" for name in CADENCE if name != "periodicity"))
    planned = planned.join(cadences, on="stream_key", how="left", maintain_order="left")
    planned = planned.with_columns(slot=slot_on_or_after(pl.col("cadence_date")))
    planned = planned.with_columns(pl.col(f"new_{name}").alias(name) for name in CADENCE if name != "periodicity")
    of_old_date = slot_on_or_after(pl.col("cadence_date"))
    slot = pl.when(pl.col("periodicity") == "every_other_week").then(of_old_date).otherwise("slot")
    planned = planned.with_columns(slot=slot).with_columns(cadence_date=slot_date(pl.col("slot")))
    leads = lead_times(book, planned["account_key"], carrier)
    planned = planned.join(leads, on="account_key", how="left", maintain_order="left")
    calendar = BusinessCalendar(carrier.business_days, carrier.holidays)
    dated = invoice_dates(planned, calendar)
    as_of_today = planned.select(*_FACTS, cadence_date=pl.lit(day), fix_invoices_on=pl.lit("bill_date"))
    soonest = invoice_dates(as_of_today, calendar)["due_date"]
    is_over = pl.col("bill_date") < day
    dated = dated.with_columns(
        bill_date=pl.max_horizontal("bill_date", pl.lit(day)),
        due_date=pl.when(is_over).then(pl.max_horizontal("due_date", soonest)).otherwise("due_date"),
    )
    return book.update(
        "invoices", dated["row"], {name: dated[name] for name in ("cadence_date", "bill_date", "due_date")}
    )
