-- External ids of policies.
SELECT policy_key, policy_id
FROM stored.policies
