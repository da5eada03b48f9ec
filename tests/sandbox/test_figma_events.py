"""What the stand-in of Figma sends: webhooks with Figma's retries, and mails by way of Mailgun."""

import json
from collections.abc import Iterator
from email.parser import BytesParser
from urllib.parse import parse_qs, parse_qsl

import pytest

from .harness import Figma, Json, Receiver, Sandbox, until


@pytest.fixture
def inbox(sandbox: Sandbox) -> Iterator[Receiver]:
    """Listen for what is sent."""
    listening = Receiver()
    yield listening
    sandbox.control("POST", "/reset")
    listening.stop()


@pytest.fixture
def told(sandbox: Sandbox) -> Json:
    """Give the ids of the default world."""
    figma = Figma(sandbox)
    return figma.told | {"thread": figma.thread}


def webhook(sandbox: Sandbox, inbox: Receiver, **more: object) -> str:
    """Make a webhook."""
    hook = {"endpoint": inbox.url, "passcode": "p", "retry_delays": [0, 0.05, 0.1], "quiet": True} | more
    return str(sandbox.control("POST", "/figma/webhooks", hook)["id"])


def say(sandbox: Sandbox, told: Json, message: str, **more: object) -> Json:
    """Let a person comment."""
    new = {"file_key": told["file_key"], "user": told["users"][0]["id"], "message": message} | more
    made: Json = sandbox.control("POST", "/figma/comments", new)
    return made


class TestWebhooks:
    """What Figma sends."""

    def test_a_new_webhook_is_pinged(self, sandbox: Sandbox, inbox: Receiver) -> None:
        """Whether anybody is there."""
        webhook(sandbox, inbox, quiet=False)
        _, ping = inbox.next()
        assert (ping["event_type"], ping["passcode"]) == ("PING", "p")

    def test_a_comment_is_cut_into_fragments(self, sandbox: Sandbox, inbox: Receiver, told: Json) -> None:
        """Mentions by number, emoji for themselves; what holds nothing is an empty text."""
        webhook(sandbox, inbox)
        said = say(sandbox, told, "hi @discubot :eyes: and\n@Ben Carter")
        _, event = inbox.next()
        assert event["comment"] == [
            {"text": "hi "}, {"mention": told["bot_id"]}, {"text": " "}, {"text": ":eyes:"}, {"text": " and\n"},
            {"mention": told["users"][1]["id"]},
        ]  # fmt: skip
        assert (event["comment_id"], event["parent_id"], event["resolved_at"]) == (said["id"], "", "")
        assert {person["handle"] for person in event["mentions"]} == {"discubot", "Ben Carter"}
        assert "img_url" not in event["triggered_by"]

    def test_a_sparse_webhook_leaves_out_what_holds_nothing(
        self, sandbox: Sandbox, inbox: Receiver, told: Json
    ) -> None:
        """Both forms have been seen."""
        webhook(sandbox, inbox, is_sparse=True)
        say(sandbox, told, "hello", parent_id=told["thread"])
        _, event = inbox.next()
        assert event["parent_id"] == told["thread"]
        assert not {"resolved_at", "order_id", "mentions"} & set(event)

    def test_every_webhook_of_the_file_hears(self, sandbox: Sandbox, inbox: Receiver, told: Json) -> None:
        """The same comment comes under two numbers, also when a token posts it; other files are not heard of."""
        ids = {webhook(sandbox, inbox), webhook(sandbox, inbox, files=[told["file_key"]])}
        webhook(sandbox, inbox, files=["other"])
        headers = {"X-Figma-Token": told["token"]}
        path = f"/figma/v1/files/{told['file_key']}/comments"
        made = sandbox.http.post(path, json={"message": "from the bot"}, headers=headers).json()
        events = [inbox.next()[1] for _ in range(2)]
        assert {event["webhook_id"] for event in events} == ids
        assert {(event["comment_id"], event["triggered_by"]["id"]) for event in events} == {
            (made["id"], told["bot_id"])
        }
        assert inbox.requests.empty()

    @pytest.mark.parametrize(("status", "tries"), [(200, 1), (400, 1), (201, 4), (401, 4), (500, 4)])
    def test_only_200_and_400_end_it(
        self, sandbox: Sandbox, inbox: Receiver, told: Json, status: int, tries: int
    ) -> None:
        """Any other answer is an error, and tried three times more."""
        webhook(sandbox, inbox)
        for _ in range(4):
            inbox.answer(status)
        said = say(sandbox, told, "hello")
        until(lambda: not sandbox.control("GET", "/figma/deliveries")["pending"])
        attempts = sandbox.control("GET", f"/figma/deliveries?about={said['id']}")["deliveries"]
        assert [attempt["status"] for attempt in attempts] == [status] * tries

    def test_one_request_can_be_sent_by_hand(self, sandbox: Sandbox, inbox: Receiver, told: Json) -> None:
        """A comment once more, with another passcode, or anything at all."""
        hook, said = webhook(sandbox, inbox), say(sandbox, told, "hello", quiet=True)
        inbox.answer(400)
        send = {"webhook": hook, "comment_id": said["id"], "passcode": "wrong"}
        assert sandbox.control("POST", "/figma/events", send)["status"] == 400
        assert inbox.next()[1]["passcode"] == "wrong"
        sandbox.control("POST", "/figma/events", {"webhook": hook, "raw": "[]"})
        assert inbox.requests.get(timeout=5)[1] == b"[]"


