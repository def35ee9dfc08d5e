"""Random commands about money: payments taken back and moved (a part of the maker of commands)."""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.entities import Account

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
MONEY_COMMAND_TYPES = ("reverse_payment", "move_payment_to_account", "modify_payment_distribution")

FEATURES_OF_MONEY = {
    "redistribution_beside_holds": False,  # the engine pays held items without being told to (R-CHD-9)
    "redistribution_of_designated_funds": False,  # the engine leaves out fees on the invoices of the policy (R-BL-15)
}
"""As `FEATURES` of the books, of what these commands may be about."""


class MoneyCommands:
    """Draws commands about payments and funds for a model."""

    rng: random.Random
    model: Model

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
        return {"target_type": "payment", "target_id": rng.choice(payments)["payment_id"], "params": params}
