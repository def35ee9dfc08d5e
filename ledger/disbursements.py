"""Disbursements: which wait, which are paid today, and what is paid comes back (R-DSB-1..10, R-ENT-09, A-9, A-10).

A disbursement is paid on the first day on which it is approved, due, not held, and its fund holds enough (R-DSB-6).
Until then nothing is posted, and other uses of the fund may take the money.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.authority import close_approvals
from ledger.book import Book, default_fund_key
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.funds import change_balances, fund_policy_key, separates_funds
from ledger.posting import transaction_frame
from ledger.taking_back import empty_designated_funds

PENDING = ("AwaitingApproval", "Approved")
"""Statuses of what may still be paid: neither paid nor rejected."""
_OF_ACCOUNT, _OF_SUSPENSE = "DisbursementPaid", "SuspPymtDisbPaid"
PAYOUT_TRANSACTIONS = (_OF_ACCOUNT, _OF_SUSPENSE)
"""By which transactions disbursements are paid (R-TXN-25)."""


def is_pending() -> pl.Expr:
    """Whether a disbursement may still be paid."""
    return pl.col("status").is_in(PENDING)


def pending_amounts(book: Book) -> pl.DataFrame:
    """fund_key, pending: what waits to be paid out of each fund (R-DSB-10, R-TRF-02)."""
    waiting = book["disbursements"].filter(is_pending() & (pl.col("fund_key") > 0))
    return waiting.group_by("fund_key").agg(pending=pl.col("amount").sum())


def pending_suspense_payments(book: Book) -> pl.Series:
    """Keys of the suspense payments that wait to be sent back."""
    return book["disbursements"].filter(is_pending() & (pl.col("payment_key") > 0))["payment_key"]


def accounts_with_pending_disbursements(book: Book) -> pl.Series:
    """Keys of the accounts of which something may still be paid out."""
    return book["disbursements"].filter(is_pending())["account_key"]


def held_accounts(book: Book) -> pl.Series:
    """Keys of the accounts whose disbursements are held by a ticket that is not closed (R-DSB-9)."""
    return book["disbursement_holds"].filter(pl.col("closed_date").is_null())["account_key"]


def pay_disbursements(book: Book, day: date, carrier: Carrier) -> Effects:
    """Pay what is approved and due, as far as each fund and suspense payment holds it (R-DSB-6, A-9, A-10).

    Of one fund in order of due date and then of creation; one that is more than what is left is passed over, reported
    once (InsufficientUnapplied) and tried again every day. What still waits for approval is paid where the billing plan
    says so (R-AD-5). Accounts with a ticket are paid nothing (R-DSB-9).
    """
    if book["disbursements"].is_empty():
        return Effects(book)
    due = book["disbursements"].with_row_index("row").filter(is_pending() & (pl.col("due_date") <= day))
    if due.is_empty():
        return Effects(book)
    due = due.filter(~pl.col("account_key").is_in(held_accounts(book).implode()))
    due = _payable(book, due, carrier).sort("due_date", "disbursement_key")
    of_accounts = _with_fund_today(book, due.filter(pl.col("account_key") > 0))
    paid = _as_far_as_it_goes(of_accounts)
    is_open = book["payments"].filter(pl.col("status") == "suspended")["payment_key"]
    sent_back = due.filter(pl.col("payment_key").is_in(is_open.implode()) & (pl.col("account_key") == 0))
    is_paid = pl.col("disbursement_key").is_in(
        pl.concat([paid["disbursement_key"], sent_back["disbursement_key"]]).implode()
    )
    effects = _pay_accounts(book, of_accounts.filter(is_paid), day)
    effects = effects.then(_send_back(effects.book, sent_back, day))
    told = _told(due.filter(is_paid), "DisbursementSent")
    short = due.filter(~is_paid & pl.col("short_since").is_null())
    dates = pl.Series([day], dtype=pl.Date).new_from_index(0, short.height)
    book = effects.book.update("disbursements", short["row"], {"short_since": dates})
    unasked = due.filter(is_paid & (pl.col("status") == "AwaitingApproval"))
    nobody = unasked.select(subject_key="disbursement_key", decided_by=pl.lit(None, pl.String))
    book = close_approvals(book, nobody, "Disbursement", "Obsolete", day)
    told = pl.concat([told, _told(short, "InsufficientUnapplied")])
    return effects.then(Effects(book)).recording(outbound_events=told)


def _payable(book: Book, due: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Approved ones, and automatic ones that wait where the billing plan pays them all the same (R-AD-5)."""
    plans = carrier.billing_plan_frame().filter("send_disbursements_awaiting_approval")["billing_plan"]
    lenient = book["accounts"].filter(pl.col("billing_plan").is_in(plans.implode()))["account_key"]
    goes_anyway = (pl.col("origin") == "Automatic") & pl.col("account_key").is_in(lenient.implode())
    return due.filter((pl.col("status") == "Approved") | goes_anyway)


def _with_fund_today(book: Book, rows: pl.DataFrame) -> pl.DataFrame:
    """Add the balance of the fund that pays: the default fund, once the account keeps no designated ones (R-BL-10)."""
    accounts = book["accounts"].filter(pl.col("account_key").is_in(rows["account_key"].implode()))
    rows = rows.join(
        accounts.select("account_key", separates=separates_funds()),
        on="account_key",
        how="left",
        maintain_order="left",
    )
    fund = pl.when("separates").then("fund_key").otherwise(default_fund_key(pl.col("account_key")))
    balances = book["funds"].select("fund_key", "balance")
    return rows.with_columns(fund_key=fund).join(balances, on="fund_key", how="left", maintain_order="left")


