"""BAI2: balance reporting and lockbox files of banks in North America.

    01 file header          02 group header         03 account, with summaries     16 entry      88 goes on
    99 file trailer         98 group trailer        49 account trailer

Every trailer has a control total, the sum of all amounts of its records, and says how many records there are, itself
and the header included. All of them are checked, and the order of the records, before anything is made of the file.
Amounts are whole minor units of the currency of the account, else of its group, else US dollars.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ledger.bank_files import BankFiles
from pipelines.bankfiles.entries import ENTRIES, OTHER, PAYMENT, RETURN, BankFile, Source

FORMAT = "BAI2"
LOCKBOX_TOTAL, LOCKBOX_ITEM = 115, 116
_MAY_FOLLOW = {
    "01": ("",),
    "02": ("01", "98"),
    "03": ("02", "49"),
    "16": ("03", "16"),
    "49": ("03", "16"),
    "98": ("02", "49"),
    "99": ("01", "98"),
}
_FIRST_DEBIT, _LAST_DEBIT = 400, 699
_METHODS = {
    **dict.fromkeys((LOCKBOX_TOTAL, LOCKBOX_ITEM, 171, 173, 174, 175), "check"),
    **dict.fromkeys((121, 135, 142, 165, 166, 169), "ach"),
    **dict.fromkeys((191, 195, 206, 208), "wire"),
}
_FUNDS_FIELDS = {"S": 3, "V": 2}
"""Fields that say when the money is available, by funds type; of type D there are one and two more for each part."""


def read_bai2(source: Source, rules: BankFiles) -> BankFile:
    """The entries of a BAI2 file, all its controls checked.

    Payments are credits of the types that the carrier names; a debit of its return types, and a payment with a minus,
    takes a payment back. Raises LandingError: the file, the line, the rule, what was expected and what was found.
    """
    lines = _lines(source)
    _check_order(source, lines)
    records = _records(lines)
    accounts = _accounts(source, records)
    entries = _entries(source, records, accounts)
    _check_totals(source, records, accounts, entries)
    header = records["fields"][0].split(",")
    created_on = source.short_date(_field(header, 2), "line 1", "file creation date")
    sorted_out = _sort_out(source, entries, rules)
    return BankFile(FORMAT, "/".join((FORMAT, *header[:5])), created_on, sorted_out)


def _lines(source: Source) -> pl.DataFrame:
    """Lines of the file: line, code, fields (the text after the code, without the slash that ends it), is_ended."""
    texts = pl.Series("text", source.lines(), dtype=pl.String)
    lines = texts.to_frame().with_row_index("line", offset=1)
    text = pl.col("text").str.slice(3).str.strip_chars_end(" ")
    is_record = pl.col("text").str.contains(r"^[0-9]{2},")
    odd = lines.filter(~is_record)
    if not odd.is_empty():
        source.malformed(f"line {odd['line'][0]}", "does not begin with a record code of two digits and a comma")
    return lines.select(
        pl.col("line").cast(pl.Int64),
        code=pl.col("text").str.slice(0, 2),
        fields=text.str.strip_suffix("/"),
        is_ended=text.str.ends_with("/"),
    )


def _check_order(source: Source, lines: pl.DataFrame) -> None:
    """Records nest as they must, from file header to file trailer; in a file that is cut off or doubled they do not."""
    records = lines.filter(pl.col("code") != "88")
    order = records.with_columns(before=pl.col("code").shift(1, fill_value=""))
    allowed = [f"{before}>{code}" for code, befores in _MAY_FOLLOW.items() for before in befores]
    wrong = order.filter(~pl.concat_str("before", "code", separator=">").is_in(allowed))
    if not wrong.is_empty():
        line, code, before = wrong.select("line", "code", "before").row(0)
        after = f"after record {before}" if before else "at the beginning"
        hint = "; the file holds more than one, or is doubled" if before == "99" else ""
        source.malformed(f"line {line}", f"is record {code} {after}, where it does not belong{hint}")
    if lines["code"][0] == "88" or records["code"][-1] != "99" or lines["code"][-1] != "99":
        last = lines.height
        source.malformed(f"line {last}", f"is the last, a record {lines['code'][-1]}: the file trailer 99 is missing")
    if not lines["is_ended"][-1]:
        source.malformed(f"line {lines.height}", "is the file trailer, without the slash that ends it: it is cut off")


def _records(lines: pl.DataFrame) -> pl.DataFrame:
    """Records with what goes on in 88 joined to them, `size` lines each, and the number of their group and account."""
    starts = (pl.col("code") != "88").cum_sum().alias("record")
    joined = lines.group_by(starts, maintain_order=True).agg(
        pl.col("line").first(), pl.col("code").first(), pl.col("fields").str.join(","), size=pl.len().cast(pl.Int64)
    )
    return joined.with_columns(
        group=(pl.col("code") == "02").cum_sum().cast(pl.Int64),
        account=(pl.col("code") == "03").cum_sum().cast(pl.Int64),
    )


def _accounts(source: Source, records: pl.DataFrame) -> pl.DataFrame:
    """One row per account: its number, day, currency and the sum of its summary amounts. There are few."""
    groups = {}
    for line, fields, group in records.filter(pl.col("code") == "02").select("line", "fields", "group").rows():
        values = fields.split(",")
        day = source.short_date(_field(values, 3), f"line {line}", "as-of date")
        groups[group] = (day, _field(values, 5).strip() or "USD")
    rows = []
    for line, fields, group, account in (
        records.filter(pl.col("code") == "03").select("line", "fields", "group", "account").rows()
    ):
        values = fields.split(",")
        day, currency = groups[group]
        number = values[0].strip()
        if not number:
            source.malformed(f"line {line}", "has no account number")
        code = source.currency(_field(values, 1).strip() or currency, f"line {line}")
        rows.append((account, number, day, code, _summary_total(source, values[2:], line)))
    schema = {"account": pl.Int64, "bank_account": pl.String, "booked_on": pl.Date, "currency": pl.String}
    return pl.DataFrame(rows, schema=schema | {"summaries": pl.Int64}, orient="row")


def _summary_total(source: Source, values: list[str], line: int) -> int:
    """The sum of the amounts of an account record: type, amount, number of items and funds type, again and again."""
    total, place = 0, 0
    while place < len(values):
        amount, funds = _field(values, place + 1), _field(values, place + 3).strip()
        total += source.whole(amount, f"line {line}", f"amount {place // 4 + 1}") if amount.strip() else 0
        place += 4 + _FUNDS_FIELDS.get(funds, 0)
        if funds == "D":
            place += 1 + 2 * source.whole(_field(values, place), f"line {line}", "number of distributions")
    return total


def _entries(source: Source, records: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Records 16 and their account: line, type_code, amount, bank_reference, customer_reference, remittance."""
    split = records.filter(pl.col("code") == "16").with_columns(pl.col("fields").str.split(","))
    value = pl.col("fields").list
    rows = split.with_columns(
        type_code=value.get(0, null_on_oob=True).str.strip_chars().cast(pl.Int64, strict=False),
        amount_text=value.get(1, null_on_oob=True).str.strip_chars().fill_null(""),
        funds=value.get(2, null_on_oob=True).str.strip_chars().fill_null(""),
        parts=value.get(3, null_on_oob=True).str.strip_chars().cast(pl.Int64, strict=False),
    )
    is_amount = pl.col("amount_text").str.contains(r"^[+-]?[0-9]{1,12}$")
    amount = pl.when(is_amount).then(pl.col("amount_text")).cast(pl.Int64, strict=False)
    rows = rows.with_columns(amount=pl.when(pl.col("amount_text") == "").then(0).otherwise(amount))
    is_wrong = (
        pl.col("type_code").is_null()
        | pl.col("amount").is_null()
        | ~pl.col("funds").is_in(["", "Z", "0", "1", "2", "S", "V", "D"])
        | ((pl.col("funds") == "D") & ~pl.col("parts").is_between(0, 99)).fill_null(value=True)
    )
    wrong = rows.filter(is_wrong)
    if not wrong.is_empty():
        source.malformed(f"line {wrong['line'][0]}", "has a type code, an amount or a funds type that cannot be read")
    skipped = pl.col("funds").replace_strict(_FUNDS_FIELDS, default=0, return_dtype=pl.Int64)
    skipped = pl.when(pl.col("funds") == "D").then(1 + 2 * pl.col("parts")).otherwise(skipped)
    rest = pl.col("fields").list.slice(3 + skipped).list
    return rows.select(
        "line",
        "account",
        "type_code",
        "amount",
        bank_reference=_filled(rest.get(0, null_on_oob=True)),
        customer_reference=_filled(rest.get(1, null_on_oob=True)),
        remittance=_filled(rest.slice(2).list.join(",")),
    ).join(accounts, on="account", how="left", maintain_order="left")


