"""Return premium: the credits of a policy period pay what is still owed on it, as its return premium plan says.

A credit is a negative charge. It is sliced and placed on invoices like any other charge (R-RPP-12); its slices pay
positive items when the scheme of its context lets them, and what they do not pay goes to an unapplied fund (R-RPP-11).
Credits of accounts, and of periods without a plan, pay as the payment allocation plan says (`ledger.settlement`).

A *unit* is what one payer gets back by one charge (R-RPP-22). Units of different payers are allocated at once; a second
unit of a payer belongs to a later round, because it sees what the first one left.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.allocation import BILLED, DUE
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.charge_holds import held_charges
from ledger.credit_allocation import allocate_slices
from ledger.funds import fund_key, separates_funds
from ledger.segments import place_in_run, starts_run
from ledger.settlement import PARTS, Clock, Distributed, Settlement, book_settlement, follows_a_plan, with_parts

_ITEM_COLUMNS = (
    *("row", "item_key", "charge_key", "invoice_key", "account_key", "owner_type", "owner_key", "policy_key"),
    *("period_key", "charge_pattern", "priority", "is_recapture", "event_date", "amount", "paid", "currency"),
)
_OPEN = pl.col("amount") - pl.col("paid")
_SHARED: dict[str, tuple[str, ...]] = {
    "same_payer_account": (),
    "same_policy": ("policy_key",),
    "same_policy_period": ("period_key",),
    "same_policy_period_and_charge_pattern": ("period_key", "charge_pattern"),
    "same_policy_period_and_charge_category": ("period_key", "category"),
    "same_policy_period_and_charge_group": ("period_key", "charge_group"),
}
"""What an item has in common with a credit that may pay it, by qualifier, beside the payer (R-RPP-13)."""
_WITHOUT_PLAN = pl.DataFrame(
    {
        "return_premium_plan": "",
        "context": "other",
        "qualifier": "same_payer_account",
        "list_bill_account_excess": "policy_payer_unapplied",
        "method": "first_to_last",
        "start_date": "not_restricted",
        "allocate_timing": "on_receipt",
    }
)
"""How credits without a plan pay when somebody lets them (R-CD-5)."""


def allocate_credits(
    book: Book, day: date, carrier: Carrier, *, billed_through: date, due_through: date
) -> Distributed:
    """Let the credits pay whose time has come, and put what they do not pay into unapplied funds.

    Time has come on receipt, or when the invoice of the credit is billed or due, as the scheme in force says; invoices
    count as billed and due by `billed_through` and `due_through` (`settlement.Clock`). Charges of one payer follow each
    other by instruction, priority and charge. What is allocated is in full: nothing of such a credit stays open. Call
    it as often as invoices turn; what has been allocated is not looked at again. Rules: R-RPP-1, R-RPP-10..26.
    """
    credit_items = _waiting_credits(book)
    if credit_items.is_empty():
        return Distributed.nothing(book)
    slices = _with_schemes(book, credit_items, Clock.of(carrier, billed_through, due_through), carrier)
    time_has_come = (
        (pl.col("allocate_timing") == "on_receipt")
        | (pl.col("status") == DUE)
        | ((pl.col("allocate_timing") == "billed") & (pl.col("status") == BILLED))
    )
    return _allocate(book, slices.filter(time_has_come), day, carrier)


def allocate_chosen_credits(book: Book, item_keys: pl.Series, day: date, carrier: Carrier) -> Distributed:
    """Let these open credits pay now, whatever the timing of their scheme (R-CD-5).

    Those that follow no plan pay the items of their payer, the earliest first, whatever these belong to. Out: payment
    items by payer, each payer's one after the other.
    """
    chosen = _open_credits(book).filter(pl.col("item_key").is_in(item_keys.implode()))
    slices = _with_schemes(book, chosen, Clock.of(carrier, day, day), carrier)
    return _allocate(book, slices, day, carrier)


def _allocate(book: Book, slices: pl.DataFrame, day: date, carrier: Carrier) -> Distributed:
    """Allocate slices unit by unit of each payer, in rounds."""
    if slices.is_empty():
        return Distributed.nothing(book)
    slices = _in_rounds(slices)
    items = _items_of_payers(book, slices, carrier)
    slices = slices.join(items.select("item_key", "at"), on="item_key", how="inner")
    parts = [PARTS.to_frame()]
    for now in slices.sort("round", "unit", "event_date", "at").partition_by("round", maintain_order=True):
        done = _through_funds(book, allocate_slices(now, _eligible(now, items)), now, items)
        items = with_parts(items, done)
        parts.append(done)
    every = pl.concat(parts)
    by_payer = every.with_columns(payer=items["account_key"].gather(every["at"]))
    by_payer = by_payer.sort("payer", maintain_order=True).drop("payer")
    return book_settlement(book, Settlement((), items.select("account_key").unique(), items, by_payer), day)


def payers_with_credits(book: Book, account_keys: pl.Series) -> pl.Series:
    """Those of these payers that have open credits which follow a plan."""
    if account_keys.is_empty():
        return account_keys
    payers = accounts_with_credits(book)
    return account_keys.filter(account_keys.is_in(payers.unique().implode()))


def accounts_with_credits(book: Book) -> pl.Series:
    """Keys of the payers of open credits which follow a plan."""
    return _waiting_credits(book)["account_key"]


def _waiting_credits(book: Book) -> pl.DataFrame:
    """The open credits that pay when their plan says so."""
    credit_items = _open_credits(book)
    return credit_items if credit_items.is_empty() else credit_items.filter(follows_a_plan(book))


def _open_credits(book: Book) -> pl.DataFrame:
    """Invoice items that are credits, not used up and not held."""
    # Most items are no credits: one comparison over all of them, the others over what is left.
    facts = book["invoice_items"].select("amount", "paid", "written_off", "invoice_key").with_row_index("row")
    is_open = pl.col("paid") != pl.col("amount") - pl.col("written_off")
    open_rows = facts.filter(pl.col("amount") < 0).filter(is_open & (pl.col("invoice_key") > 0))["row"]
    items = book["invoice_items"][open_rows]
    return items if items.is_empty() else items.filter(~pl.col("charge_key").is_in(held_charges(book).implode()))


def _with_schemes(book: Book, items: pl.DataFrame, clock: Clock, carrier: Carrier) -> pl.DataFrame:
    """Open slices of credits, each with the scheme that holds for it, its `credit` (more than 0) and invoice status."""
    plans = _of_items(book, "policy_periods", "period_key", items).select(
        "period_key", "return_premium_plan", owner_account_key="account_key"
    )
    charges = _of_items(book, "charges", "charge_key", items).select(
        "charge_key", "instruction_key", "context", "charge_group", "effective_date"
    )
    invoices = _of_items(book, "invoices", "invoice_key", items).select(
        "invoice_key", "bill_date", "due_date", stream_policy_key="policy_key"
    )
    schemes = pl.concat([carrier.return_premium_scheme_frame(), _WITHOUT_PLAN], how="diagonal")
    known = pl.col("context").is_in(schemes["context"].unique().implode())
    patterns = carrier.charge_pattern_frame().select("charge_pattern", "category")
    return (
        items.join(plans, on="period_key", how="left")
        .join(charges, on="charge_key", how="inner")
        .join(invoices, on="invoice_key", how="inner")
        .with_columns(
            pl.col("return_premium_plan").fill_null(""),
            context=pl.when(known & pl.col("return_premium_plan").is_not_null())
            .then("context")
            .otherwise(pl.lit("other")),
            status=clock.status(),
            credit=pl.col("written_off") + pl.col("paid") - pl.col("amount"),
        )
        .join(schemes, on=["return_premium_plan", "context"], how="inner")
        .join(patterns, on="charge_pattern", how="left")
    )


def _of_items(book: Book, table: str, key: str, items: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table that these items name."""
    return book[table].filter(pl.col(key).is_in(items[key].unique().implode()))


