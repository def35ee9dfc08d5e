"""Billing instructions: new policy periods, changes, cancellations, and the charges that they carry (R-BI).

Instructions of one policy are taken in order of sequence, new periods first, then by id; round k handles the k-th
instruction of every policy at once, so that each sees what the one before it did. An instruction is booked as a whole
or refused as a whole (R-BI-16).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from ledger.billing_levels import change_billing_levels
from ledger.book import Book, designated_fund_key, number_from
from ledger.carrier import Carrier
from ledger.charging import append_charges
from ledger.effects import Effects
from ledger.final_audit import hold_unbilled_charges, release_held_for_audit
from ledger.funds import separates_funds
from ledger.instruction_checks import changes_plan, plan_requests, warn_of_overlaps, with_problems
from ledger.invoicing import initial_transactions, invoice_charges
from ledger.periods import NEW_PERIOD_TYPES, append_periods, change_status, find_periods
from ledger.posting import empty_transactions
from ledger.refusals import no_refusals, refused_instructions
from ledger.schedules import change_schedules
from ledger.segments import place_in_run
from ledger.streams import open_streams


@dataclass(frozen=True, slots=True)
class Booked:
    """What a day's instructions did; what is to be posted and what was refused or warned about is one frame each."""

    effects: Effects

    @property
    def book(self) -> Book:
        """The book after them."""
        return self.effects.book

    @property
    def transactions(self) -> pl.DataFrame:
        """Transactions to post, in order."""
        return pl.concat([empty_transactions(), *self.effects.transactions])

    @property
    def refused(self) -> pl.DataFrame:
        """Rows that were refused."""
        return pl.concat([no_refusals(), *self.effects.refused])

    @property
    def warnings(self) -> pl.DataFrame:
        """Rows that were booked with a warning."""
        return pl.concat([no_refusals(), *self.effects.warnings])


def book_instructions(
    book: Book, instructions: pl.DataFrame, charges: pl.DataFrame, day: date, carrier: Carrier
) -> Booked:
    """Book the day's billing instructions with their charges, items and invoices.

    In: accepted landing rows (`billing_instructions`, `charges`, each with file and row_no); their accounts are in the
    book. Rules: R-BI-1..9, R-BI-14, R-BI-16, R-CI-02..08, R-PP-15, R-BL-2, R-LB-08, R-LB-10.
    """
    if instructions.is_empty():
        return Booked(Effects(book))
    named = [instructions["account_id"], instructions["payer_account_id"], charges["payer_account_id"]]
    accounts = book["accounts"].filter(pl.col("account_id").is_in(pl.concat(named).unique().implode()))
    accounts = accounts.select("account_id", "account_key", "currency")
    payers = accounts.select(payer_account_id="account_id", payer_account_key="account_key")
    instructions = instructions.join(accounts, on="account_id", how="left", maintain_order="left")
    instructions = instructions.join(payers, on="payer_account_id", how="left", maintain_order="left")
    charges = charges.join(payers, on="payer_account_id", how="left", maintain_order="left")
    effects = Effects(book)
    for batch in _rounds(instructions):
        effects = effects.then(_book_round(effects.book, batch, charges, day, carrier))
    return Booked(effects)


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


def _book_round(book: Book, batch: pl.DataFrame, charges: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Check one round against the book, then book what is right."""
    checked = with_problems(book, find_periods(book, batch.sort("instruction_id"), carrier), charges, day, carrier)
    wrong = checked.filter(pl.col("code").is_not_null())
    effects = Effects(book) if wrong.is_empty() else Effects(book, refused=(refused_instructions(wrong, charges),))
    right = checked.filter(pl.col("code").is_null())
    if right.is_empty():
        return effects
    effects = effects.then(Effects(book, warnings=(warn_of_overlaps(book, right),)))
    effects = effects.then(_set_billing_levels(book, right, day, carrier))
    book, right = append_periods(effects.book, _with_default_payer(right), day, carrier)
    book = _open_designated_funds(book, right)
    book = change_status(book, right)
    right = right.with_columns(number_from(book.next_key("instructions"), "instruction_key"), received_date=pl.lit(day))
    book = book.append("instructions", right.with_columns(term_number=pl.col("landed_term_number")))
    new = right.filter(pl.col("instruction_type").is_in(NEW_PERIOD_TYPES))
    book = open_streams(book, new.select("period_key", payer_account_key="default_payer_key"), carrier)
    book = release_held_for_audit(book, right)
    effects = effects.then(_change_plans(book, right, day, carrier))
    book, right = (
        effects.book,
        right.with_columns(period_payment_plan=pl.coalesce("payment_plan", "period_payment_plan")),
    )
    book, new_charges = append_charges(book, right, charges, day, carrier)
    book = invoice_charges(book, new_charges, day, carrier)
    book = hold_unbilled_charges(book, right, day)
    return effects.with_book(book).posting(initial_transactions(new_charges))


def _change_plans(book: Book, instructions: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """A payment plan on an instruction for an existing period is a request to change the plan of the period.

    It is carried out like a command that names nothing but the plan. The charges of the instruction come after, by the
    new plan (R-PP-16, R-PS-6).
    """
    changing = instructions.filter(changes_plan())
    if changing.is_empty():
        return Effects(book)
    return change_schedules(book, plan_requests(changing), day, carrier)


def _with_default_payer(instructions: pl.DataFrame) -> pl.DataFrame:
    """Add `default_payer_key`: who pays a charge of the instruction that names no payer.

    That is the payer that the instruction names, else that of its policy period, else the owner (R-ITM-03, R-LB-08).
    """
    of_period = pl.col("period_payer_account_key")
    return instructions.with_columns(
        default_payer_key=pl.coalesce("payer_account_key", pl.when(of_period > 0).then(of_period), "account_key")
    )


def _set_billing_levels(book: Book, instructions: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """An instruction may set the billing level of its account, before its own charges are invoiced (R-BL-2).

    Where several of a round do so for one account, the last by id counts. Funds are separated as invoices are unless
    the instruction says otherwise; a level that it only half names keeps the other half of the account's.
    """
    setting = instructions.filter(pl.any_horizontal(pl.col("invoice_by", "separate_funds_by").is_not_null()))
    if setting.is_empty():
        return Effects(book)
    known = book["accounts"].select("account_key", known_invoice_by=pl.col("invoice_by").cast(pl.String))
    levels = (
        setting.sort("instruction_id")
        .unique("account_key", keep="last", maintain_order=True)
        .join(known, on="account_key", how="left", maintain_order="left")
        .select(
            "account_key",
            invoice_by=pl.coalesce("invoice_by", "known_invoice_by"),
            separate_funds_by=pl.coalesce("separate_funds_by", "invoice_by"),
            command_id=pl.lit(None, pl.String),
        )
    )
    return change_billing_levels(book, levels, day, carrier)


def _open_designated_funds(book: Book, instructions: pl.DataFrame) -> Book:
    """A policy of an account that separates funds by policy has a fund of its own from the start (R-BL-8)."""
    new = instructions.filter("is_new_policy").sort("policy_key")
    if new.is_empty():
        return book
    keeping = book["accounts"].filter(pl.col("account_key").is_in(new["account_key"].implode()) & separates_funds())
    funds = new.join(keeping, on="account_key", how="semi", maintain_order="left").select(
        "account_key",
        "policy_key",
        "currency",
        fund_key=designated_fund_key(pl.col("policy_key")),
        balance=pl.lit(0, pl.Int64),
    )
    return book.append("funds", funds)
