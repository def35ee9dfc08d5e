"""Golden examples about who directs the money: payments, redistribution, credit distributions; on the model itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.reference.model import Model
from tests.reference.test_model import carrier, inbox, issue, payment, plan

Row = dict[str, Any]
DAY = date(2025, 1, 1)
FIRST, SECOND = "I-issuance/1#1", "I-issuance/1#2"


def book(**distribution: Any) -> Model:
    """A premium of 100.00 in two items, and on the next day a payment of 60.00 that says what it pays."""
    model = Model(carrier({"plan": plan(max_installments=2)}))
    account: Row = {"account_id": "A1", "invoice_by": "account", "separate_funds_by": "account"}
    rows = inbox([issue(DAY, date(2026, 1, 1))], ("Premium", 10000))
    model.close(DAY, rows | {"accounts": [account]})
    pay(model, 1, "M", 6000, distribution=distribution)
    return model


def pay(model: Model, days: int, number: str, amount: int, **columns: Any) -> None:
    model.close(DAY + timedelta(days), inbox([], payments=[payment(number, amount, **columns)]))


def ask(model: Model, days: int, kind: str, target: tuple[str, str], **columns: Any) -> None:
    target_type, target_id = target
    row = {"command_id": f"C{days}", "command_type": kind, "target_type": target_type, "target_id": target_id}
    model.close(DAY + timedelta(days), {"commands": [row | {"params": {}} | columns]})


def paid(model: Model) -> list[int]:
    return [item.paid for item in model.every_item()]


def fund(model: Model) -> int:
    return model.accounts["A1"].funds[None]


def to_item(reference: str, amount: int) -> Row:
    return {"target_type": "invoice_item", "target_id": reference, "amount": amount}


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        ({"allocate": [to_item(SECOND, 2000)]}, [4000, 2000]),
        ({"allocate": [to_item(FIRST, 0)], "include_only": "under_contract"}, [0, 5000]),
        ({"exclude": [FIRST], "include": [SECOND]}, [0, 5000]),
        ({"include_only": "past_due"}, [0, 0]),
        ({"include_only": "under_contract"}, [5000, 1000]),
        ({"select_is": "sub_accounts", "include_only": "under_contract"}, [0, 0]),
        ({"allocate": [to_item(SECOND, 6001)], "include_only": "past_due"}, [5000, 1000]),
        ({"include": ["no item/1#1"], "include_only": "past_due"}, [5000, 1000]),
    ],
)
def test_r_dbp_06_to_12_a_payment_pays_what_it_says(distribution: Row, expected: list[int]) -> None:
    """What cannot be followed goes by the plan, the earliest items first (R-DBP-09)."""
    assert paid(book(**distribution)) == expected


def test_r_dbp_04_what_the_default_fund_holds_is_spent_after_the_payment_itself() -> None:
    model = book(include_only="past_due")
    pay(model, 2, "N", 3000, distribution={"use_default_unapplied": True, "include_only": "under_contract"})
    assert (sum(paid(model)), fund(model)) == (9000, 0)
    assert [row["distributed"] for row in model.payments()] == [0, 3000]


def test_r_pmv_13_a_payment_pays_anew_as_it_is_said() -> None:
    model = book()
    ask(model, 2, "modify_payment_distribution", ("payment", "M"), params={"allocate": [to_item(SECOND, 4500)]})
    assert (paid(model), fund(model)) == ([1500, 4500], 0)


def test_r_pmv_10_another_amount_is_a_new_version_that_has_paid_nothing() -> None:
    model = book()
    ask(model, 2, "modify_payment_details", ("payment", "M"), amount=7000)
    assert (paid(model), fund(model)) == ([0, 0], 7000)
    assert [(row["payment_id"], row["status"]) for row in model.payments()] == [
        ("M", "superseded"),
        ("M/C2", "executed"),
    ]


def test_r_ft_7_the_latest_payment_pays_first() -> None:
    model = book(include_only="past_due")
    pay(model, 2, "N", 8000, distribute="none")
    ask(model, 3, "redistribute_payments", ("account", "A1"))
    assert [row["distributed"] for row in model.payments()] == [2000, 8000]


def test_r_cd_3_to_6_a_credit_distribution_by_hand_is_changed_and_taken_back() -> None:
    model = book(include_only="past_due")
    items = [{"item_id": SECOND, "amount": 4000}]
    ask(model, 2, "distribute_credits", ("account", "A1"), params={"items": items})
    assert (paid(model), fund(model)) == ([0, 4000], 2000)
    ask(
        model,
        3,
        "modify_credit_distribution",
        ("credit_distribution", "C2"),
        params={"items": [items[0] | {"amount": 1}]},
    )
    assert (paid(model), fund(model)) == ([0, 1], 5999)
    ask(model, 4, "reverse_credit_distribution", ("credit_distribution", "C2"))
    assert (paid(model), fund(model)) == ([0, 0], 6000)


def test_r_cd_5_an_amount_of_the_default_fund_pays_first_to_last() -> None:
    model = book(include_only="past_due")
    ask(model, 2, "distribute_default_fund", ("account", "A1"), amount=5500)
    assert (paid(model), fund(model)) == ([5000, 500], 500)
    ask(model, 3, "distribute_default_fund", ("account", "A1"), amount=501)
    assert [row["record_id"] for row in model.rejects()] == ["C3"]
