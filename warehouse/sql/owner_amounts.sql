-- Recorded, not in effect: a charge that takes effect later counts on both sides of every difference here.
WITH lines AS (
    SELECT
        owner_type,
        owner_key,
        currency,
        t_account_pattern AS pattern,
        sum(CASE side WHEN 'D' THEN amount ELSE -amount END) AS net_debit
    FROM $journal
    WHERE t_account_pattern IN (
        '<Charge Pattern> Unbilled',
        '<Charge Pattern> Billed',
        '<Charge Pattern> Due',
        '<Charge Pattern> Write-Off Expense',
        '<Charge Pattern> Negative Write-Off Income'
    )
    GROUP BY ALL
),

balances AS (
    SELECT
        owner_type,
        owner_key,
        currency,
        coalesce(sum(net_debit) FILTER (pattern = '<Charge Pattern> Unbilled'), 0) AS unbilled,
        coalesce(sum(net_debit) FILTER (pattern = '<Charge Pattern> Billed'), 0) AS billed,
        coalesce(sum(net_debit) FILTER (pattern = '<Charge Pattern> Due'), 0) AS due,
        -- Income is credit-normal: its net debit is what a negative write-off takes back from the expense.
        coalesce(sum(net_debit) FILTER (pattern LIKE '%Write-Off%'), 0) AS written_off
    FROM lines
    GROUP BY ALL
),

owned AS (
    SELECT owner_type, owner_key, currency, sum(amount) AS total_value
    FROM $charges
    GROUP BY ALL
)

SELECT
    owner_type,
    coalesce(owner.owner_id, owner_key::VARCHAR) AS owner_id,
    currency,
    coalesce(total_value, 0) AS total_value,
    coalesce(unbilled, 0) AS unbilled,
    coalesce(billed, 0) AS billed,
    coalesce(due, 0) AS due,
    coalesce(billed + due, 0) AS outstanding_amount,
    coalesce(unbilled + billed + due, 0) AS remaining_balance,
    coalesce(written_off, 0) AS written_off,
    coalesce(total_value, 0) - coalesce(unbilled + billed + due + written_off, 0) AS paid_amount,
    coalesce(total_value, 0) - coalesce(unbilled + billed + due, 0) AS paid_or_written_off_amount
FROM owned
FULL JOIN balances USING (owner_type, owner_key, currency)
LEFT JOIN stored.owner_ids AS owner USING (owner_type, owner_key)
