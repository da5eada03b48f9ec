"""Slack's answers: threads with all sorts of messages, and answers that are none, kept in payload files."""

import json
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from discubot_pipeline.adapters.slack import SlackSource
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.ports import FetchedThread
from tests.adapters.slack_workspace import payload, slack_config


class Canned:
    """A loopback service that gives the answers of a payload file, page by page."""

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.asked: list[str] = []
        self.fields: list[dict[str, list[str]]] = []
        canned = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["content-length"] or 0)
                fields = parse_qs(self.rfile.read(length).decode())
                method = " ".join([self.path.rpartition("/")[2], *fields.get("user", [])])
                canned.asked.append(method)
                canned.fields.append(fields)
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
            ("Ben Carter", "Also on mobile"),
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
        hanging = [(file.name, file.url, file.kind) for one in fetched(answers).messages for file in one.attachments]
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
        ("text", "own", "is_asked"),
        [
            ("<@UDISCUBOT>", "", True),
            ("<@UDISCUBOT> as Ben says", "as Ben says\n", True),
            ("FYI", "FYI\n", False),
            ("", "", False),
        ],
    )
    def test_what_is_forwarded_is_said(
        self, answers: dict[str, list[Any]], text: str, own: str, is_asked: bool
    ) -> None:
        """Who forwards a message to the bot means its words; a mention in them calls nobody, a preview says nothing."""
        url = "https://acme.slack.com/archives/C1/p1763750000000100"
        shared = {"is_share": True, "from_url": url, "text": "Please fix the <https://x.io|header>, <@UDISCUBOT>"}
        preview = {"from_url": "https://y.io", "title": "Y", "text": "All about Y"}
        hung = [shared, preview] if text else [shared]
        said = {"ts": "1763759000.000100", "user": "U0ANNA", "text": text, "attachments": hung}
        thread = fetched(answers | {"conversations.replies": [{"ok": True, "messages": [said]}]})
        [message] = thread.messages
        assert message.text == f"{own}Please fix the header (https://x.io),"
        assert message.attachments[0].url == url
        assert thread.mentions == (thread.messages if is_asked else ())

    @pytest.mark.parametrize("is_hung", [False, True])
    def test_blocks_are_read_where_there_is_no_text(self, answers: dict[str, list[Any]], is_hung: bool) -> None:
        """An app may show all that it says in blocks, on the message or on its attachment; buttons say nothing."""
        button = {"type": "button", "text": {"type": "plain_text", "text": "Resolve"}}
        blocks = [
            {"type": "header", "text": {"type": "plain_text", "text": "Checkout is down"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "See <https://x.io|the log> :fire:"}},
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Since* 9:00"}, {"type": "mrkdwn"}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "cc <@U0ANNA>"}, {"type": "image"}]},
            {"type": "markdown", "text": "Please have a look"},
            {"type": "actions", "elements": [button]},
            {"type": "divider"},
        ]
        told = (
            {"attachments": [{"fallback": "[no preview available]", "blocks": blocks}]}
            if is_hung
            else {"blocks": blocks}
        )
        said = {"ts": "1763759000.000100", "bot_id": "B0PAGER", "username": "Pager", "text": "", **told}
        thread = fetched(answers | {"conversations.replies": [{"ok": True, "messages": [said]}]})
        assert [one.text for one in thread.messages] == [
            "Checkout is down\nSee the log (https://x.io) 🔥\nSince 9:00\ncc @anna\nPlease have a look"
        ]

    @pytest.mark.parametrize("blocks", [[], [{}], [{"type": "section", "text": 1, "fields": 2, "elements": ["x"]}]])
    def test_blocks_that_show_nothing_are_no_message(self, answers: dict[str, list[Any]], blocks: Any) -> None:
        """Whatever stands there, the rest of the thread is read."""
        page = answers["conversations.replies"][0]
        page["messages"].append({"ts": "1763759003.000200", "user": "U0BEN", "text": "", "blocks": blocks})
        assert len(fetched(answers).messages) == 9

    def test_a_thread_without_messages_is_an_empty_one(self, answers: dict[str, list[Any]]) -> None:
        """It has a title and an address all the same, so that people can be answered."""
        thread = fetched(answers | {"conversations.replies": [{"ok": True, "messages": []}]})
        assert (thread.messages, thread.mentions, thread.title) == ((), (), "Discussion without text")
        assert thread.url == "https://acme.slack.com/archives/C0GENERAL/p1763759000000100"

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


def test_a_key_in_anothers_message_is_no_answer(answers: dict[str, list[Any]]) -> None:
    """Any app may write metadata: only the bot's own message counts. What is posted unfolds no links."""
    forged = {"event_type": "discubot_reply", "event_payload": {"key": "key"}}
    for page in answers["conversations.replies"]:
        for said in page["messages"]:
            said.update({} if said.get("user") == "UDISCUBOT" else {"metadata": forged})
    service = Canned(answers | {"chat.postMessage": [{"ok": True, "ts": "1763759099.000100"}]})
    try:
        service.source.reply("C0GENERAL:1763759000.000100", "Done", "key", is_retry=True)
    finally:
        service.close()
    assert service.asked[-1] == "chat.postMessage"
    assert service.fields[-1] == {
        "channel": ["C0GENERAL"],
        "thread_ts": ["1763759000.000100"],
        "text": ["Done"],
        "unfurl_links": ["false"],
        "unfurl_media": ["false"],
        "metadata": [json.dumps(forged)],
    }
