"""The third stage reads the whole thread, or takes what is there from a run that had to wait."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.errors import Ignored, Permanent, Transient
from discubot_pipeline.domain.job import RunOutcome
from discubot_pipeline.stages.gather import STEP, gather
from discubot_pipeline.store.tables import discussions, messages
from tests.stages.acme import JOB, Acme, job
from tests.store.samples import rows


def test_the_thread_is_read_and_stored(acme: Acme, engine: sa.Engine) -> None:
    """Words, people and order are kept; the words beside the mention are an instruction."""
    thread = acme.gather(delivery_ids=(acme.ask("The header breaks", "On my phone too", words="please fix it"),))
    assert [(one.author.name, one.text) for one in thread.messages] == [
        ("anna", "The header breaks"),
        ("ben", "On my phone too"),
        ("anna", "please fix it"),
    ]
    assert [one.text for one in thread.mentions] == ["please fix it"]
    assert thread.title == "The header breaks"
    assert [row.content for row in rows(engine, messages)] == [one.text for one in thread.messages]
    [row] = rows(engine, discussions)
    assert (row.title, row.source_url, row.total_messages) == (thread.title, thread.url, 3)
    assert row.participants == ["anna", "ben"]


def test_reading_again_sees_what_was_edited(acme: Acme, engine: sa.Engine) -> None:
    """A second run stores the thread as it is then, each message once."""
    thread = acme.held(JOB, "The heder breaks", "On my phone too")
    place = f"/slack/messages/{acme.slack.team}/{acme.slack.channel}/{thread.messages[0].id}"
    acme.sandbox.control("PATCH", place, {"text": "The header breaks", "quiet": True})
    again = gather(thread.configured, JOB, acme.stores, acme.outside)
    assert again.title == "The header breaks"
    assert sorted(row.content for row in rows(engine, messages)) == ["On my phone too", "The header breaks"]


def test_a_long_thread_is_read_to_its_end(acme: Acme) -> None:
    """Three hundred messages come over several pages, none is lost."""
    thread = acme.held(JOB, *[f"Message {number}" for number in range(300)])
    assert [one.text for one in thread.messages] == [f"Message {number}" for number in range(300)]
    assert acme.stores.discussions.messages_of(thread.configured.parsed.discussion_id) == 300


def test_people_are_asked_for_once(acme: Acme) -> None:
    """Names are remembered between threads, in the database: the second thread asks Slack for nobody."""
    acme.held()
    with acme.calls() as calls:
        acme.held(job("run-2"))
    assert "POST /users.info" not in calls


def test_an_operators_words_are_a_mention(acme: Acme) -> None:
    """What a person wrote at the launch is an instruction like any other."""
    [root] = acme.slack.say(acme.slack.channel, ["The header breaks"])
    link = acme.slack.client.chat_getPermalink(channel=acme.slack.channel, message_ts=root)["permalink"]
    thread = acme.gather(thread_url=str(link), instruction="task: call Ben")
    assert [(one.author.name, one.text) for one in thread.mentions] == [("Operator", "task: call Ben")]
    assert [one.text for one in thread.messages] == ["The header breaks"]


def test_what_a_deferred_run_has_read_is_used_without_a_call(acme: Acme) -> None:
    """The next run asks Slack for nothing, has the whole thread, under its own name."""
    id = acme.ask("The header breaks")
    first = acme.gather(delivery_ids=(id,))
    acme.stores.steps.store_output("run-1", STEP, first.model_dump(mode="json"))
    acme.stores.discussions.release(first.configured.parsed.discussion_id, "run-1")
    acme.stores.inboxes[SourceType.SLACK].postpone("run-1", datetime.now(UTC))
    acme.stores.notes.close("run-1", RunOutcome.DEFERRED)
    configured = acme.configure(job("run-2"), delivery_ids=(id,))
    with acme.calls() as calls:
        thread = gather(configured, job("run-2"), acme.stores, acme.outside)
    assert calls == []
    assert thread == first.model_copy(update={"configured": configured})
    assert configured.parsed.resume_from == "run-1"


def test_a_deferred_run_that_had_read_nothing_leaves_nothing(acme: Acme) -> None:
    """Where the wait came before the thread, it is read now."""
    id = acme.ask("The header breaks")
    acme.parse(delivery_ids=(id,))
    acme.stores.inboxes[SourceType.SLACK].postpone("run-1", datetime.now(UTC))
    acme.stores.notes.close("run-1", RunOutcome.DEFERRED)
    thread = acme.gather(job("run-2"), delivery_ids=(id,))
    assert thread.configured.parsed.resume_from == "run-1"
    assert thread.title == "The header breaks"


def test_a_run_that_lost_its_hold_stores_nothing(acme: Acme, engine: sa.Engine) -> None:
    """The thread is read, but not written over that of another run."""
    configured = acme.configure(delivery_ids=(acme.ask(),))
    acme.stores.discussions.take(configured.parsed.discussion_id, "run-2", ["run-1"])
    with pytest.raises(Ignored, match="busy"):
        gather(configured, JOB, acme.stores, acme.outside)
    assert rows(engine, messages) == []


def test_verdicts_of_the_source_are_the_stages(acme: Acme) -> None:
    """An outage is worth another try, a channel without the bot is not."""
    configured = acme.configure(delivery_ids=(acme.ask(),))
    fault = {"service": "slack", "match": "conversations.replies", "kind": "error"}
    for error, verdict in (("ratelimited", Transient), ("not_in_channel", Permanent)):
        with acme.sandbox.fault(**fault, error=error), pytest.raises(verdict, match=error):
            gather(configured, JOB, acme.stores, acme.outside)


def test_other_deliveries_of_the_thread_change_nothing_in_slack(acme: Acme) -> None:
    """A delivery that is done or was launched by a person does not get in the way of reading."""
    thread = acme.gather(delivery_ids=(acme.ask(),))
    acme.stores.inboxes[SourceType.SLACK].settle("run-1", DeliveryStatus.DONE)
    acme.stores.discussions.release(thread.configured.parsed.discussion_id, "run-1")
    again = acme.gather(job("run-2"), discussion_id=thread.configured.parsed.discussion_id)
    assert again.messages == thread.messages
