WITH open_items AS (
    SELECT
        account_key,
        policy_key,
        currency,
        receivable <> 'Unbilled' AS is_billed,
        amount_due,
        $as_of - due_date AS days_past_due
    FROM $item_status
    WHERE amount_due <> 0
),

buckets AS (
    SELECT
        account_key,
        policy_key,
        currency,
        sum(CASE WHEN is_billed THEN 0 ELSE amount_due END) AS unbilled,
        sum(CASE WHEN is_billed AND days_past_due <= 0 THEN amount_due ELSE 0 END) AS not_due,
        sum(CASE WHEN is_billed AND days_past_due BETWEEN 1 AND 30 THEN amount_due ELSE 0 END) AS days_1_30,
        sum(CASE WHEN is_billed AND days_past_due BETWEEN 31 AND 60 THEN amount_due ELSE 0 END) AS days_31_60,
        sum(CASE WHEN is_billed AND days_past_due BETWEEN 61 AND 90 THEN amount_due ELSE 0 END) AS days_61_90,
        sum(CASE WHEN is_billed AND days_past_due > 90 THEN amount_due ELSE 0 END) AS days_91_plus,
        sum(CASE WHEN is_billed THEN amount_due ELSE 0 END) AS total
    FROM open_items
    GROUP BY account_key, policy_key, currency
)

SELECT buckets.*, account.account_id, policy.policy_id
FROM buckets
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
