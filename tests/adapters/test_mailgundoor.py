"""Mailgun's inbound route: signatures, tokens, whose mail it is; and mails that become mentions in Figma."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from discubot_pipeline.adapters.figma import FigmaSource
from discubot_pipeline.adapters.mailgundoor import MailgunDoor
from discubot_pipeline.domain.config import FigmaCredentials, MailgunCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Delivery, SourceType
from discubot_pipeline.domain.errors import Ignored, Permanent
from discubot_pipeline.sandbox.figma import mails
from discubot_pipeline.sandbox.figma.state import Account, Comment, File
from tests.adapters.conftest import Sandbox
from tests.adapters.figma_file import FigmaHarness
from tests.adapters.source_harness import NOW, config_of, delivery_of

KEY = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
DOOR = MailgunDoor()
FORM = {"content-type": "application/x-www-form-urlencoded"}
DKIM = "X-Mailgun-Dkim-Check-Result"
FILE = File("AbC123", "Checkout", set())
MAIL = mails.letter(FILE, [(Comment("1", "1", "@discubot fix it", NOW), Account("1", "Anna", ""))], "https://x.io")


def mailgun_config(key: str = KEY, token: str | None = "figd_test") -> SourceConfig:
    """Make a Mailgun source's config."""
    secret = SecretStr(token) if token else None
    return config_of(SourceType.MAILGUN, MailgunCredentials(signing_key=SecretStr(key), token=secret))


CONFIG = mailgun_config()


def form(at: datetime = NOW, token: str = "t" * 50, key: str = KEY, **changes: str | None) -> bytes:
    """Write a signed form; fields may be changed, or left out with None."""
    fields = [(name, value) for name, value in MAIL if changes.get(name, value) is not None]
    fields = [(name, changes.get(name) or value) for name, value in fields]
    fields += [(name, value) for name, value in changes.items() if value and name not in dict(fields)]
    return urlencode([*fields, *mails.signature(key, str(int(at.timestamp())), token)]).encode()


def opened(body: bytes) -> Arrival:
    """Open a form."""
    return DOOR.open(CONFIG, FORM, body)


def signed_by(*domains: str) -> str:
    """Write the headers of a mail that was signed by domains."""
    signatures = [["DKIM-Signature", f"v=1; a=rsa-sha256; d={domain}; s=x; b=y"] for domain in domains]
    return json.dumps([*signatures, [DKIM, "Pass"]])


class TestSignature:
    """What verify says."""

    def test_the_published_example_is_accepted(self) -> None:
        """The scheme is Mailgun's, to the byte."""
        token = "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"
        digest = "b63c0701c4f4b614f272106a1b367c5c3369bcdca664ae73ebd52787e45eef07"
        body = urlencode({"timestamp": "1529006854", "token": token, "signature": digest}).encode()
        DOOR.verify(CONFIG, FORM, body, datetime.fromtimestamp(1529006854 + 60, NOW.tzinfo))

    @pytest.mark.parametrize("hours", [-9, -8, 0, 0.08])
    def test_retries_of_eight_hours_pass(self, hours: float) -> None:
        """They carry the signature of the first try."""
        DOOR.verify(CONFIG, FORM, form(NOW + timedelta(hours=hours)), NOW)

    @pytest.mark.parametrize("hours", [-24, -9.01, 0.09, 24])
    def test_outside_the_window_is_stale(self, hours: float) -> None:
        """An old signature is no proof for ever, and none comes from the future."""
        with pytest.raises(Permanent, match="stale"):
            DOOR.verify(CONFIG, FORM, form(NOW + timedelta(hours=hours)), NOW)

    @pytest.mark.parametrize("field", ["timestamp", "token", "signature"])
    @pytest.mark.parametrize("value", [None, "x", "0", "é", "-1", "٣"])
    def test_nothing_can_be_left_out_or_changed(self, field: str, value: str | None) -> None:
        """All three belong together."""
        fields = dict(mails.signature(KEY, str(int(NOW.timestamp())), "t" * 50))
        changed = {name: value if name == field else good for name, good in fields.items()}
        body = urlencode({name: given for name, given in changed.items() if given is not None}).encode()
        with pytest.raises(Permanent, match="signature"):
            DOOR.verify(CONFIG, FORM, body, NOW)

    def test_headers_of_the_mail_cannot_take_their_place(self) -> None:
        """MIME headers come as fields too: one called Token is the sender's, not Mailgun's."""
        DOOR.verify(CONFIG, FORM, form(Token="x", Signature="y", Timestamp="z"), NOW)

    def test_another_key_accepts_nothing(self) -> None:
        """Nor does none, nor another source's credentials."""
        figma = FigmaCredentials(token=SecretStr("x"), passcode=SecretStr(KEY))
        others = (
            mailgun_config("other"),
            mailgun_config(""),
            mailgun_config(" "),
            config_of(SourceType.MAILGUN, figma),
        )
        for config in others:
            with pytest.raises(Permanent, match="signature"):
                DOOR.verify(config, FORM, form(), NOW)

    @pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b"a=b&" * 1000])
    def test_garbage_is_refused(self, body: bytes) -> None:
        """Whatever a stranger sends ends in a verdict."""
        for headers in (FORM, {}, {"content-type": "multipart/form-data; boundary=x"}):
            with pytest.raises(Permanent) as refused:
                DOOR.verify(CONFIG, headers, body, NOW)
            assert refused.value.reason in {"signature", "malformed"}


