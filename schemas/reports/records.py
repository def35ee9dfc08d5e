"""Views of what is recorded: accounts, charges, invoices, payments and the journal, a row each."""

from __future__ import annotations

from dataclasses import replace

from schemas import book, book_requests, book_surplus, book_suspense, enums, journal
from schemas.reports.columns import (
    ACCOUNT_ID,
    BILL_DATE,
    CHARGE_ID,
    CONTEXT,
    CURRENCY,
    DUE_DATE,
    HOLD,
    INVOICE_ID,
    ITEM_ID,
    ITEM_MONEY,
    OWNER,
    PAYER_ID,
    POLICY_ID,
    STATUS,
    TERM_NUMBER,
    Report,
    count,
    flag,
    money,
    stored,
    text,
)

ACCOUNTS = Report(
    name="accounts",
    description="Billing accounts.",
    columns=stored(book.ACCOUNTS, *(name for name in book.ACCOUNTS.column_names if name != "account_key")),
)

POLICY_PERIODS = Report(
    name="policy_periods",
    description="Policy periods: one contract term of a policy.",
    columns=(
        text("policy_id", "Policy."),
        count("term_number", "Term of the policy."),
        text("account_id", "Account that owns the policy.", nullable=True),
        *stored(
            book.POLICY_PERIODS,
            *(name for name in book.POLICY_PERIODS.column_names if not name.endswith("_key") and name != "term_number"),
        ),
    ),
)

CHARGES = Report(
    name="charges",
    description="Charges: what is owed and why.",
    columns=(
        text("charge_id", "Charge."),
        text("instruction_id", "Instruction that carried it; none when billing raised it.", nullable=True),
        *stored(book.CHARGES, "charge_no", "charge_pattern", "charge_subtype"),
        text("category", "What it is shown under.", nullable=True, values=enums.CHARGE_CATEGORIES),
        *OWNER,
        text("account_id", "Account that owns the charge.", nullable=True),
        POLICY_ID,
        TERM_NUMBER,
        text("payer_account_id", "Account that pays by default.", nullable=True),
        *stored(book.CHARGES, "amount", "currency", "charge_date", "effective_date", "coverage_end"),
        CONTEXT,
        *stored(book.CHARGES, "charge_group", "in_equity"),
        *HOLD,
        flag("is_reversed", "Whether another charge takes it back (R-CR-5)."),
        text("reverses_charge_id", "Charge that it takes back.", nullable=True),
        *stored(book.CHARGES, "reversal_reason"),
    ),
)

INVOICES = Report(
    name="invoices",
    description="Invoices with their status on the day.",
    columns=(
        text("invoice_id", "Invoice."),
        text("stream_id", "Invoice stream."),
        PAYER_ID,
        text("policy_id", "Policy; none when the invoice is shared by the account.", nullable=True),
        BILL_DATE,
        DUE_DATE,
        STATUS,
        flag("is_ad_hoc", "Created outside the cadence."),
        CURRENCY,
        *ITEM_MONEY,
        flag("is_paid", "Nothing is open of any item; true without items (R-BAL-07)."),
    ),
)

INVOICE_ITEMS = Report(
    name="invoice_items",
    description="Invoice items: a part of a charge, on one invoice.",
    columns=(
        text("item_id", "Invoice item."),
        CHARGE_ID,
        INVOICE_ID,
        PAYER_ID,
        text("owner_account_id", "Account that owns the charge.", nullable=True),
        *OWNER,
        POLICY_ID,
        TERM_NUMBER,
        *stored(book.INVOICE_ITEMS, "charge_pattern", "priority", "is_recapture", "item_type", "installment_number"),
        *stored(book.INVOICE_ITEMS, "event_date"),
        BILL_DATE,
        DUE_DATE,
        STATUS,
        *ITEM_MONEY,
        flag("is_paid", "Whether all of it is paid (R-ITM-10)."),
        CURRENCY,
        *stored(book.INVOICE_ITEMS, "reversal_kind"),
        text("related_item_id", "Item that it takes back or replaces.", nullable=True),
    ),
)

PAYMENTS = Report(
    name="payments",
    description="Money received. The ids are what was found; the landed ids are what the row named.",
    columns=(
        text("payment_id", "Payment."),
        *stored(book.PAYMENTS, "kind", "status", "amount"),
        money("distributed", "What of it has been applied to invoice items."),
        *stored(book.PAYMENTS, "currency", "payment_date", "received_date"),
        PAYER_ID,
        POLICY_ID,
        TERM_NUMBER,
        INVOICE_ID,
        *stored(book.PAYMENTS, "distribute", "method", "reference", "producer_id"),
        text("landed_account_id", "Account as landed.", nullable=True),
        text("landed_policy_id", "Policy as landed.", nullable=True),
        text("landed_invoice_id", "Invoice as landed.", nullable=True),
        text("from_payment_id", "Payment in whose place it stands.", nullable=True),
        *stored(book.PAYMENTS, "version", "reversal_reason", "reversed_date", "comment"),
    ),
)

PAYMENT_ITEMS = Report(
    name="payment_items",
    description="What a payment, a credit or an offset paid of an invoice item.",
    columns=(
        journal.BUSINESS_DATE,
        text("payment_item_id", "Payment item."),
        *stored(book.PAYMENT_ITEMS, "kind"),
        text("payment_id", "Payment; none for credits and money already in the fund.", nullable=True),
        text("credit_item_id", "Negative item that paid, or was paid off.", nullable=True),
        ITEM_ID,
        CHARGE_ID,
        PAYER_ID,
        money("amount", "What was paid; negative on a negative item, and when a payment item is taken back."),
        replace(CURRENCY, nullable=True),
        text("reverses_payment_item_id", "Payment item that this one takes back.", nullable=True),
    ),
)

