"""Transactions become balanced lines: signs, funds, keys, refusals, reversals, and properties of any set of them."""

from __future__ import annotations

import re
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.balances import t_account_balances
from ledger.book import TRANSACTIONS_PER_DAY, day_number
from ledger.chart import load_chart
from ledger.journal_checks import check_journal
from ledger.posting import TRANSACTIONS, PostingError, empty_transactions, post, reverse, transaction_frame
from schemas import enums
from schemas.journal import JOURNAL
from tests.postings import Postings, in_words, transaction

DAY = date(2025, 2, 1)
LATER = date(2025, 3, 1)
CHART = load_chart()
PREMIUM = {"charge_pattern": "Premium"}
CASES = sorted({(rule.transaction_type, rule.variant) for rule in CHART.rule_sets})
SIGNS = {
    case: [rule.sign for rule in CHART.rule_sets if (rule.transaction_type, rule.variant) == case] for case in CASES
}


def posted(*frames: pl.DataFrame) -> pl.DataFrame:
    return post(pl.concat(frames), DAY, CHART)


def words(transaction_type: str, amount: str, **columns: object) -> list[str]:
    return in_words(posted(transaction(transaction_type, amount, DAY, **columns)))


def test_lines_are_journal_rows_numbered_in_the_order_given():
    lines = posted(
        transaction("ChargeBilled", "5.00", date(2025, 1, 15), charge_key=11, item_key=12, **PREMIUM),
        transaction("DirectBillMoneyReceivedTxn", "7.00", DAY, payment_key=13),
    )
    JOURNAL.validate(lines)
    first = day_number(DAY) * TRANSACTIONS_PER_DAY + 1
    assert lines["transaction_key"].to_list() == [first, first, first + 1, first + 1]
    assert lines["line_no"].to_list() == [1, 2, 1, 2]
    assert lines["transaction_date"].to_list() == [date(2025, 1, 15)] * 2 + [DAY] * 2
    assert lines["business_date"].unique().to_list() == [DAY]
    assert lines["charge_key"].to_list() == [11, 11, 0, 0]
    assert lines["payment_key"].to_list() == [0, 0, 13, 13]
    assert lines["charge_pattern"].to_list() == ["Premium", "Premium", "", ""]


def test_a_day_may_be_posted_in_parts():
    frame = transaction("ChargeDue", "5.00", DAY, **PREMIUM)
    lines = post(frame, DAY, CHART, first_sequence=41)
    assert lines["transaction_key"][0] == day_number(DAY) * TRANSACTIONS_PER_DAY + 41


def test_zero_posts_nothing_and_leaves_the_other_keys_alone():
    """R-LED-16."""
    zero = transaction("ChargeDue", "0", DAY, **PREMIUM)
    lines = posted(zero, transaction("ChargeDue", "5.00", DAY, **PREMIUM))
    assert lines["transaction_key"].unique().to_list() == [day_number(DAY) * TRANSACTIONS_PER_DAY + 2]
    assert posted(zero).schema == JOURNAL.schema
    assert posted(zero).is_empty()
    assert posted(empty_transactions()).is_empty()


def test_a_negative_amount_swaps_the_sides():
    """R-LED-15."""
    assert words("ChargeBilled", "-5.00", **PREMIUM) == [
        "Cr Premium Billed [PolicyPeriod] 5.00",
        "Dr Premium Unbilled [PolicyPeriod] 5.00",
    ]


@pytest.mark.parametrize(
    ("transaction_type", "variant", "amount", "expected"),
    [
        ("ChargeWrittenOff", "standard", "12", ["Dr Fee Write-Off Expense", "Cr Fee Due"]),
        ("ChargeWrittenOff", "standard", "-7", ["Dr Fee Due", "Cr Fee Negative Write-Off Income"]),
        ("ProducerWriteoff", "standard", "5", ["Dr Write-Off Expense", "Cr Unapplied"]),
        ("ProducerWriteoff", "standard", "-5", ["Dr Unapplied", "Cr Negative Write-Off"]),
        ("TransferTransaction", "within_account", "5", ["Dr Designated Unapplied", "Cr Unapplied"]),
        ("TransferTransaction", "within_account", "-5", ["Dr Unapplied", "Cr Designated Unapplied"]),
        ("CommissionAdjusted", "not_to_producer", "-5", ["Dr Commissions Reserve", "Cr Commissions Expense"]),
    ],
)
def test_the_sign_selects_the_t_accounts(transaction_type, variant, amount, expected):
    """R-TXN-07, 11, 14, 18."""
    found = words(transaction_type, amount, variant=variant, charge_pattern="Fee", fund_policy_key=9)
    assert [line.split(" [")[0] for line in found] == expected


