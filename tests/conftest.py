"""What holds for many tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import working_book

_ON_DIVIDED_BOOKS = ("golden", "properties", "reference")


@pytest.fixture(autouse=True)
def divided_books(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days work on the concerned accounts only, as they do in a large book, where the rules themselves are tested."""
    if Path(request.path).parent.name in _ON_DIVIDED_BOOKS:
        monkeypatch.setattr(working_book, "SMALLEST_DIVIDED", 0)
