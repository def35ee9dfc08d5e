"""Where a home stands: which days are closed, what waits, what must be closed again, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from warehouse.landing import landing_digests, strays
from warehouse.storage import DayRecord, Home, Store

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StaleDay:
    """A closed day that no longer counts, or whose landing files have changed since."""

    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """What there is to know before the next close."""

    first_closed: date | None
    last_closed: date | None
    next_open: date | None
    """The next day to close; on a home where nothing is closed, the first for which something has landed."""
    days_closed: int
    days_locked: int
    locked_through: date | None
    waiting: tuple[date, ...]
    """Open days for which something has landed."""
    stale: tuple[StaleDay, ...]
    late_for_locked: tuple[date, ...]
    """Locked days, or days before them, for which files have landed since: they are not closed again."""
    commits: int
    """How many commits the warehouse holds."""
    quarantined: int
    """Rows in quarantine, over all closed days."""
    strays: tuple[str, ...]
    """What lies in the landing where no day looks, below landing/."""

    @property
    def to_close_again(self) -> tuple[date, date] | None:
        """The range that brings every closed day back in order; none when all are."""
        if not self.stale or self.last_closed is None:
            return None
        return self.stale[0].day, self.last_closed


def status(home: Home) -> Status:
    """Read the manifests and the digests of the landing files; nothing is changed.

    Files that landed for a day before the first closed one make that day, and all closed ones, stale; files for a
    locked day do not, since it will not be closed again.
    """
    landed = landing_digests(home)
    store = Store(home)
    fixed = {record.business_date: record.inputs for record in store.days() if record.is_locked}
    records = store.days({**landed, **fixed})
    head = store.head()
    closed = [record.business_date for record in records]
    locked = sorted(fixed)
    early = sorted(day for day in landed if closed and day < closed[0])
    late = [day for day in locked if fixed[day] != landed.get(day, {})]
    waiting = tuple(sorted(day for day in landed if not closed or day > closed[-1]))
    return Status(
        first_closed=closed[0] if closed else None,
        last_closed=closed[-1] if closed else None,
        next_open=closed[-1] + _DAY if closed else min(waiting, default=None),
        days_closed=len(closed),
        days_locked=len(locked),
        locked_through=max(locked, default=None),
        waiting=waiting,
        stale=_stale(records, [] if locked else early),
        late_for_locked=tuple([*early, *late] if locked else late),
        commits=0 if head is None else head.number,
        quarantined=sum(record.rows.get("quarantine", 0) for record in records),
        strays=tuple(path.relative_to(home.landing).as_posix() for path in strays(home)),
    )


def _stale(records: Sequence[DayRecord], before_the_first: Sequence[date]) -> tuple[StaleDay, ...]:
    early = [StaleDay(day, "it was never closed, and files have landed for it") for day in before_the_first]
    return (
        *early,
        *(StaleDay(record.business_date, record.stale_reason or "") for record in records if record.is_stale),
    )


def next_command(now: Status) -> str:
    """What to run next, in words of the command line."""
    if now.to_close_again is not None:
        first, last = now.to_close_again
        return f"paidthrough backfill {first} {last}"
    if now.waiting:
        return f"paidthrough close {now.waiting[-1]}"
    if now.last_closed is None:
        return "paidthrough land TABLE FILE --date DAY"
    return f"paidthrough land TABLE FILE, for {now.next_open} or later"
