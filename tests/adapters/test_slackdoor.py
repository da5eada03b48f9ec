"""Slack's door: what it lets in, and what each kind of event becomes."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.config import GenericCredentials
from discubot_pipeline.domain.delivery import Arrival, Challenge, SourceType
from discubot_pipeline.domain.errors import Permanent
from tests.adapters.slack_workspace import DOOR, SECRET, opened, payload, slack_config
from tests.adapters.source_harness import NOW, config_of

SLASH_COMMAND = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
"""Slack's published example of a signed body."""


def by_hand(secret: str, body: bytes) -> dict[str, str]:
    """Sign what slack_sdk refuses to sign."""
    stamp = str(int(NOW.timestamp()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={digest}"}


def reason_of(body: bytes) -> str:
    """Say with which message a body is malformed."""
    with pytest.raises(Permanent) as refused:
        DOOR.open(slack_config(), {}, body)
    assert refused.value.reason == "malformed"
    return refused.value.message


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
    def test_a_known_signature_is_accepted(self, secret: str, stamp: str, body: bytes, signature: str) -> None:
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

    @pytest.mark.parametrize("said", ["ß \"naïve\" \\\\ 日本語 👩‍💻 \u202e\t<&>\n'%s' {x}; --", "x" * 40_000, ""])
    def test_what_is_said_is_kept_to_the_letter(self, said: str) -> None:
        """As much as Slack lets people write, in whatever script; a mention with nothing beside it asks too."""
        body = json.loads(payload("app_mention"))
        body["event"]["text"] = f"<@UDISCUBOT>{said}"
        arrival = DOOR.open(slack_config(), {}, json.dumps(body).encode())
        assert isinstance(arrival, Arrival)
        assert arrival.payload is not None
        assert arrival.payload["text"] == f"<@UDISCUBOT>{said}"

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

    def test_a_channel_that_another_workspace_shares_is_ours_too(self) -> None:
        """Its events bear the sharing workspace's id; for whom they are meant stands with the installation."""
        body = json.loads(payload("app_mention")) | {"team_id": "T0PARTNER", "is_ext_shared_channel": True}
        shared = DOOR.open(slack_config(), {}, json.dumps(body).encode())
        assert isinstance(shared, Arrival)
        assert (shared.reason, shared.thread_id) == (None, "C0GENERAL:1763759000.000100")
        body["authorizations"] = None
        assert DOOR.open(slack_config(), {}, json.dumps(body).encode()) == Arrival(
            delivery_key="Ev07ABC001", reason="unknown_workspace"
        )

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
        assert "event.ts" in reason_of(payload("app_mention").replace(b'"1763760000.000200"', b"1763760000.000200"))

    def test_the_message_holds_no_content(self) -> None:
        """What people wrote never gets into an error."""
        body = json.loads(payload("app_mention"))
        body["event"] |= {"text": "a secret plan", "user": None}
        assert "secret" not in reason_of(json.dumps(body).encode())

    def test_a_nul_in_the_text_is_dropped(self) -> None:
        """The database takes none, and the mention is worth keeping."""
        arrival = DOOR.open(slack_config(), {}, payload("app_mention").replace(b"make", b"ma\\u0000ke"))
        assert isinstance(arrival, Arrival)
        assert arrival.payload is not None
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
