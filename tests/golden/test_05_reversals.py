"""Payments taken back, moved and corrected: what they paid is open again, and the money is where it belongs."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Story, plans

DAY = date(2025, 1, 10)
DEFAULT_LEVEL: dict[str, object] = {"invoice_by": "account"}
UNPAID, DUE, UNAPPLIED = ("<Charge Pattern> Billed", "Premium"), ("<Charge Pattern> Due", "Premium"), ("Unapplied", "")


def story(**payments: object) -> Story:
    """Two accounts with a policy each, 400.00 billed on the first of January to March, and a payment of A."""
    told = Story(plans(monthly(maximum=3)))
    effective, expiration = date(2025, 1, 1), date(2026, 1, 1)
    told.land(
        effective,
        accounts=[{"account_id": name} | DEFAULT_LEVEL for name in ("A", "B")],
        billing_instructions=[
            issuance(f"I{name}", f"P{name}", effective, expiration, account_id=name) for name in ("A", "B")
        ],
        charges=[
            {"instruction_id": f"I{name}", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200.00"}
            for name in ("A", "B")
        ],
    )
    told.land(DAY, payments=[{"payment_id": "M", "amount": "400.00", "account_id": "A"} | payments])
    return told


def command(command_type: str, params: str = "{}", **more: object) -> dict[str, object]:
    return {
        "command_id": "C",
        "command_type": command_type,
        "target_type": "payment",
        "target_id": "M",
        "params": params,
    } | more


def commanded(told: Story, *commands: dict[str, object], day: date = DAY + timedelta(days=2)) -> Story:
    return told.land(day, commands=list(commands)).close_through(day)


def paid(told: Story, account: str) -> int:
    """What is paid of the items of an account, in minor units."""
    keys = told.book["accounts"].filter(pl.col("account_id") == account)["account_key"]
    total: int = told.book["invoice_items"].filter(pl.col("account_key").is_in(keys.implode()))["paid"].sum()
    return total


NSF = '{"reversal_reason": "insufficient_funds"}'
ERROR = '{"reversal_reason": "entered_in_error"}'


def test_r_pmv_05_a_reversed_payment_opens_what_it_paid_and_leaves_the_fund() -> None:
    """R-PMV-05, R-PMV-06: items first, then the receipt; every transaction is mirrored by one that names it."""
    told = commanded(story(), command("reverse_payment", ERROR))
    assert (paid(told, "A"), told.balance("Cash"), told.balance("Unapplied")) == (0, "0.00", "0.00")
    assert told.balance(*DUE) == "0.00"
    lines = told.journal().filter(pl.col("reverses_transaction_key") > 0)
    kinds = lines["transaction_type"].cast(pl.String).unique().sort().to_list()
    assert kinds == ["ChargePaidFromAccount", "DirectBillMoneyReceivedTxn"]
    originals = told.journal().filter(pl.col("transaction_key").is_in(lines["reverses_transaction_key"].implode()))
    assert originals.height == lines.height
    payment = told.book["payments"].row(0, named=True)
    assert (payment["status"], payment["reversal_reason"], payment["reversed_date"]) == (
        "reversed",
        "entered_in_error",
        DAY + timedelta(days=2),
    )
    assert told.book["charges"].filter(pl.col("context") == "payment_reversal_fee").is_empty()


def test_r_pmv_07_insufficient_funds_raise_the_fee_of_the_billing_plan() -> None:
    """R-PMV-07, R-BP-7: an account-level charge of 25.00; no fee for other reasons."""
    told = story()
    told.land(DAY, accounts=[{"account_id": "F", "billing_plan": "Business Days"}])
    told.land(DAY, payments=[{"payment_id": "N", "amount": "10.00", "account_id": "F"}])
    commanded(told, command("reverse_payment", NSF), command("reverse_payment", NSF, command_id="D", target_id="N"))
    assert told.book["charges"].filter(pl.col("context") == "payment_reversal_fee").height == 1
    fee = told.book["charges"].filter(pl.col("context") == "payment_reversal_fee").row(0, named=True)
    assert (fee["charge_pattern"], fee["amount"], fee["owner_type"]) == ("Payment Reversal Fee", 25_00, "Account")


def test_r_pmv_08_money_that_left_the_fund_leaves_a_deficit() -> None:
    """R-PMV-08: a payment without distribution whose money was applied later is taken back all the same."""
    told = story(distribute="none").close_through(date(2025, 2, 1))
    assert paid(told, "A") == 400_00
    commanded(told, command("reverse_payment", ERROR), day=date(2025, 2, 3))
    assert (paid(told, "A"), told.balance("Unapplied")) == (400_00, "-400.00")


def test_r_pmv_09_a_payment_is_reversed_once() -> None:
    """R-PMV-09: the second reversal is refused, on the same day or later."""
    twice = [command("reverse_payment", ERROR), command("reverse_payment", ERROR, command_id="D")]
    told = commanded(story(), *twice)
    commanded(told, command("reverse_payment", ERROR, command_id="E"), day=DAY + timedelta(days=9))
    assert told.quarantined() == [("D", "E-PAYMENT-STATUS"), ("E", "E-PAYMENT-STATUS")]
    assert told.balance("Cash") == "0.00"


def test_a_payment_received_today_can_be_reversed_today() -> None:
    """R-PMV-05: the day numbers its transactions at its end, and the reversal still names what it reverses."""
    told = commanded(story(), command("reverse_payment", ERROR), day=DAY)
    lines = told.journal().filter(pl.col("reverses_transaction_key") > 0)
    assert lines.height == 4
    assert lines["reverses_transaction_key"].is_in(told.journal()["transaction_key"].implode()).all()
    assert told.balance("Cash") == "0.00"


def test_r_pmv_02_a_moved_payment_pays_the_other_account() -> None:
    """R-PMV-01, R-PMV-02, R-PMV-04: reversed on the source, an equal payment of the same date on the target."""
    told = commanded(story(), command("move_payment_to_account", '{"account_id": "B", "description": "was for B"}'))
    assert (paid(told, "A"), paid(told, "B"), told.balance("Cash")) == (0, 400_00, "400.00")
    first, second = told.book["payments"].sort("payment_key").to_dicts()
    assert (first["status"], second["status"], second["payment_id"]) == ("moved", "executed", "M/C")
    assert (second["payment_date"], second["from_payment_key"], second["comment"]) == (DAY, 1, "was for B")


def test_r_pmv_02_a_moved_payment_may_wait() -> None:
    """R-PMV-02: no distribution when it is asked for."""
    told = commanded(story(), command("move_payment_to_account", '{"account_id": "B", "distribute": "none"}'))
    assert (paid(told, "B"), told.balance("Unapplied")) == (0, "400.00")


def test_r_pmv_01_a_payment_moves_only_to_another_known_account_of_its_currency() -> None:
    """R-PMV-01: the same account, an unknown one and one of another currency are refused."""
    told = story().land(DAY, accounts=[{"account_id": "E", "currency": "EUR"}])
    moves = [
        command("move_payment_to_account", f'{{"account_id": "{name}"}}', command_id=name) for name in ("A", "X", "E")
    ]
    commanded(told, *moves)
    assert told.quarantined() == [("A", "E-PAYMENT-MOVE"), ("E", "E-PAYMENT-MOVE"), ("X", "E-TARGET-UNKNOWN")]
    assert paid(told, "A") == 400_00


def test_r_pmv_03_a_payment_moved_to_suspense_has_no_payer() -> None:
    """R-PMV-03: its private Unapplied holds the amount; numbers are noted as they were given."""
    told = commanded(story(), command("move_payment_to_suspense", '{"policy_number": "P-LATER"}'))
    owners = told.journal().filter(pl.col("owner_type") == "SuspensePayment")
    assert owners.select("t_account_pattern", "side", "amount").rows() == [
        ("Cash", "D", 400_00),
        ("Unapplied", "C", 400_00),
    ]
    suspended = told.book["payments"].filter(pl.col("status") == "suspended").row(0, named=True)
    assert (suspended["policy_id"], suspended["account_key"], suspended["from_payment_key"]) == ("P-LATER", 0, 1)
    assert paid(told, "A") == 0


def test_r_pmv_10_another_amount_is_a_new_version_without_distribution() -> None:
    """R-PMV-10, R-PMV-11: old receipt and its distribution reversed, the new version undistributed."""
    told = commanded(story(), command("modify_payment_details", amount="300.00"))
    old, new = told.book["payments"].sort("payment_key").to_dicts()
    assert (old["status"], new["status"], new["version"], new["amount"]) == ("superseded", "executed", 2, 300_00)
    assert (paid(told, "A"), told.balance("Unapplied"), told.balance("Cash")) == (0, "300.00", "300.00")


def test_r_pmv_11_a_description_makes_no_version() -> None:
    """R-PMV-11: label and reference change in place; no postings, the distribution stays."""
    told = commanded(story(), command("modify_payment_details", '{"description": "cheque 7", "reference": "R7"}'))
    payment = told.book["payments"].row(0, named=True)
    assert (payment["version"], payment["comment"], payment["reference"]) == (1, "cheque 7", "R7")
    assert (paid(told, "A"), told.book["payments"].height) == (400_00, 1)


def test_r_pmv_10_amounts_are_readable_and_more_than_zero() -> None:
    """R-PMV-10: an amount with too many decimals, and one of nothing, are refused."""
    told = commanded(
        story(),
        command("modify_payment_details", amount="3.001", command_id="C1"),
        command("modify_payment_details", amount="0.00", command_id="C2"),
    )
    assert told.quarantined() == [("C1", "E-AMOUNT-UNREADABLE"), ("C2", "E-PAYMENT-AMOUNT")]


TRACE = {"target_id": "reference:091000010000042"}


def test_r_dbp_24_a_return_finds_its_payment_by_the_trace_number() -> None:
    """R-DBP-24, R-PMV-05: the payment that has the trace number as its reference is taken back, no other."""
    told = story(reference="091000010000042")
    unknown = command("reverse_payment", NSF, command_id="D", target_id="reference:091000010000043")
    commanded(told, command("reverse_payment", NSF, **TRACE, amount="400.00"), unknown)
    assert (paid(told, "A"), told.balance(*UNAPPLIED)) == (0, "0.00")
    assert told.quarantined() == [("D", "E-TARGET-UNKNOWN")]
    commanded(told, command("reverse_payment", NSF, **TRACE, command_id="E"), day=DAY + timedelta(days=3))
    assert told.quarantined()[-1] == ("E", "E-PAYMENT-STATUS")


def test_r_dbp_24_a_return_means_the_payment_that_stands() -> None:
    """R-DBP-24, R-PMV-04: after a move the successor is meant; two that stand are not told apart."""
    told = story(reference="091000010000042")
    commanded(told, command("move_payment_to_account", '{"account_id": "B"}'))
    commanded(told, command("reverse_payment", ERROR, **TRACE, command_id="D"), day=DAY + timedelta(days=3))
    statuses = told.book["payments"].sort("payment_key")["status"].cast(pl.String).to_list()
    assert (statuses, told.quarantined()) == (["moved", "reversed"], [])
    twice = story(reference="091000010000042")
    twice.land(DAY, payments=[{"payment_id": "N", "amount": "1.00", "reference": "091000010000042"}])
    commanded(twice, command("reverse_payment", ERROR, **TRACE))
    assert twice.quarantined() == [("C", "E-TARGET-UNKNOWN")]


def test_r_dbp_24_a_return_of_another_amount_takes_nothing_back() -> None:
    """R-DBP-24: a payment is taken back whole or not at all."""
    told = commanded(story(), command("reverse_payment", NSF, amount="399.99"))
    assert told.quarantined() == [("C", "E-REVERSAL-AMOUNT")]
    assert told.book["payments"]["status"].cast(pl.String).to_list() == ["executed"]


def test_r_pmv_11_the_same_amount_makes_no_version() -> None:
    """R-PMV-11: nothing has changed, and the distribution stays; a note on the way is kept."""
    told = commanded(story(), command("modify_payment_details", '{"description": "checked"}', amount="400.00"))
    payment = told.book["payments"].row(0, named=True)
    assert (told.book["payments"].height, payment["version"], payment["comment"]) == (1, 1, "checked")
    assert paid(told, "A") == 400_00


def test_r_pmv_10_a_new_version_is_for_what_the_old_one_was_for() -> None:
    """R-PMV-10: policy and period stay, so that a later distribution goes there."""
    told = commanded(story(policy_id="PA"), command("modify_payment_details", amount="300.00"))
    old, new = told.book["payments"].sort("payment_key").to_dicts()
    assert (new["policy_key"], new["period_key"]) == (old["policy_key"], old["period_key"]) == (1, 1)
