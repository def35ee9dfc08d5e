-- The invoices that stand, with their status on the day: how they ended without being billed, else by their dates.
SELECT
    invoice.*,
    CASE
        WHEN invoice.outcome = 'carried_forward' THEN 'Carried Forward'
        WHEN invoice.outcome = 'written_off' THEN 'Written Off'
        WHEN invoice.bill_date > $as_of THEN 'Planned'
        WHEN invoice.due_date + $due_lag_days <= $as_of THEN 'Due'
        ELSE 'Billed'
    END AS status
FROM $invoices AS invoice
WHERE invoice.outcome IS DISTINCT FROM 'deleted'
