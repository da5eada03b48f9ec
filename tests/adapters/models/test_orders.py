"""Words beside a mention become tasks, whatever the model makes of them."""

import pytest

from discubot_pipeline.adapters.models.answer import Answer
from discubot_pipeline.adapters.models.guards import findings_of
from discubot_pipeline.adapters.models.orders import obeyed
from tests.adapters.analyst_conformance import LINES, brief
from tests.adapters.models.asking import Json, task, told


def titles(instruction: str, *tasks: Json) -> list[str]:
    """Give the titles that come of an instruction and what the model answered to it."""
    said = brief(*LINES, instruction=instruction)
    return [each.title for each in obeyed(findings_of(Answer.model_validate(told(*tasks)), said), said).tasks]


@pytest.mark.parametrize("instruction", ["fix the header", "please fix the header!", "can you fix the header?"])
def test_an_order_that_the_model_passed_over_is_added(instruction: str) -> None:
    """At least one task comes of what was asked directly."""
    assert titles(instruction) == ["Fix the header"]
    assert titles(instruction, task(title="Update the docs", evidence=4)) == ["Fix the header", "Update the docs"]


@pytest.mark.parametrize(
    "known", [task(title="Repair the page header", evidence=5), task(title="Fix the site's header", evidence=None)]
)
def test_an_order_that_the_model_understood_is_left_alone(known: Json) -> None:
    """A task of that message, or of the same words, is the order's."""
    assert titles("fix the header", known) == [known["title"]]


def test_a_forced_task_has_exactly_its_words() -> None:
    """“task: …” is one task; what the model says of it is taken over, its other tasks are not."""
    answer = [task(title="Talk to the bank", priority="high", evidence=5), task(title="Fix the button", evidence=2)]
    assert titles("task: talk to the bank", *answer) == ["Talk to the bank"]
    said = brief(*LINES, instruction="task: talk to the bank")
    [only] = obeyed(findings_of(Answer.model_validate(told(*answer)), said), said).tasks
    assert (only.priority, only.evidence) == ("high", "4")


@pytest.mark.parametrize("instruction", ["summarize this", "please create tasks", "read this thread", "thanks!"])
def test_a_mention_that_asks_to_read_adds_nothing(instruction: str) -> None:
    """The thread's own tasks are all there is."""
    assert titles(instruction, task(title="Fix the button", evidence=2)) == ["Fix the button"]
    assert titles(instruction) == []
