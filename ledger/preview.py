"""Quotes: which invoice items, invoices and fees an instruction would bring, by one payment plan or several (R-BI-12).

The rows go the way of every day: the same intake, the same booking, the same slicing and placement, on the book as a
value. Nothing of it is kept. Refusals are answered like everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from ledger.accounts import book_accounts
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.effects import Effects
from ledger.instructions import book_instructions
from ledger.intake import accept
from ledger.invoice_batch import InvoiceBatch, items_on
from ledger.invoicing_fees import raise_fees
from ledger.list_bill import offered_plans
from ledger.periods import NEW_PERIOD_TYPES

PREVIEWED = ("plans", "invoices", "items", "fees", "refused", "warnings")
"""The frames of a preview."""
_FEE_OF = ("invoice_key", "policy_key", "charge_pattern")
_AS_THE_ROWS_SAY = ""


def preview(  # noqa: PLR0913, PLR0917 - the rows of three landing tables
    book: Book,
    instructions: pl.DataFrame,
    charges: pl.DataFrame,
    day: date,
    carrier: Carrier,
    payment_plans: Sequence[str] | None = None,
    accounts: pl.DataFrame | None = None,
) -> dict[str, pl.DataFrame]:
    """What instructions would bring if they arrived on a day (R-BI-12, R-SEL-6).

    In: the book after the last closed day; landing rows as text of instructions and their charges, and of accounts that
    are not known yet; the day, not before that of the book. With payment_plans every new policy period is quoted by
    each of them, else by the plan that its instruction names. Out, by PREVIEWED, each with the `payment_plan` of the
    quote, money in minor units beside `currency`:

    - `plans`, one row a plan, none where everything was refused: description, down_payment, installments (how many
      dates), largest_invoice, fees, total.
    - `invoices`: what the new items come to on each invoice, the fees that they bring, and what is on it besides.
    - `items`: every new item, with its charge, payer and invoice dates.
    - `fees`: invoicing and invoice fees that the invoices would raise because of the new items, as they stand now; an
      amount that is held or too small to be billed is not looked at.
    - `refused` and `warnings`: what the rows would get, by table, record_id, code and detail.
    """
    rows = {"billing_instructions": instructions, "charges": charges} | (
        {} if accounts is None else {"accounts": accounts}
    )
    inbox = {table: _landed(table, frame) for table, frame in rows.items()}
    quotes = [_quote(book, inbox, day, carrier, plan) for plan in payment_plans or (_AS_THE_ROWS_SAY,)]
    return {name: pl.concat([quote[name] for quote in quotes]) for name in PREVIEWED}


def available_payment_plans(book: Book, account_id: str, day: date, carrier: Carrier) -> tuple[str, ...]:
    """The payment plans that may be chosen on a day for what an account pays, in order of priority (R-BI-11, R-BT-6).

    For a list bill account those that it offers, for any other all in its currency; an account that is not known has
    that of the carrier.
    """
    accounts = book["accounts"].filter(pl.col("account_id") == account_id)
    currency = carrier.currency if accounts.is_empty() else str(accounts["currency"].item())
    plans = carrier.available_payment_plans(day, currency)
    if accounts.is_empty() or accounts["account_type"].item() != "list_bill":
        return plans
    offered = offered_plans(accounts, "account_id", carrier)["payment_plan"]
    return tuple(plan for plan in plans if plan in offered)


def _landed(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows as the landing reader gives them: with file and row number."""
    row_no = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return frame.with_columns(file=pl.lit(f"{table}/preview"), row_no=row_no)


def _quote(
    book: Book, inbox: Mapping[str, pl.DataFrame], day: date, carrier: Carrier, plan: str
) -> dict[str, pl.DataFrame]:
    """One preview: by the plan of this name, or by those that the rows name."""
    before = book.open_day()
    landed = accept(before, _with_plan(inbox, plan), day, carrier)
    booked = book_instructions(
        book_accounts(before, landed, day, carrier), landed.billing_instructions, landed.charges, day, carrier
    )
    items = booked.book.added("invoice_items").filter((pl.col("invoice_key") > 0) & (pl.col("amount") != 0))
    items = items.sort("item_key")
    fees = _fees_because_of(booked.book, items, day, carrier)
    shown = {
        "items": _shown_items(booked.book, items),
        "invoices": _shown_invoices(booked.book, items, fees),
        "fees": _shown_fees(booked.book, fees),
        "refused": _shown_reasons(pl.concat([landed.refused, booked.refused])),
        "warnings": _shown_reasons(pl.concat([landed.warnings, booked.warnings])),
    }
    name = plan or _plans_of(booked.book)
    is_booked = not booked.book.added("instructions").is_empty()
    shown["plans"] = _summary(shown["items"], shown["invoices"], name, carrier).head(int(is_booked))
    return {table: frame.select(pl.lit(name).alias("payment_plan"), pl.all()) for table, frame in shown.items()}


def _with_plan(inbox: Mapping[str, pl.DataFrame], plan: str) -> Mapping[str, pl.DataFrame]:
    """The rows with another payment plan for every new policy period."""
    if plan == _AS_THE_ROWS_SAY:
        return inbox
    instructions = inbox["billing_instructions"]
    named = pl.col("payment_plan") if "payment_plan" in instructions.columns else pl.lit(None, pl.String)
    is_new = pl.col("instruction_type").str.strip_chars().is_in(NEW_PERIOD_TYPES)
    quoted = instructions.with_columns(payment_plan=pl.when(is_new).then(pl.lit(plan)).otherwise(named))
    return {**inbox, "billing_instructions": quoted}


