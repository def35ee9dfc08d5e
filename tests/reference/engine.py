"""The engine, run on the carriers and books of the reference model, in external identities: to be compared with it.

`Engine(carrier).close(day, inbox)` takes what `Model` takes: the carrier dict becomes a carrier file, typed rows become
landing rows as text. `tables()` gives everything that the engine knows after the last closed day, `tables_of(model)`
the same of the model: frames of the same columns in the same order, which must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from ledger.balances import t_account_name
from ledger.book import Book, day_number
from ledger.carrier import Carrier
from ledger.close import ClosedDay, close
from tests.reference.model import Model
from tests.story import landing

Row = dict[str, Any]
TABLES: dict[str, tuple[str, ...]] = {
    "charges": (
        "charge_key", "charge_pattern", "amount", "charge_date", "effective_date", "owner_type", "owner_id",
        "owner_account_id", "payer_account_id", "policy_id", "term_number", "context", "charge_group",
    ),
    "items": (
        "charge_key", "item_no", "item_type", "installment_number", "event_date", "amount", "paid", "account_id",
        "policy_id", "term_number", "invoice_key", "bill_date", "due_date", "status",
    ),
    "invoices": (
        "invoice_key", "account_id", "policy_id", "periodicity", "cadence_date", "bill_date", "due_date", "status",
        "amount", "amount_due",
    ),
    "streams": ("account_id", "policy_id", "periodicity", "fix_invoices_on"),
    "periods": (
        "policy_id", "term_number", "account_id", "effective_date", "expiration_date", "coverage_end", "status",
    ),
    "payments": (
        "payment_id", "status", "amount", "account_id", "fund_policy_id", "term_number", "invoice_key", "payment_date",
        "business_date", "distributed",
    ),
    "funds": ("account_id", "policy_id", "balance"),
    "rejects": ("business_date", "table", "record_id", "rows"),
    "payment_items": (
        "business_date", "kind", "payment_id", "account_id", "fund_policy_id", "charge_key", "item_no", "amount",
    ),
    "journal": (
        "business_date", "transaction_type", "transaction_date", "charge_key", "item_no", "payment_id", "side",
        "owner_type", "owner_id", "t_account", "account_type", "fund_policy_id", "amount",
    ),
}  # fmt: skip
"""What is compared: tables and their columns. Amounts of payment items and of journal lines are added up."""


# ------------------------------------------------------------------------------------ the carrier as a file


def carrier_text(carrier: Row) -> str:
    """The carrier file of a carrier of the model."""
    settings = ("invoice_due_lag_days", "expiration_convention", "installment_remainder", "earning_interval")
    parts = [_settings({"name": "Reference", "currency": "USD"} | {name: carrier[name] for name in settings})]
    parts[0] += _settings({"invoicing_fee_pattern": carrier["invoicing_fee_pattern"]})
    parts.append("[account_defaults]\n" + _settings(carrier["account_defaults"]))
    calendar = {"business_days": carrier["business_weekdays"], "holidays": sorted(carrier["holidays"])}
    parts.append("[calendar]\n" + _settings(calendar))
    for name, pattern in carrier["charge_patterns"].items():
        owner = "Account" if pattern["owner"] == "account" else "PolicyPeriod"
        words = ("subtype", "category", "priority", "invoicing_approach")
        parts.append(
            _table("charge_patterns", name, {"owner_types": [owner]} | {word: pattern[word] for word in words})
        )
    parts += [_table("billing_plans", name, _billing_plan(plan)) for name, plan in carrier["billing_plans"].items()]
    parts += [_payment_plan(name, plan) for name, plan in carrier["payment_plans"].items()]
    for name, plan in carrier["allocation_plans"].items():
        parts.append(_table("payment_allocation_plans", name, _ALWAYS | plan))
    return "\n".join(parts)


_ALWAYS = {"effective_date": date(1990, 1, 1)}


def _billing_plan(plan: Row) -> Row:
    return _ALWAYS | {
        "lead_days": plan["lead_time_days"],
        "non_responsive_lead_days": plan["non_responsive_lead_time_days"],
        "lead_day_unit": plan["lead_time_unit"],
        "payment_due_day_logic": plan["payment_due_day_logic"],
        "skip_installment_fees": plan["skip_installment_fees"],
    }


_OTHER_NAMES = {"out_of_sequence_first_installment": "has_second_installment", "interval": "payment_interval"}
_NOT_SETTINGS = ("overrides", "fee_amount")


def _payment_plan(name: str, plan: Row) -> str:
    fee = {"fee_amount": f"{Decimal(plan['fee_amount']) / 100:.2f}"} if plan["fee_amount"] else {}
    text = _table("payment_plans", name, _ALWAYS | _plan_settings(plan) | fee)
    for kind, override in plan["overrides"].items():
        text += f'\n[[payment_plans."{name}".overrides]]\n'
        text += _settings({"instruction_type": kind} | _plan_settings(override))
    return text


def _plan_settings(plan: Row) -> Row:
    """Settings of a plan or an override in the words of the carrier file."""
    settings = {}
    for name, value in plan.items():
        if name in _NOT_SETTINGS or value is None:
            continue
        settings[_OTHER_NAMES.get(name, name)] = str(value) if name == "down_payment_percent" else value
    return settings


def _table(kind: str, name: str, settings: Row) -> str:
    return f'[{kind}."{name}"]\n{_settings(settings)}'


def _settings(settings: Row) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in settings.items() if value is not None)


def _value(value: Any) -> str:
    """A value as TOML writes it; a pair is a timing."""
    match value:
        case bool():
            return str(value).lower()
        case int() | date():
            return str(value)
        case (int(days), str(reference)):
            direction = "before" if days < 0 else "after"
            return f'{{ days = {abs(days)}, direction = "{direction}", reference = "{reference}" }}'
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return f'"{value}"'


# ------------------------------------------------------------------------------------ the days


class Engine:
    """A book of the engine, closed one day after the other with the rows of the model's days."""

    def __init__(self, carrier: Row) -> None:
        self.carrier = Carrier.from_toml(carrier_text(carrier))
        self.decimals = carrier["decimals"]
        self.book = Book.empty()
        self.today = date.min
        self.closed: list[ClosedDay] = []

    def landed(self, inbox: dict[str, list[Row]]) -> dict[str, pl.DataFrame]:
        """Rows of the model as landing rows."""
        return {table: landing(table, [self._text(row) for row in rows]) for table, rows in inbox.items() if rows}

    def close(self, day: date, inbox: dict[str, list[Row]]) -> None:
        """Close a business day with rows of the model."""
        self.close_landed(day, self.landed(inbox))

    def close_landed(self, day: date, landed: dict[str, pl.DataFrame]) -> None:
        """Close a business day with landing rows."""
        closed = close(self.book, landed, day, self.carrier)
        self.book, self.today = closed.book, day
        self.closed.append(closed)

    def _text(self, row: Row) -> Row:
        """A row of the model with its amount in units of the currency and its invoice by the engine's id."""
        changed = dict(row)
        if "amount" in row:
            changed["amount"] = Decimal(row["amount"]).scaleb(-self.decimals)
        if row.get("modifiers"):
            changed["modifiers"] = json.dumps(row["modifiers"])
        if "|" in (row.get("invoice_id") or ""):
            changed["invoice_id"] = self._invoice_id(row["invoice_id"])
        return changed

    def _invoice_id(self, invoice_key: str) -> str:
        """The engine's id of the invoice that the model calls payer|policy|periodicity|date of the cadence."""
        account_id, policy_id, periodicity, cadence_date = invoice_key.split("|")
        streams = _named(self.book, "invoice_streams").filter(
            (pl.col("account_id") == account_id)
            & (pl.col("policy_id").fill_null("") == policy_id)
            & (pl.col("periodicity").cast(pl.String) == periodicity)
        )
        if streams.is_empty():
            return invoice_key
        return str(streams["stream_key"].item() * 2**20 + day_number(date.fromisoformat(cadence_date)) * 8)

    def events(self, table: str) -> pl.DataFrame:
        """All rows of an event table so far."""
        return pl.concat(closed.events[table] for closed in self.closed)

    def tables(self, since: date = date.min) -> dict[str, pl.DataFrame]:
        """Everything that is compared: the book as it is now, events since a day."""
        charges = _charges(self.book)
        items = _items(self.book, charges, self._status())
        invoices = _invoices(self.book, items, self._status())
        frames = {
            "charges": charges,
            "items": items,
            "invoices": invoices,
            "streams": _named(self.book, "invoice_streams"),
            "periods": _named(self.book, "policy_periods"),
            "payments": self._payments(),
            "funds": _named(self.book, "funds"),
            "rejects": self._rejects(),
            "payment_items": self._payment_items(charges),
            "journal": self._journal(charges),
        }
        return {name: _in_order(frame, name, since) for name, frame in frames.items()}

    def _status(self) -> pl.Expr:
        lag = timedelta(days=self.carrier.invoice_due_lag_days)
        return (
            pl.when(pl.col("bill_date") > self.today)
            .then(pl.lit("Planned"))
            .when(pl.col("due_date") + lag <= self.today)
            .then(pl.lit("Due"))
            .otherwise(pl.lit("Billed"))
        )

    def _payments(self) -> pl.DataFrame:
        distributed = self.events("payment_items").group_by("payment_key").agg(distributed=pl.col("amount").sum())
        terms = self.book["policy_periods"].select("period_key", term="term_number")
        landed = self.book["payments"].rename({"account_id": "landed_account", "invoice_id": "landed_invoice"})
        return (
            _named_fund(self.book, landed.drop("policy_id", "term_number"))
            .join(distributed, on="payment_key", how="left")
            .join(terms, on="period_key", how="left")
            .join(_accounts(self.book), on="account_key", how="left")
            .join(_invoice_keys(self.book).rename({"external": "named_invoice"}), on="invoice_key", how="left")
            .with_columns(
                pl.coalesce("account_id", "landed_account").alias("account_id"),
                pl.col("distributed").fill_null(0),
                term_number="term",
                invoice_key="named_invoice",
                business_date="received_date",
            )
        )

    def _rejects(self) -> pl.DataFrame:
        counted = self.events("quarantine").group_by("business_date", "table_name", "record_id").agg(rows=pl.len())
        return counted.rename({"table_name": "table"})

    def _payment_items(self, charges: pl.DataFrame) -> pl.DataFrame:
        kind = (
            pl.when(pl.col("credit_item_key") != 0)
            .then(pl.lit("credit"))
            .when(pl.col("payment_key") != 0)
            .then(pl.lit("payment"))
            .otherwise(pl.lit("fund"))
        )
        return (
            _with_event_ids(self.book, charges, _named_fund(self.book, self.events("payment_items")))
            .join(_accounts(self.book), on="account_key", how="left")
            .with_columns(kind=kind)
        )

    def _journal(self, charges: pl.DataFrame) -> pl.DataFrame:
        policies = self.book["policies"].select("policy_key", fund_policy_id="policy_id")
        lines = _with_event_ids(self.book, charges, self.events("journal"))
        return (
            _with_owner(self.book, lines)
            .join(policies, left_on="fund_policy_key", right_on="policy_key", how="left")
            .with_columns(t_account_name())
        )


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
    payments = book["payments"].select(
        pl.lit("SuspensePayment").alias("owner_type"), owner_key="payment_key", owner_id="payment_id"
    )
    owners = pl.concat([accounts, periods, payments])
    return frame.with_columns(pl.col("owner_type").cast(pl.String)).join(
        owners, on=["owner_type", "owner_key"], how="left"
    )


