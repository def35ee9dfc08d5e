"""From the XML of a camt file to its records, as a stream: only what is of interest is kept, and only while it counts.

A record is a dictionary of texts by path below it (`Refs/EndToEndId`); the currency of an amount stands under its path
and `@`. What is inside it and a record itself (the transactions of an entry) is a list under the name of the element.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from pipelines.bankfiles.entries import Source

Record = dict[str, Any]
Take = Callable[[str, Record, Record], None]
"""Called at the end of each record with the name of its element, what it holds, and the record around it."""

PARTS = {"camt.053": "Stmt", "camt.054": "Ntfctn"}
_ROOT = re.compile(r"(urn:iso:std:iso:20022:tech:xsd:(camt\.05[34])\.\d{3}\.\d{2}) Document")
_MESSAGES = {"camt.053": "BkToCstmrStmt", "camt.054": "BkToCstmrDbtCdtNtfctn"}
_CODE = "BkTxCd/Domn/Cd BkTxCd/Domn/Fmly/Cd BkTxCd/Domn/Fmly/SubFmlyCd BkTxCd/Prtry/Cd"
_HEADER = "MsgId CreDtTm MsgPgntn/PgNb MsgPgntn/LastPgInd"
_SUMS = "NbOfNtries Sum TtlNetNtryAmt CdtDbtInd TtlNetNtry/Amt TtlNetNtry/CdtDbtInd"
_PART = "Id StmtPgntn/LastPgInd Acct/Id/IBAN Acct/Id/Othr/Id Acct/Ccy " + " ".join(
    f"TxsSummry/{total}/{name}" for total in ("TtlNtries", "TtlCdtNtries", "TtlDbtNtries") for name in _SUMS.split()
)
_BALANCE = "Tp/CdOrPrtry/Cd Amt CdtDbtInd"
_ENTRY = (
    "Amt CdtDbtInd RvslInd Sts Sts/Cd BookgDt/Dt BookgDt/DtTm ValDt/Dt ValDt/DtTm AcctSvcrRef AddtlNtryInf "
    f"NtryDtls/Btch/NbOfTxs NtryDtls/Btch/TtlAmt {_CODE}"
)
_TRANSACTION = (
    "Refs/EndToEndId Refs/TxId Refs/AcctSvcrRef Amt AmtDtls/InstdAmt/Amt AmtDtls/TxAmt/Amt RtrInf/Rsn/Cd "
    f"RtrInf/Rsn/Prtry RmtInf/Ustrd RmtInf/Strd/CdtrRefInf/Ref RmtInf/Strd/RfrdDocInf/Nb AddtlTxInf {_CODE}"
)
_MANY = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/RfrdDocInf/Nb")
"""What there may be several of."""


class _Node:
    """An element that is of interest, or has such elements below it."""

    __slots__ = ("children", "has_currency", "is_many", "key", "record")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.key: str | None = None
        self.record: str | None = None
        self.is_many = False
        self.has_currency = False


def stream(source: Source, take: Take) -> str:  # noqa: C901 - three handlers that share what is open
    """Read a file and hand over its records as they end: GrpHdr, Bal, TxDtls, Ntry, and Stmt or Ntfctn. Out: the kind.

    Raises LandingError for what is no camt.053 or camt.054, is not whole, or has a document type definition, in which
    something could be expanded or fetched.
    """
    parser = expat.ParserCreate("UTF-8", " ")
    parser.buffer_text = True
    nothing = node = _Node()
    stack: list[_Node] = []
    around: list[Record] = []
    values: Record = {}
    texts: list[str] = []
    kind = ""

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal node, values, kind
        stack.append(node)
        if not kind:
            kind, node = _root(source, name)
            return
        node = node.children.get(name, nothing)
        if node.record:
            around.append(values)
            values = {}
        elif node.key:
            texts.clear()
            if node.has_currency:
                values.setdefault(node.key + "@", attributes.get("Ccy"))

    def end(_: str) -> None:
        nonlocal node, values
        if node.key:
            text = "".join(texts).strip()
            if text and node.is_many:
                values.setdefault(node.key, []).append(text)
            elif text:
                values.setdefault(node.key, text)
            texts.clear()
        elif node.record:
            whole, values = values, around.pop()
            take(node.record, whole, values)
        node = stack.pop()

    def refuse_definition(*_: object) -> None:
        source.malformed(f"line {parser.CurrentLineNumber}", "has a document type definition; no bank needs one")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = texts.append
    parser.StartDoctypeDeclHandler = refuse_definition
    try:
        parser.Parse(source.content, True)
    except expat.ExpatError as error:
        problem = f"is no whole XML ({expat.ErrorString(error.code)}); the file may be cut off or doubled"
        source.malformed(f"line {error.lineno}", problem)
    return kind


def _root(source: Source, name: str) -> tuple[str, _Node]:
    """The kind of the file by its root, and what is of interest below it. Raises LandingError."""
    found = _ROOT.fullmatch(name)
    if not found:
        source.malformed("the message", f"is {name!r}; camt.053 and camt.054 are read")
    namespace, kind = found[1], found[2]
    root, message, part = _Node(), _MESSAGES[kind], PARTS[kind]
    for where, record, paths in (
        (f"{message}/GrpHdr", "GrpHdr", _HEADER),
        (f"{message}/{part}", part, _PART),
        (f"{message}/{part}/Bal", "Bal", _BALANCE),
        (f"{message}/{part}/Ntry", "Ntry", _ENTRY),
        (f"{message}/{part}/Ntry/NtryDtls/TxDtls", "TxDtls", _TRANSACTION),
    ):
        inside = _below(root, where, namespace)
        inside.record = record
        for path in paths.split():
            leaf = _below(inside, path, namespace)
            leaf.key, leaf.is_many = path, path in _MANY
            leaf.has_currency = path.endswith("Amt") and "TtlNet" not in path
    return kind, root


def _below(node: _Node, path: str, namespace: str) -> _Node:
    for step in path.split("/"):
        node = node.children.setdefault(f"{namespace} {step}", _Node())
    return node
