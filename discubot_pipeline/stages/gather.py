"""Stage 3, thread_building: the whole thread, read from its source and stored."""

from collections.abc import Sequence
from uuid import UUID

from discubot_pipeline.domain.discussion import Author, ConfiguredDiscussion, Message, Thread
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Job
from discubot_pipeline.ports import FetchedThread, Outside
from discubot_pipeline.stages.validate import is_webhook
from discubot_pipeline.store.stores import Stores

STEP = "build_thread"


def gather(configured: ConfiguredDiscussion, job: Job, stores: Stores, outside: Outside) -> Thread:
    """Read the thread, or take what a run that had to wait has read already, and store its messages."""
    thread = kept(configured, stores) or fetch(configured, stores, outside)
    stores.discussions.record_thread(thread, job.run_id)
    return thread


def kept(configured: ConfiguredDiscussion, stores: Stores) -> Thread | None:
    """Give the thread that the run before this one has read."""
    earlier = configured.parsed.resume_from
    output = stores.steps.output(earlier, STEP) if earlier else None
    return Thread.model_validate(output).model_copy(update={"configured": configured}) if output else None


def fetch(configured: ConfiguredDiscussion, stores: Stores, outside: Outside) -> Thread:
    """Read the thread from its source, and add what people wrote here and the words of a person's launch."""
    parsed = configured.parsed
    source = outside.source(stores.configs.source(parsed.ref.source_config_id))
    deliveries = stores.inboxes[parsed.ref.source].of_discussion(parsed.discussion_id)
    here = stores.messages.kept(parsed.discussion_id)
    try:
        fetched = source.fetch(parsed.ref.thread_id, [delivery for delivery in deliveries if is_webhook(delivery)])
    except Permanent as error:
        if error.reason != "payload_expired" or not here:
            raise
        fetched = remembered(parsed.discussion_id, stores)
    return Thread(
        configured=configured,
        title=fetched.title,
        url=fetched.url,
        messages=together(fetched.messages, here),
        mentions=fetched.mentions + spoken(configured, outside),
        context=fetched.context,
    )


def remembered(discussion_id: UUID, stores: Stores) -> FetchedThread:
    """Give what is known of a thread that no delivery tells of any more."""
    known = stores.discussions.get(discussion_id)
    return FetchedThread(title=known.title if known else "", url=known.url if known else None, messages=())


def together(fetched: tuple[Message, ...], here: Sequence[Message]) -> tuple[Message, ...]:
    """Put what the source has and what is kept here in one order; of the same message the source's version counts."""
    if not here:
        return fetched
    unique = {message.id: message for message in (*here, *fetched)}
    return tuple(sorted(unique.values(), key=lambda message: message.sent_at))


def spoken(configured: ConfiguredDiscussion, outside: Outside) -> tuple[Message, ...]:
    """Write the instruction of a person's launch as a mention."""
    words = configured.parsed.instruction
    if not words:
        return ()
    operator = Author(id="operator", name="Operator")
    return (Message(id="launch", author=operator, text=words, sent_at=outside.clock.now()),)
