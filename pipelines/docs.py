"""Write the pages of docs/ that are made from declarations: `python -m pipelines.docs`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ledger.carrier_reference import carrier_reference
from ledger.reasons import quarantine_guide
from pipelines.command_guide import command_guide
from warehouse.dictionary import dictionary

PAGES: Mapping[str, Callable[[], str]] = {
    "carrier.md": carrier_reference,
    "commands.md": command_guide,
    "quarantine.md": quarantine_guide,
    "data-dictionary.md": dictionary,
}
"""Every generated page below docs/ and what makes it."""


def write_pages(docs: Path) -> None:
    """Write every generated page."""
    for name, text in PAGES.items():
        (docs / name).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(__file__).parent.parent / "docs")
