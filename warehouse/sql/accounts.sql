SELECT *
FROM $accounts
