"""Balances by T-account, for the book, and by owner of charges, as of either date."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ledger.balances import T_ACCOUNT, owner_amounts, t_account_balances, t_account_name, trial_balance
from schemas import enums
from tests.postings import Postings

JAN, FEB, MAR = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
PREMIUM = {"charge_pattern": "Premium"}


@pytest.fixture(scope="module")
def journal() -> pl.DataFrame:
    """A charge raised in January that takes effect in February, due in March, half written off, a credit given up."""
    postings = Postings()
    postings.post(JAN, ("InitialChargeTxn", "100.00", PREMIUM | {"variant": "immediate", "transaction_date": FEB}))
    postings.post(
        FEB, ("ChargeBilled", "100.00", PREMIUM), ("DirectBillMoneyReceivedTxn", "30.00", {"fund_policy_key": 5})
    )
    postings.post(
        MAR,
        ("ChargeDue", "100.00", PREMIUM),
        ("ChargePaidFromAccount", "30.00", PREMIUM | {"fund_policy_key": 5}),
        ("ChargeWrittenOff", "50.00", PREMIUM),
        ("ChargeWrittenOff", "-1.00", PREMIUM),
    )
    return postings.journal


def test_natural_balances(journal):
    """R-LED-05, 06."""
    rows = (
        t_account_balances(journal).select(t_account_name(), "fund_policy_key", "debits", "credits", "balance").rows()
    )
    assert rows == [
        ("Cash", 0, 3000, 0, 3000),
        ("Designated Unapplied", 5, 3000, 3000, 0),
        ("Premium Billed", 0, 10000, 10000, 0),
        ("Premium Due", 0, 10100, 8000, 2100),
        ("Premium Negative Write-Off Income", 0, 0, 100, 100),
        ("Premium Revenue", 0, 0, 10000, 10000),
        ("Premium Unbilled", 0, 10000, 10000, 0),
        ("Premium Write-Off Expense", 0, 5000, 0, 5000),
    ]


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"owner_key": [5, -3]},
        {"owner_key": [2**62, -(2**62)], "fund_policy_key": [0, 2**40, 7]},
        {"charge_pattern": ["Tax", "", "Premium"], "currency": ["USD", "EUR"]},
        {"charge_pattern": ["Tax", None, "Premium"]},
        {"owner_key": [None]},
    ],
)
def test_t_accounts_are_told_apart_and_sorted_whatever_their_keys(journal, columns):
    lines = journal.with_columns(
        pl.Series(name, [values[row % len(values)] for row in range(journal.height)], journal.schema[name])
        for name, values in columns.items()
    )
    is_debit = pl.col("side") == "D"
    sums = lines.group_by(T_ACCOUNT).agg(
        debits=pl.col("amount").filter(is_debit).sum(), credits=pl.col("amount").filter(~is_debit).sum()
    )
    assert t_account_balances(lines).drop("balance").equals(sums.sort(T_ACCOUNT))


def test_two_dates(journal):
    """R-LED-19: effect and record are told apart."""
    assert t_account_balances(journal, as_of=JAN).is_empty()
    known_in_january = t_account_balances(journal, known_at=JAN)
    assert known_in_january.select(t_account_name(), "balance").rows() == [
        ("Premium Revenue", 10000),
        ("Premium Unbilled", 10000),
    ]
    assert t_account_balances(journal, as_of=JAN, known_at=MAR).is_empty()
    assert t_account_balances(journal, as_of=FEB, known_at=JAN).equals(known_in_january)
    assert t_account_balances(journal, as_of=MAR, known_at=MAR).equals(t_account_balances(journal))


def test_trial_balance(journal):
    """R-LED-22, V-LED-04."""
    trial = trial_balance(journal)
    assert trial.select("account_type", "t_account", "debit_balance", "credit_balance").rows() == [
        ("Asset", "Premium Billed", 0, 0),
        ("Asset", "Premium Due", 2100, 0),
        ("Asset", "Premium Unbilled", 0, 0),
        ("Asset", "Cash", 3000, 0),
        ("Liability", "Designated Unapplied", 0, 0),
        ("Expense", "Premium Write-Off Expense", 5000, 0),
        ("Revenue", "Premium Negative Write-Off Income", 0, 100),
        ("Revenue", "Premium Revenue", 0, 10000),
    ]
    for as_of in (JAN, FEB, MAR):
        totals = trial_balance(journal, as_of).group_by("currency").agg(pl.col("debit_balance", "credit_balance").sum())
        assert totals.filter(pl.col("debit_balance") != pl.col("credit_balance")).is_empty()


def test_owner_amounts(journal):
    """R-BAL-01..05: the write-off counts net of the credit that was given up."""
    names = [
        "total_value",
        "unbilled",
        "billed",
        "due",
        "outstanding",
        "remaining",
        "written_off",
        "paid_or_written_off",
        "paid",
    ]
    [march] = owner_amounts(journal).rows(named=True)
    assert [march[name] for name in names] == [10000, 0, 0, 2100, 2100, 2100, 4900, 7900, 3000]
    assert (march["owner_type"], march["owner_key"], march["currency"]) == ("PolicyPeriod", 2, "USD")
    [february] = owner_amounts(journal, as_of=FEB).rows(named=True)
    assert [february[name] for name in names] == [10000, 0, 10000, 0, 10000, 10000, 0, 0, 0]
    assert owner_amounts(journal, as_of=JAN).is_empty()


def test_names():
    """R-LED-08."""
    frame = pl.DataFrame(
        {
            "t_account_pattern": pl.Series(
                ["<Charge Pattern> Billed", "Cash"], dtype=pl.Enum(enums.T_ACCOUNT_PATTERNS)
            ),
            "charge_pattern": ["State Tax", ""],
        }
    )
    assert frame.select(t_account_name()).to_series().to_list() == ["State Tax Billed", "Cash"]
