"""Importing the past: a delivery for each thread, none twice, errors listed, interruptions survived, and silence."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from discubot_pipeline.adapters.slackarchive import ts_of
from discubot_pipeline.adapters.slackdoor import SlackDoor
from discubot_pipeline.domain.backfill import Backfill, Standing, Tally, Trouble
from discubot_pipeline.domain.config import GenericCredentials
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.stages.analyze import analyze
from discubot_pipeline.stages.backfill import STEP, backfill
from discubot_pipeline.stages.close import close_failed
from discubot_pipeline.stages.notify import notify
from discubot_pipeline.stages.publish import publish
from discubot_pipeline.store.tables import inboxes
from tests.adapters.slack_past import ExportPast, SlackPast
from tests.adapters.source_harness import DAY, START
from tests.stages.acme import Acme, job
from tests.store.samples import rows

INBOX = inboxes[SourceType.SLACK]


class Interrupted(BaseException):
    """What a cancelled run meets."""


@dataclass
class Desk:
    """A person who imports the past of one channel, and hears how it goes."""

    acme: Acme
    past: SlackPast
    pauses: list[float] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    stop_after: int | None = None

    def run(self, run_id: str = "import-1", parent: str | None = None, **wanted: Any) -> Tally:
        """Run an import."""
        usual = {"team": "acme", "source": "slack", "places": (self.past.place,), "per_minute": 100_000, "page_size": 3}
        run = job(run_id, "import-1", parent_run_id=parent)
        self.acme.stores.steps.begin(run_id, STEP, None, {})
        return backfill(Backfill(**usual | wanted), run, self.acme.stores, self.acme.outside, self.rest, self.hear)

    def rest(self, pause: timedelta) -> None:
        """Pause."""
        self.pauses.append(pause.total_seconds())

    def hear(self, tally: Tally, trouble: Trouble | None) -> None:
        """Hear of a thread, and stop the import where that is wanted."""
        self.tallies.append(tally)
        if self.stop_after is not None and tally.seen >= self.stop_after:
            raise Interrupted

    @property
    def rows(self) -> list[Any]:
        """Read the inbox."""
        return rows(self.acme.stores.engine, INBOX)


@pytest.fixture
def desk(acme: Acme) -> Iterator[Desk]:
    """Give a desk with a new channel."""
    past = SlackPast(acme.slack)
    with closing(past.archive):
        yield Desk(acme, past)


def write(desk: Desk, count: int) -> None:
    """Let people write threads, one a day, each with a mention."""
    for day in range(count):
        desk.past.write(START + day * DAY, [f"Header {day}", "Broken"], mention="please fix it")


def test_each_thread_has_one_delivery(desk: Desk) -> None:
    """With the trigger backfill, the mention's own key, and who wrote it."""
    write(desk, 5)
    tally = desk.run()
    assert (tally.seen, tally.stored, tally.troubled, tally.is_complete) == (5, 5, 0, True)
    assert {row.trigger for row in desk.rows} == {Trigger.BACKFILL}
    assert {row.status for row in desk.rows} == {"pending"}
    assert {row.created_by for row in desk.rows} == {"backfill:import-1"}
    assert len({row.thread_id for row in desk.rows}) == 5
    assert desk.acme.stores.imports.standing("import-1") == Standing(waiting=5)


def test_a_second_import_of_the_same_span_makes_nothing(desk: Desk) -> None:
    """Every thread is known by its keys, also when the span has grown."""
    write(desk, 3)
    desk.run(since="2026-03-01", until="2026-03-02")
    assert len(desk.rows) == 2
    tally = desk.run("import-2", since="2026-02-01", until="2026-03-09")
    assert (tally.seen, tally.stored, tally.known) == (3, 1, 2)
    assert len(desk.rows) == 3


def mention(desk: Desk) -> int:
    """Let a person mention the bot in the first thread, and Slack tell our receiver; gives the delivery's id."""
    said = {"team_id": desk.past.slack.team, "channel": desk.past.place, "user": desk.past.slack.people[0]}
    said |= {"thread_ts": ts_of(START), "text": f"<@{desk.past.slack.bot}> fix the footer"}
    posted = desk.acme.sandbox.control("POST", "/slack/messages", said)
    envelope = desk.acme.sandbox.control("GET", f"/slack/events/{posted['event_id']}")
    arrival = SlackDoor().open(desk.acme.config, {}, json.dumps(envelope).encode())
    assert isinstance(arrival, Arrival)
    return desk.acme.stores.inboxes[SourceType.SLACK].store(desk.acme.config, arrival).id


