"""Bank files through the command line: landed, closed, asked for; the same again, refused ones, control totals."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from pipelines import cli
from tests.assets.homes import day, issue
from warehouse.storage import Home

FOLDER = Path(__file__).parent / "bankfiles"
NAMES = ("lockbox.bai2", "statement.bai2", "statement.camt053.xml", "notification.camt054.xml", "returns.ach")
DRAWN = """payment_id,account_id,amount,reference
T1,A1,100.00,091000010000001
T2,A2,50.00,091000010000002
T3,A2,100.00,DD-77
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Home) -> Run:
    """Run the command line in this process."""
    monkeypatch.setenv("PAIDTHROUGH_HOME", str(home.root))

    def once(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["paidthrough", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        return Said(int(stopped.value.code or 0), *capsys.readouterr())

    return once


@pytest.fixture
def ready(run: Run, home: Home, tmp_path: Path) -> Home:
    """A home with two policies and three drawn payments, closed through 2026-01-06."""
    assert run("init").code == 0
    issue(home, 1, day(1))
    issue(home, 2, day(1))
    drawn = tmp_path / "drawn.csv"
    drawn.write_text(DRAWN)
    assert run("land", "payments", drawn, "--date", day(2)).code == 0
    assert run("close", day(2)).code == 0
    return home


def asked(run: Run, question: str) -> list[tuple[object, ...]]:
    said = run("sql", question, "--format", "json")
    assert said.code == 0, said.err
    return [tuple(row.values()) for row in json.loads(said.out)]


def in_landing(home: Home) -> list[str]:
    return sorted(path.relative_to(home.landing).as_posix() for path in home.landing.rglob("bank-*.parquet"))


@pytest.mark.usefixtures("ready")
def test_from_the_files_of_a_bank_to_what_is_paid(run: Run) -> None:
    """R-DBP-24, R-SUS-01: who is known is paid for, others are suspended, what comes back is taken back."""
    said = run("land", "payments", *(FOLDER / name for name in NAMES))
    assert said.code == 0, said.err
    assert "lockbox.bai2: BAI2, business date 2026-01-08" in said.out
    assert run("close", "2026-01-10").code == 0
    payments = asked(
        run,
        "SELECT reference, account_id, policy_id, amount, status FROM payments WHERE reference IS NOT NULL"
        " AND reference NOT LIKE 'B-%' ORDER BY reference",
    )
    assert payments == [
        ("091000010000001", "A1", None, "100.00", "reversed"),
        ("091000010000002", "A2", None, "50.00", "reversed"),
        ("CHK1001", "A1", "P1", "100.00", "reversed"),
        ("CHK1002", None, None, "120.00", "suspended"),
        ("CHK1003", None, None, "80.00", "suspended"),
        ("CUST-22", "A2", None, "250.00", "executed"),
        ("DD-77", "A2", None, "100.00", "reversed"),
        ("E2E-1", "A1", "P1", "150.00", "executed"),
        ("E2E-9", "A2", "P2", "80.00", "executed"),
        ("JP-1", None, None, "7000.00", "suspended"),
        ("WIRE77", "A1", "P1", "10.00", "executed"),
    ]
    refused = asked(run, "SELECT code, detail FROM quarantine ORDER BY code, detail")
    assert [code for code, _ in refused] == ["E-REVERSAL-AMOUNT", "E-TARGET-UNKNOWN", "E-TARGET-UNKNOWN"]
    assert [str(detail).split(":")[1].split(" ")[0] for _, detail in refused] == ["E2E-1", "091000010000099", "CUST-11"]
    assert run("check").code == 0


def test_what_is_not_landed_is_counted_and_kept(run: Run, ready: Home) -> None:
    said = run("land", "payments", FOLDER / "lockbox.bai2", "--json")
    (bank,) = json.loads(said.out)["bank_files"]
    assert [(one["kind"], one["count"], one["amount"], one["what"]) for one in bank["tallies"]] == [
        ("payment", 3, "300.00", "credit, type 116"),
        ("other", 1, "-15.00", "debit, type 698"),
        ("other", 1, "300.00", "lockbox total, type 115"),
    ]
    raw = ready.root / "received" / f"{bank['sha256']}.bai2"
    assert raw.read_bytes() == (FOLDER / "lockbox.bai2").read_bytes()
    rows = duckdb.sql(
        f"SELECT source_file, source_record, amount FROM '{ready.landing}/payments/*/bank-*.parquet' ORDER BY reference"
    ).fetchall()
    assert rows == [
        (bank["sha256"], f"line {line}", amount) for line, amount in ((5, "100.00"), (6, "120.00"), (8, "80.00"))
    ]
    assert "kept aside" not in run("land", "payments", FOLDER / "statement.bai2").out


def test_the_same_file_again_changes_nothing(run: Run, ready: Home, tmp_path: Path) -> None:
    """Under another name, on another day, twice at once: counted, without effect."""
    other = tmp_path / "renamed.txt"
    other.write_bytes((FOLDER / "lockbox.bai2").read_bytes())
    said = run("land", "payments", FOLDER / "lockbox.bai2", other, "--json")
    assert [one["is_new"] for one in json.loads(said.out)["bank_files"]] == [True, False]
    before = in_landing(ready)
    assert len(before) == 1
    said = run("land", "payments", other, "--date", "2026-01-20")
    assert said.code == 0
    assert "renamed.txt: BAI2, business date 2026-01-08, received before: nothing done" in said.out
    assert in_landing(ready) == before
    assert run("close", "2026-01-20").code == 0
    assert asked(run, "SELECT count(*) FROM payments WHERE reference = 'CHK1001'") == [(1,)]


@pytest.mark.usefixtures("ready")
def test_an_entry_that_another_file_repeats_is_one_payment(run: Run, tmp_path: Path) -> None:
    later = tmp_path / "later.bai2"
    later.write_text((FOLDER / "lockbox.bai2").read_text().replace(",260108,0600,1,", ",260109,0600,2,"))
    assert run("land", "payments", FOLDER / "lockbox.bai2", later).code == 0
    assert run("close", "2026-01-09").code == 0
    assert asked(run, "SELECT count(*), sum(amount) FROM payments WHERE reference LIKE 'CHK%'") == [(3, "300.00")]
    assert asked(run, "SELECT count(*) FROM quarantine") == [(0,)]


def test_a_landing_that_stopped_half_way_is_completed(run: Run, ready: Home) -> None:
    """The note that a file was received is written last."""
    assert run("land", "payments", FOLDER / "statement.bai2").code == 0
    (note,) = (ready.root / "received").glob("*.json")
    (commands,) = (ready.landing / "commands").rglob("bank-*.parquet")
    before = in_landing(ready)
    note.unlink()
    commands.unlink()
    assert run("land", "payments", FOLDER / "statement.bai2").code == 0
    assert in_landing(ready) == before
    assert note.exists()


def test_of_several_files_none_lands_when_one_is_refused(run: Run, ready: Home, tmp_path: Path) -> None:
    cut = tmp_path / "cut.bai2"
    cut.write_bytes((FOLDER / "statement.bai2").read_bytes()[:300])
    said = run("land", "payments", FOLDER / "lockbox.bai2", cut)
    assert said.code == 2
    assert "cut.bai2, line " in said.err
    assert in_landing(ready) == []
    assert not (ready.root / "received").exists()


@pytest.mark.usefixtures("ready")
def test_an_entry_of_a_later_day_is_refused_with_its_file(run: Run) -> None:
    said = run("land", "payments", FOLDER / "statement.camt053.xml", "--date", "2026-01-07")
    assert said.code == 2
    assert "E-FILE-DATE" in said.err
    assert "is booked on 2026-01-08, after the business date 2026-01-07; use --date" in said.err
    assert run("land", "payments", FOLDER / "statement.camt053.xml", "--date", "2026-01-08").code == 0


@pytest.mark.usefixtures("ready")
def test_what_is_no_bank_file_is_refused_as_before(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear bank,\n")
    assert "letter.txt is neither .csv, .jsonl nor .parquet" in run("land", "payments", other).err
    assert "lockbox.bai2 is neither" in run("land", "accounts", FOLDER / "lockbox.bai2").err


class TestControlTotals:
    """R-DBP-19: a batch that does not come to its control totals is refused as a whole."""

    BATCH = "payment_id,amount,account_id,currency\nB1,100.10,A1,USD\nB2,200.20,A2,USD\nB3, 0.05 ,A2,\n"

    @pytest.fixture
    def batch(self, tmp_path: Path) -> Path:
        file = tmp_path / "batch.csv"
        file.write_text(self.BATCH)
        return file

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--control-total", "300.36"), "batch.csv: control total 300.36, the batch comes to 300.35"),
            (("--control-count", "2"), "batch.csv: control count 2, the batch has 3 rows"),
            (("--control-total", "300.35", "--control-count", "4"), "control count 4, the batch has 3 rows"),
            (("--control-total", "1e3"), "--control-total '1e3' is no amount such as 1234.50"),
        ],
    )
    def test_r_dbp_19_a_batch_that_does_not_add_up_is_refused(
        self, run: Run, ready: Home, batch: Path, options: tuple[str, ...], said: str
    ) -> None:
        answer = run("land", "payments", batch, "--date", day(3), *options)
        assert answer.code == 2
        assert said in answer.err
        assert not list(ready.landing.rglob("batch-*.parquet"))

    def test_r_dbp_19_a_batch_that_adds_up_lands(self, run: Run, ready: Home, batch: Path) -> None:
        control = ("--control-total", "300.350", "--control-count", "3")
        assert run("land", "payments", batch, "--date", day(3), *control).code == 0
        assert list(ready.landing.rglob("batch-*.parquet"))

    @pytest.mark.usefixtures("ready")
    def test_r_dbp_19_several_files_are_one_batch_with_the_payments_of_bank_files(self, run: Run, batch: Path) -> None:
        files = (batch, FOLDER / "lockbox.bai2")
        said = run("land", "payments", *files, "--date", day(4), "--control-total", "600.35", "--control-count", "6")
        assert said.code == 0, said.err
        assert run("land", "payments", *files, "--date", day(4), "--control-total", "615.35").code == 2

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("200.20", "2OO.20", "batch.csv, row 2: amount '2OO.20' is none"),
            ("200.20", "", "batch.csv, row 2: amount None is none"),
            ("A2,USD", "A2,EUR", "a control total has one currency, the batch has EUR, USD"),
        ],
    )
    @pytest.mark.usefixtures("ready")
    def test_r_dbp_19_what_cannot_be_added_up_is_refused(
        self, run: Run, batch: Path, old: str, new: str, said: str
    ) -> None:
        batch.write_text(self.BATCH.replace(old, new))
        answer = run("land", "payments", batch, "--date", day(3), "--control-total", "300.35")
        assert (answer.code, said in answer.err) == (2, True), answer.err

    @pytest.mark.usefixtures("ready")
    def test_r_dbp_19_a_table_without_amounts_has_a_count_only(self, run: Run, tmp_path: Path) -> None:
        accounts = tmp_path / "accounts.csv"
        accounts.write_text("account_id\nZ\n")
        assert run("land", accounts, "--date", day(3), "--control-total", "0").code == 2
        assert run("land", accounts, "--date", day(3), "--control-count", "2").code == 2
        assert run("land", accounts, "--date", day(3), "--control-count", "1").code == 0


@pytest.mark.soak
@pytest.mark.usefixtures("ready")
def test_a_hundred_thousand_payments_land_in_seconds(run: Run, tmp_path: Path) -> None:
    """Of processor time, as other work may be going on."""
    many = 100_000
    lines = [f"16,142,{i + 1},0,TRC{i},REF-{i},POL P1 MARCH/" for i in range(many)]
    total = many * (many + 1) // 2
    text = "\n".join(
        [
            "01,BANK1,INSURER,260108,0600,9,,,2/",
            "02,INSURER,BANK1,1,260107,,USD,2/",
            "03,4417001,,,,,/",
            *lines,
            f"49,{total},{many + 2}/",
            f"98,{total},1,{many + 4}/",
            f"99,{total},1,{many + 6}/",
        ]
    )
    file = tmp_path / "many.bai2"
    file.write_text(text)
    started = time.process_time()
    assert run("land", "payments", file).code == 0
    assert time.process_time() - started < 15
