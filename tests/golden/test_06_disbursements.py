"""Disbursements: created by hand, approved, paid out of a fund, held, voided."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.carrier import Carrier
from tests.golden.refunds import USERS, about, balances, columns, command, held
from tests.golden.test_04_invoicing import issuance
from tests.story import Story, carrier

DAY = date(2025, 1, 10)
ONE = timedelta(days=1)
LIMITS = carrier(more=USERS)


def story(amount: str = "100.00", plans: Carrier | None = None) -> Story:
    """A keeps its money together, owes nothing, and has paid."""
    told = Story(plans).land(DAY, accounts=[{"account_id": "A", "invoice_by": "account", "name": "Anne"}])
    return told.land(DAY, payments=[{"payment_id": "M", "amount": amount, "account_id": "A"}])


def pay(command_id: str = "D", amount: str = "40.00", due: date = DAY, **given: object) -> dict[str, object]:
    params = {"due_date": due.isoformat()} | given.pop("params", {})  # type: ignore[operator]
    return about(command_id, "create_disbursement", amount, params, **({"reason": "overpaid"} | given))


def on(command_type: str, command_id: str = "C", target: str = "D", **given: object) -> dict[str, object]:
    return command(command_id, command_type, "disbursement", target, **given)


def status(told: Story) -> list[str]:
    return columns(told.book["disbursements"].sort("disbursement_key"), "status")


def test_r_dsb_1_a_disbursement_is_paid_when_due() -> None:
    """R-DSB-1, R-DSB-6, R-ENT-09, R-TXN-25, A-9: created today, due in two days, posted on that day."""
    due = DAY + 2 * ONE
    told = story().land(DAY, commands=[pay(due=due)]).close_through(DAY + ONE)
    assert (status(told), balances(told)) == (["Approved"], {2: 100_00})
    told.close_through(due)
    assert (status(told), balances(told), told.balance("Cash")) == (["Sent"], {2: 60_00}, "60.00")
    lines = told.journal().filter(pl.col("transaction_type") == "DisbursementPaid").sort("line_no")
    assert lines.select("t_account_pattern", "side", "amount", "transaction_date").rows() == [
        ("Unapplied", "D", 40_00, due),
        ("Cash", "C", 40_00, due),
    ]
    found = held(told, "disbursements", "disbursement_id", "trigger_date", "due_date", "sent_date", "payee", "reason")
    assert found == [("D", DAY, due, due, "Anne", "overpaid")]
    assert told.book["disbursements"]["transaction_key"].to_list() == lines["transaction_key"].unique().to_list()
    sent = told.events("outbound_events").select("event_type", "amount", "command_id").rows()
    assert sent == [("DisbursementSent", 40_00, "D")]


def test_r_dsb_2_above_the_limit_it_waits() -> None:
    """R-DSB-2, R-ACT-3: 100.00 is approved at once, 100.01 goes to the supervisor and is not paid."""
    commands = [pay("D1", "100.00", requested_by="clerk"), pay("D2", "100.01", requested_by="clerk")]
    told = story("300.00", LIMITS).land(DAY, commands=commands).close_through(DAY + ONE)
    assert (status(told), balances(told)) == (["Sent", "AwaitingApproval"], {2: 200_00})
    assert held(told, "approvals", "subject_type", "amount", "requested_by", "assigned_to", "status") == [
        ("Disbursement", 100_01, "clerk", "lead", "Open")
    ]
    assert held(told, "disbursements", "approved_by", "approved_date") == [("clerk", DAY), (None, None)]
    told.land(DAY + 2 * ONE, commands=[on("approve", "Y", "D2", requested_by="lead")]).close_through(DAY + 2 * ONE)
    assert (status(told), balances(told)) == (["Sent", "Sent"], {2: 99_99})
    assert held(told, "disbursements", "approved_by")[1] == ("lead",)
    assert held(told, "approvals", "status", "decided_by") == [("Approved", "lead")]


def test_d_act_1_limits_are_by_currency_and_strict() -> None:
    """D-ACT-1, R-ACT-2: limits USD 1000 and EUR 500: 1000.00 passes, 1000.01 and EUR 500.01 wait, GBP 99999 passes."""
    limits = "".join(
        f'[[authority_profiles.P.limits]]\nlimit_type = "Approve Disbursement"\ncurrency = "{code}"\n'
        f'max_amount = "{amount}"\n'
        for code, amount in {"USD": "1000.00", "EUR": "500.00"}.items()
    )
    told = Story(carrier(more=f"[authority_profiles.P]\n{limits}[users.clerk]\nprofile = 'P'\n"))
    asked = {"U1": ("USD", "1000.00"), "U2": ("USD", "1000.01"), "E1": ("EUR", "500.01"), "G1": ("GBP", "99999.00")}
    for name, (currency, amount) in asked.items():
        told.land(DAY, accounts=[{"account_id": name, "currency": currency, "invoice_by": "account"}])
        told.land(DAY, commands=[pay(name, amount, account=name, requested_by="clerk")])
    told.close_through(DAY)
    waiting = told.book["disbursements"].filter(pl.col("status") == "AwaitingApproval")["disbursement_id"]
    assert sorted(waiting) == ["E1", "U2"]


def test_r_act_2_without_users_nothing_needs_approval() -> None:
    """R-ACT-2: no profile, no limit; also for somebody unknown to a file with users."""
    for plans, who in ((None, None), (LIMITS, "boss"), (LIMITS, "stranger")):
        told = story("5000.00", plans).land(DAY, commands=[pay(amount="5000.00", requested_by=who)]).close_through(DAY)
        assert (status(told), balances(told)) == (["Sent"], {})


def test_r_dsb_3_who_approves_needs_the_authority() -> None:
    """R-DSB-3, R-ACT-4: 600.00 is beyond the lead: refused, and the activity goes on to the lead's supervisor."""
    told = story("900.00", LIMITS).land(DAY, commands=[pay(amount="600.00", requested_by="clerk", sequence=1)])
    tries = {"Y1": "clerk", "Y2": "stranger", "Y3": "lead", "Y4": "lead"}
    told.land(DAY, commands=[on("approve", name, requested_by=who, sequence=2) for name, who in tries.items()])
    told.close_through(DAY)
    assert told.quarantined() == [(name, "E-APPROVAL-AUTHORITY") for name in tries]
    assert held(told, "approvals", "assigned_to", "status") == [("boss", "Open")]
    told.land(DAY + ONE, commands=[on("approve", "Y5", requested_by="boss", sequence=1)])
    told.land(DAY + ONE, commands=[on("approve", "Y6", requested_by="boss", sequence=2)]).close_through(DAY + ONE)
    assert (status(told), told.quarantined()[-1]) == (["Sent"], ("Y6", "E-APPROVAL-STATUS"))


