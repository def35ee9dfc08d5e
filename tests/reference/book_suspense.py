"""Suspense in random books: money of unknown payers, and commands about it."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.reference.entities import Account

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
SUSPENSE_PAYMENT_COMMAND_TYPES = (
    "edit_suspense_payment",
    "apply_suspense_payment",
    "disburse_suspense_payment",
)

FEATURES_OF_SUSPENSE = {
    "payments_for_invoices": True,
    "directed_payments": False,  # applied, one pays as it said before it was moved, in the engine (R-PMV-03, silent)
}
"""As `FEATURES` of the books, of what is moved to suspense."""


def make_suspense_payment(rng: random.Random, prefix: str, known: list[str], payment_id: str) -> Row:
    """Money of nobody who is known yet; of an account or for a policy that may appear, or said to be suspense."""
    row: Row = {"payment_id": payment_id, "amount": rng.randint(1, 60000)}
    choice = rng.random()
    if choice < 0.3:
        row["policy_id"] = f"{prefix}P{rng.randint(1, 6)}"
    elif choice < 0.7:
        row["account_id"] = rng.choice((f"{prefix}A-LATE", f"{prefix}A-LATE", f"{prefix}A-NEW", "A-UNKNOWN"))
    if choice > 0.6:
        row["kind"] = "suspense"
    if choice > 0.9:
        row["account_id"] = rng.choice(known)
    if rng.random() < 0.15:
        row["distribute"] = "none"
    return row


class SuspenseCommands:
    """Draws commands about payments of unknown payers."""

    rng: random.Random
    model: Model

    def suspended(self) -> list[Row]:
        """Open suspense payments; now and then any payment."""
        payments = list(self.model.all_payments.values())
        return [payment for payment in payments if payment["status"] == "suspended" or self.rng.random() < 0.003]

    def numbers(self) -> Row:
        """An account or a policy by which a payment may be found; now and then both, or none."""
        rng = self.rng
        params: Row = {}
        accounts, policies = sorted(self.model.accounts), sorted(self.model.policies)
        if rng.random() < 0.5 or not policies:
            params["account_number"] = rng.choice([*accounts, "A-SOON"])
        if policies and (not params or rng.random() < 0.05):
            params["policy_number"] = rng.choice([*policies, "P-SOON"])
        return params if rng.random() < 0.95 else {}

    def move_payment_to_suspense(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A payment that was somebody else's, of whom nothing may be known."""
        payments = self.model.all_payments.values()
        payments = [payment for payment in payments if payment["account_id"] == account.account_id]
        payments = [payment for payment in payments if payment["status"] == "executed" or self.rng.random() < 0.02]
        if not FEATURES_OF_SUSPENSE["payments_for_invoices"]:
            payments = [payment for payment in payments if not payment["named_invoice"]]
        if not FEATURES_OF_SUSPENSE["directed_payments"]:
            payments = [payment for payment in payments if not payment["distribution"]]
        if not payments:
            return None
        params = self.numbers() if self.rng.random() < 0.5 else {}
        return {"target_type": "payment", "target_id": self.rng.choice(payments)["payment_id"], "params": params}

    def edit_suspense_payment(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """By what the payer may be found; sometimes only a note."""
        payments = self.suspended()
        if not payments:
            return None
        params = self.numbers() | ({"description": "asked the bank"} if self.rng.random() < 0.3 else {})
        return {"target_type": "payment", "target_id": self.rng.choice(payments)["payment_id"], "params": params}

    def apply_suspense_payment(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Whose it is, by account or by policy."""
        payments = self.suspended()
        if not payments:
            return None
        names = {"account_number": "account_id", "policy_number": "policy_id"}
        params = {names[name]: value for name, value in self.numbers().items()}
        return {"target_type": "payment", "target_id": self.rng.choice(payments)["payment_id"], "params": params}

    def disburse_suspense_payment(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Sent back, at once or later; now and then in the past, or for no reason."""
        rng, payments = self.rng, self.suspended()
        if not payments:
            return None
        params = {"due_date": day + timedelta(days=rng.choice((0, 0, 1, 5, 10, 20, -1))), "payee": "Sender"}
        row: Row = {"target_type": "payment", "target_id": rng.choice(payments)["payment_id"], "params": params}
        return row | ({"reason": "nobody knows whose"} if rng.random() > 0.05 else {})
