"""Automatic disbursements: surplus of accounts that their billing plan pays out by itself (R-DSB-4, R-AD-1..6)."""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.authority import open_approvals
from ledger.book import Book, default_fund_key, number_from
from ledger.carrier import Carrier
from ledger.disbursements import held_accounts, is_pending, pay_disbursements, pending_amounts
from ledger.effects import Effects
from ledger.funds import separates_funds
from ledger.payments import distribute_funds

_PLAN = (
    "review_disbursements_over",
    "delay_disbursement_days",
    "disbursement_over",
    "available_disbursement_basis",
    "create_approval_activities",
)
_REASON = "surplus"


def disburse(book: Book, day: date, carrier: Carrier) -> Effects:
    """The last movements of money of a day: surplus becomes disbursements, then what is due is paid (06 section 7)."""
    effects = create_automatic_disbursements(book, day, carrier)
    return effects.then(pay_disbursements(effects.book, day, carrier))


def create_automatic_disbursements(book: Book, day: date, carrier: Carrier) -> Effects:
    """Create disbursements of what funds hold beyond what their account owes, where the billing plan pays it out.

    Of each fund the whole surplus, if it is more than the plan says (strictly: R-AD-2) and none of an earlier day is
    pending (R-AD-6); approved at once up to the plan's review amount, else waiting (R-AD-3); to be paid after the
    plan's delay in calendar days (R-AD-4). What money there is, is distributed to items first (R-DST-16). Amounts of a
    plan are in the carrier's currency: other accounts get none. Not of accounts with a ticket (R-DSB-9).
    """
    surplus = _surplus(book, day, carrier)
    if surplus.is_empty():
        return Effects(book)
    accounts = surplus["account_key"].unique().sort()
    done = distribute_funds(book, accounts, day, carrier, billed_through=day, due_through=day)
    effects = Effects(done.book, (done.transactions,))
    book, surplus = done.book, _surplus(done.book, day, carrier)
    if surplus.is_empty():
        return effects
    surplus = surplus.join(
        book["accounts"].select("account_key", "account_id", payee="name"),
        on="account_key",
        how="left",
        maintain_order="left",
    )
    needs_review = pl.col("amount") > pl.col("review_disbursements_over")
    policies = book["policies"].select("policy_key", "policy_id")
    new = (
        surplus.join(policies, on="policy_key", how="left", maintain_order="left")
        .sort("fund_key")
        .with_columns(
            number_from(book.next_key("disbursements"), "disbursement_key"),
            disbursement_id=pl.concat_str(
                pl.lit("auto"), "account_id", "policy_id", pl.lit(day.isoformat()), separator="/", ignore_nulls=True
            ),
            payment_key=pl.lit(0, pl.Int64),
            origin=pl.lit("Automatic"),
            reason=pl.lit(_REASON),
            status=pl.when(needs_review).then(pl.lit("AwaitingApproval")).otherwise(pl.lit("Approved")),
            approved_date=pl.when(~needs_review).then(pl.lit(day)),
            trigger_date=pl.lit(day),
            due_date=pl.lit(day) + pl.duration(days=pl.col("delay_disbursement_days")),
        )
    )
    book = book.append("disbursements", new)
    asked = new.filter((pl.col("status") == "AwaitingApproval") & pl.col("create_approval_activities"))
    nobody = pl.lit(None, pl.String)
    asked = asked.with_columns(subject_key="disbursement_key", requested_by=nobody, supervisor=nobody)
    return effects.then(Effects(open_approvals(book, asked, "Disbursement", day)))


def _surplus(book: Book, day: date, carrier: Carrier) -> pl.DataFrame:
    """The funds with enough surplus: fund_key, account_key, policy_key, currency, amount and what the plan says."""
    candidates = _candidates(book, carrier)
    if candidates.is_empty():
        return candidates
    owed = _owed_by_fund(book, candidates, day)
    candidates = candidates.join(owed, on="fund_key", how="left", maintain_order="left")
    owes = pl.when(pl.col("available_disbursement_basis") == "unapplied_minus_billed")
    owed_of_plan = owes.then("billed").otherwise("under_contract").fill_null(0)
    amount = pl.col("balance") - owed_of_plan - pl.col("pending").fill_null(0)
    return candidates.with_columns(amount=amount).filter(pl.col("amount") > pl.col("disbursement_over"))


