"""The made-up book: the same every time, whole, and paid for as its plans say; and the wrong rows in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.closing import close_range
from carriers import standard
from ledger.carrier import Carrier
from pipelines.behaviour import MANNERS, payments_for
from pipelines.draws import Draws
from pipelines.homes import create_home
from pipelines.landing import land_tables, write_made_up
from pipelines.mistakes import mistakes_among
from pipelines.schedule import expected_bills
from pipelines.synthetic import synthetic_book
from schemas.landing import LANDING_TABLES
from warehouse.catalogue import connect, query
from warehouse.landing import read_inbox
from warehouse.storage import Home

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
POLICIES = 300
Book = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def book() -> Book:
    return synthetic_book(POLICIES, FIRST, LAST)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Book]:
    """Eight weeks of a small book, closed."""
    home = create_home(tmp_path_factory.mktemp("made-up") / "home")
    last = date(2025, 2, 28)
    rows = synthetic_book(400, FIRST, last)
    write_made_up(home, rows)
    close_range(home, FIRST, last)
    return home, rows


def right(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table that are not wrong on purpose."""
    record_id = next(name for name in ("payment_id", "instruction_id", "account_id") if name in rows.columns)
    return rows.filter(~pl.col(record_id).str.starts_with("BAD-"))


def test_the_same_seed_gives_the_same_rows_and_another_one_other_rows(book):
    again, other = synthetic_book(POLICIES, FIRST, LAST), synthetic_book(POLICIES, FIRST, LAST, seed=2)
    assert all(again[table].equals(rows) for table, rows in book.items())
    assert not any(other[table].equals(rows) for table, rows in book.items())


def test_a_larger_book_begins_with_the_accounts_of_a_smaller_one(book):
    larger = right(synthetic_book(POLICIES + 200, FIRST, LAST)["charges"])
    of_smaller = right(book["charges"])
    assert of_smaller.join(larger, on=of_smaller.columns, how="anti").is_empty()


def test_rows_are_text_in_declared_columns_within_the_days(book):
    declared = {table.name: table for table in LANDING_TABLES}
    for name, rows in book.items():
        assert set(rows.columns) <= {"business_date", *declared[name].column_names}
        assert set(declared[name].required) <= set(rows.columns)
        assert rows.drop("business_date").dtypes == [pl.String] * (rows.width - 1)
        assert rows["business_date"].is_between(FIRST, LAST).all()
        assert rows["business_date"].is_sorted()


def test_everything_happens_that_happens_to_a_book(book):
    kinds = set(book["billing_instructions"]["instruction_type"])
    assert kinds == {"issuance", "new_renewal", "renewal", "policy_change", "cancellation"}
    accounts = book["accounts"].group_by("invoice_by", "separate_funds_by").len()
    assert set(accounts.select("invoice_by", "separate_funds_by").rows()) == {
        ("policy", "policy"),
        ("policy", "account"),
        ("account", "account"),
    }
    policies = book["billing_instructions"].select("account_id", "policy_id").unique().group_by("account_id").len()
    assert set(policies["len"]) >= {1, 2, 3}
    amounts = right(book["charges"])["amount"].cast(pl.Decimal(14, 2))
    assert amounts.min() < 0 < amounts.max()
    assert set(book["charges"]["charge_pattern"]) == {"Premium", "Taxes", "Fee"}
    payments = right(book["payments"])
    assert 0 < payments["policy_id"].null_count() < payments.height
    assert payments["payment_id"].is_duplicated().any()


def test_premium_comes_back_when_a_policy_is_cancelled(book):
    cancelled = book["billing_instructions"].filter(pl.col("instruction_type") == "cancellation")
    returned = right(book["charges"]).join(cancelled, on="instruction_id", how="semi")
    assert not returned.is_empty()
    assert (returned["amount"].cast(pl.Decimal(14, 2)) < 0).all()
    charged = right(book["charges"]).join(
        book["billing_instructions"].select("instruction_id", "policy_id", "term_number"), on="instruction_id"
    )
    totals = charged.group_by("policy_id", "term_number").agg(pl.col("amount").cast(pl.Decimal(14, 2)).sum())
    assert (totals["amount"] > 0).all()


