"""The command line as its users see it: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from assets.closing import close_range
from pipelines import cli
from tests.assets.homes import day, pay, small_home
from warehouse.storage import Home, Store

PROJECT = Path(__file__).parents[2]


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def once(*arguments: object, home: Home | Path | None = None) -> Said:
        path = home.root if isinstance(home, Home) else home
        monkeypatch.setattr(sys, "argv", ["paidthrough", *map(str, arguments)])
        monkeypatch.setenv("PAIDTHROUGH_HOME", str(path or "/nonexistent"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        code = stopped.value.code
        return Said(code if isinstance(code, int) else 0, *capsys.readouterr())

    return once


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return small_home(tmp_path / "home")


@pytest.fixture
def closed(home: Home) -> Home:
    close_range(home, day(1), day(3))
    return home


class TestStarting:
    def test_help_answers_at_once_and_loads_no_engine(self) -> None:
        program = (
            "import sys\n"
            "from pipelines import cli\n"
            "sys.argv = ['paidthrough', '--help']\n"
            "try:\n    cli.main()\n"
            "except SystemExit:\n    pass\n"
            "heavy = {'polars', 'duckdb', 'dagster', 'pandera', 'pydantic', 'rich'} & set(sys.modules)\n"
            "assert not heavy, heavy\n"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        for command in ("init", "land", "close", "backfill", "status", "report", "sql", "check", "lock", "ui"):
            assert f"  {command} " in done.stdout

    def test_closing_does_not_import_dagster(self, home: Home) -> None:
        program = (
            "import sys\n"
            "from pipelines import cli\n"
            f"sys.argv = ['paidthrough', 'close', '--home', {str(home.root)!r}]\n"
            "try:\n    cli.main()\n"
            "except SystemExit as stopped:\n    assert not stopped.code, stopped.code\n"
            "assert 'dagster' not in sys.modules\n"
        )
        done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "2026-01-07 closed" in done.stdout

    def test_a_directory_that_is_no_home_is_refused(self, run: Run, tmp_path: Path) -> None:
        for command in (["status"], ["close"], ["check"], ["report", "aging"], ["lock", "2026-01-01", "2026-01-02"]):
            said = run(*command, home=tmp_path)
            assert (said.code, said.out) == (2, "")
            assert "is no home" in said.err
            assert "paidthrough init" in said.err

    def test_the_home_may_be_named_before_the_command(self, run: Run, home: Home) -> None:
        assert str(home.root) in run("--home", home.root, "status").out

    def test_an_error_that_nobody_foresaw_is_one_sentence(
        self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: object) -> None:
            message = "boom"
            raise RuntimeError(message)

        monkeypatch.setattr("assets.status.status", fails)
        said = run("status", home=home)
        assert said.code == 70
        assert said.err.count("\n") == 1
        assert "RuntimeError: boom" in said.err


class TestInit:
    def test_a_home_is_made_once(self, run: Run, tmp_path: Path) -> None:
        assert run("init", tmp_path / "new").code == 0
        assert run("init", tmp_path / "new").code == 0
        assert run("status", home=tmp_path / "new").code == 0

    def test_another_carrier_does_not_replace_the_one_that_is_there(self, run: Run, tmp_path: Path) -> None:
        run("init", tmp_path / "new")
        other = tmp_path / "other.toml"
        other.write_text((tmp_path / "new" / "carrier.toml").read_text() + "\n# other\n")
        said = run("init", tmp_path / "new", "--carrier", other)
        assert said.code == 2
        assert "is a home already" in said.err

    def test_a_wrong_carrier_file_is_refused(self, run: Run, tmp_path: Path) -> None:
        wrong = tmp_path / "wrong.toml"
        wrong.write_text("name = 3\n")
        said = run("init", tmp_path / "new", "--carrier", wrong)
        assert said.code == 2
        assert "name" in said.err
        assert not (tmp_path / "new").exists()


class TestLand:
    def test_files_named_after_their_table(self, run: Run, home: Home, tmp_path: Path) -> None:
        file = tmp_path / "payments.csv"
        file.write_text("payment_id,account_id,amount\nR7,A1,5.00\n")
        said = run("land", file, "--date", day(2), home=home)
        assert said.code == 0
        assert said.out.startswith("2026-01-06 payments/business_date=2026-01-06/payments-")
        assert "there already" in run("land", "payments", file, "--date", day(2), home=home).out

    def test_the_column_business_date_says_when(self, run: Run, home: Home, tmp_path: Path) -> None:
        file = tmp_path / "bank.csv"
        file.write_text("business_date,payment_id,account_id,amount\n2026-01-06,R7,A1,5.00\n2026-01-08,R8,A1,5.00\n")
        said = json.loads(run("land", "payments", file, "--json", home=home).out)
        assert [one["business_date"] for one in said["landed"]] == ["2026-01-06", "2026-01-08"]

    def test_a_file_without_a_date_or_a_table_is_refused(self, run: Run, home: Home, tmp_path: Path) -> None:
        file = tmp_path / "payments.csv"
        file.write_text("payment_id,account_id,amount\nR7,A1,5.00\n")
        assert run("land", file, home=home).code == 2
        other = file.rename(tmp_path / "bank.csv")
        said = run("land", other, "--date", day(2), home=home)
        assert said.code == 2
        assert "paidthrough land TABLE" in said.err

    def test_landing_for_a_closed_day_is_said(self, run: Run, closed: Home, tmp_path: Path) -> None:
        file = tmp_path / "payments.csv"
        file.write_text("payment_id,account_id,amount\nR7,A1,5.00\n")
        assert "2026-01-06 is closed already" in run("land", file, "--date", day(2), home=closed).out


class TestCloseAndBackfill:
    def test_closing_says_what_each_day_brought(self, run: Run, home: Home) -> None:
        said = run("close", day(2), home=home)
        assert said.code == 0
        lines = said.out.splitlines()
        assert lines[0].startswith("2026-01-05 closed: ")
        assert lines[1] == "2026-01-06 closed: 0 journal lines"
        assert run("close", day(2), home=home).out == "2026-01-06 unchanged\n"

    def test_json_has_a_row_for_each_day(self, run: Run, home: Home) -> None:
        said = json.loads(run("close", "--json", home=home).out)
        assert [one["outcome"] for one in said["days"]] == ["closed"] * 3
        assert said["days"][0]["debits"]["USD"] > 0
        assert said["close_again"] is None

    def test_closing_again_names_the_later_days(self, run: Run, closed: Home) -> None:
        pay(closed, 1, "10.00", day(2))
        assert "run `paidthrough backfill 2026-01-07 2026-01-07`" in run("close", day(2), home=closed).out
        said = run("backfill", day(2), day(3), home=closed)
        assert said.out.splitlines()[0] == "2026-01-06 unchanged"
        assert said.out.splitlines()[1].startswith("2026-01-07 closed again")

    def test_a_range_may_be_named_by_options(self, run: Run, home: Home) -> None:
        assert run("backfill", "--from", day(1), "--to", day(2), home=home).code == 0
        assert run("backfill", day(1), home=home).code == 2

    def test_a_failed_contract_is_exit_code_1(self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        import polars as pl

        def violated(*_: object) -> pl.DataFrame:
            return pl.DataFrame({"rule": ["I-01"], "key": ["7"], "message": ["debits are not credits"]})

        monkeypatch.setattr("ledger.close.check_day", violated)
        said = run("close", home=home)
        assert said.code == 1
        assert "contract I-01 is broken at 7" in said.err
        assert Store(home).days() == []

    @pytest.mark.parametrize("text", ["2026-13-01", "yesterday", "20260105", "2026-W02-1"])
    def test_what_is_no_date_is_refused(self, run: Run, home: Home, text: str) -> None:
        said = run("close", text, home=home)
        assert said.code == 2
        assert "no date of the form YYYY-MM-DD" in said.err


class TestStatus:
    def test_it_says_what_to_run_next(self, run: Run, home: Home) -> None:
        assert "next: paidthrough close 2026-01-07" in run("status", home=home).out
        close_range(home, day(1), day(3))
        pay(home, 1, "10.00", day(2))
        said = run("status", home=home)
        assert "its landing files have changed since: 1 new" in said.out
        assert "next: paidthrough backfill 2026-01-06 2026-01-07" in said.out
        answer = json.loads(run("status", "--json", home=home).out)
        assert answer["last_closed"] == "2026-01-07"
        assert answer["to_close_again"] == ["2026-01-06", "2026-01-07"]

    def test_what_lies_astray_in_the_landing_is_named(self, run: Run, home: Home) -> None:
        (home.landing / "payments.csv").write_text("payment_id\n")
        assert "landing/payments.csv" in run("status", home=home).out


class TestQuestions:
    def test_a_report_as_of_a_day(self, run: Run, closed: Home) -> None:
        rows = list(csv.DictReader(io.StringIO(run("report", "funds", "--format", "csv", home=closed).out)))
        assert rows
        said = run("report", "payments", "--as-of", day(2), "--format", "json", home=closed)
        assert json.loads(said.out) == []
        (payment,) = json.loads(run("report", "payments", "--format", "json", home=closed).out)
        assert payment["amount"] == "100.00"

    def test_the_trial_balance_as_known_on_a_day(self, run: Run, closed: Home) -> None:
        arguments = ("report", "trial_balance", "--as-of", day(3), "--known-at", day(2), "--format", "json")
        accounts = {one["t_account"] for one in json.loads(run(*arguments, home=closed).out)}
        assert "Cash" not in accounts
        assert run("report", "aging", "--known-at", day(2), home=closed).code == 2

    def test_the_views_are_listed_and_others_refused(self, run: Run, closed: Home) -> None:
        assert "trial_balance" in run("report", "list", home=closed).out
        said = run("report", "agging", home=closed)
        assert said.code == 2
        assert "aging" in said.err

    def test_nothing_is_answered_before_the_first_close(self, run: Run, home: Home) -> None:
        said = run("sql", "SELECT 1", home=home)
        assert said.code == 2
        assert "close a day first" in said.err

    def test_a_table_for_people_is_aligned(self, run: Run, closed: Home) -> None:
        said = run("sql", "SELECT 'a' AS name, 1.50 AS amount UNION ALL SELECT 'bbb', 10.25 ORDER BY 2", home=closed)
        assert said.out == "name  amount\na       1.50\nbbb    10.25\n"

    @pytest.mark.parametrize(
        "statement",
        [
            "COPY (SELECT 1) TO '{root}/out.csv'",
            "COPY (SELECT 1) TO '{root}/warehouse/tables/out.parquet' (FORMAT parquet)",
            "EXPLAIN ANALYZE COPY (SELECT 1) TO '{root}/warehouse/out.csv'",
            "EXPORT DATABASE '{root}/warehouse/out'",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM read_text('{root}/warehouse/../carrier.toml')",
            "SELECT * FROM glob('/etc/*')",
            "ATTACH '{root}/warehouse/other.duckdb'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET lock_configuration = false",
            "CREATE TABLE t (a INTEGER)",
            "DELETE FROM stored.days",
            "SELECT 1; SELECT 2",
            "",
        ],
    )
    def test_sql_can_only_look(self, run: Run, closed: Home, statement: str) -> None:
        before = sorted(path for path in closed.root.rglob("*"))
        said = run("sql", statement.format(root=closed.root), home=closed)
        assert said.code == 2, said.out
        assert said.out == ""
        assert sorted(path for path in closed.root.rglob("*")) == before


class TestCheck:
    def test_a_sound_home(self, run: Run, closed: Home) -> None:
        said = run("check", home=closed)
        assert said.code == 0
        assert "invariants hold" in said.out

    def test_a_damaged_file_is_found(self, run: Run, closed: Home) -> None:
        part = Store(closed).parts("journal")[0]
        part.chmod(0o644)
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 1
        part.write_bytes(content)
        said = run("check", home=closed)
        assert said.code == 1
        assert part.name in said.out
        assert json.loads(run("check", "--json", home=closed).out)["wrong"]

    def test_days_that_are_stale_are_no_damage(self, run: Run, closed: Home) -> None:
        pay(closed, 1, "10.00", day(2))
        close_range(closed, day(2), day(2))
        assert run("check", home=closed).code == 0

    def test_an_empty_home_is_sound(self, run: Run, home: Home) -> None:
        assert run("check", home=home).code == 0


class TestLocksAndExport:
    def test_locking_and_unlocking(self, run: Run, closed: Home) -> None:
        assert run("lock", day(1), day(2), home=closed).code == 0
        assert "2 days, through 2026-01-06" in run("status", home=closed).out
        pay(closed, 1, "10.00", day(2))
        said = run("close", day(2), home=closed)
        assert said.code == 2
        assert "paidthrough unlock" in said.err
        assert run("unlock", day(1), day(2), home=closed).code == 0
        assert run("unlock", day(1), day(2), home=closed).code == 2

    @pytest.mark.parametrize("shape", ["hledger", "beancount"])
    def test_the_journal_as_text(self, run: Run, closed: Home, tmp_path: Path, shape: str) -> None:
        out = tmp_path / "out.journal"
        said = run("export", "--format", shape, "--out", out, home=closed)
        assert said.code == 0
        assert "transactions" in said.out
        assert "Cash" in out.read_text()
