"""A thread as the encoder reads it: word pieces, with where each message begins and where each clause lies in them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from discubot_pipeline.adapters.learned.talk import Clause, Talk, Turn
from discubot_pipeline.adapters.rules.sentences import ATOM_END, ATOM_START, PERSON_END, PERSON_START, Sentence

START, UNKNOWN, BREAK = "[CLS]", "[UNK]", "[SEP]"
PEOPLE = tuple(f"[unused{place}]" for place in range(1, 9))
"""Pieces that stand for the people of a thread, in the order in which they come up; the last one for all others."""

STRANGER, ATOM, ITEM, DONE, OPEN = (f"[unused{place}]" for place in range(9, 14))
LONGEST_SENTENCE, LONGEST_PART, WINDOW, MOST = 80, 120, 256, 6_000
"""So many pieces are read of a sentence, of a message at once, of a thread at once and of a thread at all."""

LONGEST_WORD, NAME_OF_SIGN = 40, 3
_TOKEN = re.compile(r"[\U000f0000-\U000ffffd]|[\ue000-\uf8ff]|\w+|[^\w\s]")
Span = tuple[int, int]
Places = tuple[tuple[int, Span], ...]


@dataclass(frozen=True)
class Part:
    """A message, or as much of a long one as is read at once: its pieces, and where its sentences' words lie there."""

    turn: int
    pieces: tuple[int, ...]
    places: dict[int, Places]

    def span_of(self, clause: Clause) -> Span:
        """Give the pieces of a clause of this part, at least one."""
        places = self.places[clause.sentence.order]
        inside = [place for place, (start, end) in places if end > clause.start and start < clause.end]
        return (inside[0], inside[-1] + 1) if inside else (places[-1][0], places[-1][0] + 1) if places else (0, 1)


class Pieces:
    """Cuts words into the longest pieces of a vocabulary, from the left (WordPiece); accents and case do not count."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._known: dict[str, tuple[int, ...]] = {}

    def __getitem__(self, piece: str) -> int:
        """Give the number of a piece."""
        return self._numbers[piece]

    def of(self, word: str) -> tuple[int, ...]:
        """Give the pieces of a word, or of an emoji's name."""
        if word not in self._known:
            self._known[word] = tuple(number for each in _spelled(word) for number in self._cut(each))
        return self._known[word]

    def _cut(self, word: str) -> Iterator[int]:
        found: list[int] = []
        start = 0
        while start < len(word):
            head = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if head + word[start:end] in self._numbers), None)
            if end is None or len(word) > LONGEST_WORD:
                return iter((self._numbers[UNKNOWN],))
            found.append(self._numbers[head + word[start:end]])
            start = end
        return iter(found)


def _spelled(word: str) -> list[str]:
    if unicodedata.category(word[0]) == "So":
        return unicodedata.name(word[0], "sign").lower().replace("-", " ").split()[:NAME_OF_SIGN]
    flat = unicodedata.normalize("NFD", word.lower())
    plain = "".join(char for char in flat if unicodedata.category(char) != "Mn")
    return [plain] if plain else []


class Scribe:
    """Writes down a thread in pieces."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._people: dict[str, int] = {}

    def parts(self, talk: Talk) -> list[Part]:
        """Give the thread's messages in pieces, each begun by who wrote it; of very long threads only the last ones."""
        found = [part for turn in talk.turns for part in self._parts(turn)]
        sizes = accumulate(len(part.pieces) for part in reversed(found))
        read = sum(size <= MOST for size in sizes)
        return found[len(found) - read :]

    def _parts(self, turn: Turn) -> Iterator[Part]:
        head = self._person(turn.writer or turn.author)
        pieces: list[int] = [head]
        places: dict[int, Places] = {}
        for sentence in turn.sentences:
            words = list(self._words(sentence))[:LONGEST_SENTENCE]
            if len(pieces) + len(words) > LONGEST_PART and places:
                yield Part(turn.place, (*pieces, self._pieces[BREAK]), places)
                pieces, places = [head], {}
            pieces += self._form(sentence)
            places[sentence.order] = tuple((len(pieces) + place, span) for place, (_, span) in enumerate(words))
            pieces += [number for number, _ in words]
        pieces += [number for sign in turn.signs.split() for number in self._sign(sign)][:LONGEST_SENTENCE]
        yield Part(turn.place, (*pieces, self._pieces[BREAK]), places)

    def _words(self, sentence: Sentence) -> Iterator[tuple[int, Span]]:
        for match in _TOKEN.finditer(sentence.text):
            for number in self._numbers(sentence, match[0]):
                yield number, match.span()

    def _numbers(self, sentence: Sentence, token: str) -> tuple[int, ...]:
        if PERSON_START <= ord(token[0]) <= PERSON_END:
            return (self._person(sentence.person(token)),)
        return (self._pieces[ATOM],) if ATOM_START <= ord(token[0]) <= ATOM_END else self._pieces.of(token)

    def _form(self, sentence: Sentence) -> list[int]:
        forms = ((sentence.is_done_box, DONE), (sentence.is_open_box, OPEN), (sentence.is_item, ITEM))
        return [self._pieces[form] for has, form in forms if has][:1]

    def _sign(self, sign: str) -> Iterator[int]:
        for each in sign.strip(":").replace("_", " ").split() if sign.startswith(":") else sign:
            yield from self._pieces.of(each)

    def _person(self, name: str | None) -> int:
        if name is None:
            return self._pieces[STRANGER]
        place = self._people.setdefault(name, len(self._people))
        return self._pieces[PEOPLE[min(place, len(PEOPLE) - 1)]]


def windows(sizes: Sequence[int]) -> list[range]:
    """Cut a thread into stretches of parts that can be read at once; each shares about half with the one before."""
    found: list[range] = []
    start = end = 0
    while end < len(sizes):
        start = _back(sizes, end, start)
        end = max(end + 1, start + sum(size <= WINDOW for size in accumulate(sizes[start:])))
        found.append(range(start, end))
    return found


def _back(sizes: Sequence[int], end: int, least: int) -> int:
    """Go back from a part as far as half a window allows, but not to where the last one began."""
    size = sum(each <= WINDOW // 2 for each in accumulate(reversed(sizes[:end])))
    return max(end - size, min(least + 1, end))


def middles(found: Sequence[range], sizes: Sequence[int]) -> list[int]:
    """Say for each part in which window it stands most in the middle; the ends of a thread are as good as far away."""
    total = list(accumulate(sizes, initial=0))
    count = len(sizes)

    def depth(place: int, part: int) -> int:
        window = found[place]
        before = total[part] - total[window.start] if window.start else WINDOW
        after = total[window.stop] - total[part + 1] if window.stop < count else WINDOW
        return min(before, after)

    around = [[place for place, window in enumerate(found) if part in window] for part in range(count)]
    return [max(places, key=partial(depth, part=part)) for part, places in enumerate(around)]
