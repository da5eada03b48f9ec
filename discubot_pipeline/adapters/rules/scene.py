"""Knows the scene an ask stands in: a help desk or a place of work, the opening of a thread or an aside in its talk."""

import re
from collections import Counter
from collections.abc import Sequence

from discubot_pipeline.adapters.rules.requests import asks_in
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.weights import Setting, asks_how

LASTING = 30
"""So many sentences after the last such question a thread is still a help desk."""

_AT_WORK = re.compile(r"\b(?:we|our|us)\b", re.IGNORECASE)
_OFFERS = re.compile(r"(?:so |ok |and |then )*(?:should|shall|can|could) i\b", re.IGNORECASE)
_GREETING = re.compile(
    rf"(?:(?:hi|hiya|hey|hello|dear|hallo|hoi|beste|liebe[r]?|bonjour|salut|hola|moin|good (?:morning|afternoon)|"
    rf"guten tag) )?"
    rf"({PERSON})\W*",
    re.IGNORECASE,
)


class Scene:
    """Watches one thread, sentence by sentence."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._opening = sentences[0].message if sentences else None
        self._busy = _busy(sentences)
        self._firsts = {sentence.message.id: sentence.order for sentence in reversed(sentences)}
        self._addressees = {
            sentence.message.id: sentence.person(match[1])
            for sentence in sentences
            if (match := _GREETING.fullmatch(sentence.text)) and self.is_first(sentence)
        }
        self.is_helpdesk = False
        self._asked_at: int | None = None

    def watch(self, sentence: Sentence) -> None:
        """Notice a help desk: the one who opened the thread asks how something is done."""
        is_about_use = asks_how(sentence) and not _AT_WORK.search(sentence.text)
        is_offer = bool(_OFFERS.match(sentence.text)) and not self.opens(sentence)
        if self.is_openers(sentence) and is_about_use and not is_offer:
            self._asked_at = sentence.order
        self.is_helpdesk = self._asked_at is not None and sentence.order - self._asked_at <= LASTING

    def opens(self, sentence: Sentence) -> bool:
        """Say whether a sentence is of the thread's first message."""
        return self._opening is not None and sentence.message.id == self._opening.id

    def is_openers(self, sentence: Sentence) -> bool:
        """Say whether a sentence is by who opened the thread, later on."""
        return self._opening is not None and sentence.message.author.id == self._opening.author.id

    def is_first(self, sentence: Sentence) -> bool:
        """Say whether a sentence is the first of its message."""
        return self._firsts.get(sentence.message.id) == sentence.order

    def addressee(self, sentence: Sentence) -> str | None:
        """Name the one person that a letter greets: "Hi Ann," on a line of its own."""
        return self._addressees.get(sentence.message.id)

    def setting(self, sentence: Sentence) -> Setting:
        """Give the setting of a sentence, as far as the thread has been watched."""
        return Setting(
            is_helpdesk=self.is_helpdesk,
            is_opening=self.opens(sentence),
            is_aside=sentence.message.id not in self._busy,
            is_answer=not self.is_openers(sentence),
        )


def _busy(sentences: Sequence[Sentence]) -> frozenset[str]:
    """Find the messages that are mostly asks."""
    asks, all_of = Counter[str](), Counter[str]()
    for sentence in sentences:
        all_of[sentence.message.id] += 1
        asks[sentence.message.id] += bool(asks_in(sentence))
    return frozenset(message for message, number in all_of.items() if 2 * asks[message] > number)
