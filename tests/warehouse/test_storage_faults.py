"""Crashes, full disks and rival writers: the old state or the new one, and running again is all it takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_days import close, closed_home, commit, january, litter

from warehouse.faults import FAULT_VARIABLE, Fault, armed, fault_point
from warehouse.landing import land_all
from warehouse.storage import ConflictError, CorruptError, Home, StorageError, Store, WriteError
from warehouse.writer import Writer

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}
BOUNDARIES = {
    "lease.mkdir", "lease.write", "lease.sync", "lease.link", "lease.sync_directory",
    "part.mkdir", "part.write", "part.sync", "part.hash", "part.rename", "part.sync_directory", "part.read_back",
    "manifest.mkdir", "manifest.write", "manifest.sync", "manifest.link", "manifest.sync_directory", "manifest.read",
    "head.mkdir", "head.write", "head.sync", "head.rename",
}  # fmt: skip
"""Every fault point that a commit passes on its way to the disk."""


class NoLease:
    """Stands for a lease that says yes to everybody: what is left then is the fence."""

    def heartbeat(self) -> None:
        pass


def writers(scenario: str, *arguments: str | Path) -> list[list[int]]:
    command = [sys.executable, HERE / "crashing_writers.py", scenario, *map(str, arguments)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]


def close_third_day(store: Store) -> None:
    """What is interrupted, and what somebody does after it: the same again."""
    with store.writer() as writer:
        commit(writer, store, january(3), is_checkpoint_of=store.load_book(january(2)))
        writer.lock(january(1), january(1))


def test_a_writer_killed_at_any_boundary_leaves_the_old_state_or_the_new_one(tmp_path):
    writers("crash", tmp_path)
    before, after = Store(Home(tmp_path / "before")), Store(Home(tmp_path / "after"))
    killed = sorted(tmp_path.glob("killed at *"))
    assert len(killed) > 50
    lengths = set()
    for directory in killed:
        store = Store(Home(directory))
        head = store.head()
        assert head is not None
        assert store.verify() == []
        assert store.days()[:2] == [*before.days()] or store.days()[0].is_locked
        lengths.add(head.number)
        close_third_day(store)
        assert Store(store.home).head() == after.head(), directory
        store.vacuum()
        assert litter(store.home) == []
        assert store.verify() == []
        assert len(list(store.home.warehouse.rglob("*.parquet"))) == len(list(after.home.warehouse.rglob("*.parquet")))
    assert lengths == {2, 3, 4, 5}


def test_landing_killed_at_any_boundary_leaves_whole_files_and_landing_again_completes_them(tmp_path):
    files = [("payments", tmp_path / f"{name}.csv") for name in ("bank", "lockbox")]
    for number, (_, file) in enumerate(files):
        days = "".join(f"{january(n)},{number}-{n},1.00\n" for n in (1, 2, 3))
        file.write_text(f"business_date,payment_id,amount\n{days}")
    writers("land", tmp_path)
    after = {path.name: path.read_bytes() for path in (tmp_path / "after").rglob("*.parquet")}
    landed = set()
    for directory in sorted(tmp_path.glob("killed at *")):
        home = Home(directory)
        found = {path.name: path.read_bytes() for path in directory.rglob("*.parquet")}
        assert found.items() <= after.items()
        landed.add(len(found))
        land_all(home, files)
        assert {path.name: path.read_bytes() for path in directory.rglob("*.parquet")} == after
        Store(home).vacuum()
        assert litter(home) == []
    assert landed == set(range(len(after) + 1))


def test_a_crash_asked_for_by_the_environment_strikes(tmp_path):
    script = (
        "import sys; from warehouse.storage import Home, Store\n"
        "with Store(Home(sys.argv[1])).writer(): print('not reached')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        env={**ENVIRONMENT, FAULT_VARIABLE: "kill:lease.link:1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (-9, "")
    assert closed_home(tmp_path, 1).head().number == 1


def test_a_disk_that_is_full_at_any_operation_leaves_the_old_state_or_the_new_one(tmp_path):
    before = closed_home(tmp_path / "before", 2)
    nth = 0
    seen: set[str] = set()
    while True:
        nth += 1
        home = Home(tmp_path / f"{nth}")
        shutil.copytree(before.home.root, home.root)
        store = Store(home)
        store.days()
        refusal: StorageError | None = None
        with armed("enospc", nth=nth) as fault:
            try:
                close_third_day(store)
            except (WriteError, CorruptError) as error:
                refusal = error
        if refusal is None:
            assert len(fault.passes) < nth
            break
        assert str(home.root) in refusal.message
        assert "bytes free" in refusal.message or isinstance(refusal, CorruptError)
        seen.add(fault.passes[-1])
        assert Store(home).verify() == []
        assert not home.lease.exists()
        close_third_day(store)
        store.vacuum()
        assert litter(home) == []
        assert store.verify() == []
    assert {name for name in seen if not name.startswith("warehouse")} >= BOUNDARIES


def test_of_two_writers_on_one_head_one_commits_and_the_other_is_told_so(tmp_path):
    store = closed_home(tmp_path, 2)
    one, other = (Store(store.home) for _ in range(2))
    rivals = [Writer(s.home.warehouse, s.home.manifests, s.chain(), NoLease()) for s in (one, other)]
    third = commit(rivals[0], one, january(3), 5)
    with pytest.raises(ConflictError, match=r"another run has committed 0000000003.json meanwhile; .* run it again"):
        rivals[1].commit_day(january(3), third.opening, {}, {}, "", "")
    with pytest.raises(ConflictError):
        rivals[1].lock(january(1), january(1))
    assert [record.number for record in store.days()] == [1, 2, 3]
    assert store.days()[2] == third
    store.vacuum()
    assert store.verify() == []


def test_two_processes_at_once_never_mix_their_days(tmp_path):
    for number, (one, other) in enumerate(writers("race", tmp_path, 4)):
        assert (one, other) in {(0, 0), (0, 3), (0, 4)}
        store = Store(Home(tmp_path / f"round {number}"))
        commits = [commit for commit in store.chain().commits if commit.business_date == january(3)]
        assert len(commits) == [one, other].count(0)
        assert store.verify() == []
        assert not any(record.is_stale for record in store.days())


def test_a_paused_writer_whose_lease_was_taken_over_cannot_commit(tmp_path):
    points = {"part.write": 4, "manifest.link": 3}
    for (quick, slow), (point, refusal) in zip(writers("pause", tmp_path, *points), points.items(), strict=True):
        assert (quick, slow) == (0, refusal)
        store = Store(Home(tmp_path / point))
        assert [record.totals["USD"].debits for record in store.days()] == [100, 100, 7]
        assert store.verify() == []


def test_fault_points_do_nothing_unless_armed(tmp_path):
    fault_point("part.write")
    with armed("eio", "part.rename", 2) as fault:
        assert isinstance(fault, Fault)
        with pytest.raises(WriteError):
            closed_home(tmp_path, 1)
        assert fault.passes == ["part.rename", "part.rename"]
    close(Store(Home(tmp_path)), january(1))
