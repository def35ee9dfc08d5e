"""The data dictionary in docs/ is what the declarations say today."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.reports import REPORTS
from warehouse import dictionary


def test_the_dictionary_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert dictionary.main(["--check"]) == 0, capsys.readouterr().err


def test_every_view_and_column_is_in_it() -> None:
    text = dictionary.dictionary()
    for report in REPORTS:
        assert f"\n### {report.name}\n" in text
        assert all(f"\n| {column.name} |" in text for column in report.columns)


def test_an_old_dictionary_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dictionary, "PATH", tmp_path / "docs" / "data-dictionary.md")
    assert dictionary.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert dictionary.main([]) == 0
    assert dictionary.main(["--check"]) == 0
