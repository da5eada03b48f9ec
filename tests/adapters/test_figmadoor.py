"""Figma's webhooks: passcodes, what a body may hold, and the links that people copy."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.config import GenericCredentials
from discubot_pipeline.domain.delivery import Arrival, Challenge, SourceType
from discubot_pipeline.domain.errors import Permanent
from tests.adapters.figma_file import DOOR, PASSCODE, figma_config
from tests.adapters.payloads import payload
from tests.adapters.source_harness import NOW, config_of

CONFIG = figma_config()


def opened(name: str, **preferences: Any) -> Arrival:
    """Open a payload file's request."""
    arrival = DOOR.open(figma_config(**preferences), {}, payload("figma", name))
    assert isinstance(arrival, Arrival)
    return arrival


def changed(**changes: Any) -> bytes:
    """Change the top level of the payload file of a comment."""
    return json.dumps(json.loads(payload("figma", "file_comment")) | changes).encode()


class TestPasscode:
    """What verify says."""

    @pytest.mark.parametrize("name", ["ping", "file_comment", "reply_sparse", "library_publish"])
    def test_the_passcode_proves_every_event(self, name: str) -> None:
        """Figma signs nothing: the passcode in the body is all there is."""
        DOOR.verify(CONFIG, {}, payload("figma", name), NOW)

    @pytest.mark.parametrize("given", ["", "open sesam", "open sesame ", "OPEN SESAME", "é", None, 1, ["open sesame"]])
    def test_a_wrong_passcode_is_refused(self, given: object) -> None:
        """Only the very passcode counts, and only as text."""
        with pytest.raises(Permanent) as refused:
            DOOR.verify(CONFIG, {}, changed(passcode=given), NOW)
        assert refused.value.reason == "passcode"

    @pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b"passcode=open+sesame"])
    def test_what_holds_no_passcode_is_refused(self, body: bytes) -> None:
        """Whatever a stranger sends ends in the same verdict."""
        with pytest.raises(Permanent, match="passcode"):
            DOOR.verify(CONFIG, {}, body, NOW)

    def test_old_and_new_are_good_during_a_rotation(self) -> None:
        """A wrong passcode would stop the webhook for good, so both count until the old one is taken away."""
        config = figma_config(passcode=f"new one, {PASSCODE}")
        for good in ("new one", PASSCODE):
            DOOR.verify(config, {}, changed(passcode=good), NOW)
        for bad in ("", "new", " "):
            with pytest.raises(Permanent):
                DOOR.verify(config, {}, changed(passcode=bad), NOW)

    @pytest.mark.parametrize("secret", ["", " ", ",", " , "])
    def test_no_passcode_accepts_nothing(self, secret: str) -> None:
        """An empty setting is no open door."""
        for given in ("", " ", secret):
            with pytest.raises(Permanent, match="passcode"):
                DOOR.verify(figma_config(passcode=secret), {}, changed(passcode=given), NOW)

    def test_another_sources_credentials_accept_nothing(self) -> None:
        """Without a passcode of this kind nothing is proven."""
        generic = config_of(SourceType.FIGMA, GenericCredentials(signing_secret=SecretStr(PASSCODE)))
        with pytest.raises(Permanent, match="passcode"):
            DOOR.verify(generic, {}, payload("figma", "ping"), NOW)


