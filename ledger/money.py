"""Money: whole minor units of a currency, and every way in which an amount is divided or rounded.

Amounts are 64-bit integers. Nothing else in the ledger multiplies, divides or rounds money, so that the cents that a
division leaves over are decided here only: percentages round half away from zero, once; instalments round toward minus
infinity and hand out what is left (R-CI-41, R-CI-42); shares by weight take the largest remainder (R-DST-07).

Bounds. One amount is at most `schemas.currencies.AMOUNT_LIMIT` = 10**10. An amount times parts per million is then at
most 10**16 for 100 %, inside 64 bits up to PPM_LIMIT. A product of two amounts may reach 10**20 and is computed in 128
bits when the data need it.
"""

from __future__ import annotations

from typing import Literal, cast, get_args

import polars as pl

from ledger.segments import at_run_start, place_in_run, run_cum_sum, run_number, run_sum, starts_run

ONE = 1_000_000
"""Parts per million that make the whole: 100 %."""
PPM_LIMIT = 900 * ONE
"""Largest percentage that `percent_of` takes: 90 000 %. AMOUNT_LIMIT times this stays below 2**63."""
MAX_DECIMALS = 4
"""Most decimals that a minor unit may have."""

RemainderTreatment = Literal["overweight_from_front", "overweight_from_back", "overweight_first", "overweight_last"]
REMAINDER_TREATMENTS: tuple[RemainderTreatment, ...] = get_args(RemainderTreatment)
_INT64_LIMIT = 2**63
_RATIO_BITS = 80
_WHOLE_DIGITS = 14
_DECIMAL_TEXT = rf"^\s*[+-]?[0-9]{{1,{_WHOLE_DIGITS}}}(?:\.[0-9]{{1,{MAX_DECIMALS}}}0*)?\s*$"


