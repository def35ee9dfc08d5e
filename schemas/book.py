"""The book: what is known of accounts, policies, charges, invoices and money after a day.

Keys are dense or packed 64-bit integers, internal, never shown; 0 means none. Ids are the external ones. Amounts are
minor units of the currency. What follows from dates and a day (invoice status, earned premium) is not stored.
"""

from __future__ import annotations

import polars as pl

from schemas import enums
from schemas.book_credits import CREDIT_DISTRIBUTIONS
from schemas.book_pending import PENDING_ROWS
from schemas.book_refunds import REFUND_TABLES
from schemas.book_requests import PAYMENT_REQUESTS
from schemas.book_surplus import SURPLUS_WRITE_OFFS
from schemas.book_suspense import SUSPENSE_ITEMS
from schemas.declare import NO_DEFAULT, Column, Table


def _key(name: str, description: str, *, default: object = NO_DEFAULT) -> Column:
    return Column(name, pl.Int64, description, minimum=0, default=default)


def _text(name: str, description: str, *, nullable: bool = False, default: object = NO_DEFAULT) -> Column:
    return Column(name, pl.String, description, nullable=nullable or default is None, default=default)


def _word(
    name: str, description: str, values: tuple[str, ...], *, nullable: bool = False, default: object = NO_DEFAULT
) -> Column:
    is_nullable = nullable or default is None
    return Column(name, enums.enum(values), description, values=values, nullable=is_nullable, default=default)


def _date(name: str, description: str, *, nullable: bool = False, default: object = NO_DEFAULT) -> Column:
    return Column(name, pl.Date, description, nullable=nullable or default is None, default=default)


def _money(name: str, description: str, *, default: object = NO_DEFAULT) -> Column:
    return Column(name, pl.Int64, description, unit="minor units", default=default)


def _day_number(name: str, description: str) -> Column:
    return Column(name, pl.Int8, description, minimum=1)


ACCOUNTS = Table(
    name="accounts",
    kind="state",
    description="Billing accounts.",
    key=("account_key",),
    columns=(
        _key("account_key", "Internal key."),
        _text("account_id", "External id."),
        _word("account_type", "Kind of account.", enums.ACCOUNT_TYPES),
        _text("currency", "ISO 4217 code; fixed for life."),
        _word("invoice_by", "Invoices per account or per policy (R-BL-3).", enums.LEVELS),
        _word("separate_funds_by", "Incoming funds per account or per policy (R-BL-3).", enums.LEVELS),
        _day_number("invoice_day_of_month", "Day of month of monthly invoices."),
        _day_number("invoice_day_of_week", "ISO day of week of weekly invoices."),
        _day_number("invoice_first_day_of_month", "First day of invoices twice per month."),
        _day_number("invoice_second_day_of_month", "Second day of invoices twice per month."),
        _date("invoice_every_other_week_anchor", "A date on the every-other-week cadence."),
        _word("fix_invoices_on", "Which date of an invoice the cadence fixes.", enums.DATE_FIXINGS),
        _word("payment_instrument", "How the account pays.", enums.PAYMENT_INSTRUMENTS),
        _text("billing_plan", "Billing plan of the carrier."),
        _text("delinquency_plan", "Delinquency plan of the carrier.", nullable=True),
        _text("payment_allocation_plan", "Payment allocation plan of the carrier."),
        _text("parent_account_id", "External id of the parent account.", nullable=True),
        _text("name", "Name shown on reports.", nullable=True),
        _date("creation_date", "Business date on which the account was first seen."),
        _text("payment_plans", "Payment plans of a list bill account, as landed (R-BT-5).", default=None),
        _text("landed_settings", "How it landed, as JSON, where that has been changed since.", default=None),
        _date("close_date", "Business date on which it was closed; none while it is open (R-ACC-09).", default=None),
    ),
)

