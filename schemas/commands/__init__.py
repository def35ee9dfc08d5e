"""The command types, one module per family; `COMMAND_TYPES` holds all of them by name."""

from __future__ import annotations

from schemas.commands import (
    accounts,
    charges,
    closure,
    credit_distributions,
    elsewhere,
    funds,
    invoices,
    items,
    payers,
    payments,
    refunds,
    schedules,
    suspense,
    writeoffs,
)
from schemas.commands.declare import CommandType, Param

__all__ = ["COMMAND_TYPES", "CommandType", "Param"]

_FAMILIES = (
    invoices.COMMANDS,
    payments.COMMANDS,
    suspense.COMMANDS,
    funds.COMMANDS,
    refunds.COMMANDS,
    credit_distributions.COMMANDS,
    writeoffs.COMMANDS,
    charges.COMMANDS,
    schedules.COMMANDS,
    accounts.COMMANDS,
    closure.COMMANDS,
    payers.COMMANDS,
    items.COMMANDS,
    elsewhere.COMMANDS,
)

COMMAND_TYPES: dict[str, CommandType] = {command.name: command for family in _FAMILIES for command in family}
"""Every command type by its name, in the order in which commands of different types are taken in one round."""
