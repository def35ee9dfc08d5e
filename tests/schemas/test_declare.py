"""A declaration is the contract: every table accepts its own frame and refuses what breaks it."""

from __future__ import annotations

import polars as pl
import pytest
from pandera.errors import SchemaErrors

from schemas import enums
from schemas.book import BOOK_TABLES
from schemas.declare import Column, Table
from schemas.journal import EVENT_TABLES
from schemas.landing import LANDING_TABLES

TABLE = Table(
    name="sample",
    kind="state",
    description="A sample.",
    key=("sample_key",),
    columns=(
        Column("sample_key", pl.Int64, "Key.", minimum=1),
        Column("word", pl.String, "A word.", values=("yes", "no"), nullable=True),
        Column("amount", pl.Int64, "Money.", unit="minor units"),
    ),
)
GOOD = pl.DataFrame({"sample_key": [1, 2], "word": ["yes", None], "amount": [5, -5]})


@pytest.mark.parametrize("table", [*BOOK_TABLES, *EVENT_TABLES, *LANDING_TABLES], ids=lambda table: table.name)
def test_every_table_accepts_its_own_empty_frame(table: Table) -> None:
    assert table.validate(table.empty()).schema == table.schema
    assert table.description.endswith(".")
    assert all(column.description.endswith(".") for column in table.columns)
    assert len(set(table.column_names)) == len(table.columns)


def test_a_good_frame_passes() -> None:
    assert TABLE.validate(GOOD).equals(GOOD)


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.with_columns(sample_key=pl.lit(0, pl.Int64)),
        GOOD.with_columns(word=pl.lit("maybe")),
        GOOD.with_columns(amount=pl.lit(None, pl.Int64)),
        GOOD.with_columns(amount=pl.lit(1.5)),
        GOOD.with_columns(extra=pl.lit(1)),
        GOOD.drop("amount"),
        GOOD.select("word", "sample_key", "amount"),
    ],
    ids=["minimum", "word", "null", "type", "extra column", "missing column", "order"],
)
def test_each_break_of_the_contract_is_refused(bad: pl.DataFrame) -> None:
    with pytest.raises(SchemaErrors):
        TABLE.validate(bad)


def test_a_key_must_be_unique() -> None:
    with pytest.raises(ValueError, match="not unique"):
        TABLE.validate(GOOD.with_columns(sample_key=pl.lit(1, pl.Int64)))


def test_a_key_must_be_declared() -> None:
    with pytest.raises(ValueError, match="not declared"):
        Table(name="t", kind="state", description="T.", columns=(), key=("x",))


def test_lists_of_words_are_complete() -> None:
    assert len(enums.TRANSACTION_TYPES) == len(set(enums.TRANSACTION_TYPES)) == 54
    assert len(enums.T_ACCOUNT_PATTERNS) == len(set(enums.T_ACCOUNT_PATTERNS)) == 35
