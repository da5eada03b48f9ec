"""Reads what later messages do to work that came up before: take it, finish it, or call it off."""

import re
from dataclasses import dataclass
from enum import StrEnum

from discubot_pipeline.adapters.rules import foreign
from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.titles import content_words
from discubot_pipeline.adapters.rules.verbs import Tier, tier_of

LONGEST = 300
SHORT = 14


class Effect(StrEnum):
    """What a reply does to the work before it."""

    TAKES = "takes"
    CLOSES = "closes"


@dataclass(frozen=True, slots=True)
class Reply:
    """`words` name the work meant; empty for the latest. `is_own` marks a taker who also may have asked."""

    effect: Effect
    words: frozenset[str]
    owner: str | None = None
    is_own: bool = False


_WITHDRAWN = re.compile(
    r"\b(?:never ?mind|nvm|scra(?:p|tch) (?:that|this|it)|i(?:'ll|’ll| will) leave it\b|forget (?:it|that|"
    r"about (?:it|that|this))|(?:ignore|disregard|"
    r"cancel|skip) (?:that|this|my)|no longer (?:needed|necessary|relevant)|not (?:needed|"
    r"necessary)(?: any ?more)?|no need|false alarm|changed my mind|decided (?:not to|against)|let's not|"
    r"let’s not|won't ?fix|won’t fix|wontfix|works as (?:intended|designed)|not worth it|solved it|"
    r"figured it out|found it|got it (?:working|to work)|that (?:did it|worked|works|fixed it|solved it)|"
    r"works? now|working now|(?<!if )(?<!when )(?<!how )(?<!that )(?<!sure )it works|you're right, it|"
    r"i already did|already (?:there|done|fixed|sorted|exists)|"
    rf"it's already|{foreign.CALLED_OFF})\b",
    re.IGNORECASE,
)
_FINISHED = re.compile(
    r"\b(?:done|fixed|merged|resolved|solved|deployed|shipped|completed|released|implemented|pushed|published|"
    r"finished|updated|added|removed|renamed|changed|sent|uploaded|created|closed|reverted|erledigt|gedaan|klaar|"
    r"fait|hecho|listo)\b",
    re.IGNORECASE,
)
_PLAINLY = lexicon(
    """
    done fixed merged resolved solved deployed shipped completed erledigt gedaan klaar fait hecho listo
    """
)
_ALONE = re.compile(
    r"(?:all |it's |its |just |and |now )?(?:done|fixed|merged|solved|pushed|published|sent|uploaded|deployed|"
    r"shipped|ordered|"
    r"booked|live|updated|changed|removed|added|deleted|closed|corrected|swapped|renewed|restarted)(?: it| now|"
    r" them)?\W*",
    re.IGNORECASE,
)
_SIMPLY = re.compile(r"(?:all |it's |its )?(?:done|fixed|merged|solved)(?:[,.!:]|$| now\b)", re.IGNORECASE)
_NOT_YET = re.compile(
    r"\b(?:not|never|yet|when|once|if|will|to be|should|need|needs|after|before|until|nearly|almost|half|partly|"
    r"partially|could|would|can|must|get|gets|getting|want|wants|nothing|isn't|isn’t|wasn't|hasn't|haven't|i'll|"
    r"we'll|be|by|can't|easier)\b|n't",
    re.IGNORECASE,
)
_TAKE = re.compile(
    r"(?:i'm on (?:it|this|that)|i’m on (?:it|this|that)|on it|will do|i got this|(?:me|i can|i do|i could|"
    r"i would|i will)$|leave (?:it|this|that) (?:to|with) me|assign (?:it|this|that) to me|consider it done|"
    r"taking (?:it|this|that)|(?P<able>(?:i can|i'll|i’ll|ill|i will|i could|happy to|let me|i'm happy to|then i|"
    r"i(?= (?:take|do|handle|own|grab) (?:the|our|care)\b)|"
    r"i'd be happy to) )(?:take care of|take|do|handle|grab|own|pick up|fix|look into|look at|tackle|work on|"
    r"deal with|look after|sort(?: out)?|get)(?: on)? (?P<what>[^,;(–—]+))|"
    r"(?P<repair>(?:i'll |i’ll |i will |will )(?:push|ship|send|prepare|have|put)(?: out| up| in)? (?:a|the) "
    r"(?:quick |small )?(?:fix|hotfix|patch))\b.*",
    re.IGNORECASE,
)
_PROMISE = re.compile(
    r"i(?:'?ll|’ll| will| can) (?:also |then )?(?!buy\b)(?P<verb>[a-z-]+) "
    r"(?:it|this|that|these|those|them|both)(?! [a-z]+ing)\b",
    re.IGNORECASE,
)
_DO = r"(?:take care of|take|handle|do|own|pick up|grab|fix)"
_GIVEN = re.compile(
    rf"(?:(?:assign|give|assigned|over) (?:this |it |that )?to (?P<to>{PERSON})|(?P<who>{PERSON}),? ?(?:will|can|"
    rf"could|is going to|'ll|’ll|please|(?:can|could|will|would) you)(?: please|"
    rf" also)* {_DO} (?P<what>[^,;(–—]+)|(?:can|could|would|will) you (?:please )?{_DO} (?:it|this|that|these|"
    rf"those|them)\b[^,]*, ?(?P<last>{PERSON})|(?:can|could|"
    rf"will) (?P<asked>{PERSON}) (?:please )?{_DO} (?P<which>[^,;(–—]+))",
    re.IGNORECASE,
)
_NAMES_WORK = re.compile(r" (?:the|about|to|for)\b", re.IGNORECASE)
_POINTER = re.compile(
    r"(?:(?:all |the |both |all the )?(?:(?:two|three|four|five|\d) )?(?:points|issues|items|findings)\b|it|this|"
    r"that|these|those|them|both|care of (?:it|this|that)|the (?:task|ticket|issue)|up|"
    r"(?:a|the) (?:quick |small )?(?:fix|hotfix|patch)\b|a look(?: at (?:it|this|that))?$)\b",
    re.I,
)
_NAMING_ONLY = lexicon("ticket task issue one part piece bit job rest thing")


