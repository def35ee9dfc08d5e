"""Credit distributions by hand: funds and negative items pay, no new money comes in."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Row, Story, by_allocation_plan, plans
from tests.warehouse.published_stories import PublishedStory

JAN_1, DAY, NEXT = date(2025, 1, 1), date(2025, 1, 10), date(2025, 1, 11)


def story(*, by_plan: bool = False) -> Story:
    """Account A with three installments of 100.00 and 130.00 in its fund; a credit of 60.00 that has not paid."""
    told = Story(plans(monthly(maximum=3)))
    if not by_plan:
        by_allocation_plan(told)
    change = issuance("I2", "P", JAN_1, date(2026, 1, 1)) | {"instruction_type": "general", "payment_plan": None}
    change |= {"period_start": None, "period_end": None}
    told.land(
        JAN_1,
        accounts=[{"account_id": "A", "invoice_by": "account"}],
        billing_instructions=[issuance("I1", "P", JAN_1, date(2026, 1, 1)), change],
        charges=[
            {"instruction_id": "I1", "charge_no": 1, "charge_pattern": "Premium", "amount": "300.00"},
            {"instruction_id": "I2", "charge_no": 1, "charge_pattern": "Premium", "amount": "-60.00"},
        ],
        payments=[{"payment_id": "M", "account_id": "A", "amount": "130.00", "distribute": "none"}],
    )
    return told.close_through(JAN_1)


def command(command_type: str, command_id: str = "C", *, amount: str | None = None, **params: object) -> Row:
    return {
        "command_id": command_id,
        "command_type": command_type,
        "target_type": "account",
        "target_id": "A",
        "amount": amount,
        "params": json.dumps(params),
    }


def about(command_type: str, command_id: str, distribution: str = "C", **params: object) -> Row:
    target = {"target_type": "credit_distribution", "target_id": distribution}
    return command(command_type, command_id, **params) | target


def items(told: Story, *, negative: bool) -> pl.DataFrame:
    return told.book["invoice_items"].filter((pl.col("amount") < 0) == negative).sort("item_key")


def keys(told: Story) -> list[str]:
    """Numbers of the installments, as the views show them."""
    return [str(key) for key in items(told, negative=False)["item_key"]]


def credit_keys(told: Story) -> list[str]:
    """Numbers of the slices of the credit."""
    return [str(key) for key in items(told, negative=True)["item_key"]]


def shares(*amounts: tuple[str, str]) -> list[dict[str, str]]:
    return [{"item_id": item, "amount": amount} for item, amount in amounts]


def paid(told: Story) -> list[int]:
    return items(told, negative=False)["paid"].to_list()


def used(told: Story) -> list[int]:
    return [-amount for amount in items(told, negative=True)["paid"]]


def unapplied(told: Story) -> str:
    return told.balance("Unapplied")


def test_r_cd_3_amounts_per_item_come_out_of_the_fund_and_of_negative_items() -> None:
    """R-CD-1, R-CD-3: 150.00 to two items, 20.00 of them from the credit, 130.00 from the fund; no cash moves."""
    told = story()
    first, second, _ = keys(told)
    credit = credit_keys(told)[0]
    amounts = shares((first, "100.00"), (second, "50.00"), (credit, "-20.00"))
    told.land(DAY, commands=[command("distribute_credits", items=amounts)]).close_through(DAY)
    assert (paid(told), used(told)[0], unapplied(told)) == ([100_00, 50_00, 0], 20_00, "0.00")
    cash = told.journal().filter((pl.col("t_account_pattern") == "Cash") & (pl.col("business_date") == DAY))
    assert cash.is_empty()


def test_r_cd_4_what_is_used_and_not_needed_is_in_the_fund() -> None:
    """R-CD-4: 20.00 of the credit and nothing paid: 150.00 in the fund."""
    told = story()
    amounts = shares((credit_keys(told)[0], "-20.00"))
    told.land(DAY, commands=[command("distribute_credits", items=amounts)]).close_through(DAY)
    assert (used(told)[0], unapplied(told)) == (20_00, "150.00")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ((("P0", "100.01"),), "E-DISTRIBUTION-SHARE"),
        ((("P0", "-1.00"),), "E-DISTRIBUTION-SHARE"),
        ((("T0", "1.00"),), "E-DISTRIBUTION-SHARE"),
        ((("T0", "-20.01"),), "E-DISTRIBUTION-SHARE"),
        ((("P0", "0.001"),), "E-DISTRIBUTION-SHARE"),
        ((("P0", "100.00"), ("P1", "50.01"), ("T0", "-20.00")), "E-DISTRIBUTION-FUNDS"),
        ((("P0", "1.00"), ("P0", "1.00")), "E-DISTRIBUTION-ITEM"),
        ((("99", "1.00"),), "E-DISTRIBUTION-ITEM"),
        ((("no item", "1.00"),), "E-DISTRIBUTION-ITEM"),
    ],
)
def test_r_cd_4_what_a_distribution_by_hand_may_not_be(given: tuple[tuple[str, str], ...], code: str) -> None:
    """R-CD-4: the sign of the item, not more than is open of it, not more than there is; refused as a whole."""
    told = story()
    named = {"P0": keys(told)[0], "P1": keys(told)[1], "T0": credit_keys(told)[0]}
    amounts = shares(*((named.get(name, name), amount) for name, amount in given))
    told.land(DAY, commands=[command("distribute_credits", items=amounts)]).close_through(DAY)
    assert told.quarantined() == [("C", code)]
    assert (sum(paid(told)), unapplied(told)) == (0, "130.00")


def test_r_cd_5_an_amount_of_the_default_fund_pays_the_earliest_items() -> None:
    """R-CD-5: 120.00 of 130.00, first to last; more than there is, is refused."""
    told = story().land(DAY, commands=[command("distribute_default_fund", amount="120.00")]).close_through(DAY)
    assert (paid(told), unapplied(told)) == ([100_00, 20_00, 0], "10.00")
    told.land(NEXT, commands=[command("distribute_default_fund", "D", amount="10.01")])
    told.land(NEXT, commands=[command("distribute_default_fund", "E", amount="0.001")]).close_through(NEXT)
    assert told.quarantined() == [("D", "E-DISTRIBUTION-FUNDS"), ("E", "E-AMOUNT-UNREADABLE")]


def test_r_cd_5_chosen_negative_items_pay_first_to_last_where_no_plan_says_otherwise() -> None:
    """R-CD-5: two of three slices of 20.00; the third and the fund are as they were."""
    told = story()
    chosen = credit_keys(told)[1:]
    told.land(DAY, commands=[command("distribute_negative_items", items=chosen)]).close_through(DAY)
    assert (paid(told), used(told), unapplied(told)) == ([40_00, 0, 0], [0, 20_00, 20_00], "130.00")
    told.land(NEXT, commands=[command("distribute_negative_items", "D", items=[chosen[0], keys(told)[2]])])
    told.close_through(NEXT)
    assert told.quarantined() == [("D", "E-DISTRIBUTION-ITEM")]


def test_r_cd_6_a_distribution_by_hand_is_changed_on_the_same_date() -> None:
    """R-CD-6: all old amounts are taken back, the new ones may use what they gave back."""
    told = story()
    first, second, third = keys(told)
    told.land(DAY, commands=[command("distribute_credits", items=shares((first, "100.00"), (second, "30.00")))])
    changed = about("modify_credit_distribution", "D", items=shares((second, "30.00"), (third, "100.00")))
    told.land(NEXT, commands=[changed]).close_through(NEXT)
    assert (paid(told), unapplied(told)) == ([0, 30_00, 100_00], "0.00")
    too_much = about("modify_credit_distribution", "E", items=shares((second, "30.01"), (third, "100.00")))
    told.land(NEXT + timedelta(days=1), commands=[too_much]).close_through(NEXT + timedelta(days=1))
    assert told.quarantined() == [("E", "E-DISTRIBUTION-FUNDS")]
    assert (paid(told), unapplied(told)) == ([0, 30_00, 100_00], "0.00")
    rows = told.book["credit_distributions"].select("distribution_id", "version", "status", "executed_date").rows()
    assert rows == [("C", 2, "Executed", NEXT)]


@pytest.mark.parametrize("by_plan", [False, True])
def test_r_cd_6_a_distribution_is_taken_back_exactly(*, by_plan: bool) -> None:
    """R-CD-6: items and fund are as they were, whichever kind it was; once only."""
    told = story(by_plan=by_plan)
    before = (paid(told), used(told), unapplied(told))
    slices = [] if by_plan else [command("distribute_negative_items", "N", items=credit_keys(told))]
    by_hand = command("distribute_credits", "C", items=shares((keys(told)[2], "7.00")))
    told.land(DAY, commands=[by_hand, command("distribute_default_fund", "F", amount="50.00"), *slices])
    told.close_through(DAY)
    assert (paid(told), used(told), unapplied(told)) != before
    made = ["C", "F", *(["N"] if slices else [])]
    again = [about("reverse_credit_distribution", f"R-{name}", name) for name in made]
    told.land(NEXT, commands=[*again, about("reverse_credit_distribution", "X", "C")]).close_through(NEXT)
    assert (paid(told), used(told), unapplied(told)) == before
    assert told.quarantined() == [("X", "E-DISTRIBUTION-STATUS")]
    changed = about("modify_credit_distribution", "Y", items=shares((keys(told)[2], "1.00")))
    told.land(NEXT + timedelta(days=1), commands=[changed]).close_through(NEXT + timedelta(days=1))
    assert told.quarantined()[1:] == [("Y", "E-DISTRIBUTION-STATUS")]


def test_r_cd_5_under_a_plan_the_chosen_items_pay_as_the_plan_says_before_their_time() -> None:
    """R-CD-5, R-RPP-23: slices that wait for their invoices pay when they are chosen, last to first."""
    told = Story(
        plans(
            monthly(maximum=3),
            more="""
