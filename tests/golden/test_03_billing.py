"""Worked examples of billing plans: low balances, fees on invoices, payment requests and drafts."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from ledger.invoices import invoice_status
from ledger.money import format_minor_units
from tests.story import Row, Story, by_allocation_plan, plans, timing

JAN_1 = date(2025, 1, 1)
STANDARD = 'description = "Due 14 calendar days after billing"\n'
LOW_BALANCE = (
    STANDARD,
    f'{STANDARD}suppress_low_balance = true\nlow_balance_threshold = "10.00"\nlow_balance_method = "carry_forward"\n',
)
WRITE_OFF = (LOW_BALANCE[0], LOW_BALANCE[1].replace("carry_forward", "write_off"))


def monthly(count: int) -> str:
    """Terms of so many monthly installments, the first when the policy takes effect."""
    first = timing("policy_effective_date")
    return f'payment_interval = "monthly"\nmax_installments = {count}\nfirst_installment_timing = {first}\n'


def issuance(
    plan: str = "X", policy_id: str = "P", effective: date = JAN_1, account_id: str = "A"
) -> dict[str, object]:
    return {
        "instruction_id": f"I-{policy_id}",
        "instruction_type": "issuance",
        "account_id": account_id,
        "policy_id": policy_id,
        "period_start": effective,
        "period_end": effective.replace(year=effective.year + 1),
        "effective_date": effective,
        "payment_plan": plan,
    }


def premium(amount: str, policy_id: str = "P", pattern: str = "Premium", charge_no: int = 1) -> Row:
    return {"instruction_id": f"I-{policy_id}", "charge_no": charge_no, "charge_pattern": pattern, "amount": amount}


def issued(amount: str, *changes: tuple[str, str], count: int = 2, more: str = "", account: Row | None = None) -> Story:
    """A policy whose premium is billed in so many installments, the first today."""
    story = Story(plans(monthly(count) + more, *changes))
    return story.land(
        JAN_1,
        accounts=[{"account_id": "A", **(account or {})}],
        billing_instructions=[issuance()],
        charges=[premium(amount)],
    )


def invoices(story: Story) -> list[tuple[str, str, str]]:
    """Bill date, status and unpaid amount of every invoice."""
    lag = timedelta(days=story.carrier.invoice_due_lag_days)
    open_amount = pl.col("amount") - pl.col("paid") - pl.col("written_off")
    due = story.book["invoice_items"].group_by("invoice_key").agg(due=open_amount.sum())
    rows = story.book["invoices"].join(due, on="invoice_key", how="left").sort("bill_date", "invoice_key")
    return rows.select(
        pl.col("bill_date").cast(pl.String),
        status=invoice_status(story.today, story.today - lag),
        due=format_minor_units(pl.col("due").fill_null(0), 2),
    ).rows()


def outbound(story: Story) -> list[tuple[str, str, str]]:
    """Day, kind and amount of everything that other systems were told."""
    events = story.events("outbound_events").sort("business_date", "event_type", "invoice_key")
    return events.select(
        pl.col("business_date").cast(pl.String),
        pl.col("event_type").cast(pl.String),
        format_minor_units(pl.col("amount"), 2),
    ).rows()


# The plan of an account and its due dates: R-BP-1, R-BP-3, R-BP-4


def test_an_account_has_a_billing_plan() -> None:
    """R-BP-1: the one that it names, which must exist, or the first that is available."""
    named = (("A", None), ("B", "None"), ("C", "Business Days"))
    rows: list[Row] = [{"account_id": account_id, "billing_plan": plan} for account_id, plan in named]
    story = Story().land(JAN_1, accounts=rows).close_through(JAN_1)
    assert story.book["accounts"].select("account_id", "billing_plan").rows() == [
        ("A", "Standard"),
        ("C", "Business Days"),
    ]
    assert [record for record, _ in story.quarantined()] == ["B"]


@pytest.mark.parametrize(
    ("instrument", "unit", "fixed", "expected"),
    [
        ("check", "calendar_days", "bill_date", ("2016-03-01", "2016-03-15")),
        ("ach", "calendar_days", "bill_date", ("2016-03-01", "2016-03-21")),
        ("check", "business_days", "bill_date", ("2016-03-01", "2016-03-21")),
        ("ach", "business_days", "bill_date", ("2016-03-01", "2016-03-29")),
        ("ach", "calendar_days", "due_date", ("2016-03-12", "2016-04-01")),
    ],
)
def test_lead_times(instrument: str, unit: str, fixed: str, expected: tuple[str, str]) -> None:
    """R-BP-3: 14 days, or 20 where payments are drafted, in days of either kind, after or before the fixed date."""
    lead = "lead_days = 14\nnon_responsive_lead_days = "
    changes = ((f'{lead}14\nlead_day_unit = "calendar_days"', f'{lead}20\nlead_day_unit = "{unit}"'),)
    story = Story(plans(monthly(1) + f'fix_invoices_on = "{fixed}"\n', *changes)).land(
        date(2016, 3, 1),
        accounts=[{"account_id": "A", "payment_instrument": instrument}],
        billing_instructions=[issuance(effective=date(2016, 3, 1))],
        charges=[premium("240.00")],
    )
    story.close_through(date(2016, 3, 1))
    assert story.book["invoices"].select(pl.col("bill_date", "due_date").cast(pl.String)).row(0) == expected


# Low balances: R-BP-11, R-INV-12, R-INV-13, R-INV-17


def test_d_lb_1_a_balance_below_the_threshold_is_carried_forward_e_bp_3() -> None:
    """D-LB-1, E-BP-3, R-BP-11, R-INV-12: 9.99 is below 10.00; every item goes to the next planned invoice."""
    story = issued("19.98", LOW_BALANCE).close_through(JAN_1)
    assert invoices(story) == [("2025-01-01", "Carried Forward", "0.00"), ("2025-02-01", "Planned", "19.98")]
    assert story.dates("bill_date") == ["2025-02-01", "2025-02-01"]
    assert story.dates("event_date") == ["2025-01-01", "2025-02-01"]
    assert story.balance("<Charge Pattern> Unbilled", "Premium") == "19.98"
    assert outbound(story) == []
    moved = story.events("item_events").select("event_type", "gross", "invoice_key")
    assert moved.rows() == [("Item Moved to a New Instance", 999, story.items()["invoice_key"][0])]
    story.close_through(date(2025, 2, 1))
    assert invoices(story)[1] == ("2025-02-01", "Billed", "19.98")
    assert outbound(story) == [("2025-02-01", "InvoiceBilled", "19.98")]


@pytest.mark.parametrize(("amount", "paid"), [("20.00", None), ("40.00", "20.00")], ids=["10.00", "0.00"])
def test_d_lb_1_balances_of_the_threshold_and_of_nothing_are_billed(amount: str, paid: str | None) -> None:
    """D-LB-1, R-INV-17: 10.00 is not below 10.00, and nothing due is not low."""
    story = issued(amount, LOW_BALANCE)
    if paid:
        story.land(JAN_1, payments=[{"payment_id": "M", "account_id": "A", "policy_id": "P", "amount": paid}])
    story.close_through(JAN_1)
    assert [status for _, status, _ in invoices(story)] == ["Billed", "Planned"]


def test_the_balance_is_what_is_unpaid() -> None:
    """R-BP-11: of 20.00, 12.00 were paid in advance; 8.00 are left and go forward with what is paid."""
    story = issued("40.00", LOW_BALANCE)
    story.land(JAN_1, payments=[{"payment_id": "M", "account_id": "A", "policy_id": "P", "amount": "12.00"}])
    story.close_through(JAN_1)
    assert invoices(story) == [("2025-01-01", "Carried Forward", "0.00"), ("2025-02-01", "Planned", "28.00")]


def test_a_low_balance_without_a_later_invoice_is_billed() -> None:
    """R-BP-11: nothing is left to carry it forward to."""
    story = issued("9.99", LOW_BALANCE, count=1).close_through(JAN_1)
    assert invoices(story) == [("2025-01-01", "Billed", "9.99")]


def test_a_credit_balance_is_billed() -> None:
    """R-INV-17: less than zero is no low balance."""
    story = issued("-5.00", LOW_BALANCE).close_through(JAN_1)
    assert [status for _, status, _ in invoices(story)] == ["Billed", "Planned"]


def test_a_threshold_counts_in_the_currency_of_the_carrier() -> None:
    """R-BP-11: an invoice of another currency is billed whatever its balance."""
    story = issued("19.98", LOW_BALANCE, account={"currency": "EUR"}, more='currency = "EUR"\n').close_through(JAN_1)
    assert [status for _, status, _ in invoices(story)] == ["Billed", "Planned"]


def test_e_bp_3_a_low_balance_is_written_off() -> None:
    """E-BP-3, R-INV-13, A-17: billed, due and written off at once; Unbilled, Billed and Due of it are nothing."""
    story = issued("19.98", WRITE_OFF).close_through(JAN_1)
    assert invoices(story) == [("2025-01-01", "Written Off", "0.00"), ("2025-02-01", "Planned", "9.99")]
    balances = {name: story.balance(f"<Charge Pattern> {name}", "Premium") for name in ("Unbilled", "Billed", "Due")}
    assert balances == {"Unbilled": "9.99", "Billed": "0.00", "Due": "0.00"}
    assert story.balance("<Charge Pattern> Write-Off Expense", "Premium") == "9.99"
    written_off = story.book["write_off_items"]
    assert written_off.select("reason", "amount").rows() == [("low_balance_invoice", 999)]
    posted = story.journal().filter(pl.col("transaction_type") == "ChargeWrittenOff")["transaction_key"].unique()
    assert written_off["transaction_key"].to_list() == posted.to_list()
    assert outbound(story) == []
    story.close_through(date(2025, 1, 31))
    assert invoices(story)[0] == ("2025-01-01", "Written Off", "0.00")
    assert story.balance("<Charge Pattern> Due", "Premium") == "0.00"


def test_only_what_is_unpaid_is_written_off() -> None:
    """R-INV-13: 12.00 of 20.00 are paid in advance, so 8.00 are written off; the advance leaves nothing in Due."""
    story = issued("40.00", WRITE_OFF)
    story.land(JAN_1, payments=[{"payment_id": "M", "account_id": "A", "policy_id": "P", "amount": "12.00"}])
    story.close_through(JAN_1)
    assert story.balance("<Charge Pattern> Write-Off Expense", "Premium") == "8.00"
    assert story.balance("<Charge Pattern> Due", "Premium") == "0.00"
    assert story.book["invoice_items"].select("paid", "written_off").rows() == [(1200, 800), (0, 0)]


def test_a_written_off_invoice_takes_its_credits_along() -> None:
    """R-INV-13, R-TXN-07: 15.00 less a credit of 8.00 is 7.00; the credit becomes income."""
    story = by_allocation_plan(issued("30.00", WRITE_OFF))
    story.land(JAN_1, charges=[premium("-8.00", pattern="Fee", charge_no=2)]).close_through(JAN_1)
    assert invoices(story)[0] == ("2025-01-01", "Written Off", "0.00")
    assert story.balance("<Charge Pattern> Write-Off Expense", "Premium") == "15.00"
    assert story.balance("<Charge Pattern> Negative Write-Off Income", "Fee") == "8.00"
    assert story.balance("<Charge Pattern> Due", "Fee") == "0.00"


def test_fees_are_not_part_of_the_balance_and_a_suppressed_invoice_has_none() -> None:
    """R-BP-11, R-INV-18, R-PR-7: 9.99 before a fee of 5.00; neither fee nor payment request nor document."""
    fee = 'fee_amount = "5.00"\n'
    story = issued("19.98", LOW_BALANCE, more=fee, account={"payment_instrument": "ach"}).close_through(JAN_1)
    assert invoices(story)[0] == ("2025-01-01", "Carried Forward", "0.00")
    assert story.book["charges"]["charge_pattern"].to_list() == ["Premium"]
    assert story.book["payment_requests"].is_empty()
    assert outbound(story) == []


# The invoicing fee of payment plans: R-FE, R-BP-8

NO_FEES = (STANDARD, f"{STANDARD}skip_installment_fees = true\n")
ON_START, LATER = timing("policy_effective_date"), timing("policy_effective_date", 31)


def down_payment(due: str) -> str:
    """A down payment of half the premium, due then, and a fee that an invoice with nothing else does not have."""
    return (
        f'has_down_payment = true\ndown_payment_percent = "50"\ndown_payment_timing = {due}\n'
        'fee_amount = "5.00"\nskip_fee_for_down_payments = true\n'
    )


@pytest.mark.parametrize(
    ("example", "amount", "terms", "others", "day", "expected"),
    [
        ("a", "240.00", (down_payment(ON_START), LATER), [], JAN_1, []),
        ("b", "240.00", (down_payment(ON_START), LATER), [], date(2025, 2, 1), [500]),
        ("c", "240.00", (down_payment(ON_START), ON_START), [], JAN_1, [500]),
        ("d", "120.00", ('fee_amount = "5.00"\n', ON_START), [("Premium", "-120.00")], JAN_1, []),
        ("e", None, ('fee_amount = "5.00"\n', ON_START), [("Taxes", "60.00")], JAN_1, []),
        ("f", "50.00", ('fee_amount = "5.00"\n', ON_START), [("Premium", "50.00")], JAN_1, [500]),
    ],
)
def test_d_fe_1_invoicing_fees(
    example: str,
    amount: str | None,
    terms: tuple[str, str],
    others: list[tuple[str, str]],
    day: date,
    expected: list[int],
) -> None:
    """D-FE-1, with one installment after the down payment.

    R-FE-1, R-FE-2, R-FE-4, R-FE-5, R-FE-6, R-INV-35, R-INV-36, R-INV-37, R-INV-38, A-16.
    """
    plan = f'payment_interval = "monthly"\nmax_installments = 1\nfirst_installment_timing = {terms[1]}\n{terms[0]}'
    charges = [("Premium", amount)] * (amount is not None) + others
    story = Story(plans(plan)).land(
        JAN_1,
        billing_instructions=[issuance()],
        charges=[premium(sum_, pattern=name, charge_no=number) for number, (name, sum_) in enumerate(charges, start=1)],
    )
    story.close_through(day)
    raised = story.book["charges"].filter(pl.col("context") == "invoicing_fee")
    assert raised.filter(charge_date=day)["amount"].to_list() == expected, example
    items = story.items().filter(charge_pattern="Installment Fee", event_date=day)
    assert items["bill_date"].to_list() == [day] * len(expected), example


def test_d_fe_1_g_the_billing_plan_skips_the_fee_r_bp_8() -> None:
    """D-FE-1 (g), R-BP-8."""
    story = issued("240.00", NO_FEES, more='fee_amount = "5.00"\n').close_through(JAN_1)
    assert story.balance("<Charge Pattern> Billed", "Installment Fee") == "0.00"


def test_the_plan_of_the_latest_period_on_the_invoice_gives_the_fee() -> None:
    """R-FE-8, R-FE-9: items of two terms of one policy on one invoice; one fee, of the later term's plan."""
    cheap, dear = (f'{monthly(12)}fee_amount = "{fee}"\n' for fee in ("3.00", "5.00"))
    story = Story(plans(cheap, ("X", "Dear", dear)))
    renewal = issuance("Dear") | {
        "instruction_id": "I-R",
        "instruction_type": "renewal",
        "period_start": "2026-01-01",
        "period_end": "2027-01-01",
        "effective_date": "2026-01-01",
    }
    late = {
        "instruction_id": "I-C",
        "instruction_type": "policy_change",
        "account_id": "A",
        "policy_id": "P",
        "term_number": 1,
        "effective_date": "2025-12-20",
        "modifiers": '{"max_installments": 1}',
    }
    story.land(JAN_1, billing_instructions=[issuance()], charges=[premium("1200.00")])
    story.land(date(2025, 12, 15), billing_instructions=[renewal], charges=[premium("1200.00", "R")])
    story.land(date(2025, 12, 20), billing_instructions=[late], charges=[premium("60.00", "C")])
    story.close_through(date(2026, 1, 1))
    on_invoice = story.items().filter(bill_date=date(2026, 1, 1))
    assert sorted(on_invoice["period_key"].unique()) == [1, 2]
    assert on_invoice.filter(charge_pattern="Installment Fee")["amount"].to_list() == [500]


