"""The reference of the carrier file, written from the models: `docs/carrier.md`."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ledger.authority_settings import AuthorityLimit, AuthorityProfile, User
from ledger.bank_files import BankFiles
from ledger.carrier import Carrier
from ledger.carrier_defaults import AccountDefaults, Calendar
from ledger.carrier_file import shown
from ledger.carrier_values import allowed_values, file_keys, filled_from
from ledger.finance_settings import AccountEvaluation, EvaluationLimits, FundsTracking
from ledger.plans import BillingPlan, ChargePattern, PaymentAllocationPlan, PaymentPlan, PaymentPlanOverride, Timing

_INTRODUCTION = """\
# The carrier file

Carriers differ in plans, not in code. A carrier is one TOML file: its settings, its calendar, its charge patterns and
its plans. `carriers/standard.toml` is one to start from. The file is checked as a whole when it is read; what is wrong
is told all at once, a sentence each, with the line, the key, the value and what is allowed:

```
carrier.toml, line 230: payment_plans."Monthly 30% Down".down_payment_percent is "110"; allowed: a percentage such as \
"10" or "33.33", from 0 to 100, with at most 4 decimals.
```

How values are written:

- An amount is text or a number in major units, `"5.00"`; inside it becomes minor units of the currency. More decimals
  than the currency has are refused, never rounded. An amount in a payment plan is in the plan's currency, every other
  amount in the carrier's.
- A percentage is text or a number, `"33.33"`.
- A date is a TOML date without quotes, `2026-01-31`.
- Words are spelled as below, in lower case with underscores; owners of charges as they stand in the journal.
- A key that is not listed here is refused, and so is a setting that could have no effect, such as a down payment
  percentage on a plan without down payment.
- In messages, entries of a list are counted from 1: `overrides[2]` is the second.

A named table is a plan or a pattern: `[payment_plans."Monthly"]`. Its name is what landing rows refer to. Plans of a
kind are looked through by `priority`, which is their order in the file unless given; the first that is available on
the day is the default. A plan is available from `effective_date` to `expiration_date`, both days included.

```toml
[payment_plans."Monthly 30% Down"]
effective_date = 2026-01-01
payment_interval = "monthly"
has_down_payment = true
down_payment_percent = "30"
down_payment_timing = { days = 0, direction = "after", reference = "policy_effective_date" }
max_installments = 3
first_installment_timing = { reference = "one_interval_after_policy_effective_date" }
one_time_timing = { reference = "policy_effective_date" }

[[payment_plans."Monthly 30% Down".overrides]]
instruction_type = "renewal"
has_down_payment = false
```
"""

_TABLES: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("Top of the file", Carrier, "Before the first table header."),
    ("`[account_defaults]`", AccountDefaults, "What a new account has where its landing row says nothing."),
    ("`[calendar]`", Calendar, "Business days are the working days of the week that are no holidays."),
    ("`[account_evaluation]`", AccountEvaluation, "The view account_evaluation: the worst grade of what is counted."),
    (
        "`[account_evaluation.excellent]`, `[account_evaluation.acceptable]`",
        EvaluationLimits,
        "The most of each for a grade. As a whole left out, acceptable allows one reversal.",
    ),
    (
        "`[funds_tracking]`",
        FundsTracking,
        "The views fund_sources, fund_uses and fund_allotments, and how payments are redistributed; nothing is posted.",
    ),
    (
        "`[bank_files]`",
        BankFiles,
        "Read by `paidthrough land payments` for BAI2 and camt files (docs/how-to/land-bank-files.md).",
    ),
    (
        '`[charge_patterns."Name"]`',
        ChargePattern,
        "A pro_rata charge, and any charge that is not one_time, can only be a policy period's (R-CP-4..6).",
    ),
    ('`[billing_plans."Name"]`', BillingPlan, "Chosen per account."),
    (
        '`[payment_plans."Name"]`',
        PaymentPlan,
        "Chosen per period. A down payment and an out-of-sequence first installment exclude each other (R-CI-30).",
    ),
    (
        '`[[payment_plans."Name".overrides]]`',
        PaymentPlanOverride,
        "At most one per instruction type. Where an override turns a flag off, what belongs to the flag falls away.",
    ),
    (
        "Timings",
        Timing,
        "An event date: the earliest day on which an item may be billed. Written as an inline table.",
    ),
    ('`[payment_allocation_plans."Name"]`', PaymentAllocationPlan, "Chosen per account."),
    (
        '`[authority_profiles."Name"]`',
        AuthorityProfile,
        "What is above a limit waits for approval; what a profile does not limit does not (R-ACT-2).",
    ),
    ('`[[authority_profiles."Name".limits]]`', AuthorityLimit, "An amount equal to the limit needs no approval."),
    (
        '`[users."Name"]`',
        User,
        "Named by `requested_by`. Once there are users, ad hoc credits need one who may, and approvals need a user.",
    ),
)


def carrier_reference() -> str:
    """The whole page, as Markdown."""
    sections = [_section(title, model, note) for title, model, note in _TABLES]
    return "\n".join([_INTRODUCTION, *sections])


def _section(title: str, model: type[BaseModel], note: str) -> str:
    """One table of the file: every key with what is allowed, its default and its meaning."""
    lines = [f"## {title}", "", note, "", "| key | allowed | default | meaning |", "|---|---|---|---|"]
    unset = "as in the plan" if model is PaymentPlanOverride else "none"
    for key, name in file_keys(model).items():
        field = model.model_fields[name]
        allowed = allowed_values(field.annotation, field.metadata)
        lines.append(f"| `{key}` | {allowed} | {_default(field, unset)} | {field.description} |")
    return "\n".join([*lines, ""])


def _default(field: FieldInfo, unset: str) -> str:
    source = filled_from(field.metadata)
    if source is not None:
        return source
    if field.is_required():
        return "required"
    if field.default_factory is dict:
        return unset
    if field.default_factory is not None:
        return "the defaults below"
    if field.default is None or field.default == ():
        return unset
    return f"`{shown(field.default)}`"
