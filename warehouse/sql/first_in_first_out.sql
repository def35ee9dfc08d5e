-- Sources and uses of each fund lie end to end on two axes of money, oldest first; where a source and a use overlap, so
-- much of the one served the other (R-FT-3, R-FT-4). A part without use is left of its source, one without source is a
-- use that nothing served.
WITH sides AS (
    SELECT
        fund_key,
        flow,
        amount > 0 AS is_source,
        (sum(abs(amount)) OVER (
            PARTITION BY fund_key, amount > 0 ORDER BY event_date, sequence, flow
        ))::BIGINT AS upto
    FROM $sides
    WHERE amount <> 0
),

cuts AS (
    SELECT fund_key, upto, upto - coalesce(lag(upto) OVER (PARTITION BY fund_key ORDER BY upto), 0) AS amount
    FROM (SELECT DISTINCT fund_key, upto FROM sides)
)

SELECT cuts.fund_key, source.flow AS source, use.flow AS use, cuts.amount
FROM cuts
ASOF LEFT JOIN (SELECT * FROM sides WHERE is_source) AS source
    ON source.fund_key = cuts.fund_key AND cuts.upto <= source.upto
ASOF LEFT JOIN (SELECT * FROM sides WHERE NOT is_source) AS use
    ON use.fund_key = cuts.fund_key AND cuts.upto <= use.upto
