"""What becomes of commands that leave a policy period short of equity (R-EQT-13..17, R-INV-40, R-PP-17).

A command that changes a payment schedule is carried out first, and the schedule that it leaves is looked at. A command
that is to be rejected then is refused, and the others are carried out without it. So every process can be guarded from
outside, whatever it does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.commands.process import Process
from ledger.commands.refusals import refused_commands
from ledger.commands.targets import find_periods_of
from ledger.effects import Effects
from ledger.equity_violations import first_violations, violations_of_moves
from ledger.invoices import is_planned

PeriodsOf = Callable[[Book, pl.DataFrame, date], pl.DataFrame]
"""The policy periods that each command concerns: command_id, period_key; a command may concern several."""


def periods_concerned(book: Book, commands: pl.DataFrame, day: date) -> pl.DataFrame:
    """The policy periods whose schedule a command may change, by what it is about.

    Of a policy the term that it names, of an item or a charge its own (R-ITM-49), of an invoice those of its items, of
    an account those of the planned items that it pays. In: commands with KEYS. Out: command_id, period_key.
    """
    parts = [pl.DataFrame(schema={"command_id": pl.String, "period_key": pl.Int64})]
    for (kind,), rows in commands.partition_by("target_type", as_dict=True).items():
        if kind == "policy":
            terms = rows if "term_number" in rows.columns else rows.with_columns(term_number=pl.lit(None, pl.Int64))
            parts.append(find_periods_of(book, terms).select("command_id", "period_key"))
        elif kind in _BY_ITEMS:
            key = _BY_ITEMS[str(kind)]
            items = book["invoice_items"].filter(pl.col(key).is_in(rows[key].unique().implode()))
            if kind == "account":
                planned = book["invoices"].filter(pl.col("account_key").is_in(rows[key].implode()) & is_planned(day))
                items = items.join(planned, on="invoice_key", how="semi")
            periods = items.select(key, "period_key").unique()
            parts.append(rows.select("command_id", key).join(periods, on=key).select("command_id", "period_key"))
    return pl.concat(parts).filter(pl.col("period_key") > 0).sort("command_id", "period_key")


_BY_ITEMS = {
    "invoice_item": "item_key",
    "charge": "charge_key",
    "invoice": "invoice_key",
    "account": "account_key",
}
"""Which key of an invoice item says that a target concerns it."""


def guarded(process: Process, periods_of: PeriodsOf = periods_concerned) -> Process:
    """The process, with a look at the equity of the periods concerned once its commands are carried out.

    Commands have `on_equity_violation`. Where a period whose warnings are on is short of equity from today on, commands
    that say warn stay carried out, commands that say reject are refused with E-EQUITY-VIOLATION; both get a row of
    `equity_warnings` per period: the first violation, and the payment that would cure all (R-EQT-15). As each refusal
    changes what the others leave, this goes on until no command is refused any more.
    """

    @wraps(process)
    def carry_out(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
        effects = process(book, commands, day, carrier)
        concerned = _with_warnings_on(book, periods_of(book, commands, day))
        if concerned.is_empty():
            return effects
        rejected = commands.clear()
        warnings = []
        while True:
            found = _violations(effects, concerned, commands, day)
            to_reject = found.filter(pl.col("on_equity_violation") == "reject")
            if to_reject.is_empty():
                break
            warnings.append(to_reject)
            is_rejected = pl.col("command_id").is_in(to_reject["command_id"].implode())
            rejected = pl.concat([rejected, commands.filter(is_rejected)])
            commands = commands.filter(~is_rejected)
            effects = Effects(book) if commands.is_empty() else process(book, commands, day, carrier)
        warnings.append(found)
        refused = Effects(effects.book, refused=(refused_commands(rejected, "E-EQUITY-VIOLATION"),))
        return effects.then(refused).recording(equity_warnings=_in_words(pl.concat(warnings)))

    return carry_out


def flagging(process: Process) -> Process:
    """The process of moves of items, which are never refused: one that leaves a violation by itself gets a flag.

    The flag is a row of `equity_warnings`. Each move is looked at as if it were the only one, and only the policy
    period of its item (R-EQT-17, R-ITM-49). Commands have item_key.
    """

    @wraps(process)
    def carry_out(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
        effects = process(book, commands, day, carrier)
        moved = _carried_out(effects, commands).select("command_id", "command_type", "item_key")
        moved = moved.with_row_index("move").with_columns(pl.col("move").cast(pl.Int64))
        items = effects.book["invoice_items"].select("item_key", "invoice_key")
        dates = effects.book["invoices"].select("invoice_key", "due_date")
        moved = moved.join(items, on="item_key", how="left").join(dates, on="invoice_key", how="left")
        found = violations_of_moves(book, moved.select("move", "item_key", "due_date"), day)
        flagged = moved.select("move", "command_id", "command_type", on_equity_violation=pl.lit("warn"))
        return effects.recording(equity_warnings=_in_words(flagged.join(found, on="move", how="inner").drop("move")))

    return carry_out


def _carried_out(effects: Effects, commands: pl.DataFrame) -> pl.DataFrame:
    """The commands that were not refused."""
    refused = pl.concat([frame["record_id"] for frame in effects.refused] or [pl.Series(dtype=pl.String)])
    return commands.filter(~pl.col("command_id").is_in(refused.implode()))


def _with_warnings_on(book: Book, concerned: pl.DataFrame) -> pl.DataFrame:
    """The periods concerned whose equity warnings are on (R-EQT-14, R-EQT-18)."""
    periods = book["policy_periods"].filter(pl.col("period_key").is_in(concerned["period_key"].implode()))
    return concerned.join(periods.filter("has_equity_warnings"), on="period_key", how="semi", maintain_order="left")


def _violations(effects: Effects, concerned: pl.DataFrame, commands: pl.DataFrame, day: date) -> pl.DataFrame:
    """The violations of the periods concerned after these effects, per command that was carried out."""
    carried = _carried_out(effects, commands).select("command_id", "command_type", "on_equity_violation")
    left = concerned.join(carried, on="command_id", how="inner", maintain_order="left")
    found = first_violations(effects.book, left["period_key"], day)
    return left.join(found, on="period_key", how="inner", maintain_order="left")


def _in_words(violations: pl.DataFrame) -> pl.DataFrame:
    """Rows of `equity_warnings`, in order of command and period."""
    is_rejected = pl.col("on_equity_violation") == "reject"
    outcome = pl.when(is_rejected).then(pl.lit("rejected")).otherwise(pl.lit("warned"))
    return violations.with_columns(outcome=outcome).drop("on_equity_violation").sort("command_id", "period_key")
