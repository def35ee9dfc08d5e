"""Funds tracking: which money was used for what, oldest first (06 section 3.F)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from assets.invariants import findings
from schemas import enums
from schemas.reports.finance import FUND_SOURCE_TYPES, FUND_USE_TYPES
from tests.golden.refunds import about, command
from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Story, carrier, plans
from tests.warehouse.money_books import MoneyBook, disbursed, paid, payment, posted, received
from tests.warehouse.published_stories import PublishedStory
from warehouse.storage import Home

DAY = date(2025, 1, 10)
NEXT = DAY + timedelta(days=1)
TRACKED = "[funds_tracking]\nenabled = true\nenabled_on = 2025-01-01\n"
ALLOTMENTS = "SELECT source_type, use_type, amount FROM fund_allotments{} ORDER BY source_id, use_id"
TWO_TYPES = "SELECT source_type FROM fund_sources UNION SELECT use_type FROM fund_uses"
BALANCE = "SELECT sum(amount) FROM (SELECT amount FROM fund_sources UNION ALL SELECT -amount FROM fund_uses)"


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)


def test_e_ft_1_fifo_allotment(tmp_path: Path) -> None:
    """E-FT-1, R-FT-3, R-FT-4: payment 100, items 70, credit 50, disbursement 80; the disbursement takes 30 and 50."""
    journal = [
        *received(DAY, 1, 1, 100_00),
        *paid(DAY, 2, 70_00, payment_key=1),
        *posted(DAY, 3, "AccountGoodwillTxn", "Goodwill Credit", "Unapplied", 50_00),
        *disbursed(DAY, 4, 80_00),
    ]
    book = MoneyBook(tmp_path, {DAY: {"journal": journal, "payments": [payment(1, 100_00, DAY)]}}, tracked_since=DAY)
    assert book.ask(ALLOTMENTS.format("")) == [
        ("Direct Bill Money Received", "Payment Item Group", *money("70.00")),
        ("Direct Bill Money Received", "Disbursement", *money("30.00")),
        ("Ad Hoc Credit", "Disbursement", *money("50.00")),
    ]
    assert book.ask("SELECT sum(amount), sum(unallotted) FROM fund_sources") == [money("150.00", "0.00")]
    assert book.ask("SELECT sum(amount), sum(unallotted) FROM fund_uses") == [money("150.00", "0.00")]


def test_e_ft_1_through_the_ledger(tmp_path: Path) -> None:
    """E-FT-1, R-FT-11, R-FT-12: as the ledger posts it; then the credit is taken back, and every statement holds."""
    told = Story(plans(monthly(maximum=1), more=TRACKED))
    told.land(
        date(2025, 1, 1),
        accounts=[{"account_id": "A", "invoice_by": "account", "name": "Anne"}],
        billing_instructions=[issuance("I", "P", date(2025, 1, 1), date(2026, 1, 1))],
        charges=[{"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": "70.00"}],
    )
    credit = about("K", "create_ad_hoc_credit", "50.00", {"credit_type": "Goodwill"})
    refund = about("D", "create_disbursement", "80.00", {"due_date": str(NEXT)}, reason="overpaid")
    told.land(DAY, payments=[{"payment_id": "M", "account_id": "A", "amount": "100.00"}], commands=[credit])
    told.land(NEXT, commands=[refund])
    book = PublishedStory(tmp_path / "paid", told.close_through(NEXT))
    assert book.ask(ALLOTMENTS.format("")) == [
        ("Direct Bill Money Received", "Payment Item Group", *money("70.00")),
        ("Direct Bill Money Received", "Disbursement", *money("30.00")),
        ("Ad Hoc Credit", "Disbursement", *money("50.00")),
    ]
    fates = "SELECT went_to, amount, disbursement_id FROM cash_application ORDER BY went_to"
    assert book.ask(fates) == [("item", *money("70.00"), None), ("refund", *money("30.00"), "D")]
    assert findings(Home(book.home)) == []
    last = NEXT + timedelta(days=1)
    told.land(last, commands=[command("V", "reverse_ad_hoc_credit", "ad_hoc_credit", "K")]).close_through(last)
    book = PublishedStory(tmp_path / "back", told)
    assert book.ask("SELECT use_type, unallotted FROM fund_uses WHERE unallotted > 0") == [
        ("Funds Source Reversal", *money("50.00"))
    ]
    assert book.ask("SELECT balance, negative_since, transaction_type FROM negative_funds") == [
        (*money("-50.00"), last, "AccountGoodwillTxn")
    ]
    assert findings(Home(book.home)) == []


def test_e_ft_2_allotment_differs_from_distribution(tmp_path: Path) -> None:
    """E-FT-2: each payment pays its own period, 30 and 160 are left; first in first out leaves 190 of the second."""
    told = Story(plans(monthly(maximum=1), more=TRACKED))
    start, end = date(2025, 1, 1), date(2026, 1, 1)
    told.land(
        start,
        accounts=[{"account_id": "A", "invoice_by": "account"}],
        billing_instructions=[issuance(f"I{name}", name, start, end) for name in ("PP1", "PP2")],
        charges=[
            {"instruction_id": f"I{name}", "charge_no": 1, "charge_pattern": "Premium", "amount": amount}
            for name, amount in (("PP1", "70.00"), ("PP2", "40.00"))
        ],
    )
    told.land(
        DAY,
        payments=[
            {"payment_id": name, "account_id": "A", "policy_id": policy, "amount": amount}
            for name, policy, amount in (("M1", "PP1", "100.00"), ("M2", "PP2", "200.00"))
        ],
    )
    book = PublishedStory(tmp_path, told.close_through(DAY))
    assert book.ask("SELECT payment_id, policy_id, amount FROM cash_application ORDER BY ALL") == [
        ("M1", "PP1", *money("70.00")),
        ("M1", None, *money("30.00")),
        ("M2", "PP2", *money("40.00")),
        ("M2", None, *money("160.00")),
    ]
    allotted = """
        SELECT source.payment_id, use.policy_id, part.amount FROM fund_allotments AS part
        JOIN fund_sources AS source USING (source_id) JOIN fund_uses AS use USING (use_id) ORDER BY ALL
    """
    assert book.ask(allotted) == [
        ("M1", "PP1", *money("70.00")),
        ("M1", "PP2", *money("30.00")),
        ("M2", "PP2", *money("10.00")),
    ]
    left = "SELECT payment_id, unallotted FROM fund_sources ORDER BY ALL"
    assert book.ask(left) == [("M1", *money("0.00")), ("M2", *money("190.00"))]
    assert book.ask("SELECT balance FROM funds") == [money("190.00")]


def _screens(home: Path) -> MoneyBook:
    """E-FT-5: payments of 100 and 200; a period is paid 80, then another one's two items 100 and 25."""
    journal = [
        *received(DAY, 1, 1, 100_00),
        *received(DAY, 2, 2, 200_00),
        *paid(DAY, 3, 80_00, 1, item_key=11),
        *paid(DAY, 4, 100_00, 2, item_key=21),
        *paid(DAY, 5, 25_00, 2, item_key=22),
    ]
    owned = {"owner_type": "PolicyPeriod", "account_key": 1, "charge_pattern": "Premium"}
    dates = ((1, date(2013, 12, 1)), (2, date(2014, 1, 1)))
    items = [
        (11, 1, 0, 80_00, 80_00, "onetime"),
        (21, 2, 1, 100_00, 100_00, "deposit"),
        (22, 2, 2, 90_00, 25_00, "installment"),
    ]
    return MoneyBook(
        home,
        {
            DAY: {
                "journal": journal,
                "payments": [payment(1, 100_00, DAY), payment(2, 200_00, DAY)],
                "invoices": [
                    {"invoice_key": n, "account_key": 1, "bill_date": bill, "due_date": bill + timedelta(days=14)}
                    for n, bill in dates
                ],
                "invoice_items": [
                    {
                        **owned,
                        "item_key": item,
                        "owner_key": period,
                        "period_key": period,
                        "policy_key": period,
                        "invoice_key": invoice,
                        "amount": amount,
                        "paid": money_paid,
                        "item_type": kind,
                    }
                    for item, period, invoice, amount, money_paid, kind in items
                ],
                "payment_items": [
                    {
                        "payment_item_key": journal[place]["transaction_key"],
                        "kind": "payment",
                        "payment_key": 2,
                        "item_key": journal[place]["item_key"],
                        "amount": journal[place]["amount"],
                        "transaction_key": journal[place]["transaction_key"],
                    }
                    for place in (4, 6, 8)
                ],
            }
        },
        tracked_since=DAY,
    )


