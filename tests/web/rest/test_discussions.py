"""Discussions, their messages and tasks through the REST API."""

import base64
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.config import GenericCredentials, Output, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.discussion import DiscussionStatus
from discubot_pipeline.domain.job import Stage, Trigger
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role, discussions, inboxes, messages, steps, tasks
from tests.store.samples import change, planned, rows, thread_of
from tests.store.samples import message as said
from tests.web.rest.conftest import Caller, Enter

ANNA = {"author": "Anna", "content": "The header breaks on phones"}
BEN = {"author": "Ben", "author_id": "U2", "content": "I will look", "sent_at": "2026-03-02T09:05:00+01:00"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def intake(stores: Stores, admin: Caller) -> SourceConfig:
    """Give the team a generic source."""
    return generic(stores, "desk")


def generic(stores: Stores, name: str) -> SourceConfig:
    """Add a generic source to the team."""
    team = stores.configs.team("acme")
    return stores.configs.add_source(team, SourceType.GENERIC, name, GenericCredentials(signing_secret=SECRET), "test")


def write(caller: Caller, **more: Any) -> Any:
    """Write a discussion with two messages."""
    return caller("POST", "/discussions", 201, {"messages": [ANNA, BEN]} | more)


class TestWriting:
    """What people write themselves."""

    def test_a_discussion_comes_with_its_messages(self, member: Caller) -> None:
        """Without any source, and without a job; the rows say who wrote them."""
        made = write(member)
        assert (made["status"], made["delivery_id"], made["job"]) == ("new", None, None)
        assert (made["title"], made["content"]) == ("The header breaks on phones",) * 2
        assert (made["participants"], made["message_count"]) == (["Anna", "Ben"], 2)
        assert (made["created_by"], made["updated_by"], made["version"]) == ("token:ben", "token:ben", 1)
        found = member("GET", f"/discussions/{made['id']}/messages")["messages"]
        assert [(each["author_name"], each["author_id"], each["position"]) for each in found] == [
            ("Anna", "Anna", 0),
            ("Ben", "U2", 1),
        ]
        assert found[1]["sent_at"] == "2026-03-02T08:05:00Z"

    def test_all_of_it_or_nothing(self, member: Caller, engine: sa.Engine) -> None:
        """A message that cannot be stored takes its discussion back with it."""
        twice = [ANNA | {"id": "m1"}, BEN | {"id": "m1"}]
        member("POST", "/discussions", 409, {"messages": twice})
        assert rows(engine, discussions) == rows(engine, messages) == []

    def test_a_thread_has_one_discussion(self, member: Caller) -> None:
        """The second is refused with the id of the first."""
        made = write(member, thread="forum-42")
        refused = member("POST", "/discussions", 409, {"thread": "forum-42"})
        assert made["id"] in refused["detail"]

    def test_messages_are_added_at_the_end(self, member: Caller) -> None:
        """With role and persona, and the people who speak become part of the discussion; each id once."""
        id = write(member)["id"]
        spoken = {"author": "Uma", "role": "assistant", "persona": "Designer", "content": "Use a grid", "id": "m7"}
        made = member("POST", f"/discussions/{id}/messages", 201, spoken)
        assert (made["position"], made["role"], made["persona"], made["is_added"]) == (2, "assistant", "Designer", True)
        member("POST", f"/discussions/{id}/messages", 409, spoken)
        shown = member("GET", f"/discussions/{id}")
        assert (shown["participants"], shown["message_count"], shown["total_messages"]) == (
            ["Anna", "Ben", "Uma"],
            3,
            3,
        )

    def test_messages_are_read_in_pages(self, member: Caller) -> None:
        """In the order of the thread, each once."""
        many = [{"author": "Anna", "content": str(number)} for number in range(7)]
        id = member("POST", "/discussions", 201, {"messages": many})["id"]
        assert [each["content"] for each in walk(member, f"/discussions/{id}/messages?limit=3", "messages")] == [
            str(number) for number in range(7)
        ]

    @pytest.mark.parametrize(
        "body",
        [
            {"title": "a\0b"},
            {"title": ""},
            {"title": "x" * 201},
            {"colour": "red"},
            {"messages": [{"author": "Anna"}]},
            {"messages": [ANNA | {"content": "a\0b"}]},
            {"messages": [ANNA | {"role": "god"}]},
            {"messages": [ANNA | {"sent_at": "2026-03-02T09:05:00"}]},
            {"messages": [ANNA | {"sent_at": "9999-12-31T23:59:59-10:00"}]},
            {"messages": [ANNA] * 1001},
            {"url": "javascript:alert(1)"},
            {"source_id": "desk"},
            {"process": True},
            [],
        ],
        ids=lambda body: str(body)[:40],
    )
    def test_what_is_wrong_is_refused(self, member: Caller, engine: sa.Engine, body: Any) -> None:
        """With 422, before anything is stored."""
        assert member("POST", "/discussions", 422, body)["detail"]
        assert rows(engine, discussions) == []


class TestProcessing:
    """A job only where one is asked for."""

    def test_a_job_is_asked_for_through_the_inbox(
        self, member: Caller, intake: SourceConfig, engine: sa.Engine
    ) -> None:
        """A delivery waits for the sensor, by the person who asked."""
        made = write(member, process=True, instruction="task: fix it")
        [row] = rows(engine, inboxes[SourceType.GENERIC])
        assert (row.id, row.status, row.trigger, row.created_by) == (
            made["delivery_id"],
            "pending",
            "manual",
            "token:ben",
        )
        assert row.payload == {"launch": {"discussion_id": made["id"], "instruction": "task: fix it"}}
        assert (str(row.discussion_id), row.source_config_id) == (made["id"], intake.id)
        assert made["source_config_id"] == str(intake.id)

    def test_without_the_word_there_is_none(self, member: Caller, intake: SourceConfig, engine: sa.Engine) -> None:
        """The discussion stays new."""
        assert write(member)["status"] == "new"
        assert rows(engine, inboxes[SourceType.GENERIC]) == []

    def test_a_job_needs_a_place_for_its_tasks(self, member: Caller, engine: sa.Engine) -> None:
        """Without a generic source the sentence says how to get one, and nothing is written."""
        body = {"messages": [ANNA], "process": True}
        refused = member("POST", "/discussions", 422, body)
        assert (refused["reason"], "discubot source add" in refused["detail"]) == ("no_source", True)
        assert rows(engine, discussions) == []

    def test_several_sources_must_be_told_apart(self, member: Caller, stores: Stores, intake: SourceConfig) -> None:
        """By id; one of another kind or team will not do."""
        other = generic(stores, "forum")
        assert "source_id" in member("POST", "/discussions", 422, {"messages": [ANNA], "process": True})["detail"]
        assert write(member, process=True, source_id=str(other.id))["source_config_id"] == str(other.id)
        member("POST", "/discussions", 404, {"messages": [ANNA], "source_id": str(uuid4())})

    def test_a_slack_source_reads_slack(self, member: Caller, slack_config: SourceConfig) -> None:
        """What is written here is no thread of Slack's."""
        refused = member("POST", "/discussions", 422, {"messages": [ANNA], "source_id": str(slack_config.id)})
        assert "generic" in refused["detail"]


class TestChanging:
    """Renaming and deleting."""

    def test_a_new_title_stays(self, member: Caller, stores: Stores, intake: SourceConfig) -> None:
        """Also when a job reads the thread and finds another title."""
        made = write(member, thread="t1")
        renamed = member("PATCH", f"/discussions/{made['id']}", body={"title": "Phones", "version": 1})
        assert (renamed["title"], renamed["version"], renamed["updated_by"]) == ("Phones", 2, "token:ben")
        thread = thread_of(intake, [said(1)])
        parsed = thread.configured.parsed
        known = parsed.ref.model_copy(update={"thread_id": "t1"})
        parsed = parsed.model_copy(update={"discussion_id": made["id"], "ref": known})
        stores.discussions.open(parsed, "run-1", ())
        stores.discussions.record_thread(
            thread.model_copy(update={"configured": thread.configured.model_copy(update={"parsed": parsed})}), "run-1"
        )
        shown = member("GET", f"/discussions/{made['id']}")
        assert (shown["title"], shown["content"], shown["active_run_id"]) == ("Phones", "message 1", "run-1")

    @pytest.mark.parametrize("version", [0, -1, 2, 2**31, 10**30])
    def test_a_lost_update_is_refused(self, member: Caller, version: int) -> None:
        """With the version that it has now, which a header may name too."""
        path = f"/discussions/{write(member)['id']}"
        assert "version 1 now" in member("PATCH", path, 409, {"title": "Phones", "version": version})["detail"]
        member("PATCH", path, 428, {"title": "Phones"})
        member("PATCH", path, 409, {"title": "Phones"}, headers={"if-match": f'"{10**30}"'})
        assert member("PATCH", path, 200, {"title": "Phones"}, headers={"if-match": '"1"'})["version"] == 2

    def test_deleting_takes_everything_along(
        self, admin: Caller, member: Caller, intake: SourceConfig, stores: Stores, engine: sa.Engine
    ) -> None:
        """Messages, what waits, and every word that was kept elsewhere; a member may not do it."""
        made = write(member, process=True)
        path = f"/discussions/{made['id']}"
        stores.steps.store_output("run-0", "build_thread", {"text": "The header"})
        change(engine, steps, discussion_id=made["id"])
        member("DELETE", path, 403)
        admin("DELETE", path, 409, headers={"if-match": '"2"'})
        admin("DELETE", path, 204)
        member("GET", path, 404)
        admin("DELETE", path, 404)
        assert rows(engine, messages) == rows(engine, steps) == []
        [row] = rows(engine, inboxes[SourceType.GENERIC])
        assert (row.status, row.reason, row.payload) == ("ignored", "deleted", None)

    def test_a_discussion_at_work_is_not_deleted(
        self, admin: Caller, intake: SourceConfig, stores: Stores, engine: sa.Engine
    ) -> None:
        """Neither while a run has it, nor while one was asked for."""
        made = write(admin, process=True)
        path = f"/discussions/{made['id']}"
        change(engine, inboxes[SourceType.GENERIC], status="requested")
        assert admin("DELETE", path, 409)["reason"] == "at_work"
        change(engine, inboxes[SourceType.GENERIC], status="done")
        change(engine, discussions, active_run_id="run-1")
        assert admin("DELETE", path, 409)["reason"] == "at_work"
        assert admin("GET", path)["message_count"] == 2


class TestListing:
    """Lists with filters, in pages."""

    def test_pages_show_each_discussion_once(self, member: Caller) -> None:
        """The newest first, with how many messages each has."""
        ids = [write(member, title=f"number {number}")["id"] for number in range(5)]
        found = walk(member, "/discussions?limit=2", "discussions")
        assert [each["id"] for each in found] == ids[::-1]
        assert {each["message_count"] for each in found} == {2}

    def test_filters(self, member: Caller, engine: sa.Engine) -> None:
        """By status, source and time; several statuses are either of them."""
        ids = [write(member)["id"] for _ in range(3)]
        for id, status in zip(ids, ("failed", "partial", "completed"), strict=True):
            change(engine, discussions, discussions.c.id == id, status=DiscussionStatus(status))
        change(engine, discussions, discussions.c.id == ids[0], created_at=sa.text("'2026-01-01T00:00:00Z'"))

        def listed(query: str) -> set[int]:
            return {ids.index(each["id"]) for each in member("GET", f"/discussions?{query}")["discussions"]}

        assert listed("status=failed") == {0}
        assert listed("status=failed&status=partial") == {0, 1}
        assert listed("source=generic") == {0, 1, 2}
        assert listed("source=slack") == set()
        assert listed("until=2026-01-01T00:00:00Z") == set()
        assert listed("since=2026-01-01T00:00:00Z&until=2026-01-01T00:00:01Z") == {0}

    def test_a_count_that_fails_is_no_error(self, member: Caller, engine: sa.Engine) -> None:
        """While the messages cannot be counted the list says so, and shows all the rest."""
        id = write(member)["id"]
        with engine.begin() as elsewhere:
            elsewhere.execute(sa.text("LOCK TABLE discubot.messages IN ACCESS EXCLUSIVE MODE"))
            answer = member("GET", "/discussions")
        assert [(each["id"], each["message_count"]) for each in answer["discussions"]] == [(id, None)]
        assert "counted" in answer["warning"]
        assert member("GET", "/discussions")["warning"] is None

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=201",
            "status=happy",
            "source=fax",
            "since=yesterday",
            "since=2026-01-01T00:00:00",
            "after=x",
        ],
    )
    def test_a_wrong_query_is_refused(self, member: Caller, query: str) -> None:
        """The same for the lists of discussions, tasks and deliveries."""
        member("GET", f"/discussions?{query}", 422)
        member("GET", f"/tasks?{query.replace('status', 'state')}", 422)
        member("GET", f"/inbox?{query}", 422)

    def test_a_cursor_beyond_all_numbers_is_refused(self, member: Caller) -> None:
        """A cursor that nobody was given breaks nothing."""
        id = write(member)["id"]
        for text in (f"[{10**30},{id!r}]", f'[{10**30},"{id}"]', '["0001-01-01T00:00:00+14:00",99999999999999999999]'):
            after = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
            for path in (f"/discussions/{id}/messages", f"/discussions/{id}/tasks", "/inbox", "/tasks", "/discussions"):
                member("GET", f"{path}?after={after}", 422)


