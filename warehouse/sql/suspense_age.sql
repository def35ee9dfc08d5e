WITH held AS (
    SELECT
        'suspense_payment' AS kind,
        fact.payment_key,
        fact.account_key,
        sum(CASE line.side WHEN 'C' THEN line.amount ELSE -line.amount END) AS amount,
        min(line.transaction_date) AS since_date
    FROM $lines_in_effect AS line
    JOIN stored.receipts AS fact ON fact.payment_key = line.owner_key
    WHERE line.owner_type = 'SuspensePayment' AND line.t_account_pattern = 'Unapplied'
    GROUP BY fact.payment_key, fact.account_key
    HAVING sum(CASE line.side WHEN 'C' THEN line.amount ELSE -line.amount END) <> 0
    UNION ALL BY NAME
    SELECT
        'suspense_item' AS kind,
        payment_key,
        account_key,
        amount,
        created_date AS since_date,
        suspense_item_id,
        policy_number AS named_policy_id
    FROM $suspense_items
    WHERE status = 'open'
)

SELECT
    held.* EXCLUDE (named_policy_id),
    fact.payment_id,
    fact.currency,
    account.account_id,
    CASE WHEN held.kind = 'suspense_payment' THEN payment.account_id END AS named_account_id,
    CASE WHEN held.kind = 'suspense_payment' THEN payment.policy_id ELSE held.named_policy_id END AS named_policy_id,
    $as_of - since_date AS days,
    CASE WHEN $as_of - since_date <= 30 THEN held.amount ELSE 0 END AS days_0_30,
    CASE WHEN $as_of - since_date BETWEEN 31 AND 60 THEN held.amount ELSE 0 END AS days_31_60,
    CASE WHEN $as_of - since_date BETWEEN 61 AND 90 THEN held.amount ELSE 0 END AS days_61_90,
    CASE WHEN $as_of - since_date > 90 THEN held.amount ELSE 0 END AS days_91_plus
FROM held
JOIN stored.receipts AS fact USING (payment_key)
LEFT JOIN $payments AS payment USING (payment_key)
LEFT JOIN stored.account_ids AS account ON account.account_key = held.account_key
