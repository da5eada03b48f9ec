"""What a run is: which job, started by what, for whom, with which parameters."""

from typing import Any

import dagster as dg
import pytest

from discubot_pipeline import __version__
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.job import Scope, Trigger
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import notes
from discubot_pipeline.tracking.origin import open_note, params_of, scope_of, trigger_of
from tests.store.samples import rows


def run(config: dict[str, Any] | None = None, parent: str | None = None, **tags: str) -> dg.DagsterRun:
    """Give a run."""
    named = {name.replace("__", "/"): value for name, value in tags.items()}
    return dg.DagsterRun(
        "discussion_job", "run-1", run_config=config or {}, tags=named, parent_run_id=parent, root_run_id=parent
    )


@pytest.mark.parametrize(
    ("tags", "trigger"),
    [
        ({"discubot__trigger": "webhook"}, Trigger.WEBHOOK),
        ({"discubot__trigger": "backfill"}, Trigger.BACKFILL),
        ({"discubot__trigger": "nonsense"}, Trigger.MANUAL),
        ({"dagster__schedule_name": "retention"}, Trigger.SCHEDULE),
        ({"dagster__backfill": "b1", "discubot__trigger": "webhook"}, Trigger.BACKFILL),
        ({}, Trigger.MANUAL),
    ],
)
def test_a_trigger_is_read_off_the_tags(tags: dict[str, str], trigger: Trigger) -> None:
    """A schedule's run has Dagster's tag, what sensors and `up` launch has ours; what has none is a person's."""
    assert trigger_of(run(**tags)) is trigger


def test_a_retry_is_one_whatever_it_inherited() -> None:
    """Tags go from parent to child; the parent itself decides."""
    assert trigger_of(run(parent="run-0", discubot__trigger="webhook")) is Trigger.RETRY
    assert trigger_of(run(parent="run-0", dagster__schedule_name="retention")) is Trigger.RETRY


def test_a_run_works_for_a_team_unless_its_job_is_the_system_s() -> None:
    """The tag comes from the job."""
    assert scope_of(run()) is Scope.TEAM
    assert scope_of(run(discubot__scope="system")) is Scope.SYSTEM


def test_parameters_are_what_ops_were_asked() -> None:
    """Of one op they stand alone, of several beside its name."""
    one = {"validate_discussion": {"config": {"delivery_ids": [1]}}, "load_config": {}}
    assert params_of(run({"ops": one})) == {"delivery_ids": [1]}
    two = one | {"create_tasks": {"config": {"fast": True}}}
    assert params_of(run({"ops": two})) == {
        "validate_discussion": {"delivery_ids": [1]},
        "create_tasks": {"fast": True},
    }
    assert params_of(run()) == params_of(run({"ops": None})) == {}


def test_the_note_tells_all_of_it(stores: Stores, slack_config: SourceConfig) -> None:
    """One row, before anything is done, and its team already sees it."""
    config = {"ops": {"remove_old": {"config": {"dry_run": True}}}}
    open_note(run(config, parent="run-0", discubot__team="acme"), stores.notes)
    [row] = rows(stores.engine, notes)
    assert (row.run_id, row.root_run_id, row.job_name) == ("run-1", "run-0", "discussion_job")
    assert (row.trigger, row.scope, row.params) == ("retry", "team", {"dry_run": True})
    assert (row.pipeline_version, row.team_id) == (__version__, slack_config.team_id)
    open_note(run(), stores.notes)
    assert rows(stores.engine, notes)[0].team_id == slack_config.team_id
