"""A bank day: a million payments received, applied and posted in one close; a tenth of them taken back the next day.

    python -m benchmarks.bank_day [PAYMENTS]

The peer does the same sums in plain Python, one payment after the other over dictionaries: money into the fund of its
payer, from there onto the open item, two journal lines each, and back again. It reads no file, checks no row and proves
no contract, which the close does. Both must come to the same cents, or nothing is printed.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from datetime import date, timedelta

import polars as pl

from benchmarks.changes import FIRST, closed, landed
from benchmarks.distribution import mixed
from benchmarks.measure import table
from carriers import standard
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.money import format_minor_units

HEAD = ["one day", "journal lines", "seconds", "plain Python, s", "x plain Python"]
PAYMENTS_PER_ACCOUNT = 4
PREMIUM = 1_000_00
REVERSED_OF = 10


def policies(count: int) -> pl.DataFrame:
    """Instructions for so many policies, each of an account of its own, paid in full at once."""
    number = pl.int_range(count, dtype=pl.Int64).cast(pl.String).str.zfill(7)
    return pl.select(
        instruction_id=pl.concat_str(pl.lit("I"), number),
        instruction_type=pl.lit("issuance"),
        account_id=pl.concat_str(pl.lit("A"), number),
        policy_id=pl.concat_str(pl.lit("P"), number),
        period_start=pl.lit("2024-01-01"),
        period_end=pl.lit("2025-01-01"),
        effective_date=pl.lit("2024-01-01"),
        payment_plan=pl.lit("Full Pay"),
    )


def payments(count: int) -> pl.DataFrame:
    """Payments in minor units, four per account: some come to less than the premium, some to more."""
    number = pl.col("number")
    return pl.select(number=pl.int_range(count, dtype=pl.Int64)).select(
        payment_id=pl.concat_str(pl.lit("M"), number.cast(pl.String).str.zfill(8)),
        account_id=pl.concat_str(pl.lit("A"), (number // PAYMENTS_PER_ACCOUNT).cast(pl.String).str.zfill(7)),
        amount=mixed(3) % 49_900 + 100,
    )


def plain_payments(
    money: pl.DataFrame,
) -> tuple[dict[str, int], dict[str, list[tuple[str, int]]], list[tuple[str, int]]]:
    """What is left of each premium, what each payment paid of it, and the lines: one payment after the other."""
    left = dict.fromkeys(money["account_id"].unique(), PREMIUM)
    funds: dict[str, int] = defaultdict(int)
    applied: dict[str, list[tuple[str, int]]] = defaultdict(list)
    lines: list[tuple[str, int]] = []
    for payment, account, amount in money.rows():
        funds[account] += amount
        lines += (("Cash", amount), ("Unapplied", -amount))
        part = min(amount, left[account])
        if part:
            funds[account] -= part
            left[account] -= part
            applied[payment].append((account, part))
            lines += (("Unapplied", part), ("Premium Due", -part))
    return left, applied, lines


def plain_reversals(
    back: list[str], left: dict[str, int], applied: dict[str, list[tuple[str, int]]], amounts: dict[str, int]
) -> list[tuple[str, int]]:
    """Open again what these payments paid, and the lines for it."""
    lines: list[tuple[str, int]] = []
    for payment in back:
        for account, part in applied.pop(payment, []):
            left[account] += part
            lines += (("Premium Due", part), ("Unapplied", -part))
        lines += (("Unapplied", amounts[payment]), ("Cash", -amounts[payment]))
    return lines


def owed(book: Book) -> int:
    """What is open of all premiums."""
    items = book["invoice_items"]
    return int((items["amount"] - items["paid"]).sum())


def rows_of(count: int) -> list[list[str]]:
    """Measure both days; one row of text each."""
    carrier = Carrier.from_toml(standard())
    rows, money = policies(count // PAYMENTS_PER_ACCOUNT), payments(count)
    charges = rows.select(
        "instruction_id", charge_no=pl.lit(1), charge_pattern=pl.lit("Premium"), amount=pl.lit("1000.00")
    )
    issued, _ = closed(Book.empty(), landed(billing_instructions=rows, charges=charges), FIRST, carrier)

    day = FIRST + timedelta(days=1)
    inbox = landed(payments=money.with_columns(amount=format_minor_units(pl.col("amount"), 2)))
    bank, seconds = closed(issued.book, inbox, day, carrier)
    start = time.perf_counter()
    left, applied, _ = plain_payments(money)
    plain = time.perf_counter() - start
    require_same(owed(bank.book), sum(left.values()), day)
    measured = [(f"{count:,} payments", bank.events["journal"].height, seconds, plain)]

    back = money["payment_id"].gather_every(REVERSED_OF)
    commands = pl.DataFrame({"target_id": back}).select(
        "target_id",
        command_id=pl.concat_str(pl.lit("R"), "target_id"),
        command_type=pl.lit("reverse_payment"),
        target_type=pl.lit("payment"),
        params=pl.lit('{"reversal_reason": "other"}'),
    )
    amounts = dict(money.select("payment_id", "amount").rows())
    again, seconds = closed(bank.book, landed(commands=commands), day + timedelta(days=1), carrier)
    start = time.perf_counter()
    plain_reversals(back.to_list(), left, applied, amounts)
    plain = time.perf_counter() - start
    items = again.events["journal"].height
    measured.append((f"{len(back):,} of them taken back", items, seconds, plain))
    return [
        [name, f"{lines:,}", f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.1f}"]
        for name, lines, ours, theirs in measured
    ]


def require_same(ours: int, theirs: int, day: date) -> None:
    """Stop when the two come to different sums."""
    if ours != theirs:
        msg = f"{day}: {ours} minor units are owed by the close, {theirs} by plain Python"
        raise RuntimeError(msg)


if __name__ == "__main__":
    print(table(HEAD, rows_of(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)))
