"""The life of policies, charges and money in the ledger's own words, and how accounts, plans and days go together."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.postings import Postings, in_words
from tests.story import Row, Story, plans, timing
from tests.warehouse.published_stories import PublishedStory

JAN_1, FEB_1, MAR_1 = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
NEXT_YEAR = date(2026, 1, 1)
FIRST = timing("policy_effective_date")


def monthly(count: int = 3, first: str = FIRST) -> str:
    return f'payment_interval = "monthly"\nmax_installments = {count}\nfirst_installment_timing = {first}\n'


def instruction(
    kind: str = "issuance", policy_id: str | None = "P", account_id: str = "A", effective: date = JAN_1, **more: object
) -> Row:
    """A billing instruction; new periods last a year and have plan X."""
    is_new = kind in ("issuance", "renewal", "new_renewal", "rewrite")
    period: Row = (
        {"period_start": effective, "period_end": effective.replace(year=effective.year + 1)} if is_new else {}
    )
    row = {
        "instruction_id": f"{kind}-{policy_id}",
        "instruction_type": kind,
        "account_id": account_id,
        "policy_id": policy_id,
        "effective_date": effective,
        "payment_plan": "X" if is_new else None,
    }
    return {**row, **period, **more}


def charge(amount: str, of: str = "issuance-P", number: int = 1, pattern: str = "Premium", **more: object) -> Row:
    return {"instruction_id": of, "charge_no": number, "charge_pattern": pattern, "amount": amount, **more}


def payment(payment_id: str, amount: str, account_id: str = "A", **more: object) -> Row:
    return {"payment_id": payment_id, "account_id": account_id, "amount": amount, **more}


# From issuance to renewal


def test_a_policy_is_issued_billed_paid_and_renewed() -> None:
    """R-LIF-01, R-LIF-04, R-LIF-07, R-LIF-13, R-BI-13, R-CH-2, R-CH-9, R-ENT-02: a new term starts again."""
    story = Story(plans(monthly())).land(JAN_1, billing_instructions=[instruction()], charges=[charge("600.01")])
    for number, day in enumerate((date(2025, 1, 5), date(2025, 2, 5), date(2025, 3, 5)), start=1):
        story.land(day, payments=[payment(f"M{number}", "200.01" if number == 1 else "200.00", policy_id="P")])
    story.close_through(date(2025, 3, 31))
    assert story.amounts() == ["200.01", "200.00", "200.00"]
    assert story.dates("bill_date") == ["2025-01-01", "2025-02-01", "2025-03-01"]
    assert {(status, due) for _, status, due in story.invoices()} == {("Due", "0.00")}
    renewal = instruction("renewal", effective=NEXT_YEAR)
    story.land(date(2025, 12, 1), billing_instructions=[renewal], charges=[charge("900.00", "renewal-P")])
    story.close_through(date(2025, 12, 1))
    periods = story.book["policy_periods"].select("term_number", "effective_date").sort("term_number")
    assert periods.rows() == [(1, JAN_1), (2, NEXT_YEAR)]
    assert [status for _, status, _ in story.invoices()] == ["Due"] * 3 + ["Planned"] * 3
    assert story.dates("bill_date")[3:] == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert story.quarantined() == []


def test_an_instruction_without_charges_changes_the_policy() -> None:
    """R-LIF-02: a cancellation and a reinstatement may come without a charge."""
    story = Story(plans(monthly())).land(JAN_1, billing_instructions=[instruction()], charges=[charge("600.00")])
    story.land(FEB_1, billing_instructions=[instruction("cancellation", effective=FEB_1)]).close_through(FEB_1)
    assert story.book["policy_periods"]["status"].to_list() == ["cancelled"]
    story.land(MAR_1, billing_instructions=[instruction("reinstatement", effective=MAR_1)]).close_through(MAR_1)
    assert story.book["policy_periods"]["status"].to_list() == ["in_force"]
    assert (story.quarantined(), story.amounts()) == ([], ["200.00"] * 3)


def test_families_of_charges_and_their_subtypes(tmp_path: Path) -> None:
    """R-LIF-03, R-LIF-06, R-ENT-05, R-CP-1, R-CP-3, E-CP-1: premium, tax, fee; each of one pattern and owner."""
    story = Story(plans(monthly())).land(
        JAN_1,
        billing_instructions=[instruction()],
        charges=[
            charge("600.00"),
            charge("25.00", number=2, pattern="Taxes"),
            charge("10.00", number=3, pattern="Late Fee"),
        ],
    )
    published = PublishedStory(tmp_path, story.close_through(JAN_1))
    columns = "charge_pattern, category, charge_subtype, owner_type, owner_id"
    assert published.ask(f"SELECT {columns} FROM charges ORDER BY charge_no") == [
        ("Premium", "premium", "pro_rata", "PolicyPeriod", "P/1"),
        ("Taxes", "tax", "pass_through", "PolicyPeriod", "P/1"),
        ("Late Fee", "fee", "immediate", "PolicyPeriod", "P/1"),
    ]
    first = "SELECT charge_pattern FROM invoice_items WHERE bill_date = '2025-01-01' ORDER BY 1"
    assert published.ask(first) == [("Late Fee",), ("Premium",), ("Taxes",)]


def test_a_plan_that_the_file_changes_holds_for_what_comes_later() -> None:
    """R-PP-21, R-PO-7, R-CP-12, R-LIF-05: what is cut already stays; another file cuts what is landed after it."""
    story = Story(plans(monthly(3))).land(JAN_1, billing_instructions=[instruction()], charges=[charge("600.00")])
    story.close_through(JAN_1)
    override = '[[payment_plans."X".overrides]]\ninstruction_type = "issuance"\nmax_installments = 1\n'
    story.carrier = plans(monthly(2), more=override)
    day = date(2025, 1, 2)
    story.land(
        day,
        billing_instructions=[
            instruction(policy_id="Q", instruction_id="I-Q"),
            instruction("new_renewal", policy_id="R", instruction_id="I-R"),
        ],
        charges=[charge("600.00", "I-Q"), charge("600.00", "I-R")],
    ).close_through(day)
    assert sorted(story.amounts()) == ["200.00"] * 3 + ["300.00"] * 2 + ["600.00"]


def test_a_single_down_payment_without_one_in_the_plan() -> None:
    """R-CP-9, R-CI-26: it has the date of the first installment and is a down payment all the same."""
    down_payment = """[charge_patterns."Membership"]
