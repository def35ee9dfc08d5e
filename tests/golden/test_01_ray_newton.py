"""The direct bill story of Ray Newton, from issuance to the last payment: invoices, T-accounts, derived amounts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest

from ledger.balances import trial_balance
from tests.story import Story, carrier

NO_LAG = ("invoice_due_lag_days = 1", "invoice_due_lag_days = 0")
PAYMENTS = {date(2025, 2, 20): "215", date(2025, 3, 20): "140", date(2025, 4, 20): "140", date(2025, 5, 20): "140"}


def ray_newton() -> Story:
    """600 premium, 25 tax and 10 fee from 1 February to 31 July; 30 % down, the rest in three months."""
    story = Story(carrier(NO_LAG))
    story.land(
        date(2025, 2, 1),
        accounts=[{"account_id": "RAY", "name": "Ray Newton"}],
        billing_instructions=[
            {
                "instruction_id": "ISSUE",
                "instruction_type": "issuance",
                "account_id": "RAY",
                "policy_id": "AUTO",
                "period_start": "2025-02-01",
                "period_end": "2025-07-31",
                "effective_date": "2025-02-01",
                "payment_plan": "Monthly 30% Down",
            }
        ],
        charges=[
            {"instruction_id": "ISSUE", "charge_no": 1, "charge_pattern": "Premium", "amount": "600.00"},
            {"instruction_id": "ISSUE", "charge_no": 2, "charge_pattern": "Tax", "amount": "25.00"},
            {"instruction_id": "ISSUE", "charge_no": 3, "charge_pattern": "Fee", "amount": "10.00"},
        ],
    )
    for day, amount in PAYMENTS.items():
        story.land(
            day, payments=[{"payment_id": f"P-{day}", "amount": amount, "account_id": "RAY", "policy_id": "AUTO"}]
        )
    return story


def test_e_ovr_01_to_04_down_payment_installments_and_dates() -> None:
    story = ray_newton().close_through(date(2025, 2, 1))
    assert story.amounts() == ["180.00", "140.00", "140.00", "140.00"]
    assert story.dates("bill_date") == ["2025-02-01", "2025-03-01", "2025-04-01", "2025-05-01"]
    assert story.dates("due_date") == ["2025-02-15", "2025-03-15", "2025-04-15", "2025-05-15"]
    assert [amount for _, _, amount in story.invoices()] == ["215.00", "140.00", "140.00", "140.00"]


@pytest.mark.parametrize(
    ("example", "as_of", "expected"),
    [
        ("E-OVR-07", date(2025, 2, 1), "Billed 215.00, Planned 140.00, Planned 140.00, Planned 140.00"),
        ("E-OVR-08", date(2025, 2, 15), "Due 215.00, Planned 140.00, Planned 140.00, Planned 140.00"),
        ("E-OVR-09", date(2025, 2, 20), "Due 0.00, Planned 140.00, Planned 140.00, Planned 140.00"),
        ("E-OVR-10", date(2025, 4, 1), "Due 0.00, Due 0.00, Billed 140.00, Planned 140.00"),
        ("E-OVR-11", date(2025, 5, 20), "Due 0.00, Due 0.00, Due 0.00, Due 0.00"),
    ],
)
def test_e_ovr_invoice_states(example: str, as_of: date, expected: str) -> None:
    """R-LIF-08, R-LIF-09, R-LIF-11."""
    story = ray_newton().close_through(as_of)
    assert ", ".join(f"{status} {amount}" for _, status, amount in story.invoices()) == expected, example


# T-account: 1 Feb, 15 Feb, 20 Feb, 1 Apr, 20 May
D_01 = """
Premium Unbilled   420 420 420 140   0
Premium Billed     180   0   0 140   0
Premium Due          0 180   0   0   0
Premium Unearned   600 600 600 600 600
Tax Unbilled         0   0   0   0   0
Tax Billed          25   0   0   0   0
Tax Due              0  25   0   0   0
Tax Expense         25  25  25  25  25
Tax Revenue         25  25  25  25  25
Tax Reserve         25  25  25  25  25
Fee Unbilled         0   0   0   0   0
Fee Billed          10   0   0   0   0
Fee Due              0  10   0   0   0
Fee Revenue         10  10  10  10  10
Cash                 0   0 215 355 635
Designated Unapplied 0   0   0   0   0
"""
D_01_DAYS = (date(2025, 2, 1), date(2025, 2, 15), date(2025, 2, 20), date(2025, 4, 1), date(2025, 5, 20))


def d_01_cells() -> Iterator[tuple[date, str, str]]:
    for line in D_01.strip().splitlines():
        *name, a, b, c, d, e = line.split()
        for day, amount in zip(D_01_DAYS, (a, b, c, d, e), strict=True):
            yield day, " ".join(name), f"{amount}.00"


def test_d_01_balances_on_every_day() -> None:
    without_earning = pl.col("transaction_type") != "ProRataChargeEarned"
    story = ray_newton()
    for day in D_01_DAYS:
        story.close_through(day)
        story.omit(~without_earning)
        for at, name, amount in d_01_cells():
            if at == day:
                pattern, _, rest = name.partition(" ")
                per_charge = pattern in ("Premium", "Tax", "Fee")
                found = story.balance(f"<Charge Pattern> {rest}", pattern) if per_charge else story.balance(name)
                assert (day, name, found) == (day, name, amount)
        totals = trial_balance(story.journal())
        assert totals["debit_balance"].sum() == totals["credit_balance"].sum() == 66000


def test_d_01_counts_transactions_and_lines() -> None:
    story = ray_newton().close_through(date(2025, 5, 20))
    story.omit(pl.col("transaction_type") == "ProRataChargeEarned")
    journal = story.journal()
    counted = dict(journal.unique("transaction_key").group_by("transaction_type").len().rows())
    assert counted == {
        "InitialChargeTxn": 3,
        "ChargeBilled": 6,
        "ChargeDue": 6,
        "DirectBillMoneyReceivedTxn": 4,
        "ChargePaidFromAccount": 6,
    }
    assert journal.height == 52


# as of: unbilled, billed, due, outstanding, remaining, paid
D_02 = {
    date(2025, 2, 1): (420, 215, 0, 215, 635, 0),
    date(2025, 2, 15): (420, 0, 215, 215, 635, 0),
    date(2025, 2, 20): (420, 0, 0, 0, 420, 215),
    date(2025, 4, 1): (140, 140, 0, 140, 280, 355),
    date(2025, 5, 20): (0, 0, 0, 0, 0, 635),
}


@pytest.mark.parametrize("as_of", D_02)
def test_d_02_derived_amounts(as_of: date) -> None:
    story = ray_newton().close_through(as_of)
    amounts = story.owner_amounts().filter(pl.col("owner_type") == "PolicyPeriod").row(0, named=True)
    names = ("unbilled", "billed", "due", "outstanding", "remaining", "paid")
    assert tuple(amounts[name] // 100 for name in names) == D_02[as_of]


def test_d_07_early_full_payment() -> None:
    pay_ahead = "Pay Ahead"
    story = Story(carrier(NO_LAG))
    story.land(
        date(2025, 1, 31),
        accounts=[{"account_id": "RAY", "payment_allocation_plan": pay_ahead}],
        billing_instructions=[
            {
                "instruction_id": "ISSUE",
                "instruction_type": "issuance",
                "account_id": "RAY",
                "policy_id": "AUTO",
                "period_end": "2025-07-31",
                "effective_date": "2025-02-01",
                "payment_plan": "Monthly 30% Down",
            }
        ],
        charges=[{"instruction_id": "ISSUE", "charge_no": 1, "charge_pattern": "Premium", "amount": "600"}],
        payments=[{"payment_id": "P1", "amount": "600", "account_id": "RAY"}],
    )

    def receivables() -> tuple[str, ...]:
        return tuple(story.balance(f"<Charge Pattern> {name}", "Premium") for name in ("Unbilled", "Billed", "Due"))

    story.close_through(date(2025, 1, 31))
    assert receivables() == ("600.00", "0.00", "-600.00")
    owner = story.owner_amounts().filter(pl.col("owner_type") == "PolicyPeriod").row(0, named=True)
    assert (owner["remaining"], owner["paid"]) == (0, 60000)
    story.close_through(date(2025, 2, 1))
    assert receivables() == ("420.00", "180.00", "-600.00")
    story.close_through(date(2025, 2, 15))
    assert receivables() == ("420.00", "0.00", "-420.00")
    assert story.invoices()[0] == ("2025-02-01", "Due", "0.00")
