"""Notion's webhooks at the receiver: the handshake, comments, and pages of tasks."""

import json
import logging
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import NotionSourceCredentials, Output, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.task import Page
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import inboxes
from tests.adapters.notion_comments import SECRET, payload, sign
from tests.store.samples import STARTED, parsed_of, planned, thread_of
from tests.web.receiver import Receiver

PAGE = "0ef104cd-477e-80e1-8571-cfd10e92339a"


@pytest.fixture
def config(stores: Stores, slack_config: SourceConfig) -> SourceConfig:
    """Give a Notion source that has no verification token yet."""
    own = NotionSourceCredentials(token=SecretStr("ntn_test"))
    return stores.configs.add_source(stores.configs.team("acme"), SourceType.NOTION, "notion", own, "test")


def post(receiver: Receiver, config: SourceConfig, body: bytes, secret: str | None = SECRET) -> tuple[int, Any]:
    """Send a request; gives status and answer."""
    headers = {"content-type": "application/json"} | (sign(secret, body) if secret else {})
    answer = receiver.http.post(f"/hooks/notion/{config.hook}", content=body, headers=headers)
    return answer.status_code, answer.json()


def rows(stores: Stores) -> list[Any]:
    """Read the inbox."""
    with stores.engine.connect() as connection:
        return list(connection.execute(sa.select(inboxes[SourceType.NOTION]).order_by(sa.column("id"))))


def own(stores: Stores, config: SourceConfig) -> NotionSourceCredentials:
    """Read the source's secrets."""
    found = stores.configs.source(config.id).credentials
    assert isinstance(found, NotionSourceCredentials)
    return found


def test_the_handshake_is_kept_once(
    receiver: Receiver, stores: Stores, config: SourceConfig, caplog: pytest.LogCaptureFixture
) -> None:
    """The token is sealed and not logged; from then on only what it signs is let in, another token is not."""
    caplog.set_level(logging.INFO)
    assert post(receiver, config, payload("comment_created"))[0] == 401
    assert post(receiver, config, payload("verification_token"), None)[0] == 200
    assert own(stores, config).signing_secret == SecretStr(SECRET)
    assert own(stores, config).is_unseen
    assert (own(stores, config).token, rows(stores)) == (SecretStr("ntn_test"), [])
    other = json.dumps({"verification_token": "secret_of_somebody_else"}).encode()
    for secret in (None, SECRET, "secret_of_somebody_else"):
        assert post(receiver, config, other, secret)[0] == 401
    assert own(stores, config).signing_secret == SecretStr(SECRET)
    assert post(receiver, config, payload("comment_created"))[1]["status"] == "accepted"
    assert "webhook_handshake" in caplog.messages
    assert SECRET not in caplog.text


def test_a_comment_is_stored_once(receiver: Receiver, stores: Stores, config: SourceConfig) -> None:
    """The same event, and another event of the same comment, get the first row's id; edits are ignored by name."""
    post(receiver, config, payload("verification_token"), None)
    answers = [post(receiver, config, payload(name))[1] for name in ("comment_created",) * 2]
    answers.append(post(receiver, config, payload("comment_created_later"))[1])
    assert [answer["status"] for answer in answers] == ["accepted", "duplicate", "duplicate"]
    assert len({answer["delivery_id"] for answer in answers}) == 1
    edited = json.loads(payload("comment_updated")) | {"id": "another"}
    assert post(receiver, config, json.dumps(edited).encode())[1]["reason"] == "edited"
    assert [(row.status, row.kind) for row in rows(stores)] == [("pending", "mention"), ("ignored", "mention")]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"type": "comment.created"}', b"\xff"])
def test_nonsense_is_malformed(receiver: Receiver, stores: Stores, config: SourceConfig, body: bytes) -> None:
    """400, and nothing is stored."""
    post(receiver, config, payload("verification_token"), None)
    assert post(receiver, config, body)[0] == 400
    assert rows(stores) == []


def test_only_pages_of_the_teams_tasks_are_looked_at(
    receiver: Receiver, stores: Stores, config: SourceConfig, slack_config: SourceConfig, output: Output
) -> None:
    """A change of any other page is ignored, and so is one that another team's subscription tells of."""
    post(receiver, config, payload("verification_token"), None)
    changed = json.loads(payload("page_properties_updated"))
    assert post(receiver, config, json.dumps(changed).encode())[1]["reason"] == "unknown_page"
    make_task(stores, slack_config, output)
    assert post(receiver, config, json.dumps(changed | {"id": "second"}).encode())[1]["status"] == "accepted"
    assert [(row.status, row.kind, row.thread_id) for row in rows(stores)] == [
        ("ignored", "page", None),
        ("pending", "page", f"page:{PAGE}"),
    ]
    theirs = NotionSourceCredentials(token=SecretStr("ntn_other"), signing_secret=SecretStr(SECRET))
    team = stores.configs.add_team("others", "test")
    stranger = stores.configs.add_source(team, SourceType.NOTION, "notion", theirs, "test")
    assert post(receiver, stranger, json.dumps(changed).encode())[1]["reason"] == "unknown_page"


def make_task(stores: Stores, config: SourceConfig, output: Output) -> None:
    """Make a task whose page the events are about."""
    thread = thread_of(config)
    stores.discussions.open(parsed_of(config), "run-1", ())
    row = stores.tasks.begin(planned(thread, output.id), thread, "", "run-1", False)
    assert row is not None
    stores.tasks.paged(row, Page(id=PAGE, url="https://notion.so/1", created_at=STARTED), ())
    stores.tasks.created(row)
