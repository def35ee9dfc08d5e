SELECT fund.*, account.account_id, policy.policy_id
FROM $funds AS fund
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
