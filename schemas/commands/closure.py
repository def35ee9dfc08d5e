"""Commands that open closed policy periods, and that close accounts and open them again."""

from __future__ import annotations

from schemas.commands.declare import CommandType
from schemas.commands.schedules import TERM_NUMBER

COMMANDS = (
    CommandType(
        name="open_policy_period",
        description="Open a closed policy period; it stays open until something has happened to it.",
        rules="R-CLS-06, R-CLS-07",
        targets=("policy",),
        params=(TERM_NUMBER,),
    ),
    CommandType(
        name="close_account",
        description="Close an account that owes nothing and whose policy periods are all closed.",
        rules="R-ACC-09..11",
        targets=("account",),
        params=(),
    ),
    CommandType(
        name="reopen_account",
        description="Open a closed account again.",
        rules="R-ACC-12",
        targets=("account",),
        params=(),
    ),
)