def test_e_ft_5_screens(tmp_path: Path) -> None:
    """E-FT-5: what the sources were used for, what is left of them, and the items of a group."""
    book = _screens(tmp_path)
    assert book.ask("SELECT source_type, amount, allotted, unallotted FROM fund_sources ORDER BY sequence") == [
        ("Direct Bill Money Received", *money("100.00", "100.00", "0.00")),
        ("Direct Bill Money Received", *money("200.00", "105.00", "95.00")),
    ]
    used = """
        SELECT source.amount, use.policy_id, part.amount FROM fund_allotments AS part
        JOIN fund_sources AS source USING (source_id) JOIN fund_uses AS use USING (use_id) ORDER BY ALL
    """
    assert book.ask(used) == [
        (Decimal(100), "P", Decimal(80)),
        (Decimal(100), "Q", Decimal(20)),
        (Decimal(200), "Q", Decimal(105)),
    ]
    assert book.ask("SELECT policy_id, event_type, amount FROM payment_item_groups ORDER BY ALL") == [
        ("P", "Policy Period Paid", *money("80.00")),
        ("Q", "Policy Period Paid", *money("125.00")),
    ]
    items = """
        SELECT bill_date, due_date, owner_id, item_type, items.amount, paid
        FROM payment_item_group_items AS items JOIN payment_item_groups AS groups USING (group_id)
        WHERE policy_id = 'Q' ORDER BY bill_date
    """
    assert book.ask(items) == [
        (date(2013, 12, 1), date(2013, 12, 15), "Q/1", "deposit", *money("100.00", "100.00")),
        (date(2014, 1, 1), date(2014, 1, 15), "Q/1", "installment", *money("90.00", "25.00")),
    ]


