"""Commands about ad hoc credits, disbursements and what waits for approval."""

from __future__ import annotations

from schemas import enums_refunds
from schemas.commands.declare import CommandType, Param

_ACCOUNT = ("account",)
_CREDIT = ("ad_hoc_credit",)
_DISBURSEMENT = ("disbursement",)
FUND = (
    Param("fund_policy_id", "text", "Policy whose designated fund is meant."),
    Param(
        "default_fund",
        "flag",
        "Say true for the default fund; needed where the account keeps funds per policy.",
        default="false",
    ),
)
_ADDRESS = Param("payee_address", "text", "Where to.")
_DUE_DATE = Param("due_date", "date", "Day on which it is paid, today or later.", required=True)

COMMANDS = (
    CommandType(
        name="create_ad_hoc_credit",
        description="Give an account money by placing it in one of its funds; above the limit of who asks, it waits.",
        rules="R-AHC-1..3, R-AHC-5, R-TXN-09",
        targets=_ACCOUNT,
        amount="required",
        params=(
            Param("credit_type", "word", "What it is given for.", required=True, values=enums_refunds.CREDIT_TYPES),
            *FUND,
        ),
    ),
    CommandType(
        name="reverse_ad_hoc_credit",
        description="Take an ad hoc credit back in full, once; above the limit of who asks, it waits.",
        rules="R-AHC-2, R-AHC-4, R-AHC-5",
        targets=_CREDIT,
    ),
    CommandType(
        name="create_disbursement",
        description="Pay money out of a fund of an account; the reason is required.",
        rules="R-DSB-1, R-DSB-2, R-ENT-09",
        targets=_ACCOUNT,
        amount="required",
        params=(
            _DUE_DATE,
            *FUND,
            Param("payee", "text", "Who is paid; left out, the name of the account."),
            _ADDRESS,
        ),
    ),
    CommandType(
        name="disburse_suspense_payment",
        description="Send an open suspense payment back, whole; the reason is required.",
        rules="R-DSB-5, R-SUS-09",
        targets=("payment",),
        params=(
            _DUE_DATE,
            Param("payee", "text", "Who is paid.", required=True),
            _ADDRESS,
        ),
    ),
    CommandType(
        name="edit_disbursement",
        description="Change a disbursement that is not paid; what is not given stays, a higher amount is judged anew.",
        rules="R-DSB-7",
        targets=_DISBURSEMENT,
        amount="optional",
        params=(
            Param("due_date", "date", "Day on which it is paid, not before it was created."),
            Param("payee", "text", "Who is paid."),
            _ADDRESS,
        ),
    ),
    CommandType(
        name="approve",
        description="Approve what waits: an ad hoc credit, the reversal of one, or a disbursement.",
        rules="R-DSB-3, R-AHC-5, R-ACT-4",
        targets=("disbursement", "ad_hoc_credit"),
    ),
    CommandType(
        name="reject",
        description="Reject what waits, or a disbursement that is approved and not paid.",
        rules="R-DSB-8, R-AHC-5, R-ACT-5",
        targets=("disbursement", "ad_hoc_credit"),
    ),
    CommandType(
        name="reject_and_hold_disbursements",
        description="Reject a disbursement and open a ticket: the account is paid nothing until the ticket is closed.",
        rules="R-DSB-9",
        targets=_DISBURSEMENT,
    ),
    CommandType(
        name="release_disbursement_hold",
        description="Close the tickets that hold the disbursements of an account.",
        rules="R-DSB-9",
        targets=_ACCOUNT,
    ),
    CommandType(
        name="void_disbursement",
        description="Take back the payment of a disbursement whose money came back; it is in its fund again.",
        rules="R-LED-13, R-TXN-25",
        targets=_DISBURSEMENT,
    ),
)
