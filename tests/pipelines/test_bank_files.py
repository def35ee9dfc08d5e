"""Bank files: what each format comes to, to the cent, and that a file that is cut, doubled or changed is refused."""

# ruff: noqa: E501 - a case is one line, as a file has it

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers import standard
from ledger.bank_files import BankFiles
from ledger.carrier import Carrier
from ledger.carrier_file import CarrierError
from pipelines.bankfiles.bai2 import read_bai2
from pipelines.bankfiles.camt import read_camt
from pipelines.bankfiles.entries import BankFile, Source, with_ids
from pipelines.bankfiles.landing_rows import landing_rows
from pipelines.bankfiles.nacha import read_nacha
from pipelines.bankfiles.return_reasons import return_reasons, reversal_reasons
from warehouse.landing import LandingError

FOLDER = Path(__file__).parent / "bankfiles"
FILES = sorted(file.name for file in FOLDER.iterdir() if file.suffix != ".md")
DAY = date(2026, 1, 10)


def content(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def read(name: str, raw: bytes | None = None, rules: BankFiles | None = None) -> BankFile:
    source = Source(name, content(name) if raw is None else raw)
    if name.endswith(".bai2"):
        return read_bai2(source, rules or BankFiles())
    return read_nacha(source) if name.endswith(".ach") else read_camt(source)


def landed(name: str, table: str, *columns: str, file: BankFile | None = None) -> list[tuple[object, ...]]:
    rows = landing_rows(file or read(name), "0" * 64, DAY, BankFiles())
    return rows[table].select(columns).rows() if table in rows else []


def entries(name: str) -> list[tuple[object, ...]]:
    return read(name).entries.select("record", "kind", "amount", "what").rows()


def refusal(name: str, *changes: tuple[str, str], raw: bytes | None = None) -> str:
    """What is said of a file after some of its text was replaced."""
    text = content(name).decode() if raw is None else raw.decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(LandingError) as refused:
        read(name, text.encode())
    return str(refused.value)


PAYMENT = ("amount", "currency", "payment_date", "method", "reference", "account_id", "policy_id", "invoice_id")
RETURN = ("amount", "command_type", "target_type", "target_id", "params", "reason")


class TestBai2:
    def test_the_items_of_a_lockbox_are_payments_and_its_total_is_not(self) -> None:
        """R-SUS-01: references and text say whom a payment is for; ids that nobody knows land as they are."""
        assert landed("lockbox.bai2", "payments", *PAYMENT) == [
            ("100.00", "USD", "2026-01-07", "check", "CHK1001", None, "P1", None),
            ("120.00", "USD", "2026-01-07", "check", "CHK1002", None, None, "999999"),
            ("80.00", "USD", "2026-01-07", "check", "CHK1003", None, None, None),
        ]
        assert [row for row in entries("lockbox.bai2") if row[1] == "other"] == [
            ("line 4", "other", 300_00, "lockbox total, type 115"),
            ("line 9", "other", -15_00, "debit, type 698"),
        ]

    def test_a_lockbox_total_without_items_is_a_payment(self) -> None:
        rules = BankFiles(bai2_payment_types=(115,))
        assert read("lockbox.bai2", rules=rules).entries["kind"].to_list().count("payment") == 1

    def test_a_statement_with_several_accounts_currencies_and_funds_types(self) -> None:
        assert landed("statement.bai2", "payments", *PAYMENT) == [
            ("250.00", "USD", "2026-01-08", "ach", "CUST-22", "A2", None, None),
            ("10.00", "USD", "2026-01-08", "wire", "WIRE77", None, "P1", None),
            ("7000", "JPY", "2026-01-08", "ach", "JP-1", None, None, None),
        ]

    def test_what_a_bank_takes_back_takes_payments_back(self) -> None:
        """R-DBP-24: a returned check by its number, and a credit with a minus."""
        other = '{"reversal_reason": "other"}'
        assert landed("statement.bai2", "commands", *RETURN) == [
            ("40.00", "reverse_payment", "payment", "reference:CUST-11", other, "credit, type 165"),
            ("100.00", "reverse_payment", "payment", "reference:CHK1001", other, "debit, type 555"),
        ]

    def test_a_return_that_names_nothing_is_counted_and_takes_nothing_back(self) -> None:
        raw = content("statement.bai2").replace(b"RET1,CHK1001,", b"RET1,,")
        whats = read("statement.bai2", raw).entries["what"].to_list()
        assert "debit, type 555 without reference" in whats

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                ("49,591500,8/", "49,591400,8/"),
                "line 10, record 49: control total: it says 591400, the file comes to 591500",
            ),
            (("49,591500,8/", "49,591500,9/"), "line 10, record 49: number of records: it says 9, the file comes to 8"),
            (("98,591500,1,10/", "98,591501,1,10/"), "record 98: control total: it says 591501"),
            (("98,591500,1,10/", "98,591500,2,10/"), "record 98: number of accounts: it says 2, the file comes to 1"),
            (("98,591500,1,10/", "98,591500,1,11/"), "record 98: number of records: it says 11, the file comes to 10"),
            (("99,591500,1,12/", "99,1,1,12/"), "record 99: control total: it says 1,"),
            (("99,591500,1,12/", "99,591500,3,12/"), "record 99: number of groups: it says 3, the file comes to 1"),
            (("99,591500,1,12/", "99,591500,1,13/"), "record 99: number of records: it says 13, the file comes to 12"),
            (("99,591500,1,12/", "99,591500,1,12"), "line 12 is the file trailer, without the slash that ends it"),
            (
                ("16,116,10000", "16,116,10001"),
                "line 10, record 49: control total: it says 591500, the file comes to 591501",
            ),
            (("16,116,10000", "16,116,1e4"), "line 5 has a type code, an amount or a funds type that cannot be read"),
            (("16,116,10000,Z", "16,116,10000,Q"), "line 5 has a type code, an amount or a funds type"),
            (("16,116,10000,Z", "16,116,10000,D"), "line 5 has a type code, an amount or a funds type"),
            (("16,116,10000", "61,116,10000"), "line 5 is record 61 after record 16, where it does not belong"),
            (("16,116,10000", "hello 10000"), "line 5 does not begin with a record code"),
            (("4417001,USD", "4417001,XXX"), "line 3 has the currency 'XXX', whose minor unit is not known"),
            (("4417001,USD", ",USD"), "line 3 has no account number"),
            ((",100,30000,4", ",100,3OOOO,4"), "line 3 has '3OOOO' where its amount 2 belongs"),
            ((",260107,", ",261307,"), "line 2 has '261307' where its as-of date belongs, a date as YYMMDD"),
            ((",260108,", ",20260108,"), "line 1 has '20260108' where its file creation date belongs"),
            (("16,115,30000", "16,115,29000"), "control total"),
        ],
    )
    def test_what_does_not_add_up_is_refused(self, change: tuple[str, str], said: str) -> None:
        assert said in refusal("lockbox.bai2", change)

    def test_a_lockbox_total_that_is_not_the_sum_of_its_items_is_refused(self) -> None:
        changes = [("16,115,30000", "16,115,31000"), *((f"{n},591500", f"{n},592500") for n in (49, 98, 99))]
        said = refusal("lockbox.bai2", *changes)
        assert "line 4: lockbox deposits (115) are the sum of their items (116): it says 31000" in said

    def test_text_that_is_none_is_refused(self) -> None:
        with pytest.raises(LandingError, match="line 7 is not UTF-8"):
            read("lockbox.bai2", content("lockbox.bai2").replace(b"INV 999999", b"INV \xe9"))

    def test_amounts_of_availability_are_no_entries(self) -> None:
        """Of funds type S, V and D the fields that say when the money is there are passed over."""
        raw = content("statement.bai2").replace(
            b"16,195,1000,D,2,0,400,1,600,WIRE77,,", b"16,195,1000,S,400,600,0,WIRE77,,"
        )
        assert read("statement.bai2", raw).entries["reference"].to_list()[1] == "WIRE77"


