SELECT account.account_id, policy.policy_id AS fund_policy_id, NULL AS payment_id, fund.balance, fund.currency
FROM $funds AS fund
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.policy_ids AS policy USING (policy_key)
WHERE fund.balance < 0
UNION ALL
SELECT NULL, NULL, payment.payment_id, -disbursement.amount, disbursement.currency
FROM $disbursements AS disbursement
JOIN $payments AS payment ON payment.payment_key = disbursement.payment_key
WHERE disbursement.payment_key > 0 AND disbursement.status = 'Sent' AND payment.status = 'reversed'
