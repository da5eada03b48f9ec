"""Who asked for what to be done to a job; a retry is claimed by one at a time, and only where there is one to claim."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.facts import JobStatus, Standing
from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.steering import CLAIM
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import discussions, notes
from tests.store.samples import parsed_of, rows


@pytest.fixture
def id(stores: Stores, slack_config: SourceConfig) -> UUID:
    """Give a discussion that has failed."""
    parsed = parsed_of(slack_config)
    stores.discussions.open(parsed, "run-1", [])
    stores.discussions.finish(parsed.discussion_id, "run-1", DiscussionStatus.FAILED, reason="crashed")
    return parsed.discussion_id


def known(stores: Stores, id: UUID) -> Discussion:
    """Give a discussion that must be there."""
    found = stores.discussions.get(id)
    assert found is not None
    return found


def standing(**more: Any) -> Standing:
    """Give a job that waits."""
    about = {"job_id": "run-2", "root_job_id": "run-1", "job_name": "discussion_job", "team_id": None}
    state = {"discussion_id": None, "trigger": Trigger.RETRY, "status": JobStatus.PENDING, "is_over": False}
    rest = {"is_stopping": False, "is_owed": False, "tags": {}, "attempts": 2, "most_retries": 2, "successor": None}
    return Standing.model_validate(about | state | rest | more)


def test_of_many_who_want_to_retry_one_may(stores: Stores, id: UUID) -> None:
    """And after it has been given back, another."""
    with ThreadPoolExecutor(8) as eight:
        assert sorted(eight.map(lambda _: stores.steering.claim(id), range(8))) == [False] * 7 + [True]
    stores.steering.release(id)
    assert stores.steering.claim(id)


def test_a_claim_whose_process_died_is_free_after_a_while(stores: Stores, engine: sa.Engine, id: UUID) -> None:
    """Nobody waits for it for ever."""
    assert stores.steering.claim(id)
    for age, free in ((CLAIM - timedelta(seconds=5), False), (CLAIM + timedelta(seconds=5), True)):
        with engine.begin() as connection:
            connection.execute(sa.update(discussions).values(retry_until=sa.func.now() + CLAIM - age))
        assert stores.steering.claim(id) is free


@pytest.mark.parametrize("status", list(DiscussionStatus))
def test_only_what_did_not_end_well_can_be_claimed(
    stores: Stores, engine: sa.Engine, id: UUID, status: DiscussionStatus
) -> None:
    """And nothing that a run holds."""
    with engine.begin() as connection:
        connection.execute(sa.update(discussions).values(status=status))
    assert stores.steering.claim(id) is (status in ("failed", "partial", "cancelled"))
    stores.steering.release(id)
    stores.discussions.take(id, "run-2", [])
    assert not stores.steering.claim(id)
    assert not stores.steering.claim(uuid4())


def test_who_retried_is_noted_before_the_run_begins_or_after(stores: Stores, engine: sa.Engine, id: UUID) -> None:
    """What the run itself notes stays beside it."""
    stores.notes.open("run-3", "run-1", Trigger.RETRY, {}, "0")
    stores.notes.stage("run-3", Stage.TASK_CREATION)
    for run_id in ("run-2", "run-3"):
        stores.steering.retried(run_id, "run-1", known(stores, id), "token:anna", "why not")
    stores.notes.open("run-2", "run-1", Trigger.RETRY, {}, "0")
    for row in rows(engine, notes):
        assert (row.root_run_id, row.trigger, row.retried_by, row.note_reason) == (
            "run-1",
            "retry",
            "token:anna",
            "why not",
        )
    assert {row.run_id: row.stage for row in rows(engine, notes)} == {"run-2": None, "run-3": "task_creation"}


def test_who_cancelled_first_is_who_cancelled(stores: Stores, engine: sa.Engine) -> None:
    """Whether or not the run has a note already."""
    for actor in ("token:anna", "cli:ben"):
        stores.steering.cancelled(standing(), actor, f"by {actor}")
    [note] = rows(engine, notes)
    assert (note.cancelled_by, note.trigger, note.root_run_id) == ("token:anna", "retry", "run-1")
