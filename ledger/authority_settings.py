"""Who may do what up to which amount, as the carrier file says it: profiles with limits, and users (R-ACT-2, R-AHC-2).

Only the limits on which something depends are there: those of ad hoc credits, of their reversals and of disbursements.
A file without users leaves all of this to whoever hands the commands in: nothing needs approval for its amount.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Self

import polars as pl
from pydantic import Field, model_validator

from ledger.carrier_values import Amount, Broken, CurrencyCode, Filled, HeaderName, Name, OneOf, Settings, refuse
from schemas import enums_refunds

_LIMITS = pl.Schema({"user": pl.String, "limit_type": pl.String, "currency": pl.String, "max_amount": pl.Int64})
_USERS = pl.Schema({"user": pl.String, "supervisor": pl.String, "may_credit": pl.Boolean})


class AuthorityLimit(Settings):
    """Up to which amount something may be done without approval."""

    limit_type: Annotated[str, OneOf(enums_refunds.AUTHORITY_LIMIT_TYPES)] = Field(description="What is limited.")
    currency: Annotated[CurrencyCode, Filled("the carrier's currency")] = Field(description="Currency of the amount.")
    max_amount: Amount = Field(description="Largest amount that needs no approval (R-ACT-2).")


class AuthorityProfile(Settings):
    """The limits of a kind of user; what it does not limit needs no approval."""

    name: HeaderName = Field(description="Name, from the table header.")
    description: str = Field(default="", description="Who has it.")
    limits: tuple[AuthorityLimit, ...] = Field(
        default=(), strict=False, description="At most one per limit type and currency."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        refuse(self._broken())
        return self

    def _broken(self) -> Iterator[Broken]:
        times = Counter((limit.limit_type, limit.currency) for limit in self.limits)
        for place, limit in enumerate(self.limits):
            if times[limit.limit_type, limit.currency] > 1:
                yield Broken(("limits", place, "limit_type"), f"one {limit.limit_type} limit in {limit.currency}")


class User(Settings):
    """A person who hands in commands, named by `requested_by`."""

    name: HeaderName = Field(description="Name, from the table header.")
    profile: Name | None = Field(default=None, description="Name of an authority profile; left out, no limits.")
    supervisor: Name | None = Field(default=None, description="Name of the user who approves what is above the limits.")
    may_credit: bool = Field(
        default=False, description="Permission adhoccredit: to create and reverse ad hoc credits (R-AHC-2)."
    )


def broken_authority(profiles: Mapping[str, AuthorityProfile], users: Mapping[str, User]) -> Iterator[Broken]:
    """Names that name no profile or user, and users who supervise themselves in the end."""
    for user in users.values():
        if user.profile is not None and user.profile not in profiles:
            yield Broken(("users", user.name, "profile"), f"a profile of this file: {', '.join(profiles) or 'none'}")
        if user.supervisor is not None and user.supervisor not in users:
            yield Broken(("users", user.name, "supervisor"), f"a user of this file: {', '.join(users)}")
        elif user.name in _supervisors_of(user, users):
            yield Broken(("users", user.name, "supervisor"), "a user who is not supervised by this one in turn")


def _supervisors_of(user: User, users: Mapping[str, User]) -> list[str]:
    """The supervisors of a user, upwards; each once."""
    found: list[str] = []
    above = user.supervisor
    while above is not None and above in users and above not in found:
        found.append(above)
        above = users[above].supervisor
    return found


def limit_frame(profiles: Mapping[str, AuthorityProfile], users: Mapping[str, User]) -> pl.DataFrame:
    """One row per user and limit: user, limit_type, currency, max_amount (minor units)."""
    rows = [
        {"user": user.name, **limit.model_dump()}
        for user in users.values()
        if user.profile is not None
        for limit in profiles[user.profile].limits
    ]
    return pl.DataFrame(rows, schema=_LIMITS)


def user_frame(users: Mapping[str, User]) -> pl.DataFrame:
    """One row per user: user, supervisor (null without one), may_credit."""
    rows = [
        {"user": user.name, "supervisor": user.supervisor, "may_credit": user.may_credit} for user in users.values()
    ]
    return pl.DataFrame(rows, schema=_USERS)
