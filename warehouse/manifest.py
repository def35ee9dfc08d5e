"""Manifests: one small file per commit, numbered, chained, created only if absent; the last thing a commit writes.

What is not named by a manifest does not exist for a reader. A manifest holds no time of day and no random number, so
the same day committed on the same head gives the same bytes. The file HEAD names the newest one and is written after
it, so that nobody can lose the newest manifests unnoticed.

Two digests matter. The *digest of a commit* covers the whole manifest, its parent's digest included: the chain. The
*digest of a day* covers what the day published and the digest of the day before it, and nothing else: two histories
that end in the same book have the same one, whatever was re-closed on the way.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple

from warehouse.durable import create_if_absent, move_into_place, write_temporary
from warehouse.faults import ChainError, ConflictError, CorruptError, FormatError, fault_point

Kind = Literal["day", "checkpoint", "lock", "unlock", "compaction", "retention"]
"""day: a closed day. checkpoint: a copy of the book after one. lock, unlock: of a range of days. compaction: the parts
of a range of days, combined. retention: parts that nothing needs any more and whose files are removed."""
FORMAT = 2
"""Version of the layout of manifests; a newer one than this is refused, never guessed at."""
_FORMATS: dict[Kind, int] = {"compaction": 2, "retention": 2}
"""The first version that knows a kind of commit, where that is not 1: an older one would take it for another kind."""
HEAD = "HEAD"
_NAME = re.compile(r"(\d{10})\.json")
_HEAD = re.compile(r"([0-9a-f]{64})  (\d{10})\.json\n")
_DIGEST = re.compile(rb'\{"digest":"([0-9a-f]{64})",')


class Totals(NamedTuple):
    """Sums of journal lines in minor units of one currency."""

    debits: int
    credits: int


@dataclass(frozen=True, slots=True)
class Part:
    """One immutable Parquet file: what it holds and how to know that it still does."""

    table: str
    path: str
    """Below warehouse/, with forward slashes; the name holds the beginning of the digest."""
    sha256: str
    bytes: int
    rows: int
    schema: str
    """Digest of the column names and types."""
    sums: Mapping[str, Totals] = field(default_factory=dict)
    """Debits and credits by currency, on parts of the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One manifest."""

    kind: Kind
    business_date: date
    through: date
    """Last date of a range; the business date otherwise."""
    number: int = 0
    """From 1; 0 while it is a draft."""
    parent: str | None = None
    """Digest of the commit before this one."""
    opening: str | None = None
    """Digest of the day that a day was built on."""
    day_digest: str | None = None
    """Digest of the day: of the one closed here, of the one that a checkpoint is a copy of, or of the last one that a
    compaction combines."""
    parts: tuple[Part, ...] = ()
    """Files that this commit adds; those that a retention removes."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each landing file, by its path below landing/."""
    carrier_digest: str = ""
    code_version: str = ""
    digest: str = ""
    """Digest of this manifest; known once it is written."""

    @property
    def file_name(self) -> str:
        """Name of the manifest below manifests/."""
        return f"{self.number:010d}.json"


def digest_of_day(day: date, opening: str | None, parts: Sequence[Part]) -> str:
    """Digest of what a day published, and through `opening` of every day before it."""
    result = {
        "business_date": day.isoformat(),
        "opening": opening,
        "parts": [[part.table, part.sha256] for part in parts],
    }
    return _sha256(_canonical(result))


def publish(directory: Path, draft: Commit) -> Commit:
    """Write the manifest of a commit and return the commit as read back, with its digest.

    Raises ConflictError when its number is taken: the parent is no longer the head. WriteError.
    """
    path = directory / draft.file_name
    if not create_if_absent(path, encode(draft), "manifest"):
        msg = f"another run has committed {path.name} meanwhile; nothing of this commit was published, run it again"
        raise ConflictError(msg)
    published = decode(path)
    _record_head(directory, published)
    return published


