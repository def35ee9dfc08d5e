SELECT
    charge.* EXCLUDE (payer_account_id),
    charge.charge_key AS charge_id,
    account.account_id,
    policy.policy_id,
    period.term_number,
    pattern.category
FROM $charges AS charge
JOIN $charge_patterns AS pattern ON pattern.charge_pattern = charge.charge_pattern
LEFT JOIN stored.account_ids AS account ON account.account_key = charge.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = charge.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = charge.period_key
WHERE
    pattern.is_reversible
    AND charge.reverses_charge_key = 0
    AND charge.charge_key NOT IN (SELECT reverses_charge_key FROM $charges WHERE reverses_charge_key <> 0)
