"""The demo's part in Figma: one call comes by webhook, out of an old thread, and one by mail. Called by `demo`."""

import time
from typing import Any

from pydantic import SecretStr

from discubot_pipeline.cli.stage import TEAM, Played, Stage
from discubot_pipeline.domain.config import FigmaCredentials, MailgunCredentials, NotionCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.wiring import Services

BY_WEBHOOK = "@discubot please make tasks of this"
BY_MAIL = "@discubot rename the Pay button and add a hover state to it"


def set_up(here: Services, stage: Stage) -> tuple[SourceConfig, SourceConfig]:
    """Connect Figma and its mails, once, and let the sandbox's webhook know us; gives both sources."""
    configs, told = here.stores.configs, stage.figma
    team = configs.team(TEAM)
    if not configs.sources(SourceType.FIGMA, team.id):
        secrets = FigmaCredentials(token=SecretStr(told["token"]), passcode=SecretStr(told["passcode"]))
        made = configs.add_source(team, SourceType.FIGMA, "figma", secrets, "demo")
        token = NotionCredentials(token=SecretStr(stage.notion["token"]))
        configs.add_output(made, "tasks", stage.notion["database_id"], token, "demo", is_default=True)
        key = MailgunCredentials(signing_key=SecretStr(told["signing_key"]))
        configs.add_source(team, SourceType.MAILGUN, "figma-mails", key, "demo")
    [figma], [mailgun] = (configs.sources(kind, team.id) for kind in (SourceType.FIGMA, SourceType.MAILGUN))
    stage.ask("POST", "/sandbox/figma/webhooks", {"endpoint": address(here, figma), "passcode": told["passcode"]})
    return figma, mailgun


def play(here: Services, stage: Stage) -> list[Played]:
    """Answer in the old thread, and open another one of which only a mail tells."""
    figma, mailgun = set_up(here, stage)
    anna, ben, *_ = (user["id"] for user in stage.figma["users"])
    [old, *_] = stage.ask("GET", f"/sandbox/figma/files/{stage.figma['file_key']}/comments")["comments"]
    reply = say(stage, anna, BY_WEBHOOK, parent_id=old["id"])
    by_webhook = played(figma, "reply in an old Figma thread", stage, reply)
    comment = say(stage, ben, BY_MAIL, quiet=True)
    letter = {"file_key": stage.figma["file_key"], "comment_ids": [comment["id"]], "background": True}
    to = {"url": address(here, mailgun), "signing_key": stage.figma["signing_key"]}
    stage.ask("POST", "/sandbox/mailgun/mails", letter | to)
    return [by_webhook, played(figma, "mail about a Figma comment", stage, comment)]


def say(stage: Stage, user: str, message: str, **more: Any) -> dict[str, Any]:
    """Let a person comment in the sandbox's file."""
    said = {"file_key": stage.figma["file_key"], "user": user, "message": message}
    made: dict[str, Any] = stage.ask("POST", "/sandbox/figma/comments", said | more)
    return made


def played(config: SourceConfig, name: str, stage: Stage, comment: dict[str, Any]) -> Played:
    """Name the thread of a comment."""
    thread_id = f"{stage.figma['file_key']}:{comment['parent_id'] or comment['id']}"
    id = discussion_id(config.team_id, SourceType.FIGMA, thread_id)
    return Played(name, SourceType.FIGMA, thread_id, id, time.monotonic())


def answers(stage: Stage, played: Played) -> list[str]:
    """List what the bot has said in a thread of comments."""
    file, _, root = played.thread_id.partition(":")
    said = stage.ask("GET", f"/sandbox/figma/files/{file}/comments")["comments"]
    bot = stage.figma["bot_id"]
    return [one["message"] for one in said if one["parent_id"] == root and one["user"]["id"] == bot]


def address(here: Services, config: SourceConfig) -> str:
    """Write the webhook address of a source."""
    return f"{here.settings.receiver_url}/hooks/{config.source}/{config.hook}"
