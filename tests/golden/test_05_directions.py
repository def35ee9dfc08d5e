"""Payments whose distribution somebody directs: amounts for policies, invoices and items, items in and out."""

from __future__ import annotations

import json
from datetime import date

import polars as pl

from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Story, plans

JAN_1, DAY = date(2025, 1, 1), date(2025, 1, 10)


def story(*, parent: str | None = None) -> Story:
    """Account A with policies P1 and P2, account B with P3: 100.00 billed on the first of January to March for each."""
    told = Story(plans(monthly(maximum=3)))
    owners = {"P1": "A", "P2": "A", "P3": "B"}
    told.land(
        JAN_1,
        accounts=[
            {"account_id": "A", "invoice_by": "account"},
            {"account_id": "B", "invoice_by": "account", "parent_account_id": parent},
        ],
        billing_instructions=[
            issuance(f"I{policy}", policy, JAN_1, date(2026, 1, 1), account_id=owner)
            for policy, owner in owners.items()
        ],
        charges=[
            {"instruction_id": f"I{policy}", "charge_no": 1, "charge_pattern": "Premium", "amount": "300.00"}
            for policy in owners
        ],
    )
    return told.close_through(JAN_1)


def item(told: Story, policy: str, number: int = 1) -> str:
    """Number of an installment of a policy, as the views show it."""
    keys = told.book["policies"].filter(pl.col("policy_id") == policy)["policy_key"]
    items = told.book["invoice_items"].filter(pl.col("policy_key") == keys.item())
    return str(items.sort("item_key")["item_key"][number - 1])


def paid(told: Story) -> dict[str, list[int]]:
    """What is paid of the installments of every policy, in cents."""
    items = told.book["invoice_items"].join(told.book["policies"].select("policy_key", "policy_id"), on="policy_key")
    return {
        str(name[0]): rows["paid"].to_list()
        for name, rows in items.sort("item_key").partition_by("policy_id", as_dict=True).items()
    }


def pay(told: Story, amount: str, *, day: date = DAY, payment_id: str = "M", **distribution: object) -> Story:
    told.close_through(date.fromordinal(day.toordinal() - 1))
    row = {"payment_id": payment_id, "amount": amount, "account_id": "A"}
    if distribution:
        row["distribution"] = json.dumps(distribution)
    return told.land(day, payments=[row])


def allocate(**targets: str) -> list[dict[str, str]]:
    return [{"target_type": "policy", "target_id": policy, "amount": amount} for policy, amount in targets.items()]


def modify(told: Story, day: date = DAY, command_id: str = "C", **distribution: object) -> Story:
    command = {
        "command_id": command_id,
        "command_type": "modify_payment_distribution",
        "target_type": "payment",
        "target_id": "M",
        "params": json.dumps(distribution),
    }
    return told.land(day, commands=[command]).close_through(day)


def test_e_dbp_03_a_distribution_is_modified_without_a_new_version() -> None:
    """E-DBP-03, R-PMV-12, R-PMV-13, R-DBP-06: 40 % and 60 % become 30 % and 70 %."""
    told = pay(story(), "100.00", allocate=allocate(P1="40.00", P2="60.00")).close_through(DAY)
    assert (paid(told)["P1"], paid(told)["P2"]) == ([40_00, 0, 0], [60_00, 0, 0])
    modify(told, date(2025, 1, 11), allocate=allocate(P1="30.00", P2="70.00"))
    assert (paid(told)["P1"], paid(told)["P2"]) == ([30_00, 0, 0], [70_00, 0, 0])
    assert told.book["payments"].select("version", "status").rows() == [(1, "executed")]
    assert told.balance("Unapplied") == "0.00"


def test_r_dbp_08_what_is_allocated_is_fixed_first_and_the_rest_goes_by_the_plan() -> None:
    """R-DBP-08: 30.00 to P2's second installment, the rest over the items that are billed."""
    told = story()
    pay(told, "130.00", allocate=[{"target_type": "invoice_item", "target_id": item(told, "P2", 2), "amount": "30.00"}])
    told.close_through(DAY)
    assert (paid(told)["P1"], paid(told)["P2"]) == ([50_00, 0, 0], [50_00, 30_00, 0])


def test_r_dbp_07_nothing_for_an_item_excludes_it() -> None:
    """R-DBP-07, R-DBP-06: an amount of 0 and an exclusion keep an item out of this distribution."""
    told = story()
    pay(told, "80.00", allocate=[{"target_type": "invoice_item", "target_id": item(told, "P1"), "amount": "0"}])
    told.close_through(DAY)
    assert (paid(told)["P1"], paid(told)["P2"]) == ([0, 0, 0], [80_00, 0, 0])
    other = story()
    pay(other, "80.00", exclude=[item(other, "P2")]).close_through(DAY)
    assert (paid(other)["P1"], paid(other)["P2"]) == ([80_00, 0, 0], [0, 0, 0])