def _check_totals(source: Source, records: pl.DataFrame, accounts: pl.DataFrame, entries: pl.DataFrame) -> None:
    """Every trailer against what it closes (49, 98 and 99): amounts and numbers of accounts, groups and records."""
    of_entries = dict(entries.group_by("account").agg(pl.col("amount").sum()).rows())
    of_account = {
        account: summaries + of_entries.get(account, 0)
        for account, summaries in accounts.select("account", "summaries").rows()
    }
    closed = records.filter(pl.col("code").is_in(["02", "03", "49", "98", "99"]))
    # Where each record begins among the lines; a trailer counts from the header that it closes to its own end.
    group_total, file_total, accounts_in_group, opened = 0, 0, 0, {"01": 1, "02": 1, "03": 1}
    for line, code, fields, size, group, account in closed.select(
        "line", "code", "fields", "size", "group", "account"
    ).rows():
        values, where, end = fields.split(","), f"line {line}, record {code}", line + size - 1
        if code in opened:
            opened[code] = line
        elif code == "49":
            found: Mapping[str, int] = {
                "control total": of_account[account],
                "number of records": end - opened["03"] + 1,
            }
            group_total, accounts_in_group = group_total + of_account[account], accounts_in_group + 1
            _check_trailer(source, where, values, found)
        elif code == "98":
            found = {
                "control total": group_total,
                "number of accounts": accounts_in_group,
                "number of records": end - opened["02"] + 1,
            }
            file_total, group_total, accounts_in_group = file_total + group_total, 0, 0
            _check_trailer(source, where, values, found)
        else:
            found = {"control total": file_total, "number of groups": group, "number of records": end}
            _check_trailer(source, where, values, found)


