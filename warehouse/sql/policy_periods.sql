SELECT period.*, policy.policy_id, account.account_id
FROM $policy_periods AS period
JOIN stored.policy_ids AS policy USING (policy_key)
LEFT JOIN stored.account_ids AS account USING (account_key)
