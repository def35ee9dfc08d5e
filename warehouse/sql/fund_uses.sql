WITH served AS (
    SELECT use AS flow, sum(amount) AS allotted FROM $tracking_matches WHERE source IS NOT NULL GROUP BY use
)

SELECT
    side.* EXCLUDE (amount),
    -side.amount AS amount,
    side.flow AS use_id,
    side.kind AS use_type,
    coalesce(served.allotted, 0) AS allotted,
    -side.amount - coalesce(served.allotted, 0) AS unallotted,
    account.account_id,
    fund.policy_id AS fund_policy_id,
    period.policy_id,
    period.term_number,
    payment.payment_id
FROM $tracking_sides AS side
LEFT JOIN served USING (flow)
LEFT JOIN stored.account_ids AS account ON account.account_key = side.account_key
LEFT JOIN stored.policy_ids AS fund ON fund.policy_key = side.fund_policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = side.period_key
LEFT JOIN stored.receipts AS payment ON payment.payment_key = side.payment_key
WHERE side.amount < 0
