"""List bill: one account pays the policies of others by payment plans of its own."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tests.instructed import JAN_1, YEAR_END, charge, instruction, land, terms
from tests.story import Story, plans

WEEKLY = terms(interval="every_week", maximum=8)
PAYROLL = {"account_id": "BANK", "account_type": "list_bill", "payment_plans": "X; Payroll", "invoice_day_of_month": 10}
FEB_10 = date(2025, 2, 10)


def bank(*rows: dict[str, object], charges: tuple[dict[str, object], ...] = (), **account: object) -> Story:
    """A bank that pays for others, and these instructions."""
    story = Story(plans(terms(), ("X", "Payroll", WEEKLY), ("X", "Other", terms(maximum=6))))
    story.land(JAN_1, accounts=[PAYROLL | account, {"account_id": "A"}, {"account_id": "B"}])
    return land(story, JAN_1, *rows, charges=charges)


def enrolled(instruction_id: str, policy_id: str, account_id: str, **more: object) -> dict[str, object]:
    """A policy of a homeowner that the bank pays."""
    row = instruction(instruction_id, "issuance", policy_id, account_id=account_id)
    return row | {"billing_method": "list_bill", "payer_account_id": "BANK"} | more


def streams(story: Story) -> list[tuple[object, ...]]:
    """Payer, policy and periodicity of every stream, in the order in which they came."""
    columns = ("account_key", "policy_key", pl.col("periodicity").cast(pl.String), "is_account_level_only")
    return story.book["invoice_streams"].sort("stream_key").select(columns).rows()


BANK_KEY = 3


def test_e_bt_1_the_bank_pays_and_the_homeowners_own() -> None:
    """E-BT-1, R-BT-3, R-LB-08: the policies belong to the homeowners, the items to the bank; one invoice for both."""
    story = bank(enrolled("I1", "P1", "A"), enrolled("I2", "P2", "B"), charges=(charge("I1"), charge("I2")))
    assert story.quarantined() == []
    assert story.book["policies"]["account_key"].to_list() == [1, 2]
    periods = story.book["policy_periods"].select(pl.col("billing_method").cast(pl.String), "payer_account_key")
    assert periods.rows() == [("list_bill", BANK_KEY)] * 2
    assert story.items()["account_key"].unique().to_list() == [BANK_KEY]
    assert story.book["charges"].select("account_key", "payer_account_key").rows() == [(1, BANK_KEY), (2, BANK_KEY)]
    per_invoice = story.items().group_by("invoice_key").agg(pl.col("policy_key").n_unique())
    assert per_invoice["policy_key"].to_list() == [2] * 12


def test_r_lb_04_a_list_bill_account_has_a_stream_for_every_plan_from_the_start() -> None:
    """R-LB-02, R-LB-04: one stream per periodicity of its plans; policies make no others, for owner or payer."""
    expected = [(BANK_KEY, 0, "monthly", False), (BANK_KEY, 0, "weekly", False)]
    assert streams(bank()) == expected
    story = bank(
        enrolled("I1", "P1", "A"),
        enrolled("I2", "P2", "B", payment_plan="Payroll"),
        charges=(charge("I1"), charge("I2")),
    )
    assert streams(story) == expected
    assert story.items().filter(policy_key=1)["event_date"][0] == date(2025, 1, 10)


def test_r_lb_02_its_streams_are_shared_at_any_billing_level() -> None:
    """R-LB-02: the streams belong to the account, also when it would be invoiced by policy."""
    for level in ("account", "policy"):
        story = bank(enrolled("I1", "P1", "A"), charges=(charge("I1"),), invoice_by=level)
        assert [row[1] for row in streams(story)] == [0, 0]


def test_r_lb_06_account_level_charges_go_on_a_monthly_stream() -> None:
    """R-LB-05, R-LB-06: with weekly plans only, one is made for them; a second charge finds it (R-LB-07)."""
    rows = tuple(instruction(f"G{n}", "account_general", None, account_id="BANK") for n in (1, 2))
    fees = (charge("G1", "5.00", "Account Late Fee"), charge("G2", "5.00", "Account Late Fee"))
    story = bank(*rows, charges=fees, payment_plans="Payroll")
    assert streams(story) == [(BANK_KEY, 0, "weekly", False), (BANK_KEY, 0, "monthly", True)]
    with_monthly = bank(*rows, charges=fees)
    assert streams(with_monthly)[0] == (BANK_KEY, 0, "monthly", False)
    assert with_monthly.items()["invoice_key"].n_unique() == 1


def test_r_bt_4_and_r_lb_01_a_list_bill_account_owns_no_policy() -> None:
    """R-BT-4, R-LB-01."""
    story = bank(instruction("I1", "issuance", account_id="BANK"))
    assert story.quarantined() == [("I1", "E-LIST-BILL-OWNER")]


@pytest.mark.parametrize(
    ("account", "code"),
    [
        ({"account_type": "list_bill"}, "E-LIST-BILL-PLANS"),
        ({"account_type": "insured", "payment_plans": "X"}, "E-PLANS-NOT-ALLOWED"),
        ({"account_type": "payer", "payment_plans": "X"}, "E-PLANS-NOT-ALLOWED"),
        ({"account_type": "list_bill", "payment_plans": "X; Nowhere"}, "E-PLAN-UNKNOWN"),
    ],
)
def test_r_bt_5_who_has_payment_plans(account: dict[str, object], code: str) -> None:
    """R-BT-5, R-LB-02: a list bill account has at least one plan, no other account has any."""
    story = Story(plans(terms())).land(JAN_1, accounts=[{"account_id": "N", **account}]).close_through(JAN_1)
    assert story.quarantined() == [("N", code)]


@pytest.mark.parametrize("text", ["X;Payroll", "X , Payroll", " X ; Payroll ;", "X;X;Payroll"])
def test_r_bt_5_how_plans_are_listed(text: str) -> None:
    """R-BT-5: names between semicolons, or commas; a plan of the standard carrier has a comma in its name."""
    assert len(streams(bank(payment_plans=text))) == 2
    story = bank(payment_plans="A Monthly 10% Down, 9 Max installments")
    assert story.quarantined() == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"payment_plan": "Other"}, "E-LIST-BILL-PLAN"),
        ({"payer_account_id": "B"}, "E-LIST-BILL-PAYER-TYPE"),
        ({"payer_account_id": None}, "E-LIST-BILL-PAYER"),
        ({"payer_account_id": "NOBODY"}, "E-PAYER-UNKNOWN"),
    ],
)
def test_r_lb_08_invariants_of_a_list_bill_policy(more: dict[str, object], code: str) -> None:
    """R-BT-6, R-LB-08: each violation refuses the row with its own code."""
    assert bank(enrolled("I1", "P1", "A", **more)).quarantined() == [("I1", code)]


def test_r_bt_6_the_same_plan_is_open_to_direct_bill() -> None:
    """R-BT-6 binds policies on list bill only; a list bill account may also pay a charge of a direct bill policy."""
    row = instruction("I1", "issuance", payment_plan="Other")
    story = bank(row, charges=(charge("I1"), charge("I1", "60.00", "Tax", 2, payer_account_id="BANK")))
    assert story.quarantined() == []
    assert story.items().filter(charge_pattern="Tax")["account_key"].to_list() == [BANK_KEY]


def test_r_lb_10_a_charge_may_name_another_payer() -> None:
    """R-LB-10, R-LB-11: the tax is paid by the owner, on a stream of the owner."""
    taxed = charge("I1", "60.00", "Tax", 2, payer_account_id="A")
    story = bank(enrolled("I1", "P1", "A"), charges=(charge("I1"), taxed))
    assert story.items().group_by("charge_pattern").agg(pl.col("account_key").first()).sort(
        "charge_pattern"
    ).rows() == [
        ("Premium", BANK_KEY),
        ("Tax", 1),
    ]
    assert streams(story)[2] == (1, 1, "monthly", False)


def test_r_lb_08_later_charges_are_paid_by_the_bank() -> None:
    """R-LB-08, R-ITM-03: a policy change of the enrolled policy goes to the payer of the period."""
    story = bank(enrolled("I1", "P1", "A"), charges=(charge("I1"),))
    row = instruction("C1", "policy_change", effective_date=FEB_10)
    land(story, FEB_10, row, charges=(charge("C1", "120.00"), charge("C1", "6.00", "Tax", 2)))
    assert story.items()["account_key"].unique().to_list() == [BANK_KEY]


def test_r_lb_08_a_change_of_plan_keeps_to_the_plans_of_the_payer() -> None:
    """R-BT-6, R-LB-14: an instruction may change the plan to another one that the payer offers."""
    story = bank(enrolled("I1", "P1", "A"), charges=(charge("I1"),))
    rows = (
        instruction("C1", "audit", effective_date=FEB_10, payment_plan="Other", sequence=1),
        instruction("C2", "audit", effective_date=FEB_10, payment_plan="Payroll", sequence=2),
    )
    land(story, FEB_10, *rows)
    assert story.quarantined() == [("C1", "E-LIST-BILL-PLAN")]
    assert story.book["policy_periods"]["payment_plan"].to_list() == ["Payroll"]


@pytest.mark.parametrize("method", ["list_bill", "agency_bill"])
def test_r_bt_2_the_method_of_a_period_is_not_changed_by_an_instruction(method: str) -> None:
    """R-BT-2: a change of billing method is a command; agency bill is not booked at all."""
    story = bank(instruction("I1", "issuance"))
    land(story, FEB_10, instruction("C1", "audit", effective_date=FEB_10, billing_method=method))
    assert story.quarantined() == [("C1", "E-BILLING-METHOD")]
    named = instruction("C2", "audit", effective_date=FEB_10, billing_method="direct_bill")
    land(story, date(2025, 2, 11), named)
    assert story.quarantined() == [("C1", "E-BILLING-METHOD")]


def test_r_bt_2_agency_bill_is_refused_on_a_new_period() -> None:
    """R-BT-2: producers are not known."""
    assert bank(instruction("I1", "issuance", billing_method="agency_bill")).quarantined() == [
        ("I1", "E-BILLING-METHOD")
    ]


def test_r_lb_08_a_renewal_says_again_who_pays() -> None:
    """R-LB-08: every new period has its own method and payer; a renewal without them is billed directly."""
    story = bank(enrolled("I1", "P1", "A"), charges=(charge("I1"),))
    renewal = instruction("I2", "renewal", effective_date=YEAR_END, period_end=date(2027, 1, 1))
    land(story, FEB_10, renewal, charges=(charge("I2"),))
    assert story.items().filter(period_key=2)["account_key"].unique().to_list() == [1]


def test_r_lb_09_a_period_that_names_its_stream_uses_it() -> None:
    """R-LB-08, R-LB-09: where a period has a stream of its payer of its own, later items go there."""
    story = bank(enrolled("I1", "P1", "A"), charges=(charge("I1"),))
    twin = (
        story.book["invoice_streams"]
        .filter(stream_key=1)
        .with_columns(stream_key=pl.lit(9), anchor_day=pl.lit(20), second_anchor_day=pl.lit(20), policy_key=pl.lit(0))
    )
    story.book = story.book.append("invoice_streams", twin)
    story.book = story.book.update("policy_periods", pl.Series([0]), {"stream_key": pl.Series([9])})
    row = instruction("C1", "general", effective_date=FEB_10)
    carried = (charge("C1", "6.00", "Tax"), charge("C1", "7.00", "Tax", 2, payer_account_id="A"))
    land(story, FEB_10, row, charges=carried)
    taxes = story.items().filter(charge_pattern="Tax").sort("charge_key").select("stream_key", "bill_date").rows()
    assert taxes[0] == (9, date(2025, 2, 20))
    assert taxes[1][0] != 9


WEEKS_ONLY = {"payment_plans": "Payroll"}
TAX_BY_BANK = charge("I1", "60.00", "Taxes", 2, payer_account_id="BANK")


def test_r_lb_06_a_charge_does_not_make_a_stream_of_a_list_bill_account() -> None:
    """R-LB-06: who has weekly plans only cannot pay the taxes of a monthly policy; those of a weekly one it can."""
    refused = bank(instruction("I1", "issuance"), charges=(charge("I1"), TAX_BY_BANK), **WEEKS_ONLY)
    carried = [("I1", "E-INSTRUCTION-REFUSED")] * 2
    assert refused.quarantined() == [("I1", "E-CHARGE-STREAM"), *carried]
    weekly = instruction("I1", "issuance", payment_plan="Payroll")
    assert bank(weekly, charges=(charge("I1"), TAX_BY_BANK), **WEEKS_ONLY).quarantined() == []


@pytest.mark.parametrize("by_command", [False, True])
def test_r_lb_06_another_plan_does_not_make_one_either(*, by_command: bool) -> None:
    """R-LB-06, R-PS-5: the bank pays the taxes of a weekly policy, which cannot go to a monthly plan."""
    weekly = instruction("I1", "issuance", payment_plan="Payroll")
    story = bank(weekly, charges=(charge("I1"), TAX_BY_BANK), **WEEKS_ONLY)
    day = date(2025, 1, 2)
    if by_command:
        named = {"command_type": "assign_payment_plan", "target_type": "policy", "target_id": "P1"}
        command = {"command_id": "C", **named, "params": '{"payment_plan": "X"}'}
        story.land(day, commands=[command]).close_through(day)
        assert story.quarantined() == [("C", "E-PAYER-STREAM")]
    else:
        land(story, day, instruction("I2", "general", payment_plan="X"))
        assert story.quarantined() == [("I2", "E-CHARGE-STREAM")]
    assert len(streams(story)) == 2


def test_r_lb_06_the_stream_for_account_charges_takes_nothing_of_a_policy() -> None:
    """R-LB-06, R-ITM-45: an item of a policy cannot move to the monthly invoice of the account's own fee."""
    fee = instruction("G", "account_general", None, account_id="BANK")
    policy = enrolled("I1", "P1", "A", payment_plan="Payroll")
    story = bank(policy, fee, charges=(charge("I1"), charge("G", "5.00", "Account Late Fee")), **WEEKS_ONLY)
    monthly = story.items().filter(pl.col("period_key") == 0)["invoice_key"].item()
    moved = story.items().filter(pl.col("period_key") > 0)["item_key"].max()
    named = {"command_type": "move_invoice_item", "target_type": "invoice_item", "target_id": str(moved)}
    day = date(2025, 1, 2)
    command = {"command_id": "C", **named, "params": f'{{"invoice_id": "{monthly}"}}'}
    story.land(day, commands=[command]).close_through(day)
    assert story.quarantined() == [("C", "E-INVOICE-PAYER")]


def test_r_pap_02_the_payer_of_a_period_may_name_its_policy_before_there_is_a_charge() -> None:
    """R-PAP-02, R-BL-6: the money is for the period; nobody is warned."""
    story = bank(enrolled("I1", "P1", "A"))
    payment = {"payment_id": "M", "account_id": "BANK", "policy_id": "P1", "amount": "10.00"}
    land(story, FEB_10, payments=[payment])
    assert story.book["payments"].select("policy_key", "period_key").rows() == [(1, 1)]
    assert story.events("warnings").is_empty()
