"""The comments of a Figma file are imported by the command line: each thread once, and without a word."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.flow.desk import Desk
from tests.flow.imports import discubot, imports
from tests.flow.runs import Json, eventually
from tests.flow.studio import FigmaThread, Studio, studio
from tests.flow.town import Town

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
CALLS = 5
COUNTS = ("seen", "stored", "known", "passed", "troubled")


@dataclass(frozen=True)
class Past:
    """A studio, its threads of the past, one that was answered when it was written, and how the import went."""

    studio: Studio
    threads: list[FigmaThread]
    answered: FigmaThread
    underway: Json
    told: Json
    before: list[Json]

    @property
    def comments(self) -> list[Json]:
        """List all comments of the file."""
        path = f"/sandbox/figma/files/{self.studio.file}/comments"
        comments: list[Json] = self.studio.town.ask("GET", path)["comments"]
        return comments


def write(place: Studio) -> list[FigmaThread]:
    """Let people comment, one thread a day: some call the bot in an answer, one does not, and one nobody can read."""
    anna, ben = place.people
    common = {"file_key": place.file, "quiet": True}

    def say(comment: Json) -> str:
        return str(place.town.ask("POST", "/sandbox/figma/comments", common | comment)["id"])

    roots = []
    for day in range(CALLS):
        at = START + timedelta(days=day)
        root = say({"user": anna, "message": f"Frame {day} is off", "created_at": at.isoformat()})
        later = (at + timedelta(hours=1)).isoformat()
        say({"user": ben, "message": f"@discubot fix frame {day}", "parent_id": root, "created_at": later})
        roots.append(root)
    say({"user": anna, "message": "Nice colours", "created_at": START.isoformat()})
    say({"user": anna, "message": "@discubot ?", "more": {"created_at": "long ago"}})
    place.town.ask("PATCH", f"/sandbox/figma/files/{place.file}/comments/{roots[0]}", {"is_resolved": True})
    return [place.thread(root) for root in roots]


def bring_in(place: Studio) -> tuple[Json, Json]:
    """Import the file while Figma is slow; gives the job as it was under way, and what the command said at its end."""
    words = ("figma", "--team", place.team.name, "--file", place.file, "--wait", "--json")
    desk = Desk.of(place.team)
    with discubot(place.town, *words) as command, place.town.fault("figma", "comments", "slow", seconds=3):
        jobs = "/jobs?job_name=backfill_job&status=processing"
        listed = eventually(lambda: desk("GET", jobs)["jobs"], "the import to work")
        underway = desk("GET", f"/jobs/{listed[0]['job_id']}/progress")
        told, progress = command.communicate(timeout=300)
    assert command.returncode == 0, progress
    return underway, json.loads(told)


@pytest.fixture(scope="module")
def past(town: Town) -> Past:
    """Import a file in which one thread was answered already."""
    place = studio(town, "museum")
    answered = place.thread(place.say("@discubot order frames"))
    answered.settled()
    threads = write(place)
    path = f"/sandbox/figma/files/{place.file}/comments"
    before = town.ask("GET", path)["comments"]
    return Past(place, threads, answered, *bring_in(place), before)


def test_the_import_says_how_far_it_is(past: Past) -> None:
    """While it works, and in the end: every thread is counted, and the one that cannot be read is named."""
    assert (past.underway["status"], past.underway["job_name"]) == ("processing", "backfill_job")
    assert past.underway["stage"] == "import" and past.underway["percent"] < 100
    assert {name: past.told[name] for name in COUNTS} == {
        "seen": CALLS + 3, "stored": CALLS, "known": 1, "passed": 1, "troubled": 1,
    }  # fmt: skip
    assert [trouble["reason"] for trouble in past.told["troubles"]] == ["malformed"]
    assert past.told["deliveries"] == {"waiting": 0, "held": 0, "done": CALLS, "failed": 0}
    desk = Desk.of(past.studio.team)
    job = desk.ended(past.told["run_id"])
    assert (job["status"], job["progress"]["percent"]) == ("completed", 100)
    assert (
        f"{CALLS + 3} threads: {CALLS} new, 1 known, 1 without a mention, 1 errors"
        in desk("GET", f"/jobs/{job['job_id']}/outcome")["summary"]
    )


def test_each_thread_ends_as_a_discussion_with_its_task(past: Past) -> None:
    """Resolved or not; the words of the whole thread are read, and the task leads back to it."""
    for number, thread in enumerate(past.threads):
        [row] = thread.settled()
        [run] = thread.runs
        assert (row.status, row.trigger, row.run_id) == ("done", "backfill", run.id)
        assert (run.tags["discubot/outcome"], run.tags["dagster/priority"]) == ("completed", "-2")
        assert thread.discussion is not None
        assert (thread.discussion.status, thread.discussion.source) == ("completed", "figma")
        assert thread.discussion.title == f"Frame {number} is off"
    assert sorted(past.studio.team.titles) == [*(f"Fix frame {number}" for number in range(CALLS)), "Order frames"]


def test_nothing_is_said_in_imported_threads(past: Past) -> None:
    """The file looks as before: no comment more, no reaction more."""
    assert past.comments == past.before


def test_a_second_import_brings_nothing_twice(past: Past, town: Town) -> None:
    """Every thread is known: no delivery, no run, no page."""
    place = past.studio
    pages, runs = place.team.titles, [thread.runs for thread in past.threads]
    _, told = bring_in(place)
    assert {name: told[name] for name in COUNTS} == {
        "seen": CALLS + 3, "stored": 0, "known": CALLS + 1, "passed": 1, "troubled": 1,
    }  # fmt: skip
    assert [run.status for run in imports(town, place.team)] == ["SUCCESS", "SUCCESS"]
    assert [len(thread.deliveries) for thread in [*past.threads, past.answered]] == [1] * (CALLS + 1)
    assert (place.team.titles, [thread.runs for thread in past.threads]) == (pages, runs)
