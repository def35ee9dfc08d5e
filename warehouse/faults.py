"""What can go wrong in storage, by name, and how a test makes it go wrong.

Every refusal of the storage is a `StorageError` with a stable code and one sentence that says what to do next. Every
boundary between two operations on files passes a `fault_point`, which does nothing unless a test has armed it.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

FAULT_VARIABLE = "PAIDTHROUGH_FAULT"
"""Arms one fault in a process: `<action>:<name of the fault point, or *>:<which pass, from 1>`."""
_ERRORS = {"enospc": errno.ENOSPC, "eio": errno.EIO, "edquot": errno.EDQUOT}
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


class StorageError(Exception):
    """Storage refuses or fails. `code` is stable; `message` is one sentence that says what to do next."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(f"{self.code}: {message}")
        self.message = message


class ConflictError(StorageError):
    """Another writer has committed since this one looked. Nothing was published; run again."""

    code = "E-CONFLICT"


class LeaseError(StorageError):
    """Another writer holds the warehouse, or has taken it over."""

    code = "E-LEASE"


class LockedError(StorageError):
    """The accounting period of the day is locked."""

    code = "E-LOCKED"


class CorruptError(StorageError):
    """A file is missing, unreadable, or not what its manifest says it is."""

    code = "E-CORRUPT"


class ChainError(StorageError):
    """The manifests, or the days, do not follow one another."""

    code = "E-CHAIN"


class ContractError(StorageError):
    """Rows break the contract of their table."""

    code = "E-CONTRACT"


class StaleError(StorageError):
    """The day is not closed, or no longer stands on the book that it was built on."""

    code = "E-STALE"


class WriteError(StorageError):
    """The file system does not take what is to be written."""

    code = "E-IO"


class UnknownTableError(StorageError):
    """There is no table of this name."""

    code = "E-TABLE"


class SchemaError(StorageError):
    """A file was written by a version of the table with other columns."""

    code = "E-SCHEMA"


class FormatError(StorageError):
    """A manifest was written by a newer version of the product."""

    code = "E-FORMAT"


class RangeError(StorageError):
    """The range of dates ends before it begins."""

    code = "E-RANGE"


@dataclass
class Fault:
    """A fault that strikes at the n-th pass of a fault point, and the passes it has seen."""

    action: str
    name: str = "*"
    nth: int = 1
    passes: list[str] = field(default_factory=list)

    def passed(self, name: str) -> None:
        """Count a pass; strike when it is the one."""
        if self.name not in ("*", name):
            return
        self.passes.append(name)
        if len(self.passes) != self.nth:
            return
        if self.action in _SIGNALS:
            os.kill(os.getpid(), _SIGNALS[self.action])
        else:
            number = _ERRORS[self.action]
            raise OSError(number, os.strerror(number), name)


def fault_point(name: str) -> None:
    """Mark the moment before the operation `name`; does nothing unless a fault is armed."""
    if _armed is not None:
        _armed.passed(name)


@contextmanager
def armed(action: str, name: str = "*", nth: int = 1) -> Iterator[Fault]:
    """Arm one fault in this process for the length of a `with` block: kill, stop, enospc, eio or edquot."""
    global _armed  # noqa: PLW0603 - the one switch of this module, off outside tests
    before, _armed = _armed, Fault(action, name, nth)
    try:
        yield _armed
    finally:
        _armed = before


def _fault_of_environment() -> Fault | None:
    """The fault that `PAIDTHROUGH_FAULT` asks for."""
    text = os.environ.get(FAULT_VARIABLE)
    if not text:
        return None
    action, name, nth = text.split(":")
    return Fault(action, name, int(nth))


_armed: Fault | None = _fault_of_environment()
