-- Payment items in effect that were not taken back, with the day on which they were posted: keys of the day and a
-- sequence. A part that was moved to another item keeps the transaction by which it was posted.
WITH known AS (
    SELECT *
    FROM stored.payment_items
    WHERE
        DATE '1900-01-01' + CAST(payment_item_key // 4294967296 AS INTEGER)
        <= least($as_of, coalesce($known_at, DATE '9999-12-31'))
)

SELECT
    known.*,
    DATE '1900-01-01' + CAST(transaction_key // 4294967296 AS INTEGER) AS applied_date
FROM known
ANTI JOIN (
    SELECT reverses_payment_item_key AS payment_item_key FROM known WHERE reverses_payment_item_key <> 0
) AS taken_back USING (payment_item_key)
WHERE reverses_payment_item_key = 0
