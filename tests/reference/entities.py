"""The things of the reference model: one object per account, holding its streams, funds and the items it pays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.reference.dates import BusinessCalendar, Cadence, invoice_dates, plus_days

NON_RESPONSIVE = ("ach", "credit_card", "wire")
"""Payment instruments from which the carrier drafts (R-INV-05)."""


@dataclass(eq=False)
class Account:
    """A billing account. ``row`` has the landing columns, defaults filled in; ``landed`` those of its first row."""

    account_id: str
    row: dict[str, Any]
    billing_plan: dict[str, Any]
    allocation_plan: dict[str, Any]
    streams: dict[tuple[str | None, str], Stream] = field(default_factory=dict)
    funds: dict[str | None, int] = field(default_factory=lambda: {None: 0})
    items: list[Item] = field(default_factory=list)
    invoices_made: int = 0
    landed: dict[str, Any] = field(default_factory=dict)
    plans: tuple[str, ...] = ()
    parent_id: str | None = None
    close_date: date | None = None

    @property
    def is_list_bill(self) -> bool:
        """Whether it pays the policies of others, by its own plans (R-LB-01)."""
        return bool(self.row["account_type"] == "list_bill")

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

    @property
    def invoices(self) -> list[Invoice]:
        """Its invoices, of all its streams."""
        return [invoice for stream in self.streams.values() for invoice in stream.invoices]


@dataclass(eq=False)
class Policy:
    """A policy and its periods by term number."""

    policy_id: str
    account: Account
    periods: dict[int, Period] = field(default_factory=dict)


@dataclass(eq=False)
class Period:
    """A policy period (term). ``payer`` is the list bill account that pays it, if any."""

    policy: Policy
    term_number: int
    start: date
    end: date
    coverage_end: date
    plan: dict[str, Any]
    created_by: str
    created_on: date
    first_periodic_date: date
    payer: Account
    has_equity_warnings: bool = True
    min_equity_days: int = 30
    status: str = "in_force"
    cancelled_on: date | None = None
    closed_date: date | None = None
    opened_date: date | None = None
    return_premium_plan: dict[str, Any] | None = None

    @property
    def is_list_bill(self) -> bool:
        """Whether a list bill account pays it (R-LB-08)."""
        return self.payer is not self.policy.account


@dataclass(eq=False)
class Charge:
    """A charge of an instruction, or one that the system makes: then its ``made_as`` is its key.

    ``payer`` is its default payer; ``held`` is why it is held, if it is.
    """

    instruction_id: str | None
    charge_no: int | None
    pattern: str
    pattern_data: dict[str, Any]
    amount: int
    charge_date: date
    effective_date: date
    owner: Account
    period: Period | None
    payer: Account
    context: str | None
    charge_group: str | None = None
    made_as: str = ""
    fund_policy_id: str | None = None
    held: str | None = None
    reverses: Charge | None = None
    reversal_reason: str | None = None
    earned: int = 0
    number: int = 0
    last_item_no: int = 0
    items: list[Item] = field(default_factory=list)

    @property
    def charge_key(self) -> str:
        """External identity as one text."""
        return self.made_as or f"{self.instruction_id}/{self.charge_no}"

    @property
    def t_account_owner(self) -> tuple[str, str]:
        """Type and external id of the owner of its T-accounts (R-LED-09)."""
        if self.period is None:
            return "Account", self.owner.account_id
        return "PolicyPeriod", f"{self.period.policy.policy_id}/{self.period.term_number}"

    @property
    def policy_id(self) -> str | None:
        """Its policy, if any; of a recapture the one whose designated fund it refills."""
        return self.period.policy.policy_id if self.period else self.fund_policy_id

    @property
    def term_number(self) -> int | None:
        """Its term, if any."""
        return self.period.term_number if self.period else None

    @property
    def in_equity(self) -> bool:
        """Whether it counts in equity dating (R-CP-11); by default what is earned over time does."""
        return bool(self.pattern_data.get("in_equity", self.pattern_data["subtype"] == "pro_rata"))


@dataclass(eq=False)
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
    written_off: int = 0
    reversal_kind: str = "none"
    related: Item | None = None

    @property
    def unpaid(self) -> int:
        """What is still to be paid; negative on a credit not used up."""
        return self.amount - self.paid - self.written_off

    @property
    def order(self) -> tuple[int, int]:
        """The order of items for odd cents (R-DST-07): as they came in, see model.py."""
        return self.charge.number, self.item_no

    @property
    def payer(self) -> Account:
        """Who pays it: the payer of its invoice (R-ITM-02)."""
        return self.invoice.stream.payer

    @property
    def is_planned(self) -> bool:
        """Whether its invoice is yet to be billed."""
        return self.invoice.status == "Planned"

    @property
    def is_held(self) -> bool:
        """Whether it waits on a planned invoice because its charge is held (R-CHD-9, R-CI-61)."""
        return self.charge.held is not None and self.is_planned


@dataclass(eq=False)
class PaymentItem:
    """What was paid of one item at one time: by a payment, by money of a fund, or by a credit item.

    Of a credit there are two, each the ``other`` of the other: what it gave, and what it paid. ``is_undone``: it has
    been taken back or moved, or is what takes another one back.
    """

    business_date: date
    account: Account
    fund_policy_id: str | None
    item: Item
    amount: int
    payment_id: str | None = None
    credit: Item | None = None
    is_settlement: bool = False
    other: PaymentItem | None = None
    is_undone: bool = False

    @property
    def kind(self) -> str:
        """A payment, or a credit: of an item, or of a fund's money (R-DST-16); or what an offset settles."""
        if self.is_settlement:
            return "settlement"
        return "payment" if self.payment_id else "credit"