class TestOpen:
    """What a form is about."""

    def test_the_token_stands_for_one_content(self) -> None:
        """The same content has the same key, however it is packed; the token may be used for no other."""
        first = opened(form())
        kind, body = mails.multipart([*MAIL, *mails.signature(KEY, str(int(NOW.timestamp())), "t" * 50)])
        without = body.partition(b'name="attachment-1"')[0].rpartition(b"\r\n--")[0]
        boundary = kind.partition("boundary=")[2].encode()
        packed = DOOR.open(CONFIG, {"content-type": kind}, without + b"\r\n--" + boundary + b"--\r\n")
        other = opened(form(subject="other"))
        assert packed == first
        assert (first.single_use, first.gesture_key, first.reason) == (True, "t" * 50, None)
        assert other.gesture_key == first.gesture_key
        assert other.delivery_key != first.delivery_key
        assert opened(form(token="u" * 50)).thread_id != first.thread_id

    def test_the_mail_is_kept_for_the_run(self) -> None:
        """Text and HTML, sender and subject; the last of repeated fields counts."""
        payload = opened(form(Subject="The last one")).payload
        assert payload is not None
        assert (payload["subject"], payload["author"]) == ("The last one", "Figma <comments-AbC123@email.figma.com>")
        assert payload["stripped"] == "Anna commented on Checkout:\n\n@discubot fix it"
        assert "View in Figma" in payload["html"]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"From": "Ann <ann@evil.example>"}, "unknown_sender"),
            ({"From": "comments-K@figma.com.evil.example"}, "unknown_sender"),
            ({"from": None, "From": None}, "unknown_sender"),
            ({DKIM: "Fail"}, "dkim"),
            ({DKIM: None, "message-headers": "[]"}, "dkim"),
            ({DKIM: None, "message-headers": "{"}, "dkim"),
            ({"message-headers": json.dumps([[DKIM, "Pass"], [DKIM, "Fail"]])}, "dkim"),
            ({"message-headers": signed_by("evil.example")}, "dkim"),
            ({"message-headers": signed_by("figma.com.evil.example")}, "dkim"),
            ({"From": "Figma <no-reply@figma.com>", "Subject": "Reset your password"}, "not_about_comments"),
            ({"body-plain": None, "stripped-text": None, "body-html": None}, "no_text"),
        ],
    )
    def test_other_mails_are_ignored(self, changes: dict[str, str | None], reason: str) -> None:
        """Nothing of them is kept, but their token is used up."""
        arrival = opened(form(**changes))
        assert (arrival.reason, arrival.payload, arrival.thread_id) == (reason, None, None)
        assert arrival.gesture_key == "t" * 50

    @pytest.mark.parametrize(
        "headers",
        ["[]", signed_by("email.figma.com"), signed_by("amazonses.com", "figma.com"), '[["x"], 1, null, [1, 2]]'],
    )
    def test_figmas_mails_pass(self, headers: str) -> None:
        """One signature of Figma's domain is enough beside that of its mail service."""
        assert opened(form(**{"message-headers": headers})).reason is None

    def test_stripped_text_may_be_missing(self) -> None:
        """Mailgun leaves it out when it cannot tell what is quoted."""
        payload = opened(form(**{"stripped-text": None})).payload
        assert payload is not None
        assert payload["plain"]

    def test_links_are_figmas(self) -> None:
        """A person may launch a thread of a team that has no other source of Figma's."""
        assert DOOR.locate(CONFIG, "https://www.figma.com/design/AbC123/x#12") == "AbC123:12"