@pytest.mark.parametrize(
    ("transaction_type", "columns", "funds"),
    [
        ("DirectBillMoneyReceivedTxn", {}, [0, 9]),
        ("DisbursementPaid", {}, [9, 0]),
        ("ChargePaidFromAccount", PREMIUM, [9, 0]),
        ("AccountGoodwillTxn", {}, [0, 9]),
        ("AcctUnappliedSuspTxn", {}, [9, 0]),
        ("TransferTransaction", {"variant": "within_account"}, [9, 0]),
        (
            "TransferTransaction",
            {
                "variant": "between_parties",
                "source_type": "Account",
                "source_key": 1,
                "destination_type": "Account",
                "destination_key": 4,
                "destination_fund_policy_key": 8,
            },
            [9, 8],
        ),
    ],
)
def test_a_fund_with_a_policy_is_designated(transaction_type, columns, funds):
    """R-TXN-26."""
    lines = posted(transaction(transaction_type, "5.00", DAY, fund_policy_key=9, **columns))
    assert lines["fund_policy_key"].to_list() == funds
    designated = (lines["t_account_pattern"] == "Designated Unapplied").to_list()
    assert designated == [fund > 0 for fund in funds]
    assert check_journal(lines).is_empty()


def test_a_recapture_refills_the_fund_of_its_owner_not_of_the_payer():
    lines = posted(
        transaction(
            "ChargePaidFromAccount",
            "45.00",
            DAY,
            variant="recapture",
            charge_pattern="Recapture",
            owner_type="Account",
            owner_key=21,
            account_key=22,
            fund_policy_key=9,
            destination_fund_policy_key=8,
        )
    )
    unapplied = lines.filter(pl.col("t_account_pattern") == "Designated Unapplied")
    assert unapplied.select("side", "owner_key", "fund_policy_key").rows() == [("D", 22, 9), ("C", 21, 8)]


@pytest.mark.parametrize(
    ("net", "commission", "expected"),
    [
        ("900", "100", ["Dr Unapplied 900.00", "Dr Commissions Reserve 100.00", "Cr Premium Due 1000.00"]),
        ("1000", "0", ["Dr Unapplied 1000.00", "Cr Premium Due 1000.00"]),
        ("0", "1000", ["Dr Commissions Reserve 1000.00", "Cr Premium Due 1000.00"]),
        ("1020", "-20", ["Dr Unapplied 1020.00", "Cr Commissions Reserve 20.00", "Cr Premium Due 1000.00"]),
    ],
)
def test_a_producer_pays_net_of_commission(net, commission, expected):
    """R-TXN-05."""
    columns = {"charge_commission_key": 0} if commission == "0" else {}
    lines = posted(
        transaction(
            "ChargePaidFromProducer",
            "1000",
            DAY,
            variant="net_of_commission",
            net_amount=net,
            commission_amount=commission,
            **PREMIUM,
            **columns,
        )
    )
    assert [re.sub(r" \[\w+\]", "", line) for line in in_words(lines)] == expected
    assert lines["line_no"].to_list() == list(range(1, len(expected) + 1))
    assert check_journal(lines).is_empty()


