"""What Dagster loads: every job, op, sensor and schedule by name, all of them switched on."""

import dagster as dg
import pytest

from discubot_pipeline.definitions import defs
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.job import Stage

JOBS = {
    "discussion_job": [
        "analyze_thread",
        "build_thread",
        "create_tasks",
        "finalize_discussion",
        "load_config",
        "validate_discussion",
    ],
    "status_job": ["follow_page"],
    "backfill_job": ["import_threads"],
    "retention_job": ["remove_old"],
    "operation_job": ["run_operation"],
    "statistics_job": ["count_anew"],
    "explanation_job": ["explain_steps"],
    "hooks_job": ["tell_hooks"],
}
SENSORS = {
    "slack_inbox": 1,
    "generic_inbox": 1,
    "notion_inbox": 1,
    "figma_inbox": 1,
    "mailgun_inbox": 1,
    "operations_inbox": 1,
    "failed_runs": 10,
    "cancelled_runs": 5,
    "unfinished_work": 10,
    "waiting_explanations": 5,
    "ends_to_tell": 1,
}


SCHEDULES = {"retention": ("retention_job", "17 3 * * *"), "statistics_hourly": ("statistics_job", "7 * * * *")}


@pytest.fixture(params=sorted(JOBS))
def job(request: pytest.FixtureRequest) -> dg.JobDefinition:
    """Give each job."""
    return defs.resolve_job_def(request.param)


def test_the_definitions_load() -> None:
    """All that is referred to is there, and nothing needs a database or the environment for it."""
    dg.Definitions.validate_loadable(defs)


def test_every_job_and_op_is_known() -> None:
    """A new one has to be written down here too."""
    found = {job.name: sorted(node.name for node in job.graph.nodes) for job in defs.resolve_all_job_defs()}
    assert found == JOBS


def test_every_sensor_is_known_and_runs() -> None:
    """Nobody has to switch one on, and each source has its own."""
    sensors = list(defs.sensors or ())
    assert {sensor.name: sensor.minimum_interval_seconds for sensor in sensors} == SENSORS
    assert {sensor.default_status for sensor in sensors} == {dg.DefaultSensorStatus.RUNNING}
    assert {f"{source}_inbox" for source in SourceType} <= set(SENSORS)


def test_every_schedule_is_known_and_runs() -> None:
    """The clean-up comes every night, new figures every hour, by one clock."""
    schedules = [each for each in defs.schedules or () if isinstance(each, dg.ScheduleDefinition)]
    assert {each.name: (each.job.name, each.cron_schedule) for each in schedules} == SCHEDULES
    assert {each.execution_timezone for each in schedules} == {"UTC"}
    assert {each.default_status for each in schedules} == {dg.DefaultScheduleStatus.RUNNING}


def test_no_retry_policy_turns_a_cancellation_into_a_retry(job: dg.JobDefinition) -> None:
    """With the in-process executor it would: retries are asked for in one place, by verdict."""
    assert job.executor_def.name == "in_process"
    policies = [getattr(part, "retry_policy", None) for node in job.graph.nodes for part in (node, node.definition)]
    assert not any(policies)


def test_each_op_says_what_it_does_and_which_stage_it_is() -> None:
    """The UI shows a sentence for each, and people find the stage by its name."""
    job = defs.resolve_job_def("discussion_job")
    ops = [node.definition for node in job.graph.nodes]
    assert {op.tags["stage"] for op in ops} == set(Stage)
    assert all(op.description for op in ops)
    assert all(not output.is_required for op in ops for output in op.output_defs)


def test_a_failure_hook_closes_every_op_of_a_discussion() -> None:
    """It hangs on the job, so no op can be forgotten."""
    assert [hook.name for hook in defs.resolve_job_def("discussion_job").hook_defs] == ["close_failure"]


def test_the_launchpad_shows_what_may_be_given() -> None:
    """Six fields, each with a description; all have a default, and unknown ones are refused."""
    job = defs.resolve_job_def("discussion_job")
    op = next(node.definition for node in job.graph.nodes if node.name == "validate_discussion")
    assert op.config_field is not None
    fields = op.config_field.config_type.fields
    assert sorted(fields) == ["delivery_ids", "discussion_id", "fresh", "instruction", "team", "thread_url"]
    assert all(field.description and not field.is_required for field in fields.values())
