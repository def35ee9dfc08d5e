"""`paidthrough preview`: quotes against a home, as its users see them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from assets.closing import close_range
from pipelines import cli
from pipelines.homes import create_home
from tests.assets.homes import day, small_home
from warehouse.storage import Home, Store

INSTRUCTION = {
    "instruction_id": "Q1",
    "instruction_type": "issuance",
    "account_id": "A1",
    "policy_id": "PQ",
    "period_end": "2027-02-01",
    "effective_date": "2026-02-01",
}
CHARGES = [
    {"instruction_id": "Q1", "charge_no": "1", "charge_pattern": "Premium", "amount": "1200.00"},
    {"instruction_id": "Q1", "charge_no": "2", "charge_pattern": "Taxes", "amount": "60.00"},
]
BOTH = ("--plans", "Monthly", "--plans", "Monthly 10% Down With Fee")


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The answer in JSON."""
        return json.loads(self.out)  # type: ignore[no-any-return]


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `paidthrough preview` on a home."""

    def once(home: Home, *arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["paidthrough", "preview", *map(str, arguments)])
        monkeypatch.setenv("PAIDTHROUGH_HOME", str(home.root))
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        code = stopped.value.code
        return Said(code if isinstance(code, int) else 0, *capsys.readouterr())

    return once


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with three closed days."""
    made = small_home(tmp_path / "home")
    close_range(made, day(1), day(3))
    return made


def written(folder: Path, suffix: str = "csv", **changes: str | None) -> list[Path]:
    """The instruction and its charges as files."""
    folder.mkdir(exist_ok=True)
    files = []
    for table, rows in (("billing_instructions", [INSTRUCTION | changes]), ("charges", CHARGES)):
        frame = pl.DataFrame(rows)
        file = folder / f"{table}.{suffix}"
        {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[suffix](file)
        files.append(file)
    return files


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_r_bi_12_every_kind_of_file_gives_the_same_quote(run: Run, home: Home, tmp_path: Path, suffix: str) -> None:
    """R-BI-12: two plans side by side, in JSON with money as text."""
    said = run(home, *written(tmp_path / "quote", suffix), *BOTH, "--json")
    assert said.code == 0, said.err
    plans = {row["payment_plan"]: row for row in said.tables["plans"]}
    assert plans["Monthly"] | {"down_payment": "0.00", "total": "1260.00", "fees": "0.00"} == plans["Monthly"]
    with_fee = plans["Monthly 10% Down With Fee"]
    assert (with_fee["down_payment"], with_fee["fees"], with_fee["total"]) == ("120.00", "45.00", "1305.00")
    items = [row for row in said.tables["items"] if row["payment_plan"] == "Monthly"]
    assert [row["amount"] for row in items] == ["100.00"] * 12 + ["60.00"]
    assert items[0]["bill_date"] == "2026-02-01"


def test_r_bi_12_a_preview_leaves_the_home_alone(run: Run, home: Home, tmp_path: Path) -> None:
    """R-BI-12: no file of the home changes, and nothing lands."""
    before = {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
    assert run(home, *written(tmp_path / "quote"), *BOTH).code == 0
    assert {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()} == before
    assert [record.business_date for record in Store(home).days()] == [day(1), day(2), day(3)]


def test_the_table_shows_plans_and_invoices(run: Run, home: Home, tmp_path: Path) -> None:
    said = run(home, *written(tmp_path / "quote"), *BOTH)
    assert said.out.startswith("by payment plan:\n")
    assert "\ninvoices:\n" in said.out
    assert "\ninvoice items:\n" not in said.out
    assert "1305.00" in said.out
    alone = run(home, *written(tmp_path / "quote"), "--plans", "Monthly")
    assert "\ninvoice items:\n" in alone.out


def test_r_bi_11_without_a_plan_every_plan_is_quoted(run: Run, home: Home, tmp_path: Path) -> None:
    """R-BI-11: an instruction that names no plan is quoted by all that it could have."""
    names = {row["payment_plan"] for row in run(home, *written(tmp_path / "quote"), "--json").tables["plans"]}
    assert {"Full Pay", "Monthly", "Quarterly", "Weekly"} <= names
    named = run(home, *written(tmp_path / "quote", payment_plan="Quarterly"), "--json").tables["plans"]
    assert [row["payment_plan"] for row in named] == ["Quarterly"]


def test_a_change_of_a_booked_policy_is_quoted_on_the_current_book(run: Run, home: Home, tmp_path: Path) -> None:
    change = {
        "instruction_type": "policy_change",
        "policy_id": "P1",
        "effective_date": "2026-02-01",
        "period_end": None,
    }
    said = run(home, *written(tmp_path / "quote", **change), "--json")
    assert said.code == 0, said.err
    assert [row["payment_plan"] for row in said.tables["plans"]] == ["Monthly"]
    assert {row["is_new"] for row in said.tables["invoices"]} == {False}


def test_a_quote_that_cannot_be_booked_says_why(run: Run, home: Home, tmp_path: Path) -> None:
    said = run(home, *written(tmp_path / "quote", period_end="2026-01-01"), "--plans", "Monthly")
    assert said.code == 2
    assert "E-PERIOD-EMPTY" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--plans", "Hourly"), "there is no payment plan 'Hourly'"),
        (("--date", "2026-01-06"), "2026-01-06 is closed already; the next open day is 2026-01-08"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    run: Run, home: Home, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    said = run(home, *written(tmp_path / "quote"), *arguments)
    assert said.code == 2
    assert message in said.err
    assert said.out == ""


def test_a_file_of_another_table_is_refused(run: Run, home: Home, tmp_path: Path) -> None:
    file = tmp_path / "payments.csv"
    file.write_text("payment_id,amount\nM,1\n")
    assert "payments.csv is of payments" in run(home, file).err
    assert "no file of billing_instructions" in run(home, written(tmp_path / "quote")[1]).err


def test_a_home_without_days_needs_a_date(run: Run, tmp_path: Path) -> None:
    empty = create_home(tmp_path / "empty")
    files = written(tmp_path / "quote")
    assert "--date DAY" in run(empty, *files).err
    assert run(empty, *files, "--date", "2026-01-05", "--plans", "Monthly").code == 0


def test_the_date_decides_what_is_still_planned(run: Run, home: Home, tmp_path: Path) -> None:
    """R-CI-48: a quote for April puts what is past on the first invoice from then on."""
    files = written(tmp_path / "quote")
    said = run(home, *files, "--plans", "Monthly", "--date", "2026-04-10", "--json")
    assert said.tables["invoices"][0]["bill_date"] == "2026-05-01"
    assert said.tables["invoices"][0]["new_items"] == "460.00"
