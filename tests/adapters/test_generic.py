"""The generic intake: signatures, the payload's schema, and threads put together from deliveries."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from discubot_pipeline.adapters.generic import GenericDoor, GenericSource
from discubot_pipeline.domain.config import GenericCredentials, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Delivery, SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.ports import Source
from tests.adapters.source_conformance import SourceConformance
from tests.adapters.source_harness import NOW, config_of, delivery_of

PAYLOAD = (Path(__file__).parent / "payloads" / "generic" / "thread.json").read_bytes()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
DOOR = GenericDoor()


def generic_config(secret: str = SECRET) -> SourceConfig:
    """Make a generic source's config."""
    return config_of(SourceType.GENERIC, GenericCredentials(signing_secret=SecretStr(secret)))


CONFIG = generic_config()


def sign(body: bytes, at: datetime, secret: str = SECRET, webhook_id: str = "msg_1") -> dict[str, str]:
    """Sign as a sender with the official library would."""
    signature = Webhook(secret).sign(webhook_id, at, body.decode())
    stamp = str(int(at.timestamp()))
    return {"webhook-id": webhook_id, "webhook-timestamp": stamp, "webhook-signature": signature}


def opened(body: bytes, webhook_id: str = "msg_1") -> Arrival:
    """Open a body under a webhook-id."""
    return DOOR.open(CONFIG, {"webhook-id": webhook_id}, body)


def changed(**changes: Any) -> bytes:
    """Change the top level of the payload file."""
    return json.dumps(json.loads(PAYLOAD) | changes).encode()


def posting(text: object, **more: Any) -> dict[str, Any]:
    """Make one message of a payload."""
    return {"author": "Anna", "text": text, "sent_at": "2026-11-21T09:00:00Z"} | more


def delivered(number: int, **changes: Any) -> Delivery:
    """Make the delivery that arrived as the given number, a minute after the one before."""
    arrival = opened(changed(**changes))
    return delivery_of(arrival, SourceType.GENERIC, number, NOW + timedelta(minutes=number))


class GenericHarness:
    """A sender that signs; there is no service behind it."""

    door = DOOR
    config = CONFIG
    source: Source = GenericSource(CONFIG)
    answers_back = False
    knows_emails = True
    samples: ClassVar[dict[str, str]] = {"a < b &amp; <@U1> :tada:": "a < b &amp; <@U1> :tada:", "é🎉": "é🎉"}
    _threads: ClassVar[Iterator[int]] = count(1)

    def sign(self, body: bytes, at: datetime) -> dict[str, str]:
        return sign(body, at)

    def ask(self, texts: Sequence[str], words: str | None) -> bytes:
        url = "https://desk.example.com/1"
        sent = [(NOW + timedelta(seconds=number)).isoformat() for number in range(len(texts))]
        messages = [
            posting(text, id=f"m{number}", email="anna@acme.example", sent_at=sent[number], url=url)
            for number, text in enumerate(texts)
        ]
        body = {"thread": {"id": f"t{next(self._threads)}", "url": url}, "messages": messages}
        asked = body | {"instruction": words}
        return json.dumps(asked).encode()

    def answers(self, thread_id: str) -> list[str]:
        return []

    def marks(self, thread_id: str, message_id: str) -> list[str]:
        return []

    def shown(self, text: str) -> str:
        return text

    def losing_the_answer(self) -> AbstractContextManager[None]:
        return nullcontext()

    def rate_limited(self, seconds: int) -> AbstractContextManager[None]:
        return nullcontext()

    def revoked(self) -> Source:
        return self.source


class TestGeneric(SourceConformance):
    """The generic intake passes the suite that every source passes."""

    @pytest.fixture(scope="class")
    @classmethod
    def harness(cls) -> GenericHarness:
        """Make a sender of these tests' own."""
        return GenericHarness()


