-- A receipt is split into what happened to it. What it paid itself, and what of it is set aside, names the payment; the
-- rest left its fund with the money of others, first in first out.
WITH receipts AS (
    SELECT
        payment_key,
        any_value(owner_type) = 'SuspensePayment' AS is_suspense,
        sum(CASE side WHEN 'D' THEN amount ELSE -amount END) AS standing,
        max(CASE WHEN reverses_transaction_key <> 0 THEN transaction_date END) AS ended_date,
        min(CASE WHEN reverses_transaction_key = 0 THEN transaction_date END) AS receipt_date
    FROM $lines_in_effect
    WHERE
        transaction_type IN ('DirectBillMoneyReceivedTxn', 'SuspPymtTransaction') AND t_account_pattern = 'Cash'
    GROUP BY payment_key
),

suspended AS (
    SELECT
        owner_key AS payment_key,
        sum(CASE side WHEN 'C' THEN amount ELSE -amount END) AS open,
        coalesce(
            sum(CASE side WHEN 'D' THEN amount ELSE -amount END) FILTER (transaction_type = 'SuspPymtDisbPaid'), 0
        ) AS disbursed,
        max(transaction_date) AS last_date
    FROM $lines_in_effect
    WHERE owner_type = 'SuspensePayment' AND t_account_pattern = 'Unapplied'
    GROUP BY owner_key
),

successors AS (
    SELECT from_payment_key AS payment_key, min(payment_id) AS to_payment_id
    FROM stored.receipts
    WHERE from_payment_key <> 0
    GROUP BY from_payment_key
),

-- What left a fund without naming a payment, and for a transfer the fund that it went to.
uses AS (
    SELECT
        side.flow,
        side.event_date,
        CASE
            WHEN side.transaction_type LIKE 'ChargePaidFrom%' THEN 'item'
            WHEN side.transaction_type IN ('DisbursementPaid', 'AccountAdjustment') THEN 'refund'
            WHEN side.transaction_type = 'AccountNegativeWriteoffTxn' THEN 'write-off'
            WHEN side.transaction_type LIKE 'Collateral%' THEN 'collateral'
            WHEN side.transaction_type = 'TransferTransaction' THEN 'transfer'
            ELSE 'other'
        END AS went_to,
        part.item_key,
        paid.disbursement_id,
        target.account_key AS to_account_key,
        target.fund_policy_key AS to_policy_key
    FROM $receipt_sides AS side
    LEFT JOIN stored.disbursements AS paid ON paid.transaction_key = side.flow // 8
    LEFT JOIN $applied_parts AS part ON part.transaction_key = side.flow // 8 AND part.payment_key = 0
    LEFT JOIN $fund_moves AS target
        ON
            target.transaction_key = side.flow // 8
            AND target.transaction_type = 'TransferTransaction'
            AND target.fund_key <> side.fund_key
    WHERE side.amount < 0 AND side.flow > 0
),

pieces AS (
    SELECT payment_key, 'item' AS went_to, true AS is_named, amount, applied_date, item_key
    FROM $applied_parts
    WHERE payment_key <> 0 AND kind <> 'settlement'
    UNION ALL BY NAME
    SELECT
        payment_key, 'suspense item' AS went_to, true AS is_named, amount, created_date AS applied_date,
        suspense_item_id
    FROM $suspense_items
    WHERE status = 'open'
    UNION ALL BY NAME
    SELECT
        payment_key,
        CASE WHEN to_payment_id IS NULL THEN 'reversed' ELSE 'moved' END AS went_to,
        true AS is_named,
        fact.amount,
        ended_date AS applied_date,
        to_payment_id
    FROM receipts
    JOIN stored.receipts AS fact USING (payment_key)
    LEFT JOIN successors USING (payment_key)
    WHERE standing = 0
    UNION ALL BY NAME
    SELECT payment_key, 'suspense' AS went_to, true AS is_named, open AS amount
    FROM suspended
    WHERE open <> 0
    UNION ALL BY NAME
    SELECT
        payment_key, 'refund' AS went_to, true AS is_named, disbursed AS amount, last_date AS applied_date,
        disbursement_id
    FROM suspended
    LEFT JOIN (
        SELECT payment_key, max(disbursement_id) AS disbursement_id
        FROM stored.disbursements
        WHERE payment_key <> 0 AND transaction_key <> 0
        GROUP BY payment_key
    ) AS paid USING (payment_key)
    WHERE disbursed <> 0
    UNION ALL BY NAME
    SELECT
        -part.source AS payment_key,
        CASE WHEN part.use IS NULL THEN 'unapplied' ELSE coalesce(uses.went_to, 'other') END AS went_to,
        part.use IS NULL AS is_named,
        part.amount,
        uses.event_date AS applied_date,
        uses.item_key,
        uses.disbursement_id,
        uses.to_account_key,
        uses.to_policy_key
    FROM $receipt_matches AS part
    LEFT JOIN uses ON uses.flow = part.use
    WHERE part.source < 0
)

SELECT
    fact.payment_id,
    payer.account_id,
    receipts.receipt_date,
    fact.received_date,
    fact.amount AS received,
    fact.currency,
    piece.went_to,
    piece.is_named,
    piece.amount,
    -- Money that came after a fund was overdrawn went where it was missing on the day on which it came.
    CASE WHEN piece.applied_date IS NOT NULL THEN greatest(piece.applied_date, receipts.receipt_date) END
    AS applied_date,
    CASE WHEN piece.applied_date IS NOT NULL THEN greatest(piece.applied_date - receipts.receipt_date, 0) END
    AS days_to_apply,
    piece.item_key AS item_id,
    item.charge_key AS charge_id,
    item.charge_pattern,
    policy.policy_id,
    period.term_number,
    piece.suspense_item_id,
    piece.disbursement_id,
    target.account_id AS to_account_id,
    target_fund.policy_id AS to_fund_policy_id,
    piece.to_payment_id
FROM receipts
JOIN stored.receipts AS fact USING (payment_key)
JOIN pieces AS piece USING (payment_key)
LEFT JOIN stored.invoice_items AS item ON item.item_key = piece.item_key
LEFT JOIN stored.account_ids AS payer ON payer.account_key = fact.account_key
LEFT JOIN stored.policy_ids AS policy ON policy.policy_key = item.policy_key
LEFT JOIN stored.period_ids AS period ON period.period_key = item.period_key
LEFT JOIN stored.account_ids AS target ON target.account_key = piece.to_account_key
LEFT JOIN stored.policy_ids AS target_fund ON target_fund.policy_key = piece.to_policy_key
