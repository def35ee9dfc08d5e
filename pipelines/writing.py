"""The commands that change a home: init, land, close, backfill, lock, unlock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import DEFAULT_HOME, AsJson, First, HomePath, Last, parse_day

DEMO_HOME = Path("demo")
DEMO_FIRST, DEMO_LAST = date(2025, 1, 1), date(2025, 12, 31)

if TYPE_CHECKING:
    from assets.closing import DayClosing
    from pipelines.bankfiles.receiving import Received
    from warehouse.storage import Home


def init(
    path: Annotated[Path | None, typer.Argument(help="The directory to make; default --home.")] = None,
    carrier: Annotated[Path | None, typer.Option(help="Carrier file; default the standard carrier.")] = None,
    home: HomePath = DEFAULT_HOME,
) -> None:
    """Make a home: its directories and the carrier file."""
    from pipelines.homes import create_home

    made = create_home(path or home, carrier)
    print(f"made the home {made.root}; its plans are in {made.carrier_file}")


def land(  # noqa: PLR0913, PLR0917 - each is an argument of the command line
    files: Annotated[
        list[str],
        typer.Argument(metavar="[TABLE] FILE...", help="A landing table and its files, or files named after a table."),
    ],
    day: Annotated[
        date | None,
        typer.Option(
            "--date", parser=parse_day, metavar="DAY", help="Business date; default what the column business_date says."
        ),
    ] = None,
    control_total: Annotated[
        str | None, typer.Option("--control-total", metavar="AMOUNT", help="What the amounts must come to.")
    ] = None,
    control_count: Annotated[
        int | None, typer.Option("--control-count", min=0, metavar="N", help="How many rows there must be.")
    ] = None,
    home: HomePath = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Take in Parquet, CSV or JSON lines files; for payments also files of banks (BAI2, NACHA returns, camt).

    What does not come to its control totals is refused as a whole, and nothing lands.
    """
    from pipelines import homes, render
    from pipelines.bankfiles.landing_rows import SOURCE_COLUMNS
    from pipelines.bankfiles.receiving import take_in
    from pipelines.control_totals import ControlTotals

    opened = homes.open_home(home)
    said = ControlTotals.read(control_total, control_count)
    landed, received = take_in(opened, homes.landing_arguments(files), day, said)
    late = homes.closed_days(opened, [one.business_date for one in landed])
    if as_json:
        rows = [one._asdict() | {"path": one.path.relative_to(opened.landing).as_posix()} for one in landed]
        banks = {"bank_files": [asdict(one) for one in received]} if received else {}
        render.write_json({"landed": rows, "closed_already": late} | banks)
        return
    _tell_received(received)
    for one in landed:
        what = f"{one.rows} rows" if one.is_new else "there already"
        print(f"{one.business_date} {one.path.relative_to(opened.landing).as_posix()}: {what}")
    unknown = list(dict.fromkeys(column for one in landed for column in one.unknown_columns))
    unknown = [column for column in unknown if column not in SOURCE_COLUMNS]
    if unknown:
        print(f"kept aside, for no rule reads them: {', '.join(unknown)}")
    if late:
        print(f"{late[0]} is closed already; see `paidthrough status` for what to close again")


