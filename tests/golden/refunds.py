"""What the stories about ad hoc credits and disbursements share: commands, users with limits, and what a book holds."""

from __future__ import annotations

import json

import polars as pl

from tests.story import Story

USERS = """
[authority_profiles.Clerk]
[[authority_profiles.Clerk.limits]]
limit_type = "Goodwill Credit"
max_amount = "50.00"
[[authority_profiles.Clerk.limits]]
limit_type = "Goodwill Credit Reversal"
max_amount = "20.00"
[[authority_profiles.Clerk.limits]]
limit_type = "Approve Disbursement"
max_amount = "100.00"

[authority_profiles.Lead]
[[authority_profiles.Lead.limits]]
limit_type = "Approve Disbursement"
max_amount = "500.00"

[users.clerk]
profile = "Clerk"
supervisor = "lead"
may_credit = true
[users.lead]
profile = "Lead"
supervisor = "boss"
may_credit = true
[users.boss]
may_credit = true
[users.outsider]
"""
"""A clerk with limits, a lead with a higher one, a boss without; somebody who may not give credits."""


def command(command_id: str, command_type: str, target_type: str, target: str, **given: object) -> dict[str, object]:
    """A landing row of a command."""
    params = given.pop("params", {})
    row = {"command_id": command_id, "command_type": command_type, "target_type": target_type, "target_id": target}
    return row | {"params": json.dumps(params)} | given


def about(
    command_id: str,
    command_type: str,
    amount: str | None,
    params: dict[str, object],
    *,
    account: str = "A",
    **given: object,
) -> dict[str, object]:
    """A landing row of a command about an account."""
    return command(command_id, command_type, "account", account, amount=amount, params=params, **given)


def balances(told: Story) -> dict[int, int]:
    """Balance of every fund that holds something: twice the account, or twice the policy and one."""
    return dict(told.book["funds"].filter(pl.col("balance") != 0).select("fund_key", "balance").rows())


def columns(frame: pl.DataFrame, name: str) -> list[str]:
    """A column of words as text."""
    return frame[name].cast(pl.String).to_list()


def held(told: Story, table: str, *names: str) -> list[tuple[object, ...]]:
    """Columns of a state table, by key."""
    return told.book[table].sort(pl.first()).select(names).rows()
