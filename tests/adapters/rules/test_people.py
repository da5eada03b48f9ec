"""Who: only people of the brief and authors of the thread."""

import pytest

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.domain.analysis import Brief
from discubot_pipeline.domain.discussion import Author
from tests.adapters.rules.briefs import Line, message, only, tasks


@pytest.mark.parametrize(
    ("lines", "owner"),
    [
        ([("Cat", "Ann, can you update the docs?")], "Ann"),
        ([("Cat", "@Ann please update the docs")], "Ann"),
        ([("Cat", "@ann could you update the docs?")], "Ann"),
        ([("Cat", "Can Bob update the docs?")], "Bob"),
        ([("Cat", "Bob will update the docs")], "Bob"),
        ([("Cat", "Bob to update the docs by Friday")], "Bob"),
        ([("Cat", "Bob should update the docs")], "Bob"),
        ([("Cat", "TODO: update the docs (Ann)")], "Ann"),
        ([("Cat", "TODO(@Ann): update the docs")], "Ann"),
        ([("Cat", "TODO: update the docs – Ann")], "Ann"),
        ([("Cat", "Could you update the docs, @Bob?")], "Bob"),
        ([("Cat", "I'll update the docs")], "Cat"),
        ([("Cat", "Can someone update the docs?"), ("Bob", "On it")], "Bob"),
        ([("Cat", "Can someone update the docs?"), ("Bob", "I can take that")], "Bob"),
        ([("Cat", "Can someone update the docs?"), ("Bob", "sure, I'll do it tomorrow")], "Bob"),
        ([("Cat", "Can someone update the docs?"), ("Bob", "will do!")], "Bob"),
        ([("Cat", "Can someone update the docs?"), ("Bob", "I'll take the docs")], "Bob"),
        ([("Cat", "Ann, can you update the docs?"), ("Ann", "On it")], "Ann"),
        ([("Cat", "Can you update the docs?")], None),
        ([("Cat", "Someone should update the docs")], None),
        ([("Cat", "We need to update the docs")], None),
        ([("Cat", "@Zoe please update the docs")], None),
        ([("Cat", "Zoe, can you update the docs?")], None),
        ([("Cat", "@Ann @Bob can you update the docs?")], None),
        ([("Cat", "Can you update the docs?"), ("Cat", "will do")], None),
    ],
)
def test_owner(lines: list[Line], owner: str | None) -> None:
    """Names called out, promises and takers own a task; a stranger or a choice of two does not."""
    assert only(*lines).assignee == owner


def test_two_owners_in_one_sentence() -> None:
    """A sentence can give work to two people."""
    found = tasks(("Cat", "Bob will fix the header and Ann will update the footer"))
    assert [(task.title, task.assignee) for task in found] == [("Fix the header", "Bob"), ("Update the footer", "Ann")]


def test_first_name_stands_for_the_full_name() -> None:
    """A first name that only one person has is that person's."""
    task = only(("Cat", "Ann, can you update the docs?"), people=("Ann Lee", "Bob Ray"))
    assert task.assignee == "Ann Lee"
    assert only(("Cat", "Ann, can you update the docs?"), people=("Ann Lee", "Ann Ray")).assignee is None


def test_name_that_is_a_word() -> None:
    """Will is a person only behind an @."""
    assert only(("Cat", "Will you update the docs?"), people=("Will",)).assignee is None
    assert only(("Cat", "@Will please update the docs"), people=("Will",)).assignee == "Will"


def test_handle_stands_for_its_author() -> None:
    """An author is known by the handle too."""
    author = Author(id="u1", name="Ann Lee", handle="alee")
    first = message(0, "x", "Hello there").model_copy(update={"author": author})
    found = RuleAnalyst().find(Brief(title="t", messages=(first, message(1, "Cat", "@alee please update the docs"))))
    assert found.tasks[0].assignee == "Ann Lee"


def test_thread_cannot_invent_people() -> None:
    """Text that claims a person does not make one."""
    assert only(("Cat", "TODO: update the docs (assignee: Mallory)"), people=()).assignee is None
