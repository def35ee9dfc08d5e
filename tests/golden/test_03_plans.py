"""Plans as data, from the worked examples and constraints of charge patterns, billing and payment plans."""

from __future__ import annotations

from datetime import date

import pytest

import carriers
from ledger.carrier import Carrier, CarrierError

BASE = """\
name = "Golden"

[charge_patterns."Installment Fee"]
subtype = "immediate"
category = "fee"
owner_types = ["PolicyPeriod"]
invoicing_approach = "one_time"

[billing_plans."Standard"]
effective_date = 2010-01-01
lead_days = 14
non_responsive_lead_days = 20

[payment_allocation_plans."Default"]
effective_date = 2010-01-01
"""

PLAN = """
[payment_plans."Plan"]
effective_date = 2015-08-17
payment_interval = "monthly"
max_installments = 9
first_installment_timing = { days = 0, direction = "after", reference = "one_interval_after_policy_effective_date" }
one_time_timing = { days = 25, direction = "before", reference = "policy_effective_date" }
"""

DOWN = """
has_down_payment = true
down_payment_percent = "10"
down_payment_timing = { days = 25, direction = "before", reference = "policy_effective_date" }
"""

OUT_OF_SEQUENCE = """
has_second_installment = true
second_installment_timing = { days = 0, reference = "one_interval_after_charge_effective_date" }
"""


def override(instruction_type: str, settings: str = "") -> str:
    return f'\n[[payment_plans."Plan".overrides]]\ninstruction_type = "{instruction_type}"\n{settings}\n'


def carrier(*parts: str) -> Carrier:
    return Carrier.from_toml("\n".join([BASE, PLAN, *parts]))


def refused_keys(*parts: str, base: str = BASE) -> list[str]:
    with pytest.raises(CarrierError) as refused:
        Carrier.from_toml("\n".join([base, PLAN, *parts]))
    return [problem.key for problem in refused.value.problems]


def test_e_pp_1_the_sample_plan_is_stored_as_shown():
    plan = Carrier.from_toml(carriers.standard()).payment_plans["A Monthly 10% Down, 9 Max installments"]
    assert plan.description == "Monthly 10% Down, 9 Max installments"
    assert (plan.effective_date, plan.expiration_date) == (date(2015, 8, 17), None)
    assert (plan.is_reporting, plan.currency) == (False, "USD")
    assert (plan.has_down_payment, plan.max_installments, plan.down_payment_ppm) == (True, 9, 100_000)
    assert plan.down_payment_timing is not None
    assert plan.down_payment_timing.offset_days == -25
    assert plan.down_payment_timing.reference == "policy_effective_date"
    assert plan.first_installment_timing.offset_days == 0
    assert plan.first_installment_timing.reference == "one_interval_after_policy_effective_date"
    assert (plan.has_second_installment, plan.second_installment_timing) == (False, None)
    assert plan.one_time_timing.offset_days == -25
    assert plan.one_time_timing.reference == "policy_effective_date"
    assert plan.payment_interval == "monthly"
    assert (plan.fix_invoices_on, plan.item_placement_cutoff) == ("bill_date", "bill_date")
    assert (plan.blackout_basis, plan.blackout_days) == ("billed", 30)
    assert (plan.fee_amount, plan.skip_fee_for_down_payments) == (0, True)
    assert (plan.has_equity_warnings, plan.min_equity_days) == (True, 30)
    assert plan.align_installments
    assert plan.overrides == ()


def test_e_pp_2_an_out_of_sequence_first_installment():
    plan = carrier(OUT_OF_SEQUENCE).payment_plans["Plan"]
    assert (plan.has_down_payment, plan.max_installments, plan.has_second_installment) == (False, 9, True)
    assert plan.first_installment_timing.reference == "one_interval_after_policy_effective_date"
    assert plan.second_installment_timing is not None
    assert plan.second_installment_timing.offset_days == 0
    assert plan.second_installment_timing.reference == "one_interval_after_charge_effective_date"


def test_r_pp_8_down_payment_settings_are_there_exactly_with_a_down_payment():
    assert carrier(DOWN).payment_plans["Plan"].has_down_payment
    assert refused_keys("has_down_payment = true") == [
        "payment_plans.Plan.down_payment_percent",
        "payment_plans.Plan.down_payment_timing",
    ]
    assert refused_keys(DOWN.replace("true", "false")) == [
        "payment_plans.Plan.down_payment_percent",
        "payment_plans.Plan.down_payment_timing",
    ]


def test_r_pp_8_second_installment_timing_is_there_exactly_with_the_flag():
    assert refused_keys("has_second_installment = true") == ["payment_plans.Plan.second_installment_timing"]
    assert refused_keys(OUT_OF_SEQUENCE.replace("true", "false")) == ["payment_plans.Plan.second_installment_timing"]


