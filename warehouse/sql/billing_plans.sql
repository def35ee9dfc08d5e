SELECT
    plan.*,
    $as_of BETWEEN plan.effective_date AND coalesce(plan.expiration_date, $as_of) AS is_available,
    plan.billing_plan IN (SELECT billing_plan FROM $accounts) AS is_in_use
FROM $billing_plans AS plan
