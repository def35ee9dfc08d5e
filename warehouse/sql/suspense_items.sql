SELECT item.*, payment.payment_id, account.account_id
FROM $suspense_items AS item
LEFT JOIN $payments AS payment USING (payment_key)
LEFT JOIN stored.account_ids AS account ON account.account_key = item.account_key
