SELECT *
FROM $payment_plan_overrides
