"""Payments applied with pandas, round k the k-th payment of every pool: `distribution_pandas.py DATA OUT.parquet`."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pandas as pd


def apply_round(items: pd.DataFrame, turn: pd.DataFrame) -> pd.DataFrame:
    """What one payment per pool applies; columns payment, item, amount and the row of the item."""
    due = items.merge(turn[["pool", "payment", "amount"]], on="pool")
    keys = ["pool", "rank"]
    total = due.groupby(keys, sort=False)["balance"].transform("sum")
    running = due.groupby("pool", sort=False)["balance"].cumsum()
    before_group = (running - due["balance"]).groupby([due["pool"], due["rank"]], sort=False).transform("first")
    due["money"] = np.clip(due["amount"] - before_group, 0, total)
    due["total"] = total
    due = due[due["money"] > 0].copy()
    product = due["money"] * due["balance"]
    due["share"], due["remainder"] = product // due["total"], product % due["total"]
    due["missing"] = due["money"] - due.groupby(keys, sort=False)["share"].transform("sum")
    due = due.sort_values([*keys, "remainder", "item"], ascending=[True, True, False, True])
    due["amount"] = due["share"] + (due.groupby(keys, sort=False).cumcount() < due["missing"])
    return due.loc[due["amount"] > 0, ["payment", "item", "amount", "row"]]


def main() -> None:
    """Read, apply, write."""
    data, out = sys.argv[1:]
    start = time.perf_counter()
    items = pd.read_parquet(f"{data}/items.parquet").sort_values(["pool", "rank", "item"], ignore_index=True)
    items["row"] = np.arange(len(items))
    payments = pd.read_parquet(f"{data}/payments.parquet").sort_values(["pool", "payment"], ignore_index=True)
    payments["turn"] = payments.groupby("pool").cumcount()
    balance = items["balance"].to_numpy(copy=True)
    applied = []
    for _, turn in payments.groupby("turn"):
        items["balance"] = balance
        now = apply_round(items[(balance > 0) & items["pool"].isin(turn["pool"])], turn)
        balance[now["row"]] -= now["amount"].to_numpy()
        applied.append(now.drop(columns="row"))
    pd.concat(applied).to_parquet(out, index=False)
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
