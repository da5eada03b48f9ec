"""The second stage opens the discussion for its run, and shows in the thread that somebody is at it."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.errors import Ignored, Permanent
from discubot_pipeline.stages.configure import configure
from discubot_pipeline.store.tables import outputs
from tests.stages.acme import JOB, Acme, job
from tests.store.samples import change


def test_the_discussion_is_opened_and_the_mention_marked(acme: Acme) -> None:
    """The row is the run's, and 👀 stands on the message that asked."""
    parsed = acme.parse(delivery_ids=(acme.ask(),))
    configured = configure(parsed, JOB, acme.stores, acme.outside)
    assert (configured.parsed, configured.config_version) == (parsed, 1)
    assert acme.stores.discussions.holder(parsed.discussion_id) == "run-1"
    assert acme.slack.marks(parsed.ref.thread_id, parsed.mention_ids[0]) == ["eyes"]


def test_again_is_harmless(acme: Acme) -> None:
    """A repeated op opens nothing twice and marks nothing twice."""
    parsed = acme.parse(delivery_ids=(acme.ask(),))
    once = configure(parsed, JOB, acme.stores, acme.outside)
    assert configure(parsed, JOB, acme.stores, acme.outside) == once
    assert acme.slack.marks(parsed.ref.thread_id, parsed.mention_ids[0]) == ["eyes"]


def test_a_launch_by_a_person_marks_the_thread(acme: Acme) -> None:
    """Where nobody asked, the sign stands on the first message."""
    [root] = acme.slack.say(acme.slack.channel, ["The header breaks"])
    link = acme.slack.client.chat_getPermalink(channel=acme.slack.channel, message_ts=root)["permalink"]
    parsed = acme.configure(thread_url=str(link)).parsed
    assert acme.slack.marks(parsed.ref.thread_id, root) == ["eyes"]


@pytest.mark.parametrize("kind", ["drop_before", "status", "ratelimit"])
def test_a_sign_that_cannot_be_given_fails_nothing(acme: Acme, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Reactions are a courtesy: that one is missing is logged and forgotten."""
    id = acme.ask()
    with acme.sandbox.fault(service="slack", match="reactions.add", kind=kind, times=None):
        configured = acme.configure(delivery_ids=(id,))
    assert acme.stores.discussions.holder(configured.parsed.discussion_id) == "run-1"
    assert "reaction_failed" in caplog.messages


def test_a_source_without_output_is_a_persons_to_mend(acme: Acme, engine: sa.Engine) -> None:
    """No active output: nothing is opened, nothing marked, and the message says what to do."""
    change(engine, outputs, active=False)
    parsed = acme.parse(delivery_ids=(acme.ask(),))
    with acme.calls() as calls, pytest.raises(Permanent, match="discubot output add") as refused:
        configure(parsed, JOB, acme.stores, acme.outside)
    assert refused.value.reason == "no_output"
    assert acme.stores.discussions.get(parsed.discussion_id) is None
    assert calls == []


def test_a_source_of_another_team_is_refused(acme: Acme) -> None:
    """A value that mixes teams never opens anything."""
    parsed = acme.parse(delivery_ids=(acme.ask(),)).model_copy(update={"team_id": uuid4()})
    with pytest.raises(Permanent, match="wrong_team"):
        configure(parsed, JOB, acme.stores, acme.outside)


def test_a_discussion_at_work_is_left_alone(acme: Acme) -> None:
    """A second run finds it busy and gives no sign of its own."""
    parsed = acme.configure(delivery_ids=(acme.ask(),)).parsed
    with acme.calls() as calls, pytest.raises(Ignored, match="busy"):
        configure(parsed, job("run-2"), acme.stores, acme.outside)
    assert calls == []
