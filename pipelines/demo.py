"""The main job from nothing: a made-up book lands in a home of its own, every day of it is closed, and is summed up."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import IO

import polars as pl
from rich.console import Console
from rich.table import Table

from assets.closing import Progress, close_range
from pipelines.homes import HomeError, create_home
from pipelines.landing import write_made_up
from pipelines.mistakes import mistakes_among
from pipelines.synthetic import synthetic_book
from warehouse.catalogue import catalogue_path, connect, query
from warehouse.storage import Home, Store

MARK = ".paidthrough-demo"
"""A file of this name says that a directory may be emptied by the next demonstration."""
MONEY = "money"
SUMMARIES: dict[str, str] = {
    MONEY: """
        SELECT
            (SELECT count(*) FROM accounts) AS accounts,
            (
                SELECT sum(amount) FROM charges
                WHERE charge_pattern = 'Premium' AND effective_date <= (SELECT max(business_date) FROM days)
            ) AS premium,
            (SELECT sum(credit_balance) FROM trial_balance WHERE t_account = 'Premium Revenue') AS earned,
            (SELECT sum(credit_balance) FROM trial_balance WHERE t_account = 'Premium Unearned') AS unearned,
            (SELECT sum(amount) FROM invoices WHERE status <> 'Planned') AS billed,
            (SELECT sum(paid) FROM invoices WHERE status <> 'Planned') AS billed_and_paid,
            (SELECT sum(not_due) FROM aging) AS not_due,
            (SELECT sum(total - not_due) FROM aging) AS past_due,
            (SELECT sum(amount) FROM payments) AS collected,
            (SELECT sum(paid) FROM invoices) AS applied,
            (SELECT sum(balance) FROM funds) AS in_funds,
            (SELECT sum(amount) FROM payments WHERE status = 'suspended') AS in_suspense,
            (SELECT count(*) FROM quarantine) AS quarantined""",
    "aging": """
        SELECT
            sum(not_due) AS "not due",
            sum(days_1_30) AS "1-30 days",
            sum(days_31_60) AS "31-60",
            sum(days_61_90) AS "61-90",
            sum(days_91_plus) AS "91+",
            sum(total) AS total
        FROM aging""",
    "trial balance": """
        SELECT
            t_account AS "T-account",
            account_type AS class,
            nullif(debit_balance, 0) AS debit,
            nullif(credit_balance, 0) AS credit
        FROM trial_balance
        WHERE debit_balance <> credit_balance
        ORDER BY account_type, t_account""",
    "quarantine": """
        SELECT code AS reason, table_name AS table, count(*) AS rows
        FROM quarantine
        GROUP BY ALL
        ORDER BY rows DESC, code, table_name""",
}
"""What is asked of the closed book."""
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("Who owes most?", "FROM aging SELECT account_id, policy_id, total, days_91_plus ORDER BY total DESC LIMIT 5"),
    (
        "Who had more cover than was paid for?",
        "FROM equity SELECT policy_id, equity, paid_through_date WHERE equity < 0 ORDER BY equity LIMIT 5",
    ),
    ("What stood in the books on {middle}?", "FROM trial_balance_as_of(DATE '{middle}')"),
)
"""Questions to try, with the SELECT that answers each; `middle` is a day in the middle of the book."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A made-up book that was closed: how much of it there is, how long it took, and what it comes to."""

    policies: int
    rows_landed: int
    wrong_on_purpose: int
    days: int
    journal_lines: int
    seconds_to_make: float
    seconds_to_close: float
    questions: dict[str, str]
    summaries: dict[str, pl.DataFrame]


def demonstrate(
    path: Path, policies: int, first: date, last: date, progress: Progress | None = None
) -> tuple[Home, Demonstration]:
    """Make a book of so many policies, land it in a home at `path`, and close every day from `first` to `last`.

    What an earlier demonstration left at `path` is removed first. Raises HomeError when there is anything else.
    """
    began = perf_counter()
    home = _fresh_home(path)
    rows = synthetic_book(policies, first, last)
    write_made_up(home, rows)
    made = perf_counter()
    close_range(home, first, last, progress=progress)
    closed = perf_counter()
    with connect(home.root) as connection:
        summaries = {title: query(connection, select) for title, select in SUMMARIES.items()}
    records = Store(home).days()
    middle = first + (last - first) // 2
    return home, Demonstration(
        policies=policies,
        rows_landed=sum(table.height for table in rows.values()),
        wrong_on_purpose=mistakes_among(rows),
        days=len(records),
        journal_lines=sum(record.rows.get("journal", 0) for record in records),
        seconds_to_make=made - began,
        seconds_to_close=closed - made,
        questions={question.format(middle=middle): select.format(middle=middle) for question, select in QUESTIONS},
        summaries=summaries,
    )


