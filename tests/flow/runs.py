"""Runs as Dagster's GraphQL shows them, and how to wait for what they do."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")
PATIENCE = 60.0
FINISHED = ("SUCCESS", "FAILURE", "CANCELED")
RUNS = """
query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter) {
    ... on Runs { results {
      runId status parentRunId rootRunId tags { key value } stepStats { stepKey status attempts { startTime } }
    } }
  }
}"""
EVENTS = """
query Events($id: ID!) {
  logsForRun(runId: $id, limit: 1000) {
    ... on EventConnection { events {
      __typename
      ... on MessageEvent { message stepKey eventType }
      ... on DisplayableEvent { metadataEntries {
        label ... on UrlMetadataEntry { url } ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue }
        ... on MarkdownMetadataEntry { mdStr }
      } }
      ... on EngineEvent { markerStart }
      ... on ExecutionStepFailureEvent { error { message } failureMetadata { description } }
    } }
  }
}"""


def eventually(probe: Callable[[], T | None], what: str, timeout: float = PATIENCE) -> T:
    """Give the first true answer of a probe; fail when none comes in time."""
    never, deadline = threading.Event(), time.monotonic() + timeout
    while not (found := probe()):
        assert time.monotonic() < deadline, f"waited {timeout:.0f} s in vain for {what}"
        never.wait(0.1)
    return found


@dataclass(frozen=True)
class Run:
    """A run of a thread, by GraphQL's word."""

    id: str
    status: str
    parent: str | None
    root: str | None
    tags: dict[str, str]
    steps: dict[str, str]
    attempts: dict[str, int]

    @property
    def is_finished(self) -> bool:
        """Say whether it has ended."""
        return self.status in FINISHED


def read(run: Json) -> Run:
    """Read a run off GraphQL's answer."""
    return Run(
        id=run["runId"],
        status=run["status"],
        parent=run["parentRunId"],
        root=run["rootRunId"],
        tags={tag["key"]: tag["value"] for tag in run["tags"]},
        steps={step["stepKey"]: step["status"] for step in run["stepStats"]},
        attempts={step["stepKey"]: len(step["attempts"]) for step in run["stepStats"]},
    )
