"""How a table is declared, once: columns, types, units, keys and descriptions.

From one declaration come the Polars schema, the pandera contract, the comments in DuckDB and the data dictionary in
`docs/`. A test proves that they agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:  # pandera brings pandas along, most of a command's start-up, and is needed only where it validates
    import pandera.polars as pa

Kind = Literal["landing", "state", "events"]
"""landing: what comes in. state: the last version of a key counts. events: rows are only ever added."""


NO_DEFAULT = object()
"""Marks a column that every row must give."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, type, meaning, unit and the values it may hold.

    A column with a `default` may be missing from rows that are added; it then holds that value.
    """

    name: str
    dtype: Any
    description: str
    unit: str | None = None
    nullable: bool = False
    values: tuple[str, ...] | None = None
    minimum: int | None = None
    default: object = NO_DEFAULT

    def taken_from(self, frame: pl.DataFrame) -> pl.Expr:
        """The column of a frame in its declared type, or its default where the frame has no such column."""
        if self.default is NO_DEFAULT or self.name in frame.columns:
            return pl.col(self.name).cast(self.dtype)
        return pl.lit(self.default, dtype=self.dtype).alias(self.name)

    def contract(self) -> pa.Column:
        """The pandera column: type, nulls, allowed words and lower bound."""
        import pandera.polars as pa

        checks = []
        if self.values is not None and self.dtype == pl.String:
            checks.append(pa.Check.isin(self.values))
        if self.minimum is not None:
            checks.append(pa.Check.ge(self.minimum))
        return pa.Column(self.dtype, checks=checks, nullable=self.nullable, required=True)


@dataclass(frozen=True)
class Table:
    """A table of the product: what one row is, its columns and its key."""

    name: str
    kind: Kind
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        unknown = set(self.key) - {column.name for column in self.columns}
        if unknown:
            msg = f"table {self.name}: key columns {sorted(unknown)} are not declared"
            raise ValueError(msg)

    @cached_property
    def schema(self) -> pl.Schema:
        """The Polars schema in declared order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """The column names in declared order."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def contract(self) -> pa.DataFrameSchema:
        """The pandera contract: every declared column, no other, in order."""
        import pandera.polars as pa

        return pa.DataFrameSchema(
            {column.name: column.contract() for column in self.columns},
            strict=True,
            ordered=True,
            name=self.name,
        )

    @cached_property
    def _empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema)

    def empty(self) -> pl.DataFrame:
        """A frame of this table without rows."""
        return self._empty.clone()

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Pick the declared columns in declared order, fill in defaults and cast to the declared types."""
        return frame.select(column.taken_from(frame) for column in self.columns)

    def validate(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Check an eager frame against the contract, values included.

        Raises pandera's SchemaErrors when a type, a null or a value breaks the contract, and ValueError when the key
        is not unique.
        """
        from pandera.config import ValidationDepth, config_context

        with config_context(validation_depth=ValidationDepth.SCHEMA_AND_DATA):
            self.contract.validate(frame, lazy=True)
        if self.key and frame.select(self.key).n_unique() != frame.height:
            msg = f"table {self.name}: the key {self.key} is not unique"
            raise ValueError(msg)
        return frame
