"""Random-looking choices that depend on nothing but a seed, what they are for, and the keys of a row.

A draw is computed from the row's own keys in whole numbers below 2**62, so the order of rows, the size of a frame and
the version of a library do not matter: policy 17 of a book of a thousand is policy 17 of a book of a million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_PRIME = 2**31 - 1
_ROUNDS = ((1_103_515_245, 12_345), (1_664_525_003, 71), (747_796_405, 4_099))
"""Factor and addend of each round; between them numbers are squared, which leaves no pattern that a book could show."""


@dataclass(frozen=True, slots=True)
class Draws:
    """A source of choices; the same seed gives the same ones."""

    seed: int

    def below(self, count: int, purpose: str, *keys: str) -> pl.Expr:
        """A whole number from 0 to `count` - 1, each about as likely, for a row with these key columns."""
        return self._mixed(purpose, keys) * count // _PRIME

    def between(self, low: int, high: int, purpose: str, *keys: str) -> pl.Expr:
        """A whole number from `low` to `high`, both possible."""
        return self.below(high - low + 1, purpose, *keys) + low

    def chance(self, per_mille: int, purpose: str, *keys: str) -> pl.Expr:
        """Whether something happens that happens to `per_mille` of a thousand rows."""
        return self.below(1_000, purpose, *keys) < per_mille

    def one_of(self, shares: Sequence[tuple[str, int]], purpose: str, *keys: str) -> pl.Expr:
        """One of some words, each with its share, as text."""
        words = pl.Series([word for word, share in shares for _ in range(share)], dtype=pl.String)
        return pl.lit(words).gather(self.below(len(words), purpose, *keys))

    def _mixed(self, purpose: str, keys: Sequence[str]) -> pl.Expr:
        """The keys mixed into one number below the prime; every product stays below 2**62."""
        salt = int.from_bytes(hashlib.blake2b(f"{self.seed}/{purpose}".encode(), digest_size=8).digest()) % _PRIME
        mixed = pl.lit(salt, pl.Int64)
        for key in keys:
            value = pl.col(key).cast(pl.Int64)
            mixed = mixed + value % _PRIME + value // _PRIME
            for factor, addend in _ROUNDS:
                mixed = ((mixed % _PRIME * factor + addend) % _PRIME).pow(2) % _PRIME
        return mixed
