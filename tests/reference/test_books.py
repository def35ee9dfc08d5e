"""Invariants of the reference model on random books (reliability.md, section 5)."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.reference.book_money_commands import PAYMENT_COMMAND_TYPES
from tests.reference.books import book
from tests.reference.model import Model

STANDING = ("Executed", "ReversalPendingApproval")
"""Ad hoc credits whose money is in a fund, or was."""


def test_a_seed_always_gives_the_same_book() -> None:
    assert book(7) == book(7)


@pytest.mark.parametrize("seed", range(12))
def test_invariants(seed: int) -> None:
    carrier, days = book(seed)
    model = Model(carrier)
    for day, inbox in days:
        model.close(day, inbox)
    items, charges, journal = model.items(), model.charges(), model.journal()

    sides: dict[int, int] = defaultdict(int)  # I-01, I-03
    for line in journal:
        assert line["amount"] > 0
        sides[line["transaction_no"]] += line["amount"] if line["side"] == "D" else -line["amount"]
    assert not any(sides.values())

    by_charge: dict[str, int] = defaultdict(int)  # I-14, I-21
    for item in items:
        by_charge[item["charge_key"]] += item["amount"]
        settled = item["paid"] + item["written_off"]
        assert 0 <= settled * (1 if item["amount"] > 0 else -1) <= abs(item["amount"])
    assert all(by_charge[charge["charge_key"]] == charge["amount"] for charge in charges)

    balances = model.balances()
    for status, name in (("Planned", "Unbilled"), ("Billed", "Billed")):  # I-16
        expected = sum(item["amount"] for item in items if item["status"] == status)
        assert expected == sum(value for key, value in balances.items() if key[2].endswith(f" {name}"))
    fallen_due = sum(item["amount"] for item in items if item["status"] in ("Due", "Written Off"))
    due = fallen_due - sum(item["paid"] + item["written_off"] for item in items)
    assert due == sum(value for key, value in balances.items() if key[2].endswith(" Due"))

    may_leave_a_deficit = {*PAYMENT_COMMAND_TYPES, "reverse_ad_hoc_credit"}
    may_leave_a_deficit |= {"modify_credit_distribution", "reverse_credit_distribution"}
    asked = {row["command_type"] for _, inbox in days for row in inbox["commands"]}
    for fund in model.funds():  # I-30; R-PMV-08: money that is taken back may leave a deficit
        name = "Designated Unapplied" if fund["policy_id"] else "Unapplied"
        assert fund["balance"] >= 0 or asked & may_leave_a_deficit
        assert fund["balance"] == balances.get(("Account", fund["account_id"], name, fund["policy_id"]), 0)
    standing = [row for row in model.payments() if row["status"] in ("executed", "suspended")]
    received = sum(row["amount"] for row in standing)  # I-24
    in_funds = sum(fund["balance"] for fund in model.funds())
    suspended = sum(row["amount"] for row in model.payments() if row["status"] == "suspended")
    recaptures = {charge["charge_key"] for charge in charges if charge["charge_pattern"] == "Recapture"}
    refilled = sum(item["paid"] for item in items if item["charge_key"] in recaptures)  # R-TXN-04
    given = sum(row["amount"] for row in model.ad_hoc_credits.values() if row["status"] in STANDING)
    of_accounts = [row for row in model.disbursements.values() if row["account_id"] is not None]
    paid_out = sum(row["amount"] for row in of_accounts if row["status"] == "Sent")
    kept = paid_out - given + sum(amount for _, _, amount in model.surplus_kept.values())
    aside = sum(item["amount"] for item in model.suspense_items if item["status"] == "open")
    assert received + refilled == in_funds + suspended + kept + aside + sum(item["paid"] for item in items)
    assert all(invoice["bill_date"] <= invoice["due_date"] for invoice in model.invoices())  # I-19
    assert all(
        0 <= charge["earned"] * (1 if charge["amount"] > 0 else -1) <= abs(charge["amount"]) for charge in charges
    )
    booked = {charge["instruction_id"] for charge in charges} - {None}
    assert booked <= model.instruction_ids  # R-BI-16: of a refused instruction nothing is booked
