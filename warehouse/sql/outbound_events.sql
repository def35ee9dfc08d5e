SELECT event.*, account.account_id, nullif(event.invoice_key, 0) AS invoice_id, account.currency
FROM $outbound_events AS event
LEFT JOIN $accounts AS account USING (account_key)
