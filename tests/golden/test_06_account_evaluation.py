"""Account evaluation: what is counted against an account, and its rating (06 section 3.E)."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger.carrier import Carrier
from ledger.carrier_file import CarrierError
from tests.golden.test_04_invoicing import issuance, monthly
from tests.story import Row, Story, carrier, plans
from tests.warehouse.published_stories import PublishedStory

JAN_1, END = date(2025, 1, 1), date(2026, 1, 1)
BOUNCED = date(2025, 2, 3)
COUNTS = "SELECT account_id, pejorative_reversal_count, policy_cancellation_count, rating FROM account_evaluation{}"


def _payment(number: int, account: str) -> Row:
    return {"payment_id": f"M{account}{number}", "account_id": account, "amount": "10.00"}


def _reversal(number: int, account: str, reason: str) -> Row:
    return {
        "command_id": f"R{account}{number}",
        "command_type": "reverse_payment",
        "target_type": "payment",
        "target_id": f"M{account}{number}",
        "params": f'{{"reversal_reason": "{reason}"}}',
    }


def _cancellation(policy: str, effective: date) -> Row:
    return {**issuance(f"C{policy}", policy, effective, END, account_id=policy), "instruction_type": "cancellation"}


def story(plan: Carrier | None = None) -> Story:
    """Accounts A to E with a policy each; A is sound, B bounces once, C twice, D is cancelled, E errs only."""
    told = Story(plan or plans(monthly(maximum=1)))
    told.land(
        JAN_1,
        accounts=[{"account_id": name} for name in "ABCDE"],
        billing_instructions=[issuance(f"I{name}", name, JAN_1, END, account_id=name) for name in "ABCDE"],
        charges=[
            {"instruction_id": f"I{name}", "charge_no": 1, "charge_pattern": "Premium", "amount": "100.00"}
            for name in "ABCDE"
        ],
        payments=[_payment(1, "B"), _payment(1, "C"), _payment(2, "C"), _payment(1, "E")],
    )
    told.land(
        BOUNCED,
        commands=[
            _reversal(1, "B", "insufficient_funds"),
            _reversal(1, "C", "stop_payment"),
            _reversal(2, "C", "account_closed"),
            _reversal(1, "E", "entered_in_error"),
        ],
        billing_instructions=[_cancellation("D", date(2025, 2, 10))],
    )
    return told.close_through(date(2025, 2, 12))


def test_r_evl_2_the_worst_grade_of_what_is_counted(tmp_path: Path) -> None:
    """R-EVL-2: nothing is excellent; one pejorative reversal acceptable, two poor; a cancellation is poor."""
    book = PublishedStory(tmp_path, story())
    assert book.ask(f"{COUNTS.format('')} ORDER BY account_id") == [
        ("A", 0, 0, "Excellent"),
        ("B", 1, 0, "Acceptable"),
        ("C", 2, 0, "Poor"),
        ("D", 0, 1, "Poor"),
        ("E", 0, 0, "Excellent"),
    ]
    assert book.ask("SELECT DISTINCT window_days, evaluation_date FROM account_evaluation") == [
        (365, date(2025, 2, 12))
    ]


def test_r_evl_2_a_past_day_does_not_know_what_came_later(tmp_path: Path) -> None:
    """R-EVL-2: a cancellation counts from its effective date; known_at hides what was recorded afterwards."""
    book = PublishedStory(tmp_path, story())
    asked = "SELECT account_id, rating FROM account_evaluation_as_of(DATE '{}'{}) WHERE rating <> 'Excellent'"
    rated = {name: book.ask(f"{asked.format(*when)} ORDER BY ALL") for name, when in WHENS.items()}
    bounced = [("B", "Acceptable"), ("C", "Poor")]
    assert rated == {
        "before": [],
        "bounced": bounced,
        "cancelled": [*bounced, ("D", "Poor")],
        "cancelled, not known": [],
    }


WHENS = {
    "before": ("2025-02-02", ""),
    "bounced": ("2025-02-09", ""),
    "cancelled": ("2025-02-10", ""),
    "cancelled, not known": ("2025-02-10", ", known_at := DATE '2025-02-02'"),
}


def test_r_evl_2_only_the_days_of_the_window_count(tmp_path: Path) -> None:
    """R-EVL-2: with a window of 9 days, the reversals of the 3rd count through the 11th; limits are the carrier's."""
    settings = "[account_evaluation]\nwindow_days = 9\nacceptable = { policy_cancellations = 1 }\n"
    book = PublishedStory(tmp_path, story(plans(monthly(maximum=1), more=settings)))
    assert book.ask(f"{COUNTS.format('')} WHERE rating <> 'Excellent'") == [("D", 0, 1, "Acceptable")]
    last = BOUNCED + timedelta(days=8)
    asked = COUNTS.format(f"_as_of(DATE '{last}')") + " WHERE rating <> 'Excellent' ORDER BY account_id"
    assert book.ask(asked) == [("B", 1, 0, "Poor"), ("C", 2, 0, "Poor"), ("D", 0, 1, "Acceptable")]


def test_which_reasons_count_is_the_carriers(tmp_path: Path) -> None:
    """R-EVL-2."""
    settings = '[account_evaluation]\npejorative_reversal_reasons = ["entered_in_error"]\n'
    book = PublishedStory(tmp_path, story(plans(monthly(maximum=1), more=settings)))
    assert book.ask(f"{COUNTS.format('')} WHERE pejorative_reversal_count > 0") == [("E", 1, 0, "Acceptable")]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("[account_evaluation]\nwindow_days = 0\n", "window_days is 0; allowed: a whole number from 1"),
        (
            "[account_evaluation]\nexcellent = { pejorative_reversals = 2 }\n",
            "acceptable.pejorative_reversals is missing; allowed: what excellent allows \\(2\\), or more",
        ),
        (
            '[account_evaluation]\npejorative_reversal_reasons = ["bounced"]\n',
            'pejorative_reversal_reasons\\[1\\] is "bounced"; allowed: one of "insufficient_funds"',
        ),
        ("[funds_tracking]\nenabled = true\n", "funds_tracking.enabled_on is missing; allowed: a date such as"),
        ("[funds_tracking]\nenabled_on = 2025-01-01\n", "enabled_on is 2025-01-01; allowed: a date only when"),
    ],
)
def test_settings_that_cannot_be_are_told(settings: str, problem: str) -> None:
    """R-FT-1, R-EVL-2."""
    with pytest.raises(CarrierError, match=problem):
        carrier(more=settings)
