"""Slack's door and source: against the sandbox with the real client, and against answers in payload files."""

import hashlib
import hmac
import html
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs

import pytest
from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.signature import Clock, SignatureVerifier

from discubot_pipeline.adapters.slack import SlackSource
from discubot_pipeline.adapters.slackdoor import SlackDoor
from discubot_pipeline.domain.config import GenericCredentials, SlackCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Challenge, SourceType
from discubot_pipeline.domain.errors import Permanent, Transient, Unanswered
from discubot_pipeline.ports import FetchedThread, Mark, Source
from tests.adapters.conftest import Sandbox
from tests.adapters.source_conformance import NOW, Asked, SourceConformance, config_of, delivery_of

PAYLOADS = Path(__file__).parent / "payloads" / "slack"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
DOOR = SlackDoor()
SLASH_COMMAND = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
"""Slack's published example of a signed body."""


class FixedClock(Clock):
    """A clock for slack_sdk that shows one moment."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> float:
        """Give the moment."""
        return self._at.timestamp()


def sign(secret: str, body: bytes, at: datetime) -> dict[str, str]:
    """Sign a body the way slack_sdk does, which is not our code."""
    stamp = str(int(at.timestamp()))
    digest = SignatureVerifier(secret, FixedClock(at)).generate_signature(timestamp=stamp, body=body)
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": str(digest)}


def by_hand(secret: str, body: bytes) -> dict[str, str]:
    """Sign what slack_sdk refuses to sign."""
    stamp = str(int(NOW.timestamp()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}


def payload(name: str) -> bytes:
    """Read a payload file."""
    return (PAYLOADS / f"{name}.json").read_bytes()


def slack_config(token: str = "xoxb-test", secret: str = SECRET, workspace: str = "T0ACME") -> SourceConfig:
    """Make a Slack source's config."""
    credentials = SlackCredentials(signing_secret=SecretStr(secret), bot_token=SecretStr(token))
    return config_of(SourceType.SLACK, credentials, workspace)


def opened(name: str) -> Arrival:
    """Open a payload file's request."""
    arrival = DOOR.open(slack_config(), {}, payload(name))
    assert isinstance(arrival, Arrival)
    return arrival


def reason_of(body: bytes) -> str:
    """Say with which message a body is malformed."""
    with pytest.raises(Permanent) as refused:
        DOOR.open(slack_config(), {}, body)
    assert refused.value.reason == "malformed"
    return refused.value.message