def test_r_dsb_6_the_fund_must_hold_enough() -> None:
    """R-DSB-6: what does not fit is passed over and reported once; it is paid when money has come in."""
    amounts = {"D1": "70.00", "D2": "50.00", "D3": "30.00", "D4": "0.01"}
    told = story().land(DAY, commands=[pay(name, amount) for name, amount in amounts.items()]).close_through(DAY + ONE)
    assert (status(told), balances(told)) == (["Sent", "Approved", "Sent", "Approved"], {})
    events = told.events("outbound_events").filter(pl.col("event_type") == "InsufficientUnapplied")
    assert events.select("business_date", "amount", "command_id").rows() == [(DAY, 50_00, "D2"), (DAY, 1, "D4")]
    assert held(told, "disbursements", "short_since") == [(None,), (DAY,), (None,), (DAY,)]
    told.land(DAY + 2 * ONE, payments=[{"payment_id": "N", "amount": "50.00", "account_id": "A"}])
    told.close_through(DAY + 2 * ONE)
    assert (status(told), balances(told)) == (["Sent", "Sent", "Sent", "Approved"], {})
    assert held(told, "disbursements", "short_since")[1] == (None,)


def test_r_dsb_6_the_earlier_due_date_is_paid_first() -> None:
    """R-DSB-6: then the order in which they were created."""
    commands = [pay("D1", "60.00", DAY + ONE), pay("D2", "60.00", DAY), pay("D3", "40.00", DAY + ONE)]
    told = story().land(DAY, commands=commands).close_through(DAY + ONE)
    assert (status(told), balances(told)) == (["Approved", "Sent", "Sent"], {})