def test_r_ci_30_down_payment_and_out_of_sequence_exclude_each_other():
    assert refused_keys(DOWN, OUT_OF_SEQUENCE) == ["payment_plans.Plan.has_second_installment"]


@pytest.mark.parametrize(
    ("plan", "settings", "key"),
    [
        (OUT_OF_SEQUENCE, DOWN, "has_second_installment"),
        (DOWN, OUT_OF_SEQUENCE, "has_second_installment"),
        ("", "has_down_payment = true", "down_payment_percent"),
        ("", 'down_payment_percent = "10"', "down_payment_percent"),
        (DOWN, "has_down_payment = false\ndown_payment_percent = 10", "down_payment_percent"),
        ("", "has_second_installment = true", "second_installment_timing"),
        (
            OUT_OF_SEQUENCE,
            'has_second_installment = false\nsecond_installment_timing = { reference = "charge_date" }',
            "second_installment_timing",
        ),
    ],
)
def test_r_ci_30_an_override_may_not_make_the_plan_contradict_itself(plan: str, settings: str, key: str):
    keys = refused_keys(plan, override("renewal", settings))
    assert f"payment_plans.Plan.overrides[1].{key}" in keys


def test_r_pp_18_down_payment_for_the_first_term_only_adds_two_overrides():
    first_term = 'invoice_down_payment_for = "only_first_term"'
    plan = carrier(DOWN, first_term).payment_plans["Plan"]
    assert [(given.instruction_type, given.has_down_payment) for given in plan.overrides] == [
        ("renewal", False),
        ("new_renewal", False),
    ]
    assert plan.for_instruction("issuance").has_down_payment
    for kind in ("renewal", "new_renewal"):
        later = plan.for_instruction(kind)
        assert (later.has_down_payment, later.down_payment_ppm, later.down_payment_timing) == (False, None, None)
    with_audit = carrier(DOWN, first_term, override("audit", "max_installments = 1")).payment_plans["Plan"]
    assert [given.instruction_type for given in with_audit.overrides] == ["audit", "renewal", "new_renewal"]
    assert refused_keys(first_term) == ["payment_plans.Plan.invoice_down_payment_for"]
    assert refused_keys(DOWN, first_term, override("renewal")) == ["payment_plans.Plan.invoice_down_payment_for"]


def test_r_po_2_one_override_per_plan_and_instruction_type_of_the_ten():
    assert refused_keys(override("audit"), override("audit")) == ["payment_plans.Plan.overrides[2].instruction_type"]
    assert refused_keys(override("offset")) == ["payment_plans.Plan.overrides[1].instruction_type"]
    ten = ["audit", "cancellation", "general", "new_renewal", "policy_change"]
    ten += ["issuance", "premium_report", "reinstatement", "renewal", "rewrite"]
    assert len(carrier(*(override(kind) for kind in ten)).payment_plans["Plan"].overrides) == 10


@pytest.mark.parametrize(
    "key", ["payment_interval", "blackout_days", "fee_amount", "min_equity_days", "fix_invoices_on"]
)
def test_r_po_3_other_settings_cannot_be_overridden(key: str):
    assert refused_keys(override("audit", f"{key} = 1")) == [f"payment_plans.Plan.overrides[1].{key}"]


def test_e_po_1_continuous_billing_has_a_down_payment_at_issuance_and_none_at_renewal():
    golden = carrier(DOWN, override("renewal", "has_down_payment = false"))
    rows = golden.effective_plan_frame().select("instruction_type", "has_down_payment", "down_payment_ppm")
    effective = {kind: (has, ppm) for kind, has, ppm in rows.iter_rows()}
    assert effective["issuance"] == (True, 100_000)
    assert effective["renewal"] == (False, 0)
    assert effective["new_renewal"] == (True, 100_000)


def test_e_ovr_1_policy_changes_without_down_payment_leave_the_issuance_alone():
    plan = carrier(DOWN, override("policy_change", "has_down_payment = false")).payment_plans["Plan"]
    assert not plan.for_instruction("policy_change").has_down_payment
    assert plan.for_instruction("issuance").down_payment_ppm == 100_000
    assert plan.has_down_payment


PATTERN = """\
[charge_patterns."Installment Fee"]
subtype = "{subtype}"
category = "general"
owner_types = ["{owner}"]
invoicing_approach = "{approach}"

[charge_patterns."Fee"]
"""


def pattern(subtype: str, owner: str, approach: str) -> str:
    described = PATTERN.format(subtype=subtype, owner=owner, approach=approach)
    return f'invoicing_fee_pattern = "Fee"\n{BASE}'.replace('[charge_patterns."Installment Fee"]\n', described)


