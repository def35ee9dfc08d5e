WITH sums AS (
    SELECT charge_key, sum(amount) AS items_amount
    FROM $item_status
    GROUP BY charge_key
)
SELECT
    charge.charge_key AS charge_id,
    account.account_id,
    policy.policy_id,
    charge.charge_pattern,
    charge.currency,
    charge.amount,
    coalesce(sums.items_amount, 0) AS items_amount,
    charge.amount - coalesce(sums.items_amount, 0) AS unallocated
FROM $charges AS charge
LEFT JOIN sums USING (charge_key)
LEFT JOIN stored.account_ids AS account ON account.account_key = charge.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = charge.policy_key
