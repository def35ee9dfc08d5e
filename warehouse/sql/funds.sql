SELECT
    fund.*,
    account.account_id,
    policy.policy_id,
    CASE WHEN fund.policy_key = 0 THEN 'default' ELSE 'designated' END AS kind,
    fund.balance < 0 AS is_negative
FROM $funds AS fund
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
