"""Payment requests: what is due on an invoice is drafted from a payer who does not pay by himself (R-PR).

A request is created when the invoice is billed and goes through its life by dates: Created, Requested, Fixed, Drafted.
Until it is fixed it follows the invoice: its amount is what is due there, and it is canceled when nothing is (R-PR-6).
On the draft date the money counts as received; it is a payment like any other, for that invoice (R-PR-5).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.book import Book, default_fund_key, number_from
from ledger.calendar import BusinessCalendar
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.funds import change_balances
from ledger.payments import distribute_payments
from ledger.posting import transaction_frame
from schemas.book_requests import PAYMENT_REQUESTS
from schemas.enums import DRAFTED_INSTRUMENTS

_FOLLOWS_INVOICE = ("Created", "Requested")
_FACTS = ("payment_instrument", "amount", "due_date", "fixed_date", "draft_date", "status")
_STATUS = PAYMENT_REQUESTS.schema["status"]


def is_drafted() -> pl.Expr:
    """Whether the carrier drafts what an account owes (R-PR-1)."""
    return pl.col("payment_instrument").cast(pl.String).is_in(DRAFTED_INSTRUMENTS)


def request_payments(book: Book, invoices: pl.DataFrame, carrier: Carrier) -> Book:
    """Create the requests for invoices that are billed today and whose payer is drafted.

    invoices: rows of the book's invoices with `amount_due`, after fees. One on which nothing is due gets no request
    (R-INV-18). The dates are those of R-PR-2..4; none precedes the one before it (R-PR-6). Rules: R-PR-1, R-PR-2.
    """
    payers = book["accounts"].filter(is_drafted())
    if payers.is_empty():
        return book
    due = invoices.filter(pl.col("amount_due") > 0)
    due = due.select("invoice_key", "account_key", "bill_date", "due_date", amount="amount_due")
    requests = due.join(_intervals(payers, carrier), on="account_key", how="inner", maintain_order="left")
    if requests.is_empty():
        return book
    requested = pl.col("bill_date") + pl.duration(days=pl.col("request_interval_days"))
    requests = _dated(requests.with_columns(request_date=requested), carrier)
    created = requests.sort("invoice_key").with_columns(status=pl.lit("Created"), payment_key=pl.lit(0, pl.Int64))
    return book.append("payment_requests", created)


def advance_payment_requests(book: Book, day: date, carrier: Carrier) -> Effects:
    """Take the requests whose next date has come a step further, and draft those whose draft date it is.

    A request that is to become Requested or Fixed is brought up to date first, and may be canceled instead. What is
    drafted is received by the default fund of the payer, as a payment that names only its invoice would be, and paid
    out to items at once. Rules: R-PR-4..6, R-DST-15.
    """
    requests = _reached(book, day)
    if requests.is_empty():
        return Effects(book)
    fixed = requests.filter(pl.col("status") == "Fixed")
    others = _as_invoices_are(book, requests.filter(pl.col("status") != "Fixed"), carrier)
    reached = pl.concat([fixed, others.select(fixed.columns)]).sort("invoice_key")
    status = (
        pl.when(pl.col("status") == "Canceled")
        .then(pl.lit("Canceled"))
        .when(pl.col("draft_date") <= day)
        .then(pl.lit("Drafted"))
        .when(pl.col("fixed_date") <= day)
        .then(pl.lit("Fixed"))
        .otherwise(pl.lit("Requested"))
    )
    was_created = pl.col("invoice_key").is_in(requests.filter(pl.col("status") == "Created")["invoice_key"].implode())
    reached = reached.with_columns(status.cast(_STATUS).alias("status"), was_created=was_created)
    book = book.update("payment_requests", reached["row"], {name: reached[name] for name in _FACTS})
    asked = reached.filter("was_created" & (pl.col("status") != "Canceled"))
    effects = Effects(book).recording(outbound_events=_told(asked, "PaymentRequested"))
    return effects.then(_draft(book, reached.filter(pl.col("status") == "Drafted"), day, carrier))


def accounts_with_requests(book: Book, day: date) -> pl.Series:
    """Keys of the accounts of which a request goes on to its next status."""
    return _reached(book, day)["account_key"]


def _reached(book: Book, day: date) -> pl.DataFrame:
    """The requests whose next date has come, with `row`."""
    requests = book["payment_requests"].with_row_index("row")
    return requests if requests.is_empty() else requests.filter(_next_date() <= day)


def follow_invoices(book: Book, carrier: Carrier) -> Book:
    """Bring requests up to date that are not fixed and whose invoice or payer today has changed (R-PR-6).

    Called at the end of the day, so that a request shows what is due at its close.
    """
    if book["payment_requests"].is_empty():
        return book
    waiting = book["payment_requests"].with_row_index("row").filter(pl.col("status").is_in(_FOLLOWS_INVOICE))
    if waiting.is_empty():
        return book
    invoices = pl.concat([_touched(book, name)["invoice_key"] for name in ("invoice_items", "invoices")]).unique()
    accounts = _touched(book, "accounts")["account_key"]
    is_touched = pl.col("invoice_key").is_in(invoices.implode()) | pl.col("account_key").is_in(accounts.implode())
    before = waiting.filter(is_touched)
    if before.is_empty():
        return book
    after = _as_invoices_are(book, before, carrier)
    changed = after.join(before, on=["row", *_FACTS], how="anti", maintain_order="left")
    return book.update("payment_requests", changed["row"], {name: changed[name] for name in _FACTS})


def _touched(book: Book, table: str) -> pl.DataFrame:
    """Rows of a table that today has added or changed."""
    return pl.concat([book[table][book.changed(table)], book.added(table)])


def _next_date() -> pl.Expr:
    """The day on which a request goes on to its next status; none once it is drafted or canceled."""
    status = pl.col("status")
    return (
        pl.when(status == "Created")
        .then("request_date")
        .when(status == "Requested")
        .then("fixed_date")
        .when(status == "Fixed")
        .then("draft_date")
    )


def _intervals(payers: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """How and when accounts are drafted: account_key, payment_instrument, currency, and their plan's intervals."""
    plans = carrier.billing_plan_frame().select(
        "billing_plan", "request_interval_days", "change_deadline_days", "draft_interval_days", "draft_day_logic"
    )
    return payers.select("account_key", "payment_instrument", "currency", "billing_plan").join(
        plans, on="billing_plan", how="left"
    )


