"""Turns what happened in Notion into events for the subscriptions that may hear of it. Called by the API and
control.
"""

import uuid
from datetime import UTC, datetime

from discubot_pipeline.sandbox.notion.courier import Courier, Subscription
from discubot_pipeline.sandbox.notion.shapes import WORKSPACE_ID
from discubot_pipeline.sandbox.notion.state import News, NotionState
from discubot_pipeline.sandbox.wire import Json


class Announcer:
    """Decides who hears of what: a verified subscription, to the type of event, on a page that it is shared with."""

    def __init__(self, courier: Courier) -> None:
        self.courier = courier

    def announce(self, state: NotionState) -> list[str]:
        """Send what has happened since the last call; returns the ids of the events."""
        news, state.news = state.news, []
        return [
            self.courier.send(subscription, envelope(state, subscription, one))
            for one in news
            for subscription in self.courier.subscriptions.values()
            if _hears(state, subscription, one)
        ]


def _hears(state: NotionState, subscription: Subscription, news: News) -> bool:
    integration = state.integrations.get(subscription.token)
    if integration is None or not subscription.is_verified or news.type not in subscription.types:
        return False
    may_read = not news.type.startswith("comment.") or "read_comments" in integration.capabilities
    return may_read and state.shows(subscription.token, state.pages[news.page_id])


def envelope(state: NotionState, subscription: Subscription, news: News) -> Json:
    """Write an event: what it is about, not what is in it."""
    kind = "bot" if state.users[news.by].is_bot else "person"
    data = {key: value for key, value in news.data.items() if key != "discussion_id" or subscription.names_discussions}
    return {
        "id": str(uuid.uuid4()), "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "workspace_id": WORKSPACE_ID, "workspace_name": "Sandbox", "subscription_id": subscription.id,
        "integration_id": state.integrations[subscription.token].bot_id, "type": news.type,
        "authors": [{"id": news.by, "type": kind}], "accessible_by": [], "attempt_number": 1,
        "api_version": "2025-09-03", "entity": news.entity, "data": data,
    }  # fmt: skip
