"""A mention in Slack becomes pages, an answer and a finished job, however often and in whatever form it arrives."""

from dataclasses import dataclass

import pytest

from discubot_pipeline.domain.job import Stage
from discubot_pipeline.store.tables import StepStatus
from tests.flow.runs import eventually
from tests.flow.team import Posted, Thread
from tests.flow.town import Town

STAGES = {
    "validate_discussion": Stage.INGESTION,
    "load_config": Stage.CONFIG_LOADING,
    "build_thread": Stage.THREAD_BUILDING,
    "analyze_thread": Stage.AI_ANALYSIS,
    "create_tasks": Stage.TASK_CREATION,
    "finalize_discussion": Stage.NOTIFICATION,
}
WALLS = [f"paint wall {number}" for number in range(1, 11)]


@dataclass(frozen=True)
class Day:
    """Five threads that are talked in at the same time."""

    release: Thread
    weather: Thread
    forced: Thread
    doubles: Thread
    burst: Thread
    mentions: list[Posted]


@pytest.fixture(scope="module")
def day(town: Town) -> Day:
    """Let five threads be talked in at once; each test waits for its own."""
    release = town.team("release").thread("The landing page looks tired", "@bot fix the header and update the footer")
    weather = town.team("weather").thread("Nice weather today", "It is", "@bot")
    forced = town.team("forced").thread("Nice weather today", "It is", "@bot task: water the plants")
    team = town.team("doubles")
    home = f"/sandbox/slack/workspaces/{team.slack['team_id']}"
    town.ask("PATCH", home, {"subscribe": ["app_mention", "message"]})
    doubles = team.thread("The shop is closed", "@bot order paint")
    painters = town.team("burst").thread("The hall looks grey")
    return Day(release, weather, forced, doubles, painters, [painters.say(f"@bot {wall}") for wall in WALLS])


def test_a_mention_becomes_pages_and_an_answer(day: Day) -> None:
    """Each task has its page, one answer links to both, and the mention shows 👀 and ✅."""
    day.release.settled()
    pages = day.release.team.pages
    assert [page["title"] for page in pages] == ["Fix the header", "Update the footer"]
    assert [page["properties"]["Source"] for page in pages] == [day.release.url] * 2
    [reply] = day.release.replies
    assert reply.startswith("✅ 2 tasks created in Notion\n")
    assert all(f"<{page['url']}|{page['title']}>" in reply for page in pages)
    assert day.release.reactions(day.release.said[-1]) == {"eyes", "white_check_mark"}


def test_the_job_is_a_run_that_people_can_find(day: Day) -> None:
    """GraphQL shows one green run with six steps and the tags to search by."""
    [run] = day.release.settled()
    assert (run.status, run.steps) == ("SUCCESS", dict.fromkeys(STAGES, "SUCCESS"))
    ours = {key: value for key, value in run.tags.items() if key.startswith("discubot/")}
    assert ours == {
        "discubot/class": "discussion",
        "discubot/team": "release",
        "discubot/team_id": str(day.release.team.config.team_id),
        "discubot/source": "slack",
        "discubot/thread": day.release.id,
        "discubot/discussion": str(day.release.discussion_id),
        "discubot/trigger": "webhook",
        "discubot/outcome": "completed",
    }


def test_the_run_links_to_its_thread_and_pages(day: Day, town: Town) -> None:
    """Whoever looks at the run in Dagster's UI can follow what it did."""
    [run] = day.release.settled()
    shown = town.metadata(run.id)
    assert shown["build_thread"]["thread"] == day.release.url
    assert shown["build_thread"]["messages"] == 2
    urls = [page["url"] for page in day.release.team.pages]
    assert [shown["create_tasks"]["page 1"], shown["create_tasks"]["page 2"]] == urls


def test_the_note_tells_people_what_came_of_the_job(day: Day, town: Town) -> None:
    """All of it is done, counted, and said in one sentence."""
    [run] = day.release.settled()
    note = town.here.stores.notes.get(run.id)
    assert note is not None
    assert (note.progress.percent, set(note.progress.steps.values())) == (100, {"completed"})
    assert (note.counters["messages"], note.counters["tasks"], note.counters["created"]) == (2, 2, 2)
    assert note.summary is not None
    assert note.summary.startswith("2 tasks found in 2 messages by ")
    assert note.params == {"delivery_ids": [delivery.id for delivery in day.release.deliveries]}


