-- What the journal and the versions of the items tell, and beside it what was recorded as it happened. `gross` is what
-- the event changes of what is open of the item: nothing where an item only goes elsewhere, nor where it is reversed by
-- an offset, which then pays it.
WITH posted AS (
    SELECT
        business_date,
        item_key,
        transaction_type,
        transaction_key,
        reverses_transaction_key,
        sum(CASE side WHEN 'D' THEN amount ELSE -amount END) FILTER (t_account_pattern = '<Charge Pattern> Due') AS due
    FROM $journal
    WHERE
        item_key <> 0
        AND transaction_type IN (
            'ChargeBilled', 'ChargeDue', 'ChargePaidFromAccount', 'ChargePaidFromProducer', 'ChargeWrittenOff'
        )
    GROUP BY ALL
),

recorded AS (
    SELECT
        event.* EXCLUDE (gross),
        CASE
            WHEN event_type IN ('Item Moved to a New Instance', 'Item Assigned to Payer') THEN NULL
            WHEN
                event_type = 'Item Reversed'
                AND item_key IN (SELECT related_item_key FROM $invoice_items WHERE reversal_kind = 'offset')
                THEN NULL
            ELSE gross
        END AS gross,
        event_type IN ('Item Created as Onset', 'Item Created as Reversal', 'Item Created by Payment Plan Refactor')
            AS is_creation
    FROM $item_events AS event
),

first_versions AS (
    SELECT item_key, charge_key, min(business_date) AS business_date, arg_min(amount, business_date) AS amount
    FROM $invoice_items_versions
    GROUP BY item_key, charge_key
),

charged AS (
    SELECT transaction_key, charge_key, business_date
    FROM $journal
    WHERE transaction_type = 'InitialChargeTxn' AND line_no = 1
),

-- An item begins as a part of its charge, unless its beginning was recorded as something else. What changed it on that
-- same day is an event of its own.
begun AS (
    SELECT
        version.business_date,
        version.item_key,
        charged.transaction_key,
        version.amount - coalesce(
            (
                SELECT sum(event.gross)
                FROM recorded AS event
                WHERE
                    event.item_key = version.item_key
                    AND event.business_date = version.business_date
                    AND event.event_type IN ('Item Gross Amount Changed', 'Item Reversed')
            ),
            0
        ) AS gross
    FROM first_versions AS version
    LEFT JOIN charged USING (charge_key, business_date)
    WHERE version.item_key NOT IN (SELECT item_key FROM recorded WHERE is_creation)
),

events AS (
    SELECT business_date, item_key, 'Item Charged' AS event_type, transaction_key, gross, NULL AS write_off
    FROM begun
    UNION ALL BY NAME
    SELECT
        business_date,
        item_key,
        CASE
            WHEN transaction_type = 'ChargeBilled' THEN 'Item Billed'
            WHEN transaction_type = 'ChargeDue' THEN 'Item Made Due'
            WHEN transaction_type = 'ChargeWrittenOff' THEN 'Charge Written Off'
            WHEN reverses_transaction_key <> 0 THEN 'Payment Reversed'
            ELSE 'Payment Received'
        END AS event_type,
        transaction_key,
        CASE WHEN transaction_type NOT IN ('ChargeBilled', 'ChargeDue') THEN due END AS gross,
        CASE WHEN transaction_type = 'ChargeWrittenOff' THEN -due END AS write_off
    FROM posted
    UNION ALL BY NAME
    SELECT
        DATE '1900-01-01' + CAST(payment_item_key // 4294967296 AS INTEGER) AS business_date,
        item_key,
        'Payment Received' AS event_type,
        -amount AS gross
    FROM $payment_items
    WHERE kind = 'settlement' AND transaction_key = 0
    UNION ALL BY NAME
    SELECT business_date, item_key, event_type, gross, related_item_key, account_key, command_id
    FROM recorded
)

SELECT
    event.business_date,
    event.item_key AS item_id,
    item.charge_key AS charge_id,
    event.event_type,
    event.transaction_key AS transaction_id,
    item.currency,
    event.gross,
    event.write_off,
    nullif(event.related_item_key, 0) AS related_item_id,
    account.account_id AS new_payer_account_id,
    event.command_id
FROM events AS event
JOIN $invoice_items AS item USING (item_key)
LEFT JOIN stored.account_ids AS account ON account.account_key = event.account_key
