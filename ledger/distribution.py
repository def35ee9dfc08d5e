"""The distribution kernel: which payment pays how much of which item, for any number of payers at once.

Only the arithmetic of sharing is here (R-DST-04 to R-DST-09). Which items are eligible and in what order is decided by
the payment allocation plan (`ledger.allocation`); what is booked is decided by `ledger.payments`.

The items of all pools lie end to end on one axis of money, in the order in which they are paid. A payment covers the
stretch of its pool that begins where the payment before it ended. The end points of the stretches and of the tie
groups cut the axis into segments, each of one payment and one tie group: so much of the waterfall needs neither a loop
nor a window. What is left is how a segment divides among the items of its tie group: at once when it covers the whole
group or the group is one item, otherwise pro rata to the cent, in rounds, because a later payment sees the balances
that an earlier one left.
"""

from __future__ import annotations

from typing import cast

import polars as pl

from ledger.money import largest_remainder_of
from ledger.segments import ends_run, place_in_run, run_cum_sum, starts_run

APPLIED = pl.Schema({"payment": pl.Int64, "item": pl.Int64, "amount": pl.Int64})
"""What the kernel returns: payment, item, and the minor units that the one applies to the other."""
AXIS_LIMIT = 2**62
"""The balances of all items, and the amounts of all payments, of one call add up to less than this."""

ROW_LIMIT = 2**31
"""A call has fewer payments and fewer items than this."""


