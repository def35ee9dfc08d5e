"""Commands about amounts that will not be collected."""

from __future__ import annotations

from schemas import enums
from schemas.commands.declare import CommandType, Param

COMMANDS = (
    CommandType(
        name="write_off",
        description="Write off what is open of an item, a charge, or the charges of a pattern; the oldest items first.",
        rules="R-WO-1..3, R-WO-6",
        targets=("account", "policy", "charge", "invoice_item"),
        amount="optional",
        alone=True,
        params=(
            Param("charge_pattern", "text", "Which charges of an account or a policy; left out, all of them."),
            Param("term_number", "whole", "Term of the policy; left out, all terms."),
            Param(
                "write_off_reason",
                "word",
                "Why.",
                values=tuple(name for name in enums.WRITE_OFF_REASONS if name != "low_balance_invoice"),
                default="uncollectible",
            ),
        ),
    ),
    CommandType(
        name="reverse_write_off",
        description="Take a write-off back; what it wrote off is open again.",
        rules="R-WO-9",
        targets=("account", "policy", "charge", "invoice_item"),
        params=(Param("command", "text", "Id of the command that wrote it off.", required=True),),
    ),
)
