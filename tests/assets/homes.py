"""Small homes for tests: a directory with the standard carrier and a few landing rows, closed by the real ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pipelines.homes import create_home
from warehouse.landing import land
from warehouse.storage import Home

FIRST = date(2026, 1, 5)
PLAN = "Monthly"


def day(number: int) -> date:
    """The n-th day of a test home, from 1."""
    return FIRST + timedelta(days=number - 1)


def put(home: Home, table: str, rows: Sequence[Mapping[str, str]], on: date, name: str = "test") -> None:
    """Land a few rows for a business date."""
    file = home.root / f"{name}.csv"
    pl.DataFrame(list(rows)).write_csv(file)
    land(home, table, file, on)
    file.unlink()


def issue(home: Home, number: int, on: date) -> None:
    """Issue a one-year policy of 1200.00 to an account of its own."""
    put(
        home,
        "billing_instructions",
        [
            {
                "instruction_id": f"I{number}",
                "instruction_type": "issuance",
                "account_id": f"A{number}",
                "policy_id": f"P{number}",
                "period_start": str(on),
                "period_end": str(on.replace(year=on.year + 1)),
                "effective_date": str(on),
                "payment_plan": PLAN,
            }
        ],
        on,
        name=f"issue{number}",
    )
    put(
        home,
        "charges",
        [{"instruction_id": f"I{number}", "charge_no": "1", "charge_pattern": "Premium", "amount": "1200.00"}],
        on,
        name=f"issue{number}",
    )


def pay(home: Home, number: int, amount: str, on: date, payment: str | None = None) -> None:
    """Receive money on the account of a policy."""
    payment_id = payment or f"R{number}-{on}"
    put(home, "payments", [{"payment_id": payment_id, "account_id": f"A{number}", "amount": amount}], on, payment_id)


def small_home(path: Path) -> Home:
    """A home in which one policy is issued on the first day and paid for on the third."""
    home = create_home(path)
    issue(home, 1, day(1))
    pay(home, 1, "100.00", day(3))
    return home
