"""What the engine knows, with the external identities of the reference model: one frame per compared table."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from ledger.balances import t_account_name
from ledger.book import Book
from ledger.invoices import INVOICES_PER_STREAM_AND_DAY

DRAFT = "PAYMENT-REQUEST-"
"""How the engine names the payments that it drafts itself."""

_KEYS_PER_STREAM = 2**20


def book_tables(book: Book, lag: timedelta, today: date) -> dict[str, pl.DataFrame]:
    """The state of the book, and its payment items, by name of table."""
    status = _status(lag, today)
    charges = charge_ids(book)
    items = _items(book, charges, status)
    return {
        "accounts": book["accounts"],
        "charges": charges,
        "items": items,
        "invoices": _invoices(book, items, status),
        "streams": _named(book, "invoice_streams"),
        "periods": _periods(book),
        "payments": _payments(book),
        "funds": _named(book, "funds"),
        "payment_items": _payment_items(book, charges),
        "suspense_items": _with_payment(book, book["suspense_items"]),
    }


def refund_tables(book: Book) -> dict[str, pl.DataFrame]:
    """Credits and disbursements, what waits for approval, and tickets."""
    words = pl.col("subject_type").cast(pl.String)
    credits_, paid = book["ad_hoc_credits"], book["disbursements"]
    ids = pl.concat(
        [
            credits_.select(is_credit=True, subject_key="credit_key", subject_id="credit_id"),
            paid.select(is_credit=False, subject_key="disbursement_key", subject_id="disbursement_id"),
        ]
    )
    approvals = book["approvals"].with_columns(is_credit=words != "Disbursement")
    frames = {
        "ad_hoc_credits": _named_fund(book, credits_),
        "disbursements": _with_payment(book, _named_fund(book, paid)),
        "approvals": approvals.join(ids, on=["is_credit", "subject_key"], how="left"),
        "disbursement_holds": book["disbursement_holds"].join(
            paid.select("disbursement_key", "disbursement_id"), on="disbursement_key", how="left"
        ),
    }
    return {name: frame.join(_accounts(book), on="account_key", how="left") for name, frame in frames.items()}


def journal_table(book: Book, journal: pl.DataFrame) -> pl.DataFrame:
    """Journal lines with external identities."""
    policies = book["policies"].select("policy_key", fund_policy_id="policy_id")
    lines = _with_event_ids(book, charge_ids(book), journal)
    return (
        _with_owner(book, lines)
        .join(policies, left_on="fund_policy_key", right_on="policy_key", how="left")
        .with_columns(t_account_name())
    )


def _status(lag: timedelta, today: date) -> pl.Expr:
    return (
        pl.when(pl.col("outcome").cast(pl.String) == "carried_forward")
        .then(pl.lit("Carried Forward"))
        .when(pl.col("outcome").cast(pl.String) == "written_off")
        .then(pl.lit("Written Off"))
        .when(pl.col("bill_date") > today)
        .then(pl.lit("Planned"))
        .when(pl.col("due_date") + lag <= today)
        .then(pl.lit("Due"))
        .otherwise(pl.lit("Billed"))
    )


def _periods(book: Book) -> pl.DataFrame:
    """Policy periods with the list bill account that pays, if one does."""
    payers = _accounts(book).select(payer_account_key="account_key", payer_account_id="account_id")
    return _named(book, "policy_periods").join(payers, on="payer_account_key", how="left")


def _payments(book: Book) -> pl.DataFrame:
    distributed = book["payment_items"].group_by("payment_key").agg(distributed=pl.col("amount").sum())
    terms = book["policy_periods"].select("period_key", term="term_number")
    landed = book["payments"].rename({"account_id": "landed_account", "invoice_id": "landed_invoice"})
    return (
        _named_fund(book, landed.drop("policy_id", "term_number", "payment_id"))
        .join(payment_ids(book), on="payment_key", how="left")
        .join(distributed, on="payment_key", how="left")
        .join(terms, on="period_key", how="left")
        .join(_accounts(book), on="account_key", how="left")
        .join(invoice_ids(book).rename({"external": "named_invoice"}), on="invoice_key", how="left")
        .with_columns(
            pl.coalesce("account_id", "landed_account").alias("account_id"),
            pl.col("distributed").fill_null(0),
            term_number="term",
            invoice_key="named_invoice",
            business_date="received_date",
        )
    )


def _payment_items(book: Book, charges: pl.DataFrame) -> pl.DataFrame:
    """All payment items; the day is in the upper half of their key."""
    credit_ids = charges.select(credit_charge="engine_charge_key", credit_charge_key="charge_key")
    days = pl.duration(days=pl.col("payment_item_key") // 2**32)
    return (
        _with_event_ids(book, charges, _named_fund(book, book["payment_items"]))
        .with_columns(
            (pl.lit(date(1900, 1, 1)) + days).alias("business_date"),
            credit_charge=pl.col("credit_item_key") // 1024,
            credit_item_no=pl.col("credit_item_key") % 1024,
        )
        .join(credit_ids, on="credit_charge", how="left")
        .join(_accounts(book), on="account_key", how="left")
    )


def payment_ids(book: Book) -> pl.DataFrame:
    """payment_key, the id in the engine, and payment_id; what was drafted for an invoice is named after it."""
    own = pl.col("payment_id").str.strip_prefix(DRAFT)
    number, rest = own.str.extract(r"^(\d+)").cast(pl.Int64), own.str.extract(r"^\d+(.*)$")
    return (
        book["payments"]
        .select(
            "payment_key",
            "payment_id",
            drafted=pl.when(pl.col("payment_id").str.starts_with(DRAFT)).then(number),
            rest=rest,
        )
        .join(invoice_ids(book).rename({"invoice_key": "drafted"}), on="drafted", how="left")
        .select(
            "payment_key",
            engine_payment_id="payment_id",
            payment_id=pl.when(pl.col("drafted").is_null())
            .then("payment_id")
            .otherwise(pl.format("draft/{}{}", "external", "rest")),
        )
    )


def _with_payment(book: Book, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with the id of the payment that they are about."""
    return frame.join(payment_ids(book), on="payment_key", how="left")


