"""Empties the outbox of completion hooks: tells each hook of each job's end, once. Called by the op of `hooks_job`."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient
from discubot_pipeline.domain.facts import JobDetails
from discubot_pipeline.domain.hook import (
    FINAL,
    PATIENCE,
    SETTLING,
    Hook,
    HookDelivery,
    HookStatus,
    Notice,
    ended,
    wait_after,
)
from discubot_pipeline.ports import Outside
from discubot_pipeline.store.outbox import is_last
from discubot_pipeline.store.stores import Stores

LEASE = timedelta(minutes=2)
Ask = Callable[[str], JobDetails]
"""Tells of a job as the API does; Permanent("not_found", …) for one that is gone."""
AGAIN = "again"
"""What is counted of a delivery that is not at its end: it is tried again later."""


def drain(ask: Ask, stores: Stores, outside: Outside, has_time: Callable[[], bool]) -> Counter[str]:
    """Deliver what is due until nothing is, or the time is up; counts how it went."""
    went: Counter[str] = Counter()
    while has_time() and (taken := stores.outbox.lease(LEASE)):
        went[deliver(taken, ask, stores, outside)] += 1
    return went


def deliver(taken: HookDelivery, ask: Ask, stores: Stores, outside: Outside) -> str:
    """Deliver one, and note how it went: sent, failed, or to be tried again."""
    try:
        hook = stores.hooks.get(taken.hook_id)
        notice = notice_of(taken, hook, ask(taken.run_id), stores, outside)
        if notice is None:
            stores.outbox.put_back(taken, SETTLING)
            return AGAIN
        outside.herald(hook, sender_of(hook, stores)).tell(notice, is_repeated=taken.tries > 1)
    except PipelineError as verdict:
        return note(taken, verdict, stores)
    stores.outbox.sent(taken)
    return HookStatus.SENT


def note(taken: HookDelivery, verdict: PipelineError, stores: Stores) -> str:
    """Note a failure: to be tried again, or given up; a hook that is gone is told nothing any more."""
    if isinstance(verdict, Transient) and not is_last(taken):
        wait = wait_after(taken.tries, random.random(), verdict.retry_after)
        stores.outbox.postpone(taken, wait, verdict.reason, verdict.message)
        return AGAIN
    with stores.together():
        stores.outbox.failed(taken, verdict.reason, verdict.message)
        if verdict.reason == "gone":
            stores.outbox.disable(taken.hook_id, verdict.reason)
    return HookStatus.FAILED


def notice_of(taken: HookDelivery, hook: Hook, job: JobDetails, stores: Stores, outside: Outside) -> Notice | None:
    """Write what the hook is told; None while Dagster has not quite ended the run, which takes a moment."""
    if job.status not in FINAL and outside.clock.now() - taken.created_at < PATIENCE:
        return None
    discussion = stores.discussions.get(job.discussion_id) if job.discussion_id else None
    told = ended(job, discussion.title if discussion else None, hook.has_text)
    return Notice(id=taken.id, type=taken.event, timestamp=taken.created_at, data=told.model_dump(mode="json"))


def try_out(hook: Hook, stores: Stores, outside: Outside) -> None:
    """Send a hook a test, now; raises what is wrong."""
    data = {"hook_id": str(hook.id), "team_id": str(hook.team_id), "name": hook.name}
    notice = Notice(id=uuid4(), type="hook.test", timestamp=outside.clock.now(), data=data)
    outside.herald(hook, sender_of(hook, stores)).tell(notice, is_repeated=False)


def sender_of(hook: Hook, stores: Stores) -> SourceConfig | None:
    """Give the source with whose credentials a hook is told; webhooks have their own secret."""
    if hook.sender_id is None:
        return None
    config = stores.configs.source(hook.sender_id)
    if config.team_id != hook.team_id:
        raise Permanent("unknown_source", "the source that this hook speaks through is another team's")
    return config