@dataclass(eq=False)
class WriteOffItem:
    """What was written off of one item at one time; ``command_id`` is the command that did, if one did."""

    business_date: date
    reason: str
    item: Item
    amount: int
    command_id: str | None = None
    is_undone: bool = False


@dataclass(eq=False)
class Invoice:
    """A dated invoice of a stream; ``slot`` is the date of the cadence that it realises, if it does.

    ``made_as`` tells invoices without such a date apart; ``number`` counts those of the payer as they are made.
    """

    stream: Stream
    slot: date | None
    bill_date: date
    due_date: date
    status: str = "Planned"
    is_ad_hoc: bool = False
    made_as: str = ""
    number: int = 0
    items: list[Item] = field(default_factory=list)

    @property
    def invoice_key(self) -> str:
        """External identity as one text: payer|policy|periodicity|date of the cadence."""
        return f"{self.stream.stream_key}|{self.slot or self.made_as}"

    @property
    def amount_due(self) -> int:
        """What is unpaid of its items (R-BAL-06)."""
        return sum(item.unpaid for item in self.items)

    @property
    def in_order(self) -> tuple[date, date, str]:
        """Earlier invoices first (R-CI-47)."""
        return self.bill_date, self.due_date, self.invoice_key


@dataclass(eq=False)
class Stream:
    """An invoice stream: a payer, maybe a policy, a cadence; its invoices."""

    payer: Account
    policy_id: str | None
    periodicity: str
    cadence: Cadence
    fix: str
    invoices: list[Invoice] = field(default_factory=list)
    made: Counter[date] = field(default_factory=Counter)
    is_account_level_only: bool = False

    @property
    def stream_key(self) -> str:
        """External identity as one text: payer|policy|periodicity."""
        return f"{self.payer.account_id}|{self.policy_id or ''}|{self.periodicity}"

    def dates_of(self, slot: date, business: BusinessCalendar) -> tuple[date, date]:
        """Bill and due date of the invoice on a date of the cadence (R-INV-04..07)."""
        return invoice_dates(slot, self.fix, self.payer.billing_plan, self.payer.responsive, business)

    def open_invoices(self, today: date) -> list[Invoice]:
        """What an item may be placed on: planned, in the cycle, not past (R-CI-46, R-CI-48, R-INV-21)."""
        planned = [invoice for invoice in self.invoices if invoice.status == "Planned" and not invoice.is_ad_hoc]
        return sorted((i for i in planned if i.bill_date >= today), key=lambda invoice: invoice.in_order)

    def potential(self, today: date, after: date, cutoff: str, business: BusinessCalendar) -> Invoice:
        """The first invoice that is not there yet, billed today or later, with its cutoff on or after a date."""
        taken = {invoice.slot for invoice in self.invoices}
        plan = self.payer.billing_plan
        longest_lead = max(plan["lead_time_days"], plan["non_responsive_lead_time_days"])
        early = plus_days(max(after, today), -3 * longest_lead - 40)  # surely before any candidate
        for slot in self.cadence.dates_from(early):
            bill, due = self.dates_of(slot, business)
            if slot not in taken and bill >= today and (bill if cutoff == "bill_date" else due) >= after:
                return Invoice(self, slot, bill, due)
        raise AssertionError  # a cadence never ends

    def find(self, event_date: date, cutoff: str, today: date, business: BusinessCalendar) -> Invoice:
        """The first invoice with cutoff >= event date (R-CI-46..48); not entered in the stream if it is new.

        Candidates are Planned invoices and potential ones whose bill date is not before today (R-CI-15).
        """
        if self.policy_id is not None:
            cutoff = "bill_date"  # R-CI-45

        def cutoff_of(invoice: Invoice) -> date:
            return invoice.bill_date if cutoff == "bill_date" else invoice.due_date

        candidates = [invoice for invoice in self.open_invoices(today) if cutoff_of(invoice) >= event_date]
        candidates.append(self.potential(today, event_date, cutoff, business))
        return min(candidates, key=lambda invoice: (cutoff_of(invoice), *invoice.in_order))

    def next_one(self, after: date, business: BusinessCalendar) -> Invoice:
        """The next invoice to be billed from a day on, whatever the dates of items; a new one if there is none."""
        planned = self.open_invoices(after)
        return planned[0] if planned else self.potential(after, after, "bill_date", business)

    def add(self, invoice: Invoice) -> Invoice:
        """Enter an invoice in the stream when it is new (R-CI-14)."""
        if invoice not in self.invoices:
            self.payer.invoices_made += 1
            invoice.number = self.payer.invoices_made
            self.invoices.append(invoice)
        return invoice

    def make(self, bill_date: date, due_date: date, *, is_ad_hoc: bool) -> Invoice:
        """A new invoice that realises no date of the cadence (R-INV-20, R-INV-30)."""
        self.made[bill_date] += 1
        made_as = f"{bill_date}+{self.made[bill_date]}"
        invoice = Invoice(self, None, bill_date, due_date, is_ad_hoc=is_ad_hoc, made_as=made_as)
        return self.add(invoice)

    def next_planned(self) -> Invoice | None:
        """The next planned invoice: the Planned one with the earliest bill date (R-PAP-08).

        One without items, or whose items are all held, will not be billed and is passed over (silent).
        """
        planned = [invoice for invoice in self.invoices if invoice.status == "Planned"]
        planned = [invoice for invoice in planned if any(not item.is_held for item in invoice.items)]
        return min(planned, key=lambda invoice: (invoice.bill_date, invoice.due_date), default=None)


def add_item(item: Item, invoice: Invoice) -> Item:
    """Put a new item of a charge on an invoice, creating the invoice when it is new (R-CI-14)."""
    item.charge.items.append(item)
    item.charge.last_item_no = item.item_no
    put_on(item, invoice)
    return item


def put_on(item: Item, invoice: Invoice) -> None:
    """Enter an item on an invoice, and among the items of its payer."""
    invoice.stream.add(invoice)
    item.invoice = invoice
    invoice.items.append(item)
    invoice.stream.payer.items.append(item)


def take_off(item: Item) -> None:
    """Take an item off its invoice and its payer."""
    item.invoice.items.remove(item)
    item.invoice.stream.payer.items.remove(item)


def move(item: Item, invoice: Invoice) -> None:
    """Take an item off its invoice and put it on another one, maybe of another payer."""
    take_off(item)
    put_on(item, invoice)


def delete_if_empty(invoice: Invoice) -> None:
    """A planned invoice whose last item has left is deleted (R-ITM-22, R-ITM-47, R-INV-15)."""
    if invoice.status == "Planned" and not invoice.items:
        invoice.stream.invoices.remove(invoice)
