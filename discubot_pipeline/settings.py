"""All settings, read once from the environment (`DISCUBOT_…`). Nothing else in the project reads it."""

import os
import sys
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    """Give the state folder of a person: `$XDG_STATE_HOME/discubot`, by default `~/.local/state/discubot`."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "discubot"


class Launcher(StrEnum):
    """How runs get a process: warm ones are there already (Linux); Dagster's own makes one for each."""

    WARM = "warm"
    STOCK = "stock"


class Settings(BaseSettings):
    """One frozen value for the whole process. Each field is the variable `DISCUBOT_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="DISCUBOT_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=default_home)
    database_url: SecretStr | None = None
    direct_url: SecretStr | None = None
    secret_key: SecretStr | None = None
    metrics_token: SecretStr | None = Field(default=None, min_length=1)
    host: str = "127.0.0.1"
    web_port: int = 3000
    receiver_port: int = 8000
    sandbox_port: int = 8010
    public_url: str | None = None
    slack_url: str = "https://slack.com/api"
    figma_url: str = "https://api.figma.com"
    figma_calls_per_minute: int = Field(default=25, ge=5)
    notion_url: str = "https://api.notion.com"
    notion_version: str = "2025-09-03"
    anthropic_url: str = "https://api.anthropic.com"
    openai_url: str = "https://api.openai.com/v1"
    model_patience: timedelta = timedelta(seconds=90)
    max_concurrent_runs: int = Field(default=16, ge=1)
    max_team_runs: int = Field(default=14, ge=1)
    max_source_runs: int = Field(default=14, ge=1)
    launcher: Launcher = Launcher.WARM if sys.platform == "linux" else Launcher.STOCK
    hooks_to_loopback: bool = False
    hooks_to_private: bool = False
    keep_jobs: timedelta = timedelta(days=30)
    keep_done_payloads: timedelta = timedelta(days=7)
    keep_dead_payloads: timedelta = timedelta(days=30)
    redacted_fields: str = ""

    @property
    def redacted(self) -> tuple[str, ...]:
        """Names of fields, given separated by commas, that step records do not keep."""
        return tuple(name for name in map(str.strip, self.redacted_fields.split(",")) if name)

    @property
    def receiver_url(self) -> str:
        """Address under which the receiver is known to the world."""
        return self.public_url or f"http://{self.host}:{self.receiver_port}"

    @property
    def web_url(self) -> str:
        """Address of the Dagster web UI."""
        return f"http://{self.host}:{self.web_port}"

    @property
    def sqlalchemy_url(self) -> str:
        """Our own URL of the database; psycopg 3."""
        return with_driver(self._required_url(), "psycopg")

    @property
    def listen_url(self) -> str:
        """A URL on which LISTEN works, also where a pooler stands in front of the other; plain libpq form."""
        url = self.direct_url.get_secret_value() if self.direct_url else self._required_url()
        return with_driver(url, None)

    @property
    def dagster_url(self) -> str:
        """Dagster's URL of the same database: psycopg2, in the schema `dagster`."""
        parts = urlsplit(with_driver(self._required_url(), "psycopg2"))
        query = [*parse_qsl(parts.query), ("options", "-csearch_path=dagster")]
        return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))

    def _required_url(self) -> str:
        if self.database_url is None:
            raise LookupError('DISCUBOT_DATABASE_URL is not set: start with `discubot up`, or `eval "$(discubot env)"`')
        return self.database_url.get_secret_value()


def with_driver(url: str, driver: str | None) -> str:
    """Put a driver's name into a Postgres URL, whatever it had: `postgres://…` → `postgresql+psycopg://…`."""
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.split("+")[0] not in ("postgres", "postgresql"):
        raise ValueError("DISCUBOT_DATABASE_URL must look like postgresql://user:password@host:5432/database")
    return f"postgresql{'+' + driver if driver else ''}://{rest}"


def inherited_environment() -> dict[str, str]:
    """Copy this process's environment for a child, without what would make every Python start compile anew."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
