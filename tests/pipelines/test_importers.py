"""Motor terms: how each kind of row becomes instructions, what ends in quarantine, and that nothing is lost.

The file of the tests is made here, with the columns and the problems of the real one.
"""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.carrier_file import NoHomeError
from assets.closing import close_range
from assets.invariants import check_home
from carriers import standard
from ledger.carrier import Carrier
from pipelines import cli
from pipelines.homes import HomeError, create_home
from pipelines.importers import IMPORTERS, import_file
from pipelines.importers.motor_terms import convert_motor_terms
from warehouse.catalogue import connect, query
from warehouse.storage import Home

# vehicle, first day, last day, premium
TERMS = """
11  2015-01-01  2015-12-31     1200.00   new business
11  2016-01-01  2016-12-31     1300.00   renewal
11  2017-01-15  2018-01-14     1250.00   14 days later
11  2018-03-01  2019-02-28     1260.00   45 days later
12  2015-01-01  2015-12-31     3650.00   new business
12  2015-07-01  2016-06-30     4000.00   overlaps by 184 days
13  2015-01-01  2015-12-31     1000.00   new business
13  2015-01-01  2015-12-31      250.00   same dates, another premium
13  2015-01-01  2015-12-31     1000.00   the same row again
14  2015-02-01  2015-02-07       99.00   a short term
14  2015-02-08  2016-02-07     7581230.00   a slip
15  2015-03-01  2016-02-29        0.00   no premium
15  2016-03-01  2017-02-28      480.00   renewal
16  2015-04-01  2016-03-31     1000.00   new business
16  2015-04-01  2015-09-30      600.00   same begin, other end
"""
Row = dict[str, str | None]


def motor_file(path: Path, text: str = TERMS) -> Path:
    rows = [line.split(maxsplit=4) for line in text.strip().splitlines()]
    frame = pl.DataFrame(
        {
            "term_id": pl.int_range(1, len(rows) + 1, dtype=pl.Int32, eager=True),
            "object_id": [row[0] for row in rows],
            "insr_begin": [date.fromisoformat(row[1]) for row in rows],
            "insr_end": [date.fromisoformat(row[2]) for row in rows],
            "premium": pl.Series([row[3] for row in rows]).cast(pl.Decimal(14, 2)),
            "prod_year": pl.Series([None] * len(rows), dtype=pl.Int32),
            "term_seq": pl.int_range(0, len(rows), dtype=pl.Int32, eager=True),
        }
    )
    file = path / "terms.parquet"
    frame.write_parquet(file)
    return file


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    file = motor_file(tmp_path_factory.mktemp("motor"))
    return dict(convert_motor_terms(file, Carrier.from_toml(standard())).tables)


def story(tables: dict[str, pl.DataFrame], vehicle: int) -> list[tuple[str, str, str, str, str | None]]:
    """Business date, kind, term, effective date and amount of what happens to a vehicle, in order."""
    rows = tables["billing_instructions"].filter(pl.col("policy_id") == f"V-{vehicle}")
    charges = tables["charges"].select("instruction_id", "amount").unique()
    return (
        rows.join(charges, on="instruction_id", how="left")
        .sort("business_date", pl.col("sequence").cast(pl.Int64))
        .select(pl.col("business_date").cast(pl.String), "instruction_type", "term_number", "effective_date", "amount")
        .rows()
    )


def test_a_vehicle_is_new_renewed_rewritten_after_a_lapse_and_new_again(tables):
    assert story(tables, 11) == [
        ("2015-01-01", "issuance", "1", "2015-01-01", "1200.00"),
        ("2015-12-12", "renewal", "2", "2016-01-01", "1300.00"),
        ("2017-01-15", "rewrite", "3", "2017-01-15", "1250.00"),
        ("2018-03-01", "issuance", "4", "2018-03-01", "1260.00"),
    ]


def test_the_last_day_of_cover_becomes_the_first_without(tables):
    rows = tables["billing_instructions"].filter(pl.col("policy_id") == "V-15")
    assert rows.select("period_start", "period_end").rows() == [
        ("2015-03-01", "2016-03-01"),
        ("2016-03-01", "2017-03-01"),
    ]


def test_an_overlap_cancels_the_earlier_term_and_returns_its_premium_by_day(tables):
    # 3650.00 for 365 days; 184 of them are left on 1 July.
    assert story(tables, 12) == [
        ("2015-01-01", "issuance", "1", "2015-01-01", "3650.00"),
        ("2015-07-01", "cancellation", "1", "2015-07-01", "-1840.00"),
        ("2015-07-01", "rewrite", "2", "2015-07-01", "4000.00"),
    ]


def test_a_term_that_begins_on_the_same_day_takes_the_place_of_the_shorter_one(tables):
    assert story(tables, 16) == [
        ("2015-04-01", "issuance", "1", "2015-04-01", "600.00"),
        ("2015-04-01", "cancellation", "1", "2015-04-01", "-600.00"),
        ("2015-04-01", "rewrite", "2", "2015-04-01", "1000.00"),
    ]


def test_the_same_dates_add_premium_and_the_same_row_lands_as_the_same_instruction(tables):
    assert story(tables, 13) == [
        ("2015-01-01", "issuance", "1", "2015-01-01", "1000.00"),
        ("2015-01-01", "issuance", "1", "2015-01-01", "1000.00"),
        ("2015-01-01", "policy_change", "1", "2015-01-01", "250.00"),
    ]


def test_a_short_term_is_paid_at_once_and_a_term_without_premium_has_no_charge(tables):
    instructions = tables["billing_instructions"]
    assert instructions.filter(pl.col("policy_id") == "V-14")["payment_plan"][0] == "Full Pay"
    assert story(tables, 15)[0][4] is None


