"""Commands about money in unapplied funds (R-TRF-01..04, R-WO-7, R-WO-8)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book, number_from
from ledger.carrier import Carrier
from ledger.commands.fund_choice import with_fund
from ledger.commands.refusals import split_refused
from ledger.effects import Effects
from ledger.funds import change_balances, separates_funds
from ledger.money import minor_units
from ledger.posting import transaction_frame

_MOVE = ("fund_key", "account_key", "policy_key", "currency", "amount")


def transfer_funds(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Transfer money of unapplied funds; all targets of a command, or none.

    In: commands with account_key, policy_id (the source) and targets. Refused: more than the fund holds beyond what
    waits to be disbursed, amounts of nothing, unknown funds, another currency, a fund as its own target. Rules:
    R-TRF-01..04, R-TXN-14.
    """
    del carrier
    commands = with_fund(book, commands)
    targets = (
        commands.select("command_id", "decimals", "targets", source_currency="currency")
        .explode("targets")
        .unnest("targets")
        .with_columns(part=minor_units(pl.col("amount"), pl.col("decimals")))
    )
    accounts = book["accounts"].select("account_id", "account_key", "currency", separates=separates_funds())
    targets = targets.join(accounts, on="account_id", how="left", maintain_order="left")
    targets = with_fund(book, targets, prefix="to_").with_columns(
        is_wrong_amount=(pl.col("part").is_null() | (pl.col("part") <= 0)),
        is_other_currency=pl.col("currency") != pl.col("source_currency"),
    )
    sources = commands.select("command_id", source_fund_key="fund_key")
    targets = targets.join(sources, on="command_id", how="left", maintain_order="left")
    facts = targets.group_by("command_id").agg(
        wanted=pl.col("part").sum(),
        is_wrong_amount=pl.col("is_wrong_amount").any(),
        is_unknown=pl.col("to_fund_key").is_null().any(),
        is_other_currency=pl.col("is_other_currency").fill_null(value=False).any(),
        is_circle=(pl.col("to_fund_key") == pl.col("source_fund_key")).fill_null(value=False).any(),
    )
    right, refused = split_refused(
        commands.join(facts, on="command_id", how="left", maintain_order="left"),
        {
            "E-FUND-UNKNOWN": pl.col("fund_key").is_null() | pl.col("is_unknown"),
            "E-FUND-AMOUNT": pl.col("wanted").is_null()
            | pl.col("is_wrong_amount")
            | (pl.col("wanted") > pl.col("free")),
            "E-FUND-TARGET": pl.col("is_other_currency") | pl.col("is_circle"),
        },
    )
    sent = right.select(
        "command_id", "fund_policy_key", "currency", source_key="account_key", source_fund_key="fund_key"
    )
    moves = targets.drop("currency", "source_fund_key").join(sent, on="command_id", how="inner", maintain_order="left")
    moves = moves.with_columns(amount="part").sort("command_id", "to_fund_key")
    out = moves.select(
        "currency",
        fund_key="source_fund_key",
        account_key="source_key",
        policy_key="fund_policy_key",
        amount=-pl.col("part"),
    )
    into = moves.select("currency", "account_key", "amount", fund_key="to_fund_key", policy_key="to_fund_policy_key")
    book = change_balances(book, pl.concat([out.select(_MOVE), into.select(_MOVE)]))
    return Effects(book, (_transfers(moves, day),), (refused,))


def _transfers(moves: pl.DataFrame, day: date) -> pl.DataFrame:
    """Transactions of transfers: within an account between its default and a designated fund, else between parties."""
    leaves_designated = pl.col("fund_policy_key") > 0
    is_own = pl.col("source_key") == pl.col("account_key")
    moves = moves.with_columns(
        is_within=is_own & (leaves_designated != (pl.col("to_fund_policy_key") > 0)), enters=~leaves_designated
    )
    # Within an account the designated fund is named, and a negative amount goes into it.
    is_into = pl.col("is_within") & pl.col("enters")
    moves = moves.with_columns(
        amount=pl.col("amount") * pl.when(is_into).then(-1).otherwise(1),
        fund_policy_key=pl.when(is_into).then("to_fund_policy_key").otherwise("fund_policy_key"),
    )
    return transaction_frame(
        moves,
        "TransferTransaction",
        transaction_date=day,
        variant=pl.when("is_within").then(pl.lit("within_account")).otherwise(pl.lit("between_parties")),
        destination_fund_policy_key=pl.when("is_within").then(0).otherwise("to_fund_policy_key"),
        source_type=pl.lit("Account"),
        source_key=pl.col("source_key"),
        destination_type=pl.lit("Account"),
        destination_key=pl.col("account_key"),
    )


def write_off_surplus(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Keep money that cannot be returned: 0 < amount <= what is free in the fund (R-WO-7, R-TXN-10, R-TRF-02)."""
    del carrier
    wanted = with_fund(book, commands).with_columns(part=minor_units(pl.col("amount"), pl.col("decimals")))
    right, refused = split_refused(
        wanted,
        {
            "E-FUND-UNKNOWN": pl.col("fund_key").is_null(),
            "E-FUND-AMOUNT": pl.col("part").is_null() | (pl.col("part") <= 0) | (pl.col("part") > pl.col("free")),
        },
    )
    kept = right.with_columns(amount="part").sort("command_id")
    kept = kept.with_columns(
        number_from(book.next_key("surplus_write_offs"), "surplus_write_off_key"), created_date=pl.lit(day)
    )
    book = book.append("surplus_write_offs", kept)
    moves = kept.with_columns(policy_key="fund_policy_key", amount=-pl.col("amount"))
    book = change_balances(book, moves.select(_MOVE))
    return Effects(book, (transaction_frame(kept, "AccountNegativeWriteoffTxn", transaction_date=day),), (refused,))


def reverse_surplus_write_offs(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Give kept money back to its fund, once (R-WO-8)."""
    del carrier
    kept = book["surplus_write_offs"].with_row_index("row")
    known = kept.select(
        "row", "fund_key", "reversed_date", command="command_id", kept_account="account_key", kept_amount="amount"
    )
    wanted = commands.join(known, on="command", how="left", maintain_order="left")
    is_gone = pl.col("row").is_null() | pl.col("reversed_date").is_not_null()
    is_again = ~pl.col("command_id").is_in(
        wanted.sort("command_id").unique("command", keep="first")["command_id"].implode()
    )
    right, refused = split_refused(
        wanted,
        {"E-SURPLUS-UNKNOWN": is_gone | is_again | (pl.col("kept_account") != pl.col("account_key"))},
    )
    right = right.sort("row")
    dates = pl.Series([day], dtype=pl.Date).new_from_index(0, right.height)
    book = book.update("surplus_write_offs", right["row"], {"reversed_date": dates})
    is_designated = pl.col("fund_key") % 2 == 1
    back = right.with_columns(
        fund_policy_key=pl.when(is_designated).then(pl.col("fund_key") // 2).otherwise(0), amount="kept_amount"
    )
    book = change_balances(book, back.with_columns(policy_key="fund_policy_key").select(_MOVE))
    posted = transaction_frame(
        back.with_columns(amount=-pl.col("amount")), "AccountNegativeWriteoffTxn", transaction_date=day
    )
    return Effects(book, (posted,), (refused,))


PROCESSES = {
    "transfer_funds": transfer_funds,
    "write_off_surplus": write_off_surplus,
    "reverse_surplus_write_off": reverse_surplus_write_offs,
}
"""Which process carries out which command."""
