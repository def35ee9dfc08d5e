"""Ad hoc credits: given, taken back, and what waits for approval."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from ledger.carrier import Carrier
from tests.golden.refunds import USERS, about, balances, columns, command, held
from tests.story import Story, carrier

DAY = date(2025, 1, 10)
LATER = DAY + timedelta(days=1)


def story(plans: Carrier | None = None) -> Story:
    """A keeps its money together; nothing is owed."""
    return Story(plans).land(DAY, accounts=[{"account_id": "A", "invoice_by": "account"}])


def goodwill(command_id: str = "K", amount: str = "100.00", **given: object) -> dict[str, object]:
    return about(command_id, "create_ad_hoc_credit", amount, {"credit_type": "Goodwill"}, **given)


def reversal(command_id: str = "R", target: str = "K", **given: object) -> dict[str, object]:
    return command(command_id, "reverse_ad_hoc_credit", "ad_hoc_credit", target, **given)


def status(told: Story) -> list[str]:
    return columns(told.book["ad_hoc_credits"].sort("credit_key"), "status")


def test_e_ahc_1_goodwill() -> None:
    """E-AHC-1, R-AHC-1, R-AHC-6, A-1: 100.00 out of Goodwill Credit into the fund; no item is paid by it."""
    told = story().land(DAY, commands=[goodwill()]).close_through(DAY)
    assert (told.balance("Goodwill Credit"), told.balance("Unapplied")) == ("100.00", "100.00")
    assert balances(told) == {2: 100_00}
    assert told.book["payment_items"].is_empty()
    credit = told.book["ad_hoc_credits"].row(0, named=True)
    posted = told.journal()["transaction_key"].unique().to_list()
    assert (credit["status"], credit["credit_id"], [credit["transaction_key"]]) == ("Executed", "K", posted)


def test_e_ahc_2_reversal() -> None:
    """E-AHC-2, R-AHC-4, A-5: both balances are back, and the transaction names the one that it takes back."""
    told = story().land(DAY, commands=[goodwill()]).land(LATER, commands=[reversal()]).close_through(LATER)
    assert (told.balance("Goodwill Credit"), told.balance("Unapplied"), balances(told)) == ("0.00", "0.00", {})
    first, second = told.journal().unique("transaction_key").sort("transaction_key").to_dicts()
    assert second["reverses_transaction_key"] == first["transaction_key"]
    assert (first["transaction_type"], second["transaction_type"]) == ("AccountGoodwillTxn", "AccountGoodwillTxn")
    assert status(told) == ["Reversed"]


def test_r_ahc_4_a_credit_of_the_same_day_is_taken_back_once_and_in_full() -> None:
    """R-AHC-4: the original is one of today; a second reversal is refused, and so is one of nothing known."""
    commands = [goodwill(sequence=1), reversal(sequence=2), reversal("R2", sequence=3), reversal("R3", "NONE")]
    told = story().land(DAY, commands=commands).close_through(DAY)
    first, second = told.journal().unique("transaction_key").sort("transaction_key").to_dicts()
    assert second["reverses_transaction_key"] == first["transaction_key"] > 0
    assert told.quarantined() == [("R2", "E-CREDIT-STATUS"), ("R3", "E-TARGET-UNKNOWN")]
    assert (status(told), balances(told)) == (["Reversed"], {})


def test_r_ahc_4_a_spent_credit_is_taken_back_with_a_warning() -> None:
    """R-AHC-4: the fund goes into deficit, which is allowed and flagged."""
    told = story().land(DAY, commands=[goodwill()])
    told.land(DAY, commands=[about("D", "create_disbursement", "60.00", {"due_date": str(DAY)}, reason="asked for")])
    told.land(LATER, commands=[reversal()]).close_through(LATER)
    assert balances(told) == {2: -60_00}
    assert told.events("warnings").select("record_id", "code").rows() == [("R", "W-CREDIT-SPENT")]


@pytest.mark.parametrize(
    ("credit_type", "transaction_type"),
    [
        ("Goodwill", "AccountGoodwillTxn"),
        ("Interest", "AccountInterestTxn"),
        ("Collections", "AccountCollectionTxn"),
        ("Other", "AccountOtherTxn"),
    ],
)
def test_r_txn_09_each_type_has_its_own_t_account(credit_type: str, transaction_type: str) -> None:
    """R-TXN-09, A-1..A-4: the four types, and their reversals."""
    given = about("K", "create_ad_hoc_credit", "7.00", {"credit_type": credit_type})
    told = story().land(DAY, commands=[given]).close_through(DAY)
    lines = told.journal().sort("line_no").select("transaction_type", "t_account_pattern", "side", "amount").rows()
    assert lines == [
        (transaction_type, f"{credit_type} Credit", "D", 7_00),
        (transaction_type, "Unapplied", "C", 7_00),
    ]
    told.land(LATER, commands=[reversal()]).close_through(LATER)
    assert (told.balance(f"{credit_type} Credit"), told.balance("Unapplied")) == ("0.00", "0.00")


def test_e_ahc_3_only_what_is_above_the_limit_waits() -> None:
    """E-AHC-3, R-AHC-3, R-LED-21, R-ACT-3: 50.00 is within, 50.01 above; nothing is posted before it is approved."""
    commands = [
        goodwill("K1", "50.00", requested_by="clerk", sequence=1),
        goodwill("K2", "50.01", requested_by="clerk", sequence=2),
    ]
    told = story(carrier(more=USERS)).land(DAY, commands=commands).close_through(DAY)
    assert status(told) == ["Executed", "PendingApproval"]
    assert (told.balance("Goodwill Credit"), balances(told)) == ("50.00", {2: 50_00})
    assert held(told, "approvals", "subject_type", "amount", "requested_by", "assigned_to", "status") == [
        ("AdHocCredit", 50_01, "clerk", "lead", "Open")
    ]
    told.land(LATER, commands=[command("Y", "approve", "ad_hoc_credit", "K2", requested_by="boss")])
    told.close_through(LATER)
    assert (status(told), told.balance("Goodwill Credit")) == (["Executed", "Executed"], "100.01")
    lines = told.journal().filter(pl.col("amount") == 50_01)
    assert lines["transaction_date"].unique().to_list() == [LATER]
    assert held(told, "approvals", "status", "decided_by", "decided_date") == [("Approved", "boss", LATER)]


def test_e_ahc_3_a_reversal_has_a_limit_of_its_own() -> None:
    """E-AHC-3, R-AHC-4, R-AHC-5: 20.00 is the clerk's limit for reversals."""
    commands = [goodwill("K1", "20.00", requested_by="clerk"), goodwill("K2", "20.01", requested_by="clerk")]
    told = story(carrier(more=USERS)).land(DAY, commands=commands)
    told.land(LATER, commands=[reversal(f"R{n}", f"K{n}", requested_by="clerk") for n in (1, 2)]).close_through(LATER)
    assert status(told) == ["Reversed", "ReversalPendingApproval"]
    assert balances(told) == {2: 20_01}
    assert held(told, "approvals", "subject_type", "status") == [("AdHocCreditReversal", "Open")]
    day = LATER + timedelta(days=1)
    decided = told.fork().land(day, commands=[command("Y", "approve", "ad_hoc_credit", "K2", requested_by="boss")])
    decided.close_through(day)
    assert (status(decided), balances(decided)) == (["Reversed", "Reversed"], {})
    decided = told.land(day, commands=[command("N", "reject", "ad_hoc_credit", "K2", requested_by="boss")])
    decided.close_through(day)
    assert (status(decided), balances(decided)) == (["Reversed", "Executed"], {2: 20_01})
    assert held(decided, "approvals", "status", "decided_by") == [("Rejected", "boss")]


