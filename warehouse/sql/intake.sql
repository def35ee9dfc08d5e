SELECT *
FROM $intake
