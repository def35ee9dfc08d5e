SELECT request.*, request.invoice_key AS invoice_id, payment.payment_id, account.account_id
FROM $payment_requests AS request
LEFT JOIN $payments AS payment ON payment.payment_key = request.payment_key
LEFT JOIN stored.account_ids AS account ON account.account_key = request.account_key
