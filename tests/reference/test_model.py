"""The golden examples of the specification, run on the reference model itself."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from tests.reference.dates import BusinessCalendar, Cadence, resolve_timing
from tests.reference.distribution import Association, distribute, share_in_order
from tests.reference.entities import Account, Charge, Invoice, Item, Stream
from tests.reference.model import Model
from tests.reference.slicing import effective_plan, installment_amounts, percent_of

Row = dict[str, Any]

DEFAULT_PLAN: Row = {
    "interval": "monthly",
    "has_down_payment": False,
    "down_payment_percent": None,
    "down_payment_timing": None,
    "max_installments": 12,
    "first_installment_timing": (0, "policy_effective_date"),
    "out_of_sequence_first_installment": False,
    "second_installment_timing": None,
    "one_time_timing": (0, "policy_effective_date"),
    "blackout_days": None,
    "blackout_basis": None,
    "fix_invoices_on": "bill_date",
    "item_placement_cutoff": "bill_date",
    "align_installments": True,
    "fee_amount": 0,
    "skip_fee_for_down_payments": False,
    "overrides": {},
}


def plan(**settings: Any) -> dict[str, Any]:
    """A payment plan: monthly, from the effective date, no down payment, unless said otherwise."""
    return DEFAULT_PLAN | settings


def pattern(subtype: str, approach: str = "one_time", owner: str = "policy_period", priority: str = "medium") -> Row:
    """A charge pattern."""
    return {"subtype": subtype, "category": "general", "owner": owner, "priority": priority} | {
        "invoicing_approach": approach
    }


def carrier(payment_plans: dict[str, dict[str, Any]] | None = None, **settings: Any) -> dict[str, Any]:
    """A carrier with exact calendar days, lead 10, no earning run, unless said otherwise."""
    billing_plan = {
        "lead_time_days": 10,
        "non_responsive_lead_time_days": 5,
        "lead_time_unit": "calendar_days",
        "payment_due_day_logic": "exact_day",
        "skip_installment_fees": False,
    }
    account_defaults = {
        "account_type": "insured",
        "invoice_by": "policy",
        "separate_funds_by": "policy",
        "invoice_day_of_month": 1,
        "invoice_day_of_week": 1,
        "invoice_first_day_of_month": 1,
        "invoice_second_day_of_month": 15,
        "invoice_every_other_week_anchor": date(2025, 1, 6),
        "fix_invoices_on": "bill_date",
        "payment_instrument": "responsive",
        "billing_plan": "standard",
        "payment_allocation_plan": "default",
    }
    return {
        "decimals": 2,
        "invoice_due_lag_days": settings.get("lag", 1),
        "expiration_convention": settings.get("convention", "exclusive"),
        "installment_remainder": settings.get("remainder", "overweight_from_front"),
        "earning_interval": settings.get("earning", "none"),
        "business_weekdays": [1, 2, 3, 4, 5],
        "holidays": settings.get("holidays", []),
        "invoicing_fee_pattern": "Fee",
        "account_defaults": account_defaults | settings.get("account", {}),
        "charge_patterns": {
            "Premium": pattern("pro_rata", "down_payment_and_installments"),
            "Premium Deposit": pattern("pro_rata", "single_down_payment"),
            "Premium Single": pattern("pro_rata", "single_installment"),
            "Tax": pattern("pass_through"),
            "Fee": pattern("immediate", priority="low"),
            "Account Fee": pattern("immediate", owner="account", priority="low"),
        },
        "billing_plans": {"standard": billing_plan | settings.get("billing", {})},
        "payment_plans": payment_plans or {"plan": plan()},
        "allocation_plans": {
            "default": {
                "filters": ["next_planned_invoice", "policy_period", "invoice", "positive"],
                "orders": ["event_date", "charge_pattern"],
            }
            | settings.get("allocation", {})
        },
    }


def instruction(kind: str, effective: date, **columns: Any) -> dict[str, Any]:
    """A row of billing_instructions."""
    row = {"instruction_id": f"I-{kind}", "instruction_type": kind, "account_id": "A1", "policy_id": "P1"}
    return row | {"effective_date": effective} | columns


def issue(start: date, end: date, **columns: Any) -> dict[str, Any]:
    """An issuance of policy P1 on account A1 with plan 'plan'."""
    return instruction("issuance", start, period_start=start, period_end=end, payment_plan="plan", **columns)


def inbox(rows: list[dict[str, Any]], *charges: tuple[Any, ...], payments: list[Row] | None = None) -> Row:
    """An inbox; a charge is (pattern, amount) of the first instruction, or (instruction, pattern, amount[, payer])."""
    charge_rows = []
    for number, charge in enumerate(charges, start=1):
        full = charge if len(charge) > 2 else (rows[0]["instruction_id"], *charge)
        keys = ("instruction_id", "charge_pattern", "amount", "payer_account_id")
        charge_rows.append({"charge_no": number} | dict(zip(keys, full, strict=False)))
    return {"accounts": [], "billing_instructions": rows, "charges": charge_rows, "payments": payments or []}


def payment(number: str, amount: int, account_id: str | None = "A1", **columns: Any) -> dict[str, Any]:
    """A row of payments."""
    return {"payment_id": number, "amount": amount, "account_id": account_id} | columns


def run(model: Model, first: date, last: date, by_day: dict[date, dict[str, Any]] | None = None) -> None:
    """Close every day of a range."""
    while first <= last:
        model.close(first, (by_day or {}).get(first, {}))
        first += timedelta(days=1)


def issued(
    payment_plan: dict[str, Any],
    start: date,
    end: date,
    *charges: tuple[Any, ...],
    received: date | None = None,
    **settings: Any,
) -> Model:
    """A model that closed the day on which policy P1 was issued."""
    model = Model(carrier({"plan": payment_plan}, **settings))
    model.close(received or start, inbox([issue(start, end)], *(charges or [("Premium", 100000)])))
    return model


def column(rows: list[dict[str, Any]], name: str, **equal: Any) -> list[Any]:
    """A column of the rows that have these values."""
    return [row[name] for row in rows if all(row[key] == value for key, value in equal.items())]


def days(year: int, *month_days: tuple[int, int]) -> list[date]:
    """Dates of a year."""
    return [date(year, month, day) for month, day in month_days]


ACCOUNT_LEVEL = {"invoice_by": "account", "separate_funds_by": "account"}


# ------------------------------------------------------------------------------------ E-OVR, D-01: Ray Newton

RAY_PLAN = plan(
    has_down_payment=True,
    down_payment_percent=30,
    down_payment_timing=(0, "policy_effective_date"),
    max_installments=3,
    first_installment_timing=(0, "one_interval_after_policy_effective_date"),
)


def ray_newton() -> Model:
    return Model(carrier({"plan": RAY_PLAN}, lag=0, billing={"lead_time_days": 14}, convention="inclusive_last_day"))


def ray_inbox() -> dict[date, dict[str, Any]]:
    issuance = issue(date(2025, 2, 1), date(2025, 7, 31))
    result = {date(2025, 2, 1): inbox([issuance], ("Premium", 60000), ("Tax", 2500), ("Fee", 1000))}
    for number, (day, amount) in enumerate([("2-20", 21500), ("3-20", 14000), ("4-20", 14000), ("5-20", 14000)]):
        month, day_of_month = map(int, day.split("-"))
        result[date(2025, month, day_of_month)] = inbox([], payments=[payment(f"PAY{number}", amount, policy_id="P1")])
    return result


def ray_invoices(model: Model) -> list[tuple[str, int]]:
    return [(row["status"], row["amount_due"]) for row in model.invoices()]


def ray_balances(model: Model) -> dict[str, int]:
    return {t_account: balance for (_, _, t_account, _), balance in model.balances().items() if balance}


def test_e_ovr_ray_newton_statuses() -> None:
    model, days_in = ray_newton(), ray_inbox()
    planned = ("Planned", 14000)
    model.close(date(2025, 2, 1), days_in[date(2025, 2, 1)])
    assert column(model.items(), "amount", item_type="deposit") == [18000]  # E-OVR-01
    assert column(model.items(), "amount", item_type="installment") == [14000] * 3  # E-OVR-02
    assert column(model.invoices(), "bill_date") == days(2025, (2, 1), (3, 1), (4, 1), (5, 1))  # E-OVR-03
    assert column(model.invoices(), "due_date") == days(2025, (2, 15), (3, 15), (4, 15), (5, 15))
    assert column(model.invoices(), "amount") == [21500, 14000, 14000, 14000]  # E-OVR-04
    assert ray_invoices(model) == [("Billed", 21500), planned, planned, planned]  # E-OVR-07
    run(model, date(2025, 2, 2), date(2025, 2, 15), days_in)
    assert ray_invoices(model) == [("Due", 21500), planned, planned, planned]  # E-OVR-08
    run(model, date(2025, 2, 16), date(2025, 2, 20), days_in)
    assert ray_invoices(model) == [("Due", 0), planned, planned, planned]  # E-OVR-09
    run(model, date(2025, 2, 21), date(2025, 4, 1), days_in)
    assert ray_invoices(model) == [("Due", 0), ("Due", 0), ("Billed", 14000), planned]  # E-OVR-10
    run(model, date(2025, 4, 2), date(2025, 5, 20), days_in)
    assert ray_invoices(model) == [("Due", 0)] * 4  # E-OVR-11


def test_e_ovr_06_placed_before_they_are_billed() -> None:
    model, days_in = ray_newton(), ray_inbox()
    model.close(date(2025, 1, 31), days_in[date(2025, 2, 1)])
    assert ray_invoices(model) == [("Planned", 21500)] + [("Planned", 14000)] * 3


def test_d_01_ray_newton_balances() -> None:
    model, days_in = ray_newton(), ray_inbox()
    fixed = {"Premium Unearned": 60000, "Tax Expense": 2500, "Tax Revenue": 2500, "Tax Reserve": 2500}
    fixed["Fee Revenue"] = 1000
    model.close(date(2025, 1, 31), days_in[date(2025, 2, 1)])
    assert ray_balances(model) == fixed | {"Premium Unbilled": 60000, "Tax Unbilled": 2500, "Fee Unbilled": 1000}
    model.close(date(2025, 2, 1), {})
    billed = {"Premium Unbilled": 42000, "Premium Billed": 18000, "Tax Billed": 2500, "Fee Billed": 1000}
    assert ray_balances(model) == fixed | billed
    run(model, date(2025, 2, 2), date(2025, 2, 15))
    due = {"Premium Unbilled": 42000, "Premium Due": 18000, "Tax Due": 2500, "Fee Due": 1000}
    assert ray_balances(model) == fixed | due
    run(model, date(2025, 2, 16), date(2025, 2, 20), days_in)
    assert ray_balances(model) == fixed | {"Premium Unbilled": 42000, "Cash": 21500}
    run(model, date(2025, 2, 21), date(2025, 4, 1), days_in)
    assert ray_balances(model) == fixed | {"Premium Unbilled": 14000, "Premium Billed": 14000, "Cash": 35500}
    run(model, date(2025, 4, 2), date(2025, 5, 20), days_in)
    assert ray_balances(model) == fixed | {"Cash": 63500}
    lines = model.journal()
    assert len(lines) == 52
    types = Counter(line["transaction_type"] for line in lines if line["line_no"] == 1)
    assert types == {
        "InitialChargeTxn": 3,
        "ChargeBilled": 6,
        "ChargeDue": 6,
        "DirectBillMoneyReceivedTxn": 4,
        "ChargePaidFromAccount": 6,
    }


def test_d_07_early_payment() -> None:
    """Paid before billing: Due goes negative, and billing posts the full item all the same (R-LED-26)."""
    model = Model(carrier({"plan": RAY_PLAN}, lag=0, allocation={"filters": []}))
    issuance = issue(date(2025, 2, 1), date(2025, 8, 1))
    model.close(date(2025, 1, 20), inbox([issuance], ("Premium", 60000), payments=[payment("X", 60000)]))
    some = {"Premium Unearned": 60000, "Cash": 60000}
    assert ray_balances(model) == some | {"Premium Unbilled": 60000, "Premium Due": -60000}
    run(model, date(2025, 1, 21), date(2025, 2, 1))
    assert ray_balances(model) == some | {"Premium Unbilled": 42000, "Premium Billed": 18000, "Premium Due": -60000}
    run(model, date(2025, 2, 2), date(2025, 2, 15))
    assert ray_balances(model) == some | {"Premium Unbilled": 42000, "Premium Due": -42000}


# ------------------------------------------------------------------------------------ E-CI: streams and cadence


def test_e_ci_01_03_04_cadences() -> None:
    def first(cadence: Cadence, start: date, count: int) -> list[date]:
        dates = cadence.dates_from(start)
        return [next(dates) for _ in range(count)]

    assert first(Cadence((15,)), date(2025, 1, 1), 3) == days(2025, (1, 15), (2, 15), (3, 15))
    assert first(Cadence((11,)), date(2025, 11, 11), 3) == [*days(2025, (11, 11), (12, 11)), date(2026, 1, 11)]
    assert first(Cadence((31,)), date(2025, 1, 1), 4) == days(2025, (1, 31), (2, 28), (3, 31), (4, 30))
    assert first(Cadence((31,)), date(2024, 2, 1), 1) == [date(2024, 2, 29)]


def test_e_ci_02_account_level_streams() -> None:
    model = Model(carrier({"plan": plan(), "weekly": plan(interval="every_week")}, account=ACCOUNT_LEVEL))
    rows = [issue(date(2025, 1, 1), date(2026, 1, 1), instruction_id=i, policy_id=p) for i, p in ("aA", "bB", "cC")]
    rows[2]["payment_plan"] = "weekly"
    model.close(date(2025, 1, 1), inbox(rows, *[(row["instruction_id"], "Premium", 9000) for row in rows]))
    assert column(model.streams(), "periodicity") == ["monthly", "weekly"]
    assert set(column(model.items(), "policy_id", bill_date=date(2025, 2, 1))) == {"A", "B"}


def test_e_ci_05_existing_and_new_invoice() -> None:
    start = date(2025, 1, 15)
    model = issued(plan(max_installments=4, one_time_timing=(0, "charge_effective_date")), start, date(2026, 1, 15))
    changes = [
        instruction("general", day, instruction_id=f"G{day.month}") for day in (date(2025, 4, 15), date(2025, 5, 15))
    ]
    assert len(model.invoices()) == 4
    model.close(date(2025, 1, 16), inbox(changes, ("G4", "Tax", 100), ("G5", "Tax", 200)))
    assert column(model.invoices(), "bill_date") == days(2025, (1, 15), (2, 15), (3, 15), (4, 15), (5, 15))
    assert column(model.items(), "bill_date", item_type="onetime") == days(2025, (4, 15), (5, 15))


# ------------------------------------------------------------------------------------ E-CI: event dates


def test_e_ci_06_one_time_before_effective_date() -> None:
    model = issued(plan(one_time_timing=(-30, "policy_effective_date")), date(2025, 1, 1), date(2026, 1, 1), ("Tax", 5))
    assert column(model.items(), "event_date") == [date(2024, 12, 2)]


def test_e_ci_07_down_payment() -> None:
    down = plan(has_down_payment=True, down_payment_percent=25, down_payment_timing=(-21, "policy_effective_date"))
    model = issued(down, date(2025, 1, 1), date(2026, 1, 1), received=date(2024, 12, 1))
    deposit = model.items()[0]
    assert (deposit["item_type"], deposit["event_date"], deposit["amount"]) == ("deposit", date(2024, 12, 11), 25000)


def test_e_ci_08_13_first_installment() -> None:
    model = issued(plan(first_installment_timing=(10, "policy_effective_date")), date(2025, 1, 1), date(2026, 1, 1))
    assert column(model.items(), "event_date")[:3] == days(2025, (1, 11), (2, 11), (3, 11))
    assert column(model.items(), "bill_date")[:2] == days(2025, (1, 11), (2, 11))


def test_e_ci_09_references() -> None:
    dates = date(2024, 12, 10), date(2025, 1, 20), date(2025, 1, 1)  # charge, charge effective, policy effective
    assert resolve_timing((0, "charge_date"), "monthly", *dates) == date(2024, 12, 10)
    assert resolve_timing((5, "charge_effective_date"), "monthly", *dates) == date(2025, 1, 25)
    assert resolve_timing((-15, "policy_effective_date"), "monthly", *dates) == date(2024, 12, 17)
    assert resolve_timing((7, "one_interval_after_policy_effective_date"), "monthly", *dates) == date(2025, 2, 8)
    assert resolve_timing((0, "one_interval_after_charge_effective_date"), "quarterly", *dates) == date(2025, 4, 20)


def test_e_ci_10_down_payment_beside_the_cadence() -> None:
    down = plan(
        has_down_payment=True,
        down_payment_percent=20,
        down_payment_timing=(0, "charge_date"),
        first_installment_timing=(0, "policy_effective_date"),
    )
    model = issued(down, date(2025, 3, 15), date(2026, 3, 15), received=date(2025, 3, 10))
    assert column(model.items(), "event_date")[:3] == days(2025, (3, 10), (3, 15), (4, 15))


def test_e_ci_12_account_level_snaps() -> None:
    model = issued(plan(), date(2025, 1, 1), date(2026, 1, 1), account={**ACCOUNT_LEVEL, "invoice_day_of_month": 19})
    assert column(model.items(), "event_date")[:3] == days(2025, (1, 19), (2, 19), (3, 19))


# ------------------------------------------------------------------------------------ E-CI: counts and blackout


@pytest.mark.parametrize(
    ("name", "end", "blackout", "most", "convention", "expected"),
    [
        ("E-CI-14", date(2025, 7, 1), None, 12, "exclusive", 7),
        ("E-CI-14", date(2025, 7, 1), 45, 12, "exclusive", 5),
        ("E-CI-15", date(2025, 7, 1), -45, 12, "exclusive", 8),
        ("E-CI-16", date(2025, 6, 1), None, 12, "exclusive", 6),
        ("E-CI-16", date(2025, 6, 1), 45, 12, "exclusive", 4),
        ("E-CI-17", date(2025, 6, 1), -45, 12, "exclusive", 7),
        ("E-CI-18", date(2025, 12, 31), 30, 8, "exclusive", 8),
        ("E-CI-19", date(2025, 6, 30), 30, 8, "exclusive", 5),
        ("E-CI-19", date(2025, 6, 30), 30, 8, "inclusive_last_day", 6),
    ],
)
def test_e_ci_14_to_19_blackout(
    name: str, end: date, blackout: int | None, most: int, convention: str, expected: int
) -> None:
    limited = plan(blackout_days=blackout, blackout_basis="billed", max_installments=most)
    model = issued(limited, date(2025, 1, 1), end, convention=convention)
    assert len(model.items()) == expected, name
    assert column(model.invoices(), "bill_date") == [date(2025, month, 1) for month in range(1, expected + 1)]


def test_blackout_by_due_date() -> None:
    """Basis Due looks at the due date of the invoice: lead 10, limit May 17, so May 1 / May 11 still fits."""
    limited = plan(blackout_days=45, blackout_basis="due")
    assert len(issued(limited, date(2025, 1, 1), date(2025, 7, 1)).items()) == 5
    assert len(issued(limited, date(2025, 1, 1), date(2025, 7, 1), billing={"lead_time_days": 20}).items()) == 4


def test_r_ci_36_blackout_leaves_no_slot() -> None:
    model = issued(plan(blackout_days=400, blackout_basis="billed"), date(2025, 1, 1), date(2026, 1, 1))
    assert [(row["amount"], row["blackout_violation"]) for row in model.items()] == [(100000, True)]


# ------------------------------------------------------------------------------------ E-CI: amounts


def test_e_ci_20_21_24_25_amounts() -> None:
    down = {"has_down_payment": True, "down_payment_percent": 25, "down_payment_timing": (0, "charge_date")}
    model = issued(plan(**down, max_installments=5), date(2025, 1, 1), date(2026, 1, 1))
    assert column(model.items(), "amount") == [25000] + [15000] * 5
    model = issued(plan(max_installments=4), date(2025, 1, 1), date(2026, 1, 1), ("Premium", 40000))
    assert column(model.invoices(), "amount") == [10000] * 4


@pytest.mark.parametrize(
    ("treatment", "extra"),
    [
        ("overweight_from_front", [1, 1, 1, 0, 0]),
        ("overweight_from_back", [0, 0, 1, 1, 1]),
        ("overweight_first", [3, 0, 0, 0, 0]),
        ("overweight_last", [0, 0, 0, 0, 3]),
    ],
)
def test_e_ci_23_remainder(treatment: str, extra: list[int]) -> None:
    assert installment_amounts(10003, 5, treatment) == [2000 + cents for cents in extra]


def test_d_1_and_d_2_remainders() -> None:
    assert installment_amounts(-10000, 3, "overweight_from_front") == [-3333, -3333, -3334]
    assert installment_amounts(100000, 3, "overweight_from_front") == [33334, 33333, 33333]
    assert installment_amounts(100000, 3, "overweight_last") == [33333, 33333, 33334]


def test_r_ci_32_percentages_round_half_away_from_zero() -> None:
    assert [percent_of(50, 5), percent_of(-50, 5), percent_of(10, "12.5")] == [3, -3, 1]


# ------------------------------------------------------------------------------------ E-CI-22: out of sequence


@pytest.mark.parametrize(
    ("interval", "first", "second", "expected"),
    [
        (
            "monthly",
            (0, "charge_date"),
            (0, "policy_effective_date"),
            [date(2024, 12, 10), *days(2025, (1, 1), (2, 1))],
        ),
        ("monthly", (0, "policy_effective_date"), (10, "policy_effective_date"), days(2025, (1, 1), (1, 11), (2, 11))),
        (
            "every_week",
            (15, "policy_effective_date"),
            (15, "policy_effective_date"),
            days(2025, (1, 16), (1, 16), (1, 23), (1, 30)),
        ),
    ],
)
def test_e_ci_22_out_of_sequence(interval: str, first: Any, second: Any, expected: list[date]) -> None:
    oos = plan(
        interval=interval,
        out_of_sequence_first_installment=True,
        first_installment_timing=first,
        second_installment_timing=second,
    )
    model = issued(oos, date(2025, 1, 1), date(2026, 1, 1), received=date(2024, 12, 10))
    assert column(model.items(), "event_date")[: len(expected)] == expected
    if interval == "monthly":  # anchored on the second: both on its invoice unless an earlier date is available
        bills = column(model.items(), "bill_date")[:2]
        assert bills == ([date(2025, 1, 1)] * 2 if first[1] == "charge_date" else [date(2025, 1, 11)] * 2)


# ------------------------------------------------------------------------------------ E-CI-26..29, E-INV


def test_e_ci_26_approaches() -> None:
    three = plan(
        has_down_payment=True,
        down_payment_percent=10,
        down_payment_timing=(-5, "policy_effective_date"),
        first_installment_timing=(10, "policy_effective_date"),
        max_installments=2,
    )
    charges = [("Premium", 10000), ("Premium Deposit", 500), ("Premium Single", 700)]
    model = issued(three, date(2025, 2, 1), date(2026, 2, 1), *charges, received=date(2025, 1, 1))
    rows = [(row["charge_no"], row["item_type"], row["event_date"], row["amount"]) for row in model.items()]
    assert rows == [
        (1, "deposit", date(2025, 1, 27), 1000),
        (1, "installment", date(2025, 2, 11), 4500),
        (1, "installment", date(2025, 3, 11), 4500),
        (2, "deposit", date(2025, 1, 27), 500),
        (3, "installment", date(2025, 2, 11), 700),
    ]


def test_e_ci_27_and_e_inv_02_lead_time() -> None:
    model = issued(plan(), date(2025, 3, 12), date(2026, 3, 12))
    assert column(model.invoices(), "bill_date")[:3] == days(2025, (3, 12), (4, 12), (5, 12))
    assert column(model.invoices(), "due_date")[:3] == days(2025, (3, 22), (4, 22), (5, 22))


def test_e_inv_01_account_level_bill_date() -> None:
    model = issued(plan(), date(2025, 1, 1), date(2026, 1, 1), account={**ACCOUNT_LEVEL, "invoice_day_of_month": 12})
    assert (model.invoices()[0]["bill_date"], model.invoices()[0]["due_date"]) == (date(2025, 1, 12), date(2025, 1, 22))


@pytest.mark.parametrize(("cutoff", "bill"), [("bill_date", date(2025, 3, 10)), ("due_date", date(2025, 2, 10))])
def test_e_inv_03_cutoff(cutoff: str, bill: date) -> None:
    one_time = plan(item_placement_cutoff=cutoff, one_time_timing=(0, "policy_effective_date"))
    account = {**ACCOUNT_LEVEL, "invoice_day_of_month": 10}
    received = date(2025, 1, 5)
    model = issued(one_time, date(2025, 2, 15), date(2026, 2, 15), ("Tax", 500), received=received, account=account)
    assert column(model.items(), "bill_date") == [bill]


@pytest.mark.parametrize("year", [2025, 2024])
def test_e_ci_28_alignment_off(year: int) -> None:
    off = plan(align_installments=False, max_installments=8)
    end_of_february = date(year, 3, 1) - timedelta(days=1)
    model = issued(off, date(year, 1, 31), date(year + 1, 1, 31), account={"invoice_day_of_month": 30})
    events = [date(year, 1, 31), end_of_february, *days(year, (3, 31), (4, 30), (5, 31), (6, 30), (7, 31), (8, 31))]
    assert column(model.items(), "event_date") == events
    bills = [end_of_february] * 2 + days(year, (4, 30), (4, 30), (6, 30), (6, 30), (8, 30), (9, 30))
    assert column(model.items(), "bill_date") == bills


def test_e_ci_29_alignment_off_same_day() -> None:
    off = plan(align_installments=False, first_installment_timing=(9, "policy_effective_date"))
    model = issued(off, date(2025, 1, 1), date(2026, 1, 1), account={"invoice_day_of_month": 10})
    expected = days(2025, (1, 10), (2, 10), (3, 10))
    assert column(model.items(), "event_date")[:3] == column(model.items(), "bill_date")[:3] == expected


def test_d_3_policy_level_due_date_mode() -> None:
    due = plan(fix_invoices_on="due_date", first_installment_timing=(10, "policy_effective_date"))
    model = issued(due, date(2025, 1, 1), date(2026, 1, 1))
    item = model.items()[0]
    assert [item["event_date"], item["bill_date"], item["due_date"]] == days(2025, (1, 11), (2, 1), (2, 11))


def test_d_4_quarterly_and_monthly_share_a_stream() -> None:
    plans = {"plan": plan(), "quarterly": plan(interval="quarterly")}
    model = Model(carrier(plans, account={**ACCOUNT_LEVEL, "invoice_day_of_month": 19}))
    rows = [issue(date(2025, 1, 1), date(2026, 1, 1), instruction_id=i, policy_id=p) for i, p in ("aA", "bB")]
    rows[1]["payment_plan"] = "quarterly"
    model.close(date(2025, 1, 1), inbox(rows, ("a", "Premium", 12000), ("b", "Premium", 12000)))
    assert column(model.streams(), "periodicity") == ["monthly"]
    assert column(model.items(), "event_date", policy_id="B")[:3] == days(2025, (1, 19), (4, 19), (7, 19))


def test_d_5_due_the_day_after() -> None:
    model = issued(plan(), date(2025, 3, 12), date(2026, 3, 12))
    run(model, date(2025, 3, 13), date(2025, 3, 22))
    assert model.invoices()[0]["status"] == "Billed"
    model.close(date(2025, 3, 23), {})
    assert model.invoices()[0]["status"] == "Due"


def test_d_bp_1_due_day_logic_and_business_lead() -> None:
    business = BusinessCalendar([1, 2, 3, 4, 5], [date(2015, 12, 25)])
    christmas = date(2015, 12, 25)
    assert business.adjust(christmas, "exact_day") == christmas
    assert business.adjust(christmas, "next_business_day") == date(2015, 12, 28)
    assert business.adjust(christmas, "previous_business_day") == date(2015, 12, 24)
    assert business.add_lead(date(2015, 12, 24), 1, "business_days") == date(2015, 12, 28)
    assert business.add_lead(date(2015, 12, 28), -1, "business_days") == date(2015, 12, 24)


# ------------------------------------------------------------------------------------ plans, overrides, past dates


def test_d_pp_1_sample_plan() -> None:
    sample = plan(
        has_down_payment=True,
        down_payment_percent=10,
        down_payment_timing=(-25, "policy_effective_date"),
        max_installments=9,
        first_installment_timing=(0, "one_interval_after_policy_effective_date"),
        one_time_timing=(-25, "policy_effective_date"),
        blackout_days=30,
        blackout_basis="billed",
    )
    charges = [("Premium", 120000), ("Tax", 6000)]
    model = issued(sample, date(2016, 1, 1), date(2017, 1, 1), *charges, received=date(2015, 11, 20))
    rows = [(row["item_type"], row["event_date"], row["amount"]) for row in model.items()]
    installments = [("installment", date(2016, month, 1), 12000) for month in range(2, 11)]
    assert rows == [("deposit", date(2015, 12, 7), 12000), *installments, ("onetime", date(2015, 12, 7), 6000)]
    sample["max_installments"] = 99
    model = issued(sample, date(2016, 1, 1), date(2017, 1, 1), received=date(2015, 11, 20))
    assert len(column(model.items(), "amount", item_type="installment")) == 11


def test_d_pp_2_out_of_sequence() -> None:
    oos = plan(
        max_installments=9,
        first_installment_timing=(0, "one_interval_after_policy_effective_date"),
        out_of_sequence_first_installment=True,
        second_installment_timing=(0, "one_interval_after_charge_effective_date"),
    )
    model = issued(oos, date(2016, 1, 1), date(2017, 1, 1), ("Premium", 120000))
    assert column(model.items(), "event_date") == [date(2016, 2, 1)] + [date(2016, month, 1) for month in range(2, 10)]
    assert column(model.items(), "amount") == [13334] * 3 + [13333] * 6
    assert len(column(model.items(), "bill_date", bill_date=date(2016, 2, 1))) == 2


def test_e_ci_30_31_overrides() -> None:
    down = {"has_down_payment": True, "down_payment_percent": 20, "down_payment_timing": (0, "charge_effective_date")}
    none = {"has_down_payment": False}
    continuous = plan(**down, overrides={"renewal": none, "policy_change": none})
    model = issued(continuous, date(2025, 1, 1), date(2026, 1, 1))
    change = instruction("policy_change", date(2025, 1, 1), instruction_id="same day")
    same_as_plan = {"max_installments": 12}  # else it is split like the issuance (R-PO-5)
    later = instruction("policy_change", date(2025, 1, 2), instruction_id="later", modifiers=same_as_plan)
    model.close(date(2025, 1, 5), inbox([change, later], ("same day", "Premium", 1000), ("later", "Premium", 1000)))
    start, end = date(2026, 1, 1), date(2027, 1, 1)
    renewal = instruction("renewal", start, period_start=start, period_end=end, payment_plan="plan")
    model.close(date(2025, 1, 6), inbox([renewal], ("Premium", 100000)))
    assert [row["instruction_id"] for row in model.items() if row["item_type"] == "deposit"] == [
        "I-issuance",
        "same day",
    ]
    assert column(model.items(), "term_number", instruction_id="I-renewal")[0] == 2
    assert len(model.streams()) == 1
    with pytest.raises(ValueError, match="R-CI-30"):
        effective_plan(plan(**down, overrides={"general": {"out_of_sequence_first_installment": True}}), "general")


def test_e_itm_11_past_dates_land_on_the_first_available_invoice() -> None:
    model = issued(plan(), date(2025, 1, 10), date(2026, 1, 10), received=date(2025, 4, 1))
    assert column(model.items(), "bill_date")[:5] == [date(2025, 4, 10)] * 4 + [date(2025, 5, 10)]


def test_e_itm_01_payer_per_charge() -> None:
    model = Model(carrier())
    charges = [("I-issuance", "Premium", 9000), ("I-issuance", "Tax", 300, "COMPANY")]
    day = inbox([issue(date(2025, 1, 1), date(2026, 1, 1))], *charges)
    model.close(date(2025, 1, 1), day | {"accounts": [{"account_id": "COMPANY"}]})
    assert set(column(model.items(), "account_id", charge_no=1)) == {"A1"}
    assert column(model.items(), "account_id", charge_no=2) == ["COMPANY"]
    assert column(model.charges(), "owner_account_id") == ["A1", "A1"]


def test_account_level_charge() -> None:
    model = Model(carrier(account={"invoice_day_of_month": 20}))
    model.close(date(2025, 1, 5), inbox([instruction("account_general", date(2025, 1, 5))], ("Account Fee", 700)))
    item = model.items()[0]
    assert (item["item_type"], item["event_date"], item["bill_date"]) == (
        "onetime",
        date(2025, 1, 5),
        date(2025, 1, 20),
    )
    assert column(model.streams(), "policy_id") == [None]


def test_d_fe_1_invoicing_fee() -> None:
    down = {"has_down_payment": True, "down_payment_percent": 10, "down_payment_timing": (-31, "policy_effective_date")}
    fee = plan(**down, max_installments=2, fee_amount=500, skip_fee_for_down_payments=True)
    model = issued(fee, date(2025, 2, 1), date(2026, 2, 1), received=date(2025, 1, 1))
    run(model, date(2025, 1, 2), date(2025, 3, 31))
    assert column(model.invoices(), "amount") == [10000, 45500, 45500]
    fees = [row for row in model.charges() if row["context"] == "invoicing_fee"]
    assert [(row["charge_date"], row["owner_id"]) for row in fees] == [
        (day, "P1/1") for day in days(2025, (2, 1), (3, 1))
    ]
    model = issued(fee, date(2025, 2, 1), date(2026, 2, 1), billing={"skip_installment_fees": True})
    assert sum(column(model.invoices(), "amount")) == 100000


# ------------------------------------------------------------------------------------ E-DST, D-DST


def stub_items(*rows: tuple[Any, ...]) -> list[Item]:
    """Items without a model: (amount, event date, priority, status)."""
    account = Account("A", {}, {}, {})
    stream = Stream(account, None, "monthly", Cadence((1,)), "bill_date")
    items = []
    missing = (0, date(2025, 1, 10), "medium", "Billed")
    for number, row in enumerate(rows, start=1):
        amount, event_date, priority, status = list(row) + list(missing[len(row) :])
        invoice = Invoice(stream, event_date, event_date, event_date, status)
        data = {"subtype": "pro_rata", "priority": priority}
        charge = Charge("I", number, "Premium", data, amount, date(2025, 1, 1), event_date, account, None, account, "x")
        items.append(Item(charge, 1, "onetime", event_date, amount, invoice))
    return items


def paid(items: list[Item], money: int, orders: tuple[str, ...] = ("event_date", "charge_pattern")) -> list[int]:
    """What the items got."""
    distribute(items, {"filters": [], "orders": list(orders)}, Association(), money)
    return [item.paid for item in items]


def test_d_dst_distribution() -> None:
    assert paid(stub_items((6000,), (3600,), (2400,)), 10000) == [5000, 3000, 2000]  # E-DST-03, D-DST-01
    assert paid(stub_items((4000,), (4000,), (4000,)), 10000) == [3334, 3333, 3333]  # D-DST-02
    first, second = date(2025, 1, 10), date(2025, 2, 10)
    rows = [(2000, first, "high"), (5000, first, "medium"), (3000, first, "medium"), (4000, second, "high")]
    assert paid(stub_items(*rows), 6000) == [2000, 2500, 1500, 0]  # D-DST-03, E-DST-02
    assert paid(stub_items((10000,), (-4000,)), 0) == [4000, -4000]  # E-DST-01
    assert paid(stub_items((10000,), (-4000,)), 5000) == [9000, -4000]  # D-DST-04
    assert paid(stub_items((6000,), (3600,), (2400,)), 15000) == [6000, 3600, 2400]  # D-DST-06
    assert paid(stub_items((-5000,), (-3000,), (4000,)), 0) == [-2500, -1500, 4000]  # credits pay in order too


def test_d_dst_05_spread_excess_even() -> None:
    day = date(2025, 1, 10)
    rows = [(5000, day, "medium", "Due")] + [(amount, day, "medium", "Planned") for amount in (2000, 5000, 6000)]
    assert paid(stub_items(*rows), 15000, ("event_date", "spread_excess_even")) == [5000, 2000, 4000, 4000]
    items = stub_items(*rows[1:])
    shares = share_in_order(1000, items, ["spread_excess_even"], Association())
    assert [amount for _, amount in shares] == [334, 333, 333]


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (("billed_status",), [0, 100, 0]),
        (("reverse_event_date",), [0, 0, 100]),
        (("reverse_billed_date",), [0, 0, 100]),
        (("billed_date",), [100, 0, 0]),
        (("recapture_charges", "charge_pattern"), [0, 0, 100]),
        (("invoice",), [100, 0, 0]),
    ],
)
def test_e_pap_01_orders(orders: tuple[str, ...], expected: list[int]) -> None:
    rows = [(100, date(2025, 1, 1), "low", "Billed"), (100, date(2025, 2, 1), "medium", "Due")]
    assert paid(stub_items(*rows, (100, date(2025, 3, 1), "high", "Planned")), 100, orders) == expected


def two_policies(**account: Any) -> Model:
    """Policies A and B of account A1, one installment of 100.00 each, billed on Jan 1."""
    model = Model(carrier({"plan": plan(max_installments=1)}, account=account))
    rows = [issue(date(2025, 1, 1), date(2026, 1, 1), instruction_id=i, policy_id=p) for i, p in ("aA", "bB")]
    model.close(date(2025, 1, 1), inbox(rows, ("a", "Premium", 10000), ("b", "Premium", 10000)))
    return model


def test_r_bl_funds_by_billing_level() -> None:
    model = two_policies()
    model.close(date(2025, 1, 2), inbox([], payments=[payment("1", 15000, policy_id="A"), payment("2", 3000)]))
    assert [row["balance"] for row in model.funds()] == [0, 5000, 0]  # A's fund keeps its excess; default pays B
    assert column(model.items(), "paid") == [10000, 3000]
    model = two_policies(separate_funds_by="account")
    model.close(date(2025, 1, 2), inbox([], payments=[payment("1", 15000, policy_id="A")]))
    assert column(model.items(), "paid") == [10000, 0]  # the plan's Policy Period filter holds for the payment
    assert [row["balance"] for row in model.funds()] == [5000]
    run(model, date(2025, 1, 3), date(2025, 1, 12))
    assert column(model.items(), "paid") == [10000, 5000]  # and no more when the invoices become due


def test_payment_for_an_invoice_and_payment_without_distribution() -> None:
    model = two_policies(separate_funds_by="account")
    keys = column(model.invoices(), "invoice_key")
    received = [payment("1", 6000, None, invoice_id=keys[1]), payment("2", 1000, distribute="none")]
    model.close(date(2025, 1, 2), inbox([], payments=received))
    assert column(model.items(), "paid") == [0, 6000]
    assert [row["balance"] for row in model.funds()] == [1000]


def test_suspense_and_duplicates() -> None:
    model = two_policies()
    rows = [payment("1", 500, "NOBODY"), payment("2", 600, policy_id="NONE"), payment("3", 700, None)]
    model.close(date(2025, 1, 2), inbox([], payments=rows))
    model.close(date(2025, 1, 3), inbox([], payments=rows))
    assert column(model.payments(), "status") == ["suspended", "executed", "suspended"]
    balances = model.balances()
    assert balances["SuspensePayment", "1", "Unapplied", None] == 500
    assert sum(amount for key, amount in balances.items() if key[2] == "Suspense") == 600  # R-SUS-01


def test_negative_charge_swaps_sides_and_pays_when_billed() -> None:
    model = issued(plan(max_installments=2), date(2025, 1, 1), date(2026, 1, 1), ("Premium", 20000))
    cancel = instruction("cancellation", date(2025, 1, 15))
    model.close(date(2025, 1, 20), inbox([cancel], ("Premium", -5000)))
    first = [line for line in model.journal() if line["instruction_id"] == "I-cancellation"][:2]
    assert [(line["side"], line["t_account"]) for line in first] == [
        ("D", "Premium Unearned"),
        ("C", "Premium Unbilled"),
    ]
    run(model, date(2025, 1, 21), date(2025, 2, 1))
    assert column(model.items(), "paid", instruction_id="I-cancellation") == [-2500, -2500]
    assert model.periods()[0]["status"] == "cancelled"


def test_earning() -> None:
    model = issued(plan(), date(2025, 1, 1), date(2025, 1, 4), ("Premium", 100), earning="daily")
    assert model.charges()[0]["earned"] == 33
    run(model, date(2025, 1, 2), date(2025, 1, 9))
    earned = [line["amount"] for line in model.journal() if line["transaction_type"] == "ProRataChargeEarned"][::2]
    assert earned == [33, 34, 33]
    model = issued(plan(), date(2025, 1, 1), date(2025, 4, 1), ("Premium", 9000), earning="month_end")
    run(model, date(2025, 1, 2), date(2025, 2, 27))
    assert model.charges()[0]["earned"] == 3100


def test_rejected_instructions_leave_nothing() -> None:
    model = two_policies()
    before = model.journal()
    rows = [
        instruction("renewal", date(2025, 1, 1), instruction_id="1", policy_id="X"),
        instruction("policy_change", date(2025, 1, 1), instruction_id="2", policy_id="X"),
        issue(date(2025, 1, 1), date(2026, 1, 1), instruction_id="3", policy_id="A"),
        instruction("account_general", date(2025, 1, 1), instruction_id="4", policy_id=None),
    ]
    model.close(date(2025, 1, 2), inbox(rows, ("1", "Premium", 1), ("4", "Premium", 1)))
    refused = [row["record_id"] for row in model.rejects() if row["table"] == "billing_instructions"]
    assert sorted(refused) == ["1", "2", "3", "4"]
    assert [row["record_id"] for row in model.rejects() if row["table"] == "charges"] == ["1", "4"]
    assert model.journal() == before
