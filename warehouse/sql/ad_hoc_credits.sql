SELECT
    credit.*,
    account.account_id,
    policy.policy_id AS fund_policy_id,
    nullif(credit.transaction_key, 0) AS transaction_id
FROM $ad_hoc_credits AS credit
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy
    ON credit.fund_key % 2 = 1 AND policy.policy_key = credit.fund_key // 2
