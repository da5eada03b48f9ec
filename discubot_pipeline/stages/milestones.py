"""What people are told while a job runs and when it is over, in their words."""

from pydantic import BaseModel

from discubot_pipeline.domain.analysis import Analysis
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.job import Outcome, Stage
from discubot_pipeline.domain.task import CreatedTasks

DOING = {
    Stage.INGESTION: "Looking at what was asked",
    Stage.CONFIG_LOADING: "Loading the settings",
    Stage.THREAD_BUILDING: "Reading the thread",
    Stage.AI_ANALYSIS: "Finding out what is to be done",
    Stage.TASK_CREATION: "Making pages",
    Stage.NOTIFICATION: "Telling the thread",
}
"""What a stage is at."""


def milestone(value: BaseModel) -> str | None:
    """Say what a stage has brought; None when nobody waits for it."""
    match value:
        case Thread():
            return f"{read(value)} read"
        case Analysis(degraded=True):
            return f"{found(value)} by the built-in rules, as the language model failed ({value.degraded_reason})"
        case Analysis():
            return found(value)
        case CreatedTasks():
            return made(value)
        case _:
            return None


def counts(value: BaseModel) -> dict[str, int]:
    """Count what a stage has brought, for the job's outcome. Pages are counted as they are made."""
    match value:
        case Thread():
            return {"messages": len(value.messages), "people": len(value.participants)}
        case Analysis():
            return {"tasks": len(value.findings.tasks)}
        case _:
            return {}


def sentence(thread: Thread, created: CreatedTasks, outcome: Outcome) -> str:
    """Sum a whole job up."""
    told = f"{found(created.analysis)} in {read(thread)}"
    told += f": {made(created)}" if created.made or created.missing else ""
    unsaid = outcome.reason and outcome.reason not in {missing.reason for missing in created.missing}
    return f"{told}; the answer could not be posted ({outcome.reason})." if unsaid else f"{told}."


def news(outcome: Outcome) -> str:
    """Sum up a job that followed a page."""
    if outcome.reply:
        return "Told the thread that its task is done."
    return "Noted how the page stands; there was nothing to tell."


def read(thread: Thread) -> str:
    """Say how much was read."""
    return f"{number(len(thread.messages), 'message')} by {number(len(thread.participants), 'person', 'people')}"


def found(analysis: Analysis) -> str:
    """Say how much was found."""
    return f"{number(len(analysis.findings.tasks), 'task')} found"


def made(created: CreatedTasks) -> str:
    """Say how many pages stand where."""
    old = len(created.made) - len(created.new)
    parts = [f"{number(len(created.new), 'page')} made"]
    parts += [f"{old} there already"] if old else []
    parts += [f"{len(created.missing)} missing"] if created.missing else []
    return ", ".join(parts)


def number(count: int, one: str, many: str | None = None) -> str:
    """Write a number of things."""
    return f"{count} {one if count == 1 else many or one + 's'}"
