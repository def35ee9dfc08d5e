SELECT
    row.*,
    row.record_id AS instruction_id,
    row.raw_json ->> 'instruction_type' AS instruction_type,
    row.raw_json ->> 'account_id' AS account_id,
    row.raw_json ->> 'policy_id' AS policy_id
FROM $quarantine AS row
WHERE row.table_name = 'billing_instructions'
