"""Commands about the payment schedule of a policy period: its payment plan, and what warns of a bad schedule."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param
from schemas.commands.invoices import ON_EQUITY_VIOLATION

TERM_NUMBER = Param("term_number", "whole", "Term of the policy; default its latest term in force.")
_PAYMENT_PLAN = Param(
    "payment_plan", "text", "Payment plan of the carrier that the period has from now on.", required=True
)

COMMANDS = (
    CommandType(
        name="change_payment_schedule",
        description="Give a policy period another payment plan, or the same again, and cut its items anew by it.",
        rules="R-PS-5..11, R-PP-16, R-INV-33",
        targets=("policy",),
        params=(
            TERM_NUMBER,
            _PAYMENT_PLAN,
            Param(
                "items",
                "word",
                "Which items are cut anew: all, those on planned invoices, or those that are not fully paid.",
                values=("all_items", "planned_items", "not_fully_paid_items"),
                default="planned_items",
            ),
            Param(
                "include_down_payment",
                "flag",
                "Whether down payments are cut anew too, billed or not; all items include them.",
                default="false",
            ),
            Param(
                "payments",
                "word",
                "Whether what was paid of these items is applied to items again, or stays in its fund.",
                values=("reverse_and_redistribute", "reverse_only"),
                default="reverse_and_redistribute",
            ),
            ON_EQUITY_VIOLATION,
        ),
    ),
    CommandType(
        name="assign_payment_plan",
        description="Give a policy period another payment plan and cut its planned items anew by it.",
        rules="R-PP-19, R-PP-16, R-PS-6",
        targets=("policy",),
        params=(TERM_NUMBER, _PAYMENT_PLAN, ON_EQUITY_VIOLATION),
    ),
    CommandType(
        name="set_policy_equity_warning",
        description="Turn equity warnings of a policy period on or off, and say how many days of equity are preferred.",
        rules="R-EQT-12, R-EQT-18, R-PP-17",
        targets=("policy",),
        params=(
            TERM_NUMBER,
            Param(
                "enabled", "flag", "Whether a schedule that leaves it short of equity raises a warning.", required=True
            ),
            Param("min_days", "whole", "Preferred days of equity; left out, they stay as they are."),
        ),
    ),
)
