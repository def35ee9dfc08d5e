WITH reversals AS (
    SELECT payment.account_key, count(*) AS pejorative_reversal_count
    FROM $payments AS payment, stored.evaluation_settings AS setting
    WHERE
        payment.reversed_date > $as_of - CAST(setting.window_days AS INTEGER)
        AND list_contains(string_split(setting.pejorative_reversal_reasons, ', '), payment.reversal_reason)
    GROUP BY payment.account_key
),

cancellations AS (
    SELECT period.account_key, count(DISTINCT period_key) AS policy_cancellation_count
    FROM stored.instructions AS instruction
    JOIN stored.policy_periods AS period USING (period_key), stored.evaluation_settings AS setting
    WHERE
        instruction.instruction_type = 'cancellation'
        AND instruction.effective_date BETWEEN $as_of - CAST(setting.window_days AS INTEGER) + 1 AND $as_of
        AND ($known_at IS NULL OR instruction.received_date <= $known_at)
    GROUP BY period.account_key
),

counts AS (
    SELECT
        account.account_id,
        setting.*,
        coalesce(reversals.pejorative_reversal_count, 0) AS pejorative_reversal_count,
        coalesce(cancellations.policy_cancellation_count, 0) AS policy_cancellation_count
    FROM $accounts AS account
    CROSS JOIN stored.evaluation_settings AS setting
    LEFT JOIN reversals USING (account_key)
    LEFT JOIN cancellations USING (account_key)
)

SELECT
    *,
    $as_of AS evaluation_date,
    CASE
        WHEN
            pejorative_reversal_count <= excellent_pejorative_reversals
            AND policy_cancellation_count <= excellent_policy_cancellations
            THEN 'Excellent'
        WHEN
            pejorative_reversal_count <= acceptable_pejorative_reversals
            AND policy_cancellation_count <= acceptable_policy_cancellations
            THEN 'Acceptable'
        ELSE 'Poor'
    END AS rating
FROM counts
