"""The carrier file: what is read, what is refused and how it is told, and the frames that come of it."""

from __future__ import annotations

import pickle
import tomllib
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import carriers
from ledger.carrier import Carrier, CarrierError
from ledger.carrier_file import Problem, key_lines
from ledger.carrier_reference import carrier_reference
from schemas import enums

MINIMAL = """\
name = "Small"
invoicing_fee_pattern = "Fee"

[charge_patterns.Fee]
subtype = "immediate"
category = "fee"
owner_types = ["PolicyPeriod"]
invoicing_approach = "one_time"

[billing_plans.Standard]
effective_date = 2020-01-01
lead_days = 14
non_responsive_lead_days = 20

[payment_plans."Monthly"]
effective_date = 2020-01-01
payment_interval = "monthly"
max_installments = 12
first_installment_timing = { reference = "policy_effective_date" }
one_time_timing = { reference = "policy_effective_date" }

[payment_allocation_plans.Default]
effective_date = 2020-01-01
"""


INVOICE_FEE = """
[charge_patterns."Invoice Fee"]
subtype = "immediate"
category = "fee"
owner_types = ["Account"]
invoicing_approach = "one_time"
"""


def read(text: str) -> Carrier:
    return Carrier.from_toml(text, "small.toml")


def problems(text: str) -> list[str]:
    with pytest.raises(CarrierError) as refused:
        read(text)
    assert str(refused.value).splitlines() == [str(problem) for problem in refused.value.problems]
    return [str(problem) for problem in refused.value.problems]


def refusals(text: str) -> tuple[Problem, ...]:
    """What is wrong with a carrier file, nothing when it can be read."""
    try:
        read(text)
    except CarrierError as refused:
        return refused.problems
    return ()


def with_plan(settings: str) -> str:
    """The minimal carrier with more lines in its payment plan, from line 21 on."""
    anchor = 'one_time_timing = { reference = "policy_effective_date" }\n'
    return MINIMAL.replace(anchor, anchor + settings + "\n")


def test_the_minimal_carrier_has_the_documented_defaults():
    carrier = read(MINIMAL)
    assert carrier.currency == "USD"
    assert carrier.invoice_due_lag_days == 1
    assert carrier.expiration_convention == "exclusive"
    assert carrier.installment_remainder == "overweight_from_front"
    assert carrier.earning_interval == "month_end"
    assert carrier.business_days == (1, 2, 3, 4, 5)
    assert carrier.holidays == ()
    defaults = carrier.account_defaults
    assert (defaults.account_type, defaults.invoice_by, defaults.separate_funds_by) == ("insured", "policy", "policy")
    assert (defaults.invoice_day_of_month, defaults.invoice_day_of_week) == (15, 5)
    assert (defaults.invoice_first_day_of_month, defaults.invoice_second_day_of_month) == (1, 15)
    assert (defaults.fix_invoices_on, defaults.payment_instrument) == ("bill_date", "responsive")
    assert (defaults.billing_plan, defaults.payment_allocation_plan, defaults.delinquency_plan) == (None, None, None)
    plan = carrier.payment_plans["Monthly"]
    assert (plan.name, plan.priority, plan.currency) == ("Monthly", 1, "USD")
    assert (plan.has_equity_warnings, plan.min_equity_days, plan.align_installments) == (True, 30, True)
    assert plan.first_installment_timing.offset_days == 0
    allocation = carrier.payment_allocation_plans["Default"]
    assert allocation.filters == ("next_planned_invoice", "policy_period", "invoice", "positive")
    assert allocation.orders == ("event_date", "charge_pattern")


