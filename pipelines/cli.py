"""The command line. Each command says what it did in a few lines, or in JSON with `--json`.

A command imports the libraries that it needs when it runs, so that `--help` answers at once; none but `ui` imports
Dagster. Errors are one sentence on the error stream: exit code 2 for what the caller can put right, 1 when a contract
failed or the warehouse is damaged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines import asking, compacting, importing, previewing, writing

INTERRUPTED = 130

app = typer.Typer(
    name="paidthrough",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    writing.init,
    writing.land,
    writing.close,
    writing.backfill,
    asking.status,
    asking.report,
    asking.sql,
    previewing.preview,
    asking.check,
    asking.export,
    writing.lock,
    writing.unlock,
    compacting.compact,
    writing.demo,
    asking.ui,
):
    app.command()(command)
app.command("import")(importing.import_)


@app.callback()
def everywhere(
    home: Annotated[
        Path | None, typer.Option("--home", help="The home directory, for any command; default PAIDTHROUGH_HOME.")
    ] = None,
) -> None:
    """Insurance billing ledger: land files, close days, ask questions."""
    if home is not None:
        os.environ["PAIDTHROUGH_HOME"] = str(home)


def main() -> None:
    """Run the command line; turn every error into one sentence and an exit code."""
    # Polars reads this when it is imported. Keeping memory between the small steps of a day saves a tenth of its time.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000,muzzy_decay_ms:-1")
    try:
        app()
    except KeyboardInterrupt:
        _say("interrupted; run the same command again to go on")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the answer has seen enough (`| head`); nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("PAIDTHROUGH_DEBUG"):
            raise
        from pipelines.errors import exit_code, sentence

        _say(sentence(error))
        sys.exit(exit_code(error))


def _say(text: str) -> None:
    print(f"paidthrough: {text}", file=sys.stderr)
