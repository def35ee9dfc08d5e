"""The storage of the ledger: what the closed days hold, and the one way to add to it.

    store = Store(Home("~/ledger"))
    book = store.load_book(date(2026, 1, 4))
    with store.writer() as writer:
        writer.commit_day(date(2026, 1, 5), opening=..., tables=..., inputs=..., carrier_digest=..., code_version=...)

Readers take no lease. They find every file through the manifests and check its digest before they parse it, so that
they see all of a day or none of it, and a damaged file is never silently wrong. Nothing is rewritten in place.
`docs/decisions/001-storage.md` says why it is so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from schemas.book import BOOK_TABLES
from schemas.declare import Table
from schemas.versions import last_versions
from warehouse.days import Chain, DayRecord, LandingDigests, in_fewer_files, retired_parts
from warehouse.durable import TEMPORARY, failing_cleanly, sync_directories
from warehouse.faults import (
    ChainError,
    ConflictError,
    ContractError,
    CorruptError,
    LeaseError,
    LockedError,
    StaleError,
    StorageError,
    UnknownTableError,
    WriteError,
    fault_point,
)
from warehouse.lease import LEASE_SECONDS, Lease, start_of
from warehouse.manifest import HEAD, Commit, Part, Totals, decode, numbers, read_chain
from warehouse.parts import TABLES, problem_of, read_parts
from warehouse.writer import Writer

__all__ = [
    "ChainError",
    "Commit",
    "ConflictError",
    "ContractError",
    "CorruptError",
    "DayRecord",
    "Home",
    "LandingDigests",
    "LeaseError",
    "LockedError",
    "Part",
    "Problem",
    "StaleError",
    "StorageError",
    "Store",
    "Totals",
    "UnknownTableError",
    "WriteError",
    "Writer",
    "fault_point",
]


@dataclass(frozen=True)
class Home:
    """Where the files of one ledger are."""

    root: Path

    def __init__(self, path: str | os.PathLike[str]) -> None:
        object.__setattr__(self, "root", Path(path).expanduser().absolute())

    @property
    def carrier_file(self) -> Path:
        """The plans of the carrier."""
        return self.root / "carrier.toml"

    @property
    def landing(self) -> Path:
        """What came in, never changed."""
        return self.root / "landing"

    @property
    def warehouse(self) -> Path:
        """What the ledger made of it; written by this module and by the publisher of the database only."""
        return self.root / "warehouse"

    @property
    def tables(self) -> Path:
        """Parts of the days."""
        return self.warehouse / "tables"

    @property
    def checkpoints(self) -> Path:
        """Whole books at some closes."""
        return self.warehouse / "checkpoints"

    @property
    def manifests(self) -> Path:
        """One file per commit."""
        return self.warehouse / "manifests"

    @property
    def database(self) -> Path:
        """Published views and macros: a cache, never the record."""
        return self.warehouse / "paidthrough.duckdb"

    @property
    def lease(self) -> Path:
        """There while a writer is at work."""
        return self.warehouse / "writer.lease"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that `Store.verify` found: a code, the file, the manifest that names it, and one sentence."""

    code: str
    file: str
    manifest: str
    message: str


