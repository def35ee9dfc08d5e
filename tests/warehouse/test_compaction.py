"""Closed months in few files, superseded parts removed: the same rows before, after and when it is interrupted."""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import date
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_days import close, commit, january, litter
from test_storage_faults import BOUNDARIES, writers
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.homes import create_home
from schemas.book import BOOK_TABLES
from warehouse.catalogue import Published, StateParts, connect, publish
from warehouse.compaction import Compacted, compact, remove_superseded
from warehouse.faults import CorruptError, FormatError, WriteError, armed
from warehouse.parts import read_parts
from warehouse.storage import Home, Store

FIRST, END, LAST = 27, 31, 33
"""The closed days: the end of January and the beginning of February."""
IN_JANUARY = END - FIRST + 1
TABLES = ("funds", "journal", "policies")


@pytest.fixture(scope="module")
def closed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store(Home(tmp_path_factory.mktemp("closed")))
    close(store, *map(january, range(FIRST, LAST + 1)))
    return store.home.root


@pytest.fixture
def store(closed_once: Path, tmp_path: Path) -> Store:
    return Store(Home(shutil.copytree(closed_once, tmp_path / "home")))


def run(store: Store) -> list[Compacted]:
    with store.writer() as writer:
        return compact(store, writer)


def rows(home: Home) -> dict[str, pl.DataFrame]:
    """Everything that a reader may ask for, in one order: whole tables, ranges of days, books."""
    reader = Store(home)
    frames = {name: reader.read(name) for name in TABLES}
    frames |= {f"{name} cut": reader.read(name, after=january(28), through=january(32)) for name in TABLES}
    for day in (january(FIRST), january(29), january(END), january(LAST)):
        book = reader.load_book(day)
        frames |= {f"{table.name} {day}": book[table.name].sort(table.key) for table in BOOK_TABLES}
    return frames


def assert_same(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame]) -> None:
    assert before.keys() == after.keys()
    for name, frame in before.items():
        assert_frame_equal(frame, after[name])


def grow_old(home: Home, days: int) -> None:
    """Let every manifest have been written some days ago."""
    then = time.time() - days * 86_400
    for path in home.manifests.iterdir():
        os.utime(path, (then, then))


def files(home: Home) -> dict[str, bytes]:
    return {
        path.relative_to(home.root).as_posix(): path.read_bytes() for path in home.root.rglob("*") if path.is_file()
    }


def test_a_closed_month_is_read_from_one_file_per_table_and_its_days_stay_what_they_are(store):
    before, records = rows(store.home), store.days()
    assert run(store) == [Compacted(january(FIRST), january(END), 3 * IN_JANUARY, 3)]
    assert_same(before, rows(store.home))
    assert [path.parent.name for path in store.parts("journal")] == [
        "month=2026-01",
        "business_date=2026-02-01",
        "business_date=2026-02-02",
    ]
    assert len(store.parts("journal", through=january(END - 1))) == IN_JANUARY - 1
    assert store.days() == records
    assert store.verify() == []


def test_combining_again_changes_nothing(store):
    run(store)
    before = files(store.home)
    assert run(store) == []
    assert files(store.home) == before


def test_the_same_days_are_combined_into_the_same_bytes(store, closed_once, tmp_path):
    other = Store(Home(shutil.copytree(closed_once, tmp_path / "other")))
    run(store)
    run(other)
    assert files(store.home) == files(other.home)


def test_a_month_that_is_not_over_is_left_alone(store):
    with store.writer() as writer:
        assert len(compact(store, writer)) == 1
        for number in range(LAST + 1, END + 28):
            commit(writer, store, january(number))
        assert compact(store, writer) == []
        commit(writer, store, january(END + 28))
        assert [(one.first, one.last) for one in compact(store, writer)] == [(date(2026, 2, 1), date(2026, 2, 28))]
    assert [path.parent.name for path in store.parts("funds")] == ["month=2026-01", "month=2026-02"]


