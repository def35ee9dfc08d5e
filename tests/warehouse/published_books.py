"""Small books for the tests of the catalogue: rows by table and day, written as the parts of closed days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from schemas.book import BOOK_TABLES
from schemas.declare import Table
from schemas.journal import EVENT_TABLES
from warehouse.catalogue import Published, StateParts

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
CHARGE_PATTERNS = pl.DataFrame(
    {
        "charge_pattern": ["Premium", "Taxes"],
        "charge_subtype": ["pro_rata", "pass_through"],
        "category": ["premium", "tax"],
    }
)
_ZERO = {pl.Boolean: False, pl.String: "", pl.Date: date(2025, 1, 1)}


def rows_of(table: Table, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of a table; what a row does not say is none where it may be, else a first word, an empty text or zero."""
    return pl.DataFrame(
        [{column.name: row.get(column.name, _default(column)) for column in table.columns} for row in rows],
        schema=table.schema,
        strict=False,
    )


def _default(column: Any) -> Any:
    if column.nullable:
        return None
    if column.values is not None:
        return column.values[0]
    return "USD" if column.name == "currency" else _ZERO.get(column.dtype, 0)


def write_book(
    folder: Path,
    days: Mapping[date, Rows],
    *,
    checkpoint: date | None = None,
    lag: int = 1,
    currency: str = "USD",
    closed: pl.DataFrame | None = None,
) -> Published:
    """Write the rows of each day as parts, the newest versions by `checkpoint` as a checkpoint; say where they are."""
    state = {table.name: _state(folder, table, days, checkpoint) for table in BOOK_TABLES}
    events = {
        table.name: [
            _write(folder / f"{table.name}-{day}.parquet", rows_of(table, [{**r, "business_date": day} for r in rows]))
            for day in sorted(days)
            if (rows := days[day].get(table.name))
        ]
        for table in EVENT_TABLES
    }
    return Published(
        through=max(days),
        carrier="standard",
        currency=currency,
        invoice_due_lag_days=lag,
        state=state,
        events=events,
        plans={"charge_patterns": CHARGE_PATTERNS},
        days=closed,
    )


def _state(folder: Path, table: Table, days: Mapping[date, Rows], checkpoint: date | None) -> StateParts:
    deltas, later, newest = [], [], table.empty()
    for day in sorted(days):
        if not (rows := days[day].get(table.name)):
            continue
        frame = rows_of(table, rows)
        delta = frame.insert_column(0, pl.Series("business_date", [day] * frame.height))
        deltas.append(_write(folder / f"{table.name}-{day}.parquet", delta))
        if checkpoint is not None and day <= checkpoint:
            newest = pl.concat([newest, frame.drop("business_date")]).unique(table.key, keep="last")
        elif checkpoint is not None:
            later.append(deltas[-1])
    if newest.is_empty():
        return StateParts(all_deltas=deltas)
    full = _write(folder / f"{table.name}-checkpoint-{checkpoint}.parquet", newest.sort(table.key))
    return StateParts(checkpoint=[full], deltas_after_checkpoint=later, all_deltas=deltas)


def _write(path: Path, frame: pl.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)
    return path


def line(transaction: int, number: int, side: str, pattern: str, amount: int, effective: date, **more: Any) -> dict:
    """A journal line of policy period 1, or of account 1 where the pattern has no charge pattern."""
    has_charge = pattern.startswith("<")
    classes = {"Unbilled": "Asset", "Billed": "Asset", "Due": "Asset", "Cash": "Asset", "Revenue": "Revenue"}
    return {
        "transaction_key": transaction,
        "transaction_type": "InitialChargeTxn",
        "line_no": number,
        "transaction_date": effective,
        "owner_type": "PolicyPeriod" if has_charge else "Account",
        "owner_key": 1,
        "t_account_pattern": pattern,
        "charge_pattern": "Premium" if has_charge else "",
        "account_type": classes.get(pattern.rsplit(" ", 1)[-1], "Liability"),
        "side": side,
        "amount": amount,
        "account_key": 1,
        "period_key": 1 if has_charge else 0,
        **more,
    }
