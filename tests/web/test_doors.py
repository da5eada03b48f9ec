"""Figma's and Mailgun's doors over HTTP: each sender gets the very status that it understands."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx2 as httpx
import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.config import FigmaCredentials, MailgunCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.sandbox.figma import mails
from discubot_pipeline.store.stores import Stores
from tests.adapters.payloads import payload
from tests.adapters.test_mailgundoor import KEY, MAIL
from tests.web.receiver import Receiver, problem

Rows = Callable[[], list[Any]]
COMMENT = payload("figma", "file_comment")
TOKEN = "t" * 50


@pytest.fixture
def figma(stores: Stores) -> SourceConfig:
    """Give a Figma source."""
    secrets = FigmaCredentials(token=SecretStr("figd_x"), passcode=SecretStr("open sesame"))
    return stores.configs.add_source(
        stores.configs.add_team("acme", "test"), SourceType.FIGMA, "figma", secrets, "test"
    )


@pytest.fixture
def mailgun(stores: Stores) -> SourceConfig:
    """Give a source of Figma's mails."""
    secrets = MailgunCredentials(signing_key=SecretStr(KEY), token=SecretStr("figd_x"))
    return stores.configs.add_source(
        stores.configs.add_team("post", "test"), SourceType.MAILGUN, "mail", secrets, "test"
    )


def mail(
    receiver: Receiver, config: SourceConfig, key: str = KEY, token: str = TOKEN, age: int = 0, **changes: str
) -> httpx.Response:
    """Post a mail as Mailgun does; retries carry the same token."""
    fields = [(name, changes.get(name, value)) for name, value in MAIL]
    body = urlencode([*fields, *mails.signature(key, str(int(time.time()) - age), token)]).encode()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return receiver.http.post(f"/hooks/mailgun/{config.hook}", content=body, headers=kind)


class TestFigma:
    """Exactly 200 for all that is fine, 400 for a wrong passcode."""

    def test_a_comment_is_a_row(self, receiver: Receiver, figma: SourceConfig, stored: Rows) -> None:
        """It is known by file and comment; the same through another webhook is the first row."""
        other = json.dumps(json.loads(COMMENT) | {"webhook_id": "23", "timestamp": "2026-11-21T11:00:00Z"}).encode()
        first, again = (receiver.http.post(f"/hooks/figma/{figma.hook}", content=body) for body in (COMMENT, other))
        [row] = stored()
        assert [answer.status_code for answer in (first, again)] == [200, 200]
        assert first.json() == {"delivery_id": row.id, "status": "accepted", "reason": None}
        assert again.json() == first.json() | {"status": "duplicate"}
        assert (row.thread_id, row.message_key, row.status) == ("AbC123:1234567", "AbC123:1234567", "pending")

    @pytest.mark.parametrize(
        ("name", "rows"), [("ping", []), ("library_publish", ["other_event"]), ("not_a_mention", ["not_a_mention"])]
    )
    def test_what_asks_for_nothing_is_fine(
        self, receiver: Receiver, figma: SourceConfig, stored: Rows, name: str, rows: list[str]
    ) -> None:
        """Any other status would make Figma come again."""
        assert receiver.http.post(f"/hooks/figma/{figma.hook}", content=payload("figma", name)).status_code == 200
        assert [(row.reason, row.status, row.payload) for row in stored()] == [
            (reason, "ignored", None) for reason in rows
        ]

    def test_a_wrong_passcode_is_refused(self, receiver: Receiver, figma: SourceConfig, stored: Rows) -> None:
        """Figma reads 400 as: this webhook is not wanted."""
        body = COMMENT.replace(b"open sesame", b"open barley")
        assert problem(receiver.http.post(f"/hooks/figma/{figma.hook}", content=body)) == (400, "passcode")
        assert stored() == []


class TestMailgun:
    """200 for all that is fine, 406 for whatever shall not come again."""

    def test_a_mail_is_a_row(self, receiver: Receiver, mailgun: SourceConfig, stored: Rows) -> None:
        """Its thread is not known yet."""
        answer = mail(receiver, mailgun)
        [row] = stored()
        assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
        assert (row.status, row.thread_id[:5], row.message_key) == ("pending", "mail:", None)

    def test_a_retry_is_a_duplicate(self, receiver: Receiver, mailgun: SourceConfig, stored: Rows) -> None:
        """The same signature with the same content, eight hours later."""
        first = mail(receiver, mailgun, age=8 * 3600).json()
        again = mail(receiver, mailgun, age=8 * 3600)
        assert (again.status_code, again.json()) == (200, first | {"status": "duplicate"})
        assert len(stored()) == 1

    @pytest.mark.parametrize("sender", ["Figma <comments-AbC123@email.figma.com>", "Ann <ann@evil.example>"])
    def test_a_replay_is_refused(self, receiver: Receiver, mailgun: SourceConfig, stored: Rows, sender: str) -> None:
        """One signature proves one content; also where the first was of no interest."""
        assert mail(receiver, mailgun, From=sender).status_code == 200
        again = mail(receiver, mailgun, **{"body-plain": "another body", "stripped-text": ""})
        assert problem(again) == (406, "replay")
        assert len(stored()) == 1

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [({"key": "wrong"}, "signature"), ({"age": 10 * 3600}, "stale"), ({"age": -3600}, "stale")],
    )
    def test_what_is_not_proven_is_refused(
        self, receiver: Receiver, mailgun: SourceConfig, stored: Rows, changes: dict[str, Any], reason: str
    ) -> None:
        """401 would make Mailgun come again for eight hours."""
        assert problem(mail(receiver, mailgun, **changes)) == (406, reason)
        assert stored() == []

    def test_everything_else_that_is_wrong_is_refused_alike(
        self, receiver: Receiver, mailgun: SourceConfig, stored: Rows, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Oversize, no form at all, an unknown address."""
        caplog.set_level(logging.INFO)
        kind = {"content-type": "application/x-www-form-urlencoded"}
        path = f"/hooks/mailgun/{mailgun.hook}"
        huge = b"x" * (5 * 1024 * 1024 + 1)
        assert problem(receiver.http.post(path, content=huge, headers=kind)) == (406, "oversize")
        assert problem(receiver.http.post(path, content=b"{}")) == (406, "malformed")
        assert problem(receiver.http.post("/hooks/mailgun/nowhere", content=b"")) == (406, "unknown_hook")
        assert stored() == []

    def test_another_mail_is_noted_and_not_kept(self, receiver: Receiver, mailgun: SourceConfig, stored: Rows) -> None:
        """The row says why nothing was done."""
        answer = mail(receiver, mailgun, **{"X-Mailgun-Dkim-Check-Result": "Fail"})
        [row] = stored()
        assert (answer.status_code, answer.json()["reason"]) == (200, "dkim")
        assert (row.status, row.reason, row.payload) == ("ignored", "dkim", None)
