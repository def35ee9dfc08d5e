"""ISO 20022 camt.053 (statements) and camt.054 (notifications), any version.

A booked credit is a payment, one for each of its transactions where the bank lists them. A booked debit that says why
it came back, or that is marked as a reversal, takes a payment back, which its end-to-end reference names. All else
(fees, other debits, what is not booked yet) is counted and not acted upon.

Checked are, where the file has them: number and sum of all entries, of credits and of debits; in a statement that the
opening balance and the entries come to the closing balance, and there must be both; number and sum of the transactions
of an entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipelines.bankfiles.camt_entries import Entry, Facts, entries_of, minor_units_of, signed
from pipelines.bankfiles.camt_xml import PARTS, Record, stream
from pipelines.bankfiles.entries import ENTRIES, BankFile, Source

_OPENING, _CLOSING = ("OPBD", "PRCD"), "CLBD"
_YES = ("true", "1")


@dataclass(slots=True)
class _Totals:
    """What the entries of a statement or notification come to so far; sums in minor units."""

    counts: dict[str, int] = field(default_factory=lambda: {"CRDT": 0, "DBIT": 0})
    sums: dict[str, int] = field(default_factory=lambda: {"CRDT": 0, "DBIT": 0})
    booked: int = 0
    """Credits less debits that are booked."""
    currency: str | None = None


class _Reader:
    """One file while its records come in."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.message_id = ""
        self.created_on: date | None = None
        self.parts: list[tuple[str, str]] = []
        self.rows: list[Entry] = []
        self._totals = _Totals()

    def take(self, name: str, record: Record, around: Record) -> None:
        """The next record; those that belong to one that is still open are put aside in it."""
        if name == "Ntry":
            self._take_entry(record, around)
        elif name in ("TxDtls", "Bal"):
            around.setdefault(name, []).append(record)
        elif name == "GrpHdr":
            self._take_header(record)
        else:
            self._take_part(name, record)
            self._totals = _Totals()

    def _take_header(self, header: Record) -> None:
        self.message_id = header.get("MsgId", "")
        self.created_on = self.source.iso_date(header.get("CreDtTm"), "GrpHdr", "creation date")
        page = header.get("MsgPgntn/PgNb", "1")
        if page.lstrip("0") != "1" or header.get("MsgPgntn/LastPgInd", "true") not in _YES:
            self.source.malformed("GrpHdr", f"is page {page} of several; ask the bank for one file")

    def _take_entry(self, entry: Record, part: Record) -> None:
        totals = self._totals
        where = f"statement {len(self.parts) + 1}, Ntry {sum(totals.counts.values()) + 1}"
        account = part.get("Acct/Id/IBAN") or part.get("Acct/Id/Othr/Id")
        if account is None:
            self.source.malformed(where, "belongs to no account number")
        amount = self._amount(entry, part, where)
        side = entry.get("CdtDbtInd", "")
        if side not in totals.counts:
            self.source.malformed(where, f"has the side {side!r}; CRDT and DBIT are known")
        status = entry.get("Sts/Cd") or entry.get("Sts", "")
        totals.counts[side] += 1
        totals.sums[side] += amount
        totals.booked += signed(amount, side) if status == "BOOK" else 0
        assert totals.currency is not None
        facts = Facts(account, totals.currency, amount, side, status)
        self.rows += entries_of(self.source, entry, where, facts)

    def _take_part(self, name: str, part: Record) -> None:
        """The end of a statement or notification: it is the only one with its id, and its controls hold."""
        where = f"statement {len(self.parts) + 1}"
        identity = (part.get("Id", ""), part.get("Acct/Id/IBAN") or part.get("Acct/Id/Othr/Id") or "")
        if identity in self.parts:
            self.source.malformed(where, f"has the id {identity[0]!r} of one before it; the file is doubled")
        if part.get("StmtPgntn/LastPgInd", "true") not in _YES:
            self.source.malformed(where, "is a page of several; ask the bank for one file")
        self._check_summary(part, where)
        if name == PARTS["camt.053"]:
            self._check_balances(part, where)
        self.parts.append(identity)

    def _check_balances(self, part: Record, where: str) -> None:
        """The opening balance and what is booked come to the closing balance."""
        balances: dict[str, int] = {}
        for balance in part.get("Bal", ()):
            code = balance.get("Tp/CdOrPrtry/Cd", "")
            amount = self._amount(balance, part, f"{where}, balance {code}")
            balances.setdefault(code, signed(amount, balance.get("CdtDbtInd")))
        opening = next((balances[code] for code in _OPENING if code in balances), None)
        if opening is None or _CLOSING not in balances:
            self.source.malformed(where, "lacks the opening balance (OPBD, PRCD) or the closing balance (CLBD)")
        found = opening + self._totals.booked
        self.source.check(where, "closing balance, in minor units", balances[_CLOSING], found)

    def _check_summary(self, part: Record, where: str) -> None:
        """Number and sum of entries, of credits and of debits, as far as the bank says them."""
        counts, sums = self._totals.counts, self._totals.sums
        sides = {
            "TtlNtries": (sum(counts.values()), sum(sums.values())),
            "TtlCdtNtries": (counts["CRDT"], sums["CRDT"]),
            "TtlDbtNtries": (counts["DBIT"], sums["DBIT"]),
        }
        for name, (count, total) in sides.items():
            said_count, said_sum = (part.get(f"TxsSummry/{name}/{what}") for what in ("NbOfNtries", "Sum"))
            if said_count is not None:
                said = self.source.whole(said_count, where, f"{name}/NbOfNtries")
                self.source.check(where, f"{name}/NbOfNtries", said, count)
            if said_sum is not None:
                said = minor_units_of(self.source, said_sum, where, self._currency(part, where))
                self.source.check(where, f"{name}/Sum, in minor units", said, total)
        for amount, side in (("TtlNetNtryAmt", "CdtDbtInd"), ("TtlNetNtry/Amt", "TtlNetNtry/CdtDbtInd")):
            net = part.get(f"TxsSummry/TtlNtries/{amount}")
            if net is not None:
                plain = minor_units_of(self.source, net, where, self._currency(part, where))
                said = signed(plain, part.get(f"TxsSummry/TtlNtries/{side}"))
                self.source.check(where, f"TtlNtries/{amount}, in minor units", said, sums["CRDT"] - sums["DBIT"])

    def _amount(self, record: Record, part: Record, where: str) -> int:
        """Amt of a record in minor units; its currency must be that of the account."""
        code = self.source.currency(record.get("Amt@"), where)
        self._totals.currency = self._totals.currency or part.get("Acct/Ccy") or code
        if code != self._totals.currency:
            self.source.malformed(where, f"is in {code}, the account in {self._totals.currency}")
        return minor_units_of(self.source, record.get("Amt"), where, code)

    def _currency(self, part: Record, where: str) -> str:
        return self.source.currency(self._totals.currency or part.get("Acct/Ccy"), where)


def read_camt(source: Source) -> BankFile:
    """The entries of a camt.053 or camt.054 file, all its controls checked.

    Raises LandingError: the file, the statement and entry, the rule, what was expected and what was found.
    """
    reader = _Reader(source)
    kind = stream(source, reader.take)
    if reader.created_on is None or not reader.parts:
        source.malformed("the message", f"has no group header GrpHdr, or no {PARTS[kind]}")
    entries = pl.DataFrame(reader.rows, schema=ENTRIES, orient="row")
    identity = "/".join((kind, reader.message_id, *sorted(name for name, _ in reader.parts)))
    return BankFile(kind, identity, reader.created_on, entries, text_tells=False)
