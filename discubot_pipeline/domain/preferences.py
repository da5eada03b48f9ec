"""What a team or a source may choose: who reads, how many tasks, in which voice. Defaults < team < source."""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Priority, Value


class AnalystKind(StrEnum):
    """Who reads the threads: the built-in rules, or a language model behind one of three kinds of API."""

    RULES = "rules"
    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    COMPATIBLE = "compatible"


class Persona(StrEnum):
    """The voice of the answers in a thread; custom is the team's own template."""

    PROFESSIONAL = "professional"
    FRIENDLY = "friendly"
    CONCISE = "concise"
    CUSTOM = "custom"


MOST_PROMPT = 8000
"""Characters of a team's own words to the model."""
PLACEHOLDERS = frozenset({"count", "tasks", "missing", "skipped"})
PLACEHOLDER = re.compile(r"\{(\w*)\}")


class Preferences(Value):
    """What a team or a source may choose. Every field has its default here and nowhere else.

    A task is kept when it is at least as sure as `min_confidence`. `domains` are the names that a task's domain may
    have; when there are none, those of the outputs. Without `auto_sync` verified deliveries are held until a person
    releases them. `trigger` is the word that calls the bot where a source knows no mentions. `reply_template` is the
    text of the persona `custom`. What has a higher `priority` overtakes what waits. With `explain`
    every step of a job is explained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    ai_enabled: bool = True
    max_tasks: int = Field(default=10, ge=1, le=50)
    time_zone: str = "UTC"
    auto_sync: bool = True
    post_confirmation: bool = True
    analyst: AnalystKind = AnalystKind.RULES
    model: str | None = Field(default=None, min_length=1, max_length=200)
    model_url: str | None = None
    summary_prompt: str = Field(default="", max_length=MOST_PROMPT)
    task_prompt: str = Field(default="", max_length=MOST_PROMPT)
    min_confidence: float = Field(default=0.0, ge=0, le=1)
    domains: tuple[str, ...] = ()
    trigger: str | None = Field(default=None, pattern=r"\w", max_length=100)
    persona: Persona = Persona.PROFESSIONAL
    reply_template: str | None = Field(default=None, min_length=1, max_length=2000)
    priority: Priority = Priority.NORMAL
    explain: bool = False

    @field_validator("time_zone")
    @classmethod
    def is_known(cls, name: str) -> str:
        """Accept the names of the IANA time zone database."""
        if name not in time_zones():
            raise ValueError(f"{name!r} is no time zone: use a name such as Europe/Amsterdam")
        return name

    @field_validator("model_url")
    @classmethod
    def is_web_address(cls, url: str | None) -> str | None:
        """Accept the http or https address of an API, without credentials in it."""
        parts = urlsplit(url or "http://none")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(f"{url!r} is no address of an API: use one such as http://127.0.0.1:11434/v1")
        return url.rstrip("/") if url else None

    @field_validator("reply_template")
    @classmethod
    def has_known_places(cls, text: str | None) -> str | None:
        """Accept the placeholders that an answer can fill."""
        unknown = sorted(set(PLACEHOLDER.findall(text or "")) - PLACEHOLDERS)
        if unknown:
            known = " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
            raise ValueError(f"there is no placeholder {{{unknown[0]}}}; there are: {known}")
        return text

    @model_validator(mode="after")
    def names_its_model(self) -> Self:
        """Demand what the chosen analyst cannot work without."""
        if self.analyst is not AnalystKind.RULES and not self.model:
            raise ValueError(f"analyst {self.analyst} needs the name of a model")
        if self.analyst is AnalystKind.COMPATIBLE and not self.model_url:
            raise ValueError("analyst compatible needs model_url, the address of its API")
        return self

    @model_validator(mode="after")
    def has_its_template(self) -> Self:
        """Refuse a persona of one's own without its words."""
        if self.persona is Persona.CUSTOM and self.reply_template is None:
            raise ValueError("the persona custom needs a reply_template")
        return self


@cache
def time_zones() -> frozenset[str]:
    """List the names once: they are read from a folder of files, and preferences are read with every webhook."""
    return frozenset(available_timezones())


def merge(*layers: dict[str, Any]) -> Preferences:
    """Lay later settings over earlier ones; what none sets has its default."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= {key: value for key, value in layer.items() if value is not None}
    try:
        return Preferences.model_validate(merged)
    except ValidationError as error:
        raise Permanent("preferences", sentence_of(error.errors())) from error


def sentence_of(errors: Sequence[Any], skip: int = 0) -> str:
    """Say what is wrong with which field, and nothing of the values: they may be secrets.

    `skip` leaves out the first parts of a field's place, such as the `body` that FastAPI begins it with.
    """
    faults = [(".".join(map(str, fault["loc"][skip:])), fault["msg"].removeprefix("Value error, ")) for fault in errors]
    return "; ".join(f"{field}: {message}" if field else message for field, message in faults)
