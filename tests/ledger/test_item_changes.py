"""Changes of invoice items: more items, offsets, and payments and write-offs that move with them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ledger.balances import signed_amount
from ledger.book import Book
from ledger.chart import load_chart
from ledger.effects import Effects
from ledger.item_changes import (
    append_items_to_charges,
    item_numbers_left,
    items_with_status,
    move_payment_items,
    move_planned_items,
    move_write_off_items,
    offset_items,
)
from ledger.payment_items import (
    append_write_off_items,
    number_transactions,
    standing_payment_items,
    standing_write_off_items,
)
from ledger.posting import empty_transactions, post, transaction_frame
from ledger.taking_back import change_paid, take_back_payment_items
from tests.golden.test_04_invoicing import issued, monthly
from tests.story import Story

FEB_9 = date(2025, 2, 9)
FEB_10 = date(2025, 2, 10)


def three_installments(*payments: dict[str, object]) -> Story:
    """Installments of 400: January's is due, February's is billed, March's is planned."""
    story = issued(monthly(maximum=3))
    if payments:
        story.land(FEB_9, payments=[{"payment_id": f"M{n}"} | row for n, row in enumerate(payments, start=1)])
    return story.close_through(FEB_9)


def keys(book: Book) -> list[int]:
    found: list[int] = book["invoice_items"].sort("item_key")["item_key"].to_list()
    return found


def amounts(book: Book, *columns: str) -> list[tuple[object, ...]]:
    return book["invoice_items"].sort("item_key").select(columns).rows()


def posted(effects: Effects, day: date = FEB_10) -> dict[str, int]:
    """What the transactions leave in each T-account, debits positive."""
    journal = post(pl.concat([empty_transactions(), *effects.transactions]), day, load_chart())
    sums = journal.group_by("t_account_pattern").agg(signed_amount().sum().alias("sum"))
    return {str(name): value for name, value in sums.sort("t_account_pattern").rows() if value}


def test_items_know_the_status_of_their_invoice_and_whether_they_stand() -> None:
    story = three_installments()
    book = story.book.open_day()
    first, second, third = keys(book)
    items = items_with_status(book, pl.Series([third, first, second]), FEB_10, story.carrier)
    assert items.select("status", "is_standing").rows() == [("Due", True), ("Billed", True), ("Planned", True)]
    taken_back = offset_items(book, pl.Series([second]), FEB_10, story.carrier).book
    items = items_with_status(taken_back, pl.Series(keys(taken_back)), FEB_10, story.carrier)
    assert items["is_standing"].to_list() == [True, False, True, False]


def test_r_itm_14_an_offset_settles_what_it_takes_back_and_leaves_billed_and_due() -> None:
    """R-ITM-14, A-8, A-10: original and offset are closed; Due and Billed lose the amounts, Unbilled has them again."""
    story = three_installments()
    book = story.book.open_day()
    first, second, _ = keys(book)
    effects = offset_items(book, pl.Series([second, first]), FEB_10, story.carrier)
    assert amounts(effects.book, "amount", "paid") == [
        (400_00, 400_00),
        (400_00, 400_00),
        (400_00, 0),
        (-400_00, -400_00),
        (-400_00, -400_00),
    ]
    offsets = effects.book["invoice_items"].slice(3)
    assert offsets["related_item_key"].to_list() == [first, second]
    assert offsets["invoice_key"].to_list() == effects.book["invoice_items"]["invoice_key"].to_list()[:2]
    assert posted(effects) == {
        "<Charge Pattern> Unbilled": 800_00,
        "<Charge Pattern> Due": -400_00,
        "<Charge Pattern> Billed": -400_00,
    }
    settled = effects.book.added("payment_items")
    assert settled.select("item_key", "amount", "transaction_key").rows() == [
        (first, 400_00, 0),
        (offsets["item_key"][0], -400_00, 0),
        (second, 400_00, 0),
        (offsets["item_key"][1], -400_00, 0),
    ]
    events = pl.concat(effects.events["item_events"])
    assert events["event_type"].to_list() == ["Item Reversed"] * 2 + ["Item Created as Reversal"] * 2
    assert events["gross"].to_list() == [0, 0, -400_00, -400_00]


