-- The sources (more than 0) and uses (less than 0) of money of tracked funds. A payment item group without sum is a
-- source of nothing (R-FT-2); what is taken back counts by its sign (R-FT-11).
SELECT
    fund_key,
    flow,
    CASE
        WHEN kind <> 'Reversal' THEN kind
        WHEN sum(amount) > 0 THEN 'Funds Use Reversal'
        ELSE 'Funds Source Reversal'
    END AS kind,
    sum(amount)::BIGINT AS amount,
    min(event_date) AS event_date,
    CASE WHEN is_forward THEN 0 ELSE min(transaction_key) END AS sequence,
    -- A group of items may be paid by several payments, and names none then.
    CASE WHEN is_forward OR min(payment_key) <> max(payment_key) THEN 0 ELSE max(payment_key) END AS payment_key,
    CASE WHEN is_forward THEN 0 ELSE max(period_key) END AS period_key,
    any_value(account_key) AS account_key,
    any_value(fund_policy_key) AS fund_policy_key,
    any_value(currency) AS currency
FROM $tracking_moves
GROUP BY fund_key, flow, kind, is_forward
HAVING sum(amount) <> 0 OR kind = 'Payment Item Group'
