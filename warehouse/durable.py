"""Files that are there whole or not at all, after a crash at any moment.

The order is always the same: write under a temporary name in the same directory, fsync the file, move or link it to
its final name, fsync the directory and those above it. Of several files each step is done for all before the next one
(`Staging`): the first fsync then pays for most, and each directory is made durable once. Temporary names begin with
`.tmp-`; nobody reads them and `Store.vacuum` removes them.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

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
    temporary = _fill_temporary(directory, write, what)
    _make_durable(temporary, what)
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


class Staging:
    """Files that get their final names together, at the end of a `with` block, each whole and durable by then.

    Nothing is visible before that, nor after a block that raises. A crash while the names are given leaves some of the
    files and not the others. `what` names the fault points. Raises WriteError.
    """

    def __init__(self, root: Path, what: str) -> None:
        self._root = root
        self._what = what
        self._temporaries: dict[Path, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._place()
        finally:
            for temporary in self._temporaries.values():
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def write(self, path: Path, write: Callable[[Path], object]) -> None:
        """Let `write` fill the file that is to become `path`."""
        self._temporaries[path] = _fill_temporary(path.parent, write, self._what)

    def current(self, path: Path) -> Path:
        """Where the content is that `path` has, or is to have."""
        return self._temporaries.get(path, path)

    def _place(self) -> None:
        for temporary in self._temporaries.values():
            _make_durable(temporary, self._what)
        for path, temporary in self._temporaries.items():
            move_into_place(temporary, path, self._what)
        sync_directories(self._temporaries, self._root, self._what)


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


def _fill_temporary(directory: Path, write: Callable[[Path], object], what: str) -> Path:
    """Let `write` fill a new temporary file of the directory; return its path."""
    temporary = directory / f"{TEMPORARY}{os.getpid()}-{next(_serial)}"
    with failing_cleanly(directory, temporary):
        fault_point(f"{what}.mkdir")
        directory.mkdir(parents=True, exist_ok=True)
        fault_point(f"{what}.write")
        write(temporary)
    return temporary


def _make_durable(temporary: Path, what: str) -> None:
    """Make a temporary file read-only, and its content durable."""
    with failing_cleanly(temporary.parent, temporary):
        fault_point(f"{what}.sync")
        with temporary.open("rb") as file:
            os.fchmod(file.fileno(), temporary.stat().st_mode & 0o555)
            os.fsync(file.fileno())


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
