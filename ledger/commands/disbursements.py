"""Commands about disbursements: created, changed, held, released, voided (R-DSB-1..9, R-SUS-09)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.authority import (
    DISBURSEMENT_LIMIT,
    close_approvals,
    open_approvals,
    set_approval_amounts,
    told_of_decision,
    with_authority,
)
from ledger.book import Book, number_from
from ledger.carrier import Carrier
from ledger.commands.fund_choice import with_chosen_fund
from ledger.commands.refusals import split_refused
from ledger.disbursements import PENDING, pending_suspense_payments, void_disbursements
from ledger.effects import Effects
from ledger.money import minor_units
from schemas.currencies import AMOUNT_LIMIT

_KNOWN = ("amount", "currency", "status", "origin", "due_date", "trigger_date", "reason", "payee", "payee_address")
_LIMIT = pl.lit(DISBURSEMENT_LIMIT)


def create(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Create disbursements of accounts: approved at once, or waiting when above the limit of who asks (R-DSB-2).

    In: commands with account_key, amount (text), due_date, fund_policy_id, default_fund, payee, payee_address, reason.
    What the fund holds is looked at only when it is to be paid (R-DSB-6).
    """
    wanted = with_chosen_fund(book, commands).with_columns(part=minor_units(pl.col("amount"), pl.col("decimals")))
    right, refused = split_refused(
        wanted,
        {
            "E-FUND-CHOICE": pl.col("is_unclear"),
            "E-FUND-UNKNOWN": pl.col("fund_key").is_null(),
            "E-AMOUNT-UNREADABLE": pl.col("part").is_null() | (pl.col("part") > AMOUNT_LIMIT),
            "E-REFUND-AMOUNT": pl.col("part") <= 0,
            **_wrong_dates_and_reasons(day),
        },
    )
    names = book["accounts"].filter(pl.col("account_key").is_in(right["account_key"].implode()))
    names = names.select("account_key", account_name="name")
    new = right.join(names, on="account_key", how="left", maintain_order="left").with_columns(
        payee=pl.coalesce("payee", "account_name"), origin=pl.lit("Manual"), amount="part"
    )
    return Effects(_appended(book, new, day, carrier), refused=(refused,))


