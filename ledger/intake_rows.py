"""Landing rows on their way into the book: read from text, checked, told apart from those seen before.

Nothing here knows a landing table by name; `ledger.intake` puts the parts together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

import polars as pl

from ledger.any_row_checks import FREE_TEXT
from ledger.carrier import Carrier
from ledger.checks import CheckList, Said, said, text_of
from ledger.intake_checks import checks_of
from ledger.parsing import (
    as_date,
    as_whole,
    has_unreadable_character,
    holds_card_number,
    holds_iban,
    may_hold_secret,
    stripped,
)
from ledger.quarantine import LANDED_SCHEMA
from ledger.reasons import rule_of
from ledger.refusals import REFUSALS, no_refusals
from schemas.currencies import AMOUNT_LIMIT
from schemas.landing import LandingTable

REF = ("file", "row_no")
"""Where a row came from: it names the row within its table."""
NOTHING_REFUSED = no_refusals()
_DIFFERS = "differs"


def rows_of(table: LandingTable, inbox: Mapping[str, pl.DataFrame], day: date) -> pl.DataFrame:
    """The parsed rows of a landing table (see `read_rows`), with the columns of every table where none landed."""
    if table.name in inbox and not inbox[table.name].is_empty():
        return read_rows(table, inbox[table.name], day)
    return _no_rows(table)


@cache
def _no_rows(table: LandingTable) -> pl.DataFrame:
    landed = dict.fromkeys(table.column_names, pl.String) | {"file": pl.String, "row_no": pl.Int64}
    rows = read_rows(table, pl.DataFrame(schema=landed), date.min)
    return rows.with_columns(pl.col(name).cast(table.schema[name]) for name in table.column_names)


def read_rows(table: LandingTable, raw: pl.DataFrame, day: date) -> pl.DataFrame:
    """Parse the rows of a landing table.

    In: text columns as they landed, with file and row_no. Out: dates and whole numbers parsed, with the text of every
    parsed column beside it; amounts only as text (`amount_text`), for they need a currency; and what `Check`s look at
    besides. A column that did not land is empty.
    """
    landed = [name for name in table.column_names if name in raw.columns]
    every_text = pl.concat_str([pl.col(name) for name in landed] or [pl.lit("")], ignore_nulls=True)
    free = [name for name in FREE_TEXT[table.name] if name in landed]
    parsed = [column for column in table.columns if column.dtype != pl.String]
    rows = raw.with_columns(pl.col(name).cast(pl.String) for name in landed).select(
        *(stripped(name) if name in landed else pl.lit(None, pl.String).alias(name) for name in table.column_names),
        *REF,
        has_unreadable_character=has_unreadable_character(every_text),
        text_bytes=every_text.str.len_bytes(),
        may_hold_secret=may_hold_secret(pl.concat_str(free, separator="\n", ignore_nulls=True)) if free else False,
    )
    return rows.with_columns(
        *(pl.col(column.name).alias(text_of(column.name)) for column in parsed),
        *(_parsed(column.name, column.dtype) for column in parsed if column.name not in table.money),
        *_secrets_in(rows, free),
        business_date=pl.lit(day),
    )


def _parsed(name: str, dtype: object) -> pl.Expr:
    return as_date(pl.col(name)) if dtype == pl.Date else as_whole(pl.col(name))


def _secrets_in(rows: pl.DataFrame, free: Sequence[str]) -> list[pl.Expr | pl.Series]:
    """Whether the free texts hold a card or bank account number; a closer look at the few that may."""
    if not rows["may_hold_secret"].any():
        return [pl.lit(value=False).alias("holds_card_number"), pl.lit(value=False).alias("holds_iban")]
    suspects = rows["may_hold_secret"].arg_true()
    card = pl.Series("holds_card_number", [False]).new_from_index(0, rows.height)
    iban = card.alias("holds_iban")
    for name in free:
        texts = rows[name].gather(suspects)
        card = card.scatter(suspects.filter(holds_card_number(texts)), values=True)
        iban = iban.scatter(suspects.filter(holds_iban(texts)), values=True)
    return [card, iban]


def refuse(rows: pl.DataFrame, listed: CheckList, table: LandingTable) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the rows that pass every check from those that do not; of these, refusals with the first broken check."""
    place = rows.select(place=listed.first_broken).to_series()
    if place.null_count() == rows.height:
        return rows, NOTHING_REFUSED
    broken = rows.filter(place.is_not_null()).with_columns(place.drop_nulls())
    chosen = [(number, listed.checks[number]) for number in place.drop_nulls().unique().sort().to_list()]
    code = pl.coalesce(_if_place(number, pl.lit(check.code)) for number, check in chosen)
    rule = pl.coalesce(_if_place(number, pl.lit(rule_of(check.code))) for number, check in chosen)
    detail = pl.coalesce(_if_place(number, check.detail.in_words()) for number, check in chosen)
    return rows.filter(place.is_null()), _refusals(broken, table, code=code, rule=rule, detail=detail)


def _if_place(number: int, value: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("place") == number).then(value)


def refuse_all(rows: pl.DataFrame, table: LandingTable, code: str, detail: Said) -> pl.DataFrame:
    """Refusals (or warnings) of all these rows for one reason."""
    return _refusals(rows, table, code=pl.lit(code), rule=pl.lit(rule_of(code)), detail=detail.in_words())


def _refusals(rows: pl.DataFrame, table: LandingTable, **reason: pl.Expr) -> pl.DataFrame:
    """Where the rows came from and their ids, beside code, rule and detail."""
    refused = rows.select(*REF, table_name=pl.lit(table.name), record_id=pl.col(table.record_id), **reason)
    return refused.match_to_schema(REFUSALS)