class TestMails:
    """What Mailgun sends."""

    def test_a_mail_is_a_signed_form(self, sandbox: Sandbox, inbox: Receiver, told: Json) -> None:
        """With Mailgun's fields, the mail's own headers beside them, and a signature over timestamp and token."""
        self._send(sandbox, inbox, told)
        _, body = inbox.requests.get(timeout=5)
        fields = parse_qs(body.decode())
        assert fields["Subject"] == fields["subject"] == ["Anna de Vries commented on Checkout"]
        assert fields["From"] == [f"Figma <comments-{told['file_key']}@email.figma.com>"]
        assert ["X-Mailgun-Dkim-Check-Result", "Pass"] in json.loads(fields["message-headers"][0])
        assert len(fields["token"][0]) == 50 and len(fields["signature"][0]) == 64
        assert "@discubot fix it" in fields["body-html"][0]

    def test_the_other_form_has_an_attachment(self, sandbox: Sandbox, inbox: Receiver, told: Json) -> None:
        """Multipart, as another reader understands it."""
        self._send(sandbox, inbox, told, form="multipart")
        headers, body = inbox.requests.get(timeout=5)
        head = f"content-type: {headers['content-type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part
            for part in BytesParser().parsebytes(head + body).walk()
        }
        assert "@discubot fix it" in str(parts["stripped-text"].get_payload())
        assert parts["attachment-1"].get_filename() == "a.txt"

    def test_a_mail_can_be_sent_again(self, sandbox: Sandbox, inbox: Receiver, told: Json) -> None:
        """The same signature with the same content, or with another."""
        token = self._send(sandbox, inbox, told)["token"]
        sandbox.control("POST", "/mailgun/again", {"token": token})
        sandbox.control("POST", "/mailgun/again", {"token": token, "fields": {"subject": "Other"}})
        first, again, other = (dict(parse_qsl(inbox.requests.get(timeout=5)[1].decode())) for _ in range(3))
        assert first == again
        assert other == first | {"subject": "Other"}
        assert sandbox.http.post("/sandbox/mailgun/again", json={"token": "?"}).status_code == 404

    @pytest.mark.parametrize(("status", "tries"), [(200, 1), (406, 1), (401, 3), (503, 3)])
    def test_only_200_and_406_end_it(
        self, sandbox: Sandbox, inbox: Receiver, told: Json, status: int, tries: int
    ) -> None:
        """Any other answer brings it back, with the same signature."""
        for _ in range(3):
            inbox.answer(status)
        token = self._send(sandbox, inbox, told, background=True, retry_delays=[0, 0.05])["token"]
        until(lambda: not sandbox.control("GET", "/figma/deliveries")["pending"])
        attempts = sandbox.control("GET", f"/figma/deliveries?about={token}")["deliveries"]
        assert [attempt["status"] for attempt in attempts] == [status] * tries
        assert len({inbox.requests.get(timeout=5)[1] for _ in range(tries)}) == 1

    def test_fields_may_be_changed_or_left_out(self, sandbox: Sandbox, inbox: Receiver, told: Json) -> None:
        """So that every oddity can be tried: another signature, an old timestamp, no stripped text."""
        odd = {"without": ["stripped-text"], "fields": {"X-Extra": "1"}, "timestamp": 1, "signature": "bad"}
        self._send(sandbox, inbox, told, **odd)
        fields = dict(parse_qsl(inbox.requests.get(timeout=5)[1].decode()))
        assert "stripped-text" not in fields
        assert (fields["X-Extra"], fields["timestamp"], fields["signature"]) == ("1", "1", "bad")

    def _send(self, sandbox: Sandbox, inbox: Receiver, told: Json, **more: object) -> Json:
        said = say(sandbox, told, "@discubot fix it", quiet=True)["id"]
        mail = {"url": inbox.url, "signing_key": "k", "file_key": told["file_key"], "comment_ids": [said]}
        sent: Json = sandbox.control("POST", "/mailgun/mails", mail | more)
        return sent
