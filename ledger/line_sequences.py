"""Every sequence of lines that the posting rules allow, as numbers, so that a journal can be checked against them.

A line is a digit: which owner type holds which T-account pattern, and on which side. The lines of a transaction in
order make a number in a base larger than any digit, and with the transaction type one 64-bit integer. The chart allows
some hundreds of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, product, repeat

import polars as pl

from ledger.chart import OWNER_TYPE_COUNT, PARTS, ROLES, Chart, RuleLine, RuleSet
from schemas import enums

MOST_LINES = 8
"""Room for lines in the number of a sequence; no rule set has more."""
TYPE_COUNT = len(enums.TRANSACTION_TYPES)
NO_DIGIT = 1
"""Stands for a line that the chart does not allow: owner codes count from 1, so that digits count from 2."""
_CLASS_COUNT = len(enums.ACCOUNT_CLASSES)


@dataclass(frozen=True)
class LineSequences:
    """The digits of lines and the numbers of the sequences that a chart allows.

    `owner_codes` (by pattern x number of owner types + owner type) count from 1, and are 0 where the chart allows no
    such T-account. A digit is owner code x 2 + 1 for a credit, and counts `places` (by position of the line). `allowed`
    are the sums x TYPE_COUNT + transaction type. `digits` (by `line_shape`) are those of whole lines: NO_DIGIT also
    where the chart has the T-account in another class, or with another name.
    """

    owner_codes: pl.Series
    places: pl.Series
    allowed: pl.Series
    digits: pl.Series


@lru_cache(maxsize=4)
def line_sequences(chart: Chart) -> LineSequences:
    """All sequences of the chart: each rule set for amounts of each sign, for every owner type and kind of fund."""
    codes = list(accumulate(chart.may_own.cast(pl.Int64)))
    owner_codes = [code if allowed else 0 for code, allowed in zip(codes, chart.may_own, strict=True)]
    places = list(accumulate(repeat(codes[-1] * 2 + 2, MOST_LINES - 1), lambda place, base: place * base, initial=1))
    numbers = {
        sum(
            place * (owner_codes[_position(pattern, owner_type)] * 2 + (side == "C"))
            for place, (pattern, owner_type, side) in zip(places, lines, strict=False)
        )
        * TYPE_COUNT
        + enums.TRANSACTION_TYPES.index(rule_set.transaction_type)
        for rule_set in chart.rule_sets
        for lines in _sequences(rule_set)
        if all(owner_codes[_position(pattern, owner_type)] for pattern, owner_type, _ in lines)
    }
    return LineSequences(
        pl.Series(owner_codes), pl.Series(places), pl.Series(sorted(numbers)), _digits(chart, owner_codes)
    )


def line_shape(reads_as_credit: pl.Expr) -> pl.Expr:
    """What `LineSequences.digits` is looked up by: all that the chart says of a line, as one number."""
    owner = _physical("t_account_pattern") * OWNER_TYPE_COUNT + _physical("owner_type")
    account = (owner * 2 + reads_as_credit.cast(pl.UInt16)) * _CLASS_COUNT + _physical("account_type")
    has_charge_pattern = (pl.col("charge_pattern") != "").cast(pl.UInt16)
    return (account * 2 + has_charge_pattern) * 2 + (pl.col("fund_policy_key") > 0).cast(pl.UInt16)


def _physical(name: str) -> pl.Expr:
    return pl.col(name).to_physical().cast(pl.UInt16)


def _digits(chart: Chart, owner_codes: list[int]) -> pl.Series:
    """The digit of every shape: of each T-account and side, one class, charge pattern or none, fund or none."""
    digits = [NO_DIGIT] * (len(owner_codes) * 2 * _CLASS_COUNT * 2 * 2)
    for position, owner_code in enumerate(owner_codes):
        pattern = chart.t_accounts[enums.T_ACCOUNT_PATTERNS[position // OWNER_TYPE_COUNT]]
        for is_credit in (0, 1) if owner_code else ():
            account = (position * 2 + is_credit) * _CLASS_COUNT + enums.ACCOUNT_CLASSES.index(pattern.account_type)
            shape = (account * 2 + pattern.is_per_charge_pattern) * 2 + (pattern.name == "Designated Unapplied")
            digits[shape] = owner_code * 2 + is_credit
    return pl.Series(digits)


def _position(pattern: str, owner_type: str) -> int:
    return enums.T_ACCOUNT_PATTERNS.index(pattern) * OWNER_TYPE_COUNT + enums.OWNER_TYPES.index(owner_type)


def _sequences(rule_set: RuleSet) -> Iterator[list[tuple[str, str, str]]]:
    """The (pattern, owner type, side) of the lines that a rule set can post."""
    roles = [ROLES[line.owner_role] for line in rule_set.lines]
    types_of = {role.type_column: role.owner_types for role in roles if role.type_column is not None}
    funds = sorted({role.fund_column for role in roles if role.fund_column is not None})
    for chosen, flags, amounts in product(
        product(*types_of.values()), product((False, True), repeat=len(funds)), _amounts(rule_set)
    ):
        types = dict(zip(types_of, chosen, strict=True))
        is_designated = dict(zip(funds, flags, strict=True))
        yield [
            (_pattern(line, is_designated, owner_type), owner_type, "D" if (line.side == "D") == (amount > 0) else "C")
            for line in rule_set.lines
            if (amount := amounts[line.part])
            for owner_type in [_owner_type(line, types)]
        ]


def _amounts(rule_set: RuleSet) -> Iterator[Mapping[str, int]]:
    """The signs that the whole amount, net and commission can have together, relative to the sides of the rule set."""
    signs = (1, -1) if rule_set.sign == "any" else (1,)
    if not rule_set.has_parts:
        yield from (dict.fromkeys(PARTS, sign) for sign in signs)
        return
    for sign, net, commission in product(signs, (-1, 0, 1), (-1, 0, 1)):
        if sign in (net, commission):
            yield {"amount": sign, "net": net, "commission": commission}


def _owner_type(line: RuleLine, types: Mapping[str, str]) -> str:
    role = ROLES[line.owner_role]
    return role.owner_types[0] if role.type_column is None else types[role.type_column]


def _pattern(line: RuleLine, is_designated: Mapping[str, bool], owner_type: str) -> str:
    fund_column = ROLES[line.owner_role].fund_column
    becomes_designated = (
        line.t_account_pattern == "Unapplied"
        and owner_type == "Account"
        and fund_column is not None
        and is_designated[fund_column]
    )
    return "Designated Unapplied" if becomes_designated else line.t_account_pattern
