WITH sides AS MATERIALIZED (
    SELECT * FROM $tracking_sides
),

parts AS MATERIALIZED (
    SELECT * FROM $tracking_matches WHERE source IS NOT NULL AND use IS NOT NULL
)

SELECT
    source.flow AS source_id,
    source.kind AS source_type,
    source.event_date AS source_date,
    use.flow AS use_id,
    use.kind AS use_type,
    use.event_date AS use_date,
    part.amount,
    source.currency,
    account.account_id,
    fund.policy_id AS fund_policy_id
FROM parts AS part
JOIN sides AS source ON source.flow = part.source
JOIN sides AS use ON use.flow = part.use
LEFT JOIN stored.account_ids AS account ON account.account_key = source.account_key
LEFT JOIN stored.policy_ids AS fund ON fund.policy_key = source.fund_policy_key
