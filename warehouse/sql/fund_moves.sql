-- One row per journal line on a fund, `amount` being what it adds to the fund. What a recapture refills is not money of
-- the payment that paid it (R-RC-5): it has no payment. `chain` names a posting and whatever takes it back alike.
SELECT
    CASE WHEN fund_policy_key > 0 THEN fund_policy_key * 2 + 1 ELSE owner_key * 2 END AS fund_key,
    owner_key AS account_key,
    fund_policy_key,
    business_date,
    transaction_date,
    transaction_key,
    line_no,
    transaction_type,
    reverses_transaction_key,
    CASE WHEN reverses_transaction_key = 0 THEN transaction_key ELSE reverses_transaction_key END * 8 + line_no AS chain,
    transaction_type LIKE 'ChargePaidFrom%' AND line_no > 1 AS is_refill,
    CASE WHEN transaction_type LIKE 'ChargePaidFrom%' AND line_no > 1 THEN 0 ELSE payment_key END AS payment_key,
    period_key,
    currency,
    CASE side WHEN 'C' THEN amount ELSE -amount END AS amount
FROM $lines_in_effect
WHERE owner_type = 'Account' AND t_account_pattern IN ('Unapplied', 'Designated Unapplied')
