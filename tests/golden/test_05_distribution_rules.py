"""Rules of payments and their distribution that no worked example shows by itself."""

from __future__ import annotations

import json
from datetime import date

import polars as pl

from tests.story import Row, Story, by_allocation_plan, plans, timing

JAN_1, JAN_10, FEB_1 = date(2025, 1, 1), date(2025, 1, 10), date(2025, 2, 1)


def terms(count: int) -> str:
    first = timing("policy_effective_date")
    return f'payment_interval = "monthly"\nmax_installments = {count}\nfirst_installment_timing = {first}\n'


def story(*premiums: str, count: int = 2, more: str = "", **account: object) -> Story:
    """Policies P1, P2, ... of account A, in so many monthly installments."""
    told = Story(plans(terms(count), more=more))
    return told.land(
        JAN_1,
        accounts=[{"account_id": "A", **account}],
        billing_instructions=[
            {
                "instruction_id": f"I{number}",
                "instruction_type": "issuance",
                "account_id": "A",
                "policy_id": f"P{number}",
                "period_start": JAN_1,
                "period_end": date(2026, 1, 1),
                "effective_date": JAN_1,
                "payment_plan": "X",
            }
            for number in range(1, len(premiums) + 1)
        ],
        charges=[
            {"instruction_id": f"I{number}", "charge_no": 1, "charge_pattern": "Premium", "amount": amount}
            for number, amount in enumerate(premiums, 1)
        ],
    )


def money(amount: str, payment_id: str = "M", **more: object) -> Row:
    return {"payment_id": payment_id, "account_id": "A", "amount": amount, **more}


def paid(told: Story) -> list[int]:
    return told.items()["paid"].to_list()


def distributed(told: Story) -> list[tuple[str, int]]:
    """Kind and amount of every payment item, in order."""
    parts = told.book["payment_items"].sort("payment_item_key")
    return parts.select(pl.col("kind").cast(pl.String), "amount").rows()


def in_fund(told: Story) -> int:
    return int(told.book["funds"]["balance"].sum())


def test_a_payment_and_what_it_pays_are_separate_rows() -> None:
    """R-DBP-01, R-DST-02, R-DST-12, R-DST-14: one payment, a part per item and none of zero; items and Due say so."""
    told = story("100.00", "60.00", count=1).land(JAN_10, payments=[money("130.00")]).close_through(JAN_10)
    assert told.book["payments"].select("amount", "kind").rows() == [(130_00, "direct_bill")]
    assert sum(amount for _, amount in distributed(told)) == 130_00
    assert all(amount > 0 for _, amount in distributed(told))
    assert len(distributed(told)) == 2
    assert sum(paid(told)) == 130_00
    assert told.balance("<Charge Pattern> Due", "Premium") == "-130.00"
    told.land(date(2025, 1, 11), payments=[money("30.00", "M2")]).close_through(date(2025, 1, 11))
    assert paid(told) == [100_00, 60_00]
    assert len(distributed(told)) == 3 + (distributed(told)[2][1] < 30_00)


def test_money_that_nobody_distributes_waits_for_the_batch() -> None:
    """R-DBP-05, R-DBP-15, R-DST-01, R-DST-16: received only; applied when the next invoice is billed."""
    told = story("200.00").land(JAN_10, payments=[money("150.00", distribute="none")]).close_through(date(2025, 1, 14))
    assert (paid(told), in_fund(told)) == ([0, 0], 150_00)
    told.close_through(FEB_1)
    assert (sum(paid(told)), in_fund(told)) == (150_00, 0)
    assert {kind for kind, _ in distributed(told)} == {"credit"}


def test_credits_go_first_whenever_money_or_an_invoice_comes() -> None:
    """R-DST-03, R-DST-10: a credit pays when a payment comes, and when an invoice turns without one."""
    with_payment = by_allocation_plan(story("100.00", "-40.00", count=1, invoice_by="account"))
    with_payment.land(JAN_1, payments=[money("50.00")]).close_through(JAN_1)
    without = by_allocation_plan(story("100.00", "-40.00", count=1, invoice_by="account")).close_through(FEB_1)
    for told, received in ((with_payment, 50_00), (without, 0)):
        assert paid(told) == [40_00 + received, -40_00]
        assert sorted(amount for kind, amount in distributed(told) if kind == "credit")[:1] == [-40_00]
        assert in_fund(told) == 0


