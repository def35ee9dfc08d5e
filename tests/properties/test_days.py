"""What holds of closing days whatever the book: properties on the random books of the reference model.

Two runs that must be the same are compared by everything that they know, internal keys included, unless the property
is about books with other keys.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ledger import working_book
from ledger.book import TABLES, Book
from tests.reference.books import Shelf, shelf
from tests.reference.engine import Engine, differences

SEEDS = (11, 12)
DAYS = 30
Landed = dict[str, pl.DataFrame]
ROOT = Path(__file__).parents[2]


@cache
def books(seed: int) -> Shelf:
    return shelf(seed, 6, longest=DAYS, shortest=DAYS)


@cache
def closed(seed: int) -> Engine:
    """The books of a seed, closed as they are."""
    return run(books(seed))


def run(these: Shelf, change: Callable[[date, Landed], Landed] | None = None) -> Engine:
    """Close all days, with the landing rows of each day changed."""
    engine = Engine(these.carrier)
    for day in these.days:
        landed = engine.landed(these.inbox(day))
        engine.close_landed(day, change(day, landed) if change else landed)
    return engine


def assert_same_state(engine: Engine, expected: Engine) -> None:
    """The same book and the same journal, to the byte."""
    for name, table in TABLES.items():
        assert_frame_equal(engine.book[name].sort(table.key), expected.book[name].sort(table.key))
    assert_frame_equal(engine.events("journal"), expected.events("journal"))


def counts(engine: Engine) -> pl.DataFrame:
    """Rows and amounts that came in per table, and what became of them, whatever the files."""
    numbers = pl.selectors.integer()
    return engine.events("intake").group_by("business_date", "table_name").agg(numbers.sum()).sort(pl.all())


def refused(engine: Engine) -> list[tuple[str, ...]]:
    return engine.events("quarantine").select("table_name", "record_id", "code", "detail").sort(pl.all()).rows()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_within_a_file_does_not_matter(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311

    def shuffled(_: date, landed: Landed) -> Landed:
        return {table: renumbered(rows.sample(fraction=1, shuffle=True, seed=rng.randint(1, 10**6)))
                for table, rows in landed.items()}  # fmt: skip

    engine = run(books(seed), shuffled)
    assert_same_state(engine, closed(seed))
    assert refused(engine) == refused(closed(seed))
    assert counts(engine).equals(counts(closed(seed)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_on_the_concerned_accounts_is_a_day_on_the_whole_book(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = [
        day.book["invoice_items"].height - day.outcome.after["invoice_items"].height for day in closed(seed).closed
    ]
    assert sum(rows > 0 for rows in left_out) > DAYS // 2
    monkeypatch.setattr(working_book, "SMALLEST_DIVIDED", 10**9)
    whole = run(books(seed))
    assert all(day.book is day.outcome.after for day in whole.closed)
    assert_same_state(closed(seed), whole)
    assert refused(closed(seed)) == refused(whole)
    for name in whole.closed[-1].events:
        assert_frame_equal(closed(seed).events(name), whole.events(name))


@pytest.mark.parametrize("seed", SEEDS)
def test_splitting_a_file_in_two_does_not_matter(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311

    def split(_: date, landed: Landed) -> Landed:
        halves = {}
        for table, rows in landed.items():
            cut = rng.randint(0, rows.height)
            other = renumbered(rows.slice(cut)).with_columns(file=pl.lit(f"{table}/another.parquet"))
            halves[table] = pl.concat([other, rows.head(cut)])
        return halves

    engine = run(books(seed), split)
    assert_same_state(engine, closed(seed))
    assert refused(engine) == refused(closed(seed))
    assert counts(engine).equals(counts(closed(seed)))


def renumbered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(row_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


@pytest.mark.parametrize("seed", SEEDS)
def test_landing_the_same_rows_again_has_no_effect(seed: int) -> None:
    """Every booked row of a day comes in once more some days later, in a file of its own: all are duplicates."""
    rng = random.Random(seed)  # noqa: S311
    not_booked = closed(seed).events("quarantine").select("table_name", "record_id").unique()
    kept: dict[date, list[Landed]] = {}

    def again(day: date, landed: Landed) -> Landed:
        kept.setdefault(day + timedelta(days=rng.randint(1, 9)), []).append(landed)
        repeated = dict(landed)
        for earlier in kept.get(day, []):
            for table, rows in earlier.items():
                ids = not_booked.filter(pl.col("table_name") == table)["record_id"]
                old = renumbered(rows.filter(~pl.col(TABLE_IDS[table]).is_in(ids.implode())))
                old = old.with_columns(file=pl.lit(f"{table}/again-{len(repeated)}-{rng.random()}.parquet"))
                repeated[table] = pl.concat([repeated.get(table, old.clear()), old], how="diagonal")
        return repeated

    engine = run(books(seed), again)
    assert_same_state(engine, closed(seed))
    intake = engine.events("intake").filter(pl.col("file").str.contains("again"))
    assert intake["rows_in"].sum() > 20
    assert intake.filter(pl.col("rows_in") != pl.col("rows_duplicate")).is_empty()
    assert intake.filter(pl.col("amount_in") != pl.col("amount_duplicate")).is_empty()


TABLE_IDS = {
    "accounts": "account_id",
    "billing_instructions": "instruction_id",
    "charges": "instruction_id",
    "payments": "payment_id",
    "commands": "command_id",
}


@pytest.mark.parametrize("seed", SEEDS)
def test_books_closed_together_are_the_books_closed_alone(seed: int) -> None:
    alone = []
    for book in books(seed).books:
        engine = Engine(books(seed).carrier)
        for day in books(seed).days:
            if day <= books(seed).days[0] + timedelta(days=DAYS // 2):
                engine.close(day, book[day])
        alone.append(engine.tables())
    together = Engine(books(seed).carrier)
    for day in books(seed).days[: DAYS // 2 + 1]:
        together.close(day, books(seed).inbox(day))
    union = {name: pl.concat(tables[name] for tables in alone) for name in alone[0]}
    expected = {name: frame.sort(frame.columns) for name, frame in union.items()}
    assert differences(expected, together.tables()) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_book_loaded_from_what_was_stored_goes_on_as_the_one_in_memory(seed: int, tmp_path: Path) -> None:
    """The last version of every key among the changes of the days is the book."""
    engine = Engine(books(seed).carrier)
    stored: dict[str, list[Path]] = {name: [] for name in TABLES}
    for number, day in enumerate(books(seed).days):
        engine.close(day, books(seed).inbox(day))
        for name, changed in engine.closed[-1].changes.items():
            stored[name].append(tmp_path / f"{name}-{day}.parquet")
            changed.write_parquet(stored[name][-1])
        if number % 9 == 8:
            engine.book = Book({name: last_versions(name, paths) for name, paths in stored.items()})
    assert_same_state(engine, closed(seed))


def last_versions(name: str, paths: Iterable[Path]) -> pl.DataFrame:
    """The rows of a table as stored day by day, of each key the last one, by key."""
    versions = pl.concat(pl.read_parquet(path) for path in paths)
    return versions.unique(TABLES[name].key, keep="last", maintain_order=True).sort(TABLES[name].key)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_cent_appears_or_disappears(seed: int) -> None:
    """On every day: what came in and stands, or was given, is in funds, in suspense, on items, paid out or kept.

    And charges are their items.
    """
    engine = Engine(books(seed).carrier)
    received = 0
    for day in books(seed).days:
        engine.close(day, books(seed).inbox(day))
        intake = engine.closed[-1].events["intake"].filter(pl.col("table_name") == "payments")
        book = engine.book
        drafted = pl.col("payment_id").str.starts_with("PAYMENT-REQUEST-") & (pl.col("received_date") == day)
        received += intake["amount_booked"].sum() + book["payments"].filter(drafted)["amount"].sum()
        assert received == total(book["payments"], pl.col("from_payment_key") == 0)
        came = total(book["payments"], pl.col("status").is_in(["executed", "suspended"]))
        given = total(book["ad_hoc_credits"], pl.col("status") == "Executed")
        left = total(book["disbursements"], pl.col("status") == "Sent")
        left += total(book["surplus_write_offs"], pl.col("reversed_date").is_null())
        held = book["funds"]["balance"].sum() + total(book["suspense_items"], pl.col("status") == "open")
        held += total(book["payments"], pl.col("status") == "suspended")
        # what pays a recapture is in a fund again
        paid = book["invoice_items"].filter(~pl.col("is_recapture"))["paid"].sum()
        assert came + given == held + paid + left
        assert book["charges"]["amount"].sum() == book["invoice_items"]["amount"].sum()
    assert received > 0


def total(rows: pl.DataFrame, stands: pl.Expr) -> int:
    return int(rows.filter(stands)["amount"].sum())


DIGEST = """
import hashlib
from tests.properties.test_days import closed
engine = closed(11)
digest = hashlib.sha256()
frames = [engine.book[name] for name in sorted(engine.book.frames)]
frames += [engine.events(name) for name in ("journal", "item_events", "quarantine", "warnings", "intake")]
for frame in frames:
    digest.update(frame.write_csv().encode())
print(digest.hexdigest())
"""


def test_both_engines_of_the_dataframe_library_give_the_same_bytes() -> None:
    """POLARS_ENGINE_AFFINITY chooses how queries run; it may not change what comes out, nor may the threads."""
    settings = ({"POLARS_ENGINE_AFFINITY": "in-memory"}, {"POLARS_ENGINE_AFFINITY": "streaming"})
    runs = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | setting,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        for setting in settings
    ]
    assert [(done.returncode, done.stderr) for done in runs] == [(0, ""), (0, "")]
    assert len({done.stdout for done in runs}) == 1