def test_r_dbp_09_more_than_the_payment_cannot_be_allocated() -> None:
    """R-DBP-09: a command is refused; a landed payment goes by its plan, with a warning."""
    told = pay(story(), "100.00", allocate=allocate(P1="60.00", P2="60.00")).close_through(DAY)
    assert (paid(told)["P1"], paid(told)["P2"]) == ([50_00, 0, 0], [50_00, 0, 0])
    assert told.events("warnings")["code"].to_list() == ["W-PAYMENT-DISTRIBUTION"]
    modify(told, date(2025, 1, 11), "C1", allocate=allocate(P1="60.00", P2="60.00"))
    modify(told, date(2025, 1, 12), "C2", allocate=allocate(P9="60.00"))
    modify(told, date(2025, 1, 13), "C3", include=["99"])
    assert told.quarantined() == [
        ("C1", "E-DISTRIBUTION-AMOUNT"),
        ("C2", "E-DISTRIBUTION-TARGET"),
        ("C3", "E-DISTRIBUTION-TARGET"),
    ]
    assert told.book["payment_items"].height == 2


def test_r_dbp_09_an_amount_for_an_invoice_is_spread_inside_it() -> None:
    """R-DBP-09: inside the invoice in the order of the plan; what the target cannot take stays in the fund."""
    told = story()
    keys = told.book["invoice_items"].filter(pl.col("item_key") == int(item(told, "P1", 2)))["invoice_key"].item()
    pay(told, "60.00", allocate=[{"target_type": "invoice", "target_id": str(keys), "amount": "60.00"}]).close_through(
        DAY
    )
    assert (paid(told)["P1"], paid(told)["P2"]) == ([0, 30_00, 0], [0, 30_00, 0])


def test_r_dbp_10_what_may_be_paid_is_asked_for_in_place_of_the_plan() -> None:
    """R-DBP-10: billed, past due, the next invoice too, or everything under contract."""
    expected = {
        "billed": [100_00, 0, 0],
        "past_due": [0, 0, 0],
        "next_invoice": [100_00, 100_00, 0],
        "under_contract": [100_00, 100_00, 100_00],
    }
    for only, cents in expected.items():
        told = story()
        pay(told, "900.00", include_only=only, day=date(2025, 1, 20)).close_through(date(2025, 1, 20))
        assert paid(told)["P1"] == cents, only


def test_r_dbp_11_items_are_selected_by_payer_owner_and_account() -> None:
    """R-DBP-11: sub-accounts' items by payer; both accounts share the money by the plan."""
    told = story(parent="A")
    pay(told, "90.00", select_is="sub_accounts", include_only="under_contract").close_through(DAY)
    assert (paid(told)["P1"], paid(told)["P3"]) == ([0, 0, 0], [90_00, 0, 0])
    both = story(parent="A")
    pay(both, "90.00", select_is="both", include_only="under_contract").close_through(DAY)
    assert [cents[0] for cents in paid(both).values()] == [30_00, 30_00, 30_00]
    owner = story(parent="A")
    pay(owner, "90.00", select_where="owner", include_only="under_contract").close_through(DAY)
    assert [cents[0] for cents in paid(owner).values()] == [45_00, 45_00, 0]


def test_r_dbp_12_another_payers_item_may_be_included() -> None:
    """R-DBP-12: it debits the fund of the account that pays."""
    told = story()
    pay(told, "100.00", include=[item(told, "P3")], exclude=[item(told, "P1"), item(told, "P2")]).close_through(DAY)
    assert paid(told)["P3"] == [100_00, 0, 0]
    lines = told.journal().filter(pl.col("transaction_type") == "ChargePaidFromAccount")
    debit = lines.filter(pl.col("side") == "D").select("t_account_pattern", "owner_key").row(0)
    account = told.book["accounts"].filter(pl.col("account_id") == "A")["account_key"].item()
    assert debit == ("Unapplied", account)


def test_directed_payments_take_their_turn_among_the_others() -> None:
    """R-DST-15: the second payment sees what the first one left, directed or not."""
    told = pay(story(), "100.00", allocate=allocate(P1="100.00"))
    pay(told, "100.00", payment_id="N").close_through(DAY)
    assert (paid(told)["P1"], paid(told)["P2"]) == ([100_00, 0, 0], [100_00, 0, 0])


def with_money_in_the_fund(told: Story) -> Story:
    """130.00 that were not distributed lie in the default fund."""
    return pay(told, "130.00", payment_id="E", include_only="past_due").close_through(DAY)


def applied(told: Story) -> dict[str, int]:
    """What each payment paid of items and was not taken back, in cents; "" is money that was in a fund."""
    payments = told.book["payments"].select("payment_key", "payment_id")
    parts = told.book["payment_items"].join(payments, on="payment_key", how="left")
    sums = parts.group_by(pl.col("payment_id").fill_null("")).agg(pl.col("amount").sum()).sort("payment_id")
    return {name: amount for name, amount in sums.rows() if amount}


