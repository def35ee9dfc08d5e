"""Money in suspense: payments whose payer is unknown, and parts of payments whose purpose is."""

from __future__ import annotations

import json
from datetime import date

import polars as pl

from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Story, plans

JAN_1, DAY = date(2025, 1, 1), date(2025, 1, 10)


def policy(told: Story, account: str, policy_id: str, amount: str, day: date = JAN_1) -> Story:
    """One policy, full amount on one installment of the first of January."""
    return told.land(
        day,
        accounts=[{"account_id": account}],
        billing_instructions=[issuance(f"I-{policy_id}", policy_id, JAN_1, date(2026, 1, 1), account_id=account)],
        charges=[{"instruction_id": f"I-{policy_id}", "charge_no": 1, "charge_pattern": "Premium", "amount": amount}],
    )


def story() -> Story:
    return policy(Story(plans(monthly(maximum=1))), "A", "P", "100.00")


def command(command_type: str, command_id: str = "C", target: str = "M", **given: object) -> dict[str, object]:
    amount = given.pop("amount", None)
    return {
        "command_id": command_id,
        "command_type": command_type,
        "target_type": "payment",
        "target_id": target,
        "amount": amount,
        "params": json.dumps(given),
    }


def test_e_sus_01_every_suspense_payment_has_an_unapplied_of_its_own() -> None:
    """E-SUS-01, R-SUS-01, R-SUS-02: ten payments from unknown payers, ten T-accounts."""
    told = (
        story().land(DAY, payments=[{"payment_id": f"M{n}", "amount": "10.00"} for n in range(10)]).close_through(DAY)
    )
    lines = told.journal().filter(
        (pl.col("owner_type") == "SuspensePayment") & (pl.col("t_account_pattern") == "Unapplied")
    )
    assert (lines["owner_key"].n_unique(), lines["amount"].sum()) == (10, 100_00)


def test_e_sus_03_money_for_an_account_that_appears_later_is_applied_then() -> None:
    """E-SUS-03, R-SUS-04, D-SUS, T-04: reversed out of suspense, received by the account, distributed that day."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00", "account_id": "B"}])
    policy(told, "B", "Q", "50.00", date(2025, 2, 10)).close_through(date(2025, 2, 10))
    statuses = told.book["payments"].sort("payment_key").select("payment_id", "status", "account_id").rows()
    assert statuses == [("M", "applied", "B"), ("M/applied", "executed", "B")]
    assert told.book["payments"]["payment_date"].unique().to_list() == [DAY]
    paid = told.book["invoice_items"].filter(pl.col("policy_key") == 2)["paid"].to_list()
    assert (paid, told.balance("Cash")) == ([50_00], "60.00")
    own = told.journal().filter(pl.col("owner_type") == "SuspensePayment")
    assert own.filter(pl.col("reverses_transaction_key") > 0).height == 2


def test_e_sus_04_a_policy_number_only_names_the_account() -> None:
    """E-SUS-04, R-SUS-06: the money lies in the default fund of the owner and may pay any of its policies."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00", "policy_id": "Q"}])
    policy(told, "A", "Q", "50.00", date(2025, 1, 12)).close_through(date(2025, 1, 12))
    applied = told.book["payments"].filter(pl.col("payment_id") == "M/applied").row(0, named=True)
    assert (applied["fund_key"], applied["policy_key"]) == (2, 0)


def test_r_sus_08_money_of_another_currency_stays_in_suspense() -> None:
    """R-SUS-08: neither the matching nor a person applies it."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00", "account_id": "E", "currency": "USD"}])
    told.land(date(2025, 1, 11), accounts=[{"account_id": "E", "currency": "EUR"}])
    told.land(date(2025, 1, 12), commands=[command("apply_suspense_payment", account_id="E")])
    told.close_through(date(2025, 1, 12))
    assert told.book["payments"]["status"].to_list() == ["suspended"]
    assert told.quarantined() == [("C", "E-SUSPENSE-CURRENCY")]


def test_r_sus_05_a_person_applies_a_suspense_payment() -> None:
    """R-SUS-05, R-SUS-09: to an account, or to a policy and so into its own fund; only once."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00"}, {"payment_id": "N", "amount": "30.00"}])
    told.land(
        date(2025, 1, 11),
        commands=[
            command("apply_suspense_payment", "C1", account_id="A"),
            command("apply_suspense_payment", "C2", "N", policy_id="P"),
            command("apply_suspense_payment", "C3", "N", policy_id="P"),
            command("apply_suspense_payment", "C4", "N"),
            command("apply_suspense_payment", "C5", "N", account_id="X"),
        ],
    ).close_through(date(2025, 1, 11))
    new = told.book["payments"].filter(pl.col("from_payment_key") > 0).sort("payment_id")
    assert new.select("payment_id", "fund_key").rows() == [("M/C1", 2), ("N/C2", 3)]
    assert told.book["invoice_items"]["paid"].to_list() == [90_00]
    codes = [("C3", "E-SUSPENSE-STATUS"), ("C4", "E-SUSPENSE-STATUS"), ("C5", "E-SUSPENSE-STATUS")]
    assert told.quarantined() == codes


