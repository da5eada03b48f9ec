"""Where the tests of this folder run jobs: in their own process, with the real stores and the world on paper."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

import dagster as dg
import sqlalchemy as sa

from discubot_pipeline.defs.jobs import discussion_job
from discubot_pipeline.defs.resources import step_outputs
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.discussion import discussion_id
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.notes import Note
from discubot_pipeline.store.tables import inboxes, steps
from discubot_pipeline.tracking.runs import ROOT
from discubot_pipeline.wiring import Services
from tests.defs.paper import Paper
from tests.tracking.ledger import Ledger

THREAD = "C1:1.1"
_numbers = count(1)
_here: list[Services] = []


@dg.resource
def services_of_the_test(_: dg.InitResourceContext) -> Services:
    """Give the services of the test that runs; Dagster rebuilds a job by name when it re-executes it."""
    return _here[-1]


def rebuilt() -> dg.JobDefinition:
    """Build the discussion job for re-execution."""
    resources = {"services": services_of_the_test, "io_manager": step_outputs}
    return dg.Definitions(jobs=[discussion_job], resources=resources).resolve_job_def("discussion_job")


@dataclass(frozen=True)
class Ended:
    """A run that has ended, with its events."""

    run: dg.DagsterRun
    events: list[dg.DagsterEvent]

    @property
    def id(self) -> str:
        """Give the run's id."""
        return self.run.run_id

    @property
    def status(self) -> str:
        """Give the run's status."""
        return self.run.status.value

    @property
    def tags(self) -> dict[str, str]:
        """List our own tags of it."""
        return {name: value for name, value in self.run.tags.items() if name.startswith("discubot/")}

    def steps(self, kind: str) -> list[str]:
        """Name the steps that have an event of a kind, such as `STEP_SUCCESS`."""
        return [str(event.step_key) for event in self.events if event.event_type_value == kind]

    @property
    def why(self) -> str:
        """Give the words of the step that failed."""
        [failed] = [event for event in self.events if event.is_step_failure]
        data = failed.step_failure_data
        return str(data.user_failure_data.description if data.user_failure_data else data.error)


@dataclass(frozen=True)
class Workshop:
    """An instance, services, and the source config of the thread that is worked on."""

    instance: dg.DagsterInstance
    services: Services
    config: SourceConfig

    @property
    def paper(self) -> Paper:
        """Give the world."""
        world = self.services.outside
        assert isinstance(world, Paper)
        return world

    @property
    def inbox(self) -> Inbox:
        """Give the inbox of the source."""
        return self.services.stores.inboxes[SourceType.SLACK]

    @property
    def id(self) -> UUID:
        """Give the id of the discussion."""
        return discussion_id(self.config.team_id, SourceType.SLACK, THREAD)

    @property
    def discussion(self) -> Discussion | None:
        """Give the discussion's row."""
        return self.services.stores.discussions.get(self.id)

    def deliver(self, thread: str = THREAD, **payload: Any) -> int:
        """Store a mention; gives the delivery's id."""
        arrival = Arrival(delivery_key=f"Ev{next(_numbers)}", thread_id=thread, payload={"ts": "1.2"} | payload)
        return self.inbox.store(self.config, arrival).id

    def delivery(self, id: int) -> Any:
        """Give an inbox row."""
        table = inboxes[SourceType.SLACK]
        with self.services.engine.connect() as connection:
            return connection.execute(sa.select(table).where(table.c.id == id)).one()

    def note(self, run_id: str) -> Note:
        """Give the note of a run."""
        note = self.services.stores.notes.get(run_id)
        assert note is not None
        return note

    def records(self, run_id: str) -> dict[str, Any]:
        """Give the step records of a run by their op."""
        with self.services.engine.connect() as connection:
            rows = connection.execute(sa.select(steps).where(steps.c.run_id == run_id)).all()
        return {row.step: row for row in rows}

    def launch(self, tags: dict[str, str] | None = None, **config: Any) -> Ended:
        """Run the discussion job with a launch config."""
        resources = {"services": self.services, "io_manager": step_outputs}
        result = discussion_job.execute_in_process(
            {"ops": {"validate_discussion": {"config": config}}},
            instance=self.instance,
            resources=resources,
            tags=tags,
            raise_on_error=False,
        )
        return self.ended(result.run_id)

    def reexecute(self, run_id: str) -> Ended:
        """Run a run again from its failed step, as the UI does."""
        options, parent = dg.ReexecutionOptions.from_failure(run_id, self.instance), self.run(run_id)
        family = {ROOT: parent.root_run_id or run_id, "dagster/parent_run_id": run_id}
        with (
            self.at_hand(),
            dg.execute_job(
                dg.reconstructable(rebuilt),
                self.instance,
                run_config=parent.run_config,
                tags=family,
                reexecution_options=options,
            ) as result,
        ):
            return self.ended(result.run_id)

    @property
    def ledger(self) -> Ledger:
        """Give the place to write runs that nobody executes."""
        return Ledger(self.instance)

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        """Let a rebuilt job find these services."""
        _here.append(self.services)
        try:
            yield
        finally:
            _here.pop()

    def run(self, run_id: str) -> dg.DagsterRun:
        """Give a run as Dagster has it now."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def ended(self, run_id: str) -> Ended:
        """Give a run with its events."""
        logs = self.instance.all_logs(run_id)
        return Ended(self.run(run_id), [log.dagster_event for log in logs if log.dagster_event])
