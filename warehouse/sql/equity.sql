-- Equity in whole numbers: service is counted in units of 2^-80 of a minor unit, so that a daily cost such as 100/365
-- is off by less than one unit a day; what differs by less than 2^32 units is equal. No number here is a DOUBLE.
WITH constants AS (
    SELECT 1208925819614629174706176::HUGEINT AS unit, 4294967296::HUGEINT AS tolerance
),

equity_charges AS (
    SELECT charge_key, period_key, amount, effective_date, currency
    FROM $charges
    WHERE in_equity AND period_key <> 0
),

equity_values AS (
    SELECT period_key, max(currency) AS currency, sum(amount) AS equity_value
    FROM equity_charges
    GROUP BY period_key
),

premiums AS (
    SELECT charge.period_key, sum(charge.amount) AS premium
    FROM $charges AS charge
    JOIN stored.charge_patterns AS pattern USING (charge_pattern)
    WHERE pattern.category = 'premium'
    GROUP BY charge.period_key
),

receipts AS (
    SELECT charge.period_key, sum(item.paid) AS paid
    FROM $invoice_items AS item
    JOIN equity_charges AS charge USING (charge_key)
    GROUP BY charge.period_key
),

terms AS (
    SELECT
        period.period_key,
        period.policy_key,
        period.term_number,
        period.account_key,
        period.effective_date,
        period.coverage_end,
        coalesce(period.cancellation_date, period.coverage_end) AS cover_ends,
        -- The day, held inside the term: nothing is provided before it or after it.
        greatest(period.effective_date, least($as_of, period.coverage_end)) AS on_day,
        equity_values.currency,
        equity_values.equity_value::HUGEINT AS equity_value,
        coalesce(premiums.premium, 0)::HUGEINT AS premium,
        coalesce(receipts.paid, 0)::HUGEINT AS paid,
        coalesce(receipts.paid, 0)::HUGEINT * constants.unit AS money,
        constants.unit,
        constants.tolerance
    FROM $policy_periods AS period
    JOIN equity_values USING (period_key)
    LEFT JOIN premiums USING (period_key)
    LEFT JOIN receipts USING (period_key)
    CROSS JOIN constants
),

-- A charge is provided evenly from its own effective date (R-EQT-10), at the latest on the last day of cover.
starts AS (
    SELECT
        charge.period_key,
        least(greatest(charge.effective_date, term.effective_date), term.coverage_end - 1) AS starts,
        charge.amount
    FROM equity_charges AS charge
    JOIN terms AS term USING (period_key)
    UNION ALL
    SELECT period_key, effective_date, 0
    FROM terms
),

steps AS (
    SELECT period_key, starts, sum(amount)::HUGEINT AS amount
    FROM starts
    GROUP BY period_key, starts
),

slopes AS (
    SELECT
        step.period_key,
        step.starts,
        lead(step.starts, 1, term.coverage_end) OVER by_date AS ends,
        sum(step.amount * term.unit // greatest(term.coverage_end - step.starts, 1)) OVER by_date AS slope
    FROM steps AS step
    JOIN terms AS term USING (period_key)
    WINDOW by_date AS (PARTITION BY step.period_key ORDER BY step.starts)
),

segments AS (
    SELECT
        *,
        coalesce(
            sum(slope * (ends - starts)) OVER (
                PARTITION BY period_key ORDER BY starts ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            0
        )::HUGEINT AS provided
    FROM slopes
    WHERE starts < ends
),

placed AS (
    SELECT
        segment.*,
        term.money,
        term.tolerance,
        segment.ends - 1 AS last_day,
        greatest(segment.starts, term.on_day) AS from_day,
        segment.provided + segment.slope * (greatest(segment.starts, term.on_day) - segment.starts) AS provided_from,
        term.on_day BETWEEN segment.starts AND segment.ends - 1 AS holds_day,
        segment.ends > term.on_day AS is_ahead
    FROM segments AS segment
    JOIN terms AS term USING (period_key)
),

found AS (
    SELECT
        period_key,
        max(provided_from) FILTER (holds_day) AS service,
        max(
            CASE
                WHEN slope > 0 AND provided_from <= money + tolerance
                    THEN from_day + least(last_day - from_day, (money + tolerance - provided_from) // slope)::INTEGER
                WHEN slope <= 0 AND provided_from + slope * (last_day - from_day) <= money + tolerance
                    THEN last_day
            END
        ) FILTER (is_ahead) AS covered_through,
        min(
            CASE
                WHEN provided >= money - tolerance
                    THEN starts
                WHEN slope > 0 AND provided + slope * (last_day - starts) >= money - tolerance
                    THEN starts + ((money - tolerance - provided + slope - 1) // slope)::INTEGER
            END
        ) AS used_up_on
    FROM placed
    GROUP BY period_key
),

measured AS (
    SELECT
        term.*,
        coalesce(found.service, term.equity_value * term.unit)::HUGEINT AS service,
        found.covered_through,
        greatest(coalesce(found.used_up_on, term.coverage_end), term.effective_date) AS used_up_on
    FROM terms AS term
    LEFT JOIN found USING (period_key)
),

rounded AS (
    SELECT
        *,
        sign(service) * ((2 * abs(service) + unit + 2 * tolerance) // (2 * unit)) AS earned_to_date,
        sign(money - service) * ((2 * abs(money - service) + unit + 2 * tolerance) // (2 * unit)) AS equity,
        CASE
            WHEN equity_value = 0 THEN NULL
            WHEN paid >= equity_value THEN cover_ends
            WHEN service <= money + tolerance THEN covered_through
            ELSE used_up_on
        END AS paid_through_date
    FROM measured
)

SELECT
    policy.policy_id,
    rounded.term_number,
    account.account_id,
    rounded.currency,
    rounded.effective_date,
    rounded.coverage_end,
    rounded.equity_value,
    rounded.paid AS paid_to_date,
    rounded.earned_to_date,
    rounded.equity,
    CASE
        WHEN rounded.premium <> 0
            THEN sign(rounded.equity) * sign(rounded.premium)
                * ((20000 * abs(rounded.equity) + abs(rounded.premium)) // (2 * abs(rounded.premium)))
    END AS equity_percent,
    CASE
        -- greatest ignores nulls: without value there is no date, and no days either.
        WHEN rounded.equity_value = 0 THEN NULL
        WHEN rounded.paid >= rounded.equity_value THEN greatest(rounded.paid_through_date - rounded.on_day, 0)
        ELSE rounded.paid_through_date - rounded.on_day
    END AS days_paid,
    rounded.paid_through_date,
    CASE WHEN rounded.equity_value <> 0 THEN rounded.used_up_on END AS equity_zero_date,
    rounded.paid_through_date - $as_of AS days_till_paid_through
FROM rounded
JOIN stored.policy_ids AS policy USING (policy_key)
LEFT JOIN stored.account_ids AS account USING (account_key)