def test_a_day_closed_again_with_another_result_takes_its_month_out_of_use(store):
    run(store)
    before = rows(store.home)
    close(store, january(29), amount=999)
    assert len(store.parts("journal")) == 3
    close(store, *map(january, range(30, LAST + 1)))
    assert len(store.parts("journal")) == LAST - FIRST + 1
    changed = rows(store.home)
    assert changed["journal"]["amount"].max() == 999
    assert len(run(store)) == 1
    assert_same(changed, rows(store.home))
    close(store, *map(january, range(29, LAST + 1)))
    assert_same(before, rows(store.home))
    assert len(run(store)) == 1
    assert len(store.parts("journal")) == 3
    assert_same(before, rows(store.home))
    assert store.verify() == []


def test_a_locked_month_can_be_combined_and_its_digests_still_be_followed(store):
    with store.writer() as writer:
        writer.lock(january(FIRST), january(END))
    records = store.days()
    run(store)
    assert store.days() == records
    assert all(record.is_locked for record in records[:IN_JANUARY])
    assert store.verify() == []
    for record in records[:IN_JANUARY]:
        assert store.chain().days[record.business_date].day_digest == record.digest


def test_a_damaged_combined_part_is_never_read_and_combining_repairs_it(store):
    before = rows(store.home)
    run(store)
    path = store.parts("journal")[0]
    good = path.read_bytes()
    for damage in (good[:-1], good[:100] + b"?" + good[101:]):
        path.chmod(0o600)
        path.write_bytes(damage)
        with pytest.raises(CorruptError, match=r"is not the file that manifest .* run `paidthrough compact`"):
            store.read("journal")
        assert [problem.code for problem in store.verify()] == ["E-CORRUPT"]
        assert len(run(store)) == 1
        assert path.read_bytes() == good
    path.unlink()
    run(store)
    assert_same(before, rows(store.home))


def test_combining_that_would_lose_rows_is_refused(store, monkeypatch):
    monkeypatch.setattr("warehouse.compaction.read_parts", lambda *parts: [read_parts(*parts)[0].head(1)])
    with pytest.raises(CorruptError, match="does not hold what its days hold of table funds"):
        run(store)
    assert store.head().kind == "day"


def test_versions_that_do_not_know_compactions_refuse_them(store, monkeypatch):
    monkeypatch.setattr("warehouse.manifest.FORMAT", 1)
    assert len(Store(store.home).days()) == LAST - FIRST + 1
    with pytest.raises(FormatError, match="has format 2, this version reads up to format 1; use a newer version"):
        run(store)


def test_a_damaged_part_of_a_day_is_not_combined(store):
    path = store.parts("journal")[2]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptError):
        run(store)
    assert store.head().kind == "day"


def test_a_full_disk_while_combining_loses_nothing(tmp_path):
    closed = Store(Home(tmp_path / "closed"))
    close(closed, january(30), january(END))
    before = closed.read("policies")
    seen: set[str] = set()
    for nth in count(1):
        store = Store(Home(shutil.copytree(closed.home.root, tmp_path / f"{nth}")))
        store.days()
        with armed("enospc", nth=nth) as fault:
            try:
                run(store)
            except (WriteError, CorruptError):
                seen.add(fault.passes[-1])
            else:
                break
        assert store.verify() == []
        assert_frame_equal(before, store.read("policies"))
        run(store)
        store.vacuum()
        assert litter(store.home) == []
        assert len(store.parts("policies")) == 1
        assert_frame_equal(before, store.read("policies"))
    assert len(fault.passes) < nth
    assert seen >= {name for name in BOUNDARIES if not name.startswith("lease")} | {"part.read"}


def test_combining_killed_at_any_boundary_loses_nothing(tmp_path):
    writers("compact", tmp_path)
    homes = [Home(directory) for directory in sorted(tmp_path.glob("killed at *"))]
    before, after = Store(Home(tmp_path / "before")), Store(Home(tmp_path / "after"))
    numbers = set()
    for store in map(Store, homes):
        numbers.add(store.head().number)
        for reader in (store, after):
            assert reader.verify() == []
            assert_frame_equal(before.read("policies"), reader.read("policies"))
        run(store)
        assert store.head() == after.head()
        store.vacuum()
        assert litter(store.home) == []
    assert numbers == {2, 3}


