"""Commands about money in suspense."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param

_PAYMENT = ("payment",)

COMMANDS = (
    CommandType(
        name="edit_suspense_payment",
        description="Note who or what an open suspense payment may be for; numbers are not checked.",
        rules="R-SUS-03, R-SUS-07",
        targets=_PAYMENT,
        params=(
            Param("account_number", "text", "Account number that it may be for."),
            Param("policy_number", "text", "Policy number that it may be for."),
            Param("method", "text", "How it was paid."),
            Param("reference", "text", "Reference of the payer or of the bank."),
            Param("description", "text", "Note on the suspense payment."),
        ),
    ),
    CommandType(
        name="apply_suspense_payment",
        description="Apply an open suspense payment to the account, or to the policy, that it is for.",
        rules="R-SUS-05, R-SUS-06, R-SUS-08, R-SUS-09",
        targets=_PAYMENT,
        params=(
            Param("account_id", "text", "Account that paid."),
            Param("policy_id", "text", "Policy that was paid; its owner is the payer."),
        ),
    ),
    CommandType(
        name="create_suspense_item",
        description="Set a part of a payment aside until it is known what it is for.",
        rules="R-SUS-11, R-SUS-12, R-SUS-13",
        targets=_PAYMENT,
        amount="required",
        params=(Param("policy_number", "text", "Policy that it may be for; not checked."),),
        alone=True,
    ),
    CommandType(
        name="release_suspense_items",
        description="Release suspense items of a payment; the money is distributed as the payment was.",
        rules="R-SUS-13, R-SUS-14",
        targets=_PAYMENT,
        params=(Param("items", "texts", "Ids of the suspense items; left out, all open ones."),),
    ),
)
