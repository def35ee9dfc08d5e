"""The carrier file in the catalogue: every setting has its column, and what may be chosen on a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from assets.plans import plan_tables
from ledger.plans import BillingPlan, ChargePattern, PaymentPlan, PaymentPlanOverride
from ledger.return_premium_plans import ReturnPremiumPlan, ReturnPremiumScheme
from schemas.enums import PAYMENT_INTERVALS
from schemas.reports import REFERENCES
from tests.instructed import charge, instruction, land
from tests.story import Story, carrier, plans, timing
from tests.warehouse.published_stories import PublishedStory

JAN_1 = date(2025, 1, 1)
DUE = 'description = "Due 14 calendar days after billing"\n'
E_PP_1 = f"""payment_interval = "monthly"
description = "Monthly 10% Down, 9 Max installments"
has_down_payment = true
down_payment_percent = "10"
down_payment_timing = {timing("policy_effective_date", -25)}
max_installments = 9
first_installment_timing = {timing("one_interval_after_policy_effective_date")}
one_time_timing = {timing("policy_effective_date", -25)}
blackout_basis = "billed"
blackout_days = 30
skip_fee_for_down_payments = true
"""
RENAMED = {
    "charge_patterns": {"name": "charge_pattern", "subtype": "charge_subtype"},
    "billing_plans": {"name": "billing_plan"},
    "payment_plans": {"name": "payment_plan", "down_payment_ppm": "down_payment_percent"},
    "payment_plan_overrides": {"down_payment_ppm": "down_payment_percent"},
    "return_premium_plans": {"name": "return_premium_plan"},
}
NOT_SHOWN = {"overrides", "schemes", "invoice_down_payment_for"}
"""The overrides are a view of their own; the other only adds two of them (R-PP-18)."""


def _published(home: Path, *changes: tuple[str, str], terms: str = E_PP_1, more: str = "") -> PublishedStory:
    story = Story(plans(terms, *changes, more=more)).land(JAN_1, accounts=[{"account_id": "A"}])
    return PublishedStory(home, story.close_through(JAN_1))


@pytest.mark.parametrize(
    ("view", "model"),
    [
        ("charge_patterns", ChargePattern),
        ("billing_plans", BillingPlan),
        ("payment_plans", PaymentPlan),
        ("payment_plan_overrides", PaymentPlanOverride),
        ("return_premium_plans", ReturnPremiumPlan),
        ("return_premium_plans", ReturnPremiumScheme),
    ],
)
def test_every_setting_has_a_column(view: str, model: type[BaseModel]) -> None:
    """R-PLN-08, R-PLN-12: 03 sections 2.9 to 2.12: nothing that a carrier sets is missing from its view."""
    columns = {column.name for column in REFERENCES[view]}
    for setting in model.model_fields.keys() - NOT_SHOWN:
        name = RENAMED[view].get(setting, setting)
        shown = {f"{name.removesuffix('_timing')}_{part}" for part in ("days", "reference")}
        assert (shown if name.endswith("_timing") and name != "allocate_timing" else {name}) <= columns, setting
    frame = plan_tables(carrier(more='[payment_plans."Y"]\neffective_date = 2000-01-01\n' + E_PP_1 + OVERRIDE))[view]
    assert columns == set(frame.columns) & columns


OVERRIDE = '[[payment_plans."Y".overrides]]\ninstruction_type = "renewal"\nhas_down_payment = false\n'


def test_e_pp_1_as_the_view_shows_it(tmp_path: Path) -> None:
    """E-PP-1: the sample plan of 03 section 5.2, stored as it is written."""
    columns = (
        "description, is_reporting, currency, has_down_payment, max_installments, down_payment_percent, "
        "down_payment_days, down_payment_reference, first_installment_days, first_installment_reference, "
        "one_time_days, one_time_reference, payment_interval, fix_invoices_on, item_placement_cutoff, "
        "blackout_basis, blackout_days, fee_amount, skip_fee_for_down_payments, has_equity_warnings, min_equity_days"
    )
    assert _published(tmp_path).ask(f"SELECT {columns} FROM payment_plans WHERE payment_plan = 'X'") == [
        (
            *("Monthly 10% Down, 9 Max installments", False, "USD", True, 9, Decimal(10)),
            *(-25, "policy_effective_date", 0, "one_interval_after_policy_effective_date"),
            *(-25, "policy_effective_date", "monthly", "bill_date", "bill_date"),
            *("billed", 30, Decimal(0), True, True, 30),
        )
    ]


def test_a_share_has_all_its_decimals(tmp_path: Path) -> None:
    terms = E_PP_1.replace('down_payment_percent = "10"', 'down_payment_percent = "33.3333"')
    published = _published(tmp_path, terms=terms)
    assert published.ask("SELECT down_payment_percent FROM payment_plans WHERE payment_plan = 'X'") == [
        (Decimal("33.3333"),)
    ]


def test_overrides_show_what_they_replace(tmp_path: Path) -> None:
    """R-PO-1, R-PP-18: only_first_term is two overrides without down payment; the rest is as in the plan."""
    terms = E_PP_1 + 'invoice_down_payment_for = "only_first_term"\n'
    sql = (
        "SELECT instruction_type, has_down_payment, max_installments, one_time_reference "
        "FROM payment_plan_overrides WHERE payment_plan = 'X' ORDER BY 1"
    )
    assert _published(tmp_path, terms=terms).ask(sql) == [
        ("new_renewal", False, None, None),
        ("renewal", False, None, None),
    ]


def test_charge_patterns(tmp_path: Path) -> None:
    """R-CP-1, R-CR-2."""
    columns = "code, charge_subtype, category, owner_types, priority, invoicing_approach, in_equity, is_reversible"
    published = _published(tmp_path)
    assert published.ask(f"SELECT {columns} FROM charge_patterns WHERE charge_pattern = 'Premium'") == [
        (
            *("Premium", "pro_rata", "premium", "PolicyPeriod", "medium", "down_payment_and_installments"),
            *(True, False),
        )
    ]


def test_what_may_be_chosen_on_a_day_and_what_is_in_use(tmp_path: Path) -> None:
    """R-PLN-01, R-PLN-02, R-BP-2, R-BI-11: both ends of the validity count; an expired plan may still be in use."""
    more = "\n".join(
        f'[billing_plans."{name}"]\neffective_date = {first}\nexpiration_date = {last}\n'
        "lead_days = 10\nnon_responsive_lead_days = 5"
        for name, first, last in [("Old", "2024-01-01", "2024-12-31"), ("Now", "2025-01-01", "2025-01-01")]
    )
    published = _published(tmp_path, more=more)
    available = "SELECT billing_plan FROM billing_plans{} WHERE is_available AND billing_plan IN ('Old', 'Now')"
    assert published.ask(available.format("")) == [("Now",)]
    assert published.ask(available.format("_as_of('2024-12-31')")) == [("Old",)]
    assert published.ask(available.format("_as_of('2025-01-02')")) == []
    in_use = "SELECT count(*) FROM billing_plans WHERE is_in_use"
    assert published.ask(in_use) == [(1,)]
    assert published.ask("SELECT count(*) FROM payment_plans WHERE is_in_use") == [(0,)]


def test_amounts_of_a_plan_are_in_its_currency(tmp_path: Path) -> None:
    """A currency that occurs only in a plan is known to the catalogue."""
    yen = '[payment_plans."Yen"]\neffective_date = 2000-01-01\ncurrency = "JPY"\nfee_amount = "500"\n'
    published = _published(tmp_path, more=yen + E_PP_1)
    fees = "SELECT fee_amount, currency FROM payment_plans WHERE payment_plan = 'Yen'"
    assert published.ask(fees) == [(Decimal(500), "JPY")]


@pytest.mark.parametrize(
    ("levels", "level"),
    [
        (("account", "account"), "Account"),
        (("policy", "account"), "PolicyDefaultUnapplied"),
        (("policy", "policy"), "PolicyDesignatedUnapplied"),
    ],
)
def test_e_ps_1_the_level_and_interval_of_an_account(tmp_path: Path, levels: tuple[str, str], level: str) -> None:
    """E-PS-1, R-PS-1, R-PS-2, R-BL-3: a quarterly and a monthly policy make a monthly account."""
    assert PAYMENT_INTERVALS[3:6] == ("monthly", "every_other_month", "quarterly")
    quarterly = ("quarterly", f'payment_interval = "quarterly"\nmax_installments = 4\n{FIRST}')
    monthly = f'payment_interval = "monthly"\nmax_installments = 12\n{FIRST}'
    story = Story(plans(monthly, ("X", *quarterly)))
    invoice_by, separate_funds_by = levels
    story.land(
        JAN_1,
        accounts=[{"account_id": "A", "invoice_by": invoice_by, "separate_funds_by": separate_funds_by}],
        billing_instructions=[_issuance("P", "quarterly")],
        charges=[_premium("P")],
    ).close_through(JAN_1)
    columns = "account_id, billing_level, payment_interval"
    published = PublishedStory(tmp_path / "one", story)
    assert published.ask(f"SELECT {columns} FROM account_billing_level") == [("A", level, "quarterly")]
    story.land(date(2025, 1, 2), billing_instructions=[_issuance("Q", "X")], charges=[_premium("Q")])
    published = PublishedStory(tmp_path / "two", story.close_through(date(2025, 1, 2)))
    assert published.ask(f"SELECT {columns} FROM account_billing_level") == [("A", level, "monthly")]
    assert published.ask("SELECT payment_interval FROM account_billing_level_as_of('2026-01-01')") == [(None,)]


FIRST = f"first_installment_timing = {timing('policy_effective_date')}\n"


def _issuance(policy_id: str, plan: str) -> dict[str, object]:
    return {
        "instruction_id": f"I-{policy_id}",
        "instruction_type": "issuance",
        "account_id": "A",
        "policy_id": policy_id,
        "period_start": JAN_1,
        "period_end": date(2026, 1, 1),
        "effective_date": JAN_1,
        "payment_plan": plan,
    }


def _premium(policy_id: str) -> dict[str, object]:
    return {"instruction_id": f"I-{policy_id}", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200.00"}


def test_the_schemes_of_a_return_premium_plan_stand_in_order(tmp_path: Path) -> None:
    """R-RPP-2, R-RPP-10."""
    published = _published(tmp_path)
    columns = "scheme, context, method, positive_item_qualifier, is_available"
    assert published.ask(f"SELECT {columns} FROM return_premium_plans ORDER BY scheme") == [
        (1, "cancellation", "last_to_first", "same_policy_period", True),
        (2, "other", "proportional", "same_policy_period", True),
    ]


def test_what_a_credit_paid_and_what_went_into_the_fund(tmp_path: Path) -> None:
    """R-RPP-11, R-RPP-26: 1,200 given back of 1,000; the later items first, the rest into the fund."""
    story = Story(plans(E_PP_1))
    rows = (instruction("I1", "issuance"), instruction("I2", "cancellation"))
    land(story, JAN_1, *rows, charges=(charge("I1", "1000.00"), charge("I2", "-1200.00")))
    published = PublishedStory(tmp_path, story)
    sums = "SELECT disposition, sum(amount), context, method FROM credit_allocations GROUP BY ALL ORDER BY ALL"
    assert published.ask(sums) == [
        ("excess", Decimal("200.00"), "cancellation", "last_to_first"),
        ("item", Decimal("1000.00"), "cancellation", "last_to_first"),
    ]
    assert published.ask("SELECT sum(amount) FROM credit_allocations_as_of('2025-01-01')") == [(Decimal("1200.00"),)]
