"""Random commands about accounts closed and opened, collection agencies, and equity that a policy should have."""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.entities import Account

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
ACCOUNT_COMMAND_TYPES = (
    "close_account",
    "reopen_account",
    "set_policy_equity_warning",
    "refer_to_collection_agency",
)


class AccountCommands:
    """Draws commands about accounts as a whole."""

    rng: random.Random
    model: Model

    def close_account(self, account: Account, day: date) -> Row:  # noqa: ARG002
        """An account closed; often one that cannot be."""
        return {"target_type": "account", "target_id": account.account_id}

    def reopen_account(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A closed account opened; now and then one that is open."""
        if account.close_date is None and self.rng.random() < 0.9:
            return None
        return {"target_type": "account", "target_id": account.account_id}

    def set_policy_equity_warning(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Warnings on or off, from other days of equity on; now and then fewer than none."""
        rng = self.rng
        policies = [policy for policy in self.model.policies.values() if policy.account is account]
        if not policies:
            return None
        policy = rng.choice(policies)
        params: Row = {"enabled": rng.random() < 0.7}
        if rng.random() < 0.7:
            params["min_days"] = rng.choice((0, 5, 30, 90, -1))
        if rng.random() < 0.4:
            params["term_number"] = rng.choice([*policy.periods, *policy.periods, 9])
        return {"target_type": "policy", "target_id": policy.policy_id, "params": params}

    def refer_to_collection_agency(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """What is open of an account or of a policy to an agency; now and then to somebody else."""
        rng = self.rng
        agencies = [a for a in self.model.accounts.values() if a.row["account_type"] == "collection_agency"]
        if not agencies or rng.random() < 0.3:
            return None
        agency = rng.choice(agencies).account_id
        if rng.random() < 0.08:
            agency = rng.choice(("A-NOBODY", *sorted(self.model.accounts)))
        params = {"agency_account_id": agency}
        policies = [policy for policy in self.model.policies.values() if policy.account is account]
        if policies and rng.random() < 0.6:
            return {"target_type": "policy", "target_id": rng.choice(policies).policy_id, "params": params}
        return {"target_type": "account", "target_id": account.account_id, "params": params}