def test_r_ft_1_tracking_is_off_by_default_and_brings_balances_forward(tmp_path: Path) -> None:
    """R-FT-1: nothing without the setting; a positive balance is a source, a negative one a use of its amount."""
    assert not carrier().funds_tracking.enabled
    before = {"journal": received(DAY, 1, 1, 100_00), "payments": [payment(1, 100_00, DAY)]}
    designated = {"t_account_pattern": "Designated Unapplied", "fund_policy_key": 1}
    overdrawn = disbursed(DAY, 2, 30_00)
    overdrawn[0] |= designated
    before["journal"] = [*before["journal"], *overdrawn]
    later = {"journal": paid(NEXT, 1, 40_00)}
    off = MoneyBook(tmp_path / "off", {DAY: before, NEXT: later})
    assert off.ask("SELECT count(*) FROM fund_sources") == off.ask("SELECT count(*) FROM fund_uses") == [(0,)]
    book = MoneyBook(tmp_path / "on", {DAY: before, NEXT: later}, tracked_since=NEXT)
    assert book.ask("SELECT source_type, event_date, fund_policy_id, amount, unallotted FROM fund_sources") == [
        ("Unapplied Fund Balance Forward", NEXT, None, *money("100.00", "60.00"))
    ]
    uses = "SELECT use_type, fund_policy_id, amount FROM fund_uses ORDER BY fund_policy_id"
    assert book.ask(uses) == [
        ("Unapplied Fund Balance Forward", "P", *money("30.00")),
        ("Payment Item Group", None, *money("40.00")),
    ]
    assert book.ask(f"SELECT count(*) FROM fund_sources_as_of(DATE '{DAY}')") == [(0,)]