class Store:
    """The closed days of one home. Reading takes no lease; every call looks for commits made since the last one."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._chain = Chain()

    def chain(self) -> Chain:
        """The commits up to now. Raises CorruptError or ChainError when the manifests are not in order."""
        self._chain.extend(read_chain(self.home.manifests, self._chain.commits))
        return self._chain

    def head(self) -> Commit | None:
        """The last commit; none in an empty warehouse."""
        return self.chain().head

    def days(self, landing: LandingDigests | None = None) -> list[DayRecord]:
        """Every closed day in date order, the newest commit of each.

        With `landing` (`warehouse.landing.landing_digests`), a day whose landing files have changed is stale too, and
        so are those after it.
        """
        return self.chain().records(landing)

    def parts(self, table: str, through: date | None = None, after: date | None = None) -> list[Path]:
        """The files of a table from the fresh days after `after`, up to `through`, in date order."""
        return [self.home.warehouse / part.path for part, _ in self._parts(table, through, after)]

    def read(
        self, table: str, through: date | None = None, after: date | None = None, *, verify: bool = True
    ) -> pl.DataFrame:
        """The rows that the fresh days added to a table, or changed in it, in date order.

        State tables come with the column business_date, and a key once for each day that changed it. Raises
        CorruptError, UnknownTableError when the table is not declared and no day holds it.
        """
        frames = read_parts(self.home.warehouse, self._parts(table, through, after), verify=verify)
        if frames:
            return pl.concat(frames)
        if table not in TABLES:
            msg = f"there is no table {table}; there are {', '.join(sorted(TABLES))}"
            raise UnknownTableError(msg)
        declared = TABLES[table].empty()
        return declared if table not in _BOOK else declared.insert_column(0, pl.Series("business_date", [], pl.Date))

    def load_book(self, day: date) -> dict[str, pl.DataFrame]:
        """The state tables as at close of a day: the last version of each key, from a checkpoint and what came after.

        Raises StaleError when the day is not closed or is stale, CorruptError when a file is damaged.
        """
        fresh = {commit.business_date: commit for commit in self.chain().fresh_days()}
        if day not in fresh:
            reason = self.chain().stale_reasons().get(day, "it is not closed")
            msg = f"there is no book of {day}: {reason}; close the days up to it first"
            raise StaleError(msg)
        checkpoints = self._chain.standing(self._chain.checkpoints.values())
        usable = [commit for commit in checkpoints if commit.business_date <= day]
        base = max(usable, key=lambda commit: commit.business_date, default=None)
        return {name: self._state(table, base, day) for name, table in _BOOK.items()}

    @contextmanager
    def writer(self, run_id: str | None = None, lease_seconds: float = LEASE_SECONDS) -> Iterator[Writer]:
        """Take the writer's lease for the length of a `with` block.

        Raises LeaseError that says who holds it, WriteError when the warehouse cannot be written to.
        """
        home = self.home
        directories = (home.tables, home.checkpoints, home.manifests)
        with failing_cleanly(home.warehouse):
            for directory in directories:
                directory.mkdir(parents=True, exist_ok=True)
        sync_directories(directories, home.root, "warehouse")
        for directory in directories:
            if directory.is_symlink():
                msg = f"{directory} is a symbolic link; the warehouse must be one directory tree on one file system"
                raise WriteError(msg)
        lease = Lease.take(home.lease, run_id, lease_seconds)
        try:
            yield Writer(home.warehouse, home.manifests, self.chain(), lease)
        finally:
            lease.give_back()

    def verify(self) -> list[Problem]:
        """Read every manifest and hash every file that one names; what no manifest names is not looked at.

        Files that a retention gave up may be missing.
        """
        problems: list[Problem] = []
        commits: list[Commit] = []
        parent: str | None = None
        found = numbers(self.home.manifests)
        for number in range(1, (found[-1] if found else 0) + 1):
            name = f"{number:010d}.json"
            try:
                commit = decode(self.home.manifests / name)
            except StorageError as error:
                problems.append(Problem(error.code, f"manifests/{name}", name, error.message))
                parent = None
                continue
            if (commit.number != number or commit.parent != parent) and (parent is not None or number == 1):
                message = f"manifest {name} does not follow the one before it"
                problems.append(Problem("E-CHAIN", f"manifests/{name}", name, message))
            parent = commit.digest
            commits.append(commit)
        retired = retired_parts(commits)
        for commit in commits:
            for part in commit.parts if commit.kind != "retention" else ():
                if part.path not in retired and (wrong := problem_of(self.home.warehouse, part)):
                    message = f"{part.path}, named by manifest {commit.file_name}, {wrong}"
                    problems.append(Problem("E-CORRUPT", part.path, commit.file_name, message))
        return problems or self._head_problems()

    def vacuum(self) -> list[Path]:
        """Remove what crashed writers left: temporary files, and parts that no manifest names. Takes the lease.

        Parts that a retention gave up are removed too. Temporary files of a process that still runs on this host stay:
        it may be landing a file.
        """
        with self.writer():
            commits = self.chain().commits
            named = {part.path for commit in commits for part in commit.parts} - retired_parts(commits)
            parts = [*self.home.tables.rglob("*.parquet"), *self.home.checkpoints.rglob("*.parquet")]
            litter = [path for path in self.home.root.rglob(f"{TEMPORARY}*") if not _is_in_use(path)]
            litter += [path for path in parts if path.relative_to(self.home.warehouse).as_posix() not in named]
            for path in litter:
                path.unlink()
        return sorted(litter)

    def _head_problems(self) -> list[Problem]:
        """What is wrong with the end of a chain whose manifests are in order: the newest may be missing."""
        try:
            Store(self.home).head()
        except StorageError as error:
            return [Problem(error.code, f"manifests/{HEAD}", HEAD, error.message)]
        return []

    def _parts(self, table: str, through: date | None, after: date | None) -> list[tuple[Part, Commit]]:
        """The parts that hold what the fresh days of a range have of a table, each with its commit."""
        named = {
            part.path: (part, commit)
            for commit in self.chain().fresh_days()
            if (through is None or commit.business_date <= through) and (after is None or commit.business_date > after)
            for part in commit.parts
            if part.table == table
        }
        combined = self._chain.combined()
        chosen = in_fewer_files(list(named), combined)
        named |= {one.part.path: (one.part, one.commit) for one in combined}
        return [named[path] for path in chosen]

    def _state(self, table: Table, base: Commit | None, day: date) -> pl.DataFrame:
        """The last version of each key of a state table at close of a day."""
        whole = [] if base is None else [(part, base) for part in base.parts if part.table == table.name]
        later = self._parts(table.name, day, base.through if base else None)
        rows = pl.concat([table.empty(), *read_parts(self.home.warehouse, whole)])
        if not later:
            return rows
        changes = pl.concat(rows.drop("business_date") for rows in read_parts(self.home.warehouse, later))
        return last_versions(rows, changes, table.key)


def _is_in_use(temporary: Path) -> bool:
    """Whether the process that a temporary file is named after still runs, and is another one."""
    process = temporary.name.removeprefix(TEMPORARY).partition("-")[0]
    return process.isdigit() and int(process) != os.getpid() and start_of(int(process)) != ""


_BOOK = {table.name: table for table in BOOK_TABLES}
