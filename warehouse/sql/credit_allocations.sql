-- A credit that pays an item is two payment items, of which the one of the debt is shown; what went into a fund is one,
-- of the credit itself. Taking back shows as a negative amount.
WITH parts AS (
    SELECT payment_item_key, credit_item_key, item_key, amount, through_fund_key, 'item' AS disposition
    FROM $payment_items
    WHERE kind = 'credit' AND credit_item_key > 0 AND credit_item_key <> item_key
    UNION ALL
    SELECT part.payment_item_key, part.item_key, 0, -part.amount, part.through_fund_key, 'excess'
    FROM $payment_items AS part
    JOIN $invoice_items AS item USING (item_key)
    WHERE part.kind = 'credit' AND part.credit_item_key = 0 AND item.amount < 0
)

SELECT
    parts.payment_item_key AS payment_item_id,
    -- the key is packed from the day and a sequence
    DATE '1900-01-01' + CAST(parts.payment_item_key // 4294967296 AS INTEGER) AS business_date,
    parts.credit_item_key AS credit_item_id,
    credit.charge_key AS credit_charge_id,
    nullif(parts.item_key, 0) AS item_id,
    parts.disposition,
    parts.amount,
    credit.currency,
    payer.account_id AS payer_account_id,
    policy.policy_id,
    period.term_number,
    period.return_premium_plan,
    charge.context,
    coalesce(own.method, rest.method) AS method
FROM parts
JOIN $invoice_items AS credit ON credit.item_key = parts.credit_item_key
JOIN $charges AS charge ON charge.charge_key = credit.charge_key
JOIN $policy_periods AS period ON period.period_key = credit.period_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = period.policy_key
LEFT JOIN stored.account_ids AS payer ON payer.account_key = credit.account_key
LEFT JOIN $return_premium_plans AS own
    ON own.return_premium_plan = period.return_premium_plan AND own.context = charge.context
LEFT JOIN $return_premium_plans AS rest
    ON rest.return_premium_plan = period.return_premium_plan AND rest.context = 'other'
WHERE period.return_premium_plan IS NOT NULL
