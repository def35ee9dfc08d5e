"""Worked examples of instructions, billing levels, charges and the invoicing fee."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from tests.story import Row, Story, carrier, plans, timing

JAN_1 = date(2025, 1, 1)
YEAR_END = date(2026, 1, 1)
MONTHLY = (
    'payment_interval = "monthly"\nmax_installments = 12\n'
    f"first_installment_timing = {timing('policy_effective_date')}\n"
)


def instruction(instruction_id: str, kind: str, policy_id: str | None = "P1", **more: object) -> Row:
    row: dict[str, object] = {
        "instruction_id": instruction_id,
        "instruction_type": kind,
        "account_id": "A",
        "policy_id": policy_id,
        "effective_date": JAN_1,
    }
    if kind in ("issuance", "renewal", "new_renewal", "rewrite"):
        row |= {"period_end": YEAR_END, "payment_plan": "X"}
    return row | more


def charge(instruction_id: str, amount: str = "1200.00", pattern: str = "Premium", number: int = 1) -> Row:
    return {"instruction_id": instruction_id, "charge_no": number, "charge_pattern": pattern, "amount": amount}


def story(*rows: Row, charges: tuple[Row, ...] = (), **account: object) -> Story:
    told = Story(plans(MONTHLY))
    told.land(JAN_1, accounts=[{"account_id": "A", **account}], billing_instructions=list(rows), charges=list(charges))
    return told.close_through(JAN_1)


def test_e_bi_4_issuance_makes_a_down_payment_and_installments() -> None:
    told = Story(carrier())
    told.land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        billing_instructions=[instruction("I1", "issuance", payment_plan="Monthly 10% Down")],
        charges=[charge("I1")],
    ).close_through(JAN_1)
    assert told.items()["item_type"].to_list() == ["deposit", *["installment"] * 9]


def test_e_bi_5_new_renewal_brings_a_policy_from_elsewhere() -> None:
    told = story(instruction("I1", "new_renewal"), charges=(charge("I1"),))
    assert told.book["policies"]["policy_id"].to_list() == ["P1"]
    assert told.quarantined() == []


@pytest.mark.parametrize(
    ("kind", "known", "code"),
    [
        ("renewal", False, "E-POLICY-UNKNOWN"),
        ("rewrite", False, "E-POLICY-UNKNOWN"),
        ("new_renewal", True, "E-POLICY-KNOWN"),
        ("issuance", True, "E-PERIOD-EXISTS"),
        ("policy_change", False, "E-POLICY-UNKNOWN"),
        ("cancellation", False, "E-POLICY-UNKNOWN"),
        ("reinstatement", True, "E-NOT-CANCELLED"),
    ],
)
def test_r_bi_4_and_6_the_kind_must_fit_what_is_known(kind: str, known: bool, code: str) -> None:
    told = story(*([instruction("I0", "issuance")] if known else []))
    told.land(date(2025, 1, 2), billing_instructions=[instruction("I1", kind)], charges=[charge("I1")])
    told.close_through(date(2025, 1, 2))
    assert set(told.quarantined()) == {("I1", code), ("I1", "E-INSTRUCTION-REFUSED")}
    assert told.book["charges"].is_empty()  # R-BI-16


def test_a_policy_cannot_be_cancelled_twice_nor_outside_its_term() -> None:
    told = story(instruction("I1", "issuance"))
    told.land(
        date(2025, 1, 2),
        billing_instructions=[
            instruction("C1", "cancellation", effective_date="2024-06-01"),
            instruction("C2", "cancellation", effective_date="2025-06-01", sequence=1),
            instruction("C3", "cancellation", effective_date="2025-07-01", sequence=2),
            instruction("R1", "reinstatement", effective_date="2025-06-01", sequence=3),
        ],
    ).close_through(date(2025, 1, 2))
    assert told.quarantined() == [("C1", "E-CANCELLATION-DATE"), ("C3", "E-ALREADY-CANCELLED")]
    assert told.book["policy_periods"]["status"].cast(pl.String).to_list() == ["in_force"]


def test_account_level_charge_makes_one_item_on_a_monthly_stream() -> None:
    told = story(instruction("G1", "account_general", None), charges=(charge("G1", "10.00", "Fee"),))
    assert told.items().select("item_type", "event_date", "bill_date", "period_key").rows() == [
        ("onetime", JAN_1, date(2025, 1, 15), 0)
    ]
    assert told.owner_amounts()["owner_type"].cast(pl.String).to_list() == ["Account"]


# Billing levels


def test_e_bl_3_one_designated_fund_per_policy() -> None:
    told = story(*(instruction(f"I{n}", "issuance", f"P{n}") for n in (1, 2, 3)))
    assert told.book["funds"].sort("fund_key")["policy_key"].to_list().count(0) == 1
    assert told.book["funds"].height == 4


def test_e_bl_4_and_5_a_designated_fund_pays_its_own_policy_only() -> None:
    told = story(*(instruction(f"I{n}", "issuance", f"P{n}") for n in (1, 2)), charges=(charge("I1"), charge("I2")))
    told.land(
        date(2025, 1, 2),
        payments=[{"payment_id": "M1", "amount": "250.00", "account_id": "A", "policy_id": "P2"}],
    ).close_through(date(2025, 1, 2))
    paid = told.items().filter(pl.col("paid") > 0).select("policy_key", pl.col("paid"))
    assert paid.rows() == [(2, 10000), (2, 10000)]
    assert told.balance("Designated Unapplied") == "50.00"
    told.land(date(2025, 1, 3), payments=[{"payment_id": "M2", "amount": "150.00", "account_id": "A"}])
    told.close_through(date(2025, 1, 3))
    assert told.items().filter(policy_key=1)["paid"].sum() == 15000  # E-BL-5: the default fund pays any policy


@pytest.mark.parametrize(
    ("subtype", "total"),
    [("Premium", 10000), ("Fee", 10000), ("Tax", 20000)],
)
def test_d_ac_1_lines_of_the_initial_charge(subtype: str, total: int) -> None:
    told = story(instruction("I1", "issuance"), charges=(charge("I1", "100.00", subtype),))
    lines = told.journal().filter(pl.col("transaction_type") == "InitialChargeTxn")
    assert lines.group_by("side").agg(pl.col("amount").sum()).sort("side")["amount"].to_list() == [total, total]


# Payment plans


def test_d_pp_1_sample_plan() -> None:
    told = Story(carrier())
    plan = "A Monthly 10% Down, 9 Max installments"
    told.land(
        date(2015, 12, 1),
        accounts=[{"account_id": "A", "invoice_by": "policy"}],
        billing_instructions=[
            instruction("I1", "issuance", effective_date="2016-01-01", period_end="2017-01-01", payment_plan=plan)
        ],
        charges=[charge("I1", "1200.00"), charge("I1", "60.00", "Taxes", 2)],
    ).close_through(date(2015, 12, 1))
    assert told.amounts() == ["120.00"] * 10
    assert told.dates("event_date")[0] == "2015-12-07"
    assert told.dates("event_date")[1:] == [f"2016-{month:02d}-01" for month in range(2, 11)]
    assert told.dates("event_date", "Taxes") == ["2015-12-07"]


def test_d_pp_2_out_of_sequence_plan() -> None:
    terms = (
        'payment_interval = "monthly"\nmax_installments = 9\nhas_second_installment = true\n'
        f"first_installment_timing = {timing('one_interval_after_policy_effective_date')}\n"
        f"second_installment_timing = {timing('one_interval_after_charge_effective_date')}\n"
    )
    told = Story(plans(terms))
    told.land(
        date(2016, 1, 1),
        billing_instructions=[instruction("I1", "issuance", effective_date="2016-01-01", period_end="2017-01-01")],
        charges=[charge("I1", "1200.00")],
    ).close_through(date(2016, 1, 1))
    assert told.amounts() == ["133.34"] * 3 + ["133.33"] * 6
    assert told.dates("event_date") == ["2016-02-01", *(f"2016-{month:02d}-01" for month in range(2, 10))]
    assert told.dates("bill_date")[:2] == ["2016-02-01", "2016-02-01"]


# Invoicing fee

DOWN = (
    f'has_down_payment = true\ndown_payment_percent = "10"\ndown_payment_timing = {timing("policy_effective_date")}\n'
)
LATER = (
    'payment_interval = "monthly"\nmax_installments = 9\nfee_amount = "5.00"\nskip_fee_for_down_payments = true\n'
    f"first_installment_timing = {timing('one_interval_after_policy_effective_date')}\n"
)
SAME_DAY = LATER.replace("one_interval_after_", "")
NO_FEES = ('[billing_plans."Standard"]', '[billing_plans."Standard"]\nskip_installment_fees = true')


@pytest.mark.parametrize(
    ("case", "terms", "charges", "fees"),
    [
        ("a: down payment", DOWN + LATER, [("1200", "Premium")], []),
        ("b: installment", SAME_DAY, [("1080", "Premium")], ["5.00"]),
        ("c: both", DOWN + SAME_DAY, [("1200", "Premium")], ["5.00"]),
        ("d: installment and credit", SAME_DAY, [("1080", "Premium"), ("-1080", "Premium")], []),
        ("e: tax only", SAME_DAY, [("60", "Tax")], []),
        ("f: two installments", SAME_DAY, [("450", "Premium"), ("450", "Premium")], ["5.00"]),
    ],
)
def test_d_fe_1_invoicing_fee(case: str, terms: str, charges: list[tuple[str, str]], fees: list[str]) -> None:
    told = Story(plans(terms))
    told.land(
        JAN_1,
        billing_instructions=[instruction("I1", "issuance")],
        charges=[charge("I1", amount, pattern, number) for number, (amount, pattern) in enumerate(charges, start=1)],
    ).close_through(JAN_1)
    assert told.amounts("Installment Fee") == fees, case


def test_d_fe_1_g_the_billing_plan_may_skip_the_fee() -> None:
    told = Story(plans(SAME_DAY, NO_FEES))
    told.land(JAN_1, billing_instructions=[instruction("I1", "issuance")], charges=[charge("I1", "1080")])
    assert told.close_through(JAN_1).amounts("Installment Fee") == []