def test_r_dbp_04_what_the_default_fund_holds_is_spent_after_the_payment_itself() -> None:
    """R-DBP-04: 80.00 of the payment, then 120.00 of the 130.00 in the fund, for 200.00 that are billed."""
    told = with_money_in_the_fund(story())
    pay(told, "80.00", day=date(2025, 1, 12), use_default_unapplied=True).close_through(date(2025, 1, 12))
    assert (paid(told)["P1"], paid(told)["P2"]) == ([100_00, 0, 0], [100_00, 0, 0])
    assert (applied(told), told.balance("Unapplied")) == ({"": 120_00, "M": 80_00}, "10.00")


def test_r_dbp_04_money_of_another_payment_of_the_day_is_not_what_the_fund_held() -> None:
    """R-DBP-04: the second payment of the day pays with its own money; what the first one left is in the fund."""
    told = pay(story(), "80.00", use_default_unapplied=True)
    pay(told, "150.00", payment_id="N", use_default_unapplied=True).close_through(DAY)
    assert (applied(told), told.balance("Unapplied")) == ({"M": 80_00, "N": 120_00}, "30.00")
    again = pay(story(), "80.00", include_only="past_due")
    pay(again, "150.00", payment_id="N", use_default_unapplied=True).close_through(DAY)
    assert (applied(again), again.balance("Unapplied")) == ({"": 50_00, "N": 150_00}, "30.00")


def test_r_dbp_09_amounts_are_allocated_out_of_all_that_is_available() -> None:
    """R-DBP-04, R-DBP-09: 210.00 are there, 80.00 of the payment and 130.00 of the fund, and not a cent more."""
    day, also = date(2025, 1, 12), {"use_default_unapplied": True, "include_only": "past_due"}
    told = with_money_in_the_fund(story())
    pay(told, "80.00", day=day, allocate=allocate(P2="150.00"), **also).close_through(day)
    assert (paid(told)["P2"], applied(told)) == ([100_00, 50_00, 0], {"": 70_00, "M": 80_00})
    modify(told, date(2025, 1, 13), allocate=allocate(P1="20.00", P2="120.00"), **also)
    assert (paid(told)["P1"], paid(told)["P2"]) == ([20_00, 0, 0], [100_00, 90_00, 0])
    modify(told, date(2025, 1, 14), "C2", allocate=allocate(P1="140.01"), **also)
    assert told.quarantined() == [("C2", "E-DISTRIBUTION-AMOUNT")]
    beyond = with_money_in_the_fund(story())
    pay(beyond, "80.00", day=day, allocate=allocate(P2="210.01"), **also).close_through(day)
    assert beyond.events("warnings")["code"].to_list() == ["W-PAYMENT-DISTRIBUTION"]


def test_r_pmv_13_what_is_in_suspense_is_not_distributed_anew() -> None:
    """R-PMV-13, R-SUS-13: 250.00 came, 50.00 of them are set aside; the fund is never short."""
    told = pay(story(), "250.00").close_through(DAY)
    aside = {"command_id": "S", "command_type": "create_suspense_item", "target_type": "payment", "target_id": "M"}
    told.land(date(2025, 1, 11), commands=[aside | {"amount": "50.00", "params": "{}"}])
    told.close_through(date(2025, 1, 11))
    modify(told, date(2025, 1, 12), include_only="under_contract")
    assert (applied(told), told.balance("Unapplied"), told.balance("Suspense")) == ({"M": 200_00}, "0.00", "50.00")


def test_r_dbp_07_an_item_with_nothing_gets_nothing_of_what_its_policy_gets() -> None:
    """R-DBP-07: 80.00 for the policy and 0 for its first item; the others take it."""
    told = story()
    nothing = {"target_type": "invoice_item", "target_id": item(told, "P1"), "amount": "0.00"}
    pay(told, "80.00", allocate=[*allocate(P1="80.00"), nothing]).close_through(DAY)
    assert paid(told)["P1"] == [0, 80_00, 0]


def test_r_chd_9_an_amount_for_a_policy_passes_its_held_items_over_unless_they_are_named() -> None:
    """R-CHD-9, R-DBP-09: items of a held charge wait; an amount for one of them pays it."""
    told = story()
    hold = {"command_id": "H", "command_type": "hold_charge", "target_type": "charge", "target_id": "IP1/1"}
    told.land(date.fromordinal(DAY.toordinal() - 1), commands=[hold])
    pay(told, "80.00", allocate=allocate(P1="80.00")).close_through(DAY)
    assert sum(paid(told)["P1"]) == 0
    planned = told.book["invoice_items"].filter((pl.col("policy_key") == 1) & (pl.col("paid") != pl.col("amount")))
    named = {"target_type": "invoice_item", "target_id": str(planned["item_key"][-1]), "amount": "80.00"}
    later = date.fromordinal(DAY.toordinal() + 1)
    pay(told, "80.00", day=later, payment_id="N", allocate=[named]).close_through(later)
    assert sum(paid(told)["P1"]) == 80_00