def _in_rounds(slices: pl.DataFrame) -> pl.DataFrame:
    """Add `unit`, ascending in the order of allocation, and its `round`, its place among the units of its payer."""
    ready = slices.sort("account_key", "instruction_key", "priority", "charge_key", "item_key")
    ready = ready.with_columns(unit=starts_run("account_key", "charge_key").cum_sum().cast(pl.Int64))
    units = ready.unique("unit", keep="first", maintain_order=True)
    rounds = units.select("unit", round=place_in_run("account_key"))
    return ready.join(rounds, on="unit", how="left", maintain_order="left").sort("round", "unit", "item_key")


def _items_of_payers(book: Book, slices: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """The open items that these payers pay, held ones left out (R-RPP-14), and the credits among them.

    Out: _ITEM_COLUMNS, category, charge_group, stream_policy_key and `at`, the place in the frame.
    """
    keys = slices["account_key"].unique().implode()
    items = book["invoice_items"].with_row_index("row").filter(pl.col("account_key").is_in(keys))
    items = items.with_columns(pl.col("amount") - pl.col("written_off"))
    items = items.filter((pl.col("amount") != pl.col("paid")) & (pl.col("invoice_key") > 0))
    items = items.filter(~pl.col("charge_key").is_in(held_charges(book).implode())).select(_ITEM_COLUMNS)
    charges = _of_items(book, "charges", "charge_key", items).select("charge_key", "charge_group")
    invoices = _of_items(book, "invoices", "invoice_key", items)
    invoices = invoices.select("invoice_key", stream_policy_key="policy_key")
    categories = carrier.charge_pattern_frame().select("charge_pattern", "category")
    return (
        items.join(charges, on="charge_key", how="left", maintain_order="left")
        .join(invoices, on="invoice_key", how="left", maintain_order="left")
        .join(categories, on="charge_pattern", how="left", maintain_order="left")
        .with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64))
    )


