"""Worked examples of charge invoicing and invoices: streams, event dates, installments, placement, dates, status."""

from __future__ import annotations

from datetime import date

import pytest

from tests.story import Story, plans, timing

JAN_1 = date(2025, 1, 1)
ON_EFFECTIVE = timing("policy_effective_date")


def issued(
    payment_plan: str,
    *,
    effective: date = JAN_1,
    expiration: date = date(2026, 1, 1),
    received: date | None = None,
    amount: str = "1200.00",
    account: dict[str, object] | None = None,
    pattern: str = "Premium",
    carrier_changes: tuple[tuple[str, str], ...] = (),
) -> Story:
    """One policy issued with one charge on one account."""
    day = received or min(effective, JAN_1)
    story = Story(plans(payment_plan, *carrier_changes))
    story.land(
        day,
        accounts=[{"account_id": "A", **(account or {})}],
        billing_instructions=[issuance("I1", "P1", effective, expiration)],
        charges=[{"instruction_id": "I1", "charge_no": 1, "charge_pattern": pattern, "amount": amount}],
    )
    return story.close_through(day)


def issuance(
    instruction_id: str, policy_id: str, effective: date, expiration: date, *, account_id: str = "A", plan: str = "X"
) -> dict[str, object]:
    return {
        "instruction_id": instruction_id,
        "instruction_type": "issuance",
        "account_id": account_id,
        "policy_id": policy_id,
        "period_start": effective,
        "period_end": expiration,
        "effective_date": effective,
        "payment_plan": plan,
    }


def monthly(first: str = ON_EFFECTIVE, more: str = "", maximum: int = 12, interval: str = "monthly") -> str:
    return f'payment_interval = "{interval}"\nmax_installments = {maximum}\nfirst_installment_timing = {first}\n{more}'


ACCOUNT_LEVEL: dict[str, object] = {"invoice_by": "account"}


# Streams and cadence


def test_e_ci_01_monthly_stream_bills_on_its_day() -> None:
    story = issued(monthly(timing("policy_effective_date", 14)))
    assert story.dates("bill_date")[:3] == ["2025-01-15", "2025-02-15", "2025-03-15"]


