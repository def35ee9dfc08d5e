"""What cannot be carried out."""

from __future__ import annotations

from typing import NoReturn


class RefusedError(Exception):
    """An instruction or a command that cannot be carried out; none of it is (R-BI-16, R-CI-06)."""


def refuse(reason: str) -> NoReturn:
    """Refuse the instruction or the command in hand."""
    raise RefusedError(reason)
