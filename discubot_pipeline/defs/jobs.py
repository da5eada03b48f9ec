"""The jobs: six ops for a discussion, one for a page, the import of old threads, the clean-up, and hooks."""

import dagster as dg

from discubot_pipeline.defs import ops
from discubot_pipeline.defs.backfill import import_threads
from discubot_pipeline.defs.cleanup import remove_old
from discubot_pipeline.defs.deliver import tell_hooks
from discubot_pipeline.defs.hooks import close_failure
from discubot_pipeline.defs.status import follow_page
from discubot_pipeline.domain.job import Scope
from discubot_pipeline.tracking.origin import SCOPE

CLASS = "discubot/class"


@dg.job(
    executor_def=dg.in_process_executor,
    hooks={close_failure},
    tags={CLASS: "discussion"},
    description="Turns one thread into tasks: read it, find what is to be done, make pages, answer.",
)
def discussion_job() -> None:
    """Wire the six stages."""
    thread = ops.build_thread(ops.load_config(ops.validate_discussion()))
    ops.finalize_discussion(thread, ops.create_tasks(thread, ops.analyze_thread(thread)))


@dg.job(
    executor_def=dg.in_process_executor,
    hooks={close_failure},
    tags={CLASS: "chat"},
    description="Follows a task's page: notes its status, and says in the source thread when it is done.",
)
def status_job() -> None:
    """Wire the one op."""
    follow_page()


@dg.job(
    executor_def=dg.in_process_executor,
    tags={CLASS: "maintenance", SCOPE: Scope.SYSTEM.value},
    description="Removes jobs and payloads that are older than their retention.",
)
def retention_job() -> None:
    """Wire the clean-up."""
    remove_old()


@dg.job(
    executor_def=dg.in_process_executor,
    hooks={close_failure},
    tags={CLASS: "maintenance"},
    description="Imports threads of the past; they are worked on by runs of their own, after all that is new.",
)
def backfill_job() -> None:
    """Wire the import."""
    import_threads()


@dg.job(
    executor_def=dg.in_process_executor,
    tags={CLASS: "chat", SCOPE: Scope.SYSTEM.value},
    description="Tells the hooks of teams which jobs have ended.",
)
def hooks_job() -> None:
    """Wire the delivery."""
    tell_hooks()