def reply_in(sentence: Sentence) -> Reply | None:
    """Read a sentence as a reply to work; None when it is none."""
    if len(sentence.text) > LONGEST:
        return None
    text, _ = strip_leads(sentence, sentence.text)
    text = (text or sentence.text).rstrip(" .!")
    return _withdrawal(sentence, text) or _taking(sentence, text) or _giving(sentence) or _finish(sentence)


def _withdrawal(sentence: Sentence, text: str) -> Reply | None:
    match = _WITHDRAWN.search(sentence.text)
    if not match or sentence.is_question or len(sentence.text.split()) > 2 * SHORT:
        return None
    before, after = sentence.text[: match.start()], sentence.text[match.end() :]
    if _NAMES_WORK.match(after):
        return Reply(Effect.CLOSES, _about(after))
    return Reply(Effect.CLOSES, _about(before) if "need" in match[0].casefold() else frozenset())


def _taking(sentence: Sentence, text: str) -> Reply | None:
    if sentence.is_question:
        return None
    match = _TAKE.match(text)
    if match:
        what = match["what"] or "it"
        words = frozenset[str]() if _POINTER.match(what) else _about(what)
        return Reply(Effect.TAKES, words, sentence.writer, is_own=bool(match["able"] or match["repair"]))
    if foreign.TAKES.search(text):
        return Reply(Effect.TAKES, frozenset(), sentence.writer, is_own=True)
    promise = _PROMISE.match(text)
    if promise and tier_of(promise["verb"].casefold()) in (Tier.DELIVERS, Tier.HANDS):
        return Reply(Effect.TAKES, frozenset(), sentence.writer, is_own=True)
    return None


def _giving(sentence: Sentence) -> Reply | None:
    match = _GIVEN.search(sentence.text)
    if not match:
        return None
    owner = sentence.person(match["to"] or match["who"] or match["asked"] or match["last"])
    what = match["what"] or match["which"] or "it"
    words = frozenset[str]() if _POINTER.match(what) else _about(what)
    return Reply(Effect.TAKES, words, owner, is_own=True) if owner else None


def _finish(sentence: Sentence) -> Reply | None:
    if _ALONE.fullmatch(sentence.text) and not sentence.is_question:
        return Reply(Effect.CLOSES, frozenset())
    match = _FINISHED.search(sentence.text)
    words = sentence.text.split()
    if not match or sentence.is_question or len(words) > SHORT or _NOT_YET.search(sentence.text):
        return None
    about = frozenset[str]() if _SIMPLY.match(sentence.text) else _about(_FINISHED.sub(" ", sentence.text))
    if not about and match[0].casefold() not in _PLAINLY:
        return None
    return Reply(Effect.CLOSES, about)


def _about(text: str) -> frozenset[str]:
    return content_words(text) - _NAMING_ONLY
