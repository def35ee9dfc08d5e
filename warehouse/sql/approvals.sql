SELECT
    approval.*,
    approval.approval_key AS approval_id,
    account.account_id,
    CASE WHEN approval.subject_type = 'Disbursement' THEN disbursement.disbursement_id ELSE credit.credit_id END
        AS subject_id
FROM $approvals AS approval
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN $ad_hoc_credits AS credit ON credit.credit_key = approval.subject_key
LEFT JOIN $disbursements AS disbursement ON disbursement.disbursement_key = approval.subject_key