def test_r_ft_2_a_group_that_sums_to_nothing_or_less_is_a_source(tmp_path: Path) -> None:
    """R-FT-2: per day, fund and policy period; a credit of one period that pays another is its source."""
    journal = [*paid(DAY, 1, -60_00, 1), *paid(DAY, 2, 60_00, 2), *paid(NEXT, 1, -5_00, 1), *paid(NEXT, 2, 5_00, 1)]
    days = {DAY: {"journal": journal[:4]}, NEXT: {"journal": journal[4:]}}
    book = MoneyBook(tmp_path, days, tracked_since=DAY)
    assert book.ask("SELECT policy_id, source_type, event_date, amount FROM fund_sources ORDER BY event_date") == [
        ("P", "Payment Item Group", DAY, *money("60.00")),
        ("P", "Payment Item Group", NEXT, *money("0.00")),
    ]
    assert book.ask("SELECT policy_id, use_type, event_date, amount FROM fund_uses") == [
        ("Q", "Payment Item Group", DAY, *money("60.00"))
    ]


def test_r_ft_2_items_of_the_account_are_a_group_of_their_own(tmp_path: Path) -> None:
    """R-FT-2: beside the group of the policy period, on the same day."""
    journal = [*received(DAY, 1, 1, 50_00), *paid(DAY, 2, 20_00, 0), *paid(DAY, 3, 25_00, 1)]
    book = MoneyBook(tmp_path, {DAY: {"journal": journal, "payments": [payment(1, 50_00, DAY)]}}, tracked_since=DAY)
    assert book.ask("SELECT event_type, policy_id, amount FROM payment_item_groups ORDER BY ALL") == [
        ("Account Paid", None, *money("20.00")),
        ("Policy Period Paid", "P", *money("25.00")),
    ]


def test_r_ft_11_what_is_taken_back_is_tracked_from_its_own_day(tmp_path: Path) -> None:
    """R-FT-11: a reversed receipt is a use, a reversed use a source, first in first out like any other."""
    first = [*received(DAY, 1, 1, 100_00), *received(DAY, 2, 2, 40_00), *disbursed(DAY, 3, 70_00)]
    back = {"reverses_transaction_key": first[2]["transaction_key"]}
    refund = {"reverses_transaction_key": first[4]["transaction_key"]}
    second = [*received(NEXT, 1, 2, -40_00, **back), *disbursed(NEXT, 2, -70_00, **refund)]
    payments = [payment(1, 100_00, DAY), payment(2, 40_00, DAY)]
    days = {DAY: {"journal": first, "payments": payments}, NEXT: {"journal": second}}
    book = MoneyBook(tmp_path, days, tracked_since=DAY)
    assert book.ask(ALLOTMENTS.format("")) == [
        ("Direct Bill Money Received", "Disbursement", *money("70.00")),
        ("Direct Bill Money Received", "Funds Source Reversal", *money("30.00")),
        ("Direct Bill Money Received", "Funds Source Reversal", *money("10.00")),
    ]
    assert book.ask("SELECT source_type, unallotted FROM fund_sources WHERE unallotted > 0 ORDER BY sequence") == [
        ("Direct Bill Money Received", *money("30.00")),
        ("Funds Use Reversal", *money("70.00")),
    ]
    assert book.ask(BALANCE) == [money("100.00")]
    as_it_was = f"_as_of(DATE '{DAY}')"
    assert book.ask(ALLOTMENTS.format(as_it_was)) == [("Direct Bill Money Received", "Disbursement", *money("70.00"))]


