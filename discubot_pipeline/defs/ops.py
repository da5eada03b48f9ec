"""The six ops, one a stage: each hands its values to a stage function and its verdict to `perform`."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

import dagster as dg
from pydantic import Field

from discubot_pipeline.defs.perform import perform
from discubot_pipeline.domain.analysis import Analysis
from discubot_pipeline.domain.delivery import Launch
from discubot_pipeline.domain.discussion import ConfiguredDiscussion, ParsedDiscussion, Thread
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import Job, Outcome, Stage
from discubot_pipeline.domain.task import CreatedTasks
from discubot_pipeline.ports import Outside
from discubot_pipeline.stages.analyze import analyze
from discubot_pipeline.stages.configure import configure
from discubot_pipeline.stages.gather import gather
from discubot_pipeline.stages.notify import notify
from discubot_pipeline.stages.publish import publish
from discubot_pipeline.stages.validate import FORMS, validate
from discubot_pipeline.store.stores import Stores

NEEDS = {"services", "job"}


class LaunchConfig(dg.Config):
    """What to work on: exactly one of delivery_ids, discussion_id, thread_url."""

    delivery_ids: list[int] = Field(default=[], description="Ids of inbox rows, all of one thread.")
    discussion_id: str | None = Field(default=None, description="UUID of a discussion that is known already.")
    thread_url: str | None = Field(default=None, description="Link to a thread, as people copy it.")
    team: str | None = Field(default=None, description="Name of the team, where a link fits several.")
    instruction: str | None = Field(default=None, description="Words that stand for the mention.")
    fresh: bool = Field(default=False, description="Fetch and analyse again, whatever is kept.")


@dg.op(
    out=dg.Out(ParsedDiscussion, is_required=False),
    required_resource_keys=NEEDS,
    tags={"stage": Stage.INGESTION.value},
)
def validate_discussion(context: dg.OpExecutionContext, config: LaunchConfig) -> Iterator[dg.Output[ParsedDiscussion]]:
    """Claim the deliveries of one thread, or find the thread that a person named."""
    given = Launch(
        delivery_ids=tuple(config.delivery_ids),
        thread_url=config.thread_url,
        team=config.team,
        instruction=config.instruction,
        fresh=config.fresh,
    )

    def work(launch: Launch, job: Job, stores: Stores, outside: Outside) -> ParsedDiscussion:
        named = launch.model_copy(update={"discussion_id": uuid_of(config.discussion_id)})
        return validate(named, job, stores, outside)

    yield from perform(context, Stage.INGESTION, work, given)


def uuid_of(text: str | None) -> UUID | None:
    """Read a UUID that a person typed."""
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Permanent("bad_launch", f"{text!r} is no UUID: {FORMS}") from error


@dg.op(
    out=dg.Out(ConfiguredDiscussion, is_required=False),
    required_resource_keys=NEEDS,
    tags={"stage": Stage.CONFIG_LOADING.value},
)
def load_config(context: dg.OpExecutionContext, parsed: ParsedDiscussion) -> Iterator[dg.Output[ConfiguredDiscussion]]:
    """Load the source's settings, open the discussion and put 👀 on the mention."""
    yield from perform(context, Stage.CONFIG_LOADING, configure, parsed)


@dg.op(
    out=dg.Out(Thread, is_required=False),
    required_resource_keys=NEEDS,
    tags={"stage": Stage.THREAD_BUILDING.value},
)
def build_thread(context: dg.OpExecutionContext, configured: ConfiguredDiscussion) -> Iterator[dg.Output[Thread]]:
    """Read the whole thread and store its messages."""
    yield from perform(context, Stage.THREAD_BUILDING, gather, configured)


@dg.op(
    out=dg.Out(Analysis, is_required=False),
    required_resource_keys=NEEDS,
    tags={"stage": Stage.AI_ANALYSIS.value},
)
def analyze_thread(context: dg.OpExecutionContext, thread: Thread) -> Iterator[dg.Output[Analysis]]:
    """Find out what the thread is about and what is to be done."""
    yield from perform(context, Stage.AI_ANALYSIS, analyze, thread)


@dg.op(
    out=dg.Out(CreatedTasks, is_required=False),
    required_resource_keys=NEEDS,
    tags={"stage": Stage.TASK_CREATION.value},
)
def create_tasks(
    context: dg.OpExecutionContext, thread: Thread, analysis: Analysis
) -> Iterator[dg.Output[CreatedTasks]]:
    """Make the pages that are not there yet."""
    work = partial(publish, progress=context.resources.job)
    yield from perform(context, Stage.TASK_CREATION, work, thread, analysis)


@dg.op(
    out=dg.Out(Outcome, is_required=False),
    required_resource_keys=NEEDS,
    tags={"stage": Stage.NOTIFICATION.value},
)
def finalize_discussion(
    context: dg.OpExecutionContext, thread: Thread, created: CreatedTasks
) -> Iterator[dg.Output[Outcome]]:
    """Answer in the thread, put ✅ on the mention and end the discussion."""
    yield from perform(context, Stage.NOTIFICATION, notify, thread, created)
