"""Authority in random books: users with limits, what waits for approval, disbursements changed and held."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.reference.authority import WAITING
from tests.reference.entities import Account

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
APPROVAL_COMMAND_TYPES = (
    "edit_disbursement",
    "approve",
    "reject",
    "reject_and_hold_disbursements",
    "release_disbursement_hold",
)
FOLLOW_UPS = (*APPROVAL_COMMAND_TYPES, "reverse_ad_hoc_credit", "void_disbursement")
"""Commands about credits and disbursements that there are."""
ASKED = (*APPROVAL_COMMAND_TYPES, "create_ad_hoc_credit", "reverse_ad_hoc_credit", "create_disbursement")
ASKED += ("disburse_suspense_payment",)
"""Commands for which it matters who asks."""


def users_with_limits(rng: random.Random) -> Row:
    """A clerk with low limits, a lead with higher ones, a boss without any, and somebody who may not give credits."""
    types = [
        f"{kind} Credit{of}" for kind in ("Goodwill", "Interest", "Collections", "Other") for of in ("", " Reversal")
    ]
    clerk = {name: rng.choice((1000, 4000, 10000)) for name in ["Approve Disbursement", *types] if rng.random() < 0.8}
    lead = {name: rng.choice((10000, 20000, 50000)) for name in clerk if rng.random() < 0.8}
    return {
        "authority_profiles": {"Clerk": clerk, "Lead": lead},
        "users": {
            "clerk": {"profile": "Clerk", "supervisor": "lead", "may_credit": True},
            "lead": {"profile": "Lead", "supervisor": "boss", "may_credit": True},
            "boss": {"may_credit": True},
            "outsider": {"profile": "Clerk"},
        },
    }


def automatic_disbursements(rng: random.Random) -> Row:
    """Settings of a billing plan that pays surplus out by itself, or does not."""
    if rng.random() < 0.6:
        return {}
    return {
        "automatic_disbursements": True,
        "review_disbursements_over": rng.choice((0, 5000, 30000, 500000)),
        "disbursement_over": rng.choice((0, 499, 5000)),
        "delay_disbursement_days": rng.choice((0, 0, 1, 5)),
        "available_disbursement_basis": rng.choice(("unapplied_minus_under_contract", "unapplied_minus_billed")),
        "create_approval_activities": rng.random() < 0.7,
        "send_disbursements_awaiting_approval": rng.random() < 0.3,
    }


class RefundCommands:
    """Draws commands about what waits for approval."""

    rng: random.Random
    model: Model
    types: list[str]

    def asker(self, kind: str) -> Row:
        """Who asks, where that matters: mostly a user, if there are any."""
        if kind not in ASKED or not self.model.carrier.get("users"):
            return {}
        deciders = ("lead", "boss", "boss") if kind in ("approve", "reject") else ("clerk", "clerk", "clerk")
        who = self.rng.choice((*deciders * 3, "clerk", "lead", "boss", "outsider", "stranger", None))
        return {"requested_by": who} if who else {}

    def follow_up(self) -> tuple[Account | None, list[str]]:
        """The account of a credit, a disbursement or a ticket, and what may be asked for about these."""
        subjects = [*self.model.ad_hoc_credits.values(), *self.model.disbursements.values(), *self.model.holds]
        accounts = [self.model.accounts[row["account_id"]] for row in subjects if row["account_id"]]
        types = [kind for kind in FOLLOW_UPS if kind in self.types]
        return (self.rng.choice(accounts), types) if accounts and types else (None, self.types)

    def disbursements(self, account: Account, *statuses: str) -> list[Row]:
        """Disbursements of the account, or of suspense payments; now and then in any other status."""
        rows = [row for row in self.model.disbursements.values() if row["account_id"] in (account.account_id, None)]
        return [row for row in rows if row["status"] in statuses or self.rng.random() < 0.03]

    def edit_disbursement(self, account: Account, day: date) -> Row | None:
        """Another amount or date; now and then nothing at all, or before it was created."""
        rng, rows = self.rng, self.disbursements(account, "AwaitingApproval", "Approved")
        if not rows:
            return None
        disbursement = rng.choice(rows)
        row: Row = {"target_type": "disbursement", "target_id": disbursement["id"], "params": {"payee": "Bob"}}
        if rng.random() < 0.7 and (disbursement["account_id"] or rng.random() < 0.2):
            row["amount"] = disbursement["amount"] * rng.choice((0, 50, 90, 100, 110, 200, 400)) // 100
        if rng.random() < 0.5:
            row["params"]["due_date"] = day + timedelta(days=rng.choice((-20, -1, 0, 1, 5)))
        return row

    def waiting(self, account: Account) -> Row | None:
        """A command about what waits, or a disbursement that is not paid."""
        credit_rows = [row for row in self.model.ad_hoc_credits.values() if row["account_id"] == account.account_id]
        named = [("ad_hoc_credit", row) for row in credit_rows if row["status"] in WAITING or self.rng.random() < 0.02]
        named += [("disbursement", row) for row in self.disbursements(account, "AwaitingApproval")]
        if not named:
            return None
        target_type, row = self.rng.choice(named)
        return {"target_type": target_type, "target_id": row["id"]}

    def approve(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """What waits, approved."""
        return self.waiting(account)

    def reject(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """What waits, or is approved, rejected."""
        rows = self.disbursements(account, "Approved")
        if rows and self.rng.random() < 0.3:
            return {"target_type": "disbursement", "target_id": self.rng.choice(rows)["id"]}
        return self.waiting(account)

    def reject_and_hold_disbursements(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A disbursement rejected, and its account on hold."""
        rows = self.disbursements(account, "AwaitingApproval", "Approved")
        return {"target_type": "disbursement", "target_id": self.rng.choice(rows)["id"]} if rows else None

    def release_disbursement_hold(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """The hold ends; now and then there is none."""
        holds = [hold for hold in self.model.holds if hold["account_id"] == account.account_id]
        is_held = any(hold["closed_date"] is None for hold in holds)
        if not is_held and self.rng.random() < 0.97:
            return None
        return {"target_type": "account", "target_id": account.account_id}
