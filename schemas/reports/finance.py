"""Views for those who close the books: where cash came from and went, how old it is, what it paid, whom to trust.

They are made from the journal and from what ties to it (`assets.invariants`), and take both dates: what takes effect by
the one, as it was recorded by the other.
"""

from __future__ import annotations

from dataclasses import replace

from schemas import enums, journal
from schemas.reports.columns import (
    ACCOUNT_ID,
    BILL_DATE,
    CHARGE_ID,
    CURRENCY,
    DUE_DATE,
    INVOICE_ID,
    ITEM_ID,
    OWNER,
    PAYER_ID,
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

FUND_TYPES = ("default", "designated")
CASH_TYPES = ("cash", *FUND_TYPES, "suspense_item", "suspense_payment", "producer")
"""What a roll-forward is made of: cash itself, and all that may be owed to those who paid it."""
WENT_TO = (
    "item",
    "refund",
    "transfer",
    "write-off",
    "collateral",
    "suspense item",
    "suspense",
    "unapplied",
    "reversed",
    "moved",
    "other",
)
"""What becomes of money received."""
FUND_SOURCE_TYPES = (
    "Ad Hoc Credit",
    "Collateral Drawdown",
    "Direct Bill Money Received",
    "Funds Use Reversal",
    "Payment Item Group",
    "Transfer In",
    "Unapplied Fund Balance Forward",
)
"""Where the money of a tracked fund comes from."""
FUND_USE_TYPES = (
    "Disbursement",
    "Funds Source Reversal",
    "Negative Write-off",
    "Payment Item Group",
    "Transfer Out",
    "Unapplied Fund Balance Forward",
    "Collateral Transfer",
)
"""Where it goes."""
RATINGS = ("Excellent", "Acceptable", "Poor")

_FUND = (
    PAYER_ID,
    text("policy_id", "Policy of a designated fund; none for the default fund.", nullable=True),
    text("fund_type", "Whether it is the default fund or that of a policy.", values=FUND_TYPES),
    CURRENCY,
)
_AGES = (
    money("days_0_30", "Held for 30 days or less."),
    money("days_31_60", "Held for 31 to 60 days."),
    money("days_61_90", "Held for 61 to 90 days."),
    money("days_91_plus", "Held for more than 90 days."),
)
_TRACKED_FUND = (
    ACCOUNT_ID,
    text("fund_policy_id", "Policy of a designated fund; none for the default fund.", nullable=True),
)
_ALLOTTED = (
    CURRENCY,
    money("allotted", "What of it is matched with the other side, first in first out."),
    money("unallotted", "What is not: of a source, what is still in the fund."),
)
_PAYMENT_ID = text("payment_id", "Payment concerned; none when there is none, or several.", nullable=True)

CASH_APPLICATION = Report(
    name="cash_application",
    description="What became of each receipt: a row per item, refund, transfer or place; they add up to the receipt.",
    has_known_at=True,
    columns=(
        text("payment_id", "Payment."),
        replace(PAYER_ID, description="Account that received it; none for a suspense payment."),
        day("receipt_date", "Day on which the money was received."),
        day("received_date", "Business date on which the receipt was booked."),
        money("received", "Amount of the receipt, on each of its rows."),
        CURRENCY,
        text("went_to", "What became of this part; unapplied is still in its fund.", values=WENT_TO),
        flag("is_named", "Whether the posting names the payment; else money left its fund first in, first out."),
        money("amount", "This part of the receipt."),
        day("applied_date", "Day on which it went there; none while it is unapplied or in suspense.", nullable=True),
        count("days_to_apply", "Days from the receipt to then.", "days", nullable=True),
        ITEM_ID,
        CHARGE_ID,
        text("charge_pattern", "Charge pattern of the charge.", nullable=True),
        POLICY_ID,
        TERM_NUMBER,
        text("suspense_item_id", "Suspense item that holds it.", nullable=True),
        text("disbursement_id", "Disbursement that paid it out.", nullable=True),
        text("to_account_id", "Account to whose fund it was transferred.", nullable=True),
        text("to_fund_policy_id", "Policy of that fund, when it is a designated one.", nullable=True),
        text("to_payment_id", "Payment that stands in the place of this one.", nullable=True),
    ),
)

UNAPPLIED_AGE = Report(
    name="unapplied_age",
    description="What is left in unapplied funds by how long it has been there, first in first out. No row without.",
    has_known_at=True,
    columns=(
        *_FUND,
        *_AGES,
        money("total", "What is left in the fund."),
        day("oldest_date", "Day on which the oldest of it came in."),
        count("oldest_days", "Days since then.", "days"),
    ),
)

SUSPENSE_AGE = Report(
    name="suspense_age",
    description="Open suspense payments and suspense items by how long the money has been there.",
    has_known_at=True,
    columns=(
        text("kind", "Whose payer is unknown, or whose purpose.", values=("suspense_payment", "suspense_item")),
        text("payment_id", "Payment."),
        text("suspense_item_id", "Suspense item; none for a payment in suspense.", nullable=True),
        replace(PAYER_ID, description="Payer; none for a payment in suspense."),
        text("named_account_id", "Account that a payment in suspense names, known or not.", nullable=True),
        text("named_policy_id", "Policy that it, or the item, may be for.", nullable=True),
        CURRENCY,
        day("since_date", "Day on which the money came into suspense."),
        count("days", "Days since then.", "days"),
        *_AGES,
        money("amount", "Money held."),
    ),
)

NEGATIVE_FUNDS = Report(
    name="negative_funds",
    description="Funds below zero, and the transaction since which they have been (R-PMV-08, R-RC-1).",
    has_known_at=True,
    columns=(
        *_FUND,
        money("balance", "Balance of the fund, less than zero."),
        day("negative_since", "Business date since which it has been below zero, as things were recorded."),
        count("days_negative", "Days since then.", "days"),
        text("transaction_id", "Transaction that took it below zero."),
        *stored(journal.JOURNAL, "transaction_type"),
        money("transaction_amount", "What that transaction changed in the fund."),
        text("payment_id", "Payment that it was about.", nullable=True),
    ),
)

REFUNDS = Report(
    name="refunds",
    description="Money paid out of funds and of suspense, as posted; with the opposite sign when it is taken back.",
    has_known_at=True,
    columns=(
        journal.BUSINESS_DATE,
        *stored(journal.JOURNAL, "transaction_date"),
        text("transaction_id", "Transaction."),
        *stored(journal.JOURNAL, "transaction_type"),
        replace(ACCOUNT_ID, description="Account that was paid; none when a suspense payment was sent back."),
        text("policy_id", "Policy of the fund, when it was a designated one.", nullable=True),
        text("payment_id", "Suspense payment that was sent back.", nullable=True),
        text("disbursement_id", "Disbursement.", nullable=True),
        text("reason", "Why it was paid.", nullable=True),
        text("payee", "Who was paid.", nullable=True),
        money("amount", "Money paid out."),
        CURRENCY,
        text("reverses_transaction_id", "Transaction that this one reverses.", nullable=True),
    ),
)

CASH_ROLL_FORWARD = Report(
    name="cash_roll_forward",
    description="Cash, funds and suspense from day to day: opening + received - reversed + moved - disbursed + "
    "transferred + credited - applied + recaptured - written_off + collateral + commissions = closing.",
    has_known_at=True,
    columns=(
        journal.BUSINESS_DATE,
        text("fund_type", "Cash, or where the money is that came with it.", values=CASH_TYPES),
        CURRENCY,
        money("opening", "Balance after the day before; days without a movement have no row."),
        money("received", "New receipts."),
        money("reversed", "Receipts taken back."),
        money("moved", "Receipts booked in the place of others, less those others: moved, corrected, payer found."),
        money("disbursed", "Paid out."),
        money("transferred", "Came from other funds or from suspense, less what went there."),
        money("credited", "Ad hoc credits, less those taken back."),
        money("applied", "Paid invoice items, less what was taken back, less credits used."),
        money("recaptured", "Came back through charges that recapture a deficit."),
        money("written_off", "Surplus kept, less what was given back."),
        money("collateral", "Came out of collateral, less what went into it."),
        money("commissions", "Paid back by producers, less what was paid to them."),
        money("closing", "Balance of the T-accounts after the day."),
    ),
)

FUND_SOURCES = Report(
    name="fund_sources",
    description="Sources of the money of tracked funds, and what of them is used (R-FT-1 to R-FT-4). Without tracking, "
    "none.",
    has_known_at=True,
    columns=(
        text("source_id", "Source."),
        *_TRACKED_FUND,
        text("source_type", "What it is.", values=FUND_SOURCE_TYPES),
        day("event_date", "Day on which it takes effect."),
        count("sequence", "Its place among those of the day."),
        money("amount", "Money that came in; a group of items that sum to nothing is a source of nothing."),
        *_ALLOTTED,
        _PAYMENT_ID,
        POLICY_ID,
        TERM_NUMBER,
    ),
)

FUND_USES = Report(
    name="fund_uses",
    description="Uses of the money of tracked funds, and what of them is served (R-FT-1 to R-FT-4). Without tracking, "
    "none.",
    has_known_at=True,
    columns=(
        text("use_id", "Use."),
        *_TRACKED_FUND,
        text("use_type", "What it is.", values=FUND_USE_TYPES),
        day("event_date", "Day on which it takes effect."),
        count("sequence", "Its place among those of the day."),
        money("amount", "Money that went out."),
        *_ALLOTTED,
        _PAYMENT_ID,
        POLICY_ID,
        TERM_NUMBER,
    ),
)

FUND_ALLOTMENTS = Report(
    name="fund_allotments",
    description="Which source served which use of a tracked fund, oldest first (R-FT-3, R-FT-4); information only.",
    has_known_at=True,
    columns=(
        text("source_id", "Source."),
        text("source_type", "What it is.", values=FUND_SOURCE_TYPES),
        day("source_date", "Day on which it takes effect."),
        text("use_id", "Use."),
        text("use_type", "What it is.", values=FUND_USE_TYPES),
        day("use_date", "Day on which it takes effect."),
        money("amount", "How much of the one served the other."),
        CURRENCY,
        *_TRACKED_FUND,
    ),
)

PAYMENT_ITEM_GROUPS = Report(
    name="payment_item_groups",
    description="What a tracked fund paid of the items of a policy period on a day, as one (R-FT-2).",
    has_known_at=True,
    columns=(
        text("group_id", "Group; the id of the source or use that it is."),
        *_TRACKED_FUND,
        day("event_date", "Day on which it was applied."),
        text("event_type", "Whose items it paid.", values=("Policy Period Paid", "Account Paid")),
        POLICY_ID,
        TERM_NUMBER,
        money("amount", "Sum of what it paid; not more than zero when credits outweigh it."),
        CURRENCY,
    ),
)

PAYMENT_ITEM_GROUP_ITEMS = Report(
    name="payment_item_group_items",
    description="The items of payment item groups.",
    has_known_at=True,
    columns=(
        text("group_id", "Group."),
        INVOICE_ID,
        replace(BILL_DATE, nullable=True),
        replace(DUE_DATE, nullable=True),
        replace(STATUS, nullable=True),
        *OWNER,
        PAYER_ID,
        text("item_id", "Invoice item."),
        text("item_type", "Kind of item.", values=enums.ITEM_TYPES),
        text("charge_pattern", "Charge pattern of the charge."),
        money("amount", "Amount of the item."),
        money("paid", "What the group paid of it."),
        CURRENCY,
    ),
)

ACCOUNT_EVALUATION = Report(
    name="account_evaluation",
    description="How accounts have done over the days that the carrier looks back, and their rating (R-EVL-2); "
    "delinquencies do not count yet.",
    has_known_at=True,
    columns=(
        text("account_id", "Account."),
        day("evaluation_date", "Day on which the looking back ends."),
        count("window_days", "How many days it looks back.", "days"),
        count("pejorative_reversal_count", "Payments taken back for a reason that counts against the payer."),
        count("policy_cancellation_count", "Policy periods cancelled."),
        text("rating", "The worse of the grades of both counts.", values=RATINGS),
    ),
)

FINANCE = (
    CASH_APPLICATION,
    UNAPPLIED_AGE,
    SUSPENSE_AGE,
    NEGATIVE_FUNDS,
    REFUNDS,
    CASH_ROLL_FORWARD,
    FUND_SOURCES,
    FUND_USES,
    FUND_ALLOTMENTS,
    PAYMENT_ITEM_GROUPS,
    PAYMENT_ITEM_GROUP_ITEMS,
    ACCOUNT_EVALUATION,
)
"""In the order of the data dictionary."""
