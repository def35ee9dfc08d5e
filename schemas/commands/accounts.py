"""Commands about an account: its billing level, its invoice days, and the list bill account that pays a policy."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param
from schemas.commands.invoices import ON_EQUITY_VIOLATION
from schemas.commands.schedules import TERM_NUMBER
from schemas.enums import DATE_FIXINGS, LEVELS

COMMANDS = (
    CommandType(
        name="set_billing_level",
        description="Invoice an account per account or per policy, and keep its incoming funds so.",
        rules="R-BL-2, R-BL-9..14",
        targets=("account",),
        params=(
            Param(
                "invoice_by", "word", "One invoice for the account, or one per policy.", required=True, values=LEVELS
            ),
            Param(
                "separate_funds_by",
                "word",
                "One fund for the account, or one per policy; per policy only if invoices are. Default as invoice_by.",
                values=LEVELS,
            ),
            ON_EQUITY_VIOLATION,
        ),
    ),
    CommandType(
        name="change_invoice_days",
        description="Change the days on which the invoices of an account are fixed; planned invoices get new dates.",
        rules="R-ACC-07, R-INV-08, R-INV-22",
        targets=("account",),
        params=(
            Param("invoice_day_of_month", "whole", "Day of month of monthly invoices, 1 to 31."),
            Param("invoice_day_of_week", "whole", "Day of week of weekly invoices, 1 Monday to 7 Sunday."),
            Param("invoice_first_day_of_month", "whole", "First day of invoices twice per month."),
            Param("invoice_second_day_of_month", "whole", "Second day of invoices twice per month."),
            Param("invoice_every_other_week_anchor", "date", "A date on the every-other-week cadence."),
            Param("fix_invoices_on", "word", "Which date of an invoice these days fix.", values=DATE_FIXINGS),
            ON_EQUITY_VIOLATION,
        ),
    ),
    CommandType(
        name="change_list_bill",
        description="Change the list bill account that pays a policy period, its payment plan or its stream.",
        rules="R-LB-13..17",
        targets=("policy",),
        params=(
            TERM_NUMBER,
            Param("payer_account_id", "text", "List bill account that pays from now on.", required=True),
            Param("payment_plan", "text", "Payment plan that this account offers.", required=True),
            Param("stream_id", "text", "Stream of that account; default the one of the plan's periodicity."),
            Param(
                "items",
                "word",
                "Which items move: all, or those on planned invoices.",
                values=("all_items", "planned_items"),
                default="all_items",
            ),
            Param(
                "payments",
                "word",
                "Whose payments are taken back: those on all items that move, or on billed and due ones.",
                values=("all_items", "billed_or_due_items"),
                default="all_items",
            ),
            ON_EQUITY_VIOLATION,
        ),
    ),
)
