-- The grouping that the billing plan asks for: what it does not group by is left out of the key.
SELECT
    invoice_id,
    account_id,
    policy_id,
    aggregation,
    CASE WHEN aggregation IN ('contexts', 'categories', 'charges') THEN context END AS context,
    CASE WHEN aggregation IN ('categories', 'charges') THEN category END AS category,
    CASE WHEN aggregation IN ('charge_groups', 'charges') THEN charge_group END AS charge_group,
    CASE WHEN aggregation = 'charges' THEN charge_id END AS charge_id,
    CASE WHEN aggregation = 'charges' THEN item_id END AS item_id,
    currency,
    sum(amount) AS amount,
    sum(paid) AS paid,
    sum(written_off) AS written_off,
    sum(amount_due) AS amount_due
FROM $item_lines
GROUP BY ALL
