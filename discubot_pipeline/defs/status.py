"""The op of `status_job`: a task's page has changed in Notion."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from discubot_pipeline.defs.perform import perform
from discubot_pipeline.domain.delivery import Launch
from discubot_pipeline.domain.job import Outcome, Stage
from discubot_pipeline.stages.follow import follow


class NewsConfig(dg.Config):
    """Which news to follow."""

    delivery_ids: list[int] = Field(description="Ids of inbox rows, all of one page.")


@dg.op(
    out=dg.Out(Outcome, is_required=False),
    required_resource_keys={"services"},
    tags={"stage": Stage.NOTIFICATION.value},
)
def follow_page(context: dg.OpExecutionContext, config: NewsConfig) -> Iterator[dg.Output[Outcome]]:
    """Read the page's status, note it on the task, and say in the source thread when it is done."""
    yield from perform(context, Stage.NOTIFICATION, follow, Launch(delivery_ids=tuple(config.delivery_ids)))
