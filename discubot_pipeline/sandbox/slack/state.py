"""What the stand-in of Slack remembers: workspaces, people, channels, messages. Changed by its API and by
control.
"""

import secrets
import string
import time
from bisect import insort
from dataclasses import dataclass, field

from discubot_pipeline.sandbox.wire import Json

SCOPES = (
    "app_mentions:read", "channels:history", "channels:read", "chat:write", "groups:history", "groups:read",
    "im:history", "im:read", "mpim:history", "reactions:read", "reactions:write", "team:read", "users:read",
    "users:read.email",
)  # fmt: skip
RETRY_DELAYS = (0.0, 60.0, 300.0)
TOMBSTONE = "This message was deleted."


def new_id(prefix: str) -> str:
    """Make an id in Slack's form, like C08AB12CD34."""
    alphabet = string.ascii_uppercase + string.digits
    return prefix + "0" + "".join(secrets.choice(alphabet) for _ in range(9))


@dataclass
class Person:
    """A member of a workspace; the bot is one too."""

    id: str
    name: str
    real_name: str
    email: str | None = None
    tz: str = "Europe/Amsterdam"
    is_bot: bool = False


@dataclass
class Message:
    """A message, root or reply; `text` is mrkdwn with entities escaped, as Slack hands it out."""

    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    client_msg_id: str | None = None
    edited: Json | None = None
    is_bot: bool = False
    is_tombstone: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    metadata: Json | None = None
    extras: Json = field(default_factory=dict)

    @property
    def is_reply(self) -> bool:
        """Tell whether it stands below another message."""
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Channel:
    """A channel or a direct conversation with its messages, in order of their ts."""

    id: str
    name: str
    is_member: bool = True
    is_im: bool = False
    is_private: bool = False
    is_archived: bool = False
    im_user: str | None = None
    created: int = field(default_factory=lambda: int(time.time()))
    messages: dict[str, Message] = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=dict)
    last: int = 0

    @property
    def kind(self) -> str:
        """Return the channel_type that events carry."""
        return "im" if self.is_im else "group" if self.is_private else "channel"

    def next_ts(self) -> str:
        """Return a ts that is later than every other of the channel."""
        self.last = max(time.time_ns() // 1000, self.last + 1)
        return f"{self.last // 1_000_000}.{self.last % 1_000_000:06d}"

    def add(self, message: Message) -> None:
        """Store a message at its place."""
        self.messages[message.ts] = message
        self.last = max(self.last, int(message.ts.replace(".", "")))
        if message.is_reply:
            insort(self.replies.setdefault(str(message.thread_ts), []), message.ts)
        else:
            insort(self.roots, message.ts)

    def thread(self, root_ts: str) -> list[Message]:
        """List the replies below a root, oldest first."""
        return [self.messages[ts] for ts in self.replies.get(root_ts, [])]

    def remove(self, message: Message) -> None:
        """Delete a message; a root that has replies leaves a tombstone, as in Slack."""
        if not message.is_reply and self.replies.get(message.ts):
            message.text, message.user, message.is_tombstone = TOMBSTONE, "USLACKBOT", True
            return
        del self.messages[message.ts]
        siblings = self.replies[str(message.thread_ts)] if message.is_reply else self.roots
        siblings.remove(message.ts)


@dataclass
class Workspace:
    """A Slack workspace with one app installed in it."""

    team_id: str
    name: str
    bot_token: str
    signing_secret: str
    bot_user_id: str
    bot_id: str
    app_id: str
    url: str
    app_token: str = ""
    socket_mode: bool = False
    events_url: str | None = None
    subscribe: tuple[str, ...] = ("app_mention",)
    retry_delays: tuple[float, ...] = RETRY_DELAYS
    scopes: tuple[str, ...] = SCOPES
    repeat_parent: bool = False
    bot_name: str = "discubot"
    people: dict[str, Person] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """Return the name in lower case without blanks."""
        return "".join(c for c in self.name.lower() if c.isalnum() or c == "-") or "workspace"

    def record(self) -> Json:
        """Describe the workspace with its secrets, for whoever set it up."""
        keys = (
            "team_id",
            "name",
            "url",
            "bot_token",
            "app_token",
            "socket_mode",
            "signing_secret",
            "bot_user_id",
            "bot_id",
            "app_id",
            "events_url",
        )
        return {
            **{key: getattr(self, key) for key in keys},
            "subscribe": list(self.subscribe),
            "retry_delays": list(self.retry_delays),
            "scopes": list(self.scopes),
            "channel": next(iter(self.channels), None),
            "channels": [{"id": c.id,
            "name": c.name, "is_member": c.is_member, "is_im": c.is_im, "is_private": c.is_private}
                         for c in self.channels.values()],
            "users": [{"id": p.id, "name": p.name, "real_name": p.real_name, "email": p.email, "tz": p.tz}
                      for p in self.people.values() if not p.is_bot],
        }  # fmt: skip


class SlackState:
    """All workspaces; `revision` grows with every visible change."""

    def __init__(self) -> None:
        self.workspaces: dict[str, Workspace] = {}
        self.revision = 0

    def changed(self) -> None:
        """Note that a page which shows this state is out of date."""
        self.revision += 1

    def by_token(self, token: str) -> Workspace | None:
        """Find the workspace that a bot token belongs to."""
        return next((w for w in self.workspaces.values() if w.bot_token == token), None)

    def by_app_token(self, token: str) -> Workspace | None:
        """Find the workspace that an app-level token belongs to."""
        return next((w for w in self.workspaces.values() if token and w.app_token == token), None)

    def add(self, workspace: Workspace) -> Workspace:
        """Store a workspace and put its bot among the people."""
        bot = Person(
            workspace.bot_user_id,
            workspace.bot_name,
            workspace.bot_name.capitalize(),
            tz="Etc/UTC",
            is_bot=True,
        )
        workspace.people[bot.id] = bot
        self.workspaces[workspace.team_id] = workspace
        self.changed()
        return workspace


def new_workspace(name: str, team_id: str | None = None) -> Workspace:
    """Make a workspace with fresh ids and secrets and no people."""
    workspace = Workspace(
        team_id=team_id or new_id("T"), name=name, bot_token=f"xoxb-{secrets.token_hex(16)}",
        signing_secret=secrets.token_hex(16), bot_user_id=new_id("U"), bot_id=new_id("B"),
        app_id=new_id("A"), url="", app_token=f"xapp-{secrets.token_hex(16)}",
    )  # fmt: skip
    workspace.url = f"https://{workspace.domain}.slack.com/"
    return workspace
