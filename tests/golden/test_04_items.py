"""Invoice items changed by people: reversed and allocated anew, moved, redistributed (E-ITM-08, E-ITM-09, E-ITM-11)."""

from __future__ import annotations

from datetime import date

import polars as pl

from tests.golden.test_04_invoicing import issuance, issued, monthly
from tests.golden.test_04_payers import (
    EACH_MONTH_1ST,
    FEB_9,
    FEB_10,
    MAR_31,
    command,
    commanded,
    funds,
    happened,
    item_keys,
    payers,
    policy,
)
from tests.story import Row, Story, plans

JAN_1 = date(2025, 1, 1)


def reverse(item: int, *additions: Row) -> Row:
    return command("reverse_item_and_reallocate", "invoice_item", item, additions=list(additions))


def to_item(item: int, amount: str) -> Row:
    return {"item_id": str(item), "amount": amount}


def new_item(event_date: str, amount: str, item_type: str = "onetime") -> Row:
    return {"event_date": event_date, "item_type": item_type, "amount": amount}


def modify(**params: object) -> Row:
    return command("modify_planned_items", "charge", "I1/1", **params)


def amounts(story: Story, pattern: str = "Premium") -> list[tuple[str, str]]:
    """Bill date and amount of the items of a charge pattern, in order; removed ones are on no date."""
    return [(bill_date, amount) for bill_date, _, _, amount, _ in payers(story, pattern)]


def receivables(story: Story) -> tuple[str, ...]:
    names = ("Unbilled", "Billed", "Due")
    return tuple(story.balance(f"<Charge Pattern> {name}", "Premium") for name in names)


def test_e_itm_08_a_billed_item_is_reversed_and_allocated_anew() -> None:
    """E-ITM-08, R-ITM-40, R-ITM-41, A-8: offset -53.00 on the same invoice, 53.00 to existing and new planned items."""
    story = issued(monthly(maximum=3), amount="159.00").close_through(FEB_9)
    _, february, march = item_keys(story)
    commanded(story, reverse(february, to_item(march, "30.00"), new_item("2025-03-15", "23.00")))
    assert amounts(story) == [
        ("2025-01-01", "53.00"),
        ("2025-02-01", "53.00"),
        ("2025-03-01", "83.00"),
        ("2025-02-01", "-53.00"),
        ("2025-04-01", "23.00"),
    ]
    assert receivables(story) == ("106.00", "0.00", "53.00")
    assert story.balance("<Charge Pattern> Unearned", "Premium") != "0.00"
    assert happened(story, march) == [("Item Gross Amount Changed", 30_00)]
    assert happened(story, february) == [("Item Reversed", 0)]
    story.close_through(date(2025, 4, 30))
    assert receivables(story) == ("0.00", "0.00", "159.00")


def test_e_itm_08_a_due_item_leaves_due_for_unbilled() -> None:
    """E-ITM-08, A-8: an item on a due invoice is taken back from Due through Billed."""
    story = issued(monthly(maximum=3), amount="159.00").close_through(FEB_9)
    january, _, march = item_keys(story)
    commanded(story, reverse(january, to_item(march, "53.00")))
    assert receivables(story) == ("106.00", "53.00", "0.00")


def test_e_itm_08_another_amount_is_refused() -> None:
    """E-ITM-08, R-ITM-41, R-CI-06: less, more or nothing at all is refused as a whole."""
    story = issued(monthly(maximum=3), amount="159.00").close_through(FEB_9)
    before = amounts(story)
    _, february, march = item_keys(story)
    commanded(
        story,
        reverse(february, to_item(march, "52.99")),
        reverse(february, to_item(march, "53.00"), new_item("2025-03-15", "0.01")),
        reverse(february),
    )
    assert [code for _, code in story.quarantined()] == ["E-ITEM-UNALLOCATED"] * 3
    assert amounts(story) == before


def test_e_itm_09_pay_less_of_february_and_more_in_march() -> None:
    """E-ITM-09: a part of the February invoice goes to March; February owes less, March more, the sum stays."""
    story = Story(plans(monthly(maximum=3)))
    story.land(
        JAN_1,
        accounts=[{"account_id": "A", **EACH_MONTH_1ST}],
        billing_instructions=[issuance("I1", "P1", JAN_1, date(2026, 1, 1))],
        charges=[
            {"instruction_id": "I1", "charge_no": number, "charge_pattern": "Premium", "amount": amount}
            for number, amount in enumerate(("180.00", "120.00"), start=1)
        ],
    ).close_through(FEB_9)
    assert [amount for _, _, amount in story.invoices()] == ["100.00"] * 3
    february, march = item_keys(story)[4:6]
    commanded(story, reverse(february, to_item(march, "40.00")))
    assert [amount for _, _, amount in story.invoices()] == ["100.00", "60.00", "140.00"]


