SELECT command.*, account.account_id
FROM $commands AS command
LEFT JOIN stored.account_ids AS account USING (account_key)
