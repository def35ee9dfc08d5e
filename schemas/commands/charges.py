"""Commands about charges: reverse one, recapture a deficit, hold a charge back from billing and release it."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param

COMMANDS = (
    CommandType(
        name="reverse_charge",
        description="Undo a charge that was raised in error or is waived; what paid it is free again.",
        rules="R-CR-1..6",
        targets=("charge",),
    ),
    CommandType(
        name="create_recapture",
        description="Charge an account for a deficit of its unapplied fund; paying the charge refills the fund.",
        rules="R-RC-1..7",
        targets=("account",),
        params=(
            Param("policy_id", "text", "Policy whose designated fund is in deficit; left out, the default fund is."),
            Param("charge_pattern", "text", "Recapture pattern; left out, the only one of the carrier."),
        ),
        amount="required",
    ),
    CommandType(
        name="hold_charge",
        description="Hold a charge back from billing; what is billed of it and open goes back to a planned invoice.",
        rules="R-CHD-1..10",
        targets=("charge",),
    ),
    CommandType(
        name="release_charge_hold",
        description="Let a charge that is held back be billed again, with the invoices that its items are on.",
        rules="R-CHD-11",
        targets=("charge",),
    ),
)
