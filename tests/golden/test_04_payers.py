"""Who pays: payers of charges and items, collection agencies, billing methods (E-ITM-01..06, E-ITM-10)."""

from __future__ import annotations

import json
from datetime import date, timedelta

import polars as pl
import pytest

from ledger.money import format_minor_units
from tests.golden.test_04_invoicing import issuance, issued, monthly
from tests.story import Row, Story, plans, timing

JAN_1 = date(2025, 1, 1)
FEB_9 = date(2025, 2, 9)
FEB_10 = date(2025, 2, 10)
MAR_31 = date(2025, 3, 31)
EACH_MONTH_1ST: Row = {"invoice_by": "account", "invoice_day_of_month": 1}
OTHERS: tuple[Row, ...] = (
    {"account_id": "B", **EACH_MONTH_1ST},
    {"account_id": "C", **EACH_MONTH_1ST},
    {"account_id": "AGENCY", "account_type": "collection_agency", **EACH_MONTH_1ST},
    {"account_id": "LIST", "account_type": "list_bill", "payment_plans": "X; Y", **EACH_MONTH_1ST},
    {"account_id": "EURO", "currency": "EUR"},
)


def policy(*payments: Row, charges: tuple[Row, ...] = (), owner: Row | None = None, through: date = FEB_9) -> Story:
    """A policy of account A: installments of 400, of which January's is due, February's billed, March's planned."""
    story = Story(
        plans(
            monthly(maximum=3),
            ("X", "Y", monthly(maximum=2)),
            ("X", "Every Week", monthly(interval="every_week", maximum=3)),
        )
    )
    premium = {"instruction_id": "I1", "charge_no": 1, "charge_pattern": "Premium", "amount": "1200.00"}
    story.land(
        JAN_1,
        accounts=[{"account_id": "A", **(owner or {})}, *OTHERS],
        billing_instructions=[issuance("I1", "P1", JAN_1, date(2026, 1, 1))],
        charges=[premium, *({"instruction_id": "I1"} | dict(charge) for charge in charges)],
    )
    if payments:
        rows = [{"payment_id": f"M{n}", "account_id": "A"} | dict(row) for n, row in enumerate(payments, start=1)]
        story.land(FEB_9, payments=rows)
    return story.close_through(through)


def commanded(story: Story, *commands: Row, day: date = FEB_10) -> Story:
    """The story after these commands on a day."""
    story.close_through(day - timedelta(days=1))
    rows = [{"command_id": f"C{number}"} | dict(command) for number, command in enumerate(commands, start=1)]
    return story.land(day, commands=rows).close_through(day)


def command(command_type: str, target_type: str, target_id: object, **params: object) -> Row:
    return {
        "command_type": command_type,
        "target_type": target_type,
        "target_id": target_id,
        "params": json.dumps(params),
    }


def reassign(payer: str, **params: object) -> Row:
    return command("reassign_charge_payer", "charge", "I1/1", payer_account_id=payer, **params)


def item_keys(story: Story, pattern: str = "Premium") -> list[int]:
    found: list[int] = story.items().filter(pl.col("charge_pattern") == pattern)["item_key"].to_list()
    return found


def payers(story: Story, pattern: str = "Premium") -> list[tuple[str, str, str, str, str]]:
    """Bill date, payer, reversal kind, amount and what is paid of the items of a charge pattern, in order."""
    accounts = story.book["accounts"].select("account_key", "account_id")
    items = story.items().filter(pl.col("charge_pattern") == pattern).join(accounts, on="account_key", how="left")
    return (
        items.sort("item_key")
        .select(
            pl.col("bill_date").cast(pl.String),
            "account_id",
            pl.col("reversal_kind").cast(pl.String),
            format_minor_units(pl.col("amount"), 2),
            paid=format_minor_units(pl.col("paid"), 2),
        )
        .rows()
    )


def owners(story: Story) -> set[int]:
    return set(story.book["charges"]["account_key"].to_list())


def funds(story: Story) -> dict[str, str]:
    """Money in the funds of each account."""
    accounts = story.book["accounts"].select("account_key", "account_id")
    sums = story.book["funds"].group_by("account_key").agg(pl.col("balance").sum()).filter(pl.col("balance") != 0)
    named = sums.join(accounts, on="account_key").sort("account_id")
    return dict(named.select("account_id", format_minor_units(pl.col("balance"), 2)).rows())


def default_payer(story: Story, charge_no: int = 1) -> str:
    accounts = story.book["accounts"].select("account_id", payer_account_key="account_key")
    charges = story.book["charges"].join(accounts, on="payer_account_key")
    found: str = charges.filter(pl.col("charge_no") == charge_no)["account_id"].item()
    return found


