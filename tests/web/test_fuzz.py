"""Whatever is sent without a signature leaves no row and breaks nothing."""

import http.client
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from discubot_pipeline.domain.config import SourceConfig
from tests.adapters.slack_workspace import payload
from tests.web.receiver import Receiver, slack_headers

MENTION = payload("app_mention")
NAMES = [
    "x-slack-signature",
    "x-slack-request-timestamp",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "content-type",
    "content-encoding",
    "authorization",
    "accept",
    "cookie",
]
VALUES = st.binary(max_size=40).map(lambda raw: bytes(byte for byte in raw if byte in range(33, 256)))
SEGMENT = st.binary(max_size=12).map(lambda raw: quote_from_bytes(raw, safe=""))
PATHS = st.lists(SEGMENT, max_size=4).map("/".join)
JSON = st.sampled_from([MENTION, b"{}", b"[" * 5000, b'{"type":"event_callback"}', b"\xff", b"1e999", b'"\\ud800"'])
METHODS = st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "HEAD", "OPTIONS", "DELETE", "BREW"])


def sent(receiver: Receiver, method: str, path: str, headers: dict[str, bytes], body: bytes) -> int:
    """Send a request as it is; gives the status."""
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=20)
    try:
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        return connection.getresponse().status
    finally:
        connection.close()


def test_nothing_unproven_is_stored(
    receiver: Receiver,
    slack_config: SourceConfig,
    generic_config: SourceConfig,
    stored: Callable[[], list[Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Two hundred random requests: never a 5xx, never a row, no error in the log; a real one is taken afterwards."""
    caplog.set_level(logging.INFO)
    addresses = [f"slack/{slack_config.hook}", f"generic/{generic_config.hook}", "slack", "generic", "figma"]
    signed = slack_headers(slack_config, MENTION)
    stamp = {"x-slack-request-timestamp": signed["x-slack-request-timestamp"].encode()}

    @settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None, database=None)
    @given(
        METHODS,
        st.sampled_from([f"/hooks/{one}" for one in addresses])
        | PATHS.map("/hooks/{}".format)
        | PATHS.map("/{}".format),
        st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4) | st.just(stamp),
        JSON | st.binary(max_size=200),
    )
    def fuzz(method: str, path: str, headers: dict[str, bytes], body: bytes) -> None:
        status = sent(receiver, method, path, headers, body)
        assert status in {200, 307, 400, 401, 404, 405}, (method, path, status)
        assert method in {"GET", "HEAD"} or status != 200

    fuzz()
    assert stored() == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert receiver.slack(slack_config, MENTION).json()["status"] == "accepted"
    assert len(stored()) == 1
