SELECT *
FROM $quarantine
