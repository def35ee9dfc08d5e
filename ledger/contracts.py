"""Contracts of a day: what must hold before a day may be kept. Each is a plain function that returns its violations.

They compare today's journal lines with today's changes of the book, so that their cost follows the day. Day by day they
prove by induction what `paidthrough check` recomputes in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ledger.balances import signed_amount
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.invoices import invoice_status
from ledger.journal_checks import NO_VIOLATIONS, VIOLATIONS, check_journal
from ledger.refund_contracts import check_ad_hoc_credits, check_disbursements

_RECEIVABLES = ("Unbilled", "Billed", "Due")
_RECEIVABLE_PATTERNS = tuple(f"<Charge Pattern> {name}" for name in _RECEIVABLES)
_ITEM_FACTS = ("item_key", "invoice_key", "charge_pattern", "currency", "amount", "paid", "written_off")
_T_ACCOUNT_OF_STATUS = {"Billed": "Billed", "Due": "Due", "Written Off": "Due"}
_FUND_PATTERNS = ("Unapplied", "Designated Unapplied")
_HOLDING_SUSPENSE = ("suspense_items", "payments", "disbursements")
_MOVING_RECEIVABLES = ("charges", "payment_items", "write_off_items")


class ContractViolationError(Exception):
    """A day broke a contract; nothing of it may be kept."""

    def __init__(self, day: date, violations: pl.DataFrame) -> None:
        self.day = day
        self.violations = violations
        first = violations.row(0, named=True)
        more = f" (and {violations.height - 1} more)" if violations.height > 1 else ""
        super().__init__(f"{day}: contract {first['rule']} is broken at {first['key']}: {first['message']}{more}")


@dataclass(frozen=True, slots=True)
class DayOutcome:
    """What a day did: the book before and after, what changed in it, and what was added to the events."""

    before: Book
    after: Book
    changes: Mapping[str, pl.DataFrame]
    events: Mapping[str, pl.DataFrame]
    day: date


def check_day(outcome: DayOutcome, carrier: Carrier) -> pl.DataFrame:
    """Every blocking contract of a day. Out: the violations, none when all hold.

    A contract between things of which none moved today holds as it held yesterday and costs nothing.
    """
    changes, journal = outcome.changes, outcome.events["journal"]
    receivables = journal.filter(pl.col("t_account_pattern").cast(pl.String).is_in(_RECEIVABLE_PATTERNS))
    return pl.concat(
        [
            check_journal(journal, originals=mirrored(journal)),
            check_charge_conservation(outcome.after, changes),
            check_receivables(changes, receivables, outcome.day),
            check_subledger(outcome, receivables, carrier),
            check_funds(outcome.before, changes, journal),
            check_suspense(outcome.before, changes, journal),
            check_paid(changes["invoice_items"]),
            check_ad_hoc_credits(outcome.before, changes, journal),
            check_disbursements(outcome.before, outcome.after, changes, journal, carrier),
            check_intake(outcome.events["intake"]),
        ]
    )


def _violations(frame: pl.DataFrame, rule: str, key: pl.Expr, message: str) -> pl.DataFrame:
    return frame.select(rule=pl.lit(rule), key=key.cast(pl.String), message=pl.lit(message)).cast(VIOLATIONS)


def mirrored(journal: pl.DataFrame) -> pl.DataFrame:
    """What the reversals of a day say that they reverse, where it was posted on an earlier day.

    The lines of earlier days are not at hand; `paidthrough check` compares reversals with them in full.
    """
    if not (journal["reverses_transaction_key"] != 0).any():
        return journal.clear()
    earlier = journal.filter(
        (pl.col("reverses_transaction_key") != 0)
        & ~pl.col("reverses_transaction_key").is_in(journal["transaction_key"].unique().implode())
    )
    side = pl.col("side").cast(pl.String)
    return earlier.with_columns(
        transaction_key="reverses_transaction_key",
        reverses_transaction_key=pl.lit(0, pl.Int64),
        side=pl.when(side == "D").then(pl.lit("C")).otherwise(pl.lit("D")).cast(earlier.schema["side"]),
    )


def check_charge_conservation(book: Book, changes: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The items of every charge with new items sum to its amount (R-CI-06, I-14)."""
    added = book.added("invoice_items")
    if added.is_empty() and changes["charges"].is_empty():
        return NO_VIOLATIONS
    keys = pl.concat([changes["charges"]["charge_key"], added["charge_key"]]).unique().implode()
    items = book["invoice_items"].filter(pl.col("charge_key").is_in(keys))
    sums = items.group_by("charge_key").agg(items=pl.col("amount").sum())
    charges = book["charges"].filter(pl.col("charge_key").is_in(keys)).select("charge_key", "amount")
    wrong = charges.join(sums, on="charge_key", how="full", coalesce=True).filter(
        pl.col("items").fill_null(0) != pl.col("amount").fill_null(0)
    )
    return _violations(wrong, "R-CI-06", pl.col("charge_key"), "the items of the charge do not sum to its amount")


