-- The moves of funds that are tracked, with what kind of source or use each is part of (06 section 2.10), and `flow`, by
-- which they are one. What was recorded before tracking began is the balance that each fund brings forward. Payment
-- items are one group per day, fund and policy period; items of the account are a group of their own (R-FT-2).
WITH sorted_moves AS (
    SELECT
        move.*,
        enabled_on,
        business_date < enabled_on AS is_forward,
        (transaction_type LIKE 'ChargePaidFrom%' OR transaction_type LIKE 'ArchiveCharge%') AND NOT is_refill
        AS is_paid
    FROM $fund_moves AS move
    JOIN stored.funds_tracking ON enabled_on <= $as_of
)

SELECT
    *,
    CASE WHEN is_forward THEN enabled_on ELSE transaction_date END AS event_date,
    CASE
        WHEN is_forward THEN 'Unapplied Fund Balance Forward'
        WHEN reverses_transaction_key <> 0 THEN 'Reversal'
        WHEN is_paid THEN 'Payment Item Group'
        WHEN is_refill OR transaction_type = 'TransferTransaction'
            THEN CASE WHEN amount > 0 THEN 'Transfer In' ELSE 'Transfer Out' END
        WHEN transaction_type = 'DirectBillMoneyReceivedTxn' AND amount > 0 THEN 'Direct Bill Money Received'
        WHEN transaction_type = 'CollateralDrawdown' AND amount > 0 THEN 'Collateral Drawdown'
        WHEN
            transaction_type IN (
                'AccountCollectionTxn', 'AccountGoodwillTxn', 'AccountInterestTxn', 'AccountOtherTxn'
            ) AND amount > 0
            THEN 'Ad Hoc Credit'
        WHEN transaction_type IN ('DisbursementPaid', 'AccountAdjustment') AND amount < 0 THEN 'Disbursement'
        WHEN transaction_type = 'AccountNegativeWriteoffTxn' AND amount < 0 THEN 'Negative Write-off'
        WHEN transaction_type = 'CollateralPaidFromAccount' AND amount < 0 THEN 'Collateral Transfer'
        -- Suspense is a place like another account: money goes there, and comes back when it is released.
        WHEN transaction_type = 'AcctUnappliedSuspTxn' AND amount < 0 THEN 'Transfer Out'
        -- The other way round than a type is meant, it takes back what it did before, as a released suspense item does.
        ELSE 'Reversal'
    END AS kind,
    CASE
        WHEN is_forward THEN -fund_key
        WHEN is_paid
            THEN
                min(transaction_key) OVER (
                    PARTITION BY
                        is_forward, is_paid, reverses_transaction_key <> 0, fund_key, business_date, period_key
                ) * 8 + 1
        ELSE transaction_key * 8 + line_no
    END AS flow
FROM sorted_moves
