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

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.close import ClosedDay, close
from tests.reference.engine_carrier import carrier_text
from tests.reference.engine_tables import (
    book_tables,
    charge_ids,
    invoice_ids,
    journal_table,
    payment_ids,
    refund_tables,
    stream_ids,
)
from tests.reference.model import Model
from tests.story import landing

Row = dict[str, Any]
TABLES: dict[str, tuple[str, ...]] = {
    "accounts": ("account_id", "account_type", "close_date"),
    "charges": (
        "charge_key", "charge_pattern", "amount", "charge_date", "effective_date", "owner_type", "owner_id",
        "owner_account_id", "payer_account_id", "policy_id", "term_number", "context", "charge_group",
        "hold_reason", "reverses", "reversal_reason",
    ),
    "items": (
        "charge_key", "item_no", "item_type", "installment_number", "event_date", "amount", "paid", "written_off",
        "account_id", "policy_id", "term_number", "invoice_key", "bill_date", "due_date", "status", "reversal_kind",
        "related_charge_key", "related_item_no",
    ),
    "invoices": (
        "invoice_key", "account_id", "policy_id", "periodicity", "cadence_date", "bill_date", "due_date", "status",
        "is_ad_hoc", "amount", "amount_due",
    ),
    "streams": ("account_id", "policy_id", "periodicity", "fix_invoices_on", "is_account_level_only"),
    "periods": (
        "policy_id", "term_number", "account_id", "effective_date", "expiration_date", "coverage_end", "status",
        "payment_plan", "billing_method", "payer_account_id", "return_premium_plan", "closed_date", "opened_date",
        "has_equity_warnings", "min_equity_days",
    ),
    "payments": (
        "payment_id", "status", "amount", "account_id", "fund_policy_id", "term_number", "invoice_key", "payment_date",
        "business_date", "distributed",
    ),
    "funds": ("account_id", "policy_id", "balance"),
    "suspense_items": ("suspense_item_id", "payment_id", "status", "amount"),
    "disbursements": (
        "disbursement_id", "account_id", "payment_id", "fund_policy_id", "amount", "origin", "status", "trigger_date",
        "due_date", "requested_by", "approved_by", "approved_date", "rejected_by", "rejected_date",
    ),
    "ad_hoc_credits": ("credit_id", "account_id", "fund_policy_id", "credit_type", "amount", "status"),
    "approvals": (
        "subject_type", "subject_id", "account_id", "amount", "requested_by", "assigned_to", "status", "opened_date",
        "decided_by", "decided_date",
    ),
    "disbursement_holds": (
        "ticket_id", "account_id", "disbursement_id", "opened_by", "opened_date", "closed_by", "closed_date",
    ),
    "rejects": ("business_date", "table", "record_id", "rows"),
    "payment_items": (
        "business_date", "kind", "payment_id", "account_id", "fund_policy_id", "charge_key", "item_no",
        "credit_charge_key", "credit_item_no", "amount",
    ),
    "journal": (
        "business_date", "transaction_type", "transaction_date", "charge_key", "item_no", "payment_id", "side",
        "owner_type", "owner_id", "t_account", "account_type", "fund_policy_id", "amount",
    ),
}  # fmt: skip
"""What is compared: tables and their columns. Amounts of payment items and of journal lines are added up."""


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
        """A row of the model with its amount in units of the currency, and ids of the engine for references."""
        changed = dict(row)
        if changed.get("amount") is not None:
            changed["amount"] = self._units(changed["amount"])
        if row.get("modifiers"):
            changed["modifiers"] = json.dumps(row["modifiers"])
        if "|" in (row.get("invoice_id") or ""):
            changed["invoice_id"] = self._id_of("invoice", row["invoice_id"])
        if row.get("distribution"):
            changed["distribution"] = json.dumps(self._params(row["distribution"]))
        if "command_type" in row:
            changed["target_id"] = self._id_of(row["target_type"], row["target_id"])
            changed["params"] = json.dumps(self._params(row.get("params") or {}))
        return changed

    def _units(self, amount: int) -> Decimal:
        return Decimal(amount).scaleb(-self.decimals)

    def _params(self, params: Any) -> Any:
        """Parameters of a command in the engine's words: its ids, units of currency, dates as text."""
        if isinstance(params, list):
            return [self._params(entry) for entry in params]
        if str(params).startswith("draft/"):
            return self._id_of("payment", params)
        if not isinstance(params, dict):
            return self._id_of("invoice_item", params) if "#" in str(params) else params
        kinds = {"item_id": "invoice_item", "invoice_id": "invoice", "stream_id": "invoice_stream"}
        changed = {}
        if "target_type" in params:
            params = params | {"target_id": self._id_of(params["target_type"], params["target_id"])}
        for name, value in params.items():
            if name == "amount":
                changed[name] = str(self._units(value))
            elif name in kinds and value is not None:
                changed[name] = self._id_of(kinds[name], value)
            else:
                changed[name] = value.isoformat() if isinstance(value, date) else self._params(value)
        return changed

    def _id_of(self, kind: str, reference: str) -> str:
        """The engine's id of what the model refers to as in `targets.py`; the reference itself when it has none."""
        if kind == "invoice":
            ids, name = invoice_ids(self.book), "invoice_key"
        elif kind == "invoice_stream":
            ids, name = stream_ids(self.book).rename({"stream": "external"}), "stream_key"
        elif kind == "payment":
            ids = payment_ids(self.book).rename({"payment_id": "external"})
            name = "engine_payment_id"
        elif kind in ("charge", "invoice_item"):
            ids = charge_ids(self.book).select(external="charge_key", key="engine_charge_key")
            name = "key"
        else:
            return reference
        wanted, _, number = reference.partition("#")
        found = ids.filter(pl.col("external") == wanted)[name]
        if found.is_empty():
            return reference
        return str(found.item() * 1024 + int(number) if number else found.item())

    def events(self, table: str) -> pl.DataFrame:
        """All rows of an event table so far."""
        return pl.concat(closed.events[table] for closed in self.closed)

    def tables(self, since: date = date.min) -> dict[str, pl.DataFrame]:
        """Everything that is compared: the book as it is now, events since a day."""
        frames = book_tables(self.book, timedelta(days=self.carrier.invoice_due_lag_days), self.today)
        frames |= refund_tables(self.book)
        frames["journal"] = journal_table(self.book, self.events("journal"))
        counted = self.events("quarantine").group_by("business_date", "table_name", "record_id").agg(rows=pl.len())
        frames["rejects"] = counted.rename({"table_name": "table"})
        return {name: _in_order(frames[name], name, since) for name in TABLES}


