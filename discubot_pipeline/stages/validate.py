"""Stage 1, ingestion: which thread is this run about, and are its deliveries ours to work on? Called by its op."""

from collections.abc import Sequence

from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import Delivery, Launch
from discubot_pipeline.domain.discussion import ParsedDiscussion, ThreadRef, discussion_id
from discubot_pipeline.domain.errors import Ignored, Permanent
from discubot_pipeline.domain.job import Job, RunOutcome, Trigger, foremost
from discubot_pipeline.ports import Outside
from discubot_pipeline.stages.identify import home, identify
from discubot_pipeline.store.stores import Stores

FORMS = (
    "give exactly one of: delivery_ids (ids of inbox rows), discussion_id (a UUID), "
    "thread_url (a Slack permalink such as https://acme.slack.com/archives/C1/p1763760000000200, "
    "a Notion discussion's such as https://www.notion.so/Page-0123…?d=4567…, "
    "or the link of a Figma comment such as https://www.figma.com/design/KEY/name?node-id=1-2#123)"
)


def validate(launch: Launch, job: Job, stores: Stores, outside: Outside) -> ParsedDiscussion:
    """Claim the deliveries of a launch, or write one for a person's, and name their discussion."""
    if [bool(launch.delivery_ids), bool(launch.discussion_id), bool(launch.thread_url)].count(True) != 1:
        raise Permanent("bad_launch", FORMS)
    if launch.delivery_ids:
        return from_deliveries(launch, job, stores, outside)
    config, thread_id = find_thread(launch, stores, outside)
    payload = {"launch": launch.model_dump(mode="json", exclude_none=True)}
    id = stores.inboxes[config.source].write_running(config, thread_id, job.run_id, payload)
    return parse(config, thread_id, Trigger.MANUAL, launch).model_copy(update={"delivery_ids": (id,)})


def from_deliveries(launch: Launch, job: Job, stores: Stores, outside: Outside) -> ParsedDiscussion:
    """Claim deliveries; they must be of one discussion, or all stay as they are."""
    with stores.together():
        deliveries = claim(launch, job, stores)
        first = deliveries[0]
        if first.thread_id is None or len({delivery.discussion_id for delivery in deliveries}) != 1:
            raise Permanent("mixed_deliveries", "the deliveries of one run must belong to one thread")
    config = home(stores.configs.source(first.source_config_id), stores)
    hooked = [each for each in deliveries if is_webhook(each)]
    written = [Launch.model_validate(d.payload["launch"]) for d in deliveries if d.payload and not is_webhook(d)]
    asked = identify(hooked, outside.source(config), job, stores, is_needed=not written)
    words = launch.instruction or next((each.instruction for each in reversed(written) if each.instruction), None)
    thread_id = asked[0].thread_id if asked else first.thread_id
    trigger = foremost([delivery.trigger for delivery in deliveries])
    return parse(config, thread_id, trigger, launch).model_copy(
        update={
            "delivery_ids": tuple(delivery.id for delivery in deliveries),
            "mention_ids": tuple(mention.message_id for mention in asked),
            "instruction": words,
            "resume_from": None if launch.fresh else resumable(deliveries, stores),
        }
    )


def claim(launch: Launch, job: Job, stores: Stores) -> list[Delivery]:
    """Make the deliveries this run's own. Ignored("not_free") when another run has them or has done them."""
    claimed = [
        delivery
        for inbox in stores.inboxes.values()
        for delivery in inbox.claim(launch.delivery_ids, job.run_id, job.run_key, job.parent_run_id)
    ]
    if claimed:
        return claimed
    if job.run_key is not None:
        raise Ignored("not_free", "another run has these deliveries, or has done them")
    raise Permanent(
        "unknown_delivery",
        "none of these deliveries can be run: they are unknown, at work, held, or their payload has been purged "
        "(launch by thread_url instead)",
    )


def find_thread(launch: Launch, stores: Stores, outside: Outside) -> tuple[SourceConfig, str]:
    """Find the source config and thread that a person names."""
    team = stores.configs.team(launch.team) if launch.team else None
    if launch.discussion_id:
        known = stores.discussions.get(launch.discussion_id, team.id if team else None)
        if known is None or known.source_config_id is None:
            raise Permanent("unknown_discussion", f"there is no discussion {launch.discussion_id} with a source")
        return stores.configs.source(known.source_config_id), known.thread_id
    configs = {config: home(config, stores) for config in stores.configs.sources(team_id=team.id if team else None)}
    config, thread_id = locate(launch.thread_url or "", configs, outside)
    return config, outside.source(config).root(thread_id)


def locate(url: str, homes: dict[SourceConfig, SourceConfig], outside: Outside) -> tuple[SourceConfig, str]:
    """Find the one source config that a thread's link belongs to: the home of those that know the link."""
    known = [(home, outside.door(config.source).locate(config, url)) for config, home in homes.items()]
    found = list({config: thread_id for config, thread_id in known if thread_id is not None}.items())
    if not found:
        raise Permanent("bad_url", f"{url!r} is no link to a thread of a source that is set up here: {FORMS}")
    if len(found) > 1:
        names = ", ".join(f"{config.team_name}/{config.name}" for config, _ in found)
        raise Permanent("ambiguous_url", f"this link fits several sources ({names}): name the team")
    return found[0]


def parse(config: SourceConfig, thread_id: str, trigger: Trigger, launch: Launch) -> ParsedDiscussion:
    """Put together what is known of a discussion before its thread is read."""
    return ParsedDiscussion(
        team_id=config.team_id,
        team_name=config.team_name,
        discussion_id=discussion_id(config.team_id, config.source, thread_id),
        ref=ThreadRef(source=config.source.origin, thread_id=thread_id, source_config_id=config.id),
        trigger=trigger,
        instruction=launch.instruction,
        fresh=launch.fresh,
    )


def is_webhook(delivery: Delivery) -> bool:
    """Say that a delivery came from its source, not from a person's launch."""
    return "launch" not in (delivery.payload or {})


def is_silent(deliveries: Sequence[Delivery]) -> bool:
    """Say that a run's deliveries all come from a backfill: nobody asked in the thread just now."""
    return foremost([delivery.trigger for delivery in deliveries]) is Trigger.BACKFILL


def resumable(deliveries: list[Delivery], stores: Stores) -> str | None:
    """Name the run that had these very deliveries before and had to wait."""
    earlier = {delivery.run_id for delivery in deliveries}
    note = stores.notes.get(earlier.pop() or "") if len(earlier) == 1 else None
    return note.run_id if note and note.outcome is RunOutcome.DEFERRED else None
