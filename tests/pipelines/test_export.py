"""The journal as hledger and beancount text: valid, complete, and the same balances when they add it up."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from beancount import loader
from beancount.core import account as beancount_account
from beancount.core.data import Open, Transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.balances import t_account_balances, t_account_name
from pipelines.export import COLUMNS, ROOTS, Exported, ExportError, account_name, component, export_journal
from schemas.currencies import MINOR_UNIT_DECIMALS
from tests.postings import Postings

FEB, MAR = date(2025, 2, 1), date(2025, 3, 1)
PREMIUM = {"charge_pattern": "Premium"}
ODD_IDS = {1: "a/1 (old)", 2: "P-1_x", 3: 'Prödücer "3"', 7: "C:7; 7", 21: "A-1", 22: "A 1"}


def external_ids() -> pl.Expr:
    """Owner ids as a carrier may have them."""
    key = pl.col("owner_key")
    return key.replace_strict(ODD_IDS, default=None).fill_null(key.cast(pl.String))


@pytest.fixture(scope="module")
def posted() -> pl.DataFrame:
    """A journal with several owners and currencies, a reversal, a designated fund and a charge pattern with a blank."""
    postings = Postings()
    tax = {"charge_pattern": "State Tax-x", "variant": "pass_through"}
    yen = {"currency": "JPY", "account_key": 21}
    dinar = {"currency": "KWD", "account_key": 22}
    received = postings.post(
        FEB,
        ("InitialChargeTxn", "600.00", PREMIUM | {"variant": "pro_rata"}),
        ("InitialChargeTxn", "25.05", tax),
        ("ChargeBilled", "180.00", PREMIUM),
        ("ChargeWrittenOff", "-0.05", PREMIUM),
        ("DirectBillMoneyReceivedTxn", "215.05", {"fund_policy_key": 9, "payment_key": 4}),
        ("DirectBillMoneyReceivedTxn", "12.00", yen),
        ("DirectBillMoneyReceivedTxn", "12.34", dinar),
        ("SubmissionCmsnTxn", "60.00", {"variant": "new_policy"}),
        ("AgencyBillMoneyReceivedTxn", "0.01"),
        ("CollateralPaidFromAccount", "5.00", {"account_key": 21}),
    ).filter(pl.col("payment_key") == 4)
    postings.reverse(MAR, received)
    return postings.journal


@pytest.fixture(scope="module")
def view(posted) -> pl.DataFrame:
    """The journal as the view `journal` shows it, amounts in minor units."""
    return posted.select(
        "business_date",
        pl.col("transaction_key").alias("transaction_id"),
        "transaction_type",
        "line_no",
        "transaction_date",
        "owner_type",
        external_ids().alias("owner_id"),
        t_account_name(),
        "account_type",
        "side",
        "amount",
        "currency",
        pl.when(pl.col("payment_key") > 0).then(pl.lit('check "4"; \\')).alias("payment_id"),
        pl.when(pl.col("reverses_transaction_key") > 0)
        .then("reverses_transaction_key")
        .alias("reverses_transaction_id"),
    )


def expected_balances(posted: pl.DataFrame) -> dict[tuple[str, str], Decimal]:
    """Our balances by account name and currency, debits positive."""
    rows = (
        t_account_balances(posted)
        .with_columns(t_account_name(), external_ids().alias("owner_id"))
        .with_columns(account_name().alias("account"))
        .group_by("account", "currency")
        .agg((pl.col("debits") - pl.col("credits")).sum().alias("net"))
        .rows()
    )
    return {
        (account, currency): Decimal(net).scaleb(-MINOR_UNIT_DECIMALS[currency])
        for account, currency, net in rows
        if net
    }


def load_beancount(path: Path):
    entries, errors, _ = loader.load_file(str(path))
    assert errors == []
    return entries


def beancount_balances(entries) -> dict[tuple[str, str], Decimal]:
    totals: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if isinstance(entry, Transaction):
            for posting in entry.postings:
                totals[posting.account, posting.units.currency] += posting.units.number
    return {key: total for key, total in totals.items() if total}


def test_beancount_accepts_it_and_adds_up_the_same(posted, view, tmp_path):
    """R-LED-24."""
    path = tmp_path / "journal.beancount"
    exported = export_journal(view, "beancount", path)
    entries = load_beancount(path)
    assert beancount_balances(entries) == expected_balances(posted)
    transactions = [entry for entry in entries if isinstance(entry, Transaction)]
    opened = [entry for entry in entries if isinstance(entry, Open)]
    assert exported == Exported(posted["transaction_key"].n_unique(), posted.height, len(opened))
    assert len(transactions) == exported.transactions
    assert sum(len(entry.postings) for entry in transactions) == exported.lines
    last = transactions[-1]
    assert (last.date, last.narration) == (MAR, "DirectBillMoneyReceivedTxn")
    assert last.meta["transaction_id"] == str(posted["transaction_key"][-1])
    assert last.meta["reverses_transaction_id"] == str(posted["reverses_transaction_key"][-1])
    assert last.meta["payment_id"] == 'check "4"; \\'
    assert last.meta["business_date"] == MAR


def test_every_owner_and_t_account_has_its_own_account(posted, view, tmp_path):
    export_journal(view, "beancount", tmp_path / "journal.beancount")
    opened = [entry.account for entry in load_beancount(tmp_path / "journal.beancount") if isinstance(entry, Open)]
    distinct = posted.select("owner_type", "owner_key", "t_account_pattern", "charge_pattern").unique()
    assert len(opened) == len(set(opened)) == distinct.height
    assert "Assets:Account:A-1:Cash" in opened
    assert "Assets:PolicyPeriod:P-1-x5F-x:Premium-Billed" in opened


HLEDGER = """decimal-mark .