def test_r_dsb_7_what_is_not_paid_can_be_changed() -> None:
    """R-DSB-7: date, payee, address, reason and a lower amount; approval stays."""
    told = story(plans=LIMITS).land(DAY, commands=[pay(amount="40.00", due=DAY + 5 * ONE, requested_by="clerk")])
    changes = {"due_date": (DAY + ONE).isoformat(), "payee": "Bob", "payee_address": "1 Main St"}
    edit = on("edit_disbursement", amount="30.00", params=changes, reason="agreed", requested_by="clerk")
    told.land(DAY + ONE, commands=[edit]).close_through(DAY + ONE)
    names = ("status", "amount", "due_date", "payee", "payee_address", "reason", "approved_by", "trigger_date")
    assert held(told, "disbursements", *names) == [
        ("Sent", 30_00, DAY + ONE, "Bob", "1 Main St", "agreed", "clerk", DAY)
    ]
    again = on("edit_disbursement", "C2", amount="1.00")
    told.land(DAY + 2 * ONE, commands=[again]).close_through(DAY + 2 * ONE)
    assert told.quarantined() == [("C2", "E-DISBURSEMENT-STATUS")]


def test_r_dsb_7_a_higher_amount_is_judged_anew() -> None:
    """R-DSB-7, R-ACT-6: above the limit of who raises it, it waits; raised by who may, the activity is obsolete."""
    due = DAY + 9 * ONE
    told = story("900.00", LIMITS).land(DAY, commands=[pay(amount="90.00", due=due, requested_by="clerk")])
    told.land(DAY + ONE, commands=[on("edit_disbursement", "C1", amount="110.00", requested_by="clerk")])
    told.close_through(DAY + ONE)
    assert held(told, "disbursements", "status", "amount", "approved_by") == [("AwaitingApproval", 110_00, None)]
    assert held(told, "approvals", "status", "amount", "assigned_to") == [("Open", 110_00, "lead")]
    lower = told.fork().land(DAY + 2 * ONE, commands=[on("edit_disbursement", "C2", amount="105.00")])
    lower.close_through(DAY + 2 * ONE)
    assert (status(lower), held(lower, "approvals", "status", "amount")) == (["AwaitingApproval"], [("Open", 105_00)])
    by_stranger = on("edit_disbursement", "C2", amount="120.00", requested_by="stranger")
    stranger = told.fork().land(DAY + 2 * ONE, commands=[by_stranger]).close_through(DAY + 2 * ONE)
    assert status(stranger) == ["AwaitingApproval"]
    told.land(DAY + 2 * ONE, commands=[on("edit_disbursement", "C2", amount="500.00", requested_by="lead")])
    told.close_through(due)
    assert (status(told), balances(told)) == (["Sent"], {2: 400_00})
    assert held(told, "approvals", "status", "decided_by") == [("Obsolete", "lead")]


def test_r_dsb_8_a_rejected_disbursement_is_not_paid_and_stays_in_the_history() -> None:
    """R-DSB-8, R-ACT-5: waiting or approved; rejected for good."""
    commands = [pay("D1", "150.00", requested_by="clerk", sequence=1), pay("D2", due=DAY + ONE, sequence=1)]
    told = story("900.00", LIMITS).land(DAY, commands=commands)
    told.land(DAY, commands=[on("reject", f"N{n}", f"D{n}", requested_by="lead", sequence=2) for n in (1, 2)])
    more = [on("approve", "Y", "D1", requested_by="boss"), on("reject", "N", "D1"), on("void_disbursement", "V", "D1")]
    told.land(DAY + ONE, commands=more).close_through(DAY + ONE)
    assert (status(told), balances(told)) == (["Rejected", "Rejected"], {2: 900_00})
    assert held(told, "disbursements", "rejected_by", "rejected_date") == [("lead", DAY)] * 2
    assert held(told, "approvals", "status", "decided_by") == [("Rejected", "lead")]
    refused = [("N", "E-APPROVAL-STATUS"), ("V", "E-DISBURSEMENT-STATUS"), ("Y", "E-APPROVAL-STATUS")]
    assert told.quarantined() == refused


