"""The demonstration: what it closes, what it says, that its questions have answers, and what it never touches."""

from __future__ import annotations

import io
import json
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.demo import MARK, MONEY, Demonstration, demonstrate, tell
from pipelines.homes import HomeError, create_home
from warehouse.catalogue import connect, query
from warehouse.storage import Home

FIRST, LAST = date(2025, 1, 1), date(2025, 2, 12)
POLICIES = 120


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Demonstration]:
    return demonstrate(tmp_path_factory.mktemp("demo") / "demo", POLICIES, FIRST, LAST)


def test_every_day_is_closed_and_what_is_wrong_is_in_quarantine(shown):
    home, demonstration = shown
    assert demonstration.days == (LAST - FIRST).days + 1
    assert demonstration.journal_lines > 0
    assert demonstration.summaries["quarantine"]["rows"].sum() == demonstration.wrong_on_purpose > 0
    assert (home.root / MARK).is_file()


def test_what_is_indented_below_a_sum_adds_up_to_it(shown):
    money = {name: value or Decimal(0) for name, value in shown[1].summaries[MONEY].row(0, named=True).items()}
    assert money["premium"] == money["earned"] + money["unearned"]
    assert money["billed"] == money["billed_and_paid"] + money["not_due"] + money["past_due"]
    assert money["collected"] == money["applied"] + money["in_funds"] + money["in_suspense"]
    assert money["collected"] > 0


def test_the_books_balance(shown):
    trial = shown[1].summaries["trial balance"]
    assert trial["debit"].sum() == trial["credit"].sum() > 0


def test_its_questions_have_answers(shown):
    home, demonstration = shown
    with connect(home.root) as connection:
        answers = [query(connection, select) for select in demonstration.questions.values()]
    assert not answers[0].is_empty()
    assert not answers[2].is_empty()


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_what_it_says_fits_and_is_plain_where_there_is_no_terminal(shown, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    home, demonstration = shown
    out = io.StringIO()
    tell(home, demonstration, out)
    text = out.getvalue()
    assert "\x1b" not in text
    prose = [line for line in text.splitlines() if "paidthrough" not in line]
    assert max(map(len, prose)) <= int(columns)
    for word in ("Premium Unearned", "Debits equal credits.", "Quarantine", "paidthrough.duckdb"):
        assert word in text


def test_it_starts_afresh_where_it_was_before(tmp_path):
    last = FIRST + timedelta(days=1)
    first_time, _ = demonstrate(tmp_path / "demo", 40, FIRST, last)
    (first_time.root / "notes.txt").write_text("mine")
    _, again = demonstrate(tmp_path / "demo", 10, FIRST, last)
    assert again.days == 2
    assert (first_time.root / "notes.txt").read_text() == "mine"
    landed = {path.parent.parent.name for path in first_time.landing.rglob("*.parquet")}
    assert landed <= {"accounts", "billing_instructions", "charges", "payments"}


def test_it_leaves_alone_what_is_not_its_own(tmp_path):
    home = create_home(tmp_path / "home")
    file = tmp_path / "file"
    file.write_text("")
    link = tmp_path / "link"
    link.symlink_to(demonstrate(tmp_path / "demo", 5, FIRST, FIRST)[0].root)
    for path in (home.root, file, link):
        with pytest.raises(HomeError, match="is not from a demonstration"):
            demonstrate(path, 5, FIRST, FIRST)
    assert home.carrier_file.is_file()


def test_the_command_shows_it_in_words_and_in_json(tmp_path, monkeypatch, capsys):
    arguments = ["demo", "--policies", "30", "--from", "2025-01-01", "--to", "2025-01-03", "--home", tmp_path / "demo"]
    for extra in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["paidthrough", *map(str, arguments), *extra])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        assert not stopped.value.code
        said = capsys.readouterr().out
        assert "3 days closed" in said if not extra else json.loads(said)["days"] == 3


def test_an_empty_directory_will_do(tmp_path: Path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert demonstrate(empty, 5, FIRST, FIRST)[1].days == 1
