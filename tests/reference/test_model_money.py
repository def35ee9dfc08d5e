"""Golden examples of the specification about money, run on the reference model itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.reference.model import Model
from tests.reference.test_model import carrier, inbox, instruction, issue, payment, plan

Row = dict[str, Any]
DAY = date(2025, 1, 1)
END = date(2026, 1, 1)
QUARTERLY = plan(
    interval="quarterly",
    has_down_payment=True,
    down_payment_percent=40,
    down_payment_timing=(0, "policy_effective_date"),
    max_installments=3,
    first_installment_timing=(0, "one_interval_after_policy_effective_date"),
)


def credited(method: str, amount: int = -60000, **scheme: Any) -> Model:
    """A premium of 1,000.00 in 400, 200, 200, 200, and a credit on the day of issue (E-RPP-1, E-RPP-2)."""
    settings = carrier({"plan": QUARTERLY})
    schemes = [{"context": "other", "method": method} | scheme]
    settings["return_premium_plans"] = {"only": {"effective_date": date(1990, 1, 1), "schemes": schemes}}
    model = Model(settings)
    rows = [issue(DAY, END), instruction("general", DAY)]
    model.close(DAY, inbox(rows, ("I-issuance", "Premium", 100000), ("I-general", "Premium", amount)))
    return model


def left(model: Model) -> list[int]:
    """What is open of the positive items."""
    return [item.unpaid for item in model.every_item() if item.amount > 0]


@pytest.mark.parametrize(
    ("method", "remaining"),
    [
        ("first_to_last", [0, 0, 20000, 20000]),
        ("last_to_first", [40000, 0, 0, 0]),
        ("proportional", [16000, 8000, 8000, 8000]),
    ],
)
def test_e_rpp_2_a_credit_on_the_day_of_issue(method: str, remaining: list[int]) -> None:
    model = credited(method)
    assert left(model) == remaining
    assert sum(fund["balance"] for fund in model.funds()) == 0


def test_r_rpp_24_what_finds_nothing_to_pay_goes_to_the_fund_of_its_stream() -> None:
    model = credited("proportional", -120000)
    assert left(model) == [0, 0, 0, 0]
    assert {fund["policy_id"]: fund["balance"] for fund in model.funds()} == {None: 0, "P1": 20000}


def test_r_rpp_23_a_credit_may_wait_until_it_is_due() -> None:
    assert left(credited("first_to_last", allocate_timing="due")) == [40000, 20000, 20000, 20000]


def paid(**settings: Any) -> Model:
    """A premium of 400.00 on one invoice, and 500.00 received for it."""
    model = Model(
        carrier({"plan": plan(max_installments=1)}, **settings) | {"payment_reversal_fee_pattern": "Account Fee"}
    )
    model.close(DAY, inbox([issue(DAY, END)], ("Premium", 40000), payments=[payment("M", 50000, policy_id="P1")]))
    return model


def command(kind: str, target_type: str, target_id: str, **more: Any) -> Row:
    """An inbox with one command."""
    row = {"command_id": f"C-{kind}", "command_type": kind, "target_type": target_type, "target_id": target_id}
    return {"commands": [row | more]}


def balances(model: Model, name: str) -> int:
    """What is in all T-accounts of a name."""
    return sum(balance for key, balance in model.balances().items() if key[2] == name)


NSF = {"reversal_reason": "insufficient_funds"}


def test_r_pmv_05_and_07_a_payment_that_bounced_opens_what_it_paid_and_costs_a_fee() -> None:
    model = paid(billing={"payment_reversal_fee": 2500})
    assert left(model) == [0]
    model.close(DAY + timedelta(1), command("reverse_payment", "payment", "M", params=NSF))
    assert left(model) == [40000, 2500]
    assert (balances(model, "Cash"), balances(model, "Designated Unapplied")) == (0, 0)


def test_r_pmv_09_a_payment_is_reversed_once() -> None:
    model = paid()
    for day in (1, 2):
        rows = command("reverse_payment", "payment", "M", params=NSF)
        rows["commands"][0]["command_id"] = f"C{day}"
        model.close(DAY + timedelta(day), rows)
    assert [row["record_id"] for row in model.rejects()] == ["C2"]


def test_r_sus_11_and_14_what_is_set_aside_comes_back() -> None:
    model = paid()
    model.close(DAY + timedelta(1), command("create_suspense_item", "payment", "M", amount=10000))
    assert (balances(model, "Suspense"), balances(model, "Designated Unapplied")) == (10000, 0)
    model.close(DAY + timedelta(2), command("release_suspense_items", "payment", "M"))
    assert (balances(model, "Suspense"), balances(model, "Designated Unapplied")) == (0, 10000)


def test_d_10_a_write_off_and_its_reversal() -> None:
    model = Model(carrier({"plan": plan(max_installments=1)}))
    model.close(DAY, inbox([issue(DAY, END)], ("Premium", 40000)))
    model.close(DAY + timedelta(1), command("write_off", "policy", "P1", amount=1200))
    assert (left(model), balances(model, "Premium Write-Off Expense")) == ([38800], 1200)
    back = command("reverse_write_off", "policy", "P1", params={"command": "C-write_off"})
    model.close(DAY + timedelta(2), back)
    assert (left(model), balances(model, "Premium Write-Off Expense")) == ([40000], 0)


def test_e_ahc_1_and_2_goodwill_given_and_taken_back() -> None:
    model = paid()
    params = {"credit_type": "Goodwill", "default_fund": True}
    model.close(DAY + timedelta(1), command("create_ad_hoc_credit", "account", "A1", amount=10000, params=params))
    assert (balances(model, "Goodwill Credit"), balances(model, "Unapplied")) == (10000, 10000)
    model.close(DAY + timedelta(2), command("reverse_ad_hoc_credit", "ad_hoc_credit", "C-create_ad_hoc_credit"))
    assert (balances(model, "Goodwill Credit"), balances(model, "Unapplied")) == (0, 0)


def test_r_dsb_6_a_disbursement_is_paid_on_its_day_if_the_fund_has_enough() -> None:
    model = paid()
    params = {"due_date": DAY + timedelta(2), "fund_policy_id": "P1"}
    asked = command("create_disbursement", "account", "A1", amount=10000, reason="overpaid", params=params)
    model.close(DAY + timedelta(1), asked)
    assert balances(model, "Cash") == 50000
    model.close(DAY + timedelta(2), {})
    assert (balances(model, "Cash"), balances(model, "Designated Unapplied")) == (40000, 0)
    model.close(DAY + timedelta(3), command("void_disbursement", "disbursement", "C-create_disbursement"))
    assert (balances(model, "Cash"), balances(model, "Designated Unapplied")) == (50000, 10000)


def test_r_cls_01_a_period_closes_when_nothing_is_left_of_it_and_opens_when_something_happens() -> None:
    model = Model(carrier({"plan": plan(max_installments=1)}, earning="daily"))
    over = DAY + timedelta(20)
    rows = inbox([issue(DAY, over)], ("Premium", 40000), payments=[payment("M", 40000, policy_id="P1")])
    model.close(DAY, rows)
    for days in range(1, 22):
        model.close(DAY + timedelta(days), {})
        assert model.periods()[0]["closed_date"] == (over + timedelta(1) if days == 21 else None)
    model.close(DAY + timedelta(22), command("reverse_payment", "payment", "M", params=NSF))
    assert model.periods()[0]["closed_date"] is None


def test_e_sus_03_money_of_an_account_that_appears_later_is_applied_then() -> None:
    model = Model(carrier({"plan": plan(max_installments=1)}))
    model.close(DAY, {"payments": [payment("M", 6000, "A1")]})
    assert (balances(model, "Unapplied"), model.funds()) == (6000, [])
    model.close(DAY + timedelta(1), inbox([issue(DAY, END)], ("Premium", 5000)))
    statuses = {row["payment_id"]: row["status"] for row in model.payments()}
    assert statuses == {"M": "applied", "M/applied": "executed"}
    assert (left(model), balances(model, "Unapplied"), balances(model, "Cash")) == ([0], 1000, 6000)


def test_d_sus_01_sent_back_then_bounced() -> None:
    model = Model(carrier())
    model.close(DAY, {"payments": [payment("M", 50000, None)]})
    asked = {"params": {"due_date": DAY + timedelta(1)}, "reason": "nobody knows whose"}
    model.close(DAY + timedelta(1), command("disburse_suspense_payment", "payment", "M", **asked))
    assert balances(model, "Unapplied") == 0
    model.close(DAY + timedelta(2), command("reverse_payment", "payment", "M", params=NSF))
    assert (balances(model, "Unapplied"), balances(model, "Cash")) == (-50000, -50000)


@pytest.mark.parametrize(("amounts", "remaining"), [((6000, 4000), 0), ((6000, 5000), 10000)])
def test_d_trf_01_a_transfer_takes_all_its_targets_or_none(amounts: tuple[int, ...], remaining: int) -> None:
    model = Model(carrier())
    accounts = [{"account_id": name} for name in ("A1", "B1")]
    model.close(DAY, {"accounts": accounts, "payments": [payment("M", 10000)]})
    targets = [{"account_id": "B1", "amount": amount, "reason": "asked for"} for amount in amounts]
    model.close(DAY + timedelta(1), command("transfer_funds", "account", "A1", params={"targets": targets}))
    assert {row["account_id"]: row["balance"] for row in model.funds()} == {"A1": remaining, "B1": 10000 - remaining}


def test_e_ahc_3_and_r_dsb_3_what_is_above_a_limit_waits_for_who_may() -> None:
    users = {"clerk": {"profile": "Low", "supervisor": "lead", "may_credit": True}}
    users |= {"lead": {"profile": "Low", "supervisor": "boss"}, "boss": {}}
    limits = {"users": users, "authority_profiles": {"Low": {"Goodwill Credit": 5000}}}
    model = Model(carrier() | limits)
    model.close(DAY, {"accounts": [{"account_id": "A1"}]})
    given = {"amount": 5001, "params": {"credit_type": "Goodwill"}, "requested_by": "clerk"}
    model.close(DAY + timedelta(1), command("create_ad_hoc_credit", "account", "A1", **given))
    assert (model.approvals[0]["assigned_to"], balances(model, "Unapplied")) == ("lead", 0)
    for who, assigned, balance in (("lead", "boss", 0), ("boss", "boss", 5001)):
        row = command("approve", "ad_hoc_credit", "C-create_ad_hoc_credit", requested_by=who)
        row["commands"][0]["command_id"] = who
        model.close(DAY + timedelta(2), row)
        assert (model.approvals[0]["assigned_to"], balances(model, "Unapplied")) == (assigned, balance)
    assert [row["record_id"] for row in model.rejects()] == ["lead"]


@pytest.mark.parametrize(("amount", "left_over"), [(499, 499), (500, 0)])
def test_d_ad_1_surplus_above_the_threshold_is_paid_out(amount: int, left_over: int) -> None:
    surplus = {"automatic_disbursements": True, "disbursement_over": 499, "review_disbursements_over": 10000}
    model = Model(carrier(billing=surplus))
    model.close(DAY, {"accounts": [{"account_id": "A1"}], "payments": [payment("M", amount)]})
    assert balances(model, "Cash") == left_over


def test_r_dsb_9_nothing_is_paid_while_a_ticket_is_open() -> None:
    model = Model(carrier())
    model.close(DAY, {"accounts": [{"account_id": "A1"}], "payments": [payment("M", 10000)]})
    rows = []
    for name, days in (("D1", 5), ("D2", 2)):
        params = {"due_date": DAY + timedelta(days)}
        asked = {"amount": 1000, "reason": "overpaid", "params": params}
        rows += [command("create_disbursement", "account", "A1", **asked)["commands"][0] | {"command_id": name}]
    model.close(DAY + timedelta(1), {"commands": rows})
    model.close(DAY + timedelta(2), command("reject_and_hold_disbursements", "disbursement", "D1"))
    assert [row["status"] for row in model.disbursements.values()] == ["Rejected", "Approved"]
    model.close(DAY + timedelta(3), command("release_disbursement_hold", "account", "A1"))
    assert [row["status"] for row in model.disbursements.values()] == ["Rejected", "Sent"]


def test_r_acc_09_an_account_that_owes_nothing_is_closed() -> None:
    model = paid()
    model.close(DAY + timedelta(1), command("close_account", "account", "A1"))
    assert [row["record_id"] for row in model.rejects()] == ["C-close_account"]
    empty = Model(carrier())
    empty.close(DAY, {"accounts": [{"account_id": "A1"}]} | command("close_account", "account", "A1"))
    assert empty.accounts["A1"].close_date == DAY


def test_e_itm_10_an_agency_collects_what_is_open() -> None:
    model = Model(carrier({"plan": plan(max_installments=3)}))
    model.close(DAY, inbox([issue(DAY, END)], ("Premium", 90000), payments=[payment("M", 10000, policy_id="P1")]))
    agency = {"accounts": [{"account_id": "B1", "account_type": "collection_agency"}]}
    refer = command("refer_to_collection_agency", "account", "A1", params={"agency_account_id": "B1"})
    model.close(DAY + timedelta(1), agency | refer)
    found = [(item.payer.account_id, item.reversal_kind, item.amount, item.paid) for item in model.every_item()]
    assert sorted(found) == [
        ("A1", "none", 30000, 30000),
        ("A1", "offset", -30000, -30000),
        ("B1", "none", 30000, 0),
        ("B1", "none", 30000, 0),
        ("B1", "onset", 30000, 10000),
    ]
    assert len({item.invoice.invoice_key for item in model.every_item() if item.payer.account_id == "B1"}) == 1