def body_of(table: LandingTable) -> list[str]:
    """The columns that must agree for a row to be the same row again."""
    return [name for name in table.column_names if name not in table.key]


def compare(
    rows: pl.DataFrame, reference: pl.DataFrame, key: Sequence[str], body: Sequence[str], silent: Sequence[str] = ()
) -> pl.DataFrame:
    """Add `differs`: which columns are not as in the reference row of the same key.

    It is "" when none differs and null when there is no such row. Nulls are equal. In `silent` columns an empty value
    says nothing, and so does not differ. A value that could not be read differs always.
    """
    if reference.is_empty():
        return rows.with_columns(pl.lit(None, pl.String).alias(_DIFFERS))
    values = (pl.col(name).cast(rows.schema[name]).alias(f"{name}_known") for name in body)
    known = reference.select(*key, *values, is_known=pl.lit(value=True))
    differences = []
    for name in body:
        value, of_reference = pl.col(name), pl.col(f"{name}_known")
        differs = value.ne_missing(of_reference)
        text = pl.col(text_of(name)) if text_of(name) in rows.columns else value
        if name in silent:
            differs &= text.is_not_null()
        if text_of(name) in rows.columns:
            differs |= value.is_null() & text.is_not_null()
        differences.append(pl.when(differs).then(pl.lit(name)))
    names = pl.concat_str(differences, separator=", ", ignore_nulls=True)
    joined = rows.join(known, on=key, how="left", maintain_order="left")
    kept = [name for name in rows.columns if name != _DIFFERS]
    return joined.select(*kept, pl.when("is_known").then(names).alias(_DIFFERS))


def one_per_key(
    rows: pl.DataFrame, key: Sequence[str], body: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Of rows with the same key keep one: the smallest by its contents, whatever file or place it came in.

    Out: the rows kept; those with the same contents as the kept one; those with others (with `differs`).
    """
    nothing = rows.clear()
    distinct = pl.col(key[0]) if len(key) == 1 else pl.struct(key)
    if rows.select(distinct.n_unique()).item() == rows.height:
        return rows, nothing, nothing
    is_shared = distinct.is_duplicated()
    shared = rows.filter(is_shared).sort(*key, *body, *REF, nulls_last=True)
    first = shared.unique(key, keep="first", maintain_order=True)
    rest = compare(shared.join(first, on=REF, how="anti", maintain_order="left"), first, key, body)
    kept = pl.concat([rows.filter(~is_shared), first])
    return kept, rest.filter(pl.col(_DIFFERS) == ""), rest.filter(pl.col(_DIFFERS) != "")


@dataclass(slots=True)
class Tray:
    """One landing table on its way through the intake: the rows still good, and what was put aside."""

    table: LandingTable
    good: pl.DataFrame
    refused: list[pl.DataFrame] = field(default_factory=list)
    repeated: list[pl.DataFrame] = field(default_factory=list)
    warned: list[pl.DataFrame] = field(default_factory=list)
    landed: pl.DataFrame = field(default_factory=LANDED_SCHEMA.to_frame)

    def put_aside_repeated(self) -> None:
        """Take out the rows that are booked already with the same contents (`differs`, see `compare`)."""
        if self.good["differs"].null_count() < self.good.height:
            is_same = (pl.col("differs") == "").fill_null(value=False)
            self.repeated.append(self.good.filter(is_same))
            self.good = self.good.filter(~is_same)

    def check(self, carrier: Carrier) -> None:
        """Refuse the rows that break a check of their table, or differ from what is booked under their id."""
        self.good, refused = refuse(self.good, checks_of(self.table, carrier), self.table)
        if not refused.is_empty():
            self.refused.append(refused)

    def keep_one_per_key(self) -> None:
        """Of several rows with one id keep the smallest; the others are the same again, or refused."""
        self.good, same, other = one_per_key(self.good, self.table.key, body_of(self.table))
        if not same.is_empty():
            self.repeated.append(same)
        if not other.is_empty():
            detail = said("another row of the day with this id has another {}", "differs")
            self.refused.append(refuse_all(other, self.table, "E-ID-CONFLICT", detail))

    def refuse_some(self, is_refused: pl.Expr, code: str, detail: Said) -> None:
        """Refuse good rows for a reason that only the other rows of the day show."""
        chosen = self.good.filter(is_refused)
        if not chosen.is_empty():
            self.refused.append(refuse_all(chosen, self.table, code, detail))
            self.good = self.good.filter(~is_refused)

    def warn(self, is_unusual: pl.Expr, code: str, detail: Said) -> None:
        """Note what is unusual about good rows."""
        chosen = self.good.filter(is_unusual)
        if not chosen.is_empty():
            self.warned.append(refuse_all(chosen, self.table, code, detail))

    def accepted(self) -> pl.DataFrame:
        """The good rows: declared columns with file and row_no, sorted by key."""
        return self.good.select(*self.table.column_names, *REF).sort(self.table.key)

    def duplicates(self) -> list[pl.DataFrame]:
        """The rows without effect, with their amounts."""
        return [with_amounts(rows, self.table) for rows in self.repeated]


def with_amounts(rows: pl.DataFrame, table: LandingTable) -> pl.DataFrame:
    """Table, file, row and amount of these rows; 0 where there is no amount that can be read and is small enough."""
    amount = pl.col("amount")
    counted = pl.when(amount.abs() <= AMOUNT_LIMIT).then(amount).otherwise(0) if table.money else pl.lit(0, pl.Int64)
    return rows.select(pl.lit(table.name).alias("table_name"), *REF, amount=counted)
