"""Why payments come back from a bank: the codes of NACHA and ISO 20022 in the words of the ledger.

The table is data, `return_reasons.toml`, and complete for NACHA (R01 to R85 as far as they are in use).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from schemas.enums import REVERSAL_REASONS

UNKNOWN_REASON = "other"


@dataclass(frozen=True, slots=True)
class ReturnReason:
    """What a code means, and the reversal reason that it becomes; none when it takes no payment back."""

    meaning: str
    reversal_reason: str | None


@cache
def return_reasons() -> Mapping[str, ReturnReason]:
    """Every return reason by its code; the codes of the two schemes differ."""
    text = files("pipelines.bankfiles").joinpath("return_reasons.toml").read_text(encoding="utf-8")
    reasons = {
        code: ReturnReason(entry["meaning"], entry.get("reversal_reason"))
        for scheme in tomllib.loads(text).values()
        for code, entry in scheme.items()
    }
    assert {reason.reversal_reason for reason in reasons.values()} <= {None, *REVERSAL_REASONS}
    return reasons


def meanings() -> Mapping[str, str]:
    """What every code means."""
    return {code: reason.meaning for code, reason in return_reasons().items()}


def reversal_reasons() -> Mapping[str, str]:
    """The reversal reason of every code that takes a payment back."""
    return {code: reason.reversal_reason for code, reason in return_reasons().items() if reason.reversal_reason}


def takes_nothing_back() -> list[str]:
    """Codes that pass between banks and leave the payment as it is."""
    return [code for code, reason in return_reasons().items() if reason.reversal_reason is None]
