WITH lines AS (
    SELECT
        account_key,
        policy_key,
        invoice_key,
        bill_date,
        due_date,
        status,
        charge_pattern,
        currency,
        sum(amount) AS amount,
        sum(paid) AS paid,
        sum(written_off) AS written_off,
        sum(amount_due) AS amount_due
    FROM $item_status
    GROUP BY ALL
)
SELECT lines.*, invoice_key AS invoice_id, account.account_id, policy.policy_id
FROM lines
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