class TestSignature:
    """What verify says about signatures."""

    def test_the_published_example_is_accepted(self) -> None:
        """The scheme is Standard Webhooks', to the byte."""
        headers = {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }
        at = datetime.fromtimestamp(1614265330, UTC)
        DOOR.verify(generic_config("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), headers, b'{"test": 2432232314}', at)

    @pytest.mark.parametrize("garbage", ["", "v1,", "v1", ",", "v2,abc=", "v1,???", "v1a,abc=", "v1,é"])
    def test_one_good_signature_among_others_is_enough(self, garbage: str) -> None:
        """During a rotation the sender signs with both secrets; what we cannot read does not matter."""
        good, old = sign(PAYLOAD, NOW), sign(PAYLOAD, NOW, OLD_SECRET)
        for parts in ([old, good], [good, old]):
            header = " ".join([garbage, *(part["webhook-signature"] for part in parts)])
            DOOR.verify(CONFIG, good | {"webhook-signature": header}, PAYLOAD, NOW)

    def test_another_secrets_signature_is_refused(self) -> None:
        """A signature that is good elsewhere is none here."""
        with pytest.raises(Permanent, match="signature"):
            DOOR.verify(CONFIG, sign(PAYLOAD, NOW, OLD_SECRET), PAYLOAD, NOW)

    def test_a_signature_of_another_version_is_none(self) -> None:
        """What another version signs, and how, is not known here."""
        headers = sign(PAYLOAD, NOW)
        other = headers["webhook-signature"].replace("v1,", "v2,")
        with pytest.raises(Permanent, match="signature"):
            DOOR.verify(CONFIG, headers | {"webhook-signature": other}, PAYLOAD, NOW)

    def test_the_id_is_signed(self) -> None:
        """A replayed request cannot take another id to pass as new."""
        with pytest.raises(Permanent, match="signature"):
            DOOR.verify(CONFIG, sign(PAYLOAD, NOW) | {"webhook-id": "msg_2"}, PAYLOAD, NOW)

    @pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a", "whsec_é", "\ud800"])
    def test_a_broken_secret_accepts_nothing(self, secret: str) -> None:
        """A secret that is none ends in the same verdict as a wrong signature."""
        with pytest.raises(Permanent, match="signature"):
            DOOR.verify(generic_config(secret), sign(PAYLOAD, NOW), PAYLOAD, NOW)

    def test_another_sources_credentials_accept_nothing(self) -> None:
        """Without a signing secret of this kind nothing is proven."""
        credentials = SlackCredentials(signing_secret=SecretStr(SECRET), bot_token=SecretStr("x"))
        with pytest.raises(Permanent, match="signature"):
            DOOR.verify(config_of(SourceType.GENERIC, credentials), sign(PAYLOAD, NOW), PAYLOAD, NOW)


class TestOpen:
    """What the payload may hold."""

    def test_the_id_of_the_webhook_is_the_key(self) -> None:
        """The sender's own id names delivery and thread; there is no message key: a thread may come again."""
        arrival = opened(PAYLOAD)
        assert (arrival.delivery_key, arrival.thread_id) == ("msg_1", "ticket-4711")
        assert (arrival.message_key, arrival.gesture_key, arrival.reason) == (None, None, None)
        assert set(arrival.payload or ()) == {"thread", "messages", "instruction"}

    @pytest.mark.parametrize("webhook_id", ["", "a b", "a\n", "é", "x" * 201])
    def test_a_strange_id_is_malformed(self, webhook_id: str) -> None:
        """It is a key in the database and a word in logs."""
        with pytest.raises(Permanent, match="webhook-id"):
            opened(PAYLOAD, webhook_id)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"thread": None}, "thread"),
            ({"thread": {}}, "thread.id"),
            ({"thread": {"id": 4711}}, "thread.id"),
            ({"thread": {"id": ""}}, "thread.id"),
            ({"thread": {"id": "x" * 201}}, "thread.id"),
            ({"thread": {"id": "x\0"}}, "thread.id"),
            ({"thread": {"id": "x", "url": "javascript:alert(1)"}}, "thread.url"),
            ({"thread": {"id": "x", "url": "https://"}}, "thread.url"),
            ({"thread": {"id": "x", "url": "https://a b"}}, "thread.url"),
            ({"messages": []}, "messages"),
            ({"messages": None}, "messages"),
            ({"messages": [posting("x")] * 1001}, "messages"),
            ({"messages": [posting("x"), "y"]}, "messages.1"),
            ({"messages": [posting("x", author=None)]}, "messages.0.author"),
            ({"messages": [posting(7)]}, "messages.0.text"),
            ({"messages": [posting("x\0")]}, "messages.0.text"),
            ({"messages": [posting("x", sent_at="2026-11-21T09:00:00")]}, "messages.0.sent_at"),
            ({"messages": [posting("x", sent_at="yesterday")]}, "messages.0.sent_at"),
            ({"messages": [posting("x", sent_at=1763760000)]}, "messages.0.sent_at"),
            ({"messages": [posting("x", sent_at="0001-01-01T00:00:00+14:00")]}, "messages.0.sent_at"),
            ({"instruction": ["x"]}, "instruction"),
        ],
    )
    def test_a_wrong_field_is_named(self, changes: dict[str, Any], field: str) -> None:
        """The sender reads which field is wrong and what is expected of it."""
        with pytest.raises(Permanent) as refused:
            opened(changed(**changes))
        assert refused.value.reason == "malformed"
        assert refused.value.message.startswith(f"{field}: ")

    def test_an_error_does_not_repeat_the_content(self) -> None:
        """What people wrote never gets into an error, nor into a log."""
        with pytest.raises(Permanent) as refused:
            opened(changed(messages=[posting("a secret plan", sent_at="secret")]))
        assert "secret" not in str(refused.value)

    def test_a_lone_surrogate_is_malformed(self) -> None:
        """The database cannot hold it."""
        with pytest.raises(Permanent, match="malformed"):
            opened(PAYLOAD.replace(b"Safari", b"\\ud800"))


