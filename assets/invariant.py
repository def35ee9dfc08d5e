"""What a statement on the whole ledger is: a rule, a sentence, and the question that finds what breaks it."""

from __future__ import annotations

from dataclasses import dataclass

SIGNED = "CASE side WHEN 'D' THEN amount ELSE -amount END"
"""The amount of a journal line, debits more than zero."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule, the table that it is about, what holds in words, and the SELECT of the keys for which it does not.

    `$first` and `$last` in the SELECT are business dates: a statement on days looks at those only.
    """

    rule: str
    name: str
    table: str
    sentence: str
    violations: str


def unequal(one: str, *others: str) -> str:
    """The keys whose amounts do not add up to zero, over SELECTs of a `key` and an `amount`."""
    return f"SELECT key FROM ({' UNION ALL '.join((one, *others))}) GROUP BY key HAVING sum(amount) <> 0"
