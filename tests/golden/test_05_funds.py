"""Money in unapplied funds: transferred to other accounts, or kept because it cannot be returned."""

from __future__ import annotations

import json
from datetime import date

import polars as pl

from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Story, plans

JAN_1, DAY = date(2025, 1, 1), date(2025, 1, 10)


def story(amount: str = "100.00", **payment: object) -> Story:
    """A keeps a fund for policy P and has money in its default fund; B keeps its money together."""
    told = Story(plans(monthly(maximum=1)))
    told.land(
        JAN_1,
        accounts=[
            {"account_id": "A"},
            {"account_id": "B", "invoice_by": "account"},
            {"account_id": "E", "currency": "EUR"},
        ],
        billing_instructions=[issuance("I", "P", JAN_1, date(2026, 1, 1))],
    )
    told.land(DAY, payments=[{"payment_id": "M", "amount": amount, "account_id": "A"} | payment])
    return told


def transfer(command_id: str, *targets: tuple[str, str, str | None], source: str | None = None) -> dict[str, object]:
    listed = [
        {"account_id": account, "amount": amount, "reason": "asked for"} | ({"policy_id": policy} if policy else {})
        for account, amount, policy in targets
    ]
    params = {"targets": listed} | ({"policy_id": source} if source else {})
    return about(command_id, "transfer_funds", params)


def about(
    command_id: str, command_type: str, params: dict[str, object], amount: str | None = None
) -> dict[str, object]:
    return {
        "command_id": command_id,
        "command_type": command_type,
        "target_type": "account",
        "target_id": "A",
        "amount": amount,
        "params": json.dumps(params),
    }


def balances(told: Story) -> dict[int, int]:
    """Balance of every fund that holds something: twice the account, or twice the policy and one."""
    return dict(told.book["funds"].filter(pl.col("balance") != 0).select("fund_key", "balance").rows())


def test_d_trf_01_a_transfer_takes_all_its_targets_or_none() -> None:
    """D-TRF-01, E-TRF-01, R-TRF-01..03: 60 + 40 of a surplus of 100 go; 60 + 50 do not."""
    told = story().land(
        DAY,
        commands=[
            transfer("T1", ("B", "60.00", None), ("B", "50.00", None)),
            transfer("T2", ("B", "60.00", None), ("B", "40.00", None)),
            transfer("T3", ("B", "0.01", None)),
        ],
    )
    told.close_through(DAY)
    assert balances(told) == {4: 100_00}
    assert told.quarantined() == [("T1", "E-FUND-AMOUNT"), ("T3", "E-FUND-AMOUNT")]
    lines = (
        told.journal().filter(pl.col("transaction_type") == "TransferTransaction").sort("transaction_key", "line_no")
    )
    assert lines.select("side", "owner_key", "amount").rows()[:2] == [("D", 1, 60_00), ("C", 2, 60_00)]


def test_r_trf_01_money_moves_between_the_funds_of_an_account() -> None:
    """R-TRF-01, R-TXN-14: default to designated and back, each by its own rule."""
    told = story().land(DAY, commands=[transfer("T1", ("A", "30.00", "P"))])
    told.land(date(2025, 1, 11), commands=[transfer("T2", ("A", "10.00", None), ("B", "5.00", None), source="P")])
    told.close_through(date(2025, 1, 11))
    assert balances(told) == {2: 80_00, 3: 15_00, 4: 5_00}
    assert (told.balance("Designated Unapplied"), told.balance("Unapplied")) == ("15.00", "85.00")


def test_r_trf_04_currencies_and_funds_must_fit() -> None:
    """R-TRF-03, R-TRF-04: another currency, the same fund, an unknown account, a fund that is not kept, nothing."""
    told = story().land(
        DAY,
        commands=[
            transfer("T1", ("E", "1.00", None)),
            transfer("T2", ("A", "1.00", None)),
            transfer("T3", ("X", "1.00", None)),
            transfer("T4", ("B", "1.00", "P")),
            transfer("T5", ("B", "0.00", None)),
            transfer("T6"),
        ],
    )
    told.close_through(DAY)
    assert told.quarantined() == [
        ("T1", "E-FUND-TARGET"),
        ("T2", "E-FUND-TARGET"),
        ("T3", "E-FUND-UNKNOWN"),
        ("T4", "E-FUND-UNKNOWN"),
        ("T5", "E-FUND-AMOUNT"),
        ("T6", "E-FUND-AMOUNT"),
    ]
    assert balances(told) == {2: 100_00}


def test_r_wo_7_surplus_that_cannot_be_returned_is_kept_and_may_be_given_back() -> None:
    """R-WO-7, R-WO-8: up to what the fund holds; given back once, it is in the fund again."""
    told = (
        story()
        .land(
            DAY,
            commands=[
                about("K1", "write_off_surplus", {}, "100.01"),
                about("K2", "write_off_surplus", {}, "40.00"),
                about("K3", "write_off_surplus", {"policy_id": "P"}, "1.00"),
            ],
        )
        .close_through(DAY)
    )
    assert (told.balance("Negative Write-Off"), balances(told)) == ("40.00", {2: 60_00})
    back = [about(name, "reverse_surplus_write_off", {"command": "K2"}) for name in ("R1", "R2")]
    told.land(date(2025, 1, 11), commands=back).close_through(date(2025, 1, 12))
    assert (told.balance("Negative Write-Off"), balances(told)) == ("0.00", {2: 100_00})
    assert told.quarantined() == [("K1", "E-FUND-AMOUNT"), ("K3", "E-FUND-AMOUNT"), ("R2", "E-SURPLUS-UNKNOWN")]
