"""What a process of commands is, for the families of commands and for what is put around them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from ledger.book import Book
from ledger.carrier import Carrier
from ledger.effects import Effects

Process = Callable[[Book, pl.DataFrame, date, Carrier], Effects]
"""Carries out commands of one type: rows of COMMANDS with KEYS, currency, decimals and one typed column per parameter.

It returns in `refused` what `refused_commands` makes of those that it does not carry out.
"""