class SlackHarness:
    """A workspace in the sandbox, with two people, a channel and a direct conversation."""

    door = DOOR
    answers_back = True
    _seconds: ClassVar[Iterator[int]] = count(1763700000, 1000)

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self._opened = sandbox, ExitStack()
        settings = {"events_url": f"{sandbox.url}/healthz", "retry_delays": [], "repeat_parent": True}
        made = sandbox.control("POST", "/slack/workspaces", {"name": "Conformance", **settings})
        self.team, self.bot, self.channel = made["team_id"], made["bot_user_id"], made["channel"]
        self.token, self.secret = made["bot_token"], made["signing_secret"]
        self.people = [self._join("anna", "Anna de Vries"), self._join("ben", "Ben Carter")]
        self.config = slack_config(self.token, self.secret, self.team)
        self.source: Source = self.open_source()
        self.client = WebClient(self.token, base_url=f"{sandbox.url}/slack/api/", retry_handlers=[])
        self.client.proxy = None
        self.samples = {
            f"<@{self.people[1]}> and <@{self.people[0]}|x>: see <!here>": "@ben and @anna: see @here",
            "a &lt; b &amp;&amp; c &gt; d, not &amp;lt;": "a < b && c > d, not &lt;",
            f"<https://x.io/a?b=1&amp;c=2|the plan> in <#{self.channel}|general> :tada:": (
                "the plan (https://x.io/a?b=1&c=2) in #general 🎉"
            ),
            "```if a &lt; b:\n    :tada:```": "```if a < b:\n    :tada:```",
        }

    def open_source(self, token: str | None = None) -> SlackSource:
        """Make a source with nothing cached."""
        config = slack_config(token or self.token, self.secret, self.team)
        return self._opened.enter_context(SlackSource(config, f"{self.sandbox.url}/slack/api/"))

    def close(self) -> None:
        """Close all sources."""
        self._opened.close()

    def _join(self, name: str, real_name: str) -> str:
        person = {"name": name, "real_name": real_name, "email": f"{name}@acme.example"}
        made = self.sandbox.control("POST", f"/slack/workspaces/{self.team}/users", person)
        return str(made["id"])

    def direct_channel(self) -> str:
        """Make a direct conversation of the first person with the bot."""
        new = {"is_im": True, "user": self.people[0]}
        return str(self.sandbox.control("POST", f"/slack/workspaces/{self.team}/channels", new)["id"])

    def sign(self, body: bytes, at: datetime) -> dict[str, str]:
        return sign(self.secret, body, at)

    def say(self, channel: str, texts: Sequence[str]) -> list[str]:
        """Let the people write a thread in turn; gives the ts of its messages."""
        second = next(self._seconds)
        stamps = [f"{second + number}.000100" for number in range(len(texts))]
        messages = [
            {
                "team_id": self.team,
                "channel": channel,
                "user": self.people[number % 2],
                "text": text,
                "ts": stamps[number],
                "thread_ts": stamps[0] if number else None,
                "quiet": True,
            }
            for number, text in enumerate(texts)
        ]
        self.sandbox.control("POST", "/slack/messages/bulk", messages)
        return stamps

    def ask(self, texts: Sequence[str], words: str | None) -> Asked:
        stamps = self.say(self.channel, texts)
        mention = {"channel": self.channel, "user": self.people[0], "text": f"<@{self.bot}> {words or ''}"}
        said = self.sandbox.control(
            "POST", "/slack/messages", {"team_id": self.team, "thread_ts": stamps[0], **mention}
        )
        envelope = self.sandbox.control("GET", f"/slack/events/{said['event_id']}")
        return Asked(json.dumps(envelope).encode(), tuple(stamps))

    def _posts(self, thread_id: str) -> list[dict[str, Any]]:
        channel, _, root = thread_id.partition(":")
        messages = self.client.conversations_replies(channel=channel, ts=root, limit=999)["messages"]
        return [message for message in messages or [] if message["user"] == self.bot]

    def answers(self, thread_id: str) -> list[str]:
        return [str(message["text"]) for message in self._posts(thread_id)]

    def marks(self, thread_id: str, message_id: str) -> list[str]:
        channel = thread_id.partition(":")[0]
        found = self.client.reactions_get(channel=channel, timestamp=message_id)["message"] or {}
        return [reaction["name"] for reaction in found.get("reactions", []) if self.bot in reaction["users"]]

    def shown(self, text: str) -> str:
        return html.unescape(re.sub(r"<([^|<>]+)\|([^<>]+)>", r"\2 (\1)", text))

    def losing_the_answer(self) -> AbstractContextManager[None]:
        return self.sandbox.fault(service="slack", match="chat.postMessage", kind="drop_after")

    def rate_limited(self, seconds: int) -> AbstractContextManager[None]:
        fault = {"kind": "ratelimit", "retry_after": seconds}
        return self.sandbox.fault(service="slack", match="conversations.replies", **fault)

    def revoked(self) -> Source:
        return self.open_source("xoxb-revoked")

    def thread(self) -> str:
        """Make a thread of one message."""
        return f"{self.channel}:{self.say(self.channel, ['One'])[0]}"

    def calls(self, method: str) -> int:
        """Count the calls of a method since the sandbox started."""
        calls = self.sandbox.control("GET", "/log?service=slack")["calls"]
        return sum(call["path"] == f"/{method}" for call in calls)


@pytest.fixture(scope="module")
def harness(sandbox: Sandbox) -> Iterator[SlackHarness]:
    """Make a workspace of these tests' own."""
    harness = SlackHarness(sandbox)
    yield harness
    harness.close()


class TestSlack(SourceConformance):
    """Slack passes the suite that every source passes."""