class TestLinks:
    """Discussion, jobs and tasks lead to each other."""

    def test_tasks_and_jobs_are_linked(
        self, member: Caller, stores: Stores, slack_config: SourceConfig, output: Output
    ) -> None:
        """Both ways, and a job that is no longer kept is `expired`."""
        thread = thread_of(slack_config, [said(1)])
        parsed = thread.configured.parsed
        for run in ("run-1", "run-2"):
            stores.notes.open(run, "run-1", Trigger.WEBHOOK, {}, "0.1.0")
            stores.notes.stage(run, Stage.TASK_CREATION, team_id=parsed.team_id, discussion_id=parsed.discussion_id)
        stores.discussions.open(parsed, "run-2", ())
        plans = [planned(thread, output.id, title, index) for index, title in enumerate(("Fix it", "Tell Ben"))]
        made = [stores.tasks.begin(plan, thread, "", "run-2", is_multi=True) for plan in plans]
        ids = [str(row.id) for row in made if row]
        shown = member("GET", f"/discussions/{parsed.discussion_id}")
        assert (shown["task_ids"], shown["job_ids"]) == (ids, ["run-1", "run-2"])
        assert shown["job"] == {"id": "run-2", "expired": False}
        own = walk(member, f"/discussions/{parsed.discussion_id}/tasks?limit=1", "tasks")
        assert [each["id"] for each in own] == ids
        assert {each["discussion_id"] for each in own} == {str(parsed.discussion_id)}
        assert sorted(each["id"] for each in walk(member, "/tasks?limit=1", "tasks")) == sorted(ids)
        stores.retention.forget_runs(["run-1", "run-2"])
        assert member("GET", f"/tasks/{ids[0]}")["job"] == {"id": "run-2", "expired": True}
        [listed] = member("GET", "/discussions")["discussions"]
        assert (listed["job"], listed["job_ids"]) == ({"id": "run-2", "expired": True}, [])

    def test_tasks_are_filtered(
        self, member: Caller, stores: Stores, slack_config: SourceConfig, output: Output, engine: sa.Engine
    ) -> None:
        """By state, source, job and time."""
        thread = thread_of(slack_config, [said(1)])
        stores.discussions.open(thread.configured.parsed, "run-1", ())
        for index, title in enumerate(("Fix it", "Tell Ben")):
            stores.tasks.begin(planned(thread, output.id, title, index), thread, "", "run-1", is_multi=True)
        change(engine, tasks, tasks.c.title == "Tell Ben", state="failed", run_id="run-2")

        def listed(query: str) -> set[str]:
            return {each["title"] for each in member("GET", f"/tasks?{query}")["tasks"]}

        assert listed("state=failed") == listed("job=run-2") == {"Tell Ben"}
        assert listed("source=slack") == {"Fix it", "Tell Ben"}
        assert listed("source=generic") == listed("until=2026-01-01T00:00:00Z") == listed("job=nothing") == set()
        member("GET", "/tasks?job=%00", 422)


