"""Which comments of a file a mail tells of: by links, by words and authors, and by what still waits."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from discubot_pipeline.adapters.callsign import Callsign
from discubot_pipeline.adapters.figmaapi import Comment, Reaction, Threads, User
from discubot_pipeline.adapters.figmalinks import Target
from discubot_pipeline.adapters.figmamail import Mail, Quote
from discubot_pipeline.adapters.figmamatch import Search
from discubot_pipeline.adapters.figmatext import ALIKE, likeness
from discubot_pipeline.domain.errors import Ignored
from tests.adapters.source_harness import NOW

BOT = Callsign(names=("@discubot",))
OWN = "99"
PEOPLE = {"1": "Anna de Vries", "2": "Ben Carter", OWN: "discubot"}


def said(id: str, text: str, minutes: float, by: str = "1", parent: str | None = None, seen: bool = False) -> Comment:
    """Make a comment of some minutes ago."""
    reactions = (Reaction(user=User(id=OWN), emoji=":eyes:"),) if seen else ()
    return Comment(
        id=id,
        parent_id=parent,
        user=User(id=by, handle=PEOPLE[by]),
        created_at=NOW - timedelta(minutes=minutes),
        message=text,
        reactions=reactions,
    )


def found(
    comments: Sequence[Comment], *quotes: str, author: str | None = None, link: str | None = None
) -> dict[str, str]:
    """Find the comments of a mail; gives them by their roots."""
    linked = (Target(file_key="K", comment_id=link),) if link else ()
    mail = Mail(quotes=tuple(Quote(text=text, author=author) for text in quotes), linked=linked)
    calls = Search(Threads(comments), OWN, BOT, NOW).calls(mail)
    return {root: call.id for root, call in calls.items()}


def refused(comments: Sequence[Comment], *quotes: str, link: str | None = None) -> str:
    """Give the reason for which a mail asks for nothing."""
    with pytest.raises(Ignored) as nothing:
        found(comments, *quotes, link=link)
    return nothing.value.reason


class TestWords:
    """By what a mail quotes."""

    @pytest.mark.parametrize(
        "quote",
        [
            "@discubot fix the header",
            "@Discubot   fix the\nheader",
            "“@discubot fix the header”",
            "@discubot fix the header…",
            "Anna de Vries: @discubot fix the header View in Figma",
            "@discubot fix the haeder",
        ],
    )
    def test_words_are_compared_as_people_would(self, quote: str) -> None:
        """Case, blanks, punctuation, what a mail puts around them and small faults do not matter."""
        comments = [said("10", "@discubot fix the header", 5), said("11", "@discubot fix the footer", 3)]
        assert found(comments, quote) == {"10": "10"}

    def test_a_reply_leads_to_its_root(self) -> None:
        """Also in a thread that is years old, and not the newest of the file."""
        comments = [said("10", "Colours", 60 * 24 * 900), said("11", "@discubot fix it now", 5, parent="10")]
        assert found([*comments, said("12", "@discubot fix it later", 3)], "@discubot fix it now") == {"10": "11"}

    def test_two_comments_in_two_threads_are_two(self) -> None:
        """A grouped mail tells of several; those that do not call the bot are left out."""
        comments = [
            said("10", "@discubot fix the header", 20),
            said("11", "Looks good to me", 15, "2", "10"),
            said("12", "@discubot fix the footer", 10, "2"),
        ]
        quotes = ("@discubot fix the footer", "Looks good to me", "@discubot fix the header")
        assert found(comments, *quotes) == {"10": "10", "12": "12"}

    def test_two_calls_in_one_thread_are_one_mention(self) -> None:
        """The newer one asks: the whole thread is read anyway."""
        comments = [said("10", "@discubot fix the header", 20), said("11", "@discubot and the footer", 10, parent="10")]
        assert found(comments, "@discubot fix the header", "@discubot and the footer") == {"10": "11"}

    def test_equal_words_go_to_the_author_who_is_named(self) -> None:
        """Two people may say the same."""
        comments = [said("10", "@discubot", 9), said("11", "@discubot", 8, "2"), said("12", "@discubot", 7)]
        assert found(comments, "@discubot", author="ben carter") == {"11": "11"}

    def test_equal_words_go_to_the_newest_that_still_waits(self) -> None:
        """What has our reaction or our answer is done."""
        comments = [
            said("10", "@discubot", 9),
            said("11", "@discubot", 8, seen=True),
            said("12", "@discubot", 7),
            said("13", "✅ done", 6, OWN, "12"),
        ]
        assert found(comments, "@discubot") == {"10": "10"}

    @pytest.mark.parametrize("minutes", [3 * 24 * 60, -30])
    def test_only_the_time_around_the_mail_counts(self, minutes: float) -> None:
        """Words that somebody said days ago, or after the mail, are not those of the mail."""
        assert refused([said("10", "@discubot fix it", minutes)], "@discubot fix it") == "comment_not_found"

    def test_own_words_are_never_meant(self) -> None:
        """Mails about our own answers ask for nothing."""
        assert refused([said("10", "@discubot is at work", 1, OWN)], "@discubot is at work") == "comment_not_found"

    def test_a_mail_about_other_words_asks_for_nothing(self) -> None:
        """It is known that it tells of a comment that does not call the bot, although a call waits."""
        comments = [said("10", "@discubot fix it", 9), said("11", "Looks good to me", 5, "2")]
        assert refused(comments, "Looks good to me") == "not_a_mention"


class TestLinks:
    """By the numbers in a mail's links."""

    def test_a_linked_comment_is_meant(self) -> None:
        """Whatever else a mail holds."""
        comments = [said("10", "@discubot fix it", 9), said("11", "@discubot fix it", 5)]
        assert found(comments, link="10") == {"10": "10"}

    def test_a_linked_thread_gives_its_newest_call(self) -> None:
        """The link of a reply's mail may be the root's."""
        comments = [
            said("10", "Colours", 99),
            said("11", "@discubot one", 9, parent="10"),
            said("12", "ok", 8, "2", "10"),
        ]
        assert found(comments, link="10") == {"10": "11"}

    def test_a_link_that_leads_nowhere_changes_nothing(self) -> None:
        """The comment may be gone; the words may still tell."""
        assert found([said("10", "@discubot fix it", 9)], "@discubot fix it", link="404") == {"10": "10"}


