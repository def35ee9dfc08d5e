"""Account groups: accounts that are tied, because one pays for what another owns, had its money, or is its parent.

What happens to an account can reach the others of its group, and no further. A tie is never undone here: a group may
be larger than it needs to be, never smaller.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ledger.book import TABLES, Book

_WITH_PAYER = ("policy_periods", "charges")
_THROUGH = (
    ("policies", "policy_key", ("policy_periods", "invoice_streams", "funds", "payments")),
    ("charges", "charge_key", ("invoice_items", "payment_items")),
    ("payments", "payment_key", ("payment_items",)),
    ("payments", "from_payment_key", ("payments",)),
)
"""What rows name, by which key, and in which tables: they tie their account to the account of that."""
_MAY_TIE = ("accounts", *_WITH_PAYER, *dict.fromkeys(table for *_, tables in _THROUGH for table in tables))


def account_groups(book: Book, rows: Mapping[str, pl.DataFrame], known: pl.Series | None = None) -> pl.Series:
    """The group of every account, at the place of its key: the lowest key of the accounts in it.

    rows: those of the book, by table, whose ties are to be added to the groups that are `known`; with all of them,
    none need to be. Accounts that are not known yet are a group of their own at first.
    """
    own = _by_key(book, "accounts")
    groups = own if known is None else pl.concat([known, own.slice(len(known))])
    if all(rows[table].is_empty() for table in _MAY_TIE):
        return groups
    ties = _ties(book, rows)
    while True:
        ends = pl.DataFrame({"one": groups.gather(ties["one"]), "other": groups.gather(ties["other"])})
        ends = ends.filter(pl.col("one") != pl.col("other"))
        if ends.is_empty():
            return groups
        both_ways = pl.concat([ends, ends.select(one="other", other="one")])
        lower = both_ways.group_by("one").agg(pl.col("other").min()).filter(pl.col("other") < pl.col("one"))
        groups = _to_the_end(own.scatter(lower["one"], lower["other"])).gather(groups)


def _to_the_end(step: pl.Series) -> pl.Series:
    """Where each place leads to in any number of steps; every round looks twice as far."""
    while True:
        further = step.gather(step)
        if further.equals(step):
            return step
        step = further


def _ties(book: Book, rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Pairs of accounts, `one` and `other`, that these rows tie to each other."""
    parts = [_parents(book, rows["accounts"])]
    parts += [rows[table].select(one="account_key", other="payer_account_key") for table in _WITH_PAYER]
    for named, key, tables in _THROUGH:
        accounts = _by_key(book, named)
        for table in tables:
            others = accounts.gather(rows[table][key])
            parts.append(pl.DataFrame({"one": rows[table]["account_key"], "other": others}))
    is_tie = (pl.col("one") != pl.col("other")) & (pl.col("one") > 0) & (pl.col("other") > 0)
    return pl.concat(part.filter(is_tie) for part in parts).unique()


def _parents(book: Book, accounts: pl.DataFrame) -> pl.DataFrame:
    """Accounts with their parents."""
    children = accounts.select(account_id="parent_account_id", one="account_key").drop_nulls()
    parents = book["accounts"].filter(pl.col("account_id").is_in(children["account_id"].implode()))
    parents = parents.select("account_id", other="account_key")
    return children.join(parents, on="account_id", how="inner").select("one", "other")


def _by_key(book: Book, table: str) -> pl.Series:
    """The accounts of the rows of a table with dense keys, each at the place of its key; 0 at place 0."""
    keys, accounts = book[table][TABLES[table].key[0]], book[table]["account_key"]
    if len(keys) and keys[-1] != len(keys):
        msg = f"the keys of {table} are not dense: row {len(keys)} has key {keys[-1]}"
        raise ValueError(msg)
    return pl.concat([pl.Series([0]), accounts])
