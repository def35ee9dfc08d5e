SELECT
    item.*,
    item.item_key AS item_id,
    item.charge_key AS charge_id,
    item.invoice_key AS invoice_id,
    account.account_id,
    coalesce(owner.owner_id, item.owner_key::VARCHAR) AS owner_id,
    owning.account_id AS owner_account_id,
    policy.policy_id,
    period.term_number,
    item.amount = item.paid AS is_paid,
    nullif(item.related_item_key, 0) AS related_item_id
FROM $item_status AS item
LEFT JOIN $charges AS charge USING (charge_key)
LEFT JOIN stored.account_ids AS account ON account.account_key = item.account_key
LEFT JOIN stored.account_ids AS owning ON owning.account_key = charge.account_key
LEFT JOIN stored.owner_ids AS owner ON owner.owner_type = item.owner_type AND owner.owner_key = item.owner_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = item.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = item.period_key
