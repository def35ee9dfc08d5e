"""Names of commands that people look for and that are done in another way: a refusal says how."""

from __future__ import annotations

from schemas.commands.declare import CommandType

_INSTRUCTIONS = "land it as a row of billing_instructions with its charges"
_CARRIER = "change the carrier file"


def _elsewhere(name: str, rules: str, instead: str) -> CommandType:
    return CommandType(name=name, description="Not a command.", rules=rules, instead=instead)


COMMANDS = (
    _elsewhere("submit_billing_instruction", "R-BI-1", _INSTRUCTIONS),
    _elsewhere("add_policy", "R-BI-3", _INSTRUCTIONS),
    _elsewhere("renew_policy", "R-BI-4", _INSTRUCTIONS),
    _elsewhere("change_policy", "R-BI-5", _INSTRUCTIONS),
    _elsewhere("upsert_account", "R-BI-10", "land it as a row of accounts"),
    _elsewhere("upsert_producer", "R-BI-10", "land it as a row of producers"),
    _elsewhere("quote_invoice_items", "R-BI-12", "ask `paidthrough preview`, which books nothing"),
    _elsewhere("create_charge_pattern", "R-CP-12", _CARRIER),
    _elsewhere("edit_charge_pattern", "R-CP-12", _CARRIER),
    _elsewhere("create_billing_plan", "R-BP-2", _CARRIER),
    _elsewhere("edit_billing_plan", "R-BP-2", _CARRIER),
    _elsewhere("create_payment_plan", "R-PP-1", _CARRIER),
    _elsewhere("edit_payment_plan", "R-PP-21", _CARRIER),
    _elsewhere("add_override", "R-PO-7", _CARRIER),
    _elsewhere("remove_override", "R-PO-7", _CARRIER),
    _elsewhere("approve_disbursement", "R-DSB-3", "use `approve` about the disbursement"),
    _elsewhere("reject_disbursement", "R-DSB-8", "use `reject` about the disbursement"),
    _elsewhere("set_authority_limit", "R-ACT-2", _CARRIER),
)
