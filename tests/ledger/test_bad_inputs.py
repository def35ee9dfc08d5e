"""Bad input, case by case: a row that must not be booked (or only with a warning), and the reason it must get.

The numbers are those of the catalogue of bad inputs, sections B, C and D; cases with a letter belong to the number
before it, cases numbered 0 to no section. Every case lands beside good rows of all tables, which must be booked.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from ledger.accounts import book_accounts
from ledger.instructions import book_instructions
from ledger.intake import complete_refused, counts
from ledger.reasons import REASONS
from ledger.receipts import receive_payments
from tests.ledger.inboxes import (
    DAY,
    Row,
    account,
    book,
    booked,
    carrier,
    change,
    charge,
    command,
    inbox,
    issuance,
    of_account,
    payment,
    taken,
)

Codes = dict[tuple[str, str | None], str]
LONG = "x" * 10_001
CARD = "paid with 4111 1111 1111 1111"
IBAN = "from GB82 WEST 1234 5698 7654 32"


ROOT = Path(__file__).parents[2]


class Case(NamedTuple):
    number: str
    what: str
    rows: dict[str, list[Row]]
    codes: Codes


def of_row(number: str, what: str, code: str, table: str, row: Row, *, record_id: str | None = "X") -> Case:
    """One bad row of an account or a payment."""
    return Case(number, what, {table: [row]}, {(table, record_id): code})


def instruction(number: str, what: str, code: str, row: Row, *charges: Row) -> Case:
    """A bad instruction: its charges, one unless told, go with it."""
    carried = list(charges) or [charge("X")]
    codes: Codes = {("billing_instructions", "X"): code, ("charges", "X"): "E-INSTRUCTION-REFUSED"}
    return Case(number, what, {"billing_instructions": [row], "charges": carried}, codes)


def commanded(number: str, what: str, code: str, **changes: object) -> Case:
    """One bad command."""
    return Case(number, what, {"commands": [command("X", **changes)]}, {("commands", "X"): code})


def charged(number: str, what: str, code: str, row: Row, on: Row | None = None) -> Case:
    """A bad charge beside a good one: the instruction and its other charge go with it."""
    good_one = charge("X", 77, charge_pattern="Late Fee", amount="5.00")
    if on is not None and on["instruction_type"] == "account_general":
        good_one |= {"charge_pattern": "Account Late Fee"}
    rows = {"billing_instructions": [on or issuance("X")], "charges": [row, good_one]}
    codes: Codes = {("billing_instructions", "X"): "E-CHARGE-REFUSED", ("charges", "X"): code}
    return Case(number, what, rows, codes)


def pay(number: str, what: str, code: str, **changes: object) -> Case:
    return of_row(number, what, code, "payments", payment("X", **changes))


def acc(number: str, what: str, code: str, **changes: object) -> Case:
    return of_row(number, what, code, "accounts", account("X", **changes))


INSTRUCTIONS = [
    Case(
        "18",
        "no instruction id",
        {"billing_instructions": [issuance("X") | {"instruction_id": None}], "charges": [charge("X")]},
        {("billing_instructions", None): "E-VALUE-MISSING", ("charges", "X"): "E-INSTRUCTION-UNKNOWN"},
    ),
    Case(
        "18a",
        "blank instruction id",
        {"billing_instructions": [issuance("X") | {"instruction_id": "  "}]},
        {("billing_instructions", None): "E-VALUE-MISSING"},
    ),
    instruction("18b", "control character in the id", "E-CONTROL-CHARACTER", issuance("X", policy_id="P\x07")),
    instruction("18c", "character that was no text", "E-CONTROL-CHARACTER", issuance("X", producer_code="Z\ufffd")),
    instruction("18d", "text without end", "E-TEXT-LONG", issuance("X", producer_code=LONG)),
    instruction("18e", "no account", "E-VALUE-MISSING", issuance("X", account_id=None)),
    Case(
        "20",
        "booked id, other body",
        {"billing_instructions": [change("I-BOOKED", "policy_change")]},
        {("billing_instructions", "I-BOOKED"): "E-ID-CONFLICT"},
    ),
    instruction("21", "unknown subtype", "E-WORD", issuance("X", instruction_type="endorsement")),
    instruction(
        "21a", "type that only a reversal makes", "E-TYPE-INTERNAL", issuance("X", instruction_type="reversal")
    ),
    instruction(
        "21c", "billing method that is not booked", "E-BILLING-METHOD", issuance("X", billing_method="agency_bill")
    ),
    instruction(
        "21d",
        "another method than the period has",
        "E-BILLING-METHOD",
        change("X", "audit", billing_method="list_bill"),
    ),
    instruction(
        "22",
        "issuance of a period that exists",
        "E-PERIOD-EXISTS",
        issuance("X", policy_id="P-BOOKED", account_id="BOOKED"),
    ),
    instruction(
        "23", "change of an unknown policy", "E-POLICY-UNKNOWN", change("X", "policy_change", policy_id="P-NONE")
    ),
    instruction("23a", "change of an unknown term", "E-PERIOD-UNKNOWN", change("X", "policy_change", term_number=7)),
    instruction("23b", "renewal of an unknown policy", "E-POLICY-UNKNOWN", issuance("X", instruction_type="renewal")),
    instruction(
        "23c",
        "new renewal of a known policy",
        "E-POLICY-KNOWN",
        issuance("X", instruction_type="new_renewal", policy_id="P-BOOKED", account_id="BOOKED", term_number=2),
    ),
    instruction("23d", "policy of another account", "E-POLICY-ACCOUNT", change("X", "policy_change", account_id="A2")),
    instruction("24", "period ends before it starts", "E-PERIOD-EMPTY", issuance("X", period_end="2024-06-30")),
    instruction("24a", "period ends when it starts", "E-PERIOD-EMPTY", issuance("X", period_end="2024-07-01")),
    instruction(
        "24b",
        "period ends when it starts by default",
        "E-PERIOD-EMPTY",
        issuance("X", period_start=None, period_end="2024-07-01"),
    ),
    instruction("25", "effective in 1900", "E-DATE-RANGE", issuance("X", effective_date="1900-01-01")),
    instruction("25a", "effective in 9999", "E-DATE-RANGE", issuance("X", effective_date="9999-12-31")),
    instruction("25b", "100 years away", "E-DATE-RANGE", issuance("X", period_end="2130-01-01")),
    instruction("25c", "no such day", "E-NOT-A-DATE", issuance("X", effective_date="2024-02-30")),
    instruction("25d", "another way to write a date", "E-NOT-A-DATE", issuance("X", period_end="07/01/2025")),
    instruction("25e", "time of day", "E-NOT-A-DATE", issuance("X", period_end="2025-07-01 00:00:00")),
    instruction("25f", "one-digit month", "E-NOT-A-DATE", issuance("X", period_end="2025-7-01")),
    instruction("25g", "term in words", "E-NOT-A-WHOLE-NUMBER", issuance("X", term_number="first")),
    instruction("25h", "term with decimals", "E-NOT-A-WHOLE-NUMBER", issuance("X", term_number="1.0")),
    instruction("25i", "term 0", "E-NUMBER-RANGE", issuance("X", term_number=0)),
    instruction(
        "27",
        "cancelled before inception",
        "E-CANCELLATION-DATE",
        change("X", "cancellation", effective_date="2024-06-02"),
    ),
    instruction(
        "27a",
        "cancelled after expiry",
        "E-CANCELLATION-DATE",
        change("X", "cancellation", effective_date="2025-06-04", term_number=1),
    ),
    instruction("28", "cancelled twice", "E-ALREADY-CANCELLED", change("X", "cancellation", policy_id="P-CANCELLED")),
    instruction("29", "reinstated while in force", "E-NOT-CANCELLED", change("X", "reinstatement")),
    instruction("31", "unknown payment plan", "E-PLAN-UNKNOWN", issuance("X", payment_plan="Hourly")),
    instruction("31a", "plan no longer effective", "E-PLAN-NOT-EFFECTIVE", issuance("X", payment_plan="Withdrawn")),
    instruction("31b", "no plan for a new period", "E-NEEDED-FOR-TYPE", issuance("X", payment_plan=None)),
    instruction("31c", "no end of a new period", "E-NEEDED-FOR-TYPE", issuance("X", period_end=None)),
    instruction("31d", "no policy", "E-NEEDED-FOR-TYPE", change("X", "policy_change", policy_id=None)),
    instruction(
        "31e",
        "another plan for a charge that was cut a thousand times",
        "E-PLAN-CHANGE",
        change("X", "audit", policy_id="P-CANCELLED", payment_plan="Full Pay"),
    ),
    instruction(
        "31f",
        "change of a reporting period",
        "E-REPORTING-PERIOD",
        change("X", "policy_change", policy_id="P-REPORTING"),
    ),
    instruction("32", "list bill without payer", "E-LIST-BILL-PAYER", issuance("X", billing_method="list_bill")),
    instruction(
        "32b",
        "list bill, payer of another type",
        "E-LIST-BILL-PAYER-TYPE",
        issuance("X", billing_method="list_bill", payer_account_id="BOOKED"),
    ),
    instruction(
        "32c",
        "list bill, plan that the payer does not offer",
        "E-LIST-BILL-PLAN",
        issuance("X", billing_method="list_bill", payer_account_id="LISTBILL", payment_plan="Full Pay"),
    ),
    instruction(
        "32f",
        "list bill account that has no stream for the plan pays a charge",
        "E-CHARGE-STREAM",
        issuance("X", payment_plan="Weekly"),
        charge("X", payer_account_id="LISTBILL"),
    ),
    instruction("32d", "unknown payer", "E-PAYER-UNKNOWN", issuance("X", payer_account_id="NOBODY")),
    instruction("32e", "payer in another currency", "E-PAYER-CURRENCY", issuance("X", payer_account_id="EUR")),
    instruction("32a", "policy of a list bill account", "E-LIST-BILL-OWNER", issuance("X", account_id="LISTBILL")),
    instruction("33", "plan in another currency", "E-PLAN-CURRENCY", issuance("X", payment_plan="Euro")),
    instruction("33a", "account in another currency", "E-PLAN-CURRENCY", issuance("X", account_id="EUR")),
    instruction(
        "35",
        "special handling of a new period",
        "E-SPECIAL-HANDLING-NEW",
        issuance("X", special_handling="bill_immediately"),
    ),
    instruction("35a", "unknown special handling", "E-WORD", change("X", "audit", special_handling="later")),
    instruction(
        "35b",
        "special handling of an account",
        "E-SPECIAL-HANDLING",
        of_account("X", special_handling="bill_immediately"),
        charge("X", charge_pattern="Account Late Fee"),
    ),
    instruction("0a", "policy on an account-level type", "E-POLICY-NOT-ALLOWED", of_account("X", policy_id="P-BOOKED")),
    instruction("0b", "modifiers cut off", "E-MODIFIERS-JSON", issuance("X", modifiers='{"max_installments": 4')),
    instruction("0c", "modifiers as a list", "E-MODIFIERS-JSON", issuance("X", modifiers="[4]")),
    instruction(
        "0d", "modifiers nested", "E-MODIFIERS-JSON", issuance("X", modifiers='{"max_installments": {"a": 1}}')
    ),
    instruction("0e", "unknown modifier", "E-MODIFIERS-KEY", issuance("X", modifiers='{"fee": 1}')),
    instruction(
        "0f",
        "modifier given twice",
        "E-MODIFIERS-KEY",
        issuance("X", modifiers='{"max_installments": 4, "max_installments": 5}'),
    ),
    instruction("0g", "no installments", "E-MODIFIERS-VALUE", issuance("X", modifiers='{"max_installments": 0}')),
    instruction("0h", "54 installments", "E-MODIFIERS-VALUE", issuance("X", modifiers='{"max_installments": 54}')),
    instruction("0i", "110 % down", "E-MODIFIERS-VALUE", issuance("X", modifiers='{"down_payment_percent": 110}')),
    instruction("0j", "nothing down", "E-MODIFIERS-VALUE", issuance("X", modifiers='{"down_payment_percent": null}')),
    Case(
        "0k",
        "account refused on the same day",
        {
            "accounts": [account("X", invoice_day_of_month=32)],
            "billing_instructions": [issuance("X", account_id="X")],
            "charges": [charge("X")],
        },
        {
            ("accounts", "X"): "E-NUMBER-RANGE",
            ("billing_instructions", "X"): "E-ACCOUNT-REFUSED",
            ("charges", "X"): "E-INSTRUCTION-REFUSED",
        },
    ),
]

CHARGES = [
    charged("37", "no amount", "E-VALUE-MISSING", charge("X", amount=None)),
    charged("37a", "not a number", "E-NOT-AN-AMOUNT", charge("X", amount="NaN")),
    charged("37b", "infinite", "E-NOT-AN-AMOUNT", charge("X", amount="inf")),
    charged("37c", "exponent", "E-NOT-AN-AMOUNT", charge("X", amount="1e3")),
    charged("37d", "thousands separator", "E-NOT-AN-AMOUNT", charge("X", amount="1,200.00")),
    charged("37e", "decimal comma", "E-NOT-AN-AMOUNT", charge("X", amount="1200,00")),
    charged("37f", "currency sign", "E-NOT-AN-AMOUNT", charge("X", amount="$5")),
    charged("37g", "no charge number", "E-VALUE-MISSING", charge("X", charge_no=None)),
    charged("37h", "charge number in words", "E-NOT-A-WHOLE-NUMBER", charge("X", charge_no="one")),
    charged("37i", "negative charge number", "E-NUMBER-RANGE", charge("X", charge_no=-1)),
    charged("39", "half a cent", "E-AMOUNT-DECIMALS", charge("X", amount="10.005")),
    charged("40", "over the limit", "E-AMOUNT-LIMIT", charge("X", amount="100000000.01")),
    charged("40a", "below the limit", "E-AMOUNT-LIMIT", charge("X", amount="-100000000.01")),
    charged("40c", "more than a charge may be", "E-CHARGE-LIMIT", charge("X", amount="1000000.01")),
    charged("40d", "less than a charge may be", "E-CHARGE-LIMIT", charge("X", amount="-1000000.01")),
    charged("40b", "longer than 64 bits", "E-AMOUNT-LIMIT", charge("X", amount="9" * 40)),
    charged(
        "41",
        "negative recapture",
        "E-RECAPTURE-AMOUNT",
        charge("X", charge_pattern="Recapture", amount="-5.00"),
        of_account("X"),
    ),
    charged(
        "41a",
        "recapture of nothing",
        "E-RECAPTURE-AMOUNT",
        charge("X", charge_pattern="Recapture", amount="0"),
        of_account("X"),
    ),
    charged("42", "unknown pattern", "E-PATTERN-UNKNOWN", charge("X", charge_pattern="Stamp Duty")),
    charged("43", "pattern of accounts on a policy", "E-PATTERN-OWNER", charge("X", charge_pattern="Invoice Fee")),
    charged(
        "43a",
        "pattern of policies on an account",
        "E-PATTERN-OWNER",
        charge("X", charge_pattern="Late Fee"),
        of_account("X"),
    ),
    charged("44", "premium on an account", "E-PATTERN-NEEDS-TERM", charge("X"), of_account("X")),
    charged(
        "44a",
        "installments on an account",
        "E-PATTERN-NEEDS-PLAN",
        charge("X", charge_pattern="Split Fee"),
        of_account("X"),
    ),
    charged(
        "43b",
        "pattern of collateral on an account",
        "E-COLLATERAL-OWNER",
        charge("X", charge_pattern="Collateral Fulfillment"),
        of_account("X"),
    ),
    Case(
        "43c",
        "charge of a due date",
        {
            "billing_instructions": [change("X", "premium_report_due_date", policy_id="P-REPORTING")],
            "charges": [charge("X")],
        },
        {("billing_instructions", "X"): "E-CHARGE-REFUSED", ("charges", "X"): "E-DUE-DATE-CHARGE"},
    ),
    charged("46", "unknown payer", "E-PAYER-UNKNOWN", charge("X", payer_account_id="NOBODY")),
    charged("46b", "payer in another currency", "E-PAYER-CURRENCY", charge("X", payer_account_id="EUR")),
    charged("46a", "card number as group", "E-CARD-NUMBER", charge("X", charge_group=CARD)),
    Case("0l", "no instruction", {"charges": [charge("X")]}, {("charges", "X"): "E-INSTRUCTION-UNKNOWN"}),
    Case(
        "0m",
        "one more charge of a booked instruction",
        {"charges": [charge("I-BOOKED", 3)]},
        {("charges", "I-BOOKED"): "E-INSTRUCTION-BOOKED"},
    ),
    Case(
        "0n",
        "booked charge with another amount",
        {"charges": [charge("I-BOOKED", 1, amount="1300.00")]},
        {("charges", "I-BOOKED"): "E-ID-CONFLICT"},
    ),
]

COMMANDS = [
    commanded("0ca", "no such command", "E-COMMAND-UNKNOWN", command_type="do_something"),
    commanded("0cb", "what an instruction does", "E-COMMAND-ELSEWHERE", command_type="add_policy"),
    commanded("0cc", "about another type of thing", "E-COMMAND-TARGET", target_type="policy"),
    commanded("0cd", "no target", "E-COMMAND-TARGET", target_id=None),
    commanded("0ce", "an amount where none is taken", "E-COMMAND-AMOUNT", amount="5.00"),
    commanded("0cf", "parameters that are no object", "E-PARAMS-JSON", params="[1]"),
    commanded("0cg", "unknown parameter", "E-PARAMS-JSON", params='{"speed": 1}'),
    commanded(
        "0ch",
        "a date that is none",
        "E-PARAMS-JSON",
        command_type="change_invoice_dates",
        params='{"due_date": "2024-02-30"}',
    ),
    commanded("0ci", "no parameters", "E-PARAMS-MISSING", command_type="move_invoice_item", target_type="invoice_item"),
]

PAYMENTS = [
    pay("0cj", "directions that are none", "E-DISTRIBUTION-JSON", distribution="[1]"),
    pay("51", "nothing", "E-AMOUNT-NOT-POSITIVE", amount="0.00"),
    pay("51a", "negative", "E-AMOUNT-NOT-POSITIVE", amount="-5"),
    pay("51b", "no amount", "E-VALUE-MISSING", amount=None),
    pay("51c", "amount in words", "E-NOT-AN-AMOUNT", amount="ten"),
    of_row("51d", "no id", "E-VALUE-MISSING", "payments", payment("X") | {"payment_id": None}, record_id=None),
    pay("52", "three decimals", "E-AMOUNT-DECIMALS", amount="10.001"),
    pay("52a", "sen of a yen", "E-AMOUNT-DECIMALS", amount="10.5", currency="JPY"),
    pay("53", "tomorrow", "E-PAYMENT-FUTURE", payment_date="2024-06-11"),
    pay("53b", "no such day", "E-NOT-A-DATE", payment_date="2024-06-31"),
    pay("53c", "payment of 1900", "E-DATE-RANGE", payment_date="1900-06-01"),
    of_row(
        "54a",
        "booked id, other amount",
        "E-ID-CONFLICT",
        "payments",
        payment("M-BOOKED", amount="7"),
        record_id="M-BOOKED",
    ),
    pay("55", "producer and account", "E-TWO-TARGETS", producer_id="PR"),
    pay("57", "wrong currency", "E-CURRENCY-ACCOUNT", currency="EUR"),
    pay("57a", "unknown currency", "E-CURRENCY-UNKNOWN", currency="XXX"),
    pay("57b", "unknown kind", "E-WORD", kind="cheque"),
    pay("57c", "kind that is not booked", "E-PAYMENT-KIND", kind="agency_bill"),
    pay("57d", "unknown word for distribute", "E-WORD", distribute="later"),
    pay("57e", "term 0", "E-NUMBER-RANGE", policy_id="P-BOOKED", term_number=0),
    pay("63", "a trillion", "E-AMOUNT-LIMIT", amount="10000000000.00"),
    pay("63a", "card number as reference", "E-CARD-NUMBER", reference=CARD),
    pay("63b", "card number without blanks", "E-CARD-NUMBER", method="5500000000000004"),
    pay("63c", "bank account as reference", "E-IBAN", reference=IBAN),
    pay("63d", "control character", "E-CONTROL-CHARACTER", reference="a\x00b"),
]

ACCOUNTS = [
    of_row("0o", "no id", "E-VALUE-MISSING", "accounts", account("X") | {"account_id": ""}, record_id=None),
    acc("0p", "unknown type", "E-WORD", account_type="vip"),
    acc("0q", "unknown currency", "E-CURRENCY-UNKNOWN", currency="DOGE"),
    acc("0r", "day 32", "E-NUMBER-RANGE", invoice_day_of_month=32),
    acc("0s", "day 0", "E-NUMBER-RANGE", invoice_day_of_month=0),
    acc("0t", "eighth day of the week", "E-NUMBER-RANGE", invoice_day_of_week=8),
    acc("0u", "day in words", "E-NOT-A-WHOLE-NUMBER", invoice_day_of_month="last"),
    acc("0v", "days not in order", "E-DAYS-ORDER", invoice_first_day_of_month=20, invoice_second_day_of_month=5),
    acc("0w", "first day after the second by default", "E-DAYS-ORDER", invoice_first_day_of_month=20),
    acc("0x", "anchor that is no date", "E-NOT-A-DATE", invoice_every_other_week_anchor="friday"),
    acc("0y", "own parent", "E-PARENT-SELF", parent_account_id="X"),
    acc("0z", "unknown parent", "E-PARENT-UNKNOWN", parent_account_id="NOBODY"),
    acc("0aa", "unknown billing plan", "E-PLAN-UNKNOWN", billing_plan="Gold"),
    acc("0ab", "unknown allocation plan", "E-PLAN-UNKNOWN", payment_allocation_plan="Gold"),
    acc("0ag", "list bill account without plans", "E-LIST-BILL-PLANS", account_type="list_bill"),
    acc("0ah", "no name between the separators", "E-LIST-BILL-PLANS", account_type="list_bill", payment_plans=" ;, "),
    acc("0ai", "plans of an insured account", "E-PLANS-NOT-ALLOWED", payment_plans="Monthly"),
    acc("0aj", "plan among others", "E-PLAN-UNKNOWN", account_type="list_bill", payment_plans="Monthly; Hourly"),
    acc("0ac", "bank account as name", "E-IBAN", name="de89370400440532013000"),
    of_row(
        "0ad",
        "change of a booked account",
        "E-ID-CONFLICT",
        "accounts",
        account("BOOKED", name="New"),
        record_id="BOOKED",
    ),
    Case(
        "0ae",
        "parents in a circle",
        {"accounts": [account("X", parent_account_id="Y"), account("Y", parent_account_id="X")]},
        {("accounts", "X"): "E-PARENT-UNKNOWN", ("accounts", "Y"): "E-PARENT-UNKNOWN"},
    ),
    Case(
        "0af",
        "parent refused",
        {"accounts": [account("X", parent_account_id="Y"), account("Y", currency="DOGE")]},
        {("accounts", "X"): "E-PARENT-UNKNOWN", ("accounts", "Y"): "E-CURRENCY-UNKNOWN"},
    ),
]

CASES = [*INSTRUCTIONS, *CHARGES, *PAYMENTS, *COMMANDS, *ACCOUNTS]

WARNINGS = [
    pay(
        "0ck",
        "more allocated than paid",
        "W-PAYMENT-DISTRIBUTION",
        distribution='{"allocate": [{"target_type": "policy", "target_id": "P-BOOKED", "amount": "999.00"}]}',
    ),
    pay("53a", "three years old", "W-PAYMENT-OLD", payment_date="2021-06-10"),
    pay(
        "54",
        "sent twice under two ids",
        "W-PAYMENT-REPEATED",
        account_id="BOOKED",
        reference="chk 1",
        payment_date="2024-06-02",
    ),
    Case(
        "48",
        "same charge twice",
        {"billing_instructions": [issuance("X")], "charges": [charge("X", 1), charge("X", 2)]},
        {("charges", "X"): "W-CHARGE-REPEATED"},
    ),
    Case(
        "30",
        "renewal that overlaps the term before",
        {
            "billing_instructions": [
                issuance("X", instruction_type="renewal", account_id="BOOKED", policy_id="P-BOOKED")
                | {"period_start": "2025-06-02", "period_end": "2026-06-02", "effective_date": "2025-06-02"}
            ]
        },
        {("billing_instructions", "X"): "W-PERIOD-OVERLAP"},
    ),
    pay("50", "unknown account", "W-PAYMENT-SUSPENDED", account_id="NOBODY"),
    pay("50a", "unknown policy of a known payer", "W-PAYMENT-ASIDE", account_id="BOOKED", policy_id="P-NOBODY"),
    pay("56", "policy of another account", "W-PAYMENT-TARGET", account_id="A2", policy_id="P-BOOKED"),
    pay("56a", "unknown term", "W-PAYMENT-TERM", policy_id="P-BOOKED", term_number=9),
]


def beside_good_rows(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The bad rows between good ones, in the same files."""
    good: dict[str, list[Row]] = {
        "accounts": [account("A2", name="Good Ltd")],
        "billing_instructions": [issuance("GOOD")],
        "charges": [charge("GOOD", 1), charge("GOOD", 2, charge_pattern="Taxes", amount="-60.50")],
        "payments": [payment("GOOD")],
        "commands": [command("GOOD")],
    }
    return {table: [*good[table][:1], *rows.get(table, []), *good[table][1:]] for table in good}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number} {case.what}")
