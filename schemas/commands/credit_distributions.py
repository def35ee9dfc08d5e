"""Commands that distribute credits by hand, and change or take back such a distribution."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param
from schemas.commands.refunds import FUND

_ACCOUNT = ("account",)
_DISTRIBUTION = ("credit_distribution",)
_AMOUNTS = Param(
    "items",
    "rows",
    "Items of the account and how much of each: more than zero pays a positive item, less than zero uses a negative"
    " one. What is used and not needed goes into the fund.",
    required=True,
    fields=(
        Param("item_id", "text", "The invoice item.", required=True),
        Param("amount", "amount", "How much, with the sign of the item.", required=True),
    ),
)

COMMANDS = (
    CommandType(
        name="distribute_credits",
        description="Let a fund and negative items of an account pay items of it, by amounts per item.",
        rules="R-CD-1, R-CD-3, R-CD-4",
        targets=_ACCOUNT,
        params=(_AMOUNTS, *FUND),
        alone=True,
    ),
    CommandType(
        name="distribute_default_fund",
        description="Let an amount of the default fund of an account pay its open items, the earliest first.",
        rules="R-CD-1, R-CD-5",
        targets=_ACCOUNT,
        amount="required",
        alone=True,
    ),
    CommandType(
        name="distribute_negative_items",
        description="Let negative items of an account pay now, by the return premium plan of their period whatever its"
        " timing; those of no plan pay the earliest items first. What is left goes into a fund.",
        rules="R-CD-1, R-CD-5",
        targets=_ACCOUNT,
        params=(Param("items", "texts", "The negative items.", required=True),),
        alone=True,
    ),
    CommandType(
        name="modify_credit_distribution",
        description="Take back what a distribution by hand applied and apply other amounts.",
        rules="R-CD-6",
        targets=_DISTRIBUTION,
        params=(_AMOUNTS,),
        alone=True,
    ),
    CommandType(
        name="reverse_credit_distribution",
        description="Take back what a credit distribution applied: items and funds are as they were.",
        rules="R-CD-6",
        targets=_DISTRIBUTION,
    ),
)
