"""What must hold of the whole ledger, each as one question to the published catalogue whose answer must be empty.

A close proves its own day before the day is kept (`ledger.contracts`). These statements recompute everything from the
stored lines, in another engine and without looking at how the lines came about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from pandera.errors import SchemaErrors

from schemas.book import BOOK_TABLES
from schemas.journal import EVENT_TABLES
from warehouse.catalogue import connect
from warehouse.storage import Home, Store

_SHOWN = 5
_MOST_TEXT = 300
_SIGNED = "CASE side WHEN 'D' THEN amount ELSE -amount END"
_RECEIVABLE = "t_account_pattern IN ('<Charge Pattern> Unbilled', '<Charge Pattern> Billed', '<Charge Pattern> Due')"


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule, the table that it is about, what holds in words, and the SELECT of the keys for which it does not.

    `$first` and `$last` in the SELECT are business dates: a statement on days looks at those only.
    """

    rule: str
    name: str
    table: str
    sentence: str
    violations: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold: how often, and the first few keys."""

    invariant: Invariant
    count: int
    keys: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.keys) + (", ..." if self.count > len(self.keys) else "")
        return f"{self.invariant.rule}: not so that {self.invariant.sentence} ({self.count} times: {shown})"


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        rule="I-01",
        name="debits_equal_credits",
        table="journal",
        sentence="the debits of every transaction equal its credits, in one currency",
        violations=f"""
            SELECT transaction_key AS key FROM stored.journal WHERE business_date BETWEEN $first AND $last
            GROUP BY transaction_key HAVING sum({_SIGNED}) <> 0 OR count(DISTINCT currency) <> 1
        """,
    ),
    Invariant(
        rule="I-09",
        name="lines_are_numbered_once",
        table="journal",
        sentence="the lines of a transaction are numbered from 1 without gap or repetition, on one business date",
        violations="""
            SELECT transaction_key AS key FROM stored.journal WHERE business_date BETWEEN $first AND $last
            GROUP BY transaction_key
            HAVING max(line_no) <> count(*) OR count(DISTINCT line_no) <> count(*) OR count(DISTINCT business_date) <> 1
        """,
    ),
    Invariant(
        rule="I-16",
        name="subledger_ties_to_ledger",
        table="invoice_items",
        sentence="Unbilled, Billed and Due of every charge pattern are what the invoice items say",
        violations=f"""
            WITH items AS (
                SELECT charge_pattern, item.currency, amount, paid,
                    CASE WHEN bill_date > through THEN 'Unbilled'
                         WHEN due_date + CAST(invoice_due_lag_days AS INTEGER) > through THEN 'Billed'
                         ELSE 'Due' END AS t_account
                FROM stored.invoice_items AS item JOIN stored.invoices USING (invoice_key) CROSS JOIN stored.settings
            ),
            differences AS (
                SELECT charge_pattern, currency, t_account, amount AS difference FROM items
                UNION ALL SELECT charge_pattern, currency, 'Due', -paid FROM items
                UNION ALL
                SELECT charge_pattern, currency, replace(t_account_pattern, '<Charge Pattern> ', ''), -({_SIGNED})
                FROM stored.journal WHERE {_RECEIVABLE}
            )
            SELECT charge_pattern || ' ' || t_account || ' ' || currency AS key FROM differences
            GROUP BY charge_pattern, currency, t_account HAVING sum(difference) <> 0
        """,
    ),
    Invariant(
        rule="I-15",
        name="receivables_are_what_is_not_paid",
        table="charges",
        sentence="Unbilled + Billed + Due of every charge is its amount less what has been paid",
        violations=f"""
            WITH differences AS (
                SELECT charge_key, amount AS difference FROM stored.charges
                UNION ALL SELECT charge_key, -paid FROM stored.invoice_items
                UNION ALL SELECT charge_key, -({_SIGNED}) FROM stored.journal WHERE {_RECEIVABLE}
            )
            SELECT charge_key AS key FROM differences GROUP BY charge_key HAVING sum(difference) <> 0
        """,
    ),
    Invariant(
        rule="I-14",
        name="items_sum_to_their_charge",
        table="charges",
        sentence="the items of every charge sum to its amount",
        violations="""
            WITH differences AS (
                SELECT charge_key, amount AS difference FROM stored.charges
                UNION ALL SELECT charge_key, -amount FROM stored.invoice_items
            )
            SELECT charge_key AS key FROM differences GROUP BY charge_key HAVING sum(difference) <> 0
        """,
    ),
    Invariant(
        rule="I-21",
        name="no_item_is_overpaid",
        table="invoice_items",
        sentence="no item is paid beyond its amount or against its sign",
        violations="""
            SELECT item_key AS key FROM stored.invoice_items
            WHERE paid NOT BETWEEN least(amount, 0) AND greatest(amount, 0)
        """,
    ),
    Invariant(
        rule="I-28",
        name="paid_is_what_was_applied",
        table="invoice_items",
        sentence="what an item says is paid is the sum of what was applied to it",
        violations="""
            WITH differences AS (
                SELECT item_key, paid AS difference FROM stored.invoice_items
                UNION ALL SELECT item_key, -amount FROM stored.payment_items
            )
            SELECT item_key AS key FROM differences GROUP BY item_key HAVING sum(difference) <> 0
        """,
    ),
    Invariant(
        rule="I-30",
        name="funds_tie_to_ledger",
        table="funds",
        sentence="every unapplied fund holds what its T-account says",
        violations=f"""
            WITH differences AS (
                SELECT fund_key, balance AS difference FROM stored.funds
                UNION ALL
                SELECT CASE WHEN fund_policy_key > 0 THEN fund_policy_key * 2 + 1 ELSE owner_key * 2 END, {_SIGNED}
                FROM stored.journal
                WHERE t_account_pattern IN ('Unapplied', 'Designated Unapplied') AND owner_type = 'Account'
            )
            SELECT fund_key AS key FROM differences GROUP BY fund_key HAVING sum(difference) <> 0
        """,
    ),
    Invariant(
        rule="I-24",
        name="no_payment_is_applied_twice",
        table="payments",
        sentence="no payment has paid more than was received",
        violations="""
            SELECT payment_key AS key FROM stored.payment_items JOIN stored.payments USING (payment_key)
            GROUP BY payment_key, payments.amount HAVING sum(payment_items.amount) > payments.amount
        """,
    ),
    Invariant(
        rule="I-39",
        name="in_is_booked_or_quarantined",
        table="quarantine",
        sentence="rows and amounts of every landing file are booked, repetitions, or in quarantine",
        violations="""
            SELECT file AS key FROM stored.intake
            WHERE business_date BETWEEN $first AND $last
              AND (rows_in <> rows_booked + rows_duplicate + rows_quarantined
                   OR amount_in <> amount_booked + amount_duplicate + amount_quarantined)
        """,
    ),
)
"""Every invariant, in the order in which they are checked."""


def findings(
    home: Home, first: date = date.min, last: date = date.max, invariants: Sequence[Invariant] = INVARIANTS
) -> list[Finding]:
    """The invariants that do not hold of the published days; statements on days look at `first` to `last` only.

    Raises CatalogueError when nothing has been published.
    """
    with connect(home.root) as connection:
        found = []
        for invariant in invariants:
            dates = {"first": first, "last": last} if "$first" in invariant.violations else {}
            query = f"SELECT CAST(key AS VARCHAR) FROM ({invariant.violations}) ORDER BY key"
            keys = [key for (key,) in connection.execute(query, dates).fetchall()]
            if keys:
                found.append(Finding(invariant, len(keys), tuple(keys[:_SHOWN])))
        return found


@dataclass(frozen=True, slots=True)
class Checked:
    """What a full check of a home found: how many files were hashed, and a sentence for everything wrong."""

    files: int
    sentences: tuple[str, ...]


def check_home(home: Home) -> Checked:
    """Hash every committed file, follow the manifests, hold every table to its contract, recompute every invariant.

    The last two are left out when files are damaged: their answers could not be trusted.
    """
    store = Store(home)
    damaged = [f"{problem.code}: {problem.message}" for problem in store.verify()]
    if damaged:
        return Checked(0, tuple(damaged))
    commits = store.chain().commits
    files = len(commits) + sum(len(commit.parts) for commit in commits)
    fresh = store.chain().fresh_days()
    if not fresh:
        return Checked(files, ())
    return Checked(files, (*broken_contracts(store), *(str(finding) for finding in findings(home))))


def broken_contracts(store: Store) -> Iterator[str]:
    """A sentence for every table of the stored days that breaks its declared contract, values and keys included."""
    book = store.load_book(store.chain().fresh_days()[-1].business_date)
    for table in (*BOOK_TABLES, *EVENT_TABLES):
        rows = book[table.name] if table.kind == "state" else store.read(table.name)
        try:
            table.validate(rows)
        except (SchemaErrors, ValueError) as error:
            yield f"{table.name} breaks its contract: {' '.join(str(error).split())[:_MOST_TEXT]}"
