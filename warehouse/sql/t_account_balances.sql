WITH totals AS (
    SELECT
        owner_type,
        owner_key,
        t_account_pattern,
        charge_pattern,
        fund_policy_key,
        account_type,
        currency,
        coalesce(sum(amount) FILTER (side = 'D'), 0) AS debits,
        coalesce(sum(amount) FILTER (side = 'C'), 0) AS credits
    FROM $lines_in_effect
    GROUP BY ALL
)
SELECT
    totals.*,
    coalesce(owner.owner_id, totals.owner_key::VARCHAR) AS owner_id,
    replace(t_account_pattern, '<Charge Pattern>', charge_pattern) AS t_account,
    fund.policy_id AS fund_policy_id,
    CASE WHEN account_type IN ('Asset', 'Expense') THEN debits - credits ELSE credits - debits END AS balance
FROM totals
LEFT JOIN stored.owner_ids AS owner ON owner.owner_type = totals.owner_type AND owner.owner_key = totals.owner_key
LEFT JOIN stored.policy_ids AS fund ON fund.policy_key = totals.fund_policy_key
