"""The chart of T-accounts and the posting rules: read from `chart.toml`, proved, and laid out for posting.

The chart is closed: 35 patterns and 54 transaction types, spelled as in `schemas.enums` (R-LED-07). Every rule set is
proved when it is loaded: its debits equal its credits whatever the amounts, because the whole amount is always the net
amount plus the commission (R-LED-02, R-TXN-05). Here is also what an owner role means: which columns of a transaction
name the owner of a line. What is not here: turning transactions into lines (`ledger.posting`).
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

import polars as pl

from schemas import enums

CHARGE_PATTERN = "<Charge Pattern>"
"""How a pattern begins that stands for one T-account per charge pattern (R-LED-08)."""
CHARGE_OWNER_TYPES = ("PolicyPeriod", "Account", "Collateral", "CollateralRequirement")
"""Who may own a charge (R-LED-09)."""
SIGNS = ("any", "positive", "negative")
"""For which amounts a rule set holds."""
STANDARD = "standard"
"""The variant of a transaction type that has only one."""
PARTS = {"amount": (1, 1), "net": (1, 0), "commission": (0, 1)}
"""Amounts of a line as multiples of (net amount, commission): the whole amount is their sum."""
AMOUNT_COLUMNS = {"amount": "amount", "net": "net_amount", "commission": "commission_amount"}
"""The column of a transaction that holds each of them."""
_FUND_PATTERNS = ("Unapplied", "Designated Unapplied")
_LINE = re.compile(r"(Dr|Cr) (.+) \[(\w+)\](?: (net|commission))?")
OWNER_TYPE_COUNT = len(enums.OWNER_TYPES)


class ChartError(ValueError):
    """The chart or a posting rule is wrong; the message names the T-account or the rule set."""


@dataclass(frozen=True, slots=True)
class Role:
    """What owns a line: the types it may have, and the columns of a transaction that name it.

    `type_column` is None when the type is fixed. `fund_column` names the policy of a designated fund; None when the
    role never means one.
    """

    owner_types: tuple[str, ...]
    key_column: str
    type_column: str | None = None
    fund_column: str | None = None


ROLES: Mapping[str, Role] = {
    "Account": Role(("Account",), "account_key", fund_column="fund_policy_key"),
    "DefaultFund": Role(("Account",), "account_key"),
    "ChargeOwner": Role(CHARGE_OWNER_TYPES, "owner_key", "owner_type", "destination_fund_policy_key"),
    "PolicyPeriod": Role(("PolicyPeriod",), "period_key"),
    "Producer": Role(("Producer",), "producer_key"),
    "ProducerCode": Role(("ProducerCode",), "producer_code_key"),
    "PolicyCommission": Role(("PolicyCommission",), "policy_commission_key"),
    "ChargeCommission": Role(("ChargeCommission",), "charge_commission_key"),
    "Collateral": Role(("Collateral",), "collateral_key"),
    "CollateralRequirement": Role(("CollateralRequirement",), "requirement_key"),
    "SuspensePayment": Role(("SuspensePayment",), "payment_key"),
    "Source": Role(("Account", "Producer"), "source_key", "source_type", "fund_policy_key"),
    "Destination": Role(("Account", "Producer"), "destination_key", "destination_type", "destination_fund_policy_key"),
    "SourceProducer": Role(("Producer",), "source_key"),
    "DestinationProducer": Role(("Producer",), "destination_key"),
    "SourceRequirement": Role(("CollateralRequirement",), "source_key"),
    "DestinationRequirement": Role(("CollateralRequirement",), "destination_key"),
}
"""The owner roles of the posting rules. `ChargeOwner` is the owner of the charge (R-LED-09)."""
_ROLE_COLUMNS = enums.enum(
    tuple(
        dict.fromkeys(
            column
            for role in ROLES.values()
            for column in (role.type_column, role.key_column, role.fund_column)
            if column is not None
        )
    )
)


@dataclass(frozen=True, slots=True)
class TAccountPattern:
    """A T-account of the chart: its class and who may own it. Nobody: nothing may post to it (R-LED-31)."""

    name: str
    account_type: str
    owner_types: tuple[str, ...]

    @property
    def is_per_charge_pattern(self) -> bool:
        """Whether it stands for one T-account per charge pattern."""
        return self.name.startswith(CHARGE_PATTERN)

    @property
    def normal_side(self) -> str:
        """The side that raises its balance (R-LED-05)."""
        return "D" if self.account_type in ("Asset", "Expense") else "C"


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of a rule set: side, T-account, who owns it, and which part of the amount."""

    side: str
    t_account_pattern: str
    owner_role: str
    part: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The lines of one variant of a transaction type, for amounts of one sign or of any."""

    transaction_type: str
    variant: str
    sign: str
    when: str
    lines: tuple[RuleLine, ...]

    @property
    def name(self) -> str:
        """How errors call it."""
        return rule_set_name(self.transaction_type, self.variant, self.sign)

    @property
    def has_parts(self) -> bool:
        """Whether it needs the net amount and the commission."""
        return any(line.part != "amount" for line in self.lines)


def rule_set_name(transaction_type: str, variant: str, sign: str = "any") -> str:
    """A transaction type with its variant and sign, where they say something."""
    details = [word for word, silent in ((variant, STANDARD), (sign, "any")) if word != silent]
    return f"{transaction_type} ({', '.join(details)})" if details else transaction_type


@dataclass(frozen=True, eq=False)
class Chart:
    """The T-accounts and the posting rules, and the same as frames and lookup columns. Equal only to itself."""

    t_accounts: Mapping[str, TAccountPattern]
    rule_sets: tuple[RuleSet, ...]

    @cached_property
    def t_account_frame(self) -> pl.DataFrame:
        """One row per T-account pattern: class, normal side, whether per charge pattern, owner types."""
        schema: dict[str, Any] = {
            "t_account_pattern": enums.enum(enums.T_ACCOUNT_PATTERNS),
            "account_type": enums.enum(enums.ACCOUNT_CLASSES),
            "normal_side": enums.enum(enums.SIDES),
            "is_per_charge_pattern": pl.Boolean,
            "owner_types": pl.List(enums.enum(enums.OWNER_TYPES)),
        }
        rows = [
            (t.name, t.account_type, t.normal_side, t.is_per_charge_pattern, list(t.owner_types))
            for t in self.t_accounts.values()
        ]
        return pl.DataFrame(rows, schema=schema, orient="row")

    @cached_property
    def posting_rules(self) -> pl.DataFrame:
        """One row per line of every rule set, in order; `factor` turns a signed amount into debit (+) or credit (-).

        `rule_set` is the position of the rule set. The `_column`s name columns of a transaction; `type_column` is null
        where `fixed_owner_type` says the type of the owner, `fund_column` where no designated fund can be meant.
        """
        rows = [
            (
                position,
                rule_set.transaction_type,
                rule_set.variant,
                rule_set.sign,
                line_no,
                line.side,
                line.t_account_pattern,
                self.t_accounts[line.t_account_pattern].account_type,
                self.t_accounts[line.t_account_pattern].is_per_charge_pattern,
                line.owner_role,
                None if ROLES[line.owner_role].type_column else ROLES[line.owner_role].owner_types[0],
                ROLES[line.owner_role].type_column,
                ROLES[line.owner_role].key_column,
                ROLES[line.owner_role].fund_column if line.t_account_pattern in _FUND_PATTERNS else None,
                AMOUNT_COLUMNS[line.part],
                (1 if line.side == "D" else -1) * (-1 if rule_set.sign == "negative" else 1),
            )
            for position, rule_set in enumerate(self.rule_sets)
            for line_no, line in enumerate(rule_set.lines, start=1)
        ]
        schema: dict[str, Any] = {
            "rule_set": pl.UInt32,
            "transaction_type": enums.enum(enums.TRANSACTION_TYPES),
            "variant": pl.String,
            "sign": enums.enum(SIGNS),
            "line_no": pl.Int8,
            "side": enums.enum(enums.SIDES),
            "t_account_pattern": enums.enum(enums.T_ACCOUNT_PATTERNS),
            "account_type": enums.enum(enums.ACCOUNT_CLASSES),
            "is_per_charge_pattern": pl.Boolean,
            "owner_role": enums.enum(tuple(ROLES)),
            "fixed_owner_type": enums.enum(enums.OWNER_TYPES),
            "type_column": _ROLE_COLUMNS,
            "key_column": _ROLE_COLUMNS,
            "fund_column": _ROLE_COLUMNS,
            "amount_column": enums.enum(tuple(AMOUNT_COLUMNS.values())),
            "factor": pl.Int64,
        }
        return pl.DataFrame(rows, schema=schema, orient="row")

    @cached_property
    def line_rules(self) -> pl.DataFrame:
        """What posting needs of `posting_rules`, row for row."""
        return self.posting_rules.drop("rule_set", "transaction_type", "variant", "sign", "side")

    def columns_in_use(self, rule_sets: Iterable[int]) -> dict[str, list[str]]:
        """Which columns of a transaction these rule sets name: by type_, key_, fund_ and amount_column."""
        lines = [line for position in rule_sets for line in self.rule_sets[position].lines]
        roles = [ROLES[name] for name in {line.owner_role for line in lines}]
        funded = [ROLES[line.owner_role] for line in lines if line.t_account_pattern in _FUND_PATTERNS]
        named: dict[str, list[str | None]] = {
            "type_column": [role.type_column for role in roles],
            "key_column": [role.key_column for role in roles],
            "fund_column": [role.fund_column for role in funded],
            "amount_column": [AMOUNT_COLUMNS[line.part] for line in lines],
        }
        return {selector: sorted({name for name in names if name is not None}) for selector, names in named.items()}

    @cached_property
    def variants(self) -> pl.Enum:
        """All variant words, as a type."""
        return enums.enum(tuple(sorted({rule_set.variant for rule_set in self.rule_sets})))

    @cached_property
    def rule_set_by_code(self) -> pl.Series:
        """Position of the rule set, null when there is none, by (type x variants + variant) x 2 + is negative."""
        width = len(self.variants.categories) * 2
        positions: list[int | None] = [None] * (len(enums.TRANSACTION_TYPES) * width)
        variants = list(self.variants.categories)
        for position, rule_set in enumerate(self.rule_sets):
            start = enums.TRANSACTION_TYPES.index(rule_set.transaction_type) * width
            start += variants.index(rule_set.variant) * 2
            for is_negative in (0, 1):
                if rule_set.sign in ("any", SIGNS[1 + is_negative]):
                    positions[start + is_negative] = position
        return pl.Series("rule_set", positions, dtype=pl.UInt32)

    @cached_property
    def rule_set_frame(self) -> pl.DataFrame:
        """By position of the rule set: how many lines it has, its first row in `posting_rules`, whether by parts."""
        counts = [len(rule_set.lines) for rule_set in self.rule_sets]
        return pl.DataFrame(
            {
                "line_count": pl.Series(counts, dtype=pl.UInt32),
                "first_line": pl.Series([sum(counts[:position]) for position in range(len(counts))], dtype=pl.UInt32),
                "has_parts": [rule_set.has_parts for rule_set in self.rule_sets],
            }
        )

    @cached_property
    def may_own(self) -> pl.Series:
        """Whether an owner type may own a T-account pattern, by pattern x number of owner types + owner type."""
        return pl.Series(
            "may_own",
            [
                owner_type in self.t_accounts[pattern].owner_types
                for pattern in enums.T_ACCOUNT_PATTERNS
                for owner_type in enums.OWNER_TYPES
            ],
        )


@cache
def load_chart() -> Chart:
    """The chart of the product. Raises ChartError when `chart.toml` breaks a rule (see `parse_chart`)."""
    return parse_chart(resources.files("ledger").joinpath("chart.toml").read_text(encoding="utf-8"))


def parse_chart(text: str) -> Chart:
    """Read a chart and prove it: closed (R-LED-07), complete, owners allowed, every rule set balanced (R-TXN-31).

    Raises ChartError naming the T-account or the rule set at fault.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"chart: {error}"
        raise ChartError(msg) from error
    t_accounts = {name: _t_account(name, entry) for name, entry in document.get("t_accounts", {}).items()}
    _require_all("T-account", enums.T_ACCOUNT_PATTERNS, t_accounts)
    rule_sets = tuple(_rule_set(entry) for entry in document.get("rule_sets", []))
    _require_all("transaction type", enums.TRANSACTION_TYPES, {rule.transaction_type for rule in rule_sets})
    _check_signs(rule_sets)
    for rule_set in rule_sets:
        _check_owners(rule_set, t_accounts)
        _check_balance(rule_set)
    return Chart(t_accounts, rule_sets)