def _plans_of(book: Book) -> str:
    """The payment plans of the policy periods that the instructions are for, as one text."""
    keys = book.added("instructions")["period_key"].implode()
    plans = book["policy_periods"].filter(pl.col("period_key").is_in(keys))["payment_plan"]
    return "; ".join(plans.unique().sort())


def _fees_because_of(book: Book, items: pl.DataFrame, day: date, carrier: Carrier) -> pl.DataFrame:
    """Items of the fees that the invoices of these new items would raise, less those that they raise without them."""
    invoices = book["invoices"].filter(pl.col("invoice_key").is_in(items["invoice_key"].unique().implode()))
    on_them = items_on(book, invoices["invoice_key"])
    is_new = pl.col("item_key").is_in(items["item_key"].implode())
    after, before = (
        raise_fees(InvoiceBatch(Effects(book), invoices, chosen), day, carrier).items.filter(
            ~pl.col("item_key").is_in(on_them["item_key"].implode())
        )
        for chosen in (on_them, on_them.filter(~is_new))
    )
    return after.join(before, on=_FEE_OF, how="anti").sort(_FEE_OF)


def _shown_items(book: Book, items: pl.DataFrame) -> pl.DataFrame:
    instructions = book["instructions"].select("instruction_key", "instruction_id")
    charges = book["charges"].filter(pl.col("charge_key").is_in(items["charge_key"].unique().implode()))
    charges = charges.join(instructions, on="instruction_key", how="left")
    found = items.join(charges.select("charge_key", "instruction_id", "charge_no", "charge_group"), on="charge_key")
    invoices = book["invoices"].select("invoice_key", "bill_date", "due_date")
    found = found.join(invoices, on="invoice_key", how="left").sort("item_key")
    return _with_payer(book, found).select(
        "instruction_id",
        "charge_no",
        "charge_pattern",
        "charge_group",
        pl.col("item_type").cast(pl.String),
        "installment_number",
        "event_date",
        "bill_date",
        "due_date",
        "amount",
        "currency",
        "account_id",
        "blackout_violation",
    )


def _shown_invoices(book: Book, items: pl.DataFrame, fees: pl.DataFrame) -> pl.DataFrame:
    keys = items["invoice_key"].unique()
    known = pl.col("invoice_key").is_in(book.added("invoices")["invoice_key"].implode())
    sums = (
        items_on(book, keys)
        .group_by("invoice_key")
        .agg(all_items=pl.col("amount").sum(), currency=pl.col("currency").first())
    )
    invoices = book["invoices"].filter(pl.col("invoice_key").is_in(keys.implode())).with_columns(is_new=known)
    for name, frame in (("new_items", items), ("fees", fees)):
        amounts = frame.group_by("invoice_key").agg(pl.col("amount").sum().alias(name))
        invoices = invoices.join(amounts, on="invoice_key", how="left").with_columns(pl.col(name).fill_null(0))
    invoices = invoices.join(sums, on="invoice_key", how="left").sort("bill_date", "due_date", "invoice_key")
    return _with_payer(book, invoices).select(
        "account_id",
        "bill_date",
        "due_date",
        "is_ad_hoc",
        "is_new",
        "new_items",
        "fees",
        other_items=pl.col("all_items") - pl.col("new_items"),
        total=pl.col("all_items") + pl.col("fees"),
        currency="currency",
    )


def _shown_fees(book: Book, fees: pl.DataFrame) -> pl.DataFrame:
    invoices = book["invoices"].select("invoice_key", "bill_date")
    policies = book["policies"].select("policy_key", "policy_id")
    found = fees.join(invoices, on="invoice_key", how="left").join(policies, on="policy_key", how="left")
    found = _with_payer(book, found.sort("bill_date", *_FEE_OF))
    return found.select("account_id", "policy_id", "charge_pattern", "bill_date", "amount", "currency")


def _with_payer(book: Book, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.join(
        book["accounts"].select("account_key", "account_id"), on="account_key", how="left", maintain_order="left"
    )


def _shown_reasons(reasons: pl.DataFrame) -> pl.DataFrame:
    shown = reasons.sort("table_name", "row_no", "code")
    return shown.select("table_name", "record_id", "row_no", "code", "detail")


def _summary(items: pl.DataFrame, invoices: pl.DataFrame, name: str, carrier: Carrier) -> pl.DataFrame:
    """What a plan comes to: down payment, number of installment dates, largest invoice, fees, total."""
    plan = carrier.payment_plans.get(name)
    is_deposit = pl.col("item_type") == "deposit"
    is_installment = pl.col("item_type") == "installment"
    of_items = items.select(
        down_payment=pl.col("amount").filter(is_deposit).sum(),
        installments=pl.col("event_date").filter(is_installment).n_unique().cast(pl.Int64),
        amount=pl.col("amount").sum(),
        currency=pl.col("currency").first(),
    )
    of_invoices = invoices.select(
        largest_invoice=(pl.col("new_items") + pl.col("fees")).max(), fees=pl.col("fees").sum()
    )
    return pl.concat([of_items, of_invoices], how="horizontal").select(
        pl.lit(plan.description if plan else None, pl.String).alias("description"),
        "down_payment",
        "installments",
        "largest_invoice",
        "fees",
        total=pl.col("amount") + pl.col("fees"),
        currency="currency",
    )
