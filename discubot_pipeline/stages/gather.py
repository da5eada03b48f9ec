"""Stage 3, thread_building: the whole thread, read from its source and stored."""

from discubot_pipeline.domain.discussion import Author, ConfiguredDiscussion, Message, Thread
from discubot_pipeline.domain.job import Job
from discubot_pipeline.ports import Outside
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
    """Read the thread from its source, and add the words of a person's launch."""
    parsed = configured.parsed
    source = outside.source(stores.configs.source(parsed.ref.source_config_id))
    deliveries = stores.inboxes[parsed.ref.source].of_discussion(parsed.discussion_id)
    fetched = source.fetch(parsed.ref.thread_id, [delivery for delivery in deliveries if is_webhook(delivery)])
    return Thread(
        configured=configured,
        title=fetched.title,
        url=fetched.url,
        messages=fetched.messages,
        mentions=fetched.mentions + spoken(configured, outside),
        context=fetched.context,
    )


def spoken(configured: ConfiguredDiscussion, outside: Outside) -> tuple[Message, ...]:
    """Write the instruction of a person's launch as a mention."""
    words = configured.parsed.instruction
    if not words:
        return ()
    operator = Author(id="operator", name="Operator")
    return (Message(id="launch", author=operator, text=words, sent_at=outside.clock.now()),)
