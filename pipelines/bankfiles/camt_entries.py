"""One entry of a camt file: the payments, returns and others that it comes to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from pipelines.bankfiles.camt_xml import Record
from pipelines.bankfiles.entries import OTHER, PAYMENT, RETURN, Source
from pipelines.bankfiles.return_reasons import meanings
from schemas.currencies import MINOR_UNIT_DECIMALS

Entry = tuple[str, str, str, str, date, int, str, str | None, str | None, str | None, str | None, str | None]
"""The columns of `pipelines.bankfiles.entries.ENTRIES`."""
_AMOUNT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,17}))?")
_NOTHING = "NOTPROVIDED"
_METHODS = {"RCDT": "transfer", "IDDT": "direct_debit", "RDDT": "direct_debit", "RCHQ": "check", "CCRD": "credit_card"}
"""How it was paid, by the family of the bank transaction code."""
_CODES = ("BkTxCd/Domn/Cd", "BkTxCd/Domn/Fmly/Cd", "BkTxCd/Domn/Fmly/SubFmlyCd")
_DAYS = ("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
_REMITTANCE = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/RfrdDocInf/Nb")


class Facts(NamedTuple):
    """What an entry is about: its amount is in minor units, its side CRDT or DBIT."""

    bank_account: str
    currency: str
    amount: int
    side: str
    status: str


def entries_of(source: Source, entry: Record, where: str, facts: Facts) -> Iterator[Entry]:
    """The rows of one Ntry: one for each of its transactions if they have amounts, else one for all of it.

    Raises LandingError when number or sum of the transactions are not what the entry says.
    """
    booked_on = source.iso_date(next((entry[day] for day in _DAYS if day in entry), None), where, "booking date")
    details: list[Record] = entry.get("TxDtls", [])
    amounts = _transaction_amounts(source, details, where, facts.currency)
    _check_transactions(source, entry, where, facts)
    if amounts:
        rule = "the amount is the sum of its transactions, in minor units"
        source.check(where, rule, facts.amount, sum(amounts))
    parts = details if amounts or len(details) == 1 else [{}]
    for number, (part, amount) in enumerate(zip(parts, amounts or [facts.amount], strict=True), start=1):
        reference, bank_reference = _references(part, entry, "" if len(parts) == 1 else f"/{number}")
        reason = part.get("RtrInf/Rsn/Cd") or part.get("RtrInf/Rsn/Prtry")
        kind, what = _kind(facts, reason, reference, is_reversal=entry.get("RvslInd") in ("true", "1"))
        value = _original_amount(source, part, where, facts.currency) or amount if kind == RETURN else amount
        yield (
            f"{where}, TxDtls {number}" if part else where,
            kind,
            f"{what}, {_transaction_code(part) or _transaction_code(entry) or 'no transaction code'}",
            facts.bank_account,
            booked_on,
            signed(value, facts.side) if kind == OTHER else value,
            facts.currency,
            reference,
            bank_reference,
            _said(part, entry, reference, bank_reference),
            reason,
            _METHODS.get(entry.get("BkTxCd/Domn/Fmly/Cd", "")),
        )


def signed(amount: int, side: str | None) -> int:
    """An amount as the account has it: negative when it is a debit."""
    return -amount if side == "DBIT" else amount


def minor_units_of(source: Source, text: str | None, where: str, currency: str) -> int:
    """An amount of the file in minor units, exactly. Raises LandingError."""
    decimals = MINOR_UNIT_DECIMALS[currency]
    found = _AMOUNT.fullmatch(text or "")
    fraction = (found[2] or "").rstrip("0") if found else ""
    if not found or len(fraction) > decimals:
        source.malformed(where, f"has the amount {text!r}, which is none in {currency}")
    return int(found[1] + fraction.ljust(decimals, "0"))


def _kind(facts: Facts, reason: str | None, reference: str | None, *, is_reversal: bool) -> tuple[str, str]:
    """What an entry is, and what to call it."""
    is_credit = facts.side == "CRDT"
    comes_back = is_reversal or reason is not None
    if facts.status != "BOOK" or facts.amount == 0:
        return OTHER, "without amount" if facts.status == "BOOK" else f"not booked ({facts.status or 'no status'})"
    if is_credit:
        return (OTHER, "debit of ours taken back") if comes_back else (PAYMENT, "credit")
    if not comes_back or reference is None:
        return OTHER, "return without reference" if comes_back else "debit"
    return RETURN, f"return, {reason}: {meanings().get(reason, 'not listed')}" if reason else "return, reversed"


def _transaction_amounts(source: Source, details: list[Record], where: str, currency: str) -> list[int]:
    """Amounts of the transactions of an entry in minor units; none when one of them has none in the currency."""
    amounts: list[int] = []
    for part in details:
        path = "Amt" if "Amt" in part else "AmtDtls/TxAmt/Amt"
        if part.get(path + "@") != currency:
            return []
        amounts.append(minor_units_of(source, part.get(path), where, currency))
    return amounts


def _check_transactions(source: Source, entry: Record, where: str, facts: Facts) -> None:
    """What an entry says of its transactions: their number, where they are listed, and their sum."""
    count = len(entry.get("TxDtls", ()))
    batch_count, batch_total = entry.get("NtryDtls/Btch/NbOfTxs"), entry.get("NtryDtls/Btch/TtlAmt")
    if batch_count is not None and count:
        source.check(where, "Btch/NbOfTxs", source.whole(batch_count, where, "Btch/NbOfTxs"), count)
    if batch_total is not None and entry.get("NtryDtls/Btch/TtlAmt@") == facts.currency:
        total = minor_units_of(source, batch_total, where, facts.currency)
        source.check(where, "Btch/TtlAmt is the amount of the entry, in minor units", total, facts.amount)


def _original_amount(source: Source, part: Record, where: str, currency: str) -> int | None:
    """What was collected before it came back: a bank may add its charges to what it takes."""
    path = "AmtDtls/InstdAmt/Amt"
    if part.get(path + "@") != currency:
        return None
    return minor_units_of(source, part.get(path), where, currency)


def _references(part: Record, entry: Record, number: str) -> tuple[str | None, str | None]:
    """The reference that a return will name (end to end, else the bank's), and the bank's own."""
    end_to_end, of_entry = part.get("Refs/EndToEndId"), entry.get("AcctSvcrRef")
    bank = part.get("Refs/AcctSvcrRef") or (of_entry + number if of_entry else None)
    reference = end_to_end if end_to_end != _NOTHING else None
    return reference or part.get("Refs/TxId") or bank, bank


def _transaction_code(record: Record) -> str | None:
    codes = "/".join(record[path] for path in _CODES if path in record)
    return codes or record.get("BkTxCd/Prtry/Cd")


def _said(part: Record, entry: Record, reference: str | None, bank_reference: str | None) -> str | None:
    """References and what the payer wrote: free text, the creditor's reference, and the notes of the bank."""
    texts = [reference, bank_reference, part.get("AddtlTxInf"), entry.get("AddtlNtryInf")]
    texts += [text for path in _REMITTANCE for text in part.get(path, ())]
    return " ".join(text for text in texts if text) or None
