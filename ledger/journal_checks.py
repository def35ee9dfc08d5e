"""What must hold of every journal: the contracts that block a day when its double entry is wrong.

`check_journal` returns violations as values (rule, key, message); no rows means that all is well. The rules are a plain
list. They do not trust the posting: I-12 compares the lines of a transaction with every sequence of T-accounts, owners
and sides that the posting rules allow for its type, and I-11 compares a reversal with what it reverses. A journal in
the order of posting in which all rules hold is recognised in one pass (`_all_hold`); any other one is summed up by
transaction, to say what is wrong with which.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ledger.balances import signed_amount
from ledger.book import TRANSACTIONS_PER_DAY, day_number_of
from ledger.chart import OWNER_TYPE_COUNT, Chart, load_chart
from ledger.line_sequences import MOST_LINES, TYPE_COUNT, LineSequences, line_sequences, line_shape

VIOLATIONS = pl.Schema({"rule": pl.String, "key": pl.String, "message": pl.String})
"""Violations: id of the rule, key of the transaction, and what is wrong with it."""
NO_VIOLATIONS = pl.DataFrame(schema=VIOLATIONS)

_BITS = pl.Series([0, *(2**place for place in range(MOST_LINES)), 0])
"""By line number; one that no transaction has, below 1 or beyond the most lines, has no bit."""
_ALL_BITS = pl.Series([2**lines - 1 for lines in range(MOST_LINES + 1)])
_FLAGS = ("has_no_amount", "has_wrong_owner", "has_wrong_class", "has_wrong_name", "is_of_another_day")
_SHARED = ("transaction_type", "transaction_date", "reverses_transaction_key", "currency")
_DATES = 2**20
_PER_CURRENCY = 2**6 * _DATES * _DATES
_COPIED = (
    "transaction_type",
    "owner_type",
    "owner_key",
    "t_account_pattern",
    "charge_pattern",
    "fund_policy_key",
    "amount",
    "currency",
)


@dataclass(frozen=True, slots=True)
class JournalRule:
    """A contract of one transaction: `is_broken` and `message` are expressions over its summary (see `_summary`)."""

    rule: str
    is_broken: pl.Expr
    message: pl.Expr


RULES: tuple[JournalRule, ...] = (
    JournalRule(
        "I-01",
        pl.col("debits_less_credits") != 0,
        pl.format("debits less credits are {} minor units", "debits_less_credits"),
    ),
    JournalRule(
        "I-02",
        (pl.col("debit_lines") == 0) | (pl.col("debit_lines") == pl.col("lines")),
        pl.format("{} of {} lines are debits: it needs a debit and a credit", "debit_lines", "lines"),
    ),
    JournalRule(
        "I-02",
        # n powers of two add up to 2^n - 1 only when they are 1, 2, 4, ...: every line number once, without a gap.
        pl.col("line_no_bits") != pl.lit(_ALL_BITS).gather(pl.col("lines").clip(0, MOST_LINES)),
        pl.format("its {} lines are not numbered from 1 without a gap", "lines"),
    ),
    JournalRule("I-03", pl.col("has_no_amount"), pl.lit("a line holds an amount that is not more than zero")),
    JournalRule("I-04", pl.col("has_two_currencies"), pl.lit("its lines have more than one currency")),
    JournalRule("I-05", pl.col("has_wrong_owner"), pl.lit("a T-account has an owner that the chart does not allow")),
    JournalRule("I-05", pl.col("has_wrong_class"), pl.lit("a T-account has another class than in the chart")),
    JournalRule(
        "I-05",
        pl.col("has_wrong_name"),
        pl.lit("a T-account lacks its owner, charge pattern or designated fund, or has one that it should not"),
    ),
    JournalRule("I-09", pl.col("has_two_headers"), pl.lit("its lines disagree on type, date or reversed transaction")),
    JournalRule("I-12", ~pl.col("follows_a_rule"), pl.lit("its lines follow no posting rule of its type")),
    JournalRule("I-13", pl.col("is_of_another_day"), pl.lit("its key belongs to another business date")),
)
"""The contracts of a single transaction."""


def check_journal(
    journal: pl.DataFrame, chart: Chart | None = None, originals: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The violations in journal lines, columns VIOLATIONS, sorted. All lines of a transaction must be there.

    `originals` are the lines outside `journal` to which its reversals may refer (I-11). The chart is the product's
    unless given.
    """
    if journal.is_empty():
        return NO_VIOLATIONS
    chart = chart or load_chart()
    found = [] if _all_hold(journal, line_sequences(chart)) else _broken_rules(_summary(journal, chart))
    if journal.select((pl.col("reverses_transaction_key") != 0).any()).item():
        found += _broken_reversals(journal, journal if originals is None else pl.concat([originals, journal]))
    return pl.concat([NO_VIOLATIONS, *found]).sort("rule", "key", "message")


