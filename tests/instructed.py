"""Rows of billing instructions for stories: one policy "P1" on account "A", issued on the first of 2025 by plan "X"."""

from __future__ import annotations

from datetime import date

from tests.story import Row, Story, timing

JAN_1 = date(2025, 1, 1)
YEAR_END = date(2026, 1, 1)
NEW = ("issuance", "renewal", "new_renewal", "rewrite")
ON_EFFECTIVE = timing("policy_effective_date")


def terms(first: str = ON_EFFECTIVE, more: str = "", *, maximum: int = 12, interval: str = "monthly") -> str:
    """Terms of a payment plan: monthly from the first day on, no down payment, unless told otherwise."""
    return (
        f'payment_interval = "{interval}"\nmax_installments = {maximum}\nfirst_installment_timing = {first}\n{more}\n'
    )


def down_payment(percent: str, when: str = ON_EFFECTIVE) -> str:
    """Terms of a down payment."""
    return f'has_down_payment = true\ndown_payment_percent = "{percent}"\ndown_payment_timing = {when}\n'


def override(instruction_type: str, settings: str, plan: str = "X") -> str:
    """What a plan has otherwise for one type of instruction."""
    return f'\n[[payment_plans."{plan}".overrides]]\ninstruction_type = "{instruction_type}"\n{settings}\n'


def instruction(instruction_id: str, kind: str, policy_id: str | None = "P1", **more: object) -> Row:
    """An instruction; one that starts a policy period covers 2025 by plan "X"."""
    row: dict[str, object] = {
        "instruction_id": instruction_id,
        "instruction_type": kind,
        "account_id": "A",
        "policy_id": policy_id,
        "effective_date": JAN_1,
    }
    if kind in NEW:
        row |= {"period_end": YEAR_END, "payment_plan": "X"}
    return row | more


def charge(
    instruction_id: str, amount: str = "1200.00", pattern: str = "Premium", number: int = 1, **more: object
) -> Row:
    """A charge of an instruction."""
    carried = {"instruction_id": instruction_id, "charge_no": number, "charge_pattern": pattern, "amount": amount}
    return carried | more


def land(story: Story, day: date, *rows: Row, charges: tuple[Row, ...] = (), **tables: list[Row]) -> Story:
    """Land instructions with their charges, and other rows; then close through that day."""
    story.land(day, billing_instructions=list(rows), charges=list(charges), **tables)
    return story.close_through(day)
