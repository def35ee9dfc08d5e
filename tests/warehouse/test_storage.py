"""Closing days, reading them back, stale days, locks, checkpoints."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_days import close, closed_home, commit, funds, january, journal, policies, tables

from schemas.book import BOOK_TABLES, POLICIES
from schemas.declare import Table
from schemas.journal import EVENT_TABLES
from warehouse.faults import FormatError, RangeError, armed
from warehouse.lease import Lease
from warehouse.parts import check_contract
from warehouse.storage import (
    ChainError,
    ContractError,
    Home,
    LeaseError,
    LockedError,
    StaleError,
    Store,
    UnknownTableError,
    WriteError,
)


def test_an_empty_home_has_no_days_and_typed_empty_tables(tmp_path):
    store = Store(Home(tmp_path))
    assert store.head() is None
    assert store.days() == []
    assert store.parts("journal") == []
    assert store.read("policies").schema == {"business_date": pl.Date, **POLICIES.schema}
    assert store.read("journal").is_empty()
    assert store.verify() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["plain", "with space", "ünïcode 保険", "glob [1] * ?", "business_date=2020-01-01"])
def test_a_day_reads_back_as_it_was_committed_wherever_the_home_is(tmp_path, name):
    store = Store(Home(tmp_path / name))
    [record] = close(store, january(1), amount=250)
    reader = Store(Home(str(tmp_path / name)))
    assert reader.days() == [record]
    assert record.business_date == january(1)
    assert record.number == 1
    assert record.opening is None
    assert record.rows == {"funds": 1, "journal": 2, "policies": 2}
    assert record.totals == {"USD": (250, 250)}
    assert (record.totals["USD"].debits, record.is_stale, record.is_locked) == (250, False, False)
    assert_frame_equal(reader.read("journal"), tables(january(1), 250)["journal"])
    assert_frame_equal(reader.read("policies").drop("business_date"), tables(january(1), 250)["policies"])
    assert reader.verify() == []


def test_what_is_read_can_be_cut_by_date(tmp_path):
    store = closed_home(tmp_path, 4)
    assert store.read("journal", after=january(1), through=january(3))["business_date"].unique().to_list() == [
        january(2),
        january(3),
    ]
    assert [path.parent.name for path in store.parts("journal", through=january(2))] == [
        "business_date=2026-01-01",
        "business_date=2026-01-02",
    ]
    with pytest.raises(UnknownTableError, match="there is no table jornal"):
        store.read("jornal")


def test_the_same_days_give_the_same_bytes_in_every_home(tmp_path):
    homes = [closed_home(tmp_path / name, 3).home for name in ("a", "b")]
    files = [
        {path.relative_to(home.root).as_posix(): path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
        for home in homes
    ]
    assert len(files[0]) == 3 + 1 + 3 * 3
    assert files[0] == files[1]


def test_closing_a_day_again_with_the_same_result_changes_nothing(tmp_path):
    store = closed_home(tmp_path, 3)
    before = {path: path.read_bytes() for path in store.home.root.rglob("*") if path.is_file()}
    again = close(store, january(2), january(3), january(1))
    assert [record.number for record in again] == [2, 3, 1]
    assert {path: path.read_bytes() for path in store.home.root.rglob("*") if path.is_file()} == before


def test_the_order_in_which_tables_and_inputs_are_given_does_not_matter(tmp_path):
    store = closed_home(tmp_path, 1)
    with store.writer() as writer:
        backwards = dict(reversed(tables(january(1), 100).items()))
        assert commit(writer, store, january(1), tables=backwards).number == 1


def test_the_same_result_by_new_code_is_a_new_commit_that_leaves_later_days_fresh(tmp_path):
    store = closed_home(tmp_path, 3)
    before = store.days()
    with store.writer() as writer:
        again = commit(writer, store, january(2), code_version="2")
    assert (again.number, again.code_version, again.digest) == (4, "2", before[1].digest)
    assert not any(record.is_stale for record in store.days())


def test_another_result_makes_all_later_days_stale_until_they_are_closed_again(tmp_path):
    store = closed_home(tmp_path, 5)
    close(store, january(2), amount=999)
    assert [record.is_stale for record in store.days()] == [False, False, True, True, True]
    assert [record.stale_reason for record in store.days()][2:4] == [
        "2026-01-02 has been closed again with another result",
        "it was built on 2026-01-03, which is stale",
    ]
    assert store.read("journal")["business_date"].max() == january(2)
    with pytest.raises(StaleError, match="there is no book of 2026-01-04"):
        store.load_book(january(4))
    with store.writer() as writer, pytest.raises(ChainError, match="close the days from 2026-01-03 again"):
        commit(writer, store, january(5))
    close(store, january(3), january(4), january(5))
    assert not any(record.is_stale for record in store.days())
    assert store.verify() == []


def test_going_back_to_the_former_result_makes_the_later_days_fresh_again(tmp_path):
    store = closed_home(tmp_path, 3)
    close(store, january(2), amount=999)
    close(store, january(2))
    assert [record.number for record in store.days()] == [1, 5, 3]
    assert not any(record.is_stale for record in store.days())


def test_a_day_whose_landing_files_have_changed_is_stale_and_so_are_those_after_it(tmp_path):
    store = closed_home(tmp_path, 3)
    landing = {record.business_date: dict(record.inputs) for record in store.days()}
    assert not any(record.is_stale for record in store.days(landing=landing))
    landing[january(2)] |= {"payments/business_date=2026-01-02/late.parquet": "f" * 64}
    reasons = [record.stale_reason for record in store.days(landing=landing)]
    assert reasons == [
        None,
        "its landing files have changed since: 1 new",
        "it was built on 2026-01-02, which is stale",
    ]
    del landing[january(1)]
    assert store.days(landing=landing)[0].stale_reason == "its landing files have changed since: 1 gone"


def test_a_day_before_the_first_makes_the_first_stale(tmp_path):
    store = Store(Home(tmp_path))
    close(store, january(2))
    close(store, january(1))
    assert store.days()[1].stale_reason == "it was the first day, and 2026-01-01 has been closed since"


@pytest.mark.parametrize(
    ("day", "opening", "reason"),
    [
        (january(5), "0" * 64, "2026-01-04 is not closed"),
        (january(3), "0" * 64, "was not built on 2026-01-02 as it is now"),
        (january(3), None, "was not built on 2026-01-02 as it is now"),
        (date(2025, 12, 31), "0" * 64, "would be the first day, but was built on another"),
    ],
)
def test_a_day_is_built_on_the_day_before_it(tmp_path, day, opening, reason):
    store = closed_home(tmp_path, 2)
    with store.writer() as writer, pytest.raises(ChainError, match=reason):
        commit(writer, store, day, opening=opening)
    assert len(store.days()) == 2


def test_the_book_is_the_last_version_of_each_key(tmp_path):
    store = Store(Home(tmp_path))
    with store.writer() as writer:
        commit(writer, store, january(1), tables={"policies": policies((1, "A", 1), (2, "B", 1))})
        commit(writer, store, january(2), tables={"policies": policies((1, "A2", 7), (3, "C", 1))})
        commit(writer, store, january(3), tables={})
    book = store.load_book(january(3))
    assert sorted(book) == sorted(table.name for table in BOOK_TABLES)
    assert all(book[table.name].schema == table.schema for table in BOOK_TABLES)
    assert sorted(book["policies"].rows()) == [(1, "A2", 7), (2, "B", 1), (3, "C", 1)]
    assert sorted(store.load_book(january(1))["policies"].rows()) == [(1, "A", 1), (2, "B", 1)]
    with pytest.raises(StaleError, match="it is not closed"):
        store.load_book(january(4))


def test_a_checkpoint_and_the_days_after_it_give_the_book_of_the_full_history(tmp_path):
    full, with_checkpoint = closed_home(tmp_path / "full", 6), closed_home(tmp_path / "checkpoint", 3)
    with with_checkpoint.writer() as writer:
        writer.checkpoint(january(3), with_checkpoint.load_book(january(3)))
        assert writer.checkpoint(january(3), with_checkpoint.load_book(january(3))).number == 4
        book = full.load_book(january(4))
        assert commit(writer, with_checkpoint, january(4), is_checkpoint_of=book).rows["policies"] == 2
    close(with_checkpoint, january(5), january(6))
    assert [record.digest for record in full.days()] == [record.digest for record in with_checkpoint.days()]
    for day in (january(2), january(3), january(4), january(6)):
        one, other = full.load_book(day), with_checkpoint.load_book(day)
        for table in BOOK_TABLES:
            assert_frame_equal(one[table.name].sort(table.key), other[table.name].sort(table.key))
    assert with_checkpoint.verify() == []
    opened = [path.parent.name for path in with_checkpoint.home.checkpoints.rglob("*.parquet")]
    assert sorted(set(opened)) == ["2026-01-03", "2026-01-04"]


def test_a_checkpoint_of_a_book_that_has_changed_since_is_not_used(tmp_path):
    store = closed_home(tmp_path, 2)
    with store.writer() as writer:
        writer.checkpoint(january(2), {"funds": funds((9, 9, 123_456))})
    assert store.load_book(january(2))["funds"]["fund_key"].to_list() == [9]
    close(store, january(2), amount=5)
    assert store.load_book(january(2))["funds"].rows() == [(2, 1, 0, 5, "USD")]
    with store.writer() as writer, pytest.raises(ChainError, match="2026-01-03 is not closed"):
        writer.checkpoint(january(3), {})


def test_locked_days_and_those_before_them_cannot_be_closed_again(tmp_path):
    store = closed_home(tmp_path, 5)
    with store.writer() as writer:
        assert writer.lock(january(2), january(3)).number == 6
        assert writer.lock(january(2), january(3)).number == 6
    assert [record.is_locked for record in Store(store.home).days()] == [False, True, True, False, False]
    with store.writer() as writer:
        with pytest.raises(LockedError, match="book the correction on an open day"):
            commit(writer, store, january(3), 5)
        with pytest.raises(LockedError, match="would change the locked days from 2026-01-02"):
            commit(writer, store, january(1), 5)
        commit(writer, store, january(4), 5)
        commit(writer, store, january(5), 5)
        writer.unlock(january(2), january(3))
        commit(writer, store, january(3), 5)
    assert [record.is_locked for record in store.days()] == [False] * 5


def test_only_closed_and_fresh_days_can_be_locked(tmp_path):
    store = closed_home(tmp_path, 3)
    close(store, january(1), amount=5)
    with store.writer() as writer:
        for last, reason in [(january(4), "is not closed"), (january(3), "is stale")]:
            with pytest.raises(ChainError, match=reason):
                writer.lock(january(1), last)
        with pytest.raises(RangeError, match="the first date comes after the last"):
            writer.unlock(january(2), january(1))


@pytest.mark.parametrize(
    ("table", "rows", "reason"),
    [
        ("policies", policies((-1, "A", 1)), "policy_key"),
        ("policies", policies((1, None, 1)), "policy_id"),
        ("policies", policies((1, "A", 1), (1, "B", 1)), "is not unique"),
        ("policies", policies((1, "A", 1)).with_columns(pl.col("policy_key").cast(pl.Int32)), "Int64"),
        ("policies", policies((1, "A", 1)).select("policy_id", "policy_key", "account_key"), "order"),
        ("policies", policies((1, "A", 1)).with_columns(note=pl.lit("x")), "note"),
        ("journal", journal(january(1), 100, credit=99), "debits 100 and credits 99 differ in USD"),
        ("journal", journal(january(2), 100), "rows of another business_date"),
        ("journal", journal(january(1), 0), "amount"),
    ],
)
def test_rows_that_break_their_contract_are_never_published(tmp_path, table, rows, reason):
    store = Store(Home(tmp_path))
    with store.writer() as writer, pytest.raises(ContractError, match=reason):
        commit(writer, store, january(1), tables={table: rows})
    assert store.head() is None
    store.vacuum()
    assert list(store.home.tables.rglob("*.parquet")) == []


def valid(table: Table) -> pl.DataFrame:
    """Two rows that keep the contract of a table."""
    columns = {
        column.name: [column.values[0], column.values[0]]
        if column.values
        else {pl.Date: [january(1)] * 2, pl.String: ["a", "b"], pl.Boolean: [True] * 2}.get(column.dtype, [1, 2])
        for column in table.columns
    }
    return pl.DataFrame(columns, schema=table.schema)


@pytest.mark.parametrize("table", [*BOOK_TABLES, *EVENT_TABLES], ids=lambda table: table.name)
def test_the_quick_look_sees_what_the_contract_of_a_table_forbids(table):
    rows = valid(table)
    check_contract(rows, table.name)
    table.validate(rows)
    for column in table.columns:
        first = pl.int_range(pl.len()) == 0
        if not column.nullable:
            broken = rows.with_columns(pl.when(~first).then(pl.col(column.name)).alias(column.name))
            with pytest.raises(ContractError, match=column.name):
                check_contract(broken, table.name)
        if column.minimum is not None:
            below = pl.lit(column.minimum - 1).cast(column.dtype)
            broken = rows.with_columns(pl.when(first).then(below).otherwise(column.name).alias(column.name))
            with pytest.raises(ContractError, match=column.name):
                check_contract(broken, table.name)
    if table.key:
        with pytest.raises(ContractError, match="is not unique"):
            check_contract(rows[[0, 0]], table.name)


def test_tables_that_are_not_declared_are_kept_as_they_are(tmp_path):
    store = Store(Home(tmp_path))
    with store.writer() as writer:
        commit(writer, store, january(1), tables={"notes": pl.DataFrame({"note": ["x"]})})
    assert store.read("notes").rows() == [(january(1), "x")]


def test_a_second_writer_is_told_who_holds_the_warehouse(tmp_path):
    store = closed_home(tmp_path, 1)
    with store.writer(run_id="nightly"):
        with pytest.raises(LeaseError, match=r"run nightly \(process \d+ on .*\)"), Store(store.home).writer():
            pass
        assert len(Store(store.home).days()) == 1
    assert not store.home.lease.exists()


def test_a_lease_that_ran_out_is_taken_over_and_its_owner_can_no_longer_commit(tmp_path):
    store, other = closed_home(tmp_path, 1), Store(Home(tmp_path))
    with store.writer(run_id="slow", lease_seconds=-1) as slow, other.writer(run_id="next") as quick:
        with pytest.raises(LeaseError, match="has lost its lease, now held by run next"):
            commit(slow, store, january(2))
        assert commit(quick, other, january(2)).number == 2
    assert not store.home.lease.exists()


@pytest.mark.parametrize("point", ["lease.write", "lease.link", "lease.sync_directory"])
def test_a_lease_that_cannot_be_made_durable_is_not_left_behind(tmp_path, point):
    path = tmp_path / "writer.lease"
    with armed("eio", point), pytest.raises(WriteError):
        Lease.take(path, "a")
    assert list(tmp_path.iterdir()) == []
    Lease.take(path, "b").give_back()


def test_a_heartbeat_renews_the_lease(tmp_path):
    lease = Lease.take(tmp_path / "writer.lease", "a", seconds=1000)
    before = json.loads((tmp_path / "writer.lease").read_text())["expires"]
    lease._seconds = 10_000
    lease.heartbeat()
    assert json.loads((tmp_path / "writer.lease").read_text())["expires"] > before + 5_000
    lease.give_back()
    with pytest.raises(LeaseError, match="now held by nobody"):
        lease.heartbeat()
    (tmp_path / "writer.lease").write_text("")
    with pytest.raises(LeaseError, match="is unreadable; remove it when no run is writing"):
        Lease.take(tmp_path / "writer.lease")


def test_a_manifest_of_a_newer_version_is_refused(tmp_path, monkeypatch):
    store = closed_home(tmp_path, 1)
    monkeypatch.setattr("warehouse.manifest.FORMAT", 0)
    with pytest.raises(FormatError, match="use a newer version"):
        Store(store.home).days()


def test_words_added_to_an_enumeration_do_not_orphan_older_parts(tmp_path, monkeypatch):
    store = Store(Home(tmp_path))
    old = {"stage": pl.Series(["a"], dtype=pl.Enum(["a"]))}
    new = {"stage": pl.Series(["b"], dtype=pl.Enum(["a", "b"]))}
    with store.writer() as writer:
        commit(writer, store, january(1), tables={"stages": pl.DataFrame(old)})
        commit(writer, store, january(2), tables={"stages": pl.DataFrame(new)})
    declared = type("Declared", (), {"schema": {"business_date": pl.Date(), "stage": pl.Enum(["a", "b"])}})
    monkeypatch.setattr("warehouse.parts.TABLES", {"stages": declared})
    assert store.read("stages")["stage"].to_list() == ["a", "b"]


def test_a_warehouse_that_is_a_link_elsewhere_is_refused_before_any_work(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home" / "warehouse").mkdir(parents=True)
    (tmp_path / "home" / "warehouse" / "tables").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="is a symbolic link"), Store(Home(tmp_path / "home")).writer():
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="bytes free"), Store(Home(tmp_path / "file")).writer():
        pass