def test_another_teams_things_are_not_there(member: Caller, enter: Enter) -> None:
    """Whatever is done to them, and whoever asks: the answer is that of an id that nobody has."""
    id = write(member)["id"]
    stranger = enter("other", "eve", Role.ADMIN)
    for wanted in (id, str(uuid4())):
        stranger("GET", f"/discussions/{wanted}", 404)
        stranger("PATCH", f"/discussions/{wanted}", 404, {"title": "Mine", "version": 1})
        stranger("DELETE", f"/discussions/{wanted}", 404)
        stranger("GET", f"/discussions/{wanted}/messages", 404)
        stranger("GET", f"/discussions/{wanted}/tasks", 404)
        stranger("POST", f"/discussions/{wanted}/messages", 404, ANNA)
        stranger("GET", f"/tasks/{wanted}", 404)
    stranger("GET", "/discussions/42", 422)
    assert stranger("GET", "/discussions")["discussions"] == []
    assert member("GET", f"/discussions/{id}")["version"] == 1


def walk(caller: Caller, path: str, items: str) -> list[Any]:
    """Read a list to its last page."""
    found: list[Any] = []
    after = ""
    while True:
        page = caller("GET", f"{path}{after}")
        found += page[items]
        if page["next"] is None:
            return found
        after = f"{'&' if '?' in path else '?'}after={page['next']}"
