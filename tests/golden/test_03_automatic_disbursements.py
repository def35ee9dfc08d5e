"""Surplus that the billing plan pays out by itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ledger.carrier import Carrier
from tests.golden.refunds import about, balances, columns, command, held
from tests.golden.test_04_invoicing import issuance
from tests.story import Story, carrier

DAY = date(2025, 1, 10)
ONE = timedelta(days=1)
REVIEW = (
    'review_disbursements_over = "1000.00"\ndisbursement_over',
    'review_disbursements_over = "100.00"\ndisbursement_over',
)
ON = ('[billing_plans."Standard"]\n', '[billing_plans."Standard"]\nautomatic_disbursements = true\n')
BILLED = ('"unapplied_minus_under_contract"', '"unapplied_minus_billed"')


def story(amount: str, *changes: tuple[str, str], account: str = "A") -> Story:
    """An account that keeps its money together, owes nothing and has paid."""
    told = Story(carrier(ON, *changes)).land(DAY, accounts=[{"account_id": account, "invoice_by": "account"}])
    return told.land(DAY, payments=[{"payment_id": "M", "amount": amount, "account_id": account}])


def insured(plans: Carrier, *paid: str, invoice_by: str = "account") -> Story:
    """A policy of 1200.00 in 12 installments of 100.00, the first billed today, and money of the account."""
    told = Story(plans).land(DAY, accounts=[{"account_id": "A", "invoice_by": invoice_by, "invoice_day_of_month": 10}])
    policy = issuance("I", "P", DAY, date(2026, 1, 10), account_id="A") | {"payment_plan": "Monthly"}
    charge = {"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200.00"}
    told.land(DAY, billing_instructions=[policy], charges=[charge])
    rows = [{"payment_id": f"M{n}", "amount": amount, "account_id": "A"} for n, amount in enumerate(paid)]
    return told.land(DAY, payments=rows)


def created(told: Story) -> list[tuple[object, ...]]:
    frame = told.book["disbursements"].sort("disbursement_key")
    return list(zip(frame["amount"].to_list(), columns(frame, "status"), strict=True))


@pytest.mark.parametrize(
    ("available", "expected"),
    [
        ("4.99", []),
        ("5.00", [(5_00, "Sent")]),
        ("100.00", [(100_00, "Sent")]),
        ("100.01", [(100_01, "AwaitingApproval")]),
    ],
)
def test_d_ad_1_and_e_bp_4_thresholds(available: str, expected: list[tuple[int, str]]) -> None:
    """D-AD-1, E-BP-4, R-AD-2, R-AD-3, R-DSB-4: over 4.99 it is paid out, over 100.00 somebody looks at it first."""
    told = story(available, REVIEW).close_through(DAY)
    assert created(told) == expected
    assert told.book["approvals"].height == sum(status == "AwaitingApproval" for _, status in expected)


def test_d_ad_1_example_of_the_plan() -> None:
    """D-AD-1: the id says account and day; the reason, the payee and who approved are the plan's."""
    told = story("5.00").close_through(DAY + ONE)
    names = ("disbursement_id", "origin", "reason", "trigger_date", "due_date", "approved_by", "requested_by")
    assert held(told, "disbursements", *names) == [("auto/A/2025-01-10", "Automatic", "surplus", DAY, DAY, None, None)]
    assert (balances(told), told.balance("Cash")) == ({}, "0.00")
    assert told.events("outbound_events").select("event_type", "command_id").rows() == [("DisbursementSent", None)]


def test_r_dsb_4_only_where_the_plan_says_so() -> None:
    """R-DSB-4: off unless turned on; never of an account in another currency than the amounts of the plan."""
    told = Story().land(DAY, accounts=[{"account_id": "A", "invoice_by": "account"}])
    told.land(DAY, payments=[{"payment_id": "M", "amount": "500.00", "account_id": "A"}]).close_through(DAY)
    assert (created(told), balances(told)) == ([], {2: 500_00})
    euro = Story(carrier(ON)).land(DAY, accounts=[{"account_id": "E", "currency": "EUR"}])
    euro.land(DAY, payments=[{"payment_id": "M", "amount": "500.00", "account_id": "E"}]).close_through(DAY)
    assert created(euro) == []