def happened(story: Story, item_key: int) -> list[tuple[str, int]]:
    events = story.events("item_events").filter(pl.col("item_key") == item_key)
    return events.select(pl.col("event_type").cast(pl.String), "gross").rows()


# Payers at creation


def test_e_itm_01_one_company_pays_the_tax_of_all() -> None:
    """E-ITM-01, R-ITM-03: premium is on the invoices of three regions, all tax on those of the company; owners stay."""
    story = Story(plans(monthly(maximum=2)))
    regions = ["EAST", "NORTH", "WEST"]
    charges = [
        {"instruction_id": f"I{region}", "charge_no": number, "charge_pattern": pattern, "amount": amount} | payer
        for region in regions
        for number, pattern, amount, payer in (
            (1, "Premium", "600.00", {}),
            (2, "Tax", "30.00", {"payer_account_id": "COMPANY"}),
        )
    ]
    story.land(
        JAN_1,
        accounts=[{"account_id": name, **EACH_MONTH_1ST} for name in [*regions, "COMPANY"]],
        billing_instructions=[
            issuance(f"I{name}", f"P{name}", JAN_1, date(2026, 1, 1), account_id=name) for name in regions
        ],
        charges=charges,
    ).close_through(JAN_1)
    assert {payer for _, payer, *_ in payers(story)} == set(regions)
    assert [payer for _, payer, *_ in payers(story, "Tax")] == ["COMPANY"] * 3
    assert story.items().filter(pl.col("charge_pattern") == "Tax")["invoice_key"].n_unique() == 1
    assert owners(story) == set(story.book["policies"]["account_key"])


def test_e_itm_02_charges_of_one_instruction_have_their_own_payers() -> None:
    """E-ITM-02, R-ITM-02: tax and fee are one item each on the owner's invoices, premium is on those of B."""
    down_payment = f'down_payment_percent = "10"\ndown_payment_timing = {timing("policy_effective_date")}'
    story = Story(plans(monthly(maximum=3, more=f"has_down_payment = true\n{down_payment}")))
    story.land(
        JAN_1,
        accounts=[{"account_id": "A"}, {"account_id": "B"}],
        billing_instructions=[issuance("I1", "P1", JAN_1, date(2026, 1, 1))],
        charges=[
            {"instruction_id": "I1", "charge_no": 1, "charge_pattern": "Tax", "amount": "20.00"},
            {"instruction_id": "I1", "charge_no": 2, "charge_pattern": "Fee", "amount": "10.00"},
            {
                "instruction_id": "I1",
                "charge_no": 3,
                "charge_pattern": "Premium",
                "amount": "1000.00",
                "payer_account_id": "B",
            },
        ],
    ).close_through(JAN_1)
    assert [payer for _, payer, *_ in payers(story, "Tax") + payers(story, "Fee")] == ["A", "A"]
    assert [(payer, amount) for _, payer, _, amount, _ in payers(story)] == [("B", "100.00")] + [("B", "300.00")] * 3
    assert owners(story) == {1}


def test_e_itm_03_a_parent_owns_and_each_location_pays_its_own() -> None:
    """E-ITM-03, R-ITM-05: main office, warehouse and branch each are invoiced for the charge that they pay."""
    story = Story(plans(monthly(maximum=2)))
    locations = ["BRANCH", "MAIN", "STORE"]
    story.land(
        JAN_1,
        accounts=[{"account_id": name, **EACH_MONTH_1ST} for name in ["A", *locations]],
        billing_instructions=[issuance("I1", "P1", JAN_1, date(2026, 1, 1))],
        charges=[
            {
                "instruction_id": "I1",
                "charge_no": number,
                "charge_pattern": "Premium",
                "amount": "200.00",
                "payer_account_id": name,
            }
            for number, name in enumerate(locations, start=1)
        ],
    ).close_through(JAN_1)
    assert [payer for _, payer, *_ in payers(story)] == ["BRANCH"] * 2 + ["MAIN"] * 2 + ["STORE"] * 2
    assert story.book["invoices"]["account_key"].n_unique() == 3
    assert owners(story) == {1}


def test_e_itm_04_the_teenager_pays_the_summer_and_the_parents_the_rest() -> None:
    """E-ITM-04, R-ITM-01, R-ITM-11: items get another payer one by one; owner and default payer of the charge stay."""
    story = policy()
    march = item_keys(story)[2]
    commanded(story, command("reassign_item_payer", "invoice_item", march, payer_account_id="B"))
    assert [payer for _, payer, *_ in payers(story)] == ["A", "A", "B"]
    assert default_payer(story) == "A"
    assert owners(story) == {1}
    assert happened(story, march) == [("Item Assigned to Payer", 0)]
    assert story.quarantined() == []


