"""The command that brings in a file of a known kind."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import DEFAULT_HOME, AsJson, HomePath


def import_(
    name: Annotated[str, typer.Argument(metavar="KIND", help="What the file is: motor-terms.")],
    file: Annotated[Path, typer.Argument(help="The file.")],
    home: HomePath = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Convert a file of a known kind and land its rows, day by day."""
    from dataclasses import asdict

    from pipelines import render
    from pipelines.homes import open_home
    from pipelines.importers import import_file

    imported = import_file(name, file, open_home(home))
    if as_json:
        render.write_json(asdict(imported))
        return
    render.write_facts({kind: f"{count:>9,}" for kind, count in imported.counts.items()})
    rows = ", ".join(f"{count:,} {table}" for table, count in imported.rows.items())
    print(f"\nlanded {imported.files} files, {imported.new_files} of them new: {rows}")
    print(f"next: paidthrough backfill {imported.first_day} {imported.last_day}")
