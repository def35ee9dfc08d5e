"""What a landing row must satisfy before it may be booked: one plain list of checks per table, in order.

A check names a reason code (`ledger.reasons`), says when a row breaks it, and words what is wrong. The rows hold the
parsed columns of the landing table, beside each parsed column the text it came from (`amount_text`), and the
`business_date`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import polars as pl

from ledger.any_row_checks import checks_of_any_row
from ledger.carrier import Carrier
from ledger.checks import Check, CheckList, said, text_of
from ledger.command_checks import command_checks
from ledger.command_params import allowed_params
from ledger.directions import DIRECTED
from ledger.parsing import is_endless_number, is_number
from ledger.periods import NEW_PERIOD_TYPES
from ledger.plans import Plan
from schemas.currencies import AMOUNT_LIMIT, MINOR_UNIT_DECIMALS
from schemas.landing import LandingTable

ACCOUNT_LEVEL_TYPES = ("account_general", "collateral", "segregated_collateral_requirement")
"""Instruction types without a policy (R-BI-8)."""
SPECIALLY_HANDLED_TYPES = ("policy_change", "cancellation", "reinstatement", "audit", "premium_report")
"""Instruction types that may say how they are handled: those for existing policy periods (R-CI-58)."""
_BOOKED_OWNERS = ("PolicyPeriod", "Account")
_SOME_NAME = r"[^;,\s]"
_OLD_PAYMENT_YEARS = 2


class _SameCarrier:
    """A carrier compared by identity, so that what follows from it is made once and not every day."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def __hash__(self) -> int:
        return id(self.carrier)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameCarrier) and other.carrier is self.carrier


def checks_of(table: LandingTable, carrier: Carrier) -> CheckList:
    """Every check of the rows of a landing table, the last being that they do not differ from what is booked.

    Rows need what `ledger.intake_rows.read_rows` and `compare` add to them, and what the checks of their table name.
    """
    return _checks_of(table.name, _SameCarrier(carrier))


@lru_cache(maxsize=32)
def _checks_of(table_name: str, same: _SameCarrier) -> CheckList:
    makers = {
        "accounts": account_checks,
        "billing_instructions": instruction_checks,
        "charges": charge_checks,
        "payments": payment_checks,
        "commands": command_checks,
    }
    conflict = Check("E-ID-CONFLICT", pl.col("differs").is_not_null(), said("booked before with another {}", "differs"))
    return CheckList([*checks_of_any_row(table_name), *makers[table_name](same.carrier), conflict])


def account_checks(carrier: Carrier) -> list[Check]:
    """Checks of an account row against the row itself and the carrier's plans (R-ACC-05, R-BL-3, R-BT-5, R-LB-02).

    Needs `unknown_plan`, a name among `payment_plans` that is no plan of the carrier.
    """
    defaults = carrier.account_defaults
    is_list_bill = pl.col("account_type").fill_null(defaults.account_type) == "list_bill"
    offers_plans = pl.col("payment_plans").str.contains(_SOME_NAME).fill_null(value=False)
    first_day = pl.col("invoice_first_day_of_month").fill_null(defaults.invoice_first_day_of_month)
    second_day = pl.col("invoice_second_day_of_month").fill_null(defaults.invoice_second_day_of_month)
    is_own_parent = pl.col("parent_account_id") == pl.col("account_id")
    return [
        _known_currency(),
        Check("E-PARENT-SELF", is_own_parent, said("parent_account_id {} is the account itself", "parent_account_id")),
        Check(
            "E-DAYS-ORDER",
            second_day <= first_day,
            said(
                "invoice_second_day_of_month {} is not after invoice_first_day_of_month {}",
                "invoice_second_day_of_month",
                "invoice_first_day_of_month",
            ),
        ),
        Check("E-LIST-BILL-PLANS", is_list_bill & ~offers_plans, said("account_id {} offers none", "account_id")),
        Check("E-PLANS-NOT-ALLOWED", ~is_list_bill & offers_plans, said("payment_plans {}", "payment_plans")),
        Check("E-PLAN-UNKNOWN", pl.col("unknown_plan").is_not_null(), said("payment_plans names {}", "unknown_plan")),
        *_known_plan("billing_plan", carrier.billing_plans, pl.col("business_date")),
        *_known_plan("payment_allocation_plan", carrier.payment_allocation_plans, pl.col("business_date")),
    ]


