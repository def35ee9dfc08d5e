"""The published catalogue: versions, dates, money, readers and what may run on it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from published_books import line, write_book

from schemas.reports import REPORTS, Report
from schemas.reports.finance import FINANCE
from warehouse.catalogue import CatalogueError, Published, catalogue_path, connect, publish, query
from warehouse.views import comment, sql_type

DAY_1, DAY_2, DAY_3 = date(2025, 1, 1), date(2025, 1, 2), date(2025, 1, 3)
ACCOUNT = {"account_key": 1, "account_id": "A-1"}
CORE = {
    "accounts": [ACCOUNT],
    "policies": [{"policy_key": 1, "policy_id": "P-1", "account_key": 1}],
    "policy_periods": [
        {
            "period_key": 1,
            "policy_key": 1,
            "account_key": 1,
            "term_number": 1,
            "effective_date": DAY_1,
            "coverage_end": date(2026, 1, 1),
        }
    ],
}
CHARGED = [
    line(1, 1, "D", "<Charge Pattern> Unbilled", 100_00, DAY_1),
    line(1, 2, "C", "<Charge Pattern> Unearned", 100_00, DAY_1),
]
CORRECTED = [
    line(2, 1, "D", "<Charge Pattern> Unearned", 30_00, DAY_1, reverses_transaction_key=1),
    line(2, 2, "C", "<Charge Pattern> Unbilled", 30_00, DAY_1, reverses_transaction_key=1),
]


def _ask(home: Path, sql: str) -> list[tuple]:
    with connect(home) as connection:
        return query(connection, sql).rows()


def _text(home: Path, sql: str) -> str:
    """A result as its bytes would be in a file."""
    with connect(home) as connection:
        return query(connection, f"{sql} ORDER BY ALL").write_csv()


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_views_and_macros_are_as_declared(tmp_path: Path, report: Report) -> None:
    """Names, types, order and comments: the declaration is what the catalogue says."""
    publish(tmp_path, write_book(tmp_path / "warehouse", {DAY_1: {**CORE, "journal": CHARGED}}))
    declared = [(column.name, sql_type(column, 2)) for column in report.columns]
    comments = [(column.name, comment(column)) for column in report.columns]
    with connect(tmp_path) as connection:
        assert _described(connection, report.name) == declared
        assert _described(connection, f"{report.name}_as_of('2025-01-01')") == declared
        of_view = f"WHERE schema_name = 'main' AND {{}} = '{report.name}'"
        sql = f"SELECT column_name, comment FROM duckdb_columns() {of_view.format('table_name')}"
        assert query(connection, f"{sql} ORDER BY column_index").rows() == comments
        sql = f"SELECT comment FROM duckdb_views() {of_view.format('view_name')}"
        assert query(connection, sql).rows() == [(report.description,)]


def _described(connection: duckdb.DuckDBPyConnection, relation: str) -> list[tuple]:
    return [row[:2] for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()]


def test_every_view_of_an_empty_book_is_empty(tmp_path: Path) -> None:
    publish(tmp_path, Published(through=DAY_1, carrier="standard", currency="USD", invoice_due_lag_days=1))
    with connect(tmp_path) as connection:
        for report in REPORTS:
            assert query(connection, f"SELECT * FROM {report.name}").is_empty(), report.name
            assert query(connection, f"SELECT * FROM {report.name}_as_of('2025-01-01')").is_empty(), report.name


@pytest.mark.parametrize("checkpoint", [None, DAY_1, DAY_2, DAY_3])
def test_newest_and_earlier_versions(tmp_path: Path, checkpoint: date | None) -> None:
    """The same answers from deltas alone, from a checkpoint and later deltas, and from the last day's checkpoint."""
    days = {
        DAY_1: {"accounts": [{**ACCOUNT, "name": "old"}]},
        DAY_2: {"accounts": [{**ACCOUNT, "name": "new"}, {"account_key": 2, "account_id": "A-2", "name": "two"}]},
        DAY_3: {"accounts": [{"account_key": 2, "account_id": "A-2", "name": "changed"}]},
    }
    publish(tmp_path, write_book(tmp_path / "warehouse", days, checkpoint=checkpoint))
    sql = "SELECT account_id, name FROM {} ORDER BY account_id"
    assert _ask(tmp_path, sql.format("accounts")) == [("A-1", "new"), ("A-2", "changed")]
    assert _ask(tmp_path, sql.format("accounts_as_of('2025-01-02')")) == [("A-1", "new"), ("A-2", "two")]
    assert _ask(tmp_path, sql.format("accounts_as_of(DATE '2025-01-01')")) == [("A-1", "old")]


