"""Commands that open closed policy periods, and that close accounts and open them again."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.closure import open_periods
from ledger.commands.refusals import refused_commands, split_refused
from ledger.commands.targets import find_periods_of
from ledger.effects import Effects

_OPEN = pl.col("amount") - pl.col("paid") - pl.col("written_off")


def open_policy_periods(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:  # noqa: ARG001
    """Open closed policy periods. In: commands with policy_key, term_number. Rules: R-CLS-06, R-CLS-07."""
    closed = book["policy_periods"].select("period_key", "closed_date")
    found = find_periods_of(book, commands).join(closed, on="period_key", how="left", maintain_order="left")
    right, refused = split_refused(
        found, {"E-TERM-UNKNOWN": pl.col("period_key") == 0, "E-PERIOD-OPEN": pl.col("closed_date").is_null()}
    )
    return Effects(open_periods(book, right["period_key"], day), refused=(refused,))


def close_accounts(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:  # noqa: ARG001
    """Close accounts: nothing is owed on their charges, and each of their policy periods is closed.

    In: commands with account_key. Money in their funds does not keep them open, but is warned about. An account that is
    closed is treated as any other. Rules: R-ACC-09, R-ACC-10, R-ACC-11.
    """
    keys = commands["account_key"].implode()
    open_periods_of = book["policy_periods"].filter(
        pl.col("account_key").is_in(keys) & pl.col("closed_date").is_null()
    )["account_key"]
    owners = book["charges"].filter(pl.col("account_key").is_in(keys)).select("charge_key", owner="account_key")
    owed = book["invoice_items"].filter(_OPEN != 0).join(owners, on="charge_key", how="inner")
    owed = owed.group_by(account_key="owner").agg(owed=_OPEN.sum())
    funds = book["funds"].filter(pl.col("account_key").is_in(keys)).group_by("account_key").agg(pl.col("balance").sum())
    found = _with_close_date(book, commands)
    for facts in (owed, funds):
        found = found.join(facts, on="account_key", how="left", maintain_order="left")
    right, refused = split_refused(
        found,
        {
            "E-ACCOUNT-CLOSED": pl.col("close_date").is_not_null(),
            "E-ACCOUNT-PERIODS": pl.col("account_key").is_in(open_periods_of.implode()),
            "E-ACCOUNT-BALANCE": pl.col("owed") != 0,
        },
    )
    warned = refused_commands(right.filter(pl.col("balance") != 0), "W-ACCOUNT-FUNDS")
    return Effects(_set_close_date(book, right, day), refused=(refused,), warnings=(warned,))


def reopen_accounts(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:  # noqa: ARG001
    """Open closed accounts again. In: commands with account_key. Rules: R-ACC-12."""
    right, refused = split_refused(_with_close_date(book, commands), {"E-ACCOUNT-OPEN": pl.col("close_date").is_null()})
    return Effects(_set_close_date(book, right, None), refused=(refused,))


def _with_close_date(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    closed = book["accounts"].select("account_key", "close_date")
    return commands.join(closed, on="account_key", how="left", maintain_order="left")


def _set_close_date(book: Book, commands: pl.DataFrame, day: date | None) -> Book:
    keys = commands["account_key"].unique().implode()
    rows = book["accounts"].with_row_index("row").filter(pl.col("account_key").is_in(keys))["row"]
    return book.update("accounts", rows, {"close_date": pl.repeat(day, len(rows), dtype=pl.Date, eager=True)})


PROCESSES = {
    "open_policy_period": open_policy_periods,
    "close_account": close_accounts,
    "reopen_account": reopen_accounts,
}