# Reassignment


def test_e_itm_06_a_billed_item_is_replaced_on_the_new_payers_invoice() -> None:
    """E-ITM-06, R-ITM-10, R-ITM-14, A-9: an offset settles the original, an onset is owed by the new payer."""
    story = policy()
    february = item_keys(story)[1]
    commanded(story, command("reassign_item_payer", "invoice_item", february, payer_account_id="B"))
    assert payers(story) == [
        ("2025-01-01", "A", "none", "400.00", "0.00"),
        ("2025-02-01", "A", "none", "400.00", "400.00"),
        ("2025-03-01", "A", "none", "400.00", "0.00"),
        ("2025-03-01", "B", "onset", "400.00", "0.00"),
        ("2025-02-01", "A", "offset", "-400.00", "-400.00"),
    ]
    unbilled, billed, due = (
        story.balance(f"<Charge Pattern> {name}", "Premium") for name in ("Unbilled", "Billed", "Due")
    )
    assert (unbilled, billed, due) == ("800.00", "0.00", "400.00")
    onset, offset = item_keys(story)[3:]
    assert happened(story, february) == [("Item Reversed", 0)]
    assert happened(story, offset) == [("Item Created as Reversal", -400_00)]
    assert happened(story, onset) == [("Item Created as Onset", 400_00), ("Item Assigned to Payer", 0)]
    story.close_through(MAR_31)
    assert story.balance("<Charge Pattern> Due", "Premium") == "1200.00"


def test_e_itm_05_what_was_paid_in_part_goes_with_the_item() -> None:
    """E-ITM-05, R-ITM-15, R-ITM-20: 300 with 150 paid is settled by its offset; the onset has 150 outstanding."""
    story = Story(plans(monthly(maximum=1)))
    story.land(
        JAN_1,
        accounts=[{"account_id": "A"}, *OTHERS],
        billing_instructions=[issuance("I1", "P1", JAN_1, date(2026, 1, 1))],
        charges=[{"instruction_id": "I1", "charge_no": 1, "charge_pattern": "Premium", "amount": "300.00"}],
    )
    story.land(date(2025, 1, 5), payments=[{"payment_id": "M", "account_id": "A", "amount": "150.00"}])
    story.close_through(date(2025, 1, 9))
    commanded(story, reassign("B"), day=date(2025, 1, 10))
    assert payers(story) == [
        ("2025-01-01", "A", "none", "300.00", "300.00"),
        ("2025-02-01", "B", "onset", "300.00", "150.00"),
        ("2025-01-01", "A", "offset", "-300.00", "-300.00"),
    ]
    item, onset, _ = item_keys(story)
    # 150 paid is open again when it moves, and the offset settles 300: with 300 charged and 150 paid that nets to zero.
    assert happened(story, item) == [("Payment Moved From Invoice Item", 150_00), ("Item Reversed", 0)]
    settled = story.book["payment_items"].filter((pl.col("item_key") == item) & (pl.col("kind") == "settlement"))
    assert settled["amount"].to_list() == [300_00]
    assert happened(story, onset) == [
        ("Item Created as Onset", 300_00),
        ("Item Assigned to Payer", 0),
        ("Payment Moved To Invoice Item", -150_00),
    ]
    paid = story.journal().filter(pl.col("transaction_type") == "ChargePaidFromAccount")
    assert paid["transaction_key"].n_unique() == 1


def test_r_itm_11_and_r_itm_13_a_charge_gets_another_payer_with_all_its_items() -> None:
    """R-ITM-11, R-ITM-13, R-ITM-22: planned items move by event date, the default payer changes, empty invoices go."""
    story = policy()
    commanded(story, reassign("B"))
    assert default_payer(story) == "B"
    standing = [row for row in payers(story) if row[2] != "offset" and row[4] == "0.00"]
    assert standing == [
        ("2025-03-01", "B", "none", "400.00", "0.00"),
        ("2025-03-01", "B", "onset", "400.00", "0.00"),
        ("2025-03-01", "B", "onset", "400.00", "0.00"),
    ]
    deleted = story.book["invoices"].filter(pl.col("outcome") == "deleted")
    assert deleted["bill_date"].to_list() == [date(2025, 3, 1)]
    story.close_through(MAR_31)
    assert [row for row in story.invoices() if row[0] == "2025-03-01"] == [("2025-03-01", "Due", "1200.00")]


