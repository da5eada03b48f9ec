"""Notion's door: what it lets in, and what each kind of event becomes."""

import json

import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.config import GenericCredentials
from discubot_pipeline.domain.delivery import Arrival, DeliveryKind, Handshake, SourceType
from discubot_pipeline.domain.errors import Permanent
from tests.adapters.notion_comments import DOOR, SECRET, WORKSPACE, notion_config, opened, payload, sign
from tests.adapters.source_harness import NOW, config_of

PAGE = "0ef104cd-477e-80e1-8571-cfd10e92339a"
BLOCK = "1b0c0f3a-8d1d-4f4b-9a53-8f2f4f6a7b10"
COMMENT = "153104cd-477e-809d-8dc4-ff2d96ae3090"
DISCUSSION = "f4be6752-a539-4da2-a8a9-c3953e13bc0b"
TOKEN = payload("verification_token")


def refused(secret: str | None, headers: dict[str, str], body: bytes) -> str:
    """Give the words with which a request is refused for its signature."""
    with pytest.raises(Permanent) as error:
        DOOR.verify(notion_config(secret=secret), headers, body, NOW)
    assert error.value.reason == "signature"
    return error.value.message


class TestHandshake:
    """The one request that is not signed."""

    def test_a_source_without_a_token_takes_the_one_that_notion_brings(self) -> None:
        """It is let in unsigned, and offers the token; nothing is stored as a delivery."""
        config = notion_config(secret=None)
        DOOR.verify(config, {}, TOKEN, NOW)
        assert DOOR.open(config, {}, TOKEN) == Handshake(secret=SecretStr(SECRET))

    def test_a_source_that_has_a_token_takes_no_other(self) -> None:
        """Whoever knows the address cannot put a token of their own in its place."""
        refused(SECRET, {}, TOKEN)
        refused(SECRET, sign("secret_of_somebody_else", TOKEN), TOKEN)

    @pytest.mark.parametrize(
        "body",
        [
            b"{}",
            b'{"verification_token": ""}',
            b'{"verification_token": 12345678}',
            b'{"verification_token": "two words"}',
            b'{"verification_token": "secret_12345678", "type": "comment.created"}',
            b'{"verification_token": "secret_\\u00e9\\u00e9\\u00e9\\u00e9"}',
            payload("comment_created"),
        ],
    )
    def test_nothing_else_is_let_in_without_a_token(self, body: bytes) -> None:
        """Neither events, signed with whatever, nor a token in other company."""
        assert "verification token" in refused(None, sign("", body), body)

    def test_the_token_is_in_no_words_of_ours(self) -> None:
        """What is logged of a handshake does not show it."""
        assert SECRET not in repr(DOOR.open(notion_config(secret=None), {}, TOKEN))


class TestSignature:
    """What verify says about signatures."""

    def test_the_scheme_is_notions(self) -> None:
        """`sha256=` and the hex digest of the raw body, keyed by the token (computed by openssl)."""
        headers = {"x-notion-signature": "sha256=eac1af738ef7e5479315a98105d3295dbed3289f1fd7a6d40462e7a97638ce67"}
        DOOR.verify(notion_config(), headers, b"{}", NOW)

    @pytest.mark.parametrize("prefix", ["", "v1=", "SHA256=", "sha1="])
    def test_another_prefix_is_no_signature(self, prefix: str) -> None:
        """The digest alone proves nothing."""
        digest = sign(SECRET, b"{}")["x-notion-signature"].removeprefix("sha256=")
        refused(SECRET, {"x-notion-signature": prefix + digest}, b"{}")

    def test_another_tools_credentials_prove_nothing(self) -> None:
        """A source without credentials of Notion's lets nothing in, not even a handshake."""
        other = config_of(SourceType.NOTION, GenericCredentials(signing_secret=SecretStr("whsec_")))
        for body in (b"{}", TOKEN):
            with pytest.raises(Permanent, match="signature"):
                DOOR.verify(other, sign("whsec_", body), body, NOW)