def test_the_row_is_refused_and_the_others_are_booked(case: Case):
    landed = inbox(**beside_good_rows(case.rows))
    after, refused = booked(book(), landed)
    found = set(zip(refused.select("table_name", "record_id").rows(), refused["code"], strict=True))
    assert set(case.codes.items()) <= found
    assert {key for key, _ in found} == set(case.codes)
    assert "A2" in after["accounts"]["account_id"]
    assert after["payments"].filter(pl.col("payment_id") == "GOOD").height == 1
    good = after["instructions"].filter(pl.col("instruction_id") == "GOOD")
    assert after["charges"].filter(pl.col("instruction_key") == good["instruction_key"].item()).height == 2
    assert_nothing_is_lost(landed, refused)


def assert_nothing_is_lost(landed, refused):
    accepted = taken(landed, book())
    complete = complete_refused(landed, refused)
    intake = counts(landed, accepted, complete, DAY)
    for of in ("rows", "amount"):
        parts = pl.col(f"{of}_booked") + pl.col(f"{of}_duplicate") + pl.col(f"{of}_quarantined")
        assert intake.filter(pl.col(f"{of}_in") != parts).is_empty()
    assert complete.height == intake["rows_quarantined"].sum()
    for row in complete.iter_rows(named=True):
        assert row["rule"] == REASONS[row["code"]].rule
        assert json.loads(row["raw_json"])
        assert row["detail"]


