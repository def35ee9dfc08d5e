SELECT
    item.*,
    item.item_key AS item_id,
    item.invoice_key AS invoice_id,
    period.policy_id,
    period.term_number
FROM $item_status AS item
JOIN stored.period_ids AS period USING (period_key)
ORDER BY period.policy_id, period.term_number, item.event_date, item.item_key