def _t_account(name: str, entry: Mapping[str, Any]) -> TAccountPattern:
    if set(entry) != {"class", "owners"}:
        msg = f"T-account {name}: needs class and owners, nothing else"
        raise ChartError(msg)
    owners = [CHARGE_OWNER_TYPES if owner == "ChargeOwner" else (owner,) for owner in entry["owners"]]
    t_account = TAccountPattern(name, entry["class"], tuple(owner for group in owners for owner in group))
    unknown = sorted({*t_account.owner_types} - {*enums.OWNER_TYPES})
    if entry["class"] not in enums.ACCOUNT_CLASSES or unknown:
        msg = f"T-account {name}: unknown class or owner: {', '.join([entry['class'], *unknown])}"
        raise ChartError(msg)
    return t_account


def _rule_set(entry: Mapping[str, Any]) -> RuleSet:
    unknown = sorted({*entry} - {"type", "variant", "sign", "when", "lines"})
    name = rule_set_name(entry.get("type", "?"), entry.get("variant", STANDARD), entry.get("sign", "any"))
    if unknown or not {"type", "when", "lines"} <= {*entry}:
        msg = f"{name}: needs type, when and lines, may have variant and sign; not {', '.join(unknown) or 'complete'}"
        raise ChartError(msg)
    if entry.get("sign", "any") not in SIGNS:
        msg = f"{name}: sign must be one of {', '.join(SIGNS)}"
        raise ChartError(msg)
    return RuleSet(
        entry["type"],
        entry.get("variant", STANDARD),
        entry.get("sign", "any"),
        entry["when"],
        tuple(_rule_line(name, text) for text in entry["lines"]),
    )