def test_e_ci_02_and_e_bl_1_account_level_streams_are_shared_by_periodicity() -> None:
    """R-ENT-08."""
    story = Story(plans(monthly(), ("X", "Week", monthly(interval="every_week"))))
    policies = [("P1", "X"), ("P2", "X"), ("P3", "Week")]
    story.land(
        JAN_1,
        accounts=[{"account_id": "A", **ACCOUNT_LEVEL}],
        billing_instructions=[
            issuance(f"I{policy}", policy, JAN_1, date(2026, 1, 1), plan=plan) for policy, plan in policies
        ],
        charges=[
            {"instruction_id": f"I{policy}", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200"}
            for policy, _ in policies
        ],
    ).close_through(JAN_1)
    assert story.book["invoice_streams"]["periodicity"].cast(str).to_list() == ["monthly", "weekly"]
    first = story.items().filter(bill_date=date(2025, 1, 15))
    assert first["period_key"].to_list() == [1, 2]


def test_e_bl_2_policy_level_streams_are_never_shared() -> None:
    story = Story(plans(monthly()))
    story.land(
        JAN_1,
        accounts=[{"account_id": "A", "invoice_by": "policy"}],
        billing_instructions=[issuance(f"I{n}", f"P{n}", JAN_1, date(2026, 1, 1)) for n in (1, 2)],
        charges=[
            {"instruction_id": f"I{n}", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200"} for n in (1, 2)
        ],
    ).close_through(JAN_1)
    assert story.book["invoice_streams"]["policy_key"].to_list() == [1, 2]
    assert story.items().filter(bill_date=JAN_1)["invoice_key"].n_unique() == 2


def test_e_ci_03_only_invoices_with_items_exist() -> None:
    story = issued(monthly(maximum=2), effective=date(2025, 11, 11), expiration=date(2026, 11, 11))
    assert story.book["invoices"]["bill_date"].cast(str).to_list() == ["2025-11-11", "2025-12-11"]


@pytest.mark.parametrize(
    ("effective", "expected"),
    [
        (date(2025, 1, 31), ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"]),
        (date(2024, 1, 31), ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]),
    ],
)
def test_e_ci_04_the_31st_is_the_last_day_of_a_shorter_month(effective: date, expected: list[str]) -> None:
    story = issued(
        monthly(maximum=4),
        effective=effective,
        expiration=effective.replace(year=effective.year + 1),
        received=effective,
    )
    assert story.dates("bill_date") == expected
    assert story.dates("event_date") == expected


def test_e_ci_05_an_item_takes_the_planned_invoice_or_makes_the_next() -> None:
    more = f"one_time_timing = {timing('charge_effective_date')}"
    story = issued(monthly(timing("policy_effective_date", 14), more, maximum=4))
    for number, effective in ((1, date(2025, 4, 15)), (2, date(2025, 5, 15))):
        change = {
            "instruction_id": f"C{number}",
            "instruction_type": "policy_change",
            "account_id": "A",
            "policy_id": "P1",
            "effective_date": effective,
            "sequence": number,
        }
        charge = {"instruction_id": f"C{number}", "charge_no": 1, "charge_pattern": "Tax", "amount": "10"}
        story.land(date(2025, 1, 2), billing_instructions=[change], charges=[charge])
    story.close_through(date(2025, 1, 2))
    assert story.dates("bill_date", "Tax") == ["2025-04-15", "2025-05-15"]
    assert story.book["invoices"].height == 5


# Event dates


def test_e_ci_06_one_time_charge_before_the_policy_takes_effect() -> None:
    plan = monthly(more=f"one_time_timing = {timing('policy_effective_date', -30)}")
    assert issued(plan, pattern="Tax", received=date(2024, 12, 1)).dates("event_date", "Tax") == ["2024-12-02"]


def down_payment(percent: int, days: int) -> str:
    """Terms of a down payment so many days after the policy takes effect."""
    when = timing("policy_effective_date", days)
    return f'has_down_payment = true\ndown_payment_percent = "{percent}"\ndown_payment_timing = {when}\n'


DOWN_25 = down_payment(25, -21)


def test_e_ci_07_down_payment_before_the_policy_takes_effect() -> None:
    story = issued(monthly(more=DOWN_25), amount="1000", received=date(2024, 12, 1))
    assert (story.dates("event_date")[0], story.amounts()[0]) == ("2024-12-11", "250.00")


def test_e_ci_08_and_e_ci_11_periodic_dates_follow_the_first() -> None:
    assert issued(monthly(timing("policy_effective_date", 10))).dates("event_date")[:3] == [
        "2025-01-11",
        "2025-02-11",
        "2025-03-11",
    ]
    story = issued(monthly(), effective=date(2025, 3, 10), expiration=date(2026, 3, 10))
    assert story.dates("event_date")[:3] == ["2025-03-10", "2025-04-10", "2025-05-10"]


def test_e_ci_09_interval_first_then_days() -> None:
    plan = monthly(timing("one_interval_after_policy_effective_date", 7))
    assert issued(plan).dates("event_date")[0] == "2025-02-08"


def test_e_ci_10_down_payment_is_dated_on_its_own() -> None:
    plan = monthly(
        timing("policy_effective_date", 14),
        down_payment(10, 9),
    )
    story = issued(plan, effective=date(2025, 3, 1), expiration=date(2026, 3, 1))
    assert story.dates("event_date")[:3] == ["2025-03-10", "2025-03-15", "2025-04-15"]


def test_e_ci_12_account_level_dates_follow_the_invoice_day() -> None:
    story = issued(monthly(), account={**ACCOUNT_LEVEL, "invoice_day_of_month": 19})
    assert story.dates("event_date")[:3] == ["2025-01-19", "2025-02-19", "2025-03-19"]


def test_e_ci_13_both_levels_bill_on_the_11th() -> None:
    policy_level = issued(monthly(timing("policy_effective_date", 10)))
    account_level = issued(monthly(), account={**ACCOUNT_LEVEL, "invoice_day_of_month": 11})
    for story in (policy_level, account_level):
        assert story.dates("bill_date")[:2] == ["2025-01-11", "2025-02-11"]


# Installment count and blackout

JUN_1, JUL_1 = date(2025, 6, 1), date(2025, 7, 1)


@pytest.mark.parametrize(
    ("example", "expiration", "blackout", "maximum", "expected"),
    [
        ("E-CI-14", JUL_1, None, 12, 7),
        ("E-CI-14", JUL_1, 45, 12, 5),
        ("E-CI-15", JUL_1, -45, 12, 8),
        ("E-CI-16", JUN_1, None, 12, 6),
        ("E-CI-16", JUN_1, 45, 12, 4),
        ("E-CI-17", JUN_1, -45, 12, 7),
        ("E-CI-18", date(2025, 12, 31), 30, 8, 8),
        ("E-CI-19 exclusive", date(2025, 6, 30), 30, 8, 5),
        ("E-CI-21", date(2026, 1, 1), None, 5, 5),
    ],
)
def test_installments_before_the_blackout(
    example: str, expiration: date, blackout: int | None, maximum: int, expected: int
) -> None:
    more = "" if blackout is None else f'blackout_days = {blackout}\nblackout_basis = "billed"\n'
    assert len(issued(monthly(maximum=maximum, more=more), expiration=expiration).amounts()) == expected, example


def test_e_ci_19_inclusive_last_day() -> None:
    inclusive = ('expiration_convention = "exclusive"', 'expiration_convention = "inclusive_last_day"')
    more = 'blackout_days = 30\nblackout_basis = "billed"\n'
    story = issued(monthly(maximum=8, more=more), expiration=date(2025, 6, 30), carrier_changes=(inclusive,))
    assert len(story.amounts()) == 6


def test_blackout_that_leaves_no_slot_keeps_one_installment() -> None:
    more = 'blackout_days = 400\nblackout_basis = "billed"\n'
    assert issued(monthly(more=more)).amounts() == ["1200.00"]  # R-CI-36


# Amounts


def test_e_ci_20_and_e_ci_24_installments_share_what_the_down_payment_leaves() -> None:
    story = issued(monthly(more=DOWN_25, maximum=5), amount="1000")
    assert story.amounts() == ["250.00"] + ["150.00"] * 5


@pytest.mark.parametrize(
    ("treatment", "extra"),
    [
        ("overweight_from_front", [1, 1, 1, 0, 0]),
        ("overweight_from_back", [0, 0, 1, 1, 1]),
        ("overweight_first", [3, 0, 0, 0, 0]),
        ("overweight_last", [0, 0, 0, 0, 3]),
    ],
)
def test_e_ci_23_remainder_treatments(treatment: str, extra: list[int]) -> None:
    change = ('installment_remainder = "overweight_from_front"', f'installment_remainder = "{treatment}"')
    story = issued(monthly(maximum=5), amount="100.03", carrier_changes=(change,))
    assert story.amounts() == [f"20.0{cents}" for cents in extra]


def test_e_ci_25_one_installment_a_month() -> None:
    """E-LIF-01, R-PP-1, R-CI-50."""
    story = issued(monthly(maximum=4), amount="400")
    assert story.amounts() == ["100.00"] * 4
    assert story.dates("bill_date") == ["2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"]


# Out-of-sequence first installment


@pytest.mark.parametrize(
    ("interval", "first", "second", "expected"),
    [
        ("monthly", timing("charge_date"), ON_EFFECTIVE, ["2024-12-10", "2025-01-01", "2025-02-01"]),
        ("monthly", ON_EFFECTIVE, timing("policy_effective_date", 10), ["2025-01-01", "2025-01-11", "2025-02-11"]),
        (
            "every_week",
            timing("policy_effective_date", 15),
            timing("policy_effective_date", 15),
            ["2025-01-16", "2025-01-16", "2025-01-23"],
        ),
    ],
)
def test_e_ci_22_out_of_sequence(interval: str, first: str, second: str, expected: list[str]) -> None:
    more = f"has_second_installment = true\nsecond_installment_timing = {second}\n"
    story = issued(monthly(first, more, interval=interval), received=date(2024, 12, 10))
    assert story.dates("event_date")[:3] == expected


# Approaches, placement, lead time


def test_e_ci_26_three_approaches_under_one_plan() -> None:
    patterns = "".join(
        f'[charge_patterns."{name}"]\nsubtype = "pro_rata"\ncategory = "premium"\nowner_types = ["PolicyPeriod"]\n'
        f'invoicing_approach = "{approach}"\n'
        for name, approach in (("Deposit", "single_down_payment"), ("Whole", "single_installment"))
    )
    story = Story(plans(monthly(more=DOWN_25, maximum=3), more=patterns))
    story.land(
        date(2024, 12, 1),
        accounts=[{"account_id": "A"}],
        billing_instructions=[issuance("I1", "P1", JAN_1, date(2026, 1, 1))],
        charges=[
            {"instruction_id": "I1", "charge_no": number, "charge_pattern": pattern, "amount": "100"}
            for number, pattern in enumerate(("Premium", "Deposit", "Whole"), start=1)
        ],
    ).close_through(date(2024, 12, 1))
    items = story.items().select("charge_pattern", "item_type", "event_date", "amount").rows()
    assert items[:1] == [("Premium", "deposit", date(2024, 12, 11), 2500)]
    assert [row[1] for row in items[1:4]] == ["installment"] * 3
    assert items[4:] == [
        ("Deposit", "deposit", date(2024, 12, 11), 10000),
        ("Whole", "installment", JAN_1, 10000),
    ]


TEN_DAYS = ("lead_days = 14", "lead_days = 10")


def test_e_ci_27_and_e_inv_02_due_date_is_the_lead_time_later() -> None:
    story = issued(monthly(), effective=date(2025, 3, 12), expiration=date(2026, 3, 12), carrier_changes=(TEN_DAYS,))
    assert story.dates("bill_date")[:3] == ["2025-03-12", "2025-04-12", "2025-05-12"]
    assert story.dates("due_date")[:3] == ["2025-03-22", "2025-04-22", "2025-05-22"]


def test_e_inv_01_account_level_bill_date_mode() -> None:
    """E-ENT-03, R-INV-02."""
    account = {**ACCOUNT_LEVEL, "invoice_day_of_month": 12}
    story = issued(monthly(), account=account, carrier_changes=(TEN_DAYS,))
    assert (story.dates("bill_date")[0], story.dates("due_date")[0]) == ("2025-01-12", "2025-01-22")


@pytest.mark.parametrize(("cutoff", "bill_date"), [("bill_date", "2025-03-10"), ("due_date", "2025-02-10")])
def test_e_inv_03_placement_cutoff(cutoff: str, bill_date: str) -> None:
    more = f'item_placement_cutoff = "{cutoff}"\none_time_timing = {timing("policy_effective_date", 45)}'
    account = {**ACCOUNT_LEVEL, "invoice_day_of_month": 10}
    story = issued(monthly(more=more), pattern="Tax", account=account, carrier_changes=(TEN_DAYS,))
    assert story.dates("event_date", "Tax") == ["2025-02-15"]
    assert story.dates("bill_date", "Tax") == [bill_date]


def test_e_ci_28_alignment_off_puts_two_installments_on_one_invoice() -> None:
    more = "align_installments = false\n"
    account = {**ACCOUNT_LEVEL, "invoice_day_of_month": 30}
    story = issued(
        monthly(more=more, maximum=8), effective=date(2025, 1, 31), expiration=date(2026, 1, 31), account=account,
        received=date(2025, 1, 31),
    )  # fmt: skip
    assert story.dates("event_date")[:4] == ["2025-01-31", "2025-02-28", "2025-03-31", "2025-04-30"]
    assert story.dates("bill_date") == [
        "2025-02-28", "2025-02-28", "2025-04-30", "2025-04-30", "2025-06-30", "2025-06-30", "2025-08-30", "2025-09-30",
    ]  # fmt: skip


def test_e_ci_29_alignment_off_on_matching_days() -> None:
    account = {**ACCOUNT_LEVEL, "invoice_day_of_month": 10}
    story = issued(monthly(timing("policy_effective_date", 9), "align_installments = false\n"), account=account)
    assert story.dates("event_date")[:3] == story.dates("bill_date")[:3] == ["2025-01-10", "2025-02-10", "2025-03-10"]


def test_e_ci_30_renewal_override_without_down_payment() -> None:
    override = '[[payment_plans."X".overrides]]\ninstruction_type = "renewal"\nhas_down_payment = false\n'
    story = Story(plans(monthly(more=DOWN_25, maximum=4), more=override))
    story.land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        billing_instructions=[
            issuance("I1", "P1", JAN_1, date(2026, 1, 1)),
            {**issuance("I2", "P1", date(2026, 1, 1), date(2027, 1, 1)), "instruction_type": "renewal"},
        ],
        charges=[
            {"instruction_id": instruction, "charge_no": 1, "charge_pattern": "Premium", "amount": "1000"}
            for instruction in ("I1", "I2")
        ],
    ).close_through(JAN_1)
    assert story.items()["item_type"].to_list() == ["deposit", *["installment"] * 8]
    assert story.book["invoice_streams"].height == 1


def test_e_ci_31_change_on_the_issuance_date_ignores_the_change_override() -> None:
    override = '[[payment_plans."X".overrides]]\ninstruction_type = "policy_change"\nmax_installments = 1\n'
    story = Story(plans(monthly(maximum=4), more=override))
    story.land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        billing_instructions=[
            issuance("I1", "P1", JAN_1, date(2026, 1, 1)),
            {
                "instruction_id": "C1",
                "instruction_type": "policy_change",
                "account_id": "A",
                "policy_id": "P1",
                "effective_date": JAN_1,
            },
        ],
        charges=[{"instruction_id": "C1", "charge_no": 1, "charge_pattern": "Premium", "amount": "100"}],
    ).close_through(JAN_1)
    assert story.amounts() == ["25.00"] * 4


