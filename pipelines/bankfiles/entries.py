"""What every bank file comes to: entries, each a payment, a return or something else, and who sent them when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

import polars as pl

from schemas.currencies import MINOR_UNIT_DECIMALS
from warehouse.landing import Code, LandingError

ENTRIES = pl.Schema(
    {
        "record": pl.String(),  # where the entry stands in the file
        "kind": pl.String(),  # payment, return (of a payment, which `reference` names) or other
        "what": pl.String(),  # what the bank calls it
        "bank_account": pl.String(),
        "booked_on": pl.Date(),
        "amount": pl.Int64(),  # minor units, more than zero on payments and returns, negative when the bank took it
        "currency": pl.String(),
        "reference": pl.String(),  # of payer or bank: what a later return will name
        "bank_reference": pl.String(),  # names the entry in any file of the bank; null where nothing does
        "text": pl.String(),  # in which the ids of policy, invoice and account are looked for
        "reason_code": pl.String(),  # why it came back, of the return reasons of its format
        "method": pl.String(),
    }
)
"""Columns of the entries of a bank file."""
PAYMENT, RETURN, OTHER = "payment", "return", "other"
_LATEST = date(2150, 12, 31)


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file of a bank whose control totals hold.

    `identity` is what the sender calls the file; it tells entries apart that the bank gives no reference.
    """

    format: str
    identity: str
    created_on: date
    entries: pl.DataFrame
    text_tells: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is being read: its name for messages, and its bytes."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def text(self) -> str:
        """The whole file as text. Raises LandingError when it is not UTF-8."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.content.count(b"\n", 0, error.start) + 1
            self.malformed(f"line {line}", "is not UTF-8; save the file in UTF-8")

    def lines(self) -> list[str]:
        """The lines of the file without their ends; empty lines at the end do not count. Raises LandingError."""
        lines = self.text().replace("\r\n", "\n").split("\n")
        while lines and not lines[-1].strip(" \x1a"):
            lines.pop()
        return lines

    def malformed(self, where: str, problem: str) -> NoReturn:
        """Refuse the file for its form: raises LandingError."""
        msg = f"{self.name}, {where} {problem}"
        raise LandingError(Code.FORMAT, msg)

    def check(self, where: str, rule: str, expected: object, found: object) -> None:
        """Refuse the file when a control value is not what its records come to: raises LandingError."""
        if expected != found:
            msg = f"{self.name}, {where}: {rule}: it says {expected}, the file comes to {found}; nothing has landed"
            raise LandingError(Code.CONTROL, msg)

    def whole(self, text: str, where: str, what: str) -> int:
        """A whole number of a control record. Raises LandingError."""
        digits = text.strip()
        if not digits.removeprefix("-").removeprefix("+").isdecimal() or not digits.isascii():
            self.malformed(where, f"has {text!r} where its {what} belongs")
        return int(digits)

    def short_date(self, text: str, where: str, what: str) -> date:
        """A date as YYMMDD. Raises LandingError."""
        digits = text.strip()
        try:
            return date.fromisoformat(f"20{digits[:2]}-{digits[2:4]}-{digits[4:]}")
        except ValueError:
            self.malformed(where, f"has {text!r} where its {what} belongs, a date as YYMMDD")

    def iso_date(self, text: str | None, where: str, what: str) -> date:
        """The day of a date or a time as ISO 8601. Raises LandingError."""
        try:
            day = date.fromisoformat((text or "").strip()[: len("YYYY-MM-DD")])
        except ValueError:
            self.malformed(where, f"has {text!r} where its {what} belongs, a date as YYYY-MM-DD")
        if day > _LATEST:
            self.malformed(where, f"has {text!r} where its {what} belongs")
        return day

    def currency(self, code: str | None, where: str) -> str:
        """A currency whose minor unit is known. Raises LandingError."""
        if code not in MINOR_UNIT_DECIMALS:
            self.malformed(where, f"has the currency {code!r}, whose minor unit is not known")
        return code


def with_ids(file: BankFile) -> pl.DataFrame:
    """Add `entry_id` to the entries of a file: the same entry has the same id, whatever file brings it.

    An entry with a bank reference is told by what it says, its text left out where `text_tells` is False: a statement
    and a notification word the same credit differently. Without a bank reference the identity of its file counts as
    well, for two files may each have 50.00 from nobody known. Entries that say the same in one file are numbered.
    """
    has_reference = pl.col("bank_reference").is_not_null()
    parts = ("kind", "bank_account", "booked_on", "amount", "currency", "bank_reference", "reference")
    text = pl.col("text") if file.text_tells else pl.when(~has_reference).then("text")
    said = pl.concat_str((part.cast(pl.String).fill_null("") for part in (*map(pl.col, parts), text)), separator="\x1f")
    scope = pl.when(has_reference).then(pl.lit("")).otherwise(pl.lit(file.identity))
    entries = file.entries.with_columns(said=pl.concat_str(said, scope, separator="\x1e"))
    number = pl.int_range(pl.len()).over("said")
    said_texts = entries.select(pl.concat_str("said", number.cast(pl.String), separator="\x1e")).to_series()
    ids = [hashlib.sha256(text.encode()).hexdigest()[:20] for text in said_texts]
    return entries.drop("said").with_columns(pl.Series("entry_id", ids, dtype=pl.String))
