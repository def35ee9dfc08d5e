"""What a process of the day did: the book after it, what is to be posted, and what else is to be recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from ledger.book import Book


@dataclass(frozen=True, slots=True)
class Effects:
    """The book after a process, transactions to post, rows refused or warned about, and rows of event tables.

    Transactions are in the order in which they are posted; a transaction that pays or writes off an item stands in the
    same order as its row in `payment_items` or `write_off_items`. `events` holds frames by table name, without the
    business date.
    """

    book: Book
    transactions: tuple[pl.DataFrame, ...] = ()
    refused: tuple[pl.DataFrame, ...] = ()
    warnings: tuple[pl.DataFrame, ...] = ()
    events: Mapping[str, tuple[pl.DataFrame, ...]] = field(default_factory=dict)

    def then(self, later: Effects) -> Effects:
        """These effects, and after them those of a process that started from this book."""
        names = dict.fromkeys([*self.events, *later.events])
        return Effects(
            later.book,
            (*self.transactions, *later.transactions),
            (*self.refused, *later.refused),
            (*self.warnings, *later.warnings),
            {name: (*self.events.get(name, ()), *later.events.get(name, ())) for name in names},
        )

    def with_book(self, book: Book) -> Effects:
        """The same effects with another book."""
        return Effects(book, self.transactions, self.refused, self.warnings, self.events)

    def posting(self, *transactions: pl.DataFrame) -> Effects:
        """The same effects, and transactions to post after the others."""
        return self.then(Effects(self.book, transactions))

    def recording(self, **events: pl.DataFrame) -> Effects:
        """The same effects, and rows of event tables."""
        return self.then(Effects(self.book, events={name: (frame,) for name, frame in events.items()}))