def test_r_itm_04_later_items_have_the_payer_that_the_charge_has_now() -> None:
    """R-ITM-04, R-ITM-11: only the default changes; items cut by a change of plan are paid by the new default payer."""
    story = policy()
    commanded(story, command("set_charge_default_payer", "charge", "I1/1", payer_account_id="B"))
    assert [payer for _, payer, *_ in payers(story)] == ["A"] * 3
    assert default_payer(story) == "B"
    change = command("change_payment_schedule", "policy", "P1", payment_plan="Y")
    commanded(story, change | {"command_id": "PLAN"}, day=date(2025, 2, 11))
    assert {payer for date_, payer, *_ in payers(story) if date_ == "2025-03-01"} == {"B"}
    assert story.quarantined() == []


def test_r_itm_10_fully_paid_items_stay_when_only_the_others_are_meant() -> None:
    """R-ITM-10: fully paid is amount = paid; an item that its offset settled counts as paid and stays too."""
    story = policy({"amount": "500.00"})
    commanded(story, reassign("B", items="not_fully_paid"))
    before = payers(story)
    assert before == [
        ("2025-01-01", "A", "none", "400.00", "400.00"),
        ("2025-02-01", "A", "none", "400.00", "400.00"),
        ("2025-03-01", "B", "none", "400.00", "0.00"),
        ("2025-03-01", "B", "onset", "400.00", "100.00"),
        ("2025-02-01", "A", "offset", "-400.00", "-400.00"),
    ]
    commanded(story, reassign("C", items="not_fully_paid") | {"command_id": "AGAIN"}, day=date(2025, 2, 11))
    assert payers(story)[:2] == before[:2]
    assert {payer for _, payer, *_ in payers(story)[2:4]} == {"C"}


@pytest.mark.parametrize(
    ("reverse_payments", "paid", "in_fund"),
    [
        ("no", ["400.00", "100.00", "200.00"], {}),
        ("yes", ["0.00", "0.00", "0.00"], {"A": "700.00"}),
        ("only_for_non_planned", ["0.00", "0.00", "200.00"], {"A": "500.00"}),
    ],
)
def test_r_itm_12_payments_travel_or_go_back_to_who_paid(
    reverse_payments: str, paid: list[str], in_fund: dict[str, str]
) -> None:
    """R-ITM-12, R-ITM-13, R-ITM-15..17, A-7: nothing, everything, or what was paid of billed items is taken back."""
    story = policy({"amount": "500.00"})
    march = story.book["invoices"].filter(pl.col("bill_date") == date(2025, 3, 1))["invoice_key"].item()
    story.land(FEB_10, payments=[{"payment_id": "M", "account_id": "A", "invoice_id": march, "amount": "200.00"}])
    story.close_through(FEB_10)
    before = dict(zip(("January", "February", "March"), [row[4] for row in payers(story)], strict=True))
    assert before == {"January": "400.00", "February": "100.00", "March": "200.00"}
    commanded(story, reassign("B", reverse_payments=reverse_payments), day=date(2025, 2, 11))
    now = [row[4] for row in payers(story) if row[2] == "onset"] + [
        row[4] for row in payers(story) if row[1:3] == ("B", "none")
    ]
    assert now == paid
    assert funds(story) == in_fund
    taken_back = story.journal().filter(pl.col("reverses_transaction_key") > 0)
    assert taken_back["transaction_key"].n_unique() == {"no": 0, "yes": 3, "only_for_non_planned": 2}[reverse_payments]


def test_r_itm_17_a_payment_taken_back_after_it_moved_is_the_old_payers() -> None:
    """R-ITM-17: the onset of B was paid by A; reversing that payment takes the money from A's receipts."""
    story = policy({"amount": "500.00"})
    commanded(story, reassign("B"))
    reversal = command("reverse_payment", "payment", "M1", reversal_reason="insufficient_funds")
    commanded(story, reversal | {"command_id": "NSF"}, day=date(2025, 2, 11))
    assert [row[4] for row in payers(story) if row[1] == "B"] == ["0.00", "0.00", "0.00"]
    assert funds(story) == {}
    assert story.quarantined() == []


