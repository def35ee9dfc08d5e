"""Preferred equity: where the schedule of a policy period leaves it short, and the payment that would cure it.

Everybody is taken to pay on the due date (R-EQT-13). On any day, the money due so far must reach the service provided
plus the preferred days of cover, but never more than all that the period costs (R-EQT-12). Between two days on which
something falls due or the daily cost changes, service grows by the same amount every day, so the days in violation of
such a stretch follow from its ends: no day is looked at one by one.

Amounts are counted in units of 2^-60 of a minor unit in 128 bits. Daily costs are rounded down to a unit, which loses
less than `_TOLERANCE` in any term; two amounts within it are equal.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.equity import provided_from
from ledger.segments import at_run_start, run_cum_sum, starts_run

_UNIT = pl.lit(2**60, dtype=pl.Int128)
_TOLERANCE = pl.lit(2**32, dtype=pl.Int128)


def first_violations(book: Book, period_keys: pl.Series, day: date) -> pl.DataFrame:
    """The first violation of preferred equity of each of these policy periods, and what would cure all of them.

    Only periods whose equity warnings are on (R-EQT-14), from `day` or their first day on, to the end of cover or their
    cancellation. Out, one row per period in violation, sorted by key: period_key, first_violation (first day below),
    violation_end (first day on which it is met again, else the end), cure_amount (minor units: the largest shortfall of
    any day, rounded up), cure_before (the day before which it must be due). Amounts written off are not expected.
    Rules: R-EQT-10, R-EQT-12, R-EQT-13, R-EQT-15.
    """
    periods = _periods_warned(book, period_keys)
    charges = _equity_charges(book, periods)
    return _first_violations(periods, charges, _due_amounts(book, charges), day)


def violations_of_moves(book: Book, moves: pl.DataFrame, day: date) -> pl.DataFrame:
    """The first violation that each move of an item would leave if it were the only one (R-EQT-17, R-ITM-49).

    moves: `move` (a number of its own), item_key and due_date, that of the invoice on which the item would be. Only the
    policy period of the item is looked at, in the book before the moves. Out: `move`, period_key, and the columns of
    `first_violations`.
    """
    items = book["invoice_items"].filter(pl.col("item_key").is_in(moves["item_key"].implode()))
    moves = moves.join(items.select("item_key", "period_key"), on="item_key", how="left", maintain_order="left")
    periods = _periods_warned(book, moves["period_key"])
    charges = _equity_charges(book, periods)
    due = _due_amounts(book, charges)
    # Every move is a case of its own, with the number of the case in place of the period's key.
    cases = moves.select("period_key", "move", moved_item="item_key", moved_to="due_date")
    date_in_case = pl.when(pl.col("item_key") == pl.col("moved_item")).then("moved_to").otherwise("date")
    found = _first_violations(
        periods.join(cases, on="period_key").with_columns(period_key="move"),
        charges.join(cases, on="period_key").with_columns(period_key="move"),
        due.join(cases, on="period_key").with_columns(period_key="move", date=date_in_case),
        day,
    )
    found = found.rename({"period_key": "move"})
    return found.join(moves.select("move", "period_key"), on="move", how="left", maintain_order="left")


def _periods_warned(book: Book, period_keys: pl.Series) -> pl.DataFrame:
    """Those of these policy periods whose equity warnings are on."""
    is_chosen = pl.col("period_key").is_in(period_keys.unique().implode())
    return book["policy_periods"].filter(is_chosen & pl.col("has_equity_warnings"))


def _equity_charges(book: Book, periods: pl.DataFrame) -> pl.DataFrame:
    keys = periods["period_key"].implode()
    return book["charges"].filter(pl.col("period_key").is_in(keys) & pl.col("in_equity"))


def _due_amounts(book: Book, charges: pl.DataFrame) -> pl.DataFrame:
    """What falls due of these charges, and when: period_key, item_key, date, due."""
    items = book["invoice_items"].filter(
        pl.col("charge_key").is_in(charges["charge_key"].implode()) & (pl.col("invoice_key") > 0)
    )
    keys = items["invoice_key"].unique().implode()
    dates = book["invoices"].filter(pl.col("invoice_key").is_in(keys)).select("invoice_key", date="due_date")
    return items.join(dates, on="invoice_key", how="left").select(
        "period_key", "item_key", "date", due=pl.col("amount") - pl.col("written_off")
    )


def _first_violations(periods: pl.DataFrame, charges: pl.DataFrame, due: pl.DataFrame, day: date) -> pl.DataFrame:
    """The first violation of each of these periods with these charges and amounts due (see `first_violations`)."""
    ends = pl.coalesce("cancellation_date", "coverage_end")
    periods = periods.with_columns(from_day=pl.max_horizontal("effective_date", pl.lit(day)), until=ends)
    values = charges.group_by("period_key").agg(value=pl.col("amount").sum()).filter(pl.col("value") > 0)
    periods = periods.filter(pl.col("from_day") < pl.col("until")).join(values, on="period_key", how="inner")
    return _first_and_worst(_violations(_stretches(periods, provided_from(periods, charges), due)))


def _stretches(periods: pl.DataFrame, slices: pl.DataFrame, due: pl.DataFrame) -> pl.DataFrame:
    """Stretches of days with one daily cost on which nothing more falls due, per period in order.

    Out: period_key, date (first day), days, slope (cost of a day), lacking (how much more should be due on the first
    day, without the cap of the whole value; negative when more is), open_value (what of the value is not due by then).
    Money is in units.
    """
    spans = periods.select("period_key", "from_day", "until")
    no_cost, no_money = pl.lit(0, pl.Int128), pl.lit(0, pl.Int64)
    costs = slices.join(periods.select("period_key", "from_day", "until", "coverage_end"), on="period_key", how="inner")
    days_left = pl.max_horizontal((pl.col("coverage_end") - pl.col("starts")).dt.total_days(), 1)
    costs = costs.with_columns(
        slope=pl.col("amount").cast(pl.Int128) * _UNIT // days_left.cast(pl.Int128),
        date=pl.max_horizontal("starts", "from_day"),
    )
    provided = pl.col("slope") * (pl.col("date") - pl.col("starts")).dt.total_days()
    due = due.join(spans, on="period_key", how="inner").with_columns(date=pl.max_horizontal("date", "from_day"))
    columns = ("period_key", "until", "date")
    marks = pl.concat(
        [
            costs.select(*columns, "slope", provided=provided, due=no_money),
            due.select(*columns, slope=no_cost, provided=no_cost, due="due"),
            spans.select("period_key", "until", date="from_day", slope=no_cost, provided=no_cost, due=no_money),
        ]
    )
    # Of several marks on one day only the last begins a stretch: the others have no days.
    marks = marks.filter(pl.col("date") < pl.col("until")).sort("period_key", "date")
    is_last = (pl.col("period_key") != pl.col("period_key").shift(-1)).fill_null(value=True)
    marks = marks.with_columns(
        run_cum_sum(pl.col("slope"), "period_key"),
        run_cum_sum(pl.col("due"), "period_key"),
        days=(pl.when(is_last).then("until").otherwise(pl.col("date").shift(-1)) - pl.col("date")).dt.total_days(),
    )
    facts = periods.select("period_key", "coverage_end", "effective_date", "min_equity_days", "value")
    marks = marks.join(facts, on="period_key", how="left", maintain_order="left")
    term_days = (pl.col("coverage_end") - pl.col("effective_date")).dt.total_days().cast(pl.Int128)
    value = pl.col("value").cast(pl.Int128) * _UNIT
    preferred = value * pl.col("min_equity_days") // term_days
    growth = pl.col("slope") * pl.col("days")
    before = run_cum_sum(pl.col("provided"), "period_key") + run_cum_sum(growth, "period_key") - growth
    paid_by_then = pl.col("due").cast(pl.Int128) * _UNIT
    return marks.select(
        "period_key",
        "date",
        "days",
        "slope",
        lacking=preferred + before - paid_by_then,
        open_value=value - paid_by_then,
    )


def _violations(stretches: pl.DataFrame) -> pl.DataFrame:
    """Days in violation, at most one range per stretch: period_key, starts, ends (exclusive), worst (units)."""
    slope, lacking, days = pl.col("slope"), pl.col("lacking"), pl.col("days")
    rises = slope > 0
    size = pl.max_horizontal(slope.abs(), pl.lit(1, pl.Int128))
    is_short = lacking > _TOLERANCE
    first = pl.when(is_short).then(0).when(rises).then((_TOLERANCE - lacking) // size + 1)
    while_short = pl.when(slope < 0).then((lacking - _TOLERANCE - 1) // size).otherwise(days - 1)
    last = pl.when(rises).then(days - 1).otherwise(pl.min_horizontal(days - 1, while_short))
    found = stretches.with_columns(first=first.cast(pl.Int128), last=last.cast(pl.Int64)).filter(
        (pl.col("first") < days) & (pl.col("open_value") > _TOLERANCE)
    )
    on_worst_day = lacking + pl.when(rises).then(slope * (days - 1)).otherwise(0)
    return found.select(
        "period_key",
        starts=pl.col("date") + pl.duration(days=pl.col("first").cast(pl.Int64)),
        ends=pl.col("date") + pl.duration(days=pl.col("last") + 1),
        worst=pl.min_horizontal(on_worst_day, "open_value"),
    )


def _first_and_worst(violations: pl.DataFrame) -> pl.DataFrame:
    """Per period: ranges that follow each other without a day between them are one; the first, and the worst of all."""
    is_first = starts_run("period_key")
    is_new = is_first | (pl.col("starts") != pl.col("ends").shift(1)).fill_null(value=True)
    number = is_new.cast(pl.Int64).cum_sum()
    ranges = violations.with_columns(is_of_first=number == at_run_start(number, "period_key"))
    return (
        ranges.group_by("period_key")
        .agg(
            first_violation=pl.col("starts").min(),
            violation_end=pl.col("ends").filter("is_of_first").max(),
            cure_amount=-((_TOLERANCE - pl.col("worst").max()) // _UNIT).cast(pl.Int64),
        )
        .with_columns(cure_before="first_violation")
        .sort("period_key")
    )