def _violations(transactions: pl.DataFrame, rule: str, message: pl.Expr) -> pl.DataFrame:
    key = pl.col("transaction_key").cast(pl.String)
    return transactions.select(pl.lit(rule).alias("rule"), key.alias("key"), message.alias("message"))


def _all_hold(journal: pl.DataFrame, sequences: LineSequences) -> bool:
    """Whether every rule of RULES surely holds, told from lines beside each other; False when they are in no order.

    Lines of a transaction stand together because the keys rise, so that a sum over them is the difference of two
    running sums. Lines in a sequence that the chart allows are on both sides and have its owners, classes and names.
    """
    if not journal["transaction_key"].is_sorted() or any(column.null_count() for column in journal):
        return False
    key, line_no = pl.col("transaction_key"), pl.col("line_no")
    is_first, is_last = key.ne_missing(key.shift(1)), key.ne_missing(key.shift(-1))
    tests = [
        pl.col("amount") > 0,
        pl.col("owner_key") > 0,
        line_no == pl.when(is_first).then(1).otherwise(line_no.shift(1, fill_value=0) + 1),
        line_no <= MOST_LINES,
        *(is_first | (pl.col(name) == pl.col(name).shift(1)) for name in _SHARED),
        key // TRANSACTIONS_PER_DAY == day_number_of("business_date"),
    ]
    if not journal.select(pl.all_horizontal(test.all() for test in tests)).item():
        return False
    digit = pl.lit(sequences.digits).gather(line_shape(_reads_as_credit()))
    number = digit * pl.lit(sequences.places).gather(line_no - 1)
    sums = journal.select(
        signed_amount().cum_sum().filter(is_last).alias("debits_less_credits"),
        number.cum_sum().filter(is_last).alias("number"),
        pl.col("transaction_type").to_physical().filter(is_last).alias("transaction_type"),
    )
    own = (pl.col("number") - pl.col("number").shift(1, fill_value=0)) * TYPE_COUNT + pl.col("transaction_type")
    follows_a_rule = own.is_in(sequences.allowed.implode())
    return bool(sums.select((pl.col("debits_less_credits") == 0).all() & follows_a_rule.all()).item())


def _reads_as_credit() -> pl.Expr:
    """The rules say how a transaction reads; a reversal reads like one when its sides are swapped back (R-LED-13)."""
    return (pl.col("side") == "D") == (pl.col("reverses_transaction_key") != 0)


def _broken_rules(summary: pl.DataFrame) -> list[pl.DataFrame]:
    broken = [(rule, summary.filter(rule.is_broken)) for rule in RULES]
    return [_violations(transactions, rule.rule, rule.message) for rule, transactions in broken if transactions.height]


def _summary(journal: pl.DataFrame, chart: Chart) -> pl.DataFrame:
    """One row per transaction: what the rules ask about."""
    sequences = line_sequences(chart)
    lines = _coded(journal, chart, sequences)
    currency, header = pl.col("header") // _PER_CURRENCY, pl.col("header") % _PER_CURRENCY
    headers = (header, pl.col("reverses_transaction_key"))
    return (
        lines.lazy()
        .group_by("transaction_key")
        .agg(
            pl.len().cast(pl.Int64).alias("lines"),
            pl.col("signed").sum().alias("debits_less_credits"),
            pl.col("is_debit").sum().alias("debit_lines"),
            pl.col("line_no_bit").sum().alias("line_no_bits"),
            pl.col("digit").sum().alias("number"),
            (currency.min() != currency.max()).alias("has_two_currencies"),
            pl.any_horizontal(part.min() != part.max() for part in headers).alias("has_two_headers"),
            pl.col(_FLAGS).any(),
        )
        .with_columns(pl.col("number").is_in(sequences.allowed.implode()).alias("follows_a_rule"))
        .collect()
        .rechunk()  # pl.format panics on some frames in several chunks (polars 2.1)
    )


