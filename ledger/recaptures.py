"""Recapture: a charge that brings a fund in deficit back to zero, after money left it by mistake (R-RC).

Paying the item of such a charge refills the fund: the default fund of the account that owns the charge, or the
designated fund of the policy that the charge names (R-RC-4, R-RC-5). Payer and owner may be the same account, and the
money that was received alone brings the fund back to zero (R-RC-7).
"""

from __future__ import annotations

import polars as pl

from ledger.funds import fund_key


def refill_policy_key() -> pl.Expr:
    """Policy of the designated fund that a payment of an item refills; 0 for default funds and for other items."""
    return pl.when("is_recapture").then("policy_key").otherwise(0)


def refills(parts: pl.DataFrame) -> pl.DataFrame:
    """What parts of recapture items put into the funds that they refill.

    In: is_recapture, owner_key, destination_fund_policy_key, currency, amount. Out: moves of funds (`ledger.funds`).
    """
    return parts.filter("is_recapture").select(
        "currency",
        "amount",
        account_key="owner_key",
        fund_key=fund_key(pl.col("owner_key"), pl.col("destination_fund_policy_key")),
        policy_key="destination_fund_policy_key",
    )
