"""Importing the past of a Figma file: the same as Slack's, by way of the inbox of Figma."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.backfill import Backfill, Tally, Trouble
from discubot_pipeline.domain.config import FigmaCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.stages.analyze import analyze
from discubot_pipeline.stages.backfill import STEP, backfill
from discubot_pipeline.stages.notify import notify
from discubot_pipeline.stages.publish import publish
from discubot_pipeline.store.tables import inboxes
from tests.adapters.figma_file import PASSCODE, FigmaHarness
from tests.adapters.figma_past import FigmaPast
from tests.adapters.source_harness import DAY, START
from tests.conftest import Sandbox
from tests.stages.acme import Acme, job
from tests.store.samples import rows


class Interrupted(BaseException):
    """What a cancelled run meets."""


@dataclass
class Desk:
    """A person who imports the past of one file."""

    acme: Acme
    past: FigmaPast
    config: SourceConfig
    pauses: list[float] = field(default_factory=list)
    stop_after: int | None = None

    def run(self, run_id: str = "import-1", parent: str | None = None, **wanted: Any) -> Tally:
        """Run an import."""
        usual = {"team": "acme", "source": "figma", "places": (self.past.place,)}
        run = job(run_id, "import-1", parent_run_id=parent)
        self.acme.stores.steps.begin(run_id, STEP, None, {})
        return backfill(Backfill(**usual | wanted), run, self.acme.stores, self.acme.outside, self.rest, self.hear)

    def rest(self, pause: timedelta) -> None:
        """Pause."""
        self.pauses.append(pause.total_seconds())

    def hear(self, tally: Tally, trouble: Trouble | None) -> None:
        """Hear of a thread, and stop the import where that is wanted."""
        if self.stop_after is not None and tally.seen >= self.stop_after:
            raise Interrupted

    @property
    def rows(self) -> list[Any]:
        """Read the inbox."""
        return rows(self.acme.stores.engine, inboxes[SourceType.FIGMA])


@pytest.fixture
def desk(acme: Acme, sandbox: Sandbox) -> Iterator[Desk]:
    """Give a desk with a new file, whose source has the team's output."""
    with closing(FigmaHarness(sandbox)) as figma:
        past = FigmaPast(figma)
        secrets = FigmaCredentials(token=SecretStr(figma.token), passcode=SecretStr(PASSCODE))
        team, configs = acme.stores.configs.team("acme"), acme.stores.configs
        config = configs.add_source(team, SourceType.FIGMA, "figma", secrets, "test")
        out = acme.output
        configs.add_output(config, "tasks", out.database_id, out.credentials, "test", is_default=True)
        with closing(past.archive):
            yield Desk(acme, past, config)


def write(desk: Desk, count: int) -> None:
    """Let people write threads, one a day, each with a call."""
    for day in range(count):
        desk.past.write(START + day * DAY, [f"Header {day}", "Broken"], mention="please fix it")


def test_each_thread_has_one_delivery(desk: Desk) -> None:
    """What cannot be read is listed; the same span again makes nothing."""
    write(desk, 4)
    desk.past.spoil()
    tally = desk.run()
    assert (tally.seen, tally.stored, tally.troubled, tally.is_complete) == (5, 4, 1, True)
    assert [trouble.reason for trouble in tally.troubles] == ["malformed"]
    assert {(row.trigger, row.status) for row in desk.rows} == {(Trigger.BACKFILL, "pending")}
    assert len({row.thread_id for row in desk.rows}) == 4
    again = desk.run("import-2")
    assert (again.stored, again.known) == (0, 4)


def test_a_call_that_came_as_a_webhook_is_known(desk: Desk) -> None:
    """Who was answered already is not imported again, not even when every thread is wanted."""
    figma = desk.past.figma
    _, asked = figma.say(["Header", "@discubot fix it"], at=START)
    arrival = figma.door.open(desk.config, {}, json.dumps(figma.event(asked)).encode())
    assert isinstance(arrival, Arrival)
    id = desk.acme.stores.inboxes[SourceType.FIGMA].store(desk.config, arrival).id
    assert (desk.run().known, desk.run("import-2", every=True).known) == (1, 1)
    assert [row.id for row in desk.rows] == [id]


def test_an_interrupted_import_goes_on(desk: Desk) -> None:
    """The next run of the chain begins after the last thread that was counted."""
    write(desk, 7)
    desk.stop_after = 4
    with pytest.raises(Interrupted):
        desk.run()
    assert len(desk.rows) == 4
    desk.stop_after = None
    tally = desk.run("import-2", parent="import-1")
    assert (tally.seen, tally.stored, tally.known) == (7, 7, 0)
    assert len(desk.rows) == 7


def test_a_rate_limit_is_waited_for(desk: Desk) -> None:
    """For as long as Figma says."""
    write(desk, 2)
    with desk.past.figma.rate_limited(60):
        assert desk.run().stored == 2
    assert desk.pauses == [60]


def test_an_import_is_silent(desk: Desk) -> None:
    """The tasks are made; no reaction is put and nothing is said."""
    write(desk, 1)
    desk.run()
    [row] = desk.rows
    acme, run = desk.acme, job("run-1")
    thread = acme.gather(run, delivery_ids=(row.id,))
    assert [one.text for one in thread.mentions] == ["please fix it"]
    analysis = analyze(thread, run, acme.stores, acme.outside)
    outcome = notify(thread, publish(thread, analysis, run, acme.stores, acme.outside), run, acme.stores, acme.outside)
    assert outcome.outcome == "completed"
    assert desk.past.figma.answers(row.thread_id) == []
    assert not any(comment["reactions"] for comment in desk.past.figma.comments())
    assert acme.stores.imports.is_all_of(row.discussion_id)