def instruction_checks(carrier: Carrier) -> list[Check]:
    """Checks of an instruction row (R-BI-3..8, R-CI-58, R-PO-8, R-LB-08).

    Needs `account_currency` (null when the account is to be created), `owner_type`, `is_account_refused`,
    `modifiers_problem`, `is_payer_known` and `payer_currency`.
    """
    kind = pl.col("instruction_type")
    is_new = kind.is_in(NEW_PERIOD_TYPES)
    is_account_level = kind.is_in(ACCOUNT_LEVEL_TYPES)
    currencies = {name: plan.currency for name, plan in carrier.payment_plans.items()}
    plan_currency = _looked_up(pl.col("payment_plan"), currencies, pl.String())
    is_empty_period = pl.col("period_end") <= pl.col("period_start")
    account_currency = pl.col("account_currency").fill_null(carrier.currency)
    is_other_currency = plan_currency != account_currency
    return [
        Check("E-TYPE-INTERNAL", kind == "reversal", said("instruction_type is reversal")),
        *(_needed(name, is_new) for name in ("period_end", "payment_plan")),
        _needed("policy_id", ~is_account_level),
        Check(
            "E-POLICY-NOT-ALLOWED",
            is_account_level & pl.col("policy_id").is_not_null(),
            said("policy_id {} on instruction_type {}", "policy_id", "instruction_type"),
        ),
        Check(
            "E-PERIOD-EMPTY",
            is_empty_period,
            said("period_end {} is not after the start of the period, {}", "period_end", "period_start"),
        ),
        Check(
            "E-SPECIAL-HANDLING-NEW",
            is_new & pl.col("special_handling").is_not_null(),
            said("special_handling {} on instruction_type {}", "special_handling", "instruction_type"),
        ),
        Check(
            "E-SPECIAL-HANDLING",
            ~is_new & ~kind.is_in(SPECIALLY_HANDLED_TYPES) & pl.col("special_handling").is_not_null(),
            said("special_handling {} on instruction_type {}", "special_handling", "instruction_type"),
        ),
        *_modifier_checks(),
        *_known_plan("payment_plan", carrier.payment_plans, pl.col("effective_date")),
        Check(
            "E-ACCOUNT-REFUSED",
            pl.col("is_account_refused"),
            said("the row of account_id {} was refused", "account_id"),
        ),
        Check(
            "E-LIST-BILL-OWNER",
            ~is_account_level & (pl.col("owner_type") == "list_bill"),
            said("account_id {} is a list bill account", "account_id"),
        ),
        Check(
            "E-PLAN-CURRENCY",
            is_other_currency,
            said("payment_plan {} is not in the currency of account_id {}", "payment_plan", "account_id"),
        ),
        Check(
            "E-LIST-BILL-PAYER",
            is_new & (pl.col("billing_method") == "list_bill") & pl.col("payer_account_id").is_null(),
            said("payer_account_id is missing"),
        ),
        *_payer_checks(account_currency),
    ]


