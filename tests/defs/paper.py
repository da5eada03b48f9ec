"""The world outside on paper: sources, trackers and analysts that keep in memory what is done to them.

What a test wants to go wrong stands in `troubles` under the name of the call; each call takes the first of its own;
None lets one call pass.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings, Judgement, Usage
from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Challenge, Delivery, SourceType
from discubot_pipeline.domain.discussion import Author, Message
from discubot_pipeline.domain.explanation import Explanation, Wanted
from discubot_pipeline.domain.task import Page, Standing
from discubot_pipeline.ports import Draft, FetchedThread, Mark, Mention

ANNA = Author(id="U1", name="Anna", handle="anna")
SAID_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
URL = "https://paper.example/"
USAGE = Usage(prompt_tokens=100, answer_tokens=10, cost_usd=0.5)


@dataclass
class PaperClock:
    """A clock that a test may set ahead."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Give the time."""
        return datetime.now(UTC) + self.ahead


@dataclass
class Paper:
    """The whole world: what has been posted and made in it, and what shall go wrong."""

    titles: list[str] = field(default_factory=lambda: ["Fix the header", "Update the footer"])
    troubles: dict[str, list[Exception | None]] = field(default_factory=lambda: defaultdict(list))
    calls: list[str] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    marks: dict[str, list[Mark]] = field(default_factory=lambda: defaultdict(list))
    pages: dict[str, Page] = field(default_factory=dict)
    standings: dict[str, Standing | None] = field(default_factory=dict)
    clock: PaperClock = field(default_factory=PaperClock)

    def called(self, name: str) -> None:
        """Note a call, and go wrong where a test wants it."""
        self.calls.append(name)
        if self.troubles[name]:
            trouble = self.troubles[name].pop(0)
            if trouble:
                raise trouble

    def door(self, kind: SourceType) -> "PaperDoor":
        """Give the door of any source."""
        return PaperDoor(self, kind)

    def source(self, config: SourceConfig) -> "PaperSource":
        """Give the source of any config."""
        return PaperSource(self, config.source)

    def tracker(self, output: Output) -> "PaperTracker":
        """Give the tracker of any output."""
        return PaperTracker(self)

    def analyst(self, config: SourceConfig) -> "PaperAnalyst":
        """Give the analyst of any config."""
        return PaperAnalyst(self)

    def explainer(self, config: SourceConfig) -> "PaperExplainer":
        """Give the model of any config."""
        return PaperExplainer(self)

    def offline(self) -> "PaperAnalyst":
        """Give the analyst that needs nobody."""
        return PaperAnalyst(self, "rules")


@dataclass
class PaperDoor:
    """Knows the links of this world."""

    world: Paper
    kind: SourceType
    max_body: int = 1024

    def verify(self, config: SourceConfig, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Believe everything."""

    def open(self, config: SourceConfig, headers: Mapping[str, str], body: bytes) -> Arrival | Challenge:
        """Take a body for its delivery's name."""
        return Arrival(delivery_key=body.decode(), thread_id="C1:1.1", payload={"ts": "1.2"})

    def locate(self, config: SourceConfig, url: str) -> str | None:
        """Read the thread's id off the end of a link."""
        self.world.called("locate")
        return url.removeprefix(URL) if config.source is self.kind and url.startswith(URL) else None


@dataclass
class PaperSource:
    """A thread of one message, in which one may answer and react."""

    world: Paper
    kind: SourceType

    def read(self, delivery: Delivery) -> Mention:
        """Read which message asked."""
        payload = delivery.payload or {}
        return Mention(thread_id=delivery.thread_id or "", message_id=payload["ts"], instruction=payload.get("words"))

    def root(self, thread_id: str) -> str:
        """Give the thread id as it is."""
        return thread_id

    def fetch(self, thread_id: str, deliveries: Sequence[Delivery]) -> FetchedThread:
        """Give the thread."""
        self.world.called("fetch")
        said = Message(id="1.1", author=ANNA, text="The landing page looks tired", sent_at=SAID_AT)
        return FetchedThread(title="The landing page", url=f"{URL}{thread_id}", messages=(said,))

    def mark(self, thread_id: str, message_ids: Sequence[str], mark: Mark) -> None:
        """Keep a reaction."""
        self.world.called("mark")
        for message_id in message_ids or [thread_id]:
            if mark not in self.world.marks[message_id]:
                self.world.marks[message_id].append(mark)

    def reply(self, thread_id: str, text: str, key: str, is_retry: bool) -> None:
        """Keep an answer."""
        self.world.called("reply")
        self.world.replies[thread_id].append(text)

    def link(self, title: str, url: str) -> str:
        """Write a link."""
        return f"[{title}]({url})"

    def plain(self, text: str) -> str:
        """Write text."""
        return text


@dataclass
class PaperExplainer:
    """Explains every step in the same words."""

    world: Paper

    def explain(self, wanted: Wanted) -> Explanation:
        """Explain a step."""
        self.world.called("explain")
        return Explanation(text=f"Paper knows why {wanted.step} did it.", author="paper:1", usage=USAGE)


@dataclass
class PaperTracker:
    """Pages by their key."""

    world: Paper

    def find(self, draft: Draft, since: datetime) -> Page | None:
        """Look a page up."""
        self.world.called("find")
        return self.world.pages.get(draft.key)

    def create(self, draft: Draft) -> tuple[Page, tuple[str, ...]]:
        """Make a page; a second one of the same key is what must never happen."""
        self.world.called(f"create {draft.task.title}")
        assert draft.key not in self.world.pages
        page = Page(id=draft.key, url=f"{URL}pages/{draft.key}", created_at=SAID_AT)
        self.world.pages[draft.key] = page
        return page, ()

    def complete(self, page: Page, draft: Draft) -> None:
        """Leave a page as it is."""
        self.world.called("complete")

    def standing(self, page_id: str) -> Standing | None:
        """Read how a page stands."""
        self.world.called("standing")
        return self.world.standings.get(page_id, Standing(title="A page"))


@dataclass
class PaperAnalyst:
    """Finds what the world says."""

    world: Paper
    name: str = "paper"
    fingerprint: str | None = None

    def analyze(self, brief: Brief) -> Judgement:
        """Give the tasks."""
        self.world.called("analyze")
        tasks = tuple(DetectedTask(title=title) for title in self.world.titles)
        return Judgement(findings=Findings(summary="A tired page", tasks=tasks))
