"""Writing to the warehouse: closing a day, keeping a checkpoint, locking and unlocking a range.

Every commit is one manifest, linked into place when everything that it names is durable and checked. Before that, a
crash leaves the warehouse as it was; after it, the day is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from warehouse.days import Chain, DayRecord
from warehouse.faults import ChainError, LockedError, RangeError
from warehouse.lease import Lease
from warehouse.manifest import Commit, Kind, digest_of_day, publish
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
            number=0,
            kind="day",
            business_date=day,
            through=day,
            parent=None,
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
        draft = Commit(
            number=0,
            kind="checkpoint",
            business_date=day,
            through=day,
            parent=None,
            day_digest=record.digest,
            parts=parts,
        )
        return self._publish(draft, self._chain.checkpoints.get(day))

    def lock(self, first: date, last: date) -> Commit:
        """Lock an accounting period: no day of it, nor one before it, can be closed again.

        Raises ChainError when a day of it is not closed or is stale, RangeError when it is no range.
        """
        _check_range(first, last)
        self._fresh(last)
        return self._publish(Commit(0, "lock", first, last, None), self._last_of("lock", first, last))

    def unlock(self, first: date, last: date) -> Commit:
        """Open a locked range again. Raises RangeError when it is no range."""
        _check_range(first, last)
        return self._publish(Commit(0, "unlock", first, last, None), self._last_of("unlock", first, last))

    def _last_of(self, kind: Kind, first: date, last: date) -> Commit | None:
        """The newest lock or unlock, when it is of this kind and range: to say it again changes nothing."""
        locks = [commit for commit in self._chain.commits if commit.kind in ("lock", "unlock")]
        is_said = bool(locks) and (locks[-1].kind, locks[-1].business_date, locks[-1].through) == (kind, first, last)
        return locks[-1] if is_said else None

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