def test_r_itm_15_a_payment_of_the_same_day_moves_and_names_its_transaction() -> None:
    """R-ITM-15: paid, reassigned and taken back within a day; the reversal mirrors the transaction that paid."""
    story = policy()
    story.land(FEB_10, payments=[{"payment_id": "M", "account_id": "A", "amount": "500.00"}])
    first = reassign("B") | {"sequence": 1}
    second = reassign("C", reverse_payments="yes") | {"sequence": 2}
    commanded(story, first, second)
    assert funds(story) == {"A": "500.00"}
    journal = story.journal().filter(pl.col("transaction_type") == "ChargePaidFromAccount")
    paid = journal.filter(pl.col("reverses_transaction_key") == 0)["transaction_key"].unique()
    assert set(journal["reverses_transaction_key"].unique()) - {0} == set(paid)


@pytest.mark.parametrize(
    ("catch_up", "bill_date", "is_ad_hoc"), [(True, FEB_10, True), (False, date(2025, 3, 1), False)]
)
def test_r_itm_18_catching_up_is_one_ad_hoc_invoice_of_today(catch_up: bool, bill_date: date, is_ad_hoc: bool) -> None:
    """R-ITM-18, R-INV-20, R-INV-21: billed and due items go on it, planned ones by event date; else on the next."""
    story = policy()
    commanded(story, reassign("B", catch_up=catch_up))
    onsets = story.items().filter(pl.col("reversal_kind").cast(pl.String) == "onset")
    invoices = onsets.join(story.book["invoices"].select("invoice_key", "is_ad_hoc"), on="invoice_key")
    assert invoices["invoice_key"].n_unique() == 1
    assert invoices.select("bill_date", "is_ad_hoc").rows() == [(bill_date, is_ad_hoc)] * 2
    assert ("2025-03-01", "B", "none", "400.00", "0.00") in payers(story)
    billed = {True: "800.00", False: "0.00"}[catch_up]
    assert story.balance("<Charge Pattern> Billed", "Premium") == billed
    lead = story.book["invoices"].select((pl.col("due_date") - pl.col("bill_date")).dt.total_days())["due_date"]
    assert lead.n_unique() == 1


def test_r_itm_18_several_charges_share_the_invoice_of_today() -> None:
    """R-ITM-18: one immediate invoice of the new payer, whatever the number of charges and commands."""
    story = policy(charges=({"charge_no": 2, "charge_pattern": "Tax", "amount": "30.00"},))
    tax = command("reassign_charge_payer", "charge", "I1/2", payer_account_id="B", catch_up=True)
    later = command("reassign_item_payer", "invoice_item", 0, payer_account_id="C", catch_up=True)
    commanded(story, reassign("B", catch_up=True), tax, later)
    ad_hoc = story.book["invoices"].filter("is_ad_hoc")
    assert ad_hoc.height == 1
    assert story.items().filter(pl.col("invoice_key") == ad_hoc["invoice_key"].item())["charge_pattern"].n_unique() == 2


def test_r_itm_14_an_onset_may_be_reassigned_again_its_original_may_not() -> None:
    """R-ITM-14: offsets, and what they took back, are no items to reassign."""
    story = policy()
    february = item_keys(story)[1]
    commanded(story, command("reassign_item_payer", "invoice_item", february, payer_account_id="B", catch_up=True))
    onset, offset = item_keys(story)[3:]
    again = [
        command("reassign_item_payer", "invoice_item", key, payer_account_id="C") | {"command_id": f"X{number}"}
        for number, key in enumerate((february, onset, offset))
    ]
    commanded(story, *again, day=date(2025, 2, 11))
    assert story.quarantined() == [("X0", "E-ITEM-STANDING"), ("X2", "E-ITEM-STANDING")]
    assert payers(story)[3] == ("2025-02-10", "B", "onset", "400.00", "400.00")
    assert payers(story)[5:] == [
        ("2025-03-01", "C", "onset", "400.00", "0.00"),
        ("2025-02-10", "B", "offset", "-400.00", "-400.00"),
    ]


def test_r_itm_16_items_on_invoices_that_were_written_off_stay() -> None:
    """R-ITM-16: nothing is open of them; the charge goes to the new payer with its other items."""
    standard = 'description = "Due 14 calendar days after billing"\n'
    low = 'suppress_low_balance = true\nlow_balance_threshold = "5.00"\nlow_balance_method = "write_off"\n'
    story = issued(monthly(maximum=3), amount="12.00", carrier_changes=((standard, standard + low),))
    story.land(date(2025, 1, 2), accounts=list(OTHERS[:1])).close_through(date(2025, 1, 9))
    item = command("reassign_item_payer", "invoice_item", item_keys(story)[0], payer_account_id="B")
    commanded(story, item, reassign("B"), day=date(2025, 1, 10))
    assert story.quarantined() == [("C1", "E-ITEM-STANDING")]
    assert [row[1] for row in payers(story)] == ["A", "B", "B"]
    assert default_payer(story) == "B"