@pytest.mark.parametrize(
    ("transaction_type", "amount", "columns", "message"),
    [
        ("ChargeDue", "5", {"owner_key": 0, **PREMIUM}, "ChargeDue: needs owner_key for ChargeOwner (2 lines)"),
        ("ChargeDue", "5", {"owner_type": None, **PREMIUM}, "ChargeDue: None may not own <Charge Pattern> Due"),
        ("ChargeDue", "5", {"owner_type": "Producer", **PREMIUM}, "ChargeDue: Producer may not own"),
        ("ChargeDue", "5", {}, "ChargeDue: needs charge_pattern for <Charge Pattern> Due"),
        ("ChargeDue", "5", {"variant": "recapture", **PREMIUM}, "ChargeDue (recapture): no posting rule"),
        ("ChargeDue", "5", {"variant": "late", **PREMIUM}, "ChargeDue (late): no posting rule"),
        ("DisbursementPaid", "5", {"account_key": 0}, "DisbursementPaid: needs account_key for Account"),
        ("SuspPymtDisbPaid", "5", {}, "SuspPymtDisbPaid: needs payment_key for SuspensePayment"),
        ("AccountAdjustment", "50", {}, "AccountAdjustment: no posting rule for the amount 5000"),
        ("InitialChargeTxn", "-5", {"variant": "recapture"}, "InitialChargeTxn (recapture): no posting rule"),
        (
            "InitialChargeTxn",
            "5",
            {"variant": "pro_rata", "owner_type": "Account", **PREMIUM},
            "InitialChargeTxn (pro_rata): Account may not own <Charge Pattern> Unearned",
        ),
        (
            "TransferTransaction",
            "5",
            {"variant": "within_account"},
            "TransferTransaction (within_account): needs fund_policy_key for Designated Unapplied",
        ),
        (
            "TransferTransaction",
            "5",
            {
                "variant": "between_parties",
                "source_type": "Producer",
                "source_key": 3,
                "fund_policy_key": 9,
                "destination_type": "Account",
                "destination_key": 1,
            },
            "Producer may not own Designated Unapplied (Source)",
        ),
        (
            "ChargePaidFromProducer",
            "10",
            {"variant": "net_of_commission", "net_amount": "8", "commission_amount": "1", **PREMIUM},
            "ChargePaidFromProducer (net_of_commission): net 800 and commission 100 do not add up to 1000",
        ),
        ("ChargeDue", "5", {"currency": None, **PREMIUM}, "empty values in currency"),
    ],
)
def test_what_cannot_be_posted_is_refused_by_name(transaction_type, amount, columns, message):
    with pytest.raises(PostingError, match=re.escape(message)):
        words(transaction_type, amount, **columns)


def test_a_frame_becomes_transactions():
    items = pl.DataFrame({"account_key": [1, 2], "amount": [300, -4], "currency": ["USD", "EUR"], "noise": ["", "x"]})
    frame = transaction_frame(
        items,
        "TransferTransaction",
        transaction_date=DAY,
        variant=pl.when(pl.col("amount") > 0).then(pl.lit("between_parties")).otherwise(pl.lit("within_account")),
        fund_policy_key=pl.col("account_key") * 10,
        source_type="Account",
    )
    assert frame.schema == TRANSACTIONS
    assert frame.select("variant", "amount", "account_key", "fund_policy_key", "source_type", "charge_key").rows() == [
        ("between_parties", 300, 1, 10, "Account", 0),
        ("within_account", -4, 2, 20, "Account", 0),
    ]
    assert transaction_frame(items.clear(), "ChargeDue", transaction_date=DAY).schema == TRANSACTIONS
    with pytest.raises(PostingError, match=r"unknown columns \['noise'\]"):
        transaction_frame(items, "ChargeDue", transaction_date=DAY, noise=1)
    with pytest.raises(PostingError, match=r"missing columns \['amount'\]"):
        transaction_frame(items.drop("amount"), "ChargeDue", transaction_date=DAY)
    with pytest.raises(PostingError, match="exactly the columns of TRANSACTIONS"):
        post(items, DAY, CHART)


def test_a_reversal_mirrors_the_lines():
    """R-LED-13: also where a negative amount would post to other T-accounts."""
    postings = Postings()
    written_off = postings.post(DAY, ("ChargeWrittenOff", "12.00", PREMIUM), ("ChargeWrittenOff", "-7.00", PREMIUM))
    back = postings.reverse(LATER, written_off)
    assert in_words(back) == [
        "Cr Premium Write-Off Expense [PolicyPeriod] 12.00",
        "Dr Premium Due [PolicyPeriod] 12.00",
        "Cr Premium Due [PolicyPeriod] 7.00",
        "Dr Premium Negative Write-Off Income [PolicyPeriod] 7.00",
    ]
    first = day_number(LATER) * TRANSACTIONS_PER_DAY + 1
    assert back["transaction_key"].to_list() == [first, first, first + 1, first + 1]
    assert back["reverses_transaction_key"].to_list() == written_off["transaction_key"].to_list()
    assert postings.balances() == {}
    assert check_journal(postings.journal).is_empty()
    JOURNAL.validate(postings.journal)


