"""What a carrier says about the files of its banks: whom the text of an entry names, and which entries are payments.

The patterns are regular expressions with one group: what the group holds is the id. The text of an entry is its
references and its remittance text, joined by blanks. What is found is not looked up here: an id that the book does not
know makes a suspense payment of the money (R-SUS-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

import polars as pl
from pydantic import Field, model_validator

from ledger.carrier_values import Allowed, Broken, Settings, refuse

_ID_PATTERNS = {"invoice_id": "invoice_pattern", "policy_id": "policy_pattern", "account_id": "account_pattern"}
_ID = r"[ :#.-]{0,3}([A-Z0-9](?:[A-Z0-9._/-]*[A-Z0-9])?)"
_CREDITS = (1, 399)
_DEBITS = (400, 699)

Pattern = Annotated[str, Allowed("a regular expression with one group, without look-around, in single quotes; or ''")]
CreditTypes = tuple[Annotated[int, Field(ge=_CREDITS[0], le=_CREDITS[1])], ...]
DebitTypes = tuple[Annotated[int, Field(ge=_DEBITS[0], le=_DEBITS[1])], ...]


class BankFiles(Settings):
    """How the entries of bank files become payments."""

    invoice_pattern: Pattern = Field(
        default=r"(?i)\bINV(?:OICE)?[ :#.-]{0,3}([0-9]+)\b", description="Finds the invoice id in the text of an entry."
    )
    policy_pattern: Pattern = Field(
        default=rf"(?i)\bPOL(?:ICY)?\b{_ID}", description="Finds the policy id in the text of an entry."
    )
    account_pattern: Pattern = Field(
        default=rf"(?i)\bACC(?:OUN)?T\b{_ID}", description="Finds the account id in the text of an entry."
    )
    bai2_payment_types: CreditTypes = Field(
        default=(108, 115, 116, 121, 135, 142, 147, 165, 166, 169, 171, 173, 174, 175, 184, 191, 195, 206, 208, 301),
        strict=False,
        description="BAI2 type codes of credits that are payments; a lockbox total (115) counts unless its items (116)"
        " are there.",
    )
    bai2_return_types: DebitTypes = Field(
        default=(555, 557),
        strict=False,
        description="BAI2 type codes of debits that take a payment back, which their customer reference names.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(
            Broken((key,), "a regular expression with one group, without look-around")
            for key in _ID_PATTERNS.values()
            if not _has_one_group(getattr(self, key))
        )
        return self

    def ids_in(self, text: pl.Expr) -> Mapping[str, pl.Expr]:
        """The ids of invoice, policy and account that a text names, by landing column; null where it names none."""
        nothing = pl.lit(None, pl.String)
        return {
            column: text.str.extract(pattern, 1) if pattern else nothing
            for column, pattern in ((column, getattr(self, key)) for column, key in _ID_PATTERNS.items())
        }


def _has_one_group(pattern: str) -> bool:
    """Whether a pattern can be read and captures one thing, or is empty."""
    if not pattern:
        return True
    try:
        groups = pl.select(pl.lit("").str.extract_groups(pattern)).to_series().dtype
    except pl.exceptions.PolarsError:
        return False
    return isinstance(groups, pl.Struct) and len(groups.fields) == 1
