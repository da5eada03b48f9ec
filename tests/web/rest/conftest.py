"""The receiver over an empty database, and people with tokens who call its API."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from pydantic import SecretStr

from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role
from discubot_pipeline.tracking.describe import TEAM
from discubot_pipeline.web.app import create_app
from discubot_pipeline.wiring import Services, build
from tests.conftest import Sandbox
from tests.tracking.ledger import Ledger


@dataclass(frozen=True)
class Caller:
    """Somebody with a token."""

    client: TestClient
    token: str

    def __call__(self, method: str, path: str, status: int = 200, body: Any = None, **more: Any) -> Any:
        """Call the API and expect a status; gives the JSON of the answer, None without."""
        headers = {"authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        answer = self.client.request(method, f"/api{path}", json=body, headers=headers, **more)
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
        is_json = answer.text and answer.headers["content-type"].endswith("json")
        return answer.json() if is_json else answer.text


@pytest.fixture
def services(settings: Settings, engine: sa.Engine, sandbox: Sandbox) -> Iterator[Services]:
    """Give services over the empty database, with the sandbox as the world."""
    urls = {"notion_url": f"{sandbox.url}/notion", "slack_url": f"{sandbox.url}/slack/api"}
    here = build(settings.model_copy(update=urls))
    yield here
    here.close()


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    """Give a client of the receiver."""
    with TestClient(create_app(services), raise_server_exceptions=False) as client:
        yield client


Enter = Callable[..., Caller]


@pytest.fixture
def enter(client: TestClient, stores: Stores) -> Enter:
    """Let somebody of a team come in; the team is made where there is none."""

    def call(team: str = "acme", name: str = "anna", role: Role = Role.ADMIN) -> Caller:
        known = {each.name: each for each in stores.configs.teams()}
        found = known.get(team) or stores.configs.add_team(team, "test")
        return Caller(client, stores.tokens.make(found.id, name, role, "test"))

    return call


@pytest.fixture
def admin(enter: Enter) -> Caller:
    """Give an admin of the team acme."""
    return enter()


@pytest.fixture
def member(enter: Enter) -> Caller:
    """Give a member of the team acme."""
    return enter(name="ben", role=Role.MEMBER)


@pytest.fixture
def slack_config(admin: Caller, stores: Stores) -> SourceConfig:
    """Give the team acme a Slack source."""
    secrets = SlackCredentials(signing_secret=SecretStr("s3cret"), bot_token=SecretStr("xoxb-test"))
    team = stores.configs.team("acme")
    return stores.configs.add_source(team, SourceType.SLACK, "slack", secrets, "test", workspace="T1")


@pytest.fixture
def ledger(services: Services, engine: sa.Engine) -> Iterator[Ledger]:
    """Give an empty record of runs in the receiver's database."""
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema("dagster", if_not_exists=True))
    with services.jobs._instance.reading() as instance:
        instance.wipe()
        yield Ledger(instance)


@pytest.fixture
def mine(member: Caller, stores: Stores) -> dict[str, str]:
    """Give the tag of the team acme's jobs."""
    return {TEAM: str(stores.configs.team("acme").id)}
