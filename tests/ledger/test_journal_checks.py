"""Each contract of the journal passes on what posting makes and bites on one corrupted line."""

from __future__ import annotations

from datetime import date
from random import Random

import polars as pl
import pytest

from ledger.chart import load_chart
from ledger.journal_checks import RULES, VIOLATIONS, _all_hold, _broken_rules, _summary, check_journal
from ledger.line_sequences import MOST_LINES, NO_DIGIT, TYPE_COUNT, line_sequences
from schemas import enums
from schemas.journal import JOURNAL
from tests.postings import Postings

DAY = date(2025, 2, 1)
LATER = date(2025, 3, 1)
PREMIUM = {"charge_pattern": "Premium", "charge_key": 9}
NET = {"variant": "net_of_commission", "net_amount": "9.00", "commission_amount": "1.00"}


@pytest.fixture(scope="module")
def journal() -> pl.DataFrame:
    """Two transactions and the reversal of the first."""
    postings = Postings()
    due = postings.post(DAY, ("ChargeDue", "12.00", PREMIUM))
    postings.post(DAY, ("ChargePaidFromProducer", "10.00", PREMIUM | NET))
    postings.reverse(LATER, due)
    return postings.journal


def corrupt(journal: pl.DataFrame, row: int, column: str, value: object) -> pl.DataFrame:
    """The journal with one value changed."""
    at_row = pl.int_range(pl.len()) == row
    changed = pl.when(at_row).then(pl.lit(value, dtype=journal.schema[column])).otherwise(column)
    return journal.with_columns(changed.alias(column))


def rules(violations: pl.DataFrame) -> list[str]:
    return violations["rule"].unique().sort().to_list()


def test_a_posted_journal_is_clean(journal):
    assert check_journal(journal).equals(pl.DataFrame(schema=VIOLATIONS))
    assert check_journal(JOURNAL.empty()).is_empty()
    assert check_journal(journal.sample(fraction=1, shuffle=True, seed=1)).is_empty()


@pytest.mark.parametrize(
    ("row", "column", "value", "expected"),
    [
        (0, "amount", 1300, ["I-01", "I-11"]),
        (2, "amount", 1000, ["I-01"]),
        (0, "side", "C", ["I-01", "I-02", "I-11", "I-12"]),
        (3, "side", "C", ["I-01"]),
        (0, "line_no", 3, ["I-02", "I-11", "I-12"]),
        (2, "line_no", 2, ["I-02", "I-12"]),
        (4, "line_no", 4, ["I-02", "I-12"]),
        (4, "line_no", 100, ["I-02", "I-12"]),
        (0, "line_no", 0, ["I-02", "I-11"]),
        (4, "amount", 0, ["I-01", "I-03"]),
        (4, "amount", -1000, ["I-01", "I-03"]),
        (4, "currency", "EUR", ["I-04"]),
        (4, "owner_type", "Producer", ["I-05", "I-12"]),
        (4, "owner_key", 0, ["I-05"]),
        (4, "account_type", "Liability", ["I-05"]),
        (4, "charge_pattern", "", ["I-05"]),
        (2, "charge_pattern", "Premium", ["I-05"]),
        (2, "fund_policy_key", 5, ["I-05"]),
        (4, "transaction_date", LATER, ["I-09"]),
        (4, "transaction_type", "ChargePaidFromAccount", ["I-09"]),
        (2, "transaction_type", "ChargePaidFromAccount", ["I-09", "I-12"]),
        (2, "t_account_pattern", "Cash", ["I-05", "I-12"]),
        (4, "t_account_pattern", "<Charge Pattern> Billed", ["I-12"]),
        (4, "owner_type", "Account", []),
        (4, "transaction_key", 1, ["I-01", "I-02", "I-12", "I-13"]),
        (5, "owner_key", 77, ["I-11"]),
        (5, "side", "D", ["I-01", "I-02", "I-11", "I-12"]),
        (5, "reverses_transaction_key", 5, ["I-09", "I-11"]),
    ],
)
def test_every_contract_bites(journal, row, column, value, expected):
    violations = check_journal(corrupt(journal, row, column, value))
    assert violations.schema == VIOLATIONS
    assert rules(violations) == expected


def test_all_contracts_of_the_list_are_shown_to_bite():
    assert {rule.rule for rule in RULES} == {"I-01", "I-02", "I-03", "I-04", "I-05", "I-09", "I-12", "I-13"}


