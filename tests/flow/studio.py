"""A team whose file is in the sandbox's Figma: people comment, webhooks and mails tell of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.adapters.figmatext import REFERENCE
from discubot_pipeline.domain.config import FigmaCredentials, MailgunCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.tables import inboxes
from tests.flow.runs import Json, Run, eventually
from tests.flow.team import OPEN, Team
from tests.flow.town import Town

KEY, PASSCODE = "mailgun-key", "open sesame"


@dataclass(frozen=True)
class Studio:
    """The team: its file, the people in it, and its two sources."""

    team: Team
    file: str
    people: tuple[str, ...]
    bot: Json
    figma: SourceConfig
    mailgun: SourceConfig

    @property
    def town(self) -> Town:
        """Name the town that it is in."""
        return self.team.town

    def say(self, text: str, root: str | None = None, who: int = 0, quiet: bool = False) -> str:
        """Let a person comment; gives the comment's id. Of quiet comments no webhook tells."""
        said = {"file_key": self.file, "user": self.people[who], "message": text, "parent_id": root, "quiet": quiet}
        return str(self.town.ask("POST", "/sandbox/figma/comments", said)["id"])

    def mail(self, *comments: str, **more: Any) -> Json:
        """Let Mailgun send a mail about comments; gives the receiver's answer."""
        address = f"{self.town.here.settings.receiver_url}/hooks/mailgun/{self.mailgun.hook}"
        letter = {"url": address, "signing_key": KEY, "file_key": self.file, "comment_ids": list(comments)}
        answer: Json = self.town.ask("POST", "/sandbox/mailgun/mails", letter | more)
        return answer

    def thread(self, root: str) -> "FigmaThread":
        """Look at a thread."""
        return FigmaThread(self, root)


@dataclass(frozen=True)
class FigmaThread:
    """A thread of comments and all that came of it."""

    studio: Studio
    root: str

    @property
    def id(self) -> str:
        """Give the thread's id."""
        return f"{self.studio.file}:{self.root}"

    @property
    def discussion(self) -> Discussion | None:
        """Give the discussion's row."""
        id = discussion_id(self.studio.team.row.id, SourceType.FIGMA, self.id)
        return self.studio.town.here.stores.discussions.get(id)

    @property
    def deliveries(self) -> list[Any]:
        """List the inbox rows of the thread, whichever way they came."""
        id = discussion_id(self.studio.team.row.id, SourceType.FIGMA, self.id)
        tables = [inboxes[kind] for kind in (SourceType.FIGMA, SourceType.MAILGUN)]
        with self.studio.town.here.engine.connect() as connection:
            rows = [connection.execute(sa.select(t).where(t.c.discussion_id == id)).all() for t in tables]
        return sorted((row for some in rows for row in some), key=lambda row: row.id)

    @property
    def runs(self) -> list[Run]:
        """List the thread's runs, the first one first."""
        return self.studio.town.runs(tags=[{"key": "discubot/thread", "value": self.id}])

    @property
    def comments(self) -> list[Json]:
        """List its comments, oldest first."""
        path = f"/sandbox/figma/files/{self.studio.file}/comments"
        found: Sequence[Json] = self.studio.town.ask("GET", path)["comments"]
        return [comment for comment in found if self.root in (comment["id"], comment["parent_id"])]

    @property
    def replies(self) -> list[str]:
        """List what the bot has answered, without its references."""
        own = [comment for comment in self.comments if comment["user"]["id"] == self.studio.bot["id"]]
        return [REFERENCE.sub("", comment["message"]) for comment in own]

    def reactions(self, comment: str) -> set[str]:
        """Name the reactions on a comment."""
        return {r["emoji"] for one in self.comments if one["id"] == comment for r in one["reactions"]}

    def settled(self, rows: int = 1) -> list[Any]:
        """Wait until so many deliveries are there and none is open any more; gives them."""

        def probe() -> list[Any]:
            found = self.deliveries
            is_done = len(found) >= rows and not any(row.status in OPEN for row in found)
            return found if is_done and all(run.is_finished for run in self.runs) else []

        return eventually(probe, f"{self.id} to settle")


def studio(town: Town, name: str) -> Studio:
    """Found a team with a file in Figma, with a webhook and mails."""
    team = town.team(name)
    anna, ben, bot = (
        town.ask("POST", "/sandbox/figma/accounts", {"handle": who}) for who in ("Anna", "Ben", "discubot")
    )
    members = [anna["id"], ben["id"], bot["id"]]
    file = town.ask("POST", "/sandbox/figma/files", {"name": name, "members": members})["key"]
    secrets = FigmaCredentials(token=SecretStr(bot["token"]), passcode=SecretStr(PASSCODE))
    configs = town.here.stores.configs
    figma = configs.add_source(team.row, SourceType.FIGMA, "figma", secrets, "test")
    mails = MailgunCredentials(signing_key=SecretStr(KEY))
    mailgun = configs.add_source(team.row, SourceType.MAILGUN, "mails", mails, "test")
    team.output(figma)
    endpoint = f"{town.here.settings.receiver_url}/hooks/figma/{figma.hook}"
    hook = {"endpoint": endpoint, "passcode": PASSCODE, "files": [file], "retry_delays": [0.2, 0.2, 0.2]}
    for is_sparse in (False, True):
        made = town.ask("POST", "/sandbox/figma/webhooks", hook | {"is_sparse": is_sparse})
        assert made["ping"]["status"] == 200
    return Studio(team, file, (anna["id"], ben["id"]), bot, figma, mailgun)
