SELECT
    item.item_key AS item_id,
    item.charge_key AS charge_id,
    account.account_id,
    policy.policy_id,
    item.invoice_key AS invoice_id,
    target.invoice_key AS target_invoice_id,
    target.bill_date,
    target.due_date,
    target.is_ad_hoc
FROM $item_status AS item
JOIN $invoice_status AS target ON target.account_key = item.account_key AND target.invoice_key <> item.invoice_key
LEFT JOIN stored.account_ids AS account ON account.account_key = item.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = item.policy_key
WHERE item.status = 'Planned' AND target.status = 'Planned'