def _with_event_ids(book: Book, charges: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Events with the ids of their charge, item and payment."""
    payments = book["payments"].select("payment_key", "payment_id")
    return (
        frame.join(charges.select(pl.col("engine_charge_key").alias("charge_key"), external="charge_key"),
                   on="charge_key", how="left")
        .join(payments, on="payment_key", how="left")
        .with_columns(charge_key="external", item_no=pl.col("item_key") % 1024)
    )  # fmt: skip


def _invoice_keys(book: Book) -> pl.DataFrame:
    """invoice_key and `external`: payer|policy|periodicity|date of the cadence."""
    streams = _named(book, "invoice_streams").select("stream_key", "account_id", "policy_id", "periodicity")
    parts = ("account_id", pl.col("policy_id").fill_null(""), pl.col("periodicity").cast(pl.String), "cadence_date")
    return (
        book["invoices"]
        .join(streams, on="stream_key", how="left")
        .select("invoice_key", pl.concat_str(*parts, separator="|").alias("external"))
    )


def _charges(book: Book) -> pl.DataFrame:
    """Charges with the model's ids: instruction/number, or fee/invoice/policy."""
    instructions = book["instructions"].select("instruction_key", "instruction_id")
    terms = book["policy_periods"].select("period_key", "term_number")
    first_items = book["invoice_items"].filter(pl.col("item_key") % 1024 == 1).select("charge_key", "invoice_key")
    named = (
        _named(book, "charges")
        .join(instructions, on="instruction_key", how="left")
        .join(terms, on="period_key", how="left")
        .join(_accounts(book).rename({"account_key": "payer_account_key", "account_id": "payer"}),
              on="payer_account_key", how="left")
        .join(first_items.join(_invoice_keys(book), on="invoice_key", how="left"), on="charge_key", how="left")
    )  # fmt: skip
    return _with_owner(book, named).with_columns(
        engine_charge_key="charge_key",
        charge_key=pl.when(pl.col("instruction_id").is_null())
        .then(pl.format("fee/{}/{}", "external", "policy_id"))
        .otherwise(pl.format("{}/{}", "instruction_id", "charge_no")),
        owner_account_id="account_id",
        payer_account_id="payer",
    )


def _items(book: Book, charges: pl.DataFrame, status: pl.Expr) -> pl.DataFrame:
    """Items with the dates and the status of their invoices."""
    terms = book["policy_periods"].select("period_key", "term_number")
    invoices = book["invoices"].select("invoice_key", "bill_date", "due_date")
    external = charges.select(pl.col("engine_charge_key").alias("charge_key"), external_charge="charge_key")
    return (
        _named(book, "invoice_items")
        .join(terms, on="period_key", how="left")
        .join(invoices, on="invoice_key", how="left")
        .join(_invoice_keys(book), on="invoice_key", how="left")
        .join(external, on="charge_key", how="left")
        .with_columns(
            status.alias("status"),
            item_no=pl.col("item_key") % 1024,
            charge_key="external_charge",
            invoice_key="external",
            engine_invoice_key="invoice_key",
        )
    )


def _invoices(book: Book, items: pl.DataFrame, status: pl.Expr) -> pl.DataFrame:
    """Invoices with what their items sum to."""
    sums = items.group_by(invoice_key="engine_invoice_key").agg(
        pl.col("amount").sum(), amount_due=(pl.col("amount") - pl.col("paid")).sum()
    )
    streams = book["invoice_streams"].select("stream_key", "periodicity")
    return (
        _named(book, "invoices")
        .join(sums, on="invoice_key", how="left")
        .join(streams, on="stream_key", how="left")
        .join(_invoice_keys(book), on="invoice_key", how="left")
        .with_columns(status.alias("status"), invoice_key="external")
    )


# ------------------------------------------------------------------------------------ the model


def tables_of(*models: Model, since: date = date.min) -> dict[str, pl.DataFrame]:
    """What `Engine.tables` gives, of the model; of several models whose ids are different, all of them."""
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    for model in models:
        for name in ("charges", "invoices", "streams", "periods", "payments", "funds"):
            rows[name] += getattr(model, name)()
        rows["items"] += [item | {"installment_number": item["installment_number"] or 0} for item in model.items()]
        rows["journal"] += [line for line in model.posted.lines if line["business_date"] >= since]
        items = [item for item in model.all_payment_items if item["business_date"] >= since]
        rows["payment_items"] += [_payment_item(item) for item in items]
        rows["rejects"] += [row for row in model.rejects() if row["business_date"] >= since]
    return {name: _in_order(_frame(name, listed), name, since) for name, listed in rows.items()}


def _payment_item(row: Row) -> Row:
    """What a credit pays is neither a payment's nor a fund's."""
    if row["step"] == "credit":
        return row | {"kind": "credit", "payment_id": None, "fund_policy_id": None}
    return row | {"kind": "payment" if row["payment_id"] else "fund"}


_WHOLE = ("amount", "paid", "amount_due", "balance", "distributed", "item_no", "installment_number", "term_number")
_WHOLE += ("rows",)
_DATES = ("charge_date", "effective_date", "event_date", "bill_date", "due_date", "cadence_date", "expiration_date")
_DATES += ("coverage_end", "payment_date", "business_date", "transaction_date")


def _dtype(column: str) -> pl.DataType:
    return pl.Int64() if column in _WHOLE else pl.Date() if column in _DATES else pl.String()


def _frame(name: str, rows: list[Row]) -> pl.DataFrame:
    columns = TABLES[name]
    values = {column: [row.get(column) for row in rows] for column in columns}
    return pl.DataFrame(values, schema={column: _dtype(column) for column in columns})


def _in_order(frame: pl.DataFrame, name: str, since: date) -> pl.DataFrame:
    """The compared columns with their types, events since a day with amounts added up, sorted."""
    columns = TABLES[name]
    frame = frame.select(pl.col(column).cast(_dtype(column)) for column in columns)
    if name in ("journal", "payment_items", "rejects"):
        frame = frame.filter(pl.col("business_date") >= since)
        frame = frame.with_columns(pl.col("item_no").fill_null(0)) if "item_no" in columns else frame
        summed = columns[-1]
        frame = frame.group_by(columns[:-1]).agg(pl.col(summed).sum()).filter(pl.col(summed) != 0)
        frame = frame.select(columns)
    return frame.sort(columns)


# ------------------------------------------------------------------------------------ differences


def differences(expected: dict[str, pl.DataFrame], actual: dict[str, pl.DataFrame], most: int = 8) -> list[str]:
    """The first differing rows of every table side by side: `-` only in the model, `+` only in the engine."""
    found = []
    for name, columns in TABLES.items():
        if expected[name].equals(actual[name]):
            continue
        missing = expected[name].join(actual[name], on=columns, how="anti", nulls_equal=True)
        extra = actual[name].join(expected[name], on=columns, how="anti", nulls_equal=True)
        marked = [("-", row) for row in missing.iter_rows()] + [("+", row) for row in extra.iter_rows()]
        marked.sort(key=lambda entry: [str(value) for value in entry[1]])
        found.append(f"{name}: {len(missing)} rows only in the model (-), {len(extra)} only in the engine (+)")
        found.append("    " + " ".join(columns))
        found += [f"  {mark} {_line(row)}" for mark, row in marked[:most]]
    return found


def _line(row: Iterable[Any]) -> str:
    return " ".join("." if value is None else str(value) for value in row)
