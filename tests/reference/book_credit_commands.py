"""Random commands by which credits and funds pay by hand (a part of the maker of commands)."""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.distribution import policy_of_fund
from tests.reference.entities import Account, Item
from tests.reference.targets import reference_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


class CreditCommands:
    """Draws credit distributions for a model."""

    rng: random.Random
    model: Model

    def open_items(self, account: Account, fund: str | None = None) -> list[Item]:
        """What is open of an account, in the order in which it came in; of a designated fund of its policy."""
        items = [item for item in account.items if item.unpaid and (not item.is_held or self.rng.random() < 0.02)]
        items = [item for item in items if fund is None or policy_of_fund(item) == fund]
        return sorted(items, key=lambda item: item.order)

    def amounts(self, account: Account, fund: str | None) -> list[Row]:
        """Amounts for a few items, mostly what is open of them or less; now and then too much."""
        rng = self.rng
        items = self.open_items(account, fund)
        negative = [item for item in items if item.unpaid < 0]
        chosen = rng.sample(items, min(len(items), rng.randint(1, 4)))
        chosen += [item for item in rng.sample(negative, min(len(negative), 2)) if item not in chosen]
        rows = []
        for item in chosen:
            amount = abs(item.unpaid) * rng.choice((100, 100, 50, 33, 10)) // 100
            amount = min(amount, rng.choice((amount, amount, 5000)))
            if rng.random() < 0.03:
                amount = rng.choice((0, abs(item.unpaid) + 1))
            rows.append({"item_id": reference_of(item), "amount": amount if item.unpaid > 0 else -amount})
        if rows and rng.random() < 0.02:
            rows.append(dict(rows[0]))
        return rows

    def distribute_credits(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A fund that has something, and negative items, pay items by amounts."""
        rng = self.rng
        funds = [fund for fund, balance in account.funds.items() if balance > 0] or list(account.funds)
        fund = rng.choice(funds)
        items = self.amounts(account, fund)
        if not items:
            return None
        which: Row = {"fund_policy_id": fund} if fund else {}
        if fund is None and account.separate_funds and rng.random() < 0.95:
            which = {"default_fund": True}
        return {"target_type": "account", "target_id": account.account_id, "params": {"items": items} | which}

    def distribute_default_fund(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """An amount of the default fund; sometimes more than there is."""
        balance = account.funds[None]
        if balance <= 0:
            return None
        amount = max(1, balance * self.rng.choice((5, 50, 100)) // 100) + self.rng.choice((0, 0, 0, 0, 1))
        return {"target_type": "account", "target_id": account.account_id, "amount": amount}

    def distribute_negative_items(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Some negative items; now and then one that is not."""
        rng = self.rng
        items = self.open_items(account)
        negative = [item for item in items if item.unpaid < 0]
        chosen = rng.sample(negative, min(len(negative), rng.randint(1, 4)))
        if not chosen:
            return None
        if rng.random() < 0.03:
            chosen.append(rng.choice(items))
        params = {"items": [reference_of(item) for item in chosen]}
        return {"target_type": "account", "target_id": account.account_id, "params": params}

    def distribution_of(self, account: Account) -> tuple[str, Row] | None:
        """A credit distribution of an account, mostly one that stands."""
        found = [
            (name, row)
            for name, row in self.model.credit_distributions.items()
            if row["account_id"] == account.account_id and (row["status"] == "Executed" or self.rng.random() < 0.1)
        ]
        return self.rng.choice(found) if found else None

    def modify_credit_distribution(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Other amounts for a credit distribution."""
        found = self.distribution_of(account)
        items = self.amounts(account, found[1]["fund_policy_id"]) if found else []
        if not found or not items:
            return None
        return {"target_type": "credit_distribution", "target_id": found[0], "params": {"items": items}}

    def reverse_credit_distribution(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A credit distribution taken back."""
        found = self.distribution_of(account)
        return found and {"target_type": "credit_distribution", "target_id": found[0]}
