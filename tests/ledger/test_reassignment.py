"""Reassigning items on books made by hand: write-offs, charges without numbers, many items at once."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ledger import commands as command_families
from ledger.book import ITEMS_PER_CHARGE
from ledger.item_changes import append_items_to_charges
from ledger.payment_items import append_write_off_items, standing_write_off_items
from ledger.reassignment import reassign_items
from ledger.taking_back import change_paid
from tests.golden.test_04_invoicing import issuance, monthly
from tests.golden.test_04_payers import FEB_10, account_key, command, commanded, item_keys, policy, reassign
from tests.story import Story, plans

JAN_1 = date(2025, 1, 1)


@pytest.mark.parametrize(("reverse_payments", "written_off"), [("no", 30_00), ("yes", 0), ("only_for_non_planned", 0)])
def test_r_itm_16_write_offs_go_with_a_billed_item_or_are_taken_back(reverse_payments: str, written_off: int) -> None:
    """R-ITM-15, R-ITM-16: the onset is owed less what was written off, unless that is taken back."""
    story = policy()
    book = story.book.open_day()
    january = item_keys(story)[0]
    row = {"reason": "courtesy", "item_key": january, "charge_key": 1, "account_key": 1, "amount": 30_00}
    book = append_write_off_items(book, pl.DataFrame(row | {"transaction_key": 77}), FEB_10)
    book = change_paid(book, pl.DataFrame({"item_key": [january], "amount": [30_00]}), "written_off")
    wanted = pl.DataFrame(
        {
            "item_key": [january],
            "payer_account_key": [account_key(story, "B")],
            "reverse_payments": [reverse_payments],
            "is_catch_up": [False],
            "is_next": [False],
            "command_id": ["C"],
        }
    )
    effects = reassign_items(book, wanted, FEB_10, story.carrier)
    items = effects.book["invoice_items"].sort("item_key")
    assert items["written_off"].to_list() == [0, 0, 0, written_off, 0]
    assert items["paid"].to_list() == [400_00, 0, 0, 0, -400_00]
    standing = standing_write_off_items(effects.book, items["item_key"])
    assert standing.select("item_key", "amount", "transaction_key").rows() == [
        (items["item_key"][3], amount, 77) for amount in [written_off] if amount
    ]
    assert set(pl.concat(effects.events["item_events"])["command_id"]) == {"C"}


def full(story: Story) -> Story:
    """The story with a charge that has used up its item numbers but one."""
    charge = story.book["invoice_items"].filter(pl.col("charge_key") == 1)
    count = ITEMS_PER_CHARGE - 1 - charge.height - 1
    removed = charge.head(1).with_columns(amount=0, invoice_key=0, paid=0)
    story.book = append_items_to_charges(story.book.open_day(), pl.concat([removed] * count)).open_day()
    return story


def test_charges_that_cannot_number_more_items_are_refused() -> None:
    """R-ITM-14, R-ITM-41: an offset and an onset need two numbers, a new item and an offset as well."""
    story = full(policy())
    january, _, march = item_keys(story)[:3]
    on_march = {"item_id": str(march), "amount": "399.00"}
    new = {"event_date": "2025-04-01", "item_type": "onetime", "amount": "0.50"}
    commanded(
        story,
        reassign("B"),
        command("reassign_item_payer", "invoice_item", january, payer_account_id="B"),
        command("refer_to_collection_agency", "account", "A", agency_account_id="AGENCY"),
        command("change_billing_method", "policy", "P1", method="list_bill", payer_account_id="LIST"),
        command("change_billing_method", "policy", "P1", method="list_bill", payer_account_id="LIST", payment_plan="Y"),
        command("reverse_item_and_reallocate", "invoice_item", january, additions=[new | {"amount": "400.00"}]),
        command("modify_planned_items", "charge", "I1/1", changes=[on_march], additions=[new, new]),
    )
    assert [code for _, code in story.quarantined()] == ["E-ITEM-NUMBERS"] * 7
    assert story.book["invoice_items"].filter(pl.col("reversal_kind").cast(pl.String) != "none").is_empty()


def test_r_itm_21_many_charges_go_to_one_payer_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-ITM-21: the process of the command is called once, whatever the number of owners and charges."""
    count = 200
    story = Story(plans(monthly(maximum=3)))
    names = [f"{number:03}" for number in range(count)]
    story.land(
        JAN_1,
        accounts=[{"account_id": "BANK", "invoice_by": "account"}],
        billing_instructions=[
            issuance(f"I{name}", f"P{name}", JAN_1, date(2026, 1, 1), account_id=f"A{name}") for name in names
        ],
        charges=[
            {"instruction_id": f"I{name}", "charge_no": 1, "charge_pattern": "Premium", "amount": "300.00"}
            for name in names
        ],
    ).close_through(date(2025, 2, 9))
    calls = []
    process = command_families.PROCESSES["reassign_charge_payer"]

    def counted(*arguments: object) -> object:
        calls.append(arguments)
        return process(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(command_families, "PROCESSES", {"reassign_charge_payer": counted})
    rows = [
        {"command_id": name}
        | dict(command("reassign_charge_payer", "charge", f"I{name}/1", payer_account_id="BANK", catch_up=True))
        for name in names
    ]
    commanded(story, *rows)
    assert len(calls) == 1
    bank = account_key(story, "BANK")
    paid_by_bank = story.book["invoice_items"].filter(pl.col("account_key") == bank)
    assert paid_by_bank.height == 3 * count
    assert paid_by_bank["invoice_key"].n_unique() == 2
