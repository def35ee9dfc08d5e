SELECT
    plan.*,
    plan.effective_date <= $as_of AND (plan.expiration_date IS NULL OR $as_of < plan.expiration_date) AS is_available,
    plan.return_premium_plan IN (
        SELECT return_premium_plan FROM $policy_periods WHERE return_premium_plan IS NOT NULL
    ) AS is_in_use
FROM $return_premium_plans AS plan
