"""Days small enough to read: two policies, one fund, one journal transaction."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from schemas.book import FUNDS, POLICIES
from schemas.journal import JOURNAL
from warehouse.storage import DayRecord, Home, Store, Writer

FIRST = date(2026, 1, 1)


def january(day_of_month: int) -> date:
    return FIRST + timedelta(days=day_of_month - 1)


def policies(*rows: tuple[int, str, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=POLICIES.schema, orient="row")


def funds(*rows: tuple[int, int, int]) -> pl.DataFrame:
    """Fund key, account key, balance."""
    return pl.DataFrame([(f, a, 0, b, "USD") for f, a, b in rows], schema=FUNDS.schema, orient="row")


def journal(day: date, amount: int, *, credit: int | None = None) -> pl.DataFrame:
    """One transaction of two lines."""
    lines = [(1, "D", amount), (2, "C", amount if credit is None else credit)]
    one = {
        "business_date": day,
        "transaction_key": day.toordinal(),
        "transaction_type": "InitialChargeTxn",
        "transaction_date": day,
        "owner_type": "Account",
        "owner_key": 1,
        "t_account_pattern": "<Charge Pattern> Unbilled",
        "charge_pattern": "Premium",
        "account_type": "Asset",
        "currency": "USD",
    }
    keys = {name: 0 for name, dtype in JOURNAL.schema.items() if dtype == pl.Int64}
    rows = [{**keys, **one, "line_no": n, "side": side, "amount": cents} for n, side, cents in lines]
    return pl.DataFrame(rows, schema=JOURNAL.schema)


def tables(day: date, amount: int) -> dict[str, pl.DataFrame]:
    """What one day of these tests adds and changes: policy 1, a policy of its own, the fund, the journal."""
    return {
        "policies": policies((1, f"P-1 as of {day}", amount), (1 + day.toordinal(), f"P-{day}", 1)),
        "funds": funds((2, 1, amount)),
        "journal": journal(day, amount),
        "charges": pl.DataFrame(),
    }


def commit(writer: Writer, store: Store, day: date, amount: int = 100, **changed: object) -> DayRecord:
    """Close a day on the fresh day before it."""
    before = {record.business_date: record.digest for record in store.days()}
    day_of = {
        "opening": before.get(day - timedelta(days=1)),
        "tables": tables(day, amount),
        "inputs": {f"payments/business_date={day}/bank.parquet": f"{amount:064x}"},
        "carrier_digest": "c" * 64,
        "code_version": "1",
        **changed,
    }
    return writer.commit_day(day, **day_of)


def close(store: Store, *days: date, amount: int = 100) -> list[DayRecord]:
    with store.writer() as writer:
        return [commit(writer, store, day, amount) for day in days]


def closed_home(directory: Path, days: int) -> Store:
    """A home in which the first days of January are closed."""
    store = Store(Home(directory))
    close(store, *(january(n) for n in range(1, days + 1)))
    return store


def litter(home: Home) -> list[str]:
    return [path.name for path in home.root.rglob(".tmp-*")]
