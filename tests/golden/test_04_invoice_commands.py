"""Commands about invoices, as a day carries them out: create one, change its dates, send it again."""

from __future__ import annotations

from datetime import date

import polars as pl

from tests.golden.test_04_invoicing import issued, monthly
from tests.story import Story

FEB_10 = date(2025, 2, 10)


def commanded(story: Story, day: date, *commands: dict[str, object]) -> Story:
    """The story after these commands were carried out or refused on a day."""
    story.close_through(date.fromordinal(day.toordinal() - 1))
    rows = [{"command_id": f"C{number}"} | command for number, command in enumerate(commands, start=1)]
    return story.land(day, commands=rows).close_through(day)


def about_invoice(command_type: str, key: int, params: str = "{}") -> dict[str, object]:
    return {"command_type": command_type, "target_type": "invoice", "target_id": key, "params": params}


def invoice_key(story: Story, bill_date: date) -> int:
    found: int = story.book["invoices"].filter(pl.col("bill_date") == bill_date)["invoice_key"].item()
    return found


def test_r_inv_30_a_created_invoice_takes_the_next_unused_date_and_may_be_placed_on() -> None:
    """R-INV-30: planned, empty, amount 0; dates left out are those of the next unused cadence date."""
    story = issued(monthly(maximum=3))
    stream = {"command_type": "create_invoice", "target_type": "invoice_stream", "target_id": 1}
    commanded(story, FEB_10, stream, stream | {"params": '{"bill_date": "2025-02-20", "due_date": "2025-03-01"}'})
    created = story.book["invoices"].filter(pl.col("bill_date") > date(2025, 2, 10)).sort("bill_date")
    assert created["bill_date"].to_list() == [date(2025, 2, 20), date(2025, 3, 1), date(2025, 4, 1)]
    assert created["cadence_date"].to_list() == [None, date(2025, 3, 1), date(2025, 4, 1)]
    assert created["due_date"].to_list()[0] == date(2025, 3, 1)
    assert story.quarantined() == []


def test_r_inv_30_ad_hoc_invoices_stand_outside_the_cadence() -> None:
    """R-INV-20, R-INV-30: the flag is kept, and no date of the cadence is used up."""
    story = issued(monthly(maximum=3))
    command = {"command_type": "create_invoice", "target_type": "invoice_stream", "target_id": 1}
    commanded(story, FEB_10, command | {"params": '{"is_ad_hoc": true, "bill_date": "2025-02-15"}'})
    created = story.book["invoices"].filter("is_ad_hoc")
    assert created.select("bill_date", "cadence_date").rows() == [(date(2025, 2, 15), None)]


def test_r_inv_31_planned_invoices_change_both_dates_billed_ones_the_due_date() -> None:
    """R-INV-31: items stay on the invoice, which is billed and falls due by its new dates."""
    story = issued(monthly(maximum=3)).close_through(date(2025, 2, 9))
    planned, billed = invoice_key(story, date(2025, 3, 1)), invoice_key(story, date(2025, 2, 1))
    commanded(
        story,
        FEB_10,
        about_invoice("change_invoice_dates", planned, '{"bill_date": "2025-02-12", "due_date": "2025-02-28"}'),
        about_invoice("change_invoice_dates", billed, '{"due_date": "2025-03-10"}'),
    )
    assert story.quarantined() == []
    story.close_through(date(2025, 3, 10))
    assert story.invoices() == [
        ("2025-01-01", "Due", "400.00"),
        ("2025-02-01", "Billed", "400.00"),
        ("2025-02-12", "Due", "400.00"),
    ]
    assert (story.balance("<Charge Pattern> Billed", "Premium"), story.balance("<Charge Pattern> Due", "Premium")) == (
        "400.00",
        "800.00",
    )


def test_r_inv_31_other_changes_of_dates_are_refused() -> None:
    """R-INV-31: due invoices keep their dates, no date lies before today, no due date before its bill date."""
    story = issued(monthly(maximum=3)).close_through(date(2025, 2, 9))
    planned, due = invoice_key(story, date(2025, 3, 1)), invoice_key(story, date(2025, 1, 1))
    commanded(
        story,
        FEB_10,
        about_invoice("change_invoice_dates", due, '{"due_date": "2025-03-10"}'),
        about_invoice("change_invoice_dates", planned, '{"due_date": "2025-02-20"}'),
        about_invoice("change_invoice_dates", planned, '{"bill_date": "2025-02-01"}'),
        about_invoice("change_invoice_dates", planned),
        about_invoice("change_invoice_dates", 999),
    )
    assert [code for _, code in story.quarantined()] == [
        "E-INVOICE-STATUS",
        "E-INVOICE-DATES",
        "E-INVOICE-DATES",
        "E-INVOICE-DATES",
        "E-TARGET-UNKNOWN",
    ]


def test_r_inv_30_a_stream_has_seven_invoices_outside_its_cadence_on_a_day() -> None:
    """R-INV-30: the eighth is refused with its reason."""
    story = issued(monthly(maximum=3))
    wanted = {
        "command_type": "create_invoice",
        "target_type": "invoice_stream",
        "target_id": 1,
        "params": '{"is_ad_hoc": true, "bill_date": "2025-02-15"}',
    }
    commanded(story, FEB_10, *[wanted] * 8)
    assert story.book["invoices"].filter("is_ad_hoc").height == 7
    assert story.quarantined() == [("C8", "E-INVOICE-MANY")]


def test_r_inv_32_billed_invoices_are_sent_again_planned_ones_are_not() -> None:
    """R-INV-32: an event for the outside, and nothing else."""
    story = issued(monthly(maximum=3)).close_through(date(2025, 2, 9))
    planned, billed = invoice_key(story, date(2025, 3, 1)), invoice_key(story, date(2025, 2, 1))
    commanded(story, FEB_10, about_invoice("resend_invoice", planned), about_invoice("resend_invoice", billed))
    sent = story.events("outbound_events").filter(pl.col("event_type") == "InvoiceResent")
    assert sent.select("invoice_key", "amount", "command_id").rows() == [(billed, 400_00, "C2")]
    assert story.quarantined() == [("C1", "E-INVOICE-STATUS")]


def test_commands_are_booked_once_and_refused_ids_are_free() -> None:
    """The same command again has no effect; another body under a booked id is refused."""
    story = issued(monthly(maximum=3)).close_through(date(2025, 2, 9))
    billed = invoice_key(story, date(2025, 2, 1))
    sent = {"command_id": "C"} | about_invoice("resend_invoice", billed)
    story.land(FEB_10, commands=[sent])
    story.land(date(2025, 2, 11), commands=[sent])
    story.land(date(2025, 2, 12), commands=[sent | {"reason": "again"}])
    story.close_through(date(2025, 2, 12))
    assert story.events("outbound_events").filter(pl.col("event_type") == "InvoiceResent").height == 1
    assert story.book["commands"]["command_id"].to_list() == ["C"]
    assert story.quarantined() == [("C", "E-ID-CONFLICT")]