class TestSignature:
    """What verify says about signatures that are published or forged."""

    @pytest.mark.parametrize(
        ("secret", "stamp", "body", "signature"),
        [
            (
                SECRET,
                "1531420618",
                SLASH_COMMAND,
                "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            ),
            (
                "s",
                "1531420618",
                b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J",
                "v0=18da979b355443868f434bff7f7371f21a667ffa058d1453351d85c04450ee03",
            ),
        ],
    )
    def test_a_known_signature_is_accepted(
        self, secret: str, stamp: str, body: bytes, signature: str
    ) -> None:
        """The scheme is Slack's, to the byte."""
        headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}
        at = datetime.fromtimestamp(int(stamp), UTC)
        DOOR.verify(slack_config(secret=secret), headers, body, at)

    def test_a_body_that_is_no_text_can_be_signed(self) -> None:
        """The signature is over bytes: a signed body of any encoding passes; opened, it is malformed."""
        headers = by_hand(SECRET, b"\xff")
        DOOR.verify(slack_config(), headers, b"\xff", NOW)
        assert "body" in reason_of(b"\xff")

    def test_without_a_secret_nothing_is_accepted(self) -> None:
        """An empty secret proves nothing, and another source's credentials neither."""
        other = config_of(SourceType.SLACK, GenericCredentials(signing_secret=SecretStr("whsec_")))
        for config, secret in ((slack_config(secret=""), ""), (slack_config(secret=" "), " "), (other, "")):
            with pytest.raises(Permanent, match="signature"):
                DOOR.verify(config, by_hand(secret, b"{}"), b"{}", NOW)


class TestOpen:
    """What each kind of event becomes."""

    def test_a_challenge_is_answered(self) -> None:
        """The handshake's question comes back."""
        answer = DOOR.open(slack_config(), {}, payload("url_verification"))
        assert answer == Challenge(body={"challenge": "3eZbrw1aBm2rZgRN"})

    def test_a_mention_in_a_thread_has_all_keys(self) -> None:
        """The thread is the root's; strings stay strings, and entities stay for later."""
        assert opened("app_mention") == Arrival(
            delivery_key="Ev07ABC001",
            message_key="C0GENERAL:1763760000.000200",
            gesture_key="8b1f0d3c-2f4e-4a55-8a3b-0e1d2c3b4a59",
            thread_id="C0GENERAL:1763759000.000100",
            payload={
                "type": "app_mention",
                "channel": "C0GENERAL",
                "ts": "1763760000.000200",
                "thread_ts": "1763759000.000100",
                "user": "U0ANNA",
                "text": "<@UDISCUBOT> make tasks &amp; reply",
                "team_id": "T0ACME",
                "event_time": 1763760000,
                "bot": "UDISCUBOT",
            },
        )

    def test_a_mention_that_comes_twice_is_one_message(self) -> None:
        """A mention also comes as plain message: other delivery, same message and gesture."""
        mention, twin = opened("app_mention"), opened("app_mention_twin")
        assert mention.delivery_key != twin.delivery_key
        assert mention.message_key == twin.message_key
        assert mention.gesture_key == twin.gesture_key
        assert mention.thread_id == twin.thread_id

    @pytest.mark.parametrize("name", ["direct_message", "direct_message_with_file"])
    def test_a_direct_message_asks(self, name: str) -> None:
        """In a direct message no mention is needed; without thread_ts the message is its own root."""
        arrival = opened(name)
        assert arrival.reason is None
        assert arrival.thread_id == arrival.message_key == "D0ANNA:1763760000.000200"

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("message_changed", "edited"),
            ("message_deleted", "deleted"),
            ("own_reply", "bot_message"),
            ("own_direct_message", "bot_message"),
            ("other_bot_mention", "bot_message"),
            ("classic_bot_message", "bot_message"),
            ("slackbot_reminder", "bot_message"),
            ("channel_message", "not_a_mention"),
            ("channel_message_legacy", "not_a_mention"),
            ("channel_join", "other_subtype"),
            ("reaction_added", "unknown_type"),
            ("channel_created", "unknown_type"),
            ("team_join", "unknown_type"),
            ("block_actions", "unknown_type"),
            ("app_rate_limited", "rate_limited_by_slack"),
            ("app_uninstalled", "uninstalled"),
            ("tokens_revoked", "uninstalled"),
            ("other_workspace", "unknown_workspace"),
        ],
    )
    def test_what_asks_for_nothing_has_a_reason(self, name: str, reason: str) -> None:
        """It is kept as ignored, with a key of its own and without content."""
        arrival = opened(name)
        assert arrival == Arrival(delivery_key=arrival.delivery_key, reason=reason)
        assert arrival.delivery_key

    def test_without_an_event_id_the_body_is_the_key(self) -> None:
        """The same body gives the same key, another body another."""
        assert opened("app_rate_limited") == opened("app_rate_limited")
        assert opened("app_rate_limited").delivery_key != opened("block_actions").delivery_key

    @pytest.mark.parametrize(
        ("path", "field"),
        [
            ("type", "type"),
            ("team_id", "team_id"),
            ("event_id", "event_id"),
            ("event", "event"),
            ("event.type", "event.type"),
            ("event.channel", "event.channel"),
            ("event.ts", "event.ts"),
            ("event.user", "event.user"),
            ("event.text", "event.text"),
        ],
    )
    @pytest.mark.parametrize("wrong", [None, 17.5])
    def test_a_missing_or_wrong_field_is_named(self, path: str, field: str, wrong: float | None) -> None:
        """The message says which field is missing or of the wrong type."""
        body = json.loads(payload("app_mention"))
        *parents, last = path.split(".")
        holder = body[parents[0]] if parents else body
        holder[last] = wrong
        assert field in reason_of(json.dumps(body).encode())

    def test_a_ts_as_number_is_refused(self) -> None:
        """A number has lost its trailing zeros: it names no message."""
        assert "event.ts" in reason_of(
            payload("app_mention").replace(b'"1763760000.000200"', b"1763760000.000200")
        )

    def test_the_message_holds_no_content(self) -> None:
        """What people wrote never gets into an error."""
        body = json.loads(payload("app_mention"))
        body["event"] |= {"text": "a secret plan", "user": None}
        assert "secret" not in reason_of(json.dumps(body).encode())

    def test_a_nul_in_the_text_is_dropped(self) -> None:
        """The database takes none, and the mention is worth keeping."""
        arrival = DOOR.open(slack_config(), {}, payload("app_mention").replace(b"make", b"ma\\u0000ke"))
        assert isinstance(arrival, Arrival) and arrival.payload is not None
        assert arrival.payload["text"] == "<@UDISCUBOT> make tasks &amp; reply"


