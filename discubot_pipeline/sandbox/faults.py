"""Faults that a test asks for: which calls they hit and how often. Kept by the world, applied by the gate."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from discubot_pipeline.sandbox.wire import Call, Json

Kind = Literal[
    "status", "html", "ratelimit", "slow", "drop_before", "drop_after",
    "saved_503", "saved_503_silent", "blocked_429", "error", "hang",
    "invalid_json", "off_schema", "wrong_enum", "truncated", "refusal", "empty", "lying", "quota", "web_page",
]  # fmt: skip
ServiceName = Literal["slack", "notion", "figma", "anthropic", "openai", "local"]
MODELS = ("anthropic", "openai", "local")
ANSWERS: frozenset[str] = frozenset(
    {"invalid_json", "off_schema", "wrong_enum", "truncated", "refusal", "empty", "lying"}
)
AFTER: frozenset[str] = frozenset({"drop_after", "saved_503", "saved_503_silent"}) | ANSWERS
NOTION_ONLY: frozenset[str] = frozenset({"saved_503", "blocked_429"})
MODELS_ONLY: frozenset[str] = ANSWERS | {"quota", "web_page"}


class Fault(BaseModel):
    """What shall go wrong for which calls, how often (`times` null: always), after how many good ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service: ServiceName
    match: str = ""
    kind: Kind
    status: int | None = Field(None, ge=400, le=599)
    error: str | None = None
    retry_after: int | None = Field(None, ge=0)
    seconds: float = Field(0, ge=0)
    times: int | None = Field(1, ge=1)
    after: int = Field(0, ge=0)

    @field_validator("match")
    @classmethod
    def _is_a_pattern(cls, match: str) -> str:
        try:
            re.compile(match)
        except re.error as wrong:
            raise ValueError(f"not a regular expression: {wrong}") from wrong
        return match

    @model_validator(mode="after")
    def _fits_the_service(self) -> "Fault":
        if self.kind in NOTION_ONLY and self.service != "notion":
            raise ValueError(f"{self.kind} exists only at Notion")
        if self.kind in MODELS_ONLY and self.service not in MODELS:
            raise ValueError(f"{self.kind} exists only at models")
        if self.kind == "error" and not self.error:
            raise ValueError("kind error needs the error to answer with")
        return self

    def hits(self, call: Call) -> bool:
        """Tell whether the call is one of those that the fault is for."""
        return call.service == self.service and re.search(self.match, call.line) is not None


class Armed:
    """A fault on duty: counts the calls it saw and those it struck."""

    def __init__(self, id: str, fault: Fault) -> None:
        self.id = id
        self.fault = fault
        self.seen = 0
        self.struck = 0

    @property
    def is_spent(self) -> bool:
        """Tell whether it has struck as often as it should."""
        return self.fault.times is not None and self.struck >= self.fault.times

    def strikes(self, call: Call) -> bool:
        """Count a call; true when this call must suffer."""
        if self.is_spent or not self.fault.hits(call):
            return False
        self.seen += 1
        if self.seen <= self.fault.after:
            return False
        self.struck += 1
        return True


class Faults:
    """All armed faults, in the order they were asked for; the first that strikes wins."""

    def __init__(self) -> None:
        self._armed: dict[str, Armed] = {}
        self._next = 1
        self.down: set[str] = set()

    def arm(self, fault: Fault) -> str:
        """Add a fault and return its id."""
        id = f"fault-{self._next}"
        self._next += 1
        self._armed[id] = Armed(id, fault)
        return id

    def strike(self, call: Call) -> Armed | None:
        """Return the fault that hits this call, counting it."""
        return next((armed for armed in self._armed.values() if armed.strikes(call)), None)

    def disarm(self, id: str | None = None) -> bool:
        """Take one fault away, or all; false when there is no such fault."""
        if id is not None:
            return self._armed.pop(id, None) is not None
        self._armed.clear()
        return True

    def listed(self) -> list[Json]:
        """Describe all faults with their counts."""
        return [
            {"id": a.id, **a.fault.model_dump(), "seen": a.seen, "struck": a.struck, "spent": a.is_spent}
            for a in self._armed.values()
        ]
