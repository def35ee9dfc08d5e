"""The things of the reference model: one object per account, holding its streams, funds and the items it pays."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.reference.dates import BusinessCalendar, Cadence, invoice_dates, plus_days

NON_RESPONSIVE = ("ach", "credit_card", "wire")
"""Payment instruments from which the carrier drafts (R-INV-05)."""


@dataclass
class Account:
    """A billing account. ``row`` has the landing columns, defaults filled in."""

    account_id: str
    row: dict[str, Any]
    billing_plan: dict[str, Any]
    allocation_plan: dict[str, Any]
    streams: dict[tuple[str | None, str], Stream] = field(default_factory=dict)
    funds: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    items: list[Item] = field(default_factory=list)

    @property
    def policy_level(self) -> bool:
        """Whether each policy has its own invoices (R-BL-3)."""
        return bool(self.row["invoice_by"] == "policy")

    @property
    def separate_funds(self) -> bool:
        """Whether it is policy-level with cash management (R-BL-3)."""
        return self.policy_level and self.row["separate_funds_by"] == "policy"

    @property
    def responsive(self) -> bool:
        """Whether it pays by itself (R-INV-05)."""
        return self.row["payment_instrument"] not in NON_RESPONSIVE


@dataclass
class Policy:
    """A policy and its periods by term number."""

    policy_id: str
    account: Account
    periods: dict[int, Period] = field(default_factory=dict)


@dataclass
class Period:
    """A policy period (term)."""

    policy: Policy
    term_number: int
    start: date
    end: date
    coverage_end: date
    plan: dict[str, Any]
    created_by: str
    first_periodic_date: date
    status: str = "in_force"


@dataclass
class Charge:
    """A charge of an instruction, or an invoicing fee (then without instruction)."""

    instruction_id: str | None
    charge_no: int | None
    fee_of: Invoice | None
    pattern: str
    pattern_data: dict[str, Any]
    amount: int
    charge_date: date
    effective_date: date
    owner: Account
    period: Period | None
    payer: Account
    context: str
    charge_group: str | None = None
    earned: int = 0
    number: int = 0
    items: list[Item] = field(default_factory=list)

    @property
    def charge_key(self) -> str:
        """External identity as one text."""
        if self.fee_of is None:
            return f"{self.instruction_id}/{self.charge_no}"
        assert self.period is not None
        return f"fee/{self.fee_of.invoice_key}/{self.period.policy.policy_id}"

    @property
    def t_account_owner(self) -> tuple[str, str]:
        """Type and external id of the owner of its T-accounts (R-LED-09)."""
        if self.period is None:
            return "Account", self.owner.account_id
        return "PolicyPeriod", f"{self.period.policy.policy_id}/{self.period.term_number}"

    @property
    def policy_id(self) -> str | None:
        """Its policy, if any."""
        return self.period.policy.policy_id if self.period else None

    @property
    def term_number(self) -> int | None:
        """Its term, if any."""
        return self.period.term_number if self.period else None


@dataclass
class Item:
    """A part of a charge on one invoice. ``item_no`` counts within the charge: deposit, then installments."""

    charge: Charge
    item_no: int
    item_type: str
    event_date: date
    amount: int
    invoice: Invoice
    installment_number: int | None = None
    blackout_violation: bool = False
    paid: int = 0

    @property
    def unpaid(self) -> int:
        """What is still to be paid; negative on a credit not used up."""
        return self.amount - self.paid

    @property
    def order(self) -> tuple[int, int]:
        """The order of items for odd cents (R-DST-07): as they came in, see model.py."""
        return self.charge.number, self.item_no


@dataclass
class Invoice:
    """A dated invoice of a stream; ``slot`` is the date of the cadence that it realises."""

    stream: Stream
    slot: date
    bill_date: date
    due_date: date
    status: str = "Planned"
    items: list[Item] = field(default_factory=list)

    @property
    def invoice_key(self) -> str:
        """External identity as one text: payer|policy|periodicity|date of the cadence."""
        stream = self.stream
        return f"{stream.payer.account_id}|{stream.policy_id or ''}|{stream.periodicity}|{self.slot}"


@dataclass
class Stream:
    """An invoice stream: a payer, maybe a policy, a cadence; its invoices by date of the cadence."""

    payer: Account
    policy_id: str | None
    periodicity: str
    cadence: Cadence
    fix: str
    invoices: dict[date, Invoice] = field(default_factory=dict)

    def find(self, event_date: date, cutoff: str, today: date, business: BusinessCalendar) -> Invoice:
        """The first invoice with cutoff >= event date (R-CI-46..48); not entered in the stream if it is new.

        Candidates are Planned invoices and potential ones whose bill date is not before today (R-CI-15).
        """
        if self.policy_id is not None:
            cutoff = "bill_date"  # R-CI-45
        plan = self.payer.billing_plan
        longest_lead = max(plan["lead_time_days"], plan["non_responsive_lead_time_days"])
        early = plus_days(max(event_date, today), -3 * longest_lead - 40)  # surely before any candidate
        for slot in self.cadence.dates_from(early):
            invoice = self.invoices.get(slot)
            if invoice is None:
                bill, due = invoice_dates(slot, self.fix, plan, self.payer.responsive, business)
                invoice = Invoice(self, slot, bill, due)
            if invoice.status != "Planned" or invoice.bill_date < today:
                continue
            if (invoice.bill_date if cutoff == "bill_date" else invoice.due_date) >= event_date:
                return invoice
        raise AssertionError  # a cadence never ends

    def place(self, item: Item, invoice: Invoice) -> None:
        """Put an item on an invoice of this stream, creating the invoice when it is new (R-CI-14)."""
        self.invoices.setdefault(invoice.slot, invoice)
        assert self.invoices[invoice.slot] is invoice
        assert invoice.status == "Planned"
        item.invoice = invoice
        invoice.items.append(item)
        item.charge.items.append(item)
        self.payer.items.append(item)

    def next_planned(self) -> Invoice | None:
        """The next planned invoice: the Planned one with the earliest bill date (R-PAP-08)."""
        planned = [invoice for invoice in self.invoices.values() if invoice.status == "Planned"]
        return min(planned, key=lambda invoice: (invoice.bill_date, invoice.due_date), default=None)