def test_a_correction_changes_the_past_only_for_those_who_know_of_it(tmp_path: Path) -> None:
    """R-LED-12: A report of a past day, as known then, is the same byte for byte after later corrections."""
    reports = [report.name for report in REPORTS if report.has_known_at and report not in FINANCE]
    before = {DAY_1: {**CORE, "journal": CHARGED}}
    publish(tmp_path, write_book(tmp_path / "warehouse", before))
    first = {name: _text(tmp_path, f"SELECT * FROM {name}_as_of('2025-01-01')") for name in reports}
    publish(tmp_path, write_book(tmp_path / "warehouse", {**before, DAY_3: {"journal": CORRECTED}}))
    for name in reports:
        known = f"SELECT * FROM {name}_as_of('2025-01-01', known_at := '2025-01-02')"
        assert _text(tmp_path, known) == first[name]
        assert _text(tmp_path, f"SELECT * FROM {name}_as_of('2025-01-01')") != first[name]
    balance = "SELECT debits, credits, balance FROM t_account_balances{} WHERE t_account = 'Premium Unbilled'"
    assert _ask(tmp_path, balance.format("_as_of('2025-01-01')")) == [(Decimal(100), Decimal(30), Decimal(70))]
    assert _ask(tmp_path, balance.format("")) == [(Decimal(100), Decimal(30), Decimal(70))]
    trial = "SELECT sum(debit_balance), sum(credit_balance) FROM trial_balance"
    assert _ask(tmp_path, trial) == [(Decimal(70), Decimal(70))]


def test_balances_leave_out_what_takes_effect_later(tmp_path: Path) -> None:
    later = [{**row, "transaction_date": date(2025, 2, 1)} for row in CHARGED]
    publish(tmp_path, write_book(tmp_path / "warehouse", {DAY_1: {**CORE, "journal": later}}))
    assert _ask(tmp_path, "SELECT * FROM trial_balance") == []
    assert _ask(tmp_path, "SELECT count(*) FROM trial_balance_as_of('2025-02-01')") == [(2,)]
    assert _ask(tmp_path, "SELECT count(*) FROM journal") == [(2,)]


def test_journal_shows_external_ids(tmp_path: Path) -> None:
    paid = line(3, 1, "D", "Designated Unapplied", 5_00, DAY_2, payment_key=1, fund_policy_key=1, item_key=1_025)
    payment = {"payment_key": 1, "payment_id": "PAY-1", "amount": 5_00, "account_key": 1}
    book = {**CORE, "journal": [*CHARGED, *CORRECTED, paid], "payments": [payment]}
    publish(tmp_path, write_book(tmp_path / "warehouse", {DAY_2: book}))
    columns = "owner_id, t_account, account_id, policy_id, term_number, item_id, payment_id, reverses_transaction_id"
    rows = _ask(tmp_path, f"SELECT {columns} FROM journal ORDER BY transaction_id::BIGINT, line_no")
    assert rows[0] == ("P-1/1", "Premium Unbilled", "A-1", "P-1", 1, None, None, None)
    assert rows[2] == ("P-1/1", "Premium Unearned", "A-1", "P-1", 1, None, None, "1")
    assert rows[4] == ("A-1", "Designated Unapplied", "A-1", "P-1", None, "1025", "PAY-1", None)


