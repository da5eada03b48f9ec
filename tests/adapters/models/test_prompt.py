"""What a model is told: the rules, the team's own words, and the thread with numbers and local times."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from discubot_pipeline.adapters.models import prompt
from discubot_pipeline.adapters.models.answer import Answer
from discubot_pipeline.adapters.models.prompt import local, prompt_of, shortened, system_of
from discubot_pipeline.domain.analysis import Brief
from discubot_pipeline.domain.discussion import Attachment, Author, Message
from tests.adapters.analyst_conformance import LINES, brief, message
from tests.adapters.models.asking import analyst, asks, choice
from tests.conftest import Sandbox


def test_the_examples_obey_the_rules() -> None:
    """Each example answer fits the schema, and says no more than its thread."""
    text = (prompt.FOLDER / "examples.md").read_text()
    answers = [Answer.model_validate_json(line) for line in re.findall(r"^ {4}(\{.*\})$", text, re.MULTILINE)]
    threads = text.split("The answer")[:-1]
    assert len(answers) == len(threads) == 3
    assert [len(answer.tasks) for answer in answers] == [1, 0, 1]
    for thread, answer in zip(threads, answers, strict=True):
        for task in answer.tasks:
            assert task.assignee is None or f'author="{task.assignee}"' in thread
            assert f'number="{task.evidence}"' in thread
            for item in task.action_items or ():
                assert item.casefold() in thread.casefold()
        assert "://" not in json.dumps(answer.model_dump())


def test_a_prompt_has_the_facts_and_the_thread() -> None:
    """People, domains and limits come first, then each message with its number and its author's time."""
    said = brief(*LINES[:1], instruction="fix it").model_copy(update={"domains": ("web",), "max_tasks": 3})
    anna = Author(id="U9", name="Anna", time_zone="Asia/Kolkata")
    file = Attachment(name="shot <1>.png")
    late = Message(
        id="9", author=anna, text="a < b", sent_at=datetime(2026, 3, 2, 20, 0, tzinfo=UTC), attachments=(file,)
    )
    assert prompt_of(said.model_copy(update={"messages": (*said.messages, late)})).splitlines() == [
        "<facts>",
        "<people><name>Ann</name></people>",
        "<domains><name>web</name></domains>",
        "<most_tasks>3</most_tasks>",
        "<time_zone>UTC</time_zone>",
        "</facts>",
        '<thread title="A thread">',
        '<message number="1" author="Ann" time="Monday 2026-03-02 10:00 UTC">'
        "The checkout is broken on mobile since the release.</message>",
        '<message number="2" author="Ann" time="Monday 2026-03-02 10:01 UTC" asks_you="yes">fix it</message>',
        '<message number="3" author="Anna" time="Tuesday 2026-03-03 01:30 Asia/Kolkata">a &lt; b',
        "[file: shot &lt;1&gt;.png]</message>",
        "</thread>",
        prompt.CLOSING,
    ]


def test_an_instruction_from_outside_the_thread_is_told_too() -> None:
    """Words of a person's launch stand after the thread."""
    operator = message(7, "Operator", "task: call Bob").model_copy(update={"id": "launch"})
    said = brief(*LINES[:1]).model_copy(update={"instructions": (operator,)})
    assert [each.id for each in said.said] == ["0", "launch"]
    assert 'author="Operator" time="Monday 2026-03-02 10:07 UTC" asks_you="yes">task: call Bob<' in prompt_of(said)


def test_what_the_thread_comments_on_stands_before_it() -> None:
    """As data of its own, which cannot end its element."""
    said = brief(*LINES[:1]).model_copy(update={"context": "The plan </context> is late"})
    told = prompt_of(said).splitlines()
    assert told[told.index("</facts>") + 1] == "<context>The plan &lt;/context&gt; is late</context>"
    assert told[told.index("</facts>") + 2].startswith("<thread ")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "x\0y"])
def test_an_unknown_time_zone_is_utc(zone: str) -> None:
    """A source's strange zone harms nothing."""
    assert local(datetime(2026, 3, 2, 10, tzinfo=UTC), zone) == "Monday 2026-03-02 10:00 UTC"


def test_of_a_long_thread_the_middle_is_left_out() -> None:
    """Beginning and end are told, and that something is missing."""
    lines = [f"{number:03}" + "x" * 97 for number in range(100)]
    told = [*shortened(lines, 1000)]
    assert told == [*lines[:2], '<left_out messages="91"/>', *lines[93:]]
    assert [*shortened(lines, 10_000)] == lines


def test_a_prompt_has_a_bound() -> None:
    """Ten thousand long messages make no larger prompt than a model reads."""
    one = brief(("Ann", "y" * 30_000)).messages[0]
    many = tuple(one.model_copy(update={"id": str(n), "sent_at": one.sent_at + timedelta(n)}) for n in range(1000))
    assert len(prompt_of(Brief(title="t", messages=many))) < prompt.MOST_CHARACTERS + 1000


def test_a_team_adds_its_own_words(sandbox: Sandbox) -> None:
    """They come after our rules, and shape the fingerprint of the answers."""
    own = {"summary_prompt": "Write like a pirate.", "task_prompt": "Titles in French."}
    added = system_of(choice(sandbox, "openai", **own))
    plain = system_of(choice(sandbox, "openai"))
    assert added.startswith(plain) and "Write like a pirate." in added and added.endswith("Titles in French.")
    analyst(sandbox, "openai", **own).analyze(brief(*LINES))
    assert asks(sandbox)[-1]["system"] == added


def test_the_fingerprint_names_all_that_shapes_an_answer(sandbox: Sandbox) -> None:
    """Model, address and prompts count; key and patience do not."""
    changes = ({"model": "gpt-6-sol"}, {"url": "http://x/v1"}, {"task_prompt": "x"}, {"summary_prompt": "x"})
    prints = {analyst(sandbox, "openai", **change).fingerprint for change in ({}, *changes)}
    assert len(prints) == 5
    same = {analyst(sandbox, "openai", **change).fingerprint for change in ({}, {"api_key": None}, {"patience": 1.0})}
    assert len(same) == 1


def test_nothing_said_is_not_asked_about(sandbox: Sandbox) -> None:
    """A thread without words costs nothing."""
    before = len(asks(sandbox))
    judgement = analyst(sandbox, "anthropic").analyze(brief(("Ann", " ")))
    assert (judgement.findings.tasks, judgement.usage.cost_usd, len(asks(sandbox))) == ((), 0.0, before)
