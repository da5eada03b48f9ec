"""The end of a run that did not reach its last stage: failed or cancelled. Called by the failure hook and sensors."""

import logging
from uuid import UUID

from discubot_pipeline import __version__
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.errors import reason_of
from discubot_pipeline.domain.job import RunOutcome, Stage, Trigger
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
        stores.settle(run_id, DeliveryStatus.FAILED, reason, message)
        stores.notes.close(run_id, RunOutcome.FAILED, reason=reason, error=message, summary=f"Failed: {message}")


def close_cancelled(run_id: str, stores: Stores) -> None:
    """End a run that a person cancelled: nothing is posted; what has been made stays recorded. Safe to repeat."""
    note = stores.notes.get(run_id)
    discussion = held_discussion(note.discussion_id if note else None, run_id, stores)
    with stores.together():
        if discussion:
            stores.discussions.finish(discussion.id, run_id, DiscussionStatus.CANCELLED, reason="cancelled")
        stores.settle(run_id, DeliveryStatus.FAILED, "cancelled")
        stores.notes.close(run_id, RunOutcome.CANCELLED, reason="cancelled", summary="Cancelled.")


def close_stopped(run_id: str, root_run_id: str, discussion_id: str | None, run_key: str, stores: Stores) -> None:
    """End a run that was cancelled, whether or not it had begun: before that it holds nothing, but is waited for.

    Safe to repeat, also after somebody has gone on with the discussion. One that another run holds is that run's.
    """
    note = stores.notes.get(run_id)
    with stores.together():
        for inbox in stores.inboxes.values():
            inbox.drop(run_key, "cancelled")
        if note is None:
            trigger = Trigger.WEBHOOK if root_run_id == run_id else Trigger.RETRY
            stores.notes.open(run_id, root_run_id, trigger, {}, __version__)
        has_begun = note is not None and note.stage is not None
        if not has_begun and stores.notes.close(run_id, RunOutcome.CANCELLED, reason="cancelled") and discussion_id:
            stores.discussions.cancel_free(UUID(discussion_id), run_id)
    close_cancelled(run_id, stores)


def held_discussion(id: UUID | None, run_id: str, stores: Stores) -> Discussion | None:
    """Give the discussion that a run still holds."""
    discussion = stores.discussions.get(id) if id else None
    return discussion if discussion and discussion.active_run_id == run_id else None


def tell(discussion: Discussion, run_id: str, root_run_id: str, reason: str, stores: Stores, outside: Outside) -> None:
    """Say in the thread that it failed; when even that fails it is logged."""
    asked = [each for inbox in stores.inboxes.values() for each in inbox.of_run(run_id)]
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
        mentions = [source.read(each).message_id for each in asked if is_webhook(each)]
        source.mark(discussion.thread_id, mentions, Mark.FAILED)
    except Exception as error:
        logger.warning("failure_reply_failed", extra={"reason": reason_of(error)})
