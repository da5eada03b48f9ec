"""Somebody who listens to a team's jobs through the API, and what Dagster's GraphQL says of the same jobs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from discubot_pipeline.domain.job import STAGE_OF
from tests.flow.desk import Desk
from tests.flow.runs import Json, Run, eventually
from tests.flow.team import Team
from tests.flow.town import Town
from tests.web.sse import Client, Said

ENDS = {"RUN_SUCCESS": "completed", "RUN_FAILURE": "failed", "RUN_CANCELED": "cancelled"}
STATUSES = {
    "RUN_ENQUEUED": "pending",
    "RUN_STARTING": "processing",
    "RUN_START": "processing",
    "STEP_UP_FOR_RETRY": "delayed",
    "STEP_RESTARTED": "processing",
} | ENDS
OUTCOMES = {"partial": "partial", "deferred": "delayed"}
STEPS = {"STEP_START", "STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_SUCCESS", "STEP_FAILURE"}


class Witness:
    """Listens to a team's events, and asks for the status of its newest job all the time."""

    def __init__(self, team: Team) -> None:
        self._desk, self._client = (
            Desk.of(team),
            Client(team.town.here.settings.receiver_url, Desk.of(team, "ben").token),
        )
        self._open, self._over = threading.Event(), threading.Event()
        self.heard: list[Said] = []
        self.seen: dict[str, list[str]] = {}
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._look)]

    @contextmanager
    def watching(self) -> Iterator["Witness"]:
        """Watch as long as the block lasts."""
        for thread in self._threads:
            thread.start()
        assert self._open.wait(10)
        try:
            yield self
        finally:
            self._over.set()
            self._threads[1].join()

    def told(self, run: Run, kind: str) -> list[Json]:
        """List what was heard of a job."""
        return [said.data for said in self.heard if said.kind == kind and said.data["job_id"] == run.id]

    def statuses(self, run: Run) -> list[str]:
        """List the statuses that were heard of a job, its end included."""
        kinds = ("completed", "partial", "failed", "cancelled", "delayed")
        ends = [said for said in self.heard if said.kind in kinds and said.data["job_id"] == run.id]
        assert len(ends) <= 1
        return [data["status"] for data in self.told(run, "status")] + [end.kind for end in ends]

    def _listen(self) -> None:
        with self._client.listening("/events") as said:
            self._open.set()
            for each in said:
                self.heard.append(each)
                if self._over.is_set():
                    return

    def _look(self) -> None:
        while not self._over.wait(0.03):
            for job in self._desk("GET", "/jobs")["jobs"]:
                seen = self.seen.setdefault(job["job_id"], [])
                if not seen or seen[-1] != job["status"]:
                    seen.append(job["status"])


def by_dagster(town: Town, run: Run) -> list[str]:
    """List a job's statuses by GraphQL's word: what its events mean, the last of them with its outcome."""
    told = [STATUSES[kind] for event in town.events(run.id) if (kind := event.get("eventType")) in STATUSES]
    end = OUTCOMES.get(run.tags.get("discubot/outcome", ""), told[-1])
    return [*told[:-1], "delayed" if run.tags.get("dagster/auto_retry_run_id") else end]


def check(witness: Witness, town: Town, run: Run) -> list[str]:
    """Compare what was heard and seen of a job with Dagster's word; gives its statuses."""
    expected = by_dagster(town, run)
    eventually(lambda: len(witness.statuses(run)) >= len(expected), f"the end of {run.id} to be heard")
    assert witness.statuses(run) == expected
    stages = [(data["stage"], data["state"]) for data in witness.told(run, "stage")]
    steps = [event for event in town.events(run.id) if event.get("eventType") in STEPS]
    assert [stage for stage, _ in stages] == [STAGE_OF[event["stepKey"]] for event in steps]
    # until Dagster has said whether a retry comes a failed job counts as delayed, and once it has come as failed
    rest = iter([*expected[:-1], "delayed", "failed"] if expected[-1] in ("delayed", "failed") else expected)
    assert all(status in rest for status in witness.seen[run.id]), (witness.seen[run.id], expected)
    return expected
