"""What random payments say about their distribution (R-DBP-04, R-DBP-06..12)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.reference.distribution import policy_of_fund
from tests.reference.entities import Account, Item
from tests.reference.targets import reference_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
FEATURES_OF_DIRECTIONS = {
    "holds_within_allocations": True,
    "nothing_for_an_item_of_a_target": True,
    "allocations_of_the_default_fund": False,  # the engine allocates none of what payments of the day have left there
    "items_that_others_pay_today": False,  # the engine takes payments of two accounts in another order (R-DST-15)
    "items_of_other_funds": False,  # the engine pays items of other policies out of a designated fund (R-BL-7)
}
"""As `FEATURES` of the books: what the engine and the model are known to see differently."""


def draw_directions(rng: random.Random, model: Model, account: Account, fund: str | None, money: int) -> Row:
    """Which items some money of an account is to pay; now and then what is not there, or more than there is."""
    every = model.every_item()
    if fund is not None and not FEATURES_OF_DIRECTIONS["items_of_other_funds"]:
        every = [item for item in every if policy_of_fund(item) == fund]
    own = [item for item in every if item.payer is account]
    said: Row = {}
    if own and rng.random() < 0.5:
        said["allocate"] = allocations(rng, own, money)
    if rng.random() < 0.4:
        items = own if own and rng.random() < 0.5 else every
        said["include"] = some(rng, items)
    if own and rng.random() < 0.4:
        said["exclude"] = some(rng, own)
    if rng.random() < 0.4:
        said["include_only"] = rng.choice(("billed", "past_due", "under_contract", "next_invoice"))
    if rng.random() < 0.4:
        said["select_where"] = rng.choice(("payer", "owner", "either"))
    if rng.random() < 0.4:
        said["select_is"] = rng.choice(("account", "sub_accounts", "both"))
    if rng.random() < 0.3:
        said["use_default_unapplied"] = rng.random() < 0.8
    return said


def of_its_own(said: Row) -> Row:
    """What is said without what may be about items that other accounts pay."""
    kept = {name: said[name] for name in said if name not in ("include", "select_where", "select_is", "allocate")}
    return kept | {"allocate": [one for one in said.get("allocate", []) if one["target_type"] != "policy"]}


def some(rng: random.Random, items: list[Item]) -> list[str]:
    """A few items; now and then one that is not there."""
    chosen = [reference_of(item) for item in rng.sample(items, min(len(items), rng.randint(1, 3)))]
    return [*chosen, "nothing/1#1"] if rng.random() < 0.03 else chosen


def allocations(rng: random.Random, items: list[Item], money: int) -> list[Row]:
    """Amounts for a policy, an invoice or an item or two."""
    rows = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        item = rng.choice(items)
        targets = [("invoice_item", reference_of(item)), ("invoice", item.invoice.invoice_key)]
        targets += [("policy", item.charge.period.policy.policy_id)] if item.charge.period else []
        if not FEATURES_OF_DIRECTIONS["holds_within_allocations"] and any(other.is_held for other in items):
            targets = targets[:1]
        target_type, target_id = rng.choice(targets)
        amount = rng.choice((0, money // 4, money // 3, max(0, item.unpaid), money))
        rows.append({"target_type": target_type, "target_id": target_id, "amount": amount})
    rows = list({row["target_id"]: row for row in rows}.values())
    if {row["target_type"] for row in rows} > {"invoice_item"} and not FEATURES_OF_DIRECTIONS[
        "nothing_for_an_item_of_a_target"
    ]:
        rows = [row for row in rows if row["target_type"] != "invoice_item" or row["amount"]]
    if rng.random() < 0.03:
        rows[0]["target_id"] = "nothing"
    return rows
