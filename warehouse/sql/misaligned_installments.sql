-- What was past when the charge arrived shares an invoice by rule (R-CI-48): only later event dates count. An item that
-- was taken back, and what stands in its place, is no matter of dates.
SELECT
    item.charge_key AS charge_id,
    item.invoice_key AS invoice_id,
    account.account_id,
    period.policy_id,
    period.term_number,
    item.charge_pattern,
    item.bill_date,
    count(*) AS installments,
    min(item.event_date) AS first_event_date,
    max(item.event_date) AS last_event_date
FROM $item_status AS item
JOIN $charges AS charge USING (charge_key)
LEFT JOIN stored.account_ids AS account ON account.account_key = item.account_key
LEFT JOIN stored.period_ids AS period ON period.period_key = item.period_key
WHERE item.item_type = 'installment' AND item.reversal_kind = 'none' AND item.event_date >= charge.charge_date
GROUP BY ALL
HAVING count(*) > 1
