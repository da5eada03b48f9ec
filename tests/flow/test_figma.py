"""Comments in Figma become tasks, by webhook and by mail: in the right thread, once, and answered there."""

from dataclasses import dataclass

import pytest

from tests.flow.runs import eventually
from tests.flow.studio import FigmaThread, Studio, studio
from tests.flow.town import Town


@dataclass(frozen=True)
class Day:
    """What goes on in a studio: four threads, of which two are only told by mail, and one twice."""

    studio: Studio
    old: FigmaThread
    reply: str
    header: FigmaThread
    footer: FigmaThread
    twice: FigmaThread
    token: str


@pytest.fixture(scope="module")
def day(town: Town) -> Day:
    """Let people comment at once; each test waits for its own."""
    place = studio(town, "studio")
    old = place.say("The hall looks grey", quiet=True)
    place.say("Somewhere else entirely", quiet=True)
    reply = place.say("@discubot paint the hall", old, who=1)
    header, footer = (place.say(f"@discubot {words}", quiet=True) for words in ("fix the header", "update the footer"))
    mail = place.mail(header, footer, form="multipart")
    assert mail["status"] == 200
    twice = place.say("@discubot order paint")
    threads = [place.thread(root) for root in (old, header, footer, twice)]
    return Day(place, threads[0], reply, *threads[1:], token=mail["token"])


def test_a_reply_in_an_old_thread_is_answered_there(day: Day) -> None:
    """The right root although the thread is not the newest; the comment that asked has 👀 and ✅."""
    [row] = day.old.settled()
    [run] = day.old.runs
    assert (row.status, row.thread_id, run.tags["discubot/outcome"]) == ("done", day.old.id, "completed")
    assert (run.tags["discubot/source"], run.tags["discubot/thread"]) == ("figma", day.old.id)
    assert "Paint the hall" in day.studio.team.titles
    [reply] = day.old.replies
    assert reply.startswith("✅ 1 task created in Notion\n1. Paint the hall: http")
    assert [comment["parent_id"] for comment in day.old.comments[1:]] == [day.old.root] * 2
    assert day.old.reactions(day.reply) == {":eyes:", ":white_check_mark:"}


def test_two_webhooks_and_our_own_answer_make_no_more_runs(day: Day, town: Town) -> None:
    """The same comment came through both webhooks; the bot's answers came too, and asked for nothing."""
    day.old.settled()
    answered = day.old.comments[-1]["id"]

    def told() -> list[int]:
        attempts = town.ask("GET", f"/sandbox/figma/deliveries?about={answered}")["deliveries"]
        return [attempt["status"] for attempt in attempts] if len(attempts) == 2 else []

    assert eventually(told, "the echo of our answer") == [200, 200]
    assert [row.status for row in day.old.deliveries] == ["done"]
    assert len(day.old.runs) == 1


def test_a_grouped_mail_is_two_discussions(day: Day) -> None:
    """Each comment of it is answered in its own thread; the runs say which thread they turned out to be about."""
    for thread, title in ((day.header, "Fix the header"), (day.footer, "Update the footer")):
        [row] = thread.settled()
        assert (row.status, row.thread_id, row.message_key) == ("done", thread.id, thread.id)
        [run] = thread.runs
        assert (run.tags["discubot/source"], run.tags["discubot/outcome"]) == ("figma", "completed")
        assert thread.discussion is not None
        assert (thread.discussion.status, thread.discussion.source) == ("completed", "figma")
        assert thread.replies[0].startswith(f"✅ 1 task created in Notion\n1. {title}: http")
        assert thread.reactions(thread.root) == {":eyes:", ":white_check_mark:"}


def test_a_mail_that_comes_again_is_the_same(day: Day, town: Town) -> None:
    """Mailgun's retry gets 200, another content under its signature 406; nothing more is done."""
    day.header.settled()
    again = town.ask("POST", "/sandbox/mailgun/again", {"token": day.token})
    other = town.ask("POST", "/sandbox/mailgun/again", {"token": day.token, "fields": {"subject": "Other"}})
    assert (again["status"], '"duplicate"' in again["answer"], other["status"]) == (200, True, 406)
    assert len(day.header.runs) == 1


def test_a_mail_about_what_a_webhook_told_finds_nothing_new(day: Day) -> None:
    """One discussion, one task, one answer: the mail half an hour later is known to be the same comment."""
    day.twice.settled()
    assert day.studio.mail(day.twice.root)["status"] == 200
    rows = day.twice.settled(2)
    assert [(row.status, row.reason) for row in rows] == [("done", None), ("ignored", "duplicate")]
    assert day.studio.team.titles.count("Order paint") == 1
    assert len(day.twice.replies) == 1


def test_a_wrong_passcode_is_refused(day: Day, town: Town) -> None:
    """Figma reads 400 as: this webhook is not wanted."""
    hook = town.ask("POST", "/sandbox/figma/webhooks", {
        "endpoint": f"{town.here.settings.receiver_url}/hooks/figma/{day.studio.figma.hook}",
        "passcode": "wrong", "files": [], "quiet": True,
    })  # fmt: skip
    sent = town.ask("POST", "/sandbox/figma/events", {"webhook": hook["id"], "comment_id": day.old.root})
    assert sent["status"] == 400
