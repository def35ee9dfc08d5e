from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.money import (
    ONE,
    PPM_LIMIT,
    REMAINDER_TREATMENTS,
    format_minor_units,
    installment_amounts,
    largest_remainder,
    minor_units,
    percent_of,
)
from schemas.currencies import AMOUNT_LIMIT

calm = settings(deadline=None)
amounts = st.integers(-AMOUNT_LIMIT, AMOUNT_LIMIT)


def percent(amount: int, ppm: int) -> int:
    frame = pl.DataFrame({"amount": [amount], "ppm": [ppm]})
    return frame.select(percent_of(pl.col("amount"), pl.col("ppm"))).item()


@pytest.mark.parametrize(
    ("amount", "ppm", "expected"),
    [
        (120_000, 100_000, 12_000),  # 10 % of 1200.00
        (9_999, 100_000, 1_000),  # 999.9 rounds up
        (5, 100_000, 1),  # half a cent rounds up
        (-5, 100_000, -1),  # and down for a credit, so that it mirrors its charge
        (4, 100_000, 0),
        (12_345, 0, 0),
        (12_345, ONE, 12_345),
    ],
)
def test_percentage_rounds_half_away_from_zero(amount: int, ppm: int, expected: int) -> None:
    assert percent(amount, ppm) == expected


@calm
@given(amounts, st.integers(-PPM_LIMIT, PPM_LIMIT))
def test_percentage_is_exact_up_to_both_limits(amount: int, ppm: int) -> None:
    exact = (Decimal(amount) * ppm / ONE).quantize(Decimal(1), ROUND_HALF_UP)
    assert percent(amount, ppm) == int(exact)


def test_percentage_takes_one_number_for_all_rows() -> None:
    assert pl.select(percent_of(pl.lit(10_000), 250_000)).item() == 2_500


def installments(total: int, count: int, treatment: str) -> list[int]:
    frame = pl.DataFrame({"total": total, "count": count, "number": range(1, count + 1)})
    amount = installment_amounts(pl.col("total"), pl.col("count"), pl.col("number"), treatment)
    return frame.select(amount.alias("amount"))["amount"].to_list()


@pytest.mark.parametrize(
    ("treatment", "of_1000_in_7", "of_minus_1000_in_7"),
    [
        ("overweight_from_front", [143] * 6 + [142], [-142] + [-143] * 6),
        ("overweight_from_back", [142] + [143] * 6, [-143] * 6 + [-142]),
        ("overweight_first", [148] + [142] * 6, [-142] + [-143] * 6),
        ("overweight_last", [142] * 6 + [148], [-143] * 6 + [-142]),
    ],
)
def test_installments_by_remainder_treatment(treatment, of_1000_in_7, of_minus_1000_in_7) -> None:
    assert installments(1000, 7, treatment) == of_1000_in_7
    assert installments(-1000, 7, treatment) == of_minus_1000_in_7


def test_installments_of_the_specification() -> None:
    assert installments(60_000, 7, "overweight_from_front") == [8572] * 3 + [8571] * 4  # D-PS-1
    assert installments(120_000, 9, "overweight_from_front") == [13_334] * 3 + [13_333] * 6  # D-PP-2


@calm
@given(amounts, st.integers(1, 60), st.sampled_from(REMAINDER_TREATMENTS))
def test_installments_add_up(total: int, count: int, treatment: str) -> None:
    parts = installments(total, count, treatment)
    assert sum(parts) == total
    assert min(parts) == total // count or count == 1


def test_an_unknown_remainder_treatment_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown remainder treatment 'middle'"):
        installments(100, 3, "middle")


def split(*groups: tuple[int, list[int]]) -> list[int]:
    rows = [(number, money, weight) for number, (money, weights) in enumerate(groups) for weight in weights]
    frame = pl.DataFrame(rows, schema={"group": pl.Int64, "money": pl.Int64, "weight": pl.Int64}, orient="row")
    return largest_remainder(frame).to_list()


