"""The chart is closed and complete, and loading it refuses what would not balance."""

from __future__ import annotations

import re
from importlib import resources

import polars as pl
import pytest

from ledger.chart import CHARGE_OWNER_TYPES, ROLES, ChartError, RuleSet, load_chart, parse_chart
from ledger.posting import TRANSACTIONS
from schemas import enums

CHART = load_chart()
TEXT = resources.files("ledger").joinpath("chart.toml").read_text(encoding="utf-8")


def chart_text(rule_set: RuleSet, lines: list[str]) -> str:
    """The chart with this rule set's lines replaced."""
    given = [line_text(line.side, line.t_account_pattern, line.owner_role, line.part) for line in rule_set.lines]
    for sign in (f'sign = "{rule_set.sign}"\n', ""):
        variant = "" if rule_set.variant == "standard" else f'variant = "{rule_set.variant}"\n'
        head = f'type = "{rule_set.transaction_type}"\n{variant}{sign}when = "{rule_set.when}"\nlines = ['
        if head in TEXT:
            start = TEXT.index(head) + len(head)
            end = TEXT.index("]\n\n", start) if "]\n\n" in TEXT[start:] else TEXT.rindex("]")
            assert all(f'"{line}"' in TEXT[start:end] for line in given)
            return TEXT[:start] + ", ".join(f'"{line}"' for line in lines) + TEXT[end:]
    raise AssertionError(rule_set.name)


def line_text(side: str, pattern: str, role: str, part: str) -> str:
    return f"{'Dr' if side == 'D' else 'Cr'} {pattern} [{role}]{'' if part == 'amount' else ' ' + part}"


def test_the_chart_has_35_t_accounts_and_all_54_transaction_types():
    """R-LED-07."""
    assert list(CHART.t_accounts) == list(enums.T_ACCOUNT_PATTERNS)
    assert len(CHART.t_accounts) == 35
    assert {rule_set.transaction_type for rule_set in CHART.rule_sets} == set(enums.TRANSACTION_TYPES)
    assert len(enums.TRANSACTION_TYPES) == 54
    assert load_chart() is CHART


def test_classes_and_normal_sides_are_those_of_the_chart():
    by_class = CHART.t_account_frame.group_by("account_type").len().sort("account_type")
    assert by_class.rows() == [("Asset", 7), ("Liability", 12), ("Expense", 10), ("Revenue", 6)]
    sides = CHART.t_account_frame.select("account_type", "normal_side").unique().sort("account_type")
    assert sides.rows() == [("Asset", "D"), ("Liability", "C"), ("Expense", "D"), ("Revenue", "C")]
    assert CHART.t_account_frame["is_per_charge_pattern"].sum() == 14
    # R-TXN-09: of the four ad hoc credits, only Collections Credit is a liability.
    assert CHART.t_accounts["Collections Credit"].account_type == "Liability"
    assert CHART.t_accounts["<Charge Pattern> Unearned"].owner_types == ("PolicyPeriod",)
    assert CHART.t_accounts["<Charge Pattern> Due"].owner_types == CHARGE_OWNER_TYPES


@pytest.mark.parametrize(
    "pattern",
    ["Negative Write-Off", "Expense Rollup", "Reserve Rollup", "Revenue Rollup", "Write-Off Expense Rollup"],
)
def test_nothing_posts_to_what_the_chart_only_names(pattern):
    """R-LED-31."""
    name = f"<Charge Pattern> {pattern}"
    assert CHART.t_accounts[name].owner_types == ()
    assert CHART.posting_rules.filter(pl.col("t_account_pattern") == name).is_empty()


def test_every_other_t_account_is_posted_to():
    posted = {*CHART.posting_rules["t_account_pattern"]}
    assert {name for name, t_account in CHART.t_accounts.items() if not t_account.owner_types} == {
        *CHART.t_accounts
    } - posted


def lines_of(transaction_type: str, variant: str = "standard", sign: str = "any") -> list[str]:
    found = [
        rule_set
        for rule_set in CHART.rule_sets
        if (rule_set.transaction_type, rule_set.variant, rule_set.sign) == (transaction_type, variant, sign)
    ]
    assert len(found) == 1
    return [line_text(line.side, line.t_account_pattern, line.owner_role, line.part) for line in found[0].lines]


