"""Words with a fixed list of values, spelled as the domain spells them."""

from __future__ import annotations

import polars as pl

TRANSACTION_TYPES = (
    "AccountAdjustment",
    "AccountCollectionTxn",
    "AccountGoodwillTxn",
    "AccountInterestTxn",
    "AccountNegativeWriteoffTxn",
    "AccountOtherTxn",
    "AcctSuspenseReleaseTxn",
    "AcctUnappliedSuspTxn",
    "AgencyDisbursementPaid",
    "AgencyBillMoneyReceivedTxn",
    "ArchiveChargePaidFromAccountRollupTxn",
    "ArchiveChargePaidFromProducerRollupTxn",
    "ArchiveCommissionPayableRollupTxn",
    "ChargeBilled",
    "ChargeDue",
    "ChargePaidFromAccount",
    "ChargePaidFromProducer",
    "ChargeWrittenOff",
    "CmsnTransferredFrom",
    "CmsnTransferredTo",
    "CollateralDisbPaid",
    "CollateralDrawdown",
    "CollateralPaidFromAccount",
    "CollReqSegregate",
    "CollReqTransfer",
    "CollReqUnSegregate",
    "CommissionAdjusted",
    "CommissionsReserveNegativeWriteoffTxn",
    "CommissionsReservePositiveWriteoffTxn",
    "DirectBillMoneyReceivedTxn",
    "DisbursementPaid",
    "InitialChargeTxn",
    "ManualCmsnEarned",
    "PolicyChangeCmsnTxn",
    "PolicyCmsnPayable",
    "PolicyIncentivesEarned",
    "ProdCodeBonusEarned",
    "ProdCodeCmsnPayable",
    "ProdSuspenseReleaseTxn",
    "ProducerAdvanceExpired",
    "ProducerAdvancePayable",
    "ProducerAdvanceRepaid",
    "ProducerNegWriteoffTxn",
    "ProducerPayableTransferTxn",
    "ProducerPaymentRecd",
    "ProducerPaymentSent",
    "ProducerWriteoff",
    "ProdUnappliedSuspTxn",
    "ProRataChargeEarned",
    "ReserveCmsnEarned",
    "SubmissionCmsnTxn",
    "SuspPymtDisbPaid",
    "SuspPymtTransaction",
    "TransferTransaction",
)
"""The 54 transaction types (R-TXN)."""

T_ACCOUNT_PATTERNS = (
    "Archive Commission Retained Rollup",
    "Archive Commission Rollup",
    "Archive Gross Rollup",
    "<Charge Pattern> Billed",
    "<Charge Pattern> Due",
    "<Charge Pattern> Expense",
    "<Charge Pattern> Expense Rollup",
    "<Charge Pattern> Negative Write-Off",
    "<Charge Pattern> Negative Write-Off Income",
    "<Charge Pattern> Reserve",
    "<Charge Pattern> Reserve Rollup",
    "<Charge Pattern> Revenue",
    "<Charge Pattern> Revenue Rollup",
    "<Charge Pattern> Unbilled",
    "<Charge Pattern> Unearned",
    "<Charge Pattern> Write-Off Expense",
    "<Charge Pattern> Write-Off Expense Rollup",
    "Cash",
    "Collateral Held",
    "Collateral Reserve",
    "Collections Credit",
    "Commissions Advance",
    "Commissions Expense",
    "Commissions Payable",
    "Commissions Reserve",
    "Designated Unapplied",
    "Goodwill Credit",
    "Interest Credit",
    "Negative Commission Adjustment",
    "Negative Write-Off",
    "Other Credit",
    "Positive Commission Adjustment",
    "Suspense",
    "Unapplied",
    "Write-Off Expense",
)
"""The 35 patterns of the closed chart of T-accounts (R-LED-07)."""

ACCOUNT_CLASSES = (
    "Asset",
    "Liability",
    "Expense",
    "Revenue",
)
"""What a T-account is; assets and expenses are debit-normal (R-LED-05)."""

OWNER_TYPES = (
    "Account",
    "PolicyPeriod",
    "Producer",
    "ProducerCode",
    "PolicyCommission",
    "ChargeCommission",
    "Collateral",
    "CollateralRequirement",
    "SuspensePayment",
)
"""Who may own T-accounts."""

SIDES = (
    "D",
    "C",
)
"""Debit and credit."""

ACCOUNT_TYPES = (
    "insured",
    "payer",
    "list_bill",
    "collection_agency",
)
"""Kinds of billing account."""

LEVELS = (
    "account",
    "policy",
)
"""How an account separates invoices or incoming funds."""

DATE_FIXINGS = (
    "bill_date",
    "due_date",
)
"""Which date of an invoice the cadence fixes."""

PAYMENT_INSTRUMENTS = (
    "responsive",
    "check",
    "ach",
    "credit_card",
    "wire",
)
"""How an account pays; all but responsive and check are drafted (non-responsive)."""

DRAFTED_INSTRUMENTS = (
    "ach",
    "credit_card",
    "wire",
)
"""Non-responsive instruments: the carrier drafts what is due (R-PR-1)."""

PAYMENT_REQUEST_STATUSES = (
    "Created",
    "Requested",
    "Fixed",
    "Drafted",
    "Canceled",
)
"""Life of a payment request (R-PR-6)."""

INSTRUCTION_TYPES = (
    "issuance",
    "renewal",
    "new_renewal",
    "rewrite",
    "policy_change",
    "cancellation",
    "reinstatement",
    "audit",
    "premium_report",
    "premium_report_due_date",
    "general",
    "offset",
    "onset",
    "account_general",
    "collateral",
    "segregated_collateral_requirement",
    "reversal",
)
"""Kinds of billing instruction."""