class TestGuess:
    """By what waits, when nothing else tells."""

    def test_the_newest_call_that_waits_is_taken(self) -> None:
        """A mail of which nothing can be read still says that there is something."""
        comments = [said("10", "@discubot a", 9), said("11", "@discubot b", 8), said("12", "@discubot c", 7, seen=True)]
        assert found(comments, "unreadable") == {"11": "11"}
        assert found(comments) == {"11": "11"}

    def test_when_nothing_waits_there_is_nothing_to_do(self) -> None:
        """All calls are answered, or the comment is gone."""
        assert refused([said("10", "@discubot a", 9, seen=True)], "unreadable") == "comment_not_found"
        assert refused([], "@discubot a") == "comment_not_found"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("review this design", "review this design", True),
        ("review  this\tdesign", "Review this design!", True),
        ("@Figbot review", "@Figbot review this design", True),
        ("Please review", "Please review the header", True),
        ("Please rewiev the header", "Please review the header", True),
        ("ok", "ok, but please fix the header", False),
        ("fix the header", "paint the footer", False),
        ("", "x", False),
        ("👀", "👀", False),
        ("?!", "?!", False),
    ],
)
def test_likeness(one: str, other: str, alike: bool) -> None:
    """A cut quote is alike however short its part, if it is long enough to mean something; no words are like none."""
    assert (likeness(one, other) >= ALIKE) is alike
    assert likeness(one, other) == likeness(other, one)