def test_payers_that_cannot_pay_are_refused() -> None:
    """R-ITM-10, R-ITM-12: unknown, of another currency, or the one who pays already."""
    story = policy()
    item = item_keys(story)[0]
    commanded(
        story,
        command("reassign_item_payer", "invoice_item", item, payer_account_id="NOBODY"),
        command("reassign_item_payer", "invoice_item", item, payer_account_id="EURO"),
        command("reassign_item_payer", "invoice_item", item, payer_account_id="A"),
        command("reassign_item_payer", "invoice_item", 999, payer_account_id="B"),
        command("set_charge_default_payer", "charge", "I1/1", payer_account_id="NOBODY"),
        reassign("EURO"),
    )
    assert [code for _, code in story.quarantined()] == [
        "E-PAYER-ACCOUNT",
        "E-NEW-PAYER-CURRENCY",
        "E-PAYER-SAME",
        "E-TARGET-UNKNOWN",
        "E-PAYER-ACCOUNT",
        "E-NEW-PAYER-CURRENCY",
    ]
    assert {payer for _, payer, *_ in payers(story)} == {"A"}
    assert default_payer(story) == "A"


def test_r_lb_06_a_list_bill_account_pays_only_where_it_has_a_stream() -> None:
    """R-LB-06, R-LB-10: it may pay single charges and items of policies whose payment interval its plans have."""
    story = Story(plans(monthly(maximum=2), ("X", "Fortnight", monthly(interval="every_other_week", maximum=2))))
    story.land(
        JAN_1,
        accounts=[
            {"account_id": "A"},
            *OTHERS[:3],
            {"account_id": "LIST", "account_type": "list_bill", "payment_plans": "X"},
        ],
        billing_instructions=[
            issuance("I1", "P1", JAN_1, date(2026, 1, 1), plan="Fortnight"),
            issuance("I2", "P2", JAN_1, date(2026, 1, 1)),
        ],
        charges=[
            {"instruction_id": name, "charge_no": 1, "charge_pattern": "Premium", "amount": "100.00"}
            for name in ("I1", "I2")
        ],
    ).close_through(FEB_9)
    other = command("reassign_charge_payer", "charge", "I2/1", payer_account_id="LIST")
    default = command("set_charge_default_payer", "charge", "I1/1", payer_account_id="LIST")
    first = command("reassign_item_payer", "invoice_item", item_keys(story)[0], payer_account_id="LIST")
    commanded(story, reassign("LIST"), other, default, first)
    assert story.quarantined() == [("C1", "E-PAYER-STREAM"), ("C3", "E-PAYER-STREAM"), ("C4", "E-PAYER-STREAM")]
    assert [payer for _, payer, kind, *_ in payers(story) if kind == "onset"] == ["LIST"] * 2


def test_r_itm_48_an_item_on_another_policys_stream_is_paid_from_its_fund() -> None:
    """R-ITM-48: with a fund per policy, the fund of the stream on which an item is pays it."""
    separate = {"invoice_by": "policy", "separate_funds_by": "policy"}
    story = policy(owner=separate, through=JAN_1)
    story.land(
        date(2025, 1, 2),
        billing_instructions=[issuance("I2", "P2", date(2025, 1, 2), date(2026, 1, 2))],
        charges=[{"instruction_id": "I2", "charge_no": 1, "charge_pattern": "Tax", "amount": "10.00"}],
    ).close_through(FEB_9)
    stream = story.book["invoice_streams"].filter(pl.col("policy_key") == 2)["stream_key"].item()
    new = command("create_invoice", "invoice_stream", stream, bill_date="2025-02-20", due_date="2025-02-25")
    commanded(story, new)
    target = story.book["invoices"].filter(pl.col("bill_date") == date(2025, 2, 20))["invoice_key"].item()
    move = command("move_invoice_item", "invoice_item", item_keys(story)[2], invoice_id=str(target))
    commanded(story, move | {"command_id": "MOVE"}, day=date(2025, 2, 11))
    payment = {"payment_id": "M", "account_id": "A", "policy_id": "P2", "amount": "410.00"}
    story.land(date(2025, 2, 12), payments=[payment]).close_through(date(2025, 2, 28))
    assert [row[4] for row in payers(story)] == ["0.00", "0.00", "400.00"]
    assert story.quarantined() == []


# Collection agencies


