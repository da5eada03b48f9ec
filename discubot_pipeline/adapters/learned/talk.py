"""A thread as the learned reader sees it: turns, and in them the clauses that may each name a piece of work."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from discubot_pipeline.adapters.learned.cues import cues_of, signs_in, words_of
from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.titles import content_words, has_object, title_of
from discubot_pipeline.domain.discussion import Message

WIDEST = 3
"""So many neighbouring pieces of a sentence make one clause at most, beside the whole sentence."""

LONG = 40
"""In threads of more turns than this each piece is a clause of its own: there is enough to look at."""

MOST_PIECES = 12
MOST_TURNS = 400

_CUT = re.compile(
    r"\s*(?:[,;:()]+(?=\s|$)|\s[–—→>-]+\s|->|→)\s*|\s+(?:and|but|so|then|und|aber|en|maar|et|mais|y|pero|plus|&)\s+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Turn:
    """One message: its sentences and what they sound like."""

    place: int
    message: Message
    sentences: tuple[Sentence, ...]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Give all its words, emoji among them."""
        return words_of(f"{' . '.join(each.text for each in self.sentences)} {self.signs}")

    @cached_property
    def cues(self) -> frozenset[str]:
        """Name the cues anywhere in it."""
        return cues_of(f"{' . '.join(each.text for each in self.sentences)} {self.signs}") | _asking(self.sentences)

    @cached_property
    def first_cues(self) -> frozenset[str]:
        """Name the cues of its first sentence."""
        text = self.sentences[0].text if self.sentences else ""
        return cues_of(f"{text} {self.signs}") | _asking(self.sentences[:1])

    @cached_property
    def last_cues(self) -> frozenset[str]:
        """Name the cues of its last sentence."""
        return cues_of(self.sentences[-1].text) | _asking(self.sentences[-1:]) if self.sentences else self.first_cues

    @property
    def author(self) -> str:
        """Give the id of who wrote it."""
        return self.message.author.id

    @cached_property
    def writer(self) -> str | None:
        """Name who wrote it, if that person can own a task."""
        return self.sentences[0].writer if self.sentences else None

    @cached_property
    def named(self) -> tuple[str, ...]:
        """List the people of the thread whom it names."""
        return tuple(name for each in self.sentences for name in people_in(each, each.text))

    @property
    def signs(self) -> str:
        """Give its emoji, which its sentences leave out."""
        return signs_in(self.message.text)


@dataclass(frozen=True)
class Clause:
    """A stretch of a sentence that may name a piece of work. `body` is masked, without greetings and names called;
    `about` is the clause before it that it may point to, whose words its title then holds, with the chance that it is.
    """

    turn: Turn
    sentence: Sentence
    start: int
    end: int
    body: str
    title: str
    called: tuple[str | None, ...]
    about: "Clause | None" = None
    meant: float = 1.0

    @property
    def text(self) -> str:
        """Give its masked text."""
        return self.sentence.text[self.start : self.end]

    @cached_property
    def content(self) -> frozenset[str]:
        """Give the words that say what it is about."""
        return content_words(self.title)

    @cached_property
    def has_object(self) -> bool:
        """Say whether it names what it is about."""
        return has_object(self.body)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Give the words of its body."""
        return words_of(self.body)

    @cached_property
    def cues(self) -> frozenset[str]:
        """Name its cues."""
        return cues_of(self.text)

    @property
    def is_whole(self) -> bool:
        """Say whether it is the whole sentence."""
        return self.start == 0 and self.end == len(self.sentence.text)

    def crosses(self, other: "Clause") -> bool:
        """Say whether two share words of one sentence."""
        return self.sentence.order == other.sentence.order and self.start < other.end and other.start < self.end

    @property
    def stretch(self) -> tuple[int, int, int]:
        """Give where in the thread it stands and ends: a clause and its copies that say what it is about share it."""
        return self.sentence.order, self.start, self.end

    @property
    def position(self) -> tuple[int, int]:
        """Give where in the thread it stands."""
        return self.sentence.order, self.start


@dataclass(frozen=True)
class Talk:
    """A whole thread."""

    turns: tuple[Turn, ...]
    clauses: tuple[Clause, ...]

    @cached_property
    def people(self) -> tuple[str, ...]:
        """List who writes or is named in it, each once."""
        return tuple(dict.fromkeys(name for turn in self.turns for name in (turn.writer, *turn.named) if name))

    def others_after(self, turn: Turn) -> tuple[Turn, ...]:
        """List the later turns of other people."""
        return tuple(each for each in self.turns[turn.place + 1 :] if each.author != turn.author)

    def own_after(self, turn: Turn) -> tuple[Turn, ...]:
        """List the later turns of the same person."""
        return tuple(each for each in self.turns[turn.place + 1 :] if each.author == turn.author)

    def other_before(self, turn: Turn) -> Turn | None:
        """Give the nearest turn before by somebody else."""
        return next((each for each in reversed(self.turns[: turn.place]) if each.author != turn.author), None)


def hear(messages: Sequence[Message], sentences: Sequence[Sentence]) -> Talk:
    """Put the sentences of a thread into turns and clauses; of very long threads only the last turns."""
    spoken = {id: tuple(group) for id, group in groupby(sentences, key=lambda each: each.message.id)}
    turns = tuple(
        Turn(place, message, spoken.get(message.id, ())) for place, message in enumerate(messages[-MOST_TURNS:])
    )
    widest = WIDEST if len(turns) <= LONG else 1
    return Talk(turns, tuple(clause for turn in turns for clause in _clauses(turn, widest)))


def people_in(sentence: Sentence, text: str) -> list[str]:
    """List the people that a part of a sentence names."""
    return [name for mark in re.findall(PERSON, text) if (name := sentence.person(mark))]


def _clauses(turn: Turn, widest: int) -> Iterator[Clause]:
    for sentence in turn.sentences:
        seen: set[str] = set()
        for start, end in _stretches(sentence.text, widest):
            body, called = strip_leads(sentence, sentence.text[start:end])
            title = title_of(sentence, body)
            if title not in seen and content_words(title):
                seen.add(title)
                yield Clause(turn, sentence, start, end, body, title, called)


def _stretches(text: str, widest: int) -> list[tuple[int, int]]:
    """Give the stretches of a sentence between its joints, alone and with their neighbours, then the whole."""
    pieces: list[tuple[int, int]] = []
    start = 0
    for joint in _CUT.finditer(text):
        pieces.append((start, joint.start()))
        start = joint.end()
    pieces = [(begin, end) for begin, end in [*pieces, (start, len(text))] if text[begin:end].strip()][:MOST_PIECES]
    found = [
        (pieces[left][0], pieces[right][1])
        for left in range(len(pieces))
        for right in range(left, min(len(pieces), left + widest))
    ]
    return [*dict.fromkeys([*found, (0, len(text))])]


def _asking(sentences: Sequence[Sentence]) -> frozenset[str]:
    return frozenset({"question"} if any(each.is_question for each in sentences) else ())
