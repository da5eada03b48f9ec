"""What a backfill is asked for, and how its progress is counted."""

from datetime import UTC, datetime, timedelta

import pytest

from discubot_pipeline.domain.backfill import BEGINNING, MOST_TROUBLES, Span, Standing, Tally, Trouble
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Trigger, foremost

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
LOST = Trouble(item="C1:1.1", reason="thread_not_found", message="It is gone.")


def test_days_are_whole_days_of_the_time_zone() -> None:
    """Both days belong to the span, also where a day has 23 hours."""
    span = Span.of("2026-03-28", "2026-03-29", "Europe/Amsterdam", NOW)
    assert span.since.astimezone(UTC) == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert span.until.astimezone(UTC) == datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert span.since in span
    assert span.until not in span
    assert span.until - timedelta(microseconds=1) in span


def test_without_days_it_is_from_the_beginning_until_now() -> None:
    """A start, an end, or neither may be named."""
    assert Span.of(None, None, "UTC", NOW) == Span(since=BEGINNING, until=NOW)
    assert Span.of("2026-03-01", None, "UTC", NOW).until == NOW


@pytest.mark.parametrize(("text", "hour"), [("2026-03-01T09:00+02:00", 7), ("2026-03-01T09:00", 8)])
def test_a_moment_is_exact(text: str, hour: int) -> None:
    """With an offset it is that moment, without one it is in the time zone."""
    span = Span.of(text, None, "Europe/Amsterdam", NOW)
    assert span.since.astimezone(UTC) == datetime(2026, 3, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until"),
    [("yesterday", None), ("2026-02-30", None), ("", "9999-12-31"), ("2026-03-02", "2026-03-01"), ("2027-01-01", None)],
)
def test_what_is_no_span_is_said(since: str, until: str | None) -> None:
    """No date, no such day, or nothing between them."""
    with pytest.raises(Permanent) as refused:
        Span.of(since, until, "UTC", NOW)
    assert refused.value.reason == "bad_date"


def test_every_thread_is_counted_once_and_once_only() -> None:
    """The four fates of a thread add up to the threads that were seen."""
    tally = Tally()
    for number, kind in enumerate(("stored", "known", "passed", "troubled")):
        tally = tally.met(kind, f"{number}", NOW)
    assert (tally.seen, tally.stored, tally.known, tally.passed, tally.troubled) == (4, 1, 1, 1, 1)
    assert (tally.position, tally.reached) == ("3", NOW)


def test_a_place_that_cannot_be_read_is_an_error_and_no_thread() -> None:
    """It is counted and listed, and the next place begins at its beginning."""
    tally = Tally(position="1").past_place(LOST)
    assert (tally.places, tally.position, tally.seen, tally.troubled, tally.troubles) == (1, None, 0, 1, (LOST,))


def test_errors_are_counted_beyond_those_that_are_listed() -> None:
    """A record that grows with every error would not be kept."""
    tally = Tally()
    for number in range(MOST_TROUBLES + 5):
        tally = tally.met("troubled", str(number), None).noting(LOST)
    assert (tally.troubled, len(tally.troubles)) == (MOST_TROUBLES + 5, MOST_TROUBLES)


def test_deliveries_are_summed_by_what_they_wait_for() -> None:
    """Whoever waits for an import wants to know what still moves by itself."""
    counts = [("pending", 1), ("requested", 2), ("running", 3), ("held", 4), ("done", 5), ("dead", 6), ("failed", 7)]
    assert Standing.of(counts) == Standing(waiting=6, held=4, done=5, failed=13)


def test_a_run_is_a_backfill_only_when_nobody_asked() -> None:
    """Where a mention and a backfill come together, the mention counts."""
    assert foremost([Trigger.BACKFILL, Trigger.WEBHOOK]) is Trigger.WEBHOOK
    assert foremost([Trigger.MANUAL, Trigger.BACKFILL]) is Trigger.MANUAL
    assert foremost([Trigger.BACKFILL, Trigger.BACKFILL]) is Trigger.BACKFILL
