"""A team whose Slack and Notion are in the sandbox, and the stages of its runs by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from discubot_pipeline.adapters.slackdoor import SlackDoor
from discubot_pipeline.domain.analysis import Analysis, DetectedTask, Findings
from discubot_pipeline.domain.config import Output, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Launch, SourceType
from discubot_pipeline.domain.discussion import ConfiguredDiscussion, ParsedDiscussion, Thread
from discubot_pipeline.domain.job import Job, Stage
from discubot_pipeline.outside import Adapters
from discubot_pipeline.stages.configure import configure
from discubot_pipeline.stages.gather import gather
from discubot_pipeline.stages.validate import validate
from discubot_pipeline.store.stores import Stores
from tests.adapters.notion_space import Workspace
from tests.adapters.slack_workspace import SlackHarness
from tests.conftest import Sandbox
from tests.store.samples import parsed_of

JOB = Job(run_id="run-1", root_run_id="run-1")


def job(run_id: str, root: str | None = None, **more: Any) -> Job:
    """Name a run."""
    return Job(run_id=run_id, root_run_id=root or run_id, **more)


@dataclass(frozen=True)
class Acme:
    """The team. What `say`, `ask` and the like do happens in the sandbox's Slack."""

    sandbox: Sandbox
    stores: Stores
    outside: Adapters
    slack: SlackHarness
    notion: Workspace
    config: SourceConfig
    output: Output

    def ask(self, *texts: str, words: str | None = "please fix the header") -> int:
        """Let people write a thread and mention the bot; gives the id of the delivery."""
        envelope = self.slack.ask(texts or ("The header breaks",), words)
        arrival = SlackDoor().open(self.config, {}, envelope)
        assert isinstance(arrival, Arrival)
        return self.stores.inboxes[SourceType.SLACK].store(self.config, arrival).id

    def parse(self, run: Job = JOB, **launch: Any) -> ParsedDiscussion:
        """Do the first stage, with the note that its op would write."""
        given = Launch(**launch)
        self.stores.notes.open(run.run_id, run.root_run_id, "webhook", {}, "0.1.0")
        parsed = validate(given, run, self.stores, self.outside)
        self.note(parsed, run)
        return parsed

    def note(self, parsed: ParsedDiscussion, run: Job = JOB) -> None:
        """Write what the op of a later stage would write."""
        self.stores.notes.open(run.run_id, run.root_run_id, "webhook", {}, "0.1.0")
        links = {"team_id": parsed.team_id, "discussion_id": parsed.discussion_id}
        self.stores.notes.stage(run.run_id, Stage.CONFIG_LOADING, **links)

    def configure(self, run: Job = JOB, **launch: Any) -> ConfiguredDiscussion:
        """Do the first two stages."""
        return configure(self.parse(run, **launch), run, self.stores, self.outside)

    def gather(self, run: Job = JOB, **launch: Any) -> Thread:
        """Do the first three stages."""
        return gather(self.configure(run, **launch), run, self.stores, self.outside)

    def held(self, run: Job = JOB, *texts: str) -> Thread:
        """Make a thread in Slack whose discussion a run holds, and read it."""
        stamps = self.slack.say(self.slack.channel, texts or ("The header breaks", "on phones"))
        parsed = parsed_of(self.config, f"{self.slack.channel}:{stamps[0]}")
        self.note(parsed, run)
        configured = configure(parsed, run, self.stores, self.outside)
        return gather(configured, run, self.stores, self.outside)

    @contextmanager
    def calls(self) -> Iterator[list[str]]:
        """List the calls that Slack and Notion get during a block, as in `POST /chat.postMessage`."""
        log = self.sandbox.control("GET", "/log")["calls"]
        since = log[-1]["seq"] if log else 0
        made: list[str] = []
        yield made
        later = self.sandbox.control("GET", f"/log?since={since}")["calls"]
        made += [f"{call['method']} {call['path']}" for call in later]

    def status_of(self, delivery_id: int) -> tuple[str, str | None, str | None]:
        """Read how a delivery stands: status, reason, run."""
        found = self.stores.inboxes[SourceType.SLACK].get(delivery_id, self.config.team_id)
        assert found is not None
        return found.status.value, found.reason, found.run_id


def analysis_of(thread: Thread, *titles: str, domain: str | None = None) -> Analysis:
    """Make an analysis that found so many tasks."""
    tasks = tuple(DetectedTask(title=title, domain=domain) for title in titles)
    findings = Findings(summary="The header breaks.", tasks=tasks)
    return Analysis(discussion_id=thread.configured.parsed.discussion_id, findings=findings, analyst="test")
