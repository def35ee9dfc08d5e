WITH assigned AS (
    SELECT subject_key AS disbursement_key, any_value(assigned_to) AS assigned_to
    FROM $approvals WHERE subject_type = 'Disbursement' AND status = 'Open' GROUP BY subject_key
),
held AS (SELECT DISTINCT account_key FROM $disbursement_holds WHERE closed_date IS NULL)
SELECT
    disbursement.*,
    account.account_id,
    policy.policy_id AS fund_policy_id,
    payment.payment_id,
    assigned.assigned_to,
    held.account_key IS NOT NULL AND disbursement.status IN ('AwaitingApproval', 'Approved') AS is_held,
    nullif(disbursement.transaction_key, 0) AS transaction_id
FROM $disbursements AS disbursement
LEFT JOIN assigned USING (disbursement_key)
LEFT JOIN held ON held.account_key = disbursement.account_key
LEFT JOIN stored.account_ids AS account ON account.account_key = disbursement.account_key
LEFT JOIN stored.policy_ids AS policy
    ON disbursement.fund_key % 2 = 1 AND policy.policy_key = disbursement.fund_key // 2
LEFT JOIN $payments AS payment ON payment.payment_key = disbursement.payment_key AND disbursement.payment_key > 0