def test_the_pattern_of_the_fee_says_who_owns_it() -> None:
    """R-FE-7: with a pattern of accounts the fee is an account-level charge."""
    of_accounts = ('invoicing_fee_pattern = "Installment Fee"', 'invoicing_fee_pattern = "Invoice Fee"')
    story = issued("240.00", of_accounts, more='fee_amount = "5.00"\n').close_through(JAN_1)
    fee = story.book["charges"].filter(context="invoicing_fee")
    assert fee.select("owner_type", "owner_key", "policy_key", "period_key").rows() == [("Account", 1, 0, 0)]
    assert story.balance("<Charge Pattern> Billed", "Invoice Fee") == "5.00"


# The invoice fee of billing plans: R-BP-5, R-BP-6

INVOICE_FEE = (STANDARD, f'{STANDARD}invoice_fee = "2.50"\n')


def test_an_invoice_with_an_amount_has_one_invoice_fee() -> None:
    """R-BP-6, R-BP-5: once per invoice, whatever its policies, owned by the payer and billed at once."""
    story = Story(plans(monthly(2), INVOICE_FEE)).land(
        JAN_1,
        accounts=[{"account_id": "A", "invoice_by": "account", "invoice_day_of_month": 1}],
        billing_instructions=[issuance(), issuance(policy_id="Q")],
        charges=[premium("100.00"), premium("60.00", "Q")],
    )
    story.close_through(JAN_1)
    assert invoices(story) == [("2025-01-01", "Billed", "82.50"), ("2025-02-01", "Planned", "80.00")]
    fee = story.book["charges"].filter(charge_pattern="Invoice Fee")
    columns = ("owner_type", "owner_key", "payer_account_key", "period_key", "amount", "context")
    assert fee.select(columns).rows() == [("Account", 1, 1, 0, 250, "invoice_fee")]
    assert story.balance("<Charge Pattern> Revenue", "Invoice Fee") == "2.50"
    assert outbound(story) == [("2025-01-01", "InvoiceBilled", "82.50")]


