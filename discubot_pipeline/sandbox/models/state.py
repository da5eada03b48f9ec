"""What the stand-in of language models remembers: keys, scripted answers, and what it was asked. Changed by control."""

import json
import re
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any, Literal

from discubot_pipeline.sandbox.wire import Json

KEPT = 1000
KEYS = {"anthropic": "sk-ant-sandbox-acme", "openai": "sk-sandbox-acme"}
PATHS = {"anthropic": "/models/anthropic", "openai": "/models/openai/v1", "local": "/models/local/v1"}
UNKNOWN = re.compile(r"does-not-exist|unknown")
"""Models of such a name are not there; all others are."""
Form = Literal["text", "schema", "tool"]
Stop = Literal["end", "length", "refusal"]


@dataclass(frozen=True)
class Ask:
    """What a model was asked, whatever the API: `form` says whether it answers in text, by a schema or to a tool."""

    service: str
    model: str
    system: str
    prompt: str
    turns: int
    form: Form
    schema: Json | None
    tool: str
    max_tokens: int | None


@dataclass(frozen=True)
class Reply:
    """What a model says, and why it stops."""

    text: str
    stop: Stop = "end"


@dataclass
class Script:
    """An answer for prompts that match a pattern, so many times (null: always)."""

    id: str
    match: str
    text: str
    stop: Stop = "end"
    times: int | None = None
    used: int = 0

    def fits(self, ask: Ask) -> bool:
        """Tell whether it is for this question."""
        is_left = self.times is None or self.used < self.times
        return is_left and re.search(self.match, ask.prompt, re.DOTALL) is not None


class ModelState:
    """All there is to know; the same for all three services."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.scripts: dict[str, Script] = {}
        self.asks: deque[Ask] = deque(maxlen=KEPT)
        self._next = 1

    def script(self, match: str, answer: Any, stop: Stop, times: int | None) -> Script:
        """Add a scripted answer: a text, or anything else as JSON."""
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        made = Script(f"script-{self._next}", match, text, stop, times)
        self._next += 1
        self.scripts[made.id] = made
        return made

    def scripted(self, ask: Ask) -> Reply | None:
        """Give the newest scripted answer that fits, counting it."""
        found = next((script for script in reversed(self.scripts.values()) if script.fits(ask)), None)
        if found is None:
            return None
        found.used += 1
        return Reply(found.text, found.stop)

    def record(self) -> Json:
        """Describe addresses and keys; the local server wants no key."""
        return {name: {"url": f"{self.base_url}{path}", "api_key": KEYS.get(name)} for name, path in PATHS.items()}

    def asked(self) -> list[Json]:
        """List what was asked, oldest first."""
        return [asdict(ask) for ask in self.asks]