def distribute(payments: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Apply payments to items, pool by pool, earlier tie groups first, pro rata within a tie group.

    payments: pool, payment (unique id), amount (minor units, more than 0); within a pool they pay in the order of their
    rows. items: pool, rank (tie group within the pool, lower is paid first), item (id, unique in the pool), balance
    (minor units, more than 0); in any order. Pools without items or without payments are left alone.

    Returns payment, item, amount (more than 0), ordered by pool, then payment, then rank and item. A payment applies
    the lesser of its amount and what the payments before it left of its pool (R-DST-04, R-DST-09). Items of one rank
    share what reaches them in proportion to their balances, cents by largest remainder, ties to the smaller item id
    (R-DST-06, R-DST-07).

    Raises ValueError when an amount or a balance is not more than 0, a tie group has an item twice, or the sums are
    too large.
    """
    if payments.is_empty() or items.is_empty():
        return APPLIED.to_frame()
    items = _in_paying_order(items)
    payments = payments if payments["pool"].is_sorted() else payments.sort("pool", maintain_order=True)
    _check(payments, items)
    items = items.select(
        "pool",
        "item",
        "balance",
        end=pl.col("balance").cum_sum(),
        group=starts_run("pool", "rank").cum_sum() - 1,
    )
    groups = _tie_groups(items)
    segments = _segments(_stretches(payments, items), groups)
    is_whole_group = pl.col("money") == pl.col("group_end") - pl.col("group_start")
    whole = _pay_whole_groups(segments.filter(is_whole_group), groups, items)
    parts = segments.filter(~is_whole_group)
    is_one_item = pl.col("first_row") == pl.col("last_row")
    single = parts.filter(is_one_item).select("payment", row="first_row", amount="money")
    shared = _share_in_rounds(parts.filter(~is_one_item), items)
    order = pl.col("payment").cast(pl.Int64) * ROW_LIMIT + pl.col("row").cast(pl.Int64)
    applied = pl.concat([whole, single, *shared]).sort(order)
    return applied.select(
        payments["payment"].cast(pl.Int64).gather(applied["payment"]).alias("payment"),
        items["item"].cast(pl.Int64).gather(applied["row"]).alias("item"),
        "amount",
    )


def _in_paying_order(items: pl.DataFrame) -> pl.DataFrame:
    """Sort by pool, rank and item unless they are so already; raises ValueError when a tie group has an item twice."""
    before = {name: pl.col(name).shift(1) for name in ("pool", "rank", "item")}
    same_pool = pl.col("pool") == before["pool"]
    same_group = same_pool & (pl.col("rank") == before["rank"])
    ascends = (
        (pl.col("pool") > before["pool"])
        | (same_pool & (pl.col("rank") > before["rank"]))
        | (same_group & (pl.col("item") > before["item"]))
    ).all()
    if items.select(ascends).item():
        return items
    items = items.sort("pool", "rank", "item")
    if not items.select(ascends).item():
        msg = "an item stands twice in its tie group"
        raise ValueError(msg)
    return items


def _check(payments: pl.DataFrame, items: pl.DataFrame) -> None:
    """Refuse what the axis cannot hold: amounts of 0 or less, sums of 2**62 or more."""
    for frame, column in ((payments, "amount"), (items, "balance")):
        assert frame.height < ROW_LIMIT, "the place of a payment and of an item share one 64-bit sort key"
        smallest, largest = cast("tuple[int, int]", (frame[column].min(), frame[column].max()))
        if smallest <= 0:
            msg = f"{column} {smallest}: payments and items of a distribution are more than 0"
            raise ValueError(msg)
        if largest * frame.height >= AXIS_LIMIT and int(frame[column].cast(pl.Int128).sum()) >= AXIS_LIMIT:
            msg = f"the {column}s of one distribution add up to 2**62 or more"
            raise ValueError(msg)


def _tie_groups(items: pl.DataFrame) -> pl.DataFrame:
    """One row per tie group in paying order: where on the axis, and in which rows of the items, it starts and ends."""
    groups = items.select("group", "end", last_row=pl.int_range(pl.len(), dtype=pl.UInt32)).filter(ends_run("group"))
    return groups.select(
        "group",
        "last_row",
        group_end="end",
        group_start=pl.col("end").shift(1, fill_value=0),
        first_row=(pl.col("last_row") + 1).shift(1, fill_value=0),
    )


def _stretches(payments: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Which stretch of the axis each payment covers; payments that find nothing left are dropped."""
    pools = items.select("pool", "end").filter(ends_run("pool"))
    pools = pools.select("pool", high="end", low=pl.col("end").shift(1, fill_value=0))
    paid = payments.select("pool", "amount", payment=pl.int_range(pl.len(), dtype=pl.UInt32))
    paid = paid.join(pools, on="pool", how="inner", maintain_order="left")
    paid = paid.with_columns(reach=pl.col("low") + run_cum_sum(pl.col("amount"), "pool"))
    paid = paid.select(
        "payment",
        covered_from=pl.min_horizontal(pl.col("reach") - pl.col("amount"), "high"),
        position=pl.min_horizontal("reach", "high"),
    )
    return paid.filter(pl.col("position") > pl.col("covered_from"))


def _segments(stretches: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Cut the axis at every end of a stretch or of a tie group; keep what a payment covers."""
    none = pl.lit(None)
    marks = pl.concat(
        [
            stretches.select("payment", "covered_from", "position", group=none.cast(pl.UInt32)),
            groups.select(
                payment=none.cast(pl.UInt32), covered_from=none.cast(pl.Int64), position="group_end", group="group"
            ),
        ]
    ).sort("position")
    # Where a stretch and a group end together there are two marks, in any order: filled upward, both say the same
    # payment and group, and the second one makes a segment without money.
    marks = marks.select(
        pl.col("payment", "covered_from", "group").backward_fill(),
        money=pl.col("position") - pl.col("position").shift(1, fill_value=0),
        start=pl.col("position").shift(1, fill_value=0),
    )
    segments = marks.filter((pl.col("money") > 0) & (pl.col("covered_from") <= pl.col("start")))
    at = segments["group"]
    return segments.select(
        "payment",
        "group",
        "money",
        "start",
        *(groups[name].gather(at) for name in ("group_start", "group_end", "first_row", "last_row")),
    )


def _pay_whole_groups(whole: pl.DataFrame, groups: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Tie groups that one payment pays in full: each item gets its balance."""
    payer_of_group = pl.repeat(None, groups.height, dtype=pl.UInt32, eager=True).scatter(
        whole["group"], whole["payment"]
    )
    paid = items.select(
        payer_of_group.gather(items["group"]).alias("payment"),
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
        amount="balance",
    )
    return paid.filter(pl.col("payment").is_not_null())


def _share_in_rounds(parts: pl.DataFrame, items: pl.DataFrame) -> list[pl.DataFrame]:
    """Tie groups of several items, paid partly or by several payments: round k applies the k-th payment of each."""
    parts = parts.with_columns(round=place_in_run("group"))
    groups = parts.filter(pl.col("round") == 0).select("group")
    open_items = items.select("group", "balance", row=pl.int_range(pl.len(), dtype=pl.UInt32))
    open_items = open_items.join(groups, on="group", how="semi", maintain_order="left")
    rounds = []
    for now in parts.partition_by("round", maintain_order=True):
        due = open_items.join(
            now.select("group", "payment", "money", total=pl.col("group_end") - pl.col("start")),
            on="group",
            how="inner",
            maintain_order="left",
        )
        due = due.with_columns(amount=largest_remainder_of(due.select("group", "money", "total", weight="balance")))
        rounds.append(due.filter(pl.col("amount") > 0).select("payment", "row", "amount"))
        open_items = due.select("group", "row", balance=pl.col("balance") - pl.col("amount"))
        open_items = open_items.filter(pl.col("balance") > 0)
    return rounds