@pytest.mark.parametrize(
    ("amount", "account", "more"),
    [("-100.00", {}, ""), ("100.00", {"currency": "EUR"}, 'currency = "EUR"\n')],
    ids=["nothing to pay", "another currency"],
)
def test_an_invoice_without_an_amount_in_the_currency_of_the_carrier_is_free(
    amount: str, account: Row, more: str
) -> None:
    """R-BP-6: an invoice that asks for nothing has no fee; a fee is an amount of the carrier's currency."""
    story = issued(amount, INVOICE_FEE, account=account, more=more).close_through(JAN_1)
    assert story.book["charges"]["charge_pattern"].to_list() == ["Premium"]


def test_both_fees_on_one_invoice() -> None:
    """R-FE-6, R-BP-6: each is decided by the invoice as it was before fees; the invoicing fee is booked first."""
    story = issued("240.00", INVOICE_FEE, more='fee_amount = "5.00"\n').close_through(JAN_1)
    patterns = story.book["charges"]["charge_pattern"].to_list()
    assert patterns == ["Premium", "Installment Fee", "Invoice Fee"]
    assert invoices(story)[0] == ("2025-01-01", "Billed", "127.50")


# Payment requests: R-PR

BILLED = date(2016, 3, 1)


def draft_plan(logic: str, *, lead: int = 20, request: int = 5, deadline: int = 3, draft: int = 2) -> tuple[str, str]:
    """The standard billing plan with these intervals of payment requests."""
    settings = (
        f"request_interval_days = {request}\nchange_deadline_days = {deadline}\ndraft_interval_days = {draft}\n"
        f'draft_day_logic = "{logic}"\n'
    )
    return (
        "lead_days = 14\nnon_responsive_lead_days = 14\n",
        f"lead_days = 14\nnon_responsive_lead_days = {lead}\n{settings}",
    )


