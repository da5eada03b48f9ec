"""The running system as its users see it: people in Slack, pages in Notion, runs in Dagster, and our own rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from discubot_pipeline.adapters.dagster import DagsterWeb
from discubot_pipeline.adapters.http import Service
from discubot_pipeline.cli.system import System
from discubot_pipeline.store.tables import steps
from discubot_pipeline.wiring import Services
from tests.flow.runs import EVENTS, RUNS, Json, Run, eventually, read

if TYPE_CHECKING:
    from tests.flow.team import Team


@dataclass(frozen=True)
class Town:
    """Everything that a test may reach: the sandbox, the receiver, Dagster's web server, our stores."""

    system: System
    here: Services
    web: DagsterWeb
    sandbox: Service
    receiver: Service
    teams: Iterator[int]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call the sandbox's control API."""
        answer = self.sandbox.call(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def team(self, name: str) -> "Team":
        """Found a team with a Slack workspace, a Notion database and a source of its own."""
        from tests.flow.team import Team

        return Team.found(self, name, next(self.teams))

    @contextmanager
    def fault(self, service: str, match: str, kind: str, **more: Any) -> Iterator["Fault"]:
        """Let calls of a service go wrong inside the block."""
        armed = self.ask("POST", "/sandbox/faults", {"service": service, "match": match, "kind": kind} | more)
        fault = Fault(self, armed["id"])
        try:
            yield fault
        finally:
            self.sandbox.call("DELETE", f"/sandbox/faults/{fault.id}")

    @contextmanager
    def outage(self, service: str) -> Iterator[None]:
        """Take a service down inside the block."""
        self.ask("PUT", f"/sandbox/services/{service}", {"down": True})
        try:
            yield
        finally:
            self.ask("PUT", f"/sandbox/services/{service}", {"down": False})

    def mark(self) -> int:
        """Give the number of the newest call in the stand-ins' log."""
        calls = self.calls(0)
        return calls[-1]["seq"] if calls else 0

    def calls(self, since: int, token: str | None = None) -> list[Json]:
        """List the calls to the stand-ins after a number, with one token where that is named."""
        calls = self.ask("GET", f"/sandbox/log?since={since}")["calls"]
        return [call for call in calls if token is None or call["token"] == token[-4:]]

    def runs(self, **filter: Any) -> list[Run]:
        """List runs of a filter, the first one first."""
        results = self.web.ask(RUNS, filter=filter)["runsOrError"]["results"]
        return [read(run) for run in reversed(results)]

    def run(self, run_id: str) -> Run:
        """Give one run."""
        return self.runs(runIds=[run_id])[0]

    def finished(self, run_id: str) -> Run:
        """Give a run when it has ended."""
        return eventually(lambda: run if (run := self.run(run_id)).is_finished else None, f"run {run_id} to end")

    def launch(self, **config: Any) -> str:
        """Launch a run as the Launchpad does."""
        return self.web.launch("discussion_job", {"ops": {"validate_discussion": {"config": config}}})

    def events(self, run_id: str) -> list[Json]:
        """List the events of a run."""
        events: list[Json] = self.web.ask(EVENTS, id=run_id)["logsForRun"]["events"]
        return events

    def failure(self, run_id: str) -> str:
        """Give the words with which a run's failed op says why."""
        failures = [event for event in self.events(run_id) if event["__typename"] == "ExecutionStepFailureEvent"]
        assert len(failures) == 1
        return str(failures[0]["failureMetadata"]["description"])

    def metadata(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Give what each op shows of its value: links, numbers, texts."""
        shown: dict[str, dict[str, Any]] = {}
        for event in self.events(run_id):
            if event.get("eventType") == "STEP_OUTPUT":
                entries = {entry.pop("label"): next(iter(entry.values()), None) for entry in event["metadataEntries"]}
                shown[event["stepKey"]] = entries
        return shown

    def process(self, run_id: str) -> int:
        """Give the number of the process that a run works in."""
        entries = [entry for event in self.events(run_id) for entry in event.get("metadataEntries", [])]
        return int(next(entry["text"] for entry in entries if entry["label"] == "pid"))

    def step_records(self, run_id: str) -> dict[str, Any]:
        """Give the step records of a run by their op."""
        with self.here.engine.connect() as connection:
            rows = connection.execute(sa.select(steps).where(steps.c.run_id == run_id)).all()
        return {row.step: row for row in rows}


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at a stand-in."""

    town: Town
    id: str

    def strikes(self, times: int = 1) -> None:
        """Wait until it has hit calls."""
        eventually(lambda: self.struck >= times, f"{self.id} to strike")

    @property
    def struck(self) -> int:
        """Count the calls that it has hit."""
        faults = self.town.ask("GET", "/sandbox/faults")["faults"]
        return next(int(fault["struck"]) for fault in faults if fault["id"] == self.id)
