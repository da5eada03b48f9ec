"""What the UI shows of each stage's value: numbers to plot, links to follow, and no more text than it should."""

from typing import Any

import dagster as dg
import pytest
from pydantic import BaseModel

from discubot_pipeline.defs.metadata import describe
from discubot_pipeline.domain.task import CreatedTasks
from tests.defs import values


def shown(value: BaseModel) -> dict[str, Any]:
    """Give the metadata as plain values."""
    return {name: each.value if isinstance(each, dg.MetadataValue) else each for name, each in describe(value).items()}


@pytest.mark.parametrize("value", values.ALL, ids=values.name_of)
def test_every_value_is_something_that_dagster_can_show(value: BaseModel) -> None:
    """Each has at least one entry, and Dagster takes them all."""
    assert describe(value)
    dg.Output(value, metadata=describe(value))


def test_a_thread_shows_its_size_and_where_it_is() -> None:
    """Its text stays where it is; a thread without a link has none."""
    linked = values.THREAD.model_copy(update={"url": "https://paper.example/C1"})
    assert shown(linked) == {"thread": "https://paper.example/C1", "title": "A plan", "messages": 1, "people": 1}
    assert "thread" not in shown(values.THREAD)
    assert "quoted" not in str(shown(linked))


def test_an_analysis_shows_what_it_cost_and_whether_it_was_degraded() -> None:
    """Numbers are numbers, so that they can be plotted over runs."""
    entries = shown(values.ANALYSIS)
    assert (entries["tasks"], entries["confidence"], entries["cost (USD)"]) == (1, 0.25, 0.0123)
    assert (entries["analyst"], entries["degraded"]) == ("rules", True)
    assert entries["titles"] == "- Fix the plan"


def test_created_tasks_show_their_pages_as_links() -> None:
    """New, old and missing ones are counted apart."""
    entries = describe(values.CREATED)
    assert (entries["created"], entries["there already"], entries["missing"]) == (1, 1, 1)
    assert entries["page 1"] == dg.MetadataValue.url("https://pages.example/p1")


def test_a_hundred_pages_do_not_flood_the_event() -> None:
    """Twenty links are enough."""
    many = CreatedTasks(analysis=values.ANALYSIS, made=(values.MADE,) * 100)
    assert sum(name.startswith("page") for name in describe(many)) == 20
    assert describe(many)["created"] == 100
