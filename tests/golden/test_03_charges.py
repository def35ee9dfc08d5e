"""Worked examples of charges after they were booked: reversal, recapture, and holds."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from ledger.invoices import invoice_status
from ledger.money import format_minor_units
from tests.story import Row, Story, by_allocation_plan, carrier, plans, timing

JAN_1 = date(2025, 1, 1)
ON_START = timing("policy_effective_date")


def monthly(count: int) -> str:
    """Terms of so many monthly installments, the first when the policy takes effect."""
    return f'payment_interval = "monthly"\nmax_installments = {count}\nfirst_installment_timing = {ON_START}\n'


def instruction(instruction_id: str, policy_id: str = "P", kind: str = "issuance", **more: object) -> dict[str, object]:
    row = {"instruction_id": instruction_id, "instruction_type": kind, "account_id": "A", "policy_id": policy_id}
    if kind == "issuance":
        row |= {"period_start": "2025-01-01", "period_end": "2026-01-01", "payment_plan": "X"}
    return row | {"effective_date": "2025-01-01"} | more


def charge(charge_id: str, pattern: str, amount: str) -> Row:
    instruction_id, _, number = charge_id.partition("/")
    return {"instruction_id": instruction_id, "charge_no": number, "charge_pattern": pattern, "amount": amount}


def command(command_id: str, kind: str, target: str, target_type: str = "charge", **more: object) -> Row:
    row = {"command_id": command_id, "command_type": kind, "target_type": target_type, "target_id": target}
    return row | more


def pays(amount: str, payment_id: str = "M", **more: object) -> list[Row]:
    return [{"payment_id": payment_id, "account_id": "A", "policy_id": "P", "amount": amount, **more}]


def statuses(story: Story) -> list[tuple[str, str, str, str]]:
    """Bill date, status, amount and unpaid amount of every invoice."""
    lag = timedelta(days=story.carrier.invoice_due_lag_days)
    open_amount = pl.col("amount") - pl.col("paid") - pl.col("written_off")
    sums = story.book["invoice_items"].group_by("invoice_key").agg(pl.col("amount").sum(), due=open_amount.sum())
    rows = story.book["invoices"].join(sums, on="invoice_key", how="left").sort("bill_date", "invoice_key")
    return rows.select(
        pl.col("bill_date").cast(pl.String),
        status=invoice_status(story.today, story.today - lag),
        amount=format_minor_units(pl.col("amount").fill_null(0), 2),
        due=format_minor_units(pl.col("due").fill_null(0), 2),
    ).rows()


def receivables(story: Story, pattern: str) -> tuple[str, ...]:
    """Unbilled, Billed and Due of a charge pattern."""
    return tuple(story.balance(f"<Charge Pattern> {name}", pattern) for name in ("Unbilled", "Billed", "Due"))


def item_events(story: Story) -> list[tuple[str, int, str]]:
    events = story.events("item_events").sort("item_key", "event_type")
    return events.select(pl.col("event_type").cast(pl.String), "gross", "command_id").rows()


# Charge reversal: R-CR

LATE_FEE = "I/2"


def with_fee(pattern: str = "Late Fee", amount: str = "25.00", *changes: tuple[str, str]) -> Story:
    """A policy with a premium in 12 installments and one more charge, both billed first on January 1."""
    return Story(plans(monthly(12), *changes)).land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        billing_instructions=[instruction("I")],
        charges=[charge("I/1", "Premium", "1200.00"), charge(LATE_FEE, pattern, amount)],
    )


REVERSED_ON = {"planned": JAN_1, "billed": date(2025, 1, 2), "due": date(2025, 1, 20)}


@pytest.mark.parametrize("status", REVERSED_ON)
def test_e_cr_1_a_late_fee_is_reversed(status: str) -> None:
    """E-CR-1, R-CR-1, R-CR-4, R-CR-5: whatever the invoice, nothing is left of the fee, and its items are closed."""
    day = REVERSED_ON[status]
    story = with_fee().land(day, commands=[command("R", "reverse_charge", LATE_FEE, reason="courtesy")])
    story.close_through(day)
    new = story.book["charges"].filter(pl.col("reverses_charge_key") > 0).row(0, named=True)
    facts = ("charge_pattern", "amount", "charge_date", "context", "reverses_charge_key", "reversal_reason")
    assert [new[name] for name in facts] == ["Late Fee", -2500, day, "reversal", 2, "courtesy"]
    items = story.items().filter(charge_pattern="Late Fee")
    columns = ("amount", "paid", "reversal_kind", "related_item_key")
    assert items.select(columns).rows() == [(2500, 2500, "none", 0), (-2500, -2500, "offset", items["item_key"][0])]
    assert items["invoice_key"].n_unique() == 1
    assert receivables(story, "Late Fee") == ("0.00", "0.00", "0.00")
    assert story.balance("<Charge Pattern> Revenue", "Late Fee") == "0.00"
    assert story.book["write_off_items"].is_empty()
    assert item_events(story) == [("Item Reversed", 2500, "R"), ("Item Created as Reversal", -2500, "R")]
    story.close_through(date(2025, 2, 1))
    assert receivables(story, "Late Fee") == ("0.00", "0.00", "0.00")


def test_e_cr_1_premium_and_recaptures_cannot_be_reversed() -> None:
    """E-CR-1, R-CR-2, R-RC-3."""
    story = with_fee().land(JAN_1, commands=[command("C", "create_recapture", "A", "account", amount="45.00")])
    story.close_through(JAN_1)
    story.land(
        date(2025, 1, 2), commands=[command("R1", "reverse_charge", "I/1"), command("R2", "reverse_charge", "3")]
    )
    story.close_through(date(2025, 1, 2))
    assert story.quarantined() == [("R1", "E-CHARGE-REVERSIBLE"), ("R2", "E-CHARGE-REVERSIBLE")]


def test_a_charge_is_reversed_once_and_its_reversal_never() -> None:
    """R-CR-6: also when it is named in two ways on one day."""
    story = with_fee().land(
        JAN_1, commands=[command("R1", "reverse_charge", LATE_FEE), command("R2", "reverse_charge", "2")]
    )
    story.close_through(JAN_1)
    story.land(date(2025, 1, 2), commands=[command(f"R{key}", "reverse_charge", key) for key in "23"])
    story.land(date(2025, 1, 3), commands=[command("R4", "reverse_charge", LATE_FEE)])
    story.close_through(date(2025, 1, 3))
    assert story.quarantined() == [(record, "E-CHARGE-REVERSED") for record in ("R2", "R2", "R3", "R4")]
    assert story.book["charges"].height == 3


def test_money_that_paid_a_reversed_charge_is_free_again() -> None:
    """R-CR-5: 25.00 of 125.00 go back to the designated fund that paid; both were paid in January."""
    story = with_fee().land(JAN_1, payments=pays("125.00")).close_through(JAN_1)
    assert story.balance("Designated Unapplied") == "0.00"
    day = date(2025, 1, 2)
    story.land(day, commands=[command("R", "reverse_charge", LATE_FEE)]).close_through(day)
    assert story.balance("Designated Unapplied") == "25.00"
    assert receivables(story, "Late Fee") == ("0.00", "0.00", "0.00")
    fee = pl.col("item_key") // 1024 == 2
    amounts = story.book["payment_items"].filter(fee).select("kind", "amount").rows()
    assert amounts == [("payment", 2500), ("payment", -2500), ("settlement", 2500)]
    story.close_through(date(2025, 2, 1))
    assert story.balance("Designated Unapplied") == "0.00"  # it paid a part of the installment of February


def test_a_pass_through_charge_is_reversed_with_its_liability() -> None:
    """R-CR-2, R-CR-5: the sides of the first transaction are exchanged."""
    story = with_fee("Taxes", "60.00").land(JAN_1, commands=[command("R", "reverse_charge", LATE_FEE)])
    story.close_through(JAN_1)
    assert [story.balance(f"<Charge Pattern> {name}", "Taxes") for name in ("Reserve", "Expense", "Revenue")] == [
        "0.00"
    ] * 3


def test_a_write_off_of_a_reversed_charge_is_taken_back() -> None:
    """R-CR-1: what was never owed cannot be written off too."""
    standard = 'description = "Due 14 calendar days after billing"\n'
    settings = 'suppress_low_balance = true\nlow_balance_threshold = "200.00"\nlow_balance_method = "write_off"\n'
    story = with_fee("Late Fee", "25.00", (standard, standard + settings)).close_through(JAN_1)
    assert story.balance("<Charge Pattern> Write-Off Expense", "Late Fee") == "25.00"
    day = date(2025, 1, 2)
    story.land(day, commands=[command("R", "reverse_charge", LATE_FEE)]).close_through(day)
    assert story.balance("<Charge Pattern> Write-Off Expense", "Late Fee") == "0.00"
    assert receivables(story, "Late Fee") == ("0.00", "0.00", "0.00")
    assert story.items().filter(charge_pattern="Late Fee")["written_off"].to_list() == [0, 0]


def test_several_charges_are_reversed_on_one_day() -> None:
    """R-CR-3: each by a command of its own; a credit too."""
    story = with_fee().land(JAN_1, charges=[charge("I/3", "Fee", "-8.00")])
    story.land(JAN_1, commands=[command(f"R{no}", "reverse_charge", f"I/{no}") for no in (2, 3)])
    story.close_through(date(2025, 1, 31))
    reversing = story.book["charges"].filter(pl.col("reverses_charge_key") > 0)
    assert reversing.select("amount", "reversal_reason").rows() == [(-2500, None), (800, None)]
    assert statuses(story)[0] == ("2025-01-01", "Due", "100.00", "100.00")


def test_a_held_charge_that_is_reversed_is_billed_with_its_reversal() -> None:
    """R-CR-5, R-CHD-6: the hold ends, so that the two stay on one invoice."""
    story = with_fee().land(
        JAN_1,
        commands=[
            command("1", "hold_charge", LATE_FEE, sequence=1),
            command("2", "reverse_charge", LATE_FEE, sequence=2),
        ],
    )
    story.close_through(JAN_1)
    assert story.book["charges"]["hold_reason"].null_count() == 3
    assert statuses(story)[0] == ("2025-01-01", "Billed", "100.00", "100.00")


# Recapture, R-RC-1 to R-RC-7

DEFICIT = -45_00
RECAPTURE_DAY = date(2025, 1, 10)


def in_deficit(*, policy: bool = False, **recapture: object) -> Story:
    """Account A, invoiced on the 15th, whose default fund (or that of its policy) lacks 45.00."""
    story = Story(plans(monthly(12))).land(JAN_1, accounts=[{"account_id": "A"}])
    if policy:
        story.land(JAN_1, billing_instructions=[instruction("I")])
    story.close_through(date(2025, 1, 9))
    place = story.book["funds"].with_row_index("row").filter((pl.col("policy_key") > 0) == policy)["row"]
    story.book = story.book.open_day().update("funds", place, {"balance": pl.Series([DEFICIT])})
    row = command("C", "create_recapture", "A", "account", amount="45.00") | recapture
    return story.land(RECAPTURE_DAY, commands=[row])


def recaptured(story: Story) -> tuple[str, ...]:
    """Unapplied, Unbilled, Billed, Due, Reserve and change of Cash: the columns of D-RC-1."""
    unapplied = int(story.balance("Unapplied").replace(".", "")) + DEFICIT
    names = ("Unbilled", "Billed", "Due", "Reserve")
    parts = [story.balance(f"<Charge Pattern> {name}", "Recapture") for name in names]
    return (f"{unapplied / 100:.2f}", *parts, story.balance("Cash"))


def test_d_rc_1_life_of_a_recapture_e_rc_1() -> None:
    """D-RC-1, E-RC-1, R-RC-1, R-RC-5, R-RC-7: charge, billed, due, money received, paid."""
    story = in_deficit().close_through(RECAPTURE_DAY)
    assert recaptured(story) == ("-45.00", "45.00", "0.00", "0.00", "45.00", "0.00")
    story.close_through(date(2025, 1, 15))
    assert recaptured(story) == ("-45.00", "0.00", "45.00", "0.00", "45.00", "0.00")
    story.close_through(date(2025, 1, 30))
    assert recaptured(story) == ("-45.00", "0.00", "0.00", "45.00", "45.00", "0.00")
    day = date(2025, 2, 1)
    story.land(day, payments=[{"payment_id": "M", "account_id": "A", "amount": "45.00"}]).close_through(day)
    assert story.book["funds"]["balance"].to_list() == [0]
    story.omit(pl.col("transaction_type") == "ChargePaidFromAccount")
    assert recaptured(story) == ("0.00", "0.00", "0.00", "45.00", "45.00", "45.00")
    story.omit(pl.lit(value=False))
    assert recaptured(story) == ("0.00", "0.00", "0.00", "0.00", "0.00", "45.00")
    names = ("Expense", "Revenue")
    assert [story.balance(f"<Charge Pattern> {name}", "Recapture") for name in names] == ["45.00", "45.00"]
    new = story.book["charges"].row(0, named=True)
    assert [new[name] for name in ("context", "owner_type", "instruction_key")] == ["account_general", "Account", 0]
    assert story.events("warnings").is_empty()


def test_d_rc_2_the_payment_of_a_recapture_is_reversed() -> None:
    """D-RC-2, R-RC-6: the item is due again, the fund lacks its 45.00 again, and the cash is gone."""
    story = in_deficit()
    story.land(date(2025, 2, 1), payments=[{"payment_id": "M", "account_id": "A", "amount": "45.00"}])
    bounced = command("B", "reverse_payment", "M", "payment", params='{"reversal_reason": "insufficient_funds"}')
    story.land(date(2025, 2, 5), commands=[bounced]).close_through(date(2025, 2, 5))
    assert recaptured(story) == ("-45.00", "0.00", "0.00", "45.00", "45.00", "0.00")
    assert story.book["funds"]["balance"].to_list() == [DEFICIT]


def test_a_recapture_of_a_designated_fund_refills_that_fund() -> None:
    """R-RC-4, R-RC-5: the charge names the policy, whose fund it refills, until the money bounces."""
    story = in_deficit(policy=True, params='{"policy_id": "P"}')
    story.land(date(2025, 2, 20), payments=pays("45.00")).close_through(date(2025, 2, 20))
    assert story.book["funds"].select("policy_key", "balance").rows() == [(0, 0), (1, 0)]
    assert receivables(story, "Recapture") == ("0.00", "0.00", "0.00")
    bounced = command("B", "reverse_payment", "M", "payment", params='{"reversal_reason": "insufficient_funds"}')
    story.land(date(2025, 2, 25), commands=[bounced]).close_through(date(2025, 2, 25))
    assert story.book["funds"].select("policy_key", "balance").rows() == [(0, 0), (1, DEFICIT)]


def test_r_ci_28_a_recapture_is_on_the_stream_of_the_account() -> None:
    """R-CI-28, R-RC-4: also where invoices are per policy, and the fund of one is refilled."""
    story = in_deficit(policy=True, params='{"policy_id": "P"}').close_through(RECAPTURE_DAY)
    item = story.book["invoice_items"].filter("is_recapture").row(0, named=True)
    invoices = story.book["invoices"].filter(pl.col("invoice_key") == item["invoice_key"])
    streams = story.book["invoice_streams"].filter(pl.col("stream_key").is_in(invoices["stream_key"].implode()))
    assert streams.select("account_key", "policy_key", pl.col("periodicity").cast(pl.String)).rows() == [
        (1, 0, "monthly")
    ]
    assert item["policy_key"] == 1


def test_r_dst_16_what_a_recapture_brings_is_applied_when_invoices_become_due() -> None:
    """R-DST-16, R-RC-5: billed and due on one day; of 55.00 the recapture takes 45.00, which come back and pay too."""
    at_once = (("invoice_due_lag_days = 1", "invoice_due_lag_days = 0"), ("lead_days = 14", "lead_days = 0"))
    story = Story(plans(monthly(12), *at_once)).land(JAN_1, accounts=[{"account_id": "A", "invoice_by": "account"}])
    story.land(
        RECAPTURE_DAY,
        billing_instructions=[instruction("I", effective_date="2025-01-12", period_start="2025-01-12")],
        charges=[charge("I/1", "Premium", "1200.00")],
        payments=[{"payment_id": "M", "account_id": "A", "amount": "55.00", "distribute": "none"}],
        commands=[command("C", "create_recapture", "A", "account", amount="45.00")],
    )
    story.close_through(date(2025, 1, 15))
    paid = story.book["invoice_items"].filter(pl.col("paid") > 0)
    assert paid.select("is_recapture", "paid").sort("is_recapture").rows() == [(False, 5500), (True, 4500)]
    assert story.book["funds"]["balance"].to_list() == [0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": "0.00"}, "E-RECAPTURE-NOTHING"),
        ({"amount": "-45.00"}, "E-RECAPTURE-NOTHING"),
        ({"amount": "45.001"}, "E-AMOUNT-UNREADABLE"),
        ({"params": '{"charge_pattern": "Fee"}'}, "E-RECAPTURE-PATTERN"),
        ({"params": '{"policy_id": "Q"}'}, "E-RECAPTURE-FUND"),
    ],
)
def test_recaptures_that_are_refused(change: Row, code: str) -> None:
    """R-RC-2, R-RC-4."""
    story = in_deficit(**change).close_through(RECAPTURE_DAY)
    assert story.quarantined() == [("C", code)]
    assert story.book["charges"].is_empty()


def test_more_than_the_deficit_is_recaptured_with_a_warning() -> None:
    """R-RC-2: 45.01 where 45.00 are missing."""
    story = in_deficit(amount="45.01").close_through(RECAPTURE_DAY)
    assert story.events("warnings").select("record_id", "code").rows() == [("C", "W-RECAPTURE-DEFICIT")]
    assert story.book["charges"]["amount"].to_list() == [4501]


def test_one_of_several_recapture_patterns_must_be_named() -> None:
    """R-RC-4."""
    second = """