def test_r_sus_07_open_suspense_payments_may_be_edited() -> None:
    """R-SUS-03, R-SUS-07: at most one number, looked up from the next day on."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00"}])
    told.land(date(2025, 1, 11), commands=[command("edit_suspense_payment", "C1", policy_number="P", reference="R")])
    told.land(
        date(2025, 1, 11), commands=[command("edit_suspense_payment", "C2", account_number="A", policy_number="P")]
    )
    told.land(date(2025, 1, 11), commands=[command("apply_suspense_payment", "C3")])
    told.close_through(date(2025, 1, 12))
    first, second = told.book["payments"].sort("payment_key").to_dicts()
    assert (first["reference"], first["status"], second["status"]) == ("R", "applied", "executed")
    assert told.quarantined() == [("C2", "E-SUSPENSE-TARGET"), ("C3", "E-SUSPENSE-TARGET")]


def test_r_sus_09_an_open_suspense_payment_is_reversed() -> None:
    """R-ENT-13, R-SUS-09, T-05: its Cash and Unapplied are empty again."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00"}])
    told.land(date(2025, 1, 11), commands=[command("reverse_payment", reversal_reason="other")])
    told.close_through(date(2025, 1, 11))
    assert (told.book["payments"]["status"].item(), told.balance("Cash"), told.balance("Unapplied")) == (
        "reversed",
        "0.00",
        "0.00",
    )


def test_e_dbp_01_the_excess_waits_in_a_suspense_item_until_the_change_arrives() -> None:
    """E-DBP-01, R-DBP-21, R-SUS-11..15: 100 to the premium, 10 in suspense; released, it pays the new charge."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "110.00", "policy_id": "P"}])
    told.land(DAY, commands=[command("create_suspense_item", "S", amount="10.00", policy_number="P")]).close_through(
        DAY
    )
    assert told.book["invoice_items"]["paid"].to_list() == [100_00]
    assert (told.balance("Suspense"), told.balance("Designated Unapplied")) == ("10.00", "0.00")
    change = issuance("I2", "P", JAN_1, date(2026, 1, 1)) | {"instruction_type": "policy_change", "payment_plan": None}
    change |= {"period_start": None, "period_end": None, "effective_date": date(2025, 2, 1)}
    told.land(
        date(2025, 2, 3),
        billing_instructions=[change],
        charges=[{"instruction_id": "I2", "charge_no": 1, "charge_pattern": "Premium", "amount": "10.00"}],
        commands=[command("release_suspense_items", "R")],
    ).close_through(date(2025, 2, 20))
    assert told.book["invoice_items"]["paid"].sum() == 110_00
    assert (told.balance("Suspense"), told.balance("Designated Unapplied")) == ("0.00", "0.00")
    assert told.book["suspense_items"]["status"].to_list() == ["released"]


def test_r_sus_11_only_what_is_still_in_the_fund_can_be_set_aside() -> None:
    """R-SUS-11: not what is applied, not what is set aside already, not nothing."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "110.00", "policy_id": "P"}])
    told.land(
        DAY,
        commands=[
            command("create_suspense_item", "S1", amount="6.00"),
            command("create_suspense_item", "S2", amount="5.00"),
            command("create_suspense_item", "S3", amount="0.00"),
            command("create_suspense_item", "S4", amount="0.001"),
        ],
    ).close_through(DAY)
    assert told.book["suspense_items"]["suspense_item_id"].to_list() == ["S1"]
    codes = [("S2", "E-SUSPENSE-AMOUNT"), ("S3", "E-SUSPENSE-AMOUNT"), ("S4", "E-AMOUNT-UNREADABLE")]
    assert told.quarantined() == codes