def test_a_mention_that_came_as_a_webhook_is_known(desk: Desk) -> None:
    """Who was answered already is not imported again."""
    write(desk, 1)
    id = mention(desk)
    assert desk.run().known == 1
    assert [row.id for row in desk.rows] == [id]


def test_with_every_thread_those_that_are_known_stay_as_they_are(desk: Desk) -> None:
    """Nobody asked in them, so there is nothing new to say about them."""
    write(desk, 1)
    desk.past.write(START + 9 * DAY, ["Nobody", "asked"])
    assert (desk.run().stored, desk.run("import-2").passed) == (1, 1)
    tally = desk.run("import-3", every=True)
    assert (tally.stored, tally.known, tally.passed) == (1, 1, 0)
    assert desk.run("import-4", every=True).known == 2


def test_an_interrupted_import_goes_on(desk: Desk) -> None:
    """The next run of the chain begins after the last thread that was counted, and asks for no other."""
    write(desk, 7)
    desk.stop_after = 4
    with pytest.raises(Interrupted):
        desk.run()
    assert len(desk.rows) == 4
    desk.stop_after = None
    before = desk.past.slack.calls("conversations.replies")
    tally = desk.run("import-2", parent="import-1")
    assert (tally.seen, tally.stored, tally.known) == (7, 7, 0)
    assert desk.past.slack.calls("conversations.replies") == before + 3
    assert len(desk.rows) == 7
    assert desk.acme.stores.imports.standing("import-1") == Standing(waiting=7)


def test_it_goes_on_in_the_channel_where_it_was(desk: Desk) -> None:
    """Channels that were read to their end are not read again."""
    other = SlackPast(desk.acme.slack)
    write(desk, 2)
    other.write(START, ["One", "Two"], mention="do it")
    other.write(START + DAY, ["One", "Two"], mention="do it")
    desk.stop_after = 3
    with pytest.raises(Interrupted):
        desk.run(places=(desk.past.place, other.place))
    desk.stop_after = None
    before = desk.past.slack.calls("conversations.history")
    tally = desk.run("import-2", parent="import-1", places=(desk.past.place, other.place))
    assert (tally.seen, tally.stored, tally.places) == (4, 4, 2)
    assert desk.past.slack.calls("conversations.history") == before + 1


def test_a_complete_import_that_is_run_again_looks_at_everything(desk: Desk) -> None:
    """That is how what met an error is tried once more."""
    write(desk, 4)
    with desk.acme.sandbox.fault(
        service="slack", match="conversations.replies", kind="error", error="thread_not_found", after=1
    ):
        tally = desk.run()
    assert (tally.seen, tally.stored, tally.troubled, tally.is_complete) == (4, 3, 1, True)
    [trouble] = tally.troubles
    assert (trouble.reason, trouble.item) == ("thread_not_found", f"{desk.past.place}:{ts_of(START + 2 * DAY)}")
    tally = desk.run("import-2", parent="import-1")
    assert (tally.seen, tally.stored, tally.known, tally.troubled) == (4, 1, 3, 0)


def test_a_channel_that_cannot_be_read_is_an_error_among_others(desk: Desk) -> None:
    """The other channels are imported; when there is no other, the import fails and can be tried again."""
    write(desk, 1)
    tally = desk.run(places=("C404", desk.past.place))
    assert (tally.stored, tally.troubled) == (1, 1)
    assert [(trouble.item, trouble.reason) for trouble in tally.troubles] == [("C404", "channel_not_found")]
    for parent in (None, "import-2"):
        with pytest.raises(Permanent, match="not in"):
            desk.run("import-2", parent=parent, places=("C404",))


def test_a_rate_limit_is_waited_for(desk: Desk) -> None:
    """In the list as in a thread, for as long as Slack says; then it goes on where it was."""
    write(desk, 4)
    for method in ("conversations.history", "conversations.replies"):
        limit = {"match": method, "kind": "ratelimit", "retry_after": 60, "after": 1}
        with desk.acme.sandbox.fault(service="slack", **limit):
            tally = desk.run(f"import-{method}")
        assert (tally.seen, tally.troubled) == (4, 0)
    assert desk.pauses == [60, 60]
    assert len(desk.rows) == 4


def test_a_pause_of_hours_ends_the_run(desk: Desk) -> None:
    """Another run goes on; nobody waits with a process at hand."""
    write(desk, 1)
    limit = {"match": "conversations.history", "kind": "ratelimit", "retry_after": 3600}
    with desk.acme.sandbox.fault(service="slack", **limit), pytest.raises(Transient):
        desk.run()
    assert desk.pauses == []


