"""A billing story in a test: rows that land on days, days that are closed, and what the book shows afterwards.

A story runs through the public entry point `ledger.close.close`, one day after another, and answers in external ids and
decimal text, as a person would read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import polars as pl

from carriers import standard
from ledger.balances import owner_amounts, t_account_balances
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.close import ClosedDay, close
from ledger.money import format_minor_units

Row = Mapping[str, object]


def carrier(*changes: tuple[str, str], more: str = "") -> Carrier:
    """The standard carrier with some text replaced and some tables added."""
    text = standard()
    for old, new in changes:
        if old not in text:
            msg = f"the standard carrier has no {old!r}"
            raise AssertionError(msg)
        text = text.replace(old, new)
    return Carrier.from_toml(text + "\n" + more)


def timing(reference: str, days: int = 0) -> str:
    """An event date as the carrier file writes it; negative days are before the reference date."""
    direction = "before" if days < 0 else "after"
    return f'{{ days = {abs(days)}, direction = "{direction}", reference = "{reference}" }}'


def plans(terms: str, *changes: tuple[str, ...], more: str = "") -> Carrier:
    """The standard carrier with a payment plan "X" of these terms.

    A change of two texts replaces the first by the second; one of three ("X", name, terms) is another payment plan.
    """
    named = {"X": terms} | {change[1]: change[2] for change in changes if len(change) == _ANOTHER_PLAN}
    text = ""
    for name, settings in named.items():
        text += f'\n[payment_plans."{name}"]\neffective_date = 2000-01-01\n{settings}\n'
        if "one_time_timing" not in settings:
            text += f"one_time_timing = {timing('policy_effective_date')}\n"
    replaced = [(change[0], change[1]) for change in changes if len(change) != _ANOTHER_PLAN]
    return carrier(*replaced, more=text + more)


_ANOTHER_PLAN = 3


def by_allocation_plan(told: Story) -> Story:
    """The story of a carrier without return premium plans: credits pay as the payment allocation plan says."""
    told.carrier = told.carrier.model_copy(update={"return_premium_plans": {}})
    return told


def landing(table: str, rows: Iterable[Row], file: str = "story.parquet") -> pl.DataFrame:
    """Raw landing rows as text, with file and row number, as the landing reader gives them."""
    listed = [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]
    names = list(dict.fromkeys(name for row in listed for name in row))
    frame = pl.DataFrame(listed, schema=dict.fromkeys(names, pl.String))
    return frame.with_columns(file=pl.lit(f"{table}/{file}"), row_no=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


class Story:
    """Days of one book."""

    def __init__(self, plans: Carrier | None = None) -> None:
        self.carrier = plans or carrier()
        self.book = Book.empty()
        self.days: dict[date, ClosedDay] = {}
        self._landed: dict[date, dict[str, list[Row]]] = {}
        self._omitted = pl.lit(value=False)

    def land(self, day: date, **tables: list[Row]) -> Story:
        """Let rows come in on a business date."""
        inbox = self._landed.setdefault(day, {})
        for table, rows in tables.items():
            inbox.setdefault(table, []).extend(rows)
        return self

    def close_through(self, last: date) -> Story:
        """Close every day after the last closed one (or from the first landing on)."""
        day = max(self.days) + timedelta(days=1) if self.days else min(self._landed)
        while day <= last:
            inbox = {table: landing(table, rows) for table, rows in self._landed.get(day, {}).items()}
            closed = close(self.book, inbox, day, self.carrier)
            self.book, self.days[day] = closed.book, closed
            day += timedelta(days=1)
        return self

    def fork(self) -> Story:
        """Another story with the same days so far; what lands on one of them from now on is not known to the other."""
        other = Story(self.carrier)
        other.book, other.days, other._omitted = self.book, dict(self.days), self._omitted
        other._landed = {day: {name: list(rows) for name, rows in inbox.items()} for day, inbox in self._landed.items()}
        return other

    @property
    def today(self) -> date:
        """The last closed day."""
        return max(self.days)

    def events(self, table: str) -> pl.DataFrame:
        """All rows of an event table so far."""
        return pl.concat(closed.events[table] for closed in self.days.values())

    def omit(self, lines: pl.Expr) -> Story:
        """Leave some journal lines out of every balance from now on."""
        self._omitted = lines
        return self

    def journal(self) -> pl.DataFrame:
        """All journal lines so far, less those omitted."""
        return self.events("journal").filter(~self._omitted)

    def items(self) -> pl.DataFrame:
        """Invoice items with the dates of their invoices, in order of charge and item."""
        invoices = self.book["invoices"].select("invoice_key", "stream_key", "bill_date", "due_date")
        return (
            self.book["invoice_items"]
            .join(invoices, on="invoice_key", how="left")
            .sort("item_key")
            .with_columns(pl.col("item_type").cast(pl.String))
        )

    def dates(self, column: str, pattern: str = "Premium") -> list[str]:
        """One date column of the items of a charge pattern, as ISO text."""
        return [str(value) for value in self.items().filter(pl.col("charge_pattern") == pattern)[column]]

    def amounts(self, pattern: str = "Premium") -> list[str]:
        """Amounts of the items of a charge pattern."""
        items = self.items().filter(pl.col("charge_pattern") == pattern)
        return items.select(format_minor_units(pl.col("amount"), 2)).to_series().to_list()

    def invoices(self) -> list[tuple[str, str, str]]:
        """Bill date, status and amount due of every invoice, in order of bill date."""
        lag = timedelta(days=self.carrier.invoice_due_lag_days)
        due = self.items().group_by("invoice_key").agg(amount_due=(pl.col("amount") - pl.col("paid")).sum())
        status = (
            pl.when(pl.col("bill_date") > self.today)
            .then(pl.lit("Planned"))
            .when(pl.col("due_date") + lag <= self.today)
            .then(pl.lit("Due"))
            .otherwise(pl.lit("Billed"))
        )
        frame = self.book["invoices"].join(due, on="invoice_key").sort("bill_date", "invoice_key")
        return frame.select(
            pl.col("bill_date").cast(pl.String), status.alias("status"), format_minor_units(pl.col("amount_due"), 2)
        ).rows()

    def balance(self, t_account: str, charge_pattern: str = "") -> str:
        """Natural balance of a T-account over all its owners."""
        balances = t_account_balances(self.journal())
        chosen = balances.filter(
            (pl.col("t_account_pattern").cast(pl.String) == t_account) & (pl.col("charge_pattern") == charge_pattern)
        )
        return chosen.select(format_minor_units(pl.col("balance").sum(), 2)).item()

    def owner_amounts(self) -> pl.DataFrame:
        """R-BAL-01..05 of every owner of charges."""
        return owner_amounts(self.journal())

    def quarantined(self) -> list[tuple[str, str]]:
        """Record id and reason code of every row in quarantine."""
        return self.events("quarantine").select("record_id", "code").sort("record_id", "code").rows()
