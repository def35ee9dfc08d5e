"""What must hold of the whole ledger, each as one question to the published catalogue whose answer must be empty.

A close proves its own day before the day is kept (`ledger.contracts`). These statements recompute everything from the
stored lines, in another engine and without looking at how the lines came about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
from pandera.errors import SchemaErrors

from assets.finance_invariants import FINANCE_INVARIANTS
from assets.invariant import SIGNED, Invariant, unequal
from schemas.book import BOOK_TABLES
from schemas.journal import EVENT_TABLES
from warehouse.catalogue import connect
from warehouse.storage import Home, Store

_SHOWN = 5
_MOST_TEXT = 300
_RECEIVABLE = "t_account_pattern IN ('<Charge Pattern> Unbilled', '<Charge Pattern> Billed', '<Charge Pattern> Due')"


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
            GROUP BY transaction_key HAVING sum({SIGNED}) <> 0 OR count(DISTINCT currency) <> 1
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
        sentence="Unbilled, Billed and Due of every charge pattern are what items say by the status of their invoices",
        violations=f"""
            WITH differences AS (
                SELECT charge_pattern, currency, receivable AS t_account, amount AS difference FROM stored.item_status
                UNION ALL SELECT charge_pattern, currency, 'Due', -paid - written_off FROM stored.item_status
                UNION ALL
                SELECT charge_pattern, currency, replace(t_account_pattern, '<Charge Pattern> ', ''), -({SIGNED})
                FROM stored.journal WHERE {_RECEIVABLE}
            )
            SELECT charge_pattern || ' ' || t_account || ' ' || currency AS key FROM differences
            GROUP BY charge_pattern, currency, t_account HAVING sum(difference) <> 0
        """,
    ),
    Invariant(
        rule="I-15",
        name="receivables_are_what_is_open",
        table="charges",
        sentence="Unbilled + Billed + Due of every charge is its amount less what has been paid or written off",
        violations=unequal(
            "SELECT charge_key AS key, amount FROM stored.charges",
            "SELECT charge_key, -paid - written_off FROM stored.invoice_items",
            f"SELECT charge_key, -({SIGNED}) FROM stored.journal WHERE {_RECEIVABLE}",
        ),
    ),
    Invariant(
        rule="I-14",
        name="items_sum_to_their_charge",
        table="charges",
        sentence="the items of every charge sum to its amount",
        violations=unequal(
            "SELECT charge_key AS key, amount FROM stored.charges",
            "SELECT charge_key, -amount FROM stored.invoice_items",
        ),
    ),
    Invariant(
        rule="I-21",
        name="no_item_is_overpaid",
        table="invoice_items",
        sentence="no item is paid or written off beyond its amount or against its sign",
        violations="""
            SELECT item_key AS key FROM stored.invoice_items
            WHERE paid NOT BETWEEN least(amount, 0) AND greatest(amount, 0)
                OR written_off NOT BETWEEN least(amount, 0) AND greatest(amount, 0)
                OR paid + written_off NOT BETWEEN least(amount, 0) AND greatest(amount, 0)
        """,
    ),
    Invariant(
        rule="I-17",
        name="items_are_on_invoices_of_their_payer",
        table="invoice_items",
        sentence="every item of more or less than zero is on an invoice that stands, of the account that pays it",
        violations="""
            SELECT item_key AS key FROM stored.invoice_items AS item
            LEFT JOIN stored.invoice_status AS invoice USING (invoice_key)
            WHERE item.amount <> 0 AND invoice.account_key IS DISTINCT FROM item.account_key
        """,
    ),
    Invariant(
        rule="I-28",
        name="paid_is_what_was_applied",
        table="invoice_items",
        sentence="what an item says is paid or written off is the sum of its payment items or write-off items",
        violations="""
            WITH differences AS (
                SELECT item_key, 'paid' AS kind, paid AS difference FROM stored.invoice_items
                UNION ALL SELECT item_key, 'paid', -amount FROM stored.payment_items
                UNION ALL SELECT item_key, 'written off', written_off FROM stored.invoice_items
                UNION ALL SELECT item_key, 'written off', -amount FROM stored.write_off_items
            )
            SELECT item_key AS key FROM differences GROUP BY item_key, kind HAVING sum(difference) <> 0
        """,
    ),
    Invariant(
        rule="I-28",
        name="what_is_taken_back_stood",
        table="payment_items",
        sentence="what takes a payment or write-off item back names one that stood, and takes it whole",
        violations="""
            WITH parts AS (
                SELECT payment_item_key AS key, reverses_payment_item_key AS reverses, item_key, payment_key, amount
                FROM stored.payment_items
                UNION ALL
                SELECT write_off_item_key, reverses_write_off_item_key, item_key, -1, amount FROM stored.write_off_items
            )
            SELECT part.key FROM parts AS part
            LEFT JOIN parts AS original
                ON original.key = part.reverses AND original.item_key = part.item_key
                AND original.payment_key = part.payment_key AND original.amount = -part.amount AND original.reverses = 0
            WHERE part.reverses <> 0
            QUALIFY original.key IS NULL OR count(*) OVER (PARTITION BY part.reverses, part.payment_key) > 1
        """,
    ),
    Invariant(
        rule="I-30",
        name="funds_tie_to_ledger",
        table="funds",
        sentence="every unapplied fund holds what its T-account says",
        violations=unequal(
            "SELECT fund_key AS key, balance AS amount FROM stored.funds",
            f"""
            SELECT CASE WHEN fund_policy_key > 0 THEN fund_policy_key * 2 + 1 ELSE owner_key * 2 END, {SIGNED}
            FROM stored.journal
            WHERE t_account_pattern IN ('Unapplied', 'Designated Unapplied') AND owner_type = 'Account'
            """,
        ),
    ),
    Invariant(
        rule="R-AHC-4",
        name="credits_stand_as_posted",
        table="ad_hoc_credits",
        sentence="what is posted of the ad hoc credits of an account and type is what stands of them",
        violations=unequal(
            """
            SELECT account_key || ' ' || credit_type || ' Credit' AS key, amount FROM stored.ad_hoc_credits
            WHERE status IN ('Executed', 'ReversalPendingApproval')
            """,
            f"""
            SELECT owner_key || ' ' || t_account_pattern, -({SIGNED}) FROM stored.journal
            WHERE transaction_type IN
                ('AccountGoodwillTxn', 'AccountInterestTxn', 'AccountCollectionTxn', 'AccountOtherTxn')
                AND t_account_pattern LIKE '% Credit'
            """,
        ),
    ),
    Invariant(
        rule="A-9",
        name="disbursements_are_posted_as_paid",
        table="disbursements",
        sentence="what is posted of the disbursements of an account or suspense payment is what was paid",
        violations=unequal(
            """
            SELECT CASE WHEN payment_key > 0 THEN 'payment ' || payment_key ELSE 'account ' || account_key END AS key,
                amount
            FROM stored.disbursements WHERE status = 'Sent'
            """,
            f"""
            SELECT CASE WHEN owner_type = 'Account' THEN 'account ' ELSE 'payment ' END || owner_key, {SIGNED}
            FROM stored.journal
            WHERE transaction_type IN ('DisbursementPaid', 'SuspPymtDisbPaid') AND t_account_pattern = 'Cash'
            """,
        ),
    ),
    Invariant(
        rule="R-DSB-2",
        name="what_is_paid_out_was_approved",
        table="disbursements",
        sentence="only surplus that a billing plan pays out by itself leaves without approval",
        violations="""
            SELECT disbursement_key AS key FROM stored.disbursements
            WHERE status IN ('Sent', 'Voided') AND approved_date IS NULL AND origin <> 'Automatic'
        """,
    ),
    Invariant(
        rule="I-24",
        name="no_payment_is_applied_twice",
        table="payments",
        sentence="no payment has paid more than was received, nor had more taken back than it paid",
        violations="""
            SELECT payment_key AS key FROM stored.payment_items JOIN stored.payments USING (payment_key)
            GROUP BY payment_key, payments.amount HAVING sum(payment_items.amount) NOT BETWEEN 0 AND payments.amount
        """,
    ),
    Invariant(
        rule="I-39",
        name="in_is_booked_or_quarantined",
        table="quarantine",
        sentence="rows and amounts of every landing file are booked, repetitions, in quarantine, or waiting",
        violations="""
            SELECT file AS key FROM stored.intake
            WHERE business_date BETWEEN $first AND $last
              AND (rows_in <> rows_booked + rows_duplicate + rows_quarantined + rows_pending
                   OR amount_in <> amount_booked + amount_duplicate + amount_quarantined + amount_pending)
        """,
    ),
    *FINANCE_INVARIANTS,
)
"""Every invariant, in the order in which they are checked."""


def findings(
    home: Home, first: date = date.min, last: date = date.max, invariants: Sequence[Invariant] = INVARIANTS
) -> list[Finding]:
    """The invariants that do not hold of the published days; statements on days look at `first` to `last` only.

    One that cannot be asked, as of amounts in a currency that no account has, does not hold: its key is why. Raises
    CatalogueError when nothing has been published.
    """
    with connect(home.root) as connection:
        found = []
        for invariant in invariants:
            dates = {"first": first, "last": last} if "$first" in invariant.violations else {}
            query = f"SELECT CAST(key AS VARCHAR) FROM ({invariant.violations}) ORDER BY key"
            try:
                keys = [key for (key,) in connection.execute(query, dates).fetchall()]
            except duckdb.Error as error:
                keys = [str(error)]
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
    files = len(commits) + sum(len(commit.parts) for commit in commits if commit.kind != "retention")
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
