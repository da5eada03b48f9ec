"""Names the thing that a clause speaks of, in the clause's own words: what "it" and "them" of a later order mean."""

import re
from collections.abc import Iterator

from discubot_pipeline.adapters.learned.talk import Clause
from discubot_pipeline.adapters.rules.bugs import GERUNDS, lowered
from discubot_pipeline.adapters.rules.requests import Ask
from discubot_pipeline.adapters.rules.verbs import NOUNLIKE, WORK

MOST_WORDS = 7
MANY = frozenset(("them", "those", "these", "both"))

_ADVERBS = "still|never|always|also|just|now|currently|already|only|really"
_VERBS = (
    r"(?:is|are|was|were|has|have|had|does|do|did)(?:n['’]t)?|can|can['’]t|cannot|could|should|must|will|would|"
    r"needs?|wants?|says?|asks?|keeps?|looks?|seems?|got|gets|goes|went|runs|comes|left|lost|died|broke|expires|"
    r"jumps|prints|404s|500s"
)
_FINITE = "|".join((_ADVERBS, _VERBS, *GERUNDS, *(f"{verb}s" for verb in sorted(WORK - NOUNLIKE))))
_NO_SUBJECT = (
    r"(?:it|this|that|these|those|he|she|they|we|i|you|which|what|something|everything|nothing|there|if|when|how|why|"
    r"where|who|does|do|is|are|can|could|should|shall|any|some(?:one|body)|every(?:one|body)|no(?:ne|body)?|yes|"
    r"in|on|at|for|with|from|to|by|after|before|during|since|and|but|or|not)\b|[^ ]+ing\b|.{1,3}(?:'|’)"
)
_STOP = (
    rf"{_FINITE}|that|which|who|when|where|while|because|so|and|but|or|if|before|after|until|till|since|as|than|then|"
    r"by|today|tomorrow|i|we|you|they|it|he|she|me|us|them|him|there|here"
)
_DETERMINER = r"the|our|your|their|his|her|my"
_NAME = rf"(?:(?!(?:{_STOP})\b)[^\s,;:?!()]+(?: |$|(?=[,;:?!()]))){{1,{MOST_WORDS}}}"
_SUBJECT = re.compile(rf"(?!{_NO_SUBJECT})[^,;:?!]{{2,60}}?(?= (?:{_FINITE})\b)", re.IGNORECASE)
_DEFINITE = re.compile(rf"\b(?:{_DETERMINER}) {_NAME}", re.IGNORECASE)
_INDEFINITE = re.compile(rf"\ban? {_NAME}", re.IGNORECASE)
_DETERMINED = re.compile(rf"\b(?:{_DETERMINER}|an?|these|those) {_NAME}", re.IGNORECASE)
_LOOSE_END = re.compile(r"(?: (?:of|for|in|on|at|from|with|to|into|not|no|about|over|the|an?))+$", re.IGNORECASE)
_HEAD = re.compile(r"^.*?(?= (?:of|for|in|on|at|from|with|to|into|about)\b|$)", re.IGNORECASE)


def thing_in(clause: Clause, asks: tuple[Ask, ...], pointer: str) -> str:
    """Name the thing of a clause that a pointing word can mean; empty where none is named."""
    text = clause.sentence.show(asks[0].body if len(asks) == 1 else clause.body).rstrip(" .?!")
    return next((thing for thing in _things(text, bool(asks), pointer) if _agree(thing, pointer)), "")


def _things(text: str, is_order: bool, pointer: str) -> Iterator[str]:
    """Give what a text names: what it is about first."""
    subject = None if is_order or pointer == "one" else _SUBJECT.match(text)
    rest = _INDEFINITE if pointer == "one" else _DETERMINED if is_order else _DEFINITE
    for found in (*([subject] if subject else ()), *rest.finditer(text)):
        yield _LOOSE_END.sub("", lowered(found[0].strip()))


def _agree(thing: str, pointer: str) -> bool:
    """Say whether one thing is meant by "it", many by "them"; names and what nothing points to agree with all."""
    head = _HEAD.match(thing)
    last = (head[0] if head else thing).split()[-1]
    is_many = last.endswith("s") and not last.endswith(("ss", "us", "is", "'s", "’s"))
    if pointer not in MANY:
        return not is_many or pointer not in ("it", "one")
    return is_many or last[:1].isupper()
