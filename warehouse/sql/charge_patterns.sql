SELECT *
FROM $charge_patterns
