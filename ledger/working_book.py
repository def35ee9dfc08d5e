"""The working book of a day: of the tables that grow with every year, the rows of the accounts that the day concerns.

A day concerns the accounts that something has landed for, those with a date that has come, and those with a credit,
money or a request that waits; and with each of them all that are tied to it (`ledger.account_groups`). No process of
the day can reach another one. So a day costs what happens in it, not what the book has gathered: periods that are
closed and paid for stay out of it, until something names them.

The other tables, which have a few rows per policy, are in every working book whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from ledger.account_groups import account_groups
from ledger.automatic_disbursements import accounts_with_surplus
from ledger.billing import accounts_with_turning_invoices
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.closure import accounts_with_expired_periods
from ledger.commands.targets import REFERENCE, find_targets
from ledger.disbursements import accounts_with_pending_disbursements
from ledger.payment_requests import accounts_with_requests
from ledger.quarantine import Accepted
from ledger.return_premiums import accounts_with_credits
from ledger.suspense import accounts_named_in_suspense
from schemas.versions import put_rows

_OF_EVERY_DAY = ("invoices", "invoice_items")
_OF_COMMANDS = ("payments", "payment_items", "write_off_items")
"""Tables that gain rows with every bill and payment; each has the account that pays. Only commands look through the
second ones: on other days they are in the working book whole, for nobody pays for that."""
SMALLEST_DIVIDED = 2**15
"""Invoice items that a book needs to have before finding the concerned ones is faster than taking them all."""
MOST_COMMANDS = 10_000
"""Commands of a day beyond which reading what they name costs more than it saves."""
_WORD = r'"[^"]*"|-?[0-9]+(?:\.[0-9]+)?'
_ESCAPE = "\\"
_IDS = (
    ("accounts", "account_id"),
    ("policies", "policy_id"),
    ("payments", "payment_id"),
    ("payments", "reference"),
    ("instructions", "instruction_id"),
    ("commands", "command_id"),
    ("suspense_items", "suspense_item_id"),
    ("disbursements", "disbursement_id"),
    ("ad_hoc_credits", "credit_id"),
    ("credit_distributions", "distribution_id"),
)
_NUMBERS = (
    ("invoice_streams", "stream_key"),
    ("invoices", "invoice_key"),
    ("charges", "charge_key"),
    ("invoice_items", "item_key"),
)


@dataclass(frozen=True, slots=True)
class WorkingBook:
    """The book that a day works on, and where its rows are in the whole one, by table; none where all are."""

    book: Book
    whole: Book
    places: Mapping[str, pl.Series]

    @classmethod
    def of_day(cls, whole: Book, landed: Accepted, day: date, carrier: Carrier) -> WorkingBook:
        """The working book of a day for which these rows were accepted."""
        book = whole.open_day()
        is_small = book["invoice_items"].height < SMALLEST_DIVIDED
        if is_small or landed.commands.height > MOST_COMMANDS:
            return cls(book, book, {})
        texts = _texts(book, landed)
        if texts.str.contains(_ESCAPE, literal=True).any():  # its words cannot be read off
            return cls(book, book, {})
        groups = account_groups(book, book.frames) if whole.groups is None else whole.groups
        whole = replace(book, groups=groups)
        is_concerned = _in_groups(groups, concerned_accounts(whole, landed, texts, day, carrier))
        divided = _OF_EVERY_DAY if landed.commands.is_empty() else (*_OF_EVERY_DAY, *_OF_COMMANDS)
        chosen = {table: is_concerned.gather(whole[table]["account_key"]) for table in divided}
        rows = {table: whole[table].filter(mask).rechunk() for table, mask in chosen.items()}
        part = replace(
            whole,
            frames={**whole.frames, **rows},
            opened_at={**whole.opened_at, **{table: frame.height for table, frame in rows.items()}},
            used_keys={table: whole.next_key(table) - 1 for table in divided},
        )
        return cls(part, whole, {table: mask.arg_true() for table, mask in chosen.items()})

    def put_back(self, book: Book, changes: Mapping[str, pl.DataFrame]) -> Book:
        """The whole book after the day. book: the working book after it; changes: what it added or changed."""
        if self.places:
            frames = {table: self._with_rows_of(book, table) for table in self.places}
            book = Book({**book.frames, **frames}, groups=book.groups)
        return book if book.groups is None else replace(book, groups=account_groups(book, changes, book.groups))

    def _with_rows_of(self, book: Book, table: str) -> pl.DataFrame:
        """A table of the whole book with what the working book has changed and added."""
        frame, changed = self.whole[table], book.changed(table)
        if len(changed):
            frame = put_rows(frame, self.places[table].gather(changed), book[table][changed])
        return frame.vstack(book.added(table))


def concerned_accounts(book: Book, landed: Accepted, texts: pl.Series, day: date, carrier: Carrier) -> pl.Series:
    """Keys of the accounts that a day concerns, some more than once: named by what landed, or due by themselves.

    texts: what the day's commands and payments say in words (`params`, `distribution`).
    """
    return pl.concat(
        [
            *_named_accounts(book, landed, texts),
            accounts_named_in_suspense(book),
            accounts_with_turning_invoices(book, day, carrier),
            accounts_with_requests(book, day),
            accounts_with_credits(book),
            accounts_with_surplus(book, carrier),
            accounts_with_pending_disbursements(book),
            accounts_with_expired_periods(book, day, carrier),
        ]
    )


def _in_groups(groups: pl.Series, account_keys: pl.Series) -> pl.Series:
    """Per account key whether one of these accounts is in its group; also for 0, which stands for nobody."""
    is_in = pl.repeat(value=False, n=len(groups), eager=True)
    is_in = is_in.scatter(groups.gather(account_keys.unique()), values=True).scatter(0, values=True)
    return is_in.gather(groups)


def _texts(book: Book, landed: Accepted) -> pl.Series:
    """What commands and payments of the day say in words, and directed payments of the book that it may take up.

    Money that waits in suspense, or that a command is about, may yet be distributed as its payment says.
    """
    payments = book["payments"].filter(pl.col("distribution").is_not_null())
    if not payments.is_empty():
        meant = find_targets(book, landed.commands)["payment_key"]
        is_taken_up = (pl.col("status") == "suspended") | pl.col("payment_key").is_in(meant.implode())
        payments = payments.filter(is_taken_up)
    texts = [landed.commands["params"], landed.payments["distribution"], payments["distribution"]]
    return pl.concat(texts).drop_nulls()


def _named_accounts(book: Book, landed: Accepted, texts: pl.Series) -> list[pl.Series]:
    """The accounts of everything that accepted rows and these texts name."""
    instructions, charges, payments = landed.billing_instructions, landed.charges, landed.payments
    accounts = [
        instructions["account_id"],
        instructions["payer_account_id"],
        charges["payer_account_id"],
        payments["account_id"],
    ]
    policies = [instructions["policy_id"], payments["policy_id"]]
    named = [
        _accounts_of(book, "accounts", "account_id", pl.concat(accounts)),
        _accounts_of(book, "policies", "policy_id", pl.concat(policies)),
        _accounts_of(book, "invoices", "invoice_key", _whole_numbers(payments["invoice_id"])),
    ]
    if landed.commands.is_empty() and texts.is_empty():
        return named
    targets = find_targets(book, landed.commands)["account_key"]
    references = landed.commands["target_id"].drop_nulls().str.strip_prefix(REFERENCE)
    words = pl.concat([texts.str.extract_all(_WORD).explode().drop_nulls().str.strip_chars('"'), references])
    numbers = _whole_numbers(words)
    return [
        *named,
        targets,
        *(_accounts_of(book, table, column, words) for table, column in _IDS),
        *(_accounts_of(book, table, column, numbers) for table, column in _NUMBERS),
    ]


def _whole_numbers(texts: pl.Series) -> pl.Series:
    return texts.str.strip_chars().cast(pl.Int64, strict=False)


def _accounts_of(book: Book, table: str, column: str, values: pl.Series) -> pl.Series:
    """The accounts of the rows with one of these values."""
    values = values.drop_nulls().unique()
    if values.is_empty():
        return pl.Series(dtype=pl.Int64)
    return book[table].filter(pl.col(column).is_in(values.implode()))["account_key"]
