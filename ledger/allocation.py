"""Payment allocation plans: which items money may pay, in which order, and how what is left over is spread.

A plan is data (`ledger.plans.PaymentAllocationPlan`). What its words mean is here, as named Polars expressions in two
registries; a carrier's further filter or order is one more entry (R-PAP-13). The expressions read a frame of
candidates, one row per item and run (a run is money with one fund and one association):

    item_key, amount, event_date, priority, is_recapture, invoice_key, period_key, bill_date, due_date,
    status (DUE, BILLED or PLANNED), is_next_planned, for_invoice_key and for_period_key (the association of the run, 0
    for none), allocation_plan; and, only where a plan orders by policy period, period_start and policy_place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from ledger.distribution import APPLIED, distribute
from ledger.plans import Filter, Order, PaymentAllocationPlan
from ledger.segments import at_run_end, place_in_run, run_cum_sum, run_number, run_sum

DUE, BILLED, PLANNED = 0, 1, 2
"""Invoice status as a number: the order in which Billed Status pays (R-PAP-10)."""
SPREAD: Order = "spread_excess_even"

_is_open_to_payers = pl.col("status") != PLANNED
_is_credit = pl.col("amount") < 0
_has_no_period = pl.col("period_key") == 0
_is_of_other_period = (pl.col("for_period_key") != 0) & (pl.col("period_key") != pl.col("for_period_key"))
_is_on_other_invoice = (pl.col("for_invoice_key") != 0) & (pl.col("invoice_key") != pl.col("for_invoice_key"))


def _as_key(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Int64)


def _whole(column: str) -> pl.Expr:
    return _as_key(pl.col(column))


def _day(column: str) -> pl.Expr:
    return _as_key(pl.col(column).to_physical())


FILTERS: Mapping[Filter, pl.Expr] = {
    "billed_or_due": _is_open_to_payers,
    "invoice": ~_is_on_other_invoice,
    "next_planned_invoice": _is_open_to_payers | pl.col("is_next_planned"),
    "past_due": pl.col("status") == DUE,
    "policy_period": ~_is_of_other_period,
    # Credits are taken before this filter (R-DST-03): it is about what money may pay.
    "positive": (pl.col("amount") > 0) | _is_credit,
}
"""Filters by name: an item is eligible when it passes all filters of the plan (R-PAP-06, R-PAP-08)."""

ORDERS: Mapping[Order, tuple[pl.Expr, ...]] = {
    "billed_date": (_day("bill_date"),),
    "billed_status": (_whole("status"),),
    "charge_pattern": (_whole("priority"),),
    "event_date": (_day("event_date"),),
    "invoice": (_as_key(_is_on_other_invoice), _day("bill_date"), _day("due_date"), _whole("invoice_key")),
    "policy_period": (
        _as_key(_is_of_other_period),
        _as_key(_has_no_period),
        _whole("period_start"),
        _whole("policy_place"),
    ),
    "recapture_charges": (_as_key(~pl.col("is_recapture")),),
    "reverse_billed_date": (-_day("bill_date"),),
    "reverse_event_date": (-_day("event_date"),),
    SPREAD: (),
}
"""Orders by name: whole-number sort keys, each ascending, of which the first counts most (R-PAP-09, R-PAP-10).

