"""Worked examples of the double-entry core: Ray Newton's ledger, recaptures, commissions, collateral, and the rest."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from ledger.balances import owner_amounts, t_account_balances, trial_balance
from ledger.journal_checks import check_journal
from ledger.posting import PostingError
from tests.postings import Postings, in_words, minor_units

DAY = date(2025, 2, 1)
PREMIUM, TAX, FEE = ({"charge_pattern": name} for name in ("Premium", "Tax", "Fee"))
Step = tuple[Any, ...]


@pytest.fixture
def postings():
    """A journal; whatever a test posts must pass the contracts of the journal."""
    made = Postings()
    yield made
    assert check_journal(made.journal).is_empty()


# Ray Newton: premium 600 (pro rata), tax 25 (pass-through), fee 10 (immediate)

RAY_NEWTON: tuple[tuple[date, str, tuple[Step, ...]], ...] = (
    (
        date(2025, 2, 1),
        "charges in",
        (
            ("InitialChargeTxn", "600", PREMIUM | {"variant": "pro_rata"}),
            ("InitialChargeTxn", "25", TAX | {"variant": "pass_through"}),
            ("InitialChargeTxn", "10", FEE | {"variant": "immediate"}),
        ),
    ),
    (
        date(2025, 2, 1),
        "billed",
        (("ChargeBilled", "180", PREMIUM), ("ChargeBilled", "25", TAX), ("ChargeBilled", "10", FEE)),
    ),
    (
        date(2025, 2, 15),
        "due",
        (("ChargeDue", "180", PREMIUM), ("ChargeDue", "25", TAX), ("ChargeDue", "10", FEE)),
    ),
    (
        date(2025, 2, 20),
        "paid",
        (
            ("DirectBillMoneyReceivedTxn", "215"),
            ("ChargePaidFromAccount", "180", PREMIUM),
            ("ChargePaidFromAccount", "25", TAX),
            ("ChargePaidFromAccount", "10", FEE),
        ),
    ),
    (date(2025, 3, 1), "", (("ChargeBilled", "140", PREMIUM),)),
    (date(2025, 3, 15), "", (("ChargeDue", "140", PREMIUM),)),
    (date(2025, 3, 20), "", (("DirectBillMoneyReceivedTxn", "140"), ("ChargePaidFromAccount", "140", PREMIUM))),
    (date(2025, 4, 1), "1 Apr billed", (("ChargeBilled", "140", PREMIUM),)),
    (date(2025, 4, 15), "", (("ChargeDue", "140", PREMIUM),)),
    (date(2025, 4, 20), "", (("DirectBillMoneyReceivedTxn", "140"), ("ChargePaidFromAccount", "140", PREMIUM))),
    (date(2025, 5, 1), "", (("ChargeBilled", "140", PREMIUM),)),
    (date(2025, 5, 15), "", (("ChargeDue", "140", PREMIUM),)),
    (
        date(2025, 5, 20),
        "20 May paid",
        (("DirectBillMoneyReceivedTxn", "140"), ("ChargePaidFromAccount", "140", PREMIUM)),
    ),
)
COLUMNS = ("charges in", "billed", "due", "paid", "1 Apr billed", "20 May paid")

D_01 = """
    Premium Unbilled PolicyPeriod | 600 | 420 | 420 | 420 | 140 |   0
    Premium Billed PolicyPeriod   |   0 | 180 |   0 |   0 | 140 |   0
    Premium Due PolicyPeriod      |   0 |   0 | 180 |   0 |   0 |   0
    Premium Unearned PolicyPeriod | 600 | 600 | 600 | 600 | 600 | 600
    Tax Unbilled PolicyPeriod     |  25 |   0 |   0 |   0 |   0 |   0
    Tax Billed PolicyPeriod       |   0 |  25 |   0 |   0 |   0 |   0
    Tax Due PolicyPeriod          |   0 |   0 |  25 |   0 |   0 |   0
    Tax Expense PolicyPeriod      |  25 |  25 |  25 |  25 |  25 |  25
    Tax Revenue PolicyPeriod      |  25 |  25 |  25 |  25 |  25 |  25
    Tax Reserve PolicyPeriod      |  25 |  25 |  25 |  25 |  25 |  25
    Fee Unbilled PolicyPeriod     |  10 |   0 |   0 |   0 |   0 |   0
    Fee Billed PolicyPeriod       |   0 |  10 |   0 |   0 |   0 |   0
    Fee Due PolicyPeriod          |   0 |   0 |  10 |   0 |   0 |   0
    Fee Revenue PolicyPeriod      |  10 |  10 |  10 |  10 |  10 |  10
    Cash Account                  |   0 |   0 |   0 | 215 | 355 | 635
    Unapplied Account             |   0 |   0 |   0 |   0 |   0 |   0