def test_rows_and_records_are_closed(day: Day, town: Town) -> None:
    """Discussion and delivery are done, and each step's record has its input, output and times."""
    [run] = day.release.settled()
    [delivery] = day.release.deliveries
    assert (delivery.status, delivery.run_id, delivery.reason) == ("done", run.id, None)
    discussion = day.release.discussion
    assert discussion is not None
    assert (discussion.status, discussion.active_run_id, discussion.run_id) == ("completed", None, run.id)
    assert discussion.total_messages == 2
    records = town.step_records(run.id)
    assert {name: record.stage for name, record in records.items()} == STAGES
    for record in records.values():
        assert (record.status, record.attempts, record.reason, record.error) == (StepStatus.COMPLETED, 1, None, None)
        assert record.input
        assert record.output
        assert (record.team_id, record.discussion_id) == (day.release.team.row.id, day.release.discussion_id)
        assert record.started_at <= record.finished_at


def test_no_secret_and_no_thread_text_is_in_config_and_tags(day: Day, town: Town) -> None:
    """What everyone with access to the UI sees of a run's config are ids."""
    [run] = day.release.settled()
    query = "query Config($id: ID!) { runOrError(runId: $id) { ... on Run { runConfigYaml } } }"
    config = town.web.ask(query, id=run.id)["runOrError"]["runConfigYaml"]
    said = f"{config}{run.tags}"
    assert "delivery_ids" in config
    for secret in ("header", "landing", day.release.team.slack["bot_token"], day.release.team.notion_token):
        assert secret not in said


def test_a_bare_mention_with_nothing_to_do_says_how_to_force_a_task(day: Day) -> None:
    """Nothing is made of small talk; the job is complete all the same, and the answer names the way out."""
    [run] = day.weather.settled()
    assert (run.status, run.tags["discubot/outcome"]) == ("SUCCESS", "completed")
    assert (day.weather.status, day.weather.titles) == ("completed", [])
    [reply] = day.weather.replies
    assert "nothing to be done" in reply
    assert "task: …" in reply


def test_a_task_can_be_forced(day: Day) -> None:
    """The way out works."""
    day.forced.settled()
    assert day.forced.titles == ["Water the plants"]
    assert day.forced.replies[0].startswith("✅ 1 task created in Notion")
    assert day.forced.reactions(day.forced.said[-1]) == {"eyes", "white_check_mark"}


def test_a_delivery_that_comes_twice_makes_one_job(day: Day, town: Town) -> None:
    """A twin event, a repeat with Slack's retry headers, a late redelivery: one row, one run, one page, one answer."""
    mention = day.doubles.said[-1]
    assert len(mention.events) == 2
    answers = [day.doubles.team.send(redeliver=event, retry_num=2) for event in mention.events]
    day.doubles.settled()
    answers += [day.doubles.team.send(redeliver=event) for event in mention.events]
    assert [(answer["status"], '"duplicate"' in answer["answer"]) for answer in answers] == [(200, True)] * 4
    assert len(day.doubles.settled()) == 1
    assert [row.status for row in day.doubles.deliveries] == ["done"]
    assert day.doubles.titles == ["Order paint"]
    assert len(day.doubles.replies) == 1


def test_ten_mentions_at_once_fold_into_two_runs_at_most(day: Day) -> None:
    """Each mention is done and has its ✅, each task has one page, and nobody is told twice of the same."""
    runs = day.burst.settled()
    assert 1 <= len(runs) <= 2
    assert {run.status for run in runs} == {"SUCCESS"}
    assert [row.status for row in day.burst.deliveries] == ["done"] * 10
    assert sorted(day.burst.titles) == sorted(wall.capitalize() for wall in WALLS)
    assert len(day.burst.replies) == len(runs)
    assert all("white_check_mark" in day.burst.reactions(mention) for mention in day.mentions)


def test_a_forged_event_is_refused(day: Day) -> None:
    """Nothing that Slack did not sign gets as far as the inbox."""
    for signature in ("bad", "missing", "stale"):
        assert day.release.team.send(redeliver=day.release.said[-1].events[0], signature=signature)["status"] == 401
    eventually(lambda: len(day.release.deliveries) == 1, "the inbox to have one row")