[charge_patterns."Other Recapture"]
subtype = "recapture"
category = "general"
owner_types = ["Account"]
invoicing_approach = "one_time"
"""
    story = Story(carrier(more=second)).land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        commands=[
            command("1", "create_recapture", "A", "account", amount="1"),
            command(
                "2", "create_recapture", "A", "account", amount="2", params='{"charge_pattern": "Other Recapture"}'
            ),
        ],
    )
    story.close_through(JAN_1)
    assert story.quarantined() == [("1", "E-RECAPTURE-PATTERN")]
    assert story.book["charges"].select("charge_pattern", "amount").rows() == [("Other Recapture", 200)]


# Charge holds: R-CHD


def disputed() -> Story:
    """E-CHD-3: an account with policies A and B on one invoice, billed on January 1, due on January 15."""
    down = f'has_down_payment = true\ndown_payment_percent = "10"\ndown_payment_timing = {ON_START}\n'
    later = monthly(9).replace(ON_START, timing("one_interval_after_policy_effective_date"))
    story = Story(plans(monthly(12), ("X", "Down", later + down)))
    return story.land(
        JAN_1,
        accounts=[{"account_id": "A", "invoice_by": "account", "invoice_day_of_month": 1}],
        billing_instructions=[instruction("IA", "A"), instruction("IB", "B", payment_plan="Down")],
        charges=[
            charge("IA/1", "Taxes", "300.00"),
            charge("IA/2", "Premium", "14400.00"),
            charge("IB/1", "Taxes", "200.00"),
            charge("IB/2", "Premium", "8000.00"),
        ],
    ).close_through(JAN_1)


def test_e_chd_3_a_held_premium_leaves_the_billed_invoice() -> None:
    """E-CHD-1, E-CHD-2, E-CHD-3, R-CHD-1, R-CHD-4, R-CHD-5, R-CHD-10: 2500.00 become 1300.00; B is not concerned."""
    story = disputed()
    assert statuses(story)[0] == ("2025-01-01", "Billed", "2500.00", "2500.00")
    before = receivables(story, "Premium")
    day = date(2025, 1, 5)
    story.land(day, commands=[command("H", "hold_charge", "IA/2", reason="late")]).close_through(day)
    assert statuses(story)[0] == ("2025-01-01", "Billed", "1300.00", "1300.00")
    assert statuses(story)[1] == ("2025-02-01", "Planned", "3200.00", "3200.00")
    unbilled, billed, due = (int(amount[:-3]) for amount in before)
    assert receivables(story, "Premium") == (f"{unbilled + 1200}.00", f"{billed - 1200}.00", f"{due}.00")
    assert receivables(story, "Taxes") == ("0.00", "500.00", "0.00")
    onset = story.items().filter(reversal_kind="onset").row(0, named=True)
    assert (onset["amount"], onset["event_date"], onset["bill_date"]) == (120000, JAN_1, date(2025, 2, 1))
    events = ("Item Reversed", "Item Created as Reversal", "Item Created as Onset")
    assert sorted(name for name, _, _ in item_events(story)) == sorted(events)
    resent = story.events("outbound_events").filter(event_type="InvoiceResent")
    assert resent.select("amount", "command_id").rows() == [(130000, "H")]


def test_e_chd_3_what_is_not_held_is_paid_and_nothing_is_past_due() -> None:
    """E-CHD-3, R-CHD-8, R-CHD-9: 1300.00 settle items 1, 3 and 4 and nothing of what is held."""
    story = disputed().land(date(2025, 1, 5), commands=[command("H", "hold_charge", "IA/2")])
    story.land(date(2025, 1, 6), payments=[{"payment_id": "M", "account_id": "A", "amount": "1300.00"}])
    story.close_through(date(2025, 1, 6))
    assert (story.balance("Cash"), story.balance("Unapplied")) == ("1300.00", "0.00")
    assert statuses(story)[0] == ("2025-01-01", "Billed", "1300.00", "0.00")
    paid = story.items().filter((pl.col("paid") != 0) & (pl.col("bill_date") == JAN_1) & (pl.col("charge_key") != 2))
    assert sorted(paid["paid"]) == [20000, 30000, 80000]
    story.close_through(date(2025, 1, 16))
    assert statuses(story)[0] == ("2025-01-01", "Due", "1300.00", "0.00")
    assert [story.balance("<Charge Pattern> Due", name) for name in ("Premium", "Taxes")] == ["0.00", "0.00"]


def test_money_waits_rather_than_pay_what_is_held() -> None:
    """R-CHD-9: 100.00 for a policy of which everything billed is held stay in the fund until the release."""
    story = with_fee("Taxes", "60.00").land(
        JAN_1, commands=[command("H1", "hold_charge", "I/1"), command("H2", "hold_charge", "I/2")]
    )
    story.land(date(2025, 1, 2), payments=pays("100.00")).close_through(date(2025, 1, 2))
    assert story.balance("Designated Unapplied") == "100.00"
    release = [command(f"R{no}", "release_charge_hold", f"I/{no}") for no in (1, 2)]
    story.land(date(2025, 1, 3), commands=release).close_through(date(2025, 2, 1))
    assert story.balance("Designated Unapplied") == "0.00"


def test_held_items_go_from_invoice_to_invoice_until_the_release() -> None:
    """R-CHD-6, R-CHD-11, R-CHD-15, R-INV-12, R-INV-23: emptied invoices are carried forward with nothing on them."""
    story = Story(plans(monthly(3))).land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        billing_instructions=[instruction("I")],
        charges=[charge("I/1", "Premium", "300.00")],
        commands=[command("H", "hold_charge", "I/1")],
    )
    story.close_through(date(2025, 2, 1))
    assert statuses(story) == [
        ("2025-01-01", "Carried Forward", "0.00", "0.00"),
        ("2025-02-01", "Carried Forward", "0.00", "0.00"),
        ("2025-03-01", "Planned", "300.00", "300.00"),
    ]
    assert story.dates("event_date") == ["2025-01-01", "2025-02-01", "2025-03-01"]
    assert receivables(story, "Premium") == ("300.00", "0.00", "0.00")
    assert story.events("outbound_events").is_empty()
    before = story.book["invoice_items"]
    story.land(date(2025, 2, 10), commands=[command("R", "release_charge_hold", "I/1")])
    story.close_through(date(2025, 2, 10))
    assert story.book["invoice_items"].equals(before)
    story.close_through(date(2025, 3, 1))
    assert statuses(story)[-1] == ("2025-03-01", "Billed", "300.00", "300.00")


def test_d_chd_1_the_last_planned_invoice_is_followed_by_a_new_one() -> None:
    """D-CHD-1, R-CHD-7: on the next date of the stream, with the item's own event date."""
    story = Story(plans(monthly(1))).land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        billing_instructions=[instruction("I")],
        charges=[charge("I/1", "Premium", "300.00")],
        commands=[command("H", "hold_charge", "I/1")],
    )
    story.close_through(JAN_1)
    assert [row[:3] for row in statuses(story)] == [
        ("2025-01-01", "Carried Forward", "0.00"),
        ("2025-02-01", "Planned", "300.00"),
    ]
    assert story.dates("event_date") == ["2025-01-01"]
    assert story.dates("due_date") == ["2025-02-15"]
    story.close_through(date(2025, 4, 15))
    assert statuses(story)[-1] == ("2025-05-01", "Planned", "300.00", "300.00")