def test_r_itm_40_only_open_items_on_billed_or_due_invoices_get_an_offset() -> None:
    """R-ITM-40: planned items, paid ones and offsets themselves are a mistake of the caller."""
    story = three_installments({"account_id": "A", "amount": "100"})
    book = story.book.open_day()
    paid, billed, planned = keys(book)
    for key in (paid, planned):
        with pytest.raises(ValueError, match="cannot be offset"):
            offset_items(book, pl.Series([key]), FEB_10, story.carrier)
    book = offset_items(book, pl.Series([billed]), FEB_10, story.carrier).book
    for key in (billed, keys(book)[-1]):
        with pytest.raises(ValueError, match="cannot be offset"):
            offset_items(book, pl.Series([key]), FEB_10, story.carrier)


def test_offsets_of_nothing_are_nothing() -> None:
    book = three_installments().book
    assert offset_items(book, pl.Series([], dtype=pl.Int64), FEB_10, Story().carrier).book is book


def test_added_items_are_numbered_after_the_others_and_belong_to_the_charge() -> None:
    book = three_installments().book
    last = book["invoice_items"].sort("item_key").tail(1)
    more = pl.concat([last, last]).with_columns(amount=pl.Series([1, 2]))
    book = append_items_to_charges(
        book,
        more.select(
            "charge_key", "item_type", "installment_number", "event_date", "amount", "invoice_key", "account_key"
        ),
    )
    first_new = last["item_key"][0] + 1
    assert book["invoice_items"].tail(2).select("item_key", "amount", "paid", "priority").rows() == [
        (first_new, 1, 0, last["priority"][0]),
        (first_new + 1, 2, 0, last["priority"][0]),
    ]
    assert item_numbers_left(book, last["charge_key"])["numbers_left"].to_list() == [1023 - 5]


def test_r_itm_15_a_payment_moves_to_another_item_with_its_transaction() -> None:
    """R-ITM-15: nothing is posted; taken back later, the money is in the fund that it came from."""
    story = three_installments({"account_id": "A", "amount": "100"})
    book = story.book.open_day()
    paid, other, _ = keys(book)
    [part] = standing_payment_items(book, pl.Series([paid])).rows(named=True)
    moves = pl.DataFrame({"payment_item_key": [part["payment_item_key"]], "to_item_key": [other]})
    effects = move_payment_items(book, moves, FEB_10)
    assert effects.transactions == ()
    assert amounts(effects.book, "paid") == [(0,), (100_00,), (0,)]
    [now] = standing_payment_items(effects.book, pl.Series([paid, other])).rows(named=True)
    changed = {name for name in part if part[name] != now[name]}
    assert changed == {"payment_item_key", "item_key"}
    events = pl.concat(effects.events["item_events"])
    assert events.select("item_key", "event_type", "gross", "related_item_key").rows() == [
        (paid, "Payment Moved From Invoice Item", 100_00, other),
        (other, "Payment Moved To Invoice Item", -100_00, paid),
    ]
    back = take_back_payment_items(effects.book, standing_payment_items(effects.book, pl.Series([other])), FEB_10)
    assert back.transactions[0]["reverses_transaction_key"].to_list() == [part["transaction_key"]]
    assert back.book["funds"]["balance"].sum() == 100_00


def test_a_payment_of_today_that_moves_and_is_taken_back_names_its_transaction() -> None:
    """The transaction has no number before the day ends: moved twice and taken back, it is still the one that paid."""
    story = three_installments({"account_id": "A", "amount": "100"})
    book = story.book.open_day()
    paid, other, third = keys(book)
    # As if today had paid it: its row is one of today's, without a key.
    part = standing_payment_items(book, pl.Series([paid]))
    paying = transaction_frame(
        part.join(
            book["invoice_items"].select("item_key", "owner_type", "owner_key", "charge_pattern", "currency"),
            on="item_key",
        ),
        "ChargePaidFromAccount",
        transaction_date=FEB_10,
    )
    frames = {**book.frames, "payment_items": book["payment_items"].clear()}
    book = Book(frames, {**book.opened_at, "payment_items": 0})
    book = append(book, part)
    for to_item in (other, third):
        [key] = standing_payment_items(book, pl.Series([paid, other]))["payment_item_key"]
        moves = pl.DataFrame({"payment_item_key": [key], "to_item_key": [to_item]})
        book = move_payment_items(book, moves, FEB_10).book
    back = take_back_payment_items(book, standing_payment_items(book, pl.Series([third])), FEB_10)
    numbered, transactions = number_transactions(back.book, pl.concat([paying, *back.transactions]), FEB_10)
    first, moved_back, moved, again_back, again, taken_back = numbered["payment_items"]["transaction_key"].to_list()
    assert (moved_back, again_back) == (0, 0)
    assert first == moved == again == transactions["reverses_transaction_key"][1]
    assert taken_back == first + 1


