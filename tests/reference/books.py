"""Random small books by seed, for comparing an engine with the reference model: ``book(seed)``, ``shelf(seed)``.

Deterministic: the same seed gives the same carrier and the same days. Payments follow the invoices of the model
(on time, late, partial, early, over), so the generator closes the model day by day as it goes.

A shelf is several books of one carrier over the same days, whose ids are different: an engine can take them as one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.reference.book_commands import COMMAND_TYPES, CommandMaker
from tests.reference.book_directions import FEATURES_OF_DIRECTIONS, draw_directions, of_its_own
from tests.reference.book_list_bill import (
    LIST_BILL_COMMANDS,
    enrol,
    has_stream,
    make_mistaken_account,
    make_payers,
    paid_policy,
)
from tests.reference.book_plans import ALLOCATION_PLANS, CHARGE_PATTERNS, PAYMENT_PLANS, Row, return_premium_plans
from tests.reference.book_refunds import automatic_disbursements, users_with_limits
from tests.reference.book_suspense import FEATURES_OF_SUSPENSE, make_suspense_payment
from tests.reference.dates import add_months
from tests.reference.model import Model

Inbox = dict[str, list[Row]]
TABLES = ("accounts", "billing_instructions", "charges", "payments", "commands")
FEATURES = {
    "special_handling": True,
    "holds_for_audit": True,
    "other_instructions": True,  # audit, offset, onset
    "charge_groups": True,
    "list_bill": True,
    "low_balance": True,
    "invoice_fee": True,
    "payment_requests": True,
    "policy_changes_like_originals": True,
    "return_premium_plans": True,
    "unknown_policies_of_known_payers": True,
    "sub_accounts": True,
    "directed_payments": True,
    "suspense_payments": True,
    "authority_limits": True,
    "automatic_disbursements": True,
    "repeats_of_edited_payments": True,
    "collection_agencies": True,
}
FEATURES |= dict.fromkeys(COMMAND_TYPES, True)
"""What books may hold. Off is what books are not made of yet, or what is known to disagree."""
BILLING_PLANS = ("standard", "other", "third", "fourth")
LIST_BILL_BOOKS = 0.25
YEARS = (2023, 2024, 2024, 2027)


def make_carrier(rng: random.Random, first_year: int) -> Row:
    """A carrier with random settings."""

    def billing_plan(*, skip_fees: bool) -> Row:
        lead = rng.choice((0, 5, 10, 14, 20, 25))
        return (
            {
                "lead_time_days": lead,
                "non_responsive_lead_time_days": rng.choice((0, 3, 7, lead)),
                "lead_time_unit": rng.choice(("calendar_days", "business_days")),
                "payment_due_day_logic": rng.choice(("exact_day", "next_business_day", "previous_business_day")),
                "skip_installment_fees": skip_fees,
                "payment_reversal_fee": rng.choice((0, 2500)),
            }
            | low_balance()
            | requests()
            | (automatic_disbursements(rng) if FEATURES["automatic_disbursements"] else {})
        )

    def low_balance() -> Row:
        if not FEATURES["low_balance"] or rng.random() < 0.4:
            return {}
        threshold, method = rng.choice((1000, 5000, 40000)), rng.choice(("carry_forward", "write_off"))
        return {"suppress_low_balance": True, "low_balance_threshold": threshold, "low_balance_method": method}

    def requests() -> Row:
        if not FEATURES["payment_requests"]:
            return {}
        return {
            "request_interval_days": rng.choice((0, 2, 5)),
            "change_deadline_days": rng.choice((0, 1, 3)),
            "draft_interval_days": rng.choice((0, 0, 2, 4)),
            "draft_day_logic": rng.choice(("exact_day", "next_business_day", "previous_business_day")),
            "invoice_fee": rng.choice((0, 150)) if FEATURES["invoice_fee"] else 0,
        }

    holidays = []
    for year in range(first_year - 1, first_year + 4):
        holidays += [date(year, 1, 1), date(year, 7, 4), date(year, 12, 25), date(year, 12, 26)]
    remainders = ("overweight_from_front", "overweight_from_back", "overweight_first", "overweight_last")
    return {
        "decimals": 2,
        "invoice_due_lag_days": rng.choice((0, 1, 1)),
        "expiration_convention": rng.choice(("exclusive", "inclusive_last_day")),
        "installment_remainder": rng.choice(remainders),
        "earning_interval": rng.choice(("daily", "month_end", "month_end")),
        "business_weekdays": [1, 2, 3, 4, 5],
        "holidays": holidays,
        "invoicing_fee_pattern": "Installment Fee",
        "invoice_fee_pattern": "Invoice Fee",
        "payment_reversal_fee_pattern": "Payment Reversal Fee",
        "account_defaults": {
            "account_type": "insured",
            "invoice_by": "policy",
            "separate_funds_by": "policy",
            "invoice_day_of_month": 15,
            "invoice_day_of_week": 1,
            "invoice_first_day_of_month": 1,
            "invoice_second_day_of_month": 15,
            "invoice_every_other_week_anchor": date(first_year, 1, 5),
            "fix_invoices_on": "bill_date",
            "payment_instrument": "responsive",
            "billing_plan": "standard",
            "payment_allocation_plan": "default",
        },
        "charge_patterns": CHARGE_PATTERNS,
        "billing_plans": {
            name: billing_plan(skip_fees=name != "standard" and rng.random() < 0.4) for name in BILLING_PLANS
        },
        "payment_plans": PAYMENT_PLANS,
        "allocation_plans": ALLOCATION_PLANS,
    }


def make_account(rng: random.Random, account_id: str, first_year: int) -> Row:
    """An account row; some fields are left to the carrier's defaults."""
    invoice_by, funds_by = rng.choice((("account", "account"), ("policy", "account"), ("policy", "policy")))
    row: Row = {"account_id": account_id, "invoice_by": invoice_by, "separate_funds_by": funds_by}
    optional = {
        "invoice_day_of_month": rng.choice((1, 10, 15, 28, 29, 30, 31)),
        "invoice_day_of_week": rng.randint(1, 7),
        "invoice_first_day_of_month": rng.choice((1, 5, 10)),
        "invoice_second_day_of_month": rng.choice((15, 20, 28, 31)),
        "invoice_every_other_week_anchor": date(first_year, 1, rng.randint(1, 31)),
        "fix_invoices_on": rng.choice(("bill_date", "due_date")),
        "payment_instrument": rng.choice(
            ("responsive", "check", "ach", "credit_card") if FEATURES["payment_requests"] else ("responsive", "check")
        ),
        "billing_plan": rng.choice(BILLING_PLANS),
        "payment_allocation_plan": rng.choice(("default", "default", *ALLOCATION_PLANS)),
    }
    return row | {name: value for name, value in optional.items() if rng.random() < 0.8}


