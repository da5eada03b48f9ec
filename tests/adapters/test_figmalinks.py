"""Redirects in mails: they are followed over Figma's hosts only, with HEAD, and not for long."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from discubot_pipeline.adapters.figmalinks import (
    PATIENCE,
    SITE,
    Target,
    deep_link,
    follow,
    is_figma,
    site_of,
    target_of,
)


class Web:
    """A server that redirects as told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.locations: dict[str, str] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.site = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Close the socket."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                web.asked.append(self.path)
                location = web.locations.get(self.path)
                self.send_response(302 if location else 200)
                if location:
                    self.send_header("location", location)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def web() -> Iterator[Web]:
    """Run a server of this test's own, in the place of Figma."""
    running = Web()
    yield running
    running.close()


def test_a_redirect_is_followed_to_the_file(web: Web) -> None:
    """Relative locations and encoded names too, and no further than to the file."""
    web.locations = {"/click/1?a=b%20c": "/click/2", "/click/2": f"{web.site}/design/AbC123/%C3%A9?node-id=1-2#12"}
    assert follow(f"{web.site}/click/1?a=b%20c", web.site) == Target(file_key="AbC123", comment_id="12")
    assert web.asked == ["/click/1?a=b%20c", "/click/2"]


def test_a_redirect_away_from_figma_is_not_followed(web: Web) -> None:
    """The mail may come from anybody: nothing but Figma is asked."""
    other = Web()
    web.locations = {"/click/1": f"{other.site}/click/2"}
    try:
        assert follow(f"{web.site}/click/1", web.site) is None
        assert follow(f"{other.site}/click/2", web.site) is None
    finally:
        other.close()
    assert (web.asked, other.asked) == (["/click/1"], [])


@pytest.mark.parametrize("location", ["", "mailto:x@figma.com", "file:///etc/passwd", "http://[", "https://x.io/a"])
def test_a_location_that_is_no_address_ends_it(web: Web, location: str) -> None:
    """Whatever stands there."""
    web.locations = {"/click/1": location}
    assert follow(f"{web.site}/click/1", web.site) is None


def test_a_circle_ends(web: Web) -> None:
    """Three hops are enough for a mail."""
    web.locations = {"/click/1": "/click/1"}
    assert follow(f"{web.site}/click/1", web.site) is None
    assert len(web.asked) == 3


def test_nobody_at_home_is_no_target() -> None:
    """A redirect that cannot be asked leads nowhere, and fails nothing."""
    site = "http://127.0.0.1:9"
    assert follow(f"{site}/click/1", site) is None


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    """Whoever takes the call and never answers costs a mail some seconds, not its run."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        site = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        assert follow(f"{site}/click/1", site) is None
        assert time.monotonic() - began < 2 * PATIENCE


@pytest.mark.parametrize(
    ("url", "is_its"),
    [
        ("https://click.figma.com/x", True),
        ("https://figma.com", True),
        ("http://click.figma.com/x", False),
        ("https://click.figma.com:444/x", False),
        ("https://click.figma.com@evil.example/x", False),
        ("https://evil.example/https://click.figma.com", False),
        ("https://click.figma.com.evil.example/x", False),
        ("https://127.0.0.1/x", False),
        ("//click.figma.com/x", False),
    ],
)
def test_figmas_hosts(url: str, is_its: bool) -> None:
    """Over https, on the usual port, in Figma's own domain."""
    assert is_figma(url) is is_its


def test_a_stand_in_has_its_site_at_its_own_address() -> None:
    """The real API belongs to the real site."""
    assert site_of("https://api.figma.com/") == SITE
    assert site_of("http://127.0.0.1:8010/figma/") == "http://127.0.0.1:8010/figma"


def test_deep_links_lead_back() -> None:
    """With a node, and without one."""
    assert deep_link(SITE, "K", "12", "1:2") == "https://www.figma.com/design/K/?node-id=1-2#12"
    for node in ("1:2", "I1:2;3:4", None):
        assert target_of(deep_link(SITE, "K", "12", node)) == Target(file_key="K", comment_id="12")
