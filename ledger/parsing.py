"""From landed text to values, and what free text must not hold.

Every function returns an expression over text. What cannot be read becomes null, never an exception: the checks of the
intake say which row it was and why. Amounts are read by `ledger.money.minor_units`.
"""

from __future__ import annotations

import polars as pl

from ledger.plans import MAX_INSTALLMENTS
from schemas.currencies import MINOR_UNIT_DECIMALS

_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_NUMBER = r"^[+-]?[0-9]+(?:\.[0-9]+)?$"
_ENDLESS_NUMBER = r"^[+-]?[0-9]{15,}(?:\.[0-9]+)?$"
_WHOLE_NUMBER = r"^[+-]?[0-9]{1,18}$"
_UNREADABLE = r"[\p{Cc}\x{FFFD}]"
_MODIFIER = r'\s*"[^"\\]*"\s*:\s*(?:"[^"\\]*"|-?[0-9]+(?:\.[0-9]+)?|true|false|null)\s*'
_FLAT_OBJECT = rf"^\{{(?:{_MODIFIER}(?:,{_MODIFIER})*|\s*)\}}$"
_MODIFIER_KEYS = ["down_payment_percent", "max_installments"]
_PERCENT = r"^(?:100(?:\.0{1,4})?|[0-9]{1,2}(?:\.[0-9]{1,4})?)$"
_COUNT = r"^[1-9][0-9]?$"
_CARD_RUN = r"[0-9](?:[ -]?[0-9]){12,}"
_CARD_ISSUER = r"^(?:3[47][0-9]{13}|3(?:0[0-59]|[5689][0-9])[0-9]{11,16}|[4-6][0-9]{12,18}|2[2-7][0-9]{14})$"
_CARD_DIGITS = 19
_IBAN = r"\b[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,30}"
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
_IBAN_DIGITS = 72
_IBAN_BLOCK = 9
_LETTERS = [chr(code) for code in range(ord("A"), ord("Z") + 1)]


def stripped(column: str) -> pl.Expr:
    """The text of a column without blanks around it; null when nothing is left."""
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text).alias(column)


def as_date(text: pl.Expr) -> pl.Expr:
    """A date written YYYY-MM-DD."""
    return pl.when(text.str.contains(_DATE)).then(text).str.to_date("%Y-%m-%d", strict=False)


def as_whole(text: pl.Expr) -> pl.Expr:
    """A whole number of at most 18 digits."""
    return pl.when(text.str.contains(_WHOLE_NUMBER)).then(text).cast(pl.Int64, strict=False)


def is_number(text: pl.Expr) -> pl.Expr:
    """Whether the text is a decimal number: digits, perhaps a sign and a point with digits on both sides."""
    return text.str.contains(_NUMBER)


def is_endless_number(text: pl.Expr) -> pl.Expr:
    """Whether a number has more digits before its point than any amount may have."""
    return text.str.contains(_ENDLESS_NUMBER)


def decimals_of(currency: pl.Expr) -> pl.Expr:
    """Decimals of the minor unit of a currency; null when the currency is not known."""
    return currency.replace_strict(
        list(MINOR_UNIT_DECIMALS), list(MINOR_UNIT_DECIMALS.values()), default=None, return_dtype=pl.Int64
    )


def has_unreadable_character(text: pl.Expr) -> pl.Expr:
    """Whether the text holds a control character or the mark that stands for bytes which were no text."""
    return text.str.contains(_UNREADABLE)


def is_flat_object(text: pl.Expr) -> pl.Expr:
    """Whether the text is a JSON object whose values are texts without escapes, numbers, true, false or null."""
    return text.str.contains(_FLAT_OBJECT)


def modifiers_problem(text: pl.Expr) -> pl.Expr:
    """What is wrong with payment plan modifiers (R-PO-8): "json", "key" or "value"; null when nothing is.

    Right is a flat JSON object of known keys, each at most once, with values that a payment plan may have.
    """
    keys = text.str.extract_all(r'"[^"\\]*"\s*:').list.eval(pl.element().str.extract(r'"([^"\\]*)"', 1))
    is_known = keys.list.eval(pl.element().is_in(_MODIFIER_KEYS)).list.all()
    is_repeated = keys.list.n_unique() < keys.list.len()
    percent, installments = (text.str.extract(rf'"{key}"\s*:\s*"?([^",}}\s]*)"?', 1) for key in _MODIFIER_KEYS)
    is_right_percent = percent.str.contains(_PERCENT)
    is_right_count = installments.str.contains(_COUNT) & (installments.cast(pl.Int64, strict=False) <= MAX_INSTALLMENTS)
    return (
        pl.when(~is_flat_object(text))
        .then(pl.lit("json"))
        .when(~is_known | is_repeated)
        .then(pl.lit("key"))
        .when(~is_right_percent | ~is_right_count)
        .then(pl.lit("value"))
    )


