"""Spec 06, return premium plans: the worked examples, and the rules that they leave out."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from carriers import standard
from ledger.carrier import Carrier
from ledger.carrier_file import CarrierError
from tests.instructed import JAN_1, charge, down_payment, instruction, land, override, terms
from tests.story import Row, Story, plans, timing

QUARTERLY = terms(more=down_payment("40"), maximum=3, interval="quarterly", first=timing("policy_effective_date", 90))
ONE_DAY = timedelta(days=1)


CANCELLATION = '{ context = "cancellation", method = "last_to_first", allocate_timing = "on_receipt" },'
OTHER = '{ context = "other", method = "proportional", allocate_timing = "on_receipt" },'


def scheme(method: str, more: str = "") -> tuple[tuple[str, str], ...]:
    """The standard carrier with one scheme for all credits."""
    return ((CANCELLATION, ""), (OTHER, f'{{ context = "other", method = "{method}"{more} }},'))


def story(method: str, more: str = "", *changes: tuple[str, str], payment_plan: str = QUARTERLY) -> Story:
    """The standard carrier, whose credits all follow one scheme."""
    return Story(plans(payment_plan, *scheme(method, more), *changes))


def left(story: Story) -> list[int]:
    """What is open of the positive items, by event date, in whole units."""
    items = story.items().filter(pl.col("amount") > 0).sort("event_date", "item_key")
    return [amount // 100 for amount in (items["amount"] - items["paid"] - items["written_off"]).to_list()]


def open_credit(story: Story) -> int:
    """What is open of negative items, in whole units."""
    items = story.items().filter(pl.col("amount") < 0)
    return -int((items["amount"] - items["paid"]).sum()) // 100


def unapplied(story: Story) -> int:
    """What lies in the funds, in whole units."""
    return int(story.book["funds"]["balance"].sum()) // 100


def issued(told: Story) -> Story:
    """A premium of 1,000, quarterly with 40 % down: 400, 200, 200, 200."""
    return land(told, JAN_1, instruction("I1", "issuance"), charges=(charge("I1", "1000.00"),))


def returned(told: Story, day: date, amount: str, kind: str = "general", **more: object) -> Story:
    """A credit that lands on a day; it takes effect on it unless told otherwise."""
    row = instruction("C1", kind, **{"effective_date": day} | more)
    return land(told, day, row, charges=(charge("C1", amount),))


def issued_with_credit(told: Story, amount: str, kind: str = "general", effective: date = JAN_1) -> Story:
    """Both on the day of issue."""
    rows = (instruction("I1", "issuance"), instruction("I2", kind, effective_date=effective))
    return land(told, JAN_1, *rows, charges=(charge("I1", "1000.00"), charge("I2", amount)))


def test_e_rpp_1_the_schedule_that_the_examples_begin_with() -> None:
    """E-RPP-1: 1,000, quarterly, 40 % down, at most three installments."""
    assert left(issued(story("proportional"))) == [400, 200, 200, 200]


@pytest.mark.parametrize(
    ("method", "remaining"),
    [
        ("first_to_last", [0, 0, 200, 200]),
        ("last_to_first", [400, 0, 0, 0]),
        ("proportional", [160, 80, 80, 80]),
    ],
)
def test_e_rpp_2_a_credit_of_600_on_the_day_of_issue(method: str, remaining: list[int]) -> None:
    """E-RPP-2, R-RPP-12, R-RPP-17, R-RPP-18, R-RPP-21."""
    told = issued_with_credit(story(method), "-600.00")
    slices = told.items().filter(pl.col("amount") < 0).sort("event_date")["amount"].to_list()
    assert slices == [-240_00, -120_00, -120_00, -120_00]
    assert left(told) == remaining
    assert (open_credit(told), unapplied(told)) == (0, 0)


def payment(amount: str, **more: object) -> Row:
    """Money from account A on the second of July."""
    return {"payment_id": "P", "account_id": "A", "amount": amount, "payment_date": date(2025, 7, 2)} | more


@pytest.mark.parametrize("method", ["first_to_last", "last_to_first", "proportional"])
def test_e_rpp_3_what_finds_nothing_to_pay_goes_to_the_fund(method: str) -> None:
    """E-RPP-3, R-RPP-11, R-RPP-24, R-RPP-26: 360 against the 200 that are left, 160 unapplied.

    Accounting effects A-7 and A-8.
    """
    told = issued(story(method))
    told.land(date(2025, 7, 2), payments=[payment("800.00")]).close_through(date(2025, 7, 3))
    assert left(told) == [0, 0, 0, 200]
    returned(told, date(2025, 7, 4), "-360.00", "policy_change")
    assert left(told) == [0, 0, 0, 0]
    assert (open_credit(told), unapplied(told)) == (0, 160)
    assert told.balance("Designated Unapplied") == "160.00"


LATE_SLICES = override(
    "audit",
    f"""down_payment_percent = "40"
