WITH totals AS (
    SELECT invoice_key, sum(amount) AS amount, sum(paid) AS paid, bool_and(amount = paid) AS is_paid
    FROM $invoice_items
    GROUP BY invoice_key
)
SELECT
    invoice.*,
    invoice.invoice_key AS invoice_id,
    invoice.stream_key AS stream_id,
    account.account_id,
    policy.policy_id,
    CASE
        WHEN invoice.bill_date > $as_of THEN 'Planned'
        WHEN invoice.due_date + $due_lag_days <= $as_of THEN 'Due'
        ELSE 'Billed'
    END AS status,
    account.currency,
    coalesce(totals.amount, 0) AS amount,
    coalesce(totals.paid, 0) AS paid,
    coalesce(totals.amount - totals.paid, 0) AS amount_due,
    coalesce(totals.is_paid, true) AS is_paid
FROM $invoices AS invoice
LEFT JOIN totals USING (invoice_key)
LEFT JOIN $accounts AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
