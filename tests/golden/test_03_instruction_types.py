"""Every type of billing instruction, what it needs, what it carries and what it refuses."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tests.instructed import JAN_1, YEAR_END, charge, down_payment, instruction, land, terms
from tests.story import Story, plans

FEB_10 = date(2025, 2, 10)
EXISTING = ("policy_change", "cancellation", "reinstatement", "audit", "premium_report", "general", "offset", "onset")


def told(*rows: dict[str, object], charges: tuple[dict[str, object], ...] = (), **settings: object) -> Story:
    """P1 issued with a premium of 1200, and after it these instructions on the tenth of February."""
    story = Story(plans(terms(), ("X", "Other", terms(interval="quarterly", maximum=4))))
    story.land(JAN_1, accounts=[{"account_id": "A", **settings}, {"account_id": "B"}])
    land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1"),))
    return land(story, FEB_10, *rows, charges=charges)


def contexts(story: Story) -> list[str]:
    """The context of every charge, in the order in which they were booked."""
    return story.book["charges"].sort("charge_key")["context"].to_list()


@pytest.mark.parametrize("kind", EXISTING)
def test_r_bi_2_every_type_for_an_existing_period_brings_its_charges(kind: str) -> None:
    """R-BI-2, R-BI-5, R-BI-9: the charge belongs to the period, has the type as context, and follows the plan."""
    rows = [instruction("X1", kind, effective_date=FEB_10, sequence=2)]
    if kind == "reinstatement":
        rows.insert(0, instruction("X0", "cancellation", effective_date=FEB_10, sequence=1))
    story = told(*rows, charges=(charge("X1", "50.00"),))
    assert story.quarantined() == []
    assert contexts(story) == ["issuance", kind]
    booked = story.book["charges"].sort("charge_key").row(1, named=True)
    assert (booked["period_key"], booked["effective_date"], booked["charge_date"]) == (1, FEB_10, FEB_10)
    assert story.items().filter(charge_key=2)["amount"].sum() == 5000


@pytest.mark.parametrize("kind", EXISTING)
def test_r_bi_2_an_instruction_without_charges_is_booked(kind: str) -> None:
    """03 section 2.1: an empty list of charges is accepted; the status of the period may change."""
    rows = [instruction("X1", kind, effective_date=FEB_10, sequence=2)]
    if kind == "reinstatement":
        rows.insert(0, instruction("X0", "cancellation", effective_date=FEB_10, sequence=1))
    story = told(*rows)
    assert story.quarantined() == []
    assert "X1" in story.book["instructions"]["instruction_id"]
    cancelled = story.book["policy_periods"]["status"].cast(pl.String).to_list() == ["cancelled"]
    assert cancelled == (kind == "cancellation")


@pytest.mark.parametrize("kind", ["renewal", "new_renewal", "rewrite", "issuance"])
def test_r_bi_3_and_4_new_periods(kind: str) -> None:
    """R-BI-3, R-BI-4, R-BI-6, R-CI-04: each makes a period; a renewal and a rewrite the next of their policy."""
    policy = "P1" if kind in ("renewal", "rewrite") else "P2"
    row = instruction("X1", kind, policy, effective_date=YEAR_END, period_end=date(2027, 1, 1))
    story = told(row, charges=(charge("X1"),))
    assert story.quarantined() == []
    found = story.book["policy_periods"].sort("period_key").select("policy_key", "term_number").rows()
    assert found == [(1, 1), (1, 2) if policy == "P1" else (2, 1)]
    assert story.book["charges"].sort("charge_key")["effective_date"].to_list() == [JAN_1, YEAR_END]


def test_r_bi_6_a_term_number_is_used_once() -> None:
    """R-BI-6: a rewrite that names the number of a period that exists is refused, with its charges."""
    row = instruction("X1", "rewrite", term_number=1, effective_date=FEB_10)
    story = told(row, charges=(charge("X1"),))
    assert story.quarantined() == [("X1", "E-INSTRUCTION-REFUSED"), ("X1", "E-PERIOD-EXISTS")]


def test_r_bi_4_a_renewal_that_overlaps_is_booked_with_a_warning() -> None:
    """R-BI-4: the renewal starts a month before the term ends; a rewrite after a cancellation does not overlap."""
    early = instruction("R1", "renewal", effective_date=date(2025, 12, 1), period_end=date(2026, 12, 1))
    story = told(early)
    assert story.quarantined() == []
    assert story.events("warnings").select("record_id", "code").rows() == [("R1", "W-PERIOD-OVERLAP")]
    cancelled = instruction("C1", "cancellation", effective_date=FEB_10, sequence=1)
    story = told(cancelled, instruction("W1", "rewrite", effective_date=FEB_10, sequence=2))
    assert story.quarantined() == []
    assert story.events("warnings").is_empty()


@pytest.mark.parametrize("kind", ["account_general", "collateral", "segregated_collateral_requirement"])
def test_r_bi_8_account_level_types(kind: str) -> None:
    """R-BI-8, R-CI-28: no policy, no plan; a one-time charge of the account on a monthly stream, with or without."""
    rows = (instruction("G1", kind, None, effective_date=FEB_10), instruction("G2", kind, None, effective_date=FEB_10))
    story = told(*rows, charges=(charge("G1", "10.00", "Account Late Fee"),))
    assert story.quarantined() == []
    assert contexts(story) == ["issuance", kind]
    item = story.items().filter(charge_pattern="Account Late Fee").row(0, named=True)
    assert (item["item_type"], item["event_date"], item["bill_date"]) == ("onetime", FEB_10, date(2025, 2, 15))
    assert (item["policy_key"], item["period_key"]) == (0, 0)


@pytest.mark.parametrize("pattern", ["Collateral Requirement", "Collateral Fulfillment"])
def test_r_cp_6_a_charge_of_collateral_needs_collateral(pattern: str) -> None:
    """R-CP-6: no row says which collateral owns the charge; the instruction is refused as a whole (R-BI-16)."""
    row = instruction("G1", "collateral", None, effective_date=FEB_10)
    story = told(row, charges=(charge("G1", "10.00", pattern),))
    assert story.quarantined() == [("G1", "E-CHARGE-REFUSED"), ("G1", "E-COLLATERAL-OWNER")]


def test_r_bi_15_reversal_instructions_are_not_sent() -> None:
    """R-BI-15: the type only tags the charge that a reversal makes."""
    story = told(instruction("X1", "reversal", effective_date=FEB_10))
    assert story.quarantined() == [("X1", "E-TYPE-INTERNAL")]


def test_e_bi_6_a_plan_is_taken_by_its_name() -> None:
    """E-BI-6, R-PP-19: the period uses the plan that is there."""
    story = told(instruction("I2", "issuance", "P2", payment_plan="Other"))
    assert story.book["policy_periods"]["payment_plan"].to_list() == ["X", "Other"]


def reporting(*rows: dict[str, object], charges: tuple[dict[str, object], ...] = ()) -> Story:
    """P1 on a premium reporting plan, and after it these instructions."""
    story = Story(plans(terms(), ("X", "Reporting", "is_reporting = true\n" + terms())))
    story.land(JAN_1, accounts=[{"account_id": "A"}])
    land(story, JAN_1, instruction("I1", "issuance", payment_plan="Reporting"), charges=(charge("I1"),))
    return land(story, FEB_10, *rows, charges=charges)


@pytest.mark.parametrize("kind", EXISTING)
def test_r_pp_15_what_a_reporting_period_takes(kind: str) -> None:
    """R-PP-15: reports, audits, cancellations and reinstatements, but no changes nor other base types."""
    rows = [instruction("X1", kind, effective_date=FEB_10, sequence=2)]
    if kind == "reinstatement":
        rows.insert(0, instruction("X0", "cancellation", effective_date=FEB_10, sequence=1))
    story = reporting(*rows)
    refused = kind in ("policy_change", "general", "offset", "onset")
    assert story.quarantined() == ([("X1", "E-REPORTING-PERIOD")] if refused else [])


def test_r_pp_15_a_due_date_carries_no_charges() -> None:
    """R-PP-15, 03 section 2.2: the due date of a report is booked; with a charge it is refused."""
    rows = (
        instruction("D1", "premium_report_due_date", effective_date=FEB_10, sequence=1),
        instruction("D2", "premium_report_due_date", effective_date=FEB_10, sequence=2),
    )
    story = reporting(*rows, charges=(charge("D2", "5.00"),))
    assert story.quarantined() == [("D2", "E-CHARGE-REFUSED"), ("D2", "E-DUE-DATE-CHARGE")]
    assert story.book["instructions"]["instruction_id"].to_list() == ["I1", "D1"]


def test_r_pp_15_the_initial_instruction_and_the_renewal_of_a_reporting_policy() -> None:
    """R-PP-15: new periods may come on a reporting plan, with their estimated premium."""
    renewal = instruction(
        "I2", "renewal", effective_date=YEAR_END, period_end=date(2027, 1, 1), payment_plan="Reporting"
    )
    assert reporting(renewal, charges=(charge("I2"),)).quarantined() == []


@pytest.mark.parametrize("kind", ["audit", "policy_change", "premium_report", "general"])
def test_r_pp_16_a_plan_on_an_existing_period_changes_its_plan(kind: str) -> None:
    """R-PP-16, R-PS-6, 03 section 2.3: planned items are cut anew; the charges of the instruction follow the new plan.

    January and February are billed; the other 1000.00 fall into the quarters that are left.
    """
    row = instruction("X1", kind, effective_date=FEB_10, payment_plan="Other")
    story = told(row, charges=(charge("X1", "40.00", "Tax"),))
    assert story.quarantined() == []
    assert story.book["policy_periods"]["payment_plan"].to_list() == ["Other"]
    standing = story.items().filter((pl.col("charge_key") == 1) & (pl.col("amount") != 0))
    assert [str(day) for day in standing["bill_date"]][2:] == ["2025-04-01", "2025-07-01", "2025-10-01"]
    assert standing["amount"].sum() == 120000
    assert story.items().filter(charge_key=2)["amount"].sum() == 4000


def test_r_pp_16_the_same_plan_changes_nothing() -> None:
    """03 section 2.3: the plan that the period has may be named."""
    story = told(instruction("X1", "policy_change", effective_date=FEB_10, payment_plan="X"))
    assert story.quarantined() == []
    assert story.events("item_events").is_empty()


def test_r_pp_16_a_change_of_plan_moves_the_payments_to_the_new_items() -> None:
    """R-PS-7: what was paid ahead on planned items is taken back and pays the new ones."""
    story = Story(plans(terms(), ("X", "Other", terms(interval="quarterly", maximum=4))))
    story.land(JAN_1, accounts=[{"account_id": "A", "payment_allocation_plan": "Pay Ahead"}])
    land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1"),))
    story.land(date(2025, 1, 2), payments=[{"payment_id": "M1", "amount": "500.00", "account_id": "A"}])
    land(story, FEB_10, instruction("X1", "audit", effective_date=FEB_10, payment_plan="Other"))
    standing = story.items().filter(pl.col("amount") != 0)
    assert standing["paid"].sum() == 50000
    assert story.balance("Designated Unapplied") == story.balance("Unapplied") == "0.00"


def test_r_itm_03_the_payer_of_an_instruction_pays_its_charges() -> None:
    """R-ITM-03: a charge names its payer; else the instruction does; else the owner pays."""
    row = instruction("X1", "general", effective_date=FEB_10, payer_account_id="B")
    carried = (charge("X1", "10.00", "Tax", 1), charge("X1", "11.00", "Tax", 2, payer_account_id="A"))
    story = told(row, charges=carried)
    story = land(
        story,
        date(2025, 2, 11),
        instruction("X2", "general", effective_date=FEB_10),
        charges=(charge("X2", "12.00", "Tax"),),
    )
    payers = story.items().filter(charge_pattern="Tax").sort("charge_key")["account_key"].to_list()
    assert payers == [2, 1, 1]


def test_r_itm_03_the_payer_of_a_new_period_pays_what_follows() -> None:
    """R-ITM-03, R-ITM-07: the payer named at issuance is the default of the period; owners stay."""
    story = Story(plans(terms(maximum=1)))
    story.land(JAN_1, accounts=[{"account_id": "A"}, {"account_id": "B"}])
    land(story, JAN_1, instruction("I1", "issuance", payer_account_id="B"), charges=(charge("I1"),))
    row = instruction("X1", "general", effective_date=FEB_10)
    land(story, FEB_10, row, charges=(charge("X1", "12.00", "Tax"),))
    assert story.items()["account_key"].to_list() == [2, 2]
    assert story.book["charges"]["account_key"].to_list() == [1, 1]
    assert story.book["invoice_streams"].select("account_key", "policy_key").rows() == [(2, 1)]


def test_r_bi_16_nothing_of_a_refused_instruction_is_posted() -> None:
    """R-BI-16: one charge of an unknown pattern, and neither the good charge nor the period is booked."""
    row = instruction("I2", "issuance", "P2")
    story = told(row, charges=(charge("I2"), charge("I2", "5.00", "Stamp", 2)))
    assert story.quarantined() == [
        ("I2", "E-CHARGE-REFUSED"),
        ("I2", "E-INSTRUCTION-REFUSED"),
        ("I2", "E-PATTERN-UNKNOWN"),
    ]
    assert story.book["policies"]["policy_id"].to_list() == ["P1"]


def test_r_ci_08_an_instruction_has_its_effect_once() -> None:
    """R-CI-08: the same instruction on a later day makes no second set of items."""
    story = told()
    before = story.book["invoice_items"].height
    land(story, date(2025, 2, 11), instruction("I1", "issuance"), charges=(charge("I1"),))
    assert story.book["invoice_items"].height == before
    assert story.quarantined() == []


def test_r_ch_5_and_6_negative_and_zero_charges() -> None:
    """R-CH-4, R-CH-5, R-CH-6: a negative charge lowers what is owed and posts positive lines; zero posts nothing."""
    row = instruction("X1", "general", effective_date=FEB_10)
    story = told(row, charges=(charge("X1", "-60.00", "Tax", 1), charge("X1", "0.00", "Tax", 2)))
    lines = story.journal().filter(
        (pl.col("charge_pattern") == "Tax") & (pl.col("transaction_type") == "InitialChargeTxn")
    )
    assert lines["amount"].to_list() == [6000] * 4
    assert story.balance("<Charge Pattern> Unbilled", "Tax") == "-60.00"
    assert story.book["charges"].filter(amount=0).height == 1


def test_r_ch_7_a_charge_group_is_kept() -> None:
    """E-CG-2, R-CH-7: what the sender calls the group stays with the charge."""
    row = instruction("X1", "policy_change", effective_date=FEB_10)
    story = told(row, charges=(charge("X1", "10.00", charge_group="A-1"),))
    assert story.book["charges"].sort("charge_key")["charge_group"].to_list() == [None, "A-1"]


def test_r_bi_10_accounts_are_found_or_created() -> None:
    """R-BI-10, R-CI-03: an account that an instruction names is created once, with the carrier's defaults."""
    rows = (
        instruction("I2", "issuance", "P2", account_id="NEW"),
        instruction("I3", "issuance", "P3", account_id="NEW"),
    )
    story = told(*rows)
    new = story.book["accounts"].filter(account_id="NEW")
    assert new.select(pl.col("invoice_by", "separate_funds_by").cast(pl.String), "creation_date").rows() == [
        ("policy", "policy", FEB_10)
    ]


