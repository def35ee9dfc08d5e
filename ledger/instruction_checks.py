"""What an instruction must satisfy against the book before it is booked, and what is unusual about one that is.

What a row must satisfy by itself is in `ledger.intake_checks`; here its policy, period and payer are known.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.intake_checks import ACCOUNT_LEVEL_TYPES
from ledger.list_bill import ACCOUNT_TYPE, BILLING_METHOD, payer_offers, without_stream
from ledger.periods import NEW_PERIOD_TYPES
from ledger.refusals import no_refusals, warned_instructions
from ledger.schedules import periods_short_of_item_numbers, periods_without_payer_stream

_AGENCY_BILL = "agency_bill"
_NOT_ON_REPORTING = ("policy_change", "general", "offset", "onset")
"""What a premium reporting period does not take; the base types besides `general` go with it (R-PP-15)."""


def with_problems(
    book: Book, instructions: pl.DataFrame, charges: pl.DataFrame, day: date, carrier: Carrier
) -> pl.DataFrame:
    """Add `code`: the reason code of the first check that an instruction fails against the book, or null.

    In: instructions with what `ledger.periods.find_periods` adds, `account_key` and `payer_account_key` (null when the
    instruction names no payer); the charges of the day with instruction_id and payer_account_key. Rules: R-BI-3..6,
    R-CI-04, R-PP-15, R-PP-16, R-BT-1, R-BT-6, R-LB-06, R-LB-08.
    """
    kind = pl.col("instruction_type")
    is_new = kind.is_in(NEW_PERIOD_TYPES)
    is_existing = ~is_new & ~kind.is_in(ACCOUNT_LEVEL_TYPES)
    is_known_policy = pl.col("policy_key") > 0
    is_cancelled = pl.col("status") == "cancelled"
    reporting = [name for name, plan in carrier.payment_plans.items() if plan.is_reporting]
    is_other_method = is_existing & (pl.col("billing_method") != pl.col("period_billing_method"))
    checks = {
        "E-BILLING-METHOD": (is_new & (pl.col("billing_method") == _AGENCY_BILL)) | is_other_method,
        "E-POLICY-ACCOUNT": is_known_policy & (pl.col("owner_account_key") != pl.col("account_key")),
        "E-POLICY-KNOWN": (kind == "new_renewal") & is_known_policy,
        "E-POLICY-UNKNOWN": (is_existing | kind.is_in(["renewal", "rewrite"])) & ~is_known_policy,
        "E-PERIOD-EXISTS": is_new & (pl.col("period_key") > 0),
        "E-PERIOD-UNKNOWN": is_existing & (pl.col("period_key") == 0),
        "E-ALREADY-CANCELLED": (kind == "cancellation") & is_cancelled,
        "E-NOT-CANCELLED": (kind == "reinstatement") & ~is_cancelled,
        "E-CANCELLATION-DATE": (kind == "cancellation")
        & ~pl.col("effective_date").is_between(pl.col("period_effective_date"), pl.col("coverage_end")),
        "E-REPORTING-PERIOD": kind.is_in(_NOT_ON_REPORTING) & pl.col("period_payment_plan").is_in(reporting),
        "E-LIST-BILL-PAYER-TYPE": pl.col("is_wrong_payer"),
        "E-LIST-BILL-PLAN": pl.col("is_wrong_plan"),
        "E-CHARGE-STREAM": pl.col("instruction_id").is_in(_without_stream(book, instructions, charges, carrier))
        | (changes_plan() & pl.col("period_key").is_in(_periods_without_stream(book, instructions, day, carrier))),
        "E-PLAN-CHANGE": changes_plan() & pl.col("period_key").is_in(_full_periods(book, instructions, day, carrier)),
    }
    found = _with_list_bill_problems(book, instructions, carrier)
    code = pl.coalesce(pl.when(failed.fill_null(value=False)).then(pl.lit(code)) for code, failed in checks.items())
    return found.with_columns(code=code).drop("is_wrong_payer", "is_wrong_plan")


def changes_plan() -> pl.Expr:
    """Whether an instruction for an existing period names another payment plan than the period has (03 section 2.3)."""
    is_existing = ~pl.col("instruction_type").is_in([*NEW_PERIOD_TYPES, *ACCOUNT_LEVEL_TYPES])
    return is_existing & (pl.col("payment_plan") != pl.col("period_payment_plan"))


def _full_periods(book: Book, instructions: pl.DataFrame, day: date, carrier: Carrier) -> list[int]:
    """Policy periods whose plan an instruction changes, and of which a charge has no numbers left for more items."""
    changing = instructions.filter(changes_plan() & (pl.col("period_key") > 0))
    if changing.is_empty():
        return []
    requests = changing.select("period_key", "payment_plan")
    return periods_short_of_item_numbers(book, requests, day, carrier).to_list()


def _without_stream(book: Book, instructions: pl.DataFrame, charges: pl.DataFrame, carrier: Carrier) -> list[str]:
    """Ids of the instructions with a charge for which a list bill account that shall pay it has no stream."""
    named = charges.filter(pl.col("payer_account_key").is_not_null()).select("instruction_id", "payer_account_key")
    if named.is_empty():
        return []
    plans = instructions.filter(~pl.col("instruction_type").is_in(ACCOUNT_LEVEL_TYPES)).select(
        "instruction_id", payment_plan=pl.coalesce("payment_plan", "period_payment_plan")
    )
    needs = named.join(plans, on="instruction_id", how="inner")
    return without_stream(book, needs, carrier)["instruction_id"].unique().to_list()


def _periods_without_stream(book: Book, instructions: pl.DataFrame, day: date, carrier: Carrier) -> list[int]:
    """Policy periods whose plan an instruction changes to one for which another payer has no stream."""
    changing = instructions.filter(changes_plan() & (pl.col("period_key") > 0))
    if changing.is_empty():
        return []
    return periods_without_payer_stream(book, plan_requests(changing), day, carrier).to_list()


def plan_requests(instructions: pl.DataFrame) -> pl.DataFrame:
    """What instructions that name another plan for an existing period ask for, as `change_schedules` takes it.

    Planned items are cut anew, down payments stay, payments are distributed again (R-PP-16, R-PS-6).
    """
    return instructions.select(
        "period_key",
        "payment_plan",
        items=pl.lit("planned_items"),
        include_down_payment=pl.lit(value=False),
        payments=pl.lit("reverse_and_redistribute"),
    )


def _with_list_bill_problems(book: Book, instructions: pl.DataFrame, carrier: Carrier) -> pl.DataFrame:
    """Add `is_wrong_payer` (no list bill account) and `is_wrong_plan` (not one that the payer offers) (R-LB-08)."""
    is_new = pl.col("instruction_type").is_in(NEW_PERIOD_TYPES)
    method = pl.when(is_new).then("billing_method").otherwise("period_billing_method")
    found = instructions.with_columns(is_list_bill=(method == BILLING_METHOD).fill_null(value=False))
    if not found["is_list_bill"].any():
        no = pl.lit(value=False)
        return instructions.with_columns(is_wrong_payer=no, is_wrong_plan=no)
    payers = found.select(
        "is_list_bill",
        payer_account_key=pl.when(is_new).then("payer_account_key").otherwise("period_payer_account_key"),
        payment_plan=pl.coalesce("payment_plan", "period_payment_plan"),
    )
    list_bill = book["accounts"].filter(pl.col("account_type") == ACCOUNT_TYPE)["account_key"]
    is_of_type = payers["payer_account_key"].is_in(list_bill.implode()).fill_null(value=False)
    is_list_bill = payers["is_list_bill"]
    return instructions.with_columns(
        is_wrong_payer=is_list_bill & ~is_of_type,
        is_wrong_plan=is_list_bill & ~payer_offers(book, payers, carrier),
    )


def warn_of_overlaps(book: Book, instructions: pl.DataFrame) -> pl.DataFrame:
    """Warn of new policy periods that start before the cover of another period of the policy has ended.

    In: instructions that are about to be booked. The cover of a cancelled period ends with the cancellation. The period
    is booked: whether the policy is covered twice is for the sender to say.
    """
    new = instructions.filter(pl.col("instruction_type").is_in(NEW_PERIOD_TYPES) & (pl.col("policy_key") > 0))
    if new.is_empty():
        return no_refusals()
    known = book["policy_periods"].filter(pl.col("policy_key").is_in(new["policy_key"].implode()))
    cover = known.select(
        "policy_key", known_start="effective_date", known_end=pl.coalesce("cancellation_date", "coverage_end")
    )
    overlaps = new.join(cover, on="policy_key", how="inner").filter(
        (pl.col("period_effective_date") < pl.col("known_end")) & (pl.col("known_start") < pl.col("coverage_end"))
    )
    return warned_instructions(
        new.filter(pl.col("instruction_id").is_in(overlaps["instruction_id"].implode())), "W-PERIOD-OVERLAP"
    )
