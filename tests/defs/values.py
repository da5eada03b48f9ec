"""One value of each stage, with everything in it that could get lost on its way through a row."""

from datetime import UTC, date, datetime
from uuid import UUID

from pydantic import BaseModel

from discubot_pipeline.domain.analysis import Analysis, DetectedTask, Findings, Priority, Sentiment, TaskType
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import (
    Attachment,
    Author,
    ConfiguredDiscussion,
    Message,
    ParsedDiscussion,
    Thread,
    ThreadRef,
)
from discubot_pipeline.domain.job import Outcome, RunOutcome, Trigger
from discubot_pipeline.domain.task import CreatedTasks, MadeTask, Missing

ID = UUID("25c64f6d-109e-54de-85dc-bd05316f5b76")
PARSED = ParsedDiscussion(
    team_id=ID,
    team_name="acme",
    discussion_id=ID,
    ref=ThreadRef(source=SourceType.SLACK, thread_id="C1:1.1", source_config_id=ID),
    trigger=Trigger.WEBHOOK,
    delivery_ids=(1, 2),
    mention_ids=("1.2",),
    instruction="task: be quick",
    resume_from="an-earlier-run",
)
CONFIGURED = ConfiguredDiscussion(parsed=PARSED, config_version=3, url="https://paper.example/C1:1.1")
MESSAGE = Message(
    id="1.1",
    author=Author(id="U1", name="Zoë 🎉", handle="zoe", email="zoe@acme.example", time_zone="Europe/Paris"),
    text='a "quoted" line\nand \\ another, \u2028 with 👍 and <tags>',
    sent_at=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
    attachments=(Attachment(name="plan.pdf", url="https://files.example/1", kind="application/pdf"),),
)
THREAD = Thread(configured=CONFIGURED, title="A plan", url=None, messages=(MESSAGE,), mentions=(MESSAGE,))
TASK = DetectedTask(
    title="Fix the plan",
    description="It is wrong.",
    action_items=("read it", "mend it"),
    priority=Priority.URGENT,
    type=TaskType.BUG,
    assignee="Zoë 🎉",
    due_date=date(2026, 3, 6),
    tags=("plan",),
    evidence="1.1",
)
FINDINGS = Findings(
    summary="A plan is wrong", key_points=("wrong",), sentiment=Sentiment.NEGATIVE, confidence=0.25, tasks=(TASK,)
)
ANALYSIS = Analysis(discussion_id=ID, findings=FINDINGS, analyst="rules", degraded=True, cost_usd=0.0123)
MADE = MadeTask(title="Fix the plan", page_id="p1", url="https://pages.example/p1", skipped=("assignee",))
OLD = MadeTask(title="Read the plan", page_id="p2", url="https://pages.example/p2", is_new=False)
MISSING = Missing(title="Burn the plan", output="tasks", reason="validation", message="no fire")
CREATED = CreatedTasks(analysis=ANALYSIS, made=(MADE, OLD), missing=(MISSING,))
OUTCOME = Outcome(outcome=RunOutcome.PARTIAL, reply="⚠️ 1 of 2", reason="validation")
ALL: list[BaseModel] = [PARSED, CONFIGURED, THREAD, ANALYSIS, CREATED, OUTCOME]


def name_of(value: BaseModel) -> str:
    """Name a value by its type, for pytest."""
    return type(value).__name__