def _check_trailer(source: Source, where: str, values: list[str], found: Mapping[str, int]) -> None:
    for place, (rule, value) in enumerate(found.items()):
        source.check(where, rule, source.whole(_field(values, place), where, rule), value)


def _sort_out(source: Source, entries: pl.DataFrame, rules: BankFiles) -> pl.DataFrame:
    """Entries as ENTRIES: which are payments, returns, or neither."""
    itemised = _check_lockboxes(source, entries) if LOCKBOX_ITEM in rules.bai2_payment_types else []
    kind = pl.col("type_code")
    is_total = (kind == LOCKBOX_TOTAL) & pl.col("account").is_in(itemised)
    is_payment = kind.is_in(rules.bai2_payment_types) & ~is_total
    is_return = (kind.is_in(rules.bai2_return_types) & (pl.col("amount") > 0)) | (is_payment & (pl.col("amount") < 0))
    is_debit = kind.is_between(_FIRST_DEBIT, _LAST_DEBIT)
    side = pl.when(is_debit).then(pl.lit("debit")).otherwise(pl.lit("credit"))
    what = pl.when(is_total).then(pl.lit("lockbox total, type 115")).otherwise(pl.format("{}, type {}", side, kind))
    chosen = (
        pl.when(is_return & pl.col("customer_reference").is_not_null())
        .then(pl.lit(RETURN))
        .when(is_payment & (pl.col("amount") > 0))
        .then(pl.lit(PAYMENT))
        .otherwise(pl.lit(OTHER))
    )
    reference = pl.coalesce("customer_reference", "bank_reference")
    tells_apart = pl.col("bank_reference").is_not_null() & pl.col("customer_reference").is_not_null()
    signed = pl.when(is_debit).then(-pl.col("amount")).otherwise("amount")
    return entries.select(
        "bank_account",
        "booked_on",
        "currency",
        record=pl.format("line {}", "line"),
        kind=chosen,
        what=pl.when(is_return & (chosen == OTHER)).then(pl.format("{} without reference", what)).otherwise(what),
        amount=pl.when(chosen == RETURN).then(pl.col("amount").abs()).otherwise(signed),
        reference=reference,
        bank_reference=pl.when(tells_apart).then("bank_reference"),
        text=pl.concat_str("bank_reference", "customer_reference", "remittance", separator=" ", ignore_nulls=True),
        reason_code=pl.lit(None, pl.String),
        method=kind.replace_strict(_METHODS, default=None, return_dtype=pl.String),
    ).select(ENTRIES.names())


def _check_lockboxes(source: Source, entries: pl.DataFrame) -> list[int]:
    """Accounts whose lockbox deposits (115) are there item by item (116): both come to the same, the items count."""
    by_account = entries.group_by("account", maintain_order=True).agg(
        has_items=(pl.col("type_code") == LOCKBOX_ITEM).any(),
        has_totals=(pl.col("type_code") == LOCKBOX_TOTAL).any(),
        totals=pl.col("amount").filter(pl.col("type_code") == LOCKBOX_TOTAL).sum(),
        items=pl.col("amount").filter(pl.col("type_code") == LOCKBOX_ITEM).sum(),
        line=pl.col("line").filter(pl.col("type_code") == LOCKBOX_TOTAL).first(),
    )
    both = by_account.filter("has_items", "has_totals")
    for line, totals, items in both.select("line", "totals", "items").rows():
        source.check(f"line {line}", "lockbox deposits (115) are the sum of their items (116)", totals, items)
    return both["account"].to_list()


def _filled(text: pl.Expr) -> pl.Expr:
    """A text without blanks around it, null when nothing is left."""
    stripped = text.str.strip_chars()
    return pl.when(stripped.str.len_bytes() > 0).then(stripped)


def _field(values: list[str], place: int) -> str:
    return values[place] if place < len(values) else ""