def test_r_ft_3_the_oldest_event_comes_first_whenever_it_was_recorded(tmp_path: Path) -> None:
    """R-FT-3: event date, then the order of recording; and per fund."""
    old = DAY - timedelta(days=5)
    first = [*received(DAY, 1, 1, 10_00), *disbursed(NEXT, 9, 15_00)]
    late = received(NEXT, 1, 2, 20_00, on=old)
    payments = [payment(1, 10_00, DAY), payment(2, 20_00, NEXT, payment_date=old)]
    days = {
        DAY: {"journal": first[:2], "payments": payments[:1]},
        NEXT: {"journal": [*late, *first[2:]], "payments": payments[1:]},
    }
    book = MoneyBook(tmp_path, days, tracked_since=DAY)
    parts = "SELECT source_date, amount FROM fund_allotments{}"
    assert book.ask(parts.format("")) == [(old, *money("15.00"))]
    known = f"SELECT payment_id FROM fund_sources_as_of(DATE '{DAY}'{{}}) ORDER BY event_date"
    assert book.ask(known.format("")) == [("R2",), ("R1",)]
    assert book.ask(known.format(f", known_at := DATE '{DAY}'")) == [("R1",)]


def test_r_ft_5_tracking_changes_nothing_else(tmp_path: Path) -> None:
    """R-FT-5, R-FT-6: the same days give the same journal and state; only the views know, computed when asked."""
    told = []
    for more in ("", TRACKED):
        story = Story(plans(monthly(maximum=3), more=more))
        story.land(
            date(2025, 1, 1),
            accounts=[{"account_id": "A"}],
            billing_instructions=[issuance("I", "P", date(2025, 1, 1), date(2026, 1, 1))],
            charges=[{"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": "90.00"}],
        )
        story.land(DAY, payments=[{"payment_id": "M", "account_id": "A", "amount": "75.00"}])
        told.append(story.close_through(date(2025, 3, 5)))
    assert told[0].journal().equals(told[1].journal())
    for table in told[0].book.frames:
        assert told[0].book[table].equals(told[1].book[table]), table
    book = PublishedStory(tmp_path, told[1])
    asked = "SELECT * FROM fund_allotments{} ORDER BY ALL"
    assert book.ask(asked.format("")) == book.ask(asked.format("_as_of(DATE '2025-03-05')")) != []


def test_every_transaction_of_a_fund_is_a_source_or_a_use(tmp_path: Path) -> None:
    """R-FT-12: the types of 06 section 2.10, for every transaction type that the chart lets touch a fund."""
    ad_hoc = ("AccountCollectionTxn", "AccountGoodwillTxn", "AccountInterestTxn", "AccountOtherTxn")
    in_kinds = ("DirectBillMoneyReceivedTxn", "TransferTransaction", "CollateralDrawdown", *ad_hoc)
    out_kinds = (
        "AcctUnappliedSuspTxn",
        "AccountAdjustment",
        "AccountNegativeWriteoffTxn",
        "ChargePaidFromAccount",
        "CollateralPaidFromAccount",
        "DisbursementPaid",
        "TransferTransaction",
    )
    assert {*in_kinds, *out_kinds} <= {*enums.TRANSACTION_TYPES}
    kinds = [(kind, 1_00) for kind in in_kinds] + [(kind, -1_00) for kind in out_kinds]
    kinds += [("AcctSuspenseReleaseTxn", 1_00), ("AccountGoodwillTxn", -1_00)]
    journal = [
        row
        for number, (kind, amount) in enumerate(kinds, 1)
        for row in posted(DAY, number, kind, "Cash", "Unapplied", amount)
    ]
    for row in journal:
        # The payer's fund is the first line of what pays an item.
        row["line_no"] = 3 - row["line_no"]
    book = MoneyBook(tmp_path, {DAY: {"journal": journal}}, tracked_since=DAY)
    assert {kind for (kind,) in book.ask(TWO_TYPES)} == {*FUND_SOURCE_TYPES, *FUND_USE_TYPES} - {
        "Unapplied Fund Balance Forward"
    }
    assert book.ask(BALANCE) == book.ask("SELECT balance FROM t_account_balances WHERE t_account = 'Unapplied'")
