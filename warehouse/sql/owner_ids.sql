-- External ids of the owners of T-accounts.
SELECT 'Account' AS owner_type, account_key AS owner_key, account_id AS owner_id
FROM stored.accounts
UNION ALL
SELECT 'PolicyPeriod', period_key, owner_id
FROM stored.period_ids