@pytest.mark.parametrize(("policies", "last"), [(0, LAST), (1, date(2024, 12, 31))])
def test_there_is_no_book_of_nothing(policies, last):
    with pytest.raises(ValueError, match="are no book"):
        synthetic_book(policies, FIRST, last)


def test_even_the_smallest_book_can_be_made():
    book = synthetic_book(1, FIRST, date(2025, 1, 3))
    assert all(set(rows.columns) > {"business_date"} for rows in book.values())


def test_every_wrong_row_and_no_other_is_in_quarantine_for_the_reason_it_names(closed):
    home, rows = closed
    with connect(home.root) as connection:
        refused = query(connection, "SELECT record_id, code, table_name FROM quarantine")
    assert refused.height == mistakes_among(rows) > 0
    assert refused["record_id"].str.starts_with("BAD-").all()
    own = refused.filter(pl.col("table_name") != "charges")
    assert own.filter(~pl.col("record_id").str.contains(pl.col("code"), literal=True)).is_empty()


def test_what_is_unusual_is_booked(closed):
    home, _ = closed
    with connect(home.root) as connection:
        suspended = query(connection, "SELECT count(*) FROM payments WHERE status = 'suspended'").item()
        repeated = query(connection, "SELECT sum(rows_duplicate) FROM intake").item()
    assert suspended > 0
    assert repeated > 0


def test_customers_pay_what_they_are_billed(closed):
    """A punctual account owes nothing when a bill is due: what it expects is what the ledger bills, to the cent."""
    home, _ = closed
    keys = pl.DataFrame({"account_key": pl.int_range(1, 401, dtype=pl.Int64, eager=True)})
    draws = Draws(20_260_101)
    punctual = keys.filter(draws.one_of(MANNERS, "manner", "account_key").is_in(["on_time", "early"]))
    ids = punctual.select(pl.format("A-{}", pl.col("account_key").cast(pl.String).str.zfill(6))).to_series()
    with connect(home.root) as connection:
        open_ = query(connection, "SELECT account_id, sum(total - not_due) AS past_due FROM aging GROUP BY account_id")
        due = query(connection, "SELECT DISTINCT account_id FROM invoices WHERE status = 'Due'")["account_id"]
    assert len(set(due) & set(ids)) > 5
    assert open_.filter(pl.col("account_id").is_in(ids.implode()) & (pl.col("past_due") > 0)).is_empty()
    assert (open_["past_due"] > 0).any()


def test_landing_straight_and_landing_as_a_file_give_the_same_inbox(tmp_path: Path, book):
    days = {table: rows.filter(pl.col("business_date") < date(2025, 1, 10)) for table, rows in book.items()}
    straight, as_file = create_home(tmp_path / "a"), create_home(tmp_path / "b")
    files = write_made_up(straight, days)
    assert len(land_tables(as_file, days, "made-up")) == files
    assert not any(one.is_new for one in land_tables(as_file, days, "made-up"))
    for day in (date(2025, 1, 2), date(2025, 1, 6)):
        one, other = read_inbox(straight, day), read_inbox(as_file, day)
        assert one.frames.keys() == other.frames.keys()
        assert all(rows.drop("file").equals(other.frames[table].drop("file")) for table, rows in one.frames.items())
        assert not one.refused


def test_draws_do_not_depend_on_the_order_or_number_of_rows():
    draws = Draws(7)
    keys = pl.DataFrame({"key": pl.int_range(1, 5001, dtype=pl.Int64, eager=True)})
    drawn = keys.with_columns(drawn=draws.below(10, "test", "key"))
    assert set(drawn["drawn"]) == set(range(10))
    assert drawn.group_by("drawn").len()["len"].is_between(420, 580).all()
    mixed = keys.sample(2000, seed=1).with_columns(drawn=draws.below(10, "test", "key"))
    assert mixed.join(drawn, on=["key", "drawn"], how="anti").is_empty()
    assert keys.select(draws.below(10**6, "test", "key")).to_series()[:3].to_list() == DRAWN


