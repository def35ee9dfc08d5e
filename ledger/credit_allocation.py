"""The allocation of credits: which slice pays how much of which item, for any number of units at once.

A unit is a pool of slices and of the items that they may pay, with one method. Which items those are, and what becomes
of what is left of a slice, is for `ledger.return_premiums` to say; here is only arithmetic.
"""

from __future__ import annotations

import polars as pl

from ledger.distribution import distribute
from ledger.money import ratio_order, running_shares
from ledger.segments import at_run_end, run_cum_sum, run_sum, starts_run

_NOTHING_PAID = pl.DataFrame(schema={"unit": pl.Int64, "credit_at": pl.Int64, "at": pl.Int64, "amount": pl.Int64})


def allocate_slices(slices: pl.DataFrame, eligible: pl.DataFrame) -> pl.DataFrame:
    """Which slice of a credit pays how much of which item.

    slices: unit, at, event_date, credit (minor units, more than 0), sorted by unit and event date. eligible: unit,
    method, at, item_key, event_date, priority, balance (minor units, more than 0), in any order; an item is in one unit
    only. Out: unit, credit_at, at, amount (more than 0). Slices are used up by event date, against the items by event
    date; with the proportional method no slice pays an item that is dated before it. Rules: R-RPP-16..22, R-RPP-26.
    """
    is_proportional = pl.col("method") == "proportional"
    by_method = {_in_order: eligible.filter(~is_proportional), _in_proportion: eligible.filter(is_proportional)}
    parts = [share(slices, items) for share, items in by_method.items() if not items.is_empty()]
    if not parts:
        return _NOTHING_PAID.clone()
    allocated = pl.concat(parts)
    allocated = allocated.filter(pl.col("amount") > 0).sort("unit", "event_date", "priority", "item_key")
    allocated = allocated.with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64))
    paying = slices.select(pool="unit", payment=pl.int_range(pl.len(), dtype=pl.Int64), amount="credit")
    matched = distribute(paying, allocated.select(pool="unit", rank="place", item="place", balance="amount"))
    return matched.select(
        slices["unit"].gather(matched["payment"]).alias("unit"),
        slices["at"].gather(matched["payment"]).alias("credit_at"),
        allocated["at"].gather(matched["item"]).alias("at"),
        "amount",
    )


def _in_order(slices: pl.DataFrame, eligible: pl.DataFrame) -> pl.DataFrame:
    """First to last, or last to first: all slices pay together, whatever their dates (R-RPP-16..19).

    Out: the eligible items with `amount`. Items of one date and priority share pro rata.
    """
    sums = slices.group_by("unit").agg(pl.col("credit").sum())
    days = pl.col("event_date").to_physical().cast(pl.Int64)
    items = eligible.join(sums, on="unit", how="inner").with_columns(
        date_order=pl.when(pl.col("method") == "first_to_last").then(days).otherwise(-days)
    )
    items = items.sort("unit", "date_order", "priority", "item_key")
    items = items.with_columns(
        group=starts_run("unit", "date_order", "priority").cum_sum(),
        reached=run_cum_sum(pl.col("balance"), "unit"),
    )
    group_balance = run_sum(pl.col("balance"), "group")
    before = at_run_end(pl.col("reached"), "group") - group_balance
    items = items.with_columns(money=(pl.col("credit") - before).clip(0, group_balance))
    shares = running_shares(items.select("group", "money", weight="balance"))
    return items.select(eligible.columns).with_columns(shares.alias("amount"))


def _in_proportion(slices: pl.DataFrame, eligible: pl.DataFrame) -> pl.DataFrame:
    """Every item is reduced by the same share, unless slices come too late for some (R-RPP-20, R-RPP-21).

    Out: the eligible items with `amount`. A block is a stretch of dates whose items are reduced by the same share.
    """
    items = eligible.sort("unit", "event_date", "priority", "item_key")
    blocks = _blocks(slices.join(items.select("unit").unique(), on="unit", how="semi"), items)
    items = items.join(blocks, on=["unit", "event_date"], how="left", maintain_order="left")
    items = items.with_columns(group=starts_run("unit", "block").cum_sum())
    shares = running_shares(items.select("group", "money", weight="balance"))
    return items.select(eligible.columns).with_columns(shares.alias("amount"))


def _blocks(slices: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """One row per unit and date with items: the last date of its block, and the money that the block gets.

    The block that ends on the date with the least credit per balance so far comes first, for what is due until then
    cannot get more; what follows it is divided in the same way among itself.
    """
    sums = [
        slices.select("unit", "event_date", "credit", balance=pl.lit(0, pl.Int64)),
        items.select("unit", "event_date", credit=pl.lit(0, pl.Int64), balance="balance"),
    ]
    dates = pl.concat(sums).group_by("unit", "event_date").agg(pl.col("credit", "balance").sum())
    dates = dates.sort("unit", "event_date").with_columns(
        credit=run_cum_sum(pl.col("credit"), "unit"), due=run_cum_sum(pl.col("balance"), "unit")
    )
    left = dates.filter(pl.col("balance") > 0).drop("balance")
    found = [left.select("unit", "event_date", block="event_date", money="due").clear()]
    while not left.is_empty():
        left = left.with_columns(ratio=ratio_order(pl.col("credit"), pl.col("due")))
        least, is_enough = pl.col("ratio").min().over("unit"), (pl.col("credit") >= pl.col("due")).all().over("unit")
        ends = left.filter(is_enough | (pl.col("ratio") == least)).unique("unit", keep="last", maintain_order=True)
        ends = ends.select(
            "unit",
            block="event_date",
            money=pl.min_horizontal("credit", "due"),
            credit_so_far="credit",
            due_so_far="due",
        )
        left = left.join(ends, on="unit", how="left", maintain_order="left")
        is_inside = pl.col("event_date") <= pl.col("block")
        found.append(left.filter(is_inside).select("unit", "event_date", "block", "money"))
        left = left.filter(~is_inside).select(
            "unit",
            "event_date",
            credit=pl.col("credit") - pl.col("credit_so_far"),
            due=pl.col("due") - pl.col("due_so_far"),
        )
    return pl.concat(found)
