"""Commands that let credits pay by hand, and change or take back such a distribution (R-CD-1..6)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.fund_choice import with_chosen_fund, with_fund
from ledger.commands.refusals import split_refused
from ledger.credit_distributions import (
    apply_by_hand,
    apply_default_funds,
    open_items,
    record,
    record_change,
    take_back_distributions,
)
from ledger.effects import Effects
from ledger.money import minor_units
from ledger.return_premiums import allocate_chosen_credits
from ledger.settlement import Distributed

_PROBLEMS = {
    "E-DISTRIBUTION-ITEM": pl.col("has_unknown_item"),
    "E-DISTRIBUTION-SHARE": pl.col("has_wrong_share"),
    "E-DISTRIBUTION-FUNDS": pl.col("needed") > pl.col("free"),
}
"""What may be wrong with amounts per item, by reason code."""


def distribute(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Let a fund and negative items pay items, by amounts per item.

    In: commands with account_key, items (item_id, amount as text), fund_policy_id, default_fund. Rules: R-CD-3, R-CD-4.
    """
    del carrier
    wanted = with_chosen_fund(book, commands)
    shares = _shares(book, wanted)
    right, refused = split_refused(
        _with_problems(wanted, shares),
        {"E-FUND-CHOICE": pl.col("is_unclear"), "E-FUND-UNKNOWN": pl.col("fund_key").is_null(), **_PROBLEMS},
    )
    done = apply_by_hand(book, _of(shares, right), day)
    return _recorded(right, done, "ByHand", refused, day)


