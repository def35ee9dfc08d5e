"""The slow, obvious reference model of the billing ledger: ``Model(carrier).close(day, inbox)``, then look at it.

Written from the specification alone (``shared/spec``); shares no code with the engine. Amounts are int minor units.

The carrier is a plain dict::

    {
        "decimals": 2,                                   # of the currency; the model itself only sees minor units
        "invoice_due_lag_days": 1,                       # 0 or 1 (R-LIF-10)
        "expiration_convention": "exclusive",            # or "inclusive_last_day" (R-CI-33)
        "installment_remainder": "overweight_from_front",  # _from_back, overweight_first, overweight_last (R-CI-42)
        "earning_interval": "daily",                     # "month_end", or "none" (no earning run)
        "business_weekdays": [1, 2, 3, 4, 5],            # ISO days of week
        "holidays": [date, ...],
        "invoicing_fee_pattern": "Installment Fee",      # or None
        "account_defaults": {...},                       # landing columns of accounts for what a row leaves empty
        "charge_patterns": {name: {
            "subtype": "pro_rata",                       # immediate, pro_rata, pass_through
            "category": "premium", "owner": "policy_period",  # or "account"
            "priority": "medium", "invoicing_approach": "down_payment_and_installments"}},
        "billing_plans": {name: {
            "lead_time_days": 10, "non_responsive_lead_time_days": 5,
            "lead_time_unit": "calendar_days",           # or "business_days"
            "payment_due_day_logic": "exact_day",        # next_business_day, previous_business_day
            "skip_installment_fees": False}},
        "payment_plans": {name: {
            "interval": "monthly", "has_down_payment": True, "down_payment_percent": 25,
            "down_payment_timing": (-21, "policy_effective_date"),  # signed days, reference
            "max_installments": 9, "first_installment_timing": (0, "policy_effective_date"),
            "out_of_sequence_first_installment": False, "second_installment_timing": None,
            "one_time_timing": (0, "charge_date"),
            "blackout_days": None, "blackout_basis": None,  # "billed" or "due"
            "fix_invoices_on": "bill_date", "item_placement_cutoff": "bill_date",  # or "due_date"
            "align_installments": True, "fee_amount": 0, "skip_fee_for_down_payments": False,
            "overrides": {instruction_type: {setting: value}}}},
        "allocation_plans": {name: {
            "filters": ["next_planned_invoice", "policy_period", "invoice", "positive"],  # billed_or_due, past_due
            "orders": ["event_date", "charge_pattern"]}},  # all ten of R-PAP-10 in snake case
        "users": {name: {"profile": name, "supervisor": name, "may_credit": True}},  # may be left out
        "authority_profiles": {name: {limit_type: amount}},
        "return_premium_plans": {name: {                 # in order; may be left out
            "effective_date": date, "expiration_date": None,
            "positive_item_qualifier": "same_policy_period", "list_bill_account_excess": "policy_payer_unapplied",
            "schemes": [{"context": "other", "method": "proportional",  # first_to_last, last_to_first
                         "allocate_timing": "on_receipt", "start_date": "not_restricted"}]}},
    }

The inbox has lists of typed rows under ``accounts``, ``billing_instructions``, ``charges`` and ``payments``, with the
columns of ``schemas/landing.py``; what is missing in a row is None. A payment's ``invoice_id`` is the model's
``invoice_key``: payer|policy|periodicity|date of the cadence.

The order of items for odd cents (R-DST-07, "invoice_item_id") is the order in which they were booked: the first
instructions of every policy that day by instruction_id, then the second ones, and so on; within an instruction by
charge_no; the items of a charge by their number; after the instructions of a day the invoicing fees by invoice.

Out of scope, refused with NotImplementedError: agency bill and collateral.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.reference import (
    automatic,
    billing,
    closure,
    command_refunds,
    commands,
    earning,
    instructions,
    list_bill,
    payments,
    requests,
    return_premium,
)
from tests.reference.dates import BusinessCalendar
from tests.reference.entities import Account, Charge, Invoice, Item, PaymentItem, Period, Policy, Stream, WriteOffItem
from tests.reference.posting import Journal
from tests.reference.refusing import RefusedError
from tests.reference.tables import Tables

ACCOUNT_COLUMNS = (
    "account_type",
    "invoice_by",
    "separate_funds_by",
    "invoice_day_of_month",
    "invoice_day_of_week",
    "invoice_first_day_of_month",
    "invoice_second_day_of_month",
    "invoice_every_other_week_anchor",
    "fix_invoices_on",
    "payment_instrument",
    "billing_plan",
    "payment_allocation_plan",
    "payment_plans",
)


class Model(Tables):
    """All accounts of a carrier, closed one day after the other."""

    def __init__(self, carrier: dict[str, Any]) -> None:
        self.carrier = carrier
        self.business = BusinessCalendar(carrier["business_weekdays"], carrier["holidays"])
        self.accounts: dict[str, Account] = {}
        self.policies: dict[str, Policy] = {}
        self.all_charges: list[Charge] = []
        self.instruction_ids: set[str] = set()
        self.all_payments: dict[str, dict[str, Any]] = {}
        self.all_payment_items: list[PaymentItem] = []
        self.all_write_off_items: list[WriteOffItem] = []
        self.named_today: list[Period] = []
        self.surplus_kept: dict[str, tuple[Account, str | None, int]] = {}
        self.suspense_items: list[dict[str, Any]] = []
        self.ad_hoc_credits: dict[str, dict[str, Any]] = {}
        self.disbursements: dict[str, dict[str, Any]] = {}
        self.credit_distributions: dict[str, dict[str, Any]] = {}
        self.approvals: list[dict[str, Any]] = []
        self.holds: list[dict[str, Any]] = []
        self.requests: list[requests.PaymentRequest] = []
        self.commands_known: set[str] = set()
        self.posted = Journal()
        self.rejected: list[dict[str, Any]] = []

    # ------------------------------------------------------------------ the day

    def close(self, day: date, inbox: dict[str, list[dict[str, Any]]]) -> None:
        """Close a business day, in the order of the brief."""
        for row in inbox.get("accounts", []):
            known = self.accounts.get(row["account_id"])
            if known is None:
                self.take_new_account(row, day)
            elif any(row.get(name) not in (None, known.landed[name]) for name in ACCOUNT_COLUMNS):  # R-ACC-03
                self.reject("accounts", row["account_id"], "the account is known with other settings", day)
        instructions.take_instructions(self, inbox, day)
        payments.take_payments(self, inbox.get("payments", []), day)
        commands.take_commands(self, inbox.get("commands", []), day)
        return_premium.pay_with_credits(self, day)
        billing.bill_invoices(self, day)
        billing.make_invoices_due(self, day)
        requests.follow_invoices(self, day)
        automatic.create_automatic_disbursements(self, day)
        command_refunds.pay_disbursements(self, day)
        earning.earn(self, day)
        closure.close_periods(self, day)
        self.named_today = []

    # ------------------------------------------------------------------ accounts

    def take_new_account(self, row: dict[str, Any], day: date) -> None:
        """Create an account, or none when its plans do not suit it (R-BT-5, R-LB-02)."""
        try:
            self.take_account(row)
        except RefusedError as reason:
            self.reject("accounts", row["account_id"], str(reason), day)

    def take_account(self, row: dict[str, Any]) -> Account:
        """Create an account, defaults filled in (R-BI-10, R-BL-1)."""
        given = {name: row[name] for name in ACCOUNT_COLUMNS if row.get(name) is not None}
        defaults = self.carrier["account_defaults"]
        full = {name: given.get(name, defaults.get(name)) for name in ACCOUNT_COLUMNS}
        account = Account(row["account_id"], full, {}, {}, landed=dict(full), parent_id=row.get("parent_account_id"))
        list_bill.take_plans(self, account)
        self.accounts[account.account_id] = account
        account.billing_plan = self.carrier["billing_plans"][account.row["billing_plan"]]
        account.allocation_plan = self.carrier["allocation_plans"][account.row["payment_allocation_plan"]]
        return account

    def find_or_create_account(self, account_id: str) -> Account:
        """An account named by an instruction; created with the carrier's defaults when unknown (R-CI-03)."""
        return self.accounts.get(account_id) or self.take_account({"account_id": account_id})

    def add_charge(self, charge: Charge) -> None:
        """Book a charge; charges are numbered as they are booked."""
        charge.number = len(self.all_charges)
        self.all_charges.append(charge)

    def reject(self, table: str, record_id: str, reason: str, day: date, rows: int = 1) -> None:
        """Remember rows that were not booked (R-BI-16)."""
        self.rejected.append(
            {"table": table, "record_id": record_id, "reason": reason, "business_date": day, "rows": rows}
        )

    # ------------------------------------------------------------------ what there is

    def every_stream(self) -> list[Stream]:
        """All streams, by payer, policy and periodicity."""
        streams = [stream for account in self.accounts.values() for stream in account.streams.values()]
        return sorted(streams, key=lambda s: (s.payer.account_id, s.policy_id or "", s.periodicity))

    def every_invoice(self) -> list[Invoice]:
        """All invoices, by stream and date of the cadence; those without one last."""
        return [
            invoice
            for stream in self.every_stream()
            for invoice in sorted(stream.invoices, key=lambda invoice: (invoice.slot or date.max, invoice.made_as))
        ]

    def every_item(self) -> list[Item]:
        """All items, by charge in the order in which they came in."""
        return [item for charge in self.all_charges for item in charge.items]