def test_a_reversal_may_keep_the_date_of_what_it_reverses():
    lines = posted(transaction("DisbursementPaid", "5.00", date(2025, 1, 2)))
    back = reverse(lines, LATER, first_sequence=1, transaction_date=pl.col("transaction_date"))
    assert back["transaction_date"].unique().to_list() == [date(2025, 1, 2)]
    assert reverse(lines.clear(), LATER, first_sequence=1, transaction_date=LATER).schema == JOURNAL.schema


def test_no_reversal_of_a_reversal_and_none_twice():
    """R-LED-14."""
    lines = posted(transaction("DisbursementPaid", "5.00", DAY))
    back = reverse(lines, LATER, first_sequence=1, transaction_date=LATER)
    with pytest.raises(PostingError, match="a reversal cannot be reversed"):
        reverse(back, LATER, first_sequence=2, transaction_date=LATER)
    with pytest.raises(PostingError, match="only once"):
        reverse(pl.concat([lines, lines]), LATER, first_sequence=2, transaction_date=LATER)


@st.composite
def any_transaction(draw: st.DrawFn) -> pl.DataFrame:
    """Any type and variant with an amount that its rules take, or zero."""
    case = draw(st.sampled_from(CASES))
    lowest, highest = -(10**10), 10**10
    if SIGNS[case] == ["positive"]:
        lowest = 0
    if SIGNS[case] == ["negative"]:
        highest = 0
    amount = draw(st.integers(lowest, highest))
    commission = draw(st.integers(min(amount, 0), max(amount, 0)))
    pro_rata = {("InitialChargeTxn", "pro_rata"), ("ProRataChargeEarned", "standard")}
    owner_types = ["PolicyPeriod"] if case in pro_rata else ["PolicyPeriod", "Account", "Collateral"]
    parties = {
        "owner_type": "Account" if case[1] == "recapture" else draw(st.sampled_from(owner_types)),
        "source_type": draw(st.sampled_from(["Account", "Producer"])),
        "source_key": draw(st.integers(1, 3)),
        "destination_type": "Account",
        "destination_key": draw(st.integers(1, 3)),
        "destination_fund_policy_key": draw(st.integers(0, 2)),
    }
    between = case == ("TransferTransaction", "between_parties") and parties["source_type"] == "Producer"
    within = case == ("TransferTransaction", "within_account")
    frame = transaction(
        case[0],
        "0",
        DAY,
        variant=case[1],
        charge_pattern=draw(st.sampled_from(["Premium", "Tax"])),
        payment_key=1,
        currency=draw(st.sampled_from(["USD", "JPY"])),
        fund_policy_key=0 if between else draw(st.integers(1 if within else 0, 2)),
        **parties,
    )
    return frame.with_columns(amount=amount, net_amount=amount - commission, commission_amount=commission).cast(
        dict(TRANSACTIONS)
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(any_transaction(), min_size=1, max_size=12))
def test_any_set_of_transactions_balances_and_reverses(frames):
    """R-LED-01, 02, 13, 15, 16, 22: whatever is posted is clean, and taking all of it back leaves nothing."""
    lines = posted(*frames)
    JOURNAL.validate(lines)
    assert check_journal(lines).is_empty()
    assert lines["transaction_key"].n_unique() == sum(frame["amount"].item() != 0 for frame in frames)
    back = reverse(lines, LATER, first_sequence=1, transaction_date=LATER)
    both = pl.concat([lines, back])
    assert check_journal(both).is_empty()
    assert check_journal(back, originals=lines).is_empty()
    assert t_account_balances(both)["balance"].unique().to_list() in ([0], [])
    assert t_account_balances(both, as_of=DAY).equals(t_account_balances(lines))
    assert t_account_balances(both, known_at=DAY).equals(t_account_balances(lines))


@settings(deadline=None, max_examples=40)
@given(any_transaction())
def test_the_opposite_amount_posts_the_opposite(frame):
    """R-LED-15 where one rule holds for both signs."""
    case = frame.select(pl.col("transaction_type").cast(pl.String), "variant").row(0)
    if SIGNS[case] != ["any"]:
        return
    amounts = ("amount", "net_amount", "commission_amount")
    lines, opposite = posted(frame), posted(frame.with_columns(-pl.col(amounts)))
    swapped = lines.with_columns(
        pl.when(pl.col("side") == "D")
        .then(pl.lit("C"))
        .otherwise(pl.lit("D"))
        .cast(enums.enum(enums.SIDES))
        .alias("side")
    )
    assert opposite.equals(swapped)