def naive_split(money: int, weights: list[int]) -> list[int]:
    total = sum(weights) or 1
    floors = [money * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(money * weights[at] % total), at))
    for at in by_remainder[: money - sum(floors)]:
        floors[at] += 1
    return floors


def test_left_over_units_go_to_the_largest_remainders_then_to_the_first() -> None:
    assert split((10_000, [4_000, 4_000, 4_000])) == [3_334, 3_333, 3_333]
    assert split((100, [3, 3, 1])) == [43, 43, 14]
    assert split((0, [5, 7]), (1, [1, 1]), (12, [5, 7])) == [0, 0, 1, 0, 5, 7]
    assert split() == []
    assert split((0, [0, 0])) == [0, 0]


@calm
@given(
    st.lists(
        st.lists(st.integers(0, AMOUNT_LIMIT), min_size=1, max_size=5)
        .filter(any)
        .flatmap(lambda weights: st.tuples(st.integers(0, 2 * AMOUNT_LIMIT), st.just(weights))),
        max_size=6,
    )
)
def test_largest_remainder_equals_the_naive_split_without_overflow(groups) -> None:
    expected = [share for money, weights in groups for share in naive_split(money, weights)]
    assert split(*groups) == expected
    for money, weights in groups:
        shares = naive_split(money, weights)
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share - Fraction(money * weight, sum(weights))) < 1


def test_remainders_too_wide_to_pack_are_ordered_all_the_same() -> None:
    weights = [2**60, 2**60, 1]
    assert split((7, weights), (7, weights)) == naive_split(7, weights) * 2


def read(text: str | None, decimals: int = 2) -> int | None:
    frame = pl.DataFrame({"text": [text], "decimals": [decimals]}, schema={"text": pl.String, "decimals": pl.Int64})
    by_column = frame.select(minor_units(pl.col("text"), pl.col("decimals"))).item()
    assert by_column == frame.select(minor_units(pl.col("text"), decimals)).item()
    return by_column


@pytest.mark.parametrize(
    ("text", "decimals", "expected"),
    [
        ("12.34", 2, 1234),
        ("-0.05", 2, -5),
        ("+7", 2, 700),
        (" 7.5 ", 2, 750),
        ("1.2300", 2, 123),  # zeros beyond the minor unit say nothing
        ("5.00", 0, 5),
        ("0.001", 3, 1),
        ("00012", 2, 1200),
        ("99999999999999.99", 2, 9_999_999_999_999_999),
    ],
)
def test_decimal_text_is_read_exactly(text: str, decimals: int, expected: int) -> None:
    assert read(text, decimals) == expected


@pytest.mark.parametrize("text", [None, "", " ", "x", "1.", ".5", "1,000", "1e3", "--1", "1.2.3", "1 2", "$5", "٣"])
def test_other_text_is_no_amount(text: str | None) -> None:
    assert read(text) is None


@pytest.mark.parametrize(("text", "decimals"), [("1.001", 2), ("0.5", 0), ("1.00001", 4), ("123456789012345", 2)])
def test_money_is_not_rounded_on_the_way_in(text: str, decimals: int) -> None:
    assert read(text, decimals) is None


@calm
@given(amounts, st.integers(0, 4))
def test_text_and_amount_round_trip(amount: int, decimals: int) -> None:
    text = pl.select(format_minor_units(pl.lit(amount), decimals)).item()
    assert Decimal(text) == Decimal(amount).scaleb(-decimals)
    assert read(text, decimals) == amount


def test_amounts_are_written_with_all_decimals() -> None:
    frame = pl.DataFrame({"amount": [-5, 100_000, 0, 1234], "decimals": [2, 2, 2, 3]})
    text = frame.select(text=format_minor_units(pl.col("amount"), pl.col("decimals")))["text"].to_list()
    assert text == ["-0.05", "1000.00", "0.00", "1.234"]
