"""What a run is, read off Dagster's record of it: which job, started by what, for whom, with which parameters."""

from typing import Any

from dagster import DagsterRun

from discubot_pipeline import __version__
from discubot_pipeline.domain.job import Scope, Trigger
from discubot_pipeline.store.notes import Notes

TRIGGER = "discubot/trigger"
SCOPE = "discubot/scope"
TEAM = "discubot/team"
SCHEDULE = "dagster/schedule_name"
BACKFILL = "dagster/backfill"


def open_note(run: DagsterRun, notes: Notes) -> None:
    """Write down what a run is, before it does anything."""
    notes.open(
        run.run_id,
        run.root_run_id or run.run_id,
        trigger_of(run),
        params_of(run),
        __version__,
        run.job_name,
        scope_of(run),
        run.tags.get(TEAM),
    )


def trigger_of(run: DagsterRun) -> Trigger:
    """Say what started a run. One that goes on with another is a retry, whatever its inherited tags say."""
    if run.parent_run_id:
        return Trigger.RETRY
    if SCHEDULE in run.tags:
        return Trigger.SCHEDULE
    if BACKFILL in run.tags:
        return Trigger.BACKFILL
    named = run.tags.get(TRIGGER)
    return Trigger(named) if named in set(Trigger) else Trigger.MANUAL


def scope_of(run: DagsterRun) -> Scope:
    """Say whom a run works for: a team, unless its job is tagged as the system's own."""
    return Scope.SYSTEM if run.tags.get(SCOPE) == Scope.SYSTEM else Scope.TEAM


def params_of(run: DagsterRun) -> dict[str, Any]:
    """Give what a run's ops were asked to do, by op; where only one was asked, what it was asked."""
    ops: Any = run.run_config.get("ops") or {}
    asked = {name: dict(op["config"]) for name, op in ops.items() if op and op.get("config")}
    return next(iter(asked.values())) if len(asked) == 1 else asked
