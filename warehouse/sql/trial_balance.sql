WITH totals AS (
    SELECT
        currency,
        account_type,
        t_account_pattern,
        charge_pattern,
        coalesce(sum(amount) FILTER (side = 'D'), 0) AS debits,
        coalesce(sum(amount) FILTER (side = 'C'), 0) AS credits
    FROM $lines_in_effect
    GROUP BY ALL
)
SELECT
    totals.*,
    replace(t_account_pattern, '<Charge Pattern>', charge_pattern) AS t_account,
    greatest(debits - credits, 0) AS debit_balance,
    greatest(credits - debits, 0) AS credit_balance
FROM totals
ORDER BY currency, account_type, t_account
