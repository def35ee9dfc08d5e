"""What must hold of the money that came in: every view of finance ties to T-accounts, in full, each as one question."""

from __future__ import annotations

from assets.invariant import SIGNED, Invariant, unequal

_PAYOUTS = "('DisbursementPaid', 'AgencyDisbursementPaid', 'SuspPymtDisbPaid', 'AccountAdjustment')"
_FUNDS_OF_ACCOUNTS = "owner_type = 'Account' AND t_account IN ('Unapplied', 'Designated Unapplied')"
_AGES = "days_0_30 + days_31_60 + days_61_90 + days_91_plus"
_SUM_OF_MOVEMENTS = (
    "opening + received - reversed + moved - disbursed + transferred + credited - applied + recaptured - written_off "
    "+ collateral + commissions"
)

_SUSPENSE_PAYMENTS = """
    SELECT payment_key, amount, currency FROM stored.payments WHERE status IN ('suspended', 'disbursed')
    UNION ALL SELECT payment_key, -amount, currency FROM stored.disbursements
    WHERE status = 'Sent' AND payment_key > 0
"""
"""What every suspense payment holds: below zero when it was taken back after it was sent back (R-SUS-10)."""

FINANCE_INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        rule="I-30",
        name="suspense_items_tie_to_ledger",
        table="suspense_items",
        sentence="the open suspense items of every account are what its Suspense T-account says",
        violations=unequal(
            "SELECT account_key AS key, amount FROM stored.suspense_items WHERE status = 'open'",
            f"SELECT owner_key, {SIGNED} FROM stored.journal "
            "WHERE t_account_pattern = 'Suspense' AND owner_type = 'Account'",
        ),
    ),
    Invariant(
        rule="I-30",
        name="suspense_payments_tie_to_ledger",
        table="payments",
        sentence="every payment in suspense is what its own Unapplied T-account says, and there is no other",
        violations=unequal(
            f"SELECT payment_key AS key, amount FROM ({_SUSPENSE_PAYMENTS})",
            f"SELECT owner_key, {SIGNED} FROM stored.journal "
            "WHERE t_account_pattern = 'Unapplied' AND owner_type = 'SuspensePayment'",
        ),
    ),
    Invariant(
        rule="I-30",
        name="surplus_write_offs_tie_to_ledger",
        table="surplus_write_offs",
        sentence="the surplus that was kept of every account is what its Negative Write-Off T-account says",
        violations=unequal(
            "SELECT account_key AS key, amount FROM stored.surplus_write_offs WHERE reversed_date IS NULL",
            f"SELECT owner_key, {SIGNED} FROM stored.journal "
            "WHERE t_account_pattern = 'Negative Write-Off' AND owner_type = 'Account'",
        ),
    ),
    Invariant(
        rule="I-29",
        name="cash_is_received_less_paid_out",
        table="payments",
        sentence="the cash of every account and suspense payment is the payments that stand less what was paid out",
        violations=unequal(
            "SELECT 'account ' || account_key AS key, amount FROM stored.payments WHERE status = 'executed'",
            "SELECT 'suspense payment ' || payment_key, amount FROM stored.payments "
            "WHERE status IN ('suspended', 'disbursed')",
            f"SELECT if(owner_type = 'Account', 'account ', 'suspense payment ') || owner_key, -({SIGNED}) "
            "FROM stored.journal WHERE t_account_pattern IN ('Unapplied', 'Designated Unapplied') "
            f"AND owner_type IN ('Account', 'SuspensePayment') AND transaction_type IN {_PAYOUTS}",
            f"SELECT if(owner_type = 'Account', 'account ', 'suspense payment ') || owner_key, -({SIGNED}) "
            "FROM stored.journal WHERE t_account_pattern = 'Cash' AND owner_type IN ('Account', 'SuspensePayment') "
            "AND transaction_type NOT LIKE 'ChargePaidFrom%' AND transaction_type NOT LIKE 'Collateral%'",
        ),
    ),
    Invariant(
        rule="I-29",
        name="cash_rolls_forward",
        table="journal",
        sentence="cash, funds and suspense roll forward from day to day, to what funds and suspense hold in the end",
        violations=f"""
            WITH days AS (
                SELECT
                    *, {_SUM_OF_MOVEMENTS} AS rolled,
                    lag(closing, 1, 0) OVER (PARTITION BY fund_type, currency ORDER BY business_date) AS closed_before
                FROM cash_roll_forward
            ),
            held AS (
                SELECT if(policy_key > 0, 'designated', 'default') AS fund_type, currency, money(balance, currency) AS m
                FROM stored.funds
                UNION ALL SELECT 'suspense_item', currency, money(amount, currency)
                FROM stored.suspense_items WHERE status = 'open'
                UNION ALL SELECT 'suspense_payment', currency, money(amount, currency)
                FROM ({_SUSPENSE_PAYMENTS})
                UNION ALL SELECT fund_type, currency, -arg_max(closing, business_date)
                FROM cash_roll_forward WHERE fund_type NOT IN ('cash', 'producer') GROUP BY fund_type, currency
            )
            SELECT business_date || ' ' || fund_type || ' ' || currency AS key FROM days
            WHERE rolled <> closing OR opening <> closed_before
            UNION ALL SELECT fund_type || ' ' || currency FROM held GROUP BY fund_type, currency HAVING sum(m) <> 0
        """,
    ),
    Invariant(
        rule="I-30",
        name="ages_tie_to_ledger",
        table="funds",
        sentence="what is unapplied, below zero or in suspense by age is what the T-accounts say",
        violations=unequal(
            f"SELECT coalesce(account_id, '') || ' ' || coalesce(policy_id, '') AS key, {_AGES} AS amount "
            "FROM unapplied_age",
            "SELECT coalesce(account_id, '') || ' ' || coalesce(policy_id, ''), balance FROM negative_funds",
            f"SELECT if(kind = 'suspense_item', 'suspense items of ' || coalesce(account_id, ''), "
            f"'suspense payments in ' || currency), {_AGES} FROM suspense_age",
            "SELECT CASE WHEN t_account = 'Suspense' THEN 'suspense items of ' || owner_id "
            "WHEN owner_type = 'SuspensePayment' THEN 'suspense payments in ' || currency "
            "ELSE owner_id || ' ' || coalesce(fund_policy_id, '') END, -balance FROM t_account_balances "
            "WHERE t_account IN ('Unapplied', 'Designated Unapplied', 'Suspense') AND owner_type <> 'Producer'",
        ),
    ),
    Invariant(
        rule="I-24",
        name="receipts_are_accounted_for",
        table="payments",
        sentence="what became of every receipt adds up to it",
        violations="""
            WITH parts AS (SELECT payment_id, sum(amount) AS amount FROM cash_application GROUP BY payment_id)
            SELECT payment_id AS key FROM stored.payments AS payment FULL JOIN parts USING (payment_id)
            WHERE parts.amount IS DISTINCT FROM money(payment.amount, payment.currency)
        """,
    ),
    Invariant(
        rule="I-29",
        name="refunds_tie_to_cash",
        table="journal",
        sentence="every refund is what left cash",
        violations=f"""
            WITH both_sides AS (
                SELECT transaction_id AS key, amount FROM refunds
                UNION ALL SELECT transaction_id, if(side = 'D', amount, -amount) FROM journal
                WHERE t_account = 'Cash' AND transaction_type IN {_PAYOUTS}
            )
            SELECT key FROM both_sides GROUP BY key HAVING sum(amount) <> 0
        """,
    ),
    Invariant(
        rule="R-FT-12",
        name="funds_are_tracked_in_full",
        table="funds",
        sentence="sources less uses of a tracked fund are its balance, neither is allotted beyond its amount, and the "
        "items of a group sum to it",
        violations=f"""
            WITH tracked AS (
                SELECT coalesce(account_id, '') || ' ' || coalesce(fund_policy_id, '') AS key, amount FROM fund_sources
                UNION ALL SELECT coalesce(account_id, '') || ' ' || coalesce(fund_policy_id, ''), -amount FROM fund_uses
                UNION ALL SELECT owner_id || ' ' || coalesce(fund_policy_id, ''), -balance FROM t_account_balances
                WHERE {_FUNDS_OF_ACCOUNTS} AND EXISTS (FROM stored.tracking_moves)
            ),
            allotments AS (
                SELECT 'source ' || source_id AS key, amount FROM fund_sources
                UNION ALL SELECT 'source ' || source_id, -amount FROM fund_allotments
                UNION ALL SELECT 'use ' || use_id, amount FROM fund_uses
                UNION ALL SELECT 'use ' || use_id, -amount FROM fund_allotments
            ),
            groups AS (
                SELECT 'group ' || group_id AS key, amount FROM payment_item_groups
                UNION ALL SELECT 'group ' || group_id, -paid FROM payment_item_group_items
            )
            SELECT key FROM tracked GROUP BY key HAVING sum(amount) <> 0
            UNION ALL SELECT key FROM allotments GROUP BY key HAVING sum(amount) < 0
            UNION ALL SELECT key FROM groups GROUP BY key HAVING sum(amount) <> 0
        """,
    ),
)
"""In the order in which they are checked."""
