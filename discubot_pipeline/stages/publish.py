"""Stage 5, task_creation: every task stands once in every output that wants it, whatever dies in between."""

from collections.abc import Sequence

from discubot_pipeline.domain.analysis import Analysis, DetectedTask
from discubot_pipeline.domain.config import Output
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.errors import Ignored, Permanent, PipelineError, Transient, Unanswered
from discubot_pipeline.domain.job import LONGEST_WAIT, Job
from discubot_pipeline.domain.routing import route
from discubot_pipeline.domain.task import (
    CreatedTasks,
    MadeTask,
    Missing,
    Page,
    PlannedTask,
    TaskRow,
    TaskState,
    task_key,
)
from discubot_pipeline.ports import Draft, Outside, Tracker
from discubot_pipeline.store.stores import Stores


def publish(thread: Thread, analysis: Analysis, job: Job, stores: Stores, outside: Outside) -> CreatedTasks:
    """Make the pages that are not there yet. What fails for good is listed; when nothing could be made, raises."""
    config = stores.configs.source(thread.configured.parsed.ref.source_config_id)
    outputs = {output.id: output for output in stores.configs.outputs(config)}
    made: list[MadeTask] = []
    failures: list[tuple[Missing, PipelineError]] = []
    planned, homeless = plan(analysis, list(outputs.values()))
    failures += [(missing(task, "any output", error), error) for task, error in homeless]
    for each in planned:
        output = outputs[each.output_id]
        try:
            made.append(make(each, output, thread, analysis, job, stores, outside))
        except (Transient, Permanent) as error:
            failures.append((missing(each.task, output.name, error), error))
    give_up_or_retry(made, [error for _, error in failures], job)
    return CreatedTasks(analysis=analysis, made=tuple(made), missing=tuple(missing for missing, _ in failures))


def plan(
    analysis: Analysis, outputs: Sequence[Output]
) -> tuple[list[PlannedTask], list[tuple[DetectedTask, Permanent]]]:
    """Send each task to its outputs and name its page; the same task twice is one. What no output takes is apart."""
    planned: dict[str, PlannedTask] = {}
    homeless: list[tuple[DetectedTask, Permanent]] = []
    for index, task in enumerate(analysis.findings.tasks):
        try:
            keys = {task_key(analysis.discussion_id, output.id, task.title): output for output in route(task, outputs)}
        except Permanent as error:
            homeless.append((task, error))
            continue
        for key, output in keys.items():
            planned.setdefault(key, PlannedTask(index=index, output_id=output.id, key=key, task=task))
    return list(planned.values()), homeless


def make(
    planned: PlannedTask,
    output: Output,
    thread: Thread,
    analysis: Analysis,
    job: Job,
    stores: Stores,
    outside: Outside,
) -> MadeTask:
    """Make one page, or finish the one that an interrupted run began."""
    is_multi = len(analysis.findings.tasks) > 1
    row = stores.tasks.begin(planned, thread, analysis.findings.summary, job.run_id, is_multi)
    if row is None:
        raise Ignored("busy", "another run has taken this discussion over")
    if row.state is TaskState.CREATED and row.page:
        is_new = stores.notes.root_of(row.run_id) == job.root_run_id
        return MadeTask(title=row.title, page_id=row.page.id, url=row.page.url, is_new=is_new, skipped=row.skipped)
    try:
        page, skipped = finish(row, draft(planned, thread, analysis), outside.tracker(output), stores)
    except (Transient, Permanent) as error:
        stores.tasks.failed(row, error.reason, error.message)
        raise
    return MadeTask(title=row.title, page_id=page.id, url=page.url, skipped=skipped)


def finish(row: TaskRow, draft: Draft, tracker: Tracker, stores: Stores) -> tuple[Page, tuple[str, ...]]:
    """Bring a page from wherever it stands to whole: each step is noted before the next begins."""
    page, skipped = row.page, row.skipped
    if page is None:
        page, skipped = find_or_create(row, draft, tracker)
        stores.tasks.paged(row, page, skipped)
    tracker.complete(page, draft)
    stores.tasks.created(row)
    return page, skipped


def find_or_create(row: TaskRow, draft: Draft, tracker: Tracker) -> tuple[Page, tuple[str, ...]]:
    """Create a page. One that was begun before is looked for first, and so is one whose creation got no answer."""
    begun = None if row.is_new else tracker.find(draft, row.created_at)
    if begun:
        return begun, ()
    try:
        return tracker.create(draft)
    except Unanswered:
        found = tracker.find(draft, row.created_at)
        if found is None:
            raise
        return found, ()


def draft(planned: PlannedTask, thread: Thread, analysis: Analysis) -> Draft:
    """Put together what a page shows."""
    return Draft(
        key=planned.key,
        task=planned.task,
        analysis=analysis,
        title=thread.title,
        source_name=thread.configured.parsed.ref.source.value.capitalize(),
        source_url=thread.url,
        messages=thread.messages,
    )


def missing(task: DetectedTask, output: str, error: PipelineError) -> Missing:
    """Say which task could not be made where, and why."""
    return Missing(title=task.title, output=output, reason=error.reason, message=error.message)


def give_up_or_retry(made: Sequence[MadeTask], errors: Sequence[PipelineError], job: Job) -> None:
    """Raise what stands in the way, unless another try would not help and something has been made."""
    waits = [error for error in errors if isinstance(error, Transient)]
    for error in waits:
        if not job.is_last_attempt or (error.retry_after and error.retry_after > LONGEST_WAIT):
            raise error
    if errors and not made:
        raise errors[0]
