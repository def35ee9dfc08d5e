"""Payments applied one by one in plain Python with whole numbers: `distribution_python.py DATA OUT.parquet`."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from itertools import groupby
from operator import itemgetter

import pyarrow as pa
import pyarrow.parquet as pq


def apply(money: int, group: list[list[int]]) -> list[tuple[int, int]]:
    """Shares of one tie group of [item, balance], cents by largest remainder; updates the balances."""
    total = sum(balance for _, balance in group)
    if money == total:
        shares = [balance for _, balance in group]
    else:
        shares = [money * balance // total for _, balance in group]
        by_remainder = sorted(range(len(group)), key=lambda at: -(money * group[at][1] % total))
        for at in by_remainder[: money - sum(shares)]:
            shares[at] += 1
    paid = []
    for entry, share in zip(group, shares, strict=True):
        entry[1] -= share
        if share:
            paid.append((entry[0], share))
    return paid


def main() -> None:
    """Read, apply, write."""
    data, out = sys.argv[1:]
    start = time.perf_counter()
    columns = pq.read_table(f"{data}/items.parquet").to_pydict()
    items = sorted(zip(columns["pool"], columns["rank"], columns["item"], columns["balance"], strict=True))
    groups = defaultdict(list)
    for (pool, _), rows in groupby(items, itemgetter(0, 1)):
        groups[pool].append([[item, balance] for _, _, item, balance in rows])
    columns = pq.read_table(f"{data}/payments.parquet").to_pydict()
    applied: dict[str, list[int]] = {"payment": [], "item": [], "amount": []}
    for pool, payment, amount in zip(columns["pool"], columns["payment"], columns["amount"], strict=True):
        left = amount
        for group in groups[pool]:
            money = min(left, sum(balance for _, balance in group))
            if money:
                left -= money
                for item, share in apply(money, group):
                    applied["payment"].append(payment)
                    applied["item"].append(item)
                    applied["amount"].append(share)
            if not left:
                break
    pq.write_table(pa.table(applied), out)
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
