SELECT hold.*, account.account_id, disbursement.disbursement_id, hold.closed_date IS NULL AS is_open
FROM $disbursement_holds AS hold
LEFT JOIN stored.account_ids AS account ON account.account_key = hold.account_key
LEFT JOIN $disbursements AS disbursement USING (disbursement_key)
