"""Slack's export: threads over several days, people and channels by its lists, broken days, and a real one."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from discubot_pipeline.adapters.slack import SlackSource
from discubot_pipeline.adapters.slackarchive import ts_of
from discubot_pipeline.adapters.slackexport import SlackExport
from discubot_pipeline.domain.backfill import BEGINNING, Span
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.ports import FetchedThread
from tests.adapters.archive_conformance import ArchiveConformance
from tests.adapters.slack_past import NOWHERE, SITE, ExportPast
from tests.adapters.slack_workspace import slack_config
from tests.adapters.source_harness import DAY, MARCH, START, delivery_of

EXPORT = os.environ.get("DISCUBOT_SLACK_EXPORT")


@pytest.fixture
def harness(tmp_path: Path) -> ExportPast:
    """Give an export without messages."""
    return ExportPast(tmp_path / "export.zip")


class TestConformance(ArchiveConformance):
    """An export does what every archive does."""


def fetched(past: ExportPast) -> FetchedThread:
    """Read the only thread of an export, as a run would, without Slack."""
    with closing(past.archive) as archive:
        [listed] = archive.threads("general", MARCH)
        arrival = archive.arrival(listed, every=True)
    return past.source.fetch(str(arrival.thread_id), [delivery_of(arrival, SourceType.SLACK)])


def test_a_thread_comes_whole_and_asks_slack_for_nothing(harness: ExportPast) -> None:
    """Names and addresses are the export's, attachments hang on their messages, links lead to the workspace."""
    sketch = {"name": "sketch.png", "title": "Sketch", "mimetype": "image/png", "permalink": f"{SITE}/files/1"}
    harness.say(START, "<@U2> the &lt;header&gt; breaks", files=[sketch], subtype="file_share")
    harness.say(START + 20 * DAY, "I see", "U2", START)
    thread = fetched(harness)
    first, second = thread.messages
    assert (first.text, first.author.name, first.author.email) == (
        "@ben the <header> breaks",
        "anna",
        "anna@acme.example",
    )
    assert [(one.name, one.url, one.kind) for one in first.attachments] == [("Sketch", f"{SITE}/files/1", "image/png")]
    assert (second.text, second.sent_at) == ("I see", START + 20 * DAY)
    root = ts_of(START)
    assert thread.url == f"{SITE}/archives/C1/p{root.replace('.', '')}"
    assert thread.mentions == ()


def test_without_the_workspaces_address_there_are_no_links(harness: ExportPast) -> None:
    """An export does not tell it, and a wrong link is worse than none."""
    harness.write(START, ["One", "Two"])
    with closing(harness.archive), closing(SlackExport(harness.path)) as archive:
        [listed] = archive.threads("general", MARCH)
        arrival = archive.arrival(listed, every=True)
    thread = harness.source.fetch(str(arrival.thread_id), [delivery_of(arrival, SourceType.SLACK)])
    assert thread.url is None
    assert {message.url for message in thread.messages} == {None}


def test_who_is_not_in_the_list_keeps_the_id(harness: ExportPast) -> None:
    """People of other workspaces are not exported."""
    harness.say(START, "Hello")
    harness.say(START + DAY, "Hi", "U404", START)
    assert [message.author.name for message in fetched(harness).messages] == ["anna", "U404"]


def test_channels_are_named_by_name_or_id(harness: ExportPast) -> None:
    """All of them where none is named; the thread's id holds the channel's."""
    harness.days["random/2026-03-01.json"] = []
    with closing(harness.archive) as archive:
        assert archive.places(["#general"]) == archive.places(["C1"]) == ["general"]
        assert archive.places([]) == ["general", "random"]


def test_a_reply_without_its_root_is_no_thread(harness: ExportPast) -> None:
    """Nor is what nobody answered."""
    harness.say(START, "Two", root=START - 90 * DAY)
    harness.say(START + DAY, "Alone")
    with closing(harness.archive) as archive:
        assert list(archive.threads("general", Span(since=BEGINNING, until=MARCH.until))) == []


@pytest.mark.parametrize("content", ["{}", "[1, null, {}]", '[{"type": "message", "ts": "soon", "user": "U1"}]'])
def test_strange_days_hold_no_messages(harness: ExportPast, content: str) -> None:
    """What is no message is passed over; a file of another form is an error by its name."""
    harness.days["general/2026-03-05.json"] = content
    harness.write(START, ["One", "Two"])
    with closing(harness.archive) as archive:
        names = [listed.name for listed in archive.threads("general", MARCH)]
    assert [name for name in names if name.endswith(".json")] == ["general/2026-03-05.json"] * (content == "{}")
    assert len(names) == 1 + (content == "{}")


def test_a_file_that_is_no_export_is_named(tmp_path: Path) -> None:
    """One sentence says what an export is."""
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(Permanent, match="is no Slack export"):
            SlackExport(path)


@pytest.fixture
def real() -> Iterator[SlackExport]:
    """Open a real export."""
    if EXPORT is None:
        pytest.skip("left out: DISCUBOT_SLACK_EXPORT names no Slack export")
    with closing(SlackExport(Path(EXPORT))) as archive:
        yield archive


def test_a_real_export_is_imported_whole(real: SlackExport) -> None:
    """Every thread that was answered is there with all its messages, and can be read by the source."""
    [place] = real.places([])
    source = SlackSource(slack_config(), NOWHERE)
    listed = list(real.threads(place, Span(since=BEGINNING, until=START)))
    days = [message for day in real.days[place] for message in real.messages(day)]
    roots = {message["ts"]: message["reply_count"] for message in days if message.get("reply_count")}
    sizes = {}
    for one in listed:
        arrival = real.arrival(one, every=True)
        thread = source.fetch(str(arrival.thread_id), [delivery_of(arrival, SourceType.SLACK)])
        assert all(message.author.name != message.author.id for message in thread.messages)
        sizes[one.position] = len({message.id for message in thread.messages})
    assert set(roots) == set(sizes)
    assert sum(sizes.values()) > 0.99 * (sum(roots.values()) + len(roots))
