WITH figures AS (
    SELECT
        charge.account_key,
        item.currency,
        sum(CASE WHEN item.receivable = 'Due' THEN item.amount_due ELSE 0 END) AS amount_due,
        sum(CASE WHEN item.receivable = 'Billed' THEN item.amount_due ELSE 0 END) AS amount_billed,
        sum(CASE WHEN item.receivable = 'Unbilled' THEN item.amount_due ELSE 0 END) AS amount_unbilled
    FROM $item_status AS item
    JOIN $charges AS charge USING (charge_key)
    GROUP BY charge.account_key, item.currency
),

receipts AS (
    SELECT account_key, max(payment_date) AS last_payment_date
    FROM $payments
    WHERE status = 'executed'
    GROUP BY account_key
)

SELECT
    account.account_id,
    coalesce(figures.currency, account.currency) AS currency,
    coalesce(figures.amount_due, 0) AS amount_due,
    coalesce(figures.amount_billed, 0) AS amount_billed,
    coalesce(figures.amount_unbilled, 0) AS amount_unbilled,
    coalesce(figures.amount_due, 0) > 0 AS is_delinquent,
    receipts.last_payment_date
FROM $accounts AS account
LEFT JOIN figures ON figures.account_key = account.account_key
LEFT JOIN receipts ON receipts.account_key = account.account_key
