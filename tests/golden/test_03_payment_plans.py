"""What payment plans, overrides and modifiers make of a charge: which items, of what amounts, up to which date."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ledger.carrier import Carrier
from tests.instructed import JAN_1, YEAR_END, charge, down_payment, instruction, land, override, terms
from tests.story import Row, Story, carrier, plans, timing

AFTER_ONE = timing("one_interval_after_policy_effective_date")
JUN_1, JUL_1 = date(2025, 6, 1), date(2025, 7, 1)
FRONT = 'installment_remainder = "overweight_from_front"'
SINGLE = "".join(
    f'[charge_patterns."{name}"]\nsubtype = "pro_rata"\ncategory = "premium"\nowner_types = ["PolicyPeriod"]\n'
    f'invoicing_approach = "{approach}"\n'
    for name, approach in (("Deposit", "single_down_payment"), ("Whole", "single_installment"))
)
"""Two more charge patterns: one for a whole down payment, one for a single installment."""


def issued(
    plan: str,
    *changes: tuple[str, str],
    amount: str = "1200.00",
    end: date = YEAR_END,
    received: date = JAN_1,
    charges: tuple[Row, ...] = (),
    more: str = "",
    **row: object,
) -> Story:
    """P1 of A, from the first of January unless told, with one premium unless told."""
    story = Story(plans(plan, *changes, more=more))
    issue = instruction("I1", "issuance", period_end=end, **row)
    return land(story, received, issue, charges=charges or (charge("I1", amount),))


def blackout(days: int, basis: str = "billed") -> str:
    """Terms of a blackout."""
    return f'blackout_days = {days}\nblackout_basis = "{basis}"\n'


# Shapes and approaches


@pytest.mark.parametrize(
    ("plan", "types", "amounts", "dates"),
    [
        (
            terms(AFTER_ONE, down_payment("10"), maximum=3),
            ["deposit", *["installment"] * 3],
            [120, 360, 360, 360],
            ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"],
        ),
        (terms(maximum=3), ["installment"] * 3, [400, 400, 400], ["2025-01-01", "2025-02-01", "2025-03-01"]),
        (
            terms(
                timing("charge_date", 10),
                f"has_second_installment = true\nsecond_installment_timing = {AFTER_ONE}\n",
                maximum=3,
            ),
            ["installment"] * 3,
            [400, 400, 400],
            ["2025-01-11", "2025-02-01", "2025-03-01"],
        ),
    ],
    ids=["down payment", "installments", "out of sequence"],
)
def test_r_ci_30_three_shapes(plan: str, types: list[str], amounts: list[int], dates: list[str]) -> None:
    """R-CI-30, R-CI-31, R-CI-35, R-CI-37, R-PP-2, R-PP-3, R-PP-4, R-PP-7: the first out of sequence counts as one.

    Its amount is that of the others; the cadence starts with the second.
    """
    story = issued(plan)
    assert story.items()["item_type"].to_list() == types
    assert story.items()["amount"].to_list() == [100 * amount for amount in amounts]
    assert story.dates("event_date") == dates


@pytest.mark.parametrize(
    ("percent", "amounts"),
    [("0", ["400.00"] * 3), ("100", ["1200.00"]), ("33.3333", ["400.00", "266.67", "266.67", "266.66"])],
)
def test_r_ci_32_none_down_and_everything_down(percent: str, amounts: list[str]) -> None:
    """R-CI-32: 0 % makes no down payment, 100 % no installments; a part is rounded half up, once."""
    story = issued(terms(AFTER_ONE, down_payment(percent), maximum=3))
    assert story.amounts() == amounts


@pytest.mark.parametrize(("amount", "down"), [("0.05", "0.03"), ("-0.05", "-0.03"), ("0.01", "0.01"), ("0.15", "0.08")])
def test_r_pp_3_half_a_cent_is_rounded_away_from_zero(amount: str, down: str) -> None:
    """R-PP-3, R-CI-32: 50 % of an odd number of cents; a credit mirrors a charge."""
    assert issued(terms(AFTER_ONE, down_payment("50"), maximum=1), amount=amount).amounts()[0] == down


def test_r_cp_7_the_four_approaches() -> None:
    """R-CP-7, R-CI-25, R-CI-26, R-CI-27: what each makes under one plan; the percentage only counts for the first."""
    more = (
        down_payment("25", timing("policy_effective_date", -21))
        + f"one_time_timing = {timing('policy_effective_date', -30)}\n"
    )
    names = ("Premium", "Deposit", "Whole", "Tax")
    carried = tuple(charge("I1", "100.00", name, number) for number, name in enumerate(names, start=1))
    story = issued(terms(more=more, maximum=2), charges=carried, more=SINGLE, received=date(2024, 12, 1))
    found = story.items().select("charge_pattern", "item_type", "installment_number", "event_date", "amount").rows()
    dec_11 = date(2024, 12, 11)
    assert found == [
        ("Premium", "deposit", 0, dec_11, 2500),
        ("Premium", "installment", 1, JAN_1, 3750),
        ("Premium", "installment", 2, date(2025, 2, 1), 3750),
        ("Deposit", "deposit", 0, dec_11, 10000),
        ("Whole", "installment", 1, JAN_1, 10000),
        ("Tax", "onetime", 0, date(2024, 12, 2), 10000),
    ]


def test_r_cp_9_a_single_down_payment_on_a_plan_without_one() -> None:
    """R-CP-9, R-CI-26: dated like the first installment, still a down payment; also when an override takes it away."""
    carried = (charge("I1", "100.00", "Deposit"),)
    plain = issued(terms(timing("policy_effective_date", 9)), charges=carried, more=SINGLE)
    assert plain.items().select("item_type", "event_date").rows() == [("deposit", date(2025, 1, 10))]
    none = override("issuance", "has_down_payment = false")
    overridden = issued(terms(AFTER_ONE, down_payment("25")), charges=carried, more=SINGLE + none)
    assert overridden.items().select("item_type", "event_date").rows() == [("deposit", date(2025, 2, 1))]


def test_r_cp_8_a_one_time_charge_of_a_policy_is_dated_by_the_plan_of_an_account_by_its_date() -> None:
    """R-CP-8, R-CI-28."""
    more = f"one_time_timing = {timing('policy_effective_date', 40)}"
    story = issued(terms(more=more), charges=(charge("I1", "10.00", "Tax"),))
    row = instruction("G1", "account_general", None, effective_date=date(2025, 3, 1))
    land(story, date(2025, 1, 2), row, charges=(charge("G1", "5.00", "Account Late Fee"),))
    assert story.items()["event_date"].to_list() == [date(2025, 2, 10), date(2025, 1, 2)]


@pytest.mark.parametrize(
    ("patterns", "subtype"),
    [
        (("Late Fee", "Account Late Fee", "Payment Reversal Fee", "Reinstatement Fee"), "immediate"),
        (("Premium",), "pro_rata"),
        (("Taxes", "Tax"), "pass_through"),
        (("Recapture",), "recapture"),
        (("Collateral Requirement", "Collateral Fulfillment", "Collateral Replenishment"), "collateral"),
    ],
)
def test_e_cp_1_the_patterns_of_the_standard_carrier(patterns: tuple[str, ...], subtype: str) -> None:
    """E-CP-1, R-CP-1, R-CP-3: fees are earned at once, premium over time, taxes never, and so on."""
    known = carrier().charge_patterns
    assert {known[name].subtype for name in patterns} == {subtype}


@pytest.mark.parametrize(
    ("pattern", "accounts"),
    [
        ("Late Fee", {"Unbilled", "Revenue"}),
        ("Premium", {"Unbilled", "Unearned"}),
        ("Tax", {"Unbilled", "Expense", "Revenue", "Reserve"}),
    ],
)
def test_r_cp_3_where_a_charge_is_booked_first(pattern: str, accounts: set[str]) -> None:
    """R-CP-3, R-CH-2: the T-accounts of the first transaction, by subtype."""
    story = issued(terms(), charges=(charge("I1", "100.00", pattern),))
    lines = story.journal().filter(pl.col("transaction_type") == "InitialChargeTxn")
    names = lines["t_account_pattern"].cast(pl.String).str.strip_prefix("<Charge Pattern> ")
    assert set(names) == accounts


# Blackout


@pytest.mark.parametrize(
    ("days", "basis", "end", "expected"),
    [
        (45, "billed", JUL_1, 5),
        (45, "due", JUL_1, 5),
        (46, "due", JUL_1, 5),
        (47, "due", JUL_1, 5),
        (48, "due", JUL_1, 4),
        (61, "billed", JUL_1, 5),
        (62, "billed", JUL_1, 4),
        (-45, "billed", JUL_1, 8),
        (-45, "due", JUL_1, 8),
        (-45, "billed", JUN_1, 7),
        (0, "billed", JUL_1, 7),
        (0, "due", JUL_1, 6),
    ],
)
def test_r_pp_14_the_last_invoice_before_the_blackout(days: int, basis: str, end: date, expected: int) -> None:
    """R-PP-14, R-CI-33, R-CI-35, R-INV-41, E-CI-15, E-CI-17: the limit itself counts, by bill date or by due date.

    Invoices bill on the first and are due on the fifteenth; 47 days before July is the fifteenth of May.
    """
    story = issued(terms(more=blackout(days, basis)), end=end)
    assert story.items().height == expected
    assert not story.items()["blackout_violation"].any()


def test_r_ci_34_a_blackout_is_for_installments_only() -> None:
    """R-CI-34: down payment and tax come in December, in the middle of the blackout."""
    late = timing("policy_effective_date", 335)
    more = down_payment("10", late) + f"one_time_timing = {late}\n" + blackout(60)
    story = issued(terms(more=more, maximum=2), charges=(charge("I1"), charge("I1", "60.00", "Tax", 2)))
    assert story.dates("bill_date") == ["2026-01-01", "2025-01-01", "2025-02-01"]
    assert story.dates("event_date", "Tax") == ["2025-12-02"]
    assert not story.items()["blackout_violation"].any()


@pytest.mark.parametrize("plan", [terms(more=blackout(400)), terms(AFTER_ONE, down_payment("10") + blackout(400))])
def test_r_ci_36_where_nothing_fits_one_installment_is_kept_and_marked(plan: str) -> None:
    """R-CI-36, R-CI-06: the whole rest is one installment that violates the blackout."""
    story = issued(plan)
    installments = story.items().filter(item_type="installment")
    assert installments["blackout_violation"].to_list() == [True]
    assert story.items()["amount"].sum() == 120000
    assert not story.items().filter(item_type="deposit")["blackout_violation"].any()


def test_r_ci_36_a_policy_that_comes_after_its_term() -> None:
    """R-CI-36, R-CI-48: everything is over; one installment on the first invoice from now on."""
    story = issued(terms(), received=date(2026, 2, 10))
    assert story.items().select("amount", "bill_date", "blackout_violation").rows() == [
        (120000, date(2026, 3, 1), True)
    ]


# Amounts


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        ("overweight_from_front", [-3333, -3333, -3334]),
        ("overweight_from_back", [-3334, -3333, -3333]),
        ("overweight_first", [-3332, -3334, -3334]),
        ("overweight_last", [-3334, -3334, -3332]),
    ],
)
def test_r_ci_41_and_42_a_negative_charge(treatment: str, expected: list[int]) -> None:
    """R-CI-41, R-CI-42, D-1: rounded down toward minus infinity, so that the odd cents are always to be added."""
    change = (FRONT, f'installment_remainder = "{treatment}"')
    assert issued(terms(maximum=3), change, amount="-100.00").items()["amount"].to_list() == expected


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        ("overweight_from_front", [1001, 3004, 3003, 3003]),
        ("overweight_from_back", [1001, 3003, 3003, 3004]),
        ("overweight_first", [1001, 3004, 3003, 3003]),
        ("overweight_last", [1001, 3003, 3003, 3004]),
    ],
)
def test_r_ci_42_the_down_payment_takes_no_remainder(treatment: str, expected: list[int]) -> None:
    """R-CI-42: 10 % of 100.11 are 10.01; the cent that is left is an installment's."""
    change = (FRONT, f'installment_remainder = "{treatment}"')
    plan = terms(AFTER_ONE, down_payment("10"), maximum=3)
    assert issued(plan, change, amount="100.11").items()["amount"].to_list() == expected


