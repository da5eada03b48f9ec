"""What every archive must do: the past of a source, thread by thread. An archive's tests subclass it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import pytest

from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.ports import Archive, Listed, Source
from tests.adapters.source_harness import DAY, MARCH, START, delivery_of, is_storable


class ArchiveHarness(Protocol):
    """An archive under test, with a place of its own. `mentions` says whether it can tell who mentions the bot.

    `people` are the names of those who write in turn.
    """

    archive: Archive
    source: Source
    place: str
    mentions: bool
    people: tuple[str, str]

    def write(self, at: datetime, texts: Sequence[str], mention: str | None = None) -> None:
        """Let people write a thread that began at a time, and let the last one mention the bot with some words."""
        ...

    def spoil(self) -> None:
        """Add something that cannot be read."""
        ...


class ArchiveConformance:
    """The suite. A subclass has a fixture `harness`, made anew for each test."""

    def test_the_threads_of_a_span_are_listed(self, harness: ArchiveHarness) -> None:
        """Its first moment belongs to it, its last one does not; each thread comes once."""
        for at in (
            MARCH.since - DAY,
            MARCH.since,
            MARCH.since + DAY,
            MARCH.until - DAY,
            MARCH.until,
            MARCH.until + DAY,
        ):
            harness.write(at, ["One", "Two"])
        listed = self._list(harness)
        began = sorted(one.began_at for one in listed if one.began_at)
        assert began == [MARCH.since, MARCH.since + DAY, MARCH.until - DAY]
        assert len({one.name for one in listed}) == 3

    def test_it_goes_on_after_any_position(self, harness: ArchiveHarness) -> None:
        """What comes after a position is exactly what came after it before."""
        for day in range(7):
            harness.write(START + day * DAY, ["One", "Two"])
        listed = self._list(harness)
        assert len(listed) == 7
        for number, one in enumerate(listed, 1):
            assert self._list(harness, one.position) == listed[number:]

    def test_a_thread_can_be_worked_on(self, harness: ArchiveHarness) -> None:
        """What it brings is read by the source like a webhook's, and leads to the whole thread."""
        harness.write(START, ["The header breaks", "On my phone too"], mention="please fix it")
        [listed] = self._list(harness)
        arrival = harness.archive.arrival(listed, every=True)
        assert arrival is not None
        assert is_storable(arrival, harness.source.kind)
        delivery = delivery_of(arrival, harness.source.kind)
        assert harness.source.read(delivery).thread_id == arrival.thread_id
        thread = harness.source.fetch(str(arrival.thread_id), [delivery])
        assert [one.text for one in thread.messages[:2]] == ["The header breaks", "On my phone too"]
        assert thread.title == "The header breaks"
        assert tuple(one.author.name for one in thread.messages[:2]) == harness.people
        assert thread.url

    def test_the_same_thread_is_the_same_delivery(self, harness: ArchiveHarness) -> None:
        """A second backfill finds every key again; no two threads share one."""
        for day in range(3):
            harness.write(START + day * DAY, ["One", "Two"], mention="do it")
        keys = [self._keys(harness, every=True), self._keys(harness, every=True)]
        assert keys[0] == keys[1]
        assert len(set(keys[0])) == 3

    def test_only_threads_that_mention_the_bot_count(self, harness: ArchiveHarness) -> None:
        """Unless every thread is wanted."""
        if not harness.mentions:
            pytest.skip("this archive does not know the bot")
        harness.write(START, ["One", "Two"])
        harness.write(START + DAY, ["Three", "Four"], mention="do it")
        assert len(self._keys(harness, every=False)) == 1
        assert len(self._keys(harness, every=True)) == 2

    def test_what_cannot_be_read_is_named_and_stops_nothing(self, harness: ArchiveHarness) -> None:
        """It is listed like the others, and its own reading fails for good."""
        harness.write(START, ["One", "Two"])
        harness.spoil()
        harness.write(START + DAY, ["One", "Two"])
        broken = []
        for listed in self._list(harness):
            try:
                harness.archive.arrival(listed, every=True)
            except Permanent as error:
                broken.append((listed.name, error.reason))
        [(name, reason)] = broken
        assert name
        assert reason == "malformed"
        assert len(self._list(harness)) == 3

    def test_a_wrong_place_is_named(self, harness: ArchiveHarness) -> None:
        """One sentence says what a place is."""
        with pytest.raises(Permanent) as refused:
            harness.archive.places([harness.place, "no such place"])
        assert refused.value.reason == "bad_place"
        assert "no such place" in refused.value.message
        assert harness.archive.places([harness.place, harness.place]) == [harness.place]

    def _list(self, harness: ArchiveHarness, after: str | None = None) -> list[Listed]:
        return list(harness.archive.threads(harness.place, MARCH, after))

    def _keys(self, harness: ArchiveHarness, every: bool) -> list[str]:
        arrivals = (harness.archive.arrival(listed, every) for listed in self._list(harness))
        return [arrival.delivery_key for arrival in arrivals if arrival]
