"""What the views say of items, charges and invoices that the ledger has changed."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from schemas import enums
from schemas.reports.changes import INVOICE_ITEM_HISTORY
from tests.story import Row, Story, plans, timing
from tests.warehouse.published_stories import PublishedStory

JAN_1, FEB_1, MAR_1 = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
STANDARD = 'description = "Due 14 calendar days after billing"\n'


def _terms(count: int, more: str = "", interval: str = "monthly") -> str:
    first = timing("policy_effective_date")
    return f'payment_interval = "{interval}"\nmax_installments = {count}\nfirst_installment_timing = {first}\n{more}'


def _issuance(policy_id: str = "P", effective: date = JAN_1, account_id: str = "A") -> Row:
    return {
        "instruction_id": f"I-{policy_id}",
        "instruction_type": "issuance",
        "account_id": account_id,
        "policy_id": policy_id,
        "period_start": effective,
        "period_end": effective.replace(year=effective.year + 1),
        "effective_date": effective,
        "payment_plan": "X",
    }


def _charge(amount: str, number: int = 1, pattern: str = "Premium", policy_id: str = "P", **more: object) -> Row:
    named = {"instruction_id": f"I-{policy_id}", "charge_no": number, "charge_pattern": pattern, "amount": amount}
    return {**named, **more}


def _story(*charges: Row, count: int = 3, changes: tuple[tuple[str, str], ...] = (), more: str = "") -> Story:
    """Policy P of account A; account B pays what the charges say."""
    story = Story(plans(_terms(count, more), *changes))
    accounts: list[Row] = [{"account_id": "A", "invoice_by": "policy", "separate_funds_by": "account"}]
    accounts.append({"account_id": "B", "invoice_by": "account", "invoice_day_of_month": 1})
    return story.land(JAN_1, accounts=accounts, billing_instructions=[_issuance()], charges=list(charges))


def _command(command_type: str, target_type: str, target_id: object, **params: object) -> Row:
    return {
        "command_id": command_type,
        "command_type": command_type,
        "target_type": target_type,
        "target_id": target_id,
        "params": json.dumps(params),
    }


def _low_balance(threshold: str, method: str) -> tuple[str, str]:
    """A change of the standard billing plan: invoices below a threshold are not billed."""
    settings = f'low_balance_threshold = "{threshold}"\nlow_balance_method = "{method}"\n'
    return STANDARD, f"{STANDARD}suppress_low_balance = true\n{settings}"


def _money(*amounts: str) -> list[Decimal]:
    return [Decimal(amount) for amount in amounts]


# The history of items


def test_all_27_item_events_are_declared() -> None:
    """R-ITM-20: the words of 04 section 2.12."""
    declared = next(column for column in INVOICE_ITEM_HISTORY.columns if column.name == "event_type")
    assert declared.values == enums.ITEM_EVENT_TYPES
    assert len(set(enums.ITEM_EVENT_TYPES)) == 27


def _history(published: PublishedStory, item_id: object, view: str = "invoice_item_history") -> list[tuple]:
    return published.ask(
        f"SELECT event_type, gross FROM {view} WHERE item_id = '{item_id}' "
        "ORDER BY business_date, transaction_id::BIGINT NULLS LAST, event_type"
    )


def test_e_itm_05_the_history_of_an_item_that_another_pays(tmp_path: Path) -> None:
    """E-ITM-05: 300 charged, billed, 150 paid, then given to another payer with its payment: nothing is left of it."""
    story = _story(_charge("300.00"), count=1).close_through(JAN_1)
    story.land(date(2025, 1, 2), payments=[{"payment_id": "M", "account_id": "A", "amount": "150.00"}])
    item = story.close_through(date(2025, 1, 2)).items()["item_key"][0]
    reassign = _command("reassign_item_payer", "invoice_item", item, payer_account_id="B", reverse_payments="no")
    story.land(date(2025, 1, 3), commands=[reassign]).close_through(date(2025, 1, 3))
    published = PublishedStory(tmp_path, story)
    assert _history(published, item) == [
        ("Item Charged", Decimal(300)),
        ("Item Billed", None),
        ("Payment Received", Decimal(-150)),
        ("Item Reversed", None),
        ("Payment Moved From Invoice Item", Decimal(150)),
        ("Payment Received", Decimal(-300)),
    ]
    assert _history(published, item, "invoice_item_history_as_of('2025-01-01')") == [
        ("Item Charged", Decimal(300)),
        ("Item Billed", None),
    ]
    onset = published.ask("SELECT item_id, amount, amount_due FROM invoice_items WHERE reversal_kind = 'onset'")
    assert [row[1:] for row in onset] == [tuple(_money("300", "150"))]
    assert _history(published, onset[0][0]) == [
        ("Item Assigned to Payer", None),
        ("Item Created as Onset", Decimal(300)),
        ("Payment Moved To Invoice Item", Decimal(-150)),
    ]


def test_the_history_of_every_item_adds_up_to_what_is_open(tmp_path: Path) -> None:
    """R-ITM-20: over moves, offsets, new plans, reversals and write-offs the gross column is what is open."""
    low = _low_balance("10.00", "write_off")
    story = _story(_charge("300.00"), _charge("9.00", 2, "Taxes"), _charge("50.00", 3, "Late Fee"), changes=(low,))
    story.land(JAN_1, payments=[{"payment_id": "M", "account_id": "A", "amount": "80.00"}]).close_through(JAN_1)
    commands = [
        _command("reassign_charge_payer", "charge", "I-P/1", payer_account_id="B", items="not_fully_paid"),
        _command("reverse_charge", "charge", "I-P/3"),
        _command("hold_charge", "charge", "I-P/2"),
    ]
    story.land(date(2025, 1, 20), commands=commands).close_through(date(2025, 2, 20))
    published = PublishedStory(tmp_path, story)
    assert published.ask("SELECT count(*) FROM quarantine") == [(0,)]
    wrong = """
        SELECT item.item_id, item.amount_due, history.gross
        FROM invoice_items AS item
        LEFT JOIN (SELECT item_id, sum(gross) AS gross FROM invoice_item_history GROUP BY item_id) AS history
            USING (item_id)
        WHERE item.amount_due IS DISTINCT FROM coalesce(history.gross, 0)
    """
    assert published.ask(wrong) == []
    kinds = {event for (event,) in published.ask("SELECT DISTINCT event_type FROM invoice_item_history")}
    assert kinds >= {"Item Charged", "Item Billed", "Item Made Due", "Payment Received", "Item Created as Onset"}


# Charges and their accounts


def test_e_itm_02_charges_by_the_relation_of_an_account(tmp_path: Path) -> None:
    """E-ITM-02: A owns premium, tax and fee; B pays the premium. The relations of 04 section 6 are two flags."""
    story = _story(_charge("300.00", payer_account_id="B"), _charge("9.00", 2, "Taxes"), _charge("5.00", 3, "Late Fee"))
    published = PublishedStory(tmp_path, story.close_through(JAN_1))

    def charges(account: str, relation: str) -> list[str]:
        sql = f"SELECT charge_pattern FROM account_charges WHERE account_id = '{account}' AND ({relation}) ORDER BY 1"
        return [pattern for (pattern,) in published.ask(sql)]

    assert charges("A", "is_owner OR is_payer") == ["Late Fee", "Premium", "Taxes"]
    assert charges("A", "is_owner AND is_payer") == ["Late Fee", "Taxes"]
    assert charges("A", "is_owner") == ["Late Fee", "Premium", "Taxes"]
    assert charges("A", "is_payer") == ["Late Fee", "Taxes"]
    assert charges("B", "is_owner OR is_payer") == charges("B", "is_payer") == ["Premium"]
    assert charges("B", "is_owner") == []
    payers = "SELECT DISTINCT charge_pattern, owner_account_id, account_id FROM invoice_items ORDER BY 1"
    assert published.ask(payers) == [("Late Fee", "A", "A"), ("Premium", "A", "B"), ("Taxes", "A", "A")]


def test_reversible_charges_can_be_searched(tmp_path: Path) -> None:
    """R-CR-2, R-CR-3, R-CR-6: neither premium nor what is reversed already; by pattern, amount, date and policy."""
    story = _story(_charge("300.00"), _charge("9.00", 2, "Taxes"), _charge("25.00", 3, "Late Fee"))
    story.close_through(JAN_1)
    published = PublishedStory(tmp_path / "before", story)
    assert published.ask("SELECT charge_pattern, category, amount FROM reversible_charges ORDER BY amount") == [
        ("Taxes", "tax", Decimal(9)),
        ("Late Fee", "fee", Decimal(25)),
    ]
    search = f"amount BETWEEN 25 AND 30 AND charge_date = '{JAN_1}' AND policy_id = 'P'"
    assert published.ask(f"SELECT charge_pattern FROM reversible_charges WHERE {search}") == [("Late Fee",)]
    story.land(FEB_1, commands=[_command("reverse_charge", "charge", "I-P/3")]).close_through(FEB_1)
    published = PublishedStory(tmp_path / "after", story)
    assert published.ask("SELECT charge_pattern FROM reversible_charges") == [("Taxes",)]
    assert published.ask(f"SELECT count(*) FROM reversible_charges_as_of('{JAN_1}')") == [(2,)]
    reversed_ones = (
        "SELECT amount, is_reversed, reverses_charge_id IS NULL FROM charges WHERE charge_pattern = 'Late Fee'"
    )
    assert published.ask(f"{reversed_ones} ORDER BY amount") == [
        (Decimal(-25), False, False),
        (Decimal(25), True, True),
    ]


def test_nothing_is_unallocated(tmp_path: Path) -> None:
    """R-CI-06, R-ITM-43."""
    published = PublishedStory(tmp_path, _story(_charge("300.01"), _charge("9.00", 2, "Taxes")).close_through(JAN_1))
    assert published.ask("SELECT amount, items_amount, unallocated FROM modify_items_balance ORDER BY 1") == [
        tuple(_money("9", "9", "0")),
        tuple(_money("300.01", "300.01", "0")),
    ]


def test_where_a_planned_item_may_go(tmp_path: Path) -> None:
    """R-ITM-45, R-ITM-47: the other planned invoices of its payer; after the move the invoice that it left is gone."""
    story = _story(_charge("300.00")).close_through(JAN_1)
    published = PublishedStory(tmp_path / "before", story)
    targets = "SELECT item_id, invoice_id, target_invoice_id, bill_date FROM move_item_targets ORDER BY bill_date"
    (item, _, _, to_february), (march, left, target, to_march) = sorted(published.ask(targets), key=lambda row: row[3])
    assert (to_february, to_march) == (FEB_1, MAR_1)
    assert item != march
    move = _command("move_invoice_item", "invoice_item", march, invoice_id=target)
    story.land(date(2025, 1, 2), commands=[move]).close_through(date(2025, 1, 2))
    published = PublishedStory(tmp_path / "after", story)
    assert published.ask(f"SELECT invoice_id FROM invoice_items WHERE item_id = '{march}'") == [(target,)]
    assert published.ask(f"SELECT * FROM invoices WHERE invoice_id = '{left}'") == []
    assert published.ask("SELECT * FROM move_item_targets") == []


def test_e_ci_28_installments_that_share_an_invoice_are_named(tmp_path: Path) -> None:
    """R-CI-52 of E-CI-28: not aligned, installments on month ends, invoices on the 30th: two in February and April."""
    story = Story(plans(_terms(4, "align_installments = false\n")))
    story.land(
        date(2025, 1, 10),
        accounts=[{"account_id": "A", "invoice_by": "account", "invoice_day_of_month": 30}],
        billing_instructions=[_issuance(effective=date(2025, 1, 31))],
        charges=[_charge("400.00")],
    )
    published = PublishedStory(tmp_path, story.close_through(date(2025, 1, 10)))
    columns = "bill_date, installments, first_event_date, last_event_date, policy_id"
    assert published.ask(f"SELECT {columns} FROM misaligned_installments ORDER BY bill_date") == [
        (date(2025, 2, 28), 2, date(2025, 1, 31), date(2025, 2, 28), "P"),
        (date(2025, 4, 30), 2, date(2025, 3, 31), date(2025, 4, 30), "P"),
    ]


def test_what_was_past_when_it_arrived_is_not_misaligned(tmp_path: Path) -> None:
    """R-CI-52, R-CI-48: a policy that arrives late has several installments on its first invoice, as it should."""
    story = Story(plans(_terms(6)))
    story.land(MAR_1, accounts=[{"account_id": "A"}], billing_instructions=[_issuance()], charges=[_charge("600.00")])
    published = PublishedStory(tmp_path, story.close_through(MAR_1))
    assert published.ask("SELECT count(*) FROM invoice_items WHERE bill_date = '2025-03-01'") == [(3,)]
    assert published.ask("SELECT * FROM misaligned_installments") == []


# Invoices that were not billed


@pytest.mark.parametrize(("method", "status"), [("carry_forward", "Carried Forward"), ("write_off", "Written Off")])
def test_d_lb_1_low_balances_are_listed(tmp_path: Path, method: str, status: str) -> None:
    """D-LB-1, R-INV-12, R-INV-13: 9.99 is below the threshold of 10.00."""
    low = _low_balance("10.00", method)
    story = _story(_charge("19.98"), count=2, changes=(low,)).close_through(JAN_1)
    published = PublishedStory(tmp_path, story)
    first, second = (row[0] for row in published.ask("SELECT invoice_id FROM invoices ORDER BY bill_date"))
    columns = "business_date, invoice_id, account_id, amount, threshold, action, target_invoice_id"
    assert published.ask(f"SELECT {columns} FROM low_balance_actions") == [
        (JAN_1, first, "A", *_money("9.99", "10.00"), method, second if method == "carry_forward" else None)
    ]
    left = Decimal("19.98") if method == "carry_forward" else Decimal("9.99")
    assert published.ask("SELECT status, amount_due, is_paid FROM invoices ORDER BY bill_date") == [
        (status, Decimal(0), True),
        ("Planned", left, False),
    ]
    assert published.ask("SELECT unbilled, total FROM aging") == [(left, Decimal(0))]
    assert published.ask("SELECT sum(amount) FROM write_off_items") == [
        (None if method == "carry_forward" else Decimal("9.99"),)
    ]


def test_items_of_held_charges_are_no_low_balance(tmp_path: Path) -> None:
    """R-INV-23: the invoice is carried forward because its charge is held, whatever the balance."""
    low = _low_balance("500.00", "carry_forward")
    story = _story(_charge("300.00"), count=2, changes=(low,))
    story.land(JAN_1, commands=[_command("hold_charge", "charge", "I-P/1")]).close_through(JAN_1 + timedelta(days=1))
    published = PublishedStory(tmp_path, story)
    assert published.ask("SELECT status FROM invoices ORDER BY bill_date LIMIT 1") == [("Carried Forward",)]
    assert published.ask("SELECT * FROM low_balance_actions") == []
    assert published.ask("SELECT is_held, hold_reason FROM charges") == [(True, "dispute")]