def _fresh_home(path: Path) -> Home:
    """An empty home at a path: new, or where an earlier demonstration was. Nothing but its own files is removed."""
    root = Home(path).root
    if root.is_symlink() or (root.exists() and not root.is_dir()) or (root.is_dir() and _is_in_use(root)):
        msg = f"{root} is not from a demonstration and left alone; name another: paidthrough demo --home DIRECTORY"
        raise HomeError(msg)
    root.mkdir(parents=True, exist_ok=True)
    (root / MARK).write_text("Made by `paidthrough demo`, which empties this directory when it runs again.\n")
    for name in ("landing", "warehouse"):
        shutil.rmtree(root / name, ignore_errors=True)
    Home(root).carrier_file.unlink(missing_ok=True)
    return create_home(root)


def _is_in_use(root: Path) -> bool:
    return not (root / MARK).is_file() and any(root.iterdir())


def tell(home: Home, shown: Demonstration, out: IO[str] | None = None) -> None:
    """Write what became of the book for people: money, aging, trial balance, quarantine, and what to ask next."""
    console = Console(file=out, markup=False, highlight=False, emoji=False)
    money = shown.summaries[MONEY].row(0, named=True)
    console.print(
        f"{shown.policies} policies of {money['accounts']} accounts; {shown.rows_landed:,} rows landed.\n"
        f"{shown.days} days closed in {shown.seconds_to_close:.0f} s; {shown.journal_lines:,} journal lines."
    )
    _tell_money(console, money)
    _heading(console, "Aging: open on billed invoices, by days past due")
    _table(console, shown.summaries["aging"].columns, shown.summaries["aging"].rows())
    trial = shown.summaries["trial balance"]
    debits, credits_ = trial["debit"].sum(), trial["credit"].sum()
    _heading(console, "Trial balance")
    _table(console, trial.columns, trial.rows(), total=("Total", "", debits, credits_))
    console.print("Debits equal credits." if debits == credits_ else "DEBITS AND CREDITS DIFFER.")
    _heading(console, f"Quarantine: {money['quarantined']} rows, {shown.wrong_on_purpose} of them wrong on purpose")
    _table(console, shown.summaries["quarantine"].columns, shown.summaries["quarantine"].rows())
    _heading(console, "Ask more")
    for question, select in shown.questions.items():
        console.print(question)
        console.print(f'  paidthrough sql --home {_shortest(home.root)} "{select}"', soft_wrap=True)
    console.print(f"\nThe DuckDB file, for any tool that opens one: {catalogue_path(home.root)}", soft_wrap=True)


def _tell_money(console: Console, money: dict[str, Decimal | int | None]) -> None:
    """The sums of the book; what is indented below a sum adds up to it."""
    _heading(console, "Money")
    facts = (
        ("Premium in effect", "premium"),
        ("  earned", "earned"),
        ("  unearned", "unearned"),
        ("Billed", "billed"),
        ("  paid", "billed_and_paid"),
        ("  open, not due yet", "not_due"),
        ("  open, past due", "past_due"),
        ("Collected", "collected"),
        ("  applied to invoices", "applied"),
        ("  in funds, to be applied", "in_funds"),
        ("  in suspense, payer unknown", "in_suspense"),
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(justify="right")
    for label, key in facts:
        table.add_row(label, _cell(money[key] or Decimal("0.00")))
    console.print(table)


def _heading(console: Console, text: str) -> None:
    console.print(f"\n{text}", style="bold")


def _table(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[object]], total: Sequence[object] | None = None
) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False, show_footer=total is not None, footer_style="bold")
    for place, name in enumerate(columns):
        is_number = any(isinstance(row[place], Decimal | int) for row in rows)
        footer = "" if total is None else _cell(total[place])
        table.add_column(name, footer=footer, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, Decimal | int) else str(value)


def _shortest(path: Path) -> Path:
    """A path as people would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