@pytest.mark.parametrize(
    ("url", "thread_id"),
    [
        ("https://acme.slack.com/archives/C1/p1763760000000200", "C1:1763760000.000200"),
        (" https://acme.slack.com/archives/C1/p1763760000000200/ ", "C1:1763760000.000200"),
        ("https://acme.enterprise.slack.com/archives/D1/p1763760000000200", "D1:1763760000.000200"),
        (
            "https://acme.slack.com/archives/C1/p1763760000000200?thread_ts=1763759000.000100&cid=C1",
            "C1:1763759000.000100",
        ),
        ("https://acme.slack.com/archives/C1/p1763760000000200?thread_ts=1763759000.1", None),
        ("https://acme.slack.com/archives/C1/p1763760000000200?thread_ts=x", None),
        ("https://acme.slack.com/archives/C1", None),
        ("https://acme.slack.com/archives/C1/p17", None),
        ("https://acme.slack.com/archives/c1/p1763760000000200", None),
        ("https://acme.slack.com/messages/C1/p1763760000000200", None),
        ("http://acme.slack.com/archives/C1/p1763760000000200", None),
        ("https://evilslack.com/archives/C1/p1763760000000200", None),
        ("https://slack.com.evil.example/archives/C1/p1763760000000200", None),
        ("https://acme.slack.com@evil.example/archives/C1/p1763760000000200", None),
        ("https://acme.slack.com/archives/C1/p١٧٦٣٧٦٠٠٠٠٠٠٠٢٠٠", None),
    ],
)
def test_permalinks_lead_to_the_root(url: str, thread_id: str | None) -> None:
    """A message's link names its thread; anything else is no link of Slack's."""
    assert DOOR.locate(slack_config(), url) == thread_id


