"""Closing a range of business days: the product's one entry point, for the command line, for Dagster and in a notebook.

Days close one after the other, the book kept in memory between them; while one is proven, written and committed, the
next is computed already. It is committed after it, or not at all. A day that is closed already is left alone while
nothing that it was made from has changed: its landing files, the carrier file, the code, and the day before it. So the
same call again does nothing, and after a crash it goes on where the crash was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from time import perf_counter
from typing import Literal

import polars as pl

from assets.carrier_file import read_carrier
from assets.code import code_version
from assets.publishing import publish_catalogue
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.carrier_use import check_names_in_use
from ledger.close import ClosedDay, prove
from ledger.close import compute as compute_business_day
from warehouse.landing import Inbox, dates, day_digests, read_inbox
from warehouse.storage import DayRecord, Home, Store, Writer

Outcome = Literal["closed", "closed again", "unchanged"]
ComputeDay = Callable[[Book, Mapping[str, pl.DataFrame], date, Carrier], ClosedDay]
Progress = Callable[[int, int, str], None]
"""Called after each day with how many are done, how many there are, and the day and its outcome."""

_DAY = timedelta(days=1)


class ClosingError(Exception):
    """A day cannot be closed as asked: one sentence that says what to do instead."""


@dataclass(frozen=True, slots=True)
class DayClosing:
    """What became of one day of a range, and how long it took to compute and to commit it."""

    record: DayRecord
    outcome: Outcome
    seconds: float

    @property
    def day(self) -> date:
        """The business date."""
        return self.record.business_date


def close_through(
    home: Home, day: date | None = None, *, start: date | None = None, progress: Progress | None = None
) -> list[DayClosing]:
    """Close every open day up to `day`, or look again at `day` when it is closed already.

    `day` is by default the last one for which something has landed. The first close of a home starts at `start`, else
    at the first day for which something has landed, else at `day`. Raises ClosingError and as `close_range`.
    """
    landed = dates(home)
    closed = [record.business_date for record in Store(home).days()]
    if day is None:
        day = _last_landed(landed, closed)
    if closed and day > closed[-1]:
        first = closed[-1] + _DAY
    elif closed:
        first = day
    else:
        first = start or min((d for d in landed if d <= day), default=day)
    if start is not None and start != first:
        msg = f"{first} is the next day to close, not {start}; use `paidthrough backfill {start} {day}` to begin there"
        raise ClosingError(msg)
    return close_range(home, first, day, progress=progress)


def close_range(  # noqa: PLR0913 - what is to be closed, and three ways to look on or to differ
    home: Home,
    first: date,
    last: date,
    *,
    progress: Progress | None = None,
    reclose: bool = False,
    compute_day: ComputeDay = compute_business_day,
) -> list[DayClosing]:
    """Close, or close again, every day from `first` to `last`; returns what became of each, in date order.

    With `reclose`, days for which nothing has changed are computed again too; a day that comes out the same stays the
    same commit. At month ends, and at the end of a range of several days, the whole book is kept as a checkpoint. At
    the end, also when a day fails, the DuckDB catalogue is published for the days that are done.

    Raises ClosingError (the days before are open or stale, or a day is locked), NoHomeError, CarrierError,
    ContractViolationError (nothing of that day is kept), StorageError.
    """
    if first > last:
        msg = f"{first} to {last} is no range: the first date comes after the last"
        raise ClosingError(msg)
    carrier, carrier_digest = read_carrier(home)
    store = Store(home)
    done: list[DayClosing] = []
    with store.writer() as writer:
        records = {record.business_date: record for record in store.days()}
        _check_days_before(records, first, last)
        locked_through = max((day for day, record in records.items() if record.is_locked), default=None)
        run = _Run(home, store, writer, records, carrier, carrier_digest, code_version(), compute_day, locked_through)
        try:
            days = [first + _DAY * number for number in range((last - first).days + 1)]
            for closing in run.close(days, is_forced=reclose):
                done.append(closing)
                if progress is not None:
                    progress(len(done), len(days), f"{closing.day} {closing.outcome}")
        except Exception:
            # The days that are done stay done. What stopped the range is the news, not whether it could be published.
            with suppress(Exception):
                publish_catalogue(home, store, carrier)
            raise
        publish_catalogue(home, store, carrier)
    return done


@dataclass(slots=True)
class _Run:
    """One run of the writer over a range: what stays the same for its days, and the book as it goes."""

    home: Home
    store: Store
    writer: Writer
    records: dict[date, DayRecord]
    carrier: Carrier
    carrier_digest: str
    code_version: str
    compute_day: ComputeDay
    locked_through: date | None
    book: Book | None = None
    """The book after the day before; not loaded while there is nothing to close."""

    def close(self, days: Sequence[date], *, is_forced: bool) -> Iterator[DayClosing]:
        """Close days in their order, those that are closed and for which nothing has changed left alone.

        What is told of a day holds: it is committed. At most one day is computed ahead.
        """
        with ThreadPoolExecutor(max_workers=1) as beside:
            yield from _one_behind(self._close_ahead(days, beside, is_forced=is_forced))

    def _close_ahead(
        self, days: Sequence[date], beside: ThreadPoolExecutor, *, is_forced: bool
    ) -> Iterator[Future[DayClosing]]:
        """Compute one day after the other; beside that, read what landed for the next, and commit the one before."""
        before: Future[DayClosing] | None = None
        inbox: Future[Inbox] | None = None
        for day in days:
            began = perf_counter()
            current = None if is_forced else self.records.get(day)
            if before is not None and current is not None:
                before.result()  # whether anything has changed depends on the day before
            if current is not None and self._is_up_to_date(current, day_digests(self.home, day)):
                self.book, inbox = None, None
                before = beside.submit(DayClosing, current, "unchanged", perf_counter() - began)
            else:
                self._check_unlocked(day)
                landed = read_inbox(self.home, day) if inbox is None else inbox.result()
                if day < days[-1]:
                    inbox = beside.submit(read_inbox, self.home, day + _DAY)
                closed = self.compute_day(self._book_before(day), landed.frames, day, self.carrier)
                self.book = closed.book
                seconds = perf_counter() - began
                if before is not None:
                    before.result()
                is_end = day == days[-1] and len(days) > 1
                is_kept_whole = is_end or (day + _DAY).day == 1
                before = beside.submit(self._commit, closed, landed, seconds, is_kept_whole=is_kept_whole)
            yield before

    def _commit(self, closed: ClosedDay, landed: Inbox, seconds: float, *, is_kept_whole: bool) -> DayClosing:
        """Prove and commit a day that took so long to compute."""
        began = perf_counter()
        prove(closed, self.carrier)
        day = closed.day
        tables = {**closed.events, **closed.changes}
        tables["quarantine"] = pl.concat([landed.quarantine(), tables["quarantine"]])
        outcome: Outcome = "closed again" if day in self.records else "closed"
        self.records[day] = self.writer.commit_day(
            day,
            opening=self._digest_before(day),
            tables=tables,
            inputs=landed.digests,
            carrier_digest=self.carrier_digest,
            code_version=self.code_version,
            is_checkpoint_of=closed.book.frames if is_kept_whole else None,
        )
        return DayClosing(self.records[day], outcome, seconds + perf_counter() - began)

    def _digest_before(self, day: date) -> str | None:
        """The digest of the day before, once that is committed; none before the first day."""
        before = self.records.get(day - _DAY)
        return None if before is None else before.digest

    def _is_up_to_date(self, record: DayRecord, inputs: Mapping[str, str]) -> bool:
        """Whether a closed day is what closing it now would make of it; a lock fixes its plans and its code too."""
        is_same_input = record.opening == self._digest_before(record.business_date) and record.inputs == inputs
        is_same_making = record.carrier_digest == self.carrier_digest and record.code_version == self.code_version
        return is_same_input and (is_same_making or record.is_locked)

    def _check_unlocked(self, day: date) -> None:
        """A locked day is never computed again, nor one before it."""
        if self.locked_through is not None and day <= self.locked_through:
            msg = (
                f"{day} cannot be closed again, the days through {self.locked_through} are locked; book the correction "
                f"on an open day with its own effective date, or unlock them with "
                f"`paidthrough unlock {day} {self.locked_through}`"
            )
            raise ClosingError(msg)

    def _book_before(self, day: date) -> Book:
        """The book that a day opens with: the one in hand, else the stored one, else an empty one."""
        if self.book is not None:
            return self.book
        before = self.records.get(day - _DAY)
        if before is None:
            return Book.empty()
        book = Book(self.store.load_book(before.business_date))
        check_names_in_use(book, self.carrier, str(self.home.carrier_file))
        return book


def _one_behind(closings: Iterable[Future[DayClosing]]) -> Iterator[DayClosing]:
    """The results of days, each awaited only when the next is under way; what was done before a failure is told too."""
    ahead: Future[DayClosing] | None = None
    try:
        for closing in closings:
            if ahead is not None:
                yield ahead.result()
            ahead = closing
    except Exception:
        if ahead is not None and ahead.exception() is None:
            yield ahead.result()
        raise
    if ahead is not None:
        yield ahead.result()


def _check_days_before(records: Mapping[date, DayRecord], first: date, last: date) -> None:
    """A range may begin where the day before it is closed and stands, or where nothing before it is closed."""
    earlier = [day for day in records if day < first]
    if not earlier:
        return
    latest = max(earlier)
    if latest != first - _DAY:
        gap = latest + _DAY
        msg = f"{first} cannot be closed while the days from {gap} are open; run `paidthrough backfill {gap} {last}`"
        raise ClosingError(msg)
    if records[latest].is_stale:
        stale = min(day for day in earlier if records[day].is_stale)
        msg = (
            f"{first} cannot be built on {latest}, which is stale: {records[stale].stale_reason}; "
            f"run `paidthrough backfill {stale} {last}`"
        )
        raise ClosingError(msg)


def _last_landed(landed: Collection[date], closed: Sequence[date]) -> date:
    """The last day for which something has landed, when it is not closed yet."""
    waiting = [day for day in landed if not closed or day > closed[-1]]
    if waiting:
        return max(waiting)
    if closed:
        msg = f"nothing has landed after {closed[-1]}, the last closed day; name the day to close it without rows"
    else:
        msg = "nothing has landed yet; land files first (`paidthrough land TABLE FILE --date DAY`), or name the day"
    raise ClosingError(msg)
