"""The summary speaks in the thread's own sentences, and says no more than they do."""

import pytest

from discubot_pipeline.domain.analysis import Sentiment
from tests.adapters.rules.briefs import findings

THREAD = (
    ("Ann", "Hi! The shop has 1,200 users a day now. Which payment provider do we take?"),
    ("Bob", "The fee of the first one is 2.9 %, see https://example.org/fees for the list."),
    ("Cat", "We decided to go with the second one. Bob, can you sign the contract by Friday?"),
    ("Bob", "ok"),
)


def test_summary_is_extractive() -> None:
    """Every sentence of it stands in the thread, with the name of who wrote it."""
    assert findings(*THREAD).summary == (
        "Ann: The shop has 1,200 users a day now. Cat: We decided to go with the second one. "
        "Cat: Bob, can you sign the contract by Friday?"
    )


def test_key_points_are_sentences_of_the_thread() -> None:
    """Decisions, asks, figures and links, in their order, at most five."""
    points = findings(*THREAD).key_points
    assert points == (
        "The shop has 1,200 users a day now.",
        "The fee of the first one is 2.9 %, see https://example.org/fees for the list.",
        "We decided to go with the second one.",
        "Bob, can you sign the contract by Friday?",
    )
    text = "\n".join(words for _, words in THREAD)
    assert all(point in text for point in points)


def test_thread_without_words_has_its_title() -> None:
    """Nothing is invented where nothing was said."""
    assert findings(("Ann", "👍"), ("Bob", "```\ncode\n```")).summary == "Menu on phones"
    assert findings().key_points == ()


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("Great work, thanks, I love it", Sentiment.POSITIVE),
        ("This is terrible, broken again and I am annoyed", Sentiment.NEGATIVE),
        ("The meeting is at ten", Sentiment.NEUTRAL),
        ("This is not good", Sentiment.NEGATIVE),
        ("good and bad", Sentiment.NEUTRAL),
        ("🎉 👏", Sentiment.POSITIVE),
        ("", Sentiment.NEUTRAL),
    ],
)
def test_sentiment(text: str, mood: Sentiment) -> None:
    """Friendly against unfriendly words, turned by "not"."""
    assert findings(("Ann", text)).sentiment is mood
