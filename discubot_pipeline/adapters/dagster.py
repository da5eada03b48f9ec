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
mutation Again($params: ReexecutionParams!) {
  launchRunReexecution(reexecutionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
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
TERMINATE = """
mutation Stop($id: String!) {
  terminateRun(runId: $id, terminatePolicy: SAFE_TERMINATE) { __typename }
}"""
LOCATIONS = """
query {
  workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } }
}"""


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


class DagsterWeb:
    """A connection to Dagster's web server. Use as a context manager, or call `close`."""

    def __init__(self, url: str) -> None:
        self._service = Service("Dagster's web server", url, {})

    def launch(self, job: str, config: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> str:
        """Launch a job; gives the run's id. Raises Permanent("launch", …) with what Dagster says against it."""
        selector = {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY, "jobName": job}
        labels = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        params = {"selector": selector, "runConfigData": config or {}, "executionMetadata": {"tags": labels}}
        return launched(self.ask(LAUNCH, params=params)["launchRun"])

    def reexecute(self, run_id: str, from_failure: bool = True) -> str:
        """Re-execute a run from its failed op, or whole; gives the new run's id."""
        strategy = "FROM_FAILURE" if from_failure else "ALL_STEPS"
        return launched(
            self.ask(REEXECUTE, params={"parentRunId": run_id, "strategy": strategy})["launchRunReexecution"]
        )

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
