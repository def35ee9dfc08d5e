WITH sums AS (
    SELECT
        distribution.distribution_key,
        sum(part.amount) FILTER (WHERE part.amount > 0) AS paid,
        -sum(part.amount) FILTER (WHERE part.amount < 0) AS used
    FROM $credit_distributions AS distribution
    JOIN $payment_items AS part
        ON part.payment_item_key >= distribution.first_payment_item_key
        AND part.payment_item_key < distribution.first_payment_item_key + distribution.payment_items
    GROUP BY ALL
)

SELECT
    distribution.*,
    account.account_id,
    account.currency,
    coalesce(sums.paid, 0) AS paid,
    coalesce(sums.used, 0) AS used
FROM $credit_distributions AS distribution
LEFT JOIN sums USING (distribution_key)
LEFT JOIN $accounts AS account USING (account_key)