def drafted(plan: tuple[str, str], instrument: str = "ach", amount: str = "240.00", count: int = 1) -> Story:
    """A policy of a payer who is drafted, billed on 2016-03-01."""
    return Story(plans(monthly(count), plan)).land(
        BILLED,
        accounts=[{"account_id": "A", "payment_instrument": instrument}],
        billing_instructions=[issuance(effective=BILLED)],
        charges=[premium(amount)],
    )


def request(story: Story) -> dict[str, object]:
    """The only payment request, dates as text and its amount as decimal text."""
    row = story.book["payment_requests"].with_columns(pl.col(pl.Date).cast(pl.String))
    return row.with_columns(amount=format_minor_units(pl.col("amount"), 2)).row(0, named=True)


@pytest.mark.parametrize(
    ("logic", "draft_date", "fixed_date"),
    [
        ("exact_day", "2016-03-19", "2016-03-16"),
        ("next_business_day", "2016-03-21", "2016-03-18"),
        ("previous_business_day", "2016-03-18", "2016-03-15"),
    ],
)
def test_d_pr_1_dates_of_a_payment_request(logic: str, draft_date: str, fixed_date: str) -> None:
    """D-PR-1, R-PR-2..5: its life day by day; on the draft date the money is received and pays the invoice."""
    story = drafted(draft_plan(logic)).close_through(BILLED)
    created = request(story)
    dates = {name: created[name] for name in ("due_date", "request_date", "fixed_date", "draft_date")}
    assert dates == {
        "due_date": "2016-03-21",
        "request_date": "2016-03-06",
        "fixed_date": fixed_date,
        "draft_date": draft_date,
    }
    assert (created["status"], created["amount"]) == ("Created", "240.00")
    for day, before, after in (
        ("2016-03-06", "Created", "Requested"),
        (fixed_date, "Requested", "Fixed"),
        (draft_date, "Fixed", "Drafted"),
    ):
        story.close_through(date.fromisoformat(day) - timedelta(days=1))
        assert request(story)["status"] == before
        story.close_through(date.fromisoformat(day))
        assert request(story)["status"] == after
    payment = story.book["payments"].row(0, named=True)
    assert payment["payment_id"] == f"PAYMENT-REQUEST-{created['invoice_key']}"
    facts = (payment["kind"], payment["status"], payment["method"], payment["amount"], payment["payment_date"])
    assert facts == ("direct_bill", "executed", "ach", 24000, date.fromisoformat(draft_date))
    assert request(story)["payment_key"] == payment["payment_key"]
    received = story.journal().filter(transaction_type="DirectBillMoneyReceivedTxn")
    assert received["transaction_key"].unique().to_list() == [payment["transaction_key"]]
    assert story.book["payment_items"].select("payment_key", "amount").rows() == [(payment["payment_key"], 24000)]
    assert (story.balance("Cash"), story.balance("Unapplied")) == ("240.00", "0.00")
    assert outbound(story) == [
        ("2016-03-01", "InvoiceBilled", "240.00"),
        ("2016-03-06", "PaymentRequested", "240.00"),
        (draft_date, "PaymentDrafted", "240.00"),
    ]