def _accounts(book: Book) -> pl.DataFrame:
    return book["accounts"].select("account_key", "account_id")


def _named(book: Book, table: str) -> pl.DataFrame:
    """Rows of a table of the book with the ids of their account and policy."""
    policies = book["policies"].select("policy_key", "policy_id")
    frame = book[table]
    if table != "policies":
        frame = frame.join(policies, on="policy_key", how="left")
    return frame.join(_accounts(book), on="account_key", how="left")


def _named_fund(book: Book, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with `fund_policy_id`, the policy of the designated fund in `fund_key`."""
    funds = book["funds"].select("fund_key", "policy_key")
    policies = book["policies"].select("policy_key", fund_policy_id="policy_id")
    return frame.join(funds.join(policies, on="policy_key").drop("policy_key"), on="fund_key", how="left")


def _with_owner(book: Book, frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with `owner_id`: account, policy/term, or suspense payment."""
    periods = _named(book, "policy_periods").select(
        pl.lit("PolicyPeriod").alias("owner_type"),
        pl.col("period_key").alias("owner_key"),
        pl.format("{}/{}", "policy_id", "term_number").alias("owner_id"),
    )
    accounts = book["accounts"].select(
        pl.lit("Account").alias("owner_type"), owner_key="account_key", owner_id="account_id"
    )
    payments = payment_ids(book).select(
        pl.lit("SuspensePayment").alias("owner_type"), owner_key="payment_key", owner_id="payment_id"
    )
    owners = pl.concat([accounts, periods, payments])
    return frame.with_columns(pl.col("owner_type").cast(pl.String)).join(
        owners, on=["owner_type", "owner_key"], how="left"
    )


def _with_event_ids(book: Book, charges: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Events with the ids of their charge, item and payment."""
    ids = charges.select(pl.col("engine_charge_key").alias("charge_key"), external="charge_key")
    return (
        frame.join(ids, on="charge_key", how="left")
        .join(payment_ids(book), on="payment_key", how="left")
        .with_columns(charge_key="external", item_no=pl.col("item_key") % 1024)
    )


def stream_ids(book: Book) -> pl.DataFrame:
    """stream_key and `stream`: payer|policy|periodicity."""
    parts = ("account_id", pl.col("policy_id").fill_null(""), pl.col("periodicity").cast(pl.String))
    return _named(book, "invoice_streams").select("stream_key", pl.concat_str(*parts, separator="|").alias("stream"))


def invoice_ids(book: Book) -> pl.DataFrame:
    """invoice_key and `external`: the stream, and the date of the cadence.

    Where there is none, the day for which it was made, which is in its key, and its number on that day.
    """
    invoices = book["invoices"].join(stream_ids(book), on="stream_key", how="left").sort("invoice_key")
    number = pl.col("invoice_key") % INVOICES_PER_STREAM_AND_DAY
    days = pl.col("invoice_key") % _KEYS_PER_STREAM // INVOICES_PER_STREAM_AND_DAY
    made_for = pl.lit(date(1900, 1, 1)) + pl.duration(days=days)
    part = pl.coalesce(pl.col("cadence_date").cast(pl.String), pl.format("{}+{}", made_for, number))
    return invoices.select("invoice_key", external=pl.concat_str("stream", part, separator="|"))


def charge_ids(book: Book) -> pl.DataFrame:
    """Charges with the model's ids: instruction/number, fee/invoice/policy, recapture/.., reversal/charge."""
    instructions = book["instructions"].select("instruction_key", "instruction_id")
    terms = book["policy_periods"].select("period_key", "term_number")
    first_items = book["invoice_items"].filter(pl.col("item_key") % 1024 == 1).select("charge_key", "invoice_key")
    payers = _accounts(book).rename({"account_key": "payer_account_key", "account_id": "payer"})
    named = (
        _named(book, "charges")
        .join(instructions, on="instruction_key", how="left")
        .join(terms, on="period_key", how="left")
        .join(payers, on="payer_account_key", how="left")
        .join(first_items.join(invoice_ids(book), on="invoice_key", how="left"), on="charge_key", how="left")
        .sort("charge_key")
    )
    is_recapture = pl.col("charge_subtype").cast(pl.String) == "recapture"
    number = is_recapture.cum_sum().over("account_key", "charge_date")
    is_reversal_fee = pl.col("context").cast(pl.String) == "payment_reversal_fee"
    number_of_fee = is_reversal_fee.cum_sum().over("account_key", "charge_date")
    own = (
        pl.when(is_reversal_fee)
        .then(pl.format("payment_reversal_fee/{}/{}/{}", "account_id", "charge_date", number_of_fee))
        .when(is_recapture)
        .then(pl.format("recapture/{}/{}/{}", "account_id", "charge_date", number))
        .when(pl.col("instruction_id").is_null())
        .then(pl.format("fee/{}/{}", "external", pl.col("policy_id").fill_null("")))
        .otherwise(pl.format("{}/{}", "instruction_id", "charge_no"))
    )
    reversed_ids = named.select(reverses_charge_key="charge_key", reverses=own)
    is_reversal = pl.col("reverses").is_not_null()
    return (
        _with_owner(book, named)
        .join(reversed_ids, on="reverses_charge_key", how="left")
        .with_columns(
            engine_charge_key="charge_key",
            charge_key=pl.when(is_reversal).then(pl.format("reversal/{}", "reverses")).otherwise(own),
            owner_account_id="account_id",
            payer_account_id="payer",
        )
    )


def _items(book: Book, charges: pl.DataFrame, status: pl.Expr) -> pl.DataFrame:
    """Items with the dates and the status of their invoices; one that was removed is on no invoice any more."""
    terms = book["policy_periods"].select("period_key", "term_number")
    invoices = book["invoices"].select("invoice_key", "bill_date", "due_date", "outcome")
    external = charges.select(pl.col("engine_charge_key").alias("charge_key"), external_charge="charge_key")
    related = charges.select(related_charge="engine_charge_key", related_charge_key="charge_key")
    return (
        _named(book, "invoice_items")
        .filter(pl.col("invoice_key") > 0)
        .join(terms, on="period_key", how="left")
        .join(invoices, on="invoice_key", how="left")
        .join(invoice_ids(book), on="invoice_key", how="left")
        .join(external, on="charge_key", how="left")
        .with_columns(
            related_charge=pl.col("related_item_key") // 1024, related_item_no=pl.col("related_item_key") % 1024
        )
        .join(related, on="related_charge", how="left")
        .with_columns(
            status.alias("status"),
            item_no=pl.col("item_key") % 1024,
            charge_key="external_charge",
            invoice_key="external",
            engine_invoice_key="invoice_key",
        )
    )


def _invoices(book: Book, items: pl.DataFrame, status: pl.Expr) -> pl.DataFrame:
    """Invoices that have not been deleted, with what their items sum to."""
    sums = items.group_by(invoice_key="engine_invoice_key").agg(
        pl.col("amount").sum(), amount_due=(pl.col("amount") - pl.col("paid") - pl.col("written_off")).sum()
    )
    streams = book["invoice_streams"].select("stream_key", "periodicity")
    return (
        _named(book, "invoices")
        .filter(pl.col("outcome").is_null() | (pl.col("outcome").cast(pl.String) != "deleted"))
        .join(sums, on="invoice_key", how="left")
        .join(streams, on="stream_key", how="left")
        .join(invoice_ids(book), on="invoice_key", how="left")
        .with_columns(pl.col("amount", "amount_due").fill_null(0), status.alias("status"), invoice_key="external")
    )
