"""Users, permissions and authority limits of the carrier file, and what follows from them."""

from __future__ import annotations

import polars as pl
import pytest

from ledger.authority import credit_limit, with_authority
from ledger.carrier import Carrier, CarrierError
from schemas import enums_refunds
from tests.golden.refunds import USERS
from tests.story import carrier


def wrong(text: str) -> list[str]:
    """What is said of a carrier file with these tables: without the name of the file and the line."""
    with pytest.raises(CarrierError) as refused:
        carrier(more=text)
    return [str(problem).split(": ", 1)[1] for problem in refused.value.problems]


def limited(*limits: str) -> str:
    return f"[authority_profiles.P]\nlimits = [{', '.join(limits)}]\n"


def test_all_limit_types_can_be_set() -> None:
    """R-ACT-2, 06 section 2.6: four types of credit, their reversals, and disbursements."""
    entries = [f'{{ limit_type = "{name}", max_amount = "1.00" }}' for name in enums_refunds.AUTHORITY_LIMIT_TYPES]
    read = carrier(more=limited(*entries) + "[users.u]\nprofile = 'P'\n")
    frame = read.limit_frame()
    assert frame["limit_type"].to_list() == list(enums_refunds.AUTHORITY_LIMIT_TYPES)
    assert frame.drop("limit_type").unique().rows() == [("u", "USD", 1_00)]
    types = pl.DataFrame({"credit_type": enums_refunds.CREDIT_TYPES})
    used = types.select(credit_limit(), reversal=credit_limit(is_reversal=True))
    assert {*used["credit_type"], *used["reversal"], "Approve Disbursement"} == {*enums_refunds.AUTHORITY_LIMIT_TYPES}


AMOUNTS = 'an amount such as "5.00", from 0 to 10000000000 minor units, with the decimals of its currency at most.'
GOODWILL = '{ limit_type = "Goodwill Credit", max_amount = "1.00" }'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[users.a]\nprofile = "P"\n', ['users.a.profile is "P"; allowed: a profile of this file: none.']),
        ('[users.a]\nsupervisor = "b"\n', ['users.a.supervisor is "b"; allowed: a user of this file: a.']),
        (
            '[users.a]\nsupervisor = "a"\n',
            ['users.a.supervisor is "a"; allowed: a user who is not supervised by this one in turn.'],
        ),
        (
            '[users.a]\nsupervisor = "b"\n[users.b]\nsupervisor = "a"\n[users.c]\nsupervisor = "a"\n',
            [
                'users.a.supervisor is "b"; allowed: a user who is not supervised by this one in turn.',
                'users.b.supervisor is "a"; allowed: a user who is not supervised by this one in turn.',
            ],
        ),
        (
            limited(GOODWILL, GOODWILL),
            [
                f'authority_profiles.P.limits[{n}].limit_type is "Goodwill Credit"; allowed: one Goodwill Credit limit '
                "in USD."
                for n in (1, 2)
            ],
        ),
        (
            limited('{ limit_type = "Goodwill Credit", currency = "JPY", max_amount = "1.5" }'),
            [
                'authority_profiles.P.limits[1].max_amount is "1.5"; allowed: ' + AMOUNTS,
            ],
        ),
    ],
)
def test_what_is_wrong_is_told(text: str, said: list[str]) -> None:
    """R-ACT-2: at most one limit per profile, type and currency; names that are there; nobody above themselves."""
    assert wrong(text) == said


def asked(who: str | None, amount: int, plans: Carrier, currency: str = "USD") -> dict[str, object]:
    row = pl.DataFrame(
        {"requested_by": [who], "currency": [currency], "part": [amount]},
        schema={"requested_by": pl.String, "currency": pl.String, "part": pl.Int64},
    )
    found = with_authority(row, plans, "part", pl.lit("Approve Disbursement"))
    return found.select("needs_approval", "may_approve", "may_credit", "supervisor").row(0, named=True)


def allowed(**changes: object) -> dict[str, object]:
    return {"needs_approval": False, "may_approve": True, "may_credit": True, "supervisor": None} | changes


def test_r_act_2_what_follows() -> None:
    """R-ACT-2, R-ACT-4, R-AHC-2: equal is within; no profile, no limit; nobody known approves nothing."""
    plans = carrier(more=USERS)
    assert asked("clerk", 100_00, plans) == allowed(supervisor="lead")
    assert asked("clerk", 100_01, plans) == allowed(needs_approval=True, may_approve=False, supervisor="lead")
    assert asked("clerk", 100_01, plans, "EUR") == allowed(supervisor="lead")
    assert asked("outsider", 10**9, plans) == allowed(may_credit=False)
    for who in ("stranger", None):
        assert asked(who, 10**9, plans) == allowed(may_approve=False, may_credit=False)
    assert asked(None, 10**9, carrier()) == allowed()


def test_a_carrier_copy_has_its_own_users() -> None:
    assert carrier(more=USERS).model_copy(update={"users": {}}).user_frame().is_empty()