@pytest.mark.parametrize("case", WARNINGS, ids=lambda case: f"{case.number} {case.what}")
def test_the_row_is_booked_with_a_warning(case: Case):
    landed = inbox(**beside_good_rows(case.rows))
    _, refused = booked(book(), landed)
    assert refused.is_empty()
    accepted = taken(landed, book())
    start = book_accounts(book(), accepted, DAY, carrier())
    instructed = book_instructions(start, accepted.billing_instructions, accepted.charges, DAY, carrier())
    received = receive_payments(instructed.book, accepted.payments, DAY, carrier())
    warned = pl.concat([accepted.warnings, instructed.warnings, received.warnings])
    found = set(zip(warned.select("table_name", "record_id").rows(), warned["code"], strict=True))
    assert found == set(case.codes.items())
    assert_nothing_is_lost(landed, refused)


def test_every_reason_of_a_row_has_a_case():
    raised = {code for case in (*CASES, *WARNINGS) for code in case.codes.values()}
    assert raised == {
        reason.code
        for reason in REASONS.values()
        if reason.decided_by != "file" and (reason.table, reason.decided_by) != ("commands", "book")
    }


def test_every_reason_of_the_book_for_a_command_is_named_in_a_test():
    texts = "".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("tests/**/test_*.py"))
    codes = [code for code, reason in REASONS.items() if (reason.table, reason.decided_by) == ("commands", "book")]
    assert [code for code in codes if f'"{code}"' not in texts] == []


