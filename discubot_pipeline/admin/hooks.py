"""Sets up completion hooks: what the command line and the REST API both call. A secret is shown when it is made."""

import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, SecretStr, model_validator

from discubot_pipeline.domain.changes import Change, Name
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.hook import BY_DEFAULT, Hook, HookCredentials, HookEvent, HookKind
from discubot_pipeline.store.records import Team
from discubot_pipeline.store.stores import Stores

SECRET_BYTES = 24
PAUSED = "paused"
CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,20}")


class NewHook(Change):
    """A target to tell when a job has ended: the address of a webhook, or the id (C…) of a channel of Slack."""

    name: Name
    url: Annotated[str | None, Field(max_length=2000)] = None
    channel: Annotated[str | None, Field(max_length=40)] = None
    events: Annotated[tuple[HookEvent, ...], Field(min_length=1, max_length=len(HookEvent))] = BY_DEFAULT
    source_id: UUID | None = Field(default=None, description="Only jobs of this source.")
    sender_id: UUID | None = Field(default=None, description="The Slack source to speak through, if there are several.")
    has_text: bool = Field(default=False, description="Also tell title and summary, which are words of the thread.")

    @model_validator(mode="after")
    def _is_one(self) -> "NewHook":
        if (self.url is None) == (self.channel is None):
            raise ValueError("give either url or channel")
        return self


class HookChange(Change):
    """A change of a hook; what is not named stays. The target stays of its kind, and a webhook keeps its secret."""

    name: Name | None = None
    url: Annotated[str | None, Field(max_length=2000)] = None
    channel: Annotated[str | None, Field(max_length=40)] = None
    events: Annotated[tuple[HookEvent, ...] | None, Field(min_length=1, max_length=len(HookEvent))] = None
    source_id: UUID | None = Field(default=None, description="Only jobs of this source; null for those of all.")
    has_text: bool | None = None
    active: bool | None = Field(default=None, description="False: it is told nothing, and what waits is given up.")


class HookView(BaseModel):
    """A hook as it is shown: never its secret."""

    id: UUID
    name: str
    kind: HookKind
    url: str | None
    channel: str | None
    events: tuple[HookEvent, ...]
    source_id: UUID | None
    sender_id: UUID | None
    has_text: bool
    active: bool
    reason: str | None = Field(
        description="Why it is not active: `paused` by a person, or `gone`, when it answered 410."
    )
    created_at: AwareDatetime
    created_by: str


class NewHookView(HookView):
    """A hook that was just made, with the secret by which its receiver verifies what it is told: shown this once."""

    signing_secret: str | None


def add(stores: Stores, team: UUID, new: NewHook, check: Callable[[str], object], actor: str) -> NewHookView:
    """Make a hook; `check` refuses addresses that must not be called."""
    columns = columns_of(stores, team, new, check) | {"has_text": new.has_text}
    if new.url is not None:
        secret = f"whsec_{b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
        columns |= {"kind": HookKind.WEBHOOK}
    else:
        secret = None
        columns |= {"kind": HookKind.SLACK, "sender_id": sender_of(stores, team, new)}
    credentials = HookCredentials(signing_secret=SecretStr(secret) if secret else None)
    made = stores.hooks.add(team, new.name, credentials, actor, **columns)
    return NewHookView(**view(made).model_dump(), signing_secret=secret)


def change(stores: Stores, hook: Hook, wanted: HookChange, check: Callable[[str], object], actor: str) -> HookView:
    """Change a hook, all of it or nothing; what was given up while it was not active is not told later."""
    is_elsewhere = wanted.channel if hook.kind is HookKind.WEBHOOK else wanted.url
    if is_elsewhere is not None:
        raise Permanent("invalid", f"this hook is a {hook.kind}: its target stays of that kind; add another hook")
    columns = columns_of(stores, hook.team_id, wanted, check)
    columns |= {name: value for name, value in wanted.given("name", "has_text").items() if value is not None}
    columns |= {"active": True, "reason": None} if wanted.active else {}
    with stores.together():
        changed = stores.hooks.change(hook, columns, actor)
        if wanted.active is False:
            stores.outbox.disable(hook.id, PAUSED)
            changed = stores.hooks.get(hook.id)
    return view(changed)


def columns_of(
    stores: Stores, team: UUID, wanted: NewHook | HookChange, check: Callable[[str], object]
) -> dict[str, Any]:
    """Check what is asked for, and give what is to be written of it: target, events and source."""
    columns: dict[str, Any] = {}
    if wanted.url is not None:
        check(wanted.url)
        columns["url"] = wanted.url
    if wanted.channel is not None:
        columns["channel"] = channel_of(wanted.channel)
    if wanted.events is not None:
        columns["events"] = [event.value for event in dict.fromkeys(wanted.events)]
    if "source_id" in wanted.model_fields_set:
        if wanted.source_id:
            stores.changes.source(wanted.source_id, team)
        columns["source_config_id"] = wanted.source_id
    return columns


def channel_of(text: str) -> str:
    """Read the id of a channel."""
    channel = text.strip()
    if not CHANNEL.fullmatch(channel):
        raise Permanent("invalid", "channel: enter its id, such as C0123ABCD (Slack shows it in the channel's details)")
    return channel


def sender_of(stores: Stores, team: UUID, new: NewHook) -> UUID:
    """Choose the Slack source to speak through: the one that is named, or the team's only one."""
    slack = [each.config for each in stores.changes.sources(team) if each.config.source is SourceType.SLACK]
    found = [config for config in slack if new.sender_id in (None, config.id)]
    if len(found) != 1:
        known = ", ".join(config.name for config in slack) or "none"
        raise Permanent("invalid", f"sender_id: name one Slack source of the team; there are: {known}")
    return found[0].id


def find(stores: Stores, team: Team, name: str) -> Hook:
    """Give a team's hook of a name."""
    known: Sequence[Hook] = stores.hooks.of_team(team.id)
    found = [hook for hook in known if hook.name == name]
    if not found:
        raise Permanent(
            "unknown_hook", f"there is no hook {name!r}; there are: {', '.join(h.name for h in known) or 'none'}"
        )
    return found[0]


def view(hook: Hook) -> HookView:
    """Show a hook."""
    names = set(HookView.model_fields) & set(Hook.model_fields)
    return HookView(**hook.model_dump(include=names), source_id=hook.source_config_id)