subtype = "pro_rata"
category = "premium"
owner_types = ["PolicyPeriod"]
invoicing_approach = "single_down_payment"
"""
    story = Story(plans(monthly(3, timing("policy_effective_date", 9)), more=down_payment)).land(
        JAN_1, billing_instructions=[instruction()], charges=[charge("50.00", pattern="Membership")]
    )
    items = story.close_through(JAN_1).items()
    assert items.select("item_type", "event_date", "amount").rows() == [("deposit", date(2025, 1, 10), 50_00)]


# Accounts, owners and T-accounts


@pytest.fixture
def acme(tmp_path: Path) -> PublishedStory:
    """Acme owns two policies; B pays the premium of one, and has paid a part of it."""
    story = Story(plans(monthly(2))).land(
        JAN_1,
        accounts=[{"account_id": "Acme Company"}, {"account_id": "B"}],
        billing_instructions=[instruction(policy_id=name, account_id="Acme Company") for name in ("WC", "GL")],
        charges=[charge("600.00", "issuance-WC", payer_account_id="B"), charge("400.00", "issuance-GL")],
    )
    story.land(date(2025, 1, 2), payments=[payment("M", "100.00", "B")]).close_through(date(2025, 1, 2))
    return PublishedStory(tmp_path, story)


def test_e_ent_02_one_account_two_policies(acme: PublishedStory) -> None:
    """E-ENT-02, R-LED-11, R-ENT-01: the ledger of an account is its own T-accounts and those of its policy periods."""
    sql = """
        WITH owners AS (
            SELECT account_id, account_id AS owner_id FROM accounts
            UNION ALL SELECT account_id, policy_id || '/' || term_number FROM policy_periods
        )
        SELECT owner_id, sum(balance) FROM owners JOIN t_account_balances USING (owner_id)
        WHERE account_id = 'Acme Company' AND t_account LIKE '% Unbilled' GROUP BY 1 ORDER BY 1
    """
    assert acme.ask(sql) == [("GL/1", Decimal(200)), ("WC/1", Decimal(300))]
    assert acme.ask("SELECT account_id, count(*) FROM policy_periods GROUP BY 1") == [("Acme Company", 2)]
    assert acme.ask("SELECT count(*), count(DISTINCT account_id) FROM accounts") == [(2, 2)]


def test_a_transaction_of_two_owners_balances_as_a_whole(acme: PublishedStory) -> None:
    """R-LED-03, R-LED-04, R-LED-09, R-LED-23: an owner's journal has all lines of its transactions."""
    paid = "SELECT owner_id, t_account, side, amount FROM journal WHERE transaction_type = 'ChargePaidFromAccount'"
    assert acme.ask(f"{paid} ORDER BY side DESC") == [
        ("B", "Unapplied", "D", Decimal(100)),
        ("WC/1", "Premium Due", "C", Decimal(100)),
    ]
    journal = (
        "SELECT DISTINCT owner_id FROM journal WHERE transaction_id IN (SELECT transaction_id FROM journal WHERE {})"
    )
    assert acme.ask(journal.format("owner_id = 'B'") + " ORDER BY 1") == [("B",), ("WC/1",)]
    per_owner = (
        "SELECT owner_id FROM journal GROUP BY 1 HAVING sum(CASE side WHEN 'D' THEN amount ELSE -amount END) <> 0"
    )
    assert acme.ask(f"{per_owner} ORDER BY 1") == [("B",), ("WC/1",)]