class TestNacha:
    def test_returned_debits_take_payments_back_by_their_trace_number(self) -> None:
        """R-DBP-24, R-PMV-06: the reason of the bank in the words of the ledger."""
        assert landed("returns.ach", "commands", *RETURN[:1], *RETURN[3:5]) == [
            ("100.00", "reference:091000010000001", '{"reversal_reason": "insufficient_funds"}'),
            ("50.00", "reference:091000010000002", '{"reversal_reason": "account_closed"}'),
            ("75.00", "reference:091000010000099", '{"reversal_reason": "stop_payment"}'),
        ]
        assert landed("returns.ach", "payments", "amount") == []

    def test_all_else_is_counted(self) -> None:
        assert [row for row in entries("returns.ach") if row[1] == "other"] == [
            ("line 11", "other", 25_00, "returned credit, R03: No such account, or not of that name"),
            ("line 13", "other", 0, "notice of change, C01"),
            ("line 15", "other", -30_00, "R67: Between banks: a duplicate return"),
        ]

    def test_a_reason_that_is_not_listed_takes_back_for_another_reason(self) -> None:
        raw = content("returns.ach").replace(b"799R01", b"799R99")
        (first, *_) = landed("returns.ach", "commands", "params", "reason", file=read("returns.ach", raw))
        assert first == ('{"reversal_reason": "other"}', "R99: a return reason that is not listed")

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (("820000000600203", "820000000700203"), "line 9, record 8: entry and addenda count: it says 7, the file comes to 6"),
            (("8200000006002030", "8200000006002031"), "line 9, record 8: entry hash: it says 20310003"),
            (("000000022500000000000000", "000000022600000000000000"), "line 9, record 8: total debit: it says 22600, the file comes to 22500"),
            (("000000003000000000002500123", "000000003000000000002600123"), "line 17, record 8: total credit: it says 2600"),
            (("9000002000002", "9000003000002"), "line 18, record 9: batch count: it says 3, the file comes to 2"),
            (("9000002000002", "9000002000003"), "line 18, record 9: block count: it says 3, the file comes to 2"),
            (("900000200000200000012", "900000200000200000013"), "record 9: entry and addenda count: it says 13"),
            (("00000012004160", "00000012004161"), "record 9: entry hash: it says 41610006, the file comes to 41600006"),
            (("000000025500000000002500", "000000025501000000002500"), "record 9: total debit: it says 25501"),
            (("000000025500000000002500", "000000025500000000002501"), "record 9: total credit: it says 2501"),
            (("0000010000P1", "0000010001P1"), "line 9, record 8: total debit: it says 22500, the file comes to 22501"),
            (("626071000015", "626071000025"), "line 9, record 8: entry hash"),
            (("0000010000P1", "00000100X0P1"), "line 3 has a transaction code, a routing number or an amount that is none"),
            (("                         091000010000001", "                         091000010000003"), "batch number: it says 0000003, the file comes to 0000001"),
            (("820000000600203000030000000225000000000000001234567890", "820000000600203000030000000225000000000000001234567891"), "record 8: company"),
            (("PAYER                   1071000010000001", "PAYER                   0071000010000001"), "line 3 announces addenda and has none"),
            (("091000010000002      0", "091000010000001      0"), "line 5 sends back trace number 091000010000001 a second time"),
            (("101 091000019", "102091000019"), "line 1 has 93 characters; a record has 94"),
            (("5200INSURER", "4200INSURER"), "line 2 is record 4, where it does not belong"),
            (("2601100715A", "2613100715A"), "line 1 has '261310' where its file creation date belongs"),
        ],
    )  # fmt: skip
    def test_what_does_not_add_up_is_refused(self, change: tuple[str, str], said: str) -> None:
        assert said in refusal("returns.ach", change)