POLICIES = Table(
    name="policies",
    kind="state",
    description="Policies; each has one or more policy periods.",
    key=("policy_key",),
    columns=(
        _key("policy_key", "Internal key."),
        _text("policy_id", "External id."),
        _key("account_key", "Account that owns the policy."),
    ),
)

POLICY_PERIODS = Table(
    name="policy_periods",
    kind="state",
    description="Policy periods: one contract term of a policy.",
    key=("period_key",),
    columns=(
        _key("period_key", "Internal key."),
        _key("policy_key", "Policy."),
        _key("account_key", "Account that owns the policy."),
        Column("term_number", pl.Int64, "Term of the policy, from 1.", minimum=0),
        _date("effective_date", "First day of cover."),
        _date("expiration_date", "Expiration date as the instruction gave it."),
        _date("coverage_end", "First day without cover."),
        _text("payment_plan", "Payment plan of the carrier."),
        _word("billing_method", "Who bills the insured.", enums.BILLING_METHODS),
        _text("producer_code", "Primary producer code.", nullable=True),
        _text("secondary_producer_code", "Secondary producer code.", nullable=True),
        _text("referrer_producer_code", "Referring producer code.", nullable=True),
        _word("status", "In force or cancelled.", enums.PERIOD_STATUSES),
        _date("cancellation_date", "Effective date of the cancellation in force.", nullable=True),
        Column("has_equity_warnings", pl.Boolean, "Whether equity warnings are on (R-EQT-18)."),
        Column("min_equity_days", pl.Int64, "Preferred days of equity (R-EQT-12).", unit="days", minimum=0),
        _key("payer_account_key", "Account that pays its charges by default; 0 when the owner does.", default=0),
        _key("stream_key", "Stream of that payer for its items; 0 when any of its periodicity does.", default=0),
        _text("return_premium_plan", "How its credits pay, for as long as it lasts (R-RPP-5).", default=None),
        _date("closed_date", "Business date on which it was closed; none while it is open (R-CLS-01).", default=None),
        _date("opened_date", "Since when it is kept open on request; none when it is not (R-CLS-07).", default=None),
    ),
)

INSTRUCTIONS = Table(
    name="instructions",
    kind="state",
    description="Billing instructions as they were booked.",
    key=("instruction_key",),
    columns=(
        _key("instruction_key", "Internal key."),
        _text("instruction_id", "External id."),
        _word("instruction_type", "What the instruction does.", enums.INSTRUCTION_TYPES),
        _key("account_key", "Account named."),
        _key("period_key", "Policy period; 0 on account-level instructions."),
        _text("account_id", "Account as landed."),
        _text("policy_id", "Policy as landed.", nullable=True),
        Column("term_number", pl.Int64, "Term as landed.", nullable=True),
        _date("period_start", "Start of the period as landed.", nullable=True),
        _date("period_end", "End of the period as landed.", nullable=True),
        _date("effective_date", "Date on which the transaction takes effect."),
        _text("payment_plan", "Payment plan as landed.", nullable=True),
        _text("billing_method", "Billing method as landed.", nullable=True),
        _text("producer_code", "Primary producer code as landed.", nullable=True),
        _text("secondary_producer_code", "Secondary producer code as landed.", nullable=True),
        _text("referrer_producer_code", "Referring producer code as landed.", nullable=True),
        _text("special_handling", "Special handling as landed.", nullable=True),
        _text("modifiers", "Payment plan modifiers as landed.", nullable=True),
        Column("sequence", pl.Int64, "Order within the day as landed.", nullable=True),
        _date("received_date", "Business date on which it was booked."),
        _text("payer_account_id", "Payer of its charges as landed.", default=None),
        _text("invoice_by", "Billing level of the account that it sets, as landed.", default=None),
        _text("separate_funds_by", "How it separates funds of the account, as landed.", default=None),
    ),
)

