"""Commands about who pays: the payer of charges and of invoice items, and the billing method of a policy period."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param
from schemas.commands.invoices import ON_EQUITY_VIOLATION
from schemas.commands.schedules import TERM_NUMBER
from schemas.enums import BILLING_METHODS

_PAYER = Param("payer_account_id", "text", "Account that pays from now on.", required=True)
_REVERSE_PAYMENTS = Param(
    "reverse_payments",
    "word",
    "Whether what was paid and written off is taken back: of all these items, of none (it stays on them), or of those "
    "that are billed.",
    values=("yes", "no", "only_for_non_planned"),
    default="no",
)
_CATCH_UP = Param(
    "catch_up",
    "flag",
    "Whether items that are billed go on an invoice of today, instead of the next planned one of the new payer.",
    default="false",
)

COMMANDS = (
    CommandType(
        name="reassign_charge_payer",
        description="Let another account pay a charge by default, and the items of it that there are.",
        rules="R-ITM-10..18, R-ITM-20..22",
        targets=("charge",),
        params=(
            _PAYER,
            Param(
                "items",
                "word",
                "Which items of the charge get the payer too: all, or those that are not fully paid.",
                values=("all", "not_fully_paid"),
                default="all",
            ),
            _REVERSE_PAYMENTS,
            _CATCH_UP,
            ON_EQUITY_VIOLATION,
        ),
    ),
    CommandType(
        name="set_charge_default_payer",
        description="Let another account pay those items of a charge that come later; the items that there are stay.",
        rules="R-ITM-04, R-ITM-11",
        targets=("charge",),
        params=(_PAYER,),
    ),
    CommandType(
        name="reassign_item_payer",
        description="Let another account pay an invoice item; later items of its charge have the payer they had.",
        rules="R-ITM-10..18, R-ITM-20..22",
        targets=("invoice_item",),
        params=(_PAYER, _REVERSE_PAYMENTS, _CATCH_UP, ON_EQUITY_VIOLATION),
    ),
    CommandType(
        name="refer_to_collection_agency",
        description="Let a collection agency pay what is open of the items that an account pays, all of them or those "
        "of a policy of its own; they go on the next invoice of the agency.",
        rules="R-ITM-06",
        targets=("account", "policy"),
        params=(Param("agency_account_id", "text", "Account of the collection agency.", required=True),),
        alone=True,
    ),
    CommandType(
        name="change_billing_method",
        description="Bill a policy period to its owner, or to a list bill account; all its items get the new payer.",
        rules="R-ITM-25..28, R-LB-08, R-LB-09, R-LB-12",
        targets=("policy",),
        params=(
            TERM_NUMBER,
            Param("method", "word", "Billing method from now on.", required=True, values=BILLING_METHODS),
            Param("payer_account_id", "text", "List bill: the account that pays."),
            Param("payment_plan", "text", "List bill: a payment plan that it offers; default the one that there is."),
            Param(
                "stream_id", "text", "List bill: a stream of that account; default the one of the plan's periodicity."
            ),
            Param(
                "reverse_payments",
                "flag",
                "Direct bill: whether what was paid is taken back instead of staying with the items.",
                default="false",
            ),
            _CATCH_UP,
            Param(
                "payments",
                "word",
                "List bill: what was paid is taken back, of all items or of billed ones, and distributed again if the "
                "payment plan changes.",
                values=("all", "billed_and_due"),
                default="all",
            ),
            ON_EQUITY_VIOLATION,
        ),
    ),
)
