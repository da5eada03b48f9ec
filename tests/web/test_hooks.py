"""Webhooks: what is proven is stored and answered, what is not leaves no trace."""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.domain.config import SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import source_configs
from discubot_pipeline.wiring import build
from tests.adapters.slack_workspace import SECRET, payload
from tests.store.samples import change
from tests.waiting import until
from tests.web.receiver import Receiver, problem, slack_headers

Rows = Callable[[], list[Any]]
MENTION = payload("app_mention")
LIMIT = 1024 * 1024
UNPRINTED = {"httpx2", "uvicorn.access"}
"""Loggers of the test's own client, and of the access log that is switched off: pytest listens to them all the same."""


class TestAccepted:
    """What a source sends."""

    def test_slacks_handshake(self, receiver: Receiver, slack_config: SourceConfig, stored: Rows) -> None:
        """The challenge comes back as Slack wants it, and nothing is stored."""
        answer = receiver.slack(slack_config, payload("url_verification"))
        assert (answer.status_code, answer.json()) == (200, {"challenge": "3eZbrw1aBm2rZgRN"})
        assert stored() == []

    def test_a_mention_is_a_row(self, receiver: Receiver, slack_config: SourceConfig, stored: Rows) -> None:
        """It is stored before it is answered; the answer names the row."""
        answer = receiver.slack(slack_config, MENTION)
        [row] = stored()
        assert answer.status_code == 200
        assert answer.json() == {"delivery_id": row.id, "status": "accepted", "reason": None}
        assert (row.status, row.team_id, row.source_config_id) == ("pending", slack_config.team_id, slack_config.id)
        assert (row.thread_id, row.delivery_key) == ("C0GENERAL:1763759000.000100", "Ev07ABC001")
        assert row.payload["text"] == "<@UDISCUBOT> make tasks &amp; reply"

    def test_a_duplicate_names_the_first_row(
        self, receiver: Receiver, slack_config: SourceConfig, stored: Rows
    ) -> None:
        """Slack's retry, and its second event for the same message, are answered with the row that is there."""
        first = receiver.slack(slack_config, MENTION).json()
        for again in (MENTION, payload("app_mention_twin")):
            answer = receiver.slack(slack_config, again)
            assert answer.json() == first | {"status": "duplicate"}
        assert len(stored()) == 1

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("other_workspace", "unknown_workspace"),
            ("message_changed", "edited"),
            ("message_deleted", "deleted"),
            ("classic_bot_message", "bot_message"),
            ("own_reply", "bot_message"),
            ("channel_created", "unknown_type"),
            ("block_actions", "unknown_type"),
            ("app_uninstalled", "uninstalled"),
            ("app_rate_limited", "rate_limited_by_slack"),
        ],
    )
    def test_what_asks_for_nothing_is_noted_and_not_kept(
        self, receiver: Receiver, slack_config: SourceConfig, stored: Rows, name: str, reason: str
    ) -> None:
        """Slack gets its 200, the row says why nothing was done, and no word of it is stored."""
        answer = receiver.slack(slack_config, payload(name))
        [row] = stored()
        assert answer.status_code == 200
        assert answer.json() == {"delivery_id": row.id, "status": "ignored", "reason": reason}
        assert (row.status, row.reason) == ("ignored", reason)
        assert (row.payload, row.thread_id, row.discussion_id) == (None, None, None)

    def test_a_paused_source_holds(
        self, receiver: Receiver, slack_config: SourceConfig, stored: Rows, engine: sa.Engine
    ) -> None:
        """Slack need not know that nobody works on it for now."""
        change(engine, source_configs, active=False)
        assert receiver.slack(slack_config, MENTION).status_code == 200
        assert [row.status for row in stored()] == ["held"]

    def test_the_generic_intake_from_end_to_end(
        self, receiver: Receiver, generic_config: SourceConfig, stored: Rows
    ) -> None:
        """What the official library of Standard Webhooks signs is accepted, once for each id of the sender's."""
        sent_at = "2026-11-21T09:00:00Z"
        said = {"author": "Anna", "text": "It breaks: naïve & 🎉", "sent_at": sent_at}
        bodies = [json.dumps({"thread": {"id": f"ticket-{n}"}, "messages": [said]}) for n in range(2)]
        first, second = (receiver.generic(generic_config, body, f"msg_{n}") for n, body in enumerate(bodies))
        assert [one.json()["status"] for one in (first, second)] == ["accepted", "accepted"]
        again = receiver.generic(generic_config, bodies[1], "msg_1")
        assert again.json() == second.json() | {"status": "duplicate"}
        assert {row.thread_id for row in stored()} == {"ticket-0", "ticket-1"}
        assert stored()[0].payload["messages"][0]["text"] == said["text"]

    def test_the_short_address_works_while_it_is_clear(
        self, receiver: Receiver, stores: Stores, slack_config: SourceConfig
    ) -> None:
        """With one Slack source its address needs no hook; with two, or none, the answer says why it does not work."""
        assert receiver.slack(slack_config, MENTION, "/hooks/slack").json()["status"] == "accepted"
        stores.configs.add_source(stores.configs.team("acme"), SourceType.SLACK, "two", slack_config.credentials, "t")
        refused = receiver.slack(slack_config, MENTION, "/hooks/slack")
        assert problem(refused) == (404, "unknown_hook")
        assert "2 slack sources: use the address with the hook id" in refused.json()["detail"]
        assert "0 generic sources" in receiver.http.post("/hooks/generic", content=b"{}").json()["detail"]