CORRECTIONS = [
    # rule, type, variant, sign, a line it must have
    ("R-TXN-02", "InitialChargeTxn", "recapture", "positive", "Cr <Charge Pattern> Reserve [ChargeOwner]"),
    ("R-TXN-08", "AccountAdjustment", "standard", "negative", "Cr Cash [Account]"),
    ("R-TXN-11", "ProducerWriteoff", "standard", "negative", "Dr Unapplied [Producer]"),
    ("R-TXN-11", "ProducerWriteoff", "standard", "negative", "Cr Negative Write-Off [Producer]"),
    ("R-TXN-14", "TransferTransaction", "within_account", "positive", "Dr Designated Unapplied [Account]"),
    ("R-TXN-14", "TransferTransaction", "within_account", "negative", "Cr Designated Unapplied [Account]"),
    ("R-TXN-16", "SubmissionCmsnTxn", "from_producer", "any", "Cr Commissions Expense [ChargeCommission]"),
    ("R-TXN-16", "SubmissionCmsnTxn", "to_producer", "any", "Cr Commissions Reserve [ChargeCommission]"),
    ("R-TXN-24", "CollReqSegregate", "standard", "any", "Cr Collateral Held [Collateral]"),
    ("R-LED-32", "ProducerPaymentRecd", "standard", "any", "Cr Commissions Payable [Producer]"),
]


@pytest.mark.parametrize(("rule", "transaction_type", "variant", "sign", "line"), CORRECTIONS)
def test_corrections_of_the_printed_table(rule, transaction_type, variant, sign, line):  # noqa: ARG001 - names the case
    assert line in lines_of(transaction_type, variant, sign)


def test_a_requirement_passes_its_cash_on_unless_it_is_segregated():
    """R-TXN-06."""
    segregated = lines_of("ChargePaidFromAccount", "requirement_segregated")
    assert lines_of("ChargePaidFromAccount", "requirement") == [
        *segregated,
        "Dr Collateral Held [Collateral]",
        "Cr Collateral Held [CollateralRequirement]",
    ]


def test_drawdown_mirrors_what_an_account_puts_into_collateral():
    """R-TXN-23."""
    mirrored = [
        line.replace("Dr", "x").replace("Cr", "Dr").replace("x", "Cr") for line in lines_of("CollateralDrawdown")
    ]
    assert sorted(mirrored) == sorted(lines_of("CollateralPaidFromAccount"))


@pytest.mark.parametrize("rule_set", CHART.rule_sets, ids=lambda rule_set: rule_set.name)
def test_a_swapped_or_missing_line_is_refused_by_name(rule_set):
    """R-TXN-31, R-LED-02: whichever line of whichever rule set."""
    texts = [line_text(line.side, line.t_account_pattern, line.owner_role, line.part) for line in rule_set.lines]
    assert parse_chart(chart_text(rule_set, texts)).rule_sets == CHART.rule_sets
    for position, text in enumerate(texts):
        swapped = ("Cr" if text.startswith("Dr") else "Dr") + text[2:]
        for corrupted in (
            [*texts[:position], swapped, *texts[position + 1 :]],
            [*texts[:position], *texts[position + 1 :]],
        ):
            with pytest.raises(ChartError) as error:
                parse_chart(chart_text(rule_set, corrupted))
            assert str(error.value).startswith(rule_set.name + ":")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"Cash" = {', '"Till" = {', "missing Cash; unknown Till"),
        ('type = "ChargeDue"', 'type = "ChargeLate"', "missing ChargeDue; unknown ChargeLate"),
        ('"Cash" = { class = "Asset"', '"Cash" = { class = "Money"', "T-account Cash: unknown class or owner: Money"),
        ('"Interest Credit" = { class = "Expense"', '"Interest Credit" = { kind = "Expense"', "needs class and owners"),
        ("Dr Cash [SuspensePayment]", "Dr Suspense [SuspensePayment]", "SuspensePayment may not own Suspense"),
        ("Dr Cash [SuspensePayment]", "Dr Cash [Insured]", "unknown T-account or owner role in 'Dr Cash [Insured]'"),
        ("Dr Cash [SuspensePayment]", "Debit Cash", "cannot read the line 'Debit Cash'"),
        ('sign = "negative"', 'sign = "minus"', "sign must be one of any, positive, negative"),
        ('sign = "negative"\nwhen = "A credit', 'when = "A credit', "ChargeWrittenOff (positive): has more than one"),
        ('when = "The invoice of an item is billed."', "", "ChargeBilled: needs type, when and lines"),
        ("Dr Unapplied [Producer] net", "Dr Unapplied [Producer]", "debits 2 x commission but credits 1 x (R-LED-02)"),
        ("[t_accounts]", "[t_accounts", "chart: "),
    ],
)
def test_errors_name_what_is_wrong(old, new, message):
    assert old in TEXT
    with pytest.raises(ChartError, match=re.escape(message)):
        parse_chart(TEXT.replace(old, new, 1))


def test_roles_and_rules_read_from_transaction_columns_only():
    for role in ROLES.values():
        assert {role.key_column, role.type_column, role.fund_column} - {None} <= set(TRANSACTIONS)
    assert set(CHART.posting_rules["amount_column"]) <= set(TRANSACTIONS)