def test_an_amount_finer_than_its_currency_is_refused() -> None:
    """R-LED-18: nothing is rounded on the way in."""
    story = Story(plans(monthly())).land(JAN_1, accounts=[{"account_id": "A"}], payments=[payment("M", "1.005")])
    story.close_through(JAN_1)
    assert story.quarantined() == [("M", "E-AMOUNT-DECIMALS")]
    assert story.journal().is_empty()


def test_the_steps_of_a_day_see_each_other_in_order() -> None:
    """R-LIF-23, R-LIF-12, R-CI-02: issued, paid for, held by command and billed on one day."""
    held = {
        "command_type": "hold_charge",
        "target_type": "charge",
        "target_id": "issuance-Q/1",
        "params": json.dumps({}),
    }
    story = Story(plans(monthly(1))).land(
        JAN_1,
        accounts=[{"account_id": "A", "invoice_by": "policy", "separate_funds_by": "account"}],
        billing_instructions=[instruction(policy_id="P"), instruction(policy_id="Q")],
        charges=[charge("600.00"), charge("400.00", "issuance-Q")],
        payments=[payment("M", "150.00", policy_id="P")],
        commands=[{"command_id": "C", **held}],
    )
    story.close_through(JAN_1)
    assert story.quarantined() == []
    kinds = story.journal()["transaction_type"].cast(str).unique(maintain_order=True).to_list()
    assert kinds == [
        "InitialChargeTxn",
        "DirectBillMoneyReceivedTxn",
        "ChargePaidFromAccount",
        "ChargeBilled",
    ]
    billed = [(status, due) for _, status, due in story.invoices() if status == "Billed"]
    assert billed == [("Billed", "450.00")]