DRAWN = [65_078, 964_093, 93_457]


def bills_of(payment_plan: str, **changes: object) -> list[tuple[str, str, int]]:
    """Bill date, due date and amount of a premium of 1200.00 for 2025 that comes in before Christmas."""
    charge: dict[str, object] = {
        "charge_key": 1,
        "account_key": 1,
        "policy_key": 1,
        "charge_pattern": "Premium",
        "amount": 120_000,
        "payment_plan": payment_plan,
        "instruction_type": "issuance",
        "charge_date": date(2024, 12, 20),
        "effective_date": date(2025, 1, 1),
        "policy_effective_date": date(2025, 1, 1),
        "coverage_end": date(2026, 1, 1),
        "invoice_by": "policy",
        "invoice_day_of_month": 15,
        "billing_plan": "Standard",
    }
    bills = expected_bills(pl.DataFrame([charge | changes]), Carrier.from_toml(standard()))
    return bills.select(pl.col("bill_date", "due_date").cast(pl.String), "amount").rows()


def test_expected_bills_follow_the_plan():
    assert bills_of("Full Pay") == [("2025-01-01", "2025-01-15", 120_000)]
    assert bills_of("Quarterly") == [
        ("2025-01-01", "2025-01-15", 30_000),
        ("2025-04-01", "2025-04-15", 30_000),
        ("2025-07-01", "2025-07-15", 30_000),
        ("2025-10-01", "2025-10-15", 30_000),
    ]
    assert [amount for *_, amount in bills_of("Monthly 30% Down")] == [36_000, 28_000, 28_000, 28_000]


def test_expected_bills_of_an_account_come_on_its_day_and_late_ones_together():
    bills = bills_of("Monthly", invoice_by="account", charge_date=date(2025, 3, 1))
    assert bills[0] == ("2025-03-15", "2025-03-29", 30_000)
    assert bills[1] == ("2025-04-15", "2025-04-29", 10_000)
    assert sum(amount for _, _, amount in bills) == 120_000


def test_an_invoicing_fee_is_expected_with_installments_and_not_with_the_down_payment_alone():
    bills = bills_of("Monthly 10% Down With Fee")
    assert bills[0][2] == 12_000
    assert bills[1][2] == 12_000 + 500


def test_each_manner_of_paying_pays_what_it_says():
    carrier = Carrier.from_toml(standard())
    keys = range(1, 201)
    bills = pl.DataFrame(
        [
            {
                "account_key": key,
                "policy_key": key,
                "bill_date": date(2025, month, 1),
                "due_date": date(2025, month, 15),
                "amount": 10_001,
                "names_policy": True,
            }
            for key in keys
            for month in range(1, 7)
        ]
    )
    draws = Draws(1)
    paid = payments_for(bills, carrier, draws).with_columns(manner=draws.one_of(MANNERS, "manner", "account_key"))
    assert set(paid["manner"]) == {name for name, _ in MANNERS}
    totals = dict(
        paid.group_by("account_key", "manner")
        .agg(pl.col("amount").sum())
        .group_by("manner")
        .agg(pl.col("amount").max())
        .rows()
    )
    six = 6 * 10_001
    assert {name: total for name, total in totals.items() if name != "stops"} == {
        "on_time": six,
        "early": six,
        "late": six,
        "in_parts": six,
        "forgetful": six,
        "ahead": six,
        "rounds_up": 6 * 11_000,
    }
    assert totals["stops"] < six
    assert paid.filter(pl.col("manner") == "ahead").group_by("account_key").len()["len"].unique().to_list() == [2]
    assert (paid.filter(pl.col("manner") == "on_time")["payment_date"].dt.day() <= 15).all()
    assert (paid.filter(pl.col("manner") == "late")["payment_date"].dt.day() != 15).all()
    assert (paid["business_date"] >= paid["payment_date"]).all()
    checks = paid.filter(pl.col("method") == "check")
    assert (checks["business_date"] > checks["payment_date"]).all()
