"""Files that are there whole or not at all, after a crash at any moment.

The order is always the same: write under a temporary name in the same directory, fsync the file, move or link it to
its final name, fsync the directory and those above it. Several files are moved first and their directories made
durable together after: the first fsync then pays for all. Temporary names begin with `.tmp-`; nobody reads them and
`Store.vacuum` removes them.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl

from warehouse.faults import WriteError, fault_point

TEMPORARY = ".tmp-"
_serial = itertools.count()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_temporary(directory: Path, write: Callable[[Path], object], what: str) -> Path:
    """Let `write` fill a new temporary file of the directory, make it read-only and durable; return its path.

    `what` names the fault points. Raises WriteError.
    """
    temporary = directory / f"{TEMPORARY}{os.getpid()}-{next(_serial)}"
    with failing_cleanly(temporary.parent, temporary):
        fault_point(f"{what}.mkdir")
        directory.mkdir(parents=True, exist_ok=True)
        fault_point(f"{what}.write")
        write(temporary)
        fault_point(f"{what}.sync")
        with temporary.open("rb") as file:
            os.fchmod(file.fileno(), temporary.stat().st_mode & 0o555)
            os.fsync(file.fileno())
    return temporary


def move_into_place(temporary: Path, path: Path, what: str) -> None:
    """Give a temporary file its final name, over a file of that name if there is one. Raises WriteError.

    The name is durable after `sync_directories`.
    """
    with failing_cleanly(temporary.parent, temporary):
        fault_point(f"{what}.rename")
        temporary.replace(path)


def sync_directories(files: Iterable[Path], root: Path, what: str) -> None:
    """Make the names of files durable, and those of their directories up to `root`. Raises WriteError."""
    directories = {directory for file in files for directory in file.parents if directory.is_relative_to(root)}
    for directory in sorted(directories, reverse=True):
        with failing_cleanly(directory):
            fault_point(f"{what}.sync_directory")
            _sync(directory)


def create_if_absent(path: Path, content: bytes, what: str) -> bool:
    """Create a file with this content unless the name is taken: False then, and the file there is left alone.

    Of any number of processes that do this at once, exactly one gets True. Raises WriteError.
    """
    temporary = write_temporary(path.parent, lambda file: file.write_bytes(content), what)
    with failing_cleanly(temporary.parent, temporary):
        fault_point(f"{what}.link")
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
    sync_directories([path], path.parent, what)
    return True


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def failing_cleanly(directory: Path, temporary: Path | None = None) -> Iterator[None]:
    """Turn a failed write into one sentence with the directory and its free bytes, and leave no temporary file."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        msg = f"cannot write in {directory}: {reason} ({_free_bytes(directory)} bytes free); run again"
        raise WriteError(msg) from error


def _free_bytes(directory: Path) -> int:
    """Free bytes of the file system that holds the directory, or would hold it."""
    while not directory.exists():
        directory = directory.parent
    return shutil.disk_usage(directory).free
