"""List bill: accounts that pay the policies of others, by plans and on streams of their own (R-LB-01..09, R-BT-4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.reference.dates import PERIODICITY_OF_INTERVAL, cadence_of_account
from tests.reference.entities import Account, Charge, Period, Stream
from tests.reference.refusing import refuse

if TYPE_CHECKING:
    from tests.reference.model import Model

Row = dict[str, Any]


def take_plans(model: Model, account: Account) -> None:
    """A list bill account has plans, no other account has any (R-BT-5, R-LB-02); a stream for each (R-LB-04)."""
    names = [name.strip() for name in re.split("[;,]", account.row["payment_plans"] or "") if name.strip()]
    if names and not account.is_list_bill:
        refuse("only a list bill account has payment plans")
    if account.is_list_bill and not names:
        refuse("a list bill account has at least one payment plan")
    if any(name not in model.carrier["payment_plans"] for name in names):
        refuse("unknown payment plan")
    account.plans = tuple(names)
    intervals = [model.carrier["payment_plans"][name]["interval"] for name in names]
    for periodicity in sorted({PERIODICITY_OF_INTERVAL[interval] for interval in intervals}):
        add_stream(account, periodicity, is_account_level_only=False)


def add_stream(account: Account, periodicity: str, *, is_account_level_only: bool) -> Stream:
    """A stream of the account, whatever its billing level (R-LB-02)."""
    cadence = cadence_of_account(account.row, periodicity)
    stream = Stream(account, None, periodicity, cadence, account.row["fix_invoices_on"])
    stream.is_account_level_only = is_account_level_only
    account.streams[None, periodicity] = stream
    return stream


def stream_for_policies(payer: Account, interval: str) -> Stream:
    """The stream of a list bill account for policies with a payment interval; it gets no other (R-LB-06, R-LB-09)."""
    stream = payer.streams.get((None, PERIODICITY_OF_INTERVAL[interval]))
    if stream is None or stream.is_account_level_only:
        refuse("the list bill account has no stream for that payment interval")
    return stream


def check_payer(payer: Account, charge: Charge) -> None:
    """Whether a list bill account can pay a charge: it has a stream for what is of a policy (R-LB-06, R-LB-10)."""
    if payer.is_list_bill and charge.period is not None:
        stream_for_policies(payer, charge.period.plan["interval"])


def check_enrolment(model: Model, row: Row) -> None:
    """Who owns and who pays a new period, and by which plan (R-LB-01, R-LB-08, R-BT-4, R-BT-6)."""
    owner = model.accounts.get(row["account_id"])
    if owner is not None and owner.is_list_bill:
        refuse("a list bill account owns no policies")
    if row.get("billing_method") == "list_bill":
        payer = model.accounts.get(row.get("payer_account_id") or "")
        if payer is None or not payer.is_list_bill:
            refuse("the payer of a list bill policy is a list bill account")
        check_offer(payer, row.get("payment_plan"))


def check_offer(payer: Account, plan_name: str | None) -> None:
    """A list bill policy has one of the plans of its payer (R-BT-6)."""
    if plan_name not in payer.plans:
        refuse("the list bill account does not offer the payment plan")


def check_plan_of_period(period: Period, plan_name: str | None) -> None:
    """What a period may get for another plan (R-BT-6)."""
    if period.is_list_bill:
        check_offer(period.payer, plan_name)


def check_payers(model: Model, charge_rows: list[Row], plan: Row | None) -> None:
    """Whether the list bill accounts that shall pay charges have a stream for the plan (R-LB-06)."""
    for row in charge_rows:
        payer = model.accounts.get(row.get("payer_account_id") or "")
        if payer is not None and payer.is_list_bill and plan is not None:
            stream_for_policies(payer, plan["interval"])
