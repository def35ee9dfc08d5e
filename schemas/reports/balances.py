"""Views of what is computed from the records: balances, what is due, equity and schedules."""

from __future__ import annotations

from dataclasses import replace

from schemas import book, enums, journal
from schemas.declare import Column
from schemas.reports.columns import (
    ACCOUNT_ID,
    BILL_DATE,
    CHARGE_ID,
    CURRENCY,
    DUE_DATE,
    INVOICE_ID,
    ITEM_ID,
    ITEM_MONEY,
    OWNER,
    PAYER_ID,
    PERCENT,
    POLICY_ID,
    STATUS,
    TERM_NUMBER,
    Report,
    count,
    day,
    flag,
    money,
    stored,
    text,
)

SIDES = (money("debits", "Sum of the debit lines."), money("credits", "Sum of the credit lines."))

T_ACCOUNT_BALANCES = Report(
    name="t_account_balances",
    description="T-accounts with lines in effect on the day, and their natural balances (R-LED-06).",
    has_known_at=True,
    columns=(
        *OWNER,
        text("t_account", "Name of the T-account, such as Premium Billed."),
        text("fund_policy_id", "Policy of a designated fund.", nullable=True),
        *stored(journal.JOURNAL, "account_type"),
        CURRENCY,
        *SIDES,
        money("balance", "Debits less credits on assets and expenses, else credits less debits."),
    ),
)

TRIAL_BALANCE = Report(
    name="trial_balance",
    description="T-accounts of the whole book by name; both balance columns add up alike (R-LED-22).",
    has_known_at=True,
    columns=(
        CURRENCY,
        *stored(journal.JOURNAL, "account_type"),
        text("t_account", "Name of the T-account, such as Premium Billed."),
        *SIDES,
        money("debit_balance", "Debits less credits where that is more than zero."),
        money("credit_balance", "Credits less debits where that is more than zero."),
    ),
)

ACCOUNT_INFO = Report(
    name="account_info",
    description="What is open on the charges that an account owns, by status of the invoices (R-BAL-08, R-BAL-11).",
    columns=(
        text("account_id", "Account that owns the charges."),
        CURRENCY,
        money("amount_due", "Not paid, on invoices that are Due."),
        money("amount_billed", "Not paid, on invoices that are Billed."),
        money("amount_unbilled", "Not paid, on invoices that are Planned."),
        flag("is_delinquent", "Whether amount_due is more than zero."),
        day("last_payment_date", "Latest date on which money was received.", nullable=True),
    ),
)

OWNER_AMOUNTS = Report(
    name="owner_amounts",
    description="Charges and T-account balances per owner of charges, as recorded by the day (R-BAL-01 to R-BAL-05).",
    columns=(
        *OWNER,
        CURRENCY,
        money("total_value", "Sum of the charges."),
        money("unbilled", "Balance of the Unbilled T-accounts."),
        money("billed", "Balance of the Billed T-accounts."),
        money("due", "Balance of the Due T-accounts; negative where an item was paid before its due date."),
        money("outstanding_amount", "Billed and due."),
        money("remaining_balance", "Outstanding and unbilled."),
        money("written_off", "Write-offs less negative write-offs."),
        money("paid_amount", "Total value less remaining balance less written off."),
        money("paid_or_written_off_amount", "Total value less remaining balance."),
    ),
)

AGING = Report(
    name="aging",
    description="What is open on billed invoices, by days since the due date. Without open items there is no row.",
    columns=(
        PAYER_ID,
        POLICY_ID,
        CURRENCY,
        money("unbilled", "Open on planned invoices; not part of the total."),
        money("not_due", "Open and not past the due date."),
        money("days_1_30", "Open, 1 to 30 days past the due date."),
        money("days_31_60", "Open, 31 to 60 days past the due date."),
        money("days_61_90", "Open, 61 to 90 days past the due date."),
        money("days_91_plus", "Open, more than 90 days past the due date."),
        money("total", "Open on billed invoices."),
    ),
)

DELINQUENT = Report(
    name="delinquent",
    description="Accounts and policy periods with an amount due, by item (R-BAL-08, R-BAL-09); no plan is applied.",
    columns=(
        text(
            "owner_type", "Account (with all its policy periods), or PolicyPeriod.", values=("Account", "PolicyPeriod")
        ),
        text("account_id", "Account that owns the charges.", nullable=True),
        POLICY_ID,
        TERM_NUMBER,
        CURRENCY,
        money("due_amount", "Not paid, on invoices that are Due."),
        day("oldest_due_date", "Due date of the oldest invoice among them.", nullable=True),
        count("days_past_due", "Days since that date.", "days", nullable=True),
    ),
)