def test_r_dsb_9_reject_and_hold() -> None:
    """R-DSB-9: approved ones wait until the ticket is closed, new ones by hand may be created; then all are paid."""
    commands = [pay("D1", "10.00", DAY + 5 * ONE), pay("D2", "20.00", DAY + 2 * ONE)]
    told = story().land(DAY, commands=commands)
    hold = on("reject_and_hold_disbursements", "H", "D1", requested_by="clerk")
    told.land(DAY + ONE, commands=[hold]).land(DAY + 2 * ONE, commands=[pay("D3", "30.00", DAY + 2 * ONE)])
    told.close_through(DAY + 3 * ONE)
    assert (status(told), balances(told)) == (["Rejected", "Approved", "Approved"], {2: 100_00})
    ticket = ("ticket_id", "opened_by", "opened_date", "closed_by", "closed_date")
    assert held(told, "disbursement_holds", *ticket) == [("H", "clerk", DAY + ONE, None, None)]
    day = DAY + 4 * ONE
    release = about("L", "release_disbursement_hold", None, {}, requested_by="boss")
    told.land(day, commands=[release | {"sequence": 1}, release | {"command_id": "L2", "sequence": 2}])
    told.close_through(day)
    assert (status(told), balances(told)) == (["Rejected", "Sent", "Sent"], {2: 50_00})
    assert held(told, "disbursement_holds", *ticket) == [("H", "clerk", DAY + ONE, "boss", day)]
    again = on("reject_and_hold_disbursements", "H2", "D2")
    told.land(day + ONE, commands=[again]).close_through(day + ONE)
    assert told.quarantined() == [("H2", "E-DISBURSEMENT-STATUS"), ("L2", "E-DISBURSEMENT-HOLD")]


def test_the_order_of_the_rows_does_not_matter() -> None:
    """R-LIF-23: the same commands in any order of their rows give the same tables."""
    names = [f"D{n:02}" for n in range(9)]
    commands = [pay(name, f"{n}1.50", requested_by="clerk") for n, name in enumerate(names)]
    commands += [on("reject", f"N{name}", name, sequence=1) for name in names[:3]]
    closed = [
        story("250.00", LIMITS).land(DAY, commands=rows).close_through(DAY) for rows in (commands, commands[::-1])
    ]
    for table in ("disbursements", "approvals", "funds"):
        assert closed[0].book[table].equals(closed[1].book[table])
    assert closed[0].journal().equals(closed[1].journal())
    assert {*status(closed[0])} == {"Rejected", "Sent", "Approved"}


def test_what_is_no_disbursement() -> None:
    """R-DSB-2, R-ENT-09: due before today, no reason, nothing, less than nothing, a part of a cent, no such fund."""
    commands = [
        pay("D1", due=DAY - ONE),
        pay("D2", reason=None),
        pay("D3", "0.00"),
        pay("D4", "-1.00"),
        pay("D5", "1.001"),
        pay("D6", params={"fund_policy_id": "P"}),
        pay("D7", due=DAY + 3 * ONE),
    ]
    told = story().land(DAY, commands=commands)
    edits = [
        on("edit_disbursement", "C1", "D7", amount="0.00"),
        on("edit_disbursement", "C2", "D7", amount="0.001"),
        on("edit_disbursement", "C3", "D7", params={"due_date": (DAY - ONE).isoformat()}),
    ]
    told.land(DAY + ONE, commands=edits).close_through(DAY + ONE)
    assert told.quarantined() == [
        ("C1", "E-REFUND-AMOUNT"),
        ("C2", "E-AMOUNT-UNREADABLE"),
        ("C3", "E-DISBURSEMENT-DATE"),
        ("D1", "E-DISBURSEMENT-DATE"),
        ("D2", "E-DISBURSEMENT-REASON"),
        ("D3", "E-REFUND-AMOUNT"),
        ("D4", "E-REFUND-AMOUNT"),
        ("D5", "E-AMOUNT-UNREADABLE"),
        ("D6", "E-FUND-UNKNOWN"),
    ]
    assert held(told, "disbursements", "disbursement_id", "amount") == [("D7", 40_00)]


