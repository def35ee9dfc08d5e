SELECT *
FROM $days
