-- One row per invoice item: the dates of its invoice, its status on the day and what is open of it.
SELECT
    item.*,
    invoice.bill_date,
    invoice.due_date,
    CASE
        WHEN invoice.bill_date > $as_of THEN 'Planned'
        WHEN invoice.due_date + $due_lag_days <= $as_of THEN 'Due'
        ELSE 'Billed'
    END AS status,
    item.amount - item.paid AS amount_due
FROM $invoice_items AS item
LEFT JOIN $invoices AS invoice USING (invoice_key)
