"""The house stays in order: who may import whom, pure modules stay pure, modules stay small."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "schemas": {"schemas"},
    "carriers": {"carriers"},
    "ledger": {"ledger", "schemas"},
    "warehouse": {"warehouse", "schemas"},
    "assets": {"assets", "ledger", "warehouse", "schemas", "carriers"},
    "pipelines": {"pipelines", "assets", "ledger", "warehouse", "schemas", "carriers"},
}
MOST_LINES = 460
_CLOCKS = re.compile(r"\b(date\.today|datetime\.now|utcnow|time\.time|random\.|uuid)\b")


def modules(folder: str) -> Iterator[Path]:
    return (ROOT / folder).rglob("*.py")


def imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_its_row_says(folder: str) -> None:
    for module in modules(folder):
        assert imported(module) & MAY_IMPORT.keys() <= MAY_IMPORT[folder], module


def test_the_ledger_has_no_clock_no_chance_and_no_files() -> None:
    for module in modules("ledger"):
        assert not _CLOCKS.search(module.read_text()), module
        assert not imported(module) & {"os", "pathlib", "random", "time", "dagster", "duckdb", "subprocess"}, module


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_modules_stay_one_concept(folder: str) -> None:
    for module in modules(folder):
        assert len(module.read_text().splitlines()) <= MOST_LINES, module


def test_no_float_comes_near_money() -> None:
    for module in modules("ledger"):
        assert "Float64" not in module.read_text(), module