def _dated(requests: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Add the draft date, on a business day where the plan asks for it, and the date from which it is fixed.

    Reads bill_date, due_date, request_date and the intervals of the plan. Rules: R-PR-3, R-PR-4, R-PR-6.
    """
    calendar = BusinessCalendar(carrier.business_days, carrier.holidays)
    raw = pl.col("due_date") - pl.duration(days=pl.col("draft_interval_days"))
    drafted = (
        pl.when(pl.col("draft_day_logic") == "next_business_day")
        .then(calendar.next_business_day(raw))
        .when(pl.col("draft_day_logic") == "previous_business_day")
        .then(calendar.previous_business_day(raw))
        .otherwise(raw)
    )
    fixed = pl.col("draft_date") - pl.duration(days=pl.col("change_deadline_days"))
    return (
        requests.with_columns(draft_date=drafted)
        .with_columns(fixed_date=pl.max_horizontal(fixed, "request_date"))
        .with_columns(draft_date=pl.max_horizontal("draft_date", "fixed_date"))
    )


def _as_invoices_are(book: Book, requests: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """These requests with the amount, dates and instrument of today, canceled where nothing is to be drafted."""
    if requests.is_empty():
        return requests
    keys = requests["invoice_key"].implode()
    items = book["invoice_items"].filter(pl.col("invoice_key").is_in(keys))
    open_amount = pl.col("amount") - pl.col("paid") - pl.col("written_off")
    due = items.group_by("invoice_key").agg(amount=open_amount.sum())
    dates = book["invoices"].filter(pl.col("invoice_key").is_in(keys)).select("invoice_key", "due_date")
    payers = book["accounts"].filter(pl.col("account_key").is_in(requests["account_key"].unique().implode()))
    now = (
        requests.drop("amount", "due_date", "payment_instrument", "currency")
        .join(due, on="invoice_key", how="left", maintain_order="left")
        .join(dates, on="invoice_key", how="left", maintain_order="left")
        .join(_intervals(payers, carrier), on="account_key", how="left", maintain_order="left")
        .with_columns(pl.col("amount").fill_null(0).clip(lower_bound=0))
    )
    is_over = (pl.col("amount") == 0) | ~is_drafted()
    now = _dated(now, carrier).with_columns(
        status=pl.when(is_over).then(pl.lit("Canceled").cast(_STATUS)).otherwise("status")
    )
    return now.select(requests.columns)


def _draft(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """The money of these requests comes in and is applied to their invoices (R-PR-5)."""
    if requests.is_empty():
        return Effects(book)
    no_key, none = pl.lit(0, pl.Int64), pl.lit(None, pl.String)
    payments = requests.sort("account_key", "due_date", "bill_date", "invoice_key").select(
        number_from(book.next_key("payments"), "payment_key"),
        "row",
        "amount",
        "currency",
        "account_key",
        "invoice_key",
        payment_id=pl.format("PAYMENT-REQUEST-{}", "invoice_key"),
        kind=pl.lit("direct_bill"),
        status=pl.lit("executed"),
        distribute=pl.lit("auto"),
        method=pl.col("payment_instrument").cast(pl.String),
        payment_date=pl.lit(day),
        received_date=pl.lit(day),
        fund_key=default_fund_key(pl.col("account_key")),
        policy_key=no_key,
        period_key=no_key,
        term_number=pl.lit(None, pl.Int64),
        **dict.fromkeys(("account_id", "policy_id", "invoice_id", "producer_id", "reference"), none),
    )
    book = book.append("payments", payments)
    book = change_balances(book, payments.select("fund_key", "account_key", "policy_key", "currency", "amount"))
    book = book.update("payment_requests", payments["row"], {"payment_key": payments["payment_key"]})
    received = transaction_frame(payments, "DirectBillMoneyReceivedTxn", transaction_date=day)
    paid = distribute_payments(book, payments, day, carrier, billed_through=day, due_through=day - timedelta(days=1))
    effects = Effects(paid.book, (received, paid.transactions))
    return effects.recording(outbound_events=_told(requests, "PaymentDrafted"))


def _told(requests: pl.DataFrame, event_type: str) -> pl.DataFrame:
    """Rows of the outbound events for these requests."""
    return requests.select(
        "account_key", "invoice_key", "amount", event_type=pl.lit(event_type), command_id=pl.lit(None, pl.String)
    )
