"""Commands about invoice items: taken back and added elsewhere, moved, or changed while they are planned."""

from __future__ import annotations

from schemas.commands.declare import CommandType, Param
from schemas.commands.invoices import ON_EQUITY_VIOLATION
from schemas.enums import ITEM_TYPES

_EVENT_DATE = "Earliest date on which the new item may be invoiced."
_ITEM_TYPE = "Kind of the new item."

COMMANDS = (
    CommandType(
        name="reverse_item_and_reallocate",
        description="Take back a billed item by an offset on its invoice, and add its amount to planned items.",
        rules="R-ITM-40..42",
        targets=("invoice_item",),
        params=(
            Param(
                "additions",
                "rows",
                "Where the amount goes; the amounts add up to that of the item.",
                required=True,
                fields=(
                    Param("item_id", "text", "Planned item of the charge that gets more; left out for a new item."),
                    Param("event_date", "date", _EVENT_DATE),
                    Param("item_type", "word", _ITEM_TYPE, values=ITEM_TYPES),
                    Param("amount", "amount", "How much.", required=True),
                ),
            ),
            ON_EQUITY_VIOLATION,
        ),
    ),
    CommandType(
        name="move_invoice_item",
        description="Put a planned item on another planned invoice of its payer.",
        rules="R-ITM-45..49",
        targets=("invoice_item",),
        params=(Param("invoice_id", "text", "Invoice on which it is from now on.", required=True),),
    ),
    CommandType(
        name="modify_planned_items",
        description="Change the amounts of planned items of a charge, add items to it, or remove some; together they "
        "keep the amount that they had.",
        rules="R-ITM-42..44, R-ITM-47",
        targets=("charge",),
        params=(
            Param(
                "changes",
                "rows",
                "Planned items with their new amounts; 0 removes one.",
                fields=(
                    Param("item_id", "text", "Planned item of the charge.", required=True),
                    Param("amount", "amount", "Its amount from now on.", required=True),
                ),
            ),
            Param(
                "additions",
                "rows",
                "New items, placed by their event dates.",
                fields=(
                    Param("event_date", "date", _EVENT_DATE, required=True),
                    Param("item_type", "word", _ITEM_TYPE, required=True, values=ITEM_TYPES),
                    Param("amount", "amount", "Amount of the new item.", required=True),
                ),
            ),
            Param("removals", "texts", "Planned items of the charge that are removed."),
            ON_EQUITY_VIOLATION,
        ),
    ),
)