def read_chain(directory: Path, known: Sequence[Commit]) -> list[Commit]:
    """The commits that follow those already known, oldest first.

    Raises CorruptError when a manifest is damaged, ChainError when one is missing or follows another parent.
    """
    newest = head_of(directory)  # read first: a commit that is made meanwhile is newer than it, never missing
    commits: list[Commit] = []
    number, head = (known[-1].number, known[-1].digest) if known else (0, None)
    while (path := directory / f"{number + 1:010d}.json").exists():
        commit = decode(path)
        if commit.number != number + 1 or commit.parent != head:
            msg = f"{path} does not follow the manifest before it; restore {directory} from a backup"
            raise ChainError(msg)
        commits.append(commit)
        number, head = commit.number, commit.digest
    if not known and (beyond := [n for n in numbers(directory) if n > number]):
        msg = f"{path} is missing although {beyond[0]:010d}.json exists; restore it from a backup"
        raise ChainError(msg)
    _check_head(directory, newest, [*known, *commits])
    return commits


def head_of(directory: Path) -> tuple[int, str] | None:
    """Number and digest of the newest manifest, as HEAD has them; none before the first. Raises CorruptError."""
    path = directory / HEAD
    try:
        content = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        content = ""
    if (match := _HEAD.fullmatch(content)) is None:
        msg = f"{path} does not name a manifest; restore {directory} from a backup"
        raise CorruptError(msg)
    return int(match[2]), match[1]


def _record_head(directory: Path, commit: Commit) -> None:
    """Write down that a commit is the newest. A crash before this leaves HEAD behind, which is no harm."""
    content = f"{commit.digest}  {commit.file_name}\n".encode()
    temporary = write_temporary(directory, lambda file: file.write_bytes(content), "head")
    move_into_place(temporary, directory / HEAD, "head")


def _check_head(directory: Path, newest: tuple[int, str] | None, commits: Sequence[Commit]) -> None:
    """Of the manifests that were ever written none is missing at the end. Raises ChainError."""
    if newest is None:
        return
    number, digest = newest
    if number > len(commits) or commits[number - 1].digest != digest:
        what = "is missing" if number > len(commits) else "is another one"
        msg = (
            f"{directory / f'{number:010d}.json'}, once the newest manifest, {what}: restore it from a backup; or give "
            f"up what was committed since, remove {directory / HEAD} and close the days again"
        )
        raise ChainError(msg)


def numbers(directory: Path) -> list[int]:
    """The numbers of the manifests that a directory holds, ascending; other files do not count."""
    if not directory.is_dir():
        return []
    return sorted(int(match[1]) for path in directory.iterdir() if (match := _NAME.fullmatch(path.name)))


def encode(commit: Commit) -> bytes:
    """The bytes of a manifest: canonical JSON, opened by the digest of everything after it."""
    body = asdict(commit)
    del body["digest"]
    body["business_date"] = commit.business_date.isoformat()
    body["through"] = commit.through.isoformat()
    body["format"] = _FORMATS.get(commit.kind, 1)
    for part in body["parts"]:
        part["sums"] = {currency: sums._asdict() for currency, sums in part["sums"].items()}
    text = _canonical(body)
    return b'{"digest":"' + _sha256(text).encode() + b'",' + text[1:]


def decode(path: Path) -> Commit:
    """Read one manifest. Raises CorruptError when it is not what was written, FormatError when too new."""
    try:
        fault_point("manifest.read")
        content = path.read_bytes()
    except OSError as error:
        msg = f"manifest {path} cannot be read ({error.strerror}); restore it from a backup"
        raise CorruptError(msg) from error
    match = _DIGEST.match(content)
    if match is None or _sha256(b"{" + content[match.end() :]) != match[1].decode():
        msg = f"manifest {path} does not match its own digest; restore it from a backup"
        raise CorruptError(msg)
    body: dict[str, Any] = json.loads(content)
    if (found := body.pop("format")) > FORMAT:
        msg = f"manifest {path} has format {found}, this version reads up to format {FORMAT}; use a newer version"
        raise FormatError(msg)
    body["business_date"] = date.fromisoformat(body["business_date"])
    body["through"] = date.fromisoformat(body["through"])
    body["parts"] = tuple(_part(part) for part in body["parts"])
    return Commit(**body)


def _part(body: dict[str, Any]) -> Part:
    body["sums"] = {currency: Totals(**sums) for currency, sums in body["sums"].items()}
    return Part(**body)


def _canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
