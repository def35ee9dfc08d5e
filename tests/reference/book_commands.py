"""Random commands for random books, drawn from what the model knew the evening before.

All commands of a day are about one account of the book, so that no two accounts' commands meet on one day.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.reference.book_accounts import ACCOUNT_COMMAND_TYPES, AccountCommands
from tests.reference.book_list_bill import LIST_BILL_COMMANDS, ListBillCommands
from tests.reference.book_money_commands import MONEY_COMMAND_TYPES, MoneyCommands, is_directed
from tests.reference.entities import Account, Charge, Invoice, Item
from tests.reference.targets import account_of, reference_of

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
COMMAND_TYPES = (
    "create_invoice",
    "change_invoice_dates",
    "resend_invoice",
    "move_invoice_item",
    "modify_planned_items",
    "reverse_item_and_reallocate",
    "reassign_charge_payer",
    "reassign_item_payer",
    "set_charge_default_payer",
    "change_payment_schedule",
    "assign_payment_plan",
    "set_billing_level",
    "change_invoice_days",
    "reverse_charge",
    "create_recapture",
    "hold_charge",
    "release_charge_hold",
    *LIST_BILL_COMMANDS,
    *MONEY_COMMAND_TYPES,
    *ACCOUNT_COMMAND_TYPES,
)
SCHEDULE_CHANGES = (*COMMAND_TYPES[1:2], *COMMAND_TYPES[4:6], *COMMAND_TYPES[9:13], *LIST_BILL_COMMANDS)
"""Those that may be refused for want of equity; a move of an item never is (R-EQT-17)."""


class CommandMaker(ListBillCommands, MoneyCommands, AccountCommands):
    """Draws commands for a model."""

    def __init__(self, rng: random.Random, model: Model, types: list[str], new_id: Callable[[str], str]) -> None:
        self.rng, self.model, self.types, self.new_id = rng, model, types, new_id
        self.sent: list[Row] = []

    def draw(self, day: date) -> list[Row]:
        """The commands of a day: mostly none, else one to three of one account."""
        rng = self.rng
        if not self.types or not self.model.accounts:
            return []
        account, types = self.follow_up() if rng.random() < 0.08 else (None, self.types)
        if account is None and rng.random() > 0.14:
            return []
        account = account or self.model.accounts[rng.choice(sorted(self.model.accounts))]
        rows: list[Row] = []
        for kind in rng.sample(types, min(len(types), rng.choice((1, 1, 1, 2, 3)))):
            drawn = getattr(self, kind)(account, day)
            if drawn:
                rows.append(self.finish(kind, drawn))
        # An invoice is named after its date of the cadence, which a change of invoice days changes.
        # What a distribution is directed to may be gone after another command of the day.
        alone = [row for row in rows if row["command_type"] == "change_invoice_days" or is_directed(row)]
        rows = alone[:1] or rows
        self.sent += rows
        return rows

    def finish(self, kind: str, drawn: Row) -> Row:
        """A landing row: some targets are unknown, some changes are not to cost equity."""
        rng = self.rng
        row = {"command_id": self.new_id("CMD"), "command_type": kind} | drawn | self.asker(kind)
        if rng.random() < 0.02:
            row["target_id"] = "nothing"
        if kind in SCHEDULE_CHANGES and rng.random() < 0.15:
            row["params"] = row.get("params", {}) | {"on_equity_violation": rng.choice(("warn", "reject"))}
        if rng.random() < 0.3:
            row["sequence"] = rng.choice((0, 1, 2))
        return row

    # ------------------------------------------------------------------ what there is to choose from

    def invoices(self, account: Account, *statuses: str) -> list[Invoice]:
        """Invoices that the account pays."""
        found = [invoice for invoice in self.model.every_invoice() if invoice.stream.payer is account]
        return [invoice for invoice in found if invoice.status in statuses]

    def items(self, account: Account, *statuses: str) -> list[Item]:
        """Items that the account pays."""
        return sorted((i for i in account.items if i.invoice.status in statuses), key=lambda item: item.order)

    def charges(self, account: Account) -> list[Charge]:
        """Charges of the account."""
        return [charge for charge in self.model.all_charges if charge.owner is account]

    def some_day(self, day: date, farthest: int = 45) -> date:
        """Today, soon, rarely in the past."""
        return day + timedelta(days=self.rng.choice((0, 0, -3, *range(1, farthest))))

    def payer(self) -> str:
        """Some account, now and then one that nobody knows."""
        return "A-NOBODY" if self.rng.random() < 0.03 else self.rng.choice(sorted(self.model.accounts))

    # ------------------------------------------------------------------ one method per type

    def create_invoice(self, account: Account, day: date) -> Row | None:
        """A new invoice on a stream of the account."""
        if not account.streams:
            return None
        rng = self.rng
        streams = sorted(account.streams.values(), key=lambda stream: stream.stream_key)
        params: Row = {}
        if rng.random() < 0.7:
            params["bill_date"] = self.some_day(day)
            if rng.random() < 0.6:
                params["due_date"] = params["bill_date"] + timedelta(days=rng.randint(-1, 25))
        if rng.random() < 0.5:
            params["is_ad_hoc"] = rng.random() < 0.5
        return {"target_type": "invoice_stream", "target_id": rng.choice(streams).stream_key, "params": params}

    def change_invoice_dates(self, account: Account, day: date) -> Row | None:
        """Other dates of an invoice."""
        rng = self.rng
        invoices = self.invoices(account, "Planned", "Planned", "Billed") or self.invoices(account, "Due")
        if not invoices:
            return None
        invoice, params = rng.choice(invoices), {}
        if invoice.status == "Planned" and rng.random() < 0.8:
            params["bill_date"] = self.some_day(day)
        if rng.random() < 0.7:
            params["due_date"] = params.get("bill_date", max(invoice.bill_date, day)) + timedelta(rng.randint(-1, 40))
        return {"target_type": "invoice", "target_id": invoice.invoice_key, "params": params}

    def resend_invoice(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """An invoice once more."""
        invoices = self.invoices(account, "Planned", "Billed", "Due", "Carried Forward")
        return (invoices and {"target_type": "invoice", "target_id": self.rng.choice(invoices).invoice_key}) or None

    def move_invoice_item(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """An item to another invoice."""
        items, invoices = self.items(account, "Planned"), self.invoices(account, "Planned")
        if self.rng.random() < 0.1:
            items, invoices = self.items(account, "Planned", "Billed"), self.invoices(account, "Planned", "Billed")
        if not items or len(invoices) < 2:
            return None
        params = {"invoice_id": self.rng.choice(invoices).invoice_key}
        return {"target_type": "invoice_item", "target_id": reference_of(self.rng.choice(items)), "params": params}

    def modify_planned_items(self, account: Account, day: date) -> Row | None:
        """Amounts from one item of a charge to others, or to new ones."""
        rng = self.rng
        charges = [c for c in self.charges(account) if any(item.is_planned for item in c.items)]
        if not charges:
            return None
        charge = rng.choice(charges)
        planned = [item for item in charge.items if item.is_planned]
        giver = rng.choice(planned)
        part = giver.amount if rng.random() < 0.3 else giver.amount * rng.randint(1, 99) // 100
        params: Row = {"changes": [{"item_id": reference_of(giver), "amount": giver.amount - part}]}
        if part == giver.amount and rng.random() < 0.5:
            params = {"removals": [reference_of(giver)]}
        takers = [item for item in planned if item is not giver]
        if takers and rng.random() < 0.5:
            taker = rng.choice(takers)
            change = {"item_id": reference_of(taker), "amount": taker.amount + part}
            params["changes"] = [*params.get("changes", []), change]
        else:
            params["additions"] = self.additions(part, day)
        if rng.random() < 0.05:
            params.pop("additions", None)  # does not add up
        return {"target_type": "charge", "target_id": charge.charge_key, "params": params}

    def additions(self, amount: int, day: date) -> list[Row]:
        """One or two new items of an amount."""
        parts = [amount] if abs(amount) < 2 or self.rng.random() < 0.6 else [amount // 2, amount - amount // 2]
        return [
            {
                "event_date": self.some_day(day, 120),
                "item_type": self.rng.choice(("installment", "installment", "deposit", "onetime")),
                "amount": part,
            }
            for part in parts
        ]

    def reverse_item_and_reallocate(self, account: Account, day: date) -> Row | None:
        """A billed item, to come back later."""
        rng = self.rng
        items = self.items(account, "Billed", "Due")
        items = [item for item in items if account_of(item.charge) is account or rng.random() < 0.1]
        if not items:
            return None
        item = rng.choice(items)
        planned = [other for other in item.charge.items if other.is_planned]
        if planned and rng.random() < 0.5:
            additions = [{"item_id": reference_of(rng.choice(planned)), "amount": item.amount}]
        else:
            additions = self.additions(item.amount, day)
        if rng.random() < 0.05:
            additions[0]["amount"] += 1  # does not add up
        params = {"additions": additions}
        return {"target_type": "invoice_item", "target_id": reference_of(item), "params": params}

    def reassign_charge_payer(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Another payer for a charge."""
        rng = self.rng
        charges = self.charges(account)
        if not charges:
            return None
        params = self.reassignment() | ({"items": rng.choice(("all", "not_fully_paid"))} if rng.random() < 0.7 else {})
        return {"target_type": "charge", "target_id": rng.choice(charges).charge_key, "params": params}

    def reassignment(self) -> Row:
        """Who is to pay, and what becomes of what was paid."""
        rng = self.rng
        params: Row = {"payer_account_id": self.payer()}
        if rng.random() < 0.7:
            params["reverse_payments"] = rng.choice(("yes", "no", "only_for_non_planned"))
        if rng.random() < 0.5:
            params["catch_up"] = rng.random() < 0.6
        return params

    def reassign_item_payer(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Another payer for an item."""
        items = self.items(account, "Planned", "Billed", "Due")
        if not items:
            return None
        target = reference_of(self.rng.choice(items))
        return {"target_type": "invoice_item", "target_id": target, "params": self.reassignment()}

    def set_charge_default_payer(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """Another payer for items to come."""
        charges = self.charges(account)
        if not charges:
            return None
        params = {"payer_account_id": self.payer()}
        return {"target_type": "charge", "target_id": self.rng.choice(charges).charge_key, "params": params}

    def change_payment_schedule(self, account: Account, day: date) -> Row | None:
        """Another plan for a term."""
        row = self.assign_payment_plan(account, day)
        if row is None:
            return None
        rng, params = self.rng, row["params"]
        if rng.random() < 0.7:
            params["items"] = rng.choice(("all_items", "planned_items", "not_fully_paid_items"))
        if params.get("items") != "all_items" and rng.random() < 0.5:
            params["include_down_payment"] = rng.random() < 0.6
        if rng.random() < 0.5:
            params["payments"] = rng.choice(("reverse_and_redistribute", "reverse_only"))
        return row

    def assign_payment_plan(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """The same with what is usual."""
        rng = self.rng
        policies = [policy for policy in self.model.policies.values() if policy.account is account]
        if not policies:
            return None
        policy = rng.choice(policies)
        params: Row = {"payment_plan": rng.choice(list(self.model.carrier["payment_plans"]))}
        if rng.random() < 0.5:
            params["term_number"] = rng.choice([*policy.periods, *policy.periods, 9])
        return {"target_type": "policy", "target_id": policy.policy_id, "params": params}

    def set_billing_level(self, account: Account, day: date) -> Row:  # noqa: ARG002
        """Invoices and funds per account or per policy."""
        invoice_by, funds_by = self.rng.choice((("account", "account"), ("policy", "account"), ("policy", "policy")))
        params = {"invoice_by": invoice_by, "separate_funds_by": funds_by}
        return {"target_type": "account", "target_id": account.account_id, "params": params}

    def change_invoice_days(self, account: Account, day: date) -> Row:
        """Other days of invoices."""
        rng = self.rng
        params = {
            "invoice_day_of_month": rng.choice((1, 10, 15, 28, 31)),
            "invoice_day_of_week": rng.randint(1, 7),
            "invoice_first_day_of_month": rng.choice((1, 5, 10)),
            "invoice_second_day_of_month": rng.choice((15, 20, 31)),
            "invoice_every_other_week_anchor": day + timedelta(days=rng.randint(0, 13)),
            "fix_invoices_on": rng.choice(("bill_date", "due_date")),
        }
        params = {name: value for name, value in params.items() if rng.random() < 0.4}
        return {"target_type": "account", "target_id": account.account_id, "params": params}

    def reverse_charge(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A charge taken back."""
        charges = [
            c for c in self.charges(account) if c.pattern_data["subtype"] != "pro_rata" or self.rng.random() < 0.1
        ]
        if not charges:
            return None
        reason = self.rng.choice((None, "courtesy", "entered twice"))
        return {"target_type": "charge", "target_id": self.rng.choice(charges).charge_key, "reason": reason}

    def create_recapture(self, account: Account, day: date) -> Row:  # noqa: ARG002
        """Money to be brought back into a fund."""
        rng = self.rng
        policy_id = rng.choice(sorted(p or "" for p in account.funds)) or None
        amount = rng.randint(100, 20000) if rng.random() > 0.05 else 0
        params = {"policy_id": policy_id} if policy_id else {}
        return {"target_type": "account", "target_id": account.account_id, "amount": amount, "params": params}

    def hold_charge(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A charge held."""
        charges = self.charges(account)
        return (charges and {"target_type": "charge", "target_id": self.rng.choice(charges).charge_key}) or None

    def release_charge_hold(self, account: Account, day: date) -> Row | None:  # noqa: ARG002
        """A charge no longer held; sometimes one that was not."""
        charges = self.charges(account)
        held = [charge for charge in charges if charge.held]
        charges = held if held and self.rng.random() < 0.9 else charges[:1]
        return (charges and {"target_type": "charge", "target_id": self.rng.choice(charges).charge_key}) or None