def test_r_ci_42_out_of_sequence_the_first_is_installment_one() -> None:
    """R-CI-42, R-CI-37: it takes the odd cent from the front, although another may be dated before it."""
    more = f"has_second_installment = true\nsecond_installment_timing = {timing('policy_effective_date')}\n"
    story = issued(terms(timing("policy_effective_date", 20), more, maximum=3), amount="100.00")
    assert story.items().select("installment_number", "event_date", "amount").rows() == [
        (1, date(2025, 1, 21), 3334),
        (2, JAN_1, 3333),
        (3, date(2025, 2, 1), 3333),
    ]


# Overrides and modifiers


@pytest.mark.parametrize(
    ("setting", "types", "dates"),
    [
        ("has_down_payment = false", ["installment"] * 2, ["2025-02-01", "2025-03-01"]),
        ('down_payment_percent = "100"', ["deposit"], ["2025-01-01"]),
        (
            f"down_payment_timing = {timing('policy_effective_date', 3)}",
            None,
            ["2025-01-04", "2025-02-01", "2025-03-01"],
        ),
        ("max_installments = 1", ["deposit", "installment"], ["2025-01-01", "2025-02-01"]),
        (
            f"first_installment_timing = {timing('policy_effective_date', 3)}",
            None,
            ["2025-01-01", "2025-01-04", "2025-02-04"],
        ),
    ],
)
def test_r_po_1_an_override_replaces_what_it_says(setting: str, types: list[str] | None, dates: list[str]) -> None:
    """R-PO-1, R-PO-3, R-CI-55: for instructions of its type only, and only the settings that it gives."""
    plan = terms(AFTER_ONE, down_payment("25"), maximum=2)
    story = issued(plan, more=override("issuance", setting))
    assert story.items()["item_type"].to_list() == (types or ["deposit", "installment", "installment"])
    assert story.dates("event_date") == dates
    other = issued(plan, more=override("renewal", setting))
    assert other.dates("event_date") == ["2025-01-01", "2025-02-01", "2025-03-01"]