@pytest.mark.parametrize(("instrument", "expected"), [("responsive", 0), ("check", 0), ("credit_card", 1), ("wire", 1)])
def test_only_payers_who_do_not_respond_are_drafted(instrument: str, expected: int) -> None:
    """R-PR-1: credit card, wire and ach; nothing of it for the others."""
    story = drafted(draft_plan("exact_day"), instrument).close_through(date(2016, 4, 1))
    assert story.book["payment_requests"].height == expected
    assert story.book["payments"].height == expected


def test_dates_out_of_order_do_not_precede_one_another() -> None:
    """R-PR-6: a draft before its request is put off; here everything falls on the day of billing."""
    story = drafted(draft_plan("exact_day", lead=2, request=0, deadline=10, draft=10)).close_through(BILLED)
    assert [request(story)[name] for name in ("request_date", "fixed_date", "draft_date")] == ["2016-03-01"] * 3
    assert request(story)["status"] == "Drafted"
    assert invoices(story)[0] == ("2016-03-01", "Billed", "0.00")
    late = drafted(draft_plan("exact_day", lead=2, request=5, deadline=0, draft=0)).close_through(BILLED)
    assert [request(late)[name] for name in ("request_date", "fixed_date", "draft_date")] == ["2016-03-06"] * 3


def pays(amount: str) -> list[Row]:
    return [{"payment_id": "M", "account_id": "A", "policy_id": "P", "amount": amount}]


