SELECT
    part.*,
    -- the key is packed from the day and a sequence
    DATE '1900-01-01' + CAST(part.payment_item_key // 4294967296 AS INTEGER) AS business_date,
    part.payment_item_key AS payment_item_id,
    payment.payment_id,
    nullif(part.credit_item_key, 0) AS credit_item_id,
    part.item_key AS item_id,
    part.charge_key AS charge_id,
    account.account_id,
    item.currency,
    nullif(part.reverses_payment_item_key, 0) AS reverses_payment_item_id
FROM $payment_items AS part
LEFT JOIN $payments AS payment ON payment.payment_key = part.payment_key
LEFT JOIN $invoice_items AS item ON item.item_key = part.item_key
LEFT JOIN stored.account_ids AS account ON account.account_key = part.account_key
