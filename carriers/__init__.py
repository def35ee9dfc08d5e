"""Carriers as data: TOML files that `ledger.carrier.Carrier.from_toml` reads."""

from __future__ import annotations

from importlib.resources import files


def standard() -> str:
    """Text of the standard carrier, `standard.toml`."""
    return files(__name__).joinpath("standard.toml").read_text(encoding="utf-8")