class Canned:
    """A loopback service that gives the answers of a payload file, page by page."""

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.asked: list[str] = []
        canned = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"] or 0)
                fields = parse_qs(self.rfile.read(length).decode())
                method = " ".join([self.path.rpartition("/")[2], *fields.get("user", [])])
                canned.asked.append(method)
                pages = answers[method]
                self._answer(pages[min(canned.asked.count(method), len(pages)) - 1])

            def _answer(self, answer: Any) -> None:
                body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.source = SlackSource(slack_config(), f"http://127.0.0.1:{self._server.server_port}/api/")

    def close(self) -> None:
        """Stop serving."""
        self.source.close()
        self._server.shutdown()
        self._server.server_close()


def fetched(answers: dict[str, list[Any]]) -> FetchedThread:
    """Fetch the thread of a payload file."""
    service = Canned(answers)
    try:
        return service.source.fetch("C0GENERAL:1763759000.000100", [])
    finally:
        service.close()


@pytest.fixture
def answers() -> dict[str, list[Any]]:
    """Read the answers of the payload file, for a test to change."""
    answers: dict[str, list[Any]] = json.loads(payload("answers"))
    return answers


class TestFetch:
    """What a thread with all sorts of messages becomes."""

    def test_only_what_somebody_said_is_kept(self, answers: dict[str, list[Any]]) -> None:
        """System messages, the bot's own and bare mentions go; broadcasts, files and other apps stay."""
        thread = fetched(answers)
        assert [(one.author.name, one.text) for one in thread.messages] == [
            ("anna", "The checkout is broken"),
            ("Ben Carter", "Also on *mobile*"),
            ("anna", "looks into it"),
            ("Ben Carter", ""),
            ("Jenkins & co", "Build #7 (https://ci.example/7) failed"),
            ("GitHub", "PR opened 🎉"),
            ("U0STRANGER", "From outside, cc @anna"),
            ("Ben Carter", ""),
            ("anna", "hey fix the header\nand the footer"),
        ]
        assert [one.text for one in thread.mentions] == ["hey fix the header\nand the footer"]
        assert [one.author.id for one in thread.messages if one.author.is_bot] == ["B0LEGACY", "U0GITHUB"]

    def test_files_and_links_hang_on_their_message(self, answers: dict[str, list[Any]]) -> None:
        """Files are listed with name, address and kind, whatever is missing."""
        hanging = [
            (file.name, file.url, file.kind) for one in fetched(answers).messages for file in one.attachments
        ]
        assert hanging == [
            ("Screenshot", "https://acme.slack.com/files/U0BEN/F1/shot.png", "image/png"),
            ("file", None, None),
            ("Build 7", "https://ci.example/7", "link"),
            ("log.txt", "https://files.slack.com/F3/log.txt", "text"),
        ]

    def test_moments_and_addresses_are_exact(self, answers: dict[str, list[Any]]) -> None:
        """The moment is that of ts to the microsecond; a reply's address carries its thread."""
        thread = fetched(answers)
        root, reply = thread.messages[:2]
        assert root.sent_at == datetime(2025, 11, 21, 21, 3, 20, 100, tzinfo=UTC)
        assert thread.url == root.url == "https://acme.slack.com/archives/C0GENERAL/p1763759000000100"
        assert reply.url == (
            "https://acme.slack.com/archives/C0GENERAL/p1763759002000100?thread_ts=1763759000.000100&cid=C0GENERAL"
        )

    def test_people_carry_what_slack_knows(self, answers: dict[str, list[Any]]) -> None:
        """The name that Slack shows, the handle, the e-mail address and the time zone."""
        ben = fetched(answers).messages[1].author
        assert (ben.id, ben.handle, ben.email) == ("U0BEN", "ben", "ben@acme.example")
        assert ben.time_zone == "Europe/Amsterdam"

    @pytest.mark.parametrize(
        "broken",
        [
            {"ok": True},
            {"ok": True, "messages": None},
            {"ok": True, "messages": [{"text": "no ts"}]},
            {"ok": True, "messages": [{"ts": 1763759000.0001, "text": "a number"}]},
            {"ok": True, "messages": [{"ts": "x", "text": "no number"}]},
        ],
    )
    def test_an_unknown_answer_is_permanent(self, answers: dict[str, list[Any]], broken: Any) -> None:
        """An answer that is not what Slack documents ends in a verdict."""
        with pytest.raises(Permanent) as refused:
            fetched(answers | {"conversations.replies": [broken]})
        assert refused.value.reason == "unexpected_answer"

    @pytest.mark.parametrize("down", ["<html>Sorry</html>", "", "[]", '"ok"', "{}"])
    def test_no_answer_of_slacks_is_an_outage(self, answers: dict[str, list[Any]], down: str) -> None:
        """A page in place of a result, whatever its status, is worth another try."""
        with pytest.raises(Transient) as refused:
            fetched(answers | {"auth.test": [down]})
        assert refused.value.reason == "slack_down"

    def test_an_error_code_that_is_none_stays_out_of_the_reason(self, answers: dict[str, list[Any]]) -> None:
        """Reasons are constants: what does not look like one is not used as one."""
        with pytest.raises(Permanent) as refused:
            fetched(answers | {"auth.test": [{"ok": False, "error": "Token xoxb-1 is bad"}]})
        assert refused.value.reason == "slack_error"
        assert "xoxb" not in str(refused.value)


