"""Contracts on ad hoc credits and disbursements, part of the blocking contracts of a day (06 section 3.J).

They look at the credits and disbursements that today added or changed; a day without any costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ledger.ad_hoc_credits import CREDIT_TRANSACTIONS
from ledger.balances import signed_amount
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.disbursements import PAYOUT_TRANSACTIONS
from ledger.funds import fund_key
from ledger.journal_checks import NO_VIOLATIONS, VIOLATIONS

_STANDING = ("Executed", "ReversalPendingApproval")


def check_ad_hoc_credits(before: Book, changes: Mapping[str, pl.DataFrame], journal: pl.DataFrame) -> pl.DataFrame:
    """Per type and account, the credits that stand are what is posted of them, on both T-accounts (R-AHC-3, R-AHC-4).

    So a credit posts its amount once, its reversal takes the same amount off again, and one that waits or was rejected
    posts nothing.
    """
    now = changes["ad_hoc_credits"]
    kind = journal["transaction_type"].is_in(list(CREDIT_TRANSACTIONS.values()))
    if now.is_empty() and not kind.any():
        return NO_VIOLATIONS
    then = before["ad_hoc_credits"].filter(pl.col("credit_key").is_in(now["credit_key"].implode()))
    lines = journal.filter(kind).select(
        transaction_type=pl.col("transaction_type").cast(pl.String),
        account=pl.col("owner_key"),
        is_fund=pl.col("t_account_pattern").cast(pl.String).is_in(["Unapplied", "Designated Unapplied"]),
        difference=signed_amount(),
    )
    parts = [
        lines,
        *(_standing(now, is_fund=is_fund, sign=sign) for is_fund, sign in ((True, 1), (False, -1))),
        *(_standing(then, is_fund=is_fund, sign=sign) for is_fund, sign in ((True, -1), (False, 1))),
    ]
    sums = pl.concat(parts).group_by("transaction_type", "account", "is_fund").agg(pl.col("difference").sum())
    wrong = sums.filter(pl.col("difference") != 0)
    key = pl.concat_str("transaction_type", "account", separator=" ")
    return _violations(wrong, "R-AHC-4", key, "what is posted of ad hoc credits is not what stands of them")


def _standing(rows: pl.DataFrame, *, is_fund: bool, sign: int) -> pl.DataFrame:
    """What of these credits is posted, with a sign, in the columns of the lines."""
    stands = pl.col("status").is_in(_STANDING)
    return rows.select(
        transaction_type=pl.col("credit_type").cast(pl.String).replace_strict(CREDIT_TRANSACTIONS),
        account="account_key",
        is_fund=pl.lit(is_fund),
        difference=pl.when(stands).then(pl.col("amount") * sign).otherwise(0),
    )


def check_disbursements(
    before: Book, after: Book, changes: Mapping[str, pl.DataFrame], journal: pl.DataFrame, carrier: Carrier
) -> pl.DataFrame:
    """What was paid today was approved, is posted once, and left no fund in deficit (R-DSB-2, R-DSB-6, R-AD-5).

    Payment is the last that happens to a fund in a day, so that its balance at the close is the one after paying.
    """
    now = changes["disbursements"]
    kind = journal["transaction_type"].is_in(list(PAYOUT_TRANSACTIONS))
    if now.is_empty() and not kind.any():
        return NO_VIOLATIONS
    was = before["disbursements"].filter(pl.col("disbursement_key").is_in(now["disbursement_key"].implode()))
    was_sent = was.filter(pl.col("status") == "Sent")["disbursement_key"]
    sent = now.filter((pl.col("status") == "Sent") & ~pl.col("disbursement_key").is_in(was_sent.implode()))
    voided = now.filter((pl.col("status") == "Voided") & pl.col("disbursement_key").is_in(was_sent.implode()))
    in_deficit = after["funds"].filter(pl.col("balance") < 0)["fund_key"]
    overdrawn = sent.filter(pl.col("fund_key").is_in(in_deficit.implode()))
    return pl.concat(
        [
            _violations(
                sent.filter(pl.col("approved_date").is_null() & ~_goes_anyway(after, carrier)),
                "R-DSB-2",
                pl.col("disbursement_key"),
                "the disbursement is paid and was not approved",
            ),
            _violations(overdrawn, "R-DSB-6", pl.col("fund_key"), "more is paid out of the fund than it held"),
            _check_payouts(sent, voided, journal.filter(kind)),
        ]
    )


def _goes_anyway(book: Book, carrier: Carrier) -> pl.Expr:
    """Whether the billing plan of the account pays an automatic disbursement without approval (R-AD-5)."""
    plans = carrier.billing_plan_frame().filter("send_disbursements_awaiting_approval")["billing_plan"]
    lenient = book["accounts"].filter(pl.col("billing_plan").is_in(plans.implode()))["account_key"]
    return (pl.col("origin") == "Automatic") & pl.col("account_key").is_in(lenient.implode())


def _check_payouts(sent: pl.DataFrame, voided: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """What left the funds and suspense payments by disbursements is what was sent less what came back."""
    is_fund = pl.col("t_account_pattern").cast(pl.String).is_in(["Unapplied", "Designated Unapplied"])
    of_suspense = pl.col("owner_type") == "SuspensePayment"
    posted = lines.filter(is_fund).select(
        payment=pl.when(of_suspense).then("owner_key").otherwise(0),
        fund=pl.when(~of_suspense).then(fund_key(pl.col("owner_key"), pl.col("fund_policy_key"))).otherwise(0),
        difference=-signed_amount(),
    )
    said = [
        frame.select(payment="payment_key", fund="fund_key", difference=pl.col("amount") * sign)
        for frame, sign in ((sent, 1), (voided, -1))
    ]
    sums = pl.concat([posted, *said]).group_by("payment", "fund").agg(pl.col("difference").sum())
    wrong = sums.filter(pl.col("difference") != 0)
    key = pl.concat_str("fund", "payment", separator=" ")
    return _violations(wrong, "A-9", key, "what is posted of disbursements is not what was paid and came back")


def _violations(frame: pl.DataFrame, rule: str, key: pl.Expr, message: str) -> pl.DataFrame:
    return frame.select(rule=pl.lit(rule), key=key.cast(pl.String), message=pl.lit(message)).cast(VIOLATIONS)