def test_r_itm_40_what_was_paid_of_a_reversed_item_is_in_the_fund_again() -> None:
    """R-ITM-40: nothing stays paid of an item that its offset settles."""
    story = policy({"amount": "500.00"})
    _, february, march = item_keys(story)
    commanded(story, reverse(february, to_item(march, "400.00")))
    assert funds(story) == {"A": "100.00"}
    assert [row[4] for row in payers(story)] == ["400.00", "400.00", "0.00", "-400.00"]


def test_r_itm_40_planned_items_and_offsets_cannot_be_reversed() -> None:
    """R-ITM-40: only standing items on billed or due invoices can."""
    story = policy()
    _, february, march = item_keys(story)
    commanded(story, reverse(march, to_item(march, "400.00")), reverse(february, to_item(march, "400.00")))
    offset = item_keys(story)[3]
    again = [
        reverse(key, to_item(march, amount)) | {"command_id": f"X{number}"}
        for number, (key, amount) in enumerate(((february, "400.00"), (offset, "-400.00")))
    ]
    commanded(story, *again, day=date(2025, 2, 11))
    assert story.quarantined() == [(name, "E-ITEM-NOT-BILLED") for name in ("C1", "X0", "X1")]


def test_r_itm_41_several_items_may_be_allocated_to_one() -> None:
    """R-ITM-41: two commands of one day add to the same planned item; both are carried out."""
    story = policy()
    january, february, march = item_keys(story)
    commanded(story, reverse(january, to_item(march, "400.00")), reverse(february, to_item(march, "400.00")))
    assert amounts(story)[2] == ("2025-03-01", "1200.00")
    assert story.quarantined() == []


def test_r_itm_42_new_items_need_date_and_type() -> None:
    """R-ITM-42: what lacks them, an amount of nothing, and unreadable amounts are refused."""
    story = policy()
    _, february, march = item_keys(story)
    commanded(
        story,
        reverse(february, {"event_date": "2025-03-15", "amount": "400.00"}),
        reverse(february, {"item_type": "onetime", "amount": "400.00"}),
        reverse(february, to_item(march, "400.00"), to_item(item_keys(story)[2], "0.00")),
        reverse(february, to_item(march, "399.999"), new_item("2025-03-15", "0.001")),
        reverse(february, {"item_id": str(march)}),
        reverse(february, to_item(march, "400.00"), new_item("2025-03-15", "0.00")),
        reverse(february, to_item(99, "400.00")),
        reverse(february, to_item(item_keys(story)[0], "400.00")),
    )
    assert [code for _, code in story.quarantined()] == [
        "E-ITEM-ADDITION",
        "E-ITEM-ADDITION",
        "E-ITEM-OF-CHARGE",
        "E-AMOUNT-UNREADABLE",
        "E-AMOUNT-UNREADABLE",
        "E-ITEM-ADDITION",
        "E-ITEM-OF-CHARGE",
        "E-ITEM-NOT-PLANNED",
    ]


# Planned items


def test_r_itm_43_planned_amounts_are_redistributed_split_and_removed() -> None:
    """R-ITM-43, R-ITM-47: from one item to another, to new ones, or all of it; an invoice left empty is deleted."""
    story = policy(through=JAN_1)
    _, february, march = item_keys(story)
    modified = modify(
        changes=[{"item_id": str(february), "amount": "100.00"}],
        additions=[new_item("2025-02-20", "250.00", "installment"), new_item("2025-04-01", "450.00")],
        removals=[str(march)],
    )
    commanded(story, modified, day=date(2025, 1, 10))
    assert story.quarantined() == []
    assert amounts(story) == [
        ("2025-01-01", "400.00"),
        ("2025-02-01", "100.00"),
        (None, "0.00"),
        ("2025-03-01", "250.00"),
        ("2025-04-01", "450.00"),
    ]
    assert story.items()["installment_number"].to_list() == [1, 2, 3, 3, 0]
    assert happened(story, february) == [("Item Gross Amount Changed", -300_00)]
    assert happened(story, march) == [("Item Gross Amount Changed", -400_00)]
    assert (
        story.journal()
        .filter(pl.col("business_date") == date(2025, 1, 10))
        .filter(pl.col("t_account_pattern").cast(pl.String) == "<Charge Pattern> Unbilled")
        .is_empty()
    )
    story.close_through(date(2025, 4, 30))
    assert receivables(story) == ("0.00", "0.00", "1200.00")


