"""The numbered catalogue of reason codes: why a row was refused, or booked with a warning, and what to do about it.

The catalogue is data, one file a family in `reason_codes/`. Codes never change their meaning and
numbers are never used twice; a code that is
no longer raised keeps its place. Codes that begin with E- refuse the row, codes that begin with W- book it.
`docs/quarantine.md` is made from it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

ANY_TABLE = "any"
WHOLE_FILE = "file"
Severity = Literal["refused", "warning"]
DecidedBy = Literal["file", "row", "day", "book"]
"""Seen in the file; in the row and the carrier's plans; in what else came in or is booked; or while booking."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: its code and number, the landing table and rule it belongs to, its meaning and what to do."""

    code: str
    number: int
    table: str
    rule: str
    decided_by: DecidedBy
    meaning: str
    remedy: str

    @property
    def label(self) -> str:
        """The number as people quote it."""
        return f"Q-{self.number:03d}"

    @property
    def severity(self) -> Severity:
        """Whether the row was refused or booked."""
        return "refused" if self.code.startswith("E-") else "warning"


def _catalogue() -> dict[str, Reason]:
    folder = files("ledger").joinpath("reason_codes")
    reasons = [
        Reason(code=code, **settings)
        for source in folder.iterdir()
        if source.name.endswith(".toml")
        for code, settings in tomllib.loads(source.read_text(encoding="utf-8")).items()
    ]
    return {reason.code: reason for reason in sorted(reasons, key=lambda reason: reason.number)}


REASONS: dict[str, Reason] = _catalogue()
"""Every reason by its code, in order of number."""


def rule_of(code: str) -> str:
    """The rule behind a reason code."""
    return REASONS[code].rule


def quarantine_guide() -> str:
    """The text of docs/quarantine.md."""
    parts = [_INTRODUCTION]
    for title, severity in (("Refused", "refused"), ("Booked with a warning", "warning")):
        chosen = [reason for reason in REASONS.values() if reason.severity == severity]
        parts.append(f"\n## {title}\n")
        for table in dict.fromkeys(reason.table for reason in chosen):
            parts.append(f"\n### {_heading(table)}\n\n{_TABLE_HEAD}")
            parts += [
                f"| {reason.label} | `{reason.code}` | {reason.rule} | {reason.meaning} | {reason.remedy} |\n"
                for reason in chosen
                if reason.table == table
            ]
    return "".join(parts)


def _heading(table: str) -> str:
    return {ANY_TABLE: "Any table", WHOLE_FILE: "Whole files"}.get(table, f"`{table}`")


_TABLE_HEAD = "| number | code | rule | meaning | what to do |\n|---|---|---|---|---|\n"
_INTRODUCTION = """# Quarantine: why a row was not booked

Generated from `ledger/reason_codes/`; a test keeps it true.

A row that cannot be booked goes to the `quarantine` table with its file and row number, its id, a reason code, the
rule, a detail that names column and value, and the row as it came in (`raw_json`). The other rows of the file are
booked. Every row of a file ends in exactly one of three places: booked, duplicate (same id and same contents as before:
no effect), or quarantine. The `intake` table has the counts and amounts per file.

- A billing instruction is booked as a whole or not at all: if it is refused, so are its charges, and if a charge is
  refused, so are the instruction and its other charges.
- A row shows one reason, the first that applies in the order of the checks; correct it and the next may appear.
- A refused id is free: the corrected row may be landed on any open day under the same id.
- An id that was booked is taken. The same contents again have no effect; other contents are `E-ID-CONFLICT`.
- A missing file column that is optional means empty. Spaces around a value do not count.
- Text that looks like a card or bank account number is never copied into the quarantine.
- Rows booked with a warning are in the `warnings` table, in the same shape.
"""
