"""What our client says to Figma and hears from it, held against Figma's own OpenAPI description."""

from collections.abc import Iterator

import pytest

from discubot_pipeline.ports import Mark
from tests.adapters.conftest import Sandbox
from tests.adapters.figma_file import FigmaHarness
from tests.adapters.wiretap import Wiretap
from tests.sandbox.openapi import Description
from tests.sandbox.sdk import FIGMA_SPEC, needs_packages

pytestmark = needs_packages
CALLS = {("GET", "me"), ("GET", "comments"), ("POST", "comments"), ("POST", "reactions")}


@pytest.fixture
def tap(sandbox: Sandbox) -> Iterator[Wiretap]:
    """Lay a line to the sandbox."""
    tap = Wiretap(sandbox.url)
    yield tap
    tap.close()


def test_what_the_client_says_is_described(tap: Wiretap) -> None:
    """Reading a thread, marking it and answering in it are calls as Figma describes them."""
    file = FigmaHarness(Sandbox(tap.url))
    thread = file.thread()
    assert file.source.fetch(thread, ()).messages
    file.source.mark(thread, (), Mark.SEEN)
    file.source.reply(thread, "Done: **one task**", "k-1", is_retry=True)
    assert file.answers(thread) == ["Done: **one task**"]
    file.close()
    spec, said = Description(FIGMA_SPEC), tap.under("/figma/v1")
    for one in said:
        path = one.path.removeprefix("/figma")
        spec.check_body(one.verb, path, one.said)
        spec.check_answer(one.verb, path, one.status, one.heard)
    assert {(one.verb, one.path.rpartition("/")[2]) for one in said} >= CALLS
