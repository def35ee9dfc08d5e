SELECT
    item.*,
    item.item_key AS item_id,
    item.charge_key AS charge_id,
    nullif(item.invoice_key, 0) AS invoice_id,
    account.account_id,
    coalesce(owner.owner_id, item.owner_key::VARCHAR) AS owner_id,
    policy.policy_id,
    period.term_number
FROM $item_status AS item
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.owner_ids AS owner ON owner.owner_type = item.owner_type AND owner.owner_key = item.owner_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = item.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = item.period_key
