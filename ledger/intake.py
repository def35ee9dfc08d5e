"""Intake: from the raw landing rows of a day to rows that may be booked, rows seen before and rows refused.

Pure and set by set. A row is read, checked against itself, the carrier's plans, the other rows of the day and what is
booked (`ledger.intake_checks`); the first broken check is its reason. The same id with the same contents again has no
effect; with other contents it is refused. An instruction is accepted with all its charges or not at all (R-BI-16). The
outcome depends on the rows only, not on their order or on how they are spread over files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

import polars as pl

from ledger import account_settings, payment_details
from ledger.accounts import with_defaults
from ledger.as_landed import as_landed
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.checks import said, text_of
from ledger.command_params import allowed_params, missing_param, params_are_wrong
from ledger.directions import DIRECTED
from ledger.intake_checks import is_old_payment
from ledger.intake_rows import NOTHING_REFUSED, REF, Tray, body_of, compare, rows_of, with_amounts
from ledger.list_bill import offered_plans
from ledger.money import minor_units
from ledger.parsing import decimals_of, modifiers_problem
from ledger.periods import NEW_PERIOD_TYPES
from ledger.quarantine import LANDED_SCHEMA, Accepted, complete_refused, counts, raw_rows
from schemas.commands import COMMAND_TYPES
from schemas.landing import ACCOUNTS, BILLING_INSTRUCTIONS, CHARGES, COMMANDS, LANDING_TABLES, PAYMENTS

__all__ = ["Accepted", "accept", "complete_refused", "counts", "raw_rows"]

_STATE_SCHEMA = pl.Schema(
    {
        "instruction_id": pl.String,
        "state": pl.String,
        "cause": pl.String,
        "instruction_type": pl.String,
        "account_id": pl.String,
        "account_currency": pl.String,
    }
)


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the rows of a day are held against: the book, the accounts that are known, the day and the carrier."""

    book: Book
    known: pl.DataFrame
    day: date
    carrier: Carrier


def accept(book: Book, inbox: Mapping[str, pl.DataFrame], day: date, carrier: Carrier) -> Accepted:
    """Decide what becomes of every landing row of a day.

    In: the book after the day before; per table the landed columns as text with file and row_no. Out: see `Accepted`.
    Payments get their defaults for kind, currency, payment date and distribute, accounts those of the carrier,
    instructions `sequence` and, on a new period, `period_start`. Never raises because of what a row holds.
    """
    rows = {table.name: rows_of(table, inbox, day) for table in LANDING_TABLES}
    if all(landed.is_empty() for landed in rows.values()):
        return _nothing_accepted()
    booked = _booked_accounts(book, rows)
    accounts = _take_accounts(rows["accounts"], booked, day, carrier)
    setting = _Setting(book, _known_accounts(booked, accounts.good), day, carrier)
    instructions = _take_instructions(rows["billing_instructions"], setting, accounts)
    charges = _take_charges(rows["charges"], setting, instructions)
    _refuse_incomplete(instructions, charges)
    payments = _take_payments(rows["payments"], setting)
    commands = _take_commands(rows["commands"], setting)
    trays = (accounts, instructions, charges, payments, commands)
    return Accepted(
        accounts=accounts.accepted(),
        billing_instructions=instructions.accepted(),
        charges=charges.accepted(),
        payments=payments.accepted(),
        commands=commands.accepted(),
        refused=pl.concat([NOTHING_REFUSED, *(frame for tray in trays for frame in tray.refused)]),
        warnings=pl.concat([NOTHING_REFUSED, *(frame for tray in trays for frame in tray.warned)]),
        duplicates=pl.concat([LANDED_SCHEMA.to_frame(), *(frame for tray in trays for frame in tray.duplicates())]),
        landed=pl.concat([tray.landed for tray in trays]),
    )


@cache
def _nothing_accepted() -> Accepted:
    none = {table.name: rows_of(table, {}, date.min).select(*table.column_names, *REF) for table in LANDING_TABLES}
    nothing = LANDED_SCHEMA.to_frame()
    return Accepted(**none, refused=NOTHING_REFUSED, warnings=NOTHING_REFUSED, duplicates=nothing, landed=nothing)


