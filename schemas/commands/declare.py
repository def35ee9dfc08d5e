"""How a command type is declared, once: what it is about, its parameters and its rules.

From one declaration come the check of what lands, the typed columns that its process reads, and `docs/commands.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ParamKind = Literal["text", "word", "whole", "amount", "percent", "date", "flag", "texts", "rows"]
"""texts: a list of texts. rows: a list of objects, each with the parameters in `fields`."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: its name in the JSON object, what kind of value it is and what it means."""

    name: str
    kind: ParamKind
    description: str
    required: bool = False
    values: tuple[str, ...] = ()
    default: str | None = None
    fields: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandType:
    """One command type: what it does, what it may be about, and what it takes.

    `targets` are the target types that it allows, none when it has no target. `amount` says whether the column `amount`
    must be filled. `alone` commands of an account are carried out one after the other, others of one type together.
    `instead` says where the thing is done, for names that people look for here in vain.
    """

    name: str
    description: str
    rules: str
    targets: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    amount: Literal["none", "required", "optional"] = "none"
    alone: bool = False
    instead: str = ""