def test_r_itm_47_an_invoice_left_empty_by_a_removal_is_deleted() -> None:
    """R-ITM-43, R-ITM-47: an amount of 0 removes an item like a removal does."""
    story = policy(through=JAN_1)
    _, february, march = item_keys(story)
    changes = [{"item_id": str(march), "amount": "0.00"}, {"item_id": str(february), "amount": "800"}]
    commanded(story, modify(changes=changes), day=date(2025, 1, 10))
    outcomes = story.book["invoices"].sort("bill_date").select(pl.col("outcome").cast(pl.String))
    assert outcomes.to_series().to_list() == [None, None, "deleted"]
    assert [row for row in story.invoices() if row[2] != "0.00"] == [
        ("2025-01-01", "Billed", "400.00"),
        ("2025-02-01", "Planned", "800.00"),
    ]


def test_r_itm_43_unallocated_amounts_are_refused() -> None:
    """R-ITM-43, R-CI-06: a command that leaves something unallocated, or that changes nothing, is refused whole."""
    story = policy(through=JAN_1)
    before = amounts(story)
    january, february, march = item_keys(story)
    change = {"item_id": str(february), "amount": "100.00"}
    commanded(
        story,
        modify(changes=[change]),
        modify(removals=[str(march)]),
        modify(),
        modify(changes=[change, change]),
        modify(changes=[change], removals=[str(february)]),
        modify(changes=[{"item_id": str(january), "amount": "100.00"}, {"item_id": str(march), "amount": "700.00"}]),
        modify(changes=[{"item_id": "77", "amount": "100.00"}]),
        day=date(2025, 1, 10),
    )
    assert [code for _, code in story.quarantined()] == [
        "E-ITEM-UNALLOCATED",
        "E-ITEM-UNALLOCATED",
        "E-ITEM-NO-CHANGE",
        "E-ITEM-OF-CHARGE",
        "E-ITEM-OF-CHARGE",
        "E-ITEM-NOT-PLANNED",
        "E-ITEM-OF-CHARGE",
    ]
    assert amounts(story) == before


def test_r_itm_44_an_item_keeps_what_is_paid_of_it() -> None:
    """R-ITM-44: less than what is paid is refused, exactly as much is not."""
    story = policy({"amount": "900.00"})
    march = item_keys(story)[2]
    rest = new_item("2025-03-01", "300.01")
    commanded(
        story,
        modify(changes=[{"item_id": str(march), "amount": "99.99"}], additions=[rest]),
        modify(changes=[{"item_id": str(march), "amount": "100.00"}], additions=[rest | {"amount": "300"}]),
    )
    assert story.quarantined() == [("C1", "E-ITEM-PAID")]
    assert amounts(story)[2:] == [("2025-03-01", "100.00"), ("2025-03-01", "300.00")]


def test_r_itm_42_new_items_are_paid_by_the_default_payer() -> None:
    """R-ITM-04, R-ITM-42: they go on the invoices of the payer that the charge has now."""
    story = policy()
    march = item_keys(story)[2]
    default = command("set_charge_default_payer", "charge", "I1/1", payer_account_id="B") | {"sequence": 1}
    split = modify(changes=[{"item_id": str(march), "amount": "150.00"}], additions=[new_item("2025-03-01", "250.00")])
    commanded(story, default, split | {"sequence": 2})
    assert [(row[1], row[3]) for row in payers(story)[2:]] == [("A", "150.00"), ("B", "250.00")]


def test_commands_with_an_equity_warning_are_warned_or_refused() -> None:
    """R-EQT-14, R-EQT-16: later installments leave the policy short of equity; the command says what becomes of it."""
    story = policy(through=JAN_1)
    keys = item_keys(story)
    for number, word in enumerate(("reject", "warn")):
        changes = [{"item_id": str(keys[1]), "amount": "1.00"}]
        later = new_item("2025-12-01", "399.00")
        changed = modify(changes=changes, additions=[later], on_equity_violation=word)
        day = date(2025, 1, 10 + number)
        commanded(story, changed | {"command_id": word}, day=day)
    assert story.quarantined() == [("reject", "E-EQUITY-VIOLATION")]
    assert story.events("equity_warnings")["command_id"].to_list() == ["reject", "warn"]
    assert ("2025-12-01", "399.00") in amounts(story)


def move(item: int, invoice: object) -> Row:
    return command("move_invoice_item", "invoice_item", item, invoice_id=str(invoice))


