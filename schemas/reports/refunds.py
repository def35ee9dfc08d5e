"""Views of ad hoc credits, disbursements and approvals."""

from __future__ import annotations

from schemas import book_credits, book_refunds, enums_refunds
from schemas.reports.columns import ACCOUNT_ID, CURRENCY, Report, day, flag, money, stored, text

_FUND_POLICY = text("fund_policy_id", "Policy of the fund, when it is a designated one.", nullable=True)
_DISBURSEMENT = text(
    "disbursement_id", "The command that asked for it; of an automatic one auto/, account, policy, day."
)
_PAYMENT = text("payment_id", "Suspense payment that is sent back.", nullable=True)
_TRANSACTION = text("transaction_id", "Transaction that posted it; none until then.", nullable=True)
_ASSIGNED_TO = text("assigned_to", "Who is to decide.", nullable=True)
_SUBJECT_ID = text("subject_id", "The credit or disbursement.")

AD_HOC_CREDITS = Report(
    name="ad_hoc_credits",
    description="Ad hoc credits: money given to accounts by placing it in one of their funds (R-AHC-1 to R-AHC-6).",
    columns=(
        text("credit_id", "The command that asked for it."),
        ACCOUNT_ID,
        _FUND_POLICY,
        *stored(book_refunds.AD_HOC_CREDITS, "credit_type", "amount", "currency", "status", "reason", "requested_by"),
        *stored(book_refunds.AD_HOC_CREDITS, "requested_date", "executed_date", "reversal_requested_by"),
        *stored(book_refunds.AD_HOC_CREDITS, "reversed_date"),
        _TRANSACTION,
    ),
)

CREDIT_DISTRIBUTIONS = Report(
    name="credit_distributions",
    description="Credit distributions that somebody asked for (R-CD-1 to R-CD-6).",
    columns=(
        text("distribution_id", "The command that asked for it."),
        ACCOUNT_ID,
        *stored(book_credits.CREDIT_DISTRIBUTIONS, "kind", "status", "version", "executed_date", "reversed_date"),
        money("paid", "What it paid of positive items."),
        money("used", "What it used of negative items."),
        CURRENCY,
    ),
)

DISBURSEMENTS = Report(
    name="disbursements",
    description="Disbursements: money paid out of funds, and suspense payments sent back (R-DSB-1 to R-DSB-10).",
    columns=(
        _DISBURSEMENT,
        text("account_id", "Account that is paid; none when a suspense payment is sent back.", nullable=True),
        _FUND_POLICY,
        _PAYMENT,
        *stored(book_refunds.DISBURSEMENTS, "amount", "currency", "origin", "status", "reason"),
        *stored(book_refunds.DISBURSEMENTS, "payee", "payee_address", "trigger_date", "due_date", "requested_by"),
        _ASSIGNED_TO,
        *stored(book_refunds.DISBURSEMENTS, "approved_by", "approved_date", "rejected_by", "rejected_date"),
        flag("is_held", "Whether a ticket of its account stops it (R-DSB-9)."),
        *stored(book_refunds.DISBURSEMENTS, "short_since", "sent_date", "voided_date"),
        _TRANSACTION,
    ),
)

ACCOUNT_DISBURSEMENTS = Report(
    name="account_disbursements",
    description="Past and pending disbursements of every account, with what its fund holds for the pending ones.",
    columns=(
        text("account_id", "Account that is paid."),
        _DISBURSEMENT,
        _FUND_POLICY,
        *stored(book_refunds.DISBURSEMENTS, "amount", "currency", "trigger_date", "due_date", "reason", "status"),
        *stored(book_refunds.DISBURSEMENTS, "payee", "payee_address"),
        flag("is_pending", "Whether it may still be paid."),
        money("fund_balance", "What the fund holds on the day; none once it is not pending.", nullable=True),
    ),
)

APPROVALS = Report(
    name="approvals",
    description="Approval activities, open and decided (R-ACT-2 to R-ACT-6).",
    columns=(
        text("approval_id", "Approval activity."),
        *stored(book_refunds.APPROVALS, "subject_type"),
        _SUBJECT_ID,
        ACCOUNT_ID,
        *stored(book_refunds.APPROVALS, "amount", "currency", "requested_by", "assigned_to", "status", "opened_date"),
        *stored(book_refunds.APPROVALS, "decided_by", "decided_date"),
    ),
)

APPROVAL_STATUSES = Report(
    name="approval_statuses",
    description="Credits, reversals and disbursements that wait or were decided, with or without activity (R-AHC-6).",
    columns=(
        text("subject_type", "What it is.", values=enums_refunds.APPROVAL_SUBJECTS),
        _SUBJECT_ID,
        ACCOUNT_ID,
        *stored(book_refunds.APPROVALS, "amount", "currency", "requested_by"),
        text("assigned_to", "Who is to decide; none when there is no activity.", nullable=True),
        text("status", "Open, or what was decided.", values=enums_refunds.APPROVAL_STATUSES),
        day("opened_date", "Business date since which it waited."),
        text("decided_by", "Who decided.", nullable=True),
        day("decided_date", "Business date on which it was decided.", nullable=True),
    ),
)

DISBURSEMENT_HOLDS = Report(
    name="disbursement_holds",
    description="Trouble tickets that stop the disbursements of an account until they are closed (R-DSB-9).",
    columns=(
        text("ticket_id", "The command that opened the ticket."),
        text("account_id", "Account that is held."),
        text("disbursement_id", "Disbursement that was rejected."),
        *stored(book_refunds.DISBURSEMENT_HOLDS, "opened_by", "opened_date", "closed_by", "closed_date"),
        flag("is_open", "Whether it holds the account on the day."),
    ),
)

NEGATIVE_UNAPPLIED = Report(
    name="negative_unapplied",
    description="Funds and suspense payments out of which more has gone than came in (R-SUS-10, R-PMV-08).",
    columns=(
        text("account_id", "Account; none for a suspense payment.", nullable=True),
        _FUND_POLICY,
        text("payment_id", "Suspense payment that was sent back and then taken back.", nullable=True),
        money("balance", "What is missing, below zero."),
        CURRENCY,
    ),
)

REFUNDS = (
    AD_HOC_CREDITS,
    CREDIT_DISTRIBUTIONS,
    DISBURSEMENTS,
    ACCOUNT_DISBURSEMENTS,
    APPROVALS,
    APPROVAL_STATUSES,
    DISBURSEMENT_HOLDS,
    NEGATIVE_UNAPPLIED,
)
"""In the order of the data dictionary."""