def test_an_expired_allocation_plan_stays_with_its_account() -> None:
    """R-PAP-01, R-PAP-05, R-PAP-07: it still decides, and what it lets nothing take stays in the fund."""
    expired = """[payment_allocation_plans."Old"]
effective_date = 2020-01-01
expiration_date = 2025-01-31
filters = ["billed_or_due"]
"""
    story = Story(plans(monthly(), more=expired)).land(
        JAN_1,
        accounts=[{"account_id": "A", "payment_allocation_plan": "Old"}],
        billing_instructions=[instruction()],
        charges=[charge("600.00")],
    )
    story.land(date(2025, 2, 10), payments=[payment("M", "500.00")]).close_through(date(2025, 2, 10))
    assert story.quarantined() == []
    assert story.items()["paid"].to_list() == [200_00, 200_00, 0]
    assert story.book["funds"]["balance"].sum() == 100_00


# Postings of transactions that no process raises yet

POSTED: tuple[tuple[str, str, tuple[str, str]], ...] = (
    ("R-TXN-09", "AccountCollectionTxn", ("Dr Collections Credit [Account]", "Cr Unapplied [Account]")),
    ("R-TXN-09", "AccountGoodwillTxn", ("Dr Goodwill Credit [Account]", "Cr Unapplied [Account]")),
    ("R-TXN-09", "AccountInterestTxn", ("Dr Interest Credit [Account]", "Cr Unapplied [Account]")),
    ("R-TXN-09", "AccountOtherTxn", ("Dr Other Credit [Account]", "Cr Unapplied [Account]")),
    ("R-TXN-10", "AccountNegativeWriteoffTxn", ("Dr Unapplied [Account]", "Cr Negative Write-Off [Account]")),
    ("R-TXN-10", "ProducerNegWriteoffTxn", ("Dr Unapplied [Producer]", "Cr Negative Write-Off [Producer]")),
    ("R-TXN-12", "AcctUnappliedSuspTxn", ("Dr Unapplied [Account]", "Cr Suspense [Account]")),
    ("R-TXN-12", "AcctSuspenseReleaseTxn", ("Dr Suspense [Account]", "Cr Unapplied [Account]")),
    ("R-TXN-12", "ProdUnappliedSuspTxn", ("Dr Unapplied [Producer]", "Cr Suspense [Producer]")),
    ("R-TXN-12", "ProdSuspenseReleaseTxn", ("Dr Suspense [Producer]", "Cr Unapplied [Producer]")),
    ("R-TXN-21", "ProducerPaymentSent", ("Dr Commissions Payable [Producer]", "Cr Cash [Producer]")),
    ("R-TXN-21", "ProducerPaymentRecd", ("Dr Cash [Producer]", "Cr Commissions Payable [Producer]")),
    (
        "R-TXN-22",
        "CommissionsReserveNegativeWriteoffTxn",
        ("Dr Commissions Reserve [ChargeCommission]", "Cr Negative Commission Adjustment [ChargeCommission]"),
    ),
    (
        "R-TXN-22",
        "CommissionsReservePositiveWriteoffTxn",
        ("Dr Positive Commission Adjustment [ChargeCommission]", "Cr Commissions Reserve [ChargeCommission]"),
    ),
    ("R-TXN-25", "DisbursementPaid", ("Dr Unapplied [Account]", "Cr Cash [Account]")),
    ("R-TXN-25", "AgencyDisbursementPaid", ("Dr Unapplied [Producer]", "Cr Cash [Producer]")),
    ("R-TXN-25", "SuspPymtDisbPaid", ("Dr Unapplied [SuspensePayment]", "Cr Cash [SuspensePayment]")),
    (
        "R-TXN-29",
        "ManualCmsnEarned",
        ("Dr Commissions Expense [ProducerCode]", "Cr Commissions Payable [ProducerCode]"),
    ),
)


@pytest.mark.parametrize(("rule", "transaction_type", "lines"), POSTED)
def test_two_lines_of_a_transaction(rule: str, transaction_type: str, lines: tuple[str, str]) -> None:
    """The pair of T-accounts that the rule names, for 12.50."""
    columns = {"payment_key": 9} if "SuspensePayment" in lines[0] else {}
    posted = Postings().post(JAN_1, (transaction_type, "12.50", columns))
    assert in_words(posted) == [f"{line} 12.50" for line in lines], rule
