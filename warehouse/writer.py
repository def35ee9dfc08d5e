"""Writing to the warehouse: closing a day, keeping a checkpoint, locking and unlocking a range, and compaction.

Every commit is one manifest, linked into place when everything that it names is durable and checked. Before that, a
crash leaves the warehouse as it was; after it, the day is closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from warehouse.days import Chain, DayRecord
from warehouse.faults import ChainError, LockedError, RangeError
from warehouse.lease import Lease
from warehouse.manifest import Commit, Kind, Part, digest_of_day, publish
from warehouse.parts import write_deltas, write_snapshots

_DAY = timedelta(days=1)


class Writer:
    """The one writer of a warehouse, for as long as its lease lasts. Made by `Store.writer`."""

    def __init__(self, warehouse: Path, manifests: Path, chain: Chain, lease: Lease) -> None:
        self._warehouse = warehouse
        self._manifests = manifests
        self._chain = chain
        self._lease = lease
        self._head = chain.head

    def commit_day(  # noqa: PLR0913, PLR0917 - what a day is made of, all of it recorded
        self,
        day: date,
        opening: str | None,
        tables: Mapping[str, pl.DataFrame],
        inputs: Mapping[str, str],
        carrier_digest: str,
        code_version: str,
        is_checkpoint_of: Mapping[str, pl.DataFrame] | None = None,
    ) -> DayRecord:
        """Close a day, or close it again: all of it becomes visible at once, or nothing does.

        `opening` is the `digest` of the day before, None on the first day. `tables` are what the day added to event
        tables and the rows that it changed in state tables; amounts in minor units. `inputs` are the digests of the
        landing files by path. `is_checkpoint_of`, when given, is the whole book at close and is kept as a checkpoint.
        A result that the current commit already holds is not committed again.

        Raises LockedError, ChainError when `opening` is not the fresh day before, ContractError,
        CorruptError, ConflictError, LeaseError, WriteError. Nothing is published then.
        """
        self._check_open(day)
        self._check_opening(day, opening)
        self._lease.heartbeat()
        parts = write_deltas(self._warehouse, tables, day)
        draft = Commit(
            kind="day",
            business_date=day,
            through=day,
            opening=opening,
            day_digest=digest_of_day(day, opening, parts),
            parts=parts,
            inputs=dict(inputs),
            carrier_digest=carrier_digest,
            code_version=code_version,
        )
        self._publish(draft, self._chain.days.get(day))
        if is_checkpoint_of is not None:
            self.checkpoint(day, is_checkpoint_of)
        return self._chain.record(day)

    def checkpoint(self, day: date, frames: Mapping[str, pl.DataFrame]) -> Commit:
        """Keep the whole book as at close of a fresh day, so that loading it opens fewer files.

        Raises as `commit_day`; ChainError when the day is not closed or is stale.
        """
        record = self._fresh(day)
        self._lease.heartbeat()
        parts = write_snapshots(self._warehouse, frames, day)
        return self._publish_copy("checkpoint", day, record, parts)

    def compact(self, first: date, last: date, parts: Sequence[Part]) -> Commit:
        """Offer readers these parts instead of those that the fresh days of a range have of the same tables.

        The days stay what they are, digests and all. Raises ChainError when the last day is not closed or is stale,
        ConflictError, LeaseError, WriteError.
        """
        return self._publish_copy("compaction", first, self._fresh(last), parts)

    def retire(self, first: date, last: date, parts: Sequence[Part]) -> Commit:
        """Say that parts of commits of a range are going to be removed on purpose. Raises as `compact`."""
        draft = Commit(kind="retention", business_date=first, through=last, parts=tuple(parts))
        said = [commit for commit in self._chain.commits if commit.kind == "retention"]
        return self._publish(draft, said[-1] if said else None)

    def lock(self, first: date, last: date) -> Commit:
        """Lock an accounting period: no day of it, nor one before it, can be closed again.

        Raises ChainError when a day of it is not closed or is stale, RangeError when it is no range.
        """
        _check_range(first, last)
        self._fresh(last)
        return self._publish_lock("lock", first, last)

    def unlock(self, first: date, last: date) -> Commit:
        """Open a locked range again. Raises RangeError when it is no range."""
        _check_range(first, last)
        return self._publish_lock("unlock", first, last)

    def _publish_copy(self, kind: Kind, first: date, record: DayRecord, parts: Sequence[Part]) -> Commit:
        """Publish what can be made from the days up to one, and counts while that day is as it is now."""
        last = record.business_date
        draft = Commit(kind=kind, business_date=first, through=last, day_digest=record.digest, parts=tuple(parts))
        copies = self._chain.checkpoints if kind == "checkpoint" else self._chain.compactions
        return self._publish(draft, copies.get(last))

    def _publish_lock(self, kind: Kind, first: date, last: date) -> Commit:
        """Publish a lock or unlock; to say the newest one again changes nothing."""
        locks = [commit for commit in self._chain.commits if commit.kind in ("lock", "unlock")]
        return self._publish(Commit(kind=kind, business_date=first, through=last), locks[-1] if locks else None)

    def _publish(self, draft: Commit, current: Commit | None) -> Commit:
        """Make a commit visible on the head that this writer knows, unless `current` already says the same."""
        if current is not None:
            same = replace(current, number=0, parent=None, digest="")
            if same == draft:
                return current
        self._lease.heartbeat()
        number, parent = (self._head.number + 1, self._head.digest) if self._head else (1, None)
        self._head = publish(self._manifests, replace(draft, number=number, parent=parent))
        self._chain.extend([self._head])
        return self._head

    def _check_open(self, day: date) -> None:
        """A day may be closed when neither it nor a closed day after it is locked."""
        locked = [date_ for date_ in self._chain.locked if date_ >= day]
        if day in self._chain.locked:
            msg = f"{day} is locked; book the correction on an open day with its own effective date, or unlock it"
            raise LockedError(msg)
        if locked:
            msg = (
                f"closing {day} again would change the locked days from {min(locked)}; book the correction on an open "
                "day with its own effective date, or unlock them"
            )
            raise LockedError(msg)

    def _check_opening(self, day: date, opening: str | None) -> None:
        """A day is built on the fresh day before it; only the first has none."""
        earlier = [date_ for date_ in self._chain.days if date_ < day]
        if not earlier and opening is None:
            return
        if not earlier:
            msg = f"{day} would be the first day, but was built on another; close that one first"
            raise ChainError(msg)
        record = self._fresh(day - _DAY)
        if opening != record.digest:
            msg = f"{day} was not built on {record.business_date} as it is now; close {day} again from its current book"
            raise ChainError(msg)

    def _fresh(self, day: date) -> DayRecord:
        """The record of a day that counts. Raises ChainError when it is not closed or is stale."""
        if day not in self._chain.days:
            msg = f"{day} is not closed; close it first"
            raise ChainError(msg)
        record = self._chain.record(day)
        if record.is_stale:
            first = min(self._chain.stale_reasons())
            msg = f"{day} is stale: {record.stale_reason}; close the days from {first} again, in order"
            raise ChainError(msg)
        return record


def _check_range(first: date, last: date) -> None:
    if first > last:
        msg = f"{first} to {last} is no range: the first date comes after the last"
        raise RangeError(msg)
