"""Random commands about money: payments, suspense, refunds, write-offs (a part of the maker of commands)."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.reference.book_credit_commands import CreditCommands
from tests.reference.book_directions import draw_directions
from tests.reference.book_refunds import APPROVAL_COMMAND_TYPES, RefundCommands
from tests.reference.book_suspense import SUSPENSE_PAYMENT_COMMAND_TYPES, SuspenseCommands
from tests.reference.command_suspense import left_of
from tests.reference.entities import Account
from tests.reference.targets import account_of, find_target, reference_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
PAYMENT_COMMAND_TYPES = (
    "reverse_payment",
    "move_payment_to_account",
    "move_payment_to_suspense",
    "modify_payment_details",
    "modify_payment_distribution",
    "redistribute_payments",
)
REFUND_COMMAND_TYPES = ("create_ad_hoc_credit", "reverse_ad_hoc_credit", "create_disbursement", "void_disbursement")
CREDIT_COMMAND_TYPES = (
    "distribute_credits",
    "distribute_default_fund",
    "distribute_negative_items",
    "modify_credit_distribution",
    "reverse_credit_distribution",
)
SUSPENSE_COMMAND_TYPES = ("create_suspense_item", "release_suspense_items")
WRITE_OFF_COMMAND_TYPES = ("write_off", "reverse_write_off", "write_off_surplus", "reverse_surplus_write_off")
MONEY_COMMAND_TYPES = (
    "open_policy_period",
    *PAYMENT_COMMAND_TYPES,
    *REFUND_COMMAND_TYPES,
    *CREDIT_COMMAND_TYPES,
    *SUSPENSE_COMMAND_TYPES,
    *SUSPENSE_PAYMENT_COMMAND_TYPES,
    *WRITE_OFF_COMMAND_TYPES,
    "transfer_funds",
    *APPROVAL_COMMAND_TYPES,
)

FEATURES_OF_MONEY = {
    "redistribution_beside_holds": True,
    "redistribution_of_designated_funds": True,
    "directed_redistribution": True,
    "corrections_to_the_same_amount": True,
    "corrections_of_payments_for_something": True,
}
"""As `FEATURES` of the books, of what these commands may be about."""


class MoneyCommands(SuspenseCommands, RefundCommands, CreditCommands):
    """Draws commands about payments and funds for a model."""

    rng: random.Random
    model: Model
    sent: list[Row]

    def payments(self, account: Account, *statuses: str) -> list[Row]:
        """Payments of an account; now and then one that nobody has paid."""
        payments = list(self.model.all_payments.values())
        if self.rng.random() < 0.05:
            return [payment for payment in payments if payment["status"] == "suspended"]
        payments = [payment for payment in payments if payment["account_id"] == account.account_id]
        return [payment for payment in payments if payment["status"] in statuses]

    def reverse_payment(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A payment taken back; sometimes one that is already, sometimes of another amount."""
        rng = self.rng
        payments = self.payments(account, "executed", *(("reversed", "moved") if rng.random() < 0.1 else ()))
        if not payments:
            return None
        payment = rng.choice(payments)
        reasons = ("insufficient_funds", "insufficient_funds", "entered_in_error", "stop_payment", "other")
        row: Row = {"target_type": "payment", "target_id": payment["payment_id"]}
        if rng.random() < 0.2:
            row["amount"] = payment["amount"] + rng.choice((0, 0, 0, 1))
        return row | {"params": {"reversal_reason": rng.choice(reasons)}}

    def move_payment_to_account(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A payment moved to another account, sometimes to the same or to one that nobody knows."""
        rng = self.rng
        payments = self.payments(account, "executed")
        if not payments:
            return None
        target = "A-NOBODY" if rng.random() < 0.03 else rng.choice(sorted(self.model.accounts))
        params: Row = {"account_id": target}
        if rng.random() < 0.3:
            params["distribute"] = rng.choice(("auto", "none"))
        return {"target_type": "payment", "target_id": rng.choice(payments)["payment_id"], "params": params}

    def modify_payment_distribution(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A payment that pays anew, or waits."""
        rng = self.rng
        payments = self.payments(account, "executed")
        payers = [account for account in self.model.accounts.values() if any(item.is_held for item in account.items)]
        if not FEATURES_OF_MONEY["redistribution_beside_holds"]:
            payments = [payment for payment in payments if self.model.accounts.get(payment["account_id"]) not in payers]
        if not FEATURES_OF_MONEY["redistribution_of_designated_funds"]:
            payments = [payment for payment in payments if payment["fund_policy_id"] is None]
        if not payments:
            return None
        params: Row = {"distribute": rng.choice(("auto", "none"))} if rng.random() < 0.5 else {}
        payment = rng.choice(payments)
        payer = self.model.accounts.get(payment["account_id"])
        if payer and FEATURES_OF_MONEY["directed_redistribution"] and rng.random() < 0.7:
            params |= draw_directions(rng, self.model, payer, payment["fund_policy_id"], payment["amount"])
        return {"target_type": "payment", "target_id": payment["payment_id"], "params": params}

    def modify_payment_details(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A payment corrected: its amount, its method, or only a note."""
        rng = self.rng
        payments = self.payments(account, "executed", *(("reversed", "superseded") if rng.random() < 0.1 else ()))
        if not FEATURES_OF_MONEY["corrections_of_payments_for_something"]:
            payments = [payment for payment in payments if not payment["invoice"] and not payment["term_number"]]
        if not payments:
            return None
        payment = rng.choice(payments)
        row: Row = {"target_type": "payment", "target_id": payment["payment_id"]}
        if rng.random() < 0.7:
            row["amount"] = payment["amount"] * rng.choice((0, 50, 90, 110, 200, 200)) // 100
            if FEATURES_OF_MONEY["corrections_to_the_same_amount"] and rng.random() < 0.1:
                row["amount"] = payment["amount"]
        params: Row = {"description": "as the bank says"} if rng.random() < 0.3 else {}
        if rng.random() < 0.3:
            params["method"] = rng.choice(("check", "cash"))
        return row | {"params": params}

    def redistribute_payments(self, account: Account, day: date) -> Row:  # noqa: ARG002
        """Payments that pay with what they have left, all of them or some; now and then one that does not stand."""
        rng = self.rng
        payments = self.payments(account, "executed", *(("reversed", "moved") if rng.random() < 0.05 else ()))
        params: Row = {}
        if payments and rng.random() < 0.6:
            chosen = rng.sample(payments, rng.randint(1, len(payments)))
            params["payments"] = [payment["payment_id"] for payment in chosen]
        return {"target_type": "account", "target_id": account.account_id, "params": params}

    # ------------------------------------------------------------------ policy periods

    def open_policy_period(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A closed period opened; now and then one that is open."""
        rng = self.rng
        periods = [p for policy in self.model.policies.values() for p in policy.periods.values()]
        periods = [p for p in periods if p.policy.account is account and (p.closed_date or rng.random() < 0.02)]
        if not periods:
            return None
        period = rng.choice(periods)
        params = {"term_number": period.term_number} if rng.random() < 0.8 else {}
        return {"target_type": "policy", "target_id": period.policy.policy_id, "params": params}

    # ------------------------------------------------------------------ credits and disbursements

    def which_fund(self, account: Account) -> Row:
        """Parameters that name a fund, where that is needed; now and then they do not."""
        fund = self.rng.choice(list(account.funds))
        if fund is not None:
            return {"fund_policy_id": fund}
        return {"default_fund": True} if account.separate_funds and self.rng.random() < 0.95 else {}

    def create_ad_hoc_credit(self, account: Account, day: date) -> Row:  # noqa: ARG002
        """Money given to an account; now and then nothing."""
        rng = self.rng
        params = {"credit_type": rng.choice(("Goodwill", "Interest", "Collections", "Other"))}
        amount = rng.randint(100, 20000) if rng.random() > 0.03 else 0
        row: Row = {"target_type": "account", "target_id": account.account_id, "amount": amount}
        return row | {"params": params | self.which_fund(account)}

    def reverse_ad_hoc_credit(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A credit taken back; sometimes twice."""
        row = self.earlier(account, "create_ad_hoc_credit")
        return row and {"target_type": "ad_hoc_credit", "target_id": row["command_id"]}

    def create_disbursement(self, account: Account, day: date) -> Row:
        """Money paid out of a fund, often more than there is; now and then in the past, or for no reason."""
        rng = self.rng
        which = self.which_fund(account)
        balance = account.funds[which.get("fund_policy_id")]
        amount = max(1, balance * rng.choice((10, 50, 100, 100, 130)) // 100)
        due_date = day + timedelta(days=rng.choice((0, 0, 1, 3, 10, 20, -1)))
        row: Row = {"target_type": "account", "target_id": account.account_id, "amount": amount}
        if rng.random() > 0.05:
            row["reason"] = "overpaid"
        return row | {"params": {"due_date": due_date} | which}

    def void_disbursement(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A disbursement that came back; sometimes one that was not paid."""
        rows = self.disbursements(account, "Sent")
        return {"target_type": "disbursement", "target_id": self.rng.choice(rows)["id"]} if rows else None

    # ------------------------------------------------------------------ suspense items

    def create_suspense_item(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A part of a payment set aside; sometimes more than there is."""
        rng = self.rng
        payments = self.payments(account, "executed")
        if not payments:
            return None
        payment = max(payments, key=lambda payment: left_of(self.model, payment))
        if rng.random() < 0.1:
            payment = rng.choice(payments)
        amount = max(1, left_of(self.model, payment) * rng.choice((10, 50, 100)) // 100) + rng.choice((0, 0, 0, 1))
        row: Row = {"target_type": "payment", "target_id": payment["payment_id"], "amount": amount}
        return row | {"params": {"policy_number": "P-SOON"} if rng.random() < 0.5 else {}}

    def release_suspense_items(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """What was set aside, all of it or the first of it; sometimes what is not there any more."""
        rng = self.rng
        items = [item for item in self.model.suspense_items if item["status"] == "open" or rng.random() < 0.1]
        items = [i for i in items if self.model.all_payments[i["payment_id"]]["account_id"] == account.account_id]
        if not items:
            return None
        item = rng.choice(items)
        params = {"items": [item["id"]]} if rng.random() < 0.5 else {}
        return {"target_type": "payment", "target_id": item["payment_id"], "params": params}

    # ------------------------------------------------------------------ write-offs

    def write_off(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Something that is open will not be collected, or a part of it; sometimes more than there is."""
        rng = self.rng
        charges = [charge for charge in self.model.all_charges if charge.owner is account]
        items = [item for charge in charges for item in charge.items if item.unpaid > 0]
        if not items or rng.random() < 0.3:
            return None
        item = rng.choice(items)
        targets = [("invoice_item", reference_of(item)), ("charge", item.charge.charge_key)]
        targets += [("policy", item.charge.policy_id)] if item.charge.period else [("account", account.account_id)]
        target_type, target_id = rng.choice(targets)
        row: Row = {"target_type": target_type, "target_id": target_id}
        if rng.random() < 0.8:
            row["amount"] = rng.choice((item.unpaid, item.unpaid // 2, item.unpaid // 3 + 1, item.unpaid + 1))
        params: Row = {}
        if target_type in ("policy", "account") and rng.random() < 0.5:
            params["charge_pattern"] = item.charge.pattern
        if target_type == "policy" and rng.random() < 0.3:
            params["term_number"] = rng.choice((1, item.charge.term_number))
        if rng.random() < 0.5:
            params["write_off_reason"] = rng.choice(("uncollectible", "courtesy"))
        return row | {"params": params}

    def earlier(self, account: Account, kind: str) -> Row | None:
        """A command of a kind that was handed in before, about something of the account."""
        found = [row for row in self.sent if row["command_type"] == kind]
        found = [row for row in found if owner_of(self.model, row) is account]
        return self.rng.choice(found) if found else None

    def reverse_write_off(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """An earlier write-off taken back; sometimes one that was refused, or is taken back already."""
        row = self.earlier(account, "write_off")
        if row is None:
            return None
        target = {name: row[name] for name in ("target_type", "target_id")}
        return target | {"params": {"command": row["command_id"]}}

    def transfer_funds(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Money of a fund to other accounts, or to other funds; now and then too much, or to nobody."""
        rng = self.rng
        sources = [fund for fund, balance in account.funds.items() if balance > 0 or rng.random() < 0.03]
        if not sources:
            return None
        source = rng.choice(sources)
        parts = rng.choice((1, 1, 2, 3))
        amount = account.funds[source] * rng.choice((1, 10, 50, 100)) // 100 // parts + rng.choice((0, 0, 0, 1))
        params: Row = {"targets": [self.receiver(account, source) | {"amount": amount} for _ in range(parts)]}
        if rng.random() < 0.02:
            params["targets"] = []
        params |= {"policy_id": source} if source else {}
        return {"target_type": "account", "target_id": account.account_id, "params": params}

    def receiver(self, account: Account, source: str | None) -> Row:
        """A fund that receives money, often one of the same account; now and then there is none."""
        rng = self.rng
        has_others = account.separate_funds and len(account.funds) > 1
        others = [other for name, other in sorted(self.model.accounts.items()) if other is not account]
        receiver = account if has_others and rng.random() < 0.5 else rng.choice(others or [account])
        target: Row = {"account_id": receiver.account_id, "reason": "asked for"}
        funds = [fund for fund in receiver.funds if fund is None or receiver.separate_funds or rng.random() < 0.05]
        if receiver is account and rng.random() < 0.97:
            funds = [fund for fund in funds if fund != source] or funds
        fund = rng.choice(funds)
        target |= {"policy_id": fund} if fund else {}
        if rng.random() < 0.03:
            target |= rng.choice(({"account_id": "A-NOBODY"}, {"policy_id": "P-NOTHING"}))
        return target

    def write_off_surplus(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Money of a fund that is kept; sometimes more than there is."""
        rng = self.rng
        funds = [fund for fund, balance in account.funds.items() if balance > 0]
        if not funds:
            return None
        fund = rng.choice(funds)
        amount = max(1, account.funds[fund] * rng.choice((1, 10, 50, 100)) // 100) + rng.choice((0, 0, 0, 1))
        params = {"policy_id": fund} if fund else {}
        return {"target_type": "account", "target_id": account.account_id, "amount": amount, "params": params}

    def reverse_surplus_write_off(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """What was kept is given back; sometimes twice."""
        row = self.earlier(account, "write_off_surplus")
        if row is None:
            return None
        params = {"command": row["command_id"]}
        return {"target_type": "account", "target_id": account.account_id, "params": params}


def owner_of(model: Model, row: Row) -> Account | None:
    """Whose what a command is about is, if it is still there."""
    target = find_target(model, row["target_type"], row["target_id"])
    return None if target is None or isinstance(target, dict) else account_of(target)


def is_directed(row: Row) -> bool:
    """Whether a command says itself what money pays."""
    return row["command_type"] == "modify_payment_distribution" and bool({*row["params"]} - {"distribute"})