def test_a_missing_line_is_noticed(journal):
    assert rules(check_journal(journal.head(4))) == ["I-01", "I-02", "I-12"]
    assert rules(check_journal(journal.slice(1, 1))) == ["I-01", "I-02", "I-12"]


def test_a_violation_names_the_transaction(journal):
    key = str(journal["transaction_key"][2])
    [violation] = check_journal(corrupt(journal, 2, "amount", 1000)).rows()
    assert violation == ("I-01", key, "debits less credits are 100 minor units")


def test_sides_swapped_throughout_follow_no_rule_where_the_sign_selects_the_t_accounts():
    """R-LED-13: only a reversal may credit Write-Off Expense."""
    postings = Postings()
    lines = postings.post(DAY, ("ChargeWrittenOff", "12.00", PREMIUM))
    assert rules(check_journal(lines.with_columns(side=other_side()))) == ["I-12"]
    assert rules(check_journal(postings.reverse(LATER, lines), originals=lines)) == []


def other_side() -> pl.Expr:
    return pl.when(pl.col("side") == "D").then(pl.lit("C")).otherwise(pl.lit("D")).cast(enums.enum(enums.SIDES))


def test_a_reversal_needs_its_original_once_and_whole(journal):
    """I-11, R-LED-14."""
    earlier, later = journal.filter(pl.col("business_date") == DAY), journal.filter(pl.col("business_date") == LATER)
    assert check_journal(later, originals=earlier).is_empty()
    assert rules(check_journal(later)) == ["I-11"]
    again = later.with_columns(pl.col("transaction_key") + 1)
    messages = check_journal(pl.concat([journal, again])).filter(pl.col("rule") == "I-11")["message"]
    assert messages.to_list() == ["reversed 2 times"]
    assert "I-11" in rules(check_journal(again, originals=journal))
    of_reversal = later.with_columns(
        pl.col("transaction_key") + 2,
        reverses_transaction_key="transaction_key",
        side=other_side(),
    )
    messages = check_journal(pl.concat([journal, of_reversal])).filter(pl.col("rule") == "I-11")["message"]
    assert messages.to_list() == ["a reversal is reversed"]


def test_the_numbers_of_the_sequences_fit_their_type():
    chart = load_chart()
    sequences = line_sequences(chart)
    assert max(len(rule_set.lines) for rule_set in chart.rule_sets) <= MOST_LINES
    digits = int(sequences.owner_codes.max()) * 2 + 2
    assert sequences.places[-1] * digits * 54 < 2**63
    assert sequences.allowed.n_unique() == sequences.allowed.len()
    assert line_sequences(chart) is sequences


def test_the_sequences_of_the_chart_need_no_look_at_sides_and_line_numbers():
    """`_all_hold` relies on it: both sides in each, every line there, and no digit for a line that is not allowed."""
    sequences = line_sequences(load_chart())
    base = sequences.places[1]
    for number in sequences.allowed:
        rest, digits = number // TYPE_COUNT, []
        while rest:
            rest, digit = divmod(rest, base)
            digits.append(digit)
        assert {digit % 2 for digit in digits} == {0, 1}
        assert min(digits) > NO_DIGIT


def test_a_journal_in_order_is_recognised_in_one_pass(journal):
    sequences = line_sequences(load_chart())
    assert _all_hold(journal, sequences)
    assert not _all_hold(journal.reverse(), sequences)
    assert not _all_hold(corrupt(journal, 3, "currency", None), sequences)


@pytest.mark.parametrize("seed", range(120))
def test_the_one_pass_never_misses_what_the_summary_finds(journal, seed):
    random = Random(seed)  # noqa: S311 - a test, no secret
    changed = journal
    for _ in range(random.randint(1, 2)):
        column = random.choice(journal.columns)
        values = [*journal[column].unique(), *getattr(journal.schema[column], "categories", ())]
        if journal.schema[column].is_integer():
            values += [0, -1, 1, 9]
        changed = corrupt(changed, random.randrange(journal.height), column, random.choice(values))
    changed = changed.sort("transaction_key", maintain_order=True)
    chart = load_chart()
    assert not (_all_hold(changed, line_sequences(chart)) and _broken_rules(_summary(changed, chart)))
