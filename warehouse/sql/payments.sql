WITH applied AS (
    SELECT payment_key, sum(amount) AS distributed
    FROM $payment_items
    WHERE payment_key <> 0
    GROUP BY payment_key
)
SELECT
    payment.* EXCLUDE (account_id, policy_id, term_number, invoice_id),
    coalesce(applied.distributed, 0) AS distributed,
    account.account_id,
    policy.policy_id,
    period.term_number,
    nullif(payment.invoice_key, 0) AS invoice_id,
    origin.payment_id AS from_payment_id,
    payment.account_id AS landed_account_id,
    payment.policy_id AS landed_policy_id,
    payment.invoice_id AS landed_invoice_id
FROM $payments AS payment
LEFT JOIN applied USING (payment_key)
LEFT JOIN $payments AS origin ON origin.payment_key = payment.from_payment_key
LEFT JOIN stored.account_ids AS account ON account.account_key = payment.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = payment.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = payment.period_key