def test_e_chd_4_a_valid_complaint() -> None:
    """E-CHD-4, R-CHD-12: 1000.00 are 200.00 too high; a policy change takes them off and the hold is released."""
    story = Story(plans(monthly(2))).land(
        JAN_1,
        accounts=[{"account_id": "A"}],
        billing_instructions=[instruction("I")],
        charges=[charge("I/1", "Premium", "1000.00")],
    )
    story.close_through(JAN_1)
    story.land(date(2025, 1, 5), commands=[command("H", "hold_charge", "I/1")])
    change = instruction("C", kind="policy_change", effective_date="2025-01-10", modifiers='{"max_installments": 1}')
    story.land(date(2025, 1, 10), billing_instructions=[change], charges=[charge("C/1", "Premium", "-200.00")])
    story.land(date(2025, 1, 10), commands=[command("R", "release_charge_hold", "I/1")])
    story.close_through(date(2025, 1, 10))
    assert receivables(story, "Premium") == ("800.00", "0.00", "0.00")
    assert story.items().filter(charge_key=2)["amount"].to_list() == [-20000]
    story.close_through(date(2025, 2, 1))
    assert statuses(story)[1] == ("2025-02-01", "Billed", "800.00", "800.00")


def test_an_account_level_charge_is_held_too() -> None:
    """R-CHD-3: any charge may be held, such as a fee of the account."""
    story = with_fee().land(
        JAN_1,
        billing_instructions=[
            {
                "instruction_id": "G",
                "instruction_type": "account_general",
                "account_id": "A",
                "effective_date": "2025-01-01",
            }
        ],
        charges=[charge("G/1", "Account Late Fee", "10.00")],
        commands=[command("H", "hold_charge", "G/1")],
    )
    story.close_through(date(2025, 1, 15))
    assert receivables(story, "Account Late Fee") == ("10.00", "0.00", "0.00")
    assert ("2025-02-15", "Planned", "10.00", "10.00") in statuses(story)