class TestCamt:
    def test_each_transaction_of_a_credit_is_a_payment(self) -> None:
        assert landed("statement.camt053.xml", "payments", *PAYMENT) == [
            ("150.00", "USD", "2026-01-08", "transfer", "E2E-1", None, "P1", None),
            ("50.00", "USD", "2026-01-08", "transfer", "B-1/2", "A2", None, None),
            ("45.50", "USD", "2026-01-08", None, None, None, None, None),
        ]
        assert landed("notification.camt054.xml", "payments", *PAYMENT) == [
            ("80.00", "USD", "2026-01-09", None, "E2E-9", None, "P2", None)
        ]

    def test_a_returned_direct_debit_takes_back_what_was_collected_without_the_charges(self) -> None:
        """R-DBP-24, R-PMV-07: 102.00 are taken, of which 2.00 are charges of the bank."""
        assert landed("statement.camt053.xml", "commands", *RETURN[:1], *RETURN[3:]) == [
            (
                "100.00",
                "reference:DD-77",
                '{"reversal_reason": "insufficient_funds"}',
                "return, AM04: Not enough money in the account, PMNT/IDDT/UPDD",
            )
        ]

    def test_a_reversed_credit_takes_its_payment_back(self) -> None:
        assert landed("notification.camt054.xml", "commands", "amount", "target_id", "params") == [
            ("50.00", "reference:E2E-1", '{"reversal_reason": "other"}')
        ]

    def test_all_else_is_counted(self) -> None:
        assert [row for row in entries("statement.camt053.xml") if row[1] == "other"] == [
            ("statement 1, Ntry 4", "other", -10_00, "debit, no transaction code"),
            ("statement 1, Ntry 5", "other", 60_00, "not booked (PDNG), no transaction code"),
        ]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (("1133.50", "1133.51"), "statement 1: closing balance, in minor units: it says 113351, the file comes to 113350"),
            (("1000.00", "999.00"), "statement 1: closing balance"),
            (("<Cd>CLBD", "<Cd>ITBD"), "statement 1 lacks the opening balance (OPBD, PRCD) or the closing balance (CLBD)"),
            (("<NbOfNtries>5", "<NbOfNtries>6"), "TtlNtries/NbOfNtries: it says 6, the file comes to 5"),
            (("<Sum>417.50", "<Sum>417.51"), "TtlNtries/Sum, in minor units: it says 41751, the file comes to 41750"),
            (("<NbOfNtries>3", "<NbOfNtries>2"), "TtlCdtNtries/NbOfNtries: it says 2, the file comes to 3"),
            (("<Sum>305.50", "<Sum>305.40"), "TtlCdtNtries/Sum"),
            (("<NbOfNtries>2", "<NbOfNtries>3"), "TtlDbtNtries/NbOfNtries"),
            (("<Sum>112.00", "<Sum>1120.0"), "TtlDbtNtries/Sum, in minor units: it says 112000, the file comes to 11200"),
            (("<Amt>193.50", "<Amt>193.60"), "TtlNtries/TtlNetNtry/Amt, in minor units: it says 19360"),
            (("<NbOfTxs>2", "<NbOfTxs>3"), "Ntry 1: Btch/NbOfTxs: it says 3, the file comes to 2"),
            (('<TtlAmt Ccy="USD">200.00', '<TtlAmt Ccy="USD">210.00'), "Ntry 1: Btch/TtlAmt is the amount of the entry"),
            (('"USD">150.00', '"USD">150.01'), "Ntry 1: the amount is the sum of its transactions, in minor units: it says 20000, the file comes to 20001"),
            (('"USD">45.5<', '"USD">45.505<'), "Ntry 2 has the amount '45.505', which is none in USD"),
            (('"USD">45.5<', '"USD">-45.5<'), "Ntry 2 has the amount '-45.5'"),
            (('"USD">45.5<', '"EUR">45.5<'), "Ntry 2 is in EUR, the account in USD"),
            (('"USD">45.5<', '"XXX">45.5<'), "Ntry 2 has the currency 'XXX', whose minor unit is not known"),
            (("<CdtDbtInd>DBIT</CdtDbtInd><Sts>", "<CdtDbtInd>OUT</CdtDbtInd><Sts>"), "Ntry 3 has the side 'OUT'"),
            (("2026-01-08T11", "08.01.2026T11"), "Ntry 2 has '08.01.2026T11:00:00' where its booking date belongs"),
            (("<IBAN>DE89370400440532013000</IBAN>", ""), "Ntry 1 belongs to no account number"),
            (("<CreDtTm>", "<MsgPgntn><PgNb>2</PgNb></MsgPgntn><CreDtTm>"), "GrpHdr is page 2 of several"),
            (("</Stmt>", "<StmtPgntn><LastPgInd>false</LastPgInd></StmtPgntn></Stmt>"), "statement 1 is a page of several"),
            (("camt.053.001.08", "camt.052.001.08"), "camt.053 and camt.054 are read"),
            (("<Document", "<!DOCTYPE Document [<!ENTITY a 'b'>]><Document"), "line 2 has a document type definition"),
            (("</Stmt>", "</Stmd>"), "is no whole XML (mismatched tag)"),
        ],
    )  # fmt: skip
    def test_what_does_not_add_up_is_refused(self, change: tuple[str, str], said: str) -> None:
        if "OUT" in change[1]:
            change = ("<CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK", "<CdtDbtInd>OUT</CdtDbtInd><Sts><Cd>BOOK")
        assert said in refusal("statement.camt053.xml", change)

    def test_a_statement_that_is_there_twice_is_refused(self) -> None:
        (statement,) = re.findall(rb"<Stmt>.*</Stmt>", content("statement.camt053.xml"), re.DOTALL)
        said = refusal("statement.camt053.xml", raw=content("statement.camt053.xml").replace(statement, statement * 2))
        assert "statement 2 has the id 'STMT-8' of one before it; the file is doubled" in said

    def test_an_entry_that_is_there_twice_is_refused(self) -> None:
        (*_, entry) = re.findall(rb"<Ntry>.*?</Ntry>", content("notification.camt054.xml"), re.DOTALL)
        raw = content("notification.camt054.xml").replace(entry, entry * 2)
        assert "TtlNtries/NbOfNtries: it says 2, the file comes to 3" in refusal("notification.camt054.xml", raw=raw)

    def test_a_message_without_header_or_statement_is_refused(self) -> None:
        raw = re.sub(rb"<Stmt>.*</Stmt>", b"", content("statement.camt053.xml"), flags=re.DOTALL)
        assert "has no group header GrpHdr, or no Stmt" in refusal("statement.camt053.xml", raw=raw)

    def test_an_entry_without_amounts_of_its_transactions_is_one_payment(self) -> None:
        raw = re.sub(rb'(</Refs>)<Amt Ccy="USD">(150|50)\.00</Amt>', rb"\1", content("statement.camt053.xml"))
        assert landed("", "payments", "amount", file=read("statement.camt053.xml", raw))[0] == ("200.00",)


