"""Payment schedules: a policy period gets another payment plan, and its items are cut anew (R-PS-5..11, R-CI-01 b).

What is processed is chosen item by item; what its charges had on those items is sliced again by the new plan, with the
functions that slice a new charge, and placed on planned invoices. Planned items are removed, items that are billed or
due are taken back by an offset on their own invoice. Per charge the new items sum to those that they replace (R-PS-9).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.book import ITEMS_PER_CHARGE, Book
from ledger.calendar import INTERVAL_FRAME, BusinessCalendar
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.invoices import delete_empty_invoices
from ledger.invoicing import append_items
from ledger.item_changes import item_events, item_numbers_left, items_with_status, offset_items
from ledger.list_bill import without_stream
from ledger.payment_items import standing_payment_items, standing_write_off_items
from ledger.payments import distribute_funds
from ledger.placement import place_items
from ledger.segments import run_cum_sum, run_sum
from ledger.slicing import candidate_items, settle_items
from ledger.streams import find_or_create_streams
from ledger.taking_back import take_back_payment_items, take_back_write_off_items
from ledger.terms import with_terms
from schemas import enums

ITEMS_TO_PROCESS = ("all_items", "planned_items", "not_fully_paid_items")
"""Which items of a policy period a change of plan processes (R-PS-5)."""
PAYMENTS_ON_THEM = ("reverse_and_redistribute", "reverse_only")
"""What becomes of the payments on the items that are processed (R-PS-7)."""
_OTHER_CONTEXT = "general"
_CAN_BE_PROCESSED = ("Planned", "Billed", "Due")


def change_schedules(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give policy periods another payment plan and cut what is chosen of their charges into items by it.

    requests: period_key (each once), payment_plan (a plan of the carrier), items (ITEMS_TO_PROCESS),
    include_down_payment (whether down payments are processed too; with all_items they are), payments
    (PAYMENTS_ON_THEM), and command_id (text or null) where a command asks for it.

    Payments, credits and write-offs on the items are taken back, on planned ones as well; reverse_and_redistribute then
    applies all the money in the funds of the payers concerned, as a distribution of funds does. New items are paid by
    the current default payer of their charge. A stream of the new plan's periodicity that the policy has is used, else
    one is created. Modifiers of an instruction end with the plan that they changed. A down payment of the new plan is a
    percentage of what is processed.

    Charges that billing itself raised, and charges that are reversed or reverse another, follow no plan: their items
    stay, as do items on invoices that ended without being billed. The caller has refused requests without a known plan
    and those in `periods_short_of_item_numbers`. Rules: R-PS-5..7, R-PS-9..11, R-PP-16, R-CI-01, R-INV-24, R-INV-33,
    R-ITM-04.
    """
    if requests.is_empty():
        return Effects(book)
    requests = _with_command_id(requests).sort("period_key")
    items = items_to_process(book, requests, day, carrier)
    keys = items["item_key"]
    effects = take_back_all(set_payment_plans(book, requests, carrier), keys, day)
    taken_back = effects.book.added("payment_items").slice(book.added("payment_items").height)
    effects = effects.then(_remove_planned_items(effects.book, items.filter(pl.col("status") == "Planned")))
    billed = items.filter(pl.col("status") != "Planned")["item_key"]
    effects = effects.then(offset_items(effects.book, billed, day, carrier, items))
    effects = effects.then(_slice_again(effects.book, requests, items, day, carrier))
    effects = effects.with_book(delete_empty_invoices(effects.book, items["invoice_key"], day))
    redistributed = requests.filter(pl.col("payments") == "reverse_and_redistribute")["period_key"]
    chosen = items.filter(pl.col("period_key").is_in(redistributed.implode()))
    return effects.then(redistribute(effects.book, taken_back.join(chosen, on="item_key", how="semi"), day, carrier))


