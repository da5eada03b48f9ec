"""Discussions that people and programs write themselves: made with their first messages, and given to a job."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.contributions import NewDiscussion, NewMessage
from discubot_pipeline.domain.delivery import Arrival, SourceType
from discubot_pipeline.domain.discussion import title_of
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Trigger
from discubot_pipeline.store.records import by
from discubot_pipeline.store.stores import Stores


def create(stores: Stores, team_id: UUID, new: NewDiscussion, actor: str) -> tuple[UUID, int | None]:
    """Make a discussion, its first messages, and with `process` the delivery that asks for a job: all of it or nothing.

    Gives the discussion's id and the delivery's.
    """
    config = source_of(stores, team_id, new)
    thread = new.thread or f"api:{uuid4()}"
    title = new.title or title_of(new.messages[0].content if new.messages else "")
    with stores.together():
        id = stores.catalogue.make(team_id, thread, title, new.url, config.id if config else None, actor)
        stores.messages.add(id, team_id, new.messages, actor)
        return id, ask(stores, config, id, thread, new, actor) if config and new.process else None


def ask(stores: Stores, config: SourceConfig, id: UUID, thread: str, new: NewDiscussion, actor: str) -> int:
    """Put a discussion into the inbox, as a person's launch of it; gives the delivery's id."""
    launch = {"discussion_id": str(id)} | ({"instruction": new.instruction} if new.instruction else {})
    arrival = Arrival(delivery_key=f"api:{uuid4()}", thread_id=thread, payload={"launch": launch})
    return stores.inboxes[SourceType.GENERIC].store(config, arrival, trigger=Trigger.MANUAL, **by(actor)).id


def source_of(stores: Stores, team_id: UUID, new: NewDiscussion) -> SourceConfig | None:
    """Find the generic source of a discussion: the one that is named, or the team's only one.

    Without any it can be written all the same; a job needs it, since tasks go to the outputs of a source.
    """
    if new.source_id:
        config = stores.changes.source(new.source_id, team_id).config
        if config.source is not SourceType.GENERIC:
            raise Permanent(
                "invalid", f"source_id: {config.name!r} is a {config.source} source, this takes a generic one"
            )
        return config
    configs = stores.configs.sources(SourceType.GENERIC, team_id)
    if new.process:
        check_work(configs, new.messages)
    return configs[0] if len(configs) == 1 else None


def check_work(configs: Sequence[SourceConfig], messages: Sequence[NewMessage]) -> None:
    """Refuse to ask for a job that would find nothing to read, or no place for its tasks."""
    if not messages:
        raise Permanent("invalid", "process: there is no message to read yet")
    if len(configs) > 1:
        names = ", ".join(f"{config.name} ({config.id})" for config in configs)
        raise Permanent("invalid", f"source_id: name the generic source that it is for; there are: {names}")
    if not configs:
        raise Permanent(
            "no_source", "process: a job needs a generic source with an output: `discubot source add generic`"
        )