def test_r_act_4_who_asked_is_told() -> None:
    """R-ACT-4, R-ACT-5: approved or rejected, with the command by which it was asked for."""
    asked = [goodwill(name, "60.00", requested_by="clerk", sequence=1) for name in ("K1", "K2")]
    decided = [
        command("Y", "approve", "ad_hoc_credit", "K1", requested_by="boss", sequence=2),
        command("N", "reject", "ad_hoc_credit", "K2", requested_by="boss", sequence=2),
    ]
    told = story(carrier(more=USERS)).land(DAY, commands=[*asked, *decided]).close_through(DAY)
    events = told.events("outbound_events").sort("command_id")
    assert events.select("event_type", "amount", "command_id").rows() == [
        ("RequestApproved", 60_00, "K1"),
        ("RequestRejected", 60_00, "K2"),
    ]


def test_r_ahc_4_an_approved_reversal_of_a_spent_credit_warns() -> None:
    """R-AHC-4: whoever approves the reversal is told that the fund is in deficit now."""
    told = story(carrier(more=USERS)).land(DAY, commands=[goodwill("K", "50.00", requested_by="clerk")])
    told.land(DAY, commands=[about("D", "create_disbursement", "50.00", {"due_date": str(DAY)}, reason="asked for")])
    told.land(LATER, commands=[reversal(requested_by="clerk", sequence=1)])
    told.land(LATER, commands=[command("Y", "approve", "ad_hoc_credit", "K", requested_by="boss", sequence=2)])
    told.close_through(LATER)
    assert balances(told) == {2: -50_00}
    assert told.events("warnings").select("record_id", "code").rows() == [("Y", "W-CREDIT-SPENT")]


