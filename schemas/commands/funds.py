"""Commands about money in unapplied funds: transferred, or kept because it cannot be returned."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param

FUND = Param("policy_id", "text", "Policy whose designated fund it is; left out, the default fund.")
"""Which fund of an account a command is about."""

COMMANDS = (
    CommandType(
        name="transfer_funds",
        description="Transfer money of an unapplied fund to other accounts, or to other funds of the account.",
        rules="R-TRF-01..04",
        targets=("account",),
        alone=True,
        params=(
            FUND,
            Param(
                "targets",
                "rows",
                "Where the money goes.",
                required=True,
                fields=(
                    Param("account_id", "text", "Account that receives it.", required=True),
                    Param("policy_id", "text", "Policy whose designated fund receives it."),
                    Param("amount", "amount", "How much.", required=True),
                    Param("reason", "text", "Why.", required=True),
                ),
            ),
        ),
    ),
    CommandType(
        name="write_off_surplus",
        description="Keep money of an unapplied fund that cannot be returned (negative write-off).",
        rules="R-WO-7",
        targets=("account",),
        amount="required",
        alone=True,
        params=(FUND,),
    ),
    CommandType(
        name="reverse_surplus_write_off",
        description="Make money that was kept payable to the insured again; it is in its fund once more.",
        rules="R-WO-8",
        targets=("account",),
        params=(Param("command", "text", "Id of the command that kept it.", required=True),),
    ),
)
