"""Commands: what people and other systems ask for, carried out in rounds after the day's payments (R-LIF-23).

Commands of one account are taken in order of sequence, then by id. A round takes, of every account, the next commands
of one type that are about different things; each type is one process over all accounts at once. A command is carried
out as a whole or refused as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from ledger.book import Book, number_from
from ledger.carrier import Carrier
from ledger.command_params import read_params
from ledger.commands import (
    accounts,
    ad_hoc_credits,
    approvals,
    charges,
    closure,
    credit_distributions,
    disbursements,
    distributions,
    funds,
    invoices,
    items,
    payers,
    payments,
    schedules,
    suspense,
    writeoffs,
)
from ledger.commands.process import Process
from ledger.commands.refusals import refused_commands
from ledger.commands.schedule_warnings import flagging, guarded
from ledger.commands.targets import KEYS, find_targets
from ledger.effects import Effects
from ledger.segments import place_in_run, starts_run
from schemas.commands import COMMAND_TYPES
from schemas.commands.invoices import ON_EQUITY_VIOLATION

_FAMILIES: Mapping[str, Process] = {
    **invoices.PROCESSES,
    **payments.PROCESSES,
    **suspense.PROCESSES,
    **funds.PROCESSES,
    **ad_hoc_credits.PROCESSES,
    **disbursements.PROCESSES,
    **credit_distributions.PROCESSES,
    **approvals.PROCESSES,
    **writeoffs.PROCESSES,
    **distributions.PROCESSES,
    **charges.PROCESSES,
    **schedules.PROCESSES,
    **accounts.PROCESSES,
    **closure.PROCESSES,
    **payers.PROCESSES,
    **items.PROCESSES,
}
_NAMED_BY_COMMANDS = ("ad_hoc_credit", "disbursement", "credit_distribution")
"""Targets whose id is that of the command which makes them, so that a later command of the day can be about them."""
_CHANGES_SCHEDULES = {name for name, kind in COMMAND_TYPES.items() if ON_EQUITY_VIOLATION in kind.params}
PROCESSES: Mapping[str, Process] = {
    **_FAMILIES,
    **{name: guarded(process) for name, process in _FAMILIES.items() if name in _CHANGES_SCHEDULES},
    "move_invoice_item": flagging(_FAMILIES["move_invoice_item"]),
}
"""The process of every command type that is carried out."""


def execute_commands(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Carry out the day's commands.

    In: accepted landing rows of `commands` with file and row_no. Out: the book with the commands that were carried out,
    transactions, refusals, warnings and events. Rules: 04 section 8, 03 section 6.2.
    """
    effects = Effects(book)
    for batch in _rounds(book, commands):
        for kind, of_kind in batch.partition_by("command_type", as_dict=True, maintain_order=True).items():
            effects = effects.then(_carry_out(effects.book, of_kind, str(kind[0]), day, carrier))
    return effects


def _rounds(book: Book, commands: pl.DataFrame) -> list[pl.DataFrame]:
    """Commands in the order of their accounts, cut where an account goes on to another type or the same thing."""
    if commands.is_empty():
        return []
    places = {name: place for place, name in enumerate(COMMAND_TYPES)}
    alone = [name for name, kind in COMMAND_TYPES.items() if kind.alone]
    accounts = find_targets(book, commands).select("command_id", "account_key", thing=_thing())
    ordered = (
        _with_makers(commands.join(accounts, on="command_id", how="left", maintain_order="left"))
        .with_columns(order=pl.col("sequence").fill_null(0))
        .sort("account_key", "target_type", "thing", "order", "command_id")
    )
    ordered = ordered.with_columns(turn=place_in_run("account_key", "target_type", "thing"))
    ordered = ordered.sort("account_key", "order", "command_id")
    is_next = starts_run("account_key", "command_type", "turn") | pl.col("command_type").is_in(alone)
    ordered = ordered.with_columns(run=is_next.cast(pl.Int64).cum_sum())
    first = ordered.unique("account_key", keep="first", maintain_order=True).select("account_key", first="run")
    ordered = ordered.join(first, on="account_key", how="left", maintain_order="left")
    ordered = ordered.with_columns(
        round=pl.col("run") - pl.col("first"), kind=pl.col("command_type").replace_strict(places, return_dtype=pl.Int64)
    ).sort("round", "kind", "command_id")
    return [batch.select(commands.columns) for batch in ordered.partition_by("round", maintain_order=True)]


def _with_makers(commands: pl.DataFrame) -> pl.DataFrame:
    """Commands about what another command of the day is to make belong to the account of that one."""
    is_new = pl.col("target_type").is_in(_NAMED_BY_COMMANDS) & (pl.col("account_key") == 0)
    if not commands.select(is_new.fill_null(value=False).any()).item():
        return commands
    makers = commands.select(target_id="command_id", maker="account_key")
    found = commands.join(makers, on="target_id", how="left", maintain_order="left")
    account = pl.when(is_new).then(pl.coalesce("maker", "account_key")).otherwise("account_key")
    return found.with_columns(account_key=account).drop("maker")


def _thing() -> pl.Expr:
    """What a command is about, however its target is written; its own words where that is unknown."""
    keys = pl.concat_str(*KEYS, separator="/")
    return pl.when(pl.any_horizontal(pl.col(KEYS) > 0)).then(keys).otherwise(pl.coalesce("target_id", pl.lit("")))


def _carry_out(book: Book, commands: pl.DataFrame, name: str, day: date, carrier: Carrier) -> Effects:
    """Commands of one type: those about nothing that is known are refused, the others carried out and booked."""
    kind = COMMAND_TYPES[name]
    found = find_targets(book, read_params(commands, kind))
    unknown = refused_commands(found.filter(~pl.col("is_known")), "E-TARGET-UNKNOWN")
    known = found.filter("is_known").drop("is_known")
    if known.is_empty():
        return Effects(book, refused=(unknown,))
    effects = Effects(book, refused=(unknown,)).then(PROCESSES[name](book, known, day, carrier))
    refused = pl.concat(effects.refused)["record_id"]
    booked = known.filter(~pl.col("command_id").is_in(refused.implode())).sort("command_id")
    booked = booked.with_columns(
        number_from(effects.book.next_key("commands"), "command_key"), received_date=pl.lit(day)
    )
    return effects.with_book(effects.book.append("commands", booked))