def test_e_itm_11_past_installments_go_on_the_first_planned_invoice() -> None:
    story = issued(monthly(), received=date(2025, 4, 10))
    assert story.dates("bill_date")[:6] == ["2025-05-01"] * 5 + ["2025-06-01"]


# Derived


@pytest.mark.parametrize(
    ("amount", "treatment", "expected"),
    [
        ("-100.00", "overweight_from_front", ["-33.33", "-33.33", "-33.34"]),
        ("1000.00", "overweight_from_front", ["333.34", "333.33", "333.33"]),
        ("1000.00", "overweight_last", ["333.33", "333.33", "333.34"]),
    ],
)
def test_04_d_1_and_d_2_installment_amounts(amount: str, treatment: str, expected: list[str]) -> None:
    change = ('installment_remainder = "overweight_from_front"', f'installment_remainder = "{treatment}"')
    assert issued(monthly(maximum=3), amount=amount, carrier_changes=(change,)).amounts() == expected


def test_04_d_3_due_date_mode_shifts_an_item_to_the_next_invoice() -> None:
    plan = monthly(timing("policy_effective_date", 10), 'fix_invoices_on = "due_date"\n')
    story = issued(plan, carrier_changes=(TEN_DAYS,))
    assert story.dates("event_date")[0] == "2025-01-11"
    assert (story.dates("bill_date")[0], story.dates("due_date")[0]) == ("2025-02-01", "2025-02-11")