def send_back(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Create disbursements of open suspense payments, each of the whole payment (R-DSB-5, R-SUS-09).

    In: commands with payment_key, due_date, payee, payee_address, reason.
    """
    payments = book["payments"].filter(pl.col("payment_key").is_in(commands["payment_key"].implode()))
    known = payments.select("payment_key", "status", known_amount="amount", known_currency="currency")
    wanted = commands.join(known, on="payment_key", how="left", maintain_order="left")
    right, refused = split_refused(
        wanted,
        {
            "E-SUSPENSE-STATUS": pl.col("status") != "suspended",
            "E-SUSPENSE-REFUND": pl.col("payment_key").is_in(pending_suspense_payments(book).implode()),
            **_wrong_dates_and_reasons(day),
        },
    )
    none = pl.lit(0, pl.Int64)
    new = right.with_columns(
        amount="known_amount", currency="known_currency", origin=pl.lit("Suspense"), account_key=none, fund_key=none
    )
    return Effects(_appended(book, new, day, carrier), refused=(refused,))


def _wrong_dates_and_reasons(day: date) -> dict[str, pl.Expr]:
    return {"E-DISBURSEMENT-DATE": pl.col("due_date") < day, "E-DISBURSEMENT-REASON": pl.col("reason").is_null()}


def _appended(book: Book, rows: pl.DataFrame, day: date, carrier: Carrier) -> Book:
    """The book with these disbursements, in order of their commands, and with the approvals that they need."""
    new = with_authority(rows, carrier, "amount", _LIMIT).sort("command_id")
    new = new.with_columns(
        number_from(book.next_key("disbursements"), "disbursement_key"),
        disbursement_id="command_id",
        status=pl.when("needs_approval").then(pl.lit("AwaitingApproval")).otherwise(pl.lit("Approved")),
        approved_by=pl.when(~pl.col("needs_approval")).then("requested_by"),
        approved_date=pl.when(~pl.col("needs_approval")).then(pl.lit(day)),
        trigger_date=pl.lit(day),
    )
    book = book.append("disbursements", new)
    waiting = new.filter("needs_approval").with_columns(subject_key="disbursement_key")
    return open_approvals(book, waiting, "Disbursement", day)


def edit(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Change disbursements that are not paid (R-DSB-7); what is not given stays.

    In: commands with disbursement_key, amount (text), due_date, payee, payee_address, reason. A higher amount is judged
    by the limit of who asks, as that of a new one: it is approved or waits anew, and its former activity is obsolete
    (R-ACT-6). One that waits already is approved only by somebody who could approve it.
    """
    wanted = with_disbursements(book, commands)
    wanted = wanted.with_columns(part=minor_units(pl.col("amount"), pl.col("decimals")))
    wanted = wanted.with_columns(new_amount=pl.coalesce("part", "known_amount"), currency="known_currency")
    right, refused = split_refused(
        wanted,
        {
            "E-DISBURSEMENT-STATUS": ~pl.col("known_status").is_in(PENDING),
            "E-SUSPENSE-REFUND": (pl.col("known_origin") == "Suspense") & pl.col("amount").is_not_null(),
            "E-AMOUNT-UNREADABLE": pl.col("amount").is_not_null()
            & (pl.col("part").is_null() | (pl.col("part") > AMOUNT_LIMIT)),
            "E-REFUND-AMOUNT": pl.col("part") <= 0,
            "E-DISBURSEMENT-DATE": pl.col("due_date") < pl.col("known_trigger_date"),
        },
    )
    right = with_authority(right, carrier, "new_amount", _LIMIT).sort("row")
    is_raised = pl.col("new_amount") > pl.col("known_amount")
    passes = ~pl.col("needs_approval") & ((pl.col("known_status") == "Approved") | pl.col("may_approve"))
    right = right.with_columns(
        is_raised=is_raised,
        new_status=pl.when(~is_raised)
        .then("known_status")
        .when(passes)
        .then(pl.lit("Approved"))
        .otherwise(pl.lit("AwaitingApproval")),
    )
    book = _with_changes(book, right, day)
    raised = right.filter("is_raised").with_columns(
        subject_key="disbursement_key", decided_by="requested_by", amount="new_amount"
    )
    book = close_approvals(book, raised, "Disbursement", "Obsolete", day)
    book = open_approvals(book, raised.filter(pl.col("new_status") == "AwaitingApproval"), "Disbursement", day)
    others = right.filter(~pl.col("is_raised")).select(subject_key="disbursement_key", amount="new_amount")
    return Effects(set_approval_amounts(book, others, "Disbursement"), refused=(refused,))


def _with_changes(book: Book, rows: pl.DataFrame, day: date) -> Book:
    """The disbursements of these commands as they are to be; what is raised is approved anew, or not yet."""
    given = {name: rows.select(pl.coalesce(name, f"known_{name}")).to_series() for name in _EDITED}
    is_new = pl.col("is_raised") & (pl.col("new_status") == "Approved")
    is_undone = pl.col("is_raised") & (pl.col("new_status") == "AwaitingApproval")
    approved_by = pl.when(is_new).then("requested_by").when(~is_undone).then("known_approved_by")
    approved_date = pl.when(is_new).then(pl.lit(day)).when(~is_undone).then("known_approved_date")
    values = {
        "amount": rows["new_amount"],
        "status": rows["new_status"],
        "approved_by": rows.select(approved_by).to_series(),
        "approved_date": rows.select(approved_date).to_series(),
        "short_since": pl.Series([None], dtype=pl.Date).new_from_index(0, rows.height),
    }
    return book.update("disbursements", rows["row"], given | values)


_EDITED = ("due_date", "payee", "payee_address", "reason")


def with_disbursements(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """The commands with the place of their disbursement in the book and what it has, named known_..."""
    rows = book["disbursements"].with_row_index("row")
    rows = rows.filter(pl.col("disbursement_key").is_in(commands["disbursement_key"].implode()))
    known = rows.select(
        "row",
        "disbursement_key",
        *(pl.col(name).alias(f"known_{name}") for name in (*_KNOWN, "approved_by", "approved_date")),
    ).with_columns(pl.col("known_status", "known_origin").cast(pl.String))
    return commands.join(known, on="disbursement_key", how="left", maintain_order="left")


def reject_disbursements(book: Book, rows: pl.DataFrame, day: date) -> Book:
    """Reject pending disbursements for good; their approval activities end (R-DSB-8, R-ACT-5).

    In: row, disbursement_key, requested_by.
    """
    if rows.is_empty():
        return book
    height = rows.height
    book = book.update(
        "disbursements",
        rows["row"],
        {
            "status": pl.Series(["Rejected"]).new_from_index(0, height),
            "rejected_by": rows["requested_by"],
            "rejected_date": pl.Series([day]).new_from_index(0, height),
        },
    )
    decided = rows.select(subject_key="disbursement_key", decided_by="requested_by")
    return close_approvals(book, decided, "Disbursement", "Rejected", day)


def reject_and_hold(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Reject disbursements of accounts, each with a ticket that holds all others of the account (R-DSB-9).

    In: commands with disbursement_key. A suspense payment has no account that could be held.
    """
    del carrier
    right, refused = split_refused(
        with_disbursements(book, commands),
        {
            "E-DISBURSEMENT-STATUS": ~pl.col("known_status").is_in(PENDING),
            "E-DISBURSEMENT-ACCOUNT": pl.col("known_origin") == "Suspense",
        },
    )
    book = reject_disbursements(book, right, day)
    tickets = right.sort("command_id").with_columns(
        number_from(book.next_key("disbursement_holds"), "hold_key"),
        ticket_id="command_id",
        opened_by="requested_by",
        opened_date=pl.lit(day),
    )
    asked_by = pl.when(pl.col("known_origin") != "Automatic").then("target_id")
    waited = right.filter(pl.col("known_status") == "AwaitingApproval").with_columns(
        part="known_amount", asked_by=asked_by
    )
    effects = Effects(book.append("disbursement_holds", tickets), refused=(refused,))
    return effects.recording(outbound_events=told_of_decision(waited, "RequestRejected"))


def release_holds(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Close the tickets that hold disbursements of accounts; what waited goes on today (R-DSB-9).

    In: commands with account_key.
    """
    del carrier
    is_open = pl.col("closed_date").is_null()
    tickets = book["disbursement_holds"].with_row_index("row").filter(is_open)
    held = tickets["account_key"]
    right, refused = split_refused(commands, {"E-DISBURSEMENT-HOLD": ~pl.col("account_key").is_in(held.implode())})
    by_account = right.unique("account_key", keep="first", maintain_order=True).select("account_key", "requested_by")
    closing = tickets.join(by_account, on="account_key", how="inner", maintain_order="left")
    dates = pl.Series([day], dtype=pl.Date).new_from_index(0, closing.height)
    changes = {"closed_by": closing["requested_by"], "closed_date": dates}
    return Effects(book.update("disbursement_holds", closing["row"], changes), refused=(refused,))


def void(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take back payments of disbursements whose money came back; no rule says it, so it mirrors the payment.

    In: commands with disbursement_key. Rules: R-LED-13, R-TXN-25.
    """
    del carrier
    right, refused = split_refused(
        with_disbursements(book, commands), {"E-DISBURSEMENT-STATUS": pl.col("known_status") != "Sent"}
    )
    return Effects(book, refused=(refused,)).then(void_disbursements(book, right["disbursement_key"], day))


PROCESSES = {
    "create_disbursement": create,
    "disburse_suspense_payment": send_back,
    "edit_disbursement": edit,
    "reject_and_hold_disbursements": reject_and_hold,
    "release_disbursement_hold": release_holds,
    "void_disbursement": void,
}
"""Which process carries out which command."""
