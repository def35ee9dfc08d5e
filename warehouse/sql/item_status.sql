-- One row per invoice item that is on an invoice: the dates and status of the invoice, the T-account in which the amount
-- of the item stands (what was written off passed through Due), and what is open of it.
SELECT
    item.*,
    invoice.bill_date,
    invoice.due_date,
    invoice.status,
    CASE
        WHEN invoice.status = 'Billed' THEN 'Billed'
        WHEN invoice.status IN ('Due', 'Written Off') THEN 'Due'
        ELSE 'Unbilled'
    END AS receivable,
    item.amount - item.paid - item.written_off AS amount_due
FROM $invoice_items AS item
JOIN $invoice_status AS invoice USING (invoice_key)
