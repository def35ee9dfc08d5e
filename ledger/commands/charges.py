"""Commands about charges: reversal, recapture, holds (R-CR, R-RC, R-CHD)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.account_charges import charge_accounts
from ledger.book import Book, default_fund_key, designated_fund_key
from ledger.carrier import Carrier
from ledger.charge_holds import clear_billed_items, lacks_item_numbers
from ledger.charge_reversals import NOT_REVERSIBLE, reverse_charges
from ledger.commands.refusals import refused_commands, split_refused
from ledger.effects import Effects
from ledger.money import minor_units
from schemas import enums
from schemas.currencies import AMOUNT_LIMIT

_ON_REQUEST = "dispute"
"""Why a charge is held that somebody asked to hold; those of a final audit come with their instruction (R-CI-61)."""
_RECAPTURE_CONTEXT = "account_general"


def reverse(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Reverse charges (`ledger.charge_reversals`). In: commands with charge_key, reason. Rules: R-CR-1..6."""
    reversed_ones = book["charges"].filter(pl.col("reverses_charge_key") > 0)["reverses_charge_key"]
    is_done = (
        pl.col("charge_key").is_in(reversed_ones.implode())
        | (pl.col("reverses_charge_key") > 0)
        | ~pl.col("charge_key").is_first_distinct()
    )
    is_irreversible = pl.col("charge_subtype").cast(pl.String).is_in(NOT_REVERSIBLE)
    right, refused = split_refused(
        _with_charges(book, commands), {"E-CHARGE-REVERSIBLE": is_irreversible, "E-CHARGE-REVERSED": is_done}
    )
    reversals = right.select("charge_key", "command_id", reversal_reason="reason")
    return Effects(book, refused=(refused,)).then(reverse_charges(book, reversals, day, carrier))


def recapture(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Raise recapture charges for deficits of funds, each one item on the next invoice of the account.

    In: commands with account_key, amount, policy_id, charge_pattern. More than the deficit is accepted with a warning.
    The charge is an account-level one (R-CI-28); its context is that of the account-level instruction that a person
    would enter. Rules: R-RC-1..5.
    """
    patterns = [
        name
        for name, pattern in carrier.charge_patterns.items()
        if pattern.subtype == "recapture" and pattern.owner_types[0] == "Account"
    ]
    only = patterns[0] if len(patterns) == 1 else None
    wanted = _with_funds(book, commands).with_columns(
        pl.col("charge_pattern").fill_null(pl.lit(only, pl.String)),
        amount=minor_units(pl.col("amount"), pl.col("decimals")),
    )
    right, refused = split_refused(
        wanted,
        {
            "E-AMOUNT-UNREADABLE": (pl.col("amount").is_null() | (pl.col("amount").abs() > AMOUNT_LIMIT)),
            "E-RECAPTURE-NOTHING": pl.col("amount") <= 0,
            "E-RECAPTURE-PATTERN": ~pl.col("charge_pattern").is_in(patterns).fill_null(value=False),
            "E-RECAPTURE-FUND": pl.col("balance").is_null(),
        },
    )
    warned = refused_commands(right.filter(pl.col("amount") > -pl.col("balance")), "W-RECAPTURE-DEFICIT")
    raised = right.sort("command_id").select(
        "account_key",
        "amount",
        "currency",
        "charge_pattern",
        policy_key="fund_policy_key",
        context=pl.lit(_RECAPTURE_CONTEXT),
    )
    return Effects(book, refused=(refused,), warnings=(warned,)).then(charge_accounts(book, raised, day, carrier))


def hold(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Hold charges back; what is billed of them and open leaves its invoice (`ledger.charge_holds`).

    In: commands with charge_key. A charge may be held and released again and again. Rules: R-CHD-1, R-CHD-4..10.
    """
    is_held = pl.col("hold_reason").is_not_null() | ~pl.col("charge_key").is_first_distinct()
    right, refused = split_refused(
        _with_charges(book, commands),
        {"E-CHARGE-HELD": is_held, "E-CHARGE-FULL": lacks_item_numbers(book, commands["charge_key"], day, carrier)},
    )
    book = _set_hold_reason(book, right["charge_key"], _ON_REQUEST)
    held = right.select("charge_key", "command_id")
    return Effects(book, refused=(refused,)).then(clear_billed_items(book, held, day, carrier))


def release(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Release held charges, whatever held them: their items are billed with the invoices that they are on (R-CHD-11).

    In: commands with charge_key.
    """
    del day, carrier
    is_free = pl.col("hold_reason").is_null() | ~pl.col("charge_key").is_first_distinct()
    right, refused = split_refused(_with_charges(book, commands), {"E-CHARGE-NOT-HELD": is_free})
    return Effects(_set_hold_reason(book, right["charge_key"], None), refused=(refused,))


def _with_charges(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """The commands, by id, with what their charge says about reversals and holds."""
    charges = book["charges"].filter(pl.col("charge_key").is_in(commands["charge_key"].implode()))
    facts = charges.select("charge_key", "charge_subtype", "hold_reason", "reverses_charge_key")
    return commands.sort("command_id").join(facts, on="charge_key", how="left", maintain_order="left")


def _set_hold_reason(book: Book, charge_keys: pl.Series, reason: str | None) -> Book:
    charges = book["charges"].select("charge_key").with_row_index("row")
    rows = charges.filter(pl.col("charge_key").is_in(charge_keys.implode()))["row"]
    reasons = pl.Series([reason], dtype=enums.enum(enums.HOLD_REASONS)).new_from_index(0, len(rows))
    return book.update("charges", rows, {"hold_reason": reasons})


def _with_funds(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """Add the fund that is meant: fund_policy_key (0 for the default fund) and balance, null when there is none."""
    policies = book["policies"].filter(pl.col("policy_id").is_in(commands["policy_id"].drop_nulls().implode()))
    policies = policies.select("policy_id", "account_key", fund_policy_key="policy_key")
    wanted = commands.join(policies, on=["policy_id", "account_key"], how="left", maintain_order="left")
    designated = designated_fund_key(pl.col("fund_policy_key"))
    wanted = wanted.with_columns(
        fund_key=pl.when(pl.col("policy_id").is_null())
        .then(default_fund_key(pl.col("account_key")))
        .otherwise(designated)
    )
    funds = book["funds"].filter(pl.col("account_key").is_in(commands["account_key"].implode()))
    wanted = wanted.join(funds.select("fund_key", "balance"), on="fund_key", how="left", maintain_order="left")
    return wanted.with_columns(pl.col("fund_policy_key").fill_null(0))


PROCESSES = {
    "reverse_charge": reverse,
    "create_recapture": recapture,
    "hold_charge": hold,
    "release_charge_hold": release,
}
"""Which process carries out which command."""