def _as_far_as_it_goes(rows: pl.DataFrame) -> pl.DataFrame:
    """What each fund can pay of these rows, which are in order; one that does not fit is passed over.

    Each turn pays of every fund all up to the first that does not fit, which then never will. There are as many turns
    as a fund has to pass one over between others.
    """
    left = rows.select("disbursement_key", "fund_key", "amount", balance=pl.col("balance").fill_null(0))
    paid = [left.clear()]
    while True:
        left = left.filter(pl.col("amount") <= pl.col("balance"))
        if left.is_empty():
            return pl.concat(paid)
        # The rows stay in their order; the window keeps it too.
        left = left.with_columns(total=pl.col("amount").cum_sum().over("fund_key"))
        fits = pl.col("total") <= pl.col("balance")
        now = left.filter(fits)
        paid.append(now.select(paid[0].columns))
        spent = now.group_by("fund_key").agg(spent=pl.col("amount").sum())
        left = left.filter(~fits).join(spent, on="fund_key", how="left", maintain_order="left")
        left = left.select(
            "disbursement_key", "fund_key", "amount", balance=pl.col("balance") - pl.col("spent").fill_null(0)
        )


def _pay_accounts(book: Book, rows: pl.DataFrame, day: date) -> Effects:
    """Money out of the funds of accounts (A-9)."""
    if rows.is_empty():
        return Effects(book)
    book = _sent(book, rows, day).update("disbursements", rows["row"], {"fund_key": rows["fund_key"]})
    moves = rows.with_columns(policy_key=fund_policy_key(), fund_policy_key=fund_policy_key())
    book = change_balances(book, moves.with_columns(amount=-pl.col("amount")))
    paid = transaction_frame(moves, _OF_ACCOUNT, transaction_date=day, subject_key=pl.col("disbursement_key"))
    return Effects(book, (paid,))


def _send_back(book: Book, rows: pl.DataFrame, day: date) -> Effects:
    """Suspense payments go back to who sent them (A-10, R-SUS-09)."""
    if rows.is_empty():
        return Effects(book)
    book = _with_payment_status(_sent(book, rows, day), rows["payment_key"], "disbursed")
    return Effects(book, (_suspense_transactions(rows, day),))


def _suspense_transactions(rows: pl.DataFrame, day: date) -> pl.DataFrame:
    return transaction_frame(
        rows,
        _OF_SUSPENSE,
        transaction_date=day,
        owner_type="SuspensePayment",
        owner_key=pl.col("payment_key"),
        subject_key=pl.col("disbursement_key"),
    )


def _sent(book: Book, rows: pl.DataFrame, day: date) -> Book:
    height = rows.height
    return book.update(
        "disbursements",
        rows["row"],
        {
            "status": pl.Series(["Sent"]).new_from_index(0, height),
            "sent_date": pl.Series([day]).new_from_index(0, height),
            "short_since": pl.Series([None], dtype=pl.Date).new_from_index(0, height),
        },
    )


def _with_payment_status(book: Book, payment_keys: pl.Series, status: str) -> Book:
    rows = book["payments"].with_row_index("row").filter(pl.col("payment_key").is_in(payment_keys.implode()))["row"]
    return book.update("payments", rows, {"status": pl.Series([status]).new_from_index(0, len(rows))})


def _told(rows: pl.DataFrame, event_type: str) -> pl.DataFrame:
    """What others are told: by the command that asked for it, none for an automatic one."""
    command_id = pl.when(pl.col("origin") != "Automatic").then("disbursement_id")
    return rows.select(
        "account_key",
        "amount",
        event_type=pl.lit(event_type),
        invoice_key=pl.lit(0, pl.Int64),
        command_id=command_id,
    )


def void_disbursements(book: Book, disbursement_keys: pl.Series, day: date) -> Effects:
    """Take the payment of these disbursements back: the money is in its fund, or open in suspense, once more.

    What was not cashed, or came back. Each transaction is mirrored by one that names it (R-LED-13).
    """
    rows = book["disbursements"].with_row_index("row")
    rows = rows.filter(pl.col("disbursement_key").is_in(disbursement_keys.implode())).sort("disbursement_key")
    if rows.is_empty():
        return Effects(book)
    height = rows.height
    book = book.update(
        "disbursements",
        rows["row"],
        {
            "status": pl.Series(["Voided"]).new_from_index(0, height),
            "voided_date": pl.Series([day]).new_from_index(0, height),
        },
    )
    back = rows.with_columns(reverses_transaction_key="transaction_key", fund_policy_key=fund_policy_key())
    of_accounts = back.filter(pl.col("account_key") > 0)
    book = change_balances(book, of_accounts.with_columns(policy_key="fund_policy_key"))
    is_negated = {"amount": -pl.col("amount")}
    mirrored = transaction_frame(
        of_accounts.with_columns(**is_negated),
        _OF_ACCOUNT,
        transaction_date=day,
        subject_key=pl.col("disbursement_key"),
    )
    suspended = back.filter(pl.col("payment_key") > 0)
    of_suspense = _suspense_transactions(suspended.with_columns(**is_negated), day)
    disbursed = book["payments"].filter(
        pl.col("payment_key").is_in(suspended["payment_key"].implode()) & (pl.col("status") == "disbursed")
    )
    book = _with_payment_status(book, disbursed["payment_key"], "suspended")
    effects = Effects(book, (mirrored, of_suspense))
    return effects.then(empty_designated_funds(book, of_accounts["fund_key"], day))