class TestRefused:
    """What nobody has proven."""

    @pytest.mark.parametrize(
        ("signing", "reason"),
        [({"secret": "wrong"}, "signature"), ({"later": -310}, "stale"), ({"later": 310}, "stale")],
        ids=["bad", "late", "future"],
    )
    def test_a_wrong_signature(
        self, receiver: Receiver, slack_config: SourceConfig, stored: Rows, signing: dict[str, Any], reason: str
    ) -> None:
        """Another secret, or another time, is 401, and leaves no row."""
        assert problem(receiver.slack(slack_config, MENTION, **signing)) == (401, reason)
        assert stored() == []

    @pytest.mark.parametrize("missing", ["x-slack-signature", "x-slack-request-timestamp"])
    def test_a_missing_signature(
        self, receiver: Receiver, slack_config: SourceConfig, stored: Rows, missing: str
    ) -> None:
        """Half a signature is none."""
        headers = slack_headers(slack_config, MENTION)
        del headers[missing]
        answer = receiver.http.post(f"/hooks/slack/{slack_config.hook}", content=MENTION, headers=headers)
        assert problem(answer) == (401, "signature")
        assert stored() == []

    def test_a_signature_is_of_its_source(self, receiver: Receiver, stores: Stores, slack_config: SourceConfig) -> None:
        """One team's secret does not open another team's address."""
        theirs = SlackCredentials(signing_secret=SecretStr("theirs"), bot_token=SecretStr("xoxb-other"))
        other = stores.configs.add_source(
            stores.configs.add_team("other", "test"), SourceType.SLACK, "slack", theirs, "test"
        )
        path = f"/hooks/slack/{other.hook}"
        assert problem(receiver.slack(slack_config, MENTION, path)) == (401, "signature")

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"type": 1}', b'{"type": "\\ud800"}'])
    def test_garbage_that_is_signed(
        self, receiver: Receiver, slack_config: SourceConfig, stored: Rows, body: bytes
    ) -> None:
        """A signed body that cannot be read is 400, and names what is wrong, never what it holds."""
        assert problem(receiver.slack(slack_config, body)) == (400, "malformed")
        assert stored() == []

    @pytest.mark.parametrize(
        ("path", "reason"),
        [
            ("/hooks/slack/nothing", "unknown_hook"),
            ("/hooks/slack/%00", "unknown_hook"),
            ("/hooks/slack/a%00b%F0%9F%8E%89", "unknown_hook"),
            (f"/hooks/slack/{'x' * 5000}", "unknown_hook"),
            ("/hooks/generic/nothing", "unknown_hook"),
            ("/hooks/jira", "unknown_source"),
            ("/hooks/jira/x", "unknown_source"),
            ("/hooks/SLACK/x", "unknown_source"),
        ],
    )
    def test_an_unknown_address(
        self, receiver: Receiver, slack_config: SourceConfig, stored: Rows, path: str, reason: str
    ) -> None:
        """Whatever the address says, what is not there is 404."""
        assert problem(receiver.slack(slack_config, MENTION, path)) == (404, reason)
        assert stored() == []

    def test_another_sources_hook(self, receiver: Receiver, slack_config: SourceConfig) -> None:
        """Slack's hook is no address of the generic intake."""
        answer = receiver.slack(slack_config, MENTION, f"/hooks/generic/{slack_config.hook}")
        assert problem(answer) == (404, "unknown_hook")


