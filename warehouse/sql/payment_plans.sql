SELECT
    plan.*,
    $as_of BETWEEN plan.effective_date AND coalesce(plan.expiration_date, $as_of) AS is_available,
    plan.payment_plan IN (SELECT payment_plan FROM $policy_periods) AS is_in_use
FROM $payment_plans AS plan
