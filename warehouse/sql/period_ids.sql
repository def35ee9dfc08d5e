-- External ids of policy periods; a period is shown as its policy and term.
SELECT
    period.period_key,
    policy.policy_id,
    period.term_number,
    policy.policy_id || '/' || period.term_number AS owner_id
FROM stored.policy_periods AS period
JOIN stored.policies AS policy USING (policy_key)
