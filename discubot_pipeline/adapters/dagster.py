"""Dagster's web server over GraphQL: launch, watch, re-execute, cancel. What the UI does, the CLI does the same way."""

from typing import Any

from discubot_pipeline.adapters.http import Service
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Value

LOCATION = "discubot"
REPOSITORY = "__repository__"
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message }
  }
}"""
REEXECUTE = """
mutation Again($params: ReexecutionParams, $steps: ExecutionParams) {
  launchRunReexecution(reexecutionParams: $params, executionParams: $steps) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message }
  }
}"""
RUN = """
query Run($id: ID!) {
  runOrError(runId: $id) {
    __typename
    ... on Run { runId status parentRunId rootRunId startTime endTime tags { key value }
                 stepStats { stepKey status } }
  }
}"""
CONFIG = """
query Config($id: ID!) {
  runOrError(runId: $id) { ... on Run { runConfig } }
}"""
TERMINATE = """
mutation Stop($id: String!) {
  terminateRun(runId: $id, terminatePolicy: SAFE_TERMINATE) { __typename }
}"""
LOCATIONS = """
query {
  workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } }
}"""

DAEMONS = """
query { instance { daemonHealth { allDaemonStatuses { daemonType required healthy lastHeartbeatTime } } } }"""


class RunState(Value):
    """How a run stands, by Dagster's word."""

    id: str
    status: str
    parent_id: str | None
    root_id: str | None
    tags: dict[str, str]
    steps: dict[str, str]
    started_at: float | None
    ended_at: float | None

    @property
    def is_finished(self) -> bool:
        """Say whether the run has ended."""
        return self.status in ("SUCCESS", "FAILURE", "CANCELED")

    @property
    def will_be_retried(self) -> bool:
        """Say whether Dagster goes on with it; a failure without a word on that is not known to be final yet."""
        return self.status == "FAILURE" and self.tags.get("dagster/will_retry") != "false"

    @property
    def retried_by(self) -> str | None:
        """Name the run by which Dagster has gone on with it."""
        return self.tags.get("dagster/auto_retry_run_id") if self.will_be_retried else None


class DagsterWeb:
    """A connection to Dagster's web server. Use as a context manager, or call `close`."""

    def __init__(self, url: str) -> None:
        self._service = Service("Dagster's web server", url, {})

    def launch(self, job: str, config: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> str:
        """Launch a job; gives the run's id. Raises Permanent("launch", …) with what Dagster says against it."""
        params = {
            "selector": selector(job),
            "runConfigData": config or {},
            "executionMetadata": {"tags": labels(tags or {})},
        }
        return launched(self.ask(LAUNCH, params=params)["launchRun"])

    def reexecute(self, run_id: str, from_failure: bool = True) -> str:
        """Re-execute a run from its failed op, or whole; gives the new run's id."""
        strategy = "FROM_FAILURE" if from_failure else "ALL_STEPS"
        return launched(
            self.ask(REEXECUTE, params={"parentRunId": run_id, "strategy": strategy})["launchRunReexecution"]
        )

    def resume(self, run_id: str, tags: dict[str, str]) -> str:
        """Re-execute a run from where it failed, with no tags but its job's and these; gives the new run's id."""
        params = {
            "parentRunId": run_id,
            "strategy": "FROM_FAILURE",
            "extraTags": labels(tags),
            "useParentRunTags": False,
        }
        return launched(self.ask(REEXECUTE, params=params)["launchRunReexecution"])

    def follow(
        self, run_id: str, root_id: str, job: str, tags: dict[str, str], steps: list[str], config: dict[str, Any] | None
    ) -> str:
        """Re-execute some steps of a run, all when none is named, with a config or its own; gives the new run's id."""
        family = {"dagster/parent_run_id": run_id, "dagster/root_run_id": root_id}
        metadata = {"parentRunId": run_id, "rootRunId": root_id, "tags": labels(tags | family)}
        config = self.config(run_id) if config is None else config
        params = {
            "selector": selector(job),
            "runConfigData": config,
            "executionMetadata": metadata,
            "stepKeys": steps or None,
        }
        return launched(self.ask(REEXECUTE, steps=params)["launchRunReexecution"])

    def config(self, run_id: str) -> dict[str, Any]:
        """Give the config of a run."""
        found = self.ask(CONFIG, id=run_id)["runOrError"]
        config: dict[str, Any] = found.get("runConfig") or {}
        return config

    def cancel(self, run_id: str) -> bool:
        """Cancel a queued or running run; False when it cannot be cancelled."""
        return bool(self.ask(TERMINATE, id=run_id)["terminateRun"]["__typename"] == "TerminateRunSuccess")

    def run(self, run_id: str) -> RunState | None:
        """Say how a run stands; None when Dagster does not know it."""
        found = self.ask(RUN, id=run_id)["runOrError"]
        if found["__typename"] != "Run":
            return None
        return RunState(
            id=found["runId"],
            status=found["status"],
            parent_id=found["parentRunId"],
            root_id=found["rootRunId"],
            tags={tag["key"]: tag["value"] for tag in found["tags"]},
            steps={step["stepKey"]: step["status"] for step in found["stepStats"]},
            started_at=found["startTime"],
            ended_at=found["endTime"],
        )

    def is_loaded(self) -> bool:
        """Say whether the web server has loaded our code."""
        entries = self.ask(LOCATIONS)["workspaceOrError"].get("locationEntries", [])
        loaded = [entry["name"] for entry in entries if is_location(entry["locationOrLoadError"])]
        return LOCATION in loaded

    def silent_daemons(self) -> list[str]:
        """Name the daemons that are needed and show no sign of life."""
        statuses = self.ask(DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
        return sorted(each["daemonType"] for each in statuses if each["required"] and not each["healthy"])

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send one query; raises Permanent("graphql", …) when Dagster refuses it."""
        answer = self._service.call("POST", "/graphql", json={"query": query, "variables": variables}).json()
        data: dict[str, Any] | None = answer.get("data")
        if answer.get("errors") or not data:
            messages = [str(error.get("message")) for error in answer.get("errors", [])]
            raise Permanent(
                "graphql", "; ".join(messages) or "Dagster's web server gave no data: it may still be starting"
            )
        return data

    def close(self) -> None:
        """Close the connection."""
        self._service.close()

    def __enter__(self) -> "DagsterWeb":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def selector(job: str) -> dict[str, str]:
    """Name a job of ours."""
    return {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY, "jobName": job}


def labels(tags: dict[str, str]) -> list[dict[str, str]]:
    """Write tags as GraphQL takes them."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def is_location(answer: dict[str, str] | None) -> bool:
    """Tell a code location from an error, or from one that is still loading."""
    return answer is not None and answer["__typename"] == "RepositoryLocation"


def launched(answer: dict[str, Any]) -> str:
    """Read a run's id off a launch, or say why there is none."""
    if answer["__typename"] != "LaunchRunSuccess":
        errors = [error["message"] for error in answer.get("errors", [])] or [
            answer.get("message", answer["__typename"])
        ]
        raise Permanent("launch", "; ".join(errors))
    run_id: str = answer["run"]["runId"]
    return run_id