CHARGES = Table(
    name="charges",
    kind="state",
    description="Charges: what is owed and why.",
    key=("charge_key",),
    columns=(
        _key("charge_key", "Internal key."),
        _key("instruction_key", "Instruction; 0 for charges that billing itself raises."),
        Column("charge_no", pl.Int64, "Number within the instruction.", minimum=0),
        _text("charge_pattern", "Charge pattern of the carrier."),
        _word("charge_subtype", "Accounting nature (R-CP-3).", enums.CHARGE_SUBTYPES),
        _word("owner_type", "Who owns its T-accounts.", enums.OWNER_TYPES),
        _key("owner_key", "Key of the owner: policy period or account."),
        _key("account_key", "Account that owns the charge."),
        _key("policy_key", "Policy; 0 on account-level charges."),
        _key("period_key", "Policy period; 0 on account-level charges."),
        _key("payer_account_key", "Account that pays by default (R-ITM-03)."),
        _money("amount", "What is owed; negative when the carrier owes."),
        _text("currency", "ISO 4217 code."),
        _date("charge_date", "Business date on which the charge arrived."),
        _date("effective_date", "Date on which the charge takes effect."),
        _date("coverage_end", "First day without cover of its policy period.", nullable=True),
        _text("context", "Instruction type, or the fee that billing raised."),
        _text("charge_group", "Free text by which invoice lines may be grouped.", nullable=True),
        _text("payer_account_id", "Payer as landed.", nullable=True),
        Column("in_equity", pl.Boolean, "Whether it counts in equity dating (R-CP-11)."),
        _word(
            "hold_reason", "Why it is held back from billing; none when it is not.", enums.HOLD_REASONS, default=None
        ),
        _key("reverses_charge_key", "Charge that it takes back; 0 when none (R-CR-5).", default=0),
        _text("reversal_reason", "Why it takes another charge back, as the command says.", default=None),
    ),
)

INVOICE_STREAMS = Table(
    name="invoice_streams",
    kind="state",
    description="Invoice streams: the cadence of invoices of a payer, per policy or shared.",
    key=("stream_key",),
    columns=(
        _key("stream_key", "Internal key."),
        _key("account_key", "Payer."),
        _key("policy_key", "Policy; 0 when shared by the account (R-CI-11, R-CI-12)."),
        _word("periodicity", "Cadence (R-CI-10).", enums.PERIODICITIES),
        _date("anchor_date", "A date of the cadence."),
        _day_number("anchor_day", "Day of month (first of two when twice per month)."),
        _day_number("second_anchor_day", "Second day of month when twice per month, else equal to anchor_day."),
        _word("fix_invoices_on", "Which date of an invoice the cadence fixes.", enums.DATE_FIXINGS),
        Column(
            "is_account_level_only",
            pl.Boolean,
            "Whether it is there for account-level charges of a list bill account only (R-LB-06).",
            default=False,
        ),
    ),
)

INVOICES = Table(
    name="invoices",
    kind="state",
    description="Invoices. Their status follows from the dates and a day.",
    key=("invoice_key",),
    columns=(
        _key("invoice_key", "Internal key; packed from stream, day and a sequence."),
        _key("stream_key", "Stream."),
        _key("account_key", "Payer."),
        _key("policy_key", "Policy; 0 when the stream is shared."),
        _date("cadence_date", "Date of the cadence that the invoice realises; none when ad hoc.", nullable=True),
        _date("bill_date", "Day on which it is billed."),
        _date("due_date", "Last day on which a payment is in time."),
        Column("is_ad_hoc", pl.Boolean, "Created outside the cadence (R-INV-20)."),
        _word("outcome", "How it ended without being billed; none otherwise.", enums.INVOICE_OUTCOMES, default=None),
    ),
)

