"""Commands about payments: taken back, moved to another account or to suspense, corrected (R-PMV-01..14)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.account_charges import charge_accounts
from ledger.book import Book, default_fund_key
from ledger.carrier import Carrier
from ledger.commands.refusals import split_refused
from ledger.effects import Effects
from ledger.money import minor_units
from ledger.parsing import decimals_of
from ledger.payment_details import change_details
from ledger.payments import distribute_payments_anew
from ledger.reversals import receive_instead, reverse_receipts

_NSF = "insufficient_funds"
_OF_PAYMENT = (
    "status", "version", "payment_date", "method", "reference", "comment", "fund_key", "payment_id", "amount",
    "currency",
)  # fmt: skip
_ASSOCIATION = ("policy_key", "period_key", "invoice_key")


def reverse_payments(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take payments back; where the billing plan of the account has a fee for want of funds, it is charged.

    In: commands with payment_key, reversal_reason and amount (text, the whole payment where it is given). A payment is
    taken back once (R-PMV-09). Rules: R-PMV-05..09, R-SUS-09, R-BP-7, R-DBP-24.
    """
    right, refused = split_refused(
        _with_payments(book, commands),
        {"E-PAYMENT-STATUS": ~_is_live(suspended=True), "E-REVERSAL-AMOUNT": _is_other_amount(commands)},
    )
    reversals = right.select("payment_key", "reversal_reason", new_status=pl.lit("reversed"))
    effects = Effects(book, refused=(refused,)).then(reverse_receipts(book, reversals, day))
    bounced = right.filter((pl.col("reversal_reason") == _NSF) & (pl.col("account_key") > 0))
    fees = carrier.billing_plan_frame().select("billing_plan", amount="payment_reversal_fee")
    accounts = effects.book["accounts"].select("account_key", "billing_plan")
    owed = (
        bounced.select("account_key", "currency")
        .join(accounts, on="account_key", how="left", maintain_order="left")
        .join(fees, on="billing_plan", how="left", maintain_order="left")
        .filter(pl.col("amount") > 0)
        .with_columns(
            charge_pattern=pl.lit(carrier.payment_reversal_fee_pattern), context=pl.lit("payment_reversal_fee")
        )
    )
    return effects.then(charge_accounts(effects.book, owed, day, carrier))


