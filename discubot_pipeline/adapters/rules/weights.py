"""Weighs how surely a clause is work that somebody should find in a tracker. Below `THRESHOLD` it is left alone."""

import re
from dataclasses import dataclass

from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.labels import priority_of
from discubot_pipeline.adapters.rules.requests import Ask, first_word
from discubot_pipeline.adapters.rules.sentences import ATOM, Sentence
from discubot_pipeline.adapters.rules.verbs import IDLE, Tier

THRESHOLD = 0.5
MOST = 0.95

TIERS = (Tier.DELIVERS, Tier.HANDS, Tier.ACTS, Tier.UNKNOWN)
BY_KIND: dict[Kind, tuple[float, float, float, float]] = {
    Kind.MARKER: (0.95, 0.95, 0.9, 0.85),
    Kind.BUG: (0.9, 0.9, 0.9, 0.9),
    Kind.FEATURE: (0.9, 0.9, 0.9, 0.9),
    Kind.PLEASE: (0.8, 0.75, 0.6, 0.5),
    Kind.REQUEST: (0.7, 0.65, 0.5, 0.35),
    Kind.NAMED: (0.7, 0.65, 0.5, 0.3),
    Kind.NEED: (0.7, 0.65, 0.5, 0.4),
    Kind.FOREIGN: (0.6, 0.6, 0.6, 0.6),
    Kind.LETS: (0.6, 0.5, 0.3, 0.2),
    Kind.ORDER: (0.55, 0.45, 0.3, 0.0),
    Kind.SHOULD: (0.55, 0.45, 0.3, 0.2),
    Kind.PROMISE: (0.6, 0.55, 0.45, 0.5),
    Kind.OFFER: (0.35, 0.3, 0.3, 0.3),
    Kind.WANT: (0.4, 0.4, 0.4, 0.4),
}
OWNED, DUE, PRESSING, COURTEOUS, OPENING = 0.15, 0.15, 0.1, 0.1, 0.1
HELPDESK, CODE, CONDITIONAL, HEDGED = -0.25, -0.1, -0.3, -0.2
JOKING, PASSED, DIAGNOSTIC, DOUBTFUL = -0.5, -0.5, -0.4, -0.3
SHARED, PERSONAL, ASIDE, VAGUE, ADVISING, UNASKED = -0.15, -0.2, -0.2, -0.1, -0.2, -0.15

