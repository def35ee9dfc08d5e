SELECT
    part.*,
    part.payment_item_key AS payment_item_id,
    payment.payment_id,
    nullif(part.credit_item_key, 0) AS credit_item_id,
    part.item_key AS item_id,
    part.charge_key AS charge_id,
    account.account_id,
    account.currency
FROM $payment_items AS part
LEFT JOIN $payments AS payment ON payment.payment_key = part.payment_key
LEFT JOIN $accounts AS account ON account.account_key = part.account_key