def test_several_problems_are_told_together_in_the_order_of_lines():
    text = MINIMAL.replace("max_installments = 12", 'max_installments = "12"').replace(
        "lead_days = 14", "lead_days = -1"
    )
    assert problems(text) == [
        "small.toml, line 12: billing_plans.Standard.lead_days is -1; allowed: a whole number from 0 to 3660.",
        'small.toml, line 18: payment_plans.Monthly.max_installments is "12"; allowed: a whole number from 1 to 53.',
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            'has_down_payment = true\ndown_payment_percent = "110"\ndown_payment_timing.reference = "charge_date"',
            (
                'line 22: payment_plans.Monthly.down_payment_percent is "110"; allowed: a percentage such as "10" or '
                '"33.33", from 0 to 100, with at most 4 decimals.'
            ),
        ),
        (
            "fee_amount = 5.001",
            (
                'line 21: payment_plans.Monthly.fee_amount is 5.001; allowed: an amount such as "5.00", from 0 to '
                "10000000000 minor units, with the decimals of its currency at most."
            ),
        ),
        (
            'down_payment_percent = "10"',
            (
                'line 21: payment_plans.Monthly.down_payment_percent is "10"; allowed: nothing, unless '
                "has_down_payment is true (R-PP-8)."
            ),
        ),
        (
            "blackout_days = 30",
            (
                'line 15: payment_plans.Monthly.blackout_basis is missing; allowed: one of "billed" or "due", because '
                "blackout_days is given (R-PP-14)."
            ),
        ),
        (
            "expiration_date = 2019-12-31",
            (
                "line 21: payment_plans.Monthly.expiration_date is 2019-12-31; allowed: effective_date (2020-01-01) or "
                "later."
            ),
        ),
        (
            'second_instalment_timing = { reference = "charge_date" }',
            (
                "line 21: payment_plans.Monthly.second_instalment_timing is not a known key (did you mean "
                "second_installment_timing?); allowed: the keys description, effective_date,"
            ),
        ),
        (
            'name = "Other"',
            "line 21: payment_plans.Monthly.name is not a known key; allowed: the keys description,",
        ),
        (
            "effective_date_ = 2019-12-31T00:00:00",
            "line 21: payment_plans.Monthly.effective_date_ is not a known key (did you mean effective_date?)",
        ),
        (
            '[[payment_plans."Monthly".overrides]]\ninstruction_type = "renewal"\nmax_installments = 54',
            "line 23: payment_plans.Monthly.overrides[1].max_installments is 54; allowed: a whole number from 1 to 53.",
        ),
        (
            (
                '[[payment_plans."Monthly".overrides]]\ninstruction_type = "audit"\n'
                '[[payment_plans."Monthly".overrides]]\ninstruction_type = "audit"'
            ),
            (
                'line 24: payment_plans.Monthly.overrides[2].instruction_type is "audit"; allowed: each '
                "instruction type once (R-PO-2)."
            ),
        ),
    ],
)
def test_a_problem_is_told_with_line_key_value_and_what_is_allowed(settings: str, told: str):
    [problem] = problems(with_plan(settings))
    assert problem.startswith(f"small.toml, {told}")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("max_installments = 12", "max_installments = 0", "max_installments"),
        ("max_installments = 12", "max_installments = 54", "max_installments"),
        ("max_installments = 12", "max_installments = true", "max_installments"),
        ("effective_date = 2020-01-01\npayment", 'effective_date = "2020-01-01"\npayment', "effective_date"),
        ("effective_date = 2020-01-01\npayment", "effective_date = 2020-01-01T00:00:00\npayment", "effective_date"),
        ('payment_interval = "monthly"', 'payment_interval = "Monthly"', "payment_interval"),
        (
            'first_installment_timing = { reference = "policy_effective_date" }',
            'first_installment_timing = { days = -1, reference = "policy_effective_date" }',
            "first_installment_timing.days",
        ),
        (
            'first_installment_timing = { reference = "policy_effective_date" }',
            'first_installment_timing = { reference = "one_interval_after_charge_date" }',
            "first_installment_timing.reference",
        ),
        ('first_installment_timing = { reference = "policy_effective_date" }', "", "first_installment_timing"),
    ],
)
def test_values_outside_what_is_allowed_are_refused(old: str, new: str, key: str):
    assert MINIMAL.count(old) == 1
    [problem] = problems(MINIMAL.replace(old, new))
    assert f": payment_plans.Monthly.{key} is " in problem


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"Fee"\n',
            '"Nope"\n',
            'invoicing_fee_pattern is "Nope"; allowed: a one_time charge pattern of this file: Fee',
        ),
        ('"one_time"', '"single_down_payment"', 'invoicing_fee_pattern is "Fee"; allowed: a one_time charge pattern'),
        ('name = "Small"', 'name = " Small"', 'name is " Small"; allowed: text of 1 to 100 characters'),
        ('name = "Small"', 'name = "Small"\ncurrency = "XXX"', 'currency is "XXX"; allowed: one of the ISO 4217 codes'),
        ('name = "Small"', 'name = "Small"\ncurrency = []', "currency is []; allowed: one of the ISO 4217 codes"),
        ('name = "Small"', 'name = "Small"\ninvoice_due_lag_days = 2', "invoice_due_lag_days is 2; allowed: a whole"),
        ('name = "Small"', 'name = "Small"\nnmae = 1', "nmae is not a known key (did you mean name?)"),
        ('name = "Small"', "", "name is missing; allowed: text of 1 to 100"),
        (
            'name = "Small"',
            'name = "Small"\naccount_defaults.billing_plan = "Nope"',
            'account_defaults.billing_plan is "Nope"; allowed: a plan of this file: Standard',
        ),
        (
            'name = "Small"',
            'name = "Small"\naccount_defaults.payment_allocation_plan = "Nope"',
            'account_defaults.payment_allocation_plan is "Nope"; allowed: a plan of this file: Default',
        ),
        (
            'name = "Small"',
            'name = "Small"\naccount_defaults = { invoice_by = "account", separate_funds_by = "policy" }',
            'account_defaults.separate_funds_by is "policy"; allowed: "account" when invoice_by is "account"',
        ),
        (
            'name = "Small"',
            'name = "Small"\naccount_defaults = { invoice_first_day_of_month = 20 }',
            "account_defaults.invoice_second_day_of_month is missing; allowed: a day after",
        ),
        (
            'name = "Small"',
            'name = "Small"\ncalendar = { business_days = [1, 1] }',
            "calendar.business_days[2] is 1; allowed: something after 1",
        ),
        (
            'name = "Small"',
            'name = "Small"\ncalendar = { business_days = [] }',
            "calendar.business_days is []; allowed: a list",
        ),
        ("[billing_plans.Standard]", '[billing_plans." Standard"]', 'billing_plans." Standard" has that name; allowed'),
        ("[billing_plans.Standard]", '[billing_plans.""]', 'billing_plans."" has that name; allowed: text of 1'),
        (
            "[payment_allocation_plans.Default]",
            '[payment_allocation_plans.Default]\nfilters = ["positive", "positive"]',
            'payment_allocation_plans.Default.filters[2] is "positive"; allowed: each entry once',
        ),
        (
            "[payment_allocation_plans.Default]",
            '[payment_allocation_plans.Default]\norders = ["bill_date"]',
            'payment_allocation_plans.Default.orders[1] is "bill_date"; allowed: one of "billed_date"',
        ),
        (
            "[payment_allocation_plans.Default]",
            "[payment_allocation_plans.Default]\npriority = 2",
            "payment_allocation_plans.Default.priority is 2; allowed: 1 to 1, each once",
        ),
        (
            "[charge_patterns.Fee]",
            (
                '[charge_patterns."F e e"]\ncode = "Fee"\nsubtype = "recapture"\ncategory = "general"\n'
                'owner_types = ["Account"]\ninvoicing_approach = "one_time"\n[charge_patterns.Fee]'
            ),
            'charge_patterns."F e e".code is "Fee"; allowed: a code of one pattern only',
        ),
    ],
)
def test_rules_between_settings_are_told_at_the_setting(old: str, new: str, told: str):
    assert any(f": {told}" in problem for problem in problems(MINIMAL.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("table", "settings", "key"),
    [
        ("charge_patterns.Fee", 'owner_types = ["Account", "Account"]', "owner_types[2]"),
        ("billing_plans.Standard", "expiration_date = 2019-12-31", "expiration_date"),
        ("payment_allocation_plans.Default", "expiration_date = 2019-12-31", "expiration_date"),
        ("payment_allocation_plans.Default", 'orders = ["invoice", "invoice"]', "orders[2]"),
        ("account_defaults", "invoice_second_day_of_month = 1", "invoice_second_day_of_month"),
        ('payment_plans."Monthly"', 'blackout_basis = "due"', "blackout_days"),
    ],
)
def test_every_table_is_checked(table: str, settings: str, key: str):
    text = MINIMAL if f"[{table}]" in MINIMAL else f"{MINIMAL}\n[{table}]\n"
    text = text.replace('owner_types = ["PolicyPeriod"]\n', "") if "owner_types" in settings else text
    [problem] = problems(text.replace(f"[{table}]", f"[{table}]\n{settings}"))
    assert f": {table.replace(chr(34), '')}.{key} is " in problem


def test_a_plan_may_be_available_for_one_day():
    plan = read(with_plan("expiration_date = 2020-01-01")).payment_plans["Monthly"]
    assert [plan.is_available(date(2020, 1, day)) for day in (1, 2)] == [True, False]


def test_a_file_without_plans_or_with_values_for_tables_is_refused():
    assert any("payment_plans is missing" in problem for problem in problems('name = "Small"'))
    [problem] = problems(MINIMAL.replace("[payment_allocation_plans.Default]", "[payment_allocation_plans]"))
    assert "payment_allocation_plans.effective_date is 2020-01-01; allowed: a table with the keys" in problem
    assert any("charge_patterns is 3; allowed: one or more named tables" in p for p in problems("charge_patterns = 3"))


def test_low_balance_settings_come_together():
    def billing(settings: str) -> str:
        return MINIMAL.replace("lead_days = 14", f"lead_days = 14\n{settings}", 1)

    both = 'low_balance_threshold = "10.00"\nlow_balance_method = "write_off"'
    plan = read(billing(f"suppress_low_balance = true\n{both}")).billing_plans["Standard"]
    assert (plan.low_balance_threshold, plan.low_balance_method) == (1000, "write_off")
    assert len(problems(billing("suppress_low_balance = true"))) == 2
    assert len(problems(billing(both))) == 2
    [problem] = problems(billing(f"suppress_low_balance = true\n{both}".replace("10.00", "0")))
    assert 'low_balance_threshold is "0"; allowed: an amount of more than zero' in problem


def test_text_that_is_not_toml_is_told_with_its_line():
    [problem] = problems('name = "Small"\nname = "Twice"\n')
    assert problem.startswith("small.toml, line 2: the text is not TOML (Cannot overwrite a value)")
    [problem] = problems("name = \n")
    assert problem.startswith("small.toml, line 1: the text is not TOML (Invalid value)")


@pytest.mark.parametrize(
    ("written", "minor_units"),
    [('"5.00"', 500), ('"5"', 500), ("5", 500), ("5.00", 500), ("5.1", 510), ("0", 0), ('"100000000.00"', 10**10)],
)
def test_amounts_become_minor_units(written: str, minor_units: int):
    assert read(with_plan(f"fee_amount = {written}")).payment_plans["Monthly"].fee_amount == minor_units


@pytest.mark.parametrize(
    "written",
    [
        '"5.000"',
        "5.001",
        '"-5"',
        "-5",
        '"1e2"',
        "1e2",
        '""',
        '" 5"',
        '"5."',
        '"\\u0665"',
        "nan",
        "true",
        "[5]",
        '"100000000.01"',
        '"1,000"',
    ],
)
def test_amounts_that_are_not_exact_are_refused(written: str):
    [problem] = problems(with_plan(f"fee_amount = {written}"))
    assert "payment_plans.Monthly.fee_amount is " in problem


@pytest.mark.parametrize(
    ("currency", "written", "minor_units"), [("JPY", "500", 500), ("KWD", "5.001", 5001), ("USD", "5.00", 500)]
)
def test_a_payment_plan_counts_in_its_own_currency(currency: str, written: str, minor_units: int):
    carrier = read(with_plan(f'currency = "{currency}"\nfee_amount = "{written}"'))
    assert carrier.payment_plans["Monthly"].fee_amount == minor_units


def test_other_plans_count_in_the_currency_of_the_carrier():
    yen = f'currency = "JPY"\n{MINIMAL}{INVOICE_FEE}'.replace(
        "lead_days = 14", 'lead_days = 14\ninvoice_fee = "500"', 1
    )
    carrier = read(yen)
    assert carrier.billing_plans["Standard"].invoice_fee == 500
    assert carrier.payment_plans["Monthly"].currency == "JPY"
    assert "billing_plans.Standard.invoice_fee" in problems(yen.replace('"500"', '"500.0"'))[0]


def test_an_invoice_fee_needs_a_charge_pattern_of_accounts_r_bp_6():
    text = MINIMAL.replace("lead_days = 14", 'lead_days = 14\ninvoice_fee = "5.00"', 1)
    [problem] = problems(text)
    assert "invoice_fee_pattern is missing; allowed: a one_time charge pattern for accounts of this file" in problem
    assert read(text + INVOICE_FEE).invoice_fee_pattern == "Invoice Fee"
    [problem] = problems(f'invoice_fee_pattern = "Fee"\n{MINIMAL}')
    assert 'invoice_fee_pattern is "Fee"; allowed: a one_time charge pattern for accounts' in problem


@pytest.mark.parametrize(
    ("written", "ppm"), [('"10"', 100_000), ("33.33", 333_300), ('"33.3333"', 333_333), ("0", 0), ("100", 1_000_000)]
)
def test_percentages_become_parts_per_million(written: str, ppm: int):
    down = 'has_down_payment = true\ndown_payment_timing = { reference = "charge_date" }\n'
    plan = read(with_plan(f"{down}down_payment_percent = {written}")).payment_plans["Monthly"]
    assert plan.down_payment_ppm == ppm


@pytest.mark.parametrize("written", ["100.0001", '"33.33333"', "-1", '"10%"'])
def test_percentages_outside_0_to_100_or_too_fine_are_refused(written: str):
    down = 'has_down_payment = true\ndown_payment_timing = { reference = "charge_date" }\n'
    assert "down_payment_percent is " in problems(with_plan(f"{down}down_payment_percent = {written}"))[0]


def plans_in_order(*priorities: str) -> str:
    names = "ABC"[: len(priorities)]
    return MINIMAL.split("[payment_allocation_plans", maxsplit=1)[0] + "\n".join(
        f"[payment_allocation_plans.{name}]\neffective_date = 2020-01-01\n{priority}"
        for name, priority in zip(names, priorities, strict=True)
    )


@pytest.mark.parametrize(
    ("priorities", "order"),
    [
        (("", "", ""), "ABC"),
        (("priority = 3", "priority = 2", "priority = 1"), "CBA"),
        (("", "", "priority = 1"), "CAB"),
        (("priority = 2", "", ""), "BAC"),
    ],
)
def test_plans_are_in_order_of_priority_and_of_the_file(priorities: tuple[str, ...], order: str):
    plans = read(plans_in_order(*priorities)).plans("payment_allocation")
    assert "".join(plan.name for plan in plans) == order
    assert [plan.priority for plan in plans] == [1, 2, 3]


@pytest.mark.parametrize(
    ("priorities", "count"), [(("priority = 1", "priority = 1"), 2), (("priority = 3", "priority = 1"), 1)]
)
def test_priorities_that_repeat_or_leave_gaps_are_refused(priorities: tuple[str, ...], count: int):
    """R-PLN-03."""
    assert len(problems(plans_in_order(*priorities))) == count


def test_the_lines_of_keys_are_found_in_every_way_to_write_them():
    text = """\
# [comment]
title = "a # b" # [x]
'quoted key'."dotted \\u0041".plain = 1

text = \"\"\"
[not.a.header]
key = 1 \"\"\"
raw = '''
one
'''
list = [
  1, # one
  [2,
   3], "]",
]
[ table . "in ner" ]
inline = { a = 1, b = { c = [5.0, 6] } }
when = 1979-05-27T07:32:00.999-07:00
[[lot]]
a = 1
[[lot]]
a = 2
[[lot.inner]]
b = 1
[lot.last]
c = 1e6
"""
    tomllib.loads(text)
    assert key_lines(text) == {
        ("title",): 2,
        ("quoted key",): 3,
        ("quoted key", "dotted A"): 3,
        ("quoted key", "dotted A", "plain"): 3,
        ("text",): 5,
        ("raw",): 8,
        ("list",): 11,
        ("list", 0): 12,
        ("list", 1): 13,
        ("list", 1, 0): 13,
        ("list", 1, 1): 14,
        ("list", 2): 14,
        ("table",): 16,
        ("table", "in ner"): 16,
        ("table", "in ner", "inline"): 17,
        ("table", "in ner", "inline", "a"): 17,
        ("table", "in ner", "inline", "b"): 17,
        ("table", "in ner", "inline", "b", "c"): 17,
        ("table", "in ner", "inline", "b", "c", 0): 17,
        ("table", "in ner", "inline", "b", "c", 1): 17,
        ("table", "in ner", "when"): 18,
        ("lot",): 19,
        ("lot", 0): 19,
        ("lot", 0, "a"): 20,
        ("lot", 1): 21,
        ("lot", 1, "a"): 22,
        ("lot", 1, "inner"): 23,
        ("lot", 1, "inner", 0): 23,
        ("lot", 1, "inner", 0, "b"): 24,
        ("lot", 1, "last"): 25,
        ("lot", 1, "last", "c"): 26,
    }
    assert key_lines(text.replace("\n", "\r\n")) == key_lines(text)


@settings(deadline=None)
@given(st.data())
def test_a_spoiled_file_is_refused_with_sentences_or_read(data: st.DataObject):
    """Whatever stands for a value or a key, the answer is a carrier or a CarrierError, never another exception."""
    lines = MINIMAL.splitlines()
    place = data.draw(st.sampled_from([number for number, line in enumerate(lines) if "=" in line]))
    key, value = lines[place].split(" = ", 1)
    spoiled = st.sampled_from(['""', "0", "-1", "true", "[]", "{}", "[1, {}]", "nan", "1.5", "2020-01-01", "07:32:00"])
    new_key = data.draw(st.sampled_from([key, "name", f"{key}.x", '"(header)"', "priority", "overrides"]))
    lines[place] = f"{new_key} = {data.draw(st.one_of(spoiled, st.just(value)))}"
    told = refusals("\n".join(lines))
    assert all(problem.line for problem in told if f"{problem.key} {problem.found}" != "name is missing")


@pytest.fixture(scope="module")
def standard() -> Carrier:
    return Carrier.from_toml(carriers.standard(), "standard.toml")


def test_the_standard_carrier_has_what_the_examples_use(standard: Carrier):
    """R-PLN-05."""
    assert {"Premium", "Taxes", "Tax", "Fee", "Installment Fee", "Recapture"} <= set(standard.charge_patterns)
    assert {pattern.subtype for pattern in standard.charge_patterns.values()} == set(enums.CHARGE_SUBTYPES)
    assert list(standard.payment_allocation_plans) == ["Default Payment Allocation Plan", "Pay Ahead"]
    assert {plan.lead_day_unit for plan in standard.billing_plans.values()} == {"calendar_days", "business_days"}
    intervals = {plan.payment_interval for plan in standard.payment_plans.values()}
    assert {"monthly", "quarterly", "every_week", "twice_per_month"} <= intervals
    assert any(plan.fee_amount for plan in standard.payment_plans.values())


def test_the_calendar_of_the_standard_carrier_is_the_federal_one(standard: Carrier):
    per_year = {year: [day for day in standard.holidays if day.year == year] for year in range(2014, 2031)}
    assert sum(map(len, per_year.values())) == len(standard.holidays)
    # A New Year's Day on a Saturday is observed in the year before; Juneteenth came in 2021.
    assert {year: len(days) for year, days in per_year.items()} == {
        year: 10 + (year >= 2021) + (date(year + 1, 1, 1).isoweekday() == 6) - (date(year, 1, 1).isoweekday() == 6)
        for year in range(2014, 2031)
    }
    assert all(day.isoweekday() <= 5 for day in standard.holidays)
    assert date(2015, 12, 25) in standard.holidays
    assert date(2021, 12, 31) in standard.holidays
    assert date(2026, 7, 3) in standard.holidays
    assert date(2026, 11, 26) in standard.holidays


def test_the_effective_plans_have_a_row_for_every_plan_and_instruction_type(standard: Carrier):
    frame = standard.effective_plan_frame()
    assert frame.height == len(standard.payment_plans) * len(enums.INSTRUCTION_TYPES)
    assert frame.select("payment_plan", "instruction_type").n_unique() == frame.height
    plain = standard.payment_plan_frame().drop(
        "description", "priority", "effective_date", "expiration_date", "is_reporting", "currency"
    )
    unchanged = frame.filter(instruction_type="policy_change").drop("instruction_type")
    assert unchanged.equals(plain)
    assert frame["payment_plan"].unique(maintain_order=True).to_list() == plain["payment_plan"].to_list()


def test_effective_plans_apply_overrides():
    text = with_plan(
        """\
has_down_payment = true
down_payment_percent = 25
down_payment_timing = { days = 25, direction = "before", reference = "policy_effective_date" }

[[payment_plans.Monthly.overrides]]
instruction_type = "renewal"
has_down_payment = false
has_second_installment = true
second_installment_timing = { days = 3, reference = "charge_effective_date" }

[[payment_plans.Monthly.overrides]]
instruction_type = "audit"
max_installments = 1
down_payment_percent = 50
"""
    )
    frame = read(text).effective_plan_frame()
    columns = [
        "instruction_type", "has_down_payment", "down_payment_ppm", "down_payment_days", "down_payment_reference",
        "max_installments", "has_second_installment", "second_installment_days", "second_installment_reference",
    ]  # fmt: skip
    chosen = frame.filter(pl.col("instruction_type").is_in(["issuance", "renewal", "audit"])).select(columns)
    assert chosen.rows() == [
        ("issuance", True, 250_000, -25, "policy_effective_date", 12, False, None, None),
        ("renewal", False, 0, None, None, 12, True, 3, "charge_effective_date"),
        ("audit", True, 500_000, -25, "policy_effective_date", 1, False, None, None),
    ]
    assert frame.schema["down_payment_ppm"] == pl.Int64
    assert frame.schema["down_payment_days"] == pl.Int32
    assert frame.schema["payment_interval"] == pl.String


def test_billing_plans_and_charge_patterns_as_frames(standard: Carrier):
    billing = standard.billing_plan_frame()
    assert billing["billing_plan"].to_list() == ["Standard", "Business Days"]
    assert billing.select("lead_days", "lead_day_unit", "payment_reversal_fee").rows() == [
        (14, "calendar_days", 0),
        (10, "business_days", 2500),
    ]
    patterns = standard.charge_pattern_frame()
    assert patterns.columns == [
        "charge_pattern", "charge_subtype", "category", "priority", "invoicing_approach", "in_equity",
    ]  # fmt: skip
    assert patterns.schema["priority"] == pl.Int8
    by_name = {row[0]: row[1:] for row in patterns.iter_rows()}
    assert by_name["Premium"] == ("pro_rata", "premium", 2, "down_payment_and_installments", True)
    assert by_name["Recapture"] == ("recapture", "general", 1, "one_time", False)
    assert by_name["Late Fee"] == ("immediate", "fee", 3, "one_time", False)


def test_frames_are_built_once_and_anew_for_a_changed_copy(standard: Carrier):
    assert standard.effective_plan_frame() is standard.effective_plan_frame()
    fewer = standard.model_copy(update={"payment_plans": {"Monthly": standard.payment_plans["Monthly"]}})
    assert fewer.payment_plan_frame()["payment_plan"].to_list() == ["Monthly"]
    assert standard.payment_plan_frame().height > 1
    same = pickle.loads(pickle.dumps(standard))  # noqa: S301 the carrier travels to worker processes
    assert same.effective_plan_frame().equals(standard.effective_plan_frame())


def test_a_carrier_never_changes(standard: Carrier):
    with pytest.raises(ValueError, match="frozen"):
        standard.name = "Other"


def test_the_default_plan_is_the_first_available():
    """R-PLN-04."""
    text = MINIMAL.replace(
        "[billing_plans.Standard]",
        "[billing_plans.Old]\neffective_date = 2019-01-01\nexpiration_date = 2020-06-30\nlead_days = 1\n"
        "non_responsive_lead_days = 1\n[billing_plans.Standard]",
    )
    carrier = read(text)
    assert carrier.default_plan("billing", date(2018, 12, 31)) is None
    assert carrier.default_plan("billing", date(2019, 1, 1)) == "Old"
    assert carrier.default_plan("billing", date(2020, 6, 30)) == "Old"
    assert carrier.default_plan("billing", date(2020, 7, 1)) == "Standard"
    assert carrier.default_plan("payment_allocation", date(2020, 1, 1)) == "Default"
    assert carrier.default_plan("payment", date(2020, 1, 1) - timedelta(days=1)) is None


def test_available_payment_plans_depend_on_day_and_currency():
    second = (
        '[payment_plans.Euro]\ncurrency = "EUR"\npriority = 1\n'
        + with_plan("").split('[payment_plans."Monthly"]\n')[1].split("[payment_allocation")[0]
    )
    carrier = read(f"{MINIMAL}\n{second}")
    assert carrier.available_payment_plans(date(2020, 1, 1), "USD") == ("Monthly",)
    assert carrier.available_payment_plans(date(2020, 1, 1), "EUR") == ("Euro",)
    assert carrier.available_payment_plans(date(2019, 12, 31), "USD") == ()
    assert carrier.available_payment_plans(date(2020, 1, 1), "JPY") == ()
    assert [plan.name for plan in carrier.plans("payment")] == ["Euro", "Monthly"]


def test_every_setting_is_described_and_the_page_is_the_generated_one():
    page = Path(__file__).parents[2] / "docs" / "carrier.md"
    assert page.read_text(encoding="utf-8") == carrier_reference()
    assert "| None |" not in carrier_reference()


def test_the_example_of_the_page_is_a_valid_plan():
    example = carrier_reference().split("```toml\n")[1].split("```")[0]
    carrier = read(f"{MINIMAL}\n{example}")
    assert carrier.payment_plans["Monthly 30% Down"].for_instruction("renewal").has_down_payment is False
