"""Commands that give an account an ad hoc credit, or take one back (R-AHC-1..5)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.ad_hoc_credits import execute_credits, reverse_credits, set_credit_status
from ledger.authority import credit_limit, open_approvals, with_authority
from ledger.book import Book, number_from
from ledger.carrier import Carrier
from ledger.commands.fund_choice import with_chosen_fund
from ledger.commands.refusals import refused_commands, split_refused
from ledger.effects import Effects
from ledger.money import minor_units
from schemas.currencies import AMOUNT_LIMIT


def create_credits(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Create ad hoc credits; those above the limit of who asks wait for approval, the others are posted.

    In: commands with account_key, amount (text), credit_type, fund_policy_id, default_fund. Rules: R-AHC-1..3, A-1..4.
    """
    wanted = with_chosen_fund(book, commands).with_columns(part=minor_units(pl.col("amount"), pl.col("decimals")))
    right, refused = split_refused(
        with_authority(wanted, carrier, "part", credit_limit()),
        {
            "E-CREDIT-PERMISSION": ~pl.col("may_credit"),
            "E-FUND-CHOICE": pl.col("is_unclear"),
            "E-FUND-UNKNOWN": pl.col("fund_key").is_null(),
            "E-AMOUNT-UNREADABLE": pl.col("part").is_null() | (pl.col("part") > AMOUNT_LIMIT),
            "E-REFUND-AMOUNT": pl.col("part") <= 0,
        },
    )
    new = right.sort("command_id").with_columns(
        number_from(book.next_key("ad_hoc_credits"), "credit_key"),
        credit_id="command_id",
        amount="part",
        status=pl.lit("PendingApproval"),
        requested_date=pl.lit(day),
    )
    book = book.append("ad_hoc_credits", new)
    waiting = new.filter("needs_approval").with_columns(subject_key="credit_key")
    book = open_approvals(book, waiting, "AdHocCredit", day)
    done = execute_credits(book, new.filter(~pl.col("needs_approval"))["credit_key"], day)
    return Effects(book, refused=(refused,)).then(done)


def reverse(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take ad hoc credits back in full, once; above the limit of who asks, the reversal waits (R-AHC-2, R-AHC-4).

    In: commands with credit_key. A credit whose money has left its fund is taken back with a warning.
    """
    known = (
        book["ad_hoc_credits"]
        .with_row_index("row")
        .filter(pl.col("credit_key").is_in(commands["credit_key"].implode()))
    )
    known = known.select(
        "row", "credit_key", "credit_type", "status", "fund_key", part="amount", in_currency="currency"
    )
    wanted = commands.join(known, on="credit_key", how="left", maintain_order="left").with_columns(
        currency="in_currency"
    )
    right, refused = split_refused(
        with_authority(wanted, carrier, "part", credit_limit(is_reversal=True)),
        {"E-CREDIT-PERMISSION": ~pl.col("may_credit"), "E-CREDIT-STATUS": pl.col("status") != "Executed"},
    )
    right = right.sort("credit_key")
    book = book.update("ad_hoc_credits", right["row"], {"reversal_requested_by": right["requested_by"]})
    waiting = right.filter("needs_approval")
    book = set_credit_status(book, waiting["credit_key"], "ReversalPendingApproval")
    asked = waiting.with_columns(subject_key="credit_key", amount="part")
    book = open_approvals(book, asked, "AdHocCreditReversal", day)
    now = right.filter(~pl.col("needs_approval"))
    done = reverse_credits(book, now["credit_key"], day)
    warned = refused_commands(_overdrawn(done.book, now), "W-CREDIT-SPENT")
    return Effects(book, refused=(refused,), warnings=(warned,)).then(done)


def _overdrawn(book: Book, reversed_credits: pl.DataFrame) -> pl.DataFrame:
    """Those of these commands after which the fund of the credit is in deficit (R-AHC-4)."""
    deficits = book["funds"].filter(pl.col("balance") < 0)["fund_key"]
    return reversed_credits.filter(pl.col("fund_key").is_in(deficits.implode()))


PROCESSES = {"create_ad_hoc_credit": create_credits, "reverse_ad_hoc_credit": reverse}
"""Which process carries out which command."""
