"""The first stage knows which thread a run is about, or says what it needs to know."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from discubot_pipeline.domain.delivery import DeliveryStatus, SourceType
from discubot_pipeline.domain.discussion import ParsedDiscussion, discussion_id
from discubot_pipeline.domain.errors import Ignored, Permanent
from discubot_pipeline.domain.job import LONGEST_WAIT, RunOutcome, Trigger
from discubot_pipeline.store.inbox import Inbox
from discubot_pipeline.store.stores import Stores
from tests.stages.acme import Acme, job


@pytest.fixture
def inbox(stores: Stores) -> Inbox:
    """Give the inbox of Slack."""
    return stores.inboxes[SourceType.SLACK]


def url_of(acme: Acme, *texts: str) -> tuple[str, list[str]]:
    """Write a thread; gives the permalink of its last message, and its stamps."""
    stamps = acme.slack.say(acme.slack.channel, texts or ("One", "Two"))
    link = acme.slack.client.chat_getPermalink(channel=acme.slack.channel, message_ts=stamps[-1])
    return str(link["permalink"]), stamps


class TestDeliveries:
    """A launch by the ids of inbox rows."""

    def test_a_sensors_run_claims_its_deliveries(self, acme: Acme, inbox: Inbox) -> None:
        """Everything that is known of the thread before it is read comes with them."""
        id = acme.ask("The header breaks", words="please fix it")
        [run] = inbox.lease(10, LONGEST_WAIT)
        parsed = acme.parse(job("run-1", run_key=run.run_key), delivery_ids=run.delivery_ids)
        assert parsed.discussion_id == discussion_id(acme.config.team_id, SourceType.SLACK, run.thread_id)
        assert (parsed.ref.thread_id, parsed.ref.source_config_id) == (run.thread_id, acme.config.id)
        assert (parsed.team_name, parsed.trigger, parsed.delivery_ids) == ("acme", Trigger.WEBHOOK, (id,))
        assert (len(parsed.mention_ids), parsed.instruction, parsed.resume_from) == (1, None, None)
        assert acme.status_of(id) == ("running", None, "run-1")

    def test_a_repeated_op_parses_the_same(self, acme: Acme) -> None:
        """The claim of a run is its own for as long as it wants."""
        id = acme.ask()
        assert acme.parse(delivery_ids=(id,)) == acme.parse(delivery_ids=(id,))

    def test_a_run_that_comes_too_late_is_ignored(self, acme: Acme, inbox: Inbox) -> None:
        """What another run has, or has done, is not this sensor's any more: a green end, no failure."""
        id = acme.ask()
        [run] = inbox.lease(10, LONGEST_WAIT)
        acme.parse(job("run-1", run_key=run.run_key), delivery_ids=(id,))
        with pytest.raises(Ignored, match="not_free"):
            acme.parse(job("run-2", run_key=run.run_key), delivery_ids=(id,))

    @pytest.mark.parametrize("id", [10**9, 10**30, -1])
    def test_a_person_is_told_that_a_delivery_is_unknown(self, acme: Acme, id: int) -> None:
        """The message lists what may be the matter and another way in."""
        with pytest.raises(Permanent, match="launch by thread_url instead") as refused:
            acme.parse(delivery_ids=(id,))
        assert refused.value.reason == "unknown_delivery"

    def test_deliveries_of_two_threads_are_refused_and_left_alone(self, acme: Acme) -> None:
        """A slip of a person does not take away what waits to be worked on."""
        ids = acme.ask("One thread"), acme.ask("Another thread")
        with pytest.raises(Permanent, match="one thread") as refused:
            acme.parse(delivery_ids=ids)
        assert refused.value.reason == "mixed_deliveries"
        assert [acme.status_of(id) for id in ids] == [("pending", None, None)] * 2

    def test_the_words_of_a_launch_count_as_said(self, acme: Acme) -> None:
        """An instruction with the launch goes along; without one, that of an earlier launch is used again."""
        id = acme.ask()
        assert acme.parse(delivery_ids=(id,), instruction="task: call Ben").instruction == "task: call Ben"
        url, _ = url_of(acme)
        [written] = acme.parse(job("run-2"), thread_url=url, instruction="only bugs").delivery_ids
        acme.stores.inboxes[SourceType.SLACK].settle("run-2", DeliveryStatus.FAILED)
        assert acme.parse(job("run-3"), delivery_ids=(written,)).instruction == "only bugs"


