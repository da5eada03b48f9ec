"""The end of a run that did not reach its last stage: failed or cancelled. Called by the failure hook and sensors."""

import logging
from uuid import UUID

from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.errors import PipelineError
from discubot_pipeline.domain.job import RunOutcome, Stage
from discubot_pipeline.ports import Mark, Outside
from discubot_pipeline.stages.replies import apologise
from discubot_pipeline.stages.validate import is_silent, is_webhook
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.stores import Stores

logger = logging.getLogger(__name__)


def close_failed(
    run_id: str,
    root_run_id: str,
    stage: Stage | None,
    reason: str,
    message: str,
    stores: Stores,
    outside: Outside,
) -> None:
    """End a run for good: ❌ and one short answer in the thread, discussion and deliveries failed. Safe to repeat."""
    note = stores.notes.get(run_id)
    discussion = held_discussion(note.discussion_id if note else None, run_id, stores)
    if discussion:
        tell(discussion, run_id, root_run_id, reason, stores, outside)
    with stores.together():
        if discussion:
            why = {"reason": reason, "error": message}
            stores.discussions.finish(discussion.id, run_id, DiscussionStatus.FAILED, failed_stage=stage, **why)
        settle(run_id, reason, message, stores)
        stores.notes.close(run_id, RunOutcome.FAILED, reason=reason, error=message)


def close_cancelled(run_id: str, stores: Stores) -> None:
    """End a run that a person cancelled: nothing is posted; what has been made stays recorded. Safe to repeat."""
    note = stores.notes.get(run_id)
    discussion = held_discussion(note.discussion_id if note else None, run_id, stores)
    with stores.together():
        if discussion:
            stores.discussions.finish(discussion.id, run_id, DiscussionStatus.CANCELLED, reason="cancelled")
        settle(run_id, "cancelled", None, stores)
        stores.notes.close(run_id, RunOutcome.CANCELLED, reason="cancelled")


def held_discussion(id: UUID | None, run_id: str, stores: Stores) -> Discussion | None:
    """Give the discussion that a run still holds."""
    discussion = stores.discussions.get(id) if id else None
    return discussion if discussion and discussion.active_run_id == run_id else None


def settle(run_id: str, reason: str, message: str | None, stores: Stores) -> None:
    """Close the deliveries of a run, in whichever inbox they are."""
    for source in SourceType:
        stores.inboxes[source].settle(run_id, DeliveryStatus.FAILED, reason, message)


def tell(discussion: Discussion, run_id: str, root_run_id: str, reason: str, stores: Stores, outside: Outside) -> None:
    """Say in the thread that it failed; when even that fails it is logged."""
    asked = stores.inboxes[discussion.source].of_run(run_id)
    if discussion.source_config_id is None or (asked and is_silent(asked)):
        return
    key = f"{root_run_id}:failed"
    try:
        first = stores.replies.begin(key, discussion.team_id, discussion.id, run_id)
        if first is None:
            return
        config = stores.configs.source(discussion.source_config_id)
        source = outside.source(config)
        source.reply(discussion.thread_id, apologise(reason, config.preferences, source), key, is_retry=not first)
        stores.replies.posted(key)
        source.mark(
            discussion.thread_id, [source.read(each).message_id for each in asked if is_webhook(each)], Mark.FAILED
        )
    except PipelineError as error:
        logger.warning("failure_reply_failed", extra={"reason": error.reason})