def _booked_accounts(book: Book, rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The booked accounts that today's rows name in any way."""
    named = pl.concat(
        [
            rows["accounts"]["account_id"],
            rows["accounts"]["parent_account_id"],
            rows["billing_instructions"]["account_id"],
            rows["billing_instructions"]["payer_account_id"],
            rows["charges"]["payer_account_id"],
            rows["payments"]["account_id"],
        ]
    ).unique()
    return book["accounts"].filter(pl.col("account_id").is_in(named.implode()))


def _known_accounts(booked: pl.DataFrame, landed: pl.DataFrame) -> pl.DataFrame:
    """Id, currency and kind of the accounts that are booked or were accepted today."""
    columns = ("account_id", pl.col("currency").alias("account_currency"), pl.col("account_type").alias("owner_type"))
    booked_ones = booked.select(columns).with_columns(pl.col("owner_type").cast(pl.String))
    return pl.concat([booked_ones, landed.select(columns)])


def _take_accounts(rows: pl.DataFrame, booked: pl.DataFrame, day: date, carrier: Carrier) -> Tray:
    """Accounts: a booked account that lands again changes nothing (R-ACC-03); parents must be known (R-ACC-05)."""
    tray = Tray(ACCOUNTS, rows, landed=with_amounts(rows, ACCOUNTS))
    if rows.is_empty():
        return tray
    body = body_of(ACCOUNTS)
    is_by_account = pl.col("invoice_by").fill_null(carrier.account_defaults.invoice_by) == "account"
    given = rows.with_columns(
        separate_funds_by=pl.when(is_by_account & (pl.col("separate_funds_by") == "policy"))
        .then(pl.lit("account"))
        .otherwise("separate_funds_by")
    )
    tray.good = compare(
        given, as_landed(booked, account_settings.CHANGEABLE, account_settings.LANDED), ACCOUNTS.key, body, silent=body
    )
    tray.put_aside_repeated()
    tray.good = _with_unknown_plan(tray.good, carrier)
    tray.check(carrier)
    tray.good = with_defaults(tray.good, day, carrier)
    tray.keep_one_per_key()
    if tray.good["parent_account_id"].null_count() < tray.good.height:
        is_rooted = _has_known_ancestors(tray.good, booked)
        tray.good = tray.good.with_columns(is_rooted)
        detail = said("parent_account_id {}", "parent_account_id")
        tray.refuse_some(~pl.col("is_rooted"), "E-PARENT-UNKNOWN", detail)
    return tray


def _with_unknown_plan(accounts: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Add `unknown_plan`: of the payment plans that an account offers, the first that the carrier does not have."""
    nothing = pl.lit(None, pl.String).alias("unknown_plan")
    if accounts["payment_plans"].null_count() == accounts.height:
        return accounts.with_columns(nothing)
    placed = accounts.with_row_index("place")
    unknown = offered_plans(placed, "place", carrier).filter(~pl.col("payment_plan").is_in(list(carrier.payment_plans)))
    first = unknown.group_by("place").agg(unknown_plan=pl.col("payment_plan").min())
    return placed.join(first, on="place", how="left", maintain_order="left").drop("place")


def _has_known_ancestors(accounts: pl.DataFrame, booked: pl.DataFrame) -> pl.Series:
    """Whether the parents of each account lead to an account without parent or to a booked one.

    Every round doubles how far up the tree it looks, so that a chain of any length takes few rounds; what has not come
    to an end by then goes in a circle.
    """
    end, nowhere = accounts.height, accounts.height + 1
    place = accounts.select("account_id", parent_place=pl.int_range(pl.len(), dtype=pl.Int64))
    parents = accounts.select("parent_account_id").join(
        place, left_on="parent_account_id", right_on="account_id", how="left", maintain_order="left"
    )
    is_end = pl.col("parent_account_id").is_null() | pl.col("parent_account_id").is_in(booked["account_id"].implode())
    above = parents.select(
        pl.when(is_end).then(end).otherwise(pl.col("parent_place").fill_null(nowhere)).cast(pl.Int64)
    ).to_series()
    above = pl.concat([above, pl.Series([end, nowhere], dtype=pl.Int64)])
    for _ in range(accounts.height.bit_length() + 1):
        above = above.gather(above)
    return (above.head(accounts.height) == end).alias("is_rooted")


def _take_instructions(rows: pl.DataFrame, setting: _Setting, accounts: Tray) -> Tray:
    """Instructions: an account that is not known is created (R-BI-10), unless its own row was refused today."""
    tray = Tray(BILLING_INSTRUCTIONS, rows, landed=with_amounts(rows, BILLING_INSTRUCTIONS))
    if rows.is_empty():
        return tray
    refused_accounts = pl.concat([NOTHING_REFUSED, *accounts.refused])["record_id"].drop_nulls().unique()
    is_new = pl.col("instruction_type").is_in(NEW_PERIOD_TYPES)
    is_open = pl.col(text_of("period_start")).is_null()
    given = rows.join(setting.known, on="account_id", how="left", maintain_order="left")
    given = _with_payers(given, setting).with_columns(
        sequence=pl.when(pl.col(text_of("sequence")).is_null()).then(0).otherwise("sequence"),
        period_start=pl.when(is_new & is_open).then("effective_date").otherwise("period_start"),
        modifiers_problem=pl.lit(None, pl.String)
        if rows["modifiers"].null_count() == rows.height
        else modifiers_problem(pl.col("modifiers")),
        is_account_refused=pl.col("account_currency").is_null()
        & pl.col("account_id").is_in(refused_accounts.implode()),
    )
    booked = _booked(setting.book, "instructions", "instruction_id", rows)
    tray.good = compare(given, booked, BILLING_INSTRUCTIONS.key, body_of(BILLING_INSTRUCTIONS))
    tray.put_aside_repeated()
    tray.check(setting.carrier)
    tray.keep_one_per_key()
    return tray


def _with_payers(rows: pl.DataFrame, setting: _Setting) -> pl.DataFrame:
    """Add `is_payer_known`, and `payer_currency` where another account than the owner is named as payer."""
    if rows["payer_account_id"].null_count() == rows.height:
        return rows.with_columns(is_payer_known=pl.lit(value=True), payer_currency=pl.lit(None, pl.String))
    payers = setting.known.select(payer_account_id="account_id", payer_currency="account_currency")
    is_owner = pl.col("payer_account_id").is_null() | (pl.col("payer_account_id") == pl.col("account_id"))
    return rows.join(payers, on="payer_account_id", how="left", maintain_order="left").with_columns(
        is_payer_known=is_owner.fill_null(value=False) | pl.col("payer_currency").is_not_null(),
        payer_currency=pl.when(~is_owner).then("payer_currency"),
    )


def _booked(book: Book, table: str, column: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a book table whose id landed again today."""
    return book[table].filter(pl.col(column).is_in(rows[column].implode()))


def _take_charges(rows: pl.DataFrame, setting: _Setting, instructions: Tray) -> Tray:
    """Charges: each belongs to an instruction accepted today; its amount is read in the currency of the account."""
    tray = Tray(CHARGES, rows, landed=with_amounts(rows.with_columns(amount=pl.lit(0, pl.Int64)), CHARGES))
    if rows.is_empty():
        return tray
    booked = _booked(setting.book, "instructions", "instruction_id", rows)
    currency = pl.coalesce("account_currency", pl.lit(setting.carrier.currency))
    states = _instruction_states(instructions, booked, setting.book)
    given = rows.join(states, on="instruction_id", how="left", maintain_order="left")
    given = _with_payers(given, setting).with_columns(
        currency=currency, amount=minor_units(pl.col(text_of("amount")), decimals_of(currency))
    )
    tray.landed = with_amounts(given, CHARGES)
    tray.good = compare(given, _booked_charges(setting.book, booked), CHARGES.key, body_of(CHARGES))
    tray.put_aside_repeated()
    tray.check(setting.carrier)
    is_late = pl.col("state") == "booked"
    tray.refuse_some(is_late, "E-INSTRUCTION-BOOKED", said("instruction_id {} was booked before", "instruction_id"))
    tray.keep_one_per_key()
    return tray


def _instruction_states(instructions: Tray, booked: pl.DataFrame, book: Book) -> pl.DataFrame:
    """What is known of the instructions that charges may name: accepted today, booked before, or refused today."""
    accepted = instructions.good
    states = [_STATES]
    if not accepted.is_empty():
        shown = accepted.select(name for name in _STATE_SCHEMA if name not in ("state", "cause"))
        states.append(
            shown.with_columns(state=pl.lit("accepted")).match_to_schema(_STATE_SCHEMA, missing_columns="insert")
        )
    if not booked.is_empty():
        currencies = book["accounts"].select("account_key", account_currency="currency")
        states.append(
            booked.join(currencies, on="account_key", how="left", maintain_order="left")
            .with_columns(state=pl.lit("booked"), cause=pl.lit(None, pl.String))
            .select(pl.col(name).cast(dtype) for name, dtype in _STATE_SCHEMA.items())
        )
    if instructions.refused:
        taken = pl.concat([frame["instruction_id"] for frame in states])
        states.append(
            pl.concat(instructions.refused)
            .filter(pl.col("record_id").is_not_null() & ~pl.col("record_id").is_in(taken.implode()))
            .group_by(instruction_id="record_id")
            .agg(cause=pl.col("code").min())
            .with_columns(state=pl.lit("refused"))
            .match_to_schema(_STATE_SCHEMA, missing_columns="insert")
        )
    return pl.concat(states)


def _booked_charges(book: Book, instructions: pl.DataFrame) -> pl.DataFrame:
    """The booked charges of these booked instructions, with the instruction's id."""
    if instructions.is_empty():
        return _NO_CHARGES
    keys = instructions.select("instruction_key", "instruction_id")
    charges = book["charges"].filter(pl.col("instruction_key").is_in(keys["instruction_key"].implode()))
    return charges.join(keys, on="instruction_key", how="left", maintain_order="left").select(CHARGES.column_names)


def _refuse_incomplete(instructions: Tray, charges: Tray) -> None:
    """An instruction with a charge that was refused is refused, and so are its other charges (R-BI-16).

    A charge that only repeats the id of another one does not count: the instruction has that charge.
    """
    if not charges.good.is_empty():
        same = ["instruction_id", "charge_pattern", "amount", "payer_account_id", "charge_group"]
        charges.good = charges.good.with_columns(is_twice=pl.struct(same).is_duplicated())
    if charges.refused:
        causes = (
            pl.concat(charges.refused)
            .filter(pl.col("code") != "E-ID-CONFLICT")
            .group_by(instruction_id="record_id")
            .agg(because=pl.concat_str("code", pl.lit(", "), "detail").min())
        )
        for tray, code, words in (
            (instructions, "E-CHARGE-REFUSED", "a charge was refused: {}"),
            (charges, "E-INSTRUCTION-REFUSED", "another charge of the instruction was refused: {}"),
        ):
            tray.good = tray.good.join(causes, on="instruction_id", how="left", maintain_order="left")
            tray.refuse_some(pl.col("because").is_not_null(), code, said(words, "because"))
    if not charges.good.is_empty():
        charges.warn(pl.col("is_twice"), "W-CHARGE-REPEATED", said("charge_no {} is not the only one", "charge_no"))


def _take_payments(rows: pl.DataFrame, setting: _Setting) -> Tray:
    """Payments: the amount is read in the currency of the row, else of its account or policy, else of the carrier."""
    tray = Tray(PAYMENTS, rows, landed=with_amounts(rows.with_columns(amount=pl.lit(0, pl.Int64)), PAYMENTS))
    if rows.is_empty():
        return tray
    currency = pl.coalesce("currency", "account_currency", pl.lit(setting.carrier.currency))
    given = _with_payer_currency(rows, setting).with_columns(
        amount=minor_units(pl.col(text_of("amount")), decimals_of(currency)),
        kind=pl.col("kind").fill_null("direct_bill"),
        distribute=pl.col("distribute").fill_null("auto"),
        is_wrong_distribution=params_are_wrong(pl.col("distribution"), DIRECTED)
        if rows["distribution"].null_count() < rows.height
        else pl.lit(value=False),
    )
    tray.landed = with_amounts(given, PAYMENTS)
    booked = _booked(setting.book, "payments", "payment_id", rows)
    booked = as_landed(booked, payment_details.CHANGEABLE, payment_details.LANDED)
    tray.good = compare(given, booked, PAYMENTS.key, body_of(PAYMENTS), silent=("currency", "payment_date"))
    tray.put_aside_repeated()
    is_open = pl.col(text_of("payment_date")).is_null()
    tray.good = tray.good.with_columns(
        currency=currency, payment_date=pl.when(is_open).then(pl.lit(setting.day)).otherwise("payment_date")
    )
    tray.check(setting.carrier)
    tray.keep_one_per_key()
    tray.warn(is_old_payment(), "W-PAYMENT-OLD", said("payment_date {}", "payment_date"))
    _warn_repeated_payments(tray, setting.book)
    return tray


def _with_payer_currency(payments: pl.DataFrame, setting: _Setting) -> pl.DataFrame:
    """Add `account_currency`: of the account that the payment names, else of the account that owns its policy."""
    named = payments.join(setting.known, on="account_id", how="left", maintain_order="left")
    only_policy = named.filter(pl.col("account_id").is_null())["policy_id"].drop_nulls()
    if only_policy.is_empty():
        return named
    owners = setting.book["policies"].filter(pl.col("policy_id").is_in(only_policy.implode()))
    accounts = setting.book["accounts"].filter(pl.col("account_key").is_in(owners["account_key"].implode()))
    currencies = owners.join(accounts, on="account_key").select("policy_id", owner_currency="currency")
    found = named.join(currencies, on="policy_id", how="left", maintain_order="left")
    of_owner = pl.when(pl.col("account_id").is_null()).then("owner_currency")
    return found.with_columns(account_currency=pl.coalesce("account_currency", of_owner)).drop("owner_currency")


def _warn_repeated_payments(tray: Tray, book: Book) -> None:
    """The same account, amount, date and reference under two ids may be the same money sent twice."""
    same = ["account_id", "amount", "payment_date", "reference"]
    is_told = pl.all_horizontal(pl.col("account_id", "reference").is_not_null())
    told = tray.good.filter(is_told).select("payment_id", *same)
    if told.is_empty():
        return
    booked = book["payments"].filter(
        pl.col("payment_date").is_in(told["payment_date"].unique().implode())
        & pl.col("reference").is_in(told["reference"].implode())
    )
    before = told.join(booked.select(same), on=same, how="semi")["payment_id"]
    today = told.filter(pl.struct(same).is_duplicated())["payment_id"]
    is_twice = pl.col("payment_id").is_in(pl.concat([before, today]).implode())
    tray.warn(is_twice, "W-PAYMENT-REPEATED", said("reference {} of account_id {}", "reference", "account_id"))


def _take_commands(rows: pl.DataFrame, setting: _Setting) -> Tray:
    """Commands: their parameters are checked here against the declaration of their type, what they name later."""
    tray = Tray(COMMANDS, rows, landed=with_amounts(rows, COMMANDS))
    if rows.is_empty():
        return tray
    checked = [
        _with_checked_params(of_kind, str(kind[0]))
        for kind, of_kind in rows.partition_by("command_type", as_dict=True).items()
    ]
    booked = _booked(setting.book, "commands", "command_id", rows)
    tray.good = compare(pl.concat(checked), booked, COMMANDS.key, body_of(COMMANDS))
    tray.put_aside_repeated()
    tray.check(setting.carrier)
    tray.keep_one_per_key()
    return tray


def _with_checked_params(commands: pl.DataFrame, command_type: str) -> pl.DataFrame:
    """Add `allowed`, the parameters that the type takes where those given are wrong, and `missing`, one that lacks."""
    kind = COMMAND_TYPES.get(command_type)
    if kind is None:
        return commands.with_columns(allowed=pl.lit(None, pl.String), missing=pl.lit(None, pl.String))
    params = pl.col("params")
    return commands.with_columns(
        allowed=pl.when(params_are_wrong(params, kind)).then(pl.lit(allowed_params(kind))),
        missing=missing_param(params, kind),
    )


_NO_CHARGES = CHARGES.empty()
_STATES = _STATE_SCHEMA.to_frame()