def may_hold_secret(text: pl.Expr) -> pl.Expr:
    """Whether the text might hold a card or bank account number: cheap, and true too often."""
    return text.str.contains(rf"{_CARD_RUN}|{_IBAN}")


def holds_card_number(texts: pl.Series) -> pl.Series:
    """Whether each text holds a payment card number: 13 to 19 digits of a card issuer, with a right check digit.

    Digits may stand in groups with single blanks or hyphens between them. Issuers' numbers begin with 4 to 6; with 34
    or 37 when they have 15 digits; with 30, 35, 36, 38 or 39 when they have 14 or more; with 22 to 27 when they have
    16. Other digits that pass by chance, such as a date with a serial number or a trace number, do not count.
    """
    grouped = pl.col("text").str.extract_all(_CARD_RUN).list.eval(pl.element().str.replace_all("[ -]", ""))
    together = pl.col("text").str.extract_all(r"[0-9]{13,}")
    runs = _runs(texts, pl.concat_list(grouped, together)).filter(pl.col("run").str.contains(_CARD_ISSUER))
    if runs.is_empty():
        return _marked(texts, runs)
    number = pl.col("run").cast(pl.UInt64)
    check = pl.sum_horizontal(_luhn_digit(number, place) for place in range(_CARD_DIGITS))
    return _marked(texts, runs.filter(check % 10 == 0))


def _luhn_digit(number: pl.Expr, place: int) -> pl.Expr:
    """What the digit at a place (0 is the last) adds to the check sum: every second one doubled, its digits added."""
    digit = (number // pl.lit(10**place, pl.UInt64) % 10).cast(pl.Int64)
    return digit if place % 2 == 0 else digit * 2 // 10 + digit * 2 % 10


def holds_iban(texts: pl.Series) -> pl.Series:
    """Whether each text holds an international bank account number with right check digits (remainder 1 by 97).

    Letters may be small and blanks may stand between the characters; the length must be that of the country.
    """
    candidates = pl.col("text").str.extract_all(_IBAN)
    runs = _runs(texts, candidates.list.eval(pl.element().str.replace_all(" ", "").str.to_uppercase()))
    length = pl.col("run").str.slice(0, 2).replace_strict(_IBAN_LENGTHS, default=None, return_dtype=pl.UInt32)
    runs = runs.filter(pl.col("run").str.len_bytes() >= length).with_columns(pl.col("run").str.slice(0, length))
    if runs.is_empty():
        return _marked(texts, runs)
    moved = pl.col("run").str.slice(4) + pl.col("run").str.slice(0, 4)
    digits = moved.str.replace_many(_LETTERS, [str(10 + place) for place in range(26)]).str.zfill(_IBAN_DIGITS)
    runs = runs.with_columns(digits=digits)
    remainder = pl.lit(0, pl.Int64)
    for start in range(0, _IBAN_DIGITS, _IBAN_BLOCK):
        block = pl.col("digits").str.slice(start, _IBAN_BLOCK).cast(pl.Int64)
        remainder = (remainder * 10**_IBAN_BLOCK + block) % 97
    return _marked(texts, runs.filter(remainder == 1))


def _runs(texts: pl.Series, found: pl.Expr) -> pl.DataFrame:
    """One row per run of characters found in a text: the position of the text, and the run."""
    return (
        texts.alias("text")
        .to_frame()
        .with_row_index("row")
        .select("row", run=found)
        .explode("run")
        .filter(pl.col("run").is_not_null())
    )


def _marked(texts: pl.Series, hits: pl.DataFrame) -> pl.Series:
    return pl.Series(pl.int_range(len(texts), dtype=pl.UInt32, eager=True)).is_in(hits["row"].unique().implode())