def distribute_default_fund(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Let an amount of the default fund pay the open items of its account, the earliest first (R-CD-5)."""
    del carrier
    wanted = with_fund(book, commands.with_columns(policy_id=pl.lit(None, pl.String)))
    wanted = wanted.with_columns(part=minor_units(pl.col("amount"), pl.col("decimals")))
    right, refused = split_refused(
        wanted,
        {
            "E-AMOUNT-UNREADABLE": pl.col("part").is_null(),
            "E-DISTRIBUTION-FUNDS": (pl.col("part") <= 0) | (pl.col("part") > pl.col("free")),
        },
    )
    done = apply_default_funds(book, right.select("account_key", amount="part"), day)
    return _recorded(right, done, "DefaultFund", refused, day)


def distribute_negative_items(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Let chosen negative items pay now (R-CD-5). In: commands with account_key and items (their ids)."""
    named = commands.select("command_id", "account_key", item_id="items").explode("item_id")
    named = named.with_columns(item_key=pl.col("item_id").cast(pl.Int64, strict=False))
    credits_open = open_items(book, commands["account_key"]).filter(pl.col("open") < 0)
    named = named.join(
        credits_open.select("account_key", "item_key", "open"), on=["account_key", "item_key"], how="left"
    )
    is_twice = pl.struct("command_id", "item_key").is_duplicated()
    found = named.group_by("command_id").agg(has_unknown_item=(pl.col("open").is_null() | is_twice).any())
    right, refused = split_refused(
        commands.join(found, on="command_id", how="left", maintain_order="left"),
        {"E-DISTRIBUTION-ITEM": pl.col("has_unknown_item").fill_null(value=True)},
    )
    done = allocate_chosen_credits(book, _of(named, right)["item_key"], day, carrier)
    return _recorded(right, done, "NegativeItems", refused, day)


def modify(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take back what distributions by hand applied and apply other amounts through the same fund, today (R-CD-6).

    Whether the new amounts are within what is open and free is judged with the old ones taken back.
    """
    del carrier
    known = _with_distributions(book, commands)
    undone = take_back_distributions(book, known.filter(_is_by_hand()), day)
    wanted = _with_fund_of(undone.book, known)
    shares = _shares(undone.book, wanted)
    right, refused = split_refused(
        _with_problems(wanted, shares), {"E-DISTRIBUTION-STATUS": ~_is_by_hand(), **_PROBLEMS}
    )
    effects = Effects(book, refused=(refused,)).then(take_back_distributions(book, right, day))
    done = apply_by_hand(effects.book, _of(shares, right), day)
    rows = right.select("row", "account_key", "version")
    return effects.then(Effects(record_change(done.book, rows, _by_payer(done), day), (done.transactions,)))


def reverse(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take credit distributions back, once: items are open again and the money is where it was (R-CD-6)."""
    del carrier
    right, refused = split_refused(
        _with_distributions(book, commands), {"E-DISTRIBUTION-STATUS": pl.col("status") != "Executed"}
    )
    effects = Effects(book, refused=(refused,)).then(take_back_distributions(book, right, day))
    dates = pl.repeat(day, right.height, dtype=pl.Date, eager=True)
    statuses = pl.repeat("Reversed", right.height, eager=True)
    changed = effects.book.update("credit_distributions", right["row"], {"status": statuses, "reversed_date": dates})
    return effects.with_book(changed)


def _shares(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """The amounts per item of commands: command_id, account_key, fund_key, item_key, amount and what is open of it."""
    listed = commands.select("command_id", "account_key", "fund_key", "decimals", "items").explode("items")
    listed = listed.unnest("items").with_columns(
        item_key=pl.col("item_id").cast(pl.Int64, strict=False),
        amount=minor_units(pl.col("amount"), pl.col("decimals")),
    )
    items = open_items(book, commands["account_key"]).select("account_key", "item_key", "open")
    return listed.join(items, on=["account_key", "item_key"], how="left", maintain_order="left")


def _with_problems(commands: pl.DataFrame, shares: pl.DataFrame) -> pl.DataFrame:
    """Add has_unknown_item, has_wrong_share and `needed`, what the fund must give (R-CD-4)."""
    amount, left = pl.col("amount"), pl.col("open")
    is_within = amount.is_between(pl.min_horizontal(left, pl.lit(0)), pl.max_horizontal(left, pl.lit(0)))
    is_twice = pl.struct("command_id", "item_key").is_duplicated()
    sums = shares.group_by("command_id").agg(
        has_unknown_item=(left.is_null() | is_twice).any(),
        has_wrong_share=(amount.is_null() | ~is_within.fill_null(value=True)).any(),
        needed=amount.sum(),
    )
    return commands.join(sums, on="command_id", how="left", maintain_order="left")


def _of(rows: pl.DataFrame, commands: pl.DataFrame) -> pl.DataFrame:
    return rows.join(commands.select("command_id"), on="command_id", how="semi")


def _with_distributions(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """The commands with the credit distributions that they are about, and the place of these in the book."""
    columns = ("row", "distribution_key", "kind", "status", "version", "first_payment_item_key", "payment_items")
    known = book["credit_distributions"].with_row_index("row").select(columns)
    return commands.join(known, on="distribution_key", how="left", maintain_order="left")


def _is_by_hand() -> pl.Expr:
    return (pl.col("status") == "Executed") & (pl.col("kind") == "ByHand")


def _with_fund_of(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """Add the fund of the distribution, fund_key and free."""
    is_first = pl.col("payment_item_key").is_in(commands["first_payment_item_key"].implode())
    through = pl.col("through_fund_key")
    funds = (
        book["payment_items"]
        .filter(is_first)
        .select(first_payment_item_key="payment_item_key", policy_key=pl.when(through % 2 == 1).then(through // 2))
    )
    policies = book["policies"].select("policy_key", "policy_id")
    commands = commands.drop("policy_key").join(funds, on="first_payment_item_key", how="left", maintain_order="left")
    return with_fund(book, commands.join(policies, on="policy_key", how="left", maintain_order="left"))


def _by_payer(done: Distributed) -> pl.DataFrame:
    items = done.book["invoice_items"].select("item_key", payer_key="account_key")
    return done.payment_items.join(items, on="item_key", how="left", maintain_order="left")


def _recorded(right: pl.DataFrame, done: Distributed, kind: str, refused: pl.DataFrame, day: date) -> Effects:
    distributions = right.select("account_key", distribution_id="command_id", kind=pl.lit(kind))
    book = record(done.book, distributions, _by_payer(done), day)
    return Effects(book, (done.transactions,), refused=(refused,))


PROCESSES = {
    "distribute_credits": distribute,
    "distribute_default_fund": distribute_default_fund,
    "distribute_negative_items": distribute_negative_items,
    "modify_credit_distribution": modify,
    "reverse_credit_distribution": reverse,
}
"""Which process carries out which command."""
