"""Landing files: what comes in as it came, once, by business date; and the files that no day can take."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.journal import QUARANTINE
from warehouse.faults import WriteError, armed
from warehouse.landing import (
    LandingError,
    dates,
    day_digests,
    land,
    land_all,
    landing_digests,
    read_inbox,
    strays,
)
from warehouse.storage import Home

DAY = date(2026, 1, 5)
NEXT = date(2026, 1, 6)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "hömé with space [1]")


def file(home: Home, name: str, content: str | bytes) -> Path:
    path = home.root / "brought" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet(table: pa.Table | pl.DataFrame) -> bytes:
    out = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else table.to_arrow(), out)
    return out.getvalue()


def drop(
    home: Home, content: bytes | pa.Table | pl.DataFrame, name: str = "a.parquet", table: str = "payments"
) -> Path:
    """Put a file into the landing by hand."""
    path = home.landing / table / f"business_date={DAY}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else parquet(content))
    return path


def refusal(home: Home) -> tuple[str, str]:
    """Code and detail of the one file that is refused."""
    inbox = read_inbox(home, DAY)
    [refused] = inbox.refused
    assert refused.file in inbox.digests
    assert inbox.digests == day_digests(home, DAY) == landing_digests(home)[DAY]
    return refused.code, refused.detail


def test_rows_land_as_they_came_and_read_back_with_their_place(home):
    text = 'payment_id,amount,note,account_id\n007,1.50," x ",\n8,-2,"",A\n9,1e3,NA,"B\nC"\n'
    [landed] = land(home, "payments", file(home, "bank file ü.csv", text), DAY)
    assert (landed.business_date, landed.rows, landed.is_new) == (DAY, 3, True)
    assert landed.path.parent == home.landing / "payments" / "business_date=2026-01-05"
    assert landed.path.name.startswith("bank file ü-")
    inbox = read_inbox(home, DAY)
    relative = landed.path.relative_to(home.landing).as_posix()
    assert inbox.frames["payments"].rows(named=True) == [
        {"payment_id": "007", "amount": "1.50", "note": " x ", "account_id": None, "file": relative, "row_no": 1},
        {"payment_id": "8", "amount": "-2", "note": "", "account_id": "A", "file": relative, "row_no": 2},
        {"payment_id": "9", "amount": "1e3", "note": "NA", "account_id": "B\nC", "file": relative, "row_no": 3},
    ]
    assert list(inbox.frames) == ["payments"]
    assert list(inbox.digests) == [relative]
    assert inbox.refused == []


def test_landing_the_same_rows_again_does_nothing(home):
    path = file(home, "p.csv", "payment_id,amount\n1,2.00\n")
    [first] = land(home, "payments", path, DAY)
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in home.landing.rglob("*.parquet")}
    [again] = land(home, "payments", path, DAY)
    assert again == first._replace(is_new=False)
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in home.landing.rglob("*.parquet")} == before
    path.write_text("payment_id,amount\n1,2.01\n")
    [other] = land(home, "payments", path, DAY)
    assert other.is_new
    assert other.path != first.path
    assert len(read_inbox(home, DAY).frames["payments"]) == 2


def test_other_rows_under_the_name_of_landed_ones_are_refused(home):
    path = file(home, "p.csv", "payment_id,amount\n1,2.00\n")
    [landed] = land(home, "payments", path, DAY)
    landed.path.chmod(0o600)
    landed.path.write_bytes(landed.path.read_bytes()[:-5])
    with pytest.raises(LandingError, match=r"E-FILE-CHANGED: .* holds something else"):
        land(home, "payments", path, DAY)


def test_one_file_may_hold_many_business_dates(home):
    text = "business_date,payment_id,amount\n2026-01-06,2,1\n2026-01-05,1,1\n2026-01-06,3,1\n"
    landed = land(home, "payments", file(home, "p.csv", text))
    assert [(entry.business_date, entry.rows) for entry in landed] == [(DAY, 1), (NEXT, 2)]
    assert read_inbox(home, NEXT).frames["payments"]["payment_id"].to_list() == ["2", "3"]
    assert "business_date" not in read_inbox(home, NEXT).frames["payments"].columns
    assert dates(home) == [DAY, NEXT]
    text += "2026-01-06,4,1\n"
    assert [entry.is_new for entry in land(home, "payments", file(home, "p.csv", text))] == [False, True]


def test_of_many_files_all_land_or_none(home):
    text = "business_date,payment_id,amount\n2026-01-05,1,1\n2026-01-06,2,1\n"
    good, again = file(home, "p.csv", text), file(home, "again/p.csv", text)
    wrong = file(home, "wrong.csv", "payment_id\n1\n")
    with pytest.raises(LandingError, match=r"wrong.csv: column 'amount' is missing"):
        land_all(home, [("payments", good), ("payments", wrong)])
    assert dates(home) == []
    assert list(home.landing.rglob(".tmp-*")) == []
    landed = land_all(home, [("payments", good), ("payments", again)])
    assert [entry.is_new for entry in landed] == [True, True, False, False]
    assert [entry.path for entry in landed[:2]] == [entry.path for entry in landed[2:]]


def test_many_files_are_made_durable_together(home):
    text = "business_date,payment_id,amount\n2026-01-05,1,1\n2026-01-06,2,1\n"
    files = [("payments", file(home, f"{number}.csv", text.replace(",1\n", f",{number}\n"))) for number in range(10)]
    with armed("enospc", "landing.sync_directory", nth=10**6) as fault:
        assert len(land_all(home, files)) == 20
    above = ["payments", "landing", "home"]
    assert len(fault.passes) == len(above) + 2


def test_json_lines_keep_numbers_as_they_are_spelled(home):
    lines = (
        '{"instruction_id": "I", "charge_no": 1, "charge_pattern": "Premium", "amount": 12.30}\n\n'
        '{"instruction_id": "I", "charge_no": 2, "charge_pattern": "Tax", "amount": "1", '
        '"extra": {"a": [1.50, true, null, "é"]}}\n'
        '{"instruction_id": null, "charge_no": 123456789012345678901, "charge_pattern": true, "amount": NaN}'
    )
    land(home, "charges", file(home, "c.jsonl", lines), DAY)
    rows = read_inbox(home, DAY).frames["charges"]
    assert rows["amount"].to_list() == ["12.30", "1", "NaN"]
    assert rows["charge_no"].to_list() == ["1", "2", "123456789012345678901"]
    assert rows["instruction_id"].to_list() == ["I", "I", None]
    assert rows["charge_pattern"].to_list() == ["Premium", "Tax", "true"]
    assert rows["extra"].to_list() == [None, '{"a":[1.50,true,null,"é"]}', None]


TYPED = pl.DataFrame(
    {
        "payment_id": pl.Series(["1", None], dtype=pl.String),
        "amount": pl.Series([Decimal("1.50"), Decimal("-99999999999999999999.10")], dtype=pl.Decimal(38, 2)),
        "payment_date": [date(2026, 1, 5), None],
        "term_number": pl.Series([1, 2], dtype=pl.Int8),
        "kind": pl.Series(["direct_bill", "suspense"], dtype=pl.Categorical),
        "is_test": [True, None],
        "score": [0.5, 1e300],
        "nothing": [None, None],
        "business_date": [DAY, DAY],
    }
)


def test_typed_parquet_becomes_canonical_text(home):
    land(home, "payments", file(home, "typed.parquet", parquet(TYPED)))
    drop(home, TYPED, "zzz.parquet")
    inbox = read_inbox(home, DAY)
    assert inbox.refused == []
    columns = ["payment_id", "amount", "payment_date", "term_number", "kind", "is_test", "nothing"]
    expected = [
        ("1", "1.50", "2026-01-05", "1", "direct_bill", "true", None),
        (None, "-99999999999999999999.10", None, "2", "suspense", None, None),
    ]
    rows = inbox.frames["payments"]
    assert rows.select(columns).rows() == expected * 2
    assert {dtype for name, dtype in rows.schema.items() if name != "row_no"} == {pl.String()}
    assert "business_date" not in rows.columns


def test_midnights_without_a_time_zone_are_dates(home):
    row = {"payment_id": ["1"], "amount": ["1"]}
    drop(home, pl.DataFrame({**row, "payment_date": [datetime(2026, 1, 5)]}), "a.parquet")  # noqa: DTZ001
    drop(home, pl.DataFrame({**row, "payment_date": [datetime(2026, 1, 5, 13)]}), "b.parquet")  # noqa: DTZ001
    assert read_inbox(home, DAY).frames["payments"]["payment_date"].to_list() == [
        "2026-01-05",
        "2026-01-05 13:00:00.000000",
    ]


def test_files_are_read_in_name_order_with_all_their_columns(home):
    drop(home, pl.DataFrame({"payment_id": ["2"], "amount": ["2"], "note": ["n"]}), "b.parquet")
    drop(home, pl.DataFrame({"amount": ["1"], "payment_id": ["1"]}), "a.parquet")
    drop(home, pl.DataFrame(schema={"payment_id": pl.String, "amount": pl.String}), "c.parquet")
    rows = read_inbox(home, DAY).frames["payments"]
    assert rows.select("payment_id", "amount", "note", "row_no").rows() == [("1", "1", None, 1), ("2", "2", "n", 1)]


GOOD = "payment_id,amount\n1,2.00\n"
DATED = "business_date,payment_id,amount\n"
CUT_OFF = '{"payment_id": "1", "amount": 2}\n{"payment_id": "2", "amo'
TWICE = '{"payment_id": "1", "amount": 2, "amount": 3}'


@pytest.mark.parametrize(
    ("name", "content", "day", "code", "detail"),
    [
        ("p.csv", b"", DAY, "EMPTY", "p.csv is empty"),
        ("p.txt", GOOD, DAY, "FORMAT", "neither .csv, .jsonl nor .parquet"),
        ("p.csv", "payment_id\n1\n", DAY, "COLUMN", "'amount' is missing, which payments requires; it has payment_id"),
        ("p.csv", "payment_id,amount,amount\n1,2,3\n", DAY, "COLUMN", "column 'amount' occurs more than once"),
        ("p.csv", "payment_id,amount,row_no\n1,2,3\n", DAY, "COLUMN", "column 'row_no' has a name that"),
        ("p.csv", "payment_id,amount\n1,2\n3\n", DAY, "FORMAT", "p.csv: row 2 has 1 values instead of 2"),
        ("p.csv", "payment_id,amount\n1,2\n3,4,5\n", DAY, "FORMAT", "row 2 has 3 values instead of 2"),
        ("p.csv", 'payment_id,amount\n1,2\n3,"4\n', DAY, "FORMAT", "ends inside a quoted value"),
        ("p.csv", b"payment_id,amount\n1,2\n\xff,4\n", DAY, "FORMAT", "p.csv, row 2: not UTF-8"),
        ("p.csv", GOOD, None, "DATE", "no column business_date; say the business date"),
        ("p.csv", DATED + "2026-01-05,1,2\n5.1.26,1,2\n", None, "DATE", "row 2: business_date is '5.1.26'"),
        ("p.csv", DATED + ",1,2\n", None, "DATE", "row 1: business_date is None, not a date"),
        ("p.csv", DATED + "2026-01-06,1,2\n", DAY, "DATE", "row 1: business_date is '2026-01-06', not 2026"),
        ("p.jsonl", CUT_OFF, DAY, "FORMAT", "row 2: not a whole JSON object"),
        ("p.jsonl", TWICE, DAY, "FORMAT", "row 1: a key occurs more than once"),
        ("p.jsonl", "[1]", DAY, "FORMAT", "row 1: not a JSON object"),
        ("p.jsonl", "[" * 200_000, DAY, "FORMAT", "row 1: not a whole JSON object"),
        ("p.jsonl", '{"payment_id": "1"}', DAY, "COLUMN", "column 'amount' is missing"),
        ("p.parquet", GOOD, DAY, "FORMAT", "is no Parquet file"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_as_a_whole_is_refused_and_nothing_lands(home, name, content, day, code, detail):
    with pytest.raises(LandingError) as refused:
        land(home, "payments", file(home, name, content), day)
    assert refused.value.code == f"E-FILE-{code}"
    assert detail in refused.value.message
    assert name in refused.value.message
    assert not home.landing.exists()


def test_files_and_tables_that_are_not_there_are_refused(home):
    with pytest.raises(LandingError, match=r"E-FILE-MISSING: .*nowhere.csv is not there"):
        land(home, "payments", home.root / "nowhere.csv", DAY)
    with pytest.raises(LandingError, match="E-FILE-TABLE: there is no landing table 'payment'; there are accounts, "):
        land(home, "payment", file(home, "p.csv", GOOD), DAY)


MOMENT, HOUR = pa.array([0], pa.timestamp("us", "UTC")), pa.array([0], pa.time64("us"))
TWO_AMOUNTS = pa.table([["1"], ["2"], ["3"]], names=["payment_id", "amount", "amount"])


def payment(**columns: object) -> pa.Table:
    return pa.table({"payment_id": ["1"], "amount": ["2"], **columns})


@pytest.mark.parametrize(
    ("content", "code", "detail"),
    [
        (b"", "EMPTY", "is empty"),
        (b"PAR0" + parquet(payment())[4:], "FORMAT", "is no Parquet file"),
        (parquet(payment())[:-3], "FORMAT", "is cut off"),
        (parquet(payment())[:40] + parquet(payment())[-40:], "FORMAT", "damaged footer"),
        (parquet(payment(amount=[2.5])), "TYPE", "column 'amount' is Float64; money comes as DECIMAL or text"),
        (parquet(payment(term_number=[1.0])), "TYPE", "column 'term_number' is Float64; write whole numbers or text"),
        (parquet(payment(payment_date=MOMENT)), "TYPE", "a business date has no time zone"),
        (parquet(payment(payment_date=HOUR)), "TYPE", "column 'payment_date' is Time"),
        (parquet(payment(extra=[[1]])), "TYPE", "column 'extra' is List(Int64)"),
        (parquet(payment(extra=[b"x"])), "TYPE", "column 'extra' is Binary"),
        (parquet(payment(file=["x"])), "COLUMN", "column 'file' has a name"),
        (parquet(payment(business_date=["2026-01-06"])), "DATE", "row 1: business_date is '2026-01-06', not 2026"),
        (parquet(pa.table({"payment_id": ["1"]})), "COLUMN", "column 'amount' is missing"),
        (parquet(TWO_AMOUNTS), "COLUMN", "occurs more than once"),
        (parquet(pa.table({f"c{n}": ["1"] for n in range(1_001)})), "LIMIT", "has 1001 columns"),
    ],
)  # fmt: skip
def test_a_dropped_file_that_is_wrong_as_a_whole_is_refused_and_the_day_goes_on(home, content, code, detail):
    drop(home, content, "wrong.parquet")
    drop(home, payment(), "right.parquet")
    found_code, found_detail = refusal(home)
    assert found_code == f"E-FILE-{code}"
    assert detail in found_detail
    assert "payments/business_date=2026-01-05/wrong.parquet" in found_detail
    inbox = read_inbox(home, DAY)
    assert inbox.frames["payments"]["payment_id"].to_list() == ["1"]
    [row] = inbox.quarantine().rows(named=True)
    assert (row["table_name"], row["row_no"], row["code"], row["raw_json"]) == ("payments", 0, found_code, "{}")
    assert QUARANTINE.validate(inbox.quarantine()).height == 1


def test_limits_are_checked_before_anything_is_unpacked(home, monkeypatch):
    drop(home, pa.table({"payment_id": ["x" * 50] * 200_000, "amount": ["1"] * 200_000}))
    monkeypatch.setattr("warehouse.landing_files.pl.read_parquet", lambda *_: pytest.fail("unpacked"))
    monkeypatch.setattr("warehouse.landing_files.MAX_ROWS", 199_999)
    assert refusal(home) == (
        "E-FILE-LIMIT",
        "payments/business_date=2026-01-05/a.parquet has 200000 rows, the limit is 199999; split it",
    )
    monkeypatch.undo()
    drop(home, pa.table({"payment_id": [f"{n % 7:0200}" for n in range(20_000)], "amount": ["1"] * 20_000}))
    monkeypatch.setattr("warehouse.landing_files.EXPANSION_FROM_BYTES", 1_000)
    monkeypatch.setattr("warehouse.landing_files.MAX_EXPANSION", 1)
    assert refusal(home)[1].split(" claims ")[1].startswith("to unpack from ")
    monkeypatch.setattr("warehouse.landing.MAX_BYTES", 100)
    assert refusal(home)[1].endswith("has more than 100 bytes; split it")


def test_a_damaged_dropped_file_is_refused_or_read_but_never_stops_the_day(home):
    good = parquet(pl.DataFrame({"payment_id": [f"{n}" for n in range(50)], "amount": ["1.00"] * 50}))
    for place in range(4, len(good) - 4, 11):
        damaged = bytearray(good)
        damaged[place] ^= 0x55
        drop(home, bytes(damaged))
        inbox = read_inbox(home, DAY)
        assert len(inbox.refused) + len(inbox.frames) == 1


def test_symbolic_links_and_other_things_are_refused_unread(home):
    outside = file(home, "outside.parquet", parquet(payment()))
    path = drop(home, payment(), "a.parquet")
    path.with_name("link.parquet").symlink_to(outside)
    path.with_name("directory.parquet").mkdir()
    path.with_name("b.csv").write_text(GOOD)
    path.with_name(".hidden.parquet").write_bytes(b"x")
    path.with_name("_SUCCESS").write_bytes(b"")
    (home.landing / "charges").mkdir()
    (home.landing / "charges" / f"business_date={DAY}").symlink_to(outside.parent)
    drop(home, payment(), table="no_such_table")
    inbox = read_inbox(home, DAY)
    assert [(refused.table, Path(refused.file).name, refused.code) for refused in inbox.refused] == [
        ("charges", "business_date=2026-01-05", "E-FILE-LINK"),
        ("no_such_table", "a.parquet", "E-FILE-TABLE"),
        ("payments", "b.csv", "E-FILE-FORMAT"),
        ("payments", "directory.parquet", "E-FILE-FORMAT"),
        ("payments", "link.parquet", "E-FILE-LINK"),
    ]
    assert list(inbox.frames) == ["payments"]
    assert inbox.frames["payments"].height == 1
    assert inbox.digests == landing_digests(home)[DAY]
    assert len(inbox.digests) == 6


def test_an_id_that_is_a_number_in_one_file_and_text_in_another_is_refused(home):
    drop(home, pl.DataFrame({"payment_id": ["007"], "amount": ["1"]}), "a.parquet")
    drop(home, pl.DataFrame({"payment_id": [7], "amount": ["1"]}), "b.parquet")
    assert refusal(home)[0] == "E-FILE-TYPE"
    assert "'payment_id' is Int64, unlike in another file of the day" in refusal(home)[1]


def test_digests_follow_the_files(home):
    assert landing_digests(home) == {}
    assert read_inbox(home, DAY).digests == day_digests(home, DAY) == {}
    [landed] = land(home, "payments", file(home, "p.csv", GOOD), DAY)
    land(home, "accounts", file(home, "a.csv", "account_id\nA\n"), NEXT)
    first = landing_digests(home)
    assert list(first) == [DAY, NEXT]
    assert first[DAY] == read_inbox(home, DAY).digests
    drop(home, payment(), "late.parquet")
    assert len(landing_digests(home)[DAY]) == 2
    landed.path.unlink()
    assert list(landing_digests(home)[DAY]) == ["payments/business_date=2026-01-05/late.parquet"]


def test_what_no_day_will_look_at_is_listed(home):
    land(home, "payments", file(home, "p.csv", GOOD), DAY)
    (home.landing / "payments" / "business_date=2026-13-45").mkdir()
    (home.landing / "payments" / "lost.parquet").write_bytes(b"")
    (home.landing / "readme.txt").write_text("")
    assert [path.name for path in strays(home)] == ["business_date=2026-13-45", "lost.parquet", "readme.txt"]
    assert dates(home) == [DAY]


def test_a_full_disk_lands_nothing_and_landing_again_completes(home):
    text = "business_date,payment_id,amount\n2026-01-05,1,1\n2026-01-06,2,1\n"
    path = file(home, "p.csv", text)
    for nth in range(1, 30):
        with armed("enospc", nth=nth) as fault:
            try:
                landed = land(home, "payments", path)
            except WriteError:
                pass
            else:
                assert len(fault.passes) < nth
                break
        assert list(home.landing.rglob(".tmp-*")) == []
        for day in dates(home):
            assert read_inbox(home, day).frames["payments"].height == 1
    assert [entry.rows for entry in landed] == [1, 1]
    assert dates(home) == [DAY, NEXT]
