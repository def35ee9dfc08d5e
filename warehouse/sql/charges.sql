SELECT
    charge.* EXCLUDE (payer_account_id),
    charge.charge_key AS charge_id,
    instruction.instruction_id,
    coalesce(owner.owner_id, charge.owner_key::VARCHAR) AS owner_id,
    account.account_id,
    policy.policy_id,
    period.term_number,
    payer.account_id AS payer_account_id
FROM $charges AS charge
LEFT JOIN $instructions AS instruction USING (instruction_key)
LEFT JOIN stored.owner_ids AS owner ON owner.owner_type = charge.owner_type AND owner.owner_key = charge.owner_key
LEFT JOIN stored.account_ids AS account ON account.account_key = charge.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = charge.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = charge.period_key
LEFT JOIN stored.account_ids AS payer ON payer.account_key = charge.payer_account_key