class TestChains:
    """A run that goes on where another one stopped."""

    def test_after_a_crash_in_this_stage_the_next_run_has_the_deliveries(self, acme: Acme) -> None:
        """The parent died with its claim; its successor takes it over."""
        id = acme.ask()
        acme.parse(delivery_ids=(id,))
        retry = job("run-2", root="run-1", parent_run_id="run-1")
        assert acme.parse(retry, delivery_ids=(id,)).delivery_ids == (id,)
        assert acme.status_of(id) == ("running", None, "run-2")

    def test_a_deferred_run_leaves_its_work_behind(self, acme: Acme, inbox: Inbox) -> None:
        """The run that comes after the wait is told whose thread and analysis it may use, unless told not to."""
        id = acme.ask()
        acme.parse(delivery_ids=(id,))
        inbox.postpone("run-1", datetime.now(UTC))
        acme.stores.notes.close("run-1", RunOutcome.DEFERRED)
        [run] = inbox.lease(10, LONGEST_WAIT)
        parsed = acme.parse(job("run-2", run_key=run.run_key), delivery_ids=(id,))
        assert parsed.resume_from == "run-1"

    def test_fresh_means_fresh(self, acme: Acme, inbox: Inbox) -> None:
        """A person may ask for everything anew."""
        id = acme.ask()
        acme.parse(delivery_ids=(id,))
        inbox.postpone("run-1", datetime.now(UTC))
        acme.stores.notes.close("run-1", RunOutcome.DEFERRED)
        assert acme.parse(job("run-2"), delivery_ids=(id,), fresh=True).resume_from is None

    def test_what_a_finished_run_read_is_not_used_again(self, acme: Acme, inbox: Inbox) -> None:
        """Once deferred and then completed, a delivery that a person runs again sees the thread as it is now."""
        id = acme.ask()
        acme.parse(delivery_ids=(id,))
        inbox.postpone("run-1", datetime.now(UTC))
        acme.stores.notes.close("run-1", RunOutcome.DEFERRED)
        acme.parse(job("run-2"), delivery_ids=(id,))
        inbox.settle("run-2", DeliveryStatus.DONE)
        acme.stores.notes.close("run-2", RunOutcome.COMPLETED)
        assert acme.parse(job("run-3"), delivery_ids=(id,)).resume_from is None


class TestLinks:
    """A launch by the link of a thread, or by a discussion."""

    def test_a_permalink_names_its_thread(self, acme: Acme, inbox: Inbox) -> None:
        """The link of a reply leads to the root; an inbox row is written, the run's from the start."""
        url, stamps = url_of(acme)
        parsed = acme.parse(thread_url=url, instruction="only bugs")
        assert parsed.ref.thread_id == f"{acme.slack.channel}:{stamps[0]}"
        assert (parsed.trigger, parsed.instruction, parsed.mention_ids) == (Trigger.MANUAL, "only bugs", ())
        [id] = parsed.delivery_ids
        assert acme.status_of(id) == ("running", None, "run-1")

    def test_a_repeated_op_writes_no_second_row(self, acme: Acme) -> None:
        """One launch is one row."""
        url, _ = url_of(acme)
        assert acme.parse(thread_url=url) == acme.parse(thread_url=url)

    def test_a_discussion_is_found_by_its_id(self, acme: Acme) -> None:
        """What is known already can be run again by its id alone, or together with its team."""
        known = acme.held().configured.parsed
        for number, team in enumerate((None, "acme")):
            parsed = acme.parse(job(f"run-{number}"), discussion_id=known.discussion_id, team=team)
            assert (parsed.discussion_id, parsed.ref) == (known.discussion_id, known.ref)

    def test_a_link_that_fits_two_sources_needs_a_team(self, acme: Acme) -> None:
        """The message names the sources; with the team it is clear."""
        other = acme.stores.configs.add_team("other", "test")
        acme.stores.configs.add_source(other, SourceType.SLACK, "their-slack", acme.config.credentials, "test")
        url, _ = url_of(acme)
        with pytest.raises(Permanent, match=r"acme/slack, other/their-slack.*name the team") as refused:
            acme.parse(thread_url=url)
        assert refused.value.reason == "ambiguous_url"
        assert parsed_team(acme.parse(thread_url=url, team="other")) == "other"


class TestRefusals:
    """A wrong launch says what a right one looks like."""

    @pytest.mark.parametrize(
        "launch",
        [
            {},
            {"team": "acme"},
            {"thread_url": ""},
            {"delivery_ids": (1,), "thread_url": "https://acme.slack.com/archives/C1/p1763760000000200"},
            {"delivery_ids": (1,), "discussion_id": uuid4()},
            {"delivery_ids": (1,), "discussion_id": uuid4(), "thread_url": "x"},
        ],
    )
    def test_exactly_one_form_is_accepted(self, acme: Acme, launch: dict[str, Any]) -> None:
        """None and two are refused, and the message shows all three."""
        with pytest.raises(Permanent) as refused:
            acme.parse(**launch)
        assert refused.value.reason == "bad_launch"
        for form in ("exactly one", "delivery_ids", "discussion_id", "thread_url", "/archives/C1/p1763760000000200"):
            assert form in refused.value.message

    @pytest.mark.parametrize("url", ["https://example.com/x", "C1:1", "https://acme.slack.com/archives/C1", "\0"])
    def test_a_link_of_no_source_is_refused(self, acme: Acme, url: str) -> None:
        """The message quotes it and shows what a link looks like."""
        with pytest.raises(Permanent, match="is no link to a thread") as refused:
            acme.parse(thread_url=url)
        assert refused.value.reason == "bad_url"
        assert "archives" in refused.value.message

    def test_an_unknown_discussion_and_an_unknown_team(self, acme: Acme) -> None:
        """Both are named; another team's discussion is as unknown as none."""
        acme.stores.configs.add_team("other", "test")
        known = acme.held().configured.parsed.discussion_id
        for launch in ({"discussion_id": uuid4()}, {"discussion_id": known, "team": "other"}):
            with pytest.raises(Permanent, match="unknown_discussion"):
                acme.parse(**launch)
        with pytest.raises(Permanent, match="unknown_team"):
            acme.parse(discussion_id=known, team="nobody")


def parsed_team(parsed: ParsedDiscussion) -> str:
    """Name the team that a launch was for."""
    return parsed.team_name
