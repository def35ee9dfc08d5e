SELECT warning.*, period.policy_id, period.term_number, account.account_id, account.currency
FROM $equity_warnings AS warning
JOIN $policy_periods AS term USING (period_key)
JOIN stored.period_ids AS period USING (period_key)
LEFT JOIN $accounts AS account ON account.account_key = term.account_key