def close(
    day: Annotated[
        date | None,
        typer.Argument(parser=parse_day, metavar="DAY", help="The last day to close; default the last that landed."),
    ] = None,
    start: Annotated[
        date | None,
        typer.Option("--from", parser=parse_day, metavar="DAY", help="First day, where nothing is closed yet."),
    ] = None,
    home: HomePath = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Close every open day up to DAY.

    A DAY that is closed already is closed again only when something that it was made from has changed.
    """
    from assets.closing import close_through
    from pipelines.homes import open_home
    from pipelines.render import progress_bar

    opened = open_home(home)
    with progress_bar("closing") as progress:
        closings = close_through(opened, day, start=start, progress=progress)
    _tell_closings(opened, closings, as_json=as_json)


def backfill(  # noqa: PLR0913, PLR0917 - each is an argument of the command line
    first: Annotated[
        date | None, typer.Argument(parser=parse_day, metavar="FIRST", help="First business date, or --from.")
    ] = None,
    last: Annotated[
        date | None, typer.Argument(parser=parse_day, metavar="LAST", help="Last business date, or --to.")
    ] = None,
    start: Annotated[date | None, typer.Option("--from", parser=parse_day, metavar="DAY", help="FIRST.")] = None,
    end: Annotated[date | None, typer.Option("--to", parser=parse_day, metavar="DAY", help="LAST.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute days again even if nothing has changed.")] = False,
    home: HomePath = DEFAULT_HOME,
    as_json: AsJson = False,
) -> None:
    """Close, or close again, a range of days."""
    if (first is None) == (start is None) or (last is None) == (end is None):
        msg = "name the first and the last day: paidthrough backfill FIRST LAST"
        raise typer.BadParameter(msg)
    from assets.closing import close_range
    from pipelines.homes import open_home
    from pipelines.render import progress_bar

    opened = open_home(home)
    first, last = first or start, last or end
    assert first is not None
    assert last is not None
    with progress_bar("closing") as progress:
        closings = close_range(opened, first, last, reclose=force, progress=progress)
    _tell_closings(opened, closings, as_json=as_json)


def lock(first: First, last: Last, home: HomePath = DEFAULT_HOME) -> None:
    """Lock an accounting period.

    No day of it, nor one before it, can be closed again until it is unlocked.
    """
    from assets.locking import lock_days
    from pipelines.homes import open_home

    lock_days(open_home(home), first, last)
    print(f"locked {first} to {last}")


def unlock(first: First, last: Last, home: HomePath = DEFAULT_HOME) -> None:
    """Open a locked accounting period again."""
    from assets.locking import unlock_days
    from pipelines.homes import open_home

    unlock_days(open_home(home), first, last)
    print(f"unlocked {first} to {last}")


def demo(
    policies: Annotated[int, typer.Option(min=1, help="How many policies start within the first year.")] = 60,
    first: Annotated[date, typer.Option("--from", parser=parse_day, metavar="DAY", help="First day.")] = DEMO_FIRST,
    last: Annotated[date, typer.Option("--to", parser=parse_day, metavar="DAY", help="Last day.")] = DEMO_LAST,
    home: HomePath = DEMO_HOME,
    as_json: AsJson = False,
) -> None:
    """Close a year of a synthetic book.

    It is made in a home of its own; what it comes to is shown at the end.
    """
    from pipelines import render
    from pipelines.demo import demonstrate, tell

    with render.progress_bar("closing") as progress:
        made, shown = demonstrate(home, policies, first, last, progress)
    if as_json:
        tables = {title: frame.to_dicts() for title, frame in shown.summaries.items()}
        render.write_json(asdict(replace(shown, summaries={})) | {"home": str(made.root), "summaries": tables})
        return
    tell(made, shown)


def _tell_received(received: Sequence[Received]) -> None:
    """What each bank file held: payments and returns, which land, and what else there was, which does not."""
    for one in received:
        state = "" if one.is_new else ", received before: nothing done"
        print(f"{one.file}: {one.format}, business date {one.business_date}{state}")
        for tally in one.tallies:
            kept = "" if tally.kind != "other" else "; not landed"
            print(f"  {tally.count:>7,} {tally.kind}  {tally.amount:>15} {tally.currency}  {tally.what}{kept}")


def _tell_closings(home: Home, closings: Sequence[DayClosing], *, as_json: bool) -> None:
    """What became of each day, and which days must be closed again because of it."""
    from pipelines import render
    from warehouse.storage import Store

    stale = [record for record in Store(home).days() if record.is_stale]
    again = f"paidthrough backfill {stale[0].business_date} {stale[-1].business_date}" if stale else None
    if as_json:
        days = [
            {
                "business_date": closing.day,
                "outcome": closing.outcome,
                "rows": dict(closing.record.rows),
                "debits": {currency: totals.debits for currency, totals in closing.record.totals.items()},
                "seconds": round(closing.seconds, 3),
            }
            for closing in closings
        ]
        render.write_json({"days": days, "close_again": again})
        return
    for closing in closings:
        lines, refused = (closing.record.rows.get(table, 0) for table in ("journal", "quarantine"))
        detail = f"{lines} journal lines" + (f", {refused} in quarantine" if refused else "")
        print(f"{closing.day} {closing.outcome}" + ("" if closing.outcome == "unchanged" else f": {detail}"))
    if again:
        print(f"the days from {stale[0].business_date} on stand on an earlier result; run `{again}`")