[return_premium_plans."waits"]
effective_date = 2000-01-01
schemes = [{ context = "other", method = "last_to_first", allocate_timing = "due" }]
""",
        )
    )
    ready = story(by_plan=True)
    told.carrier = told.carrier.model_copy(
        update={"return_premium_plans": {"waits": told.carrier.return_premium_plans["waits"]}}
    )
    for day, inbox in ready._landed.items():
        told.land(day, **inbox)
    told.close_through(JAN_1)
    assert used(told) == [0, 0, 0]
    told.land(DAY, commands=[command("distribute_negative_items", items=credit_keys(told)[1:])]).close_through(DAY)
    assert (paid(told), used(told)) == ([0, 0, 40_00], [0, 20_00, 20_00])


def test_r_cd_3_credit_distributions_are_shown(tmp_path_factory: pytest.TempPathFactory) -> None:
    """R-CD-3, R-CD-6: what each paid and used, and how it stands."""
    told = story()
    amounts = shares((keys(told)[0], "100.00"), (credit_keys(told)[0], "-20.00"))
    told.land(DAY, commands=[command("distribute_credits", items=amounts)])
    told.land(DAY, commands=[command("distribute_default_fund", "F", amount="10.00")])
    told.land(NEXT, commands=[about("reverse_credit_distribution", "R", "F")]).close_through(NEXT)
    shown = PublishedStory(tmp_path_factory.mktemp("home"), told)
    columns = "distribution_id, account_id, kind, status, paid::VARCHAR, used::VARCHAR, currency, reversed_date"
    assert shown.ask(f"SELECT {columns} FROM credit_distributions ORDER BY 1") == [
        ("C", "A", "ByHand", "Executed", "100.00", "20.00", "USD", None),
        ("F", "A", "DefaultFund", "Reversed", "10.00", "0.00", "USD", NEXT),
    ]