def test_an_invoice_keeps_what_is_not_held() -> None:
    """R-CHD-6, R-BI-14: premium held for the final audit moves on; the tax of another instruction is billed."""
    held = instruction("C", kind="policy_change", special_handling="hold_for_final_audit")
    story = with_fee("Taxes", "60.00").land(JAN_1, billing_instructions=[held], charges=[charge("C/1", "Fee", "10.00")])
    story.close_through(JAN_1)
    assert [row[:3] for row in statuses(story)[:2]] == [
        ("2025-01-01", "Billed", "160.00"),
        ("2025-02-01", "Planned", "110.00"),
    ]


@pytest.mark.parametrize("day", [date(2025, 1, 5), date(2025, 1, 20)], ids=["billed", "due"])
def test_of_an_item_that_is_paid_in_part_the_rest_is_held(day: date) -> None:
    """R-CHD-4, R-CHD-5: 40.00 of 100.00 are paid and stay; 60.00 go to the next planned invoice, from Due as well."""
    story = with_fee().land(JAN_1, payments=pays("40.00")).close_through(JAN_1)
    story.land(day, commands=[command("H", "hold_charge", "I/1")]).close_through(day)
    items = story.items().filter((pl.col("bill_date") == JAN_1) & (pl.col("charge_key") == 1))
    assert items.select("amount", "paid", "reversal_kind").rows() == [(10000, 10000, "none"), (-6000, -6000, "offset")]
    onset = story.items().filter(reversal_kind="onset")
    assert onset.select("amount", "paid", "bill_date").rows() == [(6000, 0, date(2025, 2, 1))]
    billed_or_due = [int(float(amount)) for amount in receivables(story, "Premium")[1:]]
    assert sum(billed_or_due) == 0
    assert receivables(story, "Premium")[0] == "1160.00"


