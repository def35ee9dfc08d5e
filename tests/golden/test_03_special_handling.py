"""Special handling of instructions: billed at once, on the next invoice, or held for final audit."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tests.instructed import JAN_1, charge, instruction, land, override, terms
from tests.story import Story, plans

MAR_10 = date(2025, 3, 10)


def issued(more: str = "", **account: object) -> Story:
    """P1 issued with a premium in twelve installments from the first of January."""
    story = Story(plans(terms(), more=more))
    story.land(JAN_1, accounts=[{"account_id": "A", **account}])
    return land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1"),))


def changed(story: Story, handling: str | None, *charges: tuple[str, str], kind: str = "policy_change") -> Story:
    """A change of P1 on the tenth of March with these charges (amount, pattern)."""
    row = instruction("C1", kind, effective_date=MAR_10, special_handling=handling)
    carried = tuple(charge("C1", amount, pattern, number) for number, (amount, pattern) in enumerate(charges, start=1))
    return land(story, MAR_10, row, charges=carried)


def items_of(story: Story, instruction_id: str) -> pl.DataFrame:
    """Items of the charges of an instruction, with the dates of their invoices."""
    charges = story.book["charges"].join(story.book["instructions"], on="instruction_key")
    keys = charges.filter(instruction_id=instruction_id)["charge_key"]
    invoices = story.book["invoices"].select("invoice_key", "is_ad_hoc", "cadence_date")
    return story.items().filter(pl.col("charge_key").is_in(keys.implode())).join(invoices, on="invoice_key")


FACTS = ("item_type", "amount", "event_date", "bill_date", "due_date", "is_ad_hoc")


def test_e_inv_04_bill_immediately_makes_an_ad_hoc_invoice_of_today() -> None:
    """E-INV-04, R-CI-59, R-BI-14: one down payment item per charge, due the lead time later; billed the same day."""
    story = changed(issued(), "bill_immediately", ("90.00", "Premium"), ("10.00", "Tax"))
    on = (MAR_10, MAR_10, date(2025, 3, 24), True)
    assert items_of(story, "C1").select(FACTS).rows() == [("deposit", 9000, *on), ("deposit", 1000, *on)]
    assert items_of(story, "C1")["invoice_key"].n_unique() == 1
    assert story.balance("<Charge Pattern> Billed", "Tax") == "10.00"


def test_e_bi_3_a_final_audit_charge_is_billed_immediately() -> None:
    """E-BI-3, R-CI-59."""
    story = changed(issued(), "bill_immediately", ("75.00", "Premium"), kind="audit")
    assert items_of(story, "C1").select("bill_date", "is_ad_hoc").rows() == [(MAR_10, True)]


def test_r_ci_59_a_planned_invoice_of_today_takes_the_items() -> None:
    """R-CI-59: no ad hoc invoice where the cadence has one today."""
    story = issued()
    first = date(2025, 3, 1)
    row = instruction("C1", "policy_change", effective_date=first, special_handling="bill_immediately")
    land(story, first, row, charges=(charge("C1", "90.00"),))
    assert items_of(story, "C1").select("bill_date", "is_ad_hoc").rows() == [(first, False)]
    assert story.book["invoices"].filter("is_ad_hoc").is_empty()


def test_r_ci_59_a_planned_ad_hoc_invoice_of_today_takes_the_items() -> None:
    """R-CI-59: an invoice that a command made for today qualifies; a second change of the day joins the first."""
    story = issued()
    stream = str(story.book["invoice_streams"]["stream_key"].item())
    made = {"command_id": "K1", "command_type": "create_invoice", "target_type": "invoice_stream", "target_id": stream}
    story.land(
        date(2025, 3, 9),
        commands=[made | {"params": '{"bill_date": "2025-03-10", "due_date": "2025-04-30", "is_ad_hoc": true}'}],
    )
    row = instruction("C2", "policy_change", effective_date=MAR_10, special_handling="bill_immediately", sequence=2)
    story.land(MAR_10, billing_instructions=[row], charges=[charge("C2", "5.00")])
    changed(story, "bill_immediately", ("90.00", "Premium"))
    both = pl.concat([items_of(story, "C1"), items_of(story, "C2")])
    assert both["due_date"].to_list() == [date(2025, 4, 30)] * 2
    assert both["invoice_key"].n_unique() == 1
    assert story.book["invoices"].filter("is_ad_hoc").height == 1


def test_r_ci_59_the_lead_time_of_a_new_invoice_is_that_of_the_payer() -> None:
    """R-CI-59, R-INV-05: a payer who is drafted has the non-responsive lead time."""
    story = Story(plans(terms(), ("non_responsive_lead_days = 14", "non_responsive_lead_days = 20")))
    story.land(JAN_1, accounts=[{"account_id": "A", "payment_instrument": "ach"}])
    land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1"),))
    changed(story, "bill_immediately", ("90.00", "Premium"))
    assert items_of(story, "C1")["due_date"].to_list() == [date(2025, 3, 30)]


def test_r_ci_59_a_stream_without_a_number_for_today_gives_its_next_invoice() -> None:
    """R-CI-59: seven invoices were made for today and moved away; what is billed at once then goes on the next one."""
    story = issued()
    stream = str(story.book["invoice_streams"]["stream_key"].item())
    made = [
        {
            "command_id": f"K{n}",
            "command_type": "create_invoice",
            "target_type": "invoice_stream",
            "target_id": stream,
            "sequence": n,
            "params": f'{{"bill_date": "2025-03-10", "due_date": "2025-04-{n:02d}", "is_ad_hoc": true}}',
        }
        for n in range(1, 8)
    ]
    story.land(date(2025, 3, 8), commands=made).close_through(date(2025, 3, 8))
    keys = story.book["invoices"].filter("is_ad_hoc")["invoice_key"].to_list()
    assert len(keys) == 7
    moved = [
        {
            "command_id": f"M{key}",
            "command_type": "change_invoice_dates",
            "target_type": "invoice",
            "target_id": str(key),
            "params": '{"bill_date": "2025-03-12", "due_date": "2025-04-15"}',
        }
        for key in keys
    ]
    story.land(date(2025, 3, 9), commands=moved)
    changed(story, "bill_immediately", ("90.00", "Premium"))
    assert story.quarantined() == []
    assert items_of(story, "C1").select("bill_date", "is_ad_hoc").rows() == [(date(2025, 4, 1), False)]


def test_e_bi_1_and_2_bill_on_next_invoice_is_not_split() -> None:
    """E-BI-1, E-BI-2, E-CI-32, R-CI-60: one down payment item on the next planned invoice, whatever its event date."""
    story = changed(issued(), "bill_on_next_invoice", ("9.00", "Premium"))
    apr_1 = date(2025, 4, 1)
    assert items_of(story, "C1").select(FACTS).rows() == [("deposit", 900, MAR_10, apr_1, date(2025, 4, 15), False)]
    assert story.book["invoices"].height == 12


def test_r_ci_60_an_ad_hoc_invoice_is_not_the_next_one() -> None:
    """R-CI-60: only invoices of the cadence count."""
    story = issued()
    stream = str(story.book["invoice_streams"]["stream_key"].item())
    made = {"command_id": "K1", "command_type": "create_invoice", "target_type": "invoice_stream", "target_id": stream}
    story.land(
        date(2025, 3, 9),
        commands=[made | {"params": '{"bill_date": "2025-03-20", "due_date": "2025-04-20", "is_ad_hoc": true}'}],
    )
    changed(story, "bill_on_next_invoice", ("9.00", "Premium"))
    assert items_of(story, "C1")["bill_date"].to_list() == [date(2025, 4, 1)]


def test_r_ci_60_without_a_planned_invoice_the_next_of_the_cadence_is_made() -> None:
    """R-CI-60: all installments are billed; the cadence goes on."""
    story = Story(plans(terms(maximum=2)))
    land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1"),))
    changed(story, "bill_on_next_invoice", ("9.00", "Premium"))
    assert items_of(story, "C1").select("bill_date", "cadence_date").rows() == [(date(2025, 4, 1), date(2025, 4, 1))]


def test_r_ci_60_the_charges_of_a_day_may_share_the_next_invoice() -> None:
    """R-CI-60: two policies of an account that is invoiced as a whole; both find the one next invoice."""
    story = Story(plans(terms()))
    story.land(JAN_1, accounts=[{"account_id": "A", "invoice_by": "account", "invoice_day_of_month": 15}])
    rows = (instruction("I1", "issuance"), instruction("I2", "issuance", "P2"))
    land(story, JAN_1, *rows, charges=(charge("I1"), charge("I2")))
    changes = tuple(
        instruction(f"C{n}", "policy_change", f"P{n}", effective_date=MAR_10, special_handling="bill_on_next_invoice")
        for n in (1, 2)
    )
    land(story, MAR_10, *changes, charges=(charge("C1", "5.00"), charge("C2", "7.00")))
    both = pl.concat([items_of(story, "C1"), items_of(story, "C2")])
    assert both["bill_date"].to_list() == [date(2025, 3, 15)] * 2
    assert both["invoice_key"].n_unique() == 1


@pytest.mark.parametrize("handling", ["bill_immediately", "bill_on_next_invoice"])
def test_r_bi_14_special_handling_goes_before_modifier_override_and_plan(handling: str) -> None:
    """R-BI-14, R-PO-8: neither the modifier nor the override nor the original charges split the charge."""
    story = issued(override("policy_change", "max_installments = 3"))
    row = instruction("C1", "policy_change", effective_date=MAR_10, special_handling=handling)
    row = {**row, "modifiers": '{"max_installments": 5}'}
    land(story, MAR_10, row, charges=(charge("C1", "100.00"),))
    assert items_of(story, "C1").select("item_type", "amount").rows() == [("deposit", 10000)]


@pytest.mark.parametrize("handling", ["bill_immediately", "bill_on_next_invoice"])
def test_r_ci_43_nothing_is_billed_for_a_charge_of_zero(handling: str) -> None:
    """R-CI-43: no item, and no invoice for it."""
    story = changed(issued(), handling, ("0.00", "Premium"))
    assert items_of(story, "C1").is_empty()
    assert story.book["invoices"].height == 12


def test_r_ci_61_hold_for_final_audit_holds_the_charges_of_the_instruction() -> None:
    """R-CI-61: the items are made as ever; the charges of the instruction are held, no others."""
    story = changed(issued(), "hold_for_final_audit", ("120.00", "Premium"), ("10.00", "Tax"))
    assert holds(story) == [None, "final_audit", "final_audit"]
    assert items_of(story, "C1").filter(charge_pattern="Premium")["amount"].to_list() == [1000] * 12


def holds(story: Story) -> list[str | None]:
    """Why each charge is held, in the order in which they were booked."""
    return story.book["charges"].sort("charge_key")["hold_reason"].cast(pl.String).to_list()


def test_r_ci_61_hold_all_also_holds_every_charge_with_unbilled_items() -> None:
    """R-CI-61: the tax is billed already and stays free; the premium has unbilled items, another policy's is not it."""
    story = Story(plans(terms()))
    rows = (instruction("I1", "issuance"), instruction("I2", "issuance", "P2"))
    carried = (charge("I1"), charge("I1", "60.00", "Tax", 2), charge("I2"))
    land(story, JAN_1, *rows, charges=carried)
    changed(story, "hold_for_final_audit_all", ("120.00", "Premium"))
    named = story.book["charges"].sort("charge_key").select("charge_pattern", pl.col("hold_reason").cast(pl.String))
    assert named.rows() == [
        ("Premium", "final_audit"),
        ("Tax", None),
        ("Premium", None),
        ("Premium", "final_audit"),
    ]


