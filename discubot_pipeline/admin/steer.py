"""Cancels and retries jobs: what the API and the command line both call, through the same GraphQL as Dagster's UI."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

from pydantic import Field

from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.domain.facts import JobStatus, Standing
from discubot_pipeline.domain.job import Trigger, Value
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.steering import RETRIABLE
from discubot_pipeline.store.stores import Stores

PATIENCE = timedelta(seconds=10)
"""How long a run may take to begin, or to end after its discussion has, before the caller is asked to come again."""
PAUSE_SECONDS = 0.1
JOB = "discussion_job"
FIRST = "validate_discussion"
REST_OF_PARTIAL = ["create_tasks", "finalize_discussion"]
KEPT = ("dagster/priority", "dagster/max_runtime")
OF_ONE_RUN = ("discubot/outcome", "discubot/reason")
MAX_RETRIES = "dagster/max_retries"
TRIGGER = "discubot/trigger"
T = TypeVar("T")


class Retry(Value):
    """How a discussion is to be retried: `fresh` reads and analyses the thread again instead of going on."""

    fresh: bool = False
    reason: str | None = Field(default=None, max_length=500, description="Why, for whoever looks at it later.")


class Jobs(Protocol):
    """What tells how jobs stand."""

    def standing(self, job_id: str, team_id: UUID | None = None) -> Standing:
        """Say how a job stands; Permanent("not_found", …) for one of another team."""
        ...

    def exists(self, job_id: str) -> bool:
        """Say whether Dagster still knows a run."""
        ...

    def unfinished(self, discussion_id: UUID) -> str | None:
        """Name a job of a discussion that waits or works, if there is one."""
        ...

    def stop_starting(self, job_id: str) -> bool:
        """Cancel a job that is about to begin, which GraphQL refuses; False when it is not, or its launcher is away."""
        ...


class Dagster(Protocol):
    """What starts and stops runs."""

    def launch(self, job: str, config: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> str:
        """Launch a job."""
        ...

    def resume(self, run_id: str, tags: dict[str, str]) -> str:
        """Re-execute a run from where it failed."""
        ...

    def follow(
        self, run_id: str, root_id: str, job: str, tags: dict[str, str], steps: list[str], config: dict[str, Any] | None
    ) -> str:
        """Re-execute some steps of a run, or all of them."""
        ...

    def config(self, run_id: str) -> dict[str, Any]:
        """Give the config of a run."""
        ...

    def cancel(self, run_id: str) -> bool:
        """Cancel a run; False when it cannot be cancelled now."""
        ...


class Helm:
    """Steers jobs in somebody's name."""

    def __init__(self, stores: Stores, jobs: Jobs, dagster: Dagster, actor: str) -> None:
        self._stores, self._jobs, self._dagster, self._actor = stores, jobs, dagster, actor

    def cancel(self, job_id: str, team_id: UUID | None = None, reason: str | None = None) -> str:
        """Cancel a job that waits or works; gives its id, or that of the automatic retry that has replaced it.

        What it holds is closed by Dagster's sensors, as for a cancellation in Dagster's UI.
        """
        require_unended(self._jobs.standing(job_id, team_id))

        def stopped() -> Standing | None:
            latest = self._jobs.standing(job_id, team_id)
            if latest.successor:
                latest = self._jobs.standing(latest.successor, team_id)
            require_unended(latest)
            return latest if latest.is_stopping or (not latest.is_over and self._stop(latest.job_id)) else None

        target = wait(
            stopped,
            f"job {job_id} cannot be cancelled just now: it is about to begin, and its launcher does not answer",
        )
        self._stores.steering.cancelled(target, self._actor, reason)
        return target.job_id

    def _stop(self, job_id: str) -> bool:
        return self._dagster.cancel(job_id) or self._jobs.stop_starting(job_id)

    def retry(self, discussion_id: UUID, wanted: Retry, team_id: UUID | None = None) -> str:
        """Go on with a discussion that failed, is partial or was cancelled, in a new job; gives its id."""
        self._retriable(discussion_id, team_id)
        if not self._stores.steering.claim(discussion_id):
            raise Permanent("conflict", "somebody else is retrying this discussion just now")
        try:
            return self._start(self._retriable(discussion_id, team_id), wanted)  # as it is now that it is ours
        finally:
            self._stores.steering.release(discussion_id)

    def _retriable(self, discussion_id: UUID, team_id: UUID | None) -> Discussion:
        discussion = self._stores.discussions.get(discussion_id, team_id)
        if discussion is None:
            raise Permanent("not_found", f"there is no discussion {discussion_id}")
        if discussion.status not in RETRIABLE:
            raise Permanent("not_retriable", f"the discussion is {discussion.status}: there is nothing to retry")
        return discussion

    def _start(self, discussion: Discussion, wanted: Retry) -> str:
        parent = self._ended(discussion)
        if parent is None:
            made = root = self._anew(discussion, wanted)
        else:
            made, root = self._follow(discussion, parent, wanted), parent.root_job_id
        self._stores.steering.retried(made, root, discussion, self._actor, wanted.reason)
        return made

    def _ended(self, discussion: Discussion) -> Standing | None:
        """Give the last run of a discussion; None when it has been removed. Any other run of it is in the way.

        The run that has just closed the discussion is about to end, and Dagster is about to say that it makes no retry.
        """
        last = discussion.run_id if discussion.run_id and self._jobs.exists(discussion.run_id) else None

        def is_free() -> bool:
            at_work = self._jobs.unfinished(discussion.id)
            if at_work not in (None, last):
                raise Permanent("conflict", f"job {at_work} waits for this discussion, or works on it")
            return at_work is None and not (last and self._jobs.standing(last).is_owed)

        wait(is_free, f"job {discussion.run_id} has not ended yet")
        return self._jobs.standing(last) if last else None

    def _follow(self, discussion: Discussion, parent: Standing, wanted: Retry) -> str:
        """Make the next run of a chain: from where it failed, what is missing of a partial one, or all of it."""
        tags, stopped = tags_of_next(parent), parent.status in (JobStatus.FAILED, JobStatus.CANCELLED)
        steps: list[str] = []
        config = None
        if discussion.status is DiscussionStatus.PARTIAL and not wanted.fresh:
            steps = REST_OF_PARTIAL
        elif stopped and not wanted.fresh and self._stores.dossiers.is_parsed(parent.root_job_id):
            return self._dagster.resume(parent.job_id, tags)
        else:
            config = self._config(discussion, self._dagster.config(parent.job_id), wanted.fresh)
        return self._dagster.follow(parent.job_id, parent.root_job_id, parent.job_name, tags, steps, config)

    def _config(self, discussion: Discussion, config: dict[str, Any], fresh: bool) -> dict[str, Any]:
        """Ask for the same thread again: by the deliveries whose payload is still there, else by its id."""
        asked = dict(((config.get("ops") or {}).get(FIRST) or {}).get("config") or {})
        usable = self._stores.dossiers.usable(asked.get("delivery_ids") or [])
        named = {key: asked[key] for key in ("thread_url", "team", "instruction") if asked.get(key)}
        if usable:
            named["delivery_ids"] = usable
        elif "thread_url" not in named:
            named["discussion_id"] = str(discussion.id)
        return config | {"ops": {FIRST: {"config": named | {"fresh": fresh}}}}

    def _anew(self, discussion: Discussion, wanted: Retry) -> str:
        """Start a chain: the jobs of the discussion have been removed, as all are some day."""
        tags = {
            "discubot/team": discussion.team_name,
            "discubot/team_id": str(discussion.team_id),
            "discubot/source": discussion.source.value,
            "discubot/thread": discussion.thread_id,
            "discubot/discussion": str(discussion.id),
            TRIGGER: Trigger.RETRY.value,
        }
        return self._dagster.launch(JOB, self._config(discussion, {}, wanted.fresh), tags)


def require_unended(job: Standing) -> None:
    """Refuse to cancel what has ended, unless Dagster is about to retry it."""
    if job.is_over and not job.is_owed:
        raise Permanent("conflict", f"job {job.job_id} has ended already, as {job.status}")


def tags_of_next(parent: Standing) -> dict[str, str]:
    """Choose the tags of the next run of a chain: what it is about and how urgent, not what became of the one before.

    A person's retry takes nothing from what Dagster may do by itself: it counts all runs of a chain, so they are added.
    """
    ours = {key: value for key, value in parent.tags.items() if key.startswith("discubot/") and key not in OF_ONE_RUN}
    kept = {key: parent.tags[key] for key in KEPT if key in parent.tags}
    return ours | kept | {TRIGGER: Trigger.RETRY.value, MAX_RETRIES: str(parent.attempts + parent.most_retries)}


def wait(condition: Callable[[], T | None], otherwise: str) -> T:
    """Wait until a condition gives something true, and give that; Transient("not_yet", …) when it does not in time."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise Transient("not_yet", f"{otherwise}; try again")
        time.sleep(PAUSE_SECONDS)
    return found
