"""Billing levels, invoice days and list bill: D-BL-1, E-BL-6, and the rules R-BL-2, 9..14, R-ACC-07, R-LB-13..17."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from ledger.carrier import Carrier
from ledger.money import format_minor_units
from tests.story import Row, Story, plans, timing

START, END = date(2026, 1, 1), date(2027, 1, 1)
DEC_1 = date(2025, 12, 1)
FEB_10 = date(2026, 2, 10)
BY_ACCOUNT = {"invoice_by": "account"}
CASH_MANAGED = {"invoice_by": "policy", "separate_funds_by": "policy"}
BY_POLICY = {"invoice_by": "policy", "separate_funds_by": "account"}


def plan(interval: str, maximum: int) -> str:
    timings = f"first_installment_timing = {timing('policy_effective_date')}"
    return "\n".join([f'payment_interval = "{interval}"', f"max_installments = {maximum}", timings])


def carrier(*more: tuple[str, str, str]) -> Carrier:
    """Payment plan "X" is monthly."""
    return plans(plan("monthly", 12), *more)


def issuance(policy_id: str, **more: object) -> Row:
    row = {"instruction_id": f"I{policy_id}", "instruction_type": "issuance", "account_id": "A", "policy_id": policy_id}
    return row | {"effective_date": START, "period_end": END, "payment_plan": "X"} | more


def premium(policy_id: str, amount: str = "1200.00") -> Row:
    return {"instruction_id": f"I{policy_id}", "charge_no": 1, "charge_pattern": "Premium", "amount": amount}


def insured(*policy_ids: str, on: date = DEC_1, chosen: Carrier | None = None, **account: object) -> Story:
    """Account A with policies of the year 2026 on plan X."""
    return Story(chosen or carrier()).land(
        on,
        accounts=[{"account_id": "A", "invoice_day_of_month": 15, **account}],
        billing_instructions=[issuance(policy_id) for policy_id in policy_ids],
        charges=[premium(policy_id) for policy_id in policy_ids],
    )


def commanded(story: Story, day: date, command_type: str, target: str = "account/A", **params: object) -> Story:
    """The story after one command was carried out or refused on a day."""
    story.close_through(day - timedelta(days=1))
    kind, name = target.split("/")
    row = {"command_id": f"C{day}", "command_type": command_type, "target_type": kind, "target_id": name}
    return story.land(day, commands=[row | {"params": json.dumps(params)}]).close_through(day)


def on_streams(story: Story, since: date) -> list[tuple[str, int, int]]:
    """Bill date, policy and stream of the items of planned invoices, in order."""
    items = story.items().filter(pl.col("bill_date") > since).sort("bill_date", "policy_key")
    return items.select(pl.col("bill_date").cast(pl.String), "policy_key", "stream_key").rows()


def funds(story: Story) -> list[tuple[int, str]]:
    """Policy (0 for the default fund) and balance of every fund, in order."""
    rows = story.book["funds"].sort("policy_key")
    return rows.select("policy_key", format_minor_units(pl.col("balance"), 2)).rows()


def transfers(story: Story, day: date) -> list[tuple[str, str, int, int]]:
    """Side, T-account, policy of the fund and amount of the transfers of a day."""
    lines = story.days[day].events["journal"].filter(pl.col("transaction_type") == "TransferTransaction")
    names = [pl.col(name).cast(pl.String) for name in ("side", "t_account_pattern")]
    return lines.select(*names, "fund_policy_key", "amount").rows()


def test_d_bl_1_designated_funds_are_emptied_into_the_default_fund() -> None:
    """D-BL-1 (R-BL-10, R-BL-13): default 5.00; P1 30.00, P2 -10.00, P3 0.00; to account level: default 25.00."""
    story = insured("P1", "P2", "P3").close_through(date(2025, 12, 9))
    balances = {0: 5_00, 1: 30_00, 2: -10_00, 3: 0}
    rows = (
        story.book["funds"]
        .with_row_index("row")
        .with_columns(new=pl.col("policy_key").replace_strict(balances, return_dtype=pl.Int64))
    )
    story.book = story.book.update("funds", rows["row"], {"balance": rows["new"]})
    commanded(story, date(2025, 12, 10), "set_billing_level", **BY_ACCOUNT)
    assert transfers(story, date(2025, 12, 10)) == [
        ("D", "Designated Unapplied", 1, 30_00),
        ("C", "Unapplied", 0, 30_00),
        ("D", "Unapplied", 0, 10_00),
        ("C", "Designated Unapplied", 2, 10_00),
    ]
    assert funds(story) == [(0, "25.00"), (1, "0.00"), (2, "0.00"), (3, "0.00")]
    assert story.events("journal").filter(pl.col("business_date") == date(2025, 12, 10)).height == 4


def test_e_bl_6_cash_management_opens_a_fund_per_policy() -> None:
    """E-BL-6 (R-BL-8, R-BL-9): three policies, three designated funds of 0; money in the default fund stays there."""
    story = insured("P1", "P2", "P3", **BY_ACCOUNT)
    story.land(DEC_1, payments=[{"payment_id": "M", "amount": "80.00", "account_id": "A", "distribute": "none"}])
    commanded(story, date(2025, 12, 10), "set_billing_level", **CASH_MANAGED)
    assert funds(story) == [(0, "80.00"), (1, "0.00"), (2, "0.00"), (3, "0.00")]
    assert transfers(story, date(2025, 12, 10)) == []
    # From now on a payment for a policy goes into its own fund (R-BL-7).
    story.land(date(2025, 12, 11), payments=[{"payment_id": "N", "amount": "7.00", "policy_id": "P2"}])
    story.close_through(date(2025, 12, 11))
    designated = story.book["payments"].filter(pl.col("payment_id") == "N")["fund_key"].item()
    assert designated == 2 * 2 + 1


@pytest.mark.parametrize("level", [CASH_MANAGED, BY_POLICY])
def test_r_bl_9_and_11_from_account_level_every_policy_gets_a_stream(level: dict[str, object]) -> None:
    """R-BL-9, R-BL-11, R-BL-12: planned items go on streams of their policies, billed ones stay, nothing is posted."""
    story = insured("P1", "P2", **BY_ACCOUNT)
    commanded(story, FEB_10, "set_billing_level", **level)
    assert on_streams(story, FEB_10)[:4] == [
        # By account they were dated the 15th; the streams of the policies bill on the 1st.
        ("2026-03-01", 1, 2),
        ("2026-03-01", 2, 3),
        ("2026-04-01", 1, 2),
        ("2026-04-01", 2, 3),
    ]
    billed = story.items().filter(pl.col("bill_date") <= FEB_10)
    assert billed.select("bill_date", "stream_key").unique().rows() == [(date(2026, 1, 15), 1)]
    assert story.days[FEB_10].events["journal"].is_empty()
    moved = story.days[FEB_10].events["item_events"]
    assert (moved.height, moved["event_type"].unique().to_list()) == (22, ["Item Moved to a New Instance"])
    old = story.book["invoices"].filter((pl.col("stream_key") == 1) & (pl.col("bill_date") > FEB_10))
    assert old["outcome"].unique().to_list() == ["deleted"]


def test_r_bl_10_to_account_level_streams_are_combined() -> None:
    """R-BL-10, R-BL-12: two policies with streams of their own go on one stream of the account."""
    story = insured("P1", "P2")
    commanded(story, FEB_10, "set_billing_level", **BY_ACCOUNT)
    assert on_streams(story, FEB_10)[:4] == [
        ("2026-03-15", 1, 3),
        ("2026-03-15", 2, 3),
        ("2026-04-15", 1, 3),
        ("2026-04-15", 2, 3),
    ]
    story.close_through(date(2026, 3, 20))
    assert [row for row in story.invoices() if row[1] == "Billed"] == [("2026-03-15", "Billed", "200.00")]


def test_r_bl_10_streams_are_used_again_on_the_way_back() -> None:
    """R-BL-10: back to policy level, the policies have their old streams, and invoices that were deleted come back."""
    story = insured("P1", "P2")
    commanded(story, FEB_10, "set_billing_level", **BY_ACCOUNT)
    commanded(story, date(2026, 2, 11), "set_billing_level", **BY_POLICY)
    assert story.book["invoice_streams"].height == 3
    assert on_streams(story, FEB_10)[:2] == [("2026-03-01", 1, 1), ("2026-03-01", 2, 2)]
    story.close_through(date(2027, 2, 1))
    assert story.balance("<Charge Pattern> Due", "Premium") == "2400.00"


def test_r_bl_9_policies_without_planned_items_have_streams_too() -> None:
    """R-BL-9: each policy in force has its own stream, also one of which everything is billed."""
    story = insured("P1", "P2", chosen=carrier(("X", "ONCE", plan("every_year", 1))), **BY_ACCOUNT)
    story.land(DEC_1, billing_instructions=[issuance("P3", payment_plan="ONCE")], charges=[premium("P3")])
    commanded(story, FEB_10, "set_billing_level", **CASH_MANAGED)
    assert story.book["invoice_streams"]["policy_key"].to_list() == [0, 1, 2, 3]


def test_r_bl_14_the_same_level_changes_nothing_and_payments_stay() -> None:
    """R-BL-2, R-BL-14: no-op; and what a payment paid before a change stays paid."""
    story = insured("P1", "P2", **BY_ACCOUNT)
    story.land(date(2026, 1, 20), payments=[{"payment_id": "M", "amount": "130.00", "account_id": "A"}])
    commanded(story, FEB_10, "set_billing_level", **BY_ACCOUNT)
    assert story.days[FEB_10].changes["invoice_items"].is_empty()
    paid = story.book["invoice_items"]["paid"].to_list()
    commanded(story, date(2026, 2, 11), "set_billing_level", **CASH_MANAGED)
    assert story.book["invoice_items"]["paid"].to_list() == paid
    assert sum(paid) == 130_00
    assert story.quarantined() == []


def test_r_bl_3_funds_are_kept_per_account_when_invoices_are() -> None:
    """R-BL-3: invoice_by alone says both; separate funds mean nothing on an account that is invoiced as one."""
    story = insured("P1")
    commanded(story, date(2025, 12, 10), "set_billing_level", invoice_by="account", separate_funds_by="policy")
    columns = ("invoice_by", "separate_funds_by")
    assert story.book["accounts"].select(pl.col(columns).cast(pl.String)).row(0) == ("account", "account")
    commanded(story, date(2025, 12, 11), "set_billing_level", invoice_by="policy")
    assert story.book["accounts"].select(pl.col(columns).cast(pl.String)).row(0) == ("policy", "policy")


def test_r_bl_12_account_level_charges_stay_on_the_account_stream() -> None:
    """R-BL-12: an account fee has no policy: its item stays where it is when the policies get streams of their own."""
    fee = {"instruction_id": "F", "charge_no": 1, "charge_pattern": "Account Late Fee", "amount": "9.00"}
    general = {"instruction_id": "F", "instruction_type": "account_general", "account_id": "A"}
    story = insured("P1", **BY_ACCOUNT)
    story.land(date(2026, 2, 9), billing_instructions=[general | {"effective_date": "2026-02-09"}], charges=[fee])
    commanded(story, FEB_10, "set_billing_level", **CASH_MANAGED)
    assert story.dates("bill_date", "Account Late Fee") == ["2026-02-15"]
    assert story.items().filter(pl.col("policy_key") == 0)["stream_key"].to_list() == [1]


def bill_dates(story: Story) -> list[str]:
    return story.items()["bill_date"].cast(pl.String).to_list()


def test_r_acc_07_planned_invoices_of_the_account_get_new_dates() -> None:
    """R-ACC-07, R-INV-08: every planned invoice from the 15th to the 20th, due date included; billed ones stay."""
    story = insured("P1", "P2", **BY_ACCOUNT).close_through(date(2026, 2, 9))
    keys = story.book["invoices"]["invoice_key"].to_list()
    commanded(story, FEB_10, "change_invoice_days", invoice_day_of_month=20)
    invoices = story.book["invoices"]
    assert invoices["invoice_key"].to_list() == keys
    assert invoices["bill_date"].to_list()[:3] == [date(2026, 1, 15), date(2026, 2, 20), date(2026, 3, 20)]
    assert invoices["due_date"].to_list()[:3] == [date(2026, 1, 29), date(2026, 3, 6), date(2026, 4, 3)]
    assert story.book["accounts"]["invoice_day_of_month"].to_list() == [20]
    story.close_through(date(2026, 3, 31))
    assert [row[:2] for row in story.invoices()][:3] == [
        ("2026-01-15", "Due"),
        ("2026-02-20", "Due"),
        ("2026-03-20", "Billed"),
    ]


def test_r_inv_08_new_items_go_on_the_invoices_of_the_new_days() -> None:
    """R-INV-08: a later policy uses the re-dated invoices, once a month, and no second invoice on the old day."""
    story = insured("P1", **BY_ACCOUNT)
    commanded(story, FEB_10, "change_invoice_days", invoice_day_of_month=20)
    story.land(date(2026, 2, 12), billing_instructions=[issuance("P2")], charges=[premium("P2")])
    story.close_through(date(2026, 2, 12))
    new = story.items().filter(pl.col("policy_key") == 2)
    assert new["bill_date"].to_list()[:3] == [date(2026, 2, 20), date(2026, 2, 20), date(2026, 3, 20)]
    assert story.book["invoices"]["bill_date"].is_unique().all()


def test_r_inv_08_invoices_keep_their_keys_apart_when_days_come_back() -> None:
    """R-INV-08: days 1 and 15, then 15 and 28: the invoice of the 1st is now that of the 15th; keys stay unique."""
    chosen = carrier(("X", "TWICE", plan("twice_per_month", 24)))
    story = Story(chosen).land(
        DEC_1,
        accounts=[{"account_id": "A", "invoice_by": "account"}],
        billing_instructions=[issuance("P1", payment_plan="TWICE")],
        charges=[premium("P1", "2400.00")],
    )
    days = {"invoice_first_day_of_month": 15, "invoice_second_day_of_month": 28}
    commanded(story, date(2025, 12, 10), "change_invoice_days", **days)
    story.land(date(2025, 12, 11), billing_instructions=[issuance("P2", payment_plan="TWICE")], charges=[premium("P2")])
    story.close_through(date(2025, 12, 11))
    invoices = story.book["invoices"]
    assert invoices["invoice_key"].is_unique().all()
    assert invoices["bill_date"].is_unique().all()
    assert {day.day for day in invoices["bill_date"]} == {15, 28}
    shared = story.items().group_by("invoice_key").agg(pl.col("policy_key").n_unique())
    assert shared["policy_key"].to_list().count(2) >= 22


def test_r_acc_07_a_bill_date_that_is_over_is_today() -> None:
    """R-ACC-07: the 5th of February is over on the 10th: its invoice is billed today, and due as if meant for today."""
    story = insured("P1", **BY_ACCOUNT)
    commanded(story, FEB_10, "change_invoice_days", invoice_day_of_month=5)
    invoices = story.book["invoices"]
    assert invoices.select("bill_date", "due_date").rows()[1:3] == [
        (FEB_10, FEB_10 + timedelta(days=14)),
        (date(2026, 3, 5), date(2026, 3, 19)),
    ]
    assert [row[:2] for row in story.invoices()][:3] == [
        ("2026-01-15", "Due"),
        ("2026-02-10", "Billed"),
        ("2026-03-05", "Planned"),
    ]


def test_r_acc_07_every_planned_invoice_is_dated_anew() -> None:
    """R-ACC-07: another half of the month does not move monthly invoices, but it undoes a date set by hand."""
    story = insured("P1", **BY_ACCOUNT).close_through(date(2026, 2, 8))
    key = story.book["invoices"]["invoice_key"][2]
    commanded(story, date(2026, 2, 9), "change_invoice_dates", f"invoice/{key}", due_date="2026-04-20")
    same_day = story.book["accounts"]["invoice_first_day_of_month"][0]
    commanded(story, FEB_10, "change_invoice_days", invoice_first_day_of_month=same_day)
    assert story.book["invoices"]["due_date"][2] == date(2026, 4, 20)
    commanded(story, date(2026, 2, 11), "change_invoice_days", invoice_first_day_of_month=same_day + 3)
    assert story.book["invoices"].select("bill_date", "due_date").row(2) == (date(2026, 3, 15), date(2026, 3, 29))


def test_r_acc_07_which_date_is_fixed_may_change_too() -> None:
    """R-ACC-06, R-ACC-07, R-INV-04: the 15th becomes the due date, the bill date is 14 days before it."""
    story = insured("P1", **BY_ACCOUNT)
    commanded(story, date(2026, 1, 20), "change_invoice_days", fix_invoices_on="due_date")
    invoices = story.book["invoices"]
    assert invoices.select("bill_date", "due_date").rows()[1:3] == [
        (date(2026, 2, 1), date(2026, 2, 15)),
        (date(2026, 3, 1), date(2026, 3, 15)),
    ]


def test_r_acc_07_invoices_of_single_policies_keep_their_dates() -> None:
    """R-ACC-07: on a policy-level account only invoices of account-level charges move."""
    fee = {"instruction_id": "F", "charge_no": 1, "charge_pattern": "Account Late Fee", "amount": "9.00"}
    general = {"instruction_id": "F", "instruction_type": "account_general", "account_id": "A"}
    story = insured("P1")
    story.land(date(2026, 2, 9), billing_instructions=[general | {"effective_date": "2026-02-09"}], charges=[fee])
    commanded(story, FEB_10, "change_invoice_days", invoice_day_of_month=20)
    assert story.dates("bill_date", "Account Late Fee") == ["2026-02-20"]
    assert {day[-2:] for day in story.dates("bill_date")} == {"01"}


@pytest.mark.parametrize(
    ("interval", "params", "before", "after"),
    [
        ("every_week", {"invoice_day_of_week": 2}, ["2026-01-02", "2026-01-09"], ["2025-12-30", "2026-01-06"]),
        (
            "every_other_week",
            {"invoice_every_other_week_anchor": "2026-01-07"},
            ["2026-01-08", "2026-01-22"],
            ["2026-01-21", "2026-02-04"],
        ),
    ],
)
def test_r_inv_08_weekly_cadences(
    interval: str, params: dict[str, object], before: list[str], after: list[str]
) -> None:
    """R-INV-08: another day of the same week; every other week, the first new date on or after the old one."""
    chosen = carrier(("X", "WEEKS", plan(interval, 20)))
    story = Story(chosen).land(
        DEC_1,
        accounts=[{"account_id": "A", "invoice_by": "account"}],
        billing_instructions=[issuance("P1", payment_plan="WEEKS")],
        charges=[premium("P1")],
    )
    story.close_through(date(2025, 12, 9))
    assert bill_dates(story)[:2] == before
    commanded(story, date(2025, 12, 10), "change_invoice_days", **params)
    assert bill_dates(story)[:2] == after


def test_r_inv_22_invoices_outside_the_cadence_keep_their_dates() -> None:
    """R-INV-22: an ad hoc invoice, and one with a date of its own, are not re-dated."""
    story = insured("P1", **BY_ACCOUNT)
    commanded(story, FEB_10, "create_invoice", "invoice_stream/1", is_ad_hoc=True, bill_date="2026-03-03")
    commanded(story, date(2026, 2, 11), "change_invoice_days", invoice_day_of_month=20)
    assert story.book["invoices"].filter("is_ad_hoc")["bill_date"].to_list() == [date(2026, 3, 3)]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"invoice_day_of_month": 32},
        {"invoice_day_of_week": 0},
        {"invoice_first_day_of_month": 15},
        {"invoice_second_day_of_month": 1},
    ],
)
def test_invoice_days_that_are_none_are_refused(params: dict[str, object]) -> None:
    """R-ACC-07: E-INVOICE-DAYS, also against the days that the account has (1 and 15)."""
    story = insured("P1", **BY_ACCOUNT)
    commanded(story, date(2025, 12, 10), "change_invoice_days", **params)
    assert story.quarantined() == [("C2025-12-10", "E-INVOICE-DAYS")]
    assert {day[-2:] for day in story.dates("bill_date")} == {"15"}


def test_an_account_row_that_comes_again_has_no_effect_whatever_was_changed_since() -> None:
    """R-ACC-03, R-ACC-07, R-BL-2: it is held against what landed; other contents are still refused."""
    row = {"account_id": "Z", "invoice_by": "policy", "invoice_day_of_month": 9}
    days = {"command_id": "D", "command_type": "change_invoice_days", "target_type": "account", "target_id": "Z"}
    level = days | {"command_id": "L", "command_type": "set_billing_level", "params": '{"invoice_by": "account"}'}
    story = Story().land(date(2025, 1, 1), accounts=[row])
    days |= {"params": '{"invoice_day_of_month": 20, "invoice_every_other_week_anchor": "2025-01-03"}'}
    story.land(date(2025, 1, 2), commands=[days, level])
    story.land(date(2025, 1, 3), accounts=[row])
    story.land(date(2025, 1, 4), accounts=[row | {"invoice_day_of_month": 20}]).close_through(date(2025, 1, 4))
    assert story.quarantined() == [("Z", "E-ID-CONFLICT")]
    intake = story.events("intake").filter(table_name="accounts").sort("business_date")
    assert intake["rows_duplicate"].to_list() == [0, 1, 0]
    changed = story.book["accounts"].filter(account_id="Z")
    assert changed.select("invoice_day_of_month", pl.col("invoice_by").cast(pl.String)).rows() == [(20, "account")]