class TestWebApi:
    """The source against the sandbox, where the suite for all sources does not reach."""

    def test_reading_a_delivery_calls_nobody(self, harness: SlackHarness) -> None:
        """The words of a delivery are read offline: Slack being down does not fail the first stage."""
        arrival = opened("app_mention")
        with SlackSource(slack_config(), "http://127.0.0.1:9/") as source:
            mention = source.read(delivery_of(arrival, SourceType.SLACK))
        assert mention.message_id == "1763760000.000200"
        assert mention.instruction == "make tasks & reply"

    def test_a_delivery_without_its_message_is_malformed(self, harness: SlackHarness) -> None:
        """Rows that are ignored, purged or of another kind are no mention."""
        for content in (None, {}, {"channel": "C1"}):
            delivery = delivery_of(Arrival(delivery_key="x", payload=content), SourceType.SLACK)
            with pytest.raises(Permanent, match="malformed"):
                harness.source.read(delivery)

    def test_people_are_asked_for_once(self, harness: SlackHarness) -> None:
        """Two people in a long thread are two calls, and none the next time."""
        stamps = harness.say(harness.channel, [f"Hi <@{harness.people[0]}>" for _ in range(20)])
        source, before = harness.open_source(), harness.calls("users.info")
        source.fetch(f"{harness.channel}:{stamps[0]}", [])
        source.fetch(f"{harness.channel}:{stamps[0]}", [])
        assert harness.calls("users.info") - before == 2

    def test_permalinks_are_slacks(self, harness: SlackHarness) -> None:
        """What is built locally is what chat.getPermalink gives, and leads back to the thread."""
        stamps = harness.say(harness.channel, ["One", "Two"])
        thread = harness.source.fetch(f"{harness.channel}:{stamps[0]}", [])
        for message in thread.messages:
            link = harness.client.chat_getPermalink(channel=harness.channel, message_ts=message.id)[
                "permalink"
            ]
            assert message.url == link
            assert DOOR.locate(harness.config, str(link)) == f"{harness.channel}:{stamps[0]}"

    def test_everything_in_a_direct_message_is_meant_for_the_bot(self, harness: SlackHarness) -> None:
        """Without a mention the words count as said to the bot."""
        channel = harness.direct_channel()
        stamps = harness.say(channel, ["fix the header", "and the footer"])
        thread = harness.source.fetch(f"{channel}:{stamps[0]}", [])
        assert thread.mentions == thread.messages
        assert [one.text for one in thread.messages] == ["fix the header", "and the footer"]

    def test_a_deleted_root_leaves_the_replies(self, harness: SlackHarness) -> None:
        """The tombstone is no message; the title is that of the first that is left."""
        stamps = harness.say(harness.channel, ["One", "Two", "Three"])
        harness.sandbox.control(
            "DELETE", f"/slack/messages/{harness.team}/{harness.channel}/{stamps[0]}?quiet=true"
        )
        thread = harness.source.fetch(f"{harness.channel}:{stamps[0]}", [])
        assert [one.text for one in thread.messages] == ["Two", "Three"]
        assert thread.title == "Two"

    def test_the_answer_stands_in_the_thread_and_unfolds_nothing(self, harness: SlackHarness) -> None:
        """The answer is a reply to the root, with its key as metadata."""
        thread_id = harness.thread()
        harness.source.reply(thread_id, "Made <https://notion.so/1|Fix it>", "key", is_retry=False)
        root = thread_id.partition(":")[2]
        found = harness.client.conversations_replies(
            channel=harness.channel, ts=root, include_all_metadata=True
        )["messages"]
        assert found is not None
        assert found[-1]["thread_ts"] == root
        assert found[-1]["text"] == "Made <https://notion.so/1|Fix it>"
        assert found[-1]["metadata"] == {"event_type": "discubot_reply", "event_payload": {"key": "key"}}

    def test_a_long_answer_is_cut_at_a_line(self, harness: SlackHarness) -> None:
        """Slack asks for at most 4,000 characters."""
        thread_id = harness.thread()
        lines = [f"{number}: <https://notion.so/{number}|Task {number}>" for number in range(200)]
        harness.source.reply(thread_id, "\n".join(lines), "key", is_retry=False)
        [answer] = harness.answers(thread_id)
        assert 3500 < len(answer) <= 4000
        assert answer.split("\n")[:-1] == lines[: answer.count("\n")]
        assert answer.endswith("\n…")

    def test_an_answer_that_never_arrived_is_posted_again(self, harness: SlackHarness) -> None:
        """When the connection drops before the post, nothing is found, and it is posted."""
        thread_id = harness.thread()
        with harness.sandbox.fault(service="slack", match="chat.postMessage", kind="drop_before"):
            harness.source.reply(thread_id, "Done", "key", is_retry=False)
        assert harness.answers(thread_id) == ["Done"]

    @pytest.mark.parametrize("kind", ["drop_before", "html", "status"])
    def test_an_answer_that_cannot_be_posted_is_unanswered(self, harness: SlackHarness, kind: str) -> None:
        """After a second failure whoever plans the retry knows that the outcome is unknown."""
        thread_id = harness.thread()
        fault = {"service": "slack", "match": "chat.postMessage", "kind": kind, "times": None}
        before = harness.calls("chat.postMessage")
        with harness.sandbox.fault(**fault), pytest.raises(Unanswered):
            harness.source.reply(thread_id, "Done", "key", is_retry=False)
        assert harness.calls("chat.postMessage") - before == 2
        assert harness.answers(thread_id) == []

    def test_somebody_elses_key_is_not_ours(self, harness: SlackHarness) -> None:
        """Only the bot's own messages count, and only with the very key."""
        thread_id = harness.thread()
        harness.source.reply(thread_id, "Done", "key-1", is_retry=True)
        harness.source.reply(thread_id, "key-1 is done", "key", is_retry=True)
        assert harness.answers(thread_id) == ["Done", "key-1 is done"]

    def test_marks_use_the_agreed_reactions(self, harness: SlackHarness) -> None:
        """Eyes at the start, a check mark or a cross at the end, on each message that asked."""
        stamps = harness.say(harness.channel, ["One", "Two"])
        thread_id = f"{harness.channel}:{stamps[0]}"
        for mark in Mark:
            harness.source.mark(thread_id, stamps, mark)
        for ts in stamps:
            assert harness.marks(thread_id, ts) == ["eyes", "white_check_mark", "x"]

    def test_a_message_that_is_gone_needs_no_mark(self, harness: SlackHarness) -> None:
        """The others get theirs."""
        [ts] = harness.say(harness.channel, ["One"])
        thread_id = f"{harness.channel}:{ts}"
        harness.source.mark(thread_id, ["1600000000.000100", ts], Mark.DONE)
        assert harness.marks(thread_id, ts) == ["white_check_mark"]

    @pytest.mark.parametrize("thread_id", ["", "C1", "C1:", ":1763760000.000200"])
    def test_a_wrong_thread_id_is_malformed(self, harness: SlackHarness, thread_id: str) -> None:
        """The message says what a thread id looks like."""
        with pytest.raises(Permanent, match="malformed"):
            harness.source.fetch(thread_id, [])

    def test_an_unknown_thread_is_permanent(self, harness: SlackHarness) -> None:
        """A thread or channel that is not there stays away."""
        for thread_id, reason in (
            (f"{harness.channel}:1600000000.000100", "thread_not_found"),
            ("C0NOWHERE:1600000000.000100", "channel_not_found"),
        ):
            with pytest.raises(Permanent) as refused:
                harness.source.fetch(thread_id, [])
            assert refused.value.reason == reason

    def test_a_missing_scope_is_named(self, harness: SlackHarness) -> None:
        """The message says which scope to add."""
        thread_id = harness.thread()
        path = f"/slack/workspaces/{harness.team}"
        harness.sandbox.control("PATCH", path, {"scopes": ["users:read"]})
        try:
            with pytest.raises(Permanent) as refused:
                harness.source.fetch(thread_id, [])
        finally:
            harness.sandbox.control("PATCH", path, {"scopes": None})
        assert refused.value.reason == "missing_scope"
        assert "channels:history" in refused.value.message

    @pytest.mark.parametrize(
        ("code", "verdict"),
        [
            *[
                (code, Transient)
                for code in ("ratelimited", "internal_error", "fatal_error", "request_timeout")
            ],
            *[(code, Transient) for code in ("service_unavailable", "team_added_to_org")],
            *[
                (code, Permanent)
                for code in ("not_authed", "account_inactive", "token_revoked", "token_expired")
            ],
            *[(code, Permanent) for code in ("not_in_channel", "ekm_access_denied", "something_new")],
        ],
    )
    def test_error_codes_are_told_apart(
        self, harness: SlackHarness, code: str, verdict: type[Transient | Permanent]
    ) -> None:
        """The code is the reason; the message is for people and has no token in it."""
        thread_id = harness.thread()
        fault = {"service": "slack", "match": "conversations.replies", "kind": "error", "error": code}
        with harness.sandbox.fault(**fault), pytest.raises(verdict) as refused:
            harness.source.fetch(thread_id, [])
        assert refused.value.reason == code
        assert type(refused.value) is verdict
        assert harness.token not in str(refused.value)

    @pytest.mark.parametrize(("code", "posts"), [("fatal_error", 2), ("ratelimited", 1), ("is_archived", 1)])
    def test_only_an_unknown_outcome_is_looked_into(
        self, harness: SlackHarness, code: str, posts: int
    ) -> None:
        """A post that was refused was not carried out: nothing is looked up, nothing posted twice."""
        thread_id = harness.thread()
        before = harness.calls("chat.postMessage"), harness.calls("conversations.replies")
        fault = {"match": "chat.postMessage", "kind": "error", "error": code, "times": None}
        with harness.sandbox.fault(service="slack", **fault), pytest.raises((Transient, Permanent)):
            harness.source.reply(thread_id, "Done", "key", is_retry=False)
        assert harness.calls("chat.postMessage") - before[0] == posts
        assert harness.calls("conversations.replies") - before[1] == posts - 1

    def test_an_outage_is_transient(self, harness: SlackHarness) -> None:
        """A gateway's page in place of Slack's answer is worth another try."""
        thread_id = harness.thread()
        harness.sandbox.control("PUT", "/services/slack", {"down": True})
        try:
            with pytest.raises(Transient) as refused:
                harness.source.fetch(thread_id, [])
        finally:
            harness.sandbox.control("PUT", "/services/slack", {"down": False})
        assert refused.value.reason == "slack_down"

    def test_every_call_is_paced(self, harness: SlackHarness) -> None:
        """The limiter is asked before each call."""
        paces: list[timedelta] = []
        url = f"{harness.sandbox.url}/slack/api/"
        with SlackSource(harness.config, url, lambda: paces.append(timedelta())) as source:
            source.fetch(harness.thread(), [])
        assert len(paces) == 3, "auth.test, conversations.replies, users.info"

    def test_a_source_needs_slack_credentials(self) -> None:
        """Another tool's credentials are no way into Slack."""
        config = config_of(SourceType.SLACK, GenericCredentials(signing_secret=SecretStr("whsec_")))
        with pytest.raises(Permanent, match="not_configured"):
            SlackSource(config, "http://127.0.0.1:9/")