class TestOpen:
    """What each kind of event becomes."""

    def test_a_comment_has_its_keys(self) -> None:
        """The event names no discussion: the thread is the comment's own until it is read."""
        assert opened("comment_created") == Arrival(
            delivery_key="c6780f24-10b7-4f42-a6fd-230b6cf7ad69",
            message_key=COMMENT,
            thread_id=f"{PAGE}:@{COMMENT}",
            payload={"comment_id": COMMENT, "page_id": PAGE},
        )

    @pytest.mark.parametrize(
        ("name", "thread_id"),
        [
            ("comment_created_with_discussion", f"{PAGE}:{DISCUSSION}"),
            ("comment_created_on_block", f"{BLOCK}:@{COMMENT}"),
            ("comment_created_by_agent", f"{PAGE}:@{COMMENT}"),
        ],
    )
    def test_where_it_stands_is_the_thread(self, name: str, thread_id: str) -> None:
        """A block's comment belongs to the block, and a discussion that is named is believed."""
        assert (opened(name).reason, opened(name).thread_id) == (None, thread_id)

    def test_a_later_attempt_is_the_same_comment(self) -> None:
        """Whatever the number of the attempt and the id of the event."""
        first, later = opened("comment_created"), opened("comment_created_later")
        assert first.delivery_key != later.delivery_key
        assert first.message_key == later.message_key

    @pytest.mark.parametrize("name", ["page_properties_updated", "page_content_updated"])
    def test_a_changed_page_is_of_its_own_kind(self, name: str) -> None:
        """It asks for no discussion, and all changes of one page are one thread."""
        arrival = opened(name)
        assert (arrival.kind, arrival.thread_id, arrival.reason) == (DeliveryKind.PAGE, f"page:{PAGE}", None)
        assert arrival.payload is not None
        assert arrival.payload["page_id"] == PAGE

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("comment_updated", "edited"),
            ("comment_deleted", "deleted"),
            ("comment_created_by_bot", "bot_message"),
            ("page_created", "unknown_type"),
            ("data_source_schema_updated", "unknown_type"),
            ("other_workspace", "unknown_workspace"),
        ],
    )
    def test_what_asks_for_nothing_has_a_reason(self, name: str, reason: str) -> None:
        """It is kept as ignored, with a key of its own and without content."""
        arrival = opened(name)
        assert arrival == Arrival(delivery_key=arrival.delivery_key, reason=reason)

    @pytest.mark.parametrize(("path", "wrong"), [("id", None), ("type", 1), ("entity", {}), ("data", {}), ("data", 1)])
    def test_a_missing_or_wrong_field_is_malformed(self, path: str, wrong: object) -> None:
        """The message names the field, never what it holds."""
        body = json.dumps(json.loads(payload("comment_created")) | {path: wrong}).encode()
        with pytest.raises(Permanent, match=path) as error:
            DOOR.open(notion_config(), {}, body)
        assert error.value.reason == "malformed"

    def test_without_a_workspace_every_one_is_taken(self) -> None:
        """The subscription is the connection's own; naming the workspace is an extra."""
        for workspace in (None, WORKSPACE):
            arrival = DOOR.open(notion_config(workspace=workspace), {}, payload("comment_created"))
            assert isinstance(arrival, Arrival)
            assert arrival.reason is None


@pytest.mark.parametrize(
    ("url", "thread_id"),
    [
        ("https://www.notion.so/Plan-{page}?d={discussion}", "{page}:{discussion}"),
        ("https://www.notion.so/acme/{page}?d={discussion}&pvs=4", "{page}:{discussion}"),
        ("https://app.notion.com/p/Plan-{page}?d={discussion}", "{page}:{discussion}"),
        (" https://acme.notion.site/{page}?d={discussion} ", "{page}:{discussion}"),
        ("https://www.notion.so/Plan-{page}?d={discussion}#{block}", "{block}:{discussion}"),
        ("https://www.notion.so/Plan-{page}", None),
        ("https://www.notion.so/Plan-{page}?d=x", None),
        ("https://www.notion.so/Plan?d={discussion}", None),
        ("http://www.notion.so/Plan-{page}?d={discussion}", None),
        ("https://evilnotion.so/Plan-{page}?d={discussion}", None),
        ("https://notion.so.evil.example/Plan-{page}?d={discussion}", None),
        ("https://notion.so@evil.example/Plan-{page}?d={discussion}", None),
    ],
)
def test_links_of_discussions_lead_to_them(url: str, thread_id: str | None) -> None:
    """A discussion's link names its thread; anything else is no link of Notion's."""
    ids = {"page": PAGE, "block": BLOCK, "discussion": DISCUSSION}
    link = url.format(**{name: id.replace("-", "") for name, id in ids.items()})
    assert DOOR.locate(notion_config(), link) == (thread_id and thread_id.format(**ids))