A planned item counts with the planned bill date of its invoice (R-PAP-11). An item of an account, which has no policy
period, comes after those of periods. `spread_excess_even` is no key: see `spend`.
"""


def needs_policy_periods(plans: Sequence[PaymentAllocationPlan]) -> bool:
    """Whether one of the plans orders by policy period, so that candidates need period_start and policy_place."""
    return any("policy_period" in plan.orders for plan in plans)


def eligible(plans: Sequence[PaymentAllocationPlan]) -> pl.Expr:
    """Whether a candidate passes every filter of the plan of its account (R-PAP-06, R-PAP-07).

    plans: those of all accounts among the candidates.
    """
    passes = {
        plan.name: pl.all_horizontal(pl.lit(value=True), *(FILTERS[name] for name in plan.filters)) for plan in plans
    }
    return _by_plan(passes, pl.lit(value=False))


def in_paying_order(candidates: pl.DataFrame, plans: Sequence[PaymentAllocationPlan]) -> pl.DataFrame:
    """Sort candidates as the plans of their accounts pay them, and number the tie groups (R-PAP-09, R-DST-05).

    Adds `rank`, ascending over the frame: rows of a run with equal keys have the same one; within it they stand by
    item key, which is the order for odd cents (R-DST-07). Adds `is_spread`: the item is planned, and its plan spreads
    what is left over evenly (R-PAP-12); such items of a run stand by item key too.
    """
    keys_of = {plan.name: [key for order in plan.orders for key in ORDERS[order]] for plan in plans}
    names = [f"key_{place}" for place in range(max((len(keys) for keys in keys_of.values()), default=0))]
    spreads = _by_plan({plan.name: pl.lit(SPREAD in plan.orders) for plan in plans}, pl.lit(value=False))
    is_spread = spreads & (pl.col("status") == PLANNED)
    none = pl.lit(0, pl.Int64)
    keys = []
    for place, name in enumerate(names):
        of_plan = {plan: own[place] if place < len(own) else none for plan, own in keys_of.items()}
        keys.append(pl.when(is_spread).then(none).otherwise(_by_plan(of_plan, none)).alias(name))
    return (
        candidates.with_columns(*keys, is_spread=is_spread)
        .sort("run", *names, "item_key")
        .with_columns(rank=run_number("run", *names))
        .drop(names)
    )


def _by_plan(expressions: Mapping[str, pl.Expr], otherwise: pl.Expr) -> pl.Expr:
    """The expression of the plan that the row's account has; the only one, when there is one."""
    if len(expressions) == 1:
        return next(iter(expressions.values()))
    return pl.coalesce(
        *(pl.when(pl.col("allocation_plan") == name).then(value) for name, value in expressions.items()), otherwise
    )


def spend(payers: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Apply payers to items by rank, then what is left of each evenly over the items to spread over (R-PAP-12).

    payers: pool, payment, amount; sorted by pool, then in the order in which they pay. items: pool, rank, item,
    balance, is_spread. Returns payment, item, amount as `distribute` does.
    """
    if not items["is_spread"].any():
        return distribute(payers, items)
    ranked = distribute(payers, items.filter(~pl.col("is_spread")))
    used = ranked.group_by("payment").agg(used=pl.col("amount").sum())
    left = payers.join(used, on="payment", how="left", maintain_order="left").with_columns(
        amount=pl.col("amount") - pl.col("used").fill_null(0)
    )
    spread = spread_evenly(left.filter(pl.col("amount") > 0), items.filter("is_spread"))
    return pl.concat([ranked, spread])


def spread_evenly(payers: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Share each payer's amount in equal parts over the items of its pool, none above its balance (R-PAP-12).

    payers: pool, payment, amount (more than 0), sorted by pool; a later payer of a pool sees the balances that earlier
    ones left. items: pool, item, balance (more than 0). What an item cannot take is shared again among the others; odd
    minor units go to the smallest item ids. Returns payment, item, amount, by round, pool and item.
    """
    turns = payers.with_columns(turn=place_in_run("pool"))
    items = items.select("pool", "item", "balance")
    applied = [APPLIED.to_frame()]
    for turn in turns.partition_by("turn", maintain_order=True):
        shares = _even_shares(turn.select("pool", "payment", "amount"), items)
        applied.append(shares.filter(pl.col("share") > 0).select("payment", "item", amount="share"))
        items = shares.select("pool", "item", balance=pl.col("balance") - pl.col("share"))
        items = items.filter(pl.col("balance") > 0)
    return pl.concat(applied)


def _even_shares(payers: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """The share of each item in its pool's one payer, by pool and item: balances are filled up to a common level."""
    shares = items.join(payers, on="pool", how="inner").sort("pool", "balance", "item")
    last_place = at_run_end(place_in_run("pool"), "pool")
    shares = shares.with_columns(below=run_cum_sum(pl.col("balance"), "pool"), others=last_place - place_in_run("pool"))
    # All items up to this one are full, and every later one has as much, when the level reaches this balance.
    is_full = pl.col("below") + pl.col("balance") * pl.col("others") <= pl.col("amount")
    shares = shares.with_columns(share=pl.when(is_full).then("balance"))
    shares = shares.with_columns(left=pl.col("amount") - run_sum(pl.col("share").fill_null(0), "pool"))
    shares = shares.sort("pool", pl.col("share").is_not_null(), "item")
    number = run_sum(pl.col("share").is_null().cast(pl.Int64), "pool").clip(1)
    odd = (pl.col("new_place") < pl.col("left") % pl.col("number")).cast(pl.Int64)
    return (
        shares.with_columns(new_place=place_in_run("pool"), number=number)
        .with_columns(share=pl.coalesce("share", pl.col("left") // pl.col("number") + odd))
        .sort("pool", "item")
    )
