SELECT
    side.flow AS group_id,
    account.account_id,
    fund.policy_id AS fund_policy_id,
    side.event_date,
    CASE WHEN side.period_key = 0 THEN 'Account Paid' ELSE 'Policy Period Paid' END AS event_type,
    period.policy_id,
    period.term_number,
    -side.amount AS amount,
    side.currency
FROM $tracking_sides AS side
LEFT JOIN stored.account_ids AS account ON account.account_key = side.account_key
LEFT JOIN stored.policy_ids AS fund ON fund.policy_key = side.fund_policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = side.period_key
WHERE side.kind = 'Payment Item Group'
