"""What the chain of commits says about days: which commit counts, which days are stale and why, which are locked.

A day counts only while it stands on the book that it was built on. When an earlier day is closed again with another
result, or its landing files change, every later day is stale until it is closed again. So the fresh days are always
the first ones, without a gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from schemas.journal import JOURNAL
from warehouse.manifest import Commit, Part, Totals

LandingDigests = Mapping[date, Mapping[str, str]]
"""SHA-256 of the landing files by business date and path below landing/."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayRecord:
    """A closed day: the newest commit of a business date, and whether it still counts."""

    business_date: date
    number: int
    """Number of the commit."""
    digest: str
    """Digest of the day, and so of the book at its close; the next day's `opening`."""
    opening: str | None
    """Digest of the day that it was built on; none on the first day."""
    inputs: Mapping[str, str]
    """SHA-256 of each landing file it took, by path below landing/."""
    carrier_digest: str
    code_version: str
    rows: Mapping[str, int]
    """Rows that it added or changed, by table."""
    totals: Mapping[str, Totals]
    """Journal debits and credits in minor units, by currency."""
    is_stale: bool
    stale_reason: str | None
    is_locked: bool


class Combined(NamedTuple):
    """A part that holds the rows of several others, in their order."""

    part: Part
    commit: Commit
    replaces: tuple[str, ...]
    """Their paths."""


@dataclass(slots=True)
class Chain:
    """The commits so far, and what follows from them."""

    commits: list[Commit] = field(default_factory=list)
    days: dict[date, Commit] = field(default_factory=dict)
    """The newest commit of each business date."""
    checkpoints: dict[date, Commit] = field(default_factory=dict)
    compactions: dict[date, Commit] = field(default_factory=dict)
    """The newest compaction by the last day that it combines."""
    locked: set[date] = field(default_factory=set)
    _fresh: list[Commit] | None = None
    _combined: list[Combined] | None = None
    """What `fresh_days` and `combined` have found, until another commit follows: readers ask for each table."""

    def extend(self, commits: Iterable[Commit]) -> None:
        """Take in commits that follow the head."""
        for commit in commits:
            self._fresh = self._combined = None
            self.commits.append(commit)
            if commit.kind == "day":
                self.days[commit.business_date] = commit
            elif commit.kind == "checkpoint":
                self.checkpoints[commit.business_date] = commit
            elif commit.kind == "compaction":
                self.compactions[commit.through] = commit
            elif commit.kind == "lock":
                self.locked.update(_dates(commit))
            elif commit.kind == "unlock":
                self.locked.difference_update(_dates(commit))

    @property
    def head(self) -> Commit | None:
        """The last commit."""
        return self.commits[-1] if self.commits else None

    def stale_reasons(self, landing: LandingDigests | None = None) -> dict[date, str]:
        """Why a day is stale, for those that are; with `landing`, also those whose files have changed since."""
        reasons: dict[date, str] = {}
        previous: Commit | None = None
        for day in sorted(self.days):
            commit = self.days[day]
            if previous is not None and previous.business_date in reasons:
                reason: str | None = f"it was built on {previous.business_date}, which is stale"
            else:
                reason = _unlike_opening(commit, previous)
            if reason is None and landing is not None:
                reason = _changed_landing(commit.inputs, landing.get(day, {}))
            if reason is not None:
                reasons[day] = reason
            previous = commit
        return reasons

    def fresh_days(self) -> list[Commit]:
        """The commits of the days that count, in date order."""
        if self._fresh is None:
            stale = self.stale_reasons()
            self._fresh = [self.days[day] for day in sorted(self.days) if day not in stale]
        return list(self._fresh)

    def standing(self, copies: Iterable[Commit]) -> list[Commit]:
        """Those checkpoints or compactions that still are copies of the fresh days."""
        digests = {commit.business_date: commit.day_digest for commit in self.fresh_days()}
        return [copy for copy in copies if digests.get(copy.through) == copy.day_digest]

    def combined(self) -> list[Combined]:
        """The parts of the compactions that stand, and which parts of the days each of them holds."""
        if self._combined is None:
            days = self.fresh_days()
            self._combined = [
                one for commit in self.standing(self.compactions.values()) for one in _combined(commit, days)
            ]
        return list(self._combined)

    def record(self, day: date) -> DayRecord:
        """A closed day. Raises KeyError when it is not closed."""
        reason = self.stale_reasons().get(day)
        return _record(self.days[day], stale_reason=reason, is_locked=day in self.locked)

    def records(self, landing: LandingDigests | None = None) -> list[DayRecord]:
        """Every closed day, in date order."""
        stale = self.stale_reasons(landing)
        return [
            _record(self.days[day], stale_reason=stale.get(day), is_locked=day in self.locked)
            for day in sorted(self.days)
        ]


