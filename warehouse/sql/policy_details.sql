WITH figures AS (
    SELECT
        policy_key,
        currency,
        sum(amount_due) FILTER (receivable = 'Unbilled') AS unbilled_amount,
        sum(amount_due) FILTER (receivable <> 'Unbilled') AS outstanding_amount,
        sum(amount_due) FILTER (receivable = 'Due') AS past_due_amount,
        -- The invoice that was billed last; of several on one day the one with the highest number.
        max((bill_date, invoice_key)) FILTER (receivable <> 'Unbilled') AS last_billed
    FROM $item_status
    WHERE policy_key <> 0
    GROUP BY policy_key, currency
)
SELECT
    policy.policy_id,
    account.account_id,
    coalesce(figures.currency, account.currency) AS currency,
    coalesce(figures.unbilled_amount, 0) AS unbilled_amount,
    coalesce(figures.outstanding_amount, 0) AS outstanding_amount,
    coalesce(figures.past_due_amount, 0) AS past_due_amount,
    invoice.invoice_key AS invoice_id,
    invoice.bill_date,
    invoice.due_date,
    invoice.status
FROM $policies AS policy
JOIN $accounts AS account USING (account_key)
LEFT JOIN figures USING (policy_key)
LEFT JOIN $invoice_status AS invoice ON invoice.invoice_key = figures.last_billed[2]
