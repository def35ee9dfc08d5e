"""What a command row must satisfy before its process looks at it."""

from __future__ import annotations

import polars as pl

from ledger.carrier import Carrier
from ledger.checks import Check, said
from ledger.parsing import is_number
from schemas.commands import COMMAND_TYPES


def command_checks(carrier: Carrier) -> list[Check]:
    """Checks of a command row: its type, target, amount and parameters (04 section 8).

    Needs `allowed` and `missing` (null when the parameters are right), see `ledger.command_params`.
    """
    del carrier
    kind = pl.col("command_type")
    elsewhere = {name: found.instead for name, found in COMMAND_TYPES.items() if found.instead}
    amounts = {name: found.amount for name, found in COMMAND_TYPES.items()}
    targets = [f"{name}/{target}" for name, found in COMMAND_TYPES.items() for target in found.targets or ("",)]
    target = pl.concat_str(kind, pl.lit("/"), pl.col("target_type").fill_null(""))
    has_half_target = pl.col("target_type").is_null() != pl.col("target_id").is_null()
    amount = pl.col("amount")
    use_of_amount = kind.replace_strict(amounts, default="none", return_dtype=pl.String)
    is_wrong_amount = (
        ((use_of_amount == "none") & amount.is_not_null())
        | ((use_of_amount == "required") & amount.is_null())
        | ~is_number(amount)
    )
    return [
        Check("E-COMMAND-UNKNOWN", ~kind.is_in(list(COMMAND_TYPES)), said("command_type {}", "command_type")),
        *(
            Check("E-COMMAND-ELSEWHERE", kind == name, said(f"command_type {name}: {instead}"))
            for name, instead in elsewhere.items()
        ),
        Check(
            "E-COMMAND-TARGET",
            has_half_target | ~target.is_in(targets),
            said("{} about target_type {}, target_id {}", "command_type", "target_type", "target_id"),
        ),
        Check("E-COMMAND-AMOUNT", is_wrong_amount, said("amount {} of {}", "amount", "command_type")),
        Check(
            "E-PARAMS-JSON",
            pl.col("allowed").is_not_null(),
            said("params {}; {} takes: {}", "params", "command_type", "allowed"),
        ),
        Check("E-PARAMS-MISSING", pl.col("missing").is_not_null(), said("{} needs {}", "command_type", "missing")),
    ]