@pytest.mark.parametrize("owner", ["Account", "Collateral", "CollateralRequirement"])
def test_r_cp_4_only_a_policy_period_owns_a_pro_rata_charge(owner: str):
    keys = refused_keys(base=pattern("pro_rata", owner, "one_time"))
    assert keys == ['charge_patterns."Installment Fee".owner_types']
    golden = Carrier.from_toml(pattern("pro_rata", "PolicyPeriod", "one_time") + PLAN)
    assert golden.charge_patterns["Installment Fee"].in_equity


@pytest.mark.parametrize("approach", ["down_payment_and_installments", "single_down_payment", "single_installment"])
def test_r_cp_5_these_approaches_need_a_policy_period(approach: str):
    keys = refused_keys(base=pattern("immediate", "Account", approach))
    assert keys == ['charge_patterns."Installment Fee".invoicing_approach']
    golden = Carrier.from_toml(pattern("immediate", "PolicyPeriod", approach) + PLAN)
    assert golden.charge_patterns["Installment Fee"].invoicing_approach == approach


@pytest.mark.parametrize("owner", ["PolicyPeriod", "Account", "Collateral", "CollateralRequirement"])
def test_r_cp_6_one_time_is_open_to_every_owner(owner: str):
    golden = Carrier.from_toml(pattern("collateral", owner, "one_time") + PLAN)
    assert golden.charge_patterns["Installment Fee"].owner_types == (owner,)


def test_r_cp_2_there_are_five_subtypes():
    assert refused_keys(base=pattern("prorata", "PolicyPeriod", "one_time")) == [
        'charge_patterns."Installment Fee".subtype'
    ]


@pytest.mark.parametrize(
    ("subtype", "is_reversible"),
    [("immediate", True), ("pass_through", True), ("collateral", True), ("pro_rata", False), ("recapture", False)],
)
def test_r_cr_2_pro_rata_and_recapture_charges_cannot_be_reversed(subtype: str, is_reversible: bool):
    golden = Carrier.from_toml(pattern(subtype, "PolicyPeriod", "one_time") + PLAN)
    assert golden.charge_patterns["Installment Fee"].is_reversible is is_reversible


def test_r_bp_2_a_billing_plan_is_available_on_both_of_its_ends():
    text = BASE.replace("lead_days = 14", "expiration_date = 2015-12-31\nlead_days = 14", 1)
    golden = Carrier.from_toml(text + PLAN)
    plan = golden.billing_plans["Standard"]
    days = [date(2009, 12, 31), date(2010, 1, 1), date(2015, 12, 31), date(2016, 1, 1)]
    assert [plan.is_available(day) for day in days] == [False, True, True, False]
    assert [golden.default_plan("billing", day) for day in days] == [None, "Standard", "Standard", None]
    assert carrier().billing_plans["Standard"].is_available(date(2999, 1, 1))


@pytest.mark.parametrize("logic", ["exact_day", "next_business_day", "previous_business_day"])
def test_d_bp_1_a_due_date_stays_or_moves_to_the_next_or_previous_business_day(logic: str):
    text = BASE.replace("lead_days = 14", f'payment_due_day_logic = "{logic}"\nlead_days = 14', 1)
    assert Carrier.from_toml(text + PLAN).billing_plan_frame()["payment_due_day_logic"].to_list() == [logic]
    with pytest.raises(CarrierError, match="payment_due_day_logic"):
        Carrier.from_toml(text.replace(logic, "Exact") + PLAN)


def test_r_bp_5_the_invoicing_fee_is_a_one_time_charge():
    assert refused_keys(base=BASE.replace('"one_time"', '"single_installment"')) == ["invoicing_fee_pattern"]


def test_r_eqt_18_equity_warnings_are_on_at_30_days_unless_the_plan_says_otherwise():
    plain = carrier().payment_plan_frame().select("has_equity_warnings", "min_equity_days").row(0)
    assert plain == (True, 30)
    other = carrier("has_equity_warnings = false\nmin_equity_days = 45").payment_plan_frame()
    assert other.select("has_equity_warnings", "min_equity_days").row(0) == (False, 45)


def test_r_pap_03_the_default_allocation_plan_is_the_first_in_the_list():
    golden = Carrier.from_toml(carriers.standard())
    assert golden.default_plan("payment_allocation", date(2016, 1, 1)) == "Default Payment Allocation Plan"
    plan = golden.payment_allocation_plans["Default Payment Allocation Plan"]
    assert set(plan.filters) == {"next_planned_invoice", "policy_period", "invoice", "positive"}
    assert plan.orders == ("event_date", "charge_pattern")


def test_e_eqt_06_equity_warnings_are_on_and_30_days_by_default() -> None:
    plan = Carrier.from_toml(carriers.standard()).payment_plans["Monthly"]
    assert (plan.has_equity_warnings, plan.min_equity_days) == (True, 30)