def test_r_po_1_an_override_may_put_the_first_installment_out_of_sequence() -> None:
    """R-PO-3: the flag and the second timing; and the timing of one-time charges."""
    setting = (
        f"has_second_installment = true\nsecond_installment_timing = {AFTER_ONE}\n"
        f"one_time_timing = {timing('policy_effective_date', 5)}\n"
    )
    carried = (charge("I1"), charge("I1", "60.00", "Tax", 2))
    story = issued(terms(timing("charge_date"), maximum=3), charges=carried, more=override("issuance", setting))
    assert story.dates("event_date") == ["2025-01-01", "2025-02-01", "2025-03-01"]
    assert story.dates("event_date", "Tax") == ["2025-01-06"]


@pytest.mark.parametrize(
    ("modifiers", "amounts"),
    [
        ('{"down_payment_percent": 50}', ["600.00", "300.00", "300.00"]),
        ('{"max_installments": 4}', ["300.00", "225.00", "225.00", "225.00", "225.00"]),
        ('{"down_payment_percent": "12.5", "max_installments": 1}', ["150.00", "1050.00"]),
        ('{"down_payment_percent": 0}', ["600.00", "600.00"]),
    ],
)
def test_r_po_8_a_modifier_goes_before_override_and_plan(modifiers: str, amounts: list[str]) -> None:
    """R-PO-8, R-CI-55: it changes the one instruction that carries it; the next one has the plan again."""
    plan = terms(AFTER_ONE, down_payment("10"), maximum=9)
    story = issued(
        plan, more=override("issuance", 'down_payment_percent = "25"\nmax_installments = 2'), modifiers=modifiers
    )
    assert story.amounts() == amounts
    land(story, date(2025, 1, 2), instruction("I2", "issuance", "P2"), charges=(charge("I2"),))
    second = story.items().filter(policy_key=2)["amount"].to_list()
    assert second == [30000, 45000, 45000]