"""

D_02 = """
    step         | unbilled | billed | due | outstanding | remaining | paid
    charges in   |      635 |      0 |   0 |           0 |       635 |    0
    billed       |      420 |    215 |   0 |         215 |       635 |    0
    due          |      420 |      0 | 215 |         215 |       635 |    0
    paid         |      420 |      0 |   0 |           0 |       420 |  215
    1 Apr billed |      140 |    140 |   0 |         140 |       280 |  355
    20 May paid  |        0 |      0 |   0 |           0 |         0 |  635
"""


def cells(table: str) -> list[list[str]]:
    """The cells of a text table."""
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def ray_newton() -> tuple[Postings, dict[str, pl.DataFrame]]:
    """The whole scenario, and the journal after each step that has a name."""
    made, snapshots = Postings(), {}
    for day, name, steps in RAY_NEWTON:
        made.post(day, *steps)
        snapshots[name] = made.journal
    return made, snapshots


def test_d_01_ray_newton_ledger_balances():
    made, snapshots = ray_newton()
    assert check_journal(made.journal).is_empty()
    for column, name in enumerate(COLUMNS, start=1):
        step = Postings()
        step.journal = snapshots[name]
        expected = {
            (row[0].rsplit(" ", 1)[0], row[0].rsplit(" ", 1)[1]): f"{row[column]}.00"
            for row in cells(D_01)
            if row[column] != "0"
        }
        assert step.balances() == expected, name
        classes = (
            t_account_balances(snapshots[name])
            .group_by(pl.col("account_type").is_in(["Asset", "Expense"]).alias("is_debit"))
            .agg(pl.col("balance").sum())
        )
        # The fee is revenue, the premium unearned: both sides of the book hold 660.
        assert classes["balance"].to_list() == [66000, 66000], name
        sides = trial_balance(snapshots[name]).select(pl.col("debit_balance", "credit_balance").sum())
        assert sides.row(0) == (66000, 66000)


def test_d_01_as_of_any_day_is_what_the_steps_left():
    made, _ = ray_newton()
    for name, day in {"due": date(2025, 2, 15), "paid": date(2025, 2, 28), "1 Apr billed": date(2025, 4, 1)}.items():
        column = COLUMNS.index(name) + 1
        premium = [row for row in cells(D_01) if row[0].startswith("Premium")]
        found = [made.balance(row[0].rsplit(" ", 1)[0], "PolicyPeriod", as_of=day) for row in premium]
        assert found == [f"{row[column]}.00" for row in premium]


def test_d_01_counts():
    made, _ = ray_newton()
    counts = (
        made.journal.group_by(pl.col("transaction_type").cast(pl.String))
        .agg(pl.col("transaction_key").n_unique())
        .rows()
    )
    assert dict(counts) == {
        "InitialChargeTxn": 3,
        "ChargeBilled": 6,
        "ChargeDue": 6,
        "DirectBillMoneyReceivedTxn": 4,
        "ChargePaidFromAccount": 6,
    }
    assert made.journal["transaction_key"].n_unique() == 25
    assert made.journal.height == 52


def test_d_02_ray_newton_derived_amounts():
    _, snapshots = ray_newton()
    header, *rows = cells(D_02)
    for step, *figures in rows:
        [amounts] = owner_amounts(snapshots[step]).rows(named=True)
        assert amounts["total_value"] == 63500
        assert [amounts[name] for name in header[1:]] == [minor_units(figure) for figure in figures], step


# Recapture, agency bill, direct bill commission


def test_d_03_recapture(postings):
    """R-TXN-02: the deficit is restored once, when the recapture is paid."""
    account = {"owner_type": "Account", "owner_key": 1, "charge_pattern": "Recapture"}
    receipt = postings.post(DAY, ("DirectBillMoneyReceivedTxn", "145"))
    paid = postings.post(DAY, ("ChargePaidFromAccount", "100", PREMIUM))
    postings.post(DAY, ("DisbursementPaid", "45"))
    assert postings.balance("Unapplied", "Account") == "0.00"
    postings.reverse(DAY + timedelta(days=1), pl.concat([receipt, paid]))
    assert postings.balance("Unapplied", "Account") == "-45.00"
    assert postings.balance("Cash", "Account") == "-45.00"
    later = DAY + timedelta(days=2)
    postings.post(later, ("InitialChargeTxn", "45", account | {"variant": "recapture"}))
    assert postings.balance("Unapplied", "Account") == "-45.00"
    postings.post(
        later,
        ("ChargeBilled", "45", account),
        ("ChargeDue", "45", account),
        ("DirectBillMoneyReceivedTxn", "45"),
        ("ChargePaidFromAccount", "45", account | {"variant": "recapture"}),
    )
    found = {name: balance for (name, _), balance in postings.balances().items()}
    assert found == {"Recapture Expense": "45.00", "Recapture Revenue": "45.00"}


def test_d_03_recapture_as_printed_would_restore_the_deficit_twice(postings):
    """Why R-TXN-02 corrects the printed table: Unapplied +45 and Reserve -45 would remain."""
    account = {"owner_type": "Account", "owner_key": 1, "charge_pattern": "Recapture"}
    postings.post(
        DAY,
        ("DisbursementPaid", "45"),
        ("InitialChargeTxn", "45", account | {"variant": "recapture"}),
        # What the printed rule credits instead of Reserve, as a correction on top.
        ("ChargeBilled", "45", account),
        ("ChargeDue", "45", account),
        ("DirectBillMoneyReceivedTxn", "45"),
        ("ChargePaidFromAccount", "45", account | {"variant": "recapture"}),
    )
    is_credit = (pl.col("t_account_pattern") == "<Charge Pattern> Reserve") & (pl.col("side") == "C")
    printed = Postings()
    printed.journal = postings.journal.with_columns(
        pl.when(is_credit)
        .then(pl.lit("Unapplied", dtype=postings.journal.schema["t_account_pattern"]))
        .otherwise("t_account_pattern")
        .alias("t_account_pattern")
    )
    assert printed.balance("Unapplied", "Account") == "45.00"
    assert printed.balance("Recapture Reserve", "Account") == "-45.00"
    assert printed.balance("Recapture Due", "Account") == "0.00"
    assert check_journal(printed.journal)["rule"].to_list()[-1] == "I-12"


def test_d_04_agency_bill(postings):
    postings.post(
        DAY,
        ("InitialChargeTxn", "1000", PREMIUM | {"variant": "pro_rata"}),
        ("ChargeBilled", "1000", PREMIUM),
        ("ChargeDue", "1000", PREMIUM),
        ("SubmissionCmsnTxn", "100", {"variant": "new_policy"}),
        ("AgencyBillMoneyReceivedTxn", "900"),
    )
    net = {"variant": "net_of_commission", "net_amount": "900", "commission_amount": "100"}
    assert in_words(postings.post(DAY, ("ChargePaidFromProducer", "1000", PREMIUM | net))) == [
        "Dr Unapplied [Producer] 900.00",
        "Dr Commissions Reserve [ChargeCommission] 100.00",
        "Cr Premium Due [PolicyPeriod] 1000.00",
    ]
    assert postings.balances() == {
        ("Cash", "Producer"): "900.00",
        ("Commissions Expense", "ChargeCommission"): "100.00",
        ("Premium Unearned", "PolicyPeriod"): "1000.00",
    }


def test_d_05_direct_bill_commission(postings):
    """R-TXN-17, R-TXN-19: a change by its difference; what is earned is swept."""
    postings.post(
        DAY,
        ("SubmissionCmsnTxn", "100", {"variant": "new_policy"}),
        ("PolicyChangeCmsnTxn", "20"),
        ("ReserveCmsnEarned", "60"),
        ("PolicyCmsnPayable", "60", {"variant": "charge_commission"}),
        ("ProducerPaymentSent", "60"),
    )
    assert postings.balances() == {
        ("Commissions Expense", "ChargeCommission"): "120.00",
        ("Commissions Reserve", "ChargeCommission"): "60.00",
        ("Cash", "Producer"): "-60.00",
    }


# Collateral, early payment

COLLATERAL = {"owner_type": "Collateral", "owner_key": 7, "charge_pattern": "Collateral"}
D_06: tuple[tuple[tuple[Step, ...], str], ...] = (
    # steps, then Held[Collateral] Held[Requirement] Reserve[Collateral] Cash[Account] Unapplied[Account]
    (
        (
            ("InitialChargeTxn", "100", COLLATERAL | {"variant": "collateral"}),
            ("ChargeBilled", "100", COLLATERAL),
            ("ChargeDue", "100", COLLATERAL),
        ),
        "0 0 100 0 0",
    ),
    ((("DirectBillMoneyReceivedTxn", "100"),), "0 0 100 100 100"),
    ((("ChargePaidFromAccount", "100", COLLATERAL | {"variant": "collateral"}),), "100 0 100 0 0"),
    ((("CollReqSegregate", "60"),), "40 60 100 0 0"),
    ((("CollReqUnSegregate", "20"),), "60 40 100 0 0"),
    ((("CollateralDrawdown", "30"),), "30 40 70 30 30"),
    ((("CollateralPaidFromAccount", "30"),), "60 40 100 0 0"),
    ((("CollateralDisbPaid", "25"),), "35 40 75 0 0"),
)


def test_d_06_collateral(postings):
    """R-LED-30: Held and Reserve stay equal."""
    for steps, figures in D_06:
        postings.post(DAY, *steps)
        found = [
            postings.balance("Collateral Held", "Collateral"),
            postings.balance("Collateral Held", "CollateralRequirement"),
            postings.balance("Collateral Reserve", "Collateral"),
            postings.balance("Cash", "Account"),
            postings.balance("Unapplied", "Account"),
        ]
        assert found == [f"{figure}.00" for figure in figures.split()], steps


@pytest.mark.parametrize(
    ("variant", "held"), [("requirement", "Collateral"), ("requirement_segregated", "CollateralRequirement")]
)
def test_a_paid_requirement_leaves_its_cash_where_it_belongs(postings, variant, held):
    """R-TXN-06."""
    requirement = {"owner_type": "CollateralRequirement", "owner_key": 8, "charge_pattern": "Collateral"}
    postings.post(
        DAY,
        ("InitialChargeTxn", "100", requirement | {"variant": "collateral"}),
        ("ChargeBilled", "100", requirement),
        ("ChargeDue", "100", requirement),
        ("DirectBillMoneyReceivedTxn", "100"),
        ("ChargePaidFromAccount", "100", requirement | {"variant": variant}),
    )
    assert postings.balances() == {("Collateral Held", held): "100.00", ("Collateral Reserve", "Collateral"): "100.00"}


def test_d_07_early_full_payment(postings):
    """R-LED-26: Due is negative until the invoices come."""
    expected = [
        # unbilled, billed, due, remaining, paid
        (
            (
                ("InitialChargeTxn", "600", PREMIUM | {"variant": "pro_rata"}),
                ("DirectBillMoneyReceivedTxn", "600"),
                ("ChargePaidFromAccount", "600", PREMIUM),
            ),
            (60000, 0, -60000, 0, 60000),
        ),
        ((("ChargeBilled", "180", PREMIUM),), (42000, 18000, -60000, 0, 60000)),
        ((("ChargeDue", "180", PREMIUM),), (42000, 0, -42000, 0, 60000)),
    ]
    for steps, figures in expected:
        postings.post(DAY, *steps)
        amounts = owner_amounts(postings.journal).select("unbilled", "billed", "due", "remaining", "paid")
        assert amounts.rows() == [figures]


# Producers, transfers, write-offs, adjustments, suspense, advances, archive


@pytest.mark.parametrize(
    ("payment", "write_off", "lines"),
    [
        ("995", "5", ["Dr Write-Off Expense [Producer] 5.00", "Cr Unapplied [Producer] 5.00"]),
        ("1005", "-5", ["Dr Unapplied [Producer] 5.00", "Cr Negative Write-Off [Producer] 5.00"]),
    ],
)
def test_d_08_agency_payment_difference(postings, payment, write_off, lines):
    """R-TXN-11: either way the fund holds what the charges need."""
    postings.post(DAY, ("AgencyBillMoneyReceivedTxn", payment))
    assert in_words(postings.post(DAY, ("ProducerWriteoff", write_off))) == lines
    assert postings.balance("Unapplied", "Producer") == "1000.00"
    postings.post(DAY, ("ChargePaidFromProducer", "1000", PREMIUM))
    assert postings.balance("Unapplied", "Producer") == "0.00"


@pytest.mark.parametrize(
    ("designated", "default", "transfer", "default_after"),
    [("40", "0", "40", "40.00"), ("-15", "100", "-15", "85.00")],
)
def test_d_09_level_change_empties_the_designated_fund(postings, designated, default, transfer, default_after):
    """R-TXN-14 (b), R-TXN-15."""
    fund = {"fund_policy_key": 9}
    postings.post(
        DAY,
        ("AccountOtherTxn", designated, fund),
        ("AccountOtherTxn", default),
        ("TransferTransaction", transfer, fund | {"variant": "within_account"}),
    )
    assert postings.balance("Designated Unapplied", "Account") == "0.00"
    assert postings.balance("Unapplied", "Account") == default_after


def test_d_10_write_off_and_its_reversal(postings):
    written_off = postings.post(DAY, ("ChargeWrittenOff", "12", PREMIUM))
    assert in_words(written_off) == [
        "Dr Premium Write-Off Expense [PolicyPeriod] 12.00",
        "Cr Premium Due [PolicyPeriod] 12.00",
    ]
    assert in_words(postings.reverse(DAY, written_off)) == [
        "Cr Premium Write-Off Expense [PolicyPeriod] 12.00",
        "Dr Premium Due [PolicyPeriod] 12.00",
    ]
    assert in_words(postings.post(DAY, ("ChargeWrittenOff", "-7", PREMIUM))) == [
        "Dr Premium Due [PolicyPeriod] 7.00",
        "Cr Premium Negative Write-Off Income [PolicyPeriod] 7.00",
    ]


def test_d_11_account_adjustment(postings):
    """R-TXN-08."""
    assert in_words(postings.post(DAY, ("AccountAdjustment", "-50"))) == [
        "Dr Unapplied [Account] 50.00",
        "Cr Cash [Account] 50.00",
    ]
    with pytest.raises(PostingError, match="AccountAdjustment: no posting rule for the amount 5000"):
        postings.post(DAY, ("AccountAdjustment", "50"))


def test_d_12_suspense_payment(postings):
    """R-TXN-13."""
    received = postings.post(DAY, ("SuspPymtTransaction", "80", {"payment_key": 12}))
    assert postings.balances() == {("Cash", "SuspensePayment"): "80.00", ("Unapplied", "SuspensePayment"): "80.00"}
    postings.reverse(DAY, received)
    assert postings.balances() == {}
    postings.post(DAY, ("DirectBillMoneyReceivedTxn", "80", {"payment_key": 12}))
    assert postings.balances() == {("Cash", "Account"): "80.00", ("Unapplied", "Account"): "80.00"}


def test_d_13_advance(postings):
    """R-TXN-20, R-TXN-21."""
    steps = [
        # step, then Advance, Payable and Cash of the producer
        ((("ProducerAdvancePayable", "300"),), "300 300 0"),
        ((("ProducerPaymentSent", "300"),), "300 0 -300"),
        (
            (
                ("SubmissionCmsnTxn", "120", {"variant": "new_policy"}),
                ("ReserveCmsnEarned", "120"),
                ("PolicyCmsnPayable", "120", {"variant": "charge_commission"}),
                ("ProducerAdvanceRepaid", "120"),
            ),
            "180 0 -300",
        ),
        ((("ProducerAdvanceExpired", "180"),), "0 -180 -300"),
        ((("ProducerPaymentRecd", "180"),), "0 0 -120"),
    ]
    for step, figures in steps:
        postings.post(DAY, *step)
        found = [postings.balance(name, "Producer") for name in ("Commissions Advance", "Commissions Payable", "Cash")]
        assert found == [f"{figure}.00" for figure in figures.split()], step


def test_d_14_archive(postings):
    """R-TXN-27, R-TXN-28: the producer's fund is the same with the rollup as on the whole journal without."""
    net = {"variant": "net_of_commission", "net_amount": "900", "commission_amount": "100"}
    receipt = postings.post(DAY, ("AgencyBillMoneyReceivedTxn", "900"))
    postings.post(DAY, ("ChargePaidFromProducer", "1000", PREMIUM | net))
    assert postings.balance("Unapplied", "Producer") == "0.00"
    hot = Postings()
    hot.journal = receipt
    rollup = hot.post(
        DAY + timedelta(days=1),
        ("ArchiveChargePaidFromProducerRollupTxn", "1000", {"net_amount": "900", "commission_amount": "100"}),
    )
    assert in_words(rollup) == [
        "Dr Unapplied [Producer] 900.00",
        "Dr Archive Commission Retained Rollup [PolicyPeriod] 100.00",
        "Cr Archive Gross Rollup [PolicyPeriod] 1000.00",
    ]
    assert hot.balance("Unapplied", "Producer") == "0.00"