# ------------------------------------------------------------------------------------ the model


def tables_of(*models: Model, since: date = date.min) -> dict[str, pl.DataFrame]:
    """What `Engine.tables` gives, of the model; of several models whose ids are different, all of them."""
    rows: dict[str, list[Row]] = {name: [] for name in TABLES}
    for model in models:
        for name in ("charges", "invoices", "streams", "periods", "payments", "funds"):
            rows[name] += getattr(model, name)()
        accounts = model.accounts.values()
        rows["accounts"] += [
            account.row | {"account_id": account.account_id, "close_date": account.close_date} for account in accounts
        ]
        rows["disbursements"] += [row | {"disbursement_id": row["id"]} for row in model.disbursements.values()]
        rows["ad_hoc_credits"] += [row | {"credit_id": row["id"]} for row in model.ad_hoc_credits.values()]
        rows["approvals"] += model.approvals
        rows["disbursement_holds"] += model.holds
        rows["suspense_items"] += [item | {"suspense_item_id": item["id"]} for item in model.suspense_items]
        rows["items"] += [item | {"installment_number": item["installment_number"] or 0} for item in model.items()]
        rows["journal"] += [line for line in model.posted.lines if line["business_date"] >= since]
        rows["payment_items"] += [row for row in model.payment_items() if row["business_date"] >= since]
        rows["rejects"] += [row for row in model.rejects() if row["business_date"] >= since]
    return {name: _in_order(_frame(name, listed), name, since) for name, listed in rows.items()}


_WHOLE = ("amount", "paid", "amount_due", "balance", "distributed", "item_no", "installment_number", "term_number")
_WHOLE += ("rows", "credit_item_no", "related_item_no", "written_off", "min_equity_days")
_DATES = ("charge_date", "effective_date", "event_date", "bill_date", "due_date", "cadence_date", "expiration_date")
_DATES += ("coverage_end", "closed_date", "opened_date", "payment_date", "business_date", "transaction_date")
_DATES += ("close_date", "trigger_date", "approved_date", "rejected_date", "opened_date", "decided_date")


def _dtype(column: str) -> pl.DataType:
    if column in ("is_ad_hoc", "is_account_level_only", "has_equity_warnings"):
        return pl.Boolean()
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
        numbers = [column for column in ("item_no", "credit_item_no") if column in columns]
        frame = frame.with_columns(pl.col(numbers).fill_null(0))
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
