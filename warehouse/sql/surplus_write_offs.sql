SELECT kept.*, kept.command_id AS surplus_write_off_id, account.account_id, policy.policy_id
FROM $surplus_write_offs AS kept
LEFT JOIN $funds AS fund USING (fund_key)
LEFT JOIN stored.account_ids AS account ON account.account_key = kept.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = fund.policy_key