_HOW_TO = re.compile(
    r"\b(?:how (?:do|can|could|would|should|to|does|did|come)|is there (?:a|an|any|some)|are there (?:any|some)|"
    r"(?:does|has|did|is) (?:anyone|anybody|someone)|any(?:one|body) (?:know|have|here|else|seen|tried)|"
    r"any (?:idea|ideas|suggestions?|advice|pointers?|tips|thoughts)|what(?:(?:'s|’s| is)(?! (?:missing|left|open|"
    r"next|up|new|every|the plan|the status))| would be| does|"
    r" do(?! you (?:all )?think| we)| am| are)|why (?:does|is|do|am|doesn't|isn't|would|are|did)|i(?:'m|’m| am|"
    r" was|'ve been) (?:trying|wondering|confused|stuck|curious|struggling|new to|looking for)|i wonder|"
    r"i (?:don't|don’t|do not|can't|can’t|cannot) (?:understand|figure|get|seem|find)|is it possible|(?:should|"
    r"can|could|do|am) i|which .{1,40} should)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:maybe|perhaps|might|probably|possibly|some ?day|one day|eventually|at some point|what if|"
    r"one of these (?:days|years)|hypothetically|in theory|ideally|i wish|would have|could have|should have|"
    r"i guess|not sure|suppose|imagine|"
    r"if i (?:find|have|get)|when i (?:find|have|get)|if (?:you|we|someone|they) (?:want|need|like|use|are|have|"
    r"do)|or (?:maybe|just)|for example|for instance|e\.g\.|try to|soon(?:ish)?|less likely|unlikely|"
    r"i thought i'd|in the (?:near )?future)\b",
    re.IGNORECASE,
)
_PAST = re.compile(r"\b(?:yesterday|already|last (?:week|month|night|year|time)|ago|previously)\b", re.IGNORECASE)
_DIAGNOSTIC = re.compile(
    r"\b(?:example|examples|snippet|minimal|reproduc\w*|more (?:context|detail|details|info|information|"
    r"specific)|your code|the code|error messages?|stack ?trace|the output|what you|how you|why you|"
    r"which version|questions?|advice|sense|pms?|dms?)\b|^add (?:that|to what)\b|\bgive .{1,12} a (?:look|try|"
    r"shot|go)\b",
    re.IGNORECASE,
)
_FORBIDS = re.compile(
    r"(?:don't|don’t|do not|not|never|no|stop|refrain|avoid|(?:find|see) (?:attached|enclosed|below|here|"
    r"the attached))\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"\b(?:my|myself)\b", re.IGNORECASE)
_COURTESY = re.compile(r"\b(?:please|pls|plz|kindly)\b", re.IGNORECASE)
_ATOM = re.compile(ATOM)
_VAGUE = ("make ", "set ", "open ", "write ", "file ", "put ")
_CHAT = re.compile(r"(?:talk|chat|speak|meet|sync|catch up)\b", re.IGNORECASE)
_OF_A_FEW = (Kind.SHOULD, Kind.LETS, Kind.NEED, Kind.WANT, Kind.ORDER)
_FUN = re.compile(
    r"\b(?:picture of|photos? of|selfie|meme|gif|beers?|drinks?|cake|snacks|(?<!after )(?<!before )(?:lunch|"
    r"coffee)|pizza|popcorn)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an ask stands. An opening is the first message of a thread; an aside is an order among talk,
    an answer is by somebody else than who opened it.
    """

    is_helpdesk: bool = False
    is_opening: bool = False
    is_aside: bool = False
    is_answer: bool = False


def weigh(ask: Ask, has_due: bool, setting: Setting) -> float:
    """Weigh an ask, 0 to 0.95."""
    if ask.kind is not Kind.MARKER and (ask.tier is Tier.TALKS or _FORBIDS.match(ask.body)):
        return 0.0
    if (
        ask.kind in (Kind.PROMISE, Kind.OFFER)
        and ask.tier in (Tier.UNKNOWN, Tier.TALKS)
        and first_word(ask.body) in IDLE
    ):
        return 0.0
    tier = ask.tier if ask.tier in TIERS else Tier.UNKNOWN
    score = BY_KIND[ask.kind][TIERS.index(tier)] + _speaks_for(ask, has_due)
    score += OPENING * (setting.is_opening and ask.kind is Kind.ORDER)
    if ask.kind not in (Kind.MARKER, Kind.BUG, Kind.FEATURE):
        score += _speaks_against(ask, has_due, setting)
    return min(MOST, max(0.0, round(score, 3)))


def asks_how(sentence: Sentence) -> bool:
    """Say whether a sentence asks how something is done, as people ask a help desk."""
    return bool(_HOW_TO.search(sentence.text))


def _speaks_for(ask: Ask, has_due: bool) -> float:
    text = ask.sentence.text
    is_owned = (bool(ask.owner) or ask.is_addressed) and ask.kind not in (Kind.PROMISE, Kind.OFFER)
    return (
        OWNED * is_owned
        + DUE * has_due
        + PRESSING * bool(priority_of(text))
        + COURTEOUS * (ask.kind is not Kind.PLEASE and bool(_COURTESY.search(text)))
    )


def _speaks_against(ask: Ask, has_due: bool, setting: Setting) -> float:
    text = ask.sentence.text
    return (
        HELPDESK * setting.is_helpdesk
        + CODE * _names_code(ask)
        + ADVISING * (ask.kind is Kind.ORDER and _names_code(ask) and not setting.is_opening)
        + CONDITIONAL * ask.is_conditional
        + HEDGED * bool(_HEDGE.search(text))
        + JOKING * ask.sentence.is_joke
        + PASSED * bool(_PAST.search(text))
        + DIAGNOSTIC * bool(_DIAGNOSTIC.search(ask.body))
        + SHARED * (ask.is_shared and not has_due and not _COURTESY.search(text))
        + PERSONAL * (ask.kind in (Kind.PROMISE, Kind.OFFER) and bool(_PERSONAL.search(ask.body)))
        + ASIDE * (ask.kind is Kind.ORDER and setting.is_aside and not setting.is_opening)
        + VAGUE * (ask.kind is Kind.ORDER and not setting.is_opening and ask.body.casefold().startswith(_VAGUE))
        + DOUBTFUL * (ask.kind in _OF_A_FEW and ask.sentence.is_question)
        + DOUBTFUL * bool(_FUN.search(ask.body))
        + SHARED * bool(_CHAT.match(ask.body) and not has_due)
        + UNASKED
        * (ask.kind is Kind.ORDER and setting.is_answer and not (ask.owner or has_due or _COURTESY.search(text)))
        + DOUBTFUL * (ask.kind is Kind.REQUEST and ask.body.startswith("use "))
    )


def _names_code(ask: Ask) -> bool:
    return any(ask.sentence.show(atom).startswith("`") for atom in _ATOM.findall(ask.body))
