"""A carrier of the reference model as a carrier file of the engine."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

Row = dict[str, Any]


def carrier_text(carrier: Row) -> str:
    """The carrier file of a carrier of the model."""
    settings = ("invoice_due_lag_days", "expiration_convention", "installment_remainder", "earning_interval")
    parts = [_settings({"name": "Reference", "currency": "USD"} | {name: carrier[name] for name in settings})]
    parts[0] += _settings({"invoicing_fee_pattern": carrier["invoicing_fee_pattern"]})
    parts.append("[account_defaults]\n" + _settings(carrier["account_defaults"]))
    calendar = {"business_days": carrier["business_weekdays"], "holidays": sorted(carrier["holidays"])}
    parts.append("[calendar]\n" + _settings(calendar))
    for name, pattern in carrier["charge_patterns"].items():
        owner = "Account" if pattern["owner"] == "account" else "PolicyPeriod"
        words = ("subtype", "category", "priority", "invoicing_approach")
        parts.append(
            _table("charge_patterns", name, {"owner_types": [owner]} | {word: pattern[word] for word in words})
        )
    parts += [_table("billing_plans", name, _billing_plan(plan)) for name, plan in carrier["billing_plans"].items()]
    parts += [_payment_plan(name, plan) for name, plan in carrier["payment_plans"].items()]
    for name, plan in carrier["allocation_plans"].items():
        parts.append(_table("payment_allocation_plans", name, _ALWAYS | plan))
    for name, plan in carrier.get("return_premium_plans", {}).items():
        parts.append(_table("return_premium_plans", name, plan))
    for name, limits in carrier.get("authority_profiles", {}).items():
        listed = [{"limit_type": limit_type, "max_amount": _units(amount)} for limit_type, amount in limits.items()]
        parts.append(_table("authority_profiles", name, {"limits": listed}))
    parts += [_table("users", name, user) for name, user in carrier.get("users", {}).items()]
    return "\n".join(parts)


_ALWAYS = {"effective_date": date(1990, 1, 1)}


def _billing_plan(plan: Row) -> Row:
    return _ALWAYS | {
        "lead_days": plan["lead_time_days"],
        "non_responsive_lead_days": plan["non_responsive_lead_time_days"],
        "lead_day_unit": plan["lead_time_unit"],
        "payment_due_day_logic": plan["payment_due_day_logic"],
        "skip_installment_fees": plan["skip_installment_fees"],
        **{name: plan[name] for name in _AS_THEY_ARE if name in plan},
        **{name: _units(plan[name]) for name in _AMOUNTS if plan.get(name)},
    }


_AMOUNTS = ("low_balance_threshold", "invoice_fee", "payment_reversal_fee")
_AMOUNTS += ("review_disbursements_over", "disbursement_over")
_AS_THEY_ARE = (
    "suppress_low_balance",
    "low_balance_method",
    "request_interval_days",
    "change_deadline_days",
    "draft_interval_days",
    "draft_day_logic",
    "automatic_disbursements",
    "delay_disbursement_days",
    "available_disbursement_basis",
    "create_approval_activities",
    "send_disbursements_awaiting_approval",
)


def _units(amount: int) -> str:
    return f"{Decimal(amount) / 100:.2f}"


_OTHER_NAMES = {"out_of_sequence_first_installment": "has_second_installment", "interval": "payment_interval"}
_NOT_SETTINGS = ("overrides", "fee_amount")


def _payment_plan(name: str, plan: Row) -> str:
    fee = {"fee_amount": _units(plan["fee_amount"])} if plan["fee_amount"] else {}
    text = _table("payment_plans", name, _ALWAYS | _plan_settings(plan) | fee)
    for kind, override in plan["overrides"].items():
        text += f'\n[[payment_plans."{name}".overrides]]\n'
        text += _settings({"instruction_type": kind} | _plan_settings(override))
    return text


def _plan_settings(plan: Row) -> Row:
    """Settings of a plan or an override in the words of the carrier file."""
    settings = {}
    for name, value in plan.items():
        if name in _NOT_SETTINGS or value is None:
            continue
        settings[_OTHER_NAMES.get(name, name)] = str(value) if name == "down_payment_percent" else value
    return settings


def _table(kind: str, name: str, settings: Row) -> str:
    return f'[{kind}."{name}"]\n{_settings(settings)}'


def _settings(settings: Row) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in settings.items() if value is not None)


def _value(value: Any) -> str:
    """A value as TOML writes it; a pair is a timing."""
    match value:
        case bool():
            return str(value).lower()
        case int() | date():
            return str(value)
        case (int(days), str(reference)):
            direction = "before" if days < 0 else "after"
            return f'{{ days = {abs(days)}, direction = "{direction}", reference = "{reference}" }}'
        case dict():
            return f"{{ {', '.join(f'{name} = {_value(entry)}' for name, entry in value.items())} }}"
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            return f'"{value}"'
