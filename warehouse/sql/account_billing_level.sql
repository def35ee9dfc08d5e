WITH intervals AS (
    SELECT
        period.account_key,
        -- The words in the order of their length; the smallest counts (R-PS-2).
        min(list_position($payment_intervals, plan.payment_interval)) AS smallest
    FROM $policy_periods AS period
    JOIN $payment_plans AS plan USING (payment_plan)
    WHERE period.status = 'in_force' AND period.coverage_end > $as_of
    GROUP BY period.account_key
)
SELECT
    account.*,
    CASE
        WHEN account.invoice_by = 'account' THEN 'Account'
        WHEN account.separate_funds_by = 'account' THEN 'PolicyDefaultUnapplied'
        ELSE 'PolicyDesignatedUnapplied'
    END AS billing_level,
    list_extract($payment_intervals, intervals.smallest) AS payment_interval
FROM $accounts AS account
LEFT JOIN intervals USING (account_key)