class TestWholeFiles:
    @pytest.mark.parametrize("name", FILES)
    @settings(deadline=None, max_examples=60)
    @given(data=st.data())
    def test_a_file_that_is_cut_off_anywhere_is_refused(self, name: str, data: st.DataObject) -> None:
        """Nothing of a file lands unless all of it is there."""
        raw = content(name).rstrip()
        cut = data.draw(st.integers(1, len(raw) - 1))
        with pytest.raises(LandingError, match=r"E-FILE-(FORMAT|CONTROL)"):
            read(name, raw[:cut])

    @pytest.mark.parametrize("name", FILES)
    def test_a_file_that_is_cut_off_after_any_record_is_refused(self, name: str) -> None:
        lines = content(name).splitlines(keepends=True)
        for end in range(1, len(lines)):
            with pytest.raises(LandingError):
                read(name, b"".join(lines[:end]))

    @pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(".xml")])
    def test_a_file_with_a_record_left_out_or_doubled_is_refused(self, name: str) -> None:
        lines = content(name).splitlines(keepends=True)
        for place in range(len(lines)):
            for times in (0, 2):
                changed = [*lines[:place], *lines[place : place + 1] * times, *lines[place + 1 :]]
                with pytest.raises(LandingError):
                    read(name, b"".join(changed))

    @pytest.mark.parametrize("name", FILES)
    def test_a_file_that_is_there_twice_is_refused(self, name: str) -> None:
        said = refusal(name, raw=content(name) * 2)
        assert "doubled" in said

    @pytest.mark.parametrize("name", FILES)
    def test_line_ends_and_empty_lines_at_the_end_do_not_matter(self, name: str) -> None:
        raw = content(name).replace(b"\n", b"\r\n") + b"\r\n\r\n"
        assert with_ids(read(name, raw))["entry_id"].to_list() == with_ids(read(name))["entry_id"].to_list()


