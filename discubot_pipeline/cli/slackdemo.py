"""The demo's part in Slack: the team with its workspace, and threads whose last message mentions the bot."""

import time
from pathlib import Path

from pydantic import SecretStr

from discubot_pipeline.cli.stage import TEAM, Played, Stage
from discubot_pipeline.cli.threads import Line, Play, export, samples
from discubot_pipeline.domain.config import NotionCredentials, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.wiring import Services


def set_up(here: Services, stage: Stage) -> SourceConfig:
    """Make the demo's team, source and output, once, and point the sandbox's Slack at our receiver."""
    configs = here.stores.configs
    if TEAM not in [team.name for team in configs.teams()]:
        team = configs.add_team(TEAM, "demo", time_zone="Europe/Amsterdam")
        secrets = SlackCredentials(**{name: SecretStr(stage.slack[name]) for name in ("signing_secret", "bot_token")})
        workspace = stage.slack["team_id"]
        made = configs.add_source(team, SourceType.SLACK, "slack", secrets, "demo", workspace=workspace)
        token = NotionCredentials(token=SecretStr(stage.notion["token"]))
        configs.add_output(made, "tasks", stage.notion["database_id"], token, "demo", is_default=True)
    config = configs.sources(SourceType.SLACK)[0]
    url = f"{here.settings.receiver_url}/hooks/slack/{config.hook}"
    stage.ask(
        "PATCH",
        f"/sandbox/slack/workspaces/{stage.slack['team_id']}",
        {"events_url": url, "url": f"{stage.control.url}/"},
    )
    return config


def threads(stage: Stage, path: Path | None, count: int) -> list[Play]:
    """Read our own sample threads, or those of an export, whose people join the sandbox's workspace."""
    if path is None:
        return samples(stage.slack["bot_user_id"])
    plays = export(path, count)
    for number, user in enumerate(sorted({line.user for each in plays for line in each.lines}), 1):
        body = {"id": user, "name": f"person{number}", "real_name": f"Person {number}", "tz": "UTC"}
        stage.ask("POST", f"/sandbox/slack/workspaces/{stage.slack['team_id']}/users", body)
    return plays


def play(stage: Stage, config: SourceConfig, thread: Play) -> Played:
    """Post a thread line by line; the mention comes last and starts the work."""
    channel, bot = stage.slack["channels"][0]["id"], f"<@{stage.slack['bot_user_id']}>"
    ids = {user["name"]: user["id"] for user in stage.slack["users"]}
    lines = thread.lines if bot in thread.lines[-1].text else (*thread.lines, Line(thread.lines[-1].user, bot))
    root: str | None = None
    for line in lines:
        said = {"channel": channel, "user": ids.get(line.user, line.user), "text": line.text, "ts": line.ts}
        posted = stage.ask(
            "POST", "/sandbox/slack/messages", said | {"team_id": stage.slack["team_id"], "thread_ts": root}
        )
        root = root or posted["ts"]
    thread_id = f"{channel}:{root}"
    id = discussion_id(config.team_id, SourceType.SLACK, thread_id)
    return Played(thread.name, SourceType.SLACK, thread_id, id, time.monotonic())


def answers(stage: Stage, played: Played) -> list[str]:
    """List what the bot has said in a thread."""
    channel, _, root = played.thread_id.partition(":")
    path = f"/sandbox/state?team_id={stage.slack['team_id']}&channel={channel}"
    found = [thread for thread in stage.ask("GET", path)["slack"]["threads"] if thread["ts"] == root]
    return [reply["text"] for thread in found for reply in thread["replies"] if reply["is_bot"]]
