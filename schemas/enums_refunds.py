"""Words of ad hoc credits, disbursements, approvals and authority limits, spelled as the domain spells them."""

from __future__ import annotations

CREDIT_TYPES = (
    "Goodwill",
    "Interest",
    "Collections",
    "Other",
)
"""What an ad hoc credit is given for; the list is closed (R-TXN-09)."""

CREDIT_STATUSES = (
    "PendingApproval",
    "Executed",
    "Rejected",
    "Reversed",
    "ReversalPendingApproval",
)
"""Life of an ad hoc credit (R-AHC-5)."""

DISBURSEMENT_ORIGINS = (
    "Manual",
    "Automatic",
    "Suspense",
)
"""How a disbursement came about."""

DISBURSEMENT_STATUSES = (
    "AwaitingApproval",
    "Approved",
    "Sent",
    "Rejected",
    "Voided",
)
"""Life of a disbursement: paid when approved and due; voided when its money came back (R-DSB-2..8)."""

APPROVAL_SUBJECTS = (
    "AdHocCredit",
    "AdHocCreditReversal",
    "Disbursement",
)
"""What an approval activity is about."""

APPROVAL_STATUSES = (
    "Open",
    "Approved",
    "Rejected",
    "Obsolete",
)
"""Life of an approval activity; obsolete when what it is about was decided in another way (R-ACT-6)."""

AUTHORITY_LIMIT_TYPES = (
    "Approve Disbursement",
    "Collections Credit",
    "Collections Credit Reversal",
    "Goodwill Credit",
    "Goodwill Credit Reversal",
    "Interest Credit",
    "Interest Credit Reversal",
    "Other Credit",
    "Other Credit Reversal",
)
"""What a person may do up to an amount without asking (R-ACT-2)."""
