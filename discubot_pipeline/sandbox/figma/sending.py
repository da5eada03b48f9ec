"""Turns comments into webhook requests and hands them to the courier. Called by the API and by control."""

import json
from datetime import UTC, datetime

from discubot_pipeline.sandbox.figma import shapes
from discubot_pipeline.sandbox.figma.courier import Attempt, Courier, Parcel
from discubot_pipeline.sandbox.figma.state import Comment, FigmaState, File, Webhook
from discubot_pipeline.sandbox.wire import Json

FINAL = (200, 400)
HEADERS = {"content-type": "application/json", "user-agent": "Figma Webhooks"}


class Sender:
    """Tells every webhook of a file what happened in it."""

    def __init__(self, state: FigmaState, courier: Courier) -> None:
        self._state = state
        self.courier = courier

    def commented(self, file: File, comment: Comment) -> None:
        """Announce a comment through all webhooks that hear of it; each knows it as its own event."""
        for webhook in self._state.webhooks.values():
            if webhook.files is None or file.key in webhook.files:
                self.courier.send(self.parcel(webhook, self.event(webhook, file, comment)))

    def event(self, webhook: Webhook, file: File, comment: Comment) -> Json:
        """Write the body of a comment's webhook."""
        return shapes.event(self._state, webhook, file, comment, datetime.now(UTC))

    async def ping(self, webhook: Webhook) -> Attempt:
        """Send what Figma sends when a webhook is made."""
        now = shapes.stamp(datetime.now(UTC))
        event = {"event_type": "PING", "passcode": webhook.passcode, "timestamp": now, "webhook_id": webhook.id}
        return await self.courier.attempt(self.parcel(webhook, event))

    def parcel(self, webhook: Webhook, event: Json) -> Parcel:
        """Wrap an event for a webhook's endpoint."""
        about = str(event.get("comment_id") or event.get("event_type"))
        body = json.dumps(event).encode()
        return Parcel(about, webhook.endpoint, HEADERS, body, webhook.retry_delays, FINAL)
