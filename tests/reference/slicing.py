"""From a charge to its items: which, when, how much (R-CI-25..43, R-CI-55, R-CI-56)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain, islice
from typing import Any

OVERRIDABLE = (
    "has_down_payment",
    "down_payment_percent",
    "down_payment_timing",
    "max_installments",
    "first_installment_timing",
    "out_of_sequence_first_installment",
    "second_installment_timing",
    "one_time_timing",
)
"""R-PO-3."""


@dataclass
class Slice:
    """An item before it has an invoice."""

    item_type: str
    event_date: date
    amount: int
    installment_number: int | None = None
    blackout_violation: bool = False


def effective_plan(plan: dict[str, Any], instruction_type: str) -> dict[str, Any]:
    """The plan with the override for the type of instruction; an empty field of it inherits (R-CI-55)."""
    override = plan.get("overrides", {}).get(instruction_type, {})
    result = dict(plan)
    for setting in OVERRIDABLE:
        if override.get(setting) is not None:
            result[setting] = override[setting]
    if result.get("has_down_payment") and result.get("out_of_sequence_first_installment"):
        message = "a down payment and an out-of-sequence first installment together (R-CI-30)"
        raise ValueError(message)
    return result


def first_periodic_timing(plan: dict[str, Any]) -> tuple[int, str]:
    """What dates the first periodic installment (R-CI-37, R-CI-38)."""
    name = "second" if plan.get("out_of_sequence_first_installment") else "first"
    timing: tuple[int, str] = plan[f"{name}_installment_timing"]
    return timing


def percent_of(amount: int, percent: Any) -> int:
    """A percentage, rounded half up to the minor unit, away from zero for negatives (R-CI-32)."""
    exact = Decimal(amount) * Decimal(str(percent)) / Decimal(100)
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def installment_amounts(total: int, count: int, remainder_treatment: str) -> list[int]:
    """Equal parts, rounded down toward minus infinity, and the remainder by its treatment (R-CI-41, R-CI-42)."""
    base = total // count
    remainder = total - base * count
    amounts = [base] * count
    if remainder_treatment == "overweight_first":
        amounts[0] += remainder
    elif remainder_treatment == "overweight_last":
        amounts[-1] += remainder
    else:
        for position in range(remainder):
            amounts[position if remainder_treatment == "overweight_from_front" else -1 - position] += 1
    return amounts


def installment_dates(
    candidates: Iterator[date], most: int, may_be_placed: Callable[[date], bool]
) -> tuple[list[date], bool]:
    """Event dates of consecutive installments, counted from the first (R-CI-35); at least one (R-CI-36).

    Also whether that one violates the blackout.
    """
    first = next(candidates)
    if not may_be_placed(first):
        return [first], True
    dates = [first]
    while len(dates) < most:
        event_date = next(candidates)
        if not may_be_placed(event_date):
            break
        dates.append(event_date)
    return dates, False


def slice_charge(
    amount: int,
    approach: str,
    plan: dict[str, Any],
    *,
    resolve: Callable[[tuple[int, str]], date],
    periodic_dates: Iterator[date],
    may_be_placed: Callable[[date], bool],
    remainder_treatment: str,
    not_before: date | None = None,
) -> list[Slice]:
    """The items of a charge of a policy period (R-CI-25..43).

    ``plan`` is the effective plan; ``periodic_dates`` the endless series of periodic event dates;
    ``may_be_placed`` says whether the blackout allows the invoice on which an installment would land. Installments
    before ``not_before`` are left out, one on that day made when none is left (R-PS-11).
    """
    if amount == 0:
        return []  # R-CI-43
    if approach == "one_time":
        return [Slice("onetime", resolve(plan["one_time_timing"]), amount)]  # R-CI-25
    if approach == "single_down_payment":  # R-CI-26
        timing = plan["down_payment_timing"] if plan["has_down_payment"] else plan["first_installment_timing"]
        return [Slice("deposit", resolve(timing), amount)]
    if approach == "single_installment":
        return [Slice("installment", resolve(plan["first_installment_timing"]), amount, 1)]  # R-CI-27

    slices = []
    deposit = percent_of(amount, plan["down_payment_percent"]) if plan["has_down_payment"] else 0
    if deposit != 0:
        slices.append(Slice("deposit", resolve(plan["down_payment_timing"]), deposit))
    rest = amount - deposit
    if rest == 0:
        return slices  # R-CI-32: 100 percent

    candidates: Iterator[date] = periodic_dates
    if plan.get("out_of_sequence_first_installment"):  # R-CI-37
        candidates = chain([resolve(plan["first_installment_timing"])], periodic_dates)
    most = plan["max_installments"]
    if not_before is not None:
        ahead = [day for day in islice(candidates, most) if day >= not_before] or [not_before]
        candidates, most = iter(ahead), len(ahead)
    dates, violation = installment_dates(candidates, most, may_be_placed)
    amounts = installment_amounts(rest, len(dates), remainder_treatment)
    for number, (event_date, part) in enumerate(zip(dates, amounts, strict=True), start=1):
        slices.append(Slice("installment", event_date, part, number, violation))
    return slices
