"""Directed distribution: payments for which somebody says where the money goes (R-DBP-04, R-DBP-06..12).

Amounts that are allocated to a policy, an invoice or an item come first; the rest is distributed by the plan of the
account, over the items that are included and not excluded. Payments are taken in their order; those that share no item
are settled at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ledger.allocation import DUE, PLANNED, eligible
from ledger.book import Book, default_fund_key
from ledger.carrier import Carrier
from ledger.segments import run_cum_sum
from ledger.settlement import Clock, Distributed, Settlement, book_settlement

DIRECTIONS = pl.Schema(
    {
        "payment_key": pl.Int64,
        "account_key": pl.Int64,
        "fund_key": pl.Int64,
        "period_key": pl.Int64,
        "invoice_key": pl.Int64,
        "amount": pl.Int64,
        "include_only": pl.String,
        "select_where": pl.String,
        "select_is": pl.String,
        "use_default_unapplied": pl.Boolean,
    }
)
"""A payment to distribute, in the order in which payments are taken: what it is, and which items it may pay."""
ALLOCATIONS = pl.Schema(
    {"payment_key": pl.Int64, "place": pl.Int64, "target_type": pl.String, "target_key": pl.Int64, "amount": pl.Int64}
)
"""Amounts of a payment that go to a policy, an invoice or an item; `place` is the order in which they were named."""
CHOICES = pl.Schema({"payment_key": pl.Int64, "item_key": pl.Int64, "is_included": pl.Boolean})
"""Items that a payment may pay although the plan leaves them out, or may not pay."""
_PAIR = ("payment_key", "item_key")
_KEY_OF_TARGET = {"policy": "policy_key", "invoice": "invoice_key", "invoice_item": "item_key"}


@dataclass(frozen=True, slots=True)
class Directed:
    """Payments to distribute and what is said about it: frames DIRECTIONS, ALLOCATIONS and CHOICES."""

    payments: pl.DataFrame
    allocations: pl.DataFrame
    choices: pl.DataFrame


def distribute_as_directed(book: Book, directed: Directed, day: date, carrier: Carrier) -> Distributed:
    """Apply payments of which nothing is applied, each as it is directed, before invoices are billed today.

    The allocated amounts of a payment do not exceed it. An amount of 0 for an item excludes it (R-DBP-07); an amount
    for a policy or an invoice is spread inside it in the order of the plan (R-DBP-09); no item is paid beyond its
    balance, what is left stays in the fund. Money of a designated fund pays only its policy unless an item is named.
    A payment that asks for it has what lies in the default fund beside its own money, and spends that last.
    Rules: R-DBP-04, R-DBP-06..12, R-DST-13.
    """
    if directed.payments.is_empty():
        return Distributed.nothing(book)
    allocations, choices = _with_reach(directed.allocations), directed.choices
    payments = directed.payments.with_columns(order=pl.int_range(pl.len(), dtype=pl.Int64))
    accounts = _accounts_concerned(book, payments, allocations, choices)
    yesterday = day - timedelta(days=1)
    clock = Clock.of(carrier, yesterday, yesterday)
    settlement = Settlement.start(book, accounts, clock, carrier)
    allocated = _allocated_items(settlement.items, allocations)
    payable = _payable(settlement.items, allocated, allocations)
    candidates = _rest_items(book, settlement, payments, allocated, choices)
    for now in _without_conflict(payments, pl.concat([allocated.select(_PAIR), candidates])):
        purses = _purses(book, settlement, payments, now)
        for purse in purses:
            settlement = _settle_allocations(settlement, purse, allocations, payable)
        for purse in purses:
            settlement = _settle_rest(settlement, purse, allocations, candidates)
    return book_settlement(book, settlement, day)


def _purses(book: Book, settlement: Settlement, payments: pl.DataFrame, now: pl.DataFrame) -> list[pl.DataFrame]:
    """The money of the payments of a round: first their own, then, for those that ask, what the default fund holds.

    payments: all that are distributed. Out: the payments of the round with fund_key, money_of (the payment, 0 for what
    was in the fund before) and the stretch of all their money that this is: `start`, `end`. What the fund received with
    payments that are not distributed yet is not what it holds (R-DBP-04).
    """
    own = now.with_columns(money_of="payment_key", start=pl.lit(0, pl.Int64), end="amount")
    asking = own.filter("use_default_unapplied").with_columns(
        fund_key=default_fund_key(pl.col("account_key")), money_of=pl.lit(0, pl.Int64), start="amount"
    )
    if asking.is_empty():
        return [own]
    drawn = settlement.parts.group_by(fund_key="paying_fund_key").agg(drawn=pl.col("amount").sum())
    in_order = payments.select("fund_key", "amount", later="order")
    coming = asking.select("payment_key", "fund_key", "order").join(in_order, on="fund_key", how="inner")
    coming = coming.filter(pl.col("later") >= pl.col("order")).group_by("payment_key").agg(pl.col("amount").sum())
    asking = (
        asking.join(book["funds"].select("fund_key", "balance"), on="fund_key", how="inner", maintain_order="left")
        .join(drawn, on="fund_key", how="left", maintain_order="left")
        .join(coming.select("payment_key", coming="amount"), on="payment_key", how="left", maintain_order="left")
    )
    held = pl.col("balance") - pl.col("drawn").fill_null(0) - pl.col("coming").fill_null(0)
    return [own, asking.with_columns(end=pl.col("start") + held.clip(0)).select(own.columns)]


def _with_reach(allocations: pl.DataFrame) -> pl.DataFrame:
    """Add the stretch of the money of its payment that each allocation takes: `reach_start`, `reach_end`."""
    ordered = allocations.sort("payment_key", "place")
    reach = run_cum_sum(pl.col("amount"), "payment_key")
    return ordered.with_columns(reach_end=reach).with_columns(reach_start=pl.col("reach_end") - pl.col("amount"))


def _accounts_concerned(
    book: Book, payments: pl.DataFrame, allocations: pl.DataFrame, choices: pl.DataFrame
) -> pl.Series:
    """The accounts that pay, their sub-accounts where these are selected, and whoever pays the items concerned."""
    keys = payments["account_key"].unique()
    parents = book["accounts"].filter(pl.col("account_key").is_in(keys.implode()))["account_id"]
    below = book["accounts"].filter(pl.col("parent_account_id").is_in(parents.implode()))["account_key"]
    selecting = payments.filter(pl.col("select_is") != "account")
    owners = pl.concat([keys, below]) if selecting.height else keys
    items = book["invoice_items"]
    charges = book["charges"].filter(pl.col("account_key").is_in(owners.implode()))["charge_key"]
    named = {kind: allocations.filter(pl.col("target_type") == kind)["target_key"].implode() for kind in _KEY_OF_TARGET}
    is_concerned = pl.col("item_key").is_in(choices["item_key"].implode())
    for kind, column in _KEY_OF_TARGET.items():
        is_concerned |= pl.col(column).is_in(named[kind])
    if payments.filter(pl.col("select_where") != "payer").height:
        is_concerned |= pl.col("charge_key").is_in(charges.implode())
    others = items.filter(is_concerned)["account_key"]
    return pl.concat([owners, others]).unique().sort()


def _allocated_items(items: pl.DataFrame, allocations: pl.DataFrame) -> pl.DataFrame:
    """payment_key, place, item_key: the items inside the target of each allocation."""
    parts = [
        allocations.filter(pl.col("target_type") == kind)
        .join(items.select("item_key", target_key=column), on="target_key", how="inner")
        .select("payment_key", "place", "item_key")
        for kind, column in _KEY_OF_TARGET.items()
    ]
    return pl.concat(parts)


def _payable(items: pl.DataFrame, allocated: pl.DataFrame, allocations: pl.DataFrame) -> pl.DataFrame:
    """Of these, those that an amount may pay: not held while they wait, nor with an amount of 0, unless it is theirs.

    Rules: R-DBP-07, R-CHD-9.
    """
    is_of_item = pl.col("target_type") == "invoice_item"
    nothing = allocations.filter(is_of_item & (pl.col("amount") == 0)).select("payment_key", item_key="target_key")
    waiting = items.filter(pl.col("is_held") & (pl.col("status") == PLANNED)).select("item_key")
    targets = allocations.select("payment_key", "place", "target_type")
    named = allocated.join(targets, on=["payment_key", "place"], how="left", maintain_order="left")
    inside = named.filter(~is_of_item).join(nothing, on=_PAIR, how="anti").join(waiting, on="item_key", how="anti")
    return pl.concat([named.filter(is_of_item), inside]).select(allocated.columns)


def _rest_items(
    book: Book, settlement: Settlement, payments: pl.DataFrame, allocated: pl.DataFrame, choices: pl.DataFrame
) -> pl.DataFrame:
    """payment_key, item_key: what each payment may pay with what is not allocated.

    A held item waits while it is planned, unless it is included by name (R-CHD-9).
    """
    charges = book["charges"].filter(pl.col("charge_key").is_in(settlement.items["charge_key"].unique().implode()))
    owners = charges.select("charge_key", owner="account_key")
    items = settlement.items.drop("allocation_plan").rename({"account_key": "payer"})
    items = items.join(owners, on="charge_key", how="left", maintain_order="left")
    selected = _selected_accounts(book, payments)
    of_accounts = [
        items.join(
            selected.filter(~pl.col("select_where").is_in([unasked])), left_on=who, right_on="selected", how="inner"
        )
        for who, unasked in (("payer", "owner"), ("owner", "payer"))
    ]
    candidates = pl.concat([frame.select("payment_key", *items.columns) for frame in of_accounts]).unique(_PAIR)
    plans = settlement.accounts.select("account_key", "allocation_plan")
    runs = payments.join(plans, on="account_key", how="left", maintain_order="left").select(
        "payment_key",
        "fund_key",
        "include_only",
        "allocation_plan",
        for_period_key="period_key",
        for_invoice_key="invoice_key",
    )
    is_designated = pl.col("fund_key") % 2 == 1
    # As in any distribution, what is on the stream of a policy is paid from the fund of that one (R-BL-6, R-ITM-48).
    policy_key = pl.when(pl.col("stream_policy_key") > 0).then("stream_policy_key").otherwise("policy_key")
    is_in_fund = ~is_designated | (pl.col("fund_key") // 2 == policy_key)
    is_waiting = pl.col("is_held") & (pl.col("status") == PLANNED)
    pairs = candidates.filter(~is_waiting).join(runs, on="payment_key", how="inner")
    pairs = pairs.filter(is_in_fund & _may_be_paid(settlement))
    wanted = pl.concat([pairs.select(_PAIR), choices.filter("is_included").select(_PAIR)]).unique()
    unwanted = pl.concat([allocated.select(_PAIR), choices.filter(~pl.col("is_included")).select(_PAIR)])
    return wanted.join(unwanted, on=_PAIR, how="anti")


def _selected_accounts(book: Book, payments: pl.DataFrame) -> pl.DataFrame:
    """payment_key, selected, select_where: the accounts whose items each payment may pay (R-DBP-11)."""
    asked = payments.select("payment_key", "account_key", "select_where", "select_is")
    itself = asked.filter(pl.col("select_is") != "sub_accounts").with_columns(selected="account_key")
    above = asked.filter(pl.col("select_is") != "account")
    parents = book["accounts"].select("account_key", parent_account_id="account_id")
    below = book["accounts"].select("parent_account_id", selected="account_key")
    children = above.join(parents, on="account_key", how="inner").join(below, on="parent_account_id", how="inner")
    columns = ("payment_key", "selected", "select_where")
    return pl.concat([itself.select(columns), children.select(columns)])


def _may_be_paid(settlement: Settlement) -> pl.Expr:
    """R-DBP-10: which items, by what is asked for, else by the plan of the account."""
    only = pl.col("include_only")
    is_open = pl.col("status") != PLANNED
    return (
        pl.when(only == "billed")
        .then(is_open)
        .when(only == "past_due")
        .then(pl.col("status") == DUE)
        .when(only == "next_invoice")
        .then(is_open | pl.col("is_next_planned"))
        .when(only == "under_contract")
        .then(pl.lit(value=True))
        .otherwise(eligible(settlement.plans))
    )


def _without_conflict(payments: pl.DataFrame, pairs: pl.DataFrame) -> Sequence[pl.DataFrame]:
    """Rounds of payments of which no two want the same item or fund; each item sees its payments in their order."""
    items = pairs.select("payment_key", thing="item_key")
    default = payments.filter("use_default_unapplied").with_columns(fund_key=default_fund_key(pl.col("account_key")))
    funds = pl.concat([payments, default]).select("payment_key", thing=-pl.col("fund_key"))
    orders = payments.select("payment_key", "order")
    wants = pl.concat([items, funds]).unique().join(orders, on="payment_key", how="left")
    rounds = []
    left = payments
    while not left.is_empty():
        first = wants.group_by("thing").agg(pl.col("order").min().alias("first"))
        waiting = wants.join(first, on="thing", how="left").filter(pl.col("order") > pl.col("first"))
        is_free = ~pl.col("payment_key").is_in(waiting["payment_key"].unique().implode())
        now = left.filter(is_free)
        rounds.append(now)
        left = left.filter(~is_free)
        wants = wants.filter(~pl.col("payment_key").is_in(now["payment_key"].implode()))
    return rounds


def _settle_allocations(
    settlement: Settlement, purse: pl.DataFrame, allocations: pl.DataFrame, allocated: pl.DataFrame
) -> Settlement:
    """The amounts that are allocated, one named after the other, as far as this money is what they take."""
    taken = pl.min_horizontal("reach_end", "end") - pl.max_horizontal("reach_start", "start")
    named = allocations.join(purse.select("payment_key", "start", "end"), on="payment_key", how="inner")
    named = named.with_columns(amount=taken).filter(pl.col("amount") > 0)
    for (place,), now in sorted(named.partition_by("place", as_dict=True).items()):
        runs = _runs(purse.join(now.select("payment_key"), on="payment_key", how="semi"))
        amounts = now.select("payment_key", "amount")
        payers = runs.join(amounts, on="payment_key", how="left", maintain_order="left")
        payers = payers.select("run", "amount", payment_key="money_of")
        inside = allocated.filter(pl.col("place") == place)
        chosen = inside.join(runs.select("payment_key", "run"), on="payment_key", how="inner").select("run", "item_key")
        settlement = settlement.settle(runs.drop("payment_key", "money_of"), payers, chosen, credits_first=False)
    return settlement


def _settle_rest(
    settlement: Settlement, purse: pl.DataFrame, allocations: pl.DataFrame, candidates: pl.DataFrame
) -> Settlement:
    """What is not allocated of this money, over the items that the payment may pay, credits first (R-DBP-08)."""
    taken = allocations.group_by("payment_key").agg(taken=pl.col("amount").sum())
    runs = _runs(purse)
    payers = (
        runs.select("run", "payment_key", "money_of")
        .join(purse.select("payment_key", "start", "end"), on="payment_key", how="left", maintain_order="left")
        .join(taken, on="payment_key", how="left", maintain_order="left")
        .select(
            "run",
            payment_key="money_of",
            amount=pl.col("end") - pl.max_horizontal(pl.col("start"), pl.col("taken").fill_null(0)),
        )
        .filter(pl.col("amount") > 0)
    )
    chosen = candidates.join(runs.select("payment_key", "run"), on="payment_key", how="inner").select("run", "item_key")
    return settlement.settle(runs.drop("payment_key", "money_of"), payers, chosen)


def _runs(purse: pl.DataFrame) -> pl.DataFrame:
    return purse.sort("order").select(
        "payment_key",
        "money_of",
        "account_key",
        "fund_key",
        run="order",
        fund_policy_key=pl.when(pl.col("fund_key") % 2 == 1).then(pl.col("fund_key") // 2).otherwise(0),
        for_period_key="period_key",
        for_invoice_key="invoice_key",
    )
