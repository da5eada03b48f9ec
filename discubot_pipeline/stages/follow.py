"""A task's page has changed: its row follows, and the thread that it comes from hears once that it is done.

Called by the op of `status_job`. The webhook is a signal only: the page is read again with the output's token.
"""

from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.domain.delivery import Delivery, DeliveryKind, DeliveryStatus, Launch
from discubot_pipeline.domain.errors import Ignored, Permanent
from discubot_pipeline.domain.job import Job, Outcome, RunOutcome
from discubot_pipeline.domain.task import Standing, TaskRow
from discubot_pipeline.ports import Outside
from discubot_pipeline.stages.replies import report
from discubot_pipeline.stages.validate import claim
from discubot_pipeline.store.discussions import Discussion
from discubot_pipeline.store.stores import Stores


def follow(launch: Launch, job: Job, stores: Stores, outside: Outside) -> Outcome:
    """Claim the news of one page, read the page, and carry on what it says."""
    deliveries = claim(launch, job, stores)
    task = task_of(deliveries, stores)
    discussion, config = home_of(task, stores)
    standing = outside.tracker(output_of(task, config, stores)).standing(task.page_id or "")
    if standing is None:
        raise Ignored("in_trash", "the page is in the trash: its task stays as it was")
    followed = stores.tasks.follow(task, standing)
    text = tell(followed, standing, discussion, config, job, stores, outside) if followed.completed_at else None
    with stores.together():
        stores.inboxes[deliveries[0].source].settle(job.run_id, DeliveryStatus.DONE)
        stores.notes.close(job.run_id, RunOutcome.COMPLETED, counters={"told": int(text is not None)})
    return Outcome(outcome=RunOutcome.COMPLETED, reply=text)


def task_of(deliveries: list[Delivery], stores: Stores) -> TaskRow:
    """Find the task whose page all the deliveries tell of."""
    pages = {str((delivery.payload or {}).get("page_id")) for delivery in deliveries}
    if len(pages) != 1 or any(delivery.kind is not DeliveryKind.PAGE for delivery in deliveries):
        raise Permanent("mixed_deliveries", "the deliveries of one run must tell of changes of one page")
    task = stores.tasks.of_page(pages.pop(), deliveries[0].team_id)
    if task is None:
        raise Ignored("unknown_page", "the page is no task of this team")
    return task


def home_of(task: TaskRow, stores: Stores) -> tuple[Discussion, SourceConfig]:
    """Find the discussion that a task comes from, and its source."""
    discussion = stores.discussions.get(task.discussion_id, task.team_id)
    if discussion is None or discussion.source_config_id is None:
        raise Ignored("no_source", "the source that this task comes from is gone")
    return discussion, stores.configs.source(discussion.source_config_id)


def output_of(task: TaskRow, config: SourceConfig, stores: Stores) -> Output:
    """Find the output whose token made the page."""
    for output in stores.configs.outputs(config):
        if output.id == task.output_id:
            return output
    raise Ignored("no_output", "the output of this task is gone")


def tell(
    task: TaskRow,
    standing: Standing,
    discussion: Discussion,
    config: SourceConfig,
    job: Job,
    stores: Stores,
    outside: Outside,
) -> str | None:
    """Say in the thread that a task is done, once for each time that it is.

    None when that has been said, and in threads that were only imported: nobody asked there.
    """
    if not config.preferences.post_confirmation or stores.imports.is_all_of(discussion.id):
        return None
    key = f"{task.id}:done:{task.completions}"
    first = stores.replies.begin_news(key, task.team_id, discussion.id, job.run_id)
    if first is None:
        return None
    source = outside.source(config)
    text = report(standing.title or task.title, task.page_url or "", config.preferences, source)
    source.reply(discussion.thread_id, text, key, is_retry=not first)
    stores.replies.posted(key)
    return text
