"""Commands about payments: taken back, moved, corrected, distributed anew."""

from __future__ import annotations

from schemas import enums
from schemas.commands.declare import CommandType, Param

_PAYMENT = ("payment",)
_DISTRIBUTE = Param(
    "distribute", "word", "Whether the money is applied to items at once.", values=enums.DISTRIBUTE, default="auto"
)
_TARGET_WORDS = ("policy", "invoice", "invoice_item")
DISTRIBUTION = (
    Param(
        "allocate",
        "rows",
        "Amounts that go to these policies, invoices or items before anything else; 0 excludes an item (R-DBP-06..08).",
        fields=(
            Param("target_type", "word", "What the amount is for.", required=True, values=_TARGET_WORDS),
            Param("target_id", "text", "Its id.", required=True),
            Param("amount", "amount", "How much.", required=True),
        ),
    ),
    Param(
        "include", "texts", "Items that may be paid although the plan leaves them out, whoever pays them (R-DBP-12)."
    ),
    Param("exclude", "texts", "Items that are not paid this time (R-DBP-06)."),
    Param(
        "include_only",
        "word",
        "Which items may be paid, in place of the account's plan (R-DBP-10).",
        values=("billed", "past_due", "under_contract", "next_invoice"),
    ),
    Param(
        "select_where",
        "word",
        "Whose items: those that the account pays, owns, or either (R-DBP-11).",
        values=("payer", "owner", "either"),
        default="payer",
    ),
    Param(
        "select_is",
        "word",
        "Which account: itself, its direct sub-accounts, or both (R-DBP-11).",
        values=("account", "sub_accounts", "both"),
        default="account",
    ),
    Param(
        "use_default_unapplied",
        "flag",
        "Whether what the default fund of the account holds is distributed with the payment, after its own money"
        " (R-DBP-04).",
        default="false",
    ),
)
"""How one payment is distributed where the account's plan does not decide; also in the column of landed payments."""

COMMANDS = (
    CommandType(
        name="reverse_payment",
        description="Take a payment back: what it paid is open again. Insufficient funds may raise a fee."
        " An amount, where given, must be that of the payment. A payment is named by its id, or as reference:<its"
        " reference>.",
        rules="R-PMV-05..09, R-SUS-09, R-BP-7, R-DBP-24",
        targets=_PAYMENT,
        amount="optional",
        params=(
            Param(
                "reversal_reason",
                "word",
                "Why it is taken back.",
                required=True,
                values=tuple(
                    name for name in enums.REVERSAL_REASONS if name not in ("payment_moved", "payment_modified")
                ),
            ),
        ),
    ),
    CommandType(
        name="move_payment_to_account",
        description="Move a whole payment to another account.",
        rules="R-PMV-01, R-PMV-02, R-PMV-04",
        targets=_PAYMENT,
        params=(
            Param("account_id", "text", "Account that it is moved to.", required=True),
            Param("description", "text", "Note on the new payment."),
            _DISTRIBUTE,
        ),
    ),
    CommandType(
        name="move_payment_to_suspense",
        description="Move a whole payment to suspense; nobody is its payer until it is applied.",
        rules="R-PMV-01, R-PMV-03, R-PMV-04",
        targets=_PAYMENT,
        params=(
            Param("account_number", "text", "Account number that it may be for; not checked."),
            Param("policy_number", "text", "Policy number that it may be for; not checked."),
            Param("description", "text", "Note on the suspense payment."),
        ),
    ),
    CommandType(
        name="modify_payment_details",
        description="Correct a payment. Another amount or method is a new version of it, without distribution.",
        rules="R-PMV-10, R-PMV-11",
        targets=_PAYMENT,
        amount="optional",
        params=(
            Param("method", "text", "How it was paid."),
            Param("reference", "text", "Reference of the payer or of the bank."),
            Param("description", "text", "Note on the payment."),
        ),
    ),
    CommandType(
        name="modify_payment_distribution",
        description="Take back what a payment paid and distribute it anew.",
        rules="R-PMV-12, R-PMV-13, R-DBP-06..12",
        targets=_PAYMENT,
        params=(*DISTRIBUTION, _DISTRIBUTE),
        alone=True,
    ),
    CommandType(
        name="redistribute_payments",
        description="Distribute what is not distributed of several payments of an account, the latest received first;"
        " the earliest first where funds are tracked.",
        rules="R-FT-7..9",
        targets=("account",),
        params=(Param("payments", "texts", "Which payments; left out, all that stand."),),
        alone=True,
    ),
)
