"""Amounts that will not be collected, and those that are collected after all."""

from __future__ import annotations

import json
from datetime import date

import polars as pl

from tests.golden.test_04_invoicing import issued, monthly
from tests.story import Story

DAY = date(2025, 2, 3)
EXPENSE, DUE = ("<Charge Pattern> Write-Off Expense", "Premium"), ("<Charge Pattern> Due", "Premium")


def story() -> Story:
    """Three installments of 100.00, of January (due since the 16th), February (billed) and March (planned)."""
    return issued(monthly(maximum=3), amount="300.00").close_through(date(2025, 2, 2))


def command(
    command_id: str, target_type: str, target_id: object, amount: str | None = None, **params: object
) -> dict[str, object]:
    return {
        "command_id": command_id,
        "command_type": "reverse_write_off" if "command" in params else "write_off",
        "target_type": target_type,
        "target_id": target_id,
        "amount": amount,
        "params": json.dumps(params),
    }


def written_off(told: Story) -> list[int]:
    return told.book["invoice_items"].sort("item_key")["written_off"].to_list()


def test_d_wo_2_a_part_of_a_due_item_is_written_off() -> None:
    """D-WO-2, R-WO-1, R-WO-3: 25 of a due premium item of 100; 75 are open."""
    told = story()
    key = told.book["invoice_items"]["item_key"].min()
    told.land(DAY, commands=[command("W", "invoice_item", key, "25.00")]).close_through(DAY)
    assert (told.balance(*EXPENSE), told.balance(*DUE), written_off(told)) == ("25.00", "75.00", [25_00, 0, 0])
    kept = told.book["write_off_items"].row(0, named=True)
    assert (kept["reason"], kept["command_id"], kept["transaction_key"] > 0) == ("uncollectible", "W", True)


def test_r_wo_6_the_oldest_items_are_written_off_first() -> None:
    """R-WO-6, R-WO-15: by event date over due, billed and planned items; Due carries a credit until the day comes."""
    told = story().land(DAY, commands=[command("W", "policy", "P1", "250.00", write_off_reason="courtesy")])
    told.close_through(DAY)
    assert (written_off(told), told.balance(*DUE)) == ([100_00, 100_00, 50_00], "-150.00")
    told.close_through(date(2025, 4, 30))
    assert (told.balance(*DUE), told.balance(*EXPENSE)) == ("50.00", "250.00")


def test_r_wo_6_without_an_amount_everything_open_is_written_off() -> None:
    """R-ENT-16, R-WO-2, R-WO-6: of the account's charges of a pattern; later money finds nothing to pay."""
    told = story().land(DAY, commands=[command("W", "account", "A", charge_pattern="Premium")])
    told.land(date(2025, 2, 4), payments=[{"payment_id": "M", "amount": "10.00", "account_id": "A"}])
    told.close_through(date(2025, 4, 30))
    assert (sum(written_off(told)), told.balance(*DUE), told.balance("Unapplied")) == (300_00, "0.00", "10.00")


def test_r_wo_6_only_what_is_open_can_be_written_off() -> None:
    """R-WO-6: nothing open, nothing asked, too much, too exact."""
    told = story().land(
        DAY,
        commands=[
            command("W1", "policy", "P1", "300.01"),
            command("W2", "policy", "P1", "0.00"),
            command("W3", "policy", "P1", "0.001"),
            command("W4", "policy", "P1", charge_pattern="Taxes"),
            command("W5", "policy", "P1", term_number=2),
        ],
    )
    told.close_through(DAY)
    assert told.quarantined() == [
        ("W1", "E-WRITE-OFF-AMOUNT"),
        ("W2", "E-WRITE-OFF-AMOUNT"),
        ("W3", "E-AMOUNT-UNREADABLE"),
        ("W4", "E-WRITE-OFF-NOTHING"),
        ("W5", "E-WRITE-OFF-NOTHING"),
    ]
    assert written_off(told) == [0, 0, 0]


def test_r_wo_9_a_write_off_is_taken_back_once() -> None:
    """R-WO-9: the items are open again; each transaction is mirrored, the rule of its original counts."""
    told = story().land(DAY, commands=[command("W", "policy", "P1", "150.00")])
    back = [command(name, "policy", "P1", command="W") for name in ("R1", "R2")]
    told.land(date(2025, 2, 5), commands=back).close_through(date(2025, 2, 5))
    assert (written_off(told), told.balance(*EXPENSE)) == ([0, 0, 0], "0.00")
    assert told.quarantined() == [("R2", "E-WRITE-OFF-UNKNOWN")]
    lines = told.journal().filter(pl.col("reverses_transaction_key") > 0)
    assert set(lines["t_account_pattern"].cast(pl.String)) == {EXPENSE[0], DUE[0]}


def test_a_write_off_of_today_can_be_taken_back_today() -> None:
    """R-WO-9: the day numbers its transactions at its end, and the reversal still names its original."""
    told = story().land(
        DAY, commands=[command("W1", "policy", "P1", "150.00"), command("W2", "policy", "P1", command="W1")]
    )
    told.close_through(DAY)
    mirrored = told.journal().filter(pl.col("reverses_transaction_key") > 0)["reverses_transaction_key"]
    assert mirrored.len() == 4
    assert mirrored.is_in(told.journal()["transaction_key"].implode()).all()