def test_r_po_8_a_modifier_of_the_percentage_needs_a_plan_with_a_down_payment() -> None:
    """R-PO-8: base modifiers change settings that the plan has; it does not gain a down payment."""
    assert issued(terms(maximum=2), modifiers='{"down_payment_percent": 50}').amounts() == ["600.00", "600.00"]


def test_r_po_7_changes_of_a_plan_count_from_then_on() -> None:
    """R-PO-7, R-PP-21, R-CP-12: a new override or an edited plan leaves what is booked alone."""
    story = issued(terms(maximum=4))
    before = story.items()["amount"].to_list()
    edited: Carrier = plans(terms(maximum=2), more=override("policy_change", "max_installments = 1"))
    story.carrier = edited
    rows = (
        instruction("I2", "issuance", "P2"),
        instruction(
            "C2", "policy_change", "P2", effective_date=date(2025, 1, 2), modifiers='{"down_payment_percent": 1}'
        ),
    )
    land(story, date(2025, 1, 2), *rows, charges=(charge("I2"), charge("C2", "10.00")))
    assert story.items().filter(policy_key=1)["amount"].to_list() == before
    assert story.items().filter(policy_key=2)["amount"].to_list() == [60000, 60000, 1000]


def test_r_pp_20_plan_account_and_billing_plan_fix_number_dates_and_placement() -> None:
    """R-PP-20: the number from the plan, the dates from the account, the due dates from the billing plan."""
    story = Story(plans(terms(maximum=3)))
    story.land(JAN_1, accounts=[{"account_id": "A", "invoice_by": "account", "invoice_day_of_month": 7}])
    land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1"),))
    assert story.dates("bill_date") == ["2025-01-07", "2025-02-07", "2025-03-07"]
    assert story.dates("due_date") == ["2025-01-21", "2025-02-21", "2025-03-21"]


