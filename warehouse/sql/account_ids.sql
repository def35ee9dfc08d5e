-- External ids of accounts. Ids never change, so the newest versions serve every day.
SELECT account_key, account_id
FROM stored.accounts