def test_r_ad_1_what_is_under_contract_stays() -> None:
    """R-AD-1, R-AD-2: of 1250.00 for a policy of 1200.00 the 50.00 go back, however little is billed; whole."""
    told = insured(carrier(ON), "1250.00").close_through(DAY)
    assert created(told) == [(50_00, "Sent")]
    assert told.book["invoice_items"]["paid"].sum() + sum(balances(told).values()) == 1200_00
    enough = insured(carrier(ON), "1204.99").close_through(DAY)
    assert created(enough) == []


def test_r_ad_1_less_what_is_billed() -> None:
    """R-AD-1, R-DST-16: money that is left after distribution goes back, although installments are still planned."""
    told = insured(carrier(ON, BILLED), "450.00").close_through(DAY)
    paid = told.book["invoice_items"]["paid"].sum()
    assert (paid, created(told)) == (200_00, [(250_00, "Sent")])


def test_r_ad_1_billed_and_unpaid_is_kept_back() -> None:
    """R-AD-1: an item that is billed and held back from the money keeps its amount in the fund."""
    plans = carrier(
        ON,
        BILLED,
        (
            'filters = ["next_planned_invoice", "policy_period", "invoice", "positive"]',
            'filters = ["past_due", "positive"]',
        ),
    )
    told = insured(plans, "450.00").close_through(DAY)
    assert (told.book["invoice_items"]["paid"].sum(), created(told)) == (0, [(350_00, "Sent")])


def test_r_ad_1_by_fund_under_cash_management() -> None:
    """R-AD-1: the designated fund keeps what its policy owes, the default fund what that fund does not cover."""
    told = insured(carrier(ON), invoice_by="policy")
    told.land(DAY, payments=[{"payment_id": "D", "amount": "300.00", "account_id": "A", "policy_id": "P"}])
    told.land(DAY, payments=[{"payment_id": "F", "amount": "1000.00", "account_id": "A"}]).close_through(DAY)
    assert created(told) == [(100_00, "Sent")]
    assert told.book["disbursements"]["fund_key"].to_list() == [2]
    more = insured(carrier(ON), invoice_by="policy")
    more.land(DAY, payments=[{"payment_id": "D", "amount": "1210.00", "account_id": "A", "policy_id": "P"}])
    more.close_through(DAY)
    assert (created(more), more.book["disbursements"]["fund_key"].to_list()) == ([(10_00, "Sent")], [3])
    assert more.book["disbursements"]["disbursement_id"].to_list() == ["auto/A/P/2025-01-10"]


def test_r_ad_3_without_activities_it_waits_all_the_same() -> None:
    """R-AD-3: no activity, and anybody with the authority may approve it."""
    quiet = (
        'create_approval_activities = true\n\n[billing_plans."Business',
        'create_approval_activities = false\n\n[billing_plans."Business',
    )
    told = story("100.01", REVIEW, quiet).close_through(DAY)
    assert (created(told), told.book["approvals"].height) == ([(100_01, "AwaitingApproval")], 0)
    approve = command("Y", "approve", "disbursement", "auto/A/2025-01-10", requested_by="boss")
    told.land(DAY + ONE, commands=[approve]).close_through(DAY + ONE)
    assert (created(told), balances(told)) == ([(100_01, "Sent")], {})


def test_r_ad_4_paid_after_the_delay() -> None:
    """R-AD-4: calendar days after it was created, over a weekend too."""
    told = story("50.00", (ON[1], ON[1] + "delay_disbursement_days = 3\n"))
    told.close_through(DAY + 2 * ONE)
    assert (created(told), balances(told)) == ([(50_00, "Approved")], {2: 50_00})
    told.close_through(DAY + 3 * ONE)
    assert (created(told), balances(told)) == ([(50_00, "Sent")], {})