@pytest.mark.parametrize(
    ("currencies", "minor_units", "shown"),
    [
        (["USD"], 2**53 + 1, [Decimal("90071992547409.93")]),
        (["USD"], -1, [Decimal("-0.01")]),
        (["JPY"], 12_345, [Decimal("12345.00")]),
        (["USD", "JPY", "KWD"], 1_234_567, [Decimal("12345.670"), Decimal("1234567.000"), Decimal("1234.567")]),
    ],
)
def test_money_is_exact_in_every_currency(
    tmp_path: Path, currencies: list[str], minor_units: int, shown: list[Decimal]
) -> None:
    accounts = [{"account_key": n, "account_id": f"A-{n}", "currency": c} for n, c in enumerate(currencies, 1)]
    funds = [
        {"fund_key": 2 * n, "account_key": n, "balance": minor_units, "currency": c}
        for n, c in enumerate(currencies, 1)
    ]
    book = write_book(tmp_path / "warehouse", {DAY_1: {"accounts": accounts, "funds": funds}}, currency=currencies[0])
    publish(tmp_path, book)
    rows = _ask(tmp_path, "SELECT balance FROM funds ORDER BY account_id")
    assert [(amount,) for amount in shown] == rows
    assert [str(amount) for (amount,) in rows] == [str(amount) for amount in shown]


def test_a_currency_without_decimals_is_refused(tmp_path: Path) -> None:
    strange = {DAY_1: {"accounts": [{**ACCOUNT, "currency": "XXX"}]}}
    with pytest.raises(CatalogueError, match="currency XXX has no number of decimals"):
        publish(tmp_path, write_book(tmp_path / "warehouse", strange))


def test_an_amount_in_an_unexpected_currency_is_an_error_not_a_wrong_amount(tmp_path: Path) -> None:
    funds = [{"fund_key": 2, "account_key": 1, "balance": 1, "currency": "EUR"}]
    publish(tmp_path, write_book(tmp_path / "warehouse", {DAY_1: {**CORE, "funds": funds}}))
    with pytest.raises(duckdb.Error, match="currency EUR is not in this catalogue"):
        _ask(tmp_path, "SELECT balance FROM funds")


def test_only_declared_tables_are_published(tmp_path: Path) -> None:
    book = write_book(tmp_path / "warehouse", {DAY_1: CORE})
    with pytest.raises(CatalogueError, match=r"\['secrets'\] are not declared"):
        publish(tmp_path, replace(book, events={"secrets": []}))
    assert not catalogue_path(tmp_path).exists()


def test_days_and_settings_are_in_the_file(tmp_path: Path) -> None:
    closed = pl.DataFrame({"business_date": [DAY_1, DAY_2], "journal_lines": [2, 0], "is_stale": [False, True]})
    publish(tmp_path, write_book(tmp_path / "warehouse", {DAY_2: CORE}, closed=closed, lag=0))
    columns = "business_date, journal_lines, is_stale, manifest"
    assert _ask(tmp_path, f"SELECT {columns} FROM days ORDER BY 1") == [
        (DAY_1, 2, False, None),
        (DAY_2, 0, True, None),
    ]
    settings = "SELECT carrier, currency, invoice_due_lag_days, through FROM stored.settings"
    assert _ask(tmp_path, settings) == [("standard", "USD", 0, DAY_2)]


def test_paths_may_hold_quotes(tmp_path: Path) -> None:
    home = tmp_path / "a carrier's home"
    publish(home, write_book(home / "warehouse", {DAY_1: CORE}))
    assert _ask(home, "SELECT account_id FROM accounts") == [("A-1",)]


def test_a_home_may_be_reached_by_another_path(tmp_path: Path) -> None:
    home, link = tmp_path / "home", tmp_path / "link"
    home.mkdir()
    link.symlink_to(home)
    publish(link, write_book(link / "warehouse", {DAY_1: CORE}))
    assert _ask(home, "SELECT account_id FROM accounts") == [("A-1",)]
    assert _ask(link, "SELECT account_id FROM accounts") == [("A-1",)]


