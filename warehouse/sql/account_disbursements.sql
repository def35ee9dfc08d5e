SELECT
    disbursement.*,
    account.account_id,
    policy.policy_id AS fund_policy_id,
    disbursement.status IN ('AwaitingApproval', 'Approved') AS is_pending,
    CASE WHEN disbursement.status IN ('AwaitingApproval', 'Approved') THEN coalesce(fund.balance, 0) END AS fund_balance
FROM $disbursements AS disbursement
JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN $funds AS fund ON fund.fund_key = disbursement.fund_key
LEFT JOIN stored.policy_ids AS policy
    ON disbursement.fund_key % 2 = 1 AND policy.policy_key = disbursement.fund_key // 2