def test_superseded_parts_go_after_their_days_and_nothing_else_does(store):
    close(store, january(29), amount=999)
    close(store, *map(january, range(30, LAST + 1)))
    before = rows(store.home)
    old = {part.path for part in store.chain().commits[29 - FIRST].parts}
    assert remove_superseded(store, 30) == []
    grow_old(store.home, 29)
    assert remove_superseded(store, 30) == []
    grow_old(store.home, 31)
    assert {path.relative_to(store.home.warehouse).as_posix() for path in remove_superseded(store, 30)} == old
    assert_same(before, rows(store.home))
    assert store.verify() == []
    assert store.head().kind == "retention"
    head = store.head()
    assert remove_superseded(store, 30) == []
    assert store.head() == head


def test_a_superseded_part_that_nobody_gave_up_is_missed(store):
    close(store, january(29), amount=999)
    (store.home.warehouse / store.chain().commits[29 - FIRST].parts[0].path).unlink()
    assert [problem.message.rpartition(", ")[2] for problem in store.verify()] == ["is missing"]


def test_a_result_whose_parts_were_removed_can_come_back(store):
    before = rows(store.home)
    close(store, january(29), amount=999)
    grow_old(store.home, 2)
    assert len(remove_superseded(store, 1)) == 3
    close(store, january(29))
    assert_same(before, rows(store.home))
    assert store.verify() == []
    grow_old(store.home, 2)
    assert {path.name for path in remove_superseded(store, 1)}.isdisjoint(
        path.name for table in TABLES for path in store.parts(table)
    )
    assert_same(before, rows(store.home))
    store.parts("funds")[29 - FIRST].unlink()
    assert {problem.code for problem in store.verify()} == {"E-CORRUPT"}


def test_removing_that_was_cut_off_is_completed_by_the_next(store):
    close(store, january(29), amount=999)
    grow_old(store.home, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "vacuum", lambda _: [])
        remove_superseded(store, 1)
    number = store.head().number
    assert store.verify() == []
    assert len(remove_superseded(store, 1)) == 3
    assert store.head().number == number
    assert store.verify() == []


def test_the_catalogue_reads_combined_parts_and_answers_the_same(store):
    def answers() -> dict[str, list[tuple[object, ...]]]:
        parts = {name: [Path(path) for path in names] for name, names in named.items()}
        state = {name: StateParts(all_deltas=parts[name]) for name in ("funds", "policies")}
        published = Published(january(LAST), "standard", "USD", 1, state, {"journal": parts["journal"]})
        publish(store.home.root, published)
        with connect(store.home.root) as connection:
            return {
                question: sorted(connection.sql(question).fetchall(), key=str)
                for question in (
                    "FROM journal",
                    "FROM stored.policies",
                    "FROM stored.policies_versions",
                    "FROM funds_as_of(DATE '2026-01-29')",
                    "FROM trial_balance_as_of(DATE '2026-01-31', known_at := DATE '2026-01-28')",
                )
            }

    named = {name: list(store.parts(name)) for name in TABLES}
    before = answers()
    assert all(before.values())
    run(store)
    assert answers() == before
    with connect(store.home.root) as connection:
        views = "FROM duckdb_views() SELECT sql WHERE view_name = 'journal' AND schema_name = 'stored'"
        [(sql,)] = connection.sql(views).fetchall()
    assert sql.count(".parquet") == 3


def test_the_command_combines_and_removes_what_nothing_needs(tmp_path):
    home = create_home(tmp_path / "home")

    def paidthrough(*arguments: object) -> str:
        done = CliRunner().invoke(app, [*map(str, arguments), "--home", str(home.root)])
        assert done.exit_code == 0, done.output
        return done.output

    accounts = tmp_path / "accounts.csv"
    for day in (january(30), january(END)):
        accounts.write_text(f"account_id\nA-{day}\n")
        paidthrough("land", accounts, "--date", day)
    paidthrough("backfill", january(30), january(END))
    before = paidthrough("report", "accounts", "--format", "csv")
    assert paidthrough("compact").startswith("2026-01: ")
    assert paidthrough("compact") == "every closed month is combined\n"
    assert paidthrough("report", "accounts", "--format", "csv") == before
    stray = next(home.tables.rglob("*.parquet")).with_name("part-0000000000000000.parquet")
    stray.write_bytes(b"")
    said = json.loads(paidthrough("compact", "--remove-after", 30, "--json"))
    assert said == {"combined": [], "removed": [stray.relative_to(home.root).as_posix()]}
    assert Store(home).verify() == []
