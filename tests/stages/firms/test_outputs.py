"""A task goes to every output that wants its domain, else to the default; one that is down does not stop the others."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from unittest.mock import ANY

import pytest
import sqlalchemy as sa

from discubot_pipeline.admin.people import put
from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings, Judgement, Priority
from discubot_pipeline.domain.changes import NewPerson
from discubot_pipeline.domain.delivery import DeliveryStatus
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.job import RunOutcome
from discubot_pipeline.domain.task import TaskState
from discubot_pipeline.store.tables import discussions, inboxes, outputs, replies, tasks
from discubot_pipeline.wiring import Services
from tests.stages.firms.conftest import FirmOf
from tests.stages.firms.rig import SLACK, DomainAnalyst, Firm, World, retry, work_all
from tests.store.samples import change, rows

NAME = "Anna-of-the-stages"
ROOT = "1763760000.000100"
WORDS = "design: Draw the button\nbackend: Add an endpoint\nWrite to everybody"
OTHERS = ["Add an endpoint", "Write to everybody"]


@pytest.fixture
def here(services: Services) -> Iterator[Services]:
    """Give services whose analyst takes each line for a task of its domain."""
    with closing(World(services, DomainAnalyst())) as world:
        yield replace(services, outside=world)


@pytest.fixture
def acme(firm: FirmOf) -> Firm:
    """Give a team with people."""
    made = firm("acme")
    made.person("U1", NAME)
    made.say(ROOT, "What do we do about the launch?")
    return made


@pytest.mark.parametrize("is_read", [True, False], ids=["database", "page"])
def test_one_output_down_is_partial_and_a_retry_makes_the_rest(
    here: Services, acme: Firm, engine: sa.Engine, is_read: bool
) -> None:
    """The others are made, the answer says what is missing, and a retry makes that and nothing twice."""
    acme.output("tasks", is_default=True)
    acme.output("design", domains=("design",))
    acme.mention(ROOT, "1763760001.000100", WORDS)
    broken = {"match": acme.databases["design"], "times": None} if is_read else {"match": "^POST /pages$"}
    with acme.sandbox.fault(service="notion", kind="status", status=500, **broken):
        [first] = work_all(here)
    assert first.outcome.outcome is RunOutcome.PARTIAL
    assert (acme.titles("tasks"), acme.titles("design")) == (OTHERS, [])
    [said] = acme.answers(ROOT)
    assert "2 of 3 new tasks created" in said
    assert "Not created in design: Draw the button" in said
    assert all(f"|{title}>" in said for title in OTHERS)
    assert {row.title: (row.state, bool(row.notion_page_id)) for row in rows(engine, tasks)} == {
        "Draw the button": (TaskState.FAILED, False),
        **dict.fromkeys(OTHERS, (TaskState.CREATED, True)),
    }
    assert rows(engine, discussions)[0].status is DiscussionStatus.PARTIAL

    second = retry(here, first)
    assert second.outcome.outcome is RunOutcome.COMPLETED
    assert (acme.titles("tasks"), acme.titles("design")) == (OTHERS, ["Draw the button"])
    assert {row.state for row in rows(engine, tasks)} == {TaskState.CREATED}
    assert rows(engine, discussions)[0].status is DiscussionStatus.COMPLETED
    assert [row.status for row in rows(engine, inboxes[SLACK])] == [DeliveryStatus.DONE]
    assert len(acme.answers(ROOT)) == len(rows(engine, replies)) == 2


def test_two_outputs_of_one_domain_both_get_it(here: Services, acme: Firm, engine: sa.Engine) -> None:
    """A task has a page and a row in each; the answer links both."""
    acme.output("tasks", is_default=True)
    acme.output("design", domains=("design", "ux"))
    acme.output("studio", domains=("Design",))
    acme.mention(ROOT, "1763760001.000100", "design: Draw the button")
    [made] = work_all(here)
    assert [acme.titles(name) for name in ("tasks", "design", "studio")] == [
        [],
        ["Draw the button"],
        ["Draw the button"],
    ]
    assert len({row.key for row in rows(engine, tasks)}) == len(made.created.made) == 2
    assert acme.answers(ROOT)[0].count("|Draw the button>") == 2


def test_an_invented_domain_goes_to_the_default(here: Services, acme: Firm) -> None:
    """So does a task without one, and so does what an output that is switched off would have got."""
    acme.output("tasks", is_default=True)
    off = acme.output("design", domains=("design",))
    change(here.engine, outputs, outputs.c.id == off.id, active=False)
    acme.mention(ROOT, "1763760001.000100", "astrology: Read the stars\n" + WORDS)
    [made] = work_all(here)
    assert made.outcome.outcome is RunOutcome.COMPLETED
    assert acme.titles("tasks") == sorted([*OTHERS, "Draw the button", "Read the stars"])


def test_without_a_default_the_others_are_made(here: Services, acme: Firm) -> None:
    """A task that no output takes is told of; with none at all the run fails."""
    acme.output("design", domains=("design",))
    acme.mention(ROOT, "1763760001.000100", WORDS)
    [made] = work_all(here)
    assert (made.outcome.outcome, made.outcome.reason) == (RunOutcome.PARTIAL, "no_output")
    assert acme.titles("design") == ["Draw the button"]
    assert "Not created in any output: Write to everybody (no_output)" in acme.answers(ROOT)[0]
    acme.say("1763770000.000100", "And another thing")
    acme.mention("1763770000.000100", "1763770001.000100", "Write to everybody")
    with pytest.raises(Permanent, match="no_output"):
        work_all(here)


class TestAssignees:
    """Who gets a task."""

    def assigned(self, here: Services, acme: Firm, name: str) -> tuple[list[str], str]:
        """Have a task made for somebody; gives who got it, and the answer."""
        acme.output("tasks", is_default=True)
        acme.mention(ROOT, "1763760001.000100", "Draw the button")
        with closing(World(here, Assigning(name))) as world:
            work_all(replace(here, outside=world))
        return acme.pages("tasks")[0]["properties"]["Assignee"], acme.answers(ROOT)[0]

    def test_what_people_said_goes_before_names(self, here: Services, acme: Firm) -> None:
        """A person who is somebody else in Notion gets it there."""
        user = acme.sandbox.control("POST", "/notion/users", {"name": "A. Vries"})["id"]
        put(here.stores, acme.config, NewPerson(source_user_id="U1", notion_user_id=user), "anna")
        assert self.assigned(here, acme, NAME) == (["A. Vries"], ANY)

    def test_who_is_mapped_need_not_have_written(self, here: Services, acme: Firm) -> None:
        """By the name that the mapping has."""
        user = acme.sandbox.control("POST", "/notion/users", {"name": "Z. Zed"})["id"]
        put(here.stores, acme.config, NewPerson(source_user_id="U9", name="Zoë", notion_user_id=user), "anna")
        assert self.assigned(here, acme, "zoë")[0] == ["Z. Zed"]

    def test_who_is_never_to_be_assigned(self, here: Services, acme: Firm) -> None:
        """Not even where Notion knows the name."""
        acme.sandbox.control("POST", "/notion/users", {"name": NAME})
        put(here.stores, acme.config, NewPerson(source_user_id="U1", active=False), "anna")
        who, said = self.assigned(here, acme, NAME)
        assert who == [] and "Could not be set: assignee" in said

    @pytest.mark.parametrize("mapped", [False, True])
    def test_an_unknown_assignee_fails_no_page(self, here: Services, acme: Firm, mapped: bool) -> None:
        """Neither a name that nobody bears nor a user whom Notion does not know; the answer says so."""
        if mapped:
            put(here.stores, acme.config, NewPerson(source_user_id="U1", notion_user_id="a" * 32), "anna")
        who, said = self.assigned(here, acme, NAME if mapped else "Nobody Known")
        assert who == []
        assert "1 task created" in said and "assignee" in said.splitlines()[-1]


class Assigning:
    """Finds one task, for somebody."""

    name = "assigning"
    fingerprint = None

    def __init__(self, assignee: str) -> None:
        self.assignee = assignee

    def analyze(self, brief: Brief) -> Judgement:
        """Give the task."""
        task = DetectedTask(title="Draw the button", assignee=self.assignee, priority=Priority.HIGH)
        return Judgement(findings=Findings(summary="", tasks=(task,)))
