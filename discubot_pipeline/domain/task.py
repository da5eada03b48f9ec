"""A task and the page that shows it: made once, whatever dies in between."""

import unicodedata
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from discubot_pipeline.domain.analysis import Analysis, DetectedTask
from discubot_pipeline.domain.discussion import NAMESPACE
from discubot_pipeline.domain.job import Value


class TaskState(StrEnum):
    """creating is committed before the tracker is called: after a crash the page is looked up first."""

    CREATING = "creating"
    CREATED = "created"
    FAILED = "failed"


def fingerprint(title: str) -> str:
    """Reduce a title to its words, so that the same task found again is known again; one without words is itself."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", title).casefold())
    words = "".join(character if belongs_to_word(character) else " " for character in text).split()
    return " ".join(word for word in words if any(map(str.isalnum, word))) or text.strip()


def belongs_to_word(character: str) -> bool:
    """Tell letters and digits, with the marks that many scripts write vowels and tones with, from what is between."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def task_key(discussion_id: UUID, output_id: UUID, title: str) -> str:
    """Name a task's page before it exists: the same task in the same output gives the same key (36 characters)."""
    return str(uuid5(NAMESPACE, f"{discussion_id}\n{output_id}\n{fingerprint(title)}"))


class Page(Value):
    """A page in the tracker."""

    id: str
    url: str
    created_at: datetime


class TaskRow(Value):
    """One row of the tasks table; `is_new` when it was written just now."""

    id: UUID
    key: str
    state: TaskState
    output_id: UUID | None
    run_id: str | None
    task_index: int
    title: str
    page_id: str | None = None
    page_url: str | None = None
    page_created_at: datetime | None = None
    skipped: tuple[str, ...] = ()
    reason: str | None = None
    created_at: datetime
    is_new: bool = False

    @property
    def page(self) -> Page | None:
        """Give the page, once there is one."""
        if self.page_id is None or self.page_url is None or self.page_created_at is None:
            return None
        return Page(id=self.page_id, url=self.page_url, created_at=self.page_created_at)


class Missing(Value):
    """A task that could not be made, and why."""

    title: str
    output: str
    reason: str
    message: str


class MadeTask(Value):
    """A task that stands in the tracker. `is_new` is false when an earlier run made it; `skipped` names what could not
    be set on its page.
    """

    title: str
    page_id: str
    url: str
    is_new: bool = True
    skipped: tuple[str, ...] = ()


class CreatedTasks(Value):
    """Output of create_tasks."""

    analysis: Analysis
    made: tuple[MadeTask, ...] = ()
    missing: tuple[Missing, ...] = ()

    @property
    def new(self) -> tuple[MadeTask, ...]:
        """List the tasks that this job made."""
        return tuple(task for task in self.made if task.is_new)


class PlannedTask(Value):
    """A task on its way to one output."""

    index: int
    output_id: UUID
    key: str
    task: DetectedTask
