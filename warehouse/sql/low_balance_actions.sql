-- An invoice that ended without being billed, with what was open of it at the end of that day. Its items went to another
-- invoice of its stream, as their events tell; those of held charges go whatever the balance.
WITH ended AS (
    SELECT invoice_key, stream_key, account_key, outcome, min(business_date) AS business_date
    FROM $invoices_versions
    WHERE outcome IN ('carried_forward', 'written_off')
    GROUP BY ALL
),

moved AS (
    SELECT
        target.stream_key,
        event.business_date,
        max(event.invoice_key) AS target_key,
        item.currency,
        sum(item.amount - item.paid - item.written_off) AS amount
    FROM $item_events AS event
    JOIN $invoices AS target USING (invoice_key)
    JOIN $invoice_items_versions AS item ON item.item_key = event.item_key AND item.business_date = event.business_date
    ASOF JOIN $charges_versions AS charge
        ON charge.charge_key = item.charge_key AND charge.business_date <= event.business_date
    WHERE
        event.event_type = 'Item Moved to a New Instance'
        AND event.command_id IS NULL
        AND charge.hold_reason IS NULL
    GROUP BY target.stream_key, event.business_date, item.currency
),

written_off AS (
    SELECT item.invoice_key, item.currency, sum(part.amount) AS amount
    FROM $write_off_items AS part
    JOIN $invoice_items AS item USING (item_key)
    WHERE part.reason = 'low_balance_invoice' AND part.reverses_write_off_item_key = 0
    GROUP BY item.invoice_key, item.currency
),

actions AS (
    SELECT ended.*, 'carry_forward' AS action, moved.currency, moved.amount, moved.target_key
    FROM ended
    JOIN moved USING (stream_key, business_date)
    WHERE ended.outcome = 'carried_forward'
    UNION ALL
    SELECT ended.*, 'write_off', written_off.currency, written_off.amount, NULL
    FROM ended
    JOIN written_off USING (invoice_key)
    WHERE ended.outcome = 'written_off'
)

SELECT
    action.business_date,
    action.invoice_key AS invoice_id,
    account.account_id,
    action.currency,
    action.amount,
    plan.low_balance_threshold AS threshold,
    action.action,
    action.target_key AS target_invoice_id
FROM actions AS action
JOIN $accounts AS account USING (account_key)
LEFT JOIN $billing_plans AS plan USING (billing_plan)
