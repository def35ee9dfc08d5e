"""Mass changes of one day: another payment plan for every policy, a policy change for every policy, payments reversed.

python -m benchmarks.changes [POLICIES]

The peer of each is the issuance of the same policies: as many charges cut into items and placed on invoices by the same
machine in the same run, beside which a change takes so many times as long.
"""

from __future__ import annotations

import sys
import time
from datetime import date, timedelta

import polars as pl

from benchmarks.measure import table
from carriers import standard
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.close import ClosedDay, close

FIRST = date(2024, 1, 1)
HEAD = ["one day", "items", "journal lines", "seconds", "x issuance"]


def landed(**tables: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Rows as the landing reader gives them: text, with file and row number."""
    return {
        name: frame.select(pl.all().cast(pl.String)).with_columns(
            file=pl.lit(f"{name}/rows.parquet"), row_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
        )
        for name, frame in tables.items()
    }


def issuance(policies: int) -> dict[str, pl.DataFrame]:
    """One policy and one account each, monthly from the first of February on."""
    number = pl.int_range(policies, dtype=pl.Int64).cast(pl.String).str.zfill(7)
    rows = pl.select(
        instruction_id=pl.concat_str(pl.lit("I"), number),
        instruction_type=pl.lit("issuance"),
        account_id=pl.concat_str(pl.lit("A"), number),
        policy_id=pl.concat_str(pl.lit("P"), number),
        period_start=pl.lit("2024-02-01"),
        period_end=pl.lit("2025-02-01"),
        effective_date=pl.lit("2024-02-01"),
        payment_plan=pl.lit("Monthly"),
    )
    charges = rows.select(
        "instruction_id", charge_no=pl.lit(1), charge_pattern=pl.lit("Premium"), amount=pl.lit("1199.99")
    )
    payments = rows.select("account_id", payment_id=pl.concat_str(pl.lit("M"), number), amount=pl.lit("100.00"))
    return landed(billing_instructions=rows, charges=charges, payments=payments)


def plan_changes(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every policy pays by the quarter from now on."""
    return landed(
        commands=rows.select(
            command_id=pl.concat_str(pl.lit("C"), "policy_id"),
            command_type=pl.lit("change_payment_schedule"),
            target_type=pl.lit("policy"),
            target_id="policy_id",
            params=pl.lit('{"payment_plan": "Quarterly"}'),
        )
    )


def policy_changes(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every policy costs more, spread like what it cost before."""
    changes = rows.select(
        "account_id",
        "policy_id",
        instruction_id=pl.concat_str(pl.lit("Z"), "policy_id"),
        instruction_type=pl.lit("policy_change"),
        effective_date=pl.lit("2024-06-01"),
    )
    charges = changes.select(
        "instruction_id", charge_no=pl.lit(1), charge_pattern=pl.lit("Premium"), amount=pl.lit("99.99")
    )
    return landed(billing_instructions=changes, charges=charges)


def reversals(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The bank takes every payment back."""
    return landed(
        commands=rows.select(
            command_id=pl.concat_str(pl.lit("R"), "policy_id"),
            command_type=pl.lit("reverse_payment"),
            target_type=pl.lit("payment"),
            target_id=pl.col("policy_id").str.replace("P", "M"),
            params=pl.lit('{"reversal_reason": "other"}'),
        )
    )


def closed(book: Book, inbox: dict[str, pl.DataFrame], day: date, carrier: Carrier) -> tuple[ClosedDay, float]:
    """A day, closed, and how long it took; nothing of it may have been refused."""
    start = time.perf_counter()
    done = close(book, inbox, day, carrier)
    seconds = time.perf_counter() - start
    if done.events["quarantine"].height:
        msg = f"{day}: {done.events['quarantine'].height} rows were refused: {done.events['quarantine']['detail'][0]}"
        raise RuntimeError(msg)
    return done, seconds


def rows_of(policies: int) -> list[list[str]]:
    """Measure the days; one row of text each."""
    carrier = Carrier.from_toml(standard())
    inbox = issuance(policies)
    first, base = closed(Book.empty(), inbox, FIRST, carrier)
    measured = [("issuance, and a payment each", first, base)]
    for place, (name, rows) in enumerate(
        {
            "another payment plan": plan_changes,
            "policy changes": policy_changes,
            "payments reversed": reversals,
        }.items(),
        start=1,
    ):
        done, seconds = closed(first.book, rows(inbox["billing_instructions"]), FIRST + timedelta(days=place), carrier)
        measured.append((name, done, seconds))
    return [
        [
            f"{policies:,} {name}",
            f"{done.changes['invoice_items'].height:,}",
            f"{done.events['journal'].height:,}",
            f"{seconds:.1f}",
            f"{seconds / base:.2f}",
        ]
        for name, done, seconds in measured
    ]


if __name__ == "__main__":
    print(table(HEAD, rows_of(int(sys.argv[1]) if sys.argv[1:] else 100_000)))