# Instructions and charges


def test_r_bi_1_and_13_an_instruction_starts_billing() -> None:
    """R-BI-1, R-BI-13, R-CH-1, R-CH-9, R-BT-1: bound, billed to the account, due, paid."""
    story = issued(terms(maximum=1))
    assert story.invoices() == [("2025-01-01", "Billed", "1200.00")]
    story.land(date(2025, 1, 10), payments=[{"payment_id": "M", "account_id": "A", "amount": "1200.00"}])
    story.close_through(date(2025, 1, 16))
    assert story.invoices() == [("2025-01-01", "Due", "0.00")]
    assert (story.balance("Cash"), story.balance("<Charge Pattern> Due", "Premium")) == ("1200.00", "0.00")


def test_r_ch_3_charges_are_neither_split_nor_merged() -> None:
    """R-CH-3, E-CH-1, R-BI-7: three charges, two of them alike but for their group, stay three."""
    carried = (
        charge("I1", "600.00", charge_group="A"),
        charge("I1", "600.00", number=2, charge_group="B"),
        charge("I1", "60.00", "Tax", 3),
    )
    story = issued(terms(maximum=2), charges=carried)
    assert story.book["charges"].select("charge_pattern", "amount", "charge_group").rows() == [
        ("Premium", 60000, "A"),
        ("Premium", 60000, "B"),
        ("Tax", 6000, None),
    ]
    assert story.items().group_by("charge_key").len().sort("charge_key")["len"].to_list() == [2, 2, 1]


@pytest.mark.parametrize("missing", ["charge_pattern", "amount", "charge_no"])
def test_r_bi_7_a_charge_says_what_it_is_and_how_much(missing: str) -> None:
    """R-BI-7: pattern, amount and number; without one of them the instruction is refused."""
    story = Story(plans(terms()))
    land(story, JAN_1, instruction("I1", "issuance"), charges=(charge("I1") | {missing: None},))
    assert story.quarantined() == [("I1", "E-CHARGE-REFUSED"), ("I1", "E-VALUE-MISSING")]


def test_e_bt_2_the_payroll_cycle_decides_which_plans_an_employer_offers() -> None:
    """E-BT-2, R-BT-7, R-LB-03: plans of the payroll's interval; the account keeps them for life."""
    fortnight = terms(interval="every_other_week", maximum=26)
    story = Story(plans(terms(), ("X", "Payroll", fortnight)))
    employer = {"account_id": "E", "account_type": "list_bill", "payment_plans": "Payroll"}
    story.land(JAN_1, accounts=[employer, {"account_id": "A"}])
    story.land(date(2025, 1, 2), accounts=[employer | {"payment_plans": "Payroll; X"}])
    row = instruction("I1", "issuance", payment_plan="Payroll", billing_method="list_bill", payer_account_id="E")
    land(story, date(2025, 1, 2), row, charges=(charge("I1", "2600.00"),))
    assert story.quarantined() == [("E", "E-ID-CONFLICT")]
    assert story.book["accounts"].filter(account_id="E")["payment_plans"].to_list() == ["Payroll"]
    gaps = story.items()["bill_date"].diff().dt.total_days().drop_nulls().unique().to_list()
    assert (gaps, story.items().height) == ([14], 26)


def test_r_lb_18_a_payer_of_many_policies_pays_them_in_one_pass() -> None:
    """R-LB-18: five hundred policies of as many owners on one payer; one payment settles the first invoice."""
    count = 500
    story = Story(plans(terms(maximum=2)))
    bank = {"account_id": "BANK", "account_type": "list_bill", "payment_plans": "X", "invoice_day_of_month": 1}
    rows = [
        instruction(
            f"I{n}", "issuance", f"P{n}", account_id=f"A{n}", billing_method="list_bill", payer_account_id="BANK"
        )
        for n in range(count)
    ]
    story.land(JAN_1, accounts=[bank])
    land(story, JAN_1, *rows, charges=tuple(charge(f"I{n}", "200.00") for n in range(count)))
    assert story.quarantined() == []
    assert story.book["invoices"].height == 2
    story.land(date(2025, 1, 5), payments=[{"payment_id": "M", "account_id": "BANK", "amount": f"{100 * count}.00"}])
    story.close_through(date(2025, 1, 5))
    first = story.items().filter(pl.col("bill_date") == JAN_1)
    assert (first["paid"] == first["amount"]).all()
    assert story.items().filter(pl.col("bill_date") > JAN_1)["paid"].sum() == 0
