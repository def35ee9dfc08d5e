"""Taking files in: landing files as they are, bank files as the payments and returns that they hold.

    home/received/<sha256>.bai2    the file as it came; landing rows lead to it (source_file, source_record)
    home/received/<sha256>.json    what it came to: written last, so that it says that all of the file has landed

Several files land together or not at all. The same bytes again, under whatever name and day, change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from assets.carrier_file import read_carrier
from ledger.bank_files import BankFiles
from ledger.money import format_minor_units
from ledger.parsing import decimals_of
from pipelines.bankfiles.bai2 import read_bai2
from pipelines.bankfiles.camt import read_camt
from pipelines.bankfiles.entries import PAYMENT, BankFile, Source
from pipelines.bankfiles.landing_rows import landing_rows
from pipelines.bankfiles.nacha import read_nacha
from pipelines.control_totals import Batch, ControlTotals, batch_of, check_control
from pipelines.homes import HomeError
from schemas.landing import LANDING_TABLES
from warehouse.durable import Staging
from warehouse.landing import Code, Landed, LandingError, land_all, read_file
from warehouse.landing_files import MAX_BYTES
from warehouse.storage import Home

_TABLES = {table.name: table for table in LANDING_TABLES}
_LANDING_KINDS = (".csv", ".jsonl", ".ndjson", ".parquet")
_SUFFIXES = {"BAI2": ".bai2", "NACHA": ".ach", "camt.053": ".xml", "camt.054": ".xml"}
_MARKS = {b"01,": "BAI2", b"101": "NACHA", b"<": "camt"}
"""How the files of each format begin."""
_MARK_WITHIN = 64


@dataclass(frozen=True, slots=True)
class Tally:
    """How many entries of one sort a bank file has, and what they come to."""

    kind: str
    what: str
    currency: str
    count: int
    amount: str


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a bank file: `is_new` is False when the same bytes came before, and nothing was done now."""

    file: str
    format: str
    sha256: str
    business_date: date
    is_new: bool
    tallies: tuple[Tally, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A bank file and what is to land of it."""

    source: Source
    file: BankFile
    business_date: date
    tables: dict[str, pl.DataFrame]


def take_in(
    home: Home, files: Sequence[tuple[str, Path]], day: date | None, said: ControlTotals
) -> tuple[list[Landed], list[Received]]:
    """Land files, each with its table; the bank files among those for `payments` as what they hold.

    The business date of a bank file is `day`, else the day on which it was made. When a file is refused or the batch
    does not come to its control totals, nothing lands. Raises LandingError, WriteError, CarrierError, HomeError.
    """
    sources = [(table, path, _bank_source(table, path)) for table, path in files]
    rules = read_carrier(home)[0].bank_files if any(source for *_, source in sources) else BankFiles()
    banks = {source.digest: _read(source, day, rules) for *_, source in sources if source}
    if said:
        _check_batch(said, sources, banks)
    before = {digest: _received_before(home, digest) for digest in banks}
    with TemporaryDirectory(prefix="paidthrough-") as directory:
        to_land: list[tuple[str, Path]] = [(table, path) for table, path, source in sources if source is None]
        for digest, read in banks.items():
            if before[digest] is None:
                to_land += _written(Path(directory), read, digest)
        landed = land_all(home, to_land, day)
    for digest, read in banks.items():
        if before[digest] is None:
            _keep(home, read, digest)
    named = [source for *_, source in sources if source]
    first = {source.digest: source for source in reversed(named)}
    return landed, [
        _told(banks[one.digest], before[one.digest], one, is_first=first[one.digest] is one) for one in named
    ]


def _bank_source(table: str, path: Path) -> Source | None:
    """The file, if its first characters are those of a bank and its name says nothing else. Raises LandingError."""
    if table != "payments" or path.suffix.lower() in _LANDING_KINDS or not path.is_file():
        return None
    if path.stat().st_size > MAX_BYTES:
        msg = f"{path.name} has more than {MAX_BYTES} bytes; ask the bank to split it"
        raise LandingError(Code.LIMIT, msg)
    source = Source(path.name, path.read_bytes())
    return source if _mark_of(source) else None


def _mark_of(source: Source) -> str | None:
    head = source.content[:_MARK_WITHIN].removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)


def _read(source: Source, day: date | None, rules: BankFiles) -> _Read:
    """Read a bank file and see that nothing in it lies after its business date. Raises LandingError."""
    readers: Mapping[str, Callable[[Source], BankFile]] = {
        "BAI2": partial(read_bai2, rules=rules),
        "NACHA": read_nacha,
        "camt": read_camt,
    }
    file = readers[_mark_of(source) or ""](source)
    business_date = day or file.created_on
    late = file.entries.filter((pl.col("kind") == PAYMENT) & (pl.col("booked_on") > business_date))
    if not late.is_empty():
        record, booked_on = late.select("record", "booked_on").row(0)
        msg = f"{source.name}, {record} is booked on {booked_on}, after the business date {business_date}; use --date"
        raise LandingError(Code.DATE, msg)
    return _Read(source, file, business_date, dict(landing_rows(file, source.digest, business_date, rules)))


def _check_batch(
    said: ControlTotals, sources: Sequence[tuple[str, Path, Source | None]], banks: dict[str, _Read]
) -> None:
    """All files of the batch against its control totals: every row of a landing file, the payments of a bank file."""
    tables = {_TABLES[table] for table, *_ in sources}
    if said.total is not None and not all(table.money for table in tables):
        msg = "--control-total is for tables with amounts: " + ", ".join(n for n, t in _TABLES.items() if t.money)
        raise HomeError(msg)
    batches: list[Batch] = []
    for table, path, source in sources:
        if source is None:
            batches.append(batch_of(read_file(path, _TABLES[table]), path.name, _TABLES[table]))
        elif "payments" in banks[source.digest].tables:
            batches.append(batch_of(banks[source.digest].tables["payments"], source.name, _TABLES["payments"]))
    check_control(said, batches, ", ".join(path.name for _, path, _ in sources))


def _written(directory: Path, read: _Read, digest: str) -> list[tuple[str, Path]]:
    """The rows of a bank file as files to land, named after its digest."""
    files = []
    for table, rows in read.tables.items():
        file = directory / table / f"bank-{digest[:16]}.parquet"
        file.parent.mkdir(exist_ok=True)
        rows.write_parquet(file, compression="uncompressed")
        files.append((table, file))
    return files


def _received_before(home: Home, digest: str) -> dict[str, Any] | None:
    """What is noted of a file that has landed before, whole."""
    note = home.root / "received" / f"{digest}.json"
    return json.loads(note.read_text(encoding="utf-8")) if note.is_file() else None


def _keep(home: Home, read: _Read, digest: str) -> None:
    """Keep the file as it came, then note that it has landed. Raises WriteError."""
    folder = home.root / "received"
    with Staging(home.root, "received") as staging:
        raw = folder / f"{digest}{_SUFFIXES[read.file.format]}"
        staging.write(raw, lambda file: file.write_bytes(read.source.content))
    note = {
        "file": read.source.name,
        "format": read.file.format,
        "identity": read.file.identity,
        "business_date": str(read.business_date),
        "tallies": [asdict(tally) for tally in _tallies(read.file)],
    }
    with Staging(home.root, "received") as staging:
        text = json.dumps(note, indent=1, ensure_ascii=False)
        staging.write(folder / f"{digest}.json", lambda file: file.write_text(text, encoding="utf-8"))


def _told(read: _Read, before: dict[str, Any] | None, source: Source, *, is_first: bool) -> Received:
    day = date.fromisoformat(before["business_date"]) if before else read.business_date
    is_new = before is None and is_first
    return Received(source.name, read.file.format, source.digest, day, is_new, _tallies(read.file))


def _tallies(file: BankFile) -> tuple[Tally, ...]:
    """Entries by kind, what the bank calls them, and currency: payments first, then returns, then others."""
    order = pl.col("kind").replace_strict({"payment": 0, "return": 1, "other": 2}, return_dtype=pl.Int64)
    counted = (
        file.entries.group_by("kind", "what", "currency")
        .agg(count=pl.len(), amount=pl.col("amount").sum())
        .sort(order, "what", "currency")
        .with_columns(amount=format_minor_units(pl.col("amount"), decimals_of(pl.col("currency"))))
    )
    return tuple(Tally(*row) for row in counted.select("kind", "what", "currency", "count", "amount").rows())