def add_parents(rng: random.Random, accounts: list[Row]) -> None:
    """Some accounts are sub-accounts of one before them (R-ACC-05)."""
    for number, row in enumerate(accounts):
        if number and rng.random() < 0.5:
            row["parent_account_id"] = accounts[rng.randrange(number)]["account_id"]


@dataclass(frozen=True)
class Span:
    """A carrier, and the days that are closed."""

    carrier: Row
    start: date
    length: int

    @property
    def days(self) -> list[date]:
        """All business dates."""
        return [self.start + timedelta(days=offset) for offset in range(self.length)]


def make_span(rng: random.Random, shortest: int, longest: int) -> Span:
    """A random carrier and a random stretch of days."""
    first_year = rng.choice(YEARS)
    specials = (date(first_year, 1, 31), date(first_year, 12, 20), date(first_year, 2, 27))
    start = rng.choice((*specials, date(first_year, rng.randint(1, 12), rng.randint(1, 28))))
    carrier = make_carrier(rng, first_year)
    if FEATURES["authority_limits"] and rng.random() < 0.6:
        carrier |= users_with_limits(rng)
    if FEATURES["return_premium_plans"]:
        carrier["return_premium_plans"] = return_premium_plans(rng, start)
    return Span(carrier, start, rng.randint(shortest, longest))


