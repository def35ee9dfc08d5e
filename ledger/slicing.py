"""Slicing: from a charge to its invoice items, their event dates and amounts (R-CI-20..43).

Which installments a charge gets depends on the invoices they would land on (blackout), so slicing has two halves:
`candidate_items` proposes dated items, placement finds their invoices, `settle_items` keeps those allowed and divides
the money.
"""

from __future__ import annotations

import polars as pl

from ledger.calendar import days_of_half_month, slot_date, slot_on_or_after
from ledger.money import RemainderTreatment, installment_amounts, percent_of
from ledger.segments import place_in_run
from ledger.terms import event_date

_BY_INSTALLMENTS = pl.col("invoicing_approach") == "down_payment_and_installments"
_CANDIDATE = ("charge_key", "item_type", "installment_number", "event_date", "amount")


def candidate_items(charges: pl.DataFrame) -> pl.DataFrame:
    """Propose the items of charges: down payments and single items with their amount, installments still without.

    In: charges with terms and stream. Out: `charge_key`, `item_type`, `installment_number` (0 unless installment),
    `event_date`, `amount` (null for an installment that `settle_items` decides), sorted by charge, type and number.
    Zero-amount charges propose nothing. Rules: R-CI-25..32, R-CI-37..40, R-CI-43.
    """
    charges = charges.filter(pl.col("amount") != 0)
    by_installments = charges.filter(_BY_INSTALLMENTS)
    parts = [
        _single_items(charges.filter(~_BY_INSTALLMENTS)),
        _down_payments(by_installments),
        _installments(by_installments.filter(_rest() != 0)),
    ]
    return pl.concat(parts).sort("charge_key", "installment_number")


def _down_payment() -> pl.Expr:
    """R-CI-32: the percentage, half up; nothing without a down payment."""
    share = percent_of(pl.col("amount"), pl.col("down_payment_ppm").cast(pl.Int64))
    return pl.when(pl.col("has_down_payment")).then(share).otherwise(0)


def _rest() -> pl.Expr:
    return pl.col("amount") - _down_payment()


def _single_items(charges: pl.DataFrame) -> pl.DataFrame:
    """R-CI-25..28: one-time, single down payment, single installment."""
    approach = pl.col("invoicing_approach")
    is_deposit = approach == "single_down_payment"
    is_installment = approach == "single_installment"
    return charges.select(
        "charge_key",
        item_type=pl.when(is_deposit)
        .then(pl.lit("deposit"))
        .when(is_installment)
        .then(pl.lit("installment"))
        .otherwise(pl.lit("onetime")),
        installment_number=is_installment.cast(pl.Int64),
        event_date=pl.when(is_deposit & pl.col("has_down_payment"))
        .then(event_date("down_payment"))
        .when(is_deposit | is_installment)
        .then(event_date("first_installment"))
        .otherwise(event_date("one_time")),
        amount="amount",
    )


def _down_payments(charges: pl.DataFrame) -> pl.DataFrame:
    return charges.filter(_down_payment() != 0).select(
        "charge_key",
        item_type=pl.lit("deposit"),
        installment_number=pl.lit(0, pl.Int64),
        event_date=event_date("down_payment"),
        amount=_down_payment(),
    )


def _installments(charges: pl.DataFrame) -> pl.DataFrame:
    """As many installments as the plan allows, dated: R-CI-37..40.

    The regular series starts on the stream's first date on or after the plan's date and steps in whole intervals. A
    plan that is not aligned counts from its own date. An out-of-sequence first installment keeps its own date.
    """
    first_date = pl.col("first_periodic_date")
    unaligned = ~pl.col("align_installments")
    is_half_month = pl.col("periodicity") == "twice_per_month"
    day = first_date.dt.day().cast(pl.Int64)
    lower_half, upper_half = days_of_half_month(day)
    lower_day = pl.when(is_half_month).then(lower_half).otherwise(day)
    upper_day = pl.when(is_half_month).then(upper_half).otherwise(day)
    series = charges.with_columns(
        anchor_date=pl.when(unaligned).then(first_date).otherwise(pl.col("anchor_date")),
        anchor_day=pl.when(unaligned).then(lower_day).otherwise(pl.col("anchor_day")),
        second_anchor_day=pl.when(unaligned).then(upper_day).otherwise(pl.col("second_anchor_day")),
    ).select(
        "charge_key",
        *("periodicity", "anchor_date", "anchor_day", "second_anchor_day", "has_second_installment"),
        pl.col("interval_slots").cast(pl.Int64),
        first_slot=slot_on_or_after(first_date),
        own_date=event_date("first_installment"),
        installment_number=pl.int_ranges(1, pl.col("max_installments").cast(pl.Int64) + 1),
    )
    numbered = series.explode("installment_number", empty_as_null=False)
    number = pl.col("installment_number")
    out_of_sequence = pl.col("has_second_installment").cast(pl.Int64)
    slot = pl.col("first_slot") + (number - 1 - out_of_sequence) * pl.col("interval_slots")
    is_out_of_sequence = pl.col("has_second_installment") & (number == 1)
    return numbered.select(
        "charge_key",
        item_type=pl.lit("installment"),
        installment_number="installment_number",
        event_date=pl.when(is_out_of_sequence).then("own_date").otherwise(slot_date(slot)),
        amount=pl.lit(None, pl.Int64),
    )


def settle_items(charges: pl.DataFrame, placed: pl.DataFrame, remainder: RemainderTreatment) -> pl.DataFrame:
    """Keep the installments that the blackout allows and divide what the down payment leaves among them.

    In: charges with terms; candidates after placement. Out: the items kept, each with its amount, `item_no` (place
    among the items of its charge, from 1) and `blackout_violation`. An installment is allowed while its invoice is
    billed (or due) on or before the end of cover less the blackout days; counting stops at the first that is not. At
    least one is kept, for a charge is never lost; that one is marked. Rules: R-CI-33..36, R-CI-41, R-CI-42. `remainder`
    is the carrier's treatment of odd minor units.
    """
    rest = charges.filter(_BY_INSTALLMENTS).select(
        "charge_key",
        rest=_rest(),
        limit=pl.col("coverage_end") - pl.duration(days=pl.col("blackout_days").fill_null(0).cast(pl.Int64)),
        by_due_date=(pl.col("blackout_basis") == "due").fill_null(value=False),
    )
    open_items = pl.col("amount").is_null()
    installments = placed.filter(open_items).join(rest, on="charge_key", how="left", maintain_order="left")
    basis = pl.when(pl.col("by_due_date")).then(pl.col("due_date")).otherwise(pl.col("bill_date"))
    number = pl.col("installment_number")
    is_beyond = basis > pl.col("limit")
    counts = installments.group_by("charge_key").agg(
        n=(number.filter(is_beyond).min() - 1).fill_null(number.max()).clip(lower_bound=1)
    )
    kept = installments.join(counts, on="charge_key", how="left", maintain_order="left").filter(number <= pl.col("n"))
    divided = kept.with_columns(
        amount=installment_amounts(pl.col("rest"), pl.col("n"), number, remainder), blackout_violation=is_beyond
    )
    whole = placed.filter(~open_items).with_columns(blackout_violation=pl.lit(value=False))
    items = pl.concat([whole, divided.select(whole.columns)]).sort("charge_key", "installment_number")
    return items.with_columns(item_no=place_in_run("charge_key") + 1)