def charge_checks(carrier: Carrier) -> list[Check]:
    """Checks of a charge row (R-CP-1..6, R-RC-2, R-BI-16).

    Needs `currency`, `is_payer_known`, `payer_currency`, and of its instruction `state` (accepted, booked, refused or
    null), `cause` and `instruction_type`. A charge whose owner can only be collateral, or a requirement of it, is
    refused: no row says which collateral of the account that is.
    """
    patterns = carrier.charge_patterns
    pattern = pl.col("charge_pattern")
    is_account_level = pl.col("instruction_type").is_in(ACCOUNT_LEVEL_TYPES)
    is_policy_level = ~is_account_level
    pro_rata = [name for name, found in patterns.items() if found.subtype == "pro_rata"]
    recapture = [name for name, found in patterns.items() if found.subtype == "recapture"]
    one_time = [name for name, found in patterns.items() if found.invoicing_approach == "one_time"]
    for_periods = [name for name, found in patterns.items() if "PolicyPeriod" in found.owner_types]
    for_accounts = [name for name, found in patterns.items() if "Account" in found.owner_types]
    for_collateral = [name for name, found in patterns.items() if not {*found.owner_types} & {*_BOOKED_OWNERS}]
    is_wrong_owner = (is_account_level & ~pattern.is_in(for_accounts)) | (is_policy_level & ~pattern.is_in(for_periods))
    on_type = "charge_pattern {} on instruction_type {}"
    return [
        Check("E-PATTERN-UNKNOWN", ~pattern.is_in(list(patterns)), said("charge_pattern {}", "charge_pattern")),
        *_amount_checks(),
        *_largest_charge(carrier),
        Check(
            "E-RECAPTURE-AMOUNT",
            pattern.is_in(recapture) & (pl.col("amount") <= 0),
            said("amount {} of charge_pattern {}", text_of("amount"), "charge_pattern"),
        ),
        Check("E-INSTRUCTION-UNKNOWN", pl.col("state").is_null(), said("instruction_id {}", "instruction_id")),
        Check(
            "E-INSTRUCTION-REFUSED",
            pl.col("state") == "refused",
            said("instruction_id {} was refused: {}", "instruction_id", "cause"),
        ),
        Check(
            "E-PATTERN-NEEDS-TERM",
            is_account_level & pattern.is_in(pro_rata),
            said(on_type, "charge_pattern", "instruction_type"),
        ),
        Check(
            "E-PATTERN-NEEDS-PLAN",
            is_account_level & ~pattern.is_in(one_time),
            said(on_type, "charge_pattern", "instruction_type"),
        ),
        Check(
            "E-COLLATERAL-OWNER",
            is_account_level & pattern.is_in(for_collateral),
            said(on_type, "charge_pattern", "instruction_type"),
        ),
        Check("E-PATTERN-OWNER", is_wrong_owner, said(on_type, "charge_pattern", "instruction_type")),
        Check(
            "E-DUE-DATE-CHARGE",
            pl.col("instruction_type") == "premium_report_due_date",
            said(on_type, "charge_pattern", "instruction_type"),
        ),
        *_payer_checks(pl.col("currency")),
    ]


def payment_checks(carrier: Carrier) -> list[Check]:
    """Checks of a payment row (R-DBP-17, R-SUS-08). Needs `account_currency`, null when the account is unknown."""
    del carrier
    others = pl.any_horizontal(pl.col("account_id", "policy_id", "invoice_id").is_not_null())
    return [
        _known_currency(),
        *_amount_checks(),
        Check(
            "E-DISTRIBUTION-JSON",
            pl.col("is_wrong_distribution"),
            said(
                "distribution {}; it takes: " + allowed_params(DIRECTED).replace("{", "(").replace("}", ")"),
                "distribution",
            ),
        ),
        Check("E-AMOUNT-NOT-POSITIVE", pl.col("amount") <= 0, said("amount {}", text_of("amount"))),
        Check(
            "E-PAYMENT-FUTURE",
            pl.col("payment_date") > pl.col("business_date"),
            said("payment_date {} lies after {}", "payment_date", "business_date"),
        ),
        Check(
            "E-TWO-TARGETS",
            pl.col("producer_id").is_not_null() & others,
            said("producer_id {} and an account, policy or invoice", "producer_id"),
        ),
        Check(
            "E-CURRENCY-ACCOUNT",
            pl.col("currency") != pl.col("account_currency"),
            said("currency {}, account_id {} is in {}", "currency", "account_id", "account_currency"),
        ),
    ]