def percent_of(amount: pl.Expr, ppm: pl.Expr | int) -> pl.Expr:
    """A percentage of an amount, rounded half away from zero to the minor unit (R-CI-32, R-PP-3, R-INC-04).

    amount: minor units, at most AMOUNT_LIMIT either way. ppm: parts per million of 100 % (10 % is 100 000), at most
    PPM_LIMIT either way. The rounding of -x is minus the rounding of x, so that a credit mirrors its charge.
    """
    product = amount * (pl.lit(ppm, pl.Int64) if isinstance(ppm, int) else ppm.cast(pl.Int64))
    return (product.abs() + ONE // 2) // ONE * product.sign()


def part_of(amount: pl.Expr, part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """A part of an amount, such as the days of cover that have passed, rounded half away from zero (R-TXN-30).

    amount: minor units, at most AMOUNT_LIMIT either way. part: 0 to whole. whole: above 0, at most 10**8. The part of
    -x is minus the part of x, and the whole of an amount is the amount.
    """
    return (2 * amount.abs() * part + whole) // (2 * whole) * amount.sign()


def installment_amounts(total: pl.Expr, count: pl.Expr, number: pl.Expr, treatment: RemainderTreatment) -> pl.Expr:
    """Amount of one of `count` equal installments of a total (R-CI-41, R-CI-42).

    total: minor units, any sign. count: installments, at least 1. number: which one, from 1 to count. Each is the total
    divided by the count, rounded toward minus infinity; the remainder, 0 to count - 1 minor units, goes one each to the
    installments from the front or from the back, or as a whole to the first or to the last. The count installments of a
    total add up to it.
    """
    each = total // count
    left = total - each * count
    match treatment:
        case "overweight_from_front":
            extra = (number <= left).cast(pl.Int64)
        case "overweight_from_back":
            extra = (number > count - left).cast(pl.Int64)
        case "overweight_first":
            extra = pl.when(number == 1).then(left).otherwise(0)
        case "overweight_last":
            extra = pl.when(number == count).then(left).otherwise(0)
        case _:
            msg = f"unknown remainder treatment {treatment!r}; one of {', '.join(REMAINDER_TREATMENTS)}"
            raise ValueError(msg)
    return each + extra


def largest_remainder(shares: pl.DataFrame) -> pl.Series:
    """Split money by weight to the minor unit, the left-over units to the largest remainders (R-DST-06, R-DST-07).

    shares: columns group, money (minor units, 0 or more, the same on all rows of a group) and weight (0 or more, not
    all 0 in a group with money), sorted by group and, within it, by the id that wins a tie of remainders. Returns the
    share of each row, in the order of the rows: floor(money * weight / total weight) or one more; a group's shares add
    up to its money, and no share exceeds its weight while the money is at most the total weight.
    """
    split = shares.select(
        "group",
        "money",
        "weight",
        total=pl.when(run_sum(pl.col("weight"), "group") > 0).then(run_sum(pl.col("weight"), "group")).otherwise(1),
    )
    return largest_remainder_of(split)


def largest_remainder_of(split: pl.DataFrame) -> pl.Series:
    """The same as `largest_remainder` when column `total`, the total weight of the group, is known already."""
    if split.is_empty():
        return pl.Series("share", [], pl.Int64)
    wide = _largest(split, "money") * _largest(split, "weight") >= _INT64_LIMIT
    product = pl.col("money").cast(pl.Int128 if wide else pl.Int64) * pl.col("weight")
    split = split.with_columns(
        share=(product // pl.col("total")).cast(pl.Int64),
        remainder=(product % pl.col("total")).cast(pl.Int64),
    )
    split = split.with_columns(missing=pl.col("money") - run_sum(pl.col("share"), "group"))
    short = split.select("group", "remainder", "missing", row=pl.int_range(pl.len(), dtype=pl.UInt32)).filter(
        pl.col("missing") > 0
    )
    short = _by_remainder(short, _largest(split, "total")).with_columns(place=pl.int_range(pl.len(), dtype=pl.Int64))
    short = short.filter(pl.col("place") - at_run_start(pl.col("place"), "group") < pl.col("missing"))
    share = split["share"]
    return share.scatter(short["row"], share.gather(short["row"]) + 1)


def shares_from_front(split: pl.DataFrame) -> pl.Series:
    """Split money by weight to the minor unit, the left-over units one each from the first row on (R-PO-6).

    split: columns group, money (minor units, 0 or more, the same on all rows of a group) and weight (any sign, those of
    a group do not sum to 0), sorted by group and, within it, by the order in which rows take left-over units. Returns
    the share of each row, in the order of the rows: floor(money * weight / total weight) or one more; a group's shares
    add up to its money.
    """
    total = run_sum(pl.col("weight"), "group")
    shares = split.with_columns(share=(pl.col("money").cast(pl.Int128) * pl.col("weight") // total).cast(pl.Int64))
    left = pl.col("money") - run_sum(pl.col("share"), "group")
    return shares.select(share=pl.col("share") + (place_in_run("group") < left).cast(pl.Int64)).to_series()


def running_shares(split: pl.DataFrame) -> pl.Series:
    """Split money by weight to the minor unit so that it never runs ahead: the running total is rounded down.

    split: columns group, money (minor units, 0 or more, the same on all rows of a group) and weight (more than 0),
    sorted by group and by the order in which rows are served. Returns the share of each row, in the order of the rows;
    the last row of a group takes what is left, so that a group's shares add up to its money (R-RPP-21).
    """
    total = run_sum(pl.col("weight"), "group")
    served = (pl.col("money").cast(pl.Int128) * run_cum_sum(pl.col("weight"), "group") // total).cast(pl.Int64)
    served = pl.when(total > 0).then(served).otherwise(0)
    shares = split.select("group", served=served)
    before = pl.when(starts_run("group")).then(0).otherwise(pl.col("served").shift(1))
    return shares.select(share=pl.col("served") - before).to_series()


def ratio_order(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """A number that orders fractions part / whole exactly: equal fractions are equal, a smaller one is smaller.

    part: 0 or more, below 2**46. whole: 1 or more, below 2**40, or two fractions might look alike.
    """
    return part.cast(pl.Int128) * pl.lit(2**_RATIO_BITS, pl.Int128) // whole


def _by_remainder(short: pl.DataFrame, largest_total: int) -> pl.DataFrame:
    """Rows by group, largest remainder first, equal remainders in the order in which they stand."""
    short = short.with_columns(number=run_number("group"))
    bits = largest_total.bit_length()
    if short.is_empty() or (int(short["number"][-1]) + 1) << bits >= _INT64_LIMIT:
        return short.sort("number", "remainder", descending=[False, True], maintain_order=True)
    # A remainder is below 2**bits, so the group and the inverted remainder fit into one integer: sorting is 4x faster.
    packed = (pl.col("number") + 1) * 2**bits - pl.col("remainder")
    return short.sort(packed, maintain_order=True)


def _largest(frame: pl.DataFrame, column: str) -> int:
    return int(cast("int", frame[column].max()))


def minor_units(text: pl.Expr, decimals: pl.Expr | int) -> pl.Expr:
    """Read decimal text as whole minor units, exactly; null when it is no such number.

    text: an optional sign, 1 to 14 digits, and optionally a point and more digits ("-1234.5"); surrounding blanks are
    ignored. decimals: how many decimals the minor unit has, 0 to MAX_DECIMALS. Digits beyond the minor unit must be
    zeros: money is not rounded on the way in. No thousands separators, no exponent.
    """
    decimals = pl.lit(decimals, dtype=pl.Int64) if isinstance(decimals, int) else decimals
    number = pl.when(text.str.contains(_DECIMAL_TEXT)).then(text.str.strip_chars())
    finest_units = (number.cast(pl.Decimal(18, MAX_DECIMALS), strict=False) * 10**MAX_DECIMALS).cast(pl.Int64)
    cut = pl.lit(10, dtype=pl.Int64).pow((MAX_DECIMALS - decimals).cast(pl.UInt32))
    return pl.when(finest_units % cut == 0).then(finest_units // cut)


def format_minor_units(amount: pl.Expr, decimals: pl.Expr | int) -> pl.Expr:
    """Write minor units as decimal text with all decimals of the currency: -5 cents is "-0.05"."""
    scale = _power_of_ten(decimals)
    sign = pl.when(amount < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole = (amount.abs() // scale).cast(pl.String)
    # With the digit of the scale in front the fraction keeps its leading zeros: 100 + 5 is "105", of which "05" counts.
    fraction = (amount.abs() % scale + scale).cast(pl.String).str.slice(1)
    point = pl.when(fraction.str.len_bytes() > 0).then(pl.lit(".")).otherwise(pl.lit(""))
    return pl.concat_str(sign, whole, point, fraction)


def _power_of_ten(decimals: pl.Expr | int) -> pl.Expr:
    if isinstance(decimals, int):
        return pl.lit(10**decimals, pl.Int64)
    return pl.lit(10, pl.Int64).pow(decimals.cast(pl.UInt32))
