WITH totals AS (
    SELECT
        invoice_key,
        sum(amount) AS amount,
        sum(paid) AS paid,
        sum(written_off) AS written_off,
        sum(amount_due) AS amount_due,
        bool_and(amount_due = 0) AS is_paid
    FROM $item_status
    GROUP BY invoice_key
)
SELECT
    invoice.*,
    invoice.invoice_key AS invoice_id,
    invoice.stream_key AS stream_id,
    account.account_id,
    policy.policy_id,
    account.currency,
    coalesce(totals.amount, 0) AS amount,
    coalesce(totals.paid, 0) AS paid,
    coalesce(totals.written_off, 0) AS written_off,
    coalesce(totals.amount_due, 0) AS amount_due,
    coalesce(totals.is_paid, true) AS is_paid
FROM $invoice_status AS invoice
LEFT JOIN totals USING (invoice_key)
LEFT JOIN $accounts AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
