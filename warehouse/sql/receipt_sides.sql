-- What comes into funds and leaves them, each posting less what took it back. Money that is applied for its own payment
-- does not pass through the queue: of a payment only what is left counts. A credit and the debt that it pays cancel out
-- inside the fund and are left out. `flow` is minus the payment, or the chain.
WITH queued AS (
    SELECT move.*, CASE WHEN payment_key > 0 THEN -payment_key ELSE chain END AS flow
    FROM $fund_moves AS move
    ANTI JOIN (SELECT transaction_key FROM stored.payment_items WHERE credit_item_key <> 0) AS credit
        ON credit.transaction_key = move.transaction_key AND NOT move.is_refill
)

SELECT
    fund_key,
    flow,
    sum(amount)::BIGINT AS amount,
    min(transaction_date) AS event_date,
    min(transaction_key) AS sequence,
    arg_min(transaction_type, transaction_key) AS transaction_type
FROM queued
GROUP BY fund_key, flow
HAVING sum(amount) <> 0
