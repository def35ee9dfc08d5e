-- What of payments never changes, so that the newest versions serve every day.
SELECT
    payment_key,
    payment_id,
    payment_date,
    received_date,
    amount,
    currency,
    account_key,
    from_payment_key
FROM stored.payments
