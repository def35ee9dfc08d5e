"""What holds for many tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import working_book

_ON_DIVIDED_BOOKS = {
    "properties",
    "reference",
    "test_04_payers",
    "test_05_directions",
    "test_05_funds",
    "test_05_list_bill_changes",
    "test_05_suspense",
    "test_06_credit_distributions",
    "test_06_redistribution",
    "test_06_suspense_refunds",
}
"""Folders and modules of tests in which one account has to do with another one, or whatever a book may hold happens."""


@pytest.fixture(autouse=True)
def divided_books(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days work on the concerned accounts only, as they do in a large book."""
    if not _ON_DIVIDED_BOOKS.isdisjoint((Path(request.path).parent.name, Path(request.path).stem)):
        monkeypatch.setattr(working_book, "SMALLEST_DIVIDED", 0)
