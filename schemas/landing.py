"""The input contract: tables that come in, one declaration each.

Files may hold the columns as text or typed; what is declared here is the type after parsing. Amounts become minor
units of the currency. A column that is not required may be missing from a file or empty in a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from schemas import enums
from schemas.declare import Column, Table


@dataclass(frozen=True)
class LandingTable(Table):
    """A landing table: also which columns a file must have, and the id that makes a row the same row again."""

    required: tuple[str, ...] = ()
    record_id: str = ""
    money: tuple[str, ...] = ()


def _text(name: str, description: str, values: tuple[str, ...] | None = None, *, nullable: bool = True) -> Column:
    return Column(name, pl.String, description, values=values, nullable=nullable)


def _date(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, pl.Date, description, nullable=nullable)


def _whole(name: str, description: str, *, nullable: bool = True) -> Column:
    return Column(name, pl.Int64, description, nullable=nullable)


def _amount(description: str, *, nullable: bool = False) -> Column:
    return Column("amount", pl.Int64, description, unit="minor units", nullable=nullable)


ACCOUNTS = LandingTable(
    name="accounts",
    kind="landing",
    description="Billing accounts: who is invoiced, how, and where their money is kept.",
    record_id="account_id",
    required=("account_id",),
    key=("account_id",),
    columns=(
        _text("account_id", "External id of the account.", nullable=False),
        _text("account_type", "Kind of account; default insured.", enums.ACCOUNT_TYPES),
        _text("currency", "ISO 4217 code; default the carrier's currency."),
        _text("invoice_by", "Invoice per account or per policy; default the carrier's.", enums.LEVELS),
        _text("separate_funds_by", "Keep incoming funds per account or per policy.", enums.LEVELS),
        _whole("invoice_day_of_month", "Day of month of monthly invoices, 1 to 31."),
        _whole("invoice_day_of_week", "Day of week of weekly invoices, 1 Monday to 7 Sunday."),
        _whole("invoice_first_day_of_month", "First day of invoices twice per month."),
        _whole("invoice_second_day_of_month", "Second day of invoices twice per month."),
        _date("invoice_every_other_week_anchor", "A date on the every-other-week cadence."),
        _text("fix_invoices_on", "Which date of an invoice the days above fix.", enums.DATE_FIXINGS),
        _text("payment_instrument", "How the account pays.", enums.PAYMENT_INSTRUMENTS),
        _text("billing_plan", "Name of a billing plan of the carrier."),
        _text("delinquency_plan", "Name of a delinquency plan of the carrier."),
        _text("payment_allocation_plan", "Name of a payment allocation plan of the carrier."),
        _text("parent_account_id", "External id of the parent account."),
        _text("name", "Name shown on reports."),
        _text("payment_plans", "Payment plans that a list bill account offers; names separated by semicolons."),
    ),
)

BILLING_INSTRUCTIONS = LandingTable(
    name="billing_instructions",
    kind="landing",
    description="Commands of the policy administration system: issue, change, renew, cancel.",
    record_id="instruction_id",
    required=("instruction_id", "instruction_type", "account_id", "effective_date"),
    key=("instruction_id",),
    columns=(
        _text("instruction_id", "External id; the same id again has no effect.", nullable=False),
        _text("instruction_type", "What the instruction does.", enums.INSTRUCTION_TYPES, nullable=False),
        _text("account_id", "Account that owns the policy or the charges.", nullable=False),
        _text("policy_id", "Policy; empty on account-level instructions."),
        _whole("term_number", "Term of the policy; default 1, or the next one on a renewal."),
        _date("period_start", "First day of cover of a new policy period."),
        _date("period_end", "Expiration date of a new policy period."),
        _date("effective_date", "Date on which the transaction takes effect.", nullable=False),
        _text("payment_plan", "Name of a payment plan; required on new policy periods."),
        _text("billing_method", "Who bills the insured; default direct_bill.", enums.BILLING_METHODS),
        _text("producer_code", "Primary producer code."),
        _text("secondary_producer_code", "Secondary producer code."),
        _text("referrer_producer_code", "Referring producer code."),
        _text("special_handling", "How the instruction overrules the payment plan.", enums.SPECIAL_HANDLINGS),
        _text("modifiers", "Payment plan modifiers for this instruction, as JSON."),
        _whole("sequence", "Order among instructions of the same policy and day; default 0."),
        _text("payer_account_id", "Account that pays instead of the owner; on a new period for all its charges."),
        _text("invoice_by", "Invoice the account per account or per policy from now on.", enums.LEVELS),
        _text("separate_funds_by", "Keep its funds per account or per policy; default as invoices.", enums.LEVELS),
    ),
)

CHARGES = LandingTable(
    name="charges",
    kind="landing",
    description="Charges of the billing instructions.",
    record_id="instruction_id",
    required=("instruction_id", "charge_no", "charge_pattern", "amount"),
    key=("instruction_id", "charge_no"),
    money=("amount",),
    columns=(
        _text("instruction_id", "Instruction that carries the charge.", nullable=False),
        _whole("charge_no", "Number of the charge within its instruction.", nullable=False),
        _text("charge_pattern", "Name of a charge pattern of the carrier.", nullable=False),
        _amount("What is owed; negative when the carrier owes."),
        _text("payer_account_id", "Account that pays instead of the owner."),
        _text("charge_group", "Free text by which invoice lines may be grouped."),
    ),
)

PAYMENTS = LandingTable(
    name="payments",
    kind="landing",
    description="Money received.",
    record_id="payment_id",
    required=("payment_id", "amount"),
    key=("payment_id",),
    money=("amount",),
    columns=(
        _text("payment_id", "External id; the same id again has no effect.", nullable=False),
        _amount("Money received, more than zero."),
        _text("kind", "Kind of payment; default direct_bill.", enums.PAYMENT_KINDS),
        _text("account_id", "Account that paid."),
        _text("policy_id", "Policy that the payment is for."),
        _whole("term_number", "Term of that policy; default its latest term in force."),
        _text("invoice_id", "Invoice that the payment is for."),
        _text("producer_id", "Producer that paid (agency bill)."),
        _text("currency", "ISO 4217 code; default the account's currency."),
        _date("payment_date", "Date on which the money was received; default the business date."),
        _text("method", "How it was paid (check, ach, credit_card, wire, cash, ...)."),
        _text("reference", "Reference of the payer or of the bank."),
        _text("distribute", "Whether the money is applied to items at once; default auto.", enums.DISTRIBUTE),
        _text("distribution", "Which items it pays, where the account's plan does not decide, as JSON."),
    ),
)

COMMANDS = LandingTable(
    name="commands",
    kind="landing",
    description="What people and other systems ask for: changes of plans, payers, items, invoices and money.",
    record_id="command_id",
    required=("command_id", "command_type"),
    key=("command_id",),
    columns=(
        _text("command_id", "External id; the same id again has no effect.", nullable=False),
        _text("command_type", "What is asked for (docs/commands.md).", nullable=False),
        _text("target_type", "What the command is about.", enums.TARGET_TYPES),
        _text("target_id", "External id of what it is about."),
        _text("amount", "Amount, in the currency of the account concerned."),
        _text("reason", "Why it is asked for."),
        _text("params", "Further parameters of the command, as JSON (docs/commands.md)."),
        _text("requested_by", "Who asked for it."),
        _whole("sequence", "Order among commands of the same account and day; default 0."),
    ),
)

LANDING_TABLES: tuple[LandingTable, ...] = (ACCOUNTS, BILLING_INSTRUCTIONS, CHARGES, PAYMENTS, COMMANDS)
"""Every table that may come in, in the order in which a day takes them."""
