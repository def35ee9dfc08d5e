"""Policy changes: their charges follow the original charges of the policy period in proportion."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tests.instructed import JAN_1, YEAR_END, charge, down_payment, instruction, land, override, terms
from tests.story import Story, plans, timing

MAR_10 = date(2025, 3, 10)
QUARTER_DOWN = terms(timing("one_interval_after_policy_effective_date"), down_payment("25"), maximum=5)
"""A quarter down at once, five monthly installments from February on."""


def issued(plan: str = QUARTER_DOWN, *charges: dict[str, object], more: str = "", kind: str = "issuance") -> Story:
    """P1 on A, by default with a premium of 1000: 250 down and five installments of 150."""
    story = Story(plans(plan, more=more))
    story.land(JAN_1, accounts=[{"account_id": "A"}, {"account_id": "B"}])
    return land(story, JAN_1, instruction("I1", kind), charges=charges or (charge("I1", "1000.00"),))


def changed(story: Story, *charges: dict[str, object], day: date = MAR_10, **row: object) -> Story:
    """A policy change with these charges, effective when it arrives unless told."""
    return land(story, day, instruction("C1", "policy_change", **({"effective_date": day} | row)), charges=charges)


def parts(story: Story, number: int = 1, instruction_id: str = "C1") -> pl.DataFrame:
    """Items of a charge of an instruction, with the dates of their invoices."""
    charges = story.book["charges"].join(story.book["instructions"], on="instruction_key")
    key = charges.filter(instruction_id=instruction_id, charge_no=number)["charge_key"].item()
    return story.items().filter(charge_key=key)


def test_d_po_1_a_change_is_split_like_the_original() -> None:
    """D-PO-1, R-CI-57, R-PO-4, R-PO-6: 99.99 over 250 and five times 150."""
    items = parts(changed(issued(), charge("C1", "99.99"), day=date(2025, 1, 2)))
    assert items["amount"].to_list() == [2500, 1500, 1500, 1500, 1500, 1499]
    assert items["item_type"].to_list() == ["deposit", *["installment"] * 5]
    assert items["installment_number"].to_list() == [0, 1, 2, 3, 4, 5]
    assert items["event_date"].to_list() == [JAN_1, *(date(2025, month, 1) for month in range(2, 7))]


def test_r_po_6_a_part_goes_on_the_invoice_of_its_item_while_that_is_planned() -> None:
    """R-PO-6: down payment and two installments are billed by the tenth of March; their parts go on the next one."""
    story = changed(issued(), charge("C1", "100.00"))
    original = parts(story, instruction_id="I1")["invoice_key"].to_list()
    followed = parts(story)["invoice_key"].to_list()
    assert followed[3:] == original[3:]
    assert followed[:3] == [original[3]] * 3
    assert parts(story)["event_date"].to_list() == parts(story, instruction_id="I1")["event_date"].to_list()


def test_r_po_6_the_next_planned_invoice_may_be_months_away() -> None:
    """R-PO-6: a quarterly plan; in March the next planned invoice is that of April, and none is made in between."""
    story = issued(terms(interval="quarterly", maximum=4), charge("I1", "400.00"))
    changed(story, charge("C1", "40.00"))
    assert [str(day) for day in parts(story)["bill_date"]] == ["2025-04-01", "2025-04-01", "2025-07-01", "2025-10-01"]
    assert story.book["invoices"].height == 4


def test_r_po_6_without_a_planned_invoice_the_next_of_the_cadence_is_made() -> None:
    """R-PO-6: everything is billed; all parts meet on the next date of the stream."""
    story = changed(issued(terms(maximum=2), charge("I1", "400.00")), charge("C1", "40.00"))
    assert [str(day) for day in parts(story)["bill_date"]] == ["2025-04-01", "2025-04-01"]


def test_r_po_6_negative_changes_are_rounded_like_positive_ones() -> None:
    """R-PO-6: a return premium mirrors an additional one, to the cent."""
    items = parts(changed(issued(), charge("C1", "-99.99"), day=date(2025, 1, 2)))
    assert items["amount"].to_list() == [-2500, -1500, -1500, -1500, -1500, -1499]


def test_r_po_6_a_change_of_a_few_cents_makes_no_items_of_nothing() -> None:
    """R-PO-6: three cents go to the first three parts; the others are not made."""
    items = parts(changed(issued(), charge("C1", "0.03"), day=date(2025, 1, 2)))
    assert items["amount"].to_list() == [1, 1, 1]
    assert items["item_type"].to_list() == ["deposit", "installment", "installment"]


def test_r_ci_43_a_change_of_nothing_has_no_items() -> None:
    """R-CI-43."""
    assert parts(changed(issued(), charge("C1", "0.00"))).is_empty()


def test_r_po_5_a_modifier_brings_the_plan_back() -> None:
    """R-PO-5 a: with a modifier the plan, its override and the modifier decide."""
    story = issued(more=override("policy_change", "has_down_payment = false\nmax_installments = 4"))
    changed(story, charge("C1", "90.00"), modifiers='{"max_installments": 3}', day=date(2025, 1, 2))
    items = parts(story)
    assert items.select("item_type", "amount").rows() == [("installment", 3000)] * 3


def test_r_po_5_no_modifier_in_the_object_is_none() -> None:
    """R-PO-5 a: an empty object of modifiers changes nothing."""
    story = changed(issued(), charge("C1", "99.99"), modifiers="{}", day=date(2025, 1, 2))
    assert parts(story)["amount"].to_list() == [2500, 1500, 1500, 1500, 1500, 1499]


def test_r_po_5_a_charge_that_nothing_matches_follows_plan_and_override() -> None:
    """R-PO-5 b: the period has no tax yet; the override for policy changes dates it."""
    moved = f"one_time_timing = {timing('charge_effective_date', 20)}"
    story = changed(issued(more=override("policy_change", moved)), charge("C1", "30.00", "Tax"), charge("C1", number=2))
    assert parts(story)["event_date"].to_list() == [date(2025, 3, 30)]
    assert parts(story, 2).height == 6


def test_r_po_4_a_one_time_charge_follows_the_original_one() -> None:
    """R-PO-4: the tax of the issuance has one item; so has the change, with its event date."""
    story = issued(terms(), charge("I1"), charge("I1", "60.00", "Tax", 2))
    changed(story, charge("C1", "6.00", "Tax"))
    assert parts(story).select("item_type", "event_date", "amount").rows() == [("onetime", JAN_1, 600)]
    assert str(parts(story)["bill_date"].item()) == "2025-04-01"


def test_r_po_4_what_an_earlier_change_brought_is_no_original() -> None:
    """R-PO-4: a second change follows the issuance, not the first change that was billed at once."""
    story = changed(issued(), charge("C1", "500.00"), special_handling="bill_immediately")
    later = date(2025, 3, 11)
    land(story, later, instruction("C2", "policy_change", effective_date=later), charges=(charge("C2", "100.00"),))
    assert parts(story, instruction_id="C2")["amount"].to_list() == [2500] + [1500] * 5


@pytest.mark.parametrize(
    ("group", "amounts"),
    [
        ("A", [5000, 5000]),
        ("B", [2500, 2500, 2500, 2500]),
        (None, [2500, 2500, 1250, 1250, 1250, 1250]),
        ("C", [1000] * 10),
    ],
)
def test_r_po_5_matching_groups(group: str | None, amounts: list[int]) -> None:
    """R-PO-5 b: the same group matches, and any where one of the two has none; otherwise the plan decides.

    A has two items of 200 and B four of 100. A change without a group follows all six.
    """
    grouped = (charge("I1", "400.00", charge_group="A"), charge("I1", "400.00", number=2, charge_group="B"))
    story = issued(terms(maximum=10), *grouped)
    shape(story, 1, 2)
    shape(story, 2, 4)
    changed(story, charge("C1", "100.00", charge_group=group), day=date(2025, 1, 2))
    assert parts(story)["amount"].to_list() == amounts


def shape(story: Story, number: int, count: int) -> None:
    """Put the original charge on its first items only, in equal parts: as if its schedule had been changed."""
    key = parts(story, number, "I1")["charge_key"][0]
    rows = story.book["invoice_items"].with_row_index("row").filter(charge_key=key).sort("item_key")
    amounts = [40000 // count] * count + [0] * (rows.height - count)
    keys = rows["invoice_key"].to_list()[:count] + [0] * (rows.height - count)
    values = {"amount": pl.Series(amounts), "invoice_key": pl.Series(keys)}
    story.book = story.book.update("invoice_items", rows["row"], values)


def test_r_po_6_a_reversed_charge_is_not_followed() -> None:
    """R-PO-6: the fee of the issuance is reversed; a fee of the change follows the plan."""
    moved = f"one_time_timing = {timing('charge_effective_date', 20)}"
    fee = charge("I1", "10.00", "Fee", 2)
    story = issued(QUARTER_DOWN, charge("I1", "1000.00"), fee, more=override("policy_change", moved))
    undone = {"command_id": "R1", "command_type": "reverse_charge", "target_type": "charge", "target_id": "I1/2"}
    story.land(date(2025, 1, 2), commands=[undone])
    changed(story, charge("C1", "7.00", "Fee"))
    assert story.quarantined() == []
    assert parts(story)["event_date"].to_list() == [date(2025, 3, 30)]


def test_r_po_6_an_onset_stands_for_the_item_that_was_taken_back() -> None:
    """R-PO-6: the billed down payment moved to another payer; it weighs once, with its date and type."""
    story = issued()
    land(story, date(2025, 1, 2))
    moved = {
        "command_id": "P1",
        "command_type": "reassign_charge_payer",
        "target_type": "charge",
        "target_id": "I1/1",
        "params": '{"payer_account_id": "B"}',
    }
    story.land(date(2025, 1, 3), commands=[moved])
    changed(story, charge("C1", "100.00"), day=date(2025, 1, 4))
    assert story.quarantined() == []
    deposits = parts(story).filter(item_type="deposit")
    assert deposits.select("amount", "event_date").rows() == [(2500, JAN_1)]
    assert parts(story).height == 6


def test_r_po_6_with_another_payer_the_parts_go_on_the_next_invoice() -> None:
    """R-PO-6, R-ITM-03: the change is paid by B, where no item of the original is; dates stay those of the original."""
    story = changed(issued(), charge("C1", "100.00", payer_account_id="B"))
    items = parts(story)
    assert items["account_key"].unique().to_list() == [2]
    assert [str(day) for day in items["bill_date"]] == ["2025-04-01"] * 6
    assert items["event_date"].to_list() == parts(story, instruction_id="I1")["event_date"].to_list()


def test_r_ci_56_a_change_from_the_first_day_is_part_of_the_issuance() -> None:
    """R-CI-56, R-PO-9, E-CI-31: neither proportion nor the override for changes, but the plan as at issuance."""
    story = issued(more=override("policy_change", "max_installments = 1"))
    changed(story, charge("C1", "100.00"), day=date(2025, 1, 2), effective_date=JAN_1)
    assert parts(story)["amount"].to_list() == [2500] + [1500] * 5
    story = issued(more=override("issuance", "max_installments = 2"))
    changed(story, charge("C1", "100.00"), day=date(2025, 1, 2), effective_date=JAN_1)
    assert parts(story)["amount"].to_list() == [2500, 3750, 3750]


def test_r_ci_56_a_change_from_the_first_day_of_a_renewal_is_a_change() -> None:
    """R-CI-56 speaks of issued periods only: from the first day of a renewal a change follows the original charges."""
    story = issued()
    renewal = instruction("I2", "renewal", effective_date=YEAR_END, period_end=date(2027, 1, 1))
    land(story, date(2025, 1, 2), renewal, charges=(charge("I2", "1000.00"),))
    changed(story, charge("C1", "99.99"), day=date(2025, 1, 3), effective_date=YEAR_END, term_number=2)
    assert parts(story)["amount"].to_list() == [2500, 1500, 1500, 1500, 1500, 1499]


@pytest.mark.parametrize("kind", ["cancellation", "audit", "general", "reinstatement"])
def test_r_po_4_only_policy_changes_follow_originals(kind: str) -> None:
    """R-PO-4: every other type has its plan."""
    story = issued(more="" if kind == "reinstatement" else override(kind, "has_down_payment = false"))
    if kind == "reinstatement":
        land(story, date(2025, 1, 2), instruction("X1", "cancellation", effective_date=date(2025, 6, 1)))
    day = date(2025, 1, 3)
    land(story, day, instruction("C1", kind, effective_date=date(2025, 6, 1)), charges=(charge("C1", "-100.00"),))
    first = parts(story).select("item_type", "amount").row(0)
    assert first == (("deposit", -2500) if kind == "reinstatement" else ("installment", -2000))


def test_r_po_5_originals_that_sum_to_nothing_are_no_measure() -> None:
    """R-PO-5 b: a premium and its full rebate came with the issuance; the change follows the plan."""
    story = issued(QUARTER_DOWN, charge("I1", "1000.00"), charge("I1", "-1000.00", number=2))
    changed(story, charge("C1", "100.00"), day=date(2025, 1, 2))
    assert parts(story)["amount"].to_list() == [2500] + [1500] * 5


def test_r_po_6_a_rebate_among_the_originals_takes_its_part() -> None:
    """R-PO-6: 1000 and a rebate of 200 in one item each; 80 more are 100 less 20."""
    story = issued(terms(maximum=1), charge("I1", "1000.00"), charge("I1", "-200.00", number=2))
    changed(story, charge("C1", "80.00"), day=date(2025, 1, 2))
    assert parts(story)["amount"].to_list() == [10000, -2000]


def test_r_po_6_more_items_than_a_charge_can_number() -> None:
    """R-PO-6 (our choice): a change that would follow 1100 items follows its plan instead."""
    vehicles = tuple(charge("I1", "50.00", number=n, charge_group=f"car {n}") for n in range(1, 23))
    story = issued(terms(interval="every_week", maximum=50), *vehicles)
    changed(story, charge("C1", "100.00"), charge("C1", "100.00", number=2, charge_group="car 7"), day=date(2025, 1, 2))
    assert [parts(story, 1).height, parts(story, 2).height] == [50, 50]
    assert parts(story, 1)["event_date"][0] == JAN_1