def test_the_amount_follows_the_invoice_until_it_is_fixed() -> None:
    """R-PR-4, R-PR-6: 40.00 paid before the fixed date lower the draft; 50.00 paid after it do not."""
    story = drafted(draft_plan("exact_day"))
    story.land(date(2016, 3, 10), payments=pays("40.00"))
    story.land(date(2016, 3, 17), payments=[{**pays("50.00")[0], "payment_id": "N"}])
    story.close_through(date(2016, 3, 10))
    assert request(story)["amount"] == "200.00"
    story.close_through(date(2016, 3, 19))
    assert (request(story)["status"], request(story)["amount"]) == ("Drafted", "200.00")
    assert story.book["funds"].filter(policy_key=0)["balance"].to_list() == [5000]


def test_a_payment_on_the_fixed_date_still_counts() -> None:
    """R-PR-6: what came in that day lowers what is fixed."""
    story = drafted(draft_plan("exact_day")).land(date(2016, 3, 16), payments=pays("40.00"))
    story.close_through(date(2016, 3, 19))
    assert request(story)["amount"] == "200.00"


@pytest.mark.parametrize("day", [date(2016, 3, 3), date(2016, 3, 16)])
def test_nothing_due_cancels_a_request(day: date) -> None:
    """R-PR-6: paid in full before it is fixed, or on that very day."""
    story = drafted(draft_plan("exact_day")).land(day, payments=pays("240.00"))
    story.close_through(day)
    assert request(story)["status"] == "Canceled"
    story.close_through(date(2016, 4, 1))
    assert story.book["payments"].height == 1
    assert [kind for _, kind, _ in outbound(story)].count("PaymentDrafted") == 0


