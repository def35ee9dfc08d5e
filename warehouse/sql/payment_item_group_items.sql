-- What the group paid, by the items on which it is now: a part that was moved counts where it went.
WITH known AS (
    SELECT payment_item_key, transaction_key, reverses_payment_item_key, item_key, amount
    FROM stored.payment_items
    WHERE
        DATE '1900-01-01' + CAST(payment_item_key // 4294967296 AS INTEGER)
        <= least($as_of, coalesce($known_at, DATE '9999-12-31'))
),

parts AS (
    SELECT transaction_key, item_key, amount
    FROM known
    ANTI JOIN (
        SELECT reverses_payment_item_key AS payment_item_key
        FROM known
        WHERE reverses_payment_item_key <> 0 AND transaction_key = 0
    ) AS moved USING (payment_item_key)
    WHERE transaction_key <> 0
),

members AS (
    SELECT move.flow, part.item_key, sum(part.amount) AS paid
    FROM $tracking_moves AS move
    JOIN parts AS part USING (transaction_key)
    WHERE move.kind = 'Payment Item Group'
    GROUP BY move.flow, part.item_key
    HAVING sum(part.amount) <> 0
)

SELECT
    members.flow AS group_id,
    members.item_key AS item_id,
    members.paid,
    item.item_type,
    item.charge_pattern,
    item.amount,
    item.currency,
    nullif(item.invoice_key, 0) AS invoice_id,
    invoice.bill_date,
    invoice.due_date,
    invoice.status,
    item.owner_type,
    coalesce(owner.owner_id, item.owner_key::VARCHAR) AS owner_id,
    account.account_id
FROM members
JOIN $invoice_items AS item USING (item_key)
LEFT JOIN $invoice_status AS invoice ON invoice.invoice_key = item.invoice_key
LEFT JOIN stored.owner_ids AS owner ON owner.owner_type = item.owner_type AND owner.owner_key = item.owner_key
LEFT JOIN stored.account_ids AS account ON account.account_key = item.account_key
