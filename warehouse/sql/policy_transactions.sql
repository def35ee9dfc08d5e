WITH transactions AS (
    SELECT
        business_date,
        transaction_key,
        transaction_type,
        transaction_date,
        currency,
        max(period_key) AS period_key,
        max(fund_policy_key) AS fund_policy_key,
        max(charge_pattern) AS charge_pattern,
        max(account_key) AS account_key,
        max(charge_key) AS charge_key,
        max(item_key) AS item_key,
        max(payment_key) AS payment_key,
        max(reverses_transaction_key) AS reverses_transaction_key,
        sum(amount) FILTER (side = 'D') AS amount
    FROM $journal_lines
    WHERE period_key <> 0 OR fund_policy_key <> 0
    GROUP BY ALL
)
SELECT
    line.*,
    line.transaction_key AS transaction_id,
    coalesce(period.policy_id, fund.policy_id) AS policy_id,
    period.term_number,
    account.account_id,
    nullif(line.charge_key, 0) AS charge_id,
    nullif(line.item_key, 0) AS item_id,
    payment.payment_id,
    nullif(line.reverses_transaction_key, 0) AS reverses_transaction_id
FROM transactions AS line
LEFT JOIN stored.period_ids AS period ON period.period_key = line.period_key
LEFT JOIN stored.policy_ids AS fund ON fund.policy_key = line.fund_policy_key
LEFT JOIN stored.account_ids AS account ON account.account_key = line.account_key
LEFT JOIN stored.receipts AS payment ON payment.payment_key = line.payment_key