# Examples of the source


def test_e_txn_01_producer_sends_agency_money(postings):
    lines = postings.post(DAY, ("AgencyBillMoneyReceivedTxn", "12.34"))
    assert in_words(lines) == ["Dr Cash [Producer] 12.34", "Cr Unapplied [Producer] 12.34"]
    assert lines["account_type"].to_list() == ["Asset", "Liability"]


def test_e_txn_02_a_charge_is_billed(postings):
    """R-TXN-03."""
    assert in_words(postings.post(DAY, ("ChargeBilled", "5", PREMIUM))) == [
        "Dr Premium Billed [PolicyPeriod] 5.00",
        "Cr Premium Unbilled [PolicyPeriod] 5.00",
    ]


def test_e_txn_03_an_invoice_is_billed_then_due(postings):
    lines = postings.post(DAY, ("ChargeBilled", "5", PREMIUM), ("ChargeDue", "5", PREMIUM))
    assert in_words(lines) == [
        "Dr Premium Billed [PolicyPeriod] 5.00",
        "Cr Premium Unbilled [PolicyPeriod] 5.00",
        "Dr Premium Due [PolicyPeriod] 5.00",
        "Cr Premium Billed [PolicyPeriod] 5.00",
    ]


@pytest.mark.parametrize(
    ("subtype", "total"),
    [("immediate", 100), ("pro_rata", 100), ("collateral", 100), ("pass_through", 200), ("recapture", 200)],
)
def test_d_ac_1_one_charge_by_subtype(postings, subtype, total):
    lines = postings.post(DAY, ("InitialChargeTxn", "100", PREMIUM | {"variant": subtype}))
    by_side = dict(lines.group_by(pl.col("side").cast(pl.String)).agg(pl.col("amount").sum()).rows())
    assert by_side == {"D": total * 100, "C": total * 100}


def test_pass_through_is_neutral(postings):
    """R-LED-28: expense and revenue cancel out, the reserve holds what was charged."""
    postings.post(DAY, ("InitialChargeTxn", "25", TAX | {"variant": "pass_through"}))
    postings.post(DAY, ("InitialChargeTxn", "-5", TAX | {"variant": "pass_through"}))
    names = ("Tax Expense", "Tax Revenue", "Tax Reserve")
    assert [postings.balance(name, "PolicyPeriod") for name in names] == ["20.00"] * 3