def test_04_d_4_quarterly_and_monthly_share_a_monthly_stream() -> None:
    story = Story(plans(monthly(), ("X", "Q", monthly(interval="quarterly", maximum=4))))
    story.land(
        JAN_1,
        accounts=[{"account_id": "A", **ACCOUNT_LEVEL, "invoice_day_of_month": 19}],
        billing_instructions=[
            issuance("I1", "P1", JAN_1, date(2026, 1, 1)),
            issuance("I2", "P2", JAN_1, date(2026, 1, 1), plan="Q"),
        ],
        charges=[
            {"instruction_id": instruction, "charge_no": 1, "charge_pattern": "Premium", "amount": "1200"}
            for instruction in ("I1", "I2")
        ],
    ).close_through(JAN_1)
    assert story.book["invoice_streams"].height == 1
    quarterly = story.items().filter(period_key=2)["event_date"].cast(str).to_list()
    assert quarterly == ["2025-01-19", "2025-04-19", "2025-07-19", "2025-10-19"]


def test_04_d_5_an_invoice_becomes_due_the_day_after_its_due_date() -> None:
    story = issued(
        monthly(maximum=1), effective=date(2025, 3, 12), expiration=date(2026, 3, 12), carrier_changes=(TEN_DAYS,)
    )
    assert story.close_through(date(2025, 3, 22)).invoices() == [("2025-03-12", "Billed", "1200.00")]
    assert story.close_through(date(2025, 3, 23)).invoices() == [("2025-03-12", "Due", "1200.00")]