2025-02-01 * (1) DirectBillMoneyReceivedTxn  ; business_date: 2025-02-03, payment_id: R-1
    Assets:Account:A1:Cash  0.05 USD
    Liabilities:Account:A1:Unapplied  -0.05 USD

2025-02-02 * (2) AccountGoodwillTxn  ; business_date: 2025-02-03
    Expenses:Account:A1:Goodwill-Credit  7 JPY
    Liabilities:Account:A1:Unapplied  -7 JPY

commodity 1000. JPY
commodity 1000.00 USD

account Assets:Account:A1:Cash
account Expenses:Account:A1:Goodwill-Credit
account Liabilities:Account:A1:Unapplied
"""


def small() -> pl.DataFrame:
    """Two transactions of account A1."""
    rows = [
        (1, "DirectBillMoneyReceivedTxn", 1, date(2025, 2, 1), "Cash", "Asset", "D", "0.05", "USD", "R-1"),
        (1, "DirectBillMoneyReceivedTxn", 2, date(2025, 2, 1), "Unapplied", "Liability", "C", "0.05", "USD", "R-1"),
        (2, "AccountGoodwillTxn", 1, date(2025, 2, 2), "Goodwill Credit", "Expense", "D", "7.000", "JPY", None),
        (2, "AccountGoodwillTxn", 2, date(2025, 2, 2), "Unapplied", "Liability", "C", "7.000", "JPY", None),
    ]
    names = ["transaction_id", "transaction_type", "line_no", "transaction_date", "t_account", "account_type", "side"]
    frame = pl.DataFrame(rows, schema=[*names, "amount", "currency", "payment_id"], orient="row")
    return frame.with_columns(
        business_date=date(2025, 2, 3),
        owner_type=pl.lit("Account"),
        owner_id=pl.lit("A1"),
        amount=pl.col("amount").cast(pl.Decimal(18, 3)),
    )


def test_hledger_text(tmp_path):
    path = tmp_path / "journal.hledger"
    assert export_journal(small(), "hledger", path) == Exported(2, 4, 3)
    assert path.read_text() == HLEDGER


@pytest.mark.skipif(shutil.which("hledger") is None, reason="hledger is not installed")
def test_hledger_accepts_it_and_adds_up_the_same(posted, view, tmp_path):
    path = tmp_path / "journal.hledger"
    export_journal(view, "hledger", path)
    subprocess.run(["hledger", "-f", str(path), "check", "--strict"], check=True)
    command = ["hledger", "-f", str(path), "balance", "--flat", "-O", "csv", "--layout", "bare"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = pl.read_csv(text.encode(), infer_schema=False).filter(~pl.col("account").str.starts_with("Total")).rows()
    found = {(account, currency): Decimal(balance) for account, currency, balance in rows if Decimal(balance)}
    assert found == expected_balances(posted)


@pytest.mark.parametrize("export_format", ["hledger", "beancount"])
def test_frames_pieces_and_relations_give_the_same_file(view, tmp_path, export_format):
    whole, pieces, relation = (tmp_path / name for name in ("whole", "pieces", "relation"))
    shuffled = view.sample(fraction=1, shuffle=True, seed=3)
    export_journal(shuffled, export_format, whole)
    ordered = view.sort("business_date", "transaction_id", "line_no")
    export_journal(
        iter([ordered.head(0), ordered.head(1), ordered.slice(1, 6), ordered.slice(7)]), export_format, pieces
    )
    scale = pl.col("amount").cast(pl.Decimal(18, 3)) / pl.lit(1000).cast(pl.Decimal(18, 0))
    decimals = view.with_columns(
        pl.when(pl.col("currency") == "USD").then(scale * 10).when(pl.col("currency") == "JPY").then(scale * 1000)
        .otherwise(scale).cast(pl.Decimal(18, 3)).alias("amount")
    )  # fmt: skip
    with duckdb.connect() as connection:
        connection.register("lines", decimals.sample(fraction=1, shuffle=True, seed=4).to_arrow())
        export_journal(connection.sql("FROM lines"), export_format, relation)
    assert whole.read_bytes() == pieces.read_bytes() == relation.read_bytes()
    assert not list(tmp_path.glob("*.tmp"))


def test_no_lines_make_an_empty_journal(tmp_path):
    path = tmp_path / "journal.beancount"
    assert export_journal(small().clear(), "beancount", path) == Exported(0, 0, 0)
    assert load_beancount(path) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines.drop("side"), "the journal lacks side"),
        (lambda lines: [lines.slice(1)], "transaction 1: line 2 does not follow the line before it"),
        (lambda lines: [lines.head(1), lines.slice(2)[::-1]], "transaction 2: line 2 does not follow"),
        (lambda lines: lines.with_columns(currency=pl.lit("XYZ")), "transaction 1: no amount in minor units of XYZ"),
        (lambda lines: lines.with_columns(amount=pl.lit("0.005")), "transaction 1: no amount in minor units of USD"),
    ],
)
def test_what_cannot_be_exported_is_refused(tmp_path, change, message):
    path = tmp_path / "journal.beancount"
    path.write_text("what was there")
    with pytest.raises(ExportError, match=re.escape(message)):
        export_journal(change(small()), "beancount", path)
    assert path.read_text() == "what was there"
    assert [found.name for found in tmp_path.iterdir()] == ["journal.beancount"]


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ExportError, match="unknown export format 'gnucash'"):
        export_journal(small(), "gnucash", tmp_path / "journal")  # type: ignore[arg-type]


def test_the_columns_are_those_of_the_small_example():
    assert {*COLUMNS} <= {*small().columns}
    assert {*small()["account_type"]} <= {*ROOTS}


NASTY = st.text(st.sampled_from('aAxX10 -_:;Dé\n"2F5'), max_size=7)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(NASTY, st.text(max_size=5)), unique=True, min_size=2, max_size=40), st.sampled_from(["-", " "])
)
def test_components_are_valid_and_never_meet(texts, plain):
    found = pl.DataFrame({"text": texts}).select(component(pl.col("text"), plain)).to_series().to_list()
    assert len(set(found)) == len(texts)
    assert all(beancount_account.is_valid_leaf(name) and ":" not in name for name in found)


@pytest.mark.parametrize(
    ("text", "plain", "expected"),
    [
        ("P-1", "-", "P-1"),
        ("Premium Billed", " ", "Premium-Billed"),
        ("Write-Off Expense", " ", "Write-x2D-Off-Expense"),
        ("pol_7", "-", "X-x-pol-x5F-7"),
        ("A-x", "-", "A-x2D-x"),
        ("é", "-", "X-xxC3A9"),
        ("", "-", "X-x-"),
    ],
)
def test_components(text, plain, expected):
    assert pl.select(component(pl.lit(text), plain)).item() == expected
