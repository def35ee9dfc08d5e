SELECT
    line.business_date,
    line.transaction_date,
    line.transaction_key AS transaction_id,
    line.transaction_type,
    CASE WHEN line.owner_type = 'Account' THEN owner.owner_id END AS account_id,
    fund.policy_id,
    payment.payment_id,
    paid.disbursement_id,
    paid.reason,
    paid.payee,
    CASE line.side WHEN 'D' THEN line.amount ELSE -line.amount END AS amount,
    line.currency,
    nullif(line.reverses_transaction_key, 0) AS reverses_transaction_id
FROM $lines_in_effect AS line
LEFT JOIN stored.owner_ids AS owner ON owner.owner_type = line.owner_type AND owner.owner_key = line.owner_key
LEFT JOIN stored.policy_ids AS fund ON fund.policy_key = line.fund_policy_key
LEFT JOIN stored.receipts AS payment
    ON payment.payment_key = CASE line.owner_type WHEN 'SuspensePayment' THEN line.owner_key ELSE line.payment_key END
LEFT JOIN stored.disbursements AS paid
    ON
        paid.transaction_key
        = CASE WHEN line.reverses_transaction_key = 0 THEN line.transaction_key ELSE line.reverses_transaction_key END
WHERE
    line.t_account_pattern IN ('Unapplied', 'Designated Unapplied')
    AND line.transaction_type IN (
        'DisbursementPaid', 'AgencyDisbursementPaid', 'SuspPymtDisbPaid', 'AccountAdjustment'
    )