def test_r_ci_61_an_audit_releases_what_is_held_for_it() -> None:
    """R-CI-61 (our choice): the audit instruction ends the holds of its own period, and may hold what it brings."""
    story = changed(issued(), "hold_for_final_audit_all", ("120.00", "Premium"))
    assert holds(story) == ["final_audit", "final_audit"]
    apr_1 = date(2025, 4, 1)
    row = instruction("AU", "audit", effective_date=apr_1, special_handling="hold_for_final_audit")
    land(story, apr_1, row, charges=(charge("AU", "30.00"),))
    assert holds(story) == [None, None, "final_audit"]


def test_r_ci_61_an_audit_leaves_other_holds_and_other_policies_alone() -> None:
    """R-CI-61: only final audit holds of the period end."""
    story = Story(plans(terms()))
    rows = (instruction("I1", "issuance"), instruction("I2", "issuance", "P2"))
    land(story, JAN_1, *rows, charges=(charge("I1"), charge("I2")))
    held = tuple(
        instruction(f"C{n}", "policy_change", f"P{n}", effective_date=MAR_10, special_handling="hold_for_final_audit")
        for n in (1, 2)
    )
    land(story, MAR_10, *held, charges=(charge("C1", "12.00"), charge("C2", "12.00")))
    apr_1 = date(2025, 4, 1)
    land(story, apr_1, instruction("AU", "audit", effective_date=apr_1))
    assert holds(story) == [None, None, None, "final_audit"]


def test_r_ci_58_special_handling_needs_an_existing_period() -> None:
    """R-CI-58: refused on a type that creates one, on an account, and on types that carry none."""
    story = Story(plans(terms()))
    new = instruction("I1", "issuance", special_handling="bill_immediately")
    on_account = instruction("G1", "account_general", None, special_handling="bill_on_next_invoice")
    base = [
        instruction(f"B{n}", kind, special_handling="bill_immediately")
        for n, kind in enumerate(("general", "offset", "onset", "premium_report_due_date"))
    ]
    land(story, JAN_1, new, on_account, *base)
    refused = [(f"B{n}", "E-SPECIAL-HANDLING") for n in range(4)]
    assert story.quarantined() == [*refused, ("G1", "E-SPECIAL-HANDLING"), ("I1", "E-SPECIAL-HANDLING-NEW")]
