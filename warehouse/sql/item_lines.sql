-- One row per item on an invoice, with everything by which a line of an invoice may be grouped, and the grouping that
-- the billing plan of the payer asks for.
SELECT
    item.invoice_key AS invoice_id,
    account.account_id,
    policy.policy_id,
    period.term_number,
    CASE WHEN charge.reverses_charge_key = 0 THEN charge.context END AS context,
    pattern.category,
    charge.charge_group,
    item.charge_key AS charge_id,
    item.item_key AS item_id,
    item.charge_pattern,
    plan.aggregation,
    item.currency,
    item.amount,
    item.paid,
    item.written_off,
    item.amount_due
FROM $item_status AS item
JOIN $charges AS charge USING (charge_key)
JOIN $accounts AS account ON account.account_key = item.account_key
LEFT JOIN $billing_plans AS plan ON plan.billing_plan = account.billing_plan
LEFT JOIN $charge_patterns AS pattern ON pattern.charge_pattern = item.charge_pattern
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = item.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = item.period_key