BILLING_METHODS = (
    "direct_bill",
    "agency_bill",
    "list_bill",
)
"""Who bills the insured."""

SPECIAL_HANDLINGS = (
    "bill_immediately",
    "bill_on_next_invoice",
    "hold_for_final_audit",
    "hold_for_final_audit_all",
)
"""How an instruction overrules its payment plan."""

PERIODICITIES = (
    "monthly",
    "twice_per_month",
    "every_other_week",
    "weekly",
)
"""Cadence of an invoice stream (R-CI-10)."""

PAYMENT_INTERVALS = (
    "every_week",
    "every_other_week",
    "twice_per_month",
    "monthly",
    "every_other_month",
    "quarterly",
    "every_four_months",
    "every_six_months",
    "every_year",
    "every_other_year",
)
"""Payment intervals of a payment plan (R-CI-22)."""

REFERENCE_DATES = (
    "charge_date",
    "charge_effective_date",
    "policy_effective_date",
    "one_interval_after_charge_effective_date",
    "one_interval_after_policy_effective_date",
)
"""What an event date counts from (R-CI-21)."""

ITEM_TYPES = (
    "deposit",
    "installment",
    "onetime",
)
"""Kinds of invoice item."""

CHARGE_SUBTYPES = (
    "immediate",
    "pro_rata",
    "pass_through",
    "recapture",
    "collateral",
)
"""Accounting nature of a charge pattern (R-CP-3)."""

CHARGE_CATEGORIES = (
    "fee",
    "general",
    "premium",
    "tax",
)
"""What a charge is shown under."""

PRIORITIES = (
    "high",
    "medium",
    "low",
)
"""Payment priority of a charge pattern."""

INVOICING_APPROACHES = (
    "down_payment_and_installments",
    "one_time",
    "single_down_payment",
    "single_installment",
)
"""How a charge becomes items (R-CP-7)."""

PERIOD_STATUSES = (
    "in_force",
    "cancelled",
)
"""Whether a policy period is in force."""

PAYMENT_KINDS = (
    "direct_bill",
    "agency_bill",
    "suspense",
)
"""Kinds of money received."""

DISTRIBUTE = (
    "auto",
    "none",
)
"""Whether money is distributed the day it arrives."""

PAYMENT_STATUSES = (
    "executed",
    "suspended",
    "reversed",
    "moved",
    "superseded",
    "applied",
    "disbursed",
)
"""Life of a payment: received; taken back, alone or in favour of another row; suspended money that found its payer."""

SUSPENSE_ITEM_STATUSES = (
    "open",
    "released",
    "reversed",
)
"""Life of a suspense item."""

REVERSAL_REASONS = (
    "insufficient_funds",
    "entered_in_error",
    "payment_moved",
    "payment_modified",
    "stop_payment",
    "account_closed",
    "other",
)
"""Why a payment is taken back (R-PMV-06)."""

DISTRIBUTION_KINDS = (
    "payment",
    "credit",
    "settlement",
)
"""What paid an item: a payment, money and credits already there, or its own offset (R-ITM-14)."""

INVOICE_STATUSES = (
    "Planned",
    "Billed",
    "Due",
    "Carried Forward",
    "Written Off",
)
"""Life of an invoice (R-INV-10..14)."""

INVOICE_OUTCOMES = (
    "carried_forward",
    "written_off",
    "deleted",
)
"""How an invoice ended without being billed (R-INV-12, R-INV-13, R-INV-15)."""

REVERSAL_KINDS = (
    "none",
    "offset",
    "onset",
)
"""Whether an item takes another one back, or is there in place of one that was taken back (R-ITM-14)."""

HOLD_REASONS = (
    "final_audit",
    "dispute",
)
"""Why a charge is held back from billing (R-CI-61)."""

WRITE_OFF_REASONS = (
    "low_balance_invoice",
    "uncollectible",
    "small_balance",
    "courtesy",
    "other",
)
"""Why an amount is no longer expected."""

TARGET_TYPES = (
    "account",
    "policy",
    "invoice",
    "invoice_stream",
    "invoice_item",
    "charge",
    "payment",
    "disbursement",
    "ad_hoc_credit",
    "credit_distribution",
)
"""What a command is about."""

ITEM_EVENT_TYPES = (
    "Charge Written Off",
    "Commission Earned",
    "Commission Payable Moved (from)",
    "Commission Payable Moved (to)",
    "Commission Rate Change",
    "Commission Reserved",
    "Commission Reversed",
    "Commission Written Off",
    "Commission Write-off Moved (from)",
    "Commission Write-off Moved (to)",
    "DB Commission Payment",
    "Item Assigned to Payer",
    "Item Billed",
    "Item Charged",
    "Item Created as Onset",
    "Item Created as Reversal",
    "Item Created by Payment Plan Refactor",
    "Item Gross Amount Changed",
    "Item Made Due",
    "Item Moved to a New Instance",
    "Item Reversed",
    "Payment Moved From Invoice Item",
    "Payment Moved To Invoice Item",
    "Payment Received",
    "Payment Reversed",
    "Point-in-Time Transfer to ProducerCode",
    "Retroactive Transfer to ProducerCode",
)
"""The 27 things that can happen to an invoice item (R-ITM-20)."""

OUTBOUND_EVENT_TYPES = (
    "InvoiceBilled",
    "InvoiceResent",
    "PaymentRequested",
    "PaymentDrafted",
    "DisbursementSent",
    "InsufficientUnapplied",
    "RequestApproved",
    "RequestRejected",
)
"""What the outside world is told: documents and requests that other systems produce."""


def enum(values: tuple[str, ...]) -> pl.Enum:
    """The Polars type of a fixed list of words."""
    return pl.Enum(list(values))
