"""Which code closed a day: kept with the day, so that a day closed by other code can be told from this one."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import ledger
import schemas

_KINDS = (".py", ".toml")


@cache
def code_version() -> str:
    """The release, and a digest of everything that decides what a day comes out as: `ledger/` and `schemas/`."""
    digest = hashlib.sha256()
    for package in (ledger, schemas):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*")):
            if path.suffix in _KINDS:
                digest.update(f"{package.__name__}/{path.relative_to(root).as_posix()}".encode())
                digest.update(path.read_bytes())
    return f"{_release()}+{digest.hexdigest()[:12]}"


def _release() -> str:
    try:
        return version("paidthrough")
    except PackageNotFoundError:
        return "0"
