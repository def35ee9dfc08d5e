"""Writers in processes of their own, which are killed or paused: run by `test_storage_faults.py`, not by hand.

The imports are paid once; each writer is a fork that has not yet used Polars' threads.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

from small_days import close, commit, january

from warehouse.compaction import compact
from warehouse.faults import ConflictError, LeaseError, armed
from warehouse.landing import land_all
from warehouse.storage import Home, Store

DONE, CONFLICT, LEASE = 0, 3, 4


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def fork(work: Callable[[], None]) -> int:
    """Start a writer; its exit status says what became of it."""
    process = os.fork()
    if process:
        return process
    status = DONE
    try:
        work()
    except ConflictError:
        status = CONFLICT
    except LeaseError:
        status = LEASE
    except BaseException as error:  # noqa: BLE001 - a fork must not return into its parent's code
        say(f"unexpected: {error!r}")
        status = 1
    os._exit(status)


def status_of(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def run(work: Callable[[], None]) -> int:
    return status_of(fork(work))


def close_third_day(directory: Path) -> None:
    """The commit under test: a day with its checkpoint, then a lock."""
    store = Store(Home(directory))
    with store.writer(run_id="under test") as writer:
        commit(writer, store, january(3), is_checkpoint_of=store.load_book(january(2)))
        writer.lock(january(1), january(1))


def combine_january(directory: Path) -> None:
    """The other commit under test: the days of a month in one part per table."""
    store = Store(Home(directory))
    with store.writer(run_id="under test") as writer:
        compact(store, writer)


def crash_everywhere(directory: Path, closed: Sequence[int], work: Callable[[Path], None]) -> None:
    """Kill a writer at its 1st, 2nd, ... fault point, in a home of its own each time, until it gets through."""
    run(lambda: close(Store(Home(directory / "before")), *map(january, closed)))
    for nth in count(1):
        home = directory / f"killed at {nth:03d}"
        shutil.copytree(directory / "before", home)

        def killed(home: Path = home, nth: int = nth) -> None:
            with armed("kill", nth=nth):
                work(home)

        if run(killed) == DONE:
            home.rename(directory / "after")
            return


def crash_while_landing(directory: Path) -> None:
    """Kill a process that lands the files of `directory` at its 1st, 2nd, ... fault point, in a home of its own."""
    files = [("payments", file) for file in sorted(directory.glob("*.csv"))]
    for nth in count(1):
        home = Home(directory / f"killed at {nth:03d}")

        def killed(home: Home = home, nth: int = nth) -> None:
            with armed("kill", nth=nth):
                land_all(home, files)

        if run(killed) == DONE:
            home.root.rename(directory / "after")
            return


def race(directory: Path, rounds: int) -> None:
    """Two writers at once, each with another result for the third day; print how each round ended."""
    for number in range(rounds):
        home = directory / f"round {number}"
        run(lambda home=home: close(Store(Home(home)), january(1), january(2)))
        ready, go = os.pipe()

        def compete(amount: int, home: Path = home, ready: int = ready) -> None:
            store = Store(Home(home))
            store.days()
            os.read(ready, 1)
            with store.writer() as writer:
                commit(writer, store, january(3), amount)

        racers = [fork(lambda amount=amount: compete(amount)) for amount in (5, 7)]
        os.write(go, b"go")
        say(*sorted(status_of(racer) for racer in racers))


def pause(directory: Path, point: str) -> None:
    """Stop a writer at a fault point, let another take over its lease and commit, wake it up; print how both ended."""
    run(lambda: close(Store(Home(directory)), january(1), january(2)))

    def slow() -> None:
        store = Store(Home(directory))
        with store.writer(lease_seconds=0.2) as writer, armed("stop", point):
            commit(writer, store, january(3), 5)

    def quick() -> None:
        close(Store(Home(directory)), january(3), amount=7)

    process = fork(slow)
    os.waitpid(process, os.WUNTRACED)
    taken_over = LEASE
    while taken_over == LEASE:  # until the lease of the one that sleeps has run out
        taken_over = run(quick)
    os.kill(process, signal.SIGCONT)
    say(taken_over, status_of(process))


if __name__ == "__main__":
    scenario, where, *rest = sys.argv[1:]
    if scenario == "crash":
        crash_everywhere(Path(where), (1, 2), close_third_day)
    elif scenario == "compact":
        crash_everywhere(Path(where), (30, 31), combine_january)
    elif scenario == "land":
        crash_while_landing(Path(where))
    elif scenario == "race":
        race(Path(where), int(rest[0]))
    else:
        for name in rest:
            pause(Path(where, name), name)