def test_a_paid_item_of_a_held_charge_is_untouched() -> None:
    """R-CHD-4: paid in full before the hold."""
    story = with_fee().land(JAN_1, payments=pays("125.00")).close_through(JAN_1)
    day = date(2025, 1, 5)
    story.land(day, commands=[command("H", "hold_charge", "I/1")]).close_through(day)
    assert story.items().filter(pl.col("reversal_kind") != "none").is_empty()
    assert story.events("outbound_events").filter(event_type="InvoiceResent").is_empty()


def test_what_a_held_credit_has_paid_is_taken_back() -> None:
    """R-CHD-4: a credit of 30.00 paid a part of the premium; held, it goes on, and the premium is open again."""
    story = by_allocation_plan(with_fee("Fee", "-30.00")).close_through(JAN_1)
    assert statuses(story)[0] == ("2025-01-01", "Billed", "70.00", "70.00")
    day = date(2025, 1, 5)
    story.land(day, commands=[command("H", "hold_charge", LATE_FEE)]).close_through(day)
    assert statuses(story)[:2] == [
        ("2025-01-01", "Billed", "100.00", "100.00"),
        ("2025-02-01", "Planned", "70.00", "70.00"),
    ]
    assert receivables(story, "Fee") == ("-30.00", "0.00", "0.00")
    story.close_through(date(2025, 2, 1))
    assert statuses(story)[1][:3] == ("2025-02-01", "Billed", "100.00")


