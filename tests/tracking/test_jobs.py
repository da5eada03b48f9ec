"""What is told of jobs: by team, by what they are, with their chains, and with what our tables know of them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import dagster as dg
import pytest

from discubot_pipeline.domain.analysis import Usage
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import ParsedDiscussion, ThreadRef, discussion_id
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.facts import JobQuery, JobStatus
from discubot_pipeline.domain.job import RunOutcome, Scope, Stage, Trigger
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.tracking.describe import DISCUSSION, SCHEDULE, SCOPE, SOURCE, TEAM, TRIGGER
from discubot_pipeline.tracking.jobs import JobStore
from discubot_pipeline.tracking.status import OUTCOME, RETRY_NUMBER, WILL_RETRY
from tests.tracking.ledger import Ledger

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def team(slack_config: SourceConfig) -> UUID:
    """Give a team."""
    return slack_config.team_id


def note(
    stores: Stores, run_id: str, team_id: UUID | None, stage: Stage | None = Stage.AI_ANALYSIS, **more: Any
) -> str:
    """Write what a run notes of itself; gives its id."""
    stores.notes.open(run_id, more.pop("root", run_id), more.pop("trigger", Trigger.WEBHOOK), {"n": 1}, "1.2.3")
    if stage or team_id:
        stores.notes.stage(run_id, stage or Stage.INGESTION, team_id=team_id, **more)
    return run_id


def opened(stores: Stores, config: SourceConfig, run_id: str) -> Discussion:
    """Write a discussion that a run works on."""
    thread = "C1:1.0"
    id = discussion_id(config.team_id, config.source, thread)
    ref = ThreadRef(source=config.source, thread_id=thread, source_config_id=config.id)
    parsed = ParsedDiscussion(
        team_id=config.team_id, team_name=config.team_name, discussion_id=id, ref=ref, trigger=Trigger.WEBHOOK
    )
    stores.discussions.open(parsed, run_id, [])
    discussion = stores.discussions.get(id)
    assert discussion is not None
    return discussion


def found(jobs: JobStore, **wanted: Any) -> list[str]:
    """List the ids of the jobs that a query finds, over all its pages of two."""
    ids: list[str] = []
    page, place = jobs.search(JobQuery(**wanted), 2)
    ids += [job.job_id for job in page]
    while place:
        page, place = jobs.search(JobQuery(**wanted), 2, place)
        ids += [job.job_id for job in page]
    return ids


def test_a_job_that_waits_has_no_note_and_is_told_by_its_tags(jobs: JobStore, ledger: Ledger, team: UUID) -> None:
    """Pending, with team, source and discussion, before it has begun."""
    about = uuid4()
    tags = {TEAM: str(team), SOURCE: "slack", DISCUSSION: str(about), TRIGGER: "webhook"}
    job = jobs.details(ledger.run("QUEUED", **tags), team)
    assert (job.status, job.stage, job.trigger, job.scope) == ("pending", None, Trigger.WEBHOOK, Scope.TEAM)
    assert (job.team, job.source, job.discussion_id) == ("acme", SourceType.SLACK, about)
    assert (job.started_at, job.finished_at, job.result, job.error, job.percent) == (None, None, None, None, 0)
    assert [attempt.job_id for attempt in job.attempts] == [job.job_id]


def test_a_job_is_told_with_what_is_noted_of_it(
    jobs: JobStore, ledger: Ledger, stores: Stores, slack_config: SourceConfig
) -> None:
    """Its stage, parameters, version, result, cost and links."""
    run_id = ledger.run("SUCCESS", **{OUTCOME: "completed"})
    ledger.time(run_id, NOW, 1, 3.5)
    note(stores, run_id, slack_config.team_id, Stage.NOTIFICATION, source_config_id=slack_config.id)
    stores.notes.close(run_id, RunOutcome.COMPLETED, counters={"created": 2})
    for step, cost in (("analyze_thread", 0.25), ("create_tasks", 0.5)):
        stores.steps.begin(run_id, step, Stage.AI_ANALYSIS, {})
        stores.steps.spend(run_id, step, Usage(prompt_tokens=10, answer_tokens=1, cost_usd=cost))
    job = jobs.details(run_id, slack_config.team_id)
    assert (job.status, job.stage, job.params, job.pipeline_version) == ("completed", "notification", {"n": 1}, "1.2.3")
    assert job.result is not None
    assert (job.result.outcome, job.result.counters, job.result.duration_ms) == ("completed", {"created": 2}, 2500)
    assert (job.created_at, job.result.started_at) == (NOW, NOW + timedelta(seconds=1))
    assert (job.cost.prompt_tokens, job.cost.answer_tokens, job.cost.cost_usd) == (20, 2, 0.75)
    assert job.links.dagster == f"https://dagster.example/runs/{run_id}"
    assert job.links.source_config == f"https://jobs.example/api/sources/{slack_config.id}"


def test_what_is_another_teams_is_not_there(jobs: JobStore, ledger: Ledger, stores: Stores, team: UUID) -> None:
    """Neither by id nor in a list; a note counts for more than a tag that somebody wrote."""
    other = stores.configs.add_team("other", "test").id
    mine, theirs = ledger.run("QUEUED", **{TEAM: str(team)}), ledger.run("QUEUED", **{TEAM: str(other)})
    noted = note(stores, ledger.run("STARTED", **{TEAM: str(team)}), other)
    nobodys = ledger.run("QUEUED", **{TEAM: "no id"})
    assert found(jobs, team_id=team) == [mine]
    for each in (theirs, noted, nobodys, str(uuid4())):
        with pytest.raises(Permanent, match="not_found"):
            jobs.facts(each, team)
    assert jobs.facts(noted, other).team == "other"
    assert found(jobs) == [nobodys, noted, theirs, mine]


def test_jobs_are_found_by_status(jobs: JobStore, ledger: Ledger, team: UUID) -> None:
    """Each of the seven, with nothing of another."""
    mine = {TEAM: str(team)}
    waiting = ledger.run("STARTED", **mine)
    ledger.say(waiting, dg.DagsterEventType.STEP_UP_FOR_RETRY)
    runs = {
        JobStatus.PENDING: [ledger.run("QUEUED", **mine), ledger.run("NOT_STARTED", **mine)],
        JobStatus.PROCESSING: [ledger.run(each, **mine) for each in ("STARTING", "STARTED", "CANCELING")],
        JobStatus.DELAYED: [
            waiting,
            ledger.run("SUCCESS", **mine, **{OUTCOME: "deferred"}),
            ledger.run("FAILURE", **mine, **{WILL_RETRY: "true"}),
        ],
        JobStatus.COMPLETED: [ledger.run("SUCCESS", **mine, **{OUTCOME: each}) for each in ("completed", "ignored")],
        JobStatus.PARTIAL: [ledger.run("SUCCESS", **mine, **{OUTCOME: "partial"})],
        JobStatus.FAILED: [ledger.run("FAILURE", **mine, **{WILL_RETRY: "false"}) for _ in range(3)],
        JobStatus.CANCELLED: [ledger.run("CANCELED", **mine)],
    }
    assert set(runs) == set(JobStatus)
    for status, expected in runs.items():
        assert found(jobs, team_id=team, status=status) == expected[::-1], status
    everything = {run for some in runs.values() for run in some}
    assert set(found(jobs, team_id=team)) == everything


def test_jobs_are_found_by_what_they_are(jobs: JobStore, ledger: Ledger, stores: Stores, team: UUID) -> None:
    """By source, stage, trigger, scope, name, discussion and time, whether Dagster knows it or our notes."""
    mine, about = {TEAM: str(team)}, uuid4()
    old = note(stores, ledger.run("SUCCESS", **mine, **{SOURCE: "slack", TRIGGER: "webhook"}), team, Stage.NOTIFICATION)
    ledger.time(old, NOW - timedelta(days=3), 0, 1)
    stuck = note(stores, ledger.run("FAILURE", old, **mine, **{WILL_RETRY: "false", TRIGGER: "webhook"}), team)
    manual = note(stores, ledger.run("SUCCESS", **mine), team, Stage.NOTIFICATION, trigger=Trigger.MANUAL)
    waiting = ledger.run("QUEUED", **mine, **{DISCUSSION: str(about)})
    nightly = ledger.run("SUCCESS", **{SCOPE: "system", SCHEDULE: "nightly"})
    assert found(jobs, team_id=team, source=SourceType.SLACK) == [old]
    assert found(jobs, team_id=team, stage=Stage.AI_ANALYSIS) == [stuck]
    assert found(jobs, team_id=team, stage=Stage.NOTIFICATION) == [manual, old]
    assert found(jobs, team_id=team, stage=Stage.AI_ANALYSIS, status=JobStatus.COMPLETED) == []
    assert found(jobs, team_id=team, trigger=Trigger.WEBHOOK) == [old]
    assert found(jobs, team_id=team, trigger=Trigger.MANUAL) == [waiting, manual]
    assert found(jobs, scope=Scope.TEAM) == [waiting, manual, stuck, old]
    assert found(jobs, trigger=Trigger.SCHEDULE, status=JobStatus.COMPLETED) == []
    assert jobs.facts(nightly).scope is Scope.SYSTEM
    assert found(jobs, team_id=team, discussion_id=about) == [waiting]
    assert found(jobs, team_id=team, job_name="discussion_job") == [waiting, manual, stuck, old]
    assert found(jobs, team_id=team, job_name="another") == []
    assert found(jobs, team_id=team, until=NOW - timedelta(days=1)) == [old]
    assert found(jobs, team_id=team, since=NOW - timedelta(days=1)) == [waiting, manual, stuck]


def test_a_list_goes_on_when_the_job_it_stopped_at_is_gone(jobs: JobStore, ledger: Ledger, team: UUID) -> None:
    """Somebody, or the clean-up, removed it between two pages."""
    ids = [ledger.run("SUCCESS", **{TEAM: str(team)}) for _ in range(4)]
    for age, id in enumerate(reversed(ids)):
        ledger.time(id, NOW - timedelta(minutes=age), None, None)
    _, place = jobs.search(JobQuery(team_id=team), 2)
    ledger.instance.delete_run(ids[2])
    page, end = jobs.search(JobQuery(team_id=team), 2, place)
    assert ([job.job_id for job in page], end) == ([ids[1], ids[0]], None)


def test_a_chain_tells_each_attempt(jobs: JobStore, ledger: Ledger, stores: Stores, slack_config: SourceConfig) -> None:
    """By whom: nobody the first, Dagster itself the second, a person the third; by notes, since tags are inherited."""
    team = slack_config.team_id
    mine = {TEAM: str(team)}
    first = note(stores, ledger.run("FAILURE", **mine, **{WILL_RETRY: "true", "dagster/auto_retry_run_id": "x"}), team)
    second = note(stores, ledger.run("FAILURE", first, **mine, **{WILL_RETRY: "false", RETRY_NUMBER: "1"}), team)
    third = ledger.run("QUEUED", second, **mine)
    discussion = opened(stores, slack_config, second)
    stores.steering.retried(third, first, discussion, "token:anna", "try again")
    attempts = jobs.attempts(third, team)
    assert [(each.number, each.job_id) for each in attempts] == [(1, first), (2, second), (3, third)]
    assert [each.retried_by for each in attempts] == [None, "system", "token:anna"]
    assert [each.status for each in attempts] == ["failed", "failed", "pending"]
    assert attempts[2].retry_reason == "try again"
    assert jobs.standing(third).attempts == 3


@pytest.mark.parametrize("status", ["QUEUED", "STARTING", "STARTED", "SUCCESS"])
def test_without_its_launcher_no_job_is_stopped(jobs: JobStore, ledger: Ledger, status: str) -> None:
    """Nor is one that is not about to begin: GraphQL cancels that."""
    run_id = ledger.run(status)
    assert not jobs.stop_starting(run_id)
    assert ledger.get(run_id).status is dg.DagsterRunStatus(status)
