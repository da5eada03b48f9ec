"""What replies add to work: a taker, a day, a priority, its steps."""

from datetime import date

from tests.adapters.rules.briefs import only, tasks


def test_taker_of_all() -> None:
    """ "I'll do these" takes everything of the last message."""
    found = tasks(("Ann", "TODO:\n- fix the header\n- update the footer"), ("Bob", "I'll do these tomorrow"))
    assert {task.assignee for task in found} == {"Bob"}
    assert {task.due_date for task in found} == {date(2026, 3, 12)}


def test_answer_to_who() -> None:
    """ "Who wants to do that?" – "me"."""
    lines = (("Ann", "We have to cancel the old contract until end of month. Who wants to do that?"), ("Bob", "me"))
    assert (only(*lines).assignee, only(*lines).due_date) == ("Bob", date(2026, 3, 31))


def test_done_with_more_words() -> None:
    """ "Done, staging is back" finishes what was promised."""
    assert tasks(("Bob", "I'll clean up the old logs"), ("Bob", "done, staging is back")) == ()
