"""Finds out which messages and which thread deliveries are about, and whose the thread is. Called by `validate`."""

from collections.abc import Sequence
from typing import Final

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Delivery, DeliveryStatus, SourceType
from discubot_pipeline.domain.errors import Ignored
from discubot_pipeline.domain.job import Job
from discubot_pipeline.ports import Mention, Source
from discubot_pipeline.store.stores import Stores

AT_WORK: Final = (
    DeliveryStatus.PENDING,
    DeliveryStatus.REQUESTED,
    DeliveryStatus.RUNNING,
    DeliveryStatus.DONE,
)


def home(config: SourceConfig, stores: Stores) -> SourceConfig:
    """Give the source that answers for a config's threads: Figma's mails are the team's Figma source's, if it has one.

    Where it has several, the one with the token of the mails' own source is meant.
    """
    if config.source is config.source.origin:
        return config
    candidates = stores.configs.sources(config.source.origin, config.team_id)
    if len(candidates) == 1:
        return candidates[0]
    token = getattr(config.credentials, "token", None)
    return next((each for each in candidates if token and getattr(each.credentials, "token", None) == token), config)


def identify(
    deliveries: Sequence[Delivery], source: Source, job: Job, stores: Stores, is_needed: bool
) -> list[Mention]:
    """Read what deliveries ask, and put each to its thread; Ignored when none of them asks and something is needed."""
    mentions: list[Mention] = []
    verdict: Ignored | None = None
    for delivery in deliveries:
        try:
            mentions.append(read(delivery, source, job, stores))
        except Ignored as nothing:
            verdict = nothing
    if verdict and is_needed and not mentions:
        raise verdict
    return mentions


def read(delivery: Delivery, source: Source, job: Job, stores: Stores) -> Mention:
    """Read one delivery, and note its thread where only the service knew it; further threads get rows of their own."""
    mention = source.read(delivery)
    for other in mention.others:
        stores.sorting.split(delivery, other)
    is_known = delivery.source is delivery.source.origin and mention.thread_id == delivery.thread_id
    is_first = is_known or stores.sorting.assign(delivery, mention, job.run_id)
    if not is_first or (job.run_key and has_twin(delivery, mention, stores)):
        raise Ignored("duplicate", "another delivery has brought this message")
    return mention


def has_twin(delivery: Delivery, mention: Mention, stores: Stores) -> bool:
    """Tell whether the same message came in another way too.

    Exactly one of two gives way, whichever comes first: a mail to the tool's own webhook that is there, a webhook only
    to a mail that is done.
    """
    if mention.message_key is None:
        return False
    origin = delivery.source.origin
    if delivery.source is not origin:
        return stores.sorting.has_come(mention.message_key, delivery.team_id, [origin], AT_WORK)
    ways = [source for source in SourceType if source.origin is origin and source is not origin]
    return stores.sorting.has_come(mention.message_key, delivery.team_id, ways, [DeliveryStatus.DONE])
