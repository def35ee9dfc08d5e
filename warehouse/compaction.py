"""Compaction and retention: few files to open, and no disk filled with results that nobody can ask for any more.

A compaction combines what the days of a closed month added to each table into one part. It is one more commit of the
chain, written after its parts: the manifests of the days are not touched, so every digest of a locked day can still be
followed. It says, as a checkpoint does, of which day it is a copy; closing a day of the month again with another result
makes it count no longer, and readers are back at the parts of the days.

A part is superseded when a newer commit stands in the place of the one that named it, for instance because the day was
closed again. A retention is a commit that says which of these parts are given up; their files go after that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import polars as pl

from warehouse.days import retired_parts
from warehouse.faults import CorruptError
from warehouse.manifest import Commit, Part
from warehouse.parts import TABLES, problem_of, read_parts, write_combined
from warehouse.storage import Store
from warehouse.writer import Writer

_DAY = timedelta(days=1)
_SECONDS_PER_DAY = 86_400
Members = list[tuple[Part, Commit]]
"""Parts of one table, each with the commit that names it, in the order of the days."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """A month that was combined: how many files its days have of the combined tables, and how many stand for them."""

    first: date
    last: date
    files_before: int
    files_after: int


def compact(store: Store, writer: Writer) -> list[Compacted]:
    """Combine every closed month that is not combined yet, or whose combined parts are damaged; oldest first.

    A month is closed when its last day is. What `store` reads is the same before and after, and while it happens.

    Raises CorruptError when a part of a day is damaged, SchemaError when an older version wrote it with other columns,
    ConflictError, LeaseError, WriteError. The months before are combined then.
    """
    done = []
    for days in _closed_months(store.chain().fresh_days()):
        members = _members(days)
        if not members or _is_combined(store, days[-1].business_date):
            continue
        parts = [_combine(store.home.warehouse, table, members[table]) for table in sorted(members)]
        writer.compact(days[0].business_date, days[-1].business_date, parts)
        before = sum(len(parts_of_table) for parts_of_table in members.values())
        done.append(Compacted(days[0].business_date, days[-1].business_date, before, len(parts)))
    return done


def remove_superseded(store: Store, older_than_days: int) -> list[Path]:
    """Remove superseded parts that were so for more than some days, and what crashed writers left behind.

    Who reads with an older catalogue or list of parts has that many days to finish. Takes the lease. Returns the files.

    Raises LeaseError, ConflictError, WriteError.
    """
    with store.writer() as writer:
        before = time.time() - older_than_days * _SECONDS_PER_DAY
        retired = retired_parts(store.chain().commits)
        given_up = [(part, commit) for part, commit in _superseded(store, before) if part.path not in retired]
        if given_up:
            first = min(commit.business_date for _, commit in given_up)
            last = max(commit.through for _, commit in given_up)
            writer.retire(first, last, [part for part, _ in given_up])
    return store.vacuum()


def _closed_months(days: Sequence[Commit]) -> Iterator[list[Commit]]:
    """The fresh days of each month whose last day is among them."""
    for _, month in groupby(days, key=lambda commit: commit.business_date.replace(day=1)):
        of_month = list(month)
        if (of_month[-1].business_date + _DAY).day == 1:
            yield of_month


def _members(days: Sequence[Commit]) -> dict[str, Members]:
    """The parts of each declared table of which the days have more than one."""
    members: dict[str, Members] = {}
    for commit in days:
        for part in commit.parts:
            members.setdefault(part.table, []).append((part, commit))
    return {table: parts for table, parts in members.items() if table in TABLES and len(parts) > 1}


def _is_combined(store: Store, last: date) -> bool:
    """Whether a compaction of the month that ends on a day stands, and its files are whole."""
    chain = store.chain()
    standing = chain.standing(one for one in (chain.compactions.get(last),) if one)
    return bool(standing) and not any(problem_of(store.home.warehouse, part) for part in standing[0].parts)


def _combine(warehouse: Path, table: str, members: Members) -> Part:
    """Write the rows of parts, each verified against its digest, as one part; rows and sums must come out the same."""
    combined = write_combined(warehouse, table, pl.concat(read_parts(warehouse, members)), members[0][1].business_date)
    rows = sum(part.rows for part, _ in members)
    debits = sum(totals.debits for part, _ in members for totals in part.sums.values())
    if (combined.rows, sum(totals.debits for totals in combined.sums.values())) != (rows, debits):
        msg = f"{combined.path} does not hold what its days hold of table {table}; check the disk and run again"
        raise CorruptError(msg)
    return combined


def _superseded(store: Store, before: float) -> Members:
    """Parts in place of which a newer commit stood before a moment, in seconds since 1970, and that no live one names.

    When that was, the file of the newer manifest tells; a manifest itself holds no time.
    """
    newer: dict[tuple[str, date, date], Commit] = {}
    live: set[str] = set()
    found: dict[str, tuple[Part, Commit]] = {}
    for commit in reversed(store.chain().commits):
        key = (commit.kind, commit.business_date, commit.through)
        successor = newer.get(key)
        newer[key] = commit
        if commit.kind == "retention":
            continue
        paths = {part.path: (part, commit) for part in commit.parts}
        if successor is None or (store.home.manifests / successor.file_name).stat().st_mtime >= before:
            live |= paths.keys()
        else:
            found = paths | found
    return [found[path] for path in sorted(found.keys() - live) if (store.home.warehouse / path).exists()]
