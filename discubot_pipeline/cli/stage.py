"""Where the demo plays, and what it played there. Used by `demo` and `commenting`."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from discubot_pipeline.adapters.http import Service
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent


@dataclass(frozen=True)
class Stage:
    """Where the demo plays: the sandbox's control API and the defaults it told us."""

    control: Service
    slack: dict[str, Any]
    notion: dict[str, Any]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call the sandbox's control API."""
        answer = self.control.call(method, path, json=body)
        if answer.status_code >= 400:
            raise Permanent("sandbox", f"the sandbox refused {method} {path}: {answer.text}")
        return answer.json()


@dataclass(frozen=True)
class Played:
    """A thread that was played, and when its mention was posted."""

    name: str
    thread_id: str
    discussion: UUID
    at: float
    source: SourceType = SourceType.SLACK