def in_fewer_files(paths: Sequence[str], combined: Iterable[Combined]) -> list[str]:
    """Paths of parts that hold the same rows: one in the place of all that it replaces, where all are asked for."""
    asked = set(paths)
    instead: dict[str, str] = {}
    for one in combined:
        if asked.issuperset(one.replaces):
            instead |= dict.fromkeys(one.replaces, one.part.path)
    return list(dict.fromkeys(instead.get(path, path) for path in paths))


def retired_parts(commits: Sequence[Commit]) -> set[str]:
    """Paths of the parts that a retention has given up, without those that came back: a day was closed as before."""
    newest = {(commit.kind, commit.business_date, commit.through): commit for commit in commits}
    live = {part.path for commit in newest.values() if commit.kind != "retention" for part in commit.parts}
    return {part.path for commit in commits if commit.kind == "retention" for part in commit.parts} - live


def _combined(compaction: Commit, days: Iterable[Commit]) -> Iterator[Combined]:
    """The parts of a compaction, with the parts that its days have of the same tables."""
    replaced: dict[str, list[str]] = {part.table: [] for part in compaction.parts}
    for day in days:
        if compaction.business_date <= day.business_date <= compaction.through:
            for part in day.parts:
                replaced.setdefault(part.table, []).append(part.path)
    for part in compaction.parts:
        yield Combined(part, compaction, tuple(replaced[part.table]))


def _record(commit: Commit, *, stale_reason: str | None, is_locked: bool) -> DayRecord:
    totals = next((part.sums for part in commit.parts if part.table == JOURNAL.name), {})
    return DayRecord(
        business_date=commit.business_date,
        number=commit.number,
        digest=commit.day_digest or "",
        opening=commit.opening,
        inputs=commit.inputs,
        carrier_digest=commit.carrier_digest,
        code_version=commit.code_version,
        rows={part.table: part.rows for part in commit.parts},
        totals=totals,
        is_stale=stale_reason is not None,
        stale_reason=stale_reason,
        is_locked=is_locked,
    )


def _unlike_opening(commit: Commit, previous: Commit | None) -> str | None:
    """How a day differs from what the day before it says today."""
    if previous is None:
        return None if commit.opening is None else "the day that it was built on is not closed"
    if commit.business_date - previous.business_date > _DAY:
        return f"{previous.business_date + _DAY}, before it, is not closed"
    if commit.opening is None:
        return f"it was the first day, and {previous.business_date} has been closed since"
    if commit.opening != previous.day_digest:
        return f"{previous.business_date} has been closed again with another result"
    return None


def _changed_landing(inputs: Mapping[str, str], landing: Mapping[str, str]) -> str | None:
    """What has happened to the landing files of a day since it was closed."""
    if inputs == landing:
        return None
    changes = Counter(
        "gone" if path not in landing else "new" if path not in inputs else "changed"
        for path in inputs.keys() | landing.keys()
        if inputs.get(path) != landing.get(path)
    )
    return "its landing files have changed since: " + ", ".join(f"{changes[word]} {word}" for word in sorted(changes))


def _dates(commit: Commit) -> list[date]:
    """The dates of a lock or unlock."""
    return [commit.business_date + _DAY * n for n in range((commit.through - commit.business_date).days + 1)]