def move_to_accounts(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take payments back from their account and receive them for another one, date and method kept.

    In: commands with payment_key, account_id, description, distribute. Rules: R-PMV-01, R-PMV-02, R-PMV-04, T-07.
    """
    accounts = book["accounts"].filter(pl.col("account_id").is_in(commands["account_id"].implode()))
    target = accounts.select("account_id", to_account_key="account_key", to_currency="currency")
    wanted = _with_payments(book, commands).join(target, on="account_id", how="left", maintain_order="left")
    right, refused = split_refused(
        wanted,
        {
            "E-PAYMENT-STATUS": ~_is_live(),
            "E-TARGET-UNKNOWN": pl.col("to_account_key").is_null(),
            "E-PAYMENT-MOVE": (pl.col("to_account_key") == pl.col("account_key"))
            | (pl.col("to_currency") != pl.col("currency")),
        },
    )
    moved = right.select("payment_key", reversal_reason=pl.lit("payment_moved"), new_status=pl.lit("moved"))
    effects = Effects(book, refused=(refused,)).then(reverse_receipts(book, moved, day))
    new = _copies(book, right).with_columns(
        account_key="to_account_key",
        fund_key=default_fund_key(pl.col("to_account_key")),
        distribute="new_distribute",
        comment=pl.coalesce("description", "comment"),
        status=pl.lit("executed"),
    )
    received, keys = receive_instead(effects.book, new, day)
    effects = effects.then(received)
    return _distributed(effects, keys, day, carrier)


def move_to_suspense(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Take payments back from their account and hold them as suspense payments (R-PMV-03, T-06).

    In: commands with payment_key, account_number, policy_number, description; numbers are noted, not looked up, and one
    of them at most (R-SUS-03).
    """
    del carrier
    both = pl.col("account_number").is_not_null() & pl.col("policy_number").is_not_null()
    right, refused = split_refused(
        _with_payments(book, commands), {"E-PAYMENT-STATUS": ~_is_live(), "E-SUSPENSE-TARGET": both}
    )
    moved = right.select("payment_key", reversal_reason=pl.lit("payment_moved"), new_status=pl.lit("moved"))
    effects = Effects(book, refused=(refused,)).then(reverse_receipts(book, moved, day))
    new = _copies(book, right).with_columns(
        account_key=pl.lit(0, pl.Int64),
        fund_key=pl.lit(0, pl.Int64),
        kind=pl.lit("suspense"),
        account_id="account_number",
        policy_id="policy_number",
        comment=pl.coalesce("description", "comment"),
        status=pl.lit("suspended"),
    )
    received, _ = receive_instead(effects.book, new, day)
    return effects.then(received)


def modify_details(book: Book, commands: pl.DataFrame, day: date, carrier: Carrier) -> Effects:
    """Correct payments: another amount or method is a new version, not distributed; other fields change in place.

    The new version is for what the old one was for.
    In: commands with payment_key, amount (text), method, reference, description. Rules: R-PMV-10, R-PMV-11.
    """
    del carrier
    wanted = _with_payments(book, commands).with_columns(new_amount=minor_units(pl.col("amount"), pl.col("decimals")))
    right, refused = split_refused(
        wanted,
        {
            "E-PAYMENT-STATUS": ~_is_live(),
            "E-AMOUNT-UNREADABLE": pl.col("amount").is_not_null() & pl.col("new_amount").is_null(),
            "E-PAYMENT-AMOUNT": pl.col("new_amount") <= 0,
        },
    )
    is_other_method = pl.col("method").is_not_null() & pl.col("method").ne_missing(pl.col("known_method"))
    is_new_version = (pl.col("new_amount") != pl.col("known_amount")).fill_null(value=False) | is_other_method
    in_place = right.filter(~is_new_version).sort("row")
    book = change_details(
        book,
        in_place["row"],
        {
            "reference": in_place.select(pl.coalesce("reference", "known_reference")).to_series(),
            "comment": in_place.select(pl.coalesce("description", "known_comment")).to_series(),
        },
    )
    anew = right.filter(is_new_version)
    replaced = anew.select("payment_key", reversal_reason=pl.lit("payment_modified"), new_status=pl.lit("superseded"))
    effects = Effects(book, refused=(refused,)).then(reverse_receipts(book, replaced, day))
    new = _copies(book, anew, keep_association=True).with_columns(
        amount=pl.coalesce("new_amount", "amount"),
        method=pl.coalesce("new_method", "method"),
        reference=pl.coalesce("new_reference", "reference"),
        comment=pl.coalesce("description", "comment"),
        version=pl.col("version") + 1,
        distribute=pl.lit("none"),
        status=pl.lit("executed"),
    )
    received, _ = receive_instead(effects.book, new, day)
    return effects.then(received)


def _is_other_amount(commands: pl.DataFrame) -> pl.Expr:
    """Whether a command says another amount than its payment has."""
    if commands["amount"].null_count() == commands.height:
        return pl.lit(value=False)
    said = minor_units(pl.col("amount"), decimals_of(pl.col("known_currency")))
    return pl.col("amount").is_not_null() & said.ne_missing(pl.col("known_amount"))


def _is_live(*, suspended: bool = False) -> pl.Expr:
    """Whether a payment stands: received from an account, or in suspense or sent back from it where that counts."""
    return pl.col("known_status").is_in(["executed", "suspended", "disbursed"] if suspended else ["executed"])


def _with_payments(book: Book, commands: pl.DataFrame) -> pl.DataFrame:
    """The commands with the place of their payment in the book and what it has, named known_..."""
    keys = commands["payment_key"].implode()
    payments = book["payments"].with_row_index("row").filter(pl.col("payment_key").is_in(keys))
    known = payments.select(
        "row",
        "payment_key",
        *(pl.col(name).alias(f"known_{name}") for name in _OF_PAYMENT if name != "status"),
        known_status=pl.col("status").cast(pl.String),
    )
    return commands.join(known, on="payment_key", how="left", maintain_order="left")


def _copies(book: Book, commands: pl.DataFrame, *, keep_association: bool = False) -> pl.DataFrame:
    """Rows of payments in the place of those of these commands; what is new is named new_...

    They are for nothing in particular, unless they are to keep what the payments were for.
    """
    asked = commands.select(
        "payment_key",
        *(
            name
            for name in ("to_account_key", "account_number", "policy_number", "description", "new_amount")
            if name in commands.columns
        ),
        *(
            pl.col(name).alias(f"new_{name}")
            for name in ("distribute", "method", "reference")
            if name in commands.columns
        ),
        new_id=pl.concat_str("known_payment_id", pl.lit("/"), "command_id"),
    )
    rows = book["payments"].join(asked, on="payment_key", how="inner", maintain_order="left")
    return rows.with_columns(
        pl.col("status", "distribute", "kind").cast(pl.String),
        from_payment_key="payment_key",
        payment_id="new_id",
        **{} if keep_association else dict.fromkeys(_ASSOCIATION, pl.lit(0, pl.Int64)),
    )


def _distributed(effects: Effects, payment_keys: pl.Series, day: date, carrier: Carrier) -> Effects:
    """These effects, and the distribution of the new payments that are to be distributed at once."""
    payments = effects.book["payments"].filter(
        pl.col("payment_key").is_in(payment_keys.implode()) & (pl.col("distribute") == "auto")
    )
    done = distribute_payments_anew(effects.book, payments, day, carrier)
    return effects.then(Effects(done.book, (done.transactions,)))


PROCESSES = {
    "reverse_payment": reverse_payments,
    "move_payment_to_account": move_to_accounts,
    "move_payment_to_suspense": move_to_suspense,
    "modify_payment_details": modify_details,
}
"""Which process carries out which command."""
