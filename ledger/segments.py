"""Running figures per run of equal keys, on frames that are already sorted by these keys.

A window function over many small groups costs several times what one pass over the whole column costs, so kernels keep
their rows sorted and take the figure at the start of a run away from the running figure of the column. Every expression
here reads the rows in the order in which they stand; the caller sorts.
"""

from __future__ import annotations

import polars as pl


def starts_run(*keys: str) -> pl.Expr:
    """Whether a row is the first of a run of equal keys (keys hold no nulls)."""
    changes = [pl.col(key) != pl.col(key).shift(1) for key in keys]
    return pl.any_horizontal(changes).fill_null(value=True)


def ends_run(*keys: str) -> pl.Expr:
    """Whether a row is the last of a run of equal keys (keys hold no nulls)."""
    changes = [pl.col(key) != pl.col(key).shift(-1) for key in keys]
    return pl.any_horizontal(changes).fill_null(value=True)


def run_number(*keys: str) -> pl.Expr:
    """Number of the run that a row belongs to, from 0, over the whole frame."""
    return starts_run(*keys).cum_sum().cast(pl.Int64) - 1


def at_run_start(value: pl.Expr, *keys: str) -> pl.Expr:
    """The value (without nulls) that the first row of the run holds."""
    return pl.when(starts_run(*keys)).then(value).forward_fill()


def at_run_end(value: pl.Expr, *keys: str) -> pl.Expr:
    """The value (without nulls) that the last row of the run holds."""
    return pl.when(ends_run(*keys)).then(value).backward_fill()


def place_in_run(*keys: str) -> pl.Expr:
    """Place of a row within its run, from 0."""
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    return row - at_run_start(row, *keys)


def run_cum_sum(value: pl.Expr, *keys: str) -> pl.Expr:
    """Running total of a whole-number value within each run."""
    running = value.cum_sum()
    return running - at_run_start(running - value, *keys)


def run_sum(value: pl.Expr, *keys: str) -> pl.Expr:
    """Total of a whole-number value over the run, on each of its rows."""
    running = value.cum_sum()
    return at_run_end(running, *keys) - at_run_start(running - value, *keys)
