"""Every rule of the domain is shown by a test or has a reason, and docs/rules.md says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import rules

LISTED = [
    rules.Rule("03", "3.1 A", "R-BI-1", "first"),
    rules.Rule("03", "3.1 A", "R-BI-2", "second"),
    rules.Rule("08", "3.1 B", "R-BI-1", "another first"),
    rules.Rule("01", "5 C", "D-01", "an example"),
    rules.Rule("01", "5 C", "D-02", "another example"),
    rules.Rule("01", "5 C", "D-03", "a third"),
]


def _shown(tests: Path, name: str, text: str) -> dict[str, list[str]]:
    file = tests / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return {key: found for key, found in rules.shown(LISTED, tests).items() if found}


def test_every_rule_is_shown_or_has_a_reason() -> None:
    listed = rules.declared()
    assert rules.problems(listed, rules.shown(listed), rules.reasons()) == []


def test_the_page_is_up_to_date() -> None:
    assert rules.PAGE.read_text(encoding="utf-8") == rules.page(), "docs/rules.md is out of date: run make docs"


def test_ids_are_unique_within_their_part() -> None:
    keys = [rule.key for rule in rules.declared()]
    assert len(keys) == len(set(keys))
    assert all(rule.title for rule in rules.declared())


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('def test_a():\n    """R-BI-2: so."""\n', {"03:R-BI-2"}),
        ("def test_r_bi_2_so():\n    pass\n", {"03:R-BI-2"}),
        ("def test_d_01_to_03():\n    pass\n", {"01:D-01", "01:D-02", "01:D-03"}),
        ("def test_d_01_and_03():\n    pass\n", {"01:D-01", "01:D-03"}),
        ('def test_a():\n    """D-01..03."""\n', {"01:D-01", "01:D-02", "01:D-03"}),
        ('def test_a():\n    """D-01, 03, R-X-1."""\n', {"01:D-01", "01:D-03"}),
        ('def test_a():\n    """D-01, 2025-03-01."""\n', {"01:D-01"}),
        ('class TestIt:\n    """D-02."""\n    def test_a(self):\n        pass\n', {"01:D-02"}),
        ('CASES = ["D-02"]\n@mark.parametrize("x", CASES)\ndef test_a(x):\n    pass\n', {"01:D-02"}),
        ('@mark.parametrize("x", ["D-02"])\ndef test_a(x):\n    pass\n', {"01:D-02"}),
        ('def test_a():\n    """08:R-BI-1."""\n', {"08:R-BI-1"}),
        ('def test_a():\n    """D-2, R-BI-9."""\n', set()),
        ('"""D-02."""\ndef helper():\n    """D-01."""\n', set()),
        ('def test_a():\n    assert "D-01"\n', set()),
    ],
)
def test_what_a_test_names(tmp_path: Path, text: str, keys: set[str]) -> None:
    assert _shown(tmp_path, "test_a.py", text).keys() == keys


def test_the_reference_model_shows_what_its_functions_name(tmp_path: Path) -> None:
    assert _shown(tmp_path, "reference/billing.py", 'def bill():\n    """D-01."""\n') == {
        "01:D-01": ["reference/billing.py::bill"]
    }
    assert _shown(tmp_path / "other", "helpers.py", 'def bill():\n    """D-01."""\n') == {}


def test_an_id_of_several_parts_is_that_of_the_file_or_must_say_which(tmp_path: Path) -> None:
    named = 'def test_a():\n    """R-BI-1."""\n'
    assert _shown(tmp_path / "one", "test_08_x.py", named).keys() == {"08:R-BI-1"}
    with pytest.raises(rules.RuleError, match="write 03:R-BI-1 or another"):
        _shown(tmp_path / "two", "test_x.py", named)


def test_what_is_wrong_is_told() -> None:
    shown = {rule.key: ["test_a.py::test_a"] for rule in LISTED} | {"03:R-BI-2": [], "01:D-01": []}
    assert rules.problems(LISTED, shown, {"01:D-01": "not yet", "01:D-02": "not yet", "09:R-A-1": "?"}) == [
        "09:R-A-1 is in rules-open.toml and not in rules.toml",
        "01:D-02 is in rules-open.toml, but test_a.py::test_a shows it",
        "03:R-BI-2 (second) is named by no test and has no reason in rules-open.toml",
    ]
