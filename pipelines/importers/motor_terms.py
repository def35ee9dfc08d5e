"""Motor insurance terms: one row per vehicle and term of cover, with its premium, as a policy system might export them.

Columns: object_id (the vehicle, a whole number), insr_begin and insr_end (first and last day of cover), premium (of the
term, in the carrier's currency). The vehicle is policy and account in one, for nothing says who owns it. Terms of a
vehicle are taken in order of their dates, each against the one before:

- the first is new business; one that begins when cover ends is a renewal, which comes in 20 days ahead;
- up to 30 days later it is a rewrite after a lapse, later than that new business on the same policy;
- one that begins while the one before still covers cancels it on that day, and returns its premium pro rata by day,
  half up; then it is a rewrite;
- the same dates again are an additional premium on the term, unless the whole row is the same: then it is the same
  instruction a second time, which the ledger counts as a duplicate;
- a premium of zero gives a term without a charge. A premium above the carrier's `largest_charge` lands as it is, and
  the ledger refuses it (E-CHARGE-LIMIT).

The file has no payments and no payment plans. Each vehicle gets a plan, and pays, by its number (`pipelines.draws`,
`pipelines.behaviour`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from ledger.carrier import Carrier
from ledger.money import format_minor_units
from ledger.segments import place_in_run
from pipelines.behaviour import payments_for
from pipelines.draws import Draws
from pipelines.homes import HomeError
from pipelines.importers.conversion import Conversion, read_columns
from pipelines.schedule import days_between, expected_bills, part_of
from schemas.currencies import MINOR_UNIT_DECIMALS

SEED = 20_140_708
COLUMNS = pl.Schema(
    {"object_id": pl.String(), "insr_begin": pl.Date(), "insr_end": pl.Date(), "premium": pl.Decimal(18, 2)}
)
"""The columns that a file must have. Others only tell whether two rows are the same."""
DERIVED = ("term_id", "term_seq", "gap_days", "term_days")
"""Columns that number rows or follow from others, so that two equal rows may differ in them."""
_RENEWED_AHEAD, _SHORT_LAPSE, _WHOLE_YEAR = 20, 30, 300
"""Days: from the instruction to the renewal; without cover until a rewrite is new business; of a term that is paid in
instalments."""
_MOST_INSTALLMENTS = 12
_NAMES_POLICY = 500
_VEHICLE = "vehicle"
_TERM = ("vehicle", "begin", "end")


def convert_motor_terms(file: Path, carrier: Carrier) -> Conversion:
    """Landing rows of a file of motor insurance terms, with payments as the vehicles' manners of paying have it.

    Raises HomeError when the file cannot be read so, or the carrier has no payment plan for it.
    """
    rows = _read(file, carrier)
    distinct, copies = _put_copies_aside(rows)
    terms = _terms(distinct, carrier)
    added = _added_premiums(distinct, terms)
    cancelled = _cancellations(terms, added)
    charged = pl.concat([cancelled, terms, added], how="diagonal").sort(_VEHICLE, "term_number", "sequence", "row")
    charged = charged.with_columns(sequence=place_in_run(_VEHICLE))
    repeated = copies.join(charged.filter(pl.col("row") > 0), on="row", how="inner", maintain_order="left")
    payments = _payments(charged, terms, cancelled, carrier)
    landed = pl.concat([charged, repeated.select(charged.columns)])
    decimals = MINOR_UNIT_DECIMALS[carrier.currency]
    return Conversion(
        tables={
            "billing_instructions": _instruction_rows(landed),
            "charges": _charge_rows(landed, decimals),
            "payments": _payment_rows(payments, decimals),
        },
        counts=_counts(rows, charged, repeated, payments, carrier),
    )


def _read(file: Path, carrier: Carrier) -> pl.DataFrame:
    """Rows with vehicle, begin, end (first day without cover) and amount in minor units."""
    rows = read_columns(file, COLUMNS)
    vehicle = pl.col("object_id").str.strip_chars()
    if not rows.select(vehicle.str.contains(r"^[0-9]{1,18}$").all()).item():
        msg = f"{file}: an object_id is no whole number"
        raise HomeError(msg)
    scale = 10 ** MINOR_UNIT_DECIMALS[carrier.currency]
    return rows.with_columns(
        vehicle=vehicle.cast(pl.Int64),
        begin=pl.col("insr_begin"),
        end=pl.col("insr_end") + pl.duration(days=1),
        amount=(pl.col("premium") * scale).cast(pl.Int64),
    )


def _put_copies_aside(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows without those that are the same in everything, and, for each row too many, which row it repeats.

    Rows are numbered (`row`) in order of vehicle and dates.
    """
    first = [*_TERM, *(name for name in ("term_id",) if name in rows.columns)]
    contents = [*_TERM, *(name for name in rows.columns if name not in (*_TERM, *DERIVED))]
    ordered = rows.sort(*contents, nulls_last=True).with_columns(
        content=pl.struct(contents).rank("dense").cast(pl.Int64)
    )
    distinct = ordered.unique("content", keep="first", maintain_order=True).sort(*first, "content")
    distinct = distinct.with_columns(row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    times = ordered.group_by("content").len("times").filter(pl.col("times") > 1)
    copies = (
        distinct.join(times, on="content", how="inner", maintain_order="left")
        .select("row", place=pl.int_ranges(1, pl.col("times").cast(pl.Int64)))
        .explode("place", empty_as_null=False)
        .select("row")
    )
    return distinct.select("row", *_TERM, "amount"), copies


def _terms(distinct: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """The terms as instructions, numbered per vehicle, each with how it follows the one before (`kind`)."""
    terms = distinct.unique(_TERM, keep="first", maintain_order=True).with_columns(
        term_number=place_in_run(_VEHICLE) + 1,
        term_key=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
    )
    is_first = pl.col("term_number") == 1
    gap = days_between(pl.col("end").shift(1), pl.col("begin"))
    kind = (
        pl.when(is_first)
        .then(pl.lit("new business"))
        .when(gap < 0)
        .then(pl.lit("cancelled and rewritten"))
        .when(gap == 0)
        .then(pl.lit("renewal"))
        .when(gap <= _SHORT_LAPSE)
        .then(pl.lit("rewritten after a lapse"))
        .otherwise(pl.lit("new business after a lapse"))
    )
    begin_before = pl.when(~is_first).then(pl.col("begin").shift(1))
    ahead = pl.max_horizontal(pl.col("begin") - pl.duration(days=_RENEWED_AHEAD), begin_before)
    terms = terms.with_columns(kind=kind).with_columns(
        business_date=pl.when(pl.col("kind") == "renewal").then(ahead).otherwise("begin"),
        instruction_type=pl.col("kind").replace_strict(_TYPES, return_dtype=pl.String),
        effective_date="begin",
        sequence=pl.lit(1, pl.Int64),
    )
    first_day: date = terms["begin"].min()  # type: ignore[assignment]
    return _with_plans(terms, first_day, carrier)


_TYPES = {
    "new business": "issuance",
    "renewal": "renewal",
    "rewritten after a lapse": "rewrite",
    "new business after a lapse": "issuance",
    "cancelled and rewritten": "rewrite",
}
"""The type of the instruction by how a term follows the one before."""


def _with_plans(terms: pl.DataFrame, first_day: date, carrier: Carrier) -> pl.DataFrame:
    """Give each vehicle one of the plans that it may have at any time; a short term is paid at once."""
    plans = [
        carrier.payment_plans[name]
        for name in carrier.available_payment_plans(first_day, carrier.currency)
        if carrier.payment_plans[name].expiration_date is None and not carrier.payment_plans[name].is_reporting
    ]
    several = [plan.name for plan in plans if plan.max_installments <= _MOST_INSTALLMENTS]
    at_once = [plan.name for plan in plans if plan.max_installments == 1 and not plan.has_down_payment]
    if not at_once:
        msg = f"the carrier has no payment plan in {carrier.currency} from {first_day} on with a single installment"
        raise HomeError(msg)
    plan = Draws(SEED).one_of([(name, 1) for name in several], "plan", _VEHICLE)
    is_short = days_between(pl.col("begin"), pl.col("end")) < _WHOLE_YEAR
    return terms.with_columns(payment_plan=pl.when(is_short).then(pl.lit(at_once[0])).otherwise(plan))


def _added_premiums(distinct: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Further rows with the dates of a term: changes that add their premium to it from its first day."""
    facts = terms.select(*_TERM, "term_number", "term_key", "business_date", "effective_date", "payment_plan")
    return (
        distinct.join(terms, on="row", how="anti", maintain_order="left")
        .join(facts, on=_TERM, how="left", maintain_order="left")
        .with_columns(
            kind=pl.lit("added premium"), instruction_type=pl.lit("policy_change"), sequence=pl.lit(2, pl.Int64)
        )
    )


def _cancellations(terms: pl.DataFrame, added: pl.DataFrame) -> pl.DataFrame:
    """What ends the terms that are rewritten before their end: the premium that is not provided goes back."""
    is_cut = (pl.col("kind") == "cancelled and rewritten").shift(-1).fill_null(value=False)
    more = added.group_by("term_key").agg(more=pl.col("amount").sum())
    cut = terms.with_columns(cut_on=pl.col("begin").shift(-1)).filter(is_cut)
    cut = cut.join(more, on="term_key", how="left", maintain_order="left")
    total = pl.col("amount") + pl.col("more").fill_null(0)
    unprovided = part_of(
        total, days_between(pl.col("cut_on"), pl.col("end")), days_between(pl.col("begin"), pl.col("end"))
    )
    return cut.with_columns(
        row=pl.lit(0, pl.Int64),
        kind=pl.lit("cancellation"),
        instruction_type=pl.lit("cancellation"),
        business_date="cut_on",
        effective_date="cut_on",
        sequence=pl.lit(3, pl.Int64),
        amount=-unprovided,
    ).drop("cut_on", "more")


def _payments(charged: pl.DataFrame, terms: pl.DataFrame, cancelled: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """What the vehicles pay: each term for itself, until it is cancelled, and nothing that will not be billed."""
    defaults = carrier.account_defaults
    draws = Draws(SEED)
    first_day: date = terms["begin"].min()  # type: ignore[assignment]
    is_billed = (pl.col("amount") > 0) & (pl.col("amount") <= (carrier.largest_charge or pl.lit(2**62)))
    charges = charged.filter(is_billed).select(
        "payment_plan",
        "instruction_type",
        "amount",
        "effective_date",
        charge_key="row",
        account_key=_VEHICLE,
        policy_key="term_key",
        charge_pattern=pl.lit("Premium"),
        charge_date="business_date",
        policy_effective_date="begin",
        coverage_end="end",
        invoice_by=pl.lit(defaults.invoice_by),
        invoice_day_of_month=pl.lit(defaults.invoice_day_of_month),
        billing_plan=pl.lit(defaults.billing_plan or carrier.default_plan("billing", first_day)),
    )
    until = cancelled.select(policy_key="term_key", cancelled_on="business_date")
    bills = (
        expected_bills(charges, carrier)
        .join(until, on="policy_key", how="left", maintain_order="left")
        .filter((pl.col("bill_date") < pl.col("cancelled_on")).fill_null(value=True))
        .with_columns(names_policy=draws.chance(_NAMES_POLICY, "names", "account_key"))
    )
    numbers = terms.select("term_number", policy_key="term_key")
    return payments_for(bills, carrier, draws).join(numbers, on="policy_key", how="left", maintain_order="left")


def _instruction_rows(landed: pl.DataFrame) -> pl.DataFrame:
    is_term = pl.col("instruction_type").is_in(list(_TYPES.values()))
    return landed.select(
        "business_date",
        _instruction_id(),
        "instruction_type",
        _policy_id("account_id", _VEHICLE),
        _policy_id("policy_id", _VEHICLE),
        pl.col("term_number").cast(pl.String),
        pl.when(is_term).then(pl.col("begin")).cast(pl.String).alias("period_start"),
        pl.when(is_term).then(pl.col("end")).cast(pl.String).alias("period_end"),
        pl.col("effective_date").cast(pl.String),
        pl.when(is_term).then("payment_plan").alias("payment_plan"),
        pl.col("sequence").cast(pl.String),
    ).sort("business_date", "instruction_id")


def _charge_rows(landed: pl.DataFrame, decimals: int) -> pl.DataFrame:
    return (
        landed.filter(pl.col("amount") != 0)
        .select(
            "business_date",
            _instruction_id(),
            charge_no=pl.lit("1"),
            charge_pattern=pl.lit("Premium"),
            amount=format_minor_units(pl.col("amount"), decimals),
        )
        .sort("business_date", "instruction_id")
    )


def _payment_rows(payments: pl.DataFrame, decimals: int) -> pl.DataFrame:
    paid_on = pl.col("payment_date").dt.to_string("%Y%m%d")
    return payments.select(
        "business_date",
        _policy_id("account_id", "account_key"),
        pl.when(pl.col("policy_key") > 0).then(_policy_id("policy_id", "account_key")),
        pl.col("term_number").cast(pl.String),
        "method",
        payment_id=pl.format("R-{}-{}-{}", "account_key", pl.col("term_number").fill_null(0), paid_on),
        amount=format_minor_units(pl.col("amount"), decimals),
        payment_date=pl.col("payment_date").cast(pl.String),
    ).sort("business_date", "payment_id")


def _policy_id(name: str, vehicle: str) -> pl.Expr:
    return pl.format("V-{}", vehicle).alias(name)


def _instruction_id() -> pl.Expr:
    """Vehicle, term, what is done, and the number of it: a term may have several added premiums."""
    return pl.format("I-{}-{}-{}", _VEHICLE, "term_number", "sequence").alias("instruction_id")


def _counts(
    rows: pl.DataFrame, charged: pl.DataFrame, repeated: pl.DataFrame, payments: pl.DataFrame, carrier: Carrier
) -> dict[str, int]:
    """How many rows of each kind there were; the kinds of rows add up to the rows of the file."""
    of_file = charged.filter(pl.col("row") > 0)
    kinds = dict(of_file.group_by("kind").len().sort("kind").rows())
    limit = carrier.largest_charge
    return {
        "rows in the file": rows.height,
        **{kind: kinds.get(kind, 0) for kind in (*_TYPES, "added premium")},
        "exact duplicates": repeated.height,
        "cancellations made for rewrites": charged.height - of_file.height,
        "terms without premium, no charge": of_file.filter(pl.col("amount") == 0).height,
        "above largest_charge, to be refused": 0 if limit is None else of_file.filter(pl.col("amount") > limit).height,
        "vehicles": rows["vehicle"].n_unique(),
        "payments made up": payments.height,
    }