def test_e_itm_10_an_agency_collects_what_is_open() -> None:
    """E-ITM-10, R-ITM-06, R-LIF-24: what is open goes on the agency's next invoice, fully paid items stay."""
    story = policy({"amount": "500.00"})
    commanded(story, command("refer_to_collection_agency", "account", "A", agency_account_id="AGENCY"))
    assert payers(story) == [
        ("2025-01-01", "A", "none", "400.00", "400.00"),
        ("2025-02-01", "A", "none", "400.00", "400.00"),
        ("2025-03-01", "AGENCY", "none", "400.00", "0.00"),
        ("2025-03-01", "AGENCY", "onset", "400.00", "100.00"),
        ("2025-02-01", "A", "offset", "-400.00", "-400.00"),
    ]
    assert default_payer(story) == "A"
    story.close_through(MAR_31)
    assert story.invoices()[-1] == ("2025-03-01", "Due", "700.00")


def test_r_itm_06_planned_items_come_forward_to_the_agencys_next_invoice() -> None:
    """R-ITM-06: all that is open goes on one invoice, also installments that would be billed later."""
    story = policy(through=JAN_1)
    refer = command("refer_to_collection_agency", "policy", "P1", agency_account_id="AGENCY")
    commanded(story, refer, day=date(2025, 1, 10))
    standing = [row for row in payers(story) if row[1] == "AGENCY"]
    assert [row[0] for row in standing] == ["2025-02-01"] * 3


def test_r_itm_06_only_open_items_go_to_collection_agencies() -> None:
    """R-ITM-06: another kind of account, and an account that owes nothing, are refused."""
    story = policy({"amount": "1200.00"})
    commanded(
        story,
        command("refer_to_collection_agency", "account", "A", agency_account_id="AGENCY"),
        command("refer_to_collection_agency", "policy", "P1", agency_account_id="B"),
        command("refer_to_collection_agency", "account", "B", agency_account_id="NOBODY"),
    )
    assert story.quarantined() == [("C1", "E-NOTHING-OPEN"), ("C2", "E-AGENCY-TYPE"), ("C3", "E-PAYER-ACCOUNT")]


# Billing methods


def change_method(method: str, **params: object) -> Row:
    return command("change_billing_method", "policy", "P1", method=method, **params)


def period(story: Story, *columns: str) -> tuple[object, ...]:
    found: tuple[object, ...] = story.book["policy_periods"].select(columns).row(0)
    return found


def account_key(story: Story, account_id: str) -> int:
    found: int = story.book["accounts"].filter(pl.col("account_id") == account_id)["account_key"].item()
    return found


def stream_of(story: Story, account_id: str) -> int:
    streams = story.book["invoice_streams"].filter(pl.col("account_key") == account_key(story, account_id))
    found: int = streams["stream_key"].item()
    return found


def test_r_itm_28_list_bill_moves_all_items_and_takes_payments_back() -> None:
    """R-ITM-25, R-ITM-28, R-LB-12: the plan stays, so what was paid goes back to the owner's fund."""
    story = policy({"amount": "500.00"})
    commanded(story, change_method("list_bill", payer_account_id="LIST"))
    standing = [row for row in payers(story) if row[1] == "LIST"]
    assert standing == [
        ("2025-03-01", "LIST", "none", "400.00", "0.00"),
        ("2025-03-01", "LIST", "onset", "400.00", "0.00"),
        ("2025-03-01", "LIST", "onset", "400.00", "0.00"),
    ]
    assert funds(story) == {"A": "500.00"}
    assert period(story, "billing_method", "payer_account_key") == ("list_bill", account_key(story, "LIST"))
    assert default_payer(story) == "LIST"
    change = {"instruction_id": "I2", "instruction_type": "policy_change", "account_id": "A", "policy_id": "P1"}
    story.land(
        date(2025, 2, 11),
        billing_instructions=[change | {"effective_date": "2025-02-11"}],
        charges=[{"instruction_id": "I2", "charge_no": 1, "charge_pattern": "Tax", "amount": "30.00"}],
    ).close_through(date(2025, 2, 11))
    assert {payer for _, payer, *_ in payers(story, "Tax")} == {"LIST"}


def test_r_itm_28_payments_of_planned_items_may_stay() -> None:
    """R-ITM-28: with billed_and_due, what was paid of planned items goes with them."""
    story = policy({"amount": "900.00"})
    before = [row[4] for row in payers(story)]
    commanded(story, change_method("list_bill", payer_account_id="LIST", payments="billed_and_due"))
    assert before == ["400.00", "400.00", "100.00"]
    assert payers(story)[2] == ("2025-03-01", "LIST", "none", "400.00", "100.00")
    assert funds(story) == {"A": "800.00"}