class TestIds:
    def test_equal_entries_of_one_file_are_two(self) -> None:
        twice = content("lockbox.bai2").replace(
            b"16,116,8000,Z,LBX7,CHK1003,NO HINT", b"16,116,10000,Z,LBX7,CHK1001,POL P1"
        )
        for code in (b"49", b"98", b"99"):
            twice = twice.replace(code + b",591500", code + b",593500")
        twice = twice.replace(b"16,115,30000", b"16,115,32000").replace(b",593500", b",595500")
        ids = with_ids(read("lockbox.bai2", twice))["entry_id"]
        assert ids.n_unique() == ids.len()
        assert ids[1] == with_ids(read("lockbox.bai2"))["entry_id"][1]

    def test_an_entry_with_a_bank_reference_is_the_same_in_another_file(self) -> None:
        other = content("lockbox.bai2").replace(b",260108,0600,1,", b",260108,1800,2,")
        first, second = (with_ids(read("lockbox.bai2", raw)) for raw in (None, other))
        same = [a == b for a, b in zip(first["entry_id"], second["entry_id"], strict=True)]
        assert same == first["bank_reference"].is_not_null().to_list() == [False, True, True, True, False]

    def test_a_statement_and_a_notification_of_the_same_credit_are_one_payment(self) -> None:
        entry = b"""<Ntry><Amt Ccy="USD">80.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
            <BookgDt><Dt>2026-01-09</Dt></BookgDt><AcctSvcrRef>N-1</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E2E-9</EndToEndId></Refs>
            </TxDtls></NtryDtls></Ntry>"""
        raw = content("statement.camt053.xml").replace(
            b"<IBAN>DE89370400440532013000</IBAN>", b"<Othr><Id>4417009</Id></Othr>"
        )
        raw = re.sub(rb"<TxsSummry>.*</TxsSummry>|<Ntry>.*</Ntry>", b"", raw, flags=re.DOTALL)
        raw = raw.replace(b"1133.50", b"1080.00").replace(b"</Stmt>", entry + b"</Stmt>")
        of_statement = landed("", "payments", "payment_id", file=read("statement.camt053.xml", raw))
        assert of_statement == landed("notification.camt054.xml", "payments", "payment_id")


