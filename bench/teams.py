"""The teams of a measurement: each with a Slack workspace and a Notion connection of its own, as Notion limits each."""

from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from discubot_pipeline.cli.stage import Stage
from discubot_pipeline.domain.config import NotionCredentials, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.wiring import Services

TEAMS = 4
"""Notion takes 180 requests a minute from a connection, a page costs one at least: a team makes 3 pages a second."""
PERSON = "U0BENCH"


@dataclass(frozen=True)
class Team:
    """A team, its workspace in the sandbox, and its source."""

    slack: dict[str, Any]
    source: SourceConfig

    @classmethod
    def found(cls, here: Services, stage: Stage, number: int) -> "Team":
        """Found a team with all that it needs, and point its workspace at our receiver."""
        name = f"bench-{number}"
        slack = stage.ask("POST", "/sandbox/slack/workspaces", {"name": name, "team_id": f"T0BENCH{number}"})
        home = f"/sandbox/slack/workspaces/{slack['team_id']}"
        stage.ask("POST", f"{home}/users", {"id": PERSON, "name": "anna", "real_name": "Anna"})
        token = stage.ask("POST", "/sandbox/notion/integrations", {"name": name})["token"]
        database = stage.ask("POST", "/sandbox/notion/databases", {"tokens": [token]})["database_id"]
        configs = here.stores.configs
        row = configs.add_team(name, "bench")
        secrets = SlackCredentials(**{key: SecretStr(slack[key]) for key in ("signing_secret", "bot_token")})
        source = configs.add_source(row, SourceType.SLACK, "slack", secrets, "bench", workspace=slack["team_id"])
        notion = NotionCredentials(token=SecretStr(token))
        configs.add_output(source, "tasks", database, notion, "bench", is_default=True)
        return cls(slack, source)

    def say(self, stage: Stage, text: str, root: str | None) -> str:
        """Let the team's person say something of which Slack does not tell us; gives its timestamp."""
        said = {"team_id": self.slack["team_id"], "channel": self.slack["channel"], "user": PERSON, "thread_ts": root}
        posted = stage.ask("POST", "/sandbox/slack/messages", said | {"text": text, "quiet": True})
        return str(posted["ts"])

    def mentioned(self, text: str, ts: str, root: str, number: int) -> dict[str, Any]:
        """Write the event by which Slack tells of a mention."""
        inner = {"type": "app_mention", "user": PERSON, "text": text, "channel": self.slack["channel"], "ts": ts}
        event = {"type": "event_callback", "team_id": self.slack["team_id"], "event_id": f"Ev{number}", "event_time": 1}
        return event | {"event": inner | {"event_ts": ts, "thread_ts": root}}
