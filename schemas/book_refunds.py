"""Ad hoc credits, disbursements, their approvals and their holds: money given to accounts, and paid out of funds."""

from __future__ import annotations

import polars as pl

from schemas import enums, enums_refunds
from schemas.declare import NO_DEFAULT, Column, Table


def _key(name: str, description: str, *, default: object = NO_DEFAULT) -> Column:
    return Column(name, pl.Int64, description, minimum=0, default=default)


def _text(name: str, description: str) -> Column:
    return Column(name, pl.String, description, nullable=True, default=None)


def _word(name: str, description: str, values: tuple[str, ...]) -> Column:
    return Column(name, enums.enum(values), description, values=values)


def _later(name: str, description: str) -> Column:
    """A date that is none until something happens."""
    return Column(name, pl.Date, description, nullable=True, default=None)


_AMOUNT = Column("amount", pl.Int64, "Amount, more than zero.", unit="minor units", minimum=1)
_CURRENCY = Column("currency", pl.String, "ISO 4217 code.")
_REQUESTED_BY = _text("requested_by", "Who asked for it.")

AD_HOC_CREDITS = Table(
    name="ad_hoc_credits",
    kind="state",
    description="Ad hoc credits: money given to an account by placing it in one of its funds (R-AHC-1..5).",
    key=("credit_key",),
    columns=(
        _key("credit_key", "Internal key."),
        Column("credit_id", pl.String, "External id: the command that asked for it."),
        _key("account_key", "Account."),
        _key("fund_key", "Fund that receives it."),
        _word("credit_type", "What it is given for.", enums_refunds.CREDIT_TYPES),
        _AMOUNT,
        _CURRENCY,
        _word("status", "How far it has come (R-AHC-5).", enums_refunds.CREDIT_STATUSES),
        _text("reason", "Why, as the command says."),
        _REQUESTED_BY,
        Column("requested_date", pl.Date, "Business date on which it was asked for."),
        _later("executed_date", "Business date on which it was posted."),
        _text("reversal_requested_by", "Who asked to take it back."),
        _later("reversed_date", "Business date on which it was taken back."),
        _key("transaction_key", "Transaction that posted it; 0 until then.", default=0),
    ),
)

DISBURSEMENTS = Table(
    name="disbursements",
    kind="state",
    description="Disbursements: money paid out of a fund of an account, or a suspense payment sent back (R-DSB-1..10).",
    key=("disbursement_key",),
    columns=(
        _key("disbursement_key", "Internal key."),
        Column(
            "disbursement_id",
            pl.String,
            "External id: the command that asked for it; of an automatic one auto/, the account, its policy, the day.",
        ),
        _key("account_key", "Account that is paid; 0 when a suspense payment is sent back."),
        _key("payment_key", "Suspense payment that is sent back; 0 otherwise."),
        _key("fund_key", "Fund that pays; 0 when a suspense payment is sent back."),
        _AMOUNT,
        _CURRENCY,
        _word(
            "origin",
            "Asked for, surplus paid out by itself, or a suspense payment.",
            enums_refunds.DISBURSEMENT_ORIGINS,
        ),
        _word("status", "How far it has come (R-DSB-2..8).", enums_refunds.DISBURSEMENT_STATUSES),
        Column("reason", pl.String, "Why."),
        _text("payee", "Who is paid; the name of the account unless another is given."),
        _text("payee_address", "Where to."),
        Column("trigger_date", pl.Date, "Business date on which it was created."),
        Column("due_date", pl.Date, "Day on which it is to be paid."),
        _REQUESTED_BY,
        _text("approved_by", "Who approved it; none when the billing plan did."),
        _later("approved_date", "Business date on which it was approved."),
        _text("rejected_by", "Who rejected it."),
        _later("rejected_date", "Business date on which it was rejected."),
        _later("short_since", "Business date since which it is due and the fund does not hold enough."),
        _later("sent_date", "Business date on which it was paid."),
        _later("voided_date", "Business date on which its money came back."),
        _key("transaction_key", "Transaction that paid it; 0 until then.", default=0),
    ),
)

APPROVALS = Table(
    name="approvals",
    kind="state",
    description="Approval activities: what waits for somebody with more authority, and what was decided (R-ACT-2..6).",
    key=("approval_key",),
    columns=(
        _key("approval_key", "Internal key."),
        _word("subject_type", "What is to be approved.", enums_refunds.APPROVAL_SUBJECTS),
        _key("subject_key", "Key of the credit or disbursement."),
        _key("account_key", "Account concerned; 0 when none."),
        _AMOUNT,
        _CURRENCY,
        _REQUESTED_BY,
        _text("assigned_to", "Who is to decide: the supervisor of the one who asked, or the next one up."),
        _word("status", "Open, or what became of it.", enums_refunds.APPROVAL_STATUSES),
        Column("opened_date", pl.Date, "Business date on which it was opened."),
        _text("decided_by", "Who decided."),
        _later("decided_date", "Business date on which it was decided."),
    ),
)

DISBURSEMENT_HOLDS = Table(
    name="disbursement_holds",
    kind="state",
    description="Trouble tickets that stop the disbursements of an account until they are closed (R-DSB-9).",
    key=("hold_key",),
    columns=(
        _key("hold_key", "Internal key."),
        Column("ticket_id", pl.String, "External id: the command that opened the ticket."),
        _key("account_key", "Account that is held."),
        _key("disbursement_key", "Disbursement that was rejected."),
        _text("opened_by", "Who opened it."),
        Column("opened_date", pl.Date, "Business date on which it was opened."),
        _text("closed_by", "Who closed it."),
        _later("closed_date", "Business date on which it was closed."),
    ),
)

REFUND_TABLES = (AD_HOC_CREDITS, DISBURSEMENTS, APPROVALS, DISBURSEMENT_HOLDS)