class TestOpen:
    """What a body is about."""

    def test_a_root_comment_is_its_own_thread(self) -> None:
        """File and number name delivery, message and thread; names stand for mentions."""
        arrival = opened("file_comment")
        assert (arrival.delivery_key, arrival.message_key) == ("AbC123:1234567", "AbC123:1234567")
        assert (arrival.thread_id, arrival.reason) == ("AbC123:1234567", None)
        assert arrival.payload == {
            "file_key": "AbC123",
            "file_name": "Checkout",
            "comment_id": "1234567",
            "parent_id": None,
            "created_at": "2026-11-21T09:59:58Z",
            "user_id": "813845097374535682",
            "text": "TODO: \n@discubot fix colours :eyes:",
        }

    def test_a_reply_is_in_its_parents_thread(self) -> None:
        """Fields may be absent, ids may be numbers, and unknown fields mean nothing."""
        arrival = opened("reply_sparse")
        assert (arrival.message_key, arrival.thread_id) == ("AbC123:1234569", "AbC123:1234567")

    def test_the_same_comment_through_two_webhooks_has_the_same_keys(self) -> None:
        """A team's, a project's and a file's webhook may all tell of it."""
        first, second = (DOOR.open(CONFIG, {}, changed(webhook_id=id, timestamp=id)) for id in ("22", "23"))
        assert first == second

    @pytest.mark.parametrize("none", ["", None])
    def test_empty_null_and_absent_are_the_same(self, none: object) -> None:
        """Documents and real payloads differ in how they say that there is nothing."""
        nothing = dict.fromkeys(("parent_id", "file_name", "order_id", "resolved_at", "created_at"), none)
        arrival = DOOR.open(CONFIG, {}, changed(**nothing))
        assert isinstance(arrival, Arrival)
        assert arrival.thread_id == "AbC123:1234567"
        assert arrival.payload is not None
        assert arrival.payload["file_name"] is None

    def test_a_ping_is_answered(self) -> None:
        """It asks whether anybody is there, and leaves nothing behind."""
        assert DOOR.open(CONFIG, {}, payload("figma", "ping")) == Challenge(body={"status": "pong"})

    @pytest.mark.parametrize(
        ("name", "reason"), [("not_a_mention", "not_a_mention"), ("library_publish", "other_event")]
    )
    def test_what_asks_for_nothing_is_ignored(self, name: str, reason: str) -> None:
        """Nobody's words are kept who did not call the bot."""
        arrival = opened(name)
        assert (arrival.reason, arrival.payload, arrival.thread_id, arrival.message_key) == (reason, None, None, None)

    @pytest.mark.parametrize(
        ("trigger", "calls"),
        [
            ("@discubot", True),
            ("@DISCUBOT", True),
            ("discubot", True),
            ("811724164054158337", True),
            ("todo", True),
            ("@disc", False),
            ("discubo", False),
            ("900", False),
            ("@other bot", False),
        ],
    )
    def test_the_trigger_is_the_teams_choice(self, trigger: str, calls: bool) -> None:
        """It is a name, a word, or the number of the bot's account; a part of a word is none."""
        assert (opened("file_comment", trigger=trigger).reason is None) is calls

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"file_key": ""}, "file_key"),
            ({"file_key": "a/b"}, "file_key"),
            ({"file_key": "x" * 129}, "file_key"),
            ({"comment_id": None}, "comment_id"),
            ({"comment_id": True}, "comment_id"),
            ({"parent_id": "../1"}, "parent_id"),
            ({"comment": None}, "comment"),
            ({"comment": [{"text": 1}]}, "comment.0.text"),
            ({"triggered_by": None}, "triggered_by"),
            ({"event_type": 1}, "event_type"),
        ],
    )
    def test_a_wrong_field_is_named(self, changes: dict[str, Any], field: str) -> None:
        """Ids get into addresses and keys: they hold nothing strange."""
        with pytest.raises(Permanent) as refused:
            DOOR.open(CONFIG, {}, changed(**changes))
        assert refused.value.reason == "malformed"
        assert refused.value.message.startswith(field)


class TestLocate:
    """The links that people copy."""

    @pytest.mark.parametrize(
        ("url", "thread_id"),
        [
            ("https://www.figma.com/design/AbC123/Checkout?node-id=1-2#1234567", "AbC123:1234567"),
            ("https://www.figma.com/design/AbC123/Checkout?node-id=1-2&t=x-0#1234567", "AbC123:1234567"),
            (" https://figma.com/file/AbC123#1234567 ", "AbC123:1234567"),
            ("https://www.figma.com/file/AbC123/Checkout#comment-1234567", "AbC123:1234567"),
            ("https://www.figma.com/board/AbC123/Ideas?node-id=0-1#12", "AbC123:12"),
            ("https://www.figma.com/proto/AbC123/x?page-id=0%3A1&comment-id=12", "AbC123:12"),
            ("https://www.figma.com/design/AbC123/Checkout?comment_id=12", "AbC123:12"),
            ("https://www.figma.com/design/AbC123/branch/Br4nch/Checkout?node-id=1-2#12", "Br4nch:12"),
            ("https://www.figma.com/design/AbC123/Checkout?node-id=1-2", None),
            ("https://www.figma.com/design/AbC123/Checkout#top", None),
            ("https://www.figma.com/community/file/123#12", None),
            ("http://www.figma.com/design/AbC123#12", None),
            ("https://figma.com.evil.example/design/AbC123#12", None),
            ("https://evilfigma.com/design/AbC123#12", None),
            ("https://user@www.figma.com/design/AbC123#12", None),
            ("https://www.figma.com:8443/design/AbC123#12", None),
            ("http://[", None),
            ("", None),
        ],
    )
    def test_links_to_comments_are_threads(self, url: str, thread_id: str | None) -> None:
        """Files, boards, prototypes and branches, with the comment's number in any of the usual places."""
        assert DOOR.locate(CONFIG, url) == thread_id