def _eligible(slices: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The items that the units of a round may pay: what the qualifier and the start date of their schemes allow.

    Out: unit, method, at, item_key, event_date, priority, balance (more than 0). Rules: R-RPP-13..15.
    """
    units = slices.unique("unit", keep="first", maintain_order=True)
    debts = items.filter(_OPEN > 0).with_columns(balance=_OPEN)
    found = []
    for qualifier, shared in _SHARED.items():
        asking = units.filter(pl.col("qualifier") == qualifier)
        if not asking.is_empty():
            terms = asking.select("unit", "account_key", *shared, "method", "start_date", "effective_date")
            found.append(debts.join(terms, on=["account_key", *shared], how="inner", nulls_equal=True))
    is_in_time = (pl.col("start_date") == "not_restricted") | (pl.col("event_date") >= pl.col("effective_date"))
    columns = ("unit", "method", "at", "item_key", "event_date", "priority", "balance")
    return pl.concat([other.filter(is_in_time).select(columns) for other in found])


def _through_funds(book: Book, links: pl.DataFrame, slices: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """What a round applies, as PARTS: each link is a credit used and an item paid; what is left goes into a fund.

    The fund is the one of the stream whose items were paid, where that is one, else the one of the stream that holds
    the credit (R-RPP-24); on a list bill account the plan may give it to the owner of the policy (R-RPP-25).
    """
    used = links.group_by(at="credit_at").agg(used=pl.col("amount").sum())
    streams = links.select("unit", stream_paid=items["stream_policy_key"].gather(links["at"])).unique()
    streams = streams.group_by("unit").agg(pl.col("stream_paid").first(), streams_paid=pl.len())
    listed = book["accounts"].filter(pl.col("account_type") == "list_bill")["account_key"]
    to_owner = pl.col("account_key").is_in(listed.implode()) & (
        pl.col("list_bill_account_excess") == "policy_owner_unapplied"
    )
    stream = pl.when(pl.col("streams_paid") == 1).then("stream_paid").otherwise("stream_policy_key")
    slices = (
        slices.join(used, on="at", how="left", maintain_order="left")
        .join(streams, on="unit", how="left", maintain_order="left")
        .select(
            "at",
            "item_key",
            "account_key",
            excess=pl.col("credit") - pl.col("used").fill_null(0),
            holder=pl.when(to_owner).then("owner_account_key").otherwise("account_key"),
            fund_policy_key=pl.when(to_owner).then("policy_key").otherwise(stream),
        )
    )
    through = _fund_of(book, slices.select("fund_policy_key", "account_key"))
    is_held_by_others = not slices["holder"].equals(slices["account_key"])
    paying = _fund_of(book, slices.select("fund_policy_key", account_key="holder")) if is_held_by_others else through
    slices = slices.with_columns(paying.alias("paying_fund_key"), through.alias("through_fund_key"))
    pairs = links.join(slices, left_on="credit_at", right_on="at", how="left", maintain_order="left").select(
        at=pl.concat_list("credit_at", "at"),
        account_key="account_key",
        paying_fund_key="through_fund_key",
        credit_item_key="item_key",
        amount=pl.concat_list(-pl.col("amount"), "amount"),
    )
    excess = slices.filter(pl.col("excess") > 0).select(
        "at",
        "paying_fund_key",
        account_key="holder",
        credit_item_key=pl.lit(0, pl.Int64),
        amount=-pl.col("excess"),
    )
    parts = pl.concat([pairs.explode("at", "amount"), excess.select(pairs.columns)])
    parts = parts.with_columns(kind=pl.lit("credit"), payment_key=pl.lit(0, pl.Int64))
    return parts.select(pl.col(name).cast(dtype) for name, dtype in PARTS.items())


def _fund_of(book: Book, wanted: pl.DataFrame) -> pl.Series:
    """The fund of an account for a policy: its own where the account keeps one for it, else the default fund."""
    accounts = book["accounts"].filter(pl.col("account_key").is_in(wanted["account_key"].unique().implode()))
    accounts = accounts.select("account_key", separates=separates_funds())
    policies = book["policies"].filter(pl.col("policy_key").is_in(wanted["fund_policy_key"].unique().implode()))
    owners = policies.select(fund_policy_key="policy_key", owner_key="account_key")
    known = wanted.join(accounts, on="account_key", how="left", maintain_order="left")
    known = known.join(owners, on="fund_policy_key", how="left", maintain_order="left")
    is_kept = pl.col("separates") & (pl.col("owner_key") == pl.col("account_key")).fill_null(value=False)
    policy_key = pl.when(is_kept).then("fund_policy_key").otherwise(0)
    return known.select(fund_key(pl.col("account_key"), policy_key)).to_series()
