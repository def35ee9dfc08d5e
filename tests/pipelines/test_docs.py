"""The generated pages of docs/ say what the code says, and their examples can be landed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ledger.book import Book
from ledger.intake import accept
from pipelines.command_guide import command_guide, example_row
from pipelines.docs import PAGES
from schemas.commands import COMMAND_TYPES, CommandType
from schemas.landing import COMMANDS
from tests.story import carrier
from warehouse.landing_files import read_json_lines

DOCS = Path(__file__).parents[2] / "docs"
KINDS = [kind for kind in COMMAND_TYPES.values() if not kind.instead]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), f"docs/{name} is out of date: run make docs"


def test_every_command_and_parameter_is_on_the_page() -> None:
    page = command_guide()
    sections = dict(section.partition("\n")[::2] for section in page.split("\n## ")[1:])
    for kind in KINDS:
        text = sections[kind.name]
        assert kind.rules in text
        fields = [field for param in kind.params for field in param.fields]
        assert all(f"| `{param.name}` |" in text for param in (*kind.params, *fields)), kind.name
    elsewhere = sections["What is no command"]
    assert all(f"`{kind.name}`" in elsewhere for kind in COMMAND_TYPES.values() if kind.instead)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_example_row_can_be_landed(kind: CommandType) -> None:
    """The row passes every check but whether there is such a thing, which is asked when it is carried out."""
    assert _refused(example_row(kind)) == []


def test_the_commands_of_the_how_to_pages_can_be_landed() -> None:
    rows = [
        json.loads(line)
        for page in sorted((DOCS / "how-to").glob("*.md"))
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith('{"command_id"')
    ]
    assert len(rows) > 1
    assert [_refused(row) for row in rows] == [[]] * len(rows)


def test_an_example_with_another_parameter_is_refused() -> None:
    """The check of the examples bites."""
    assert _refused(example_row(COMMAND_TYPES["resend_invoice"]) | {"params": {"loudly": True}}) == ["E-PARAMS-JSON"]


def _refused(row: dict[str, object]) -> list[str]:
    rows = read_json_lines(json.dumps(row).encode(), "commands/example.jsonl", COMMANDS)
    frame = rows.with_columns(file=pl.lit("commands/example.jsonl"), row_no=pl.int_range(1, pl.len() + 1))
    landed = accept(Book.empty(), {"commands": frame}, date(2026, 1, 5), carrier())
    return landed.refused["code"].to_list()
