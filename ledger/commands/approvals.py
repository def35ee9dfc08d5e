"""Commands that decide what waits: ad hoc credits, their reversals, disbursements (R-DSB-3, R-DSB-8, R-ACT-4, 5)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.ad_hoc_credits import execute_credits, reverse_credits, set_credit_status
from ledger.authority import (
    DISBURSEMENT_LIMIT,
    close_approvals,
    credit_limit,
    pass_on_approvals,
    told_of_decision,
    with_authority,
)
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.disbursements import reject_disbursements
from ledger.commands.refusals import refused_commands, split_refused
from ledger.disbursements import PENDING
from ledger.effects import Effects

_WAITING = {
    "PendingApproval": "AdHocCredit",
    "ReversalPendingApproval": "AdHocCreditReversal",
    "AwaitingApproval": "Disbursement",
}
"""By the status of what waits, what its approval activity is about."""


def approve(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Approve what waits; it is done today, and its activity ends (R-ACT-4).

    In: commands with credit_key or disbursement_key. Whoever approves must be allowed to do the same without asking;
    otherwise the command is refused, and if it was for them to decide, the activity goes on to their supervisor
    (R-DSB-3).
    """
    wanted = with_authority(_with_subjects(book, commands), carrier, "part", pl.col("limit"))
    right, refused = split_refused(
        wanted,
        {"E-APPROVAL-STATUS": pl.col("waits_as").is_null(), "E-APPROVAL-AUTHORITY": ~pl.col("may_approve")},
    )
    unable = wanted.filter(
        pl.col("command_id").is_in(refused["record_id"].implode()) & pl.col("waits_as").is_not_null()
    )
    decided = right.with_columns(decided_by="requested_by")
    for subject in _WAITING.values():
        book = pass_on_approvals(book, unable.filter(pl.col("waits_as") == subject), subject)
        book = close_approvals(book, decided.filter(pl.col("waits_as") == subject), subject, "Approved", day)
    book = _approve_disbursements(book, right.filter(pl.col("waits_as") == "Disbursement").sort("row"), day)
    effects = Effects(book, refused=(refused,))
    given = right.filter(pl.col("waits_as") == "AdHocCredit")
    effects = effects.then(execute_credits(book, given["credit_key"], day))
    taken = right.filter(pl.col("waits_as") == "AdHocCreditReversal")
    effects = effects.then(reverse_credits(effects.book, taken["credit_key"], day))
    deficits = effects.book["funds"].filter(pl.col("balance") < 0)["fund_key"]
    warned = refused_commands(taken.filter(pl.col("fund_key").is_in(deficits.implode())), "W-CREDIT-SPENT")
    effects = effects.then(Effects(effects.book, warnings=(warned,)))
    return effects.recording(outbound_events=told_of_decision(right, "RequestApproved"))


def _approve_disbursements(book: Book, rows: pl.DataFrame, day: date) -> Book:
    if rows.is_empty():
        return book
    values = {
        "status": pl.Series(["Approved"]).new_from_index(0, rows.height),
        "approved_by": rows["requested_by"],
        "approved_date": pl.Series([day]).new_from_index(0, rows.height),
    }
    return book.update("disbursements", rows["row"], values)


def reject(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Reject what waits, or a disbursement that is approved and not paid; a credit whose reversal is rejected stays.

    In: commands with credit_key or disbursement_key. Rules: R-DSB-8, R-AHC-5, R-ACT-5.
    """
    del carrier
    is_pending = (pl.col("disbursement_key") > 0) & pl.col("status").is_in(PENDING)
    right, refused = split_refused(
        _with_subjects(book, commands), {"E-APPROVAL-STATUS": pl.col("waits_as").is_null() & ~is_pending}
    )
    book = reject_disbursements(book, right.filter(pl.col("disbursement_key") > 0).sort("row"), day)
    decided = right.with_columns(decided_by="requested_by")
    for subject, status in (("AdHocCredit", "Rejected"), ("AdHocCreditReversal", "Executed")):
        rows = decided.filter(pl.col("waits_as") == subject)
        book = set_credit_status(book, rows["credit_key"], status)
        book = close_approvals(book, rows, subject, "Rejected", day)
    told = told_of_decision(right.filter(pl.col("waits_as").is_not_null()), "RequestRejected")
    return Effects(book, refused=(refused,)).recording(outbound_events=told)


def _with_subjects(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """The commands with what they are about.

    Out: subject_key, part (its amount), currency, status, waits_as (what its activity is about, null when it does not
    wait), limit (the limit type that counts), asked_by (the command that asked for it, null for an automatic one),
    fund_key and row (its place in its table).
    """
    given = book["ad_hoc_credits"].with_row_index("row")
    given = given.filter(pl.col("credit_key").is_in(commands["credit_key"].implode()) & (pl.col("credit_key") > 0))
    is_reversal = pl.col("status") == "ReversalPendingApproval"
    limit = pl.when(is_reversal).then(credit_limit(is_reversal=True)).otherwise(credit_limit())
    disbursements = book["disbursements"].with_row_index("row")
    disbursements = disbursements.filter(
        pl.col("disbursement_key").is_in(commands["disbursement_key"].implode()) & (pl.col("disbursement_key") > 0)
    )
    facts = ("row", "fund_key", "currency", pl.col("status").cast(pl.String), pl.col("amount").alias("part"))
    none = pl.lit(0, pl.Int64)
    known = pl.concat(
        [
            given.select(*facts, "credit_key", disbursement_key=none, limit=limit, asked_by="credit_id"),
            disbursements.select(
                *facts,
                credit_key=none,
                disbursement_key="disbursement_key",
                limit=_DISBURSEMENT,
                asked_by=pl.when(pl.col("origin") != "Automatic").then("disbursement_id"),
            ),
        ]
    ).with_columns(waits_as=pl.col("status").replace_strict(_WAITING, default=None, return_dtype=pl.String))
    found = commands.drop("currency").join(
        known, on=["credit_key", "disbursement_key"], how="left", maintain_order="left"
    )
    return found.with_columns(subject_key=pl.max_horizontal("credit_key", "disbursement_key"))


_DISBURSEMENT = pl.lit(DISBURSEMENT_LIMIT)

PROCESSES = {"approve": approve, "reject": reject}
"""Which process carries out which command."""
