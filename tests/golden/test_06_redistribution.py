"""Several payments distributed in one operation: in which order, and how much of each."""

from __future__ import annotations

import json
from datetime import date

import polars as pl
import pytest

from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Row, Story, plans

JAN_1, DAY, NEXT, LAST = date(2025, 1, 1), date(2025, 1, 16), date(2025, 1, 17), date(2025, 1, 18)
TRACKED = "\n[funds_tracking]\nenabled = true\nenabled_on = 2025-01-01\n"


UNLINKED = TRACKED + "link_disbursements = false\n"


def story(*, tracked: bool, premium: str = "200.00", installments: int = 2, tracking: str = TRACKED) -> Story:
    """Premium on monthly invoices from January 15 on; planned items may be paid."""
    told = Story(plans(monthly(maximum=installments), more=tracking if tracked else ""))
    return told.land(
        JAN_1,
        accounts=[{"account_id": "A", "invoice_by": "account"}],
        billing_instructions=[issuance("I1", "P", JAN_1, date(2026, 1, 1))],
        charges=[{"instruction_id": "I1", "charge_no": 1, "charge_pattern": "Premium", "amount": premium}],
    )


def command(command_type: str, command_id: str, target: tuple[str, str] = ("account", "A"), **params: object) -> Row:
    amount = params.pop("amount", None)
    kind, name = target
    return {
        "command_id": command_id,
        "command_type": command_type,
        "target_type": kind,
        "target_id": name,
        "amount": amount,
        "reason": "asked for",
        "params": json.dumps(params),
    }


def received(told: Story, day: date, payment: str, amount: str) -> Story:
    return told.land(day, payments=[{"payment_id": payment, "account_id": "A", "amount": amount, "distribute": "none"}])


def paid(told: Story) -> list[int]:
    return told.book["invoice_items"].sort("item_key")["paid"].to_list()


def applied(told: Story, day: date) -> dict[str, int]:
    """What each payment paid on a day, in cents."""
    payments = told.book["payments"].select("payment_key", "payment_id")
    parts = told.days[day].changes["payment_items"].join(payments, on="payment_key", how="inner")
    return dict(parts.group_by("payment_id").agg(pl.col("amount").sum()).sort("payment_id").rows())


@pytest.mark.parametrize(("tracked", "january"), [(False, 0), (True, 100_00)])
def test_e_ft_3_the_latest_payment_first_unless_funds_are_tracked(*, tracked: bool, january: int) -> None:
    """E-FT-3, R-FT-7: after the second payment is taken back, January stays paid only first in, first out."""
    told = received(story(tracked=tracked), DAY, "M1", "100.00")
    received(told, NEXT, "M2", "100.00").land(NEXT, commands=[command("redistribute_payments", "R")])
    told.close_through(NEXT)
    assert paid(told) == [100_00, 100_00]
    back = command("reverse_payment", "B", ("payment", "M2"), reversal_reason="other")
    told.land(LAST, commands=[back]).close_through(LAST)
    assert paid(told)[0] == january


@pytest.mark.parametrize(
    ("tracking", "expected"),
    [("", {"M2": 50_00}), (UNLINKED, {"M1": 30_00, "M2": 20_00}), (TRACKED, {"M2": 50_00})],
)
def test_e_ft_4_of_a_payment_goes_what_its_fund_still_holds(tracking: str, expected: dict[str, int]) -> None:
    """E-FT-4, R-FT-8, R-FT-9: 70 of 100 paid, 30 refunded; then 50 come in, and there is more to pay."""
    told = story(tracked=bool(tracking), premium="70.00", installments=1, tracking=tracking)
    told.land(DAY, payments=[{"payment_id": "M1", "account_id": "A", "amount": "100.00"}]).close_through(DAY)
    refund = command("create_disbursement", "D", amount="30.00", due_date=NEXT.isoformat())
    told.land(NEXT, commands=[refund]).close_through(NEXT)
    assert told.balance("Unapplied") == "0.00"
    more = issuance("I2", "P", JAN_1, date(2026, 1, 1)) | {"instruction_type": "general", "payment_plan": None}
    more |= {"period_start": None, "period_end": None}
    charge = {"instruction_id": "I2", "charge_no": 1, "charge_pattern": "Premium", "amount": "80.00"}
    received(told, LAST, "M2", "50.00").land(LAST, billing_instructions=[more], charges=[charge])
    told.land(LAST, commands=[command("redistribute_payments", "R", payments=["M1", "M2"])]).close_through(LAST)
    assert (applied(told, LAST), told.balance("Unapplied")) == (expected, "0.00")


def test_r_ft_7_only_the_payments_that_are_named() -> None:
    """R-FT-7: another one stays in the fund; one that does not stand is refused with its command."""
    told = received(story(tracked=False), DAY, "M1", "60.00")
    received(told, DAY, "M2", "30.00").land(NEXT, commands=[command("redistribute_payments", "R", payments=["M2"])])
    told.land(NEXT, commands=[command("redistribute_payments", "S", payments=["M1", "M9"])]).close_through(NEXT)
    assert (applied(told, NEXT), told.balance("Unapplied")) == ({"M2": 30_00}, "60.00")
    assert told.quarantined() == [("S", "E-PAYMENT-STATUS")]


def test_r_ft_9_what_was_refunded_was_of_the_earliest_payment_also_where_that_is_not_named() -> None:
    """R-FT-9: of 60 and 50 in a fund, 80 are refunded: 30 are left of the second payment, nothing of the first."""
    told = received(story(tracked=True), DAY, "M1", "60.00")
    received(told, DAY, "M2", "50.00")
    refund = command("create_disbursement", "D", amount="80.00", due_date=DAY.isoformat())
    told.land(DAY, commands=[refund]).close_through(DAY)
    told.land(NEXT, commands=[command("redistribute_payments", "R", payments=["M1"])]).close_through(NEXT)
    assert applied(told, NEXT) == {}
    told.land(LAST, commands=[command("redistribute_payments", "S", payments=["M2"])]).close_through(LAST)
    assert (applied(told, LAST), told.balance("Unapplied")) == ({"M2": 30_00}, "0.00")
