"""Damaged, missing and foreign files: found on every read, named with their manifest, and never silently wrong."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from small_days import close, closed_home, january

from warehouse.storage import ChainError, CorruptError, Home, Store


def flip(path: Path, place: int, bit: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    put(path, bytes(content))


def put(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


def seeded() -> random.Random:
    return random.Random(7)  # noqa: S311 - the same places on every run


def part(store: Store) -> Path:
    return store.parts("journal", through=january(2))[-1]


def manifest(store: Store, number: int) -> Path:
    return store.home.manifests / f"{number:010d}.json"


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:-4096],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-100] + bytes(100),
        lambda _: b"",
        lambda content: content + b"\0",
    ],
    ids=["last byte", "last 4096", "half", "zeroed tail", "empty", "longer"],
)
def test_a_torn_file_is_never_read(tmp_path, damage: Callable[[bytes], bytes]):
    store = closed_home(tmp_path, 3)
    path = part(store)
    put(path, damage(path.read_bytes()))
    with pytest.raises(CorruptError, match=rf"{path.name} is not the file that manifest 0000000002.json names"):
        Store(store.home).read("journal")
    [problem] = store.verify()
    assert (problem.code, problem.manifest) == ("E-CORRUPT", "0000000002.json")
    assert problem.file == path.relative_to(store.home.warehouse).as_posix()
    assert problem.file in problem.message


def test_one_flipped_bit_anywhere_in_a_part_is_found(tmp_path):
    store = closed_home(tmp_path, 2)
    path = part(store)
    good, dice = path.read_bytes(), seeded()
    for _ in range(150):
        flip(path, dice.randrange(len(good)), dice.randrange(8))
        with pytest.raises(CorruptError):
            store.read("journal")
        put(path, good)
    assert store.read("journal").height == 4


def test_one_flipped_bit_anywhere_in_a_manifest_is_found(tmp_path):
    store = closed_home(tmp_path, 3)
    dice = seeded()
    for number in (2, 3):
        path = manifest(store, number)
        good = path.read_bytes()
        for _ in range(75):
            flip(path, dice.randrange(len(good)), dice.randrange(8))
            with pytest.raises(CorruptError, match=f"{path.name} does not match its own digest; restore it"):
                Store(store.home).days()
            assert "E-CORRUPT" in {problem.code for problem in store.verify()}
            put(path, good)
    assert store.verify() == []


def test_a_missing_file_is_named_and_closing_the_day_again_brings_it_back(tmp_path):
    store = closed_home(tmp_path, 2)
    part(store).unlink()
    with pytest.raises(CorruptError, match=r"0000000002.json, cannot be read .* or close 2026-01-02 again"):
        store.read("journal")
    [problem] = store.verify()
    assert problem.message.endswith("named by manifest 0000000002.json, is missing")
    close(store, january(2))
    assert store.verify() == []
    assert store.head().number == 2


def test_the_file_of_another_day_put_in_place_is_found(tmp_path):
    store = closed_home(tmp_path, 2)
    first, second = store.parts("journal")
    put(second, first.read_bytes())
    with pytest.raises(CorruptError, match="is not the file that manifest"):
        store.read("journal")
    assert len(store.verify()) == 1


def test_files_that_no_manifest_names_do_not_count_and_are_removed_by_vacuum(tmp_path):
    store = closed_home(tmp_path, 2)
    path = part(store)
    stray = path.with_name("part-0000000000000000.parquet")
    stray.write_bytes(path.read_bytes())
    (path.parent / f".tmp-{2**30}-1").write_bytes(b"half a")
    in_use = store.home.landing / "payments" / f".tmp-{os.getppid()}-1"
    in_use.parent.mkdir(parents=True)
    in_use.write_bytes(b"half a")
    (store.home.manifests / "notes.txt").write_text("not a manifest")
    store.home.database.write_bytes(b"somebody else's")
    assert store.read("journal").height == 4
    assert store.verify() == []
    assert sorted(file.name for file in store.vacuum()) == [f".tmp-{2**30}-1", stray.name]
    assert store.vacuum() == []
    assert in_use.exists()
    assert store.home.database.read_bytes() == b"somebody else's"
    assert store.read("journal").height == 4


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_missing_manifest_stops_reading_and_writing(tmp_path, number):
    store = closed_home(tmp_path, 4)
    manifest(store, number).unlink()
    reader = Store(store.home)
    with pytest.raises(ChainError, match=rf"{number:010d}.json is missing although"):
        reader.days()
    with pytest.raises(ChainError), reader.writer():
        pass
    assert manifest(store, number).name in {problem.manifest for problem in reader.verify()}
    assert not store.home.lease.exists()


def test_a_missing_newest_manifest_stops_reading_and_writing_until_somebody_decides(tmp_path):
    store = closed_home(tmp_path, 4)
    records, content = store.days(), manifest(store, 4).read_bytes()
    for number in (4, 3):
        manifest(store, number).unlink()
        reader = Store(store.home)
        with pytest.raises(ChainError, match=r"0000000004.json, once the newest manifest, is missing: restore it"):
            reader.days()
        with pytest.raises(ChainError), reader.writer():
            pass
        assert [(problem.code, problem.file) for problem in reader.verify()] == [("E-CHAIN", "manifests/HEAD")]
    (store.home.manifests / "HEAD").unlink()
    reader = Store(store.home)
    assert reader.days() == records[:2]
    assert close(reader, january(3), january(4)) == records[2:]
    assert manifest(store, 4).read_bytes() == content
    assert reader.verify() == []


def test_another_manifest_in_the_place_of_the_newest_is_found(tmp_path):
    store, other = closed_home(tmp_path / "a", 3), closed_home(tmp_path / "b", 2)
    close(other, january(3), amount=5)
    put(manifest(store, 3), manifest(other, 3).read_bytes())
    with pytest.raises(ChainError, match=r"0000000003.json, once the newest manifest, is another one"):
        Store(store.home).days()
    assert store.verify() != []


@pytest.mark.parametrize("content", [b"", b"\xff", b"0" * 64 + b"  3.json\n"])
def test_a_damaged_head_is_found(tmp_path, content):
    store = closed_home(tmp_path, 1)
    put(store.home.manifests / "HEAD", content)
    with pytest.raises(CorruptError, match="HEAD does not name a manifest"):
        Store(store.home).days()
    assert [problem.code for problem in store.verify()] == ["E-CORRUPT"]


def test_a_manifest_that_follows_another_parent_stops_reading_and_writing(tmp_path):
    store, other = closed_home(tmp_path / "a", 3), Store(Home(tmp_path / "b"))
    close(other, january(1), amount=5)
    close(other, january(2))
    put(manifest(store, 2), manifest(other, 2).read_bytes())
    with pytest.raises(ChainError, match=r"0000000002.json does not follow the manifest before it"):
        Store(store.home).days()
    problems = {(problem.code, problem.manifest) for problem in store.verify()}
    assert problems >= {("E-CHAIN", "0000000002.json"), ("E-CHAIN", "0000000003.json")}


def test_reading_without_verification_still_reports_what_cannot_be_parsed(tmp_path):
    store = closed_home(tmp_path, 2)
    path = part(store)
    put(path, path.read_bytes()[:-10])
    with pytest.raises(CorruptError, match="of table journal cannot be read"):
        store.read("journal", verify=False)


def test_parts_and_manifests_are_read_only_once_committed(tmp_path):
    store = closed_home(tmp_path, 1)
    modes = {path.stat().st_mode & 0o222 for path in [manifest(store, 1), *store.parts("journal")]}
    assert modes == {0}
