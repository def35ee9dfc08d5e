"""NACHA: files of returned entries of the automated clearing house, records of 94 characters in blocks of ten.

    1 file header     5 batch header     6 entry     7 addenda (99: a return, 98: a notice of change)
    9 file control    8 batch control    then lines of nines until the last block is full

A return names the entry that it sends back by its trace number: the payment that has it as its reference is taken
back. Batch and file controls say how many entries and addenda there are, the sum of the routing numbers (entry hash),
and the totals of debits and credits; the file control also the number of batches and blocks. All are checked.
"""

from __future__ import annotations

import polars as pl

from pipelines.bankfiles.entries import ENTRIES, OTHER, RETURN, BankFile, Source
from pipelines.bankfiles.return_reasons import meanings, takes_nothing_back

FORMAT = "NACHA"
CURRENCY = "USD"
_LENGTH, _BLOCK = 94, 10
_HASH_LIMIT = 10**10
_FIRST_DEBIT_DIGIT = 5
_MAY_FOLLOW = {"1": "", "5": "18", "6": "567", "7": "67", "8": "567", "9": "18"}
_FIELDS = {
    "1": {"date": (24, 29), "destination": (4, 13), "origin": (14, 23), "time": (30, 33), "modifier": (34, 34)},
    "5": {"service class": (2, 4), "company": (41, 50), "bank": (80, 87), "batch number": (88, 94)},
    "6": {"code": (2, 3), "routing": (4, 11), "amount": (30, 39), "has_addenda": (79, 79), "trace": (80, 94)},
    "7": {"type": (2, 3), "reason": (4, 6), "original": (7, 21), "trace": (80, 94)},
    "8": {"service class": (2, 4), "company": (45, 54), "bank": (80, 87), "batch number": (88, 94)},
}
"""First and last place of the fields that are read, by type of record."""
_TOTALS = (("entry and addenda count", 6), ("entry hash", 10), ("total debit", 12), ("total credit", 12))
_BATCH_TOTALS_AT, _FILE_TOTALS_AT = 4, 13
"""After how many characters the totals of a control begin."""


def read_nacha(source: Source) -> BankFile:
    """The entries of a NACHA file, all its controls checked. Returned debits are returns; all else is not acted upon.

    Raises LandingError: the file, the line, the rule, what was expected and what was found.
    """
    lines = _lines(source)
    records = _without_filling(source, lines)
    _check_order(source, records)
    header = {name: lines["text"][0][first - 1 : last] for name, (first, last) in _FIELDS["1"].items()}
    created_on = source.short_date(header["date"], "line 1", "file creation date")
    entries = _entries(source, records)
    _check_totals(source, records, entries)
    identity = "/".join((FORMAT, *header.values()))
    sorted_out = _sort_out(entries).with_columns(booked_on=pl.lit(created_on)).select(ENTRIES.names())
    _check_doubles(source, sorted_out)
    return BankFile(FORMAT, identity, created_on, sorted_out)


def _lines(source: Source) -> pl.DataFrame:
    """Lines of the file: line, text and kind, which is the type of record."""
    texts = pl.Series("text", source.lines(), dtype=pl.String)
    lines = texts.to_frame().with_row_index("line", offset=1).with_columns(pl.col("line").cast(pl.Int64))
    wrong = lines.filter((pl.col("text").str.len_chars() != _LENGTH) | ~pl.col("text").str.contains(r"^[\x20-\x7E]*$"))
    if not wrong.is_empty():
        line, text = wrong.row(0)
        source.malformed(f"line {line}", f"has {len(text)} characters; a record has {_LENGTH}, of plain ASCII")
    return lines.with_columns(kind=pl.col("text").str.slice(0, 1))