def test_r_itm_28_another_plan_cuts_the_items_anew() -> None:
    """R-ITM-28, R-LB-17: two installments instead of three; payments are taken back and distributed again."""
    story = policy({"amount": "500.00"}, charges=({"charge_no": 2, "charge_pattern": "Tax", "amount": "30.00"},))
    other = {"instruction_id": "I9", "charge_no": 1, "charge_pattern": "Premium", "amount": "300.00"}
    story.land(
        FEB_10, billing_instructions=[issuance("I9", "P9", JAN_1, date(2026, 1, 1))], charges=[other]
    ).close_through(FEB_10)
    to_list = change_method("list_bill", payer_account_id="LIST", payment_plan="Y")
    commanded(story, to_list, day=date(2025, 2, 11))
    standing = [row[3] for row in payers(story) if row[1] == "LIST"]
    assert standing == ["600.00", "600.00"]
    assert period(story, "payment_plan") == ("Y",)
    # The owner's money pays what the owner still pays: the items of the other policy.
    assert [row[4] for row in payers(story) if row[1] == "A" and row[3] == "100.00"] == ["100.00"] * 3
    assert funds(story) == {"A": "200.00"}
    assert {row[1] for row in payers(story, "Tax") if row[2] != "offset" and row[4] == "0.00"} == {"LIST"}


def test_r_itm_27_direct_bill_gives_the_items_back_to_the_owner() -> None:
    """R-ITM-27: planned items by event date; billed ones at once with a catch-up invoice, else on the next one."""
    story = policy({"amount": "100.00"})
    commanded(story, change_method("list_bill", payer_account_id="LIST", catch_up=True))
    billed = [row for row in payers(story) if row[1] == "LIST"]
    assert [row[0] for row in billed] == ["2025-03-01", "2025-02-10", "2025-02-10"]
    back = change_method("direct_bill", catch_up=True)
    commanded(story, back | {"command_id": "BACK"}, day=date(2025, 2, 12))
    assert period(story, "billing_method", "payer_account_key", "stream_key") == ("direct_bill", 0, 0)
    standing = [row for row in payers(story) if row[1] == "A" and row[4] != row[3]]
    assert [(row[0], row[2]) for row in standing] == [
        ("2025-03-01", "none"),
        ("2025-02-12", "onset"),
        ("2025-02-12", "onset"),
    ]
    assert default_payer(story) == "A"
    assert story.quarantined() == []


def test_r_itm_27_payments_stay_with_the_items_or_are_taken_back() -> None:
    """R-ITM-27: the list bill account's money stays on what it paid, unless it is taken back into its fund."""
    for reverse, fund in ((False, {}), (True, {"LIST": "300.00"})):
        story = policy()
        commanded(story, change_method("list_bill", payer_account_id="LIST", catch_up=True))
        story.land(date(2025, 2, 11), payments=[{"payment_id": "M", "account_id": "LIST", "amount": "300.00"}])
        back = change_method("direct_bill", reverse_payments=reverse)
        commanded(story, back | {"command_id": "BACK"}, day=date(2025, 2, 12))
        assert funds(story) == fund
        paid = [row[4] for row in payers(story) if row[1] == "A" and row[2] == "onset"]
        assert paid == [["300.00", "0.00"], ["0.00", "0.00"]][reverse]


def test_changes_of_the_billing_method_that_cannot_be_are_refused() -> None:
    """R-ITM-26, R-LB-08, R-LB-09, R-BT-6: agency bill, the same method, and wrong payers, plans and streams."""
    story = policy()
    commanded(
        story,
        change_method("agency_bill"),
        change_method("direct_bill"),
        change_method("list_bill"),
        change_method("list_bill", payer_account_id="B"),
        change_method("list_bill", payer_account_id="LIST", payment_plan="Every Week"),
        change_method("list_bill", payer_account_id="LIST", payment_plan="Unheard of"),
        change_method("list_bill", payer_account_id="LIST", stream_id=str(stream_of(story, "A"))),
        change_method("list_bill", payer_account_id="LIST", term_number=7),
    )
    assert [code for _, code in story.quarantined()] == [
        "E-METHOD-AGENCY",
        "E-METHOD-SAME",
        "E-LIST-BILL-ACCOUNT",
        "E-LIST-BILL-ACCOUNT",
        "E-SCHEDULE-OFFER",
        "E-PLAN-UNKNOWN",
        "E-LIST-BILL-STREAM",
        "E-TERM-UNKNOWN",
    ]
    assert period(story, "billing_method") == ("direct_bill",)
