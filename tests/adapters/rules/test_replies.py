"""What replies add to work: a taker, a day, a priority, its steps."""

from datetime import date

from tests.adapters.rules.briefs import only, tasks


def test_promise_to_repair_makes_a_task_of_the_report() -> None:
    """A fault that somebody takes is a bug with an owner and a day."""
    task = only(
        ("Ann", "The checkout page crashes on Safari when the cart is empty"),
        ("Bob", "I can take that, will have a fix by tomorrow"),
        ("Ann", "Thanks! This is a blocker."),
    )
    assert task.title == "Fix the checkout page crashing on Safari when the cart is empty"
    assert (task.assignee, task.due_date, task.priority, task.type) == ("Bob", date(2026, 3, 12), "urgent", "bug")


def test_taker_names_one_of_several_faults() -> None:
    """ "I'll take the button" means the point about the button."""
    task = only(
        ("Ann", "Three things left:\n1. The Pay button is cut off\n2. The mail is old\n3. The docs say v1"),
        ("Bob", "I can take the button, it is just the footer"),
    )
    assert (task.title, task.assignee) == ("Fix the Pay button being cut off", "Bob")


def test_taker_of_all() -> None:
    """ "I'll do these" takes everything of the last message."""
    found = tasks(("Ann", "TODO:\n- fix the header\n- update the footer"), ("Bob", "I'll do these tomorrow"))
    assert {task.assignee for task in found} == {"Bob"}
    assert {task.due_date for task in found} == {date(2026, 3, 12)}


def test_steps_of_a_bug() -> None:
    """What "we need to" says about it becomes its action items."""
    task = only(
        ("Ann", "Bug: login crashes with a 500"),
        ("Bob", "We need to encode it as UTF-8 & add a test for it."),
        ("Ann", "Can you do that until Friday, @Bob? It is high priority."),
        ("Bob", "Yes, I'll do it."),
    )
    assert task.action_items == ("Encode it as UTF-8", "Add a test")
    assert (task.assignee, task.due_date, task.priority) == ("Bob", date(2026, 3, 13), "high")


def test_answer_to_who() -> None:
    """ "Who wants to do that?" – "me"."""
    lines = (("Ann", "We have to cancel the old contract until end of month. Who wants to do that?"), ("Bob", "me"))
    assert (only(*lines).assignee, only(*lines).due_date) == ("Bob", date(2026, 3, 31))


def test_taker_who_also_says_what() -> None:
    """ "I'll add it this week" takes the alert that was asked for."""
    task = only(("Ann", "We should set up an alert for disk usage"), ("Bob", "agreed, I'll add it this week"))
    assert (task.title, task.assignee, task.due_date) == (
        "Set up an alert for disk usage",
        "Bob",
        date(2026, 3, 13),
    )


def test_done_with_more_words() -> None:
    """ "Done, staging is back" finishes what was promised."""
    assert tasks(("Bob", "I'll clean up the old logs"), ("Bob", "done, staging is back")) == ()


def test_far_replies_mean_something_else() -> None:
    """A "done" forty sentences later is about other things."""
    talk = tuple(("Cat", "The weather was nice.") for _ in range(40))
    assert len(tasks(("Ann", "Please update the docs"), *talk, ("Bob", "done"))) == 1