def _coded(journal: pl.DataFrame, chart: Chart, sequences: LineSequences) -> pl.DataFrame:
    """The lines as numbers and flags. `header` is what the lines of a transaction share, the currency in front."""
    accounts = chart.t_account_frame
    pattern = pl.col("t_account_pattern").to_physical().cast(pl.Int64)
    owner_code = pl.lit(sequences.owner_codes).gather(
        pattern * OWNER_TYPE_COUNT + pl.col("owner_type").to_physical().cast(pl.Int64)
    )
    line_no = pl.col("line_no").cast(pl.Int64)
    place = (line_no - 1).clip(0, MOST_LINES - 1)
    digit = (owner_code * 2 + _reads_as_credit()) * pl.lit(sequences.places).gather(place) * TYPE_COUNT
    transaction_type = pl.col("transaction_type").to_physical().cast(pl.Int64)
    is_designated = pl.col("t_account_pattern") == "Designated Unapplied"
    is_per_charge_pattern = pl.lit(accounts["is_per_charge_pattern"]).gather(pattern)
    currency = pl.col("currency").cast(pl.Enum(journal["currency"].unique().sort())).to_physical().cast(pl.Int64)
    dates = [pl.col(name).cast(pl.Int32).cast(pl.Int64) + _DATES // 2 for name in ("transaction_date", "business_date")]
    return journal.select(
        "transaction_key",
        "reverses_transaction_key",
        signed_amount().alias("signed"),
        (pl.col("side") == "D").alias("is_debit"),
        (currency * _PER_CURRENCY + (transaction_type * _DATES + dates[0]) * _DATES + dates[1]).alias("header"),
        pl.lit(_BITS).gather(line_no.clip(0, MOST_LINES + 1)).alias("line_no_bit"),
        pl.when(place == 0).then(digit + transaction_type).otherwise(digit).alias("digit"),
        (pl.col("amount") <= 0).alias("has_no_amount"),
        (owner_code == 0).alias("has_wrong_owner"),
        (pl.lit(accounts["account_type"]).gather(pattern) != pl.col("account_type")).alias("has_wrong_class"),
        (
            (pl.col("owner_key") <= 0)
            | ((pl.col("charge_pattern") != "") != is_per_charge_pattern)
            | ((pl.col("fund_policy_key") > 0) != is_designated)
        ).alias("has_wrong_name"),
        (pl.col("transaction_key") // TRANSACTIONS_PER_DAY != day_number_of("business_date")).alias(
            "is_of_another_day"
        ),
    )


def _broken_reversals(journal: pl.DataFrame, known: pl.DataFrame) -> list[pl.DataFrame]:
    """The violations of I-11: a reversal swaps exactly the lines of one transaction, once, and of no reversal."""
    reversals = journal.filter(pl.col("reverses_transaction_key") != 0)
    reversed_keys = reversals["reverses_transaction_key"].unique().implode()
    originals = known.filter(pl.col("transaction_key").is_in(reversed_keys))
    by_line = ["reverses_transaction_key", "line_no"]
    lines = reversals.select("transaction_key", *by_line, "side", *_COPIED).join(
        originals.select(pl.col("transaction_key").alias("reverses_transaction_key"), "line_no", "side", *_COPIED),
        on=by_line,
        how="full",
        suffix="_of_original",
    )
    differs = pl.any_horizontal(
        (pl.col("side") == pl.col("side_of_original")).fill_null(value=True),
        *(pl.col(name).ne_missing(pl.col(f"{name}_of_original")) for name in _COPIED),
    )
    reverser = pl.coalesce("transaction_key", "reverses_transaction_key_of_original")
    unlike = lines.filter(differs).select(reverser.alias("transaction_key")).unique()
    twice = (
        known.filter(pl.col("reverses_transaction_key").is_in(reversed_keys))
        .group_by(pl.col("reverses_transaction_key").alias("transaction_key"))
        .agg(pl.col("transaction_key").n_unique().alias("count"))
        .filter(pl.col("count") > 1)
    )
    chained = originals.filter(pl.col("reverses_transaction_key") != 0).select("transaction_key").unique()
    return [
        _violations(unlike, "I-11", pl.lit("a reversal does not mirror what it reverses")),
        _violations(twice, "I-11", pl.format("reversed {} times", "count")),
        _violations(chained, "I-11", pl.lit("a reversal is reversed")),
    ]