def test_e_bi_4_and_r_ci_56_a_down_payment_also_for_a_change_of_the_first_day() -> None:
    """E-BI-4, R-CI-56."""
    story = Story(plans(terms(more=down_payment("20"), maximum=4)))
    story.land(JAN_1, accounts=[{"account_id": "A"}])
    rows = (instruction("I1", "issuance"), instruction("C1", "policy_change"))
    land(story, JAN_1, *rows, charges=(charge("I1", "1000.00"), charge("C1", "100.00")))
    items = story.items().filter(charge_key=2)
    assert items.select("item_type", "amount").rows() == [("deposit", 2000), *[("installment", 2000)] * 4]


def levels(story: Story) -> list[tuple[str, str]]:
    """How A is invoiced and keeps its funds."""
    columns = pl.col("invoice_by", "separate_funds_by").cast(pl.String)
    return story.book["accounts"].filter(account_id="A").select(columns).rows()


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"invoice_by": "account"}, ("account", "account")),
        ({"invoice_by": "policy"}, ("policy", "policy")),
        ({"invoice_by": "policy", "separate_funds_by": "account"}, ("policy", "account")),
        ({"separate_funds_by": "account"}, ("policy", "account")),
        ({"invoice_by": "account", "separate_funds_by": "policy"}, ("account", "account")),
        ({}, ("policy", "policy")),
    ],
)
def test_r_bl_2_an_instruction_may_set_the_billing_level(named: dict[str, str], expected: tuple[str, str]) -> None:
    """R-BL-2, R-BL-3: the charges of the instruction already follow it; what is planned moves with it (R-BL-12)."""
    story = told(instruction("X1", "general", effective_date=FEB_10, **named), charges=(charge("X1", "6.00", "Tax"),))
    assert levels(story) == [expected]
    planned = story.items().filter(pl.col("bill_date") > FEB_10)
    streams = story.book["invoice_streams"].select("stream_key", stream_policy="policy_key")
    scopes = planned.join(streams, on="stream_key")["stream_policy"].unique().to_list()
    assert scopes == ([0] if expected[0] == "account" else [1])


def test_r_bl_2_an_account_may_begin_at_the_level_of_its_first_instruction() -> None:
    """R-BL-2, R-BL-8, R-BI-10: an account that is not known is created, and invoiced as a whole from the start."""
    story = Story(plans(terms()))
    row = instruction("I1", "issuance", invoice_by="account")
    land(story, JAN_1, row, charges=(charge("I1"),))
    assert levels(story) == [("account", "account")]
    assert story.book["invoice_streams"]["policy_key"].to_list() == [0]
    assert story.book["funds"]["policy_key"].to_list() == [0]
