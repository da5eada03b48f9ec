"""Figures through the REST API."""

from datetime import UTC, date, datetime, timedelta

import pytest

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.store.stores import Stores
from tests.store.samples import arrival
from tests.web.rest.conftest import Caller, Enter


def test_days_and_their_sums_are_shown(
    member: Caller, enter: Enter, stores: Stores, slack_config: SourceConfig
) -> None:
    """By default the last thirty days up to today; another team has its own."""
    stores.inboxes[SourceType.SLACK].store(slack_config, arrival())
    answer = member("GET", "/stats")
    today = datetime.now(UTC).date()
    assert [each["day"] for each in answer["days"]] == [str(today - timedelta(29 - back)) for back in range(30)]
    assert (answer["days"][-1]["deliveries"], answer["total"]["deliveries"]) == (1, 1)
    assert answer["days"][-1]["p50_ms"] is None
    assert enter("other", "eve")("GET", "/stats")["total"]["deliveries"] == 0


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("since=2024-01-01&until=2024-12-31", 366),
        ("since=2024-02-29&until=2024-02-29", 1),
        ("until=0001-01-01&since=0001-01-01", 1),
        ("since=9999-12-31&until=9999-12-31", 0),
        (f"since={date.max - timedelta(365)}&until={date.max}", 0),
    ],
)
def test_any_year_that_a_calendar_has_can_be_asked_for(member: Caller, query: str, days: int) -> None:
    """Up to 366 days; those to come are left out."""
    assert len(member("GET", f"/stats?{query}")["days"]) == days


@pytest.mark.parametrize(
    "query",
    ["since=2024-01-01&until=2025-01-01", "since=2026-01-02&until=2026-01-01", "since=soon", "until=2026-13-01"],
)
def test_more_or_less_than_that_is_refused(member: Caller, query: str) -> None:
    """With the reason."""
    assert member("GET", f"/stats?{query}", 422)["detail"]