class TestSize:
    """What is too much."""

    def test_the_largest_body_is_read(self, receiver: Receiver, slack_config: SourceConfig) -> None:
        """A body of just the limit is looked at; one byte more is not."""
        filled = MENTION.rstrip() + b" " * (LIMIT - len(MENTION.rstrip()))
        assert receiver.slack(slack_config, filled).status_code == 200
        assert problem(receiver.slack(slack_config, filled + b" ")) == (413, "oversize")

    def test_a_body_without_a_length(self, receiver: Receiver, slack_config: SourceConfig, stored: Rows) -> None:
        """Chunks are counted as they come: the limit holds without a Content-Length."""

        def chunks() -> Iterator[bytes]:
            yield from [b"x" * 65536] * (LIMIT // 65536)
            yield b"x"

        assert problem(receiver.slack(slack_config, chunks())) == (413, "oversize")
        assert stored() == []

    def test_an_endless_body_is_cut_off(self, receiver: Receiver, slack_config: SourceConfig) -> None:
        """Who goes on sending gets the answer, and then a closed connection; nothing piles up."""
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as sender:
            sender.sendall(f"POST /hooks/slack/{slack_config.hook} HTTP/1.1\r\nhost: x\r\n".encode())
            sender.sendall(b"content-length: 999999999999\r\n\r\n")
            with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):
                flood(sender)

    def test_a_sender_that_hangs_up_is_no_error(
        self, receiver: Receiver, slack_config: SourceConfig, stored: Rows, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A body that never ends because its sender is gone is nobody's fault here."""
        caplog.set_level(logging.INFO)
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=10) as sender:
            sender.sendall(f"POST /hooks/slack/{slack_config.hook} HTTP/1.1\r\nhost: x\r\n".encode())
            sender.sendall(b"content-length: 1000\r\n\r\nhalf of it")
        until(lambda: "webhook_cut_off" in caplog.messages)
        assert receiver.slack(slack_config, MENTION).status_code == 200
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
        assert len(stored()) == 1


def flood(sender: socket.socket) -> None:
    """Send most of a gigabyte."""
    for _ in range(10_000):
        sender.sendall(b"x" * 65536)


class TestFaultsOfOurs:
    """What the sender cannot help."""

    def test_a_lost_key_asks_to_come_again(
        self, receiver: Receiver, slack_config: SourceConfig, settings: Settings, stored: Rows
    ) -> None:
        """With another key no secret can be read: that is ours to mend, so the sender keeps its webhook for later."""
        stranger = build(settings)
        other = Receiver(stranger)
        try:
            answer = other.slack(slack_config, MENTION)
        finally:
            other.stop()
            stranger.engine.dispose()
        assert problem(answer) == (503, "secret_key")
        assert answer.headers["retry-after"] == "5"
        assert stored() == []

    def test_the_unexpected_is_told_to_nobody(
        self, receiver: Receiver, slack_config: SourceConfig, engine: sa.Engine, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A bug of ours is 500 without details; the log has them, without the payload and the secrets."""
        rename = "ALTER TABLE discubot.inbox_slack RENAME TO {}".format
        with engine.begin() as connection:
            connection.execute(sa.text(rename("elsewhere")))
        try:
            answer = receiver.slack(slack_config, MENTION)
        finally:
            with engine.begin() as connection:
                connection.execute(sa.text("ALTER TABLE discubot.elsewhere RENAME TO inbox_slack"))
        assert problem(answer) == (500, "internal")
        assert "inbox_slack" not in answer.text
        until(lambda: "UndefinedTable" in caplog.text)
        for word in ("make tasks", SECRET, slack_config.hook):
            assert word not in caplog.text


def test_logs_name_ids_and_nothing_that_was_said(
    receiver: Receiver, slack_config: SourceConfig, caplog: pytest.LogCaptureFixture
) -> None:
    """An event name and ids for what was accepted, ignored and refused; no text, no secret, no hook."""
    caplog.set_level(logging.INFO)
    receiver.slack(slack_config, MENTION)
    receiver.slack(slack_config, MENTION)
    receiver.slack(slack_config, payload("message_changed"))
    receiver.slack(slack_config, b'{"type": "make tasks"')
    receiver.slack(slack_config, MENTION, secret="wrong")
    ours = [record for record in caplog.records if record.name.startswith("discubot_pipeline")]
    assert [record.message for record in ours] == [
        "webhook_accepted",
        "webhook_duplicate",
        "webhook_ignored",
        "webhook_refused",
        "webhook_refused",
    ]
    assert [record.__dict__.get("reason") for record in ours] == [None, None, "edited", "malformed", "signature"]
    assert {record.__dict__["config"] for record in ours} == {str(slack_config.id)}
    printed = [record for record in caplog.records if record.name not in UNPRINTED]
    everything = repr([record.__dict__ for record in printed])
    for word in ("make tasks", SECRET, slack_config.hook, "xoxb-test", "U0ANNA"):
        assert word not in everything