WRITE_OFF_ITEMS = Report(
    name="write_off_items",
    description="What is no longer expected of an invoice item.",
    columns=(
        journal.BUSINESS_DATE,
        text("write_off_item_id", "Write-off item."),
        *stored(book.WRITE_OFF_ITEMS, "reason"),
        ITEM_ID,
        CHARGE_ID,
        PAYER_ID,
        money("amount", "What was written off; the opposite sign when a write-off is taken back."),
        replace(CURRENCY, nullable=True),
        text("reverses_write_off_item_id", "Write-off item that this one takes back.", nullable=True),
    ),
)

FUNDS = Report(
    name="funds",
    description="Unapplied funds: money received and not yet applied.",
    columns=(
        ACCOUNT_ID,
        text("kind", "The account's default fund, or one designated to a policy.", values=("default", "designated")),
        text("policy_id", "Policy of a designated fund; none for the default fund.", nullable=True),
        *stored(book.FUNDS, "balance", "currency"),
        flag("is_negative", "Whether more has left it than came in."),
    ),
)

INVOICE_STREAMS = Report(
    name="invoice_streams",
    description="Invoice streams: the cadence of invoices of a payer, per policy or shared.",
    columns=(
        text("stream_id", "Invoice stream."),
        PAYER_ID,
        text("policy_id", "Policy; none when the stream is shared by the account.", nullable=True),
        *stored(book.INVOICE_STREAMS, "periodicity", "anchor_date", "anchor_day", "second_anchor_day"),
        *stored(book.INVOICE_STREAMS, "fix_invoices_on"),
    ),
)

JOURNAL = Report(
    name="journal",
    description="The double-entry journal: one row per line.",
    has_known_at=True,
    columns=(
        journal.BUSINESS_DATE,
        text("transaction_id", "Transaction."),
        *stored(journal.JOURNAL, "transaction_type", "line_no", "transaction_date"),
        *OWNER,
        text("t_account", "Name of the T-account, such as Premium Billed."),
        *stored(journal.JOURNAL, "account_type", "side", "amount", "currency"),
        ACCOUNT_ID,
        text("policy_id", "Policy, or policy of the designated fund; none when none is concerned.", nullable=True),
        TERM_NUMBER,
        CHARGE_ID,
        ITEM_ID,
        text("payment_id", "Payment.", nullable=True),
        text("reverses_transaction_id", "Transaction that this one reverses.", nullable=True),
    ),
)

SURPLUS_WRITE_OFFS = Report(
    name="surplus_write_offs",
    description="Money of unapplied funds that was kept because it could not be returned.",
    columns=(
        text("surplus_write_off_id", "Command that kept it."),
        ACCOUNT_ID,
        text("policy_id", "Policy of the fund, when it was a designated one.", nullable=True),
        *stored(book_surplus.SURPLUS_WRITE_OFFS, "amount", "currency", "created_date", "reversed_date"),
    ),
)

SUSPENSE_ITEMS = Report(
    name="suspense_items",
    description="Parts of payments set aside until it is known what they are for (R-SUS-11 to R-SUS-15).",
    columns=(
        text("suspense_item_id", "The command that created it."),
        text("payment_id", "Payment that it is a part of.", nullable=True),
        PAYER_ID,
        *stored(book_suspense.SUSPENSE_ITEMS, "policy_number", "amount", "currency", "status"),
        *stored(book_suspense.SUSPENSE_ITEMS, "created_date", "closed_date"),
    ),
)

PAYMENT_REQUESTS = Report(
    name="payment_requests",
    description="Drafts of what is due on invoices of payers who do not pay by themselves (R-PR-1 to R-PR-7).",
    columns=(
        text("invoice_id", "Invoice."),
        PAYER_ID,
        *stored(
            book_requests.PAYMENT_REQUESTS,
            *(name for name in book_requests.PAYMENT_REQUESTS.column_names if not name.endswith("_key")),
        ),
        text("payment_id", "Payment by which the money came in.", nullable=True),
    ),
)

COMMANDS = Report(
    name="commands",
    description="Commands that were carried out.",
    columns=(
        *stored(book.COMMANDS, "received_date", "command_id", "command_type", "target_type", "target_id"),
        ACCOUNT_ID,
        *stored(book.COMMANDS, "amount", "reason", "params", "requested_by", "sequence"),
    ),
)

OUTBOUND_EVENTS = Report(
    name="outbound_events",
    description="What other systems are told: documents to produce, payments to request.",
    columns=(
        journal.BUSINESS_DATE,
        *stored(journal.OUTBOUND_EVENTS, "event_type"),
        ACCOUNT_ID,
        INVOICE_ID,
        *stored(journal.OUTBOUND_EVENTS, "amount"),
        replace(CURRENCY, nullable=True),
        *stored(journal.OUTBOUND_EVENTS, "command_id"),
    ),
)

RECORDS = (
    ACCOUNTS,
    POLICY_PERIODS,
    CHARGES,
    INVOICE_STREAMS,
    INVOICES,
    INVOICE_ITEMS,
    FUNDS,
    PAYMENTS,
    PAYMENT_ITEMS,
    WRITE_OFF_ITEMS,
    SURPLUS_WRITE_OFFS,
    SUSPENSE_ITEMS,
    PAYMENT_REQUESTS,
    JOURNAL,
    COMMANDS,
    OUTBOUND_EVENTS,
)
"""In the order of the data dictionary."""
