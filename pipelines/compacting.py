"""The command that keeps a warehouse of many days quick to read, and its disk from filling up."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from pipelines.options import DEFAULT_HOME, AsJson, HomePath


def compact(
    remove_after: Annotated[
        int | None,
        typer.Option(
            "--remove-after", min=1, metavar="DAYS", help="Also remove files that nothing has needed for so many days."
        ),
    ] = None,
    home: HomePath = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Combine the files of closed months.

    Reports stay the same, to the row. Files are removed only with --remove-after: those of results that a later close
    has replaced for more than DAYS days, and what crashed runs left.
    """
    from assets.carrier_file import read_carrier
    from assets.publishing import publish_catalogue
    from pipelines import render
    from pipelines.homes import open_home
    from warehouse import compaction
    from warehouse.storage import Store

    opened = open_home(home)
    carrier = read_carrier(opened).carrier
    store = Store(opened)
    with store.writer() as writer:
        months = compaction.compact(store, writer)
        publish_catalogue(opened, store, carrier)
    removed = [] if remove_after is None else compaction.remove_superseded(store, remove_after)
    names = [path.relative_to(opened.root).as_posix() for path in removed]
    if as_json:
        render.write_json({"combined": [asdict(month) for month in months], "removed": names})
        return
    for month in months:
        print(f"{month.first:%Y-%m}: {month.files_before} files are read as {month.files_after}")
    if not months:
        print("every closed month is combined")
    for name in names:
        print(f"removed {name}")
