WITH activities AS (
    SELECT
        subject_type,
        CASE WHEN subject_type = 'Disbursement' THEN disbursement.disbursement_id ELSE credit.credit_id END
            AS subject_id,
        approval.account_key,
        approval.amount,
        approval.currency,
        approval.requested_by,
        approval.assigned_to,
        approval.status,
        approval.opened_date,
        approval.decided_by,
        approval.decided_date
    FROM $approvals AS approval
    LEFT JOIN $ad_hoc_credits AS credit ON credit.credit_key = approval.subject_key
    LEFT JOIN $disbursements AS disbursement ON disbursement.disbursement_key = approval.subject_key
),
-- Above the review amount of a billing plan that opens no activities: it waits all the same (R-AD-3).
without_activity AS (
    SELECT
        'Disbursement' AS subject_type,
        disbursement_id AS subject_id,
        account_key,
        amount,
        currency,
        requested_by,
        NULL AS assigned_to,
        'Open' AS status,
        trigger_date AS opened_date,
        NULL AS decided_by,
        NULL AS decided_date
    FROM $disbursements AS disbursement
    WHERE status = 'AwaitingApproval'
        AND disbursement_key NOT IN (SELECT subject_key FROM $approvals WHERE subject_type = 'Disbursement')
)
SELECT waiting.*, account.account_id
FROM (SELECT * FROM activities UNION ALL SELECT * FROM without_activity) AS waiting
LEFT JOIN stored.account_ids AS account USING (account_key)
