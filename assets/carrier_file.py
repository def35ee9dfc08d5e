"""The carrier file of a home: what makes a directory a home, and the plans that its days are closed with."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from ledger.carrier import Carrier
from warehouse.storage import Home


class NoHomeError(Exception):
    """A directory is no home: one sentence."""


class CarrierFile(NamedTuple):
    """The plans, and the digest of the file that they were read from."""

    carrier: Carrier
    digest: str


def read_carrier(home: Home) -> CarrierFile:
    """Read and check the carrier file of a home.

    Raises NoHomeError when there is none, CarrierError when it is wrong.
    """
    require_home(home)
    text = home.carrier_file.read_text(encoding="utf-8")
    return CarrierFile(
        Carrier.from_toml(text, str(home.carrier_file)),
        hashlib.sha256(text.encode()).hexdigest(),
    )


def require_home(home: Home) -> None:
    """Raises NoHomeError when a directory has no carrier file."""
    if not home.carrier_file.is_file():
        msg = f"{home.root} is no home, it has no carrier.toml; make one with `paidthrough init {home.root}`"
        raise NoHomeError(msg)