def test_a_payer_who_becomes_responsive_is_not_drafted() -> None:
    """R-PR-6: the instrument changes between billing and the fixed date."""
    story = drafted(draft_plan("exact_day")).close_through(date(2016, 3, 10))
    responsive = pl.Series(["responsive"])
    story.book = story.book.open_day().update("accounts", pl.Series([0]), {"payment_instrument": responsive})
    story.close_through(date(2016, 4, 1))
    assert (request(story)["status"], story.book["payments"].height) == ("Canceled", 0)


def test_an_invoice_on_which_nothing_is_due_has_no_request() -> None:
    """R-INV-18: it was paid in advance."""
    story = drafted(draft_plan("exact_day")).land(BILLED, payments=pays("240.00")).close_through(BILLED)
    assert story.book["payment_requests"].is_empty()


def test_a_later_due_date_moves_the_draft() -> None:
    """R-PR-3, R-PR-6, R-INV-31: until it is fixed the request follows the dates of its invoice."""
    story = drafted(draft_plan("exact_day")).close_through(BILLED)
    invoice = str(story.book["payment_requests"]["invoice_key"][0])
    change: Row = {
        "command_id": "C",
        "command_type": "change_invoice_dates",
        "target_type": "invoice",
        "target_id": invoice,
        "params": '{"due_date": "2016-03-30"}',
    }
    story.land(date(2016, 3, 4), commands=[change]).close_through(date(2016, 3, 4))
    moved = request(story)
    assert (moved["due_date"], moved["draft_date"], moved["fixed_date"]) == ("2016-03-30", "2016-03-28", "2016-03-25")
    story.close_through(date(2016, 3, 27))
    assert story.book["payments"].is_empty()
    story.close_through(date(2016, 3, 28))
    assert request(story)["status"] == "Drafted"


def test_every_invoice_of_a_drafted_payer_is_drafted_once() -> None:
    """R-PR-1: recurring payments; each installment is paid on its due date, and nothing is left or paid twice."""
    story = drafted(draft_plan("exact_day", lead=14, request=0, deadline=0, draft=0), count=3)
    story.close_through(date(2016, 5, 31))
    assert [str(day) for day in story.book["payments"]["payment_date"]] == ["2016-03-15", "2016-04-15", "2016-05-15"]
    assert story.balance("<Charge Pattern> Due", "Premium") == "0.00"
    assert story.book["funds"]["balance"].to_list() == [0, 0]