@pytest.fixture(scope="module")
def harness(sandbox: Sandbox) -> Iterator[FigmaHarness]:
    """Make a file of these tests' own."""
    harness = FigmaHarness(sandbox)
    yield harness
    harness.close()


class TestMails:
    """A stored mail, read by Figma's source against the sandbox."""

    def test_a_mail_leads_to_its_comment(self, harness: FigmaHarness) -> None:
        """Words, thread and key are those of the comment, as its webhook would give them."""
        root, reply = harness.say(["The header is broken", "@discubot fix the header"])
        mention = harness.source.read(mail_of(harness, reply))
        assert (mention.thread_id, mention.message_id) == (f"{harness.file}:{root}", reply)
        assert (mention.instruction, mention.message_key) == ("fix the header", f"{harness.file}:{reply}")
        assert mention.others == ()

    def test_a_grouped_mail_leads_to_each_thread(self, harness: FigmaHarness) -> None:
        """The first thread is this mention's, the others follow; who did not call the bot is left out."""
        [one] = harness.say(["@discubot paint the wall"])
        [two] = harness.say(["Nobody is called here"])
        [three] = harness.say(["@discubot mend the roof"])
        mention = harness.source.read(mail_of(harness, one, two, three))
        assert [each.message_id for each in (mention, *mention.others)] == [one, three]

    def test_what_has_been_found_stays_found(self, harness: FigmaHarness) -> None:
        """A second reading asks nobody: by then the thread may look otherwise."""
        delivery = mail_of(harness, *harness.say(["@discubot fix it"]))
        known = {"thread_id": "K:1", "message_id": "2"}
        payload = (delivery.payload or {}) | {"resolved": known}
        with FigmaSource(mailgun_config(), "http://127.0.0.1:9") as source:
            mention = source.read(delivery.model_copy(update={"payload": payload}))
        assert (mention.thread_id, mention.message_id, mention.message_key) == ("K:1", "2", "K:2")

    def test_without_a_key_in_the_sender_the_link_is_followed(self, harness: FigmaHarness) -> None:
        """The redirect names file and thread."""
        root, reply = harness.say(["The header is broken", "@discubot fix the header"])
        delivery = mail_of(harness, reply, with_key=False)
        assert "comments-" not in str(delivery.payload)
        assert harness.source.read(delivery).thread_id == f"{harness.file}:{root}"

    def test_without_any_key_it_is_a_visible_failure(self, harness: FigmaHarness) -> None:
        """Somebody has to look at it: perhaps Figma's mails have changed."""
        delivery = mail_of(harness, *harness.say(["@discubot fix it"]), with_key=False)
        bare = {"author": "Figma <x@figma.com>", "subject": "Ann commented on X", "plain": "@discubot fix it"}
        with pytest.raises(Permanent, match="no_file_key"):
            harness.source.read(delivery.model_copy(update={"payload": bare}))

    def test_a_mail_without_a_mention_asks_for_nothing(self, harness: FigmaHarness) -> None:
        """People who answer the bot's own answer do not call it."""
        with pytest.raises(Ignored, match="not_a_mention"):
            harness.source.read(mail_of(harness, *harness.say(["Thank you very much"])))

    def test_a_delivery_without_its_mail_is_malformed(self, harness: FigmaHarness) -> None:
        """Rows that have been purged are no mention."""
        arrival = Arrival(delivery_key="x", payload={"plain": 1})
        with pytest.raises(Permanent, match="malformed"):
            harness.source.read(delivery_of(arrival, SourceType.MAILGUN))


def mail_of(harness: FigmaHarness, *ids: str, **how: Any) -> Delivery:
    """Let Mailgun send a mail about comments, and take it as the inbox would keep it."""
    comments = {one["id"]: one for one in harness.comments()}
    told: Sequence[tuple[Comment, Account]] = [
        (
            Comment(id, found["user"]["id"], found["message"], NOW, found["parent_id"] or None),
            Account(found["user"]["id"], found["user"]["handle"], ""),
        )
        for id, found in ((id, comments[id]) for id in ids)
    ]
    fields = mails.letter(File(harness.file, "Checkout", set()), told, harness.sandbox.url, **how)
    body = urlencode([*fields, *mails.signature(KEY, str(int(NOW.timestamp())), "t" * 50)]).encode()
    arrival = MailgunDoor(f"{harness.sandbox.url}/figma").open(CONFIG, FORM, body)
    return delivery_of(arrival, SourceType.MAILGUN, at=datetime.now(NOW.tzinfo))
