"""Launches by hand: what they may name, and what becomes of those that name it wrongly."""

from uuid import uuid4

import pytest

from tests.defs.workshop import Workshop


def test_a_wrong_uuid_fails_with_the_accepted_forms(workshop: Workshop) -> None:
    """The words quote what was given, and name what may be given."""
    ended = workshop.launch(discussion_id="the one from yesterday")
    assert (ended.status, workshop.note(ended.id).reason) == ("FAILURE", "bad_launch")
    assert "'the one from yesterday' is no UUID" in ended.why
    assert all(form in ended.why for form in ("delivery_ids", "discussion_id", "thread_url"))


def test_an_unknown_discussion_fails(workshop: Workshop) -> None:
    """A UUID alone is not enough."""
    unknown = uuid4()
    ended = workshop.launch(discussion_id=str(unknown))
    assert (ended.status, workshop.note(ended.id).reason) == ("FAILURE", "unknown_discussion")
    assert str(unknown) in ended.why


@pytest.mark.parametrize(
    "config",
    [{}, {"delivery_ids": [1], "thread_url": "https://paper.example/C1:1.1"}, {"thread_url": ""}],
    ids=["nothing", "two", "empty"],
)
def test_anything_but_one_form_fails_with_the_accepted_forms(workshop: Workshop, config: dict[str, object]) -> None:
    """A launch says exactly one thing."""
    ended = workshop.launch(**config)
    assert ended.why.startswith("give exactly one of: delivery_ids")
    assert workshop.note(ended.id).reason == "bad_launch"


def test_deliveries_of_two_threads_do_not_make_one_run(workshop: Workshop) -> None:
    """The run fails, and they stay as they are, for runs of their own."""
    ids = [workshop.deliver(), workshop.deliver("C1:2.2")]
    ended = workshop.launch(delivery_ids=ids)
    assert workshop.note(ended.id).reason == "mixed_deliveries"
    assert [workshop.delivery(id).status for id in ids] == ["pending", "pending"]


def test_a_second_launch_of_a_known_thread_makes_only_what_is_new(workshop: Workshop) -> None:
    """By its discussion's id, as a person does it later on."""
    workshop.launch(delivery_ids=[workshop.deliver()])
    workshop.paper.titles.append("Paint the wall")
    ended = workshop.launch(discussion_id=str(workshop.id))
    assert ended.tags["discubot/outcome"] == "completed"
    assert len(workshop.paper.pages) == 3
    assert workshop.note(ended.id).counters == {
        "messages": 1,
        "people": 1,
        "tasks": 3,
        "created": 1,
        "there_already": 2,
        "missing": 0,
    }
