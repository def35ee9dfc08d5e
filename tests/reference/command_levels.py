"""Commands about the billing level of an account and the days of its invoices (R-BL-9..14, R-ACC-07, R-INV-08)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from tests.reference.charging import cutoff_of, due_date_of, policy_stream, stream_of
from tests.reference.dates import Cadence, cadence_of_account, plus_days
from tests.reference.entities import Account, delete_if_empty, move
from tests.reference.equity import check_equity
from tests.reference.refusing import refuse
from tests.reference.settling import empty_designated_funds

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]
DAYS = (
    "invoice_day_of_month",
    "invoice_day_of_week",
    "invoice_first_day_of_month",
    "invoice_second_day_of_month",
    "invoice_every_other_week_anchor",
    "fix_invoices_on",
)


def set_billing_level(model: Model, row: Row, account: Account, today: date) -> None:
    """Invoices and funds per account or per policy: funds change, planned items move (R-BL-9..14)."""
    params = row["params"]
    invoice_by = params["invoice_by"]
    funds_by = params.get("separate_funds_by") or invoice_by
    if invoice_by == "account":
        funds_by = "account"  # R-BL-3
    is_same_level = account.row["invoice_by"] == invoice_by
    account.row |= {"invoice_by": invoice_by, "separate_funds_by": funds_by}
    change_funds(model, account, today)
    if not is_same_level:  # R-BL-14
        move_planned_items(model, account, today)
    check_equity(model, row, {item.charge.period for item in account.items if item.is_planned}, today)


def move_planned_items(model: Model, account: Account, today: date) -> None:
    """Streams of policies in force at the new level, and planned items on their streams (R-BL-9, R-BL-12)."""
    for policy in model.policies.values():
        for period in policy.periods.values():
            if period.payer is account and (period.cancelled_on or period.coverage_end) > today:
                policy_stream(account, period)  # R-BL-9
    for item in sorted((item for item in account.items if item.is_planned), key=lambda item: item.order):
        stream, source = stream_of(item.charge, account), item.invoice
        if source.stream is not stream:
            move(item, stream.find(item.event_date, cutoff_of(item.charge), today, model.business))  # R-BL-12
            delete_if_empty(source)


def change_funds(model: Model, account: Account, today: date) -> None:
    """A fund for each policy where funds are kept per policy; else all money goes to the default fund."""
    if account.separate_funds:
        for policy in model.policies.values():
            if policy.account is account:
                account.funds.setdefault(policy.policy_id, 0)  # R-BL-9
        return
    empty_designated_funds(model, today)


def change_invoice_days(model: Model, row: Row, account: Account, today: date) -> None:
    """Other days of invoices: what is planned on them moves along (R-ACC-07, R-INV-08, R-INV-22)."""
    given = {name: row["params"][name] for name in DAYS if (row.get("params") or {}).get(name) is not None}
    if not given:
        refuse("nothing changes")
    is_other = any(account.row[name] != value for name, value in given.items())
    account.row |= given
    if account.row["invoice_first_day_of_month"] >= account.row["invoice_second_day_of_month"]:
        refuse("the first day of the month comes first")
    for (policy_id, periodicity), stream in account.streams.items():
        if policy_id is not None or not is_other:
            continue  # R-ACC-07: only what is shared, or of the account itself
        before, stream.cadence = stream.cadence, cadence_of_account(account.row, periodicity)
        stream.fix = account.row["fix_invoices_on"]
        for invoice in stream.invoices:
            if invoice.status == "Planned" and not invoice.is_ad_hoc and invoice.slot is not None:
                invoice.slot = counterpart(before, stream.cadence, invoice.slot)
                invoice.bill_date, invoice.due_date = stream.dates_of(invoice.slot, model.business)
                if invoice.bill_date < today:  # billed today then, and due no sooner than one of today (silent)
                    invoice.bill_date = today
                    invoice.due_date = max(invoice.due_date, due_date_of(model, stream, today))
    check_equity(model, row, {item.charge.period for item in account.items if item.is_planned}, today)


def counterpart(before: Cadence, after: Cadence, slot: date) -> date:
    """The date of a cadence in the same place of the same month, or the same week; of every other week the next one."""
    if after.every_days == 14:
        return next(after.dates_from(slot))
    if after.every_days:
        monday = plus_days(slot, 1 - slot.isoweekday())
        return next(after.dates_from(monday))
    month = slot.replace(day=1)
    olds, news = ([day for day, _ in zip(c.dates_from(month), c.days_of_month, strict=False)] for c in (before, after))
    return news[olds.index(slot)]
