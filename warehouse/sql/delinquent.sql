-- Items are looked at one by one: the net Due balance would let a payment in advance hide an overdue item (R-LED-26).
WITH due_items AS (
    SELECT
        charge.owner_type,
        charge.account_key,
        charge.period_key,
        item.currency,
        item.amount_due,
        CASE WHEN item.amount_due > 0 THEN item.due_date END AS overdue_since
    FROM $item_status AS item
    JOIN $charges AS charge USING (charge_key)
    WHERE item.receivable = 'Due' AND item.amount_due <> 0
),

owners AS (
    SELECT
        'Account' AS owner_type,
        account_key,
        0 AS period_key,
        currency,
        sum(amount_due) AS due_amount,
        min(overdue_since) AS oldest_due_date
    FROM due_items
    GROUP BY account_key, currency
    UNION ALL
    SELECT owner_type, account_key, period_key, currency, sum(amount_due), min(overdue_since)
    FROM due_items
    WHERE owner_type = 'PolicyPeriod'
    GROUP BY owner_type, account_key, period_key, currency
)

SELECT
    owners.*,
    account.account_id,
    period.policy_id,
    period.term_number,
    $as_of - oldest_due_date AS days_past_due
FROM owners
LEFT JOIN stored.account_ids AS account USING (account_key)
LEFT JOIN stored.period_ids AS period USING (period_key)
WHERE due_amount > 0