def test_a_voided_disbursement_is_in_the_fund_again() -> None:
    """R-LED-13, R-TXN-25: the payment is mirrored by a transaction that names it; once, and only what was paid."""
    told = story().land(DAY, commands=[pay("D"), pay("D2", due=DAY + 5 * ONE)])
    voids = [on("void_disbursement", "V1", sequence=1), on("void_disbursement", "V2", sequence=2)]
    told.land(DAY + ONE, commands=[*voids, on("void_disbursement", "V3", "D2")]).close_through(DAY + ONE)
    assert (status(told), balances(told), told.balance("Cash")) == (["Voided", "Approved"], {2: 100_00}, "100.00")
    paid = told.journal().filter(pl.col("transaction_type") == "DisbursementPaid")
    first, second = paid.unique("transaction_key").sort("transaction_key").to_dicts()
    assert second["reverses_transaction_key"] == first["transaction_key"]
    assert told.quarantined() == [("V2", "E-DISBURSEMENT-STATUS"), ("V3", "E-DISBURSEMENT-STATUS")]
    assert held(told, "disbursements", "voided_date", "transaction_key")[0] == (DAY + ONE, first["transaction_key"])


def test_r_trf_02_what_waits_to_be_paid_out_is_not_free() -> None:
    """R-TRF-02: 40.00 of 100.00 wait, so neither 60.01 can be transferred nor kept; a rejected one frees them."""
    told = story().land(DAY, accounts=[{"account_id": "B"}], commands=[pay(due=DAY + 9 * ONE)])

    def transfer(command_id: str, amount: str) -> dict[str, object]:
        targets = [{"account_id": "B", "amount": amount, "reason": "asked for"}]
        return about(command_id, "transfer_funds", None, {"targets": targets})

    keep = about("K", "write_off_surplus", "60.01", {})
    told.land(DAY + ONE, commands=[transfer("T1", "60.01"), keep, transfer("T2", "1.00")]).close_through(DAY + ONE)
    assert told.quarantined() == [("K", "E-FUND-AMOUNT"), ("T1", "E-FUND-AMOUNT")]
    told.land(DAY + 2 * ONE, commands=[on("reject", sequence=1), transfer("T3", "99.00") | {"sequence": 2}])
    told.close_through(DAY + 2 * ONE)
    assert balances(told) == {4: 100_00}


def test_a_fund_that_is_kept_no_longer_is_paid_out_of_the_default_fund() -> None:
    """R-BL-10: the money of the designated fund went to the default fund meanwhile; voided, it comes back there."""
    told = Story().land(DAY, accounts=[{"account_id": "A"}])
    policy = issuance("I", "P", DAY, date(2026, 1, 10), account_id="A") | {"payment_plan": "Monthly"}
    told.land(DAY, billing_instructions=[policy])
    told.land(DAY, payments=[{"payment_id": "M", "amount": "50.00", "account_id": "A", "policy_id": "P"}])
    asked = pay("D", "20.00", DAY + 2 * ONE, params={"fund_policy_id": "P"})
    told.land(DAY, commands=[asked])
    level = about("L", "set_billing_level", None, {"invoice_by": "account", "separate_funds_by": "account"})
    told.close_through(DAY)
    assert balances(told) == {3: 50_00}
    told.land(DAY + ONE, commands=[level]).close_through(DAY + ONE)
    assert balances(told) == {2: 50_00}
    told.close_through(DAY + 2 * ONE)
    assert (status(told), balances(told)) == (["Sent"], {2: 30_00})
    told.land(DAY + 3 * ONE, commands=[on("void_disbursement")]).close_through(DAY + 3 * ONE)
    assert (status(told), balances(told)) == (["Voided"], {2: 50_00})


def test_d_03_money_paid_out_before_the_cheque_bounced_is_missing() -> None:
    """D-03: 145 in, 45 paid out; the cheque comes back, and 45 are missing in the fund and in Cash."""
    told = story("145.00")
    told.land(DAY, commands=[pay("D", "45.00")]).close_through(DAY)
    back = command("C", "reverse_payment", "payment", "M", params={"reversal_reason": "insufficient_funds"})
    told.land(DAY + ONE, commands=[back]).close_through(DAY + ONE)
    assert (balances(told), told.balance("Unapplied"), told.balance("Cash")) == ({2: -45_00}, "-45.00", "-45.00")
