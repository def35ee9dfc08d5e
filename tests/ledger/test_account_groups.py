"""Which accounts are tied to each other."""

from __future__ import annotations

import polars as pl
import pytest

from ledger.account_groups import account_groups
from ledger.book import TABLES, Book


def book(*accounts: int, payers: dict[int, int] | None = None) -> Book:
    """A book of accounts, and of charges that one account owns and another one pays."""
    pairs = payers or {}
    return (
        Book.empty()
        .append("accounts", rows("accounts", account_key=list(accounts), account_id=[f"A{key}" for key in accounts]))
        .append(
            "charges",
            rows(
                "charges",
                charge_key=range(1, len(pairs) + 1),
                account_key=list(pairs),
                payer_account_key=list(pairs.values()),
            ),
        )
    )


def rows(table: str, **values: object) -> pl.DataFrame:
    """Rows of which only these columns matter."""
    frame = pl.DataFrame(values)
    rest = [pl.lit(None, dtype).alias(name) for name, dtype in TABLES[table].schema.items() if name not in values]
    return frame.with_columns(rest)


def groups(of: Book, known: pl.Series | None = None) -> list[int]:
    return account_groups(of, of.frames, known).to_list()


def test_accounts_that_share_nothing_are_groups_of_their_own() -> None:
    assert groups(book(1, 2, 3)) == [0, 1, 2, 3]


def test_a_payer_is_in_the_group_of_the_owner_whoever_has_the_lower_key() -> None:
    assert groups(book(1, 2, 3, 4, payers={1: 3, 4: 2})) == [0, 1, 2, 1, 2]


def test_a_chain_of_any_length_is_one_group() -> None:
    keys = range(1, 400)
    assert set(groups(book(*keys, payers={key: key + 1 for key in keys[:-1]}))[1:]) == {1}
    assert set(groups(book(*keys, payers={key + 1: key for key in reversed(keys[:-1])}))[1:]) == {1}


def test_a_parent_is_in_the_group_of_its_child() -> None:
    one = book(1, 2, 3)
    parents = pl.Series("parent_account_id", [None, None, "A1"], pl.String)
    assert groups(Book({**one.frames, "accounts": one["accounts"].with_columns(parents)})) == [0, 1, 2, 1]


def test_ties_are_added_to_the_groups_that_are_known_and_new_accounts_are_groups() -> None:
    known = pl.Series([0, 1, 1, 3])
    assert groups(book(1, 2, 3, 4, 5, payers={3: 4}), known) == [0, 1, 1, 3, 3, 5]
    assert groups(book(1, 2, 3, 4, 5, payers={3: 2}), known) == [0, 1, 1, 1, 4, 5]


def test_keys_that_are_not_dense_are_refused() -> None:
    with pytest.raises(ValueError, match="the keys of accounts are not dense: row 2 has key 3"):
        groups(book(1, 3))
