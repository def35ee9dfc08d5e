"""Views for those who change what is billed: whose charges, what may be reversed, what happened to an item."""

from __future__ import annotations

from dataclasses import replace

from schemas import book, enums, journal
from schemas.reports.columns import (
    BILL_DATE,
    CHARGE_ID,
    CONTEXT,
    CURRENCY,
    DUE_DATE,
    HOLD,
    ITEM_ID,
    PAYER_ID,
    POLICY_ID,
    TERM_NUMBER,
    Report,
    count,
    day,
    flag,
    money,
    stored,
    text,
)
from schemas.reports.plans import LOW_BALANCE_METHODS, RETURN_PREMIUM_METHODS

_CHARGE = replace(CHARGE_ID, nullable=False)
_OWNER = text("account_id", "Account that owns the charge.", nullable=True)

ACCOUNT_CHARGES = Report(
    name="account_charges",
    description="Charges by the accounts concerned: all, those owned and paid, only owned, or only paid, by two flags.",
    columns=(
        text("account_id", "Account that owns the charge or pays a part of it."),
        flag("is_owner", "Whether it owns the charge."),
        flag("is_payer", "Whether it pays an item of the charge."),
        _CHARGE,
        *stored(book.CHARGES, "charge_date", "charge_pattern"),
        POLICY_ID,
        TERM_NUMBER,
        text("payer_account_id", "Account that pays by default.", nullable=True),
        CONTEXT,
        *stored(book.CHARGES, "charge_group", "amount", "currency"),
        *HOLD,
    ),
)

REVERSIBLE_CHARGES = Report(
    name="reversible_charges",
    description="Charges that can be reversed (R-CR-2, R-CR-6).",
    columns=(
        _CHARGE,
        *stored(book.CHARGES, "charge_pattern"),
        text("category", "What it is shown under.", values=enums.CHARGE_CATEGORIES),
        _OWNER,
        POLICY_ID,
        TERM_NUMBER,
        *stored(book.CHARGES, "amount", "currency", "charge_date", "context"),
    ),
)

MODIFY_ITEMS_BALANCE = Report(
    name="modify_items_balance",
    description="Charges against their items; what is unallocated must be nothing (R-ITM-43).",
    columns=(
        _CHARGE,
        _OWNER,
        POLICY_ID,
        *stored(book.CHARGES, "charge_pattern", "currency", "amount"),
        money("items_amount", "Sum of the items on invoices."),
        money("unallocated", "Amount less that sum."),
    ),
)

MOVE_ITEM_TARGETS = Report(
    name="move_item_targets",
    description="Planned items and the planned invoices of their payer to which each could be moved (R-ITM-45).",
    columns=(
        replace(ITEM_ID, nullable=False),
        _CHARGE,
        PAYER_ID,
        POLICY_ID,
        text("invoice_id", "Invoice on which it is."),
        text("target_invoice_id", "Invoice to which it could be moved."),
        replace(BILL_DATE, description="Bill date of that invoice."),
        replace(DUE_DATE, description="Due date of that invoice."),
        flag("is_ad_hoc", "Whether that invoice was created outside the cadence."),
    ),
)

MISALIGNED_INSTALLMENTS = Report(
    name="misaligned_installments",
    description="Invoices that hold several installments of a charge that were not past when it arrived (R-CI-52).",
    columns=(
        _CHARGE,
        text("invoice_id", "Invoice."),
        PAYER_ID,
        POLICY_ID,
        TERM_NUMBER,
        *stored(book.CHARGES, "charge_pattern"),
        BILL_DATE,
        count("installments", "Installments of the charge on the invoice."),
        day("first_event_date", "Earliest event date among them."),
        day("last_event_date", "Latest event date among them."),
    ),
)

INVOICE_ITEM_HISTORY = Report(
    name="invoice_item_history",
    description="What happened to invoice items, from their charge to their payment (R-ITM-20).",
    columns=(
        journal.BUSINESS_DATE,
        text("item_id", "Invoice item."),
        _CHARGE,
        text("event_type", "What happened.", values=enums.ITEM_EVENT_TYPES),
        text("transaction_id", "Transaction by which it was posted.", nullable=True),
        CURRENCY,
        money("gross", "By how much it changes what is open of the item.", nullable=True),
        money("write_off", "What is no longer expected.", nullable=True),
        text("related_item_id", "Other item concerned.", nullable=True),
        text("new_payer_account_id", "Payer from now on, where the event says it.", nullable=True),
        text("command_id", "Command that did it.", nullable=True),
    ),
)

EQUITY_WARNINGS = Report(
    name="equity_warnings",
    description="Changes of a payment schedule that leave a policy period short of equity (R-EQT-15).",
    columns=(
        journal.BUSINESS_DATE,
        text("policy_id", "Policy."),
        count("term_number", "Term of the policy."),
        text("account_id", "Account that owns the policy.", nullable=True),
        *stored(
            journal.EQUITY_WARNINGS,
            *(name for name in journal.EQUITY_WARNINGS.column_names if name not in ("business_date", "period_key")),
        ),
        CURRENCY,
    ),
)

LOW_BALANCE_ACTIONS = Report(
    name="low_balance_actions",
    description="Invoices that were not billed for their low balance, and what became of it (R-BP-11).",
    columns=(
        journal.BUSINESS_DATE,
        text("invoice_id", "Invoice."),
        PAYER_ID,
        CURRENCY,
        money("amount", "What was open of it at the end of that day, or what was written off."),
        money("threshold", "Threshold of the payer's billing plan.", nullable=True),
        text("action", "What became of it.", values=LOW_BALANCE_METHODS),
        text("target_invoice_id", "Invoice to which its items went.", nullable=True),
    ),
)

CREDIT_ALLOCATIONS = Report(
    name="credit_allocations",
    description="What the credits of policy periods paid, and what of them went into a fund (R-RPP-11, R-RPP-26).",
    columns=(
        text("payment_item_id", "Payment item that records it."),
        day("business_date", "Business date of the allocation."),
        text("credit_charge_id", "Charge that gives back."),
        text("credit_item_id", "Its invoice item."),
        text("item_id", "Invoice item that it paid; none for excess.", nullable=True),
        text("disposition", "Whether it paid an item or went into a fund.", values=("item", "excess")),
        money("amount", "How much; negative when it is taken back."),
        CURRENCY,
        text("payer_account_id", "Account that gets the credit.", nullable=True),
        POLICY_ID,
        TERM_NUMBER,
        *stored(book.POLICY_PERIODS, "return_premium_plan"),
        CONTEXT,
        text("method", "How the plan spreads credits of that context.", nullable=True, values=RETURN_PREMIUM_METHODS),
    ),
)

CHANGES = (
    ACCOUNT_CHARGES,
    REVERSIBLE_CHARGES,
    MODIFY_ITEMS_BALANCE,
    MOVE_ITEM_TARGETS,
    MISALIGNED_INSTALLMENTS,
    INVOICE_ITEM_HISTORY,
    EQUITY_WARNINGS,
    LOW_BALANCE_ACTIONS,
    CREDIT_ALLOCATIONS,
)
"""In the order of the data dictionary."""
