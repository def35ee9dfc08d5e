WITH charged AS (
    SELECT charge_pattern, currency, sum(amount) AS charged
    FROM $charges
    WHERE charge_subtype = 'pass_through'
    GROUP BY charge_pattern, currency
),

collected AS (
    SELECT item.charge_pattern, item.currency, sum(item.paid) AS collected
    FROM $invoice_items AS item
    WHERE item.charge_pattern IN (SELECT charge_pattern FROM charged)
    GROUP BY item.charge_pattern, item.currency
),

reserves AS (
    SELECT charge_pattern, currency, sum(CASE side WHEN 'C' THEN amount ELSE -amount END) AS reserve_balance
    FROM $journal
    WHERE t_account_pattern = '<Charge Pattern> Reserve'
    GROUP BY charge_pattern, currency
)

SELECT
    charge_pattern,
    currency,
    charged,
    coalesce(collected, 0) AS collected,
    coalesce(reserve_balance, 0) AS reserve_balance
FROM charged
LEFT JOIN collected USING (charge_pattern, currency)
LEFT JOIN reserves USING (charge_pattern, currency)
ORDER BY charge_pattern, currency
