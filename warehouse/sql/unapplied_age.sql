WITH leftovers AS (
    SELECT part.fund_key, part.amount, side.event_date, $as_of - side.event_date AS days
    FROM $receipt_matches AS part
    JOIN $receipt_sides AS side ON side.fund_key = part.fund_key AND side.flow = part.source
    WHERE part.use IS NULL
),

ages AS (
    SELECT
        fund_key,
        sum(CASE WHEN days <= 30 THEN amount ELSE 0 END) AS days_0_30,
        sum(CASE WHEN days BETWEEN 31 AND 60 THEN amount ELSE 0 END) AS days_31_60,
        sum(CASE WHEN days BETWEEN 61 AND 90 THEN amount ELSE 0 END) AS days_61_90,
        sum(CASE WHEN days > 90 THEN amount ELSE 0 END) AS days_91_plus,
        sum(amount) AS total,
        min(event_date) AS oldest_date,
        max(days) AS oldest_days
    FROM leftovers
    GROUP BY fund_key
)

SELECT ages.*, account.account_id, policy.policy_id, fund.currency, fund.fund_type
FROM ages
JOIN (
    SELECT
        fund_key,
        any_value(account_key) AS account_key,
        any_value(fund_policy_key) AS policy_key,
        any_value(currency) AS currency,
        CASE WHEN any_value(fund_policy_key) > 0 THEN 'designated' ELSE 'default' END AS fund_type
    FROM $fund_moves
    GROUP BY fund_key
) AS fund USING (fund_key)
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