def test_an_outage_ends_the_run_before_it_has_gone_through_everything(desk: Desk) -> None:
    """Two threads may be out of order; the third in a row is Slack."""
    write(desk, 9)
    with (
        desk.acme.sandbox.fault(service="slack", match="conversations.replies", kind="html", times=None),
        pytest.raises(Transient) as ended,
    ):
        desk.run()
    assert ended.value.reason == "slack_down"
    assert [tally.seen for tally in desk.tallies] == [1, 2]
    tally = desk.run("import-2", parent="import-1")
    assert (tally.seen, tally.stored, tally.troubled) == (9, 7, 2)


def test_who_asks_for_what_is_not_there_is_told(desk: Desk) -> None:
    """An unknown source, channel or day ends the import before anything is done."""
    for reason, wanted in (
        ("bad_place", {"places": ("#general",)}),
        ("bad_place", {"places": ()}),
        ("bad_date", {"since": "monday"}),
        ("bad_export", {"export": "/nowhere.zip"}),
    ):
        with pytest.raises(Permanent) as refused:
            desk.run(**wanted)
        assert refused.value.reason == reason
    with pytest.raises(Permanent) as refused:
        desk.run(source="nobody")
    assert refused.value.reason == "unknown_source"


def test_a_source_without_a_past_says_so(desk: Desk) -> None:
    """What other tools have sent is all that there is of them."""
    stores = desk.acme.stores
    secret = GenericCredentials(signing_secret=SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    stores.configs.add_source(stores.configs.team("acme"), SourceType.GENERIC, "desk", secret, "test")
    with pytest.raises(Permanent, match="discubot ingest") as refused:
        desk.run(source="desk")
    assert refused.value.reason == "no_archive"


def test_an_import_is_silent(desk: Desk, engine: sa.Engine) -> None:
    """The tasks are made; no reaction is put and nothing is said, neither at the end nor when it fails."""
    acme = desk.acme
    write(desk, 2)
    desk.run()
    first, second = desk.rows
    thread = acme.gather(delivery_ids=(first.id,))
    assert [one.text for one in thread.mentions] == ["please fix it"]
    run = job("run-1")
    analysis = analyze(thread, run, acme.stores, acme.outside)
    outcome = notify(thread, publish(thread, analysis, run, acme.stores, acme.outside), run, acme.stores, acme.outside)
    assert outcome.outcome == "completed"
    assert acme.status_of(first.id)[0] == "done"
    failed = acme.gather(job("run-2"), delivery_ids=(second.id,))
    close_failed("run-2", "run-2", Stage.AI_ANALYSIS, "internal", "oh", acme.stores, acme.outside)
    assert acme.status_of(second.id)[:2] == ("failed", "internal")
    for read in (thread, failed):
        parsed = read.configured.parsed
        assert acme.slack.answers(parsed.ref.thread_id) == []
        assert acme.slack.marks(parsed.ref.thread_id, parsed.mention_ids[0]) == []
    assert acme.stores.imports.standing("import-1") == Standing(done=1, failed=1)


def test_who_asks_meanwhile_is_answered(desk: Desk) -> None:
    """Where an import and a mention in the same thread come together, the run speaks."""
    write(desk, 1)
    desk.run()
    [imported] = desk.rows
    parsed = desk.acme.parse(delivery_ids=(imported.id, mention(desk)))
    assert parsed.trigger is Trigger.WEBHOOK
    assert not parsed.is_silent


def test_an_export_is_imported_without_slack(desk: Desk, tmp_path: Path) -> None:
    """Its threads are worked on as they were exported; Slack is not asked for anything."""
    past = ExportPast(tmp_path / "export.zip")
    past.write(START, ["The header breaks", "please fix the header by Friday"])
    past.spoil()
    past.archive.close()
    with desk.acme.calls() as calls:
        tally = desk.run(places=(), export=str(past.path), site="https://acme.slack.com", every=True)
        [row] = desk.rows
        thread = desk.acme.gather(delivery_ids=(row.id,))
    assert [call for call in calls if "databases" not in call] == []
    assert (tally.seen, tally.stored) == (2, 1)
    assert [(trouble.item, trouble.reason) for trouble in tally.troubles] == [("general/2026-03-05.json", "malformed")]
    assert [message.author.name for message in thread.messages] == ["anna", "ben"]
    assert thread.url == "https://acme.slack.com/archives/C1/p1772323200000000"
    assert desk.run("import-2", places=(), export=str(past.path), every=True).known == 1
