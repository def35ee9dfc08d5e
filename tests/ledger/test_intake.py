"""Intake: rows that come in end as accepted, seen before or refused; nothing else depends on how they came in."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book
from ledger.intake import Accepted, complete_refused, counts, raw_rows
from ledger.parsing import holds_card_number, holds_iban
from ledger.reasons import REASONS, quarantine_guide
from schemas import enums
from schemas.journal import INTAKE, QUARANTINE, WARNINGS
from schemas.landing import LANDING_TABLES
from tests.ledger.inboxes import (
    DAY,
    FIRST_DAY,
    Inbox,
    account,
    book,
    booked,
    change,
    charge,
    command,
    first_day,
    frame,
    ids,
    inbox,
    issuance,
    payment,
    refusals,
    taken,
)
from warehouse.landing_files import Code

NAMES = tuple(table.name for table in LANDING_TABLES)
ROOT = Path(__file__).parents[2]


def outcome(accepted: Accepted) -> dict[str, object]:
    """What happened, without saying which of several equal rows it happened to."""
    shown: dict[str, object] = {name: getattr(accepted, name).drop("file", "row_no").rows() for name in NAMES}
    for name in ("refused", "warnings"):
        told = getattr(accepted, name).select("table_name", "record_id", "code", "detail")
        shown[name] = sorted(told.rows(), key=str)
    shown["duplicates"] = sorted(accepted.duplicates.select("table_name", "amount").rows())
    return shown


def one_file(landed: Inbox) -> Inbox:
    return {table: rows.with_columns(file=pl.lit("one")) for table, rows in landed.items()}


def in_other_order(landed: Inbox, seed: int, files: int) -> Inbox:
    """The same rows shuffled, and dealt out to some files."""
    return {
        table: rows.sample(fraction=1, shuffle=True, seed=seed)
        .with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64))
        .with_columns(file=pl.format("{}/{}", pl.lit(table), pl.col("place") % files))
        .with_columns(row_no=pl.col("place") // files + 1)
        .drop("place")
        for table, rows in landed.items()
    }


def check_nothing_is_lost(landed: Inbox, accepted: Accepted, day: date = DAY) -> pl.DataFrame:
    """Each row is in exactly one place, and the contracts of the tables hold."""
    places = pl.concat(
        [
            *(getattr(accepted, name).select(pl.lit(name).alias("table_name"), "file", "row_no") for name in NAMES),
            accepted.duplicates.select("table_name", "file", "row_no"),
            accepted.refused.select("table_name", "file", "row_no"),
        ]
    )
    came_in = pl.concat(
        rows.select(pl.lit(name).alias("table_name"), "file", "row_no") for name, rows in landed.items()
    )
    assert places.sort(places.columns).equals(came_in.sort(came_in.columns))
    refused = complete_refused(landed, accepted.refused)
    recorded = pl.lit(day).alias("business_date")
    QUARANTINE.validate(QUARANTINE.conform(refused.with_columns(recorded)))
    WARNINGS.validate(WARNINGS.conform(complete_refused(landed, accepted.warnings).with_columns(recorded)))
    intake = INTAKE.validate(counts(landed, accepted, refused, day))
    for of in ("rows", "amount"):
        parts = pl.col(f"{of}_booked") + pl.col(f"{of}_duplicate") + pl.col(f"{of}_quarantined")
        assert intake.filter(pl.col(f"{of}_in") != parts).is_empty()
    for name in NAMES:
        declared = next(table for table in LANDING_TABLES if table.name == name)
        rows = getattr(accepted, name)
        assert rows.columns == [*declared.column_names, "file", "row_no"]
        declared.validate(declared.conform(rows))
        assert rows.sort(declared.key).equals(rows)
    return intake


# What is accepted


def test_a_good_day_is_typed_and_complete():
    landed = inbox(**first_day())
    accepted = taken(landed, day=FIRST_DAY)
    check_nothing_is_lost(landed, accepted, FIRST_DAY)
    assert accepted.refused.is_empty()
    assert accepted.charges["amount"].to_list() == [120000, 6000, 120000]
    first = accepted.payments.filter(pl.col("payment_id") == "M-PLAIN").row(0, named=True)
    assert (first["kind"], first["currency"], first["payment_date"], first["distribute"]) == (
        "direct_bill",
        "USD",
        FIRST_DAY,
        "auto",
    )


def test_a_quiet_day_has_nothing():
    accepted = taken({})
    assert ids(accepted) == {}
    assert counts({}, accepted, complete_refused({}, accepted.refused), DAY).is_empty()


def test_a_new_period_starts_on_the_effective_date_unless_told():
    accepted = taken(inbox(billing_instructions=[issuance(period_start=None)]))
    assert accepted.billing_instructions["period_start"].to_list() == [date(2024, 7, 1)]


def test_amounts_are_read_in_the_currency_of_the_account():
    landed = inbox(
        accounts=[account("YEN", currency="JPY"), account("DINAR", currency="KWD")],
        payments=[
            payment("M1", account_id="YEN", amount="1000"),
            payment("M2", account_id="DINAR", amount="1.005"),
            payment("M3", account_id="EUR", amount="1.05"),
            payment("M4", account_id=None, amount="1.05", currency="KWD"),
            payment("M5", account_id="YEN", amount="10.5"),
        ],
    )
    accepted = taken(landed, book())
    assert accepted.payments.select("payment_id", "amount", "currency").rows() == [
        ("M1", 1000, "JPY"),
        ("M2", 1005, "KWD"),
        ("M3", 105, "EUR"),
        ("M4", 1050, "KWD"),
    ]
    assert refusals(accepted) == {("payments", "M5", 5): "E-AMOUNT-DECIMALS"}


def test_a_payment_for_a_policy_alone_is_in_the_currency_of_its_owner():
    yen = inbox(
        accounts=[account("YEN", currency="EUR")],
        billing_instructions=[issuance("I-YEN", account_id="YEN", policy_id="P-YEN", payment_plan="Euro")],
    )
    after, refused = booked(Book.empty().open_day(), yen)
    assert refused.is_empty()
    accepted = taken(inbox(payments=[payment("M1", account_id=None, policy_id="P-YEN")]), after.open_day())
    assert accepted.payments["currency"].to_list() == ["EUR"]


def test_blanks_around_values_do_not_count_and_blank_is_empty():
    landed = inbox(payments=[payment(" M1 ", amount=" 5.00 ", reference="   ", kind="")])
    accepted = taken(landed, book())
    shown = accepted.payments.select("payment_id", "amount", "reference", "kind")
    assert shown.rows() == [("M1", 500, None, "direct_bill")]


def test_missing_and_unknown_columns_do_no_harm():
    rows = pl.DataFrame({"payment_id": ["M1"], "amount": ["5"], "colour": ["red"], "file": ["f"], "row_no": [1]})
    empty = pl.DataFrame({"nothing": ["x"], "file": ["g"], "row_no": [1]})
    landed = {"payments": rows.cast({"row_no": pl.Int64}), "accounts": empty.cast({"row_no": pl.Int64})}
    accepted = taken(landed)
    check_nothing_is_lost(landed, accepted)
    assert ids(accepted) == {"payments": ["M1"]}
    assert refusals(accepted) == {("accounts", None, 1): "E-VALUE-MISSING"}
    assert json.loads(complete_refused(landed, accepted.refused)["raw_json"].item()) == {"nothing": "x"}


# Seen before (cases 19, 20; R-CI-08)


def test_the_same_day_again_has_no_effect():
    landed = inbox(**first_day())
    accepted = taken(landed, book())
    intake = check_nothing_is_lost(landed, accepted)
    assert ids(accepted) == {}
    assert accepted.refused.is_empty()
    assert intake["rows_duplicate"].sum() == sum(len(rows) for rows in first_day().values())
    assert intake.filter(pl.col("table_name") == "payments")["amount_duplicate"].item() == 10500


def test_the_same_row_twice_on_a_day_counts_once():
    rows = {name: rows * 2 for name, rows in first_day().items()}
    accepted = taken(inbox(**rows), day=FIRST_DAY)
    assert ids(accepted) == ids(taken(inbox(**first_day()), day=FIRST_DAY))
    assert accepted.refused.is_empty()
    assert accepted.duplicates.height == sum(len(rows) for rows in first_day().values())


@pytest.mark.parametrize(
    ("again", "is_same"),
    [
        (account("BOOKED"), True),
        (account("BOOKED", invoice_day_of_month="10"), True),
        (account("BOOKED", account_type="insured", currency="USD", invoice_by="policy"), True),
        (account("BOOKED", invoice_day_of_month="11"), False),
        (account("BOOKED", invoice_day_of_month="eleven"), False),
        (account("BOOKED", invoice_by="account"), False),
        (account("BOOKED", parent_account_id="EUR"), False),
    ],
)
def test_an_account_row_says_only_what_it_fills_in(again, is_same):
    accepted = taken(inbox(accounts=[again]), book())
    assert accepted.duplicates.height == is_same
    assert set(refusals(accepted).values()) <= {"E-ID-CONFLICT", "E-NOT-A-WHOLE-NUMBER"}
    assert accepted.refused.is_empty() == is_same


def test_funds_by_policy_on_an_account_invoiced_as_a_whole_is_the_same_row_again():
    row = account("W", invoice_by="account", separate_funds_by="policy")
    after, _ = booked(book(), inbox(accounts=[row]))
    accepted = taken(inbox(accounts=[row]), after.open_day())
    assert (accepted.duplicates.height, accepted.refused.height) == (1, 0)


@pytest.mark.parametrize(
    ("again", "is_same"),
    [
        (payment("M-PLAIN", amount="5.00"), True),
        (payment("M-PLAIN", amount="5"), True),
        (payment("M-PLAIN", amount="5", currency="USD", kind="direct_bill", payment_date="2024-06-03"), True),
        (payment("M-PLAIN", amount="5", payment_date="2024-06-04"), False),
        (payment("M-PLAIN", amount="5", reference="x"), False),
        (payment("M-PLAIN", amount="6"), False),
        (payment("M-BOOKED", payment_date="2024-06-02"), False),
    ],
)
def test_a_payment_is_the_same_when_all_it_says_is_the_same(again, is_same):
    accepted = taken(inbox(payments=[again]), book())
    assert (accepted.duplicates.height, accepted.refused.height) == (is_same, not is_same)


def test_a_conflict_names_the_columns_that_differ():
    accepted = taken(inbox(accounts=[account("BOOKED", name="New", currency="EUR")]), book())
    assert accepted.refused["detail"].to_list() == ["booked before with another currency, name"]


def test_booked_charges_land_again_beside_an_instruction_that_conflicts():
    landed = inbox(
        billing_instructions=[change("I-BOOKED", "audit")],
        charges=[charge("I-BOOKED", 1), charge("I-BOOKED", 2, charge_pattern="Taxes", amount="61.00")],
    )
    accepted = taken(landed, book())
    check_nothing_is_lost(landed, accepted)
    assert refusals(accepted) == {
        ("billing_instructions", "I-BOOKED", 1): "E-ID-CONFLICT",
        ("charges", "I-BOOKED", 2): "E-ID-CONFLICT",
    }
    assert accepted.duplicates["amount"].to_list() == [120000]


def test_of_several_contents_on_one_day_the_smallest_is_kept():
    landed = inbox(payments=[payment("M", amount=amount) for amount in ("7", "5", "5", "x")])
    accepted = taken(landed)
    check_nothing_is_lost(landed, accepted)
    assert accepted.payments["amount"].to_list() == [500]
    assert accepted.duplicates["amount"].to_list() == [500]
    assert refusals(accepted) == {("payments", "M", 1): "E-ID-CONFLICT", ("payments", "M", 4): "E-NOT-AN-AMOUNT"}


# An instruction is taken whole or not at all: R-BI-16


def test_a_bad_charge_takes_its_instruction_and_the_other_charges_along():
    landed = inbox(
        billing_instructions=[issuance("X"), issuance("Y")],
        charges=[charge("X", 1), charge("X", 2, amount="1.005"), charge("Y", 1)],
    )
    accepted = taken(landed)
    check_nothing_is_lost(landed, accepted)
    assert ids(accepted) == {"billing_instructions": ["Y"], "charges": [("Y", 1)]}
    assert refusals(accepted) == {
        ("billing_instructions", "X", 1): "E-CHARGE-REFUSED",
        ("charges", "X", 1): "E-INSTRUCTION-REFUSED",
        ("charges", "X", 2): "E-AMOUNT-DECIMALS",
    }
    cause = "E-AMOUNT-DECIMALS, amount 1.005 has more decimals than USD"
    assert accepted.refused.filter(pl.col("code") == "E-CHARGE-REFUSED")["detail"].item().endswith(cause)


def test_a_bad_instruction_takes_its_charges_along():
    bad = issuance("X", period_end="2020-01-01")
    accepted = taken(inbox(billing_instructions=[bad], charges=[charge("X", 1), charge("X", 2)]))
    assert ids(accepted) == {}
    assert (
        accepted.refused.filter(pl.col("table_name") == "charges")["detail"].to_list()
        == ["instruction_id X was refused: E-PERIOD-EMPTY"] * 2
    )


def test_a_charge_sent_twice_with_two_amounts_leaves_the_instruction_whole():
    rows = [charge("X", 1, amount="7"), charge("X", 1, amount="5"), charge("X", 2)]
    accepted = taken(inbox(billing_instructions=[issuance("X")], charges=rows))
    assert accepted.charges["amount"].to_list() == [500, 120000]
    assert refusals(accepted) == {("charges", "X", 1): "E-ID-CONFLICT"}


# The raw row


def test_the_raw_row_is_json_of_what_landed():
    awkward = 'quote " backslash \\ brace } comma , "x":null'
    landed = inbox(payments=[payment("M", amount="x", reference=awkward, policy_id=None), payment("N")])
    refs = pl.DataFrame({"table_name": ["payments"], "file": ["payments/rows.parquet"], "row_no": [1]})
    found = raw_rows(landed, refs.cast({"row_no": pl.Int64}))
    assert json.loads(found["raw_json"].item()) == {
        "payment_id": "M",
        "amount": "x",
        "account_id": "BOOKED",
        "reference": awkward,
    }


def test_refusals_without_a_row_stay():
    refused = taken(inbox(payments=[payment("M", amount="x")])).refused
    assert complete_refused({}, refused)["raw_json"].to_list() == ["{}"]
    assert complete_refused({}, refused.with_columns(raw_json=pl.lit("old")))["raw_json"].to_list() == ["{}"]


# Numbers that must not come in


@pytest.mark.parametrize(
    ("text", "card", "iban"),
    [
        ("4111111111111111", True, False),
        ("card 4111 1111 1111 1111 please", True, False),
        ("5500-0000-0000-0004", True, False),
        ("3782 822463 10005", True, False),
        ("ref 20240105 4111111111111111", True, False),
        ("2223003122003222", True, False),
        ("30569309025904", True, False),
        ("3530111333300000", True, False),
        ("322271627000001", False, False),  # a trace number: 15 digits of a routing number and a serial number
        ("4111111111111112", False, False),
        ("1234567890123456789012345", False, False),
        ("GB82 WEST 1234 5698 7654 32", False, True),
        ("de89370400440532013000", False, True),
        ("BE68 5390 0754 7034 thanks", False, True),
        ("MT84MALT011000012345MTLCAST001S", False, True),
        ("DE89370400440532013001", False, False),
        ("ZZ89370400440532013000", False, False),
        ("GB82", False, False),
        ("", False, False),
        (None, False, False),
    ],
)
def test_card_and_bank_account_numbers_are_recognised(text, card, iban):
    texts = pl.Series([text, "plain"], dtype=pl.String)
    assert holds_card_number(texts).to_list() == [card, False]
    assert holds_iban(texts).to_list() == [iban, False]


# Order and files do not matter; nothing is lost; nothing raises

MIXED = {
    "accounts": [
        account("A", name="One"),
        account("A", name="Two"),
        account("A", name="One"),
        account("C", parent_account_id="D"),
        account("D", parent_account_id="C"),
        account("E", parent_account_id="A"),
        account("F", currency="DOGE"),
        account("BOOKED", name="Other"),
    ],
    "billing_instructions": [
        issuance("I1"),
        issuance("I1"),
        issuance("I1", producer_code="Z"),
        issuance("I2", payment_plan="None"),
        issuance("I3"),
        issuance("I4", account_id="F"),
        issuance("I5"),
        issuance("I6"),
        change("I-BOOKED", "audit"),
    ],
    "charges": [
        charge("I1", 1),
        charge("I1", 1, amount="7"),
        charge("I1", 2),
        charge("I1", 2),
        charge("I2", 1),
        charge("I3", 1),
        charge("I3", 2, amount="x"),
        charge("I3", 3, amount="y"),
        charge("I4", 1),
        charge("I5", 1),
        charge("I5", 1, amount="z"),
        charge("I6", 1),
        charge("I6", 2),
        charge("I-BOOKED", 1),
        charge("NONE", 1),
    ],
    "payments": [
        payment("M1", amount="5", reference="r", payment_date="2024-06-01"),
        payment("M2", amount="5", reference="r", payment_date="2024-06-01"),
        payment("M2", amount="5", reference="r", payment_date="2020-06-01"),
        payment("M3", amount="5"),
        payment("M3", amount="5", kind="direct_bill"),
        payment("M3", amount="0"),
    ],
}


@given(seed=st.integers(0, 10_000), files=st.integers(1, 4))
@settings(deadline=None, max_examples=25)
def test_the_outcome_does_not_depend_on_order_or_files(seed, files):
    landed = one_file(inbox(**MIXED))
    moved = in_other_order(landed, seed, files)
    accepted = taken(moved, book())
    check_nothing_is_lost(moved, accepted)
    assert outcome(accepted) == outcome(taken(landed, book()))


def _texts_of(name: str) -> st.SearchStrategy[str | None]:
    """Texts for a column: some right, some nearly so, some rubbish."""
    words = sorted({word for table in LANDING_TABLES for column in table.columns for word in column.values or ()})
    likely = {
        "amount": ["5", "5.00", "-0.00", "1e5", "NaN", "99999999999999999999", "1.2.3", "+7", "٣", "0" * 30],
        "charge_pattern": ["Premium", "Taxes", "Recapture", "Nothing"],
        "payment_plan": ["Monthly", "Euro", "Withdrawn"],
        "modifiers": [
            "{}",
            '{"max_installments":3}',
            "{",
            '{"a":{}}',
            "null",
            '{"max_installments":99999999999999999}',
        ],
        "currency": ["USD", "JPY", "usd"],
    }
    dates = ["2024-06-10", "2024-07-01", "2025-07-01", "0000-00-00", "9999-99-99", "2024-6-1", "0001-01-01"]
    known = ["BOOKED", "A", "I-BOOKED", "P-BOOKED", "1", "2", "-1", "9223372036854775808", " ", ""]
    if name in likely:
        return st.one_of(st.none(), st.sampled_from(likely[name]), st.text(max_size=8))
    return st.one_of(st.none(), st.sampled_from([*known, *dates, *words]), st.text(max_size=8))


@st.composite
def rubbish(draw) -> Inbox:
    landed = {}
    for table in LANDING_TABLES:
        height = draw(st.integers(0, 5))
        columns = {
            name: draw(st.lists(_texts_of(name), min_size=height, max_size=height)) for name in table.column_names
        }
        rows = pl.DataFrame(columns, schema=dict.fromkeys(table.column_names, pl.String))
        landed[table.name] = rows.with_columns(
            file=pl.lit(f"{table.name}/rubbish"), row_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
        )
    return landed


@given(landed=rubbish())
@settings(deadline=None, max_examples=30)
def test_rubbish_is_refused_and_never_raises(landed):
    check_nothing_is_lost(landed, taken(landed, book()))


@given(landed=rubbish(), table=st.sampled_from(NAMES))
@settings(deadline=None, max_examples=30)
def test_rubbish_in_one_column_of_a_good_row_never_raises(landed, table):
    good = {
        "accounts": account("A"),
        "billing_instructions": issuance("X"),
        "charges": charge("X"),
        "payments": payment("M"),
        "commands": command("C"),
    }
    declared = next(declared for declared in LANDING_TABLES if declared.name == table)
    rows = [good[table] | {name: text} for name in declared.column_names for text in landed[table][name]]
    mixed = {name: frame(name, [row]) for name, row in good.items()} | ({table: frame(table, rows)} if rows else {})
    check_nothing_is_lost(mixed, taken(mixed, book()))


def test_a_long_chain_of_parents_is_followed_to_its_root():
    rows = [account("C0"), *(account(f"C{n}", parent_account_id=f"C{n - 1}") for n in range(1, 300))]
    cut = [row for row in rows if row["account_id"] != "C0"]
    assert taken(inbox(accounts=rows)).accounts.height == 300
    assert set(taken(inbox(accounts=cut)).refused["code"]) == {"E-PARENT-UNKNOWN"}


def test_a_row_is_poison_for_nobody_else_among_many():
    many = [payment(f"M{n}", amount=f"{n + 1}.00") for n in range(1_000)]
    many[500] = payment("M500", amount="9" * 400, payment_date="9999-99-99")
    landed = inbox(payments=many)
    accepted = taken(landed, book())
    check_nothing_is_lost(landed, accepted)
    assert (accepted.payments.height, accepted.refused.height) == (999, 1)


# The catalogue


def test_the_guide_is_what_the_catalogue_says():
    assert (ROOT / "docs" / "quarantine.md").read_text(encoding="utf-8") == quarantine_guide()


def test_codes_and_numbers_are_unique_and_in_order():
    numbers = [reason.number for reason in REASONS.values()]
    assert numbers == sorted(set(numbers))
    assert all(code.startswith(("E-", "W-")) for code in REASONS)
    assert all(reason.meaning.endswith(".") and reason.remedy.endswith(".") for reason in REASONS.values())
    assert all("|" not in reason.meaning + reason.remedy for reason in REASONS.values())


def test_reasons_of_whole_files_are_those_that_the_landing_gives():
    assert {reason.code for reason in REASONS.values() if reason.decided_by == "file"} == {str(code) for code in Code}


def test_every_word_in_the_lists_is_taken():
    for kind in enums.ACCOUNT_TYPES:
        plans = {"payment_plans": "Monthly"} if kind == "list_bill" else {}
        assert taken(inbox(accounts=[account(account_type=kind, **plans)])).refused.is_empty()
    for instrument in enums.PAYMENT_INSTRUMENTS:
        assert taken(inbox(accounts=[account(payment_instrument=instrument)])).refused.is_empty()
