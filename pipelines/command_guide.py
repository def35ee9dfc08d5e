"""The page of commands, written from their declarations: `docs/commands.md`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from schemas.commands import COMMAND_TYPES, CommandType, Param

_INTRODUCTION = """\
# Commands

Generated from `schemas/commands/`; a test keeps it true.

A command asks for something that no instruction and no payment says: another payer, another plan, an invoice moved. It
lands as a row of `commands` and is carried out on its business date, after the instructions and payments of the day and
before invoices are billed. It is carried out as a whole or refused as a whole; what is refused is in `quarantine` with
a reason code (`docs/quarantine.md`), what was carried out in the view `commands`.

- `command_id` is the command: the same id again has no effect.
- `target_type` and `target_id` say what it is about, by the id that the views show; a charge also by its instruction
  and number, as in `I-1/2`. An ad hoc credit and a disbursement have the id of the command that asked for them.
- `params` is a JSON object with the parameters below. Amounts are in the currency of the account.
- Commands of one account are carried out by `sequence`, then by id.
- A landing file has them as JSON lines, with `params` as an object, or as CSV or Parquet, with `params` as text.
"""
_TARGET_IDS = {
    "account": "A-1",
    "policy": "P-1",
    "invoice": "1099559993472",
    "invoice_stream": "1048576",
    "invoice_item": "1048577",
    "charge": "I-1/1",
    "payment": "PAY-1",
    "disbursement": "D-1",
    "ad_hoc_credit": "C-1",
    "credit_distribution": "C-2",
}
_TEXTS = {
    "payer_account_id": "A-2",
    "agency_account_id": "AGENCY",
    "account_id": "A-2",
    "policy_id": "P-1",
    "invoice_id": _TARGET_IDS["invoice"],
    "item_id": _TARGET_IDS["invoice_item"],
    "stream_id": _TARGET_IDS["invoice_stream"],
    "payment_plan": "Monthly",
    "charge_pattern": "Recapture",
    "method": "check",
    "account_number": "A-2",
    "policy_number": "P-1",
    "fund_policy_id": "P-1",
    "payee": "Jane Doe",
}
"""What the examples say in parameters of text that name something."""
_VALUES = {
    "text": "text",
    "whole": 1,
    "amount": "25.00",
    "percent": "10",
    "date": "2026-03-01",
    "flag": True,
    "texts": [_TARGET_IDS["invoice_item"]],
}


def command_guide() -> str:
    """The whole page, as Markdown."""
    kinds = [kind for kind in COMMAND_TYPES.values() if not kind.instead]
    elsewhere = [kind for kind in COMMAND_TYPES.values() if kind.instead]
    lines = [_INTRODUCTION, "| command | about | what it does |", "|---|---|---|"]
    lines += [f"| [`{kind.name}`](#{kind.name}) | {_targets(kind)} | {kind.description} |" for kind in kinds]
    for kind in kinds:
        lines += _section(kind)
    lines += ["", "## What is no command", "", "| looked for | rules | instead |", "|---|---|---|"]
    lines += [f"| `{kind.name}` | {kind.rules} | {kind.instead} |" for kind in elsewhere]
    return "\n".join(lines) + "\n"


def example_row(kind: CommandType) -> dict[str, object]:
    """A landing row of a command type with its required parameters, or its first one where none is required."""
    params = [param for param in kind.params if param.required] or list(kind.params[:1])
    row: dict[str, object] = {"command_id": "C-1", "command_type": kind.name}
    if kind.targets:
        row |= {"target_type": kind.targets[0], "target_id": _TARGET_IDS[kind.targets[0]]}
    if kind.amount == "required":
        row["amount"] = _VALUES["amount"]
    if params:
        row["params"] = _object(params)
    return row


def _section(kind: CommandType) -> Iterator[str]:
    yield ""
    yield f"## {kind.name}"
    yield ""
    yield f"{kind.description} About: {_targets(kind)}. Rules: {kind.rules}."
    if kind.amount != "none":
        yield f"The column `amount` is {kind.amount}."
    if kind.params:
        yield ""
        yield "| parameter | kind | default | meaning |"
        yield "|---|---|---|---|"
        yield from (
            f"| `{param.name}` | {_kind(param)} | {_default(param)} | {param.description} |" for param in kind.params
        )
        for param in kind.params:
            yield from _fields(param)
    yield ""
    yield "```json"
    yield json.dumps(example_row(kind))
    yield "```"


def _fields(param: Param) -> Iterator[str]:
    if not param.fields:
        return
    yield ""
    yield f"Each of `{param.name}` has:"
    yield ""
    yield "| field | kind | default | meaning |"
    yield "|---|---|---|---|"
    yield from (
        f"| `{field.name}` | {_kind(field)} | {_default(field)} | {field.description} |" for field in param.fields
    )


def _targets(kind: CommandType) -> str:
    return " or ".join(target.replace("_", " ") for target in kind.targets) or "nothing"


def _kind(param: Param) -> str:
    if param.values:
        return ", ".join(f"`{value}`" for value in param.values)
    names = {"whole": "whole number", "flag": "true or false", "texts": "list of texts", "rows": "list of objects"}
    return names.get(param.kind, param.kind)


def _default(param: Param) -> str:
    if param.required:
        return "required"
    return "" if param.default is None else f"`{param.default}`"


def _object(params: Sequence[Param]) -> dict[str, object]:
    return {param.name: _example(param) for param in params}


def _example(param: Param) -> object:
    if param.values:
        return param.values[0]
    if param.kind == "rows":
        return [_object([field for field in param.fields if field.required] or param.fields[:1])]
    return _TEXTS.get(param.name, _VALUES[param.kind])
