"""Who may do what: permissions, authority limits and the approvals that amounts above them need (R-ACT-2..6, R-AHC-2).

Somebody without a profile, and a profile without a limit of the type and currency, need no approval (R-ACT-2). Whoever
approves is held to the same limits, and must be a user where the carrier file has any (R-ACT-4).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, number_from
from ledger.carrier import Carrier

DISBURSEMENT_LIMIT = "Approve Disbursement"


def credit_limit(*, is_reversal: bool = False) -> pl.Expr:
    """The limit type of an ad hoc credit, or of its reversal, from its credit_type (2.6)."""
    return pl.col("credit_type").cast(pl.String) + pl.lit(" Credit Reversal" if is_reversal else " Credit")


def with_authority(rows: pl.DataFrame, carrier: Carrier, amount: str, limit_type: pl.Expr) -> pl.DataFrame:
    """Add what the one who asks may do.

    In: rows with requested_by, currency and an amount (minor units). Out: the same rows in the same order with
    `needs_approval` (the amount is above the limit: R-ACT-2), `may_approve` (R-ACT-4), `may_credit` (R-AHC-2) and
    `supervisor`, null when there is none.
    """
    users = carrier.user_frame()
    if users.is_empty():
        yes, no = pl.lit(value=True), pl.lit(value=False)
        return rows.with_columns(needs_approval=no, may_approve=yes, may_credit=yes, supervisor=pl.lit(None, pl.String))
    known = users.rename({"user": "requested_by"}).with_columns(is_user=pl.lit(value=True))
    limits = carrier.limit_frame().rename({"user": "requested_by"})
    found = rows.with_columns(limit_type=limit_type).join(known, on="requested_by", how="left", maintain_order="left")
    found = found.join(limits, on=["requested_by", "limit_type", "currency"], how="left", maintain_order="left")
    is_above = (pl.col(amount).abs() > pl.col("max_amount")).fill_null(value=False)
    return found.with_columns(
        needs_approval=is_above,
        may_approve=pl.col("is_user").fill_null(value=False) & ~is_above,
        may_credit=pl.col("may_credit").fill_null(value=False),
    ).drop("is_user", "max_amount", "limit_type")


def open_approvals(book: Book, rows: pl.DataFrame, subject_type: str, day: date) -> Book:
    """Open an approval activity for each of these rows, assigned to the supervisor of who asks (R-ACT-3, R-DSB-2).

    In: subject_key, account_key, amount, currency, requested_by, supervisor; in the order in which they are numbered.
    """
    if rows.is_empty():
        return book
    new = rows.with_columns(
        number_from(book.next_key("approvals"), "approval_key"),
        subject_type=pl.lit(subject_type),
        assigned_to="supervisor",
        status=pl.lit("Open"),
        opened_date=pl.lit(day),
    )
    return book.append("approvals", new)


def close_approvals(book: Book, decisions: pl.DataFrame, subject_type: str, status: str, day: date) -> Book:
    """End the open approval activities about these subjects; those that have none are passed over.

    In: subject_key, decided_by (null when nobody in particular decided). Rules: R-ACT-4, R-ACT-5, R-ACT-6.
    """
    decisions = decisions.select("subject_key", new_decided_by="decided_by")
    waiting = _open_about(book, decisions, subject_type)
    if waiting.is_empty():
        return book
    height = waiting.height
    return book.update(
        "approvals",
        waiting["row"],
        {
            "status": pl.Series([status]).new_from_index(0, height),
            "decided_by": waiting["new_decided_by"],
            "decided_date": pl.Series([day]).new_from_index(0, height),
        },
    )


def pass_on_approvals(book: Book, refused: pl.DataFrame, subject_type: str) -> Book:
    """Hand open approval activities on to the supervisor of an assignee whose limit is too low (R-DSB-3).

    In: subject_key, requested_by (who tried to approve), supervisor. Somebody else's attempt changes nothing.
    """
    tried = refused.select("subject_key", "supervisor", tried_by="requested_by")
    waiting = _open_about(book, tried, subject_type).filter(
        (pl.col("assigned_to") == pl.col("tried_by")) & pl.col("supervisor").is_not_null()
    )
    return book.update("approvals", waiting["row"], {"assigned_to": waiting["supervisor"]})


def set_approval_amounts(book: Book, changes: pl.DataFrame, subject_type: str) -> Book:
    """Let open approval activities show the amount that is now asked for: subject_key, amount."""
    waiting = _open_about(book, changes.select("subject_key", new_amount="amount"), subject_type)
    return book.update("approvals", waiting["row"], {"amount": waiting["new_amount"]})


def told_of_decision(rows: pl.DataFrame, event_type: str) -> pl.DataFrame:
    """Rows of outbound events: what those who asked are told (R-ACT-4).

    In: account_key, part (the amount) and asked_by, the command by which they asked; null when the billing plan did.
    """
    return rows.select(
        "account_key",
        amount="part",
        event_type=pl.lit(event_type),
        invoice_key=pl.lit(0, pl.Int64),
        command_id="asked_by",
    )


def _open_about(book: Book, rows: pl.DataFrame, subject_type: str) -> pl.DataFrame:
    """The open approval activities about the subjects of these rows, with what the rows say."""
    is_open = (pl.col("status") == "Open") & (pl.col("subject_type") == subject_type)
    activities = book["approvals"].with_row_index("row").filter(is_open)
    return activities.join(rows, on="subject_key", how="inner", maintain_order="left")
