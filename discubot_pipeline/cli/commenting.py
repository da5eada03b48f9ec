"""The demo's Notion: connects a source as an operator would, and plays a thread of comments on a page."""

import json
import time
from pathlib import Path

from pydantic import SecretStr

from discubot_pipeline.cli.stage import Played, Stage
from discubot_pipeline.cli.threads import Line, Play
from discubot_pipeline.domain.config import NotionCredentials, NotionSourceCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.records import Team
from discubot_pipeline.wiring import Services

COMMENTS = Path(__file__).with_name("comments.json")
OPERATOR = "demo"


def comments() -> list[Play]:
    """Give our own sample threads of comments."""
    plays = json.loads(COMMENTS.read_text())
    return [Play(play["name"], tuple(Line(*said) for said in play["messages"])) for play in plays]


def connect(here: Services, stage: Stage, team: Team) -> SourceConfig:
    """Make the Notion source, once, and subscribe it to the events of the sandbox's Notion, which is new each time."""
    configs = here.stores.configs
    if not configs.sources(SourceType.NOTION, team.id):
        token = SecretStr(stage.notion["token"])
        made = configs.add_source(team, SourceType.NOTION, "notion", NotionSourceCredentials(token=token), OPERATOR)
        database = stage.notion["database_id"]
        configs.add_output(made, "tasks", database, NotionCredentials(token=token), OPERATOR, is_default=True)
    [config] = configs.sources(SourceType.NOTION, team.id)
    here.stores.changes.change_source(config, config.version, OPERATOR, own(config).forget())
    url = f"{here.settings.receiver_url}/hooks/notion/{config.hook}"
    made = stage.ask("POST", "/sandbox/notion/subscriptions", {"token": stage.notion["token"], "url": url})
    if made["handshake"]["status"] != 200:
        raise Permanent("sandbox", f"Notion's handshake was refused: {made['handshake']['answer']}")
    return enter_token(here, stage, made["id"], config)


def enter_token(here: Services, stage: Stage, subscription: str, config: SourceConfig) -> SourceConfig:
    """Show the verification token that arrived, and enter it in Notion."""
    configs = here.stores.configs
    greeted = configs.source(config.id)
    secret = own(greeted).signing_secret
    if secret is None:
        raise Permanent("sandbox", "Notion's verification token did not arrive")
    entered = {"verification_token": secret.get_secret_value()}
    stage.ask("POST", f"/sandbox/notion/subscriptions/{subscription}/verify", entered)
    here.stores.changes.change_source(greeted, greeted.version, OPERATOR, own(greeted).reveal())
    return configs.source(config.id)


def own(config: SourceConfig) -> NotionSourceCredentials:
    """Give the secrets of a Notion source."""
    if not isinstance(config.credentials, NotionSourceCredentials):
        raise Permanent("unknown_source", f"source {config.name!r} is none of Notion's")
    return config.credentials


def comment(stage: Stage, config: SourceConfig, thread: Play) -> Played:
    """Write the comments of a thread one by one; the call comes last and starts the work."""
    ids = {user["email"].partition("@")[0]: user["id"] for user in stage.notion["users"]}
    place = {"page_id": stage.notion["page_id"]}
    for line in thread.lines:
        said = stage.ask("POST", "/sandbox/notion/comments", place | {"user": ids[line.user], "text": line.text})
        place = {"discussion_id": said["discussion_id"]}
    thread_id = f"{said['parent']}:{said['discussion_id']}"
    discussion = discussion_id(config.team_id, SourceType.NOTION, thread_id)
    return Played(thread.name, thread_id, discussion, time.monotonic(), SourceType.NOTION)


def answers(stage: Stage, played: Played) -> list[str]:
    """List what the bot has said in a thread of comments."""
    listed = stage.ask("GET", "/sandbox/notion/comments")["comments"]
    discussion = played.thread_id.partition(":")[2]
    return [one["text"] for one in listed if one["is_bot"] and one["discussion_id"] == discussion]
