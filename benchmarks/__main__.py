"""All benchmarks in one run: `python -m benchmarks [--large] [--write]`.

Prints what it measures as Markdown; `--write` also puts it into benchmarks/RESULTS.md. A figure and its peer's are of
one run on one machine: compare ratios, not milliseconds.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks import bank_day, changes, days, journal
from benchmarks.measure import machine, table

SIZES = (10_000, 100_000)
LARGE = 1_000_000
TRANSACTIONS = 1_000_000
POOLS = 500_000
CHANGES = 100_000
PAYMENTS = 1_000_000
RESULTS = Path(__file__).parent / "RESULTS.md"


def sections(sizes: list[int], reference: str | None) -> list[str]:
    """Measure everything; one Markdown section each."""
    command = [sys.executable, "-m", "benchmarks.distribution", "--pools", str(POOLS)]
    command += ["--reference", reference] if reference else []
    distribution = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [
        f"Machine: {machine()}.",
        "## Days\n\n" + table(days.HEAD, [days.row_of(size) for size in sizes]),
        "## Distribution of payments\n\n```\n" + distribution.strip() + "\n```",
        "## Mass changes of one day\n\n" + table(changes.HEAD, changes.rows_of(CHANGES)),
        "## A bank day\n\n" + table(bank_day.HEAD, bank_day.rows_of(PAYMENTS)),
        "## Journal\n\n" + table(journal.HEAD, journal.rows_of(TRANSACTIONS)),
    ]


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also a book of a million policies")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    parser.add_argument("--reference", metavar="SCRIPT", help="one more script for the distribution benchmark")
    options = parser.parse_args()
    text = "\n\n".join(sections([*SIZES, LARGE] if options.large else [*SIZES], options.reference))
    print(text)
    if options.write:
        RESULTS.write_text(f"# Benchmark results\n\nWritten by `python -m benchmarks --write`.\n\n{text}\n")


if __name__ == "__main__":
    main()