EQUITY = Report(
    name="equity",
    description="Equity of policy periods with equity charges: paid for against provided (R-EQT-01 to R-EQT-11).",
    columns=(
        text("policy_id", "Policy."),
        count("term_number", "Term of the policy."),
        text("account_id", "Account that owns the policy.", nullable=True),
        CURRENCY,
        day("effective_date", "First day of cover."),
        day("coverage_end", "First day without cover."),
        money("equity_value", "Sum of the charges that count in equity (V)."),
        money("paid_to_date", "What is paid of them (P)."),
        money("earned_to_date", "Service provided before the day (S), rounded half up."),
        money("equity", "Paid to date less service provided, rounded half up once."),
        Column("equity_percent", PERCENT, "Equity as a share of the premium charges.", unit="percent", nullable=True),
        count("days_paid", "Days of cover that the equity pays, towards zero.", "days", nullable=True),
        day("paid_through_date", "Date through which cover is paid (R-EQT-07).", nullable=True),
        day("equity_zero_date", "First date on which service provided reaches what is paid.", nullable=True),
        count("days_till_paid_through", "Paid-through date less the day.", "days", nullable=True),
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
        *stored(book.INVOICE_ITEMS, "charge_pattern"),
        CURRENCY,
        *ITEM_MONEY,
    ),
)

PAYMENT_SCHEDULE = Report(
    name="payment_schedule",
    description="Invoice items of policies in the order of their dates.",
    columns=(
        text("policy_id", "Policy."),
        count("term_number", "Term of the policy."),
        text("item_id", "Invoice item."),
        *stored(book.INVOICE_ITEMS, "charge_pattern", "item_type", "installment_number", "event_date"),
        INVOICE_ID,
        BILL_DATE,
        DUE_DATE,
        STATUS,
        CURRENCY,
        *ITEM_MONEY,
    ),
)

POLICY_DETAILS = Report(
    name="policy_details",
    description="What is open of each policy, and the invoice that was billed last for it.",
    columns=(
        text("policy_id", "Policy."),
        text("account_id", "Account that owns the policy."),
        CURRENCY,
        money("unbilled_amount", "Open on planned invoices."),
        money("outstanding_amount", "Open on billed invoices, due or not."),
        money("past_due_amount", "Open on invoices that are Due."),
        replace(INVOICE_ID, description="Invoice billed last that holds an item of the policy."),
        replace(BILL_DATE, nullable=True),
        replace(DUE_DATE, nullable=True),
        replace(STATUS, nullable=True),
    ),
)

POLICY_TRANSACTIONS = Report(
    name="policy_transactions",
    description="Accounting transactions of policies, one row each: the journal without its lines.",
    has_known_at=True,
    columns=(
        text("policy_id", "Policy, or policy of the designated fund."),
        TERM_NUMBER,
        journal.BUSINESS_DATE,
        *stored(journal.JOURNAL, "transaction_date"),
        text("transaction_id", "Transaction."),
        *stored(journal.JOURNAL, "transaction_type", "charge_pattern"),
        money("amount", "Sum of the debit lines."),
        CURRENCY,
        ACCOUNT_ID,
        CHARGE_ID,
        ITEM_ID,
        text("payment_id", "Payment.", nullable=True),
        text("reverses_transaction_id", "Transaction that this one reverses.", nullable=True),
    ),
)

ACCOUNT_BILLING_LEVEL = Report(
    name="account_billing_level",
    description="How accounts separate invoices and incoming funds (R-BL-3), and the interval of their policies.",
    columns=(
        *stored(book.ACCOUNTS, "account_id", "invoice_by", "separate_funds_by"),
        text(
            "billing_level",
            "What follows from both.",
            values=("Account", "PolicyDefaultUnapplied", "PolicyDesignatedUnapplied"),
        ),
        text(
            "payment_interval",
            "Shortest interval of the payment plans of its policies that are not over (R-PS-2).",
            nullable=True,
            values=enums.PAYMENT_INTERVALS,
        ),
    ),
)

PASS_THROUGH_LIABILITY = Report(
    name="pass_through_liability",
    description="Money collected for third parties, by charge pattern, as recorded by the day (R-LED-28).",
    columns=(
        *stored(book.CHARGES, "charge_pattern"),
        CURRENCY,
        money("charged", "Sum of the charges."),
        money("collected", "What is paid of them."),
        money("reserve_balance", "Balance of the Reserve T-accounts: owed to the third parties."),
    ),
)

CLOSED_PERIOD_ROLLUPS = Report(
    name="closed_period_rollups",
    description="What is left on the T-accounts of closed policy periods, one row per charge pattern (R-LIF-20).",
    columns=(
        POLICY_ID,
        TERM_NUMBER,
        *stored(book.POLICY_PERIODS, "closed_date"),
        *stored(book.CHARGES, "charge_pattern"),
        CURRENCY,
        money("expense_rollup", "Debits less credits on the Expense T-account."),
        money("reserve_rollup", "Credits less debits on Reserve: owed to a third party."),
        money("revenue_rollup", "Credits less debits on Revenue: premium earned, fees."),
        money("write_off_expense_rollup", "Debits less credits on Write-Off Expense."),
    ),
)

BALANCES = (
    T_ACCOUNT_BALANCES,
    TRIAL_BALANCE,
    ACCOUNT_INFO,
    OWNER_AMOUNTS,
    AGING,
    DELINQUENT,
    EQUITY,
    INVOICE_SCHEDULE,
    PAYMENT_SCHEDULE,
    POLICY_DETAILS,
    POLICY_TRANSACTIONS,
    ACCOUNT_BILLING_LEVEL,
    PASS_THROUGH_LIABILITY,
    CLOSED_PERIOD_ROLLUPS,
)
"""In the order of the data dictionary."""