def test_a_payment_of_another_account_leaves_the_fund_of_its_payer() -> None:
    """R-DST-11, R-TXN-04: B pays A's premium from B's fund; the charge stays A's."""
    told = story("100.00", count=1)
    told.land(JAN_1, accounts=[{"account_id": "B"}])
    told.land(
        JAN_1,
        charges=[
            {"instruction_id": "I1", "charge_no": 2, "charge_pattern": "Fee", "amount": "9.00", "payer_account_id": "B"}
        ],
    )
    told.land(JAN_10, payments=[money("9.00", account_id="B")]).close_through(JAN_10)
    b = told.book["accounts"].filter(pl.col("account_id") == "B")["account_key"].item()
    lines = told.journal().filter(pl.col("transaction_type") == "ChargePaidFromAccount").sort("line_no")
    assert lines.select("t_account_pattern", "owner_type", "owner_key").rows() == [
        ("Unapplied", "Account", b),
        ("<Charge Pattern> Due", "PolicyPeriod", 1),
    ]


def test_money_in_suspense_pays_nothing() -> None:
    """R-DST-17: neither when it comes nor when invoices turn."""
    told = story("200.00").land(JAN_10, payments=[money("150.00", kind="suspense", account_id=None)])
    told.close_through(date(2025, 2, 28))
    assert (paid(told), told.book["payments"]["status"].to_list()) == ([0, 0], ["suspended"])


def test_a_plan_edited_in_the_file_decides_later_distributions() -> None:
    """R-PAP-04: of accounts that have it already; what was distributed before stays."""

    def filtering(words: str) -> str:
        return f'[payment_allocation_plans."Mine"]\neffective_date = 2020-01-01\nfilters = [{words}]\n'

    told = story("300.00", count=3, more=filtering('"billed_or_due"'), payment_allocation_plan="Mine")
    told.land(JAN_10, payments=[money("250.00")]).close_through(JAN_10)
    assert (paid(told), in_fund(told)) == ([100_00, 0, 0], 150_00)
    told.carrier = plans(terms(3), more=filtering(""))
    told.land(date(2025, 1, 11), payments=[money("20.00", "M2")]).close_through(date(2025, 1, 11))
    assert (paid(told), in_fund(told)) == ([100_00, 20_00, 0], 150_00)


def test_e_dbp_02_no_negative_part_on_a_positive_item() -> None:
    """E-DBP-02, R-DBP-22, R-DBP-23: 110 for a charge of 100 pays 100; taking 10 of it away for another is refused."""
    told = story("100.00", "10.00", count=1, invoice_by="policy", separate_funds_by="account")
    first, second = (str(key) for key in told.close_through(JAN_1).items()["item_key"])
    everything = {"allocate": [{"target_type": "invoice_item", "target_id": first, "amount": "110.00"}]}
    told.land(JAN_10, payments=[money("110.00", distribution=json.dumps(everything))]).close_through(JAN_10)
    assert (paid(told)[0], max(amount for _, amount in distributed(told))) == (100_00, 100_00)
    moved = [
        {"target_type": "invoice_item", "target_id": first, "amount": "-10.00"},
        {"target_type": "invoice_item", "target_id": second, "amount": "10.00"},
    ]
    command = {
        "command_id": "C",
        "command_type": "modify_payment_distribution",
        "target_type": "payment",
        "target_id": "M",
        "params": json.dumps({"allocate": moved}),
    }
    before = distributed(told)
    told.land(date(2025, 1, 11), commands=[command]).close_through(date(2025, 1, 11))
    assert [code for _, code in told.quarantined()] == ["E-DISTRIBUTION-AMOUNT"]
    assert distributed(told) == before


def test_one_list_bill_account_pays_for_many_in_bulk() -> None:
    """R-LIF-15: one payment, gross, for the policies of two owners."""
    told = Story(plans(terms(1)))
    told.land(
        JAN_1,
        accounts=[
            {"account_id": "BANK", "account_type": "list_bill", "payment_plans": "X"},
            {"account_id": "A"},
            {"account_id": "B"},
        ],
        billing_instructions=[
            {
                "instruction_id": f"I{owner}",
                "instruction_type": "issuance",
                "account_id": owner,
                "policy_id": f"P{owner}",
                "period_start": JAN_1,
                "period_end": date(2026, 1, 1),
                "effective_date": JAN_1,
                "payment_plan": "X",
                "billing_method": "list_bill",
                "payer_account_id": "BANK",
            }
            for owner in ("A", "B")
        ],
        charges=[
            {"instruction_id": f"I{owner}", "charge_no": 1, "charge_pattern": "Premium", "amount": "100.00"}
            for owner in ("A", "B")
        ],
        payments=[money("200.00", account_id="BANK")],
    ).close_through(FEB_1)
    assert told.quarantined() == []
    assert (paid(told), in_fund(told)) == ([100_00, 100_00], 0)