def _rule_line(name: str, text: str) -> RuleLine:
    match = _LINE.fullmatch(text)
    if match is None:
        msg = f"{name}: cannot read the line {text!r}; it should read like 'Dr Cash [Account]'"
        raise ChartError(msg)
    side, pattern, role, part = match.groups()
    if pattern not in enums.T_ACCOUNT_PATTERNS or role not in ROLES:
        msg = f"{name}: unknown T-account or owner role in {text!r}"
        raise ChartError(msg)
    return RuleLine(side[0], pattern, role, part or "amount")


def _require_all(what: str, expected: Iterable[str], found: Iterable[str]) -> None:
    """Raise ChartError unless exactly the expected names are there."""
    missing, unknown = sorted({*expected} - {*found}), sorted({*found} - {*expected})
    if missing or unknown:
        names = f"missing {', '.join(missing) or 'none'}; unknown {', '.join(unknown) or 'none'}"
        msg = f"the chart is closed (R-LED-07): {what} {names}"
        raise ChartError(msg)


def _check_signs(rule_sets: tuple[RuleSet, ...]) -> None:
    """Raise ChartError when two rule sets claim the same amounts of a variant."""
    signs = ("positive", "negative")
    claims = Counter(
        (rule_set.transaction_type, rule_set.variant, sign)
        for rule_set in rule_sets
        for sign in (signs if rule_set.sign == "any" else (rule_set.sign,))
    )
    twice = [rule_set_name(*claim) for claim, count in claims.items() if count > 1]
    if twice:
        msg = f"{twice[0]}: has more than one rule set"
        raise ChartError(msg)


def _check_owners(rule_set: RuleSet, t_accounts: Mapping[str, TAccountPattern]) -> None:
    """Raise ChartError when a line posts to a T-account that its owner role can never own."""
    for line in rule_set.lines:
        if not {*ROLES[line.owner_role].owner_types} & {*t_accounts[line.t_account_pattern].owner_types}:
            msg = f"{rule_set.name}: {line.owner_role} may not own {line.t_account_pattern}"
            raise ChartError(msg)


def _check_balance(rule_set: RuleSet) -> None:
    """Raise ChartError unless there is a debit, a credit, and their sums are equal for every net and commission."""
    if {line.side for line in rule_set.lines} != {"D", "C"}:
        msg = f"{rule_set.name}: needs at least one debit and one credit line (R-LED-01)"
        raise ChartError(msg)
    for index, what in enumerate(("net amount", "commission")):
        debit = sum(PARTS[line.part][index] for line in rule_set.lines if line.side == "D")
        credit = sum(PARTS[line.part][index] for line in rule_set.lines if line.side == "C")
        if debit != credit:
            msg = f"{rule_set.name}: debits {debit} x {what} but credits {credit} x (R-LED-02)"
            raise ChartError(msg)