def test_every_case_has_a_number_of_its_own():
    numbers = [case.number for case in (*CASES, *WARNINGS)]
    assert len(set(numbers)) == len(numbers)


ACCEPTED = [
    ("0ca", "a command with parameters", {"commands": [command("X", params="{ }")]}),
    ("34", "no charges", {"billing_instructions": [issuance("X")]}),
    ("38", "charge of nothing", {"billing_instructions": [issuance("X")], "charges": [charge("X", amount="0.00")]}),
    ("39", "zeros after the cents", {"payments": [payment("X", amount="10.5000")]}),
    ("40", "at the limit", {"payments": [payment("X", amount="100000000.00")]}),
    (
        "40c",
        "as much as a charge may be",
        {"billing_instructions": [issuance("X")], "charges": [charge("X", amount="1000000.00")]},
    ),
    (
        "40c",
        "more than that in another currency",
        {
            "billing_instructions": [issuance("X", account_id="EUR", payment_plan="Euro")],
            "charges": [charge("X", amount="1000000.01")],
        },
    ),
    ("25", "just in range", {"billing_instructions": [issuance("X", period_end="2124-01-01")]}),
    (
        "41",
        "recapture",
        {"billing_instructions": [of_account("X")], "charges": [charge("X", charge_pattern="Recapture")]},
    ),
    (
        "46",
        "payer landing today",
        {"billing_instructions": [issuance("X")], "charges": [charge("X", payer_account_id="A2")]},
    ),
    ("46", "owner as payer", {"billing_instructions": [issuance("X")], "charges": [charge("X", payer_account_id="A")]}),
    ("53", "today", {"payments": [payment("X", payment_date="2024-06-10")]}),
    ("53", "two years old", {"payments": [payment("X", payment_date="2022-06-10")]}),
    ("54", "another reference", {"payments": [payment("X", reference="chk 2", payment_date="2024-06-02")]}),
    ("63", "digits that are no card number", {"payments": [payment("X", reference="4111111111111112")]}),
    ("63", "a date and a serial number", {"payments": [payment("X", reference="20240105000000006")]}),
    ("63", "no bank account of that length", {"payments": [payment("X", reference="XX89370400440532013000")]}),
    (
        "0",
        "child of a child",
        {"accounts": [account("X", parent_account_id="Y"), account("Y", parent_account_id="A2")]},
    ),
    ("0", "child of a booked account", {"accounts": [account("X", parent_account_id="BOOKED")]}),
    (
        "0",
        "modifiers",
        {"billing_instructions": [issuance("X", modifiers='{"down_payment_percent": 12.5, "max_installments": "3"}')]},
    ),
]


@pytest.mark.parametrize(
    ("number", "what", "rows"), ACCEPTED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_only_looks_unusual_is_booked(number, what, rows):
    landed = inbox(**beside_good_rows(rows))
    _, refused = booked(book(), landed)
    assert refused.is_empty(), (number, what)
    assert taken(landed, book()).warnings.is_empty()


@pytest.mark.parametrize("secret", [CARD, IBAN])
def test_a_number_that_must_not_be_stored_is_not_in_the_quarantine(secret):
    landed = inbox(payments=[payment("X", reference=secret)])
    shown = complete_refused(landed, taken(landed, book()).refused).row(0, named=True)
    assert json.loads(shown["raw_json"])["reference"] == "(not shown)"
    assert secret not in str(shown)
