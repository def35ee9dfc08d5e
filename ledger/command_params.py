"""Parameters of commands: checked as text against their declaration, then read into typed columns.

A declaration becomes one regular expression for the whole JSON object, so that what passes it can be decoded without
failing: unknown names, wrong kinds of value and words that are not in the list do not pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import polars as pl

from ledger.parsing import as_date, as_whole
from schemas.commands import CommandType, Param

_TEXT = r'"(?:[^"\\]|\\["\\/bfnrtu])*"'
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_SCALAR = rf"(?:{_TEXT}|{_NUMBER})"
_GAP = r"[ \t\r\n]*"
_KINDS = {
    "text": _SCALAR,
    "whole": r'(?:-?[0-9]{1,18}|"-?[0-9]{1,18}")',
    "amount": rf'(?:{_NUMBER}|"{_NUMBER}")',
    "percent": r'"?(?:100(?:\.0{1,4})?|[0-9]{1,2}(?:\.[0-9]{1,4})?)"?',
    "date": r'"[0-9]{4}-[0-9]{2}-[0-9]{2}"',
    "flag": r"(?:true|false)",
}


def allowed_params(kind: CommandType) -> str:
    """The parameters of a command type in words, for the detail of a refusal."""
    if not kind.params:
        return "none"
    return ", ".join(
        f"{param.name} ({_in_words(param)}{', required' if param.required else ''})" for param in kind.params
    )


def _in_words(param: Param) -> str:
    if param.values:
        return " or ".join(param.values)
    if param.fields:
        return f"list of {{{', '.join(f'{field.name}: {_in_words(field)}' for field in param.fields)}}}"
    return {"whole": "whole number", "flag": "true or false", "texts": "list of texts"}.get(param.kind, param.kind)


def params_are_wrong(params: pl.Expr, kind: CommandType) -> pl.Expr:
    """Whether the text is no JSON object with parameters that the command type knows, each with a value of its kind."""
    dates = params.str.extract_all(_KINDS["date"])
    is_no_date = dates.list.eval(as_date(pl.element().str.strip_chars('"')).is_null()).list.any()
    is_wrong = ~params.str.contains(_object_pattern(kind.params)) | is_no_date
    return is_wrong.fill_null(value=False)


def missing_param(params: pl.Expr, kind: CommandType) -> pl.Expr:
    """Name of the first required parameter that the text does not give, else null."""
    names = [param.name for param in kind.params if param.required]
    if not names:
        return pl.lit(None, pl.String)
    has = {name: params.str.contains(rf'"{name}"{_GAP}:{_GAP}(?:[^n]|n[^u])').fill_null(value=False) for name in names}
    return pl.coalesce(*(pl.when(~given).then(pl.lit(name)) for name, given in has.items()), pl.lit(None, pl.String))


@cache
def _object_pattern(params: Sequence[Param]) -> str:
    return rf"^{_GAP}{_object(params)}{_GAP}$"


def _object(params: Sequence[Param]) -> str:
    members = [rf'"{param.name}"{_GAP}:{_GAP}(?:null|{_value(param)})' for param in params]
    if not members:
        return rf"\{{{_GAP}\}}"
    member = f"(?:{'|'.join(members)})"
    return rf"\{{{_GAP}(?:{member}(?:{_GAP},{_GAP}{member})*)?{_GAP}\}}"


def _value(param: Param) -> str:
    if param.kind == "word":
        return f'"(?:{"|".join(param.values)})"'
    if param.kind in ("texts", "rows"):
        element = _SCALAR if param.kind == "texts" else _object(param.fields)
        return rf"\[{_GAP}(?:{element}(?:{_GAP},{_GAP}{element})*)?{_GAP}\]"
    return _KINDS[param.kind]


def read_params(commands: pl.DataFrame, kind: CommandType) -> pl.DataFrame:
    """Add one typed column per parameter of a command type, with its default where the command does not give it.

    In: commands of this type whose `params` passed the checks. Amounts stay text: they need a currency
    (`ledger.money.minor_units`). Lists become list columns, rows lists of structs of typed fields.
    """
    if not kind.params:
        return commands
    decoded = commands.select(params=pl.col("params").fill_null("{}").str.json_decode(_struct_of(kind.params)))
    values = decoded.unnest("params").select(
        _typed(pl.col(param.name), param).alias(param.name) for param in kind.params
    )
    return commands.hstack(values)


def _struct_of(params: Sequence[Param]) -> pl.Struct:
    return pl.Struct({param.name: _landed_type(param) for param in params})


def _landed_type(param: Param) -> pl.DataType:
    if param.kind == "texts":
        return pl.List(pl.String())
    if param.kind == "rows":
        return pl.List(_struct_of(param.fields))
    return pl.String()


def _typed(value: pl.Expr, param: Param) -> pl.Expr:
    if param.kind == "rows":
        fields = [_typed(pl.element().struct.field(field.name), field).alias(field.name) for field in param.fields]
        return value.list.eval(pl.struct(fields))
    if param.kind == "texts":
        return value
    if param.default is not None:
        value = value.fill_null(param.default)
    if param.kind == "date":
        return as_date(value)
    if param.kind == "whole":
        return as_whole(value)
    if param.kind == "flag":
        return value == "true"
    return value
