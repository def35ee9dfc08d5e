SELECT
    policy.policy_id,
    period.term_number,
    period.closed_date,
    line.charge_pattern,
    line.currency,
    coalesce(sum(signed) FILTER (t_account_pattern = '<Charge Pattern> Expense'), 0) AS expense_rollup,
    coalesce(-sum(signed) FILTER (t_account_pattern = '<Charge Pattern> Reserve'), 0) AS reserve_rollup,
    coalesce(-sum(signed) FILTER (t_account_pattern = '<Charge Pattern> Revenue'), 0) AS revenue_rollup,
    coalesce(sum(signed) FILTER (t_account_pattern = '<Charge Pattern> Write-Off Expense'), 0)
        AS write_off_expense_rollup
FROM $policy_periods AS period
JOIN (
    SELECT *, CASE side WHEN 'D' THEN amount ELSE -amount END AS signed
    FROM $journal
    WHERE owner_type = 'PolicyPeriod' AND charge_pattern <> ''
) AS line ON line.owner_key = period.period_key
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
WHERE period.closed_date IS NOT NULL
GROUP BY ALL
