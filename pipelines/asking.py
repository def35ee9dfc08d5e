"""The commands that only look: status, report, sql, check, export, ui."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.options import DEFAULT_HOME, AsJson, AsOf, HomePath, KnownAt, Shape


def status(home: HomePath = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Show where a home stands, and what to run next."""
    from dataclasses import asdict

    from assets import status as where
    from pipelines import render
    from pipelines.homes import open_home

    opened = open_home(home)
    now = where.status(opened)
    if as_json:
        render.write_json(asdict(now) | {"home": str(opened.root), "to_close_again": now.to_close_again})
        return
    closed = f"{now.days_closed} days, {now.first_closed} to {now.last_closed}" if now.days_closed else "none"
    render.write_facts(
        {
            "home": opened.root,
            "closed": closed,
            "locked": f"{now.days_locked} days, through {now.locked_through}" if now.days_locked else "none",
            "waiting": ", ".join(str(day) for day in now.waiting) or "nothing",
            "quarantine": f"{now.quarantined} rows",
        }
    )
    for day in now.late_for_locked:
        print(f"{day} is locked, and files have landed for it since: land their rows for an open day")
    for stray in now.strays:
        print(f"landing/{stray} is in no table and day; no close will see it")
    if now.stale:
        print("\nto be closed again:")
        render.write_rows(["day", "reason"], [(one.day, one.reason) for one in now.stale])
    print(f"\nnext: {where.next_command(now)}")


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT.")],
    home: HomePath = DEFAULT_HOME,
    shape: Shape = "table",
) -> None:
    """Ask the published views in SQL; nothing can change."""
    from pipelines import questions

    questions.answer(home, query, shape)


def report(
    name: Annotated[str, typer.Argument(help="A view, such as aging or equity; `list` names them all.")],
    as_of: AsOf = None,
    known_at: KnownAt = None,
    home: HomePath = DEFAULT_HOME,
    shape: Shape = "table",
) -> None:
    """Show a view, now or as of a day."""
    from pipelines import questions

    questions.answer(home, questions.report_query(name, as_of, known_at), shape)


def check(home: HomePath = DEFAULT_HOME, as_json: AsJson = False) -> None:
    """Verify stored files and invariants.

    Every file is hashed, the chain of commits followed, and every invariant of the ledger computed from the stored
    lines. Exit code 1 when something is wrong.
    """
    from assets.invariants import INVARIANTS, check_home
    from pipelines import render
    from pipelines.homes import open_home

    found = check_home(open_home(home))
    if as_json:
        render.write_json({"files": found.files, "wrong": found.sentences})
    else:
        for sentence in found.sentences:
            print(sentence)
        if not found.sentences:
            print(f"{found.files} files are as committed, {len(INVARIANTS)} invariants hold")
    if found.sentences:
        raise typer.Exit(1)


def export(
    shape: Annotated[Literal["hledger", "beancount"], typer.Option("--format", help="Which program reads it.")],
    out: Annotated[Path | None, typer.Option(help="The file to write; default journal.<format>.")] = None,
    as_of: AsOf = None,
    home: HomePath = DEFAULT_HOME,
) -> None:
    """Write the journal for plain-text accounting."""
    from pipelines.export import export_journal
    from pipelines.homes import open_home
    from pipelines.questions import report_query
    from warehouse.catalogue import connect

    target = out or Path(f"journal.{shape}")
    with connect(open_home(home).root) as connection:
        exported = export_journal(connection.sql(report_query("journal", as_of, None)), shape, target)
    print(f"{target}: {exported.transactions} transactions, {exported.lines} lines, {exported.accounts} accounts")


def ui(
    home: HomePath = DEFAULT_HOME,
    port: Annotated[str, typer.Option(help="Port of the web page.")] = "3000",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Start Dagster's web page and daemon for this home."""
    from pipelines.homes import open_home
    from pipelines.instance import serve

    raise typer.Exit(serve(open_home(home), host, port))
