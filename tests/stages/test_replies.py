"""What is said in the thread, in each voice, as Slack shows it."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from discubot_pipeline.adapters.slack import SlackSource
from discubot_pipeline.domain.analysis import Analysis, Findings
from discubot_pipeline.domain.preferences import Persona, Preferences
from discubot_pipeline.domain.task import CreatedTasks, MadeTask, Missing
from discubot_pipeline.stages.replies import VOICES, apologise, compose, report
from tests.adapters.slack_workspace import slack_config

ANALYSIS = Analysis(discussion_id=uuid4(), findings=Findings(summary=""), analyst="test")
HEADER = MadeTask(title="Fix <header> & menu", page_id="1", url="https://n.so/1", skipped=("due_date", "assignee"))
FOOTER = MadeTask(title="Update the footer", page_id="2", url="https://n.so/2", skipped=("assignee",))
OLD = MadeTask(title="Old one", page_id="3", url="https://n.so/3", is_new=False)
LOST = Missing(title="Call <Bob>", output="design", reason="notion_down", message="…")
LINK = "1. <https://n.so/1|Fix &lt;header&gt; &amp; menu>"


@pytest.fixture
def slack() -> Iterator[SlackSource]:
    """Give a Slack source, which no call is made with."""
    with SlackSource(slack_config()) as source:
        yield source


def said(source: SlackSource, *made: MadeTask, missing: tuple[Missing, ...] = (), **preferences: str) -> str:
    """Write an answer."""
    created = CreatedTasks(analysis=ANALYSIS, made=made, missing=missing)
    return compose(created, Preferences(**preferences), source)


def test_the_professional_answer(slack: SlackSource) -> None:
    """A count, numbered titles with links, and one line for what could not be set."""
    assert said(slack, HEADER, FOOTER, OLD).splitlines() == [
        "✅ 2 tasks created in Notion (1 was there already)",
        LINK,
        "2. <https://n.so/2|Update the footer>",
        "3. <https://n.so/3|Old one>",
        "Could not be set: assignee, due date",
    ]


def test_what_is_missing_is_named(slack: SlackSource) -> None:
    """Which task, where, why, and that a retry helps."""
    lines = said(slack, FOOTER, missing=(LOST,)).splitlines()
    assert lines[0] == "⚠️ 1 of 2 new tasks created. A retry creates the rest."
    assert lines[2] == "⚠️ Not created in design: Call &lt;Bob&gt; (notion_down)"


@pytest.mark.parametrize("persona", [each for each in Persona if each is not Persona.CUSTOM])
def test_every_voice_has_a_word_for_everything(slack: SlackSource, persona: Persona) -> None:
    """Made, nothing, nothing new, partial, failed and done: each its own sentence, tasks with their links."""
    told = [
        said(slack, HEADER, persona=persona),
        said(slack, persona=persona),
        said(slack, OLD, persona=persona),
        said(slack, HEADER, missing=(LOST,), persona=persona),
        apologise("rate_limited", Preferences(persona=persona), slack),
        report("Fix <it>", "https://n.so/9", Preferences(persona=persona), slack),
    ]
    assert len({each.splitlines()[0] for each in told}) == 6
    assert "<https://n.so/9|Fix &lt;it&gt;>" in told[5]
    assert all("https://n.so/" in told[number] for number in (0, 2, 3))
    assert "task: …" in told[1] and "rate_limited" in told[4]
    assert not any("{" in each for each in told)


def test_voices_differ() -> None:
    """No sentence is shared by two voices, but the fall-back of the template's."""
    voices = [voice for persona, voice in VOICES.items() if persona is not Persona.CUSTOM]
    assert (
        len({sentence for voice in voices for sentence in (voice.made, voice.nothing, voice.failed, voice.done)}) == 12
    )


@pytest.mark.parametrize(
    ("template", "lines"),
    [
        ("Filed {count}:\n{tasks}\n{missing}", ["Filed 1:", LINK, "Could not be set: assignee, due date"]),
        (
            "Thanks <!channel> & all!",
            ["Thanks &lt;!channel&gt; &amp; all!", LINK, "Could not be set: assignee, due date"],
        ),
        ("{skipped}", ["Could not be set: assignee, due date", LINK]),
    ],
)
def test_a_template_is_filled_and_never_hides_a_link(slack: SlackSource, template: str, lines: list[str]) -> None:
    """What the template forgets comes after it; what it says is shown as it stands."""
    assert said(slack, HEADER, persona="custom", reply_template=template).splitlines() == lines


def test_a_template_that_is_left_empty(slack: SlackSource) -> None:
    """Something is said all the same: Slack takes no empty message."""
    assert said(slack, persona="custom", reply_template="{tasks}{missing}").startswith("✅ I read the thread")


@pytest.mark.parametrize("preferences", [{}, {"persona": "custom", "reply_template": "{tasks}"}])
def test_who_stood_in_for_the_model_is_told(slack: SlackSource, preferences: dict[str, str]) -> None:
    """Every answer ends with it when the rules read in the place of the team's model."""
    degraded = ANALYSIS.model_copy(update={"degraded": True, "degraded_reason": "rate_limited"})
    text = compose(CreatedTasks(analysis=degraded, made=(FOOTER,)), Preferences(**preferences), slack)
    assert text.splitlines()[-1] == "⚠️ Read by the built-in analyst, without the model (rate_limited)"


def test_a_template_in_a_title_is_not_filled(slack: SlackSource) -> None:
    """What people wrote is never read as a placeholder."""
    task = MadeTask(title="Print {missing}", page_id="1", url="https://n.so/1")
    assert "Print {missing}" in said(slack, task, persona="custom", reply_template="{tasks}")