def invoice_on(story: Story, bill_date: date) -> int:
    found: int = story.book["invoices"].filter(pl.col("bill_date") == bill_date)["invoice_key"].item()
    return found


def test_r_itm_45_a_planned_item_moves_to_another_invoice_of_its_payer() -> None:
    """R-ITM-45, R-ITM-46, R-ITM-47, A-11: at once, nothing is posted, the empty invoice is deleted."""
    story = policy(through=JAN_1)
    _, february, march = item_keys(story)
    posted = story.journal().filter(pl.col("transaction_type") != "ProRataChargeEarned").height
    commanded(story, move(march, invoice_on(story, date(2025, 2, 1))), day=date(2025, 1, 10))
    assert amounts(story)[1:] == [("2025-02-01", "400.00")] * 2
    assert story.book["invoices"].filter(pl.col("outcome") == "deleted")["bill_date"].to_list() == [date(2025, 3, 1)]
    assert happened(story, march) == [("Item Moved to a New Instance", 0)]
    assert happened(story, february) == []
    posted_since = story.journal().filter(pl.col("transaction_type") != "ProRataChargeEarned")
    assert posted_since.filter(pl.col("transaction_type").cast(pl.String) != "ChargeDue").height == posted
    story.close_through(MAR_31)
    assert receivables(story) == ("0.00", "0.00", "1200.00")


def test_r_itm_45_ad_hoc_invoices_may_be_moved_to() -> None:
    """R-ITM-45, R-INV-20: an explicit move may name one."""
    story = policy(through=JAN_1)
    stream = story.book["invoice_streams"].filter(pl.col("account_key") == 1)["stream_key"].item()
    params: dict[str, object] = {"is_ad_hoc": True, "bill_date": "2025-01-20", "due_date": "2025-01-30"}
    commanded(story, command("create_invoice", "invoice_stream", stream, **params), day=date(2025, 1, 10))
    to_ad_hoc = move(item_keys(story)[2], invoice_on(story, date(2025, 1, 20)))
    commanded(story, to_ad_hoc | {"command_id": "MOVE"}, day=date(2025, 1, 11))
    assert amounts(story)[2] == ("2025-01-20", "400.00")


def test_r_itm_45_other_moves_are_refused() -> None:
    """R-ITM-45: billed items stay; the invoice is planned, another one, and of the same payer."""
    story = policy()
    january, february, march = item_keys(story)
    commanded(story, command("reassign_item_payer", "invoice_item", january, payer_account_id="B"))
    of_b = story.items().filter(pl.col("account_key") != 1)["invoice_key"].item()
    own = story.items().filter(pl.col("item_key") == march)["invoice_key"].item()
    wrong = [
        move(february, own),
        move(march, invoice_on(story, date(2025, 2, 1))),
        move(march, own),
        move(march, 77),
        move(march, "next"),
        move(march, of_b),
    ]
    named = [row | {"command_id": f"X{number}"} for number, row in enumerate(wrong)]
    commanded(story, *named, day=date(2025, 2, 11))
    assert [code for _, code in story.quarantined()] == [
        "E-ITEM-NOT-PLANNED",
        "E-INVOICE-NOT-PLANNED",
        "E-INVOICE-NOT-PLANNED",
        "E-INVOICE-NOT-PLANNED",
        "E-INVOICE-NOT-PLANNED",
        "E-INVOICE-PAYER",
    ]


def test_e_itm_11_a_late_policy_has_several_installments_on_its_first_invoice() -> None:
    """E-ITM-11, R-CI-48: what is past lands on the first planned invoice, the rest one by one."""
    story = issued(monthly(maximum=4), received=date(2025, 2, 15), amount="400.00")
    assert amounts(story) == [("2025-03-01", "100.00")] * 3 + [("2025-04-01", "100.00")]


def test_r_itm_49_commands_about_items_look_at_their_own_policy() -> None:
    """R-ITM-49: other policies on the same invoices raise no warning."""
    story = policy(through=JAN_1, owner=EACH_MONTH_1ST)
    story.land(
        date(2025, 1, 2),
        billing_instructions=[issuance("I2", "P2", date(2025, 1, 2), date(2026, 1, 2))],
        charges=[{"instruction_id": "I2", "charge_no": 1, "charge_pattern": "Premium", "amount": "30.00"}],
    ).close_through(FEB_9)
    march = item_keys(story)[2]
    later = modify(changes=[{"item_id": str(march), "amount": "1.00"}], additions=[new_item("2025-12-01", "399.00")])
    commanded(story, later, day=FEB_10)
    assert set(story.events("equity_warnings")["period_key"]) == {1}
