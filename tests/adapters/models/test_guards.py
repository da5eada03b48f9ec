"""What a model says is held against the thread, field by field."""

from datetime import date
from typing import Any

import pytest

from discubot_pipeline.adapters.models.answer import Answer
from discubot_pipeline.adapters.models.guards import findings_of
from discubot_pipeline.adapters.models.links import Links
from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings, Priority, Sentiment, TaskType
from discubot_pipeline.domain.discussion import Attachment
from tests.adapters.analyst_conformance import brief
from tests.adapters.models.asking import task, told

SAID = brief(
    ("Ann Lee", "The plan: https://docs.example/Plan?a=1&b=2, and see (https://x.example/y)."),
    ("Bob", "Also www.shop.example, ann@corp.example and status.example.com/now"),
    domains=("Design", "backend"),
)


def found(said: Brief = SAID, **fields: Any) -> DetectedTask:
    """Give what becomes of one task."""
    [only] = findings_of(Answer.model_validate(told(task(**fields))), said).tasks
    return only


def test_the_enums_of_an_answer_are_ours() -> None:
    """A model may choose from exactly the values that a task can have."""
    schema = Answer.model_json_schema()
    fields = schema["$defs"]["TaskAnswer"]["properties"]
    assert set(fields["priority"]["anyOf"][0]["enum"]) == set(Priority)
    assert set(fields["type"]["anyOf"][0]["enum"]) == set(TaskType)
    assert set(schema["properties"]["sentiment"]["enum"]) == set(Sentiment)
    assert set(fields) == set(DetectedTask.model_fields)
    assert set(schema["properties"]) == set(Findings.model_fields)


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("Ann Lee", "Ann Lee"),
        ("ann lee", "Ann Lee"),
        ("@bob", "Bob"),
        ("Ann", "Ann Lee"),
        ("Mallory", None),
        ("Bobby", None),
        ("discubot", None),
        ("null", None),
        ("", None),
        (None, None),
    ],
)
def test_an_assignee_is_one_of_the_people(name: str | None, person: str | None) -> None:
    """Others are nobody; case and @ do not matter."""
    assert found(assignee=name).assignee == person


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("See https://docs.example/Plan?a=1&b=2.", "See https://docs.example/Plan?a=1&b=2."),
        ("See https://x.example/y", "See https://x.example/y"),
        ("See https://x.example/y/z now", "See now"),
        ("See https://x.example.evil.example/y", "See"),
        ("See https://docs.example/plan?a=1&b=2", "See"),
        ("Read [the plan](https://x.example/y)", "Read [the plan](https://x.example/y)"),
        ("Read [the plan](https://evil.example/y 'x')", "Read the plan"),
        ("Read <https://evil.example|the plan>", "Read the plan"),
        ("Ask ann@corp.example, not eve@evil.example.", "Ask ann@corp.example, not."),
        ("Look at www.shop.example or www.evil.example", "Look at www.shop.example or"),
        ("Check status.example.com/now (evil.com/x)", "Check status.example.com/now"),
        ("mailto:eve@evil.example javascript:alert", ""),
        ("ht\u200btps://evil.example/a", ""),
        ("Fix README.md, Node.js and v1.2.3: at 10:30", "Fix README.md, Node.js and v1.2.3: at 10:30"),
        ("Note:this, e.g. a/b and 3.5 GB", "Note:this, e.g. a/b and 3.5 GB"),
        ("a &lt; b", "a < b"),
    ],
)
def test_only_links_of_the_thread_stay(text: str, left: str) -> None:
    """A link is the thread's letter for letter, or it goes; its name and the words around it stay."""
    assert found(description=text).description == left


def test_links_of_files_and_messages_are_the_threads_too() -> None:
    """What hangs on a message may be linked to."""
    file = Attachment(name="plan.pdf", url="https://files.example/plan.pdf")
    message = SAID.messages[0].model_copy(update={"attachments": (file,), "url": "https://slack.example/p1"})
    links = Links(SAID.model_copy(update={"messages": (message,)}))
    text = "https://files.example/plan.pdf and https://slack.example/p1"
    assert links.clean(text) == text


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-06", date(2026, 3, 6)),
        ("2026-03-06T10:00:00Z", date(2026, 3, 6)),
        ("2026-03-01", date(2026, 3, 1)),
        ("2026-02-27", None),
        ("2032-01-01", None),
        ("Friday", None),
        ("null", None),
        (None, None),
    ],
)
def test_a_due_date_makes_sense(text: str | None, day: date | None) -> None:
    """A day before the thread, or years after it, is a mistake."""
    assert found(due_date=text).due_date == day


@pytest.mark.parametrize(("number", "id"), [(1, "0"), (2, "1"), (0, None), (3, None), (-1, None), (None, None)])
def test_evidence_is_a_message_that_exists(number: int | None, id: str | None) -> None:
    """Numbers count from 1; others are none."""
    assert found(evidence=number).evidence == id


@pytest.mark.parametrize(("name", "domain"), [("design", "Design"), ("BACKEND", "backend"), ("x", None), (None, None)])
def test_a_domain_is_one_of_the_list(name: str | None, domain: str | None) -> None:
    """Others are none."""
    assert found(domain=name).domain == domain


@pytest.mark.parametrize(("given", "taken"), [(0.5, 0.5), (85, 0.85), (-1, 0), (1000, 0), (1, 1), (0, 0)])
def test_confidence_is_a_share(given: float, taken: float) -> None:
    """Percentages are understood, nonsense is not sure."""
    assert found(confidence=given).confidence == taken


def test_texts_have_their_bounds() -> None:
    """Titles are cut, empty titles are no tasks, the same task twice is one, and lists are short."""
    long = told(
        task(title="Fix " + "x" * 400, action_items=["null", " ", "a", "a", *map(str, range(50))], tags=["#x", "x"]),
        task(title=" ?! "),
        task(title="fix THE pay button!"),
        task(title="Fix the pay button"),
        summary="s" * 9000,
        key_points=[f"point {number}" for number in range(40)],
    )
    findings = findings_of(Answer.model_validate(long), SAID)
    cut, kept = findings.tasks
    assert (len(cut.title), cut.title[-1], kept.title) == (200, "…", "fix THE pay button!")
    assert (cut.action_items[0], len(cut.action_items), cut.tags) == ("a", 20, ("x",))
    assert (len(findings.summary), len(findings.key_points)) == (2000, 10)


@pytest.mark.parametrize(
    ("least", "titles"),
    [(0.0, ["sure", "asked", "unsure"]), (0.7, ["sure", "asked"]), (0.96, ["asked"])],
)
def test_a_task_must_be_sure_enough(least: float, titles: list[str]) -> None:
    """Below the threshold a task goes, but for one that was asked of the bot itself."""
    tasks = (
        DetectedTask(title="sure", confidence=0.95),
        DetectedTask(title="asked", confidence=0.1, evidence="m9"),
        DetectedTask(title="unsure"),
    )
    limited = Findings(summary="", confidence=0.6, tasks=tasks).limited(9, least, frozenset({"m9"}))
    assert [each.title for each in limited.tasks] == titles
    assert len(Findings(summary="", tasks=tasks).limited(2, 0.0, frozenset()).tasks) == 2
