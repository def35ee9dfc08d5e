"""The main job as a user runs it: files land, days close, questions are asked; what a crash or a shuffle changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from assets.closing import close_range
from carriers import standard
from pipelines.synthetic import synthetic_book
from warehouse.landing import land
from warehouse.storage import Home, Store

FIRST, LAST = date(2024, 1, 1), date(2024, 2, 20)
SOME_DAYS_ON = date(2024, 1, 15)
POLICIES = 40
PAIDTHROUGH = Path(sys.executable).parent / "paidthrough"


@pytest.fixture(scope="module")
def book() -> Mapping[str, pl.DataFrame]:
    return synthetic_book(POLICIES, FIRST, LAST, seed=3)


def new_home(path: Path, book: Mapping[str, pl.DataFrame], *, shuffled: bool = False) -> Home:
    """A home with the book landed, its rows in another order if asked."""
    home = Home(path / "home")
    home.landing.mkdir(parents=True)
    home.carrier_file.write_text(standard())
    for table, rows in book.items():
        file = path / f"{table}.parquet"
        ordered = rows.sample(fraction=1.0, shuffle=True, seed=5) if shuffled else rows
        ordered.write_parquet(file)
        land(home, table, file, None)
    return home


def contents(home: Home) -> dict[date, dict[str, pl.DataFrame]]:
    """What every day added or changed, less the names of the files it came from."""
    store = Store(home)
    return {
        record.business_date: {
            table: store.read(table, through=record.business_date, after=record.business_date - timedelta(days=1)).drop(
                "file", "row_no", strict=False
            )
            for table in record.rows
            if table != "intake"
        }
        for record in store.days()
    }


def same(one: dict[date, dict[str, pl.DataFrame]], other: dict[date, dict[str, pl.DataFrame]]) -> bool:
    if one.keys() != other.keys():
        return False
    return all(
        one[day].keys() == other[day].keys()
        and all(one[day][table].sort(pl.all()).equals(other[day][table].sort(pl.all())) for table in one[day])
        for day in one
    )


def digests(home: Home) -> dict[date, str]:
    return {record.business_date: record.digest for record in Store(home).days()}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, book: Mapping[str, pl.DataFrame]) -> Home:
    """All days closed as one backfill."""
    home = new_home(tmp_path_factory.mktemp("backfill"), book)
    close_range(home, FIRST, LAST)
    return home


def test_days_one_by_one_are_one_backfill(tmp_path: Path, book: Mapping[str, pl.DataFrame], closed: Home) -> None:
    home = new_home(tmp_path, book)
    day = FIRST
    while day <= SOME_DAYS_ON:
        close_range(home, day, day)
        day += timedelta(days=1)
    whole = contents(closed)
    assert same(contents(home), {day: whole[day] for day in whole if day <= SOME_DAYS_ON})
    assert digests(home) == {day: digest for day, digest in digests(closed).items() if day <= SOME_DAYS_ON}


def test_the_order_of_rows_in_the_files_does_not_matter(
    tmp_path: Path, book: Mapping[str, pl.DataFrame], closed: Home
) -> None:
    home = new_home(tmp_path, book, shuffled=True)
    close_range(home, FIRST, LAST)
    assert same(contents(home), contents(closed))


def test_closing_again_changes_nothing(closed: Home) -> None:
    before = digests(closed)
    assert {closing.outcome for closing in close_range(closed, FIRST, LAST)} == {"unchanged"}
    close_range(closed, FIRST, LAST, reclose=True)
    assert digests(closed) == before


def run(*arguments: str, home: Home) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PAIDTHROUGH_HOME": str(home.root)}
    return subprocess.run(
        [str(PAIDTHROUGH), *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("seconds", [1.5, 3.0])
def test_a_kill_in_the_middle_loses_nothing(
    tmp_path: Path, book: Mapping[str, pl.DataFrame], closed: Home, seconds: float
) -> None:
    home = new_home(tmp_path, book)
    environment = {**os.environ, "PAIDTHROUGH_HOME": str(home.root)}
    process = subprocess.Popen(
        [str(PAIDTHROUGH), "backfill", str(FIRST), str(LAST)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    half = contents(home)
    whole = contents(closed)
    assert same(half, {day: whole[day] for day in half})  # every day that is there is whole
    again = run("backfill", str(FIRST), str(LAST), home=home)
    assert again.returncode == 0, again.stderr
    assert same(contents(home), whole)
    assert run("check", home=home).returncode == 0


def test_a_past_report_is_reproduced_after_later_corrections(tmp_path: Path, book: Mapping[str, pl.DataFrame]) -> None:
    home = new_home(tmp_path, book)
    close_range(home, FIRST, LAST)
    questions = [
        f"SELECT * FROM {view}_as_of(DATE '{LAST}', known_at := DATE '{LAST}') ORDER BY ALL"
        for view in ("journal", "t_account_balances", "trial_balance")
    ]
    before = [run("sql", question, "--format", "csv", home=home).stdout for question in questions]
    correction = tmp_path / "late.csv"
    account = book["accounts"]["account_id"][0]
    correction.write_text(
        f"payment_id,amount,account_id,payment_date\nLATE,77.77,{account},{LAST - timedelta(days=5)}\n"
    )
    later = LAST + timedelta(days=3)
    assert run("land", "payments", str(correction), "--date", str(later), home=home).returncode == 0
    assert run("close", str(later), home=home).returncode == 0
    assert [run("sql", question, "--format", "csv", home=home).stdout for question in questions] == before
    question = f"SELECT count(*) AS lines FROM journal_as_of(DATE '{LAST}') WHERE amount = 77.77"
    now = run("sql", question, "--format", "csv", home=home)
    assert now.stdout.split()[-1] != "0"  # without known_at, the late payment counts


def test_others_read_while_a_day_closes(tmp_path: Path, book: Mapping[str, pl.DataFrame]) -> None:
    home = new_home(tmp_path, book)
    close_range(home, FIRST, FIRST + timedelta(days=1))
    with duckdb.connect(str(home.database), read_only=True) as reader:
        lines = reader.sql("SELECT count(*) FROM journal").fetchall()
        assert run("close", str(FIRST + timedelta(days=2)), home=home).returncode == 0
        assert reader.sql("SELECT count(*) FROM journal").fetchall() == lines
    with duckdb.connect(str(home.database), read_only=True) as reader:
        assert reader.sql("SELECT max(business_date) FROM days").fetchall() == [(FIRST + timedelta(days=2),)]
