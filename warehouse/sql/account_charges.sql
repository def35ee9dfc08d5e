-- The items decide who pays: a charge belongs to its owner whoever pays, and to everybody who pays a part of it.
WITH relations AS (
    SELECT account_key, charge_key, true AS is_owner, false AS is_payer
    FROM $charges
    UNION ALL
    SELECT DISTINCT account_key, charge_key, false, true
    FROM $item_status
),

accounts AS (
    SELECT account_key, charge_key, bool_or(is_owner) AS is_owner, bool_or(is_payer) AS is_payer
    FROM relations
    GROUP BY account_key, charge_key
)

SELECT
    charge.* EXCLUDE (payer_account_id, context),
    account.account_id,
    relation.is_owner,
    relation.is_payer,
    charge.charge_key AS charge_id,
    policy.policy_id,
    period.term_number,
    payer.account_id AS payer_account_id,
    CASE WHEN charge.reverses_charge_key = 0 THEN charge.context END AS context,
    charge.hold_reason IS NOT NULL AS is_held
FROM accounts AS relation
JOIN $charges AS charge USING (charge_key)
JOIN stored.account_ids AS account ON account.account_key = relation.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = charge.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = charge.period_key
LEFT JOIN stored.account_ids AS payer ON payer.account_key = charge.payer_account_key
