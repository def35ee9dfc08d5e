"""The engine and the reference model agree on random books, line by line.

The model (tests/reference) was written from the specification alone and shares no code with the engine. Books of one
carrier are closed together by the engine, for its cost is per day and not per book; each has a model of its own. When
they disagree the book is found and closed again on its own, day by day, to show the first difference.
"""

from __future__ import annotations

from datetime import date

import pytest

from tests.reference.books import Inbox, Row, Shelf, shelf
from tests.reference.engine import Engine, differences, tables_of
from tests.reference.model import Model

BOOKS = 50
SHELVES = 4
SOAK_BOOKS, SOAK_SHELVES = 40, 52


@pytest.mark.parametrize("seed", range(SHELVES))
def test_engine_and_model_agree(seed: int) -> None:
    agree_on(shelf(seed, BOOKS, longest=80, shortest=45))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1000 + SOAK_SHELVES))
def test_engine_and_model_agree_on_many_books(seed: int) -> None:
    agree_on(shelf(seed, SOAK_BOOKS, longest=300))


def agree_on(books: Shelf) -> None:
    """Fail with the first difference of the first book on which they disagree."""
    engine = Engine(books.carrier)
    for day in books.days:
        engine.close(day, books.inbox(day))
    found = differences(tables_of(*books.models), engine.tables())
    if not found:
        return
    for number, book in enumerate(books.books, start=1):
        message = first_difference(books.carrier, books.days, book)
        if message:
            pytest.fail(f"seed {books.seed}, book {number}, {message}")
    pytest.fail("\n".join([f"seed {books.seed}, only where all books are closed together:", *found]))


def first_difference(carrier: Row, days: list[date], book: dict[date, Inbox]) -> str | None:
    """The first day on which a book of its own differs, with the first rows that do; None when none does."""
    model, engine = Model(carrier), Engine(carrier)
    for day in days:
        model.close(day, book[day])
        engine.close(day, book[day])
        found = differences(tables_of(model, since=day), engine.tables(since=day))
        if found:
            return "\n".join([f"day {day}:", *found])
    return None


def test_one_cent_is_noticed_and_shown() -> None:
    """Here the model expects a cent more on one item than was right."""
    books = shelf(1, 1, longest=45, shortest=45)
    engine = Engine(books.carrier)
    for day in books.days:
        engine.close(day, books.inbox(day))
    item = books.models[0].every_item()[0]
    item.amount += 1
    shown = "\n".join(differences(tables_of(*books.models), engine.tables()))
    assert "items: 1 rows only in the model (-), 1 only in the engine (+)" in shown
    assert f"  - {item.charge.charge_key} {item.item_no} " in shown