class BookMaker:
    """Makes one book, keeping what it has issued so far."""

    def __init__(self, rng: random.Random, span: Span, prefix: str = "") -> None:
        self.rng = rng
        self.carrier, self.start, self.length = span.carrier, span.start, span.length
        self.prefix = prefix
        self.model = Model(span.carrier)
        numbers = range(1, rng.randint(1, 4) + 1)
        self.accounts = [make_account(rng, f"{prefix}A{n}", span.start.year) for n in numbers]
        if FEATURES["sub_accounts"]:
            add_parents(rng, self.accounts)
        has_list_bill = FEATURES["list_bill"] and rng.random() < LIST_BILL_BOOKS
        self.payers = make_payers(rng, prefix, self.accounts) if has_list_bill else []
        self.policies: list[Row] = []
        self.planned: dict[date, Inbox] = {}
        self.numbers = {"I": 0, "PAY": 0, "CMD": 0}
        types = [name for name in COMMAND_TYPES if FEATURES[name]] + [*LIST_BILL_COMMANDS] * 2 * bool(self.payers)
        self.commands = CommandMaker(rng, self.model, types, self.new_id)
        self.later: list[tuple[date, Row]] = []

    def new_id(self, prefix: str) -> str:
        """The next id with that prefix; scrambled, so that ids are not in order of time."""
        self.numbers[prefix] += 1
        return f"{self.prefix}{prefix}-{self.rng.randint(0, 99):02d}-{self.numbers[prefix]}"

    def inbox(self, day: date) -> Inbox:
        """The inbox of a day."""
        return self.planned.setdefault(day, {table: [] for table in TABLES})

    def any_day(self, first: date | None = None) -> date:
        """A business date of the book, not before a date."""
        earliest = max(0, ((first or self.start) - self.start).days)
        return self.start + timedelta(days=self.rng.randint(min(earliest, self.length - 1), self.length - 1))

    def make(self) -> list[tuple[date, Inbox]]:
        """The days of the book; its model has closed them then."""
        self.inbox(self.start)["accounts"] += [*self.accounts, *self.payers]
        if self.payers and self.rng.random() < 0.1:
            self.inbox(self.start)["accounts"].append(make_mistaken_account(self.rng, f"{self.prefix}L-NONE"))
        for number in range(1, self.rng.randint(1, 5) + 1):
            self.add_policy(f"{self.prefix}P{number}")
        for _ in range(self.rng.randint(0, 2)):
            self.add_account_charge()
        if self.rng.random() < 0.4:
            self.add_mistake()
        if self.rng.random() < 0.2:
            self.repeat_account()
        if FEATURES["collection_agencies"] and self.rng.random() < 0.4:
            agency = make_account(self.rng, f"{self.prefix}AGENCY", self.start.year)
            self.inbox(self.start)["accounts"].append(agency | {"account_type": "collection_agency"})
        if FEATURES["suspense_payments"] and self.rng.random() < 0.4:
            late = make_account(self.rng, f"{self.prefix}A-LATE", self.start.year)
            self.inbox(self.any_day())["accounts"].append(late)
        result = []
        for offset in range(self.length):
            day = self.start + timedelta(days=offset)
            self.pay(self.model, day)
            self.inbox(day)["payments"] += [self.directed(day, row) for when, row in self.later if when == day]
            self.inbox(day)["commands"] += self.commands.draw(day)
            result.append((day, self.inbox(day)))
            self.model.close(day, self.inbox(day))
        return result

    # ------------------------------------------------------------------ instructions

    def instruct(self, day: date, kind: str, account_id: str, charges: list[Row], **columns: Any) -> None:
        """Put an instruction with its charges in the inbox of a day."""
        row: Row = {"instruction_id": self.new_id("I"), "instruction_type": kind, "account_id": account_id} | columns
        inbox = self.inbox(day)
        inbox["billing_instructions"].append(row)
        for charge_no, charge in enumerate(charges, start=1):
            inbox["charges"].append({"instruction_id": row["instruction_id"], "charge_no": charge_no} | charge)
        if self.rng.random() < 0.03 and (day - self.start).days + 9 < self.length:
            self.repeat(row, day + timedelta(days=self.rng.randint(1, 9)))

    def repeat(self, row: Row, day: date) -> None:
        """The same instruction once more on a later day, with its charges: it has no effect."""
        charges = [charge for inbox in self.planned.values() for charge in inbox["charges"]]
        self.inbox(day)["billing_instructions"].append(dict(row))
        repeated = [dict(charge) for charge in charges if charge["instruction_id"] == row["instruction_id"]]
        self.inbox(day)["charges"] += repeated

    def charge(self, name: str, low: int, high: int, payer: str | None = None) -> Row:
        """A charge of a random amount, in whole units of currency or in cents."""
        amount = self.rng.randint(low, high)
        if self.rng.random() < 0.4:
            amount = amount // 100 * 100
        row: Row = {"charge_pattern": name, "amount": amount}
        if FEATURES["charge_groups"] and self.rng.random() < 0.15:
            row["charge_group"] = self.rng.choice(("A", "B"))
        return row | ({"payer_account_id": payer} if payer else {})

    def new_period_charges(self, policy: Row) -> list[Row]:
        """Charges of a new period: premium, mostly with taxes, fees and special premiums."""
        rng = self.rng
        charges = []
        if rng.random() < 0.93:
            charges.append(self.charge("Premium", 20000, 900000))
        if rng.random() < 0.7:
            charges.append(self.charge("Taxes", 500, 30000, self.tax_payer(policy)))
        extras = (
            ("Policy Fee", 3000),
            ("Terrorism Premium", 40000),
            ("Deposit Premium", 9000),
            ("Extra Premium", 9000),
        )
        charges += [self.charge(name, 1000, high) for name, high in extras if rng.random() < 0.25]
        return charges

    def tax_payer(self, policy: Row) -> str | None:
        """Who else pays the taxes of a new period.

        Not one for whom the instruction is refused, when it names an account that is not known: whether that is
        created all the same is not said.
        """
        payer = next((row for row in self.payers if row["account_id"] == policy["tax_payer"]), None)
        is_owner_known = not policy["account_id"].endswith("NEW")
        can_pay = payer is None or is_owner_known or has_stream(payer, policy["plan"])
        return policy["tax_payer"] if can_pay else None

    def add_policy(self, policy_id: str) -> None:
        """Issue a policy, change it, cancel and reinstate it, renew or rewrite it."""
        rng = self.rng
        received = self.any_day() if rng.random() < 0.4 else self.start + timedelta(days=rng.randint(0, 20))
        account_id = rng.choice(self.accounts)["account_id"]
        if rng.random() < 0.05:
            account_id = f"{self.prefix}A-NEW"  # not among the accounts: created with the carrier's defaults
        other = rng.choice(self.accounts + self.payers)["account_id"]
        policy: Row = {
            "policy_id": policy_id,
            "account_id": account_id,
            "plan": rng.choice(list(PAYMENT_PLANS)),
            "tax_payer": other if rng.random() < 0.15 and other != account_id else None,
            "billing": {},
        }
        if self.payers and rng.random() < 0.8:
            enrol(rng, policy, self.payers)
        start = received + timedelta(days=rng.choice((0, 0, 7, 25, 40, -12, -75)))
        if rng.random() < 0.3:
            specials = ((2, 28), (2, 29), (1, 31), (8, 31), (12, 31), (12, 20), (1, 1), (5, 30))
            month, day = rng.choice(specials)
            leap = start.year % 4 == 0
            start = date(start.year, month, day if leap or (month, day) != (2, 29) else 28)
        kind = rng.choice(("issuance", "issuance", "issuance", "new_renewal"))
        end = self.new_term(received, kind, policy, start, 1)
        self.existing_instructions(policy, 1, start, end, received)
        term = 1
        while rng.random() < 0.6:
            early = rng.choice((45, 30, 10, 0, -15, 400))
            received = max(received + timedelta(days=rng.choice((1, 30))), end - timedelta(days=early))
            if received >= self.start + timedelta(days=self.length):
                break
            if rng.random() < 0.3:
                policy |= {"plan": rng.choice(list(PAYMENT_PLANS)), "billing": {}}
                if self.payers and rng.random() < 0.7:
                    enrol(rng, policy, self.payers)
            term += 1
            start = end if self.carrier["expiration_convention"] == "exclusive" else end + timedelta(days=1)
            end = self.new_term(received, rng.choice(("renewal", "renewal", "rewrite")), policy, start, term)
            self.existing_instructions(policy, term, start, end, received)

    def new_term(self, received: date, kind: str, policy: Row, start: date, term: int) -> date:
        """An instruction that creates a period; returns its expiration date."""
        months = self.rng.choice((12, 12, 6, 3, 1))
        end = add_months(start, months)
        if self.carrier["expiration_convention"] == "inclusive_last_day":
            end -= timedelta(days=1)
        self.instruct(
            received,
            kind,
            policy["account_id"],
            self.new_period_charges(policy),
            policy_id=policy["policy_id"],
            term_number=term if self.rng.random() < 0.5 else None,
            period_start=start,
            period_end=end,
            effective_date=start + timedelta(days=self.rng.choice((0, 0, 0, 0, 3, -5))),
            payment_plan=policy["plan"],
            **policy["billing"],
            modifiers=self.modifiers(),
        )
        return end

    def modifiers(self) -> Row | None:
        """Sometimes another down payment or number of installments for one instruction."""
        rng = self.rng
        if rng.random() < 0.9:
            return None
        percent = {"down_payment_percent": rng.choice((0, 5, "33.33", 100))}
        return rng.choice((percent, {"max_installments": rng.randint(1, 13)}, percent | {"max_installments": 2}))

    def existing_instructions(self, policy: Row, term: int, start: date, end: date, received: date) -> None:
        """Policy changes, cancellations, reinstatements, general instructions; some on the day of issuance."""
        rng = self.rng
        change = "policy_change" if FEATURES["policy_changes_like_originals"] else "general"
        kinds = [*(change, change, change, "general", "cancellation") * 4, "reinstatement"]
        if FEATURES["other_instructions"]:
            kinds += ["audit", "offset", "onset"]
        for _ in range(rng.choice((0, 0, 1, 2, 4))):
            day = received if rng.random() < 0.25 else self.any_day(received)
            kind = rng.choice(kinds)
            self.change_term(day, kind, policy, term, start, end)
            if kind == "cancellation" and rng.random() < 0.5:
                later = self.any_day(day)
                self.change_term(later, "reinstatement", policy, term, start, end)

    def change_term(self, day: date, kind: str, policy: Row, term: int, start: date, end: date) -> None:
        """One instruction for an existing policy period, with charges of any kind."""
        rng = self.rng
        effective = min(max(rng.choice((start, day, day + timedelta(days=rng.randint(-30, 30)))), start), end)
        names = ("Premium", "Premium", "Taxes", "Policy Fee", "Terrorism Premium", "Deposit Premium", "Extra Premium")
        charges = [self.charge(rng.choice(names), 500, 90000) for _ in range(rng.randint(0, 3))]
        for charge in charges:
            if kind == "cancellation" or (kind == "policy_change" and rng.random() < 0.4):
                charge["amount"] = -charge["amount"]
            if charge["charge_pattern"] == "Taxes" and policy["tax_payer"] and term == 1:
                charge["payer_account_id"] = policy["tax_payer"]
        if rng.random() < 0.03 and charges:
            charges[0]["amount"] = 0
        self.instruct(
            day,
            kind,
            policy["account_id"],
            charges,
            policy_id=policy["policy_id"],
            term_number=term if rng.random() < 0.7 else None,
            effective_date=effective,
            modifiers=self.modifiers(),
            sequence=rng.choice((None, 0, 1, 2, 3)),
            special_handling=self.special_handling(kind),
        )

    def special_handling(self, kind: str) -> str | None:
        """Sometimes an instruction overrules the plan, or is held; now and then where that is not allowed."""
        rng = self.rng
        names = ["bill_immediately", "bill_on_next_invoice"] if FEATURES["special_handling"] else []
        if FEATURES["holds_for_audit"]:
            names += ["hold_for_final_audit", "hold_for_final_audit_all"]
        is_existing = kind in ("policy_change", "cancellation", "reinstatement", "audit")
        return rng.choice(names) if names and rng.random() < (0.2 if is_existing else 0.03) else None

    def repeat_account(self) -> None:
        """An account lands once more, sometimes with another setting: either way it stays as it is."""
        row = dict(self.rng.choice(self.accounts + self.payers))
        if self.rng.random() < 0.5:
            row["payment_instrument"] = self.rng.choice(
                ("responsive", "ach") if FEATURES["payment_requests"] else ("responsive",)
            )
        self.inbox(self.any_day(self.start + timedelta(days=1)))["accounts"].append(row)

    def add_mistake(self) -> None:
        """An instruction that cannot be booked."""
        rng = self.rng
        issued = [row for inbox in self.planned.values() for row in inbox["billing_instructions"]]
        first = next(row for row in issued if row.get("period_start"))
        terms = {name: first[name] for name in ("policy_id", "period_start", "period_end", "payment_plan")}
        policy_id, day = f"{self.prefix}P-NONE", self.any_day()
        kind, columns, charge = rng.choice(
            (
                ("renewal", terms | {"policy_id": policy_id}, "Premium"),
                ("policy_change", {"policy_id": policy_id}, "Premium"),
                ("issuance", terms | {"term_number": 1}, "Premium"),
                ("new_renewal", terms, "Premium"),
                ("rewrite", terms | {"term_number": 1}, "Premium"),
                ("issuance", terms | {"policy_id": policy_id, "payment_plan": "no such plan"}, "Premium"),
                ("issuance", terms | {"policy_id": policy_id}, "no such pattern"),
                ("issuance", terms | {"policy_id": policy_id}, "Account Fee"),
                ("cancellation", {"policy_id": first["policy_id"], "term_number": 77}, "Premium"),
                ("account_general", {}, "Premium"),
                ("issuance", terms | {"policy_id": policy_id}, "Taxes"),
            )
        )
        charges = [self.charge("Policy Fee", 500, 9000), self.charge(charge, 500, 9000)]
        if charge == "Taxes":
            charges[1]["payer_account_id"] = "A-NOBODY"
        if kind in ("new_renewal", "rewrite", "issuance", "cancellation") and columns.get("policy_id") != policy_id:
            day = self.any_day(
                next(when for when, inbox in self.planned.items() if first in inbox["billing_instructions"])
            )
        # Whether a refused instruction creates an account that is not known is not said.
        is_new = first["account_id"].endswith("NEW")
        account_id = self.accounts[0]["account_id"] if is_new else first["account_id"]
        self.instruct(day, kind, account_id, charges, effective_date=day, **columns)

    def add_account_charge(self) -> None:
        """A charge, sometimes a credit, of an account."""
        day = self.any_day()
        charge = self.charge("Account Fee", 500, 9000)
        if self.rng.random() < 0.25:
            charge["amount"] = -charge["amount"]
        account_id = self.rng.choice(self.accounts + self.payers)["account_id"]
        self.instruct(day, "account_general", account_id, [charge], effective_date=day)

    # ------------------------------------------------------------------ payments

    def pay(self, model: Model, day: date) -> None:
        """Payments for what the model billed until yesterday: now or later, in full, in part or too much."""
        rng = self.rng
        for invoice in model.invoices():
            billed_yesterday = invoice["bill_date"] == day - timedelta(days=1)
            early = invoice["status"] == "Planned" and rng.random() < 0.003
            if invoice["amount_due"] > 0 and (early or (billed_yesterday and rng.random() < 0.8)):
                until_due = (invoice["due_date"] - day).days
                delay = rng.choice((0, 1, until_due - 1, until_due, until_due + 1, until_due + 20))
                when = day if early else day + timedelta(days=max(0, delay))
                policy_id = invoice["policy_id"] or paid_policy(rng, model, invoice["account_id"])
                for amount in self.parts(invoice["amount_due"]):
                    row = self.send(when, amount, invoice["account_id"], policy_id)
                    if rng.random() < 0.15:
                        row["invoice_id"] = invoice["invoice_key"]
        if rng.random() < 0.015:
            self.pay_without_a_reason(day)
        if FEATURES["suspense_payments"] and rng.random() < 0.02:
            known = [row["account_id"] for row in self.accounts + self.payers]
            self.later.append((day, make_suspense_payment(rng, self.prefix, known, self.new_id("PAY"))))
        if self.later and rng.random() < 0.01:
            when, row = rng.choice(self.later)
            is_repeatable = FEATURES["repeats_of_edited_payments"] or not self.is_edited(row)
            if when < day and not row.get("distribution") and is_repeatable:
                self.later.append((day, dict(row)))  # the same payment again has no effect

    def is_edited(self, payment: Row) -> bool:
        """Whether somebody has noted something about a suspense payment."""
        edits = [row for row in self.commands.sent if row["command_type"] == "edit_suspense_payment"]
        return any(row["target_id"] == payment["payment_id"] for row in edits)

    def directed(self, day: date, row: Row) -> Row:
        """A payment that sometimes says itself what it pays, of what there was the evening before."""
        account = self.model.accounts.get(row.get("account_id") or "")
        is_known = row["payment_id"] in self.model.all_payments
        if row.get("kind") == "suspense" and not FEATURES_OF_SUSPENSE["directed_payments"]:
            return row
        if account and not is_known and FEATURES["directed_payments"] and self.rng.random() < 0.25:
            fund = row.get("policy_id") if row.get("policy_id") in account.funds and account.separate_funds else None
            said = draw_directions(self.rng, self.model, account, fund, row["amount"])
            if not FEATURES_OF_DIRECTIONS["allocations_of_the_default_fund"]:
                total = sum(one["amount"] for one in said.get("allocate", []))
                said |= {"use_default_unapplied": False} if total > row["amount"] else {}
            others = [
                other for when, other in self.later if when == day and other.get("account_id") != row["account_id"]
            ]
            if others and not FEATURES_OF_DIRECTIONS["items_that_others_pay_today"]:
                said = of_its_own(said)
            row["distribution"] = said
        return row

    def parts(self, owed: int) -> list[int]:
        """The amounts paid for an invoice: all of it, too little, too much, or two halves."""
        choice = self.rng.random()
        if choice < 0.15:
            return [max(1, owed * self.rng.randint(1, 99) // 100)]
        if choice < 0.25:
            return [owed + self.rng.choice((1, 100, 777, owed))]
        if choice < 0.35 and owed > 1:
            return [owed // 2, owed - owed // 2]
        return [owed]

    def pay_without_a_reason(self, day: date) -> None:
        """Several payments a day for an account, sometimes for an account or a policy that nobody knows."""
        rng = self.rng
        account_id = rng.choice(self.accounts + self.payers)["account_id"]
        for _ in range(rng.randint(1, 3)):
            row = self.send(day, rng.randint(1, 60000), account_id, None)
            if rng.random() < 0.2:
                row["account_id"] = rng.choice(("A-UNKNOWN", None))
            elif FEATURES["unknown_policies_of_known_payers"] and rng.random() < 0.2:
                name = rng.choice(("policy_id", "invoice_id"))
                row[name] = f"{self.prefix}P-UNKNOWN"

    def send(self, when: date, amount: int, account_id: str, policy_id: str | None) -> Row:
        """A payment that arrives on a day; it may name the policy, be dated back, wait for distribution."""
        rng = self.rng
        row: Row = {"payment_id": self.new_id("PAY"), "amount": amount, "account_id": account_id}
        if policy_id and rng.random() < 0.5:
            row["policy_id"] = policy_id
            if rng.random() < 0.2:
                row["term_number"] = rng.choice((1, 1, 2))
            if rng.random() < 0.1:
                row["account_id"] = None
        if rng.random() < 0.1:
            row["distribute"] = "none"
        if rng.random() < 0.15:
            row["payment_date"] = when - timedelta(days=rng.randint(0, 4))
        self.later.append((when, row))
        return row


def book(seed: int) -> tuple[Row, list[tuple[date, Inbox]]]:
    """The book of a seed: carrier and days, each a date and an inbox."""
    rng = random.Random(seed)  # noqa: S311
    maker = BookMaker(rng, make_span(rng, 60, 500))
    return maker.carrier, maker.make()


@dataclass(frozen=True)
class Shelf:
    """Books of one carrier over the same days: the inboxes of all of them, and the model of each, closed."""

    seed: int
    carrier: Row
    days: list[date]
    books: list[dict[date, Inbox]]
    models: list[Model]

    def inbox(self, day: date) -> Inbox:
        """What comes in on a day for all books."""
        return {table: [row for book in self.books for row in book[day][table]] for table in TABLES}


def shelf(seed: int, count: int, longest: int = 200, shortest: int = 60) -> Shelf:
    """The shelf of a seed: the ids of book n begin with ``n.``."""
    rng = random.Random(seed)  # noqa: S311
    span = make_span(rng, shortest, longest)
    makers = [BookMaker(rng, span, f"{number}.") for number in range(1, count + 1)]
    books = [dict(maker.make()) for maker in makers]
    return Shelf(seed, span.carrier, span.days, books, [maker.model for maker in makers])