def _without_filling(source: Source, lines: pl.DataFrame) -> pl.DataFrame:
    """The lines without the nines that fill the last block, which must be full."""
    controls = lines.filter((pl.col("kind") == "9") & (pl.col("text") != "9" * _LENGTH))
    if controls.is_empty():
        source.malformed(f"line {lines.height}", "is the last: the file control, record 9, is missing")
    line, text = controls.row(0)[:2]
    after = lines.filter((pl.col("line") > line) & (pl.col("text") != "9" * _LENGTH))
    if not after.is_empty():
        source.malformed(
            f"line {after['line'][0]}", "comes after the file control; the file holds more than one, or is doubled"
        )
    if lines.height % _BLOCK:
        source.malformed(f"line {lines.height}", f"is the last: a file has whole blocks of {_BLOCK} lines")
    where = f"line {line}, record 9"
    source.check(where, "block count", source.whole(text[7:13], where, "block count"), lines.height // _BLOCK)
    return lines.head(line)


def _check_order(source: Source, records: pl.DataFrame) -> None:
    """Batches in a file, entries in a batch, addenda after the entries that announce them."""
    allowed = [before + kind for kind, befores in _MAY_FOLLOW.items() for before in befores or " "]
    order = records.with_columns(
        before=pl.col("kind").shift(1, fill_value=" "), after=pl.col("kind").shift(-1, fill_value=" ")
    )
    wrong = order.filter(~(pl.col("before") + pl.col("kind")).is_in(allowed))
    if not wrong.is_empty():
        source.malformed(f"line {wrong['line'][0]}", f"is record {wrong['kind'][0]}, where it does not belong")
    announces = pl.col("text").str.slice(_FIELDS["6"]["has_addenda"][0] - 1, 1) == "1"
    odd = order.filter((pl.col("kind") == "6") & (announces != (pl.col("after") == "7")))
    if not odd.is_empty():
        source.malformed(f"line {odd['line'][0]}", "announces addenda and has none, or has some and does not say so")


def _entries(source: Source, records: pl.DataFrame) -> pl.DataFrame:
    """Entries with the first of their addenda: line, batch, the fields of record 6, type, reason, original."""
    numbered = records.with_columns(
        batch=(pl.col("kind") == "5").cum_sum().cast(pl.Int64), entry=(pl.col("kind") == "6").cum_sum().cast(pl.Int64)
    )
    entries = _cut(numbered, "6").select("line", "batch", "entry", "code", "routing", "amount", "trace")
    is_number = pl.all_horizontal(pl.col("code", "routing", "amount").str.contains(r"^[0-9]+$"))
    wrong = entries.filter(~is_number)
    if not wrong.is_empty():
        source.malformed(
            f"line {wrong['line'][0]}", "has a transaction code, a routing number or an amount that is none"
        )
    companies = _cut(numbered, "5").select("batch", bank_account=pl.col("company").str.strip_chars())
    addenda = (
        _cut(numbered, "7")
        .select("entry", "type", "reason", "original", return_trace="trace")
        .unique("entry", keep="first", maintain_order=True)
    )
    return (
        entries.with_columns(pl.col("routing", "amount").cast(pl.Int64))
        .join(companies, on="batch", how="left", maintain_order="left")
        .join(addenda, on="entry", how="left", maintain_order="left")
    )


def _check_totals(source: Source, records: pl.DataFrame, entries: pl.DataFrame) -> None:
    """Every batch control and the file control against the entries (counts, entry hash, debits, credits)."""
    is_debit = pl.col("code").str.slice(1, 1).cast(pl.Int64) >= _FIRST_DEBIT_DIGIT
    by_batch = entries.group_by("batch").agg(
        hash=pl.col("routing").sum(),
        debits=pl.col("amount").filter(is_debit).sum(),
        credits=pl.col("amount").filter(~is_debit).sum(),
    )
    sums = {batch: tuple(found) for batch, *found in by_batch.rows()}
    controls = records.filter(pl.col("kind").is_in(["5", "8"])).select("line", "text").rows()
    in_all = [0, 0, 0, 0]
    for number, ((start, header), (end, control)) in enumerate(
        zip(controls[::2], controls[1::2], strict=True), start=1
    ):
        where = f"line {end}, record 8"
        for name, (first, last) in _FIELDS["5"].items():
            from_control = _FIELDS["8"][name]
            source.check(where, name, control[from_control[0] - 1 : from_control[1]], header[first - 1 : last])
        hashed, debits, credits_ = sums.get(number, (0, 0, 0))
        found = [end - start - 1, hashed % _HASH_LIMIT, debits, credits_]
        _check_control(source, where, control[_BATCH_TOTALS_AT:], found)
        in_all = [before + more for before, more in zip(in_all, found, strict=True)]
    line, text = records.height, records["text"][-1]
    in_all[1] %= _HASH_LIMIT
    where = f"line {line}, record 9"
    source.check(where, "batch count", source.whole(text[1:7], where, "batch count"), len(controls) // 2)
    _check_control(source, where, text[_FILE_TOTALS_AT:], in_all, wider=2)


def _check_control(source: Source, where: str, totals: str, found: list[int], wider: int = 0) -> None:
    """The totals with which a control goes on; the count is `wider` in a file control."""
    place = 0
    for (rule, width), value in zip(_TOTALS, found, strict=True):
        end = place + width + (0 if place else wider)
        source.check(where, rule, source.whole(totals[place:end], where, rule), value)
        place = end


def _sort_out(entries: pl.DataFrame) -> pl.DataFrame:
    """Entries as ENTRIES but for their day: a return of a debit is a return, all else is not acted upon."""
    is_debit = pl.col("code").str.slice(1, 1).cast(pl.Int64) >= _FIRST_DEBIT_DIGIT
    is_return = pl.col("type") == "99"
    acts = is_return & is_debit & (pl.col("amount") > 0) & ~pl.col("reason").is_in(takes_nothing_back())
    meaning = pl.col("reason").replace_strict(meanings(), default="a return reason that is not listed")
    what = (
        pl.when(is_return & is_debit & (pl.col("amount") == 0))
        .then(pl.format("returned entry without an amount, {}", "reason"))
        .when(is_return & ~is_debit)
        .then(pl.format("returned credit, {}: {}", "reason", meaning))
        .when(is_return)
        .then(pl.format("{}: {}", "reason", meaning))
        .when(pl.col("type") == "98")
        .then(pl.format("notice of change, {}", "reason"))
        .otherwise(pl.format("entry that is no return, transaction code {}", "code"))
    )
    return entries.select(
        "bank_account",
        record=pl.format("line {}", "line"),
        kind=pl.when(acts).then(pl.lit(RETURN)).otherwise(pl.lit(OTHER)),
        what=what,
        amount=pl.when(acts | ~is_debit).then("amount").otherwise(-pl.col("amount")),
        currency=pl.lit(CURRENCY),
        reference=pl.when(is_return).then(pl.col("original").str.strip_chars()).otherwise("trace"),
        bank_reference=pl.coalesce("return_trace", "trace"),
        text=pl.lit(None, pl.String),
        reason_code=pl.when(is_return).then("reason"),
        method=pl.lit("ach"),
    )


def _check_doubles(source: Source, entries: pl.DataFrame) -> None:
    """No entry is sent back twice in one file."""
    doubled = entries.filter((pl.col("kind") == RETURN) & ~pl.col("reference").is_first_distinct())
    if not doubled.is_empty():
        record, reference = doubled.select("record", "reference").row(0)
        source.malformed(record, f"sends back trace number {reference} a second time")


def _cut(records: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The records of a type with their fields."""
    text = pl.col("text").str
    return records.filter(pl.col("kind") == kind).with_columns(
        text.slice(first - 1, last - first + 1).alias(name) for name, (first, last) in _FIELDS[kind].items()
    )