def test_every_return_reason_of_nacha_is_listed() -> None:
    """R-PMV-06: R01 to R85, as far as they are in use."""
    used = [*range(1, 48), *range(50, 54), 61, 62, *range(67, 78), *range(80, 86)]
    assert [code for code in return_reasons() if code.startswith("R") and code[1:].isdecimal()] == [
        f"R{n:02}" for n in used
    ]
    by_reason = {
        reason: {code for code, is_of in reversal_reasons().items() if is_of == reason}
        for reason in ("insufficient_funds",)
    }
    assert by_reason["insufficient_funds"] == {"R01", "R09", "AM04"}


class TestRules:
    @pytest.mark.parametrize(
        ("text", "ids"),
        [
            ("POL P-12/3 thanks", (None, "P-12/3", None)),
            ("Invoice 55", ("55", None, None)),
            ("inv#12 acct A1", ("12", None, "A1")),
            ("POLICY: AUTO-1, INV 7", ("7", "AUTO-1", None)),
            ("Account A.9.", (None, None, "A.9")),
            ("NONPOL 7 INVENTORY 8", (None, None, None)),
        ],
    )
    def test_the_standard_patterns(self, text: str, ids: tuple[str | None, ...]) -> None:
        found = BankFiles().ids_in(pl.lit(text))
        assert pl.select(**found).row(0) == ids

    def test_a_carrier_has_its_own(self) -> None:
        own = "\n[bank_files]\npolicy_pattern = 'VN([0-9]+)'\ninvoice_pattern = ''\nbai2_payment_types = [399]\n"
        rules = Carrier.from_toml(standard() + own).bank_files
        assert pl.select(**rules.ids_in(pl.lit("VN77 INV 5"))).row(0) == (None, "77", None)
        assert "payment" not in read("lockbox.bai2", rules=rules).entries["kind"].to_list()

    @pytest.mark.parametrize("pattern", ["(x", "x", "(a)(b)", "(?=a)(b)"])
    def test_a_pattern_that_cannot_be_used_is_told(self, pattern: str) -> None:
        with pytest.raises(CarrierError, match=r"bank_files\.policy_pattern .* with one group"):
            Carrier.from_toml(standard() + f"\n[bank_files]\npolicy_pattern = '{pattern}'\n")