def test_r_ad_5_what_waits_is_paid_only_where_the_plan_says_so() -> None:
    """R-AD-5: unapproved it waits for good; or it is paid on its date, and the activity is obsolete."""
    waits = story("200.00", REVIEW).close_through(DAY + 2 * ONE)
    assert created(waits) == [(200_00, "AwaitingApproval")]
    sends = (ON[1], ON[1] + "send_disbursements_awaiting_approval = true\n")
    told = story("200.00", REVIEW, sends).close_through(DAY)
    assert (created(told), balances(told)) == ([(200_00, "Sent")], {})
    assert held(told, "approvals", "status", "decided_by", "assigned_to") == [("Obsolete", None, None)]
    assert held(told, "disbursements", "approved_date", "sent_date") == [(None, DAY)]


def test_r_ad_6_one_at_a_time_and_pending_ones_count() -> None:
    """R-AD-6, R-DSB-10: while one waits, more surplus waits too; one by hand is not paid out twice."""
    told = story("200.00", REVIEW).close_through(DAY)
    told.land(DAY + ONE, payments=[{"payment_id": "N", "amount": "30.00", "account_id": "A"}]).close_through(DAY + ONE)
    assert created(told) == [(200_00, "AwaitingApproval")]
    told.land(DAY + 2 * ONE, commands=[command("N", "reject", "disbursement", "auto/A/2025-01-10")])
    told.close_through(DAY + 2 * ONE)
    assert created(told) == [(200_00, "Rejected"), (230_00, "AwaitingApproval")]
    params = {"due_date": "2025-02-10"}
    asked = about("D", "create_disbursement", "20.00", params, reason="asked for")
    by_hand = story("50.00").land(DAY, commands=[asked]).close_through(DAY)
    assert (created(by_hand), balances(by_hand)) == ([(20_00, "Approved"), (30_00, "Sent")], {2: 20_00})


def test_r_dsb_9_none_while_a_ticket_is_open() -> None:
    """R-DSB-9: no automatic disbursement of the account until the ticket is closed."""
    told = story("200.00", REVIEW).close_through(DAY)
    hold = command("H", "reject_and_hold_disbursements", "disbursement", "auto/A/2025-01-10")
    told.land(DAY + ONE, commands=[hold]).close_through(DAY + 2 * ONE)
    assert created(told) == [(200_00, "Rejected")]
    events = told.events("outbound_events").select("event_type", "amount", "command_id").rows()
    assert events == [("RequestRejected", 200_00, None)]
    told.land(DAY + 3 * ONE, commands=[about("L", "release_disbursement_hold", None, {})]).close_through(DAY + 3 * ONE)
    assert created(told) == [(200_00, "Rejected"), (200_00, "AwaitingApproval")]


def test_a_credit_that_waits_for_its_invoice_is_no_debt() -> None:
    """R-AD-1: what is owed is net of credits, and surplus is never more than the fund holds."""
    told = story("60.00")
    credit = {"instruction_id": "G", "instruction_type": "account_general", "account_id": "A", "effective_date": DAY}
    fee = {"instruction_id": "G", "charge_no": 1, "charge_pattern": "Account Late Fee", "amount": "-25.00"}
    told.land(DAY, billing_instructions=[credit], charges=[fee]).close_through(DAY + ONE)
    assert (created(told), balances(told)) == ([(60_00, "Sent")], {})


def test_r_dst_16_what_items_take_first_may_leave_nobody_with_surplus() -> None:
    """R-DST-16, R-AD-1: of 150.00 that were not to be distributed, 100.00 are billed and 50.00 pay the next items."""
    told = insured(carrier(ON, BILLED)).close_through(DAY)
    late = {"payment_id": "M", "amount": "150.00", "account_id": "A", "distribute": "none"}
    told.land(DAY + ONE, payments=[late]).close_through(DAY + ONE)
    assert (created(told), balances(told)) == ([], {})
    assert told.book["invoice_items"].sort("item_key")["paid"].to_list()[:3] == [100_00, 50_00, 0]