INVOICE_ITEMS = Table(
    name="invoice_items",
    kind="state",
    description="Invoice items: a part of a charge, on one invoice.",
    key=("item_key",),
    columns=(
        _key("item_key", "Internal key; packed from charge and number."),
        _key("charge_key", "Charge."),
        _key("invoice_key", "Invoice that holds the item; 0 once a planned item has been removed."),
        _key("account_key", "Payer."),
        _word("owner_type", "Who owns the T-accounts of the charge.", enums.OWNER_TYPES),
        _key("owner_key", "Key of that owner."),
        _key("policy_key", "Policy; 0 on account-level charges."),
        _key("period_key", "Policy period; 0 on account-level charges."),
        _text("charge_pattern", "Charge pattern of the charge."),
        Column("priority", pl.Int8, "Payment priority: 1 high, 2 medium, 3 low.", minimum=1),
        Column("is_recapture", pl.Boolean, "Whether the charge is a recapture."),
        _word("item_type", "Kind of item.", enums.ITEM_TYPES),
        Column("installment_number", pl.Int16, "Number among the installments of the charge; 0 otherwise.", minimum=0),
        _date("event_date", "Earliest date on which the item may be invoiced."),
        _money("amount", "Amount of the item."),
        _money("paid", "What payments and credits have paid of it, and what its offset settles (R-ITM-14)."),
        _text("currency", "ISO 4217 code."),
        _money("written_off", "What is no longer expected of it.", default=0),
        _word("reversal_kind", "Whether it takes an item back, or replaces one.", enums.REVERSAL_KINDS, default="none"),
        _key("related_item_key", "Item that it takes back or replaces; 0 when none.", default=0),
        Column(
            "blackout_violation",
            pl.Boolean,
            "Whether it is an installment beyond the blackout, there because none fits before it (R-CI-36).",
            default=False,
        ),
    ),
)

FUNDS = Table(
    name="funds",
    kind="state",
    description="Unapplied funds: money received and not yet applied (R-BL-7).",
    key=("fund_key",),
    columns=(
        _key("fund_key", "Internal key; packed from account or policy."),
        _key("account_key", "Account."),
        _key("policy_key", "Policy of a designated fund; 0 for the default fund."),
        _money("balance", "Money in the fund; negative when too much has left it."),
        _text("currency", "ISO 4217 code."),
    ),
)

PAYMENTS = Table(
    name="payments",
    kind="state",
    description="Money received.",
    key=("payment_key",),
    columns=(
        _key("payment_key", "Internal key."),
        _text("payment_id", "External id."),
        _word("kind", "Kind of payment.", enums.PAYMENT_KINDS),
        _word("status", "executed, or suspended while the payer is unknown.", enums.PAYMENT_STATUSES),
        _money("amount", "Money received."),
        _text("currency", "ISO 4217 code."),
        _date("payment_date", "Date on which the money was received."),
        _key("account_key", "Payer; 0 when unknown."),
        _key("fund_key", "Fund that received it; 0 when the payer is unknown."),
        _key("policy_key", "Policy that the payment is for; 0 when none."),
        _key("period_key", "Policy period that the payment is for; 0 when none."),
        _key("invoice_key", "Invoice that the payment is for; 0 when none."),
        _word("distribute", "Whether it is applied to items at once.", enums.DISTRIBUTE),
        _text("account_id", "Account as landed.", nullable=True),
        _text("policy_id", "Policy as landed.", nullable=True),
        Column("term_number", pl.Int64, "Term as landed.", nullable=True),
        _text("invoice_id", "Invoice as landed.", nullable=True),
        _text("producer_id", "Producer as landed.", nullable=True),
        _text("method", "How it was paid.", nullable=True),
        _text("reference", "Reference of the payer or of the bank.", nullable=True),
        _text("distribution", "Which items it pays, as landed.", default=None),
        _date("received_date", "Business date on which it was booked."),
        _key("transaction_key", "Transaction by which it was received.", default=0),
        _key("from_payment_key", "Payment in whose place it stands; 0 when it came in itself.", default=0),
        Column("version", pl.Int64, "Version of the payment, from 1 (R-PMV-11).", minimum=1, default=1),
        _word("reversal_reason", "Why it was taken back, if it was.", enums.REVERSAL_REASONS, default=None),
        _date("reversed_date", "Business date on which it was taken back.", default=None),
        _text("comment", "What a person noted about it.", default=None),
        _text("landed_details", "How it landed, as JSON, where that has been corrected since.", default=None),
    ),
)