down_payment_timing = {timing("charge_effective_date")}
first_installment_timing = {timing("charge_effective_date", 89)}""",
)
NOT_ALIGNED = "align_installments = false\n"


@pytest.mark.parametrize(
    ("method", "remaining", "fund"),
    [
        ("proportional", [400, 40, 40, 40], 120),
        ("first_to_last", [0, 0, 200, 200], 0),
        ("last_to_first", [400, 0, 0, 0], 0),
    ],
)
def test_e_rpp_4_a_slice_pays_nothing_that_is_dated_before_it(method: str, remaining: list[int], fund: int) -> None:
    """E-RPP-4, R-RPP-19, R-RPP-20, R-RPP-21: slices of February, May, August and November."""
    told = Story(plans(QUARTERLY + NOT_ALIGNED, *scheme(method), more=LATE_SLICES))
    issued_with_credit(told, "-600.00", "audit", date(2025, 2, 1))
    slices = told.items().filter(pl.col("amount") < 0).sort("event_date")
    assert [str(day) for day in slices["event_date"]] == ["2025-02-01", "2025-05-01", "2025-08-01", "2025-11-01"]
    assert slices["amount"].to_list() == [-240_00, -120_00, -120_00, -120_00]
    dates = told.items().filter(pl.col("amount") > 0).sort("event_date")["event_date"]
    assert [day.month for day in dates] == [1, 4, 7, 10]
    assert left(told) == remaining
    assert (open_credit(told), unapplied(told)) == (0, fund)


def test_the_shipped_plan_tells_cancellations_from_other_credits() -> None:
    """R-RPP-10, R-PLN-14: a cancellation pays the last items first; what has no scheme of its own follows "other"."""
    cancelled = issued_with_credit(Story(plans(QUARTERLY)), "-600.00", "cancellation")
    assert left(cancelled) == [400, 0, 0, 0]
    changed = issued_with_credit(Story(plans(QUARTERLY)), "-600.00", "policy_change")
    assert left(changed) == [160, 80, 80, 80]


TAX = {"pattern": "Tax", "number": 2}
EVERYTHING = {
    "same_payer_account": ["P1 Premium", "P1 Tax", "P2 Premium"],
    "same_policy": ["P1 Premium", "P1 Tax"],
    "same_policy_period": ["P1 Premium", "P1 Tax"],
    "same_policy_period_and_charge_pattern": ["P1 Premium"],
    "same_policy_period_and_charge_category": ["P1 Premium"],
    "same_policy_period_and_charge_group": ["P1 Tax"],
}


@pytest.mark.parametrize(("qualifier", "paid"), EVERYTHING.items())
def test_r_rpp_13_what_an_item_shares_with_the_credit(qualifier: str, paid: list[str]) -> None:
    """R-RPP-13, R-RPP-14: a credit of premium, of charge group "auto", larger than everything that it may pay."""
    told = story("first_to_last", "", ('"same_policy_period"', f'"{qualifier}"'), payment_plan=terms())
    rows = (
        instruction("I1", "issuance"),
        instruction("I2", "issuance", "P2"),
        instruction("I3", "general"),
    )
    charges = (
        charge("I1", "1200.00"),
        charge("I1", "60.00", **TAX, charge_group="auto"),
        charge("I2", "1200.00"),
        charge("I3", "-9000.00", charge_group="auto"),
    )
    land(told, JAN_1, *rows, charges=charges)
    assert told.quarantined() == []
    by_credit = told.book["payment_items"].filter((pl.col("credit_item_key") > 0) & (pl.col("amount") > 0))
    items = told.items().join(by_credit, on="item_key", how="semi")
    policies = told.book["policies"].select("policy_key", "policy_id")
    names = items.join(policies, on="policy_key").select(pl.format("{} {}", "policy_id", "charge_pattern")).to_series()
    assert sorted(set(names)) == paid
    assert by_credit["amount"].sum() == items["amount"].sum()
    assert open_credit(told) == 0


def test_r_rpp_15_items_before_the_credit_takes_effect_may_be_left_out() -> None:
    """R-RPP-15: the day itself counts."""
    told = story("first_to_last", ', start_date = "charge_effective_date"')
    april = issued(told).items().sort("event_date")["event_date"][1]
    returned(told, date(2025, 2, 2), "-500.00", effective_date=april)
    assert left(told) == [400, 0, 0, 100]


def test_r_rpp_16_items_of_one_date_by_priority_and_then_pro_rata() -> None:
    """R-RPP-16: the premium is medium, both fees are low and share to the cent, by the running total."""
    told = story("first_to_last", payment_plan=terms(maximum=1))
    charges = (
        charge("I1", "100.00"),
        charge("I1", "10.00", "Installment Fee", 2),
        charge("I1", "20.00", "Installment Fee", 3),
        charge("I2", "-110.00"),
    )
    land(told, JAN_1, instruction("I1", "issuance"), instruction("I2", "general"), charges=charges)
    items = told.items().filter(pl.col("amount") > 0)
    assert items.select("charge_pattern", "paid").rows() == [
        ("Premium", 100_00),
        ("Installment Fee", 3_33),
        ("Installment Fee", 6_67),
    ]


@pytest.mark.parametrize("when", ["on_receipt", "billed", "due"])
def test_r_rpp_23_slices_pay_on_receipt_or_when_their_invoice_is_billed_or_due(when: str) -> None:
    """R-RPP-23, R-CD-2: each slice when its own invoice turns; until then it pays nothing, whatever is distributed."""
    told = issued_with_credit(story("last_to_first", f', allocate_timing = "{when}"'), "-600.00")
    told.close_through(date(2025, 11, 2))
    slices = told.items().filter(pl.col("amount") < 0)
    used = {
        day: -uses["amount"].sum() // 100
        for day, closed in told.days.items()
        if not (uses := closed.changes["payment_items"].join(slices, on="item_key", how="semi")).is_empty()
    }
    turned = {"on_receipt": pl.lit(JAN_1), "billed": pl.col("bill_date"), "due": pl.col("due_date") + ONE_DAY}
    expected = slices.group_by(day=turned[when]).agg(pl.col("amount").sum() // -100).sort("day")
    assert list(used.items()) == expected.rows()
    assert len(used) == (1 if when == "on_receipt" else 4)


def test_r_rpp_22_credits_of_one_run_follow_each_other_by_instruction_and_priority() -> None:
    """R-RPP-22: the second credit finds what the first one left: 100 of 1,000, and 300 go to the fund."""
    told = story("first_to_last")
    rows = (instruction("I1", "issuance"), instruction("I2", "general"), instruction("I3", "audit"))
    charges = (charge("I1", "1000.00"), charge("I2", "-900.00"), charge("I3", "-400.00"))
    land(told, JAN_1, *rows, charges=charges)
    assert (left(told), open_credit(told), unapplied(told)) == ([0, 0, 0, 0], 0, 300)
    excess = told.book["payment_items"].filter((pl.col("amount") < 0) & (pl.col("credit_item_key") == 0))
    assert excess.group_by("charge_key").agg(pl.col("amount").sum()).rows() == [(3, -300_00)]


def test_r_rpp_24_an_account_with_one_fund_gets_the_excess_in_it() -> None:
    """R-RPP-24: the fund of the stream, and that is the default fund where the account keeps no other."""
    told = story("proportional").land(JAN_1, accounts=[{"account_id": "A", "invoice_by": "account"}])
    issued_with_credit(told, "-1200.00")
    assert (left(told), unapplied(told)) == ([0, 0, 0, 0], 200)
    assert told.balance("Unapplied") == "200.00"


@pytest.mark.parametrize(("whose", "holder"), [("policy_owner_unapplied", "A"), ("policy_payer_unapplied", "BANK")])
def test_r_rpp_25_the_excess_of_a_list_bill_account(whose: str, holder: str) -> None:
    """R-RPP-25: to the fund of the owner of the policy, or of the payer, as the plan says."""
    told = story("proportional", "", ("schemes = [", f'list_bill_account_excess = "{whose}"\nschemes = ['))
    bank = {"account_id": "BANK", "account_type": "list_bill", "payment_plans": "X"}
    told.land(JAN_1, accounts=[bank, {"account_id": "A"}])
    enrolled = {"billing_method": "list_bill", "payer_account_id": "BANK"}
    rows = (instruction("I1", "issuance", **enrolled), instruction("I2", "general"))
    land(told, JAN_1, *rows, charges=(charge("I1", "1000.00"), charge("I2", "-1200.00")))
    assert told.quarantined() == []
    accounts = told.book["accounts"].select("account_key", "account_id")
    funds = told.book["funds"].filter(pl.col("balance") != 0).join(accounts, on="account_key")
    assert funds.select("account_id", "balance").rows() == [(holder, 200_00)]


def test_r_rpp_1_what_an_account_gets_back_follows_no_return_premium_plan() -> None:
    """R-RPP-1: it waits for the next distribution of the account, first to last, and posts no excess."""
    told = story("last_to_first")
    row = instruction("I2", "account_general", None, effective_date=JAN_1)
    charges = (charge("I1", "1000.00"), charge("I2", "-60.00", "Account Late Fee"))
    land(told, JAN_1, instruction("I1", "issuance"), row, charges=charges)
    assert told.quarantined() == []
    assert left(told)[1:] == [200, 200, 200]
    assert unapplied(told) == 0


def test_r_rpp_14_held_items_are_not_paid_and_held_credits_do_not_pay() -> None:
    """R-RPP-14, R-CHD-9: nothing moves while a charge is held."""
    told = issued(story("last_to_first"))
    hold = {"command_id": "H", "command_type": "hold_charge", "target_type": "charge", "target_id": "I1/1"}
    told.land(date(2025, 1, 2), commands=[hold]).close_through(date(2025, 1, 2))
    before = left(told)
    returned(told, date(2025, 1, 3), "-300.00")
    assert (left(told), open_credit(told), unapplied(told)) == (before, 0, 300)


ANOTHER = """
[return_premium_plans."From July"]
effective_date = 2025-07-01
schemes = [{ context = "other", method = "first_to_last" }]
"""
FIRST = ('description = "A cancellation pays', 'expiration_date = 2025-07-01\ndescription = "A cancellation pays')


def plans_of_periods(told: Story) -> list[str]:
    return told.book["policy_periods"].sort("period_key")["return_premium_plan"].to_list()


def test_r_rpp_4_a_period_takes_the_plan_that_is_active_when_it_is_booked_and_keeps_it() -> None:
    """R-RPP-2, R-RPP-4..7: the expiration day is outside; a renewal inherits, a new renewal does not."""
    told = Story(plans(QUARTERLY, FIRST, more=ANOTHER))
    default, july = "Default Return Premium Plan", "From July"
    land(told, date(2025, 6, 30), instruction("I1", "issuance"), instruction("I2", "issuance", "P2"))
    land(told, date(2025, 7, 1), instruction("I3", "issuance", "P3"))
    assert plans_of_periods(told) == [default, default, july]
    later = {"effective_date": date(2026, 1, 1), "period_end": date(2027, 1, 1)}
    land(told, date(2025, 12, 1), instruction("I4", "renewal", "P1", **later))
    land(told, date(2025, 12, 2), instruction("I5", "new_renewal", "P9", **later))
    assert told.quarantined() == []
    assert plans_of_periods(told) == [default, default, july, default, july]


LAST = '{ context = "other", method = "proportional" }'
AUDIT = '{ context = "audit", method = "last_to_first" }'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"expiration_date = 2025-01-01\nschemes = [{LAST}]", "a plan for 2025-01-01 and every day after it"),
        ('schemes = [{ context = "audit", method = "proportional" }]', "R-RPP-9"),
        (f"schemes = [{AUDIT}, {AUDIT}, {LAST}]", "each context once"),
        ("schemes = []", "schemes"),
    ],
)
def test_r_rpp_3_and_r_rpp_9_what_a_carrier_file_may_not_say(text: str, message: str) -> None:
    """R-RPP-3: a plan on every day. R-RPP-9: "other" last, each context once."""
    start = standard().index("[return_premium_plans.")
    end = standard().index("# Calendar ---")
    with pytest.raises(CarrierError, match=message):
        Carrier.from_toml(
            f"{standard()[:start]}[return_premium_plans.Only]\neffective_date = 2000-01-01\n{text}\n{standard()[end:]}"
        )