def test_r_sus_20_suspense_items_end_with_their_payment() -> None:
    """R-SUS-20: reversing the payment reverses its open suspense items, and nothing is left anywhere."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "110.00", "policy_id": "P"}])
    told.land(DAY, commands=[command("create_suspense_item", "S", amount="10.00")])
    told.land(date(2025, 1, 11), commands=[command("reverse_payment", reversal_reason="other")])
    told.land(date(2025, 1, 12), commands=[command("release_suspense_items", "R", items=["S"])])
    told.close_through(date(2025, 1, 12))
    assert told.book["suspense_items"]["status"].to_list() == ["reversed"]
    balances = [told.balance(name) for name in ("Cash", "Suspense", "Designated Unapplied")]
    assert balances == ["0.00", "0.00", "0.00"]
    assert told.quarantined() == [("R", "E-SUSPENSE-ITEM")]


def test_r_sus_01_money_of_a_known_payer_for_an_unknown_policy_waits_for_a_person() -> None:
    """R-SUS-01, R-SUS-13, R-SUS-14, R-SUS-15: set aside on the account, also when the policy appears; then released."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00", "account_id": "A", "policy_id": "Q"}])
    policy(told, "A", "Q", "50.00", date(2025, 1, 12)).close_through(date(2025, 1, 20))
    assert told.book["suspense_items"].select("suspense_item_id", "policy_number").rows() == [("M", "Q")]
    assert (told.balance("Suspense"), told.balance("Unapplied")) == ("60.00", "0.00")
    assert told.book["invoice_items"]["paid"].sum() == 0
    told.land(date(2025, 1, 21), commands=[command("release_suspense_items", "R")]).close_through(date(2025, 1, 21))
    assert (told.balance("Suspense"), told.balance("Unapplied")) == ("0.00", "0.00")
    assert told.book["invoice_items"]["paid"].sum() == 60_00


def test_r_sus_20_what_was_set_aside_at_receipt_ends_with_its_payment() -> None:
    """R-SUS-20: nothing is left of it."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00", "account_id": "A", "policy_id": "Q"}])
    told.land(date(2025, 1, 11), commands=[command("reverse_payment", reversal_reason="other")])
    told.close_through(date(2025, 1, 11))
    assert told.book["suspense_items"]["status"].to_list() == ["reversed"]
    assert [told.balance(name) for name in ("Cash", "Suspense", "Unapplied")] == ["0.00", "0.00", "0.00"]


def test_r_sus_04_moved_money_is_found_by_its_number_whatever_it_was_for() -> None:
    """R-SUS-04, R-PMV-03: a payment for an invoice that is moved into suspense with the number of a known policy."""
    told = policy(story(), "B", "Q", "100.00").close_through(JAN_1)
    invoice = told.book["invoices"].filter(account_key=1)["invoice_key"][0]
    told.land(DAY, payments=[{"payment_id": "M", "account_id": "A", "invoice_id": str(invoice), "amount": "30.00"}])
    told.land(date(2025, 1, 11), commands=[command("move_payment_to_suspense", policy_number="Q")])
    told.close_through(date(2025, 1, 12))
    assert told.book["payments"]["status"].to_list() == ["moved", "applied", "executed"]
    paid = dict(told.book["invoice_items"].group_by("account_key").agg(pl.col("paid").sum()).rows())
    assert paid == {1: 0, 2: 30_00}


def test_r_ci_08_a_row_lands_again_after_its_payment_was_edited() -> None:
    """R-CI-08, R-SUS-07: it is held against what landed; other contents are refused as before."""
    row = {"payment_id": "M", "amount": "60.00", "kind": "suspense", "reference": "R"}
    told = story().land(DAY, payments=[row]).close_through(DAY)
    edits = [command("edit_suspense_payment", "C1", policy_number="ZZ", reference="S")]
    told.land(date(2025, 1, 11), commands=edits).close_through(date(2025, 1, 11))
    edits = [command("edit_suspense_payment", "C2", account_number="YY")]
    told.land(date(2025, 1, 12), commands=edits, payments=[dict(row)]).close_through(date(2025, 1, 12))
    told.land(date(2025, 1, 13), payments=[dict(row)]).close_through(date(2025, 1, 13))
    assert told.quarantined() == []
    assert told.book["payments"].select("account_id", "policy_id", "reference").rows() == [("YY", None, "S")]
    told.land(date(2025, 1, 14), payments=[row | {"reference": "S"}]).close_through(date(2025, 1, 14))
    assert told.quarantined() == [("M", "E-ID-CONFLICT")]


def test_r_sus_03_money_moves_into_suspense_with_one_number_at_most() -> None:
    """R-SUS-03, R-PMV-03: with an account and a policy number the command is refused, and the payment stays."""
    told = story().land(DAY, payments=[{"payment_id": "M", "amount": "60.00", "account_id": "A"}])
    both = command("move_payment_to_suspense", account_number="B", policy_number="Q")
    told.land(date(2025, 1, 11), commands=[both]).close_through(date(2025, 1, 11))
    assert (told.quarantined(), told.book["payments"].height) == ([("C", "E-SUSPENSE-TARGET")], 1)