def test_every_row_of_the_file_is_counted_once(tmp_path):
    counts = convert_motor_terms(motor_file(tmp_path), Carrier.from_toml(standard())).counts
    assert counts == {
        "rows in the file": 15,
        "new business": 6,
        "renewal": 3,
        "rewritten after a lapse": 1,
        "new business after a lapse": 1,
        "cancelled and rewritten": 2,
        "added premium": 1,
        "exact duplicates": 1,
        "cancellations made for rewrites": 2,
        "terms without premium, no charge": 1,
        "above largest_charge, to be refused": 1,
        "vehicles": 6,
        "payments made up": counts["payments made up"],
    }


def test_what_lands_can_be_closed_and_only_the_slip_is_in_quarantine(tmp_path):
    home = create_home(tmp_path / "home")
    imported = import_file("motor-terms", motor_file(tmp_path), home)
    assert imported.new_files == imported.files
    assert import_file("motor-terms", motor_file(tmp_path), home).new_files == 0
    first = date(2015, 1, 1)
    assert imported.first_day == first
    close_range(home, first, first + timedelta(days=200))
    with connect(home.root) as connection:
        refused = query(connection, "SELECT table_name, record_id, code FROM quarantine ORDER BY table_name").rows()
        repeated = query(connection, "SELECT sum(rows_duplicate) FROM intake").item()
        totals = query(connection, "SELECT sum(debit_balance), sum(credit_balance) FROM trial_balance").row(0)
        cancelled = query(connection, "SELECT policy_id FROM policy_periods WHERE status = 'cancelled' ORDER BY 1")
        paid = query(connection, "SELECT sum(amount) FROM payments").item()
    assert refused == [
        ("billing_instructions", "I-14-2-1", "E-CHARGE-REFUSED"),
        ("charges", "I-14-2-1", "E-CHARGE-LIMIT"),
    ]
    assert repeated == 2
    assert totals[0] == totals[1] > 0
    assert cancelled["policy_id"].to_list() == ["V-12", "V-16"]
    assert 0 < paid < 20_000
    assert not check_home(home).sentences


def test_a_slip_is_booked_where_the_carrier_sets_no_limit(tmp_path):
    carrier = Carrier.from_toml(standard()).model_copy(update={"largest_charge": None})
    assert convert_motor_terms(motor_file(tmp_path), carrier).counts["above largest_charge, to be refused"] == 0


def test_the_order_of_the_rows_does_not_matter(tmp_path, tables):
    file = motor_file(tmp_path)
    pl.read_parquet(file).sample(fraction=1.0, shuffle=True, seed=4).write_parquet(file)
    shuffled = convert_motor_terms(file, Carrier.from_toml(standard())).tables
    assert all(shuffled[table].equals(rows) for table, rows in tables.items())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.drop("premium"), "has no column premium"),
        (lambda rows: rows.clear(), "has no rows"),
        (lambda rows: rows.with_columns(insr_end=pl.lit(None, pl.Date)), "has rows without insr_end"),
        (lambda rows: rows.with_columns(object_id=pl.lit("AB-1")), "an object_id is no whole number"),
        (lambda rows: rows.with_columns(premium=pl.lit("much")), "terms.parquet: "),
    ],
)
def test_a_file_of_another_shape_is_refused_in_one_sentence(tmp_path, change, said):
    file = motor_file(tmp_path)
    change(pl.read_parquet(file)).write_parquet(file)
    home = create_home(tmp_path / "home")
    with pytest.raises(HomeError, match=said):
        import_file("motor-terms", file, home)
    assert not list(home.landing.rglob("*.parquet"))


def test_what_is_no_parquet_file_is_refused(tmp_path):
    carrier = Carrier.from_toml(standard())
    other = tmp_path / "terms.parquet"
    with pytest.raises(HomeError, match="there is no file"):
        convert_motor_terms(other, carrier)
    other.write_text("object_id,insr_begin")
    with pytest.raises(HomeError, match="is no Parquet file"):
        convert_motor_terms(other, carrier)


def test_an_unknown_importer_is_told_which_there_are(tmp_path):
    with pytest.raises(HomeError, match=f"there are {', '.join(IMPORTERS)}"):
        import_file("boats", tmp_path / "x", create_home(tmp_path / "home"))


def test_a_carrier_without_a_plan_for_short_terms_is_told(tmp_path):
    carrier = Carrier.from_toml(standard())
    only = {name: plan for name, plan in carrier.payment_plans.items() if name == "Monthly"}
    with pytest.raises(HomeError, match="no payment plan in USD"):
        convert_motor_terms(motor_file(tmp_path), carrier.model_copy(update={"payment_plans": only}))


def test_a_home_is_needed(tmp_path):
    with pytest.raises(NoHomeError):
        import_file("motor-terms", motor_file(tmp_path), Home(tmp_path / "nothing"))


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["paidthrough", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_the_command_says_how_many_rows_of_each_kind_there_were(tmp_path, monkeypatch, capsys):
    home, file = create_home(tmp_path / "home"), motor_file(tmp_path)
    assert run(monkeypatch, "import", "motor-terms", file, "--home", home.root) == 0
    said = capsys.readouterr().out
    assert next(line for line in said.splitlines() if line.startswith("exact duplicates")).split()[-1] == "1"
    assert "17 billing_instructions, 16 charges" in said
    assert "next: paidthrough backfill 2015-01-01" in said
    assert run(monkeypatch, "import", "motor-terms", file, "--home", home.root, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["new_files"] == 0
    assert again["counts"]["rows in the file"] == 15
    assert run(monkeypatch, "import", "boats", file, "--home", home.root) == 2
    assert "there is no importer boats" in capsys.readouterr().err
