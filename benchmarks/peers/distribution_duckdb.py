"""Payments applied by SQL, round k the k-th payment of every pool: `distribution_duckdb.py DATA OUT.parquet`."""

from __future__ import annotations

import json
import sys
import time

import duckdb

ROUND = """
CREATE OR REPLACE TEMP TABLE applied_now AS
WITH open AS (
    SELECT items.*, turns.payment, turns.amount FROM items JOIN turns USING (pool) WHERE turns.turn = ? AND balance > 0
), ties AS (
    SELECT pool, rank, any_value(amount) AS amount, sum(balance)::BIGINT AS total FROM open GROUP BY pool, rank
), reached AS (
    SELECT *, (sum(total) OVER (PARTITION BY pool ORDER BY rank) - total)::BIGINT AS before FROM ties
), funded AS (
    SELECT pool, rank, total, least(total, amount - before) AS money FROM reached WHERE amount > before
), shares AS (
    SELECT payment, item, pool, rank, money, money * balance // total AS share, money * balance % total AS remainder
    FROM open JOIN funded USING (pool, rank)
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY pool, rank ORDER BY remainder DESC, item) AS place,
        (money - sum(share) OVER (PARTITION BY pool, rank))::BIGINT AS missing
    FROM shares
)
SELECT payment, item, share + (place <= missing)::BIGINT AS amount FROM placed WHERE share > 0 OR place <= missing
"""


def main() -> None:
    """Read, apply, write."""
    data, out = sys.argv[1:]
    start = time.perf_counter()
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE items AS FROM '{data}/items.parquet' ORDER BY pool, rank, item")
    connection.execute(f"CREATE TABLE payments AS FROM '{data}/payments.parquet'")
    connection.execute(
        "CREATE TABLE turns AS SELECT *, row_number() OVER (PARTITION BY pool ORDER BY payment) AS turn FROM payments"
    )
    connection.execute("CREATE TABLE applied (payment BIGINT, item BIGINT, amount BIGINT)")
    last = connection.execute("SELECT max(turn) FROM turns").fetchall()[0][0]
    for turn in range(1, last + 1):
        connection.execute(ROUND, [turn])
        connection.execute("INSERT INTO applied FROM applied_now")
        connection.execute(
            "UPDATE items SET balance = balance - now.amount FROM applied_now AS now WHERE items.item = now.item"
        )
    connection.execute(f"COPY applied TO '{out}' (FORMAT parquet)")
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
