"""Billing instructions: new policy periods, changes, cancellations, and the charges that they carry (R-BI).

Instructions of one policy are taken in order of sequence, new periods first, then by id; round k handles the k-th
instruction of every policy at once, so that each sees what the one before it did. An instruction is booked as a whole
or refused as a whole (R-BI-16).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from ledger.book import Book, designated_fund_key, number_from
from ledger.carrier import Carrier
from ledger.invoicing import initial_transactions, invoice_charges
from ledger.periods import NEW_PERIOD_TYPES, append_periods, change_status, find_periods
from ledger.posting import empty_transactions
from ledger.refusals import no_refusals, refused_instructions
from ledger.segments import place_in_run
from ledger.streams import open_streams

_NOT_YET_BILLED = ("agency_bill", "list_bill")
_ACCOUNT_LEVEL_TYPES = ("account_general",)
_KNOWN_TYPES = (
    *NEW_PERIOD_TYPES,
    *_ACCOUNT_LEVEL_TYPES,
    *(
        "policy_change",
        "cancellation",
        "reinstatement",
        "audit",
        "premium_report",
        "premium_report_due_date",
        "general",
    ),
)
_PARTS_PER_PERCENT = 10_000


@dataclass(frozen=True, slots=True)
class Booked:
    """What a day's instructions did: the book, transactions to post, and the rows that were refused."""

    book: Book
    transactions: pl.DataFrame
    refused: pl.DataFrame


def book_instructions(
    book: Book, instructions: pl.DataFrame, charges: pl.DataFrame, day: date, carrier: Carrier
) -> Booked:
    """Book the day's billing instructions with their charges, items and invoices.

    In: accepted landing rows (`billing_instructions`, `charges`, each with file and row_no); their accounts are in the
    book. Rules: R-BI-1..9, R-BI-16, R-CI-02..08, R-PP-15.
    """
    accounts = book["accounts"].select("account_id", "account_key", "currency", "separate_funds_by")
    instructions = instructions.join(accounts, on="account_id", how="left", maintain_order="left")
    charges = charges.join(
        accounts.select(payer_account_id="account_id", payer_account_key="account_key"),
        on="payer_account_id",
        how="left",
        maintain_order="left",
    )
    transactions, refused = [empty_transactions()], [no_refusals()]
    for batch in _rounds(instructions):
        step = _book_round(book, batch, charges, day, carrier)
        book = step.book
        transactions.append(step.transactions)
        refused.append(step.refused)
    return Booked(book, pl.concat(transactions), pl.concat(refused))


def _rounds(instructions: pl.DataFrame) -> list[pl.DataFrame]:
    """Round k holds the k-th instruction of every policy; account-level ones need no order and go first."""
    target = pl.coalesce("policy_id", pl.concat_str(pl.lit("\0"), "instruction_id"))
    rank = (~pl.col("instruction_type").is_in(NEW_PERIOD_TYPES)).cast(pl.Int8)
    ordered = instructions.with_columns(target=target, rank=rank, order=pl.col("sequence").fill_null(0)).sort(
        "target", "order", "rank", "instruction_id"
    )
    ordered = ordered.with_columns(round=place_in_run("target"))
    return [
        batch.drop("target", "rank", "order", "round")
        for batch in ordered.partition_by("round", maintain_order=True)
        if not batch.is_empty()
    ]


def _book_round(book: Book, batch: pl.DataFrame, charges: pl.DataFrame, day: date, carrier: Carrier) -> Booked:
    """Check one round against the book, then book what is right."""
    checked = find_periods(book, batch.sort("instruction_id"), carrier).with_columns(code=_first_problem(carrier))
    wrong = checked.filter(pl.col("code").is_not_null())
    refused = no_refusals() if wrong.is_empty() else refused_instructions(wrong, charges)
    right = checked.filter(pl.col("code").is_null())
    if right.is_empty():
        return Booked(book, empty_transactions(), refused)
    book, right = append_periods(book, right, carrier)
    book = _open_designated_funds(book, right)
    book = change_status(book, right)
    right = right.with_columns(number_from(book.next_key("instructions"), "instruction_key"), received_date=pl.lit(day))
    book = book.append("instructions", right.with_columns(term_number=pl.col("landed_term_number")))
    book = open_streams(book, right.filter(pl.col("instruction_type").is_in(NEW_PERIOD_TYPES)), carrier)
    book, new_charges = _append_charges(book, right, charges, day, carrier)
    book = invoice_charges(book, new_charges, day, carrier)
    return Booked(book, initial_transactions(new_charges), refused)