def test_holds_that_are_refused() -> None:
    """R-CHD-1, R-CHD-11: held twice, also when named in two ways; released without a hold; held again."""
    story = with_fee().land(
        JAN_1, commands=[command("1", "release_charge_hold", "I/2"), command("2", "hold_charge", "I/1")]
    )
    story.land(date(2025, 1, 2), commands=[command("3", "hold_charge", "1"), command("4", "hold_charge", "I/1")])
    story.land(date(2025, 1, 3), commands=[command("5", "release_charge_hold", "1")])
    story.land(date(2025, 1, 4), commands=[command("6", "hold_charge", "1"), command("7", "hold_charge", "I/1")])
    story.close_through(date(2025, 1, 4))
    assert story.quarantined() == [
        ("1", "E-CHARGE-NOT-HELD"),
        ("3", "E-CHARGE-HELD"),
        ("4", "E-CHARGE-HELD"),
        ("7", "E-CHARGE-HELD"),
    ]
    assert story.book["commands"]["command_id"].to_list() == ["2", "5", "6"]


def test_a_charge_without_item_numbers_left_is_not_held() -> None:
    """R-CHD-5: an offset and an onset need two numbers."""
    story = with_fee().close_through(JAN_1)
    items = story.book["invoice_items"].with_row_index("row")
    last = items.filter(charge_key=1).tail(1)
    full = pl.Series([1 * 1024 + 1022])
    story.book = story.book.open_day().update("invoice_items", last["row"], {"item_key": full})
    day = date(2025, 1, 2)
    story.land(day, commands=[command("H", "hold_charge", "I/1")]).close_through(day)
    assert story.quarantined() == [("H", "E-CHARGE-FULL")]
