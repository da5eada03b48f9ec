"""Names the things that people speak of, in their own words: what "it" and "them" of a later order mean."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from discubot_pipeline.adapters.rules.bugs import GERUNDS, lowered
from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.requests import asks_in
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.titles import content_words
from discubot_pipeline.adapters.rules.verbs import NOUNLIKE, WORK, Tier

MOST_WORDS, SHORT = 7, 2
MANY = frozenset(("them", "those", "these", "both"))
ONE = frozenset(("it", "one"))

_ADVERBS = "still|never|always|also|currently|already"
_LIGHT = "now|just|only|really"
_VERBS = (
    r"(?:is|are|was|were|has|have|had|does|do|did)(?:n['’]t)?|can|can['’]t|cannot|could|should|must|may|might|will|would|"
    r"needs?|wants?|says?|asks?|keeps?|looks?|seems?|got|gets|goes|went|runs|comes|left|lost|died|broke|expires|"
    r"jumps|prints|hammers?|404s|500s"
)
_FINITE = "|".join((_ADVERBS, _VERBS, *GERUNDS, *(f"{verb}s" for verb in sorted(WORK - NOUNLIKE))))
_NO_SUBJECT = (
    r"(?:it|this|that|these|those|he|she|they|we|i|you|which|what|something|everything|nothing|there|if|when|how|why|"
    r"where|who|does|do|is|are|can|could|should|shall|any|some(?:one|body)|every(?:one|body)|no(?:ne|body)?|yes|"
    r"in|on|at|for|with|from|to|by|after|before|during|since|and|but|or|not)\b|[^ ]+ing\b|.{1,3}(?:'|’)"
)
_STOP = (
    rf"{_FINITE}|that|which|who|when|where|while|because|so|and|but|or|if|before|after|until|till|since|as|than|then|"
    r"into|by|today|tomorrow|i|we|you|they|it|he|she|me|us|them|him|there|here"
)
_DETERMINER = r"the|our|your|their|his|her|my"
_NAME = rf"(?:(?!(?:{_STOP})\b)[^\s,;:?!()@]+(?: |$|(?=[,;:?!()]))){{1,{MOST_WORDS}}}"
_SUBJECT = re.compile(rf"(?!{_NO_SUBJECT})[^,;:?!@]{{2,60}}?(?= (?:{_LIGHT}|{_FINITE})\b)", re.IGNORECASE)
_DEFINITE = re.compile(rf"\b(?:{_DETERMINER}) {_NAME}", re.IGNORECASE)
_INDEFINITE = re.compile(rf"\ban? {_NAME}", re.IGNORECASE)
_DETERMINED = re.compile(rf"\b(?:{_DETERMINER}|an?|these|those) {_NAME}", re.IGNORECASE)
_LOOSE_END = re.compile(
    r"(?: (?:of|for|in|on|at|from|with|to|not|no|about|over|w/|the|an?|who|now|just|only|really))+$", re.IGNORECASE
)
_HEAD = re.compile(r"^.*?(?= (?:of|for|in|on|at|from|with|to|about)\b|$)", re.IGNORECASE)


def subject_of(text: str) -> str:
    """Name what a statement is about; empty where it is no statement, or about what has no name."""
    found = _SUBJECT.match(text)
    return found[0] if found else ""


@dataclass(frozen=True)
class Thing:
    """Something that can be meant, under the name that a sentence gives it."""

    name: str
    sentence: Sentence


def pronoun_of(name: str) -> str:
    """Give the word that stands for a thing later in a sentence."""
    last = _head(name).split()[-1]
    return "they" if last.endswith("s") and not last.endswith(("ss", "us", "is", "'s", "’s")) else "it"


def thing_in(sentence: Sentence, pointer: str) -> Thing | None:
    """Find the thing of a sentence that a pointing word can mean: what it is about, else what it names."""
    asks = asks_in(sentence)
    text = sentence.show(asks[0].body if len(asks) == 1 else strip_leads(sentence, sentence.text)[0])
    is_order = any(ask.tier is not Tier.UNKNOWN for ask in asks)
    subject = None if is_order or pointer == "one" else _SUBJECT.match(text)
    rest = _INDEFINITE if pointer == "one" else _DETERMINED if is_order else _DEFINITE
    return _first(sentence, (*([subject] if subject else ()), *rest.finditer(text)), pointer)


def known_in(sentence: Sentence, pointer: str) -> Thing | None:
    """Find the first thing that a sentence speaks of as known: "I can take the button"."""
    return _first(sentence, _DEFINITE.finditer(sentence.show()), pointer)


def introduced(thing: Thing, before: Sequence[Sentence]) -> Thing:
    """Give a thing as it first came up, where it had a longer name: "the button" was "the *Pay now* button"."""
    short = _head(thing.name).casefold().split()
    for sentence in before if len(short) == SHORT else ():
        for name in map(_name, _DEFINITE.finditer(sentence.show())):
            full = _head(name).casefold().split()
            if len(full) > SHORT and full[0] == short[0] and full[-1] == short[-1]:
                return Thing(name, sentence)
    return thing


def _first(sentence: Sentence, found: Iterable[re.Match[str]], pointer: str) -> Thing | None:
    names = (name for name in map(_name, found) if content_words(name) and _agree(name, pointer))
    return next((Thing(name, sentence) for name in names), None)


def _name(found: re.Match[str]) -> str:
    return lowered(_LOOSE_END.sub("", found[0].strip(" .")))


def _head(thing: str) -> str:
    found = _HEAD.match(thing)
    return found[0] if found else thing


def _agree(name: str, pointer: str) -> bool:
    """Say whether one thing is meant by "it", many by "them"; what has a proper name may be people, so many."""
    is_many = pronoun_of(name) == "they"
    if pointer in MANY:
        return is_many or _head(name).split()[-1][:1].isupper()
    return not is_many or pointer not in ONE
