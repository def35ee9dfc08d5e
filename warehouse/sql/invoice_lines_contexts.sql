SELECT
    invoice_id,
    account_id,
    policy_id,
    context,
    currency,
    sum(amount) AS amount,
    sum(paid) AS paid,
    sum(written_off) AS written_off,
    sum(amount_due) AS amount_due
FROM $item_lines
GROUP BY ALL
