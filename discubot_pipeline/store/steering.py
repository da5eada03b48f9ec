"""Steering: who asked for what to be done to a job, and why. A retry is claimed first, so that two make one job."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from discubot_pipeline import __version__
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.facts import Standing
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.engine import single
from discubot_pipeline.store.tables import discussions, notes

CLAIM = timedelta(minutes=1)
"""How long a retry may take to be asked for; a claim whose process has died is free again after that."""
RETRIABLE = (DiscussionStatus.FAILED, DiscussionStatus.PARTIAL, DiscussionStatus.CANCELLED)


class Steering:
    """What people asked for, in the notes of the runs it was about, and the claims on retries."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def claim(self, discussion_id: UUID) -> bool:
        """Claim the retry of a discussion; False when it cannot be retried, or somebody else is at it."""
        d = discussions.c
        free = sa.or_(d.retry_until.is_(None), d.retry_until < sa.func.now())
        may = (d.id == discussion_id, d.status.in_(RETRIABLE), d.active_run_id.is_(None), free)
        with single(self._engine) as connection:
            claimed = sa.update(discussions).where(*may).values(retry_until=sa.func.now() + CLAIM)
            return bool(connection.execute(claimed).rowcount)

    def release(self, discussion_id: UUID) -> None:
        """Give a claim back: the job that was asked for is known to Dagster, or there is none."""
        with single(self._engine) as connection:
            connection.execute(sa.update(discussions).where(discussions.c.id == discussion_id).values(retry_until=None))

    def retried(self, run_id: str, root_run_id: str, discussion: Discussion, actor: str, reason: str | None) -> None:
        """Note who asked for a run that goes on with a discussion, and why."""
        said = {"retried_by": actor, "note_reason": reason}
        row = {
            "run_id": run_id,
            "root_run_id": root_run_id,
            "team_id": discussion.team_id,
            "discussion_id": discussion.id,
            "source_config_id": discussion.source_config_id,
            "trigger": Trigger.RETRY,
            "pipeline_version": __version__,
        }
        self._note(row | said, said)

    def cancelled(self, job: Standing, actor: str, reason: str | None) -> None:
        """Note who wants a run cancelled, and why; whoever asked first stays."""
        row = {
            "run_id": job.job_id,
            "root_run_id": job.root_job_id,
            "job_name": job.job_name,
            "team_id": job.team_id,
            "discussion_id": job.discussion_id,
            "trigger": job.trigger,
            "pipeline_version": __version__,
            "cancelled_by": actor,
            "note_reason": reason,
        }
        first = sa.func.coalesce(notes.c.cancelled_by, actor)
        self._note(row, {"cancelled_by": first, "note_reason": sa.func.coalesce(reason, notes.c.note_reason)})

    def _note(self, row: dict[str, Any], said: dict[str, Any]) -> None:
        note = pg.insert(notes).values(row).on_conflict_do_update(index_elements=[notes.c.run_id], set_=said)
        with single(self._engine) as connection:
            connection.execute(note)
