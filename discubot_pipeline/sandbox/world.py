"""Everything that one sandbox holds: the services with their state, faults, log. Made by app, reset by
control.
"""

from discubot_pipeline.sandbox import defaults
from discubot_pipeline.sandbox.faults import Faults
from discubot_pipeline.sandbox.gate import Gate, Service
from discubot_pipeline.sandbox.log import CallLog
from discubot_pipeline.sandbox.models.api import ModelApi, dialects
from discubot_pipeline.sandbox.models.state import ModelState
from discubot_pipeline.sandbox.notion.announcer import Announcer as NotionAnnouncer
from discubot_pipeline.sandbox.notion.api import NotionApi
from discubot_pipeline.sandbox.notion.courier import Courier as NotionCourier
from discubot_pipeline.sandbox.notion.state import NotionState
from discubot_pipeline.sandbox.slack.api import SlackApi
from discubot_pipeline.sandbox.slack.courier import Courier
from discubot_pipeline.sandbox.slack.events import Announcer
from discubot_pipeline.sandbox.slack.state import SlackState
from discubot_pipeline.sandbox.wire import Json


class World:
    """One object per server, touched on the server's event loop only, so that nothing needs a lock."""

    def __init__(self, base_url: str, links: dict[str, str]) -> None:
        self.base_url = base_url
        self.links = links
        self.courier = Courier()
        self.announcer = Announcer(self.courier)
        self.notion_courier = NotionCourier()
        self.notion_announcer = NotionAnnouncer(self.notion_courier)
        self._resets = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything and start with the default world."""
        before = self.version if self._resets else 0
        self._resets += 1
        self._base = before + 1
        self.courier.forget()
        self.notion_courier.forget()
        self.faults, self.log = Faults(), CallLog()
        self.gate = Gate(self.faults, self.log)
        self.slack, self.notion = SlackState(), NotionState(self.base_url)
        self.models = ModelState(self.base_url)
        self.services: dict[str, Service] = {
            "slack": SlackApi(self.slack, self.announcer, self.base_url),
            "notion": NotionApi(self.notion, self.notion_announcer),
            **{name: ModelApi(self.models, dialect) for name, dialect in dialects().items()},
        }
        self.defaults: Json = defaults.build(self.slack, self.notion) | {"models": self.models.record()}

    @property
    def version(self) -> int:
        """Grow with every change that the page shows, also over a reset."""
        return self._base + self.slack.revision + self.notion.revision
