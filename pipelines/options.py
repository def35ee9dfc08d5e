"""Arguments that several commands of the command line share."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

DEFAULT_HOME = Path("home")


def parse_day(text: str | date) -> date:
    """A date as YYYY-MM-DD; any other spelling is refused, never guessed at."""
    if isinstance(text, date):
        return text
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        msg = f"{text!r} is no date of the form YYYY-MM-DD"
        raise typer.BadParameter(msg)
    return day


HomePath = Annotated[Path, typer.Option("--home", envvar="PAIDTHROUGH_HOME", help="The home directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Shape = Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to write the rows.")]
First = Annotated[date, typer.Argument(parser=parse_day, metavar="FIRST", help="First business date, YYYY-MM-DD.")]
Last = Annotated[date, typer.Argument(parser=parse_day, metavar="LAST", help="Last business date, YYYY-MM-DD.")]
AsOf = Annotated[
    date | None,
    typer.Option("--as-of", parser=parse_day, metavar="DAY", help="As at close of this day; default the last closed."),
]
KnownAt = Annotated[
    date | None,
    typer.Option("--known-at", parser=parse_day, metavar="DAY", help="Only what was recorded by this business date."),
]
