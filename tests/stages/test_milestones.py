"""What people are told of a job: numbers with their words, and one sentence at the end."""

import pytest

from discubot_pipeline.domain.analysis import Analysis
from discubot_pipeline.domain.discussion import Author, Thread
from discubot_pipeline.domain.job import Outcome, RunOutcome
from discubot_pipeline.domain.task import CreatedTasks, MadeTask, Missing
from discubot_pipeline.stages.milestones import counts, milestone, sentence
from tests.defs import values


def thread(messages: int, people: int) -> Thread:
    """Give a thread of some messages by some people."""
    authors = [Author(id=f"U{number}", name=f"Person {number}") for number in range(people)]
    said = [
        values.MESSAGE.model_copy(update={"id": str(number), "author": authors[number % people]})
        for number in range(messages)
    ]
    return values.THREAD.model_copy(update={"messages": tuple(said)})


def analysis(tasks: int, **more: object) -> Analysis:
    """Give an analysis that found some tasks."""
    findings = values.FINDINGS.model_copy(update={"tasks": (values.TASK,) * tasks})
    return values.ANALYSIS.model_copy(update={"findings": findings, "degraded": False} | more)


def created(new: int = 0, old: int = 0, missing: int = 0) -> CreatedTasks:
    """Give pages that were made, were there already, and are missing."""
    made: tuple[MadeTask, ...] = (values.MADE,) * new + (values.OLD,) * old
    gone: tuple[Missing, ...] = (values.MISSING,) * missing
    return CreatedTasks(analysis=analysis(new + old + missing), made=made, missing=gone)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (thread(12, 4), "12 messages by 4 people read"),
        (thread(1, 1), "1 message by 1 person read"),
        (analysis(3), "3 tasks found"),
        (analysis(1), "1 task found"),
        (
            analysis(2, degraded=True, degraded_reason="rate_limited"),
            "2 tasks found by the built-in rules, as the language model failed (rate_limited)",
        ),
        (created(2, missing=1), "2 pages made, 1 missing"),
        (created(1, old=2), "1 page made, 2 there already"),
        (created(), "0 pages made"),
        (values.PARSED, None),
        (values.OUTCOME, None),
    ],
)
def test_a_milestone_is_what_a_stage_has_brought(value: Thread, words: str | None) -> None:
    """Singular where it is one; nothing where nobody waits for it."""
    assert milestone(value) == words


def test_what_was_read_and_found_is_counted() -> None:
    """Pages are counted as they are made."""
    assert counts(thread(12, 4)) == {"messages": 12, "people": 4}
    assert counts(analysis(3)) == {"tasks": 3}
    assert counts(created(2)) == {}


@pytest.mark.parametrize(
    ("pages", "reason", "words"),
    [
        (created(2, missing=1), "validation", "3 tasks found in 12 messages by 4 people: 2 pages made, 1 missing."),
        (created(), None, "0 tasks found in 12 messages by 4 people."),
        (
            created(1),
            "not_in_channel",
            "1 task found in 12 messages by 4 people: 1 page made; the answer could not be posted (not_in_channel).",
        ),
    ],
    ids=["partial", "nothing", "unanswered"],
)
def test_a_job_is_summed_up_in_one_sentence(pages: CreatedTasks, reason: str | None, words: str) -> None:
    """With what is missing, and whether people were told."""
    assert sentence(thread(12, 4), pages, Outcome(outcome=RunOutcome.PARTIAL, reason=reason)) == words