class TestThread:
    """How deliveries become a thread."""

    def test_a_delivery_becomes_a_thread(self) -> None:
        """Text is taken literally, moments are in UTC and in order, title and address are the sender's."""
        delivery = delivery_of(opened(PAYLOAD), SourceType.GENERIC)
        thread = GenericSource(CONFIG).fetch("ticket-4711", [delivery])
        assert (thread.title, thread.url) == (
            "Checkout fails on Safari",
            "https://desk.example.com/tickets/4711",
        )
        assert [one.text for one in thread.messages] == [
            "The checkout fails on Safari.",
            "On Firefox too <b>&amp;</b>",
        ]
        first = thread.messages[0]
        assert (first.id, first.author.id, first.author.name) == ("m1", "anna@acme.example", "Anna de Vries")
        assert first.sent_at == datetime(2026, 11, 21, 9, tzinfo=UTC)

    def test_deliveries_of_a_thread_are_put_together(self) -> None:
        """A message that comes again is one, as the newer delivery has it; without id the content decides."""
        first = delivered(1, messages=[posting("one"), posting("two", id="m2", sent_at="2026-11-21T09:01:00Z")])
        second = delivered(
            2,
            messages=[
                posting("three", sent_at="2026-11-21T09:00:30Z"),
                posting("two, edited", id="m2", sent_at="2026-11-21T09:01:00Z"),
                posting("one", sent_at="2026-11-21T10:00:00+01:00"),
            ],
        )
        other = delivered(3, thread={"id": "other"}, messages=[posting("elsewhere")])
        for order in ([first, second, other], [other, second, first]):
            thread = GenericSource(CONFIG).fetch("ticket-4711", order)
            assert [one.text for one in thread.messages] == ["one", "three", "two, edited"]

    def test_title_and_address_are_the_newest(self) -> None:
        """A delivery that names none leaves them as they are; without any the first words are the title."""
        named = delivered(1, thread={"id": "t", "title": "Named", "url": "https://x.io/1"})
        renamed = delivered(2, thread={"id": "t", "title": "Renamed"})
        nameless = delivered(3, thread={"id": "t"}, messages=[posting("Hello\nthere")])
        source = GenericSource(CONFIG)
        assert source.fetch("t", [named, renamed, nameless]).title == "Renamed"
        assert source.fetch("t", [named, renamed, nameless]).url == "https://x.io/1"
        assert source.fetch("t", [nameless]).title == "Hello"
        assert source.fetch("t", [nameless]).url is None

    def test_every_instruction_is_a_mention_once(self) -> None:
        """Deliveries that wait together may each ask; the newest is last, and no words ask for nothing."""
        deliveries = [
            delivered(number, instruction=words)
            for number, words in enumerate(["fix it", "test it", " ", None, "fix it"], start=1)
        ]
        mentions = GenericSource(CONFIG).fetch("ticket-4711", deliveries).mentions
        assert [one.text for one in mentions] == ["test it", "fix it"]
        assert mentions[-1].id == GenericSource(CONFIG).read(deliveries[-1]).message_id
        assert mentions[-1].author.is_bot

    def test_purged_deliveries_are_left_out(self) -> None:
        """What is past its retention is gone; a thread of which nothing is left cannot be read."""
        kept = delivered(1, messages=[posting("kept")])
        purged = delivered(2).model_copy(update={"payload": None})
        source = GenericSource(CONFIG)
        assert [one.text for one in source.fetch("ticket-4711", [purged, kept]).messages] == ["kept"]
        with pytest.raises(Permanent, match="payload_expired"):
            source.fetch("ticket-4711", [purged])
        with pytest.raises(Permanent, match="malformed"):
            source.read(purged)
