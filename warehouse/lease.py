"""The writer's lease: at most one run writes to a warehouse, and whoever must wait is told for whom.

The lease is a file created only if absent. It ends when its owner gives it back, when it expires, or when its owner is
found dead on this host; then the next writer takes it over. A paused owner may wake up after that, so the lease is
courtesy and the number of the manifest is the fence: of two writers on one head, `manifest.publish` lets one through.

Only this module and `warehouse.compaction`, which asks how old manifests are, read the clock; nothing that they read
goes into a manifest.
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from warehouse.durable import TEMPORARY, create_if_absent, move_into_place, write_temporary
from warehouse.faults import LeaseError

LEASE_SECONDS = 600.0
"""How long a lease lasts without a heartbeat; each commit is one."""
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lease."""

    host: str
    pid: int
    started: str
    """When the process began, by the host's own count: a later process with the same pid is another one."""
    run_id: str
    expires: float
    """Seconds since 1970."""

    @property
    def is_gone(self) -> bool:
        """Whether the lease has expired or its owner is dead on this very host."""
        is_dead = self.host == socket.gethostname() and start_of(self.pid) != self.started
        return is_dead or self.expires < time.time()

    def encode(self) -> bytes:
        """The content of the lease file."""
        return json.dumps(asdict(self)).encode()


class Lease:
    """A lease in hand."""

    def __init__(self, path: Path, holder: Holder, seconds: float) -> None:
        self._path = path
        self._holder = holder
        self._seconds = seconds

    @classmethod
    def take(cls, path: Path, run_id: str | None = None, seconds: float = LEASE_SECONDS) -> Lease:
        """Take the lease, over a dead or expired owner if need be.

        Raises LeaseError that says who holds it, WriteError when there is no room for it.
        """
        holder = Holder(
            host=socket.gethostname(),
            pid=os.getpid(),
            started=start_of(os.getpid()),
            run_id=run_id or uuid.uuid4().hex,
            expires=time.time() + seconds,
        )
        lease = cls(path, holder, seconds)
        for _ in range(_ATTEMPTS):
            try:
                is_ours = create_if_absent(path, holder.encode(), "lease")
            except BaseException:
                # The file may be there already: linked, but its directory not durable, or the run interrupted.
                lease.give_back()
                raise
            if is_ours:
                return lease
            owner = _read(path)
            if owner is not None and not owner.is_gone:
                msg = (
                    f"the warehouse is being written by run {owner.run_id} (process {owner.pid} on {owner.host}); wait "
                    f"for it to end, or stop it: its lease {path} runs out {_minutes(owner)} after its last commit"
                )
                raise LeaseError(msg)
            if owner is not None:
                _put_aside(path, owner)
        msg = f"the lease {path} changes hands all the time; run again when the other runs have ended"
        raise LeaseError(msg)

    def heartbeat(self) -> None:
        """Make sure that the lease is still ours, and renew it when half of it is gone. Raises LeaseError."""
        owner = _read(self._path)
        if owner is None or owner.run_id != self._holder.run_id:
            taker = "nobody" if owner is None else f"run {owner.run_id} (process {owner.pid} on {owner.host})"
            msg = f"this run was away for too long and has lost its lease, now held by {taker}; run it again"
            raise LeaseError(msg)
        if owner.expires < time.time() + self._seconds / 2:
            renewed = Holder(owner.host, owner.pid, owner.started, owner.run_id, time.time() + self._seconds)
            temporary = write_temporary(self._path.parent, lambda file: file.write_bytes(renewed.encode()), "lease")
            move_into_place(temporary, self._path, "lease")  # needs no fsync: a crash ends the lease anyway

    def give_back(self) -> None:
        """End the lease, unless somebody has taken it over."""
        owner = _read(self._path)
        if owner is not None and owner.run_id == self._holder.run_id:
            self._path.unlink(missing_ok=True)


def _put_aside(path: Path, owner: Holder) -> None:
    """Remove the lease of an owner who is gone; if another has taken it over in between, put that one's back."""
    aside = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    if _read(aside) != owner:
        # A lease of this name created meanwhile stays; the owner of the one in hand learns it at its next heartbeat.
        create_if_absent(path, aside.read_bytes(), "lease")
    aside.unlink()


def _read(path: Path) -> Holder | None:
    """The holder that a lease file names; none when there is no file. Raises LeaseError when it is unreadable."""
    try:
        return Holder(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        msg = f"the lease {path} is unreadable; remove it when no run is writing to this warehouse"
        raise LeaseError(msg) from error


def start_of(pid: int) -> str:
    """When a process of this host began, in ticks since the host did; empty when no such process runs."""
    try:
        state, *status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "unknown" if _exists(pid) else ""
    return "" if state == "Z" else status[18]


def _exists(pid: int) -> bool:
    """Whether a process runs, on hosts without /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _minutes(owner: Holder) -> str:
    left = max(0.0, owner.expires - time.time())
    return f"in {left / 60:.0f} min"