def _first_problem(carrier: Carrier) -> pl.Expr:
    """Reason code of the first check that an instruction fails against the book, or null."""
    kind = pl.col("instruction_type")
    is_new = kind.is_in(NEW_PERIOD_TYPES)
    is_account_level = kind.is_in(_ACCOUNT_LEVEL_TYPES)
    is_existing = ~is_new & ~is_account_level
    is_known_policy = pl.col("policy_key") > 0
    is_cancelled = pl.col("status") == "cancelled"
    reporting = [name for name, plan in carrier.payment_plans.items() if plan.is_reporting]
    checks = {
        "E-INSTRUCTION-TYPE": ~kind.is_in(_KNOWN_TYPES),
        "E-SPECIAL-HANDLING": pl.col("special_handling").is_not_null(),
        "E-BILLING-METHOD": pl.col("billing_method").is_in(_NOT_YET_BILLED),
        "E-POLICY-ACCOUNT": is_known_policy & (pl.col("owner_account_key") != pl.col("account_key")),
        "E-POLICY-KNOWN": (kind == "new_renewal") & is_known_policy,
        "E-POLICY-UNKNOWN": (is_existing | kind.is_in(["renewal", "rewrite"])) & ~is_known_policy,
        "E-PERIOD-EXISTS": is_new & (pl.col("period_key") > 0),
        "E-PERIOD-UNKNOWN": is_existing & (pl.col("period_key") == 0),
        "E-ALREADY-CANCELLED": (kind == "cancellation") & is_cancelled,
        "E-NOT-CANCELLED": (kind == "reinstatement") & ~is_cancelled,
        "E-CANCELLATION-DATE": (kind == "cancellation")
        & ~pl.col("effective_date").is_between(pl.col("period_effective_date"), pl.col("coverage_end")),
        "E-REPORTING-PERIOD": kind.is_in(["policy_change", "general"]) & pl.col("period_payment_plan").is_in(reporting),
        "E-PLAN-CHANGE": is_existing
        & pl.col("payment_plan").is_not_null()
        & (pl.col("payment_plan") != pl.col("period_payment_plan")),
    }
    return pl.coalesce(pl.when(failed.fill_null(value=False)).then(pl.lit(code)) for code, failed in checks.items())


def _open_designated_funds(book: Book, instructions: pl.DataFrame) -> Book:
    """A policy of an account that separates funds by policy has a fund of its own from the start (R-BL-8)."""
    funds = (
        instructions.filter((pl.col("separate_funds_by") == "policy") & pl.col("is_new_policy"))
        .sort("policy_key")
        .select(
            "account_key",
            "policy_key",
            "currency",
            fund_key=designated_fund_key(pl.col("policy_key")),
            balance=pl.lit(0, pl.Int64),
        )
    )
    return book.append("funds", funds)


def _append_charges(
    book: Book, instructions: pl.DataFrame, charges: pl.DataFrame, day: date, carrier: Carrier
) -> tuple[Book, pl.DataFrame]:
    """Book the charges of these instructions; out: them, with plan and modifiers for invoicing (R-CI-55, R-CI-56)."""
    patterns = carrier.charge_pattern_frame().select("charge_pattern", "charge_subtype", "in_equity")
    is_account_level = pl.col("period_key") == 0
    takes_part_in_issuance = _takes_part_in_issuance(book, instructions)
    terms = instructions.select(
        "instruction_id",
        "instruction_key",
        "account_key",
        "policy_key",
        "period_key",
        "currency",
        pl.when(pl.col("instruction_type").is_in(NEW_PERIOD_TYPES))
        .then(pl.col("period_effective_date"))
        .otherwise(pl.col("effective_date"))
        .alias("effective_date"),
        pl.when(~is_account_level).then(pl.col("coverage_end")).alias("coverage_end"),
        pl.col("instruction_type").alias("context"),
        pl.col("period_payment_plan").alias("plan_name"),
        pl.when(takes_part_in_issuance)
        .then(pl.lit("issuance"))
        .otherwise(pl.col("instruction_type"))
        .alias("plan_context"),
        owner_type=pl.when(is_account_level).then(pl.lit("Account")).otherwise(pl.lit("PolicyPeriod")),
        owner_key=pl.when(is_account_level).then(pl.col("account_key")).otherwise(pl.col("period_key")),
        modified_down_payment_ppm=_modifier("down_payment_percent")
        .cast(pl.Decimal(12, 4))
        .mul(_PARTS_PER_PERCENT)
        .cast(pl.Int64),
        modified_max_installments=_modifier("max_installments").cast(pl.Int64),
    )
    rows = (
        charges.join(terms, on="instruction_id", how="inner", maintain_order="left")
        .join(patterns, on="charge_pattern", how="left", maintain_order="left")
        .sort("instruction_key", "charge_no")
        .with_columns(
            number_from(book.next_key("charges"), "charge_key"),
            payer_account_key=pl.coalesce("payer_account_key", "account_key"),
            charge_date=pl.lit(day),
        )
    )
    return book.append("charges", rows), rows


def _takes_part_in_issuance(book: Book, instructions: pl.DataFrame) -> pl.Expr:
    """Whether an instruction is a policy change effective on the first day of a period that was issued (R-CI-56)."""
    is_from_the_start = (pl.col("instruction_type") == "policy_change") & (
        pl.col("effective_date") == pl.col("period_effective_date")
    )
    changed = instructions.filter(is_from_the_start)["period_key"].unique()
    if changed.is_empty():
        return pl.lit(value=False)
    issued = book["instructions"].filter(
        (pl.col("instruction_type") == "issuance") & pl.col("period_key").is_in(changed.implode())
    )
    return is_from_the_start & pl.col("period_key").is_in(issued["period_key"].implode())


def _modifier(name: str) -> pl.Expr:
    return pl.col("modifiers").str.json_path_match(f"$.{name}")