def check_receivables(changes: Mapping[str, pl.DataFrame], receivables: pl.DataFrame, day: date) -> pl.DataFrame:
    """Per charge, today's change of Unbilled + Billed + Due is what was charged less what was paid or written off.

    receivables: the lines of the day on those T-accounts. Rule: R-LED-25.
    """
    if all(part.is_empty() for part in (receivables, *(changes[table] for table in _MOVING_RECEIVABLES))):
        return NO_VIOLATIONS
    parts = [
        receivables.select("charge_key", difference=signed_amount()),
        changes["charges"].filter(pl.col("charge_date") == day).select("charge_key", difference=-pl.col("amount")),
        changes["payment_items"].select("charge_key", difference=pl.col("amount")),
        changes["write_off_items"].select("charge_key", difference=pl.col("amount")),
    ]
    wrong = pl.concat(parts).group_by("charge_key").agg(pl.col("difference").sum()).filter(pl.col("difference") != 0)
    message = "Unbilled + Billed + Due is not what is charged and neither paid nor written off"
    return _violations(wrong, "R-LED-25", pl.col("charge_key"), message)


def check_subledger(outcome: DayOutcome, receivables: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Per charge pattern and currency, today's lines on receivables are what the items say (I-16, I-20).

    Every item that changed, or whose invoice did, counts as it was yesterday and as it is today: its amount stands in
    Unbilled, Billed or Due by the status of its invoice, and what is paid or written off of it leaves Due.
    """
    day, book, changes = outcome.day, outcome.after, outcome.changes
    lag = timedelta(days=carrier.invoice_due_lag_days)
    turns = (pl.col("bill_date") == day) | (pl.col("due_date") == day - lag)
    turning = book["invoices"].filter(turns)["invoice_key"]
    turned = pl.concat([turning, changes["invoices"]["invoice_key"]]).unique()
    if turned.is_empty() and changes["invoice_items"].is_empty() and receivables.is_empty():
        return NO_VIOLATIONS
    rows = book["invoice_items"].with_row_index("row").select("row", *_ITEM_FACTS)
    is_concerned = pl.col("invoice_key").is_in(turned.implode()) | pl.col("item_key").is_in(
        changes["invoice_items"]["item_key"].implode()
    )
    after = rows.filter(is_concerned)
    known = outcome.before["invoice_items"].height
    before = outcome.before["invoice_items"].select(_ITEM_FACTS)[after["row"].filter(after["row"] < known)]
    expected = [
        *_receivable_parts(after, book["invoices"], day, lag, 1),
        *_receivable_parts(before, outcome.before["invoices"], day - timedelta(days=1), lag, -1),
    ]
    actual = receivables.select(
        "charge_pattern",
        "currency",
        t_account=pl.col("t_account_pattern").cast(pl.String).str.strip_prefix("<Charge Pattern> "),
        difference=-signed_amount(),
    )
    wrong = (
        pl.concat([*expected, actual])
        .group_by("charge_pattern", "currency", "t_account")
        .agg(pl.col("difference").sum())
        .filter(pl.col("difference") != 0)
    )
    key = pl.concat_str("charge_pattern", "t_account", "currency", separator=" ")
    return _violations(wrong, "I-16", key, "the ledger does not tie to the invoice items")


def _receivable_parts(
    items: pl.DataFrame, invoices: pl.DataFrame, day: date, lag: timedelta, sign: int
) -> list[pl.DataFrame]:
    """What these items have in Unbilled, Billed and Due at the close of a day, times a sign."""
    dates = invoices.filter(pl.col("invoice_key").is_in(items["invoice_key"].unique().implode()))
    status = invoice_status(day, day - lag)
    items = items.join(dates.select("invoice_key", status=status), on="invoice_key", how="left")
    t_account = pl.col("status").replace_strict(_T_ACCOUNT_OF_STATUS, default="Unbilled")
    gone = -(pl.col("paid") + pl.col("written_off"))
    return [
        items.select("charge_pattern", "currency", t_account=t_account, difference=pl.col("amount") * sign),
        _pattern_part(items, "Due", gone * sign),
    ]


def _pattern_part(frame: pl.DataFrame, t_account: str, difference: pl.Expr) -> pl.DataFrame:
    return frame.select("charge_pattern", "currency", t_account=pl.lit(t_account), difference=difference.cast(pl.Int64))


def check_funds(before: Book, changes: Mapping[str, pl.DataFrame], journal: pl.DataFrame) -> pl.DataFrame:
    """Per fund, today's change of its balance is today's change of its Unapplied T-account (I-30)."""
    if changes["funds"].is_empty() and journal.is_empty():
        return NO_VIOLATIONS
    lines = journal.filter(
        pl.col("t_account_pattern").cast(pl.String).is_in(_FUND_PATTERNS) & (pl.col("owner_type") == "Account")
    ).select(
        fund_key=pl.when(pl.col("fund_policy_key") > 0)
        .then(pl.col("fund_policy_key") * 2 + 1)
        .otherwise(pl.col("owner_key") * 2),
        difference=signed_amount(),
    )
    now = changes["funds"]
    then = before["funds"].filter(pl.col("fund_key").is_in(now["fund_key"].implode()))
    parts = [
        now.select("fund_key", difference=pl.col("balance")),
        then.select("fund_key", difference=-pl.col("balance")),
        lines,
    ]
    wrong = pl.concat(parts).group_by("fund_key").agg(pl.col("difference").sum()).filter(pl.col("difference") != 0)
    return _violations(wrong, "I-30", pl.col("fund_key"), "the fund does not tie to its Unapplied T-account")


def check_suspense(before: Book, changes: Mapping[str, pl.DataFrame], journal: pl.DataFrame) -> pl.DataFrame:
    """Today's change of what is held in suspense is that of its T-accounts (I-30).

    Suspense items per account, payments in suspense one by one: what came in and was not taken back, less what was sent
    back, so that one taken back after it was sent back is below zero (R-SUS-10).
    """
    if journal.is_empty() and all(changes[table].is_empty() for table in _HOLDING_SUSPENSE):
        return NO_VIOLATIONS
    is_item = (pl.col("t_account_pattern") == "Suspense") & (pl.col("owner_type") == "Account")
    is_payment = (pl.col("t_account_pattern") == "Unapplied") & (pl.col("owner_type") == "SuspensePayment")
    is_received = pl.col("status").is_in(["suspended", "disbursed"])
    is_sent_back = (pl.col("status") == "Sent") & (pl.col("payment_key") > 0)
    held = [
        ("Account", "suspense_items", "suspense_item_key", "account_key", pl.col("status") == "open", 1),
        ("SuspensePayment", "payments", "payment_key", "payment_key", is_received, 1),
        ("SuspensePayment", "disbursements", "disbursement_key", "payment_key", is_sent_back, -1),
    ]
    parts = [journal.filter(is_item | is_payment).select("owner_type", "owner_key", difference=signed_amount())]
    for owner_type, table, key, owner_key, counts, factor in held:
        now = changes[table]
        if now.is_empty():
            continue
        then = before[table].filter(pl.col(key).is_in(now[key].implode()))
        parts += [
            rows.filter(counts).select(
                pl.lit(owner_type, journal.schema["owner_type"]).alias("owner_type"),
                owner_key=owner_key,
                difference=pl.col("amount") * sign,
            )
            for rows, sign in ((now, factor), (then, -factor))
        ]
    if all(part.is_empty() for part in parts):
        return NO_VIOLATIONS
    sums = pl.concat(parts).group_by("owner_type", "owner_key").agg(pl.col("difference").sum())
    owner = pl.concat_str(pl.col("owner_type").cast(pl.String), "owner_key", separator=" ")
    return _violations(sums.filter(pl.col("difference") != 0), "I-30", owner, "suspense does not tie to its T-account")


def check_paid(items: pl.DataFrame) -> pl.DataFrame:
    """No item is paid or written off beyond its amount, nor against its sign (I-21)."""
    if items.is_empty():
        return NO_VIOLATIONS
    low = pl.min_horizontal("amount", pl.lit(0))
    high = pl.max_horizontal("amount", pl.lit(0))
    gone = pl.col("paid") + pl.col("written_off")
    parts = ("paid", "written_off")
    wrong = items.filter(~gone.is_between(low, high) | ~pl.all_horizontal(pl.col(parts).is_between(low, high)))
    return _violations(wrong, "I-21", pl.col("item_key"), "the item is paid or written off beyond its amount")


def check_intake(intake: pl.DataFrame) -> pl.DataFrame:
    """Rows and amounts in are those booked, seen before, in quarantine or waiting (I-39)."""
    if intake.is_empty():
        return NO_VIOLATIONS
    parts = ("booked", "duplicate", "quarantined", "pending")
    rows = pl.sum_horizontal(f"rows_{part}" for part in parts)
    amounts = pl.sum_horizontal(f"amount_{part}" for part in parts)
    wrong = intake.filter((pl.col("rows_in") != rows) | (pl.col("amount_in") != amounts))
    key = pl.concat_str("table_name", "file", separator=" ")
    return _violations(wrong, "I-39", key, "rows or amounts in are not those booked, repeated, refused and waiting")
