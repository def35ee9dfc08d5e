SELECT
    part.*,
    -- the key is packed from the day and a sequence
    DATE '1900-01-01' + CAST(part.write_off_item_key // 4294967296 AS INTEGER) AS business_date,
    part.write_off_item_key AS write_off_item_id,
    part.item_key AS item_id,
    part.charge_key AS charge_id,
    account.account_id,
    item.currency,
    nullif(part.reverses_write_off_item_key, 0) AS reverses_write_off_item_id
FROM $write_off_items AS part
LEFT JOIN $invoice_items AS item ON item.item_key = part.item_key
LEFT JOIN stored.account_ids AS account ON account.account_key = part.account_key
