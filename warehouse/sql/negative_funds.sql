-- In the order in which things were recorded: since the transaction after which the fund stayed below zero.
WITH moves AS (
    SELECT
        fund_key,
        any_value(account_key) AS account_key,
        any_value(fund_policy_key) AS policy_key,
        any_value(currency) AS currency,
        any_value(business_date) AS business_date,
        transaction_key,
        any_value(transaction_type) AS transaction_type,
        max(payment_key) AS payment_key,
        sum(amount) AS change
    FROM $fund_moves
    GROUP BY fund_key, transaction_key
),

balances AS (
    SELECT *, sum(change) OVER (PARTITION BY fund_key ORDER BY transaction_key) AS balance
    FROM moves
),

spells AS (
    SELECT
        *,
        last_value(balance) OVER whole AS last_balance,
        max(CASE WHEN balance >= 0 THEN transaction_key END) OVER whole AS last_covered
    FROM balances
    WINDOW whole AS (
        PARTITION BY fund_key ORDER BY transaction_key ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)

SELECT
    account.account_id,
    policy.policy_id,
    CASE WHEN spells.policy_key > 0 THEN 'designated' ELSE 'default' END AS fund_type,
    spells.currency,
    last_balance AS balance,
    business_date AS negative_since,
    $as_of - business_date AS days_negative,
    transaction_key AS transaction_id,
    transaction_type,
    change AS transaction_amount,
    payment.payment_id
FROM spells
LEFT JOIN stored.account_ids AS account ON account.account_key = spells.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = spells.policy_key
LEFT JOIN stored.receipts AS payment ON payment.payment_key = spells.payment_key
WHERE last_balance < 0 AND (last_covered IS NULL OR transaction_key > last_covered)
QUALIFY row_number() OVER (PARTITION BY fund_key ORDER BY transaction_key) = 1
