SELECT *
FROM $warnings
