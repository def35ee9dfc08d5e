SELECT *
FROM $pending_rows
WHERE outcome = 'waiting'
