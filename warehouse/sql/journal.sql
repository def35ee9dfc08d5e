SELECT
    line.*,
    line.transaction_key AS transaction_id,
    coalesce(owner.owner_id, line.owner_key::VARCHAR) AS owner_id,
    replace(line.t_account_pattern, '<Charge Pattern>', line.charge_pattern) AS t_account,
    account.account_id,
    coalesce(period.policy_id, fund.policy_id) AS policy_id,
    period.term_number,
    nullif(line.charge_key, 0) AS charge_id,
    nullif(line.item_key, 0) AS item_id,
    payment.payment_id,
    nullif(line.reverses_transaction_key, 0) AS reverses_transaction_id
FROM $journal_lines AS line
LEFT JOIN stored.owner_ids AS owner ON owner.owner_type = line.owner_type AND owner.owner_key = line.owner_key
LEFT JOIN stored.account_ids AS account ON account.account_key = line.account_key
LEFT JOIN stored.period_ids AS period ON period.period_key = line.period_key
LEFT JOIN stored.policy_ids AS fund ON fund.policy_key = line.fund_policy_key
LEFT JOIN stored.receipts AS payment ON payment.payment_key = line.payment_key