PAYMENT_ITEMS = Table(
    name="payment_items",
    kind="state",
    description="What a payment, a credit or an offset paid of an invoice item. Rows are only ever added.",
    key=("payment_item_key",),
    columns=(
        _key("payment_item_key", "Internal key; packed from the day and a sequence."),
        _word("kind", "What paid: a payment, money and credits already there, or an offset.", enums.DISTRIBUTION_KINDS),
        _key("payment_key", "Payment; 0 for credits, offsets and money already in the fund."),
        _key("fund_key", "Fund that the money left; 0 when a credit item or an offset paid."),
        _key(
            "through_fund_key", "Fund whose T-account the posting went through; 0 when nothing was posted.", default=0
        ),
        _key("credit_item_key", "Negative item that paid, or was paid off; 0 when money paid."),
        _key("item_key", "Invoice item."),
        _key("charge_key", "Charge of the item."),
        _key("account_key", "Payer."),
        _money("amount", "What was paid; negative on a negative item, and when a payment item is taken back."),
        _key("transaction_key", "Transaction that paid it; 0 when nothing was posted, as for an offset."),
        _key("reverses_payment_item_key", "Payment item that this one takes back; 0 when none.", default=0),
    ),
)

WRITE_OFF_ITEMS = Table(
    name="write_off_items",
    kind="state",
    description="What is no longer expected of an invoice item. Rows are only ever added.",
    key=("write_off_item_key",),
    columns=(
        _key("write_off_item_key", "Internal key; packed from the day and a sequence."),
        _word("reason", "Why it is no longer expected.", enums.WRITE_OFF_REASONS),
        _key("item_key", "Invoice item."),
        _key("charge_key", "Charge of the item."),
        _key("account_key", "Payer."),
        _money("amount", "What was written off; the opposite sign when a write-off is taken back."),
        _key("transaction_key", "Transaction that wrote it off."),
        _key("reverses_write_off_item_key", "Write-off item that this one takes back; 0 when none.", default=0),
        _text("command_id", "Command that wrote it off; none when the day did.", default=None),
    ),
)

COMMANDS = Table(
    name="commands",
    kind="state",
    description="Commands as they were carried out.",
    key=("command_key",),
    columns=(
        _key("command_key", "Internal key."),
        _text("command_id", "External id."),
        _text("command_type", "What the command does (docs/commands.md)."),
        _text("target_type", "What it is about.", nullable=True),
        _text("target_id", "External id of what it is about.", nullable=True),
        _text("amount", "Amount as landed.", nullable=True),
        _text("reason", "Reason as landed.", nullable=True),
        _text("params", "Parameters as landed.", nullable=True),
        _text("requested_by", "Who asked for it.", nullable=True),
        Column("sequence", pl.Int64, "Order within the day as landed.", nullable=True),
        _key("account_key", "Account concerned."),
        _date("received_date", "Business date on which it was carried out."),
    ),
)

BOOK_TABLES: tuple[Table, ...] = (
    ACCOUNTS,
    POLICIES,
    POLICY_PERIODS,
    INSTRUCTIONS,
    CHARGES,
    INVOICE_STREAMS,
    INVOICES,
    INVOICE_ITEMS,
    FUNDS,
    PAYMENTS,
    PAYMENT_ITEMS,
    WRITE_OFF_ITEMS,
    SUSPENSE_ITEMS,
    SURPLUS_WRITE_OFFS,
    PAYMENT_REQUESTS,
    *REFUND_TABLES,
    CREDIT_DISTRIBUTIONS,
    PENDING_ROWS,
    COMMANDS,
)
"""The state tables of the book."""
