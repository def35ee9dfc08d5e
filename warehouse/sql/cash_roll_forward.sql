-- Every line on cash, funds and suspense by its day and the one column that it belongs to. The closing balance adds up
-- all lines, so that a line of no column shows as a difference.
WITH lines AS (
    SELECT
        line.business_date,
        line.currency,
        CASE
            WHEN line.t_account_pattern = 'Cash' THEN 'cash'
            WHEN line.owner_type = 'Producer' THEN 'producer'
            WHEN line.t_account_pattern = 'Suspense' THEN 'suspense_item'
            WHEN line.owner_type = 'SuspensePayment' THEN 'suspense_payment'
            WHEN line.fund_policy_key > 0 THEN 'designated'
            ELSE 'default'
        END AS fund_type,
        CASE
            WHEN
                line.transaction_type IN (
                    'DirectBillMoneyReceivedTxn', 'AgencyBillMoneyReceivedTxn', 'SuspPymtTransaction'
                )
                THEN
                    CASE
                        WHEN line.reverses_transaction_key = 0 AND receipt.from_payment_key <> 0 THEN 'moved'
                        WHEN line.reverses_transaction_key = 0 THEN 'received'
                        WHEN successor.from_payment_key IS NOT NULL THEN 'moved'
                        ELSE 'reversed'
                    END
            WHEN
                line.transaction_type IN (
                    'DisbursementPaid', 'AgencyDisbursementPaid', 'SuspPymtDisbPaid', 'AccountAdjustment'
                )
                THEN 'disbursed'
            WHEN
                line.transaction_type IN (
                    'TransferTransaction', 'AcctUnappliedSuspTxn', 'AcctSuspenseReleaseTxn',
                    'ProdUnappliedSuspTxn', 'ProdSuspenseReleaseTxn'
                )
                THEN 'transferred'
            WHEN
                line.transaction_type IN (
                    'AccountCollectionTxn', 'AccountGoodwillTxn', 'AccountInterestTxn', 'AccountOtherTxn'
                )
                THEN 'credited'
            WHEN line.t_account_pattern = 'Cash' AND line.transaction_type LIKE 'ChargePaidFrom%' THEN 'collateral'
            WHEN line.transaction_type LIKE 'ChargePaidFrom%' AND line.line_no > 1 THEN 'recaptured'
            WHEN line.transaction_type LIKE 'ChargePaidFrom%' OR line.transaction_type LIKE 'ArchiveCharge%'
                THEN 'applied'
            WHEN
                line.transaction_type IN (
                    'AccountNegativeWriteoffTxn', 'ProducerNegWriteoffTxn', 'ProducerWriteoff'
                )
                THEN 'written_off'
            WHEN line.transaction_type IN ('CollateralPaidFromAccount', 'CollateralDrawdown') THEN 'collateral'
            WHEN line.transaction_type IN ('ProducerPaymentSent', 'ProducerPaymentRecd') THEN 'commissions'
        END AS movement,
        CASE
            WHEN (line.side = 'D') = (line.t_account_pattern = 'Cash') THEN line.amount
            ELSE -line.amount
        END AS change
    FROM $lines_in_effect AS line
    LEFT JOIN stored.receipts AS receipt ON receipt.payment_key = line.payment_key
    LEFT JOIN (
        SELECT DISTINCT from_payment_key FROM stored.receipts WHERE from_payment_key <> 0
    ) AS successor ON successor.from_payment_key = line.payment_key
    WHERE line.t_account_pattern IN ('Cash', 'Unapplied', 'Designated Unapplied', 'Suspense')
),

days AS (
    SELECT
        business_date,
        fund_type,
        currency,
        coalesce(sum(change) FILTER (movement = 'received'), 0) AS received,
        coalesce(-sum(change) FILTER (movement = 'reversed'), 0) AS reversed,
        coalesce(sum(change) FILTER (movement = 'moved'), 0) AS moved,
        coalesce(-sum(change) FILTER (movement = 'disbursed'), 0) AS disbursed,
        coalesce(sum(change) FILTER (movement = 'transferred'), 0) AS transferred,
        coalesce(sum(change) FILTER (movement = 'credited'), 0) AS credited,
        coalesce(-sum(change) FILTER (movement = 'applied'), 0) AS applied,
        coalesce(sum(change) FILTER (movement = 'recaptured'), 0) AS recaptured,
        coalesce(-sum(change) FILTER (movement = 'written_off'), 0) AS written_off,
        coalesce(sum(change) FILTER (movement = 'collateral'), 0) AS collateral,
        coalesce(sum(change) FILTER (movement = 'commissions'), 0) AS commissions,
        sum(change) AS change
    FROM lines
    GROUP BY business_date, fund_type, currency
)

SELECT
    days.*,
    sum(change) OVER until_now - change AS opening,
    sum(change) OVER until_now AS closing
FROM days
WINDOW until_now AS (PARTITION BY fund_type, currency ORDER BY business_date)
ORDER BY business_date, fund_type, currency
