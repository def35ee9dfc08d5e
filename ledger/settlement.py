"""Settling: money and credits meet the open items of some accounts.

A *run* is money of one fund with one association (the policy period and invoice that it is for, or none). Per run:
find the eligible items in the order of the account's plan, let the credits among them pay first (R-DST-03), then the
money. Runs of different accounts are settled at once; a second run of an account belongs to a later round, because it
sees what the first one left. `ledger.payments` decides what the runs of a day are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from ledger.allocation import BILLED, DUE, PLANNED, eligible, in_paying_order, needs_policy_periods, spend
from ledger.book import Book
from ledger.carrier import Carrier
from ledger.charge_holds import is_held
from ledger.distribution import distribute
from ledger.effects import Effects
from ledger.funds import change_balances
from ledger.payment_items import append_payment_items
from ledger.plans import PaymentAllocationPlan
from ledger.posting import empty_transactions, transaction_frame
from ledger.recaptures import refill_policy_key, refills
from ledger.taking_back import empty_designated_funds
from schemas import enums

_KIND = enums.enum(enums.DISTRIBUTION_KINDS)
ITEM_COLUMNS = (
    "row",
    "item_key",
    "charge_key",
    "invoice_key",
    "account_key",
    "owner_type",
    "owner_key",
    "policy_key",
    "period_key",
    "charge_pattern",
    "priority",
    "is_recapture",
    "event_date",
    "amount",
    "paid",
    "written_off",
    "currency",
)
_BOOKED_COLUMNS = (
    *("row", "item_key", "charge_key", "owner_type", "owner_key", "policy_key", "period_key"),
    *("charge_pattern", "is_recapture", "currency"),
)
_KEY = pl.Int64()
PARTS = pl.Schema(
    {
        "at": _KEY,
        "kind": _KIND,
        "payment_key": _KEY,
        "account_key": _KEY,
        "paying_fund_key": _KEY,
        "credit_item_key": _KEY,
        "amount": pl.Int64(),
    }
)
"""What settling applies: the row of the open items, what paid it, whose fund it went through, how much (signed)."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How far time has gone for invoices: the last bill date that is billed, the last due date that is due."""

    last_bill_date: date
    last_due_date: date

    @classmethod
    def of(cls, carrier: Carrier, billed_through: date, due_through: date) -> Clock:
        """Billed: bill date <= billed_through. Due: due date plus the carrier's lag <= due_through (R-LIF-10)."""
        return cls(billed_through, due_through - timedelta(days=carrier.invoice_due_lag_days))

    def status(self) -> pl.Expr:
        """Status of an invoice by its dates."""
        return (
            pl.when(pl.col("due_date") <= self.last_due_date)
            .then(DUE)
            .when(pl.col("bill_date") <= self.last_bill_date)
            .then(BILLED)
            .otherwise(PLANNED)
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """Open items of some accounts while money is applied to them, and what has been applied so far."""

    plans: Sequence[PaymentAllocationPlan]
    accounts: pl.DataFrame
    items: pl.DataFrame
    parts: pl.DataFrame

    @classmethod
    def start(cls, book: Book, account_keys: pl.Series, clock: Clock, carrier: Carrier) -> Settlement:
        """The unpaid items that these accounts pay, with what the plans need to know of them (R-PAP-06).

        Credits that follow a return premium plan are not among them: when they pay is up to it (R-DST-03).
        """
        keys = account_keys.implode()
        accounts = book["accounts"].filter(pl.col("account_key").is_in(keys))
        accounts = accounts.select("account_key", allocation_plan="payment_allocation_plan")
        plans = [carrier.payment_allocation_plans[name] for name in accounts["allocation_plan"].unique().sort()]
        items = book["invoice_items"].with_row_index("row").select(ITEM_COLUMNS)
        items = items.filter(pl.col("account_key").is_in(keys)).with_columns(
            pl.col("amount") - pl.col("written_off"), is_held=is_held(book)
        )
        invoices = book["invoices"].select(
            *("account_key", "invoice_key", "stream_key", "bill_date", "due_date"), stream_policy_key="policy_key"
        )
        invoices = invoices.filter(pl.col("account_key").is_in(keys)).drop("account_key")
        free = items.filter(~pl.col("is_held")) if items["is_held"].any() else items
        invoices = _with_next_planned(invoices.with_columns(status=clock.status()), free)
        invoices = invoices.drop("stream_key")
        items = items.filter((pl.col("paid") != pl.col("amount")) & ~follows_a_plan(book))
        items = items.join(invoices, on="invoice_key", how="inner", maintain_order="left")
        items = items.join(accounts, on="account_key", how="inner", maintain_order="left")
        if needs_policy_periods(plans):
            items = _with_policy_periods(items, book)
        return cls(plans, accounts, items.with_columns(at=pl.int_range(pl.len(), dtype=pl.Int64)), PARTS.to_frame())

    def settle(
        self,
        runs: pl.DataFrame,
        payers: pl.DataFrame,
        chosen: pl.DataFrame | None = None,
        *,
        credits_first: bool = True,
    ) -> Settlement:
        """Settle one round: credits first, then money, each run with its own association (R-DST-03, R-DST-15).

        runs: run (unique number), account_key, fund_key, fund_policy_key (0 for the default fund, which may pay every
        item of its account; else only items of that policy, or on its stream: R-BL-6), for_period_key, for_invoice_key
        (0 for none); runs of one round do not share items. payers: run, payment_key (0 for money already in the fund),
        amount (more than 0), sorted by run and then in the order in which they pay. chosen: run and item_key of the
        items that each run may pay, where the plan of its account does not decide; they may be items that others pay.
        """
        candidates = self._candidates(runs) if chosen is None else self._chosen(runs, chosen)
        applied = []
        if credits_first and (candidates["amount"] < 0).any():
            applied.append(_apply_credits(candidates))
            used = applied[0].group_by("at").agg(change=pl.col("amount").sum())
            candidates = candidates.join(used, on="at", how="left", maintain_order="left")
            candidates = candidates.with_columns(pl.col("paid") + pl.col("change").fill_null(0))
        applied.append(_apply_money(candidates, payers))
        parts = (
            pl.concat(applied)
            .join(
                runs.select("run", "account_key", paying_fund_key="fund_key"),
                on="run",
                how="left",
                maintain_order="left",
            )
            .select(pl.col(name).cast(dtype) for name, dtype in PARTS.items())
        )
        return Settlement(self.plans, self.accounts, with_parts(self.items, parts), pl.concat([self.parts, parts]))

    def _candidates(self, runs: pl.DataFrame) -> pl.DataFrame:
        """Eligible items of each run in paying order; held ones wait on planned invoices without pay (R-CHD-9)."""
        # An item that somebody moved to the stream of another policy is paid from the fund of that one (R-ITM-48).
        is_on_policy_stream = pl.col("stream_policy_key") > 0
        policy_key = pl.when(is_on_policy_stream).then("stream_policy_key").otherwise("policy_key")
        is_in_fund = (pl.col("fund_policy_key") == 0) | (pl.col("fund_policy_key") == policy_key)
        runs = runs.select("run", "account_key", "fund_policy_key", "for_period_key", "for_invoice_key")
        is_waiting = pl.col("is_held") & (pl.col("status") == PLANNED)
        candidates = self.items.filter((pl.col("paid") != pl.col("amount")) & ~is_waiting)
        candidates = candidates.join(runs, on="account_key", how="inner")
        if candidates["is_recapture"].any():
            # It refills its designated fund and is of no period: money for any period of the policy pays it (R-RC-7).
            refills_it = pl.col("is_recapture") & (pl.col("fund_policy_key") > 0)
            of_any = pl.when(refills_it).then(0).otherwise("for_period_key")
            candidates = candidates.with_columns(for_period_key=of_any)
        candidates = candidates.filter(is_in_fund & eligible(self.plans))
        return self._in_order(candidates)

    def _chosen(self, runs: pl.DataFrame, chosen: pl.DataFrame) -> pl.DataFrame:
        """These items in the order of the plan of the account that pays."""
        plans = self.accounts.select("account_key", "allocation_plan")
        wanted = (
            chosen.join(runs.select("run", "account_key", "for_period_key", "for_invoice_key"), on="run", how="inner")
            .join(plans, on="account_key", how="left")
            .drop("account_key")
        )
        is_open = pl.col("paid") != pl.col("amount")
        items = self.items.filter(is_open).drop("allocation_plan")
        return self._in_order(items.join(wanted, on="item_key", how="inner"))

    def _in_order(self, candidates: pl.DataFrame) -> pl.DataFrame:
        candidates = in_paying_order(candidates, self.plans)
        return candidates.select(
            "run", "rank", "is_spread", "at", "item_key", "amount", "paid", place=pl.int_range(pl.len(), dtype=pl.Int64)
        )


def _with_next_planned(invoices: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Add is_next_planned: the planned invoice of its stream with the earliest bill date that has items (R-PAP-08)."""
    planned = invoices.filter(pl.col("status") == PLANNED).join(items, on="invoice_key", how="semi")
    earliest = planned.group_by("stream_key").agg(pl.col("bill_date").min())
    following = planned.join(earliest, on=["stream_key", "bill_date"], how="semi")
    following = following.sort("stream_key", "due_date", "invoice_key").unique("stream_key", keep="first")
    is_next_planned = pl.col("invoice_key").is_in(following["invoice_key"].implode())
    return invoices.with_columns(is_next_planned=is_next_planned)


def _with_policy_periods(items: pl.DataFrame, book: Book) -> pl.DataFrame:
    """Add period_start (day) and policy_place (place of the policy id among those here); 0 on items of accounts."""
    periods = book["policy_periods"].filter(pl.col("period_key").is_in(items["period_key"].unique().implode()))
    policies = book["policies"].filter(pl.col("policy_key").is_in(periods["policy_key"].unique().implode()))
    policies = policies.select("policy_key", policy_place=pl.col("policy_id").rank("dense").cast(pl.Int64))
    periods = periods.select(
        "period_key", "policy_key", period_start=pl.col("effective_date").to_physical().cast(pl.Int64)
    ).join(policies, on="policy_key", how="inner")
    return items.join(periods.drop("policy_key"), on="period_key", how="left", maintain_order="left").with_columns(
        pl.col("period_start", "policy_place").fill_null(0)
    )


def follows_a_plan(book: Book) -> pl.Expr:
    """Whether an item is a credit that a return premium plan is about; reads `amount` and `period_key`."""
    plans = book["policy_periods"]["return_premium_plan"]
    if plans.null_count() == len(plans):
        return pl.lit(value=False)
    keys = book["policy_periods"].filter(plans.is_not_null())["period_key"]
    return (pl.col("amount") < 0) & pl.col("period_key").is_in(keys.implode())


def with_parts(items: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Open items once these parts (`at`, `amount`) have paid them; `at` is the place of an item."""
    sums = parts.group_by("at").agg(change=pl.col("amount").sum())
    paid = items["paid"].clone()
    return items.with_columns(paid.scatter(sums["at"], paid.gather(sums["at"]) + sums["change"]))


def _balances(candidates: pl.DataFrame) -> pl.DataFrame:
    """Positive candidates as the kernel takes them."""
    balance = pl.col("amount") - pl.col("paid")
    return candidates.select("rank", "is_spread", pool="run", item="place", balance=balance).filter(
        pl.col("balance") > 0
    )


def _apply_credits(candidates: pl.DataFrame) -> pl.DataFrame:
    """Negative items pay positive ones of their run, as far as both go (R-DST-03).

    Their sum is applied to the positive items as money would be, and taken from the negative items by the same order;
    then the two are matched in that order. A match is two parts, one after the other, so that it can be taken back
    (`ledger.taking_back`). Per run, what is paid and what is used are equal: the fund of the run does not change.
    """
    debts = _balances(candidates)
    creditors = _balances(candidates.with_columns(pl.col("amount", "paid").neg()))
    sums = creditors.group_by("pool").agg(credit=pl.col("balance").sum())
    sums = sums.join(debts.group_by("pool").agg(debt=pl.col("balance").sum()), on="pool", how="inner").sort("pool")
    if sums.is_empty():
        return _part_frame(candidates, pl.DataFrame(schema={"item": pl.Int64, "amount": pl.Int64, "credit": pl.Int64}))
    pools = sums.select("pool", payment="pool", amount=pl.min_horizontal("credit", "debt"))
    used = spend(pools, creditors.join(pools, on="pool", how="semi")).sort("item")
    paid = spend(pools, debts.join(pools, on="pool", how="semi")).sort("item")
    matched = distribute(
        used.select(pool="payment", payment="item", amount="amount"),
        paid.select(pool="payment", rank="item", item="item", balance="amount"),
    )
    # Each match is two parts that stand together: the credit is used, the debt is paid.
    pairs = matched.select(debt="item", credit="payment", amount="amount").sort("credit", "debt")
    sides = pairs.select(
        "credit", item=pl.concat_list("credit", "debt"), amount=pl.concat_list(-pl.col("amount"), "amount")
    )
    return _part_frame(candidates, sides.explode("item", "amount"))


def _part_frame(candidates: pl.DataFrame, applied: pl.DataFrame) -> pl.DataFrame:
    """Parts of credits: `item` and `credit` are places of candidates."""
    return applied.select(
        candidates["run"].gather(applied["item"]),
        candidates["at"].gather(applied["item"]),
        candidates["item_key"].gather(applied["credit"]).alias("credit_item_key"),
        pl.lit("credit", _KIND).alias("kind"),
        pl.lit(0, pl.Int64).alias("payment_key"),
        "amount",
    )


def _apply_money(candidates: pl.DataFrame, payers: pl.DataFrame) -> pl.DataFrame:
    """Money pays the positive items of its run (R-DST-04 to R-DST-07); what is left stays in the fund (R-PAP-07)."""
    numbered = payers.select(pool="run", payment=pl.int_range(pl.len(), dtype=pl.Int64), amount="amount")
    applied = spend(numbered, _balances(candidates))
    payment_key = payers["payment_key"].gather(applied["payment"])
    return applied.select(
        candidates["run"].gather(applied["item"]),
        candidates["at"].gather(applied["item"]),
        pl.lit(0, pl.Int64).alias("credit_item_key"),
        pl.when(payment_key > 0).then(pl.lit("payment")).otherwise(pl.lit("credit")).cast(_KIND).alias("kind"),
        payment_key.alias("payment_key"),
        "amount",
    )


@dataclass(frozen=True, slots=True)
class Distributed:
    """What a distribution did: the book, transactions to post, and the payment items that it added to the book."""

    book: Book
    transactions: pl.DataFrame
    payment_items: pl.DataFrame

    @classmethod
    def nothing(cls, book: Book) -> Distributed:
        """No money, nothing paid."""
        return cls(book, empty_transactions(), book["payment_items"].clear())


def book_settlement(book: Book, settlement: Settlement, day: date) -> Distributed:
    """Book what was applied: items become paid, money leaves its fund, one transaction per payment item (R-DST-12).

    Transactions are ChargePaidFromAccount of the business date; a recapture refills a fund of the owner of its charge
    (R-RC-5, R-RC-7). A credit pays and is paid through the fund of its run, which nets to zero (R-DST-03).
    """
    parts = settlement.parts
    if parts.is_empty():
        return Distributed.nothing(book)
    items = settlement.items.select(_BOOKED_COLUMNS)[parts["at"]]
    parts = parts.hstack(items).with_columns(
        fund_policy_key=pl.when(pl.col("paying_fund_key") % 2 == 1).then(pl.col("paying_fund_key") // 2).otherwise(0),
        fund_key=pl.when(pl.col("credit_item_key") == 0).then("paying_fund_key").otherwise(0),
        through_fund_key="paying_fund_key",
        destination_fund_policy_key=refill_policy_key(),
    )
    settled = settlement.items.select("row", "paid")[parts["at"].unique().sort()]
    book = book.update("invoice_items", settled["row"], {"paid": settled["paid"]})
    book = change_balances(book, _fund_moves(parts))
    variant = pl.when("is_recapture").then(pl.lit("recapture")).otherwise(pl.lit("standard"))
    transactions = transaction_frame(parts, "ChargePaidFromAccount", transaction_date=day, variant=variant)
    before = book["payment_items"].height
    book = append_payment_items(book, parts, day)
    paid = book["payment_items"].slice(before)
    # The account may have given up the fund that a recapture refills: then the money goes on to its default fund.
    refilled = refills(parts)["fund_key"]
    onward = Effects(book) if refilled.is_empty() else empty_designated_funds(book, refilled, day)
    return Distributed(onward.book, pl.concat([transactions, *onward.transactions]), paid)


def _fund_moves(parts: pl.DataFrame) -> pl.DataFrame:
    """Money out of the funds that paid, and into those that recaptures refill."""
    out = parts.select(
        "account_key", "currency", fund_key="paying_fund_key", policy_key="fund_policy_key", amount=-pl.col("amount")
    )
    return pl.concat([out, refills(parts).select(out.columns)])
