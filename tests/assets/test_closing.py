"""Closing a range: what is closed, left alone, closed again and refused; that it converges after any stop."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from assets.closing import ClosingError, close_range, close_through
from assets.locking import lock_days, unlock_days
from assets.status import next_command, status
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.carrier_file import CarrierError
from ledger.close import ClosedDay, close
from schemas.book import BOOK_TABLES
from schemas.journal import EVENT_TABLES
from tests.assets.homes import PLAN, day, issue, pay, put, small_home
from warehouse.catalogue import connect
from warehouse.faults import StorageError, armed
from warehouse.storage import Home, Store


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return small_home(tmp_path / "home")


def outcomes(home: Home, first: date, last: date) -> list[str]:
    return [closing.outcome for closing in close_range(home, first, last)]


def tables(home: Home) -> dict[str, pl.DataFrame]:
    """Everything that is stored of the fresh days."""
    store = Store(home)
    return {table.name: store.read(table.name) for table in (*BOOK_TABLES, *EVENT_TABLES)}


def assert_same_tables(left: Home, right: Home) -> None:
    one, other = tables(left), tables(right)
    for name in one:
        assert_frame_equal(one[name], other[name])


class TestWhichDaysAreClosed:
    def test_the_first_close_begins_where_something_landed(self, home: Home) -> None:
        closings = close_through(home, day(4))
        assert [closing.day for closing in closings] == [day(1), day(2), day(3), day(4)]
        assert {closing.outcome for closing in closings} == {"closed"}

    def test_without_a_day_everything_that_landed_is_closed(self, home: Home) -> None:
        assert close_through(home)[-1].day == day(3)
        with pytest.raises(ClosingError, match="nothing has landed after 2026-01-07"):
            close_through(home)

    def test_the_next_close_goes_on_after_the_last_closed_day(self, home: Home) -> None:
        close_through(home, day(2))
        assert [closing.day for closing in close_through(home, day(4))] == [day(3), day(4)]

    def test_a_home_may_begin_before_anything_landed(self, home: Home) -> None:
        assert close_through(home, day(1), start=day(-1))[0].day == day(-1)

    def test_start_is_for_homes_where_nothing_is_closed(self, home: Home) -> None:
        close_through(home, day(2))
        with pytest.raises(ClosingError, match="2026-01-07 is the next day to close"):
            close_through(home, day(4), start=day(1))

    def test_a_day_without_rows_can_be_closed(self, home: Home) -> None:
        close_through(home, day(3))
        assert close_through(home, day(6))[-1].day == day(6)

    def test_a_range_after_a_gap_is_refused(self, home: Home) -> None:
        close_through(home, day(2))
        with pytest.raises(ClosingError, match="run `paidthrough backfill 2026-01-07 2026-01-10`"):
            close_range(home, day(5), day(6))

    def test_a_range_that_ends_before_it_begins_is_refused(self, home: Home) -> None:
        with pytest.raises(ClosingError, match="is no range"):
            close_range(home, day(2), day(1))


class TestRunningAgain:
    def test_unchanged_days_are_left_alone(self, home: Home) -> None:
        close_through(home, day(3))
        head = Store(home).head()
        assert outcomes(home, day(1), day(3)) == ["unchanged"] * 3
        assert Store(home).head() == head

    def test_a_forced_day_that_comes_out_the_same_stays_the_same_commit(self, home: Home) -> None:
        """R-LED-20."""
        close_through(home, day(3))
        head = Store(home).head()
        close_range(home, day(1), day(3), reclose=True)
        assert Store(home).head() == head

    def test_another_carrier_file_closes_the_range_again(self, home: Home) -> None:
        close_through(home, day(3))
        with home.carrier_file.open("a") as file:
            file.write("\n# reviewed\n")
        assert outcomes(home, day(1), day(3)) == ["closed again"] * 3

    def test_day_by_day_is_the_same_as_one_range(self, home: Home, tmp_path: Path) -> None:
        other = small_home(tmp_path / "other")
        close_range(home, day(1), day(29))
        for number in (*range(1, 5), 24, *range(25, 30)):  # the last ones go over a month's end
            close_through(other, day(number))
        assert_same_tables(home, other)
        digests = [[record.digest for record in Store(one).days()] for one in (home, other)]
        assert digests[0] == digests[1]

    @pytest.mark.parametrize(
        ("point", "nth"), [("part.write", 1), ("part.rename", 9), ("manifest.link", 1), ("manifest.sync_directory", 3)]
    )
    def test_after_a_failed_write_the_same_call_goes_on(self, home: Home, tmp_path: Path, point: str, nth: int) -> None:
        with armed("enospc", point, nth), pytest.raises(StorageError):
            close_range(home, day(1), day(5))
        close_range(home, day(1), day(5))
        other = small_home(tmp_path / "other")
        close_range(other, day(1), day(5))
        assert_same_tables(home, other)


class StopHereError(Exception):
    """A day that cannot be closed."""


class TestWhenADayFails:
    def test_the_days_before_it_are_closed_and_published(self, home: Home) -> None:
        def fails_on_the_third(
            book: Book, inbox: Mapping[str, pl.DataFrame], business_date: date, carrier: Carrier
        ) -> ClosedDay:
            if business_date == day(3):
                raise StopHereError
            return close(book, inbox, business_date, carrier)

        with pytest.raises(StopHereError):
            close_range(home, day(1), day(5), compute_day=fails_on_the_third)
        assert [record.business_date for record in Store(home).days()] == [day(1), day(2)]
        with connect(home.root) as connection:
            assert connection.sql("SELECT max(business_date) FROM days").fetchall() == [(day(2),)]
        assert [closing.day for closing in close_through(home, day(5))] == [day(3), day(4), day(5)]


class TestPlansInUse:
    def test_a_plan_that_the_book_follows_cannot_leave_the_carrier_file(self, home: Home) -> None:
        close_through(home, day(2))
        text = home.carrier_file.read_text(encoding="utf-8")
        home.carrier_file.write_text(
            text.replace(f'[payment_plans."{PLAN}"', '[payment_plans."Other"'), encoding="utf-8"
        )
        with pytest.raises(
            CarrierError, match=f'payment_plans has no "{PLAN}".* policy_periods in the book use this one'
        ):
            close_through(home, day(3))
        home.carrier_file.write_text(text, encoding="utf-8")
        assert close_through(home, day(3))[-1].day == day(3)


class TestLateFiles:
    def test_a_late_file_is_seen_and_named(self, home: Home) -> None:
        close_through(home, day(4))
        assert status(home).to_close_again is None
        pay(home, 1, "50.00", day(2))
        now = status(home)
        assert now.to_close_again == (day(2), day(4))
        assert next_command(now) == "paidthrough backfill 2026-01-06 2026-01-08"

    def test_the_named_day_is_closed_again_and_later_days_are_stale(self, home: Home) -> None:
        close_through(home, day(4))
        pay(home, 1, "50.00", day(2))
        (closing,) = close_through(home, day(2))
        assert closing.outcome == "closed again"
        assert [record.business_date for record in Store(home).days() if record.is_stale] == [day(3), day(4)]
        with pytest.raises(ClosingError, match="run `paidthrough backfill 2026-01-07 2026-01-09`"):
            close_through(home, day(5))
        assert outcomes(home, day(3), day(5)) == ["closed again", "closed again", "closed"]

    def test_closing_again_gives_what_closing_in_time_would_have(self, home: Home, tmp_path: Path) -> None:
        close_through(home, day(4))
        pay(home, 1, "50.00", day(2))
        close_range(home, day(2), day(4))
        other = small_home(tmp_path / "other")
        pay(other, 1, "50.00", day(2))
        close_range(other, day(1), day(4))
        assert_same_tables(home, other)

    def test_files_before_the_first_closed_day_are_named(self, home: Home) -> None:
        close_through(home, day(3))
        issue(home, 2, day(-1))
        assert status(home).to_close_again == (day(-1), day(3))
        closings = close_range(home, day(-1), day(3))
        assert [closing.outcome for closing in closings] == ["closed"] * 2 + ["closed again"] * 3
        assert status(home).to_close_again is None


class TestRefusedFiles:
    def test_a_refused_file_is_a_row_of_the_quarantine(self, home: Home) -> None:
        bad = home.landing / "payments" / f"business_date={day(2)}" / "bad.parquet"
        bad.parent.mkdir(parents=True)
        bad.write_bytes(b"no parquet")
        close_through(home, day(3))
        rows = Store(home).read("quarantine").select("business_date", "table_name", "file", "row_no").rows()
        assert rows == [(day(2), "payments", f"payments/business_date={day(2)}/bad.parquet", 0)]
        assert outcomes(home, day(1), day(3)) == ["unchanged"] * 3

    def test_a_refused_row_is_kept_and_the_rest_is_booked(self, home: Home) -> None:
        put(home, "payments", [{"payment_id": "R9", "account_id": "A1", "amount": "-1.00"}], day(2))
        close_through(home, day(3))
        assert Store(home).read("quarantine")["record_id"].to_list() == ["R9"]
        assert Store(home).read("payments")["payment_id"].to_list() == [f"R1-{day(3)}"]


class TestLocks:
    def test_a_locked_day_is_not_closed_again(self, home: Home) -> None:
        close_through(home, day(4))
        lock_days(home, day(1), day(3))
        pay(home, 1, "50.00", day(2))
        with pytest.raises(ClosingError, match="the days through 2026-01-07 are locked"):
            close_through(home, day(2))
        unlock_days(home, day(1), day(3))
        assert close_through(home, day(2))[0].outcome == "closed again"

    def test_late_files_for_a_locked_day_are_named_and_make_nothing_stale(self, home: Home) -> None:
        close_through(home, day(4))
        lock_days(home, day(1), day(3))
        pay(home, 1, "50.00", day(2))
        pay(home, 1, "50.00", day(-3))
        now = status(home)
        assert now.late_for_locked == (day(-3), day(2))
        assert now.to_close_again is None
        assert next_command(now).startswith("paidthrough land")

    def test_days_after_a_lock_are_closed(self, home: Home) -> None:
        close_through(home, day(3))
        lock_days(home, day(1), day(3))
        assert close_through(home, day(4))[0].outcome == "closed"

    def test_a_lock_holds_against_another_carrier_file(self, home: Home) -> None:
        close_through(home, day(3))
        lock_days(home, day(1), day(2))
        with home.carrier_file.open("a") as file:
            file.write("\n# reviewed\n")
        assert outcomes(home, day(1), day(3)) == ["unchanged", "unchanged", "closed again"]
        with pytest.raises(ClosingError, match="the days through 2026-01-06 are locked"):
            close_range(home, day(1), day(3), reclose=True)

    def test_only_closed_days_can_be_locked(self, home: Home) -> None:
        close_through(home, day(3))
        with pytest.raises(ClosingError, match="closed days are: 2026-01-05 to 2026-01-07"):
            lock_days(home, day(1), day(4))
        with pytest.raises(ClosingError, match="no day from"):
            unlock_days(home, day(1), day(3))

    def test_a_stale_day_cannot_be_locked(self, home: Home) -> None:
        close_through(home, day(4))
        pay(home, 1, "50.00", day(2))
        close_through(home, day(2))
        with pytest.raises(ClosingError, match="run `paidthrough backfill 2026-01-07 2026-01-08` before"):
            lock_days(home, day(1), day(4))


class TestCheckpoints:
    def test_a_single_day_writes_none_but_at_the_end_of_a_month(self, home: Home) -> None:
        close_through(home, day(1))
        assert not Store(home).chain().checkpoints
        close_range(home, day(2), day(28))
        assert list(Store(home).chain().checkpoints) == [date(2026, 1, 31), day(28)]
        close_through(home, day(29))
        assert list(Store(home).chain().checkpoints) == [date(2026, 1, 31), day(28)]


def test_progress_is_told_for_each_day(home: Home) -> None:
    told: list[tuple[int, int, str]] = []
    close_range(home, day(1), day(3), progress=lambda *step: told.append(step))
    assert told == [(1, 3, "2026-01-05 closed"), (2, 3, "2026-01-06 closed"), (3, 3, "2026-01-07 closed")]
