"""Currencies and how many decimals their minor unit has (ISO 4217, those in use by our carriers so far)."""

from __future__ import annotations

MINOR_UNIT_DECIMALS: dict[str, int] = {
    "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CLP": 0, "CNY": 2, "CZK": 2, "DKK": 2, "ETB": 2, "EUR": 2, "GBP": 2,
    "HKD": 2, "HUF": 2, "INR": 2, "ISK": 0, "JPY": 0, "KRW": 0, "KWD": 3, "MXN": 2, "NOK": 2, "NZD": 2, "PLN": 2,
    "SEK": 2, "SGD": 2, "TND": 3, "USD": 2, "ZAR": 2,
}  # fmt: skip
"""Decimals of the minor unit by currency code."""

AMOUNT_LIMIT = 10**10
"""Largest absolute amount of one row, in minor units: products and sums of a book stay inside 64 bits."""
