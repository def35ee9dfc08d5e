SELECT
    charge.* EXCLUDE (payer_account_id, context),
    charge.charge_key AS charge_id,
    instruction.instruction_id,
    coalesce(owner.owner_id, charge.owner_key::VARCHAR) AS owner_id,
    account.account_id,
    policy.policy_id,
    period.term_number,
    payer.account_id AS payer_account_id,
    pattern.category,
    -- A charge that takes another back has no context of its own (R-BI-15).
    CASE WHEN charge.reverses_charge_key = 0 THEN charge.context END AS context,
    charge.hold_reason IS NOT NULL AS is_held,
    reversal.charge_key IS NOT NULL AS is_reversed,
    nullif(charge.reverses_charge_key, 0) AS reverses_charge_id
FROM $charges AS charge
LEFT JOIN $instructions AS instruction USING (instruction_key)
LEFT JOIN stored.owner_ids AS owner ON owner.owner_type = charge.owner_type AND owner.owner_key = charge.owner_key
LEFT JOIN stored.account_ids AS account ON account.account_key = charge.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = charge.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = charge.period_key
LEFT JOIN stored.account_ids AS payer ON payer.account_key = charge.payer_account_key
LEFT JOIN $charge_patterns AS pattern ON pattern.charge_pattern = charge.charge_pattern
LEFT JOIN (SELECT charge_key, reverses_charge_key FROM $charges WHERE reverses_charge_key <> 0) AS reversal
    ON reversal.reverses_charge_key = charge.charge_key