def is_old_payment() -> pl.Expr:
    """Whether money arrived so long before the business date that the date looks wrong."""
    return pl.col("payment_date") < pl.col("business_date").dt.offset_by(f"-{_OLD_PAYMENT_YEARS}y")


def _needed(name: str, condition: pl.Expr) -> Check:
    detail = said(f"{name} is missing on instruction_type {{}}", "instruction_type")
    return Check("E-NEEDED-FOR-TYPE", condition & pl.col(name).is_null(), detail)


def _known_currency() -> Check:
    is_known = pl.col("currency").is_in(list(MINOR_UNIT_DECIMALS))
    return Check("E-CURRENCY-UNKNOWN", ~is_known, said("currency {}", "currency"))


def _amount_checks() -> list[Check]:
    """Why an amount could not be read, or may not be so large (R-LED-18)."""
    text = pl.col(text_of("amount"))
    is_too_large = is_endless_number(text) | (pl.col("amount").abs() > AMOUNT_LIMIT)
    return [
        Check("E-NOT-AN-AMOUNT", ~is_number(text), said("amount {}", text_of("amount"))),
        Check("E-AMOUNT-LIMIT", is_too_large, said("amount {}", text_of("amount"))),
        Check(
            "E-AMOUNT-DECIMALS",
            pl.col("amount").is_null(),
            said("amount {} has more decimals than {}", text_of("amount"), "currency"),
        ),
    ]


def _largest_charge(carrier: Carrier) -> list[Check]:
    """A charge so large that it is a slip, where the carrier says how large that is."""
    if carrier.largest_charge is None:
        return []
    is_too_large = (pl.col("currency") == carrier.currency) & (pl.col("amount").abs() > carrier.largest_charge)
    return [Check("E-CHARGE-LIMIT", is_too_large, said("amount {}", text_of("amount")))]


def _known_plan(column: str, plans: Mapping[str, Plan], on: pl.Expr) -> list[Check]:
    """The carrier has the plan, and it may be chosen on the date; both ends of its validity count."""
    name = pl.col(column)
    first = {key: plan.effective_date for key, plan in plans.items()}
    last = {key: plan.expiration_date or date.max for key, plan in plans.items()}
    is_open = on.is_between(_looked_up(name, first, pl.Date()), _looked_up(name, last, pl.Date()))
    return [
        Check("E-PLAN-UNKNOWN", ~name.is_in(list(plans)), said(f"{column} {{}}", column)),
        Check("E-PLAN-NOT-EFFECTIVE", ~is_open, said(f"{column} {{}} cannot be chosen on that date", column)),
    ]


def _looked_up(name: pl.Expr, values: Mapping[str, object], dtype: pl.DataType) -> pl.Expr:
    """What stands under a name, null when nothing does."""
    if len(set(values.values())) == 1:
        return pl.when(name.is_not_null()).then(pl.lit(next(iter(values.values())), dtype))
    return name.replace_strict(values, default=None, return_dtype=dtype)


def _payer_checks(currency: pl.Expr) -> list[Check]:
    """The payer that a row names is known, and in the currency of what it is to pay (R-BI-10, R-MCY-6)."""
    return [
        Check("E-PAYER-UNKNOWN", ~pl.col("is_payer_known"), said("payer_account_id {}", "payer_account_id")),
        Check(
            "E-PAYER-CURRENCY",
            pl.col("payer_currency") != currency,
            said("payer_account_id {} is in {}", "payer_account_id", "payer_currency"),
        ),
    ]


def _modifier_checks() -> list[Check]:
    """Payment plan modifiers: a flat object of known keys, each once, with values that a plan may have."""
    problem = pl.col("modifiers_problem")
    shown = said("modifiers {}", "modifiers")
    return [
        Check("E-MODIFIERS-JSON", problem == "json", shown),
        Check("E-MODIFIERS-KEY", problem == "key", shown),
        Check("E-MODIFIERS-VALUE", problem == "value", shown),
    ]