def append(book: Book, part: pl.DataFrame) -> Book:
    from ledger.payment_items import append_payment_items

    return append_payment_items(book, part.drop("payment_item_key", "transaction_key"), FEB_10)


def test_r_itm_15_both_halves_of_a_credit_stay_side_by_side() -> None:
    """R-ITM-15: what a credit paid moves; credit and debt are still taken back together."""
    first = ('context = "other", method = "proportional"', 'context = "other", method = "first_to_last"')
    story = issued(monthly(maximum=3), carrier_changes=(first,))
    change = {
        "instruction_id": "C1",
        "instruction_type": "policy_change",
        "account_id": "A",
        "policy_id": "P1",
        "effective_date": date(2025, 1, 2),
    }
    credit = {"instruction_id": "C1", "charge_no": 1, "charge_pattern": "Tax", "amount": "-50.00"}
    story.land(date(2025, 1, 2), billing_instructions=[change], charges=[credit])
    story.close_through(FEB_9)
    book = story.book.open_day()
    used = book["payment_items"].filter(pl.col("credit_item_key") > 0).sort("payment_item_key")
    assert used["amount"].to_list() == [-50_00, 50_00]
    debt, other = used["item_key"][1], keys(book)[2]
    moves = pl.DataFrame({"payment_item_key": [used["payment_item_key"][1]], "to_item_key": [other]})
    moved = move_payment_items(book, moves, FEB_10).book
    halves = standing_payment_items(moved, pl.Series(keys(moved)))
    assert halves.select("item_key", "amount", "credit_item_key").rows() == [
        (used["item_key"][0], -50_00, used["item_key"][0]),
        (other, 50_00, used["item_key"][0]),
    ]
    paid = dict(moved["invoice_items"].select("item_key", "paid").rows())
    assert (paid[debt], paid[other], paid[used["item_key"][0]]) == (0, 50_00, -50_00)
    back = take_back_payment_items(moved, halves.tail(1), FEB_10)
    assert back.book["invoice_items"]["paid"].to_list() == [0, 0, 0, 0]
    assert set(back.transactions[0]["reverses_transaction_key"]) == set(used["transaction_key"])


def test_r_itm_15_a_write_off_moves_to_another_item() -> None:
    """R-ITM-15: the amount is no longer expected of the other item instead; nothing is posted."""
    story = three_installments()
    book = story.book.open_day()
    first, second, _ = keys(book)
    row = {"reason": "courtesy", "item_key": first, "charge_key": 1, "account_key": 1, "amount": 30_00}
    book = append_write_off_items(book, pl.DataFrame(row | {"transaction_key": 77}), FEB_10)
    book = change_paid(book, pl.DataFrame({"item_key": [first], "amount": [30_00]}), "written_off")
    [key] = standing_write_off_items(book, pl.Series([first]))["write_off_item_key"]
    effects = move_write_off_items(book, pl.DataFrame({"write_off_item_key": [key], "to_item_key": [second]}), FEB_10)
    assert amounts(effects.book, "written_off") == [(0,), (30_00,), (0,)]
    [now] = standing_write_off_items(effects.book, pl.Series([first, second])).rows(named=True)
    assert (now["item_key"], now["transaction_key"], now["amount"]) == (second, 77, 30_00)


def test_r_itm_47_planned_items_move_and_an_invoice_left_empty_is_deleted() -> None:
    """R-ITM-47, R-ITM-22: the item is on the other invoice, nothing else changes."""
    story = issued(monthly(maximum=4)).close_through(FEB_9)
    book = story.book.open_day()
    third, fourth = keys(book)[2:]
    target, left = book["invoice_items"].sort("item_key")["invoice_key"].to_list()[2:]
    moved = move_planned_items(book, pl.DataFrame({"item_key": [fourth], "invoice_key": [target]}), FEB_10)
    assert (
        moved["invoice_items"].filter(pl.col("item_key").is_in([third, fourth]))["invoice_key"].to_list()
        == [target] * 2
    )
    outcomes = dict(moved["invoices"].select("invoice_key", "outcome").rows())
    assert (outcomes[left], outcomes[target]) == ("deleted", None)
