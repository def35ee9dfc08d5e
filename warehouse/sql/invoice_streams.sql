SELECT stream.*, stream.stream_key AS stream_id, account.account_id, policy.policy_id
FROM $invoice_streams AS stream
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
