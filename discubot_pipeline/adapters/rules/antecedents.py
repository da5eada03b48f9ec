"""Finds what "it" means in "can you renew it?": the thing that the sentences before are about."""

import re
from collections.abc import Sequence
from dataclasses import replace

from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.requests import asks_in, first_word
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.titles import content_words, has_object
from discubot_pipeline.adapters.rules.verbs import Tier

FEWEST, MOST = 2, 14
"""So many words that mean something a sentence has that says what "it" is."""

_PRONOUN = re.compile(r"\b(?:it|this|that|them|these|those|one)\b", re.IGNORECASE)
_PREDICATE = re.compile(
    r",? (?:(?:that|which) )?(?:is|are|was|were|isn't|aren't|has|have|needs?|runs? out|fails?|looks?|says?|"
    r"expires?|ends?|"
    r"still|no longer|doesn't|don't|does not|do not|can't|cannot|won't)\b.*",
    re.IGNORECASE,
)
_THING = re.compile(
    rf"(?:the|a|an|our|all|your|his|her|their|both|two|three|\d+|this \w|that \w|{PERSON}['’]s) (?!other|same)",
    re.IGNORECASE,
)
WANTED = re.compile(
    r".{2,60}? (?:wants?|needs?|expects?|requires?|asks? for|asked for|is waiting for|waits for) (?P<what>(?!to\b|"
    r"it\b|that\b)\S.*)",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"who(?:['’]s| is| has| can| could| does| wants to| will| got)? (?:got |doing |writing |taking |do |take |write )?"
    r"(?P<what>(?:the|an?|our|those|these) .+)",
    re.IGNORECASE,
)
_LOOSE = re.compile(
    r"(?:with|for|to|in|on|at|of|from|that|if|whether|us|me|about|it|them|this|up|out|around)\b", re.IGNORECASE
)
_ARTICLE = re.compile(r"(?:the|a|an|our|all|this|that|these|those|and|also|but)\s", re.IGNORECASE)


def resolved(sentences: Sequence[Sentence], asking: Sentence, body: str) -> str | None:
    """Word an order with the thing it points to, "renew the certificate for x"; None where nothing is in reach."""
    thing = _thing_before(sentences, asking)
    body = asking.show(body)
    if not thing:
        return None
    if not _PRONOUN.search(body):
        return f"{first_word(body)} {thing}"
    return _PRONOUN.sub(lambda _: thing, body, count=1)


def _thing_before(sentences: Sequence[Sentence], asking: Sentence) -> str | None:
    for sentence in _before(sentences, asking):
        text, _ = strip_leads(sentence, sentence.text.rstrip(" .!?"))
        subject = _PREDICATE.sub("", text)
        asked = _asked(sentence) if sentence.message.id != asking.message.id else None
        asked = asked or ((who := _WHO.match(text)) and who["what"])
        if asked:
            return sentence.show(asked)
        wanted = WANTED.match(text)
        if wanted and not sentence.is_question:
            return sentence.show(wanted["what"])
        if sentence.is_question or not _THING.match(text):
            continue
        if subject != text and content_words(subject):
            return _lowered(sentence.show(subject))
        if _is_telling(sentence):
            return _lowered(sentence.show(text))
    return None


def _asked(sentence: Sentence) -> str | None:
    """Give what a request before is about, without its verb."""
    bodies = (ask.body for ask in asks_in(sentence) if ask.tier is not Tier.TALKS and has_object(ask.body))
    things = (body[len(first_word(body)) :].strip(" ?") for body in bodies)
    return next((thing for thing in things if not _LOOSE.match(thing)), None)


def _before(sentences: Sequence[Sentence], asking: Sentence) -> list[Sentence]:
    first, comma, _ = asking.text.partition(", ")
    same = [replace(asking, text=first)] if comma else []
    return [*same, *reversed(sentences)]


def _is_telling(sentence: Sentence) -> bool:
    return FEWEST <= len(content_words(sentence.show())) <= MOST and not sentence.is_joke


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:] if _ARTICLE.match(text) else text
