"""How fast payments are applied, beside the same work in DuckDB, pandas and plain Python.

    python -m benchmarks.distribution [--pools N] [--runs N] [--peers NAME ...] [--reference SCRIPT]

Each pool has 1 to 12 items, two to a tie group, and on average four payments in sequence. Every tool runs in a process
of its own, reads the same two Parquet files and writes what was applied; its seconds are from after its imports to the
written file. The checksum over payment, item and amount must be the same for all. `--reference` runs one more script,
as `SCRIPT DATA OUT.parquet`, on the same data under the column names that it expects.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from ledger.distribution import distribute

OURS = "paidthrough"
PEERS = ("duckdb", "pandas", "python")
PAYMENTS_PER_POOL = 4
_PRIME, _MIX, _STEP = 2_147_483_647, 48_271, 1_000_003


def mixed(seed: int) -> pl.Expr:
    """A whole number below 2**31 per row, the same on every machine, that looks like chance."""
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    once = (row * _STEP + seed) % _PRIME * _MIX % _PRIME
    return (once + row) % _PRIME * _MIX % _PRIME


def generate(folder: Path, pools: int) -> None:
    """Write items.parquet (pool, rank, item, balance) and payments.parquet (pool, payment, amount)."""
    sizes = pl.select(pool=pl.int_range(pools, dtype=pl.Int64)).with_columns(size=mixed(11) % 12 + 1)
    places = sizes.select("pool", place=pl.int_ranges(0, "size")).explode("place")
    items = places.select(
        "pool", rank=pl.col("place") // 2, item=pl.int_range(pl.len(), dtype=pl.Int64), balance=mixed(7) % 49_900 + 100
    )
    items.write_parquet(folder / "items.parquet")
    payments = pl.select(payment=pl.int_range(pools * PAYMENTS_PER_POOL, dtype=pl.Int64)).select(
        mixed(5).alias("pool") % pools, "payment", amount=mixed(3) % 59_500 + 500
    )
    payments.write_parquet(folder / "payments.parquet")


def write_for_reference(folder: Path, target: Path) -> None:
    """The same data under the column names of the reference script."""
    target.mkdir()
    items = pl.read_parquet(folder / "items.parquet")
    items.select(
        item_id=pl.col("item").cast(pl.Int32),
        account=pl.col("pool").cast(pl.Int32),
        due_group=pl.col("rank").cast(pl.Int8),
        seq=pl.int_range(pl.len()).over("pool", order_by="item").cast(pl.Int8),
        cents="balance",
    ).write_parquet(target / "items.parquet")
    payments = pl.read_parquet(folder / "payments.parquet")
    payments.select(
        payment_id=pl.col("payment").cast(pl.Int32), account=pl.col("pool").cast(pl.Int32), cents="amount"
    ).write_parquet(target / "payments.parquet")


def checksum(applied: pl.DataFrame) -> int:
    """One number over what was applied; columns payment, item, amount in any order of rows."""
    weight = (pl.col("payment") % 1009 + 1).cast(pl.Int64) * (pl.col("item") % 997 + 1)
    return int(applied.select((pl.col("amount").cast(pl.Int64) * weight).sum()).item())


def run_ours(folder: Path, out: Path) -> float:
    """The kernel, from file to file; returns seconds."""
    start = time.perf_counter()
    distribute(pl.read_parquet(folder / "payments.parquet"), pl.read_parquet(folder / "items.parquet")).write_parquet(
        out
    )
    return time.perf_counter() - start


def seconds_of(command: list[str]) -> float:
    """The seconds that a command reports on its last line."""
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(run.stdout.splitlines()[-1])
    return float(report["seconds"] if "seconds" in report else report["work_s"])


def main() -> None:
    """Generate the data, run every tool and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pools", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=PEERS)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--one", nargs=2, type=Path, metavar=("DATA", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps({"seconds": run_ours(*options.one)}))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder, options.pools)
        python = sys.executable
        peers = Path(__file__).parent / "peers"
        tools = {OURS: [python, "-m", "benchmarks.distribution", "--one", name]}
        tools |= {peer: [python, str(peers / f"distribution_{peer}.py"), name] for peer in options.peers}
        if options.reference:
            write_for_reference(folder, folder / "reference")
            tools["reference"] = [python, str(options.reference), str(folder / "reference")]
        print_table(tools, folder, options.runs)


def print_table(tools: dict[str, list[str]], folder: Path, runs: int) -> None:
    """Run the tools in turn, several times; stop when one gives another result than the first."""
    payments = pl.read_parquet(folder / "payments.parquet").height
    print(f"{payments:,} payments, {pl.read_parquet(folder / 'items.parquet').height:,} items")
    seconds: dict[str, list[float]] = {tool: [] for tool in tools}
    results = {}
    for _ in range(runs):
        for tool, command in tools.items():
            out = folder / f"{tool}.parquet"
            seconds[tool].append(seconds_of([*command, str(out)]))
            applied = pl.read_parquet(out)
            applied = applied.rename({"payment_id": "payment", "item_id": "item", "pay": "amount"}, strict=False)
            results[tool] = (applied.height, checksum(applied))
            if results[tool] != results[OURS]:
                sys.exit(f"{tool} applied {results[tool]}, {OURS} {results[OURS]} (rows, checksum)")
    ours = statistics.median(seconds[OURS])
    for tool, measured in seconds.items():
        median = statistics.median(measured)
        print(f"{tool:12} {median:8.2f} s  {median / ours:6.2f} x  {payments / median:12,.0f} payments/s")
    print("all the same: {:,} rows, checksum {}".format(*results[OURS]))


if __name__ == "__main__":
    main()
