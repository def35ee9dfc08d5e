"""The output contract: every view of the published catalogue, one declaration each.

The column types and comments in DuckDB and the data dictionary in `docs/` come from here. Internal keys do not appear:
reports show external ids, and text of the key where a thing has no external id. Money is declared with two decimals;
a catalogue that holds a currency with more publishes all of its money with that many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from schemas import book, enums, journal
from schemas.declare import Column, Table

MONEY = pl.Decimal(18, 2)
PERCENT = pl.Decimal(18, 2)


@dataclass(frozen=True)
class Report:
    """A view: what one row is, its columns, and by which dates its macro `<name>_as_of` can be asked."""

    name: str
    description: str
    columns: tuple[Column, ...]
    has_as_of: bool = True
    has_known_at: bool = False


def _text(name: str, description: str, *, nullable: bool = False, values: tuple[str, ...] | None = None) -> Column:
    return Column(name, pl.String, description, nullable=nullable, values=values)


def _date(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, pl.Date, description, nullable=nullable)


def _money(name: str, description: str) -> Column:
    return Column(name, MONEY, description, unit="currency")


def _count(name: str, description: str, unit: str | None = None, *, nullable: bool = False) -> Column:
    return Column(name, pl.Int64, description, unit=unit, nullable=nullable)


def _flag(name: str, description: str) -> Column:
    return Column(name, pl.Boolean, description)


def _stored(table: Table, *names: str) -> tuple[Column, ...]:
    """Columns shown as they are stored; words become text, minor units become money."""
    stored = {column.name: column for column in table.columns}
    return tuple(_shown(stored[name]) for name in names)


def _shown(column: Column) -> Column:
    shown: Any = column.dtype
    if isinstance(column.dtype, pl.Enum):
        shown = pl.String
    if column.unit == "minor units":
        return replace(column, dtype=MONEY, unit="currency", minimum=None)
    return replace(column, dtype=shown)


ACCOUNT_ID = _text("account_id", "Account.", nullable=True)
PAYER_ID = _text("account_id", "Account that pays.", nullable=True)
POLICY_ID = _text("policy_id", "Policy; none when no policy is concerned.", nullable=True)
TERM_NUMBER = _count("term_number", "Term of the policy; none when no policy period is concerned.", nullable=True)
CURRENCY = _text("currency", "ISO 4217 code of the amounts in the row.")
CHARGE_ID = _text("charge_id", "Charge.", nullable=True)
ITEM_ID = _text("item_id", "Invoice item.", nullable=True)
INVOICE_ID = _text("invoice_id", "Invoice.", nullable=True)
STATUS = _text("status", "Planned, Billed or Due on the day.", values=enums.INVOICE_STATUSES)
BILL_DATE = _date("bill_date", "Day on which the invoice is billed.")
DUE_DATE = _date("due_date", "Last day on which a payment is in time.")
OWNER = (
    _text("owner_type", "Kind of owner of the T-account.", values=enums.OWNER_TYPES),
    _text("owner_id", "Owner: the account, or policy and term joined by a slash."),
)
ITEM_MONEY = (
    _money("amount", "Amount."),
    _money("paid", "What payments and credits have paid of it."),
    _money("amount_due", "What is not paid, whatever the status (R-BAL-06)."),
)

ACCOUNTS = Report(
    name="accounts",
    description="Billing accounts.",
    columns=_stored(book.ACCOUNTS, *(name for name in book.ACCOUNTS.column_names if name != "account_key")),
)

POLICY_PERIODS = Report(
    name="policy_periods",
    description="Policy periods: one contract term of a policy.",
    columns=(
        _text("policy_id", "Policy."),
        _count("term_number", "Term of the policy."),
        _text("account_id", "Account that owns the policy.", nullable=True),
        *_stored(
            book.POLICY_PERIODS,
            *(name for name in book.POLICY_PERIODS.column_names if not name.endswith("_key") and name != "term_number"),
        ),
    ),
)

CHARGES = Report(
    name="charges",
    description="Charges: what is owed and why.",
    columns=(
        _text("charge_id", "Charge."),
        _text("instruction_id", "Instruction that carried it; none when billing raised it.", nullable=True),
        *_stored(book.CHARGES, "charge_no", "charge_pattern", "charge_subtype"),
        *OWNER,
        _text("account_id", "Account that owns the charge.", nullable=True),
        POLICY_ID,
        TERM_NUMBER,
        _text("payer_account_id", "Account that pays by default.", nullable=True),
        *_stored(book.CHARGES, "amount", "currency", "charge_date", "effective_date", "coverage_end"),
        *_stored(book.CHARGES, "context", "charge_group", "in_equity"),
    ),
)

INVOICES = Report(
    name="invoices",
    description="Invoices with their status on the day.",
    columns=(
        _text("invoice_id", "Invoice."),
        _text("stream_id", "Invoice stream."),
        PAYER_ID,
        _text("policy_id", "Policy; none when the invoice is shared by the account.", nullable=True),
        BILL_DATE,
        DUE_DATE,
        STATUS,
        _flag("is_ad_hoc", "Created outside the cadence."),
        CURRENCY,
        *ITEM_MONEY,
        _flag("is_paid", "Every item is fully paid; true without items (R-BAL-07)."),
    ),
)

INVOICE_ITEMS = Report(
    name="invoice_items",
    description="Invoice items: a part of a charge, on one invoice.",
    columns=(
        _text("item_id", "Invoice item."),
        CHARGE_ID,
        INVOICE_ID,
        PAYER_ID,
        *OWNER,
        POLICY_ID,
        TERM_NUMBER,
        *_stored(book.INVOICE_ITEMS, "charge_pattern", "priority", "is_recapture", "item_type", "installment_number"),
        *_stored(book.INVOICE_ITEMS, "event_date"),
        replace(BILL_DATE, nullable=True),
        replace(DUE_DATE, nullable=True),
        STATUS,
        *ITEM_MONEY,
        CURRENCY,
    ),
)

PAYMENTS = Report(
    name="payments",
    description="Money received. The ids are what was found; the landed ids are what the row named.",
    columns=(
        _text("payment_id", "Payment."),
        *_stored(book.PAYMENTS, "kind", "status", "amount"),
        _money("distributed", "What of it has been applied to invoice items."),
        *_stored(book.PAYMENTS, "currency", "payment_date", "received_date"),
        PAYER_ID,
        POLICY_ID,
        TERM_NUMBER,
        INVOICE_ID,
        *_stored(book.PAYMENTS, "distribute", "method", "reference", "producer_id"),
        _text("landed_account_id", "Account as landed.", nullable=True),
        _text("landed_policy_id", "Policy as landed.", nullable=True),
        _text("landed_invoice_id", "Invoice as landed.", nullable=True),
    ),
)

PAYMENT_ITEMS = Report(
    name="payment_items",
    description="What a payment, or a credit, paid of an invoice item.",
    columns=(
        journal.BUSINESS_DATE,
        _text("payment_item_id", "Payment item."),
        *_stored(journal.PAYMENT_ITEMS, "kind"),
        _text("payment_id", "Payment; none for credits and money already in the fund.", nullable=True),
        _text("credit_item_id", "Negative item that paid, or was paid off.", nullable=True),
        ITEM_ID,
        CHARGE_ID,
        PAYER_ID,
        _money("amount", "What was paid; negative on a negative item."),
        replace(CURRENCY, nullable=True),
    ),
)

FUNDS = Report(
    name="funds",
    description="Unapplied funds: money received and not yet applied.",
    columns=(
        ACCOUNT_ID,
        _text("policy_id", "Policy of a designated fund; none for the default fund.", nullable=True),
        *_stored(book.FUNDS, "balance", "currency"),
    ),
)

INVOICE_STREAMS = Report(
    name="invoice_streams",
    description="Invoice streams: the cadence of invoices of a payer, per policy or shared.",
    columns=(
        _text("stream_id", "Invoice stream."),
        PAYER_ID,
        _text("policy_id", "Policy; none when the stream is shared by the account.", nullable=True),
        *_stored(book.INVOICE_STREAMS, "periodicity", "anchor_date", "anchor_day", "second_anchor_day"),
        *_stored(book.INVOICE_STREAMS, "fix_invoices_on"),
    ),
)

JOURNAL = Report(
    name="journal",
    description="The double-entry journal: one row per line.",
    has_known_at=True,
    columns=(
        journal.BUSINESS_DATE,
        _text("transaction_id", "Transaction."),
        *_stored(journal.JOURNAL, "transaction_type", "line_no", "transaction_date"),
        *OWNER,
        _text("t_account", "Name of the T-account, such as Premium Billed."),
        *_stored(journal.JOURNAL, "account_type", "side", "amount", "currency"),
        ACCOUNT_ID,
        _text("policy_id", "Policy, or policy of the designated fund; none when none is concerned.", nullable=True),
        TERM_NUMBER,
        CHARGE_ID,
        ITEM_ID,
        _text("payment_id", "Payment.", nullable=True),
        _text("reverses_transaction_id", "Transaction that this one reverses.", nullable=True),
    ),
)

SIDES = (_money("debits", "Sum of the debit lines."), _money("credits", "Sum of the credit lines."))

T_ACCOUNT_BALANCES = Report(
    name="t_account_balances",
    description="T-accounts with lines in effect on the day, and their natural balances (R-LED-06).",
    has_known_at=True,
    columns=(
        *OWNER,
        _text("t_account", "Name of the T-account, such as Premium Billed."),
        _text("fund_policy_id", "Policy of a designated fund.", nullable=True),
        *_stored(journal.JOURNAL, "account_type"),
        CURRENCY,
        *SIDES,
        _money("balance", "Debits less credits on assets and expenses, else credits less debits."),
    ),
)

TRIAL_BALANCE = Report(
    name="trial_balance",
    description="T-accounts of the whole book by name; both balance columns add up alike (R-LED-22).",
    has_known_at=True,
    columns=(
        CURRENCY,
        *_stored(journal.JOURNAL, "account_type"),
        _text("t_account", "Name of the T-account, such as Premium Billed."),
        *SIDES,
        _money("debit_balance", "Debits less credits where that is more than zero."),
        _money("credit_balance", "Credits less debits where that is more than zero."),
    ),
)

ACCOUNT_INFO = Report(
    name="account_info",
    description="What is open on the charges that an account owns, by status of the invoices (R-BAL-08, R-BAL-11).",
    columns=(
        _text("account_id", "Account that owns the charges."),
        CURRENCY,
        _money("amount_due", "Not paid, on invoices that are Due."),
        _money("amount_billed", "Not paid, on invoices that are Billed."),
        _money("amount_unbilled", "Not paid, on invoices that are Planned."),
        _flag("is_delinquent", "Whether amount_due is more than zero."),
        _date("last_payment_date", "Latest date on which money was received.", nullable=True),
    ),
)

OWNER_AMOUNTS = Report(
    name="owner_amounts",
    description="Charges and T-account balances per owner of charges, as recorded by the day (R-BAL-01 to R-BAL-05).",
    columns=(
        *OWNER,
        CURRENCY,
        _money("total_value", "Sum of the charges."),
        _money("unbilled", "Balance of the Unbilled T-accounts."),
        _money("billed", "Balance of the Billed T-accounts."),
        _money("due", "Balance of the Due T-accounts; negative where an item was paid before its due date."),
        _money("outstanding_amount", "Billed and due."),
        _money("remaining_balance", "Outstanding and unbilled."),
        _money("written_off", "Write-offs less negative write-offs."),
        _money("paid_amount", "Total value less remaining balance less written off."),
        _money("paid_or_written_off_amount", "Total value less remaining balance."),
    ),
)

AGING = Report(
    name="aging",
    description="What is open on billed invoices, by days since the due date. Without open items there is no row.",
    columns=(
        PAYER_ID,
        POLICY_ID,
        CURRENCY,
        _money("unbilled", "Open on planned invoices; not part of the total."),
        _money("not_due", "Open and not past the due date."),
        _money("days_1_30", "Open, 1 to 30 days past the due date."),
        _money("days_31_60", "Open, 31 to 60 days past the due date."),
        _money("days_61_90", "Open, 61 to 90 days past the due date."),
        _money("days_91_plus", "Open, more than 90 days past the due date."),
        _money("total", "Open on billed invoices."),
    ),
)

DELINQUENT = Report(
    name="delinquent",
    description="Accounts and policy periods with an amount due, by item (R-BAL-08, R-BAL-09); no plan is applied.",
    columns=(
        _text(
            "owner_type", "Account (with all its policy periods), or PolicyPeriod.", values=("Account", "PolicyPeriod")
        ),
        _text("account_id", "Account that owns the charges.", nullable=True),
        POLICY_ID,
        TERM_NUMBER,
        CURRENCY,
        _money("due_amount", "Not paid, on invoices that are Due."),
        _date("oldest_due_date", "Due date of the oldest invoice among them.", nullable=True),
        _count("days_past_due", "Days since that date.", "days", nullable=True),
    ),
)

EQUITY = Report(
    name="equity",
    description="Equity of policy periods with equity charges: paid for against provided (R-EQT-01 to R-EQT-11).",
    columns=(
        _text("policy_id", "Policy."),
        _count("term_number", "Term of the policy."),
        _text("account_id", "Account that owns the policy.", nullable=True),
        CURRENCY,
        _date("effective_date", "First day of cover."),
        _date("coverage_end", "First day without cover."),
        _money("equity_value", "Sum of the charges that count in equity (V)."),
        _money("paid_to_date", "What is paid of them (P)."),
        _money("earned_to_date", "Service provided before the day (S), rounded half up."),
        _money("equity", "Paid to date less service provided, rounded half up once."),
        Column("equity_percent", PERCENT, "Equity as a share of the premium charges.", unit="percent", nullable=True),
        _count("days_paid", "Days of cover that the equity pays, towards zero.", "days", nullable=True),
        _date("paid_through_date", "Date through which cover is paid (R-EQT-07).", nullable=True),
        _date("equity_zero_date", "First date on which service provided reaches what is paid.", nullable=True),
        _count("days_till_paid_through", "Paid-through date less the day.", "days", nullable=True),
    ),
)

INVOICE_SCHEDULE = Report(
    name="invoice_schedule",
    description="Invoices by policy and charge pattern, with status on the day.",
    columns=(
        PAYER_ID,
        POLICY_ID,
        INVOICE_ID,
        BILL_DATE,
        DUE_DATE,
        STATUS,
        *_stored(book.INVOICE_ITEMS, "charge_pattern"),
        CURRENCY,
        *ITEM_MONEY,
    ),
)

PAYMENT_SCHEDULE = Report(
    name="payment_schedule",
    description="Invoice items of policies in the order of their dates.",
    columns=(
        _text("policy_id", "Policy."),
        _count("term_number", "Term of the policy."),
        _text("item_id", "Invoice item."),
        *_stored(book.INVOICE_ITEMS, "charge_pattern", "item_type", "installment_number", "event_date"),
        INVOICE_ID,
        replace(BILL_DATE, nullable=True),
        replace(DUE_DATE, nullable=True),
        STATUS,
        CURRENCY,
        *ITEM_MONEY,
    ),
)

PASS_THROUGH_LIABILITY = Report(
    name="pass_through_liability",
    description="Money collected for third parties, by charge pattern, as recorded by the day (R-LED-28).",
    columns=(
        *_stored(book.CHARGES, "charge_pattern"),
        CURRENCY,
        _money("charged", "Sum of the charges."),
        _money("collected", "What is paid of them."),
        _money("reserve_balance", "Balance of the Reserve T-accounts: owed to the third parties."),
    ),
)


def _events(table: Table) -> Report:
    """Rows shown as they are stored; counts of files mix currencies and stay in minor units."""
    return Report(name=table.name, description=table.description, columns=table.columns)


DAYS = Report(
    name="days",
    description="Closed business days, from their manifests.",
    columns=(
        _date("business_date", "Business date."),
        _count("revision", "How often the day has been closed.", nullable=True),
        _count("rows_stored", "Rows that the day added or changed.", nullable=True),
        _count("journal_lines", "Journal lines of the day.", nullable=True),
        _count("debits", "Sum of the debit lines.", "minor units", nullable=True),
        _count("credits", "Sum of the credit lines.", "minor units", nullable=True),
        _count("rows_quarantined", "Rows in quarantine.", nullable=True),
        _text("manifest", "Digest of the manifest.", nullable=True),
        _text("code_version", "Version of the code that closed it.", nullable=True),
        _text("carrier_digest", "Digest of the carrier file.", nullable=True),
        Column("is_stale", pl.Boolean, "An earlier day has been closed again since.", nullable=True),
        Column("is_locked", pl.Boolean, "The day is in a locked accounting period.", nullable=True),
    ),
)

REPORTS: tuple[Report, ...] = (
    ACCOUNTS,
    POLICY_PERIODS,
    CHARGES,
    INVOICE_STREAMS,
    INVOICES,
    INVOICE_ITEMS,
    FUNDS,
    PAYMENTS,
    PAYMENT_ITEMS,
    JOURNAL,
    T_ACCOUNT_BALANCES,
    TRIAL_BALANCE,
    ACCOUNT_INFO,
    OWNER_AMOUNTS,
    AGING,
    DELINQUENT,
    EQUITY,
    INVOICE_SCHEDULE,
    PAYMENT_SCHEDULE,
    PASS_THROUGH_LIABILITY,
    _events(journal.QUARANTINE),
    _events(journal.WARNINGS),
    _events(journal.INTAKE),
    DAYS,
)
"""Every view, in the order of the data dictionary."""
