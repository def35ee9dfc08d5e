"""The last version of rows."""

from __future__ import annotations

import polars as pl
from polars.testing import assert_frame_equal

from schemas.versions import last_versions, put_rows

ROWS = pl.DataFrame({"key": [7, 1, 4], "name": ["g", "a", None], "amount": [70, 10, 40]})


def test_rows_take_the_places_that_are_named_and_nothing_else_changes() -> None:
    new = pl.DataFrame({"key": [4, 7], "name": ["d", "g"], "amount": [40, 71]})
    after = put_rows(ROWS, pl.Series([2, 0]), new)
    assert after.rows() == [(7, "g", 71), (1, "a", 10), (4, "d", 40)]
    assert ROWS["name"].to_list() == ["g", "a", None]


def test_of_each_key_the_last_version_stands_in_the_place_of_the_first() -> None:
    changes = pl.DataFrame({"key": [9, 4, 2, 4, 9], "name": ["x", "d", "b", None, "i"], "amount": [0, 41, 20, 42, 90]})
    after = last_versions(ROWS, changes, ["key"])
    assert after.rows() == [(7, "g", 70), (1, "a", 10), (4, None, 42), (2, "b", 20), (9, "i", 90)]


def test_a_key_may_have_several_columns() -> None:
    rows = pl.DataFrame({"one": [1, 1, 2], "other": [1, 2, 1], "amount": [11, 12, 21]})
    changes = pl.DataFrame({"one": [2, 1], "other": [2, 2], "amount": [22, 0]})
    after = last_versions(rows, changes, ["one", "other"])
    assert after.rows() == [(1, 1, 11), (1, 2, 0), (2, 1, 21), (2, 2, 22)]


def test_nothing_changed_and_nothing_there() -> None:
    assert_frame_equal(last_versions(ROWS, ROWS.clear(), ["key"]), ROWS)
    assert last_versions(ROWS.clear(), ROWS, ["key"]).rows() == ROWS.sort("key").rows()
