"""Fixtures of the stages' tests: Slack and Notion in the sandbox, the real adapters in front of them."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import NotionCredentials, Output, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.outside import Adapters
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from tests.adapters.notion_space import Workspace, workspace
from tests.adapters.slack_workspace import SlackHarness
from tests.conftest import Sandbox
from tests.stages.acme import Acme


@pytest.fixture(scope="session")
def slack(sandbox: Sandbox) -> Iterator[SlackHarness]:
    """Make a Slack workspace for all of these tests."""
    with closing(SlackHarness(sandbox)) as harness:
        yield harness


@pytest.fixture
def notion(sandbox: Sandbox) -> Iterator[Workspace]:
    """Make a Notion connection with one database for each test."""
    with workspace(sandbox) as made:
        yield made


@pytest.fixture
def slack_config(stores: Stores, slack: SlackHarness) -> SourceConfig:
    """Give the source of the Slack workspace."""
    secrets = SlackCredentials(signing_secret=SecretStr(slack.secret), bot_token=SecretStr(slack.token))
    team = stores.configs.add_team("acme", "test", time_zone="Europe/Amsterdam")
    return stores.configs.add_source(team, SourceType.SLACK, "slack", secrets, "test", workspace=slack.team)


@pytest.fixture
def output(stores: Stores, slack_config: SourceConfig, notion: Workspace) -> Output:
    """Give the output that is the Notion database."""
    token = NotionCredentials(token=SecretStr(notion.token))
    database = notion.database["database_id"]
    return stores.configs.add_output(slack_config, "tasks", database, token, "test", is_default=True)


@pytest.fixture
def outside(settings: Settings, sandbox: Sandbox, engine: sa.Engine, stores: Stores) -> Iterator[Adapters]:
    """Give the real adapters, with the sandbox for the world."""
    addresses = {"slack_url": f"{sandbox.url}/slack/api/", "notion_url": f"{sandbox.url}/notion"}
    figma = {"figma_url": f"{sandbox.url}/figma", "figma_calls_per_minute": 1000}
    adapters = Adapters(settings.model_copy(update=addresses | figma), engine, stores.limits)
    yield adapters
    opened: list[Any] = [*adapters._sources.values(), *adapters._trackers.values()]
    for adapter in opened:
        if hasattr(adapter, "close"):
            adapter.close()


@pytest.fixture
def acme(
    sandbox: Sandbox,
    stores: Stores,
    outside: Adapters,
    slack: SlackHarness,
    notion: Workspace,
    slack_config: SourceConfig,
    output: Output,
) -> Acme:
    """Give the whole team."""
    return Acme(sandbox, stores, outside, slack, notion, slack_config, output)
