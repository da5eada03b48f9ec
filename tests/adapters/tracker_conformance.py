"""What every Tracker has to do. A tracker's tests subclass `TrackerConformance` and bring a `rig` fixture."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import pytest

from discubot_pipeline.domain.analysis import Analysis, DetectedTask, Findings, Priority, TaskType
from discubot_pipeline.domain.discussion import Author, Message
from discubot_pipeline.domain.errors import Permanent, Transient, Unanswered
from discubot_pipeline.domain.task import Page
from discubot_pipeline.ports import Draft, Tracker

STARTED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ANNA = Author(id="U0ANNA", name="Anna de Vries", handle="anna", email="anna@acme.example")
BEN = Author(id="U0BEN", name="Ben Carter", handle="ben")
TASK = DetectedTask(
    title="Fix the header",
    description="The header overlaps the menu on phones.",
    action_items=("Measure the header", "Ship the fix"),
    priority=Priority.HIGH,
    type=TaskType.BUG,
    assignee="Anna de Vries",
    due_date=date(2026, 12, 1),
    tags=("web", "phone"),
)
FINDINGS = Findings(summary="The header is broken.", key_points=("Only on phones",), confidence=0.8)


def make_message(number: int = 1, text: str | None = None, **changes: Any) -> Message:
    """Make one message of a thread; its text names its number."""
    known: dict[str, Any] = {
        "id": f"m{number}",
        "author": (ANNA, BEN)[number % 2],
        "text": f"message {number}" if text is None else text,
        "sent_at": STARTED + timedelta(minutes=number),
        "url": f"https://acme.slack.example/archives/C1/p{number}",
    }
    return Message(**(known | changes))


def make_draft(
    messages: Sequence[Message] | int = 3,
    *,
    task: DetectedTask = TASK,
    findings: Findings = FINDINGS,
    key: str | None = None,
    source_url: str | None = "https://acme.slack.example/archives/C1/p1",
) -> Draft:
    """Make a draft with a key of its own; `messages` may just say how many."""
    said = tuple(map(make_message, range(messages))) if isinstance(messages, int) else tuple(messages)
    return Draft(
        key=key or str(uuid4()),
        task=task,
        analysis=Analysis(discussion_id=UUID(int=7), findings=findings, analyst="rules"),
        title="Header on phones",
        source_name="Slack",
        source_url=source_url,
        messages=said,
    )


class Rig(Protocol):
    """A tracker's service as the suite handles it."""

    def tracker(self) -> Tracker:
        """Give a new tracker of the same output: what an earlier one remembered is gone."""
        ...

    def stranger(self) -> Tracker:
        """Give a tracker whose token is refused."""
        ...

    def lose_answer(self) -> None:
        """Let the next creation be carried out, but its answer be lost."""
        ...

    def break_append(self, after: int) -> None:
        """Let every append fail but the first so many."""
        ...

    def mend(self) -> None:
        """Let everything work again."""
        ...

    def ask_for_pause(self, seconds: int) -> None:
        """Let the next creation be refused for so many seconds."""
        ...

    def page_count(self) -> int:
        """Count the pages that exist."""
        ...

    def texts(self, page: Page) -> list[str]:
        """Read the text of a page's top-level blocks, in order."""
        ...


class TrackerConformance:
    """The suite: subclass it as `Test…` in a module with a `rig` fixture."""

    def test_find_before_create(self, rig: Rig) -> None:
        """A draft that was never made is not found."""
        assert rig.tracker().find(make_draft(), long_ago()) is None

    def test_create_then_find(self, rig: Rig) -> None:
        """A page is found again by another process, and no other draft is taken for it."""
        draft = make_draft()
        page, _ = rig.tracker().create(draft)
        assert rig.tracker().find(draft, long_ago()) == page
        assert rig.tracker().find(make_draft(), long_ago()) is None

    def test_complete_is_idempotent(self, rig: Rig) -> None:
        """Completing again, here or in another process, adds nothing."""
        draft, tracker = make_draft(), rig.tracker()
        page, _ = tracker.create(draft)
        tracker.complete(page, draft)
        whole = rig.texts(page)
        tracker.complete(page, draft)
        rig.tracker().complete(page, draft)
        assert rig.texts(page) == whole

    def test_long_thread(self, rig: Rig) -> None:
        """A thread of 300 messages is complete and in order, one block each."""
        draft, tracker = make_draft(300), rig.tracker()
        page, _ = tracker.create(draft)
        tracker.complete(page, draft)
        assert messages_of(rig.texts(page)) == list(range(300))

    def test_interrupted_append(self, rig: Rig) -> None:
        """A page whose making stopped half-way is completed by another process, without gap or repetition."""
        draft, tracker = make_draft(300), rig.tracker()
        page, _ = tracker.create(draft)
        rig.break_append(after=1)
        with pytest.raises(Transient):
            tracker.complete(page, draft)
        rig.mend()
        rig.tracker().complete(page, draft)
        assert messages_of(rig.texts(page)) == list(range(300))

    def test_lost_answer(self, rig: Rig) -> None:
        """When the answer to a creation is lost the outcome is unknown, and looking finds the page."""
        draft = make_draft()
        rig.lose_answer()
        with pytest.raises(Unanswered):
            rig.tracker().create(draft)
        page = rig.tracker().find(draft, just_now())
        assert page is not None
        rig.tracker().complete(page, draft)
        assert rig.page_count() == 1
        assert messages_of(rig.texts(page)) == [0, 1, 2]

    def test_pause(self, rig: Rig) -> None:
        """A rate limit says how long to wait, and nothing was made."""
        rig.ask_for_pause(7)
        with pytest.raises(Transient) as refused:
            rig.tracker().create(make_draft())
        assert not isinstance(refused.value, Unanswered)
        assert refused.value.retry_after == timedelta(seconds=7)
        assert rig.page_count() == 0

    def test_bad_token(self, rig: Rig) -> None:
        """A refused token needs a person."""
        with pytest.raises(Permanent) as refused:
            rig.stranger().create(make_draft())
        assert refused.value.reason == "unauthorized"


def long_ago() -> datetime:
    """Give a time before everything that a test makes."""
    return datetime.now(UTC) - timedelta(hours=1)


def just_now() -> datetime:
    """Give the time at which a test asks for a page to be made, give or take a second."""
    return datetime.now(UTC)


def messages_of(texts: Sequence[str]) -> list[int]:
    """List the numbers of the messages on a page, in the page's order."""
    last_lines = (text.rsplit("\n", 1)[-1] for text in texts)
    return [int(line.split()[1]) for line in last_lines if line.startswith("message ")]