def items_to_process(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """The items that a change of schedule processes, by key, with their `status` and the request's command_id.

    Chosen: all; those on planned invoices; or those of which something is still open. Down payments are chosen with all
    items, or when the request includes them, whether they are billed or not (R-PS-6).
    """
    charges = plan_charges(book, requests["period_key"])
    items = items_of_charges(book, charges["charge_key"], day, carrier)
    words = requests.select("period_key", "items", "include_down_payment", "command_id")
    items = items.join(words, on="period_key", how="left", maintain_order="left")
    is_chosen = (
        pl.when(pl.col("item_type").cast(pl.String) == "deposit")
        .then(pl.col("include_down_payment"))
        .when(pl.col("items") == "planned_items")
        .then(pl.col("status") == "Planned")
        .otherwise(pl.col("amount") != pl.col("paid") + pl.col("written_off"))
    )
    return items.filter((pl.col("items") == "all_items") | is_chosen)


def plan_charges(book: Book, period_keys: pl.Series) -> pl.DataFrame:
    """The charges of these policy periods that their payment plan cuts into items.

    Not those that billing raised itself (R-PP-9), nor those that are reversed or reverse another (R-CR-5).
    """
    charges = book["charges"].filter(pl.col("period_key").is_in(period_keys.implode()))
    reversed_ones = charges.filter(pl.col("reverses_charge_key") > 0)["reverses_charge_key"]
    is_reversed = pl.col("charge_key").is_in(reversed_ones.implode())
    return charges.filter((pl.col("instruction_key") > 0) & (pl.col("reverses_charge_key") == 0) & ~is_reversed)


def items_of_charges(book: Book, charge_keys: pl.Series, day: date, carrier: Carrier) -> pl.DataFrame:
    """The items of these charges that stand, on planned, billed and due invoices, with the `status` of their invoice.

    No offsets, none that an offset took back, none that was removed, and none on an invoice that ended unbilled.
    """
    items = book["invoice_items"].filter(pl.col("charge_key").is_in(charge_keys.implode()))
    items = items_with_status(book, items["item_key"], day, carrier)
    return items.filter(pl.col("is_standing") & pl.col("status").is_in(_CAN_BE_PROCESSED))


def set_payment_plans(book: Book, requests: pl.DataFrame, carrier: Carrier) -> Book:
    """Policy periods get the payment plan of their request; their equity settings stay (R-EQT-18).

    In: period_key, payment_plan. A period that named a stream of its payer names none any more when the plan needs
    another periodicity (R-LB-09).
    """
    rows = book["policy_periods"].select("period_key", "stream_key").with_row_index("row")
    rows = rows.join(requests.select("period_key", "payment_plan"), on="period_key", how="inner", maintain_order="left")
    plans = carrier.payment_plan_frame().select("payment_plan", "payment_interval")
    plans = plans.join(INTERVAL_FRAME, on="payment_interval", how="left").select("payment_plan", wanted="periodicity")
    streams = book["invoice_streams"].select("stream_key", pl.col("periodicity").cast(pl.String))
    rows = rows.join(plans, on="payment_plan", how="left", maintain_order="left")
    rows = rows.join(streams, on="stream_key", how="left", maintain_order="left")
    fits = (pl.col("periodicity") == pl.col("wanted")).fill_null(value=False)
    rows = rows.with_columns(stream_key=pl.when(fits).then("stream_key").otherwise(0))
    values = {"payment_plan": rows["payment_plan"], "stream_key": rows["stream_key"]}
    return book.update("policy_periods", rows["row"], values)


def take_back_all(book: Book, item_keys: pl.Series, day: date) -> Effects:
    """Take back the payments, credits and write-offs on these items (R-PS-7, R-ITM-16)."""
    effects = take_back_payment_items(book, standing_payment_items(book, item_keys), day)
    written_off = standing_write_off_items(effects.book, item_keys)
    return effects.then(take_back_write_off_items(effects.book, written_off, day))


def redistribute(book: Book, taken_back: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Apply the money in the funds of the payers of payment items that were taken back (R-PS-7, R-LB-17).

    It is applied before invoices are billed today.
    """
    if taken_back.is_empty():
        return Effects(book)
    yesterday = day - timedelta(days=1)
    payers = taken_back["account_key"].unique().sort()
    done = distribute_funds(book, payers, day, carrier, billed_through=yesterday, due_through=yesterday)
    return Effects(done.book, (done.transactions,))


def _with_command_id(requests: pl.DataFrame) -> pl.DataFrame:
    if "command_id" in requests.columns:
        return requests
    return requests.with_columns(command_id=pl.lit(None, pl.String))


def _remove_planned_items(book: Book, items: pl.DataFrame) -> Effects:
    """Planned items are removed: nothing is left on them, and they are on no invoice."""
    if items.is_empty():
        return Effects(book)
    rows = book["invoice_items"].select("item_key").with_row_index("row")
    rows = rows.filter(pl.col("item_key").is_in(items["item_key"].implode()))
    nothing = pl.Series([0], dtype=pl.Int64).new_from_index(0, rows.height)
    book = book.update("invoice_items", rows["row"], {"amount": nothing, "invoice_key": nothing})
    removed = items.sort("item_key").with_columns(gross=-pl.col("amount"), invoice_key=pl.lit(0, pl.Int64))
    return Effects(book).recording(item_events=item_events(removed, "Item Reversed"))


def _slice_again(book: Book, requests: pl.DataFrame, items: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Cut what the charges had on these items into new ones, and place them on planned invoices."""
    totals = items.group_by("charge_key").agg(total=pl.col("amount").sum())
    charges = book["charges"].filter(pl.col("charge_key").is_in(totals["charge_key"].implode())).sort("charge_key")
    if charges.is_empty():
        return Effects(book)
    charges = _with_new_plan(book, charges, requests)
    charges = charges.join(totals, on="charge_key", how="left", maintain_order="left")
    terms = with_terms(book, charges.with_columns(amount="total"), carrier)
    is_whole = pl.col("items") == "all_items"
    terms = terms.with_columns(
        has_down_payment=pl.col("has_down_payment") & (is_whole | pl.col("include_down_payment")),
        keeps_past_dates=is_whole,
    )
    book, terms = find_or_create_streams(book, terms, carrier)
    candidates = _dates_ahead(candidate_items(terms), terms, day)
    if candidates.is_empty():
        return Effects(book)
    placed = place_items(book, terms, candidates, day, BusinessCalendar(carrier.business_days, carrier.holidays))
    sliced = settle_items(terms, placed, carrier.installment_remainder)
    taken = _numbers_taken(book, charges["charge_key"], day, carrier)
    sliced = sliced.join(taken, on="charge_key", how="left", maintain_order="left")
    is_installment = pl.col("installment_number") > 0
    sliced = sliced.with_columns(
        pl.col("item_no") + pl.col("last_item_no"),
        installment_number=pl.when(is_installment)
        .then(pl.col("installment_number") + pl.col("last_installment"))
        .otherwise("installment_number"),
    )
    before = book["invoice_items"].height
    book = append_items(book, terms, sliced.drop("last_item_no", "last_installment"))
    created = book["invoice_items"].slice(before).with_columns(gross="amount")
    asked = charges.select("charge_key", "command_id")
    created = created.join(asked, on="charge_key", how="left", maintain_order="left")
    return Effects(book).recording(item_events=item_events(created, "Item Created by Payment Plan Refactor"))


def _with_new_plan(book: Book, charges: pl.DataFrame, requests: pl.DataFrame) -> pl.DataFrame:
    """Charges with the plan of their request, without modifiers, and the instruction type whose overrides apply.

    That is the type of their instruction; a policy change from the first day of an issued period counts as part of
    the issuance (R-CI-56, R-PO-9).
    """
    keys = requests["period_key"].implode()
    issued = book["instructions"].filter(
        pl.col("period_key").is_in(keys) & (pl.col("instruction_type").cast(pl.String) == "issuance")
    )
    starts = book["policy_periods"].filter(pl.col("period_key").is_in(issued["period_key"].implode()))
    starts = starts.select("period_key", issued_from="effective_date")
    plans = requests.select("period_key", "items", "include_down_payment", "command_id", plan_name="payment_plan")
    context = pl.col("context")
    is_part_of_issuance = (context == "policy_change") & (pl.col("effective_date") == pl.col("issued_from"))
    return (
        charges.join(plans, on="period_key", how="left", maintain_order="left")
        .join(starts, on="period_key", how="left", maintain_order="left")
        .with_columns(
            plan_context=pl.when(is_part_of_issuance)
            .then(pl.lit("issuance"))
            .when(context.is_in(list(enums.INSTRUCTION_TYPES)))
            .then(context)
            .otherwise(pl.lit(_OTHER_CONTEXT)),
            modified_down_payment_ppm=pl.lit(None, pl.Int64),
            modified_max_installments=pl.lit(None, pl.Int64),
        )
        .drop("issued_from")
    )


def _dates_ahead(candidates: pl.DataFrame, terms: pl.DataFrame, day: date) -> pl.DataFrame:
    """Installments whose date is not over, numbered anew; the last one, dated today, where all are over (R-PS-11).

    Charges of which all items are processed keep all dates; down payments and single items keep theirs.
    """
    keeps = terms.select("charge_key", "keeps_past_dates")
    candidates = candidates.join(keeps, on="charge_key", how="left", maintain_order="left")
    is_installment = pl.col("amount").is_null() & ~pl.col("keeps_past_dates")
    is_ahead = is_installment & (pl.col("event_date") >= day)
    candidates = candidates.with_columns(
        is_last=is_installment & (pl.col("charge_key") != pl.col("charge_key").shift(-1)).fill_null(value=True),
        ahead=run_sum(is_ahead.cast(pl.Int64), "charge_key"),
    )
    is_over = is_installment & (pl.col("event_date") < day)
    is_only_one = pl.col("is_last") & (pl.col("ahead") == 0)
    left = candidates.filter(~is_over | is_only_one).with_columns(
        event_date=pl.when(is_only_one).then(pl.lit(day)).otherwise("event_date")
    )
    is_undivided = pl.col("amount").is_null()
    number = run_cum_sum(is_undivided.cast(pl.Int64), "charge_key")
    return left.with_columns(
        installment_number=pl.when(is_undivided).then(number).otherwise("installment_number")
    ).drop("keeps_past_dates", "is_last", "ahead")


def _numbers_taken(book: Book, charge_keys: pl.Series, day: date, carrier: Carrier) -> pl.DataFrame:
    """Per charge: last_item_no, of all its items, and last_installment, of those that stand."""
    items = items_of_charges(book, charge_keys, day, carrier)
    last = items.group_by("charge_key").agg(last_installment=pl.col("installment_number").max().cast(pl.Int64))
    numbers = item_numbers_left(book, charge_keys)
    taken = numbers.select("charge_key", last_item_no=ITEMS_PER_CHARGE - 1 - pl.col("numbers_left"))
    return taken.join(last, on="charge_key", how="left").with_columns(pl.col("last_installment").fill_null(0))


def periods_short_of_item_numbers(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> pl.Series:
    """Keys of those policy periods of requests of which a charge might get more items than it can number.

    In: period_key, payment_plan. A charge has numbers for 1023 items, removed ones included.
    """
    charges = plan_charges(book, requests["period_key"])
    items = items_of_charges(book, charges["charge_key"], day, carrier)
    plans = carrier.payment_plan_frame().select("payment_plan", pl.col("max_installments").cast(pl.Int64))
    needed = (
        items.group_by("charge_key", "period_key")
        .agg(standing=pl.len().cast(pl.Int64))
        .join(requests.select("period_key", "payment_plan"), on="period_key", how="left")
        .join(plans, on="payment_plan", how="left")
        .join(item_numbers_left(book, charges["charge_key"]), on="charge_key", how="left")
    )
    # An offset for each item that stands, and one in its place at another payer; the installments and a down payment.
    most = 2 * pl.col("standing") + pl.col("max_installments") + 1
    return needed.filter(most > pl.col("numbers_left"))["period_key"].unique()


def periods_without_payer_stream(book: Book, requests: pl.DataFrame, day: date, carrier: Carrier) -> pl.Series:
    """Keys of those policy periods of requests of which items would have to go to a list bill account without a stream.

    In: requests as of `change_schedules`. A charge that is cut anew goes to its default payer (R-LB-06, R-ITM-04).
    """
    charges = plan_charges(book, requests["period_key"]).select("charge_key", "period_key", "payer_account_key")
    needs = charges.join(requests.select("period_key", "payment_plan"), on="period_key", how="inner")
    lacking = without_stream(book, needs, carrier)
    if lacking.is_empty():
        return lacking["period_key"]
    items = items_to_process(book, _with_command_id(requests), day, carrier)
    items = items.filter(pl.col("charge_key").is_in(lacking["charge_key"].implode()))
    sums = items.group_by("charge_key", "period_key").agg(pl.col("amount").sum())
    return sums.filter(pl.col("amount") != 0)["period_key"].unique()
