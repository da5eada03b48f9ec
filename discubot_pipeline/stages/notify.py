"""Stage 6, notification: one answer in the thread, ✅ on the mention, and the discussion's final state."""

import logging

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.discussion import DiscussionStatus, ParsedDiscussion, Thread
from discubot_pipeline.domain.errors import Ignored, PipelineError, Transient
from discubot_pipeline.domain.job import Job, Outcome, RunOutcome
from discubot_pipeline.domain.task import CreatedTasks
from discubot_pipeline.ports import Mark, Outside
from discubot_pipeline.stages.configure import react
from discubot_pipeline.stages.replies import compose
from discubot_pipeline.store.stores import Stores

logger = logging.getLogger(__name__)


def notify(thread: Thread, created: CreatedTasks, job: Job, stores: Stores, outside: Outside) -> Outcome:
    """Answer, react, and end the discussion as completed, or as partial when something is missing."""
    parsed = thread.configured.parsed
    config = stores.configs.source(parsed.ref.source_config_id)
    outcome = RunOutcome.PARTIAL if created.missing else RunOutcome.COMPLETED
    reason = created.missing[0].reason if created.missing else None
    text = compose(created, config.preferences, outside.source(config))
    if config.preferences.post_confirmation and not parsed.is_silent:
        failure = answer(thread, config, text, f"{job.root_run_id}:{outcome}", job, stores, outside)
        outcome, reason = (RunOutcome.PARTIAL, failure) if failure else (outcome, reason)
    react(parsed, Mark.DONE, stores, outside)
    finish(parsed, created, outcome, reason, job, stores)
    return Outcome(outcome=outcome, reply=text, reason=reason)


def finish(
    parsed: ParsedDiscussion,
    created: CreatedTasks,
    outcome: RunOutcome,
    reason: str | None,
    job: Job,
    stores: Stores,
) -> None:
    """Write the final state of discussion, deliveries and job, all at once."""
    counters = {"created": len(created.new), "there_already": len(created.made) - len(created.new)}
    with stores.together():
        if not stores.discussions.finish(parsed.discussion_id, job.run_id, DiscussionStatus(outcome), reason=reason):
            raise Ignored("busy", "another run has taken this discussion over")
        stores.settle(job.run_id, DeliveryStatus.DONE)
        stores.notes.close(job.run_id, outcome, reason=reason, counters=counters | {"missing": len(created.missing)})


def answer(
    thread: Thread, config: SourceConfig, text: str, key: str, job: Job, stores: Stores, outside: Outside
) -> str | None:
    """Post the answer once; when it cannot be posted the tasks stand all the same, and the reason is given."""
    parsed = thread.configured.parsed
    first = stores.replies.begin(key, parsed.team_id, parsed.discussion_id, job.run_id)
    if first is None:
        return None
    try:
        outside.source(config).reply(parsed.ref.thread_id, text, key, is_retry=not first)
    except PipelineError as error:
        if isinstance(error, Transient) and not job.is_last_attempt:
            raise
        logger.warning("reply_failed", extra={"reason": error.reason})
        return error.reason
    stores.replies.posted(key)
    return None
