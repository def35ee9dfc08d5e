"""The kinds of value that a carrier file holds, what each allows, and how a broken rule is told.

Amounts become minor units of a currency and percentages parts per million of 100 %, so that no fraction goes further
than the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from schemas.currencies import AMOUNT_LIMIT, MINOR_UNIT_DECIMALS

DEFAULT_CURRENCY = "USD"
"""Currency of a carrier whose file names none."""
PPM = 10**6
"""Parts per million: what 100 % becomes."""
PERCENT_DECIMALS = 4
"""Decimals a percentage may have; more would be less than one part per million."""
HEADER = "(header)"
"""Stands for the key under which a named table gets its name; a file cannot give it, as it is no plain key."""
BROKEN_RULES = "broken_rules"
"""Type of the validation error that carries broken rules."""
_DAYS_LIMIT = 3660
_NAME_LENGTH_LIMIT = 100
_PLAIN_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.([0-9]{1,15}))?")


class Settings(BaseModel):
    """A table of a carrier file: nothing converted in silence, no unknown keys, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule between settings that does not hold: at which key, and what would be allowed there."""

    key: tuple[str | int, ...]
    allowed: str

    def below(self, *prefix: str | int) -> Broken:
        """The same, seen from a table further up."""
        return Broken((*prefix, *self.key), self.allowed)


def refuse(broken: Iterable[Broken]) -> None:
    """Raise one validation error that carries every broken rule; do nothing when there is none."""
    found = list(broken)
    if found:
        raise PydanticCustomError(BROKEN_RULES, "rules between settings do not hold", {"broken": found})


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a fixed list of words."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: object, handler: object) -> CoreSchema:
        return core_schema.literal_schema(list(self.values))


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a kind of value allows, in words, where that does not follow from its type."""

    text: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A setting that the carrier fills in where the file leaves it out, and from where."""

    source: str


def _plain_decimal(value: object, most_decimals: int) -> Decimal:
    """Read a decimal written without sign or exponent and with few enough decimals; raises ValueError."""
    match = _PLAIN_DECIMAL.fullmatch(str(value)) if isinstance(value, str | int | Decimal) else None
    if match is None or len(match[1] or "") > most_decimals:
        raise ValueError
    return Decimal(str(value))


def _minor_units(value: object, info: ValidationInfo) -> int:
    """Amount in minor units of the plan's own currency, else of the carrier's; raises ValueError."""
    of_carrier = (info.context or {}).get("currency", DEFAULT_CURRENCY)
    decimals = MINOR_UNIT_DECIMALS[info.data.get("currency", of_carrier)]
    amount = int(_plain_decimal(value, decimals).scaleb(decimals))
    if amount > AMOUNT_LIMIT:
        raise ValueError
    return amount


def _parts_per_million(value: object) -> int:
    """Percentage from 0 to 100 as parts per million of 100 %; raises ValueError."""
    ppm = int(_plain_decimal(value, PERCENT_DECIMALS).scaleb(PERCENT_DECIMALS))
    if ppm > PPM:
        raise ValueError
    return ppm


Amount = Annotated[
    int,
    BeforeValidator(_minor_units),
    Allowed(
        f'an amount such as "5.00", from 0 to {AMOUNT_LIMIT} minor units, with the decimals of its currency at most'
    ),
]
Percent = Annotated[
    int,
    BeforeValidator(_parts_per_million),
    Allowed(f'a percentage such as "10" or "33.33", from 0 to 100, with at most {PERCENT_DECIMALS} decimals'),
]
CurrencyCode = Annotated[
    str,
    OneOf(tuple(MINOR_UNIT_DECIMALS)),
    Allowed(f"one of the ISO 4217 codes {', '.join(MINOR_UNIT_DECIMALS)}"),
]
Name = Annotated[
    str,
    Field(min_length=1, max_length=_NAME_LENGTH_LIMIT, pattern=r"^\S(.*\S)?$"),
    Allowed(f"text of 1 to {_NAME_LENGTH_LIMIT} characters on one line, without spaces around it"),
]
HeaderName = Annotated[Name, Field(alias=HEADER)]
Days = Annotated[int, Field(ge=0, le=_DAYS_LIMIT)]
SignedDays = Annotated[int, Field(ge=-_DAYS_LIMIT, le=_DAYS_LIMIT)]


def allowed_values(annotation: object, metadata: Iterable[object] = ()) -> str:
    """Say in words what a setting of this type allows, for messages and for the reference."""
    marks = list(metadata)
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return allowed_values(inside[0], [*inside[1:], *marks])
    if origin in (Union, UnionType):
        return allowed_values(next(member for member in inside if member is not type(None)), marks)
    told = next((mark.text for mark in marks if isinstance(mark, Allowed)), None)
    return told or _allowed_by_type(annotation, marks)


def _allowed_by_type(annotation: object, marks: list[object]) -> str:
    inside = get_args(annotation)
    words = next((mark.values for mark in marks if isinstance(mark, OneOf)), None)
    if get_origin(annotation) is Literal or words is not None:
        quoted = [f'"{word}"' for word in words or inside]
        return f"one of {', '.join(quoted[:-1])} or {quoted[-1]}"
    if get_origin(annotation) is tuple:
        return f"a list, each entry {allowed_values(inside[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a table with the keys {', '.join(file_keys(annotation))}"
    if annotation is int:
        return f"a whole number from {next(_bounds(marks, Ge, 'ge'))} to {next(_bounds(marks, Le, 'le'))}"
    plain: dict[object, str] = {
        bool: "true or false",
        date: "a date such as 2026-01-31, without quotes",
        str: "text in quotes",
    }
    return plain.get(annotation, "one or more named tables")


def _bounds(marks: list[object], kind: type, attribute: str) -> Iterator[int]:
    """The bounds of one kind, also where a field declaration holds them."""
    for mark in marks:
        for bound in getattr(mark, "metadata", [mark]):
            if isinstance(bound, kind):
                yield getattr(bound, attribute)


def file_keys(model: type[BaseModel]) -> dict[str, str]:
    """The keys of a table as the file spells them, each with the name of its setting in the model.

    A table's own name is its header, not a key.
    """
    fields = model.model_fields.items()
    return {field.alias or name: name for name, field in fields if field.alias != HEADER}


def filled_from(metadata: Iterable[object]) -> str | None:
    """From where the carrier fills a setting that the file leaves out, if it does."""
    return next((mark.source for mark in metadata if isinstance(mark, Filled)), None)