def test_leftovers_of_a_crashed_publication_are_removed(tmp_path: Path) -> None:
    book = write_book(tmp_path / "warehouse", {DAY_1: CORE})
    leftover = publish(tmp_path, book).with_name(".paidthrough.duckdb.1")
    leftover.write_bytes(b"half a file")
    publish(tmp_path, book)
    assert [path.name for path in leftover.parent.glob("*paidthrough.duckdb*")] == ["paidthrough.duckdb"]


def test_the_template_is_made_once_and_that_of_another_version_goes(tmp_path: Path) -> None:
    book = write_book(tmp_path / "warehouse", {DAY_1: CORE})
    folder = publish(tmp_path, book).parent
    (template,) = folder.glob(".catalogue-template.*")
    made = template.stat().st_mtime_ns
    publish(tmp_path, replace(book, through=DAY_2))
    assert [(path, path.stat().st_mtime_ns) for path in folder.glob(".catalogue-template.*")] == [(template, made)]
    publish(tmp_path, replace(book, invoice_due_lag_days=book.invoice_due_lag_days + 1))
    (other,) = folder.glob(".catalogue-template.*")
    assert other != template
    assert _ask(tmp_path, "SELECT account_id FROM accounts") == [("A-1",)]


def test_connect_says_when_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="close a day first"):
        connect(tmp_path)


READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
ask = lambda: print(connection.sql("SELECT count(*) FROM journal").fetchall()[0][0], flush=True)
ask()
sys.stdin.readline()
ask()
"""


def test_readers_keep_the_old_file_while_a_new_one_is_published(tmp_path: Path) -> None:
    """Another process reads before, during and after; somebody new sees the new day."""
    first = {DAY_1: {**CORE, "journal": CHARGED}}
    path = publish(tmp_path, write_book(tmp_path / "warehouse", first))
    command = [sys.executable, "-c", READER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline() == "2\n"
        publish(tmp_path, write_book(tmp_path / "warehouse", {**first, DAY_2: {"journal": CORRECTED}}))
        with duckdb.connect(str(path), read_only=True) as newcomer:
            assert newcomer.sql("SELECT count(*) FROM journal").fetchall() == [(4,)]
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "2\n"
        reader.stdin.close()


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{home}/warehouse/stolen.csv'",
        "CREATE TABLE mine (i INTEGER)",
        "SET threads = 1",
        "ATTACH ':memory:' AS other",
        "INSTALL httpfs",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/passwd')",
    ],
)
def test_analysts_only_ask(tmp_path: Path, statement: str) -> None:
    publish(tmp_path, write_book(tmp_path / "warehouse", {DAY_1: CORE}))
    with connect(tmp_path) as connection, pytest.raises((CatalogueError, duckdb.Error)):
        query(connection, statement.format(home=tmp_path))
    assert not (tmp_path / "warehouse" / "stolen.csv").exists()


def test_the_file_can_be_attached_beside_others(tmp_path: Path) -> None:
    """Views work under any name; the macros need USE, because DuckDB looks their tables up where the reader is."""
    path = publish(tmp_path, write_book(tmp_path / "warehouse", {DAY_1: CORE}))
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS billing (READ_ONLY)")
        assert connection.sql("SELECT account_id FROM billing.accounts").fetchall() == [("A-1",)]
        connection.execute("USE billing")
        assert connection.sql("SELECT account_id FROM accounts_as_of('2025-01-01')").fetchall() == [("A-1",)]


def test_a_file_that_another_version_published_is_named(tmp_path: Path) -> None:
    path = catalogue_path(tmp_path)
    path.parent.mkdir(parents=True)
    duckdb.connect(str(path)).close()
    with pytest.raises(CatalogueError, match="another version"):
        connect(tmp_path)
