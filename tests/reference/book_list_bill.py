"""List bill in random books: accounts that pay for others, the policies that they pay, and commands about them."""

from __future__ import annotations

import random
from datetime import date
from typing import TYPE_CHECKING

from tests.reference.book_plans import PAYMENT_PLANS, Row
from tests.reference.dates import PERIODICITY_OF_INTERVAL
from tests.reference.entities import Account, Policy

if TYPE_CHECKING:
    from tests.reference.model import Model

LIST_BILL_COMMANDS = ("change_list_bill", "change_billing_method")


def make_payers(rng: random.Random, prefix: str, accounts: list[Row]) -> list[Row]:
    """One or two list bill accounts, whose other settings are those of accounts."""
    payers = []
    for number, row in enumerate(accounts[:2], start=1):
        plans = rng.sample(list(PAYMENT_PLANS), rng.choice((1, 2, 3, 6)))
        listed = {"account_id": f"{prefix}L{number}", "account_type": "list_bill", "payment_plans": "; ".join(plans)}
        payers.append(row | listed)
    return payers


def offered(payer: Row) -> list[str]:
    """The names of the plans of a list bill account."""
    return [str(name) for name in payer["payment_plans"].split("; ")]


def has_stream(payer: Row, plan: str) -> bool:
    """Whether a list bill account has a stream for the interval of a plan."""

    def periodicity(name: str) -> str:
        return PERIODICITY_OF_INTERVAL[PAYMENT_PLANS[name]["interval"]]

    return periodicity(plan) in map(periodicity, offered(payer))


def enrol(rng: random.Random, policy: Row, payers: list[Row]) -> None:
    """A list bill account pays the next period of a policy, by one of its plans; now and then that cannot be.

    Not where the owner is new as well: whether a refused instruction creates the account is not said.
    """
    payer, is_known = rng.choice(payers), not policy["account_id"].endswith("NEW")
    policy["plan"] = rng.choice(offered(payer) if rng.random() < 0.97 or not is_known else list(PAYMENT_PLANS))
    policy["billing"] = {"billing_method": "list_bill", "payer_account_id": payer["account_id"]}
    if rng.random() < 0.02 and is_known:
        policy["billing"]["payer_account_id"] = rng.choice((None, policy["account_id"]))


def make_mistaken_account(rng: random.Random, account_id: str) -> Row:
    """An account that cannot be: plans are what a list bill account has, and no other."""
    wrong = (
        {"account_type": "list_bill"},
        {"account_type": "list_bill", "payment_plans": "monthly; hourly"},
        {"account_type": "insured", "payment_plans": "monthly"},
        {"payment_plans": "monthly"},
    )
    return {"account_id": account_id} | rng.choice(wrong)


def paid_policy(rng: random.Random, model: Model, account_id: str) -> str | None:
    """Sometimes a policy that a list bill account pays, for a payment to name."""
    if not model.accounts[account_id].is_list_bill or rng.random() < 0.7:
        return None
    policies = [policy for policy in model.policies.values() if is_paid_by(policy, account_id)]
    return rng.choice(policies).policy_id if policies else None


def is_paid_by(policy: Policy, account_id: str) -> bool:
    """Whether that account pays a period of the policy."""
    return any(period.payer.account_id == account_id for period in policy.periods.values())


class ListBillCommands:
    """Draws commands about who pays a policy period."""

    rng: random.Random
    model: Model

    def change_list_bill(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Another payer, plan or stream for a policy of the account."""
        rng = self.rng
        policies = self.policies_of(account)
        if not policies or not any(other.is_list_bill for other in self.model.accounts.values()):
            return None
        if not any(is_on_list_bill(policy) for policy in policies) and rng.random() < 0.95:
            return None
        policy = rng.choice([policy for policy in policies if is_on_list_bill(policy)] or policies)
        params = self.list_bill_choice(policy)
        if rng.random() < 0.6:
            params["items"] = rng.choice(("all_items", "planned_items"))
        if rng.random() < 0.6:
            params["payments"] = rng.choice(("all_items", "billed_or_due_items"))
        return {"target_type": "policy", "target_id": policy.policy_id, "params": params}

    def change_billing_method(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """From the owner to a list bill account, or back to the owner."""
        rng = self.rng
        policies = self.policies_of(account)
        if not policies or not any(other.is_list_bill for other in self.model.accounts.values()):
            return None
        policy = rng.choice(policies)
        is_enrolled = is_on_list_bill(policy) if rng.random() < 0.95 else rng.random() < 0.5
        if is_enrolled:
            params: Row = {"method": "direct_bill"}
            if rng.random() < 0.5:
                params["reverse_payments"] = rng.random() < 0.5
        else:
            params = {"method": "list_bill"} | self.list_bill_choice(policy)
            if rng.random() < 0.5:
                params["payments"] = rng.choice(("all", "billed_and_due"))
        if rng.random() < 0.4:
            params["catch_up"] = rng.random() < 0.7
        if rng.random() < 0.02:
            params["method"] = "agency_bill"
        return {"target_type": "policy", "target_id": policy.policy_id, "params": params}

    def policies_of(self, account: Account) -> list[Policy]:
        """The policies that an account owns."""
        return [policy for policy in self.model.policies.values() if policy.account is account]

    def list_bill_choice(self, policy: Policy) -> Row:
        """A list bill account, one of its plans, and sometimes the stream; now and then what cannot be."""
        rng = self.rng
        payers = [account for account in self.model.accounts.values() if account.is_list_bill]
        payer = rng.choice(payers)
        plans = [*payer.plans]
        now = max(policy.periods)
        current = [name for name in plans if self.model.carrier["payment_plans"][name] is policy.periods[now].plan]
        plan = rng.choice(current if current and rng.random() < 0.6 else plans)
        params: Row = {"payer_account_id": payer.account_id, "payment_plan": plan}
        if rng.random() < 0.3:
            params["stream_id"] = rng.choice(sorted(stream.stream_key for stream in payer.streams.values()))
        if rng.random() < 0.03:
            params["payer_account_id"] = rng.choice(("A-NOBODY", policy.account.account_id))
        if rng.random() < 0.03:
            params["payment_plan"] = rng.choice(("no such plan", *PAYMENT_PLANS))
        if rng.random() < 0.2 and len(policy.periods) > 1:
            params["term_number"] = rng.choice([*policy.periods, 9])
        return params


def is_on_list_bill(policy: Policy) -> bool:
    """Whether a list bill account pays the latest period of a policy."""
    return policy.periods[max(policy.periods)].is_list_bill