def test_r_ahc_5_a_rejected_credit_stays_rejected() -> None:
    """R-AHC-5, R-ACT-5: nothing is posted; it can neither be approved, rejected nor taken back any more."""
    told = story(carrier(more=USERS)).land(DAY, commands=[goodwill("K", "60.00", requested_by="clerk")])
    told.land(LATER, commands=[command("N", "reject", "ad_hoc_credit", "K", requested_by="boss", sequence=1)])
    again = [
        command("Y", "approve", "ad_hoc_credit", "K", requested_by="boss", sequence=2),
        command("N2", "reject", "ad_hoc_credit", "K", requested_by="boss", sequence=3),
        reversal(requested_by="boss", sequence=4),
    ]
    told.land(LATER, commands=again).close_through(LATER)
    assert (status(told), told.journal().is_empty()) == (["Rejected"], True)
    refused = [("N2", "E-APPROVAL-STATUS"), ("R", "E-CREDIT-STATUS"), ("Y", "E-APPROVAL-STATUS")]
    assert told.quarantined() == refused


def test_r_ahc_2_permission() -> None:
    """R-AHC-2: a user who may not, somebody who is no user and nobody at all are refused; once there are users."""
    asking = {"K1": "boss", "K2": "outsider", "K3": "stranger", "K4": None}
    commands = [goodwill(name, "1.00", requested_by=who) for name, who in asking.items()]
    told = story(carrier(more=USERS)).land(DAY, commands=commands)
    told.land(LATER, commands=[reversal("R", "K1", requested_by="outsider")]).close_through(LATER)
    refused = [(name, "E-CREDIT-PERMISSION") for name in ("K2", "K3", "K4", "R")]
    assert (told.quarantined(), balances(told)) == (refused, {2: 1_00})


def test_r_ahc_1_the_fund_must_be_clear() -> None:
    """06 section 2.5: an account that keeps funds per policy has several, so the command says which."""
    policy = {
        "instruction_id": "I",
        "instruction_type": "issuance",
        "account_id": "B",
        "policy_id": "P",
        "period_start": DAY,
        "period_end": date(2026, 1, 10),
        "effective_date": DAY,
        "payment_plan": "Monthly",
    }
    told = story().land(DAY, accounts=[{"account_id": "B"}], billing_instructions=[policy])

    def given(command_id: str, **params: object) -> dict[str, object]:
        all_params = {"credit_type": "Other"} | params
        return about(command_id, "create_ad_hoc_credit", "5.00", all_params, account="B")

    commands = [
        given("K1"),
        given("K2", default_fund=True),
        given("K3", fund_policy_id="P"),
        given("K4", fund_policy_id="P", default_fund=True),
        given("K5", fund_policy_id="Q"),
    ]
    told.land(DAY, commands=commands).close_through(DAY)
    refused = [("K1", "E-FUND-CHOICE"), ("K4", "E-FUND-CHOICE"), ("K5", "E-FUND-UNKNOWN")]
    assert told.quarantined() == refused
    assert balances(told) == {4: 5_00, 3: 5_00}
    assert (told.balance("Unapplied"), told.balance("Designated Unapplied")) == ("5.00", "5.00")


def test_amounts_that_no_credit_can_have() -> None:
    """R-LED-18: more than zero, in whole cents."""
    amounts = {"K1": "0.00", "K2": "-1.00", "K3": "1.001"}
    told = story().land(DAY, commands=[goodwill(name, amount) for name, amount in amounts.items()]).close_through(DAY)
    refused = [("K1", "E-REFUND-AMOUNT"), ("K2", "E-REFUND-AMOUNT"), ("K3", "E-AMOUNT-UNREADABLE")]
    assert (told.quarantined(), told.book["ad_hoc_credits"].height) == (refused, 0)
