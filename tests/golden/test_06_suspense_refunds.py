"""Suspense payments sent back to who sent them."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from tests.golden.refunds import USERS, columns, command, held
from tests.story import Story, carrier

DAY = date(2025, 1, 10)
ONE = timedelta(days=1)


def story(plans_more: str = "", **payment: object) -> Story:
    row = {"payment_id": "M", "amount": "500.00"} | payment
    return Story(carrier(more=plans_more)).land(DAY, payments=[row])


def back(command_id: str = "D", due: date = DAY + ONE, **given: object) -> dict[str, object]:
    params = {"due_date": due.isoformat(), "payee": "Sender", "payee_address": "2 High St"}
    row = {"params": params, "reason": "nobody knows whose"} | given
    return command(command_id, "disburse_suspense_payment", "payment", "M", **row)


def own(told: Story, t_account: str) -> int:
    """Credits less debits of a T-account of the suspense payment."""
    lines = told.journal().filter(
        (pl.col("owner_type") == "SuspensePayment") & (pl.col("t_account_pattern") == t_account)
    )
    signed = pl.when(pl.col("side") == "C").then("amount").otherwise(-pl.col("amount"))
    return int(lines.select(signed.sum()).item())


def test_d_sus_01_sent_back_then_bounced() -> None:
    """D-SUS-01, R-SUS-10: 500.00 sent back, then the receipt reversed: Unapplied and Cash are both -500.00."""
    told = story().land(DAY, commands=[back()]).close_through(DAY)
    assert (columns(told.book["payments"], "status"), own(told, "Unapplied")) == (["suspended"], 500_00)
    told.close_through(DAY + ONE)
    assert (columns(told.book["payments"], "status"), own(told, "Unapplied"), own(told, "Cash")) == (
        ["disbursed"],
        0,
        0,
    )
    reverse = command("C", "reverse_payment", "payment", "M", params={"reversal_reason": "insufficient_funds"})
    told.land(DAY + 2 * ONE, commands=[reverse]).close_through(DAY + 2 * ONE)
    assert columns(told.book["payments"], "status") == ["reversed"]
    assert (own(told, "Unapplied"), own(told, "Cash")) == (-500_00, 500_00)


def test_r_dsb_5_payment_date_and_payee() -> None:
    """R-DSB-5, R-SUS-09, A-10: posted by SuspPymtDisbPaid on the due date, to whom it is said."""
    told = story().land(DAY, commands=[back()]).close_through(DAY + ONE)
    lines = told.journal().filter(pl.col("transaction_type") == "SuspPymtDisbPaid").sort("line_no")
    assert lines.select("t_account_pattern", "side", "amount", "owner_type", "transaction_date").rows() == [
        ("Unapplied", "D", 500_00, "SuspensePayment", DAY + ONE),
        ("Cash", "C", 500_00, "SuspensePayment", DAY + ONE),
    ]
    assert held(told, "disbursements", "origin", "status", "amount", "payee", "payee_address", "account_key") == [
        ("Suspense", "Sent", 500_00, "Sender", "2 High St", 0)
    ]
    assert told.book["disbursements"]["transaction_key"].to_list() == lines["transaction_key"].unique().to_list()


def test_r_dsb_5_above_the_limit_it_waits() -> None:
    """R-DSB-2, R-DSB-5: the limit of disbursements counts for these too; without an account to be held."""
    told = story(USERS).land(DAY, commands=[back(requested_by="clerk", sequence=1)])
    hold = command("H", "reject_and_hold_disbursements", "disbursement", "D", requested_by="boss", sequence=2)
    told.land(DAY, commands=[hold]).close_through(DAY + ONE)
    assert columns(told.book["disbursements"], "status") == ["AwaitingApproval"]
    assert told.quarantined() == [("H", "E-DISBURSEMENT-ACCOUNT")]
    approve = command("Y", "approve", "disbursement", "D", requested_by="lead")
    told.land(DAY + 2 * ONE, commands=[approve]).close_through(DAY + 2 * ONE)
    assert columns(told.book["disbursements"], "status") == ["Sent"]


def test_r_sus_09_what_waits_to_be_sent_back_is_not_applied() -> None:
    """R-SUS-09: neither when its account appears nor by hand, nor sent back twice or in part; rejected, it is again."""
    told = story(account_id="A").land(DAY, commands=[back(due=DAY + 3 * ONE)])
    told.land(DAY + ONE, accounts=[{"account_id": "A"}, {"account_id": "B"}])
    apply = command("P", "apply_suspense_payment", "payment", "M", params={"account_id": "B"})
    edit = command("E", "edit_disbursement", "disbursement", "D", amount="100.00")
    told.land(DAY + ONE, commands=[apply, back("D2", DAY + 2 * ONE), edit]).close_through(DAY + ONE)
    assert columns(told.book["payments"], "status") == ["suspended"]
    assert told.quarantined() == [(name, "E-SUSPENSE-REFUND") for name in ("D2", "E", "P")]
    told.land(DAY + 2 * ONE, commands=[command("N", "reject", "disbursement", "D")]).close_through(DAY + 3 * ONE)
    assert columns(told.book["payments"].sort("payment_key"), "status") == ["applied", "executed"]


def test_r_dsb_6_what_was_reversed_meanwhile_is_not_sent_back() -> None:
    """R-DSB-6: there is nothing to send back; said once."""
    told = story().land(DAY, commands=[back(due=DAY + 2 * ONE)])
    reverse = command("C", "reverse_payment", "payment", "M", params={"reversal_reason": "other"})
    told.land(DAY + ONE, commands=[reverse]).close_through(DAY + 3 * ONE)
    assert (columns(told.book["disbursements"], "status"), own(told, "Unapplied")) == (["Approved"], 0)
    assert told.events("outbound_events")["event_type"].cast(pl.String).to_list() == ["InsufficientUnapplied"]


def test_only_an_open_suspense_payment_is_sent_back() -> None:
    """R-SUS-09: not one of a known payer, not one that was sent back; on a day to come, for a reason."""
    told = story().land(DAY, payments=[{"payment_id": "N", "amount": "5.00", "account_id": "A"}])
    told.land(DAY, accounts=[{"account_id": "A"}])
    commands = [
        back("D1") | {"target_id": "N"},
        back("D2", reason=None),
        back("D3", DAY - ONE),
        back("D4", DAY, sequence=9),
    ]
    told.land(DAY, commands=commands).land(DAY + ONE, commands=[back("D5")]).close_through(DAY + ONE)
    assert told.quarantined() == [
        ("D1", "E-SUSPENSE-STATUS"),
        ("D2", "E-DISBURSEMENT-REASON"),
        ("D3", "E-DISBURSEMENT-DATE"),
        ("D5", "E-SUSPENSE-STATUS"),
    ]
    assert held(told, "disbursements", "disbursement_id") == [("D4",)]


def test_a_voided_refund_is_open_in_suspense_again() -> None:
    """R-LED-13, R-SUS-09: it can be applied after all."""
    told = story().land(DAY, commands=[back()]).land(DAY, accounts=[{"account_id": "A", "invoice_by": "account"}])
    told.land(DAY + 2 * ONE, commands=[command("V", "void_disbursement", "disbursement", "D")])
    apply = command("P", "apply_suspense_payment", "payment", "M", params={"account_id": "A"})
    told.land(DAY + 3 * ONE, commands=[apply]).close_through(DAY + 2 * ONE)
    assert (columns(told.book["payments"], "status"), own(told, "Unapplied")) == (["suspended"], 500_00)
    told.close_through(DAY + 3 * ONE)
    assert (own(told, "Unapplied"), own(told, "Cash"), told.balance("Cash")) == (0, 0, "500.00")