def accounts_with_surplus(book: Book, carrier: Carrier) -> pl.Series:
    """Keys of the accounts of whose funds the billing plan may pay something out by itself."""
    return _candidates(book, carrier)["account_key"]


def _candidates(book: Book, carrier: Carrier) -> pl.DataFrame:
    """Funds that hold more than the plan lets lie in them, whatever their account owes, and what is pending of them."""
    plans = carrier.billing_plan_frame().filter("automatic_disbursements")
    if plans.is_empty():
        return pl.DataFrame(schema={"account_key": pl.Int64})
    funds = book["funds"].filter((pl.col("balance") > 0) & (pl.col("currency") == carrier.currency))
    accounts = book["accounts"].filter(
        pl.col("account_key").is_in(funds["account_key"].implode())
        & pl.col("billing_plan").is_in(plans["billing_plan"].implode())
        & ~pl.col("account_key").is_in(held_accounts(book).implode())
    )
    accounts = accounts.select("account_key", "billing_plan").join(
        plans.select("billing_plan", *_PLAN), on="billing_plan", how="left", maintain_order="left"
    )
    under_way = book["disbursements"].filter(is_pending() & (pl.col("origin") == "Automatic"))["fund_key"]
    return (
        funds.join(accounts, on="account_key", how="inner", maintain_order="left")
        .filter((pl.col("balance") > pl.col("disbursement_over")) & ~pl.col("fund_key").is_in(under_way.implode()))
        .join(pending_amounts(book), on="fund_key", how="left", maintain_order="left")
    )


def _owed_by_fund(book: Book, funds: pl.DataFrame, day: date) -> pl.DataFrame:
    """fund_key, under_contract, billed: what the accounts of these funds owe that these funds are there for (R-AD-1).

    A designated fund is there for the items of its policy. A default fund is there for all other items that its account
    pays, and for what the designated funds of the account do not cover, since it may pay any of them (R-BL-6). Credits
    that are not used yet count against what is owed, and never for more than that.
    """
    items = book["invoice_items"].filter(
        pl.col("account_key").is_in(funds["account_key"].unique().implode())
        & (pl.col("paid") + pl.col("written_off") != pl.col("amount"))
    )
    billed = book["invoices"].filter(
        pl.col("invoice_key").is_in(items["invoice_key"].unique().implode())
        & (pl.col("bill_date") <= day)
        & pl.col("outcome").is_null()
    )
    keeps = book["accounts"].filter(separates_funds())["account_key"]
    designated = book["funds"].filter((pl.col("policy_key") > 0) & pl.col("account_key").is_in(keeps.implode()))
    designated = designated.select("account_key", "policy_key", named="fund_key", held="balance")
    is_billed = pl.col("invoice_key").is_in(billed["invoice_key"].implode())
    is_open = pl.col("amount") - pl.col("paid") - pl.col("written_off")
    by_fund = (
        items.join(designated, on=["account_key", "policy_key"], how="left", maintain_order="left")
        .with_columns(fund_key=pl.coalesce("named", default_fund_key(pl.col("account_key"))), open=is_open)
        .group_by("fund_key", "account_key", "named")
        .agg(
            pl.col("held").first().fill_null(0),
            under_contract=pl.col("open").sum(),
            billed=pl.col("open").filter(is_billed).sum(),
        )
    )
    kinds = ("under_contract", "billed")
    uncovered = by_fund.filter(pl.col("named").is_not_null()).select(
        *((pl.col(kind) - pl.col("held").clip(0)).clip(0) for kind in kinds),
        fund_key=default_fund_key(pl.col("account_key")),
    )
    own = by_fund.select("fund_key", *(pl.col(kind).clip(0) for kind in kinds))
    both = pl.concat([own, uncovered.select(own.columns)])
    return both.group_by("fund_key").agg(pl.col(kinds).sum())
