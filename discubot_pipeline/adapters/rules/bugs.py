"""Reads reports of things that are broken, and names the repair."""

import re

from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.sentences import Sentence

GERUNDS = {
    "breaks": "breaking",
    "closes": "closing",
    "crashes": "crashing",
    "disappears": "disappearing",
    "dies": "dying",
    "errors": "erroring",
    "fails": "failing",
    "flickers": "flickering",
    "freezes": "freezing",
    "hangs": "hanging",
    "gives": "giving",
    "leads": "leading",
    "leaks": "leaking",
    "overflows": "overflowing",
    "overlaps": "overlapping",
    "returns": "returning",
    "shows": "showing",
    "throws": "throwing",
    "times out": "timing out",
}
ALONE = lexicon(
    """
    breaks crashes disappears dies fails flickers freezes hangs leaks overflows overlaps throws
    """
) | {"times out"}
"""These report a fault by themselves; the others only before a word like "error"."""

LONGEST = 300
_SUBJECT = (
    r"(?P<subject>(?!(?:it|this|that|these|those|he|she|they|we|i|you|which|what|something|everything|nothing|"
    r"there|if|when|my|mine|how|why|where|does|do|is|are)\b)[^,;:?!]{2,60}?)"
)
_ADVERBS = r"(?:(?:still|always|sometimes|just|now|often|suddenly|also|completely|totally|again|currently) )*"
_STATE = re.compile(
    rf"{_SUBJECT} (?:is|are|seems(?: to be)?|looks|still|got) {_ADVERBS}(?:broken|not working|down|dead|"
    rf"unusable)\b(?P<rest>.*)",
    re.IGNORECASE,
)
_QUALITY = re.compile(
    rf"{_SUBJECT} (?:is|are|seems(?: to be)?|looks) (?P<state>{_ADVERBS}(?:too |very |really )?(?:slow|wrong|"
    rf"outdated|missing|"
    r"misaligned|incorrect|cut off|unresponsive|unreadable|blank)\b.*)",
    re.IGNORECASE,
)
_NEEDS = re.compile(rf"{_SUBJECT} {_ADVERBS}needs? to (?!be\b|know\b|go\b)(?P<what>[a-z]+ .+)", re.IGNORECASE)
_HEARSAY = re.compile(
    r"(?:(?:some |many |several )?(?:users?|customers?|people|clients?|we|i)(?:'ve|’ve| have| are| is| keep|"
    r"'re)? (?:complain(?:ing|ed)?|report(?:ing|ed)?|saying|said|say|noticed?|noticing|found|see|"
    r"heard?)(?: us)?(?: that)? )",
    re.IGNORECASE,
)
_FAULT = re.compile(
    rf"{_SUBJECT} {_ADVERBS}(?P<verb>{'|'.join(sorted(GERUNDS, key=len, reverse=True))})\b(?P<rest>.*)",
    re.IGNORECASE,
)
_GOING = re.compile(
    rf"{_SUBJECT} (?:is|are|keeps?) {_ADVERBS}(?P<verb>crashing|failing|freezing|hanging|leaking|overlapping|"
    rf"flickering|throwing)"
    r"\b(?P<rest>.*)",
    re.IGNORECASE,
)
_NOT = re.compile(
    rf"{_SUBJECT} {_ADVERBS}(?:doesn't|doesn’t|does not|don't|don’t|do not) (?:seem to )?"
    r"(?P<verb>work|load|open|show|render|respond|save|update|close|scroll|submit|appear)\b(?P<rest>.*)",
    re.IGNORECASE,
)
_LACKS = re.compile(
    rf"{_SUBJECT} {_ADVERBS}(?:lacks?|(?:is|are) {_ADVERBS}(?:lacking|missing)|misses) "
    r"(?P<what>(?:the|an?|any|some|our) .+)",
    re.IGNORECASE,
)
_THERE = re.compile(
    r"there(?:'s|’s| is| are| seems to be) (?:a|an|another|some) (?P<thing>(?:\w+ ){0,3}(?:bug|typo|regression|"
    r"leak)s?\b.*)",
    re.I,
)
_TROUBLE = re.compile(r"\b(?:error|exception|blank|wrong|404|500|warning|nothing)\b", re.IGNORECASE)
_CLAUSE = re.compile(
    r"\b(?:is|are|that|which|not|do|does|don|doesn|has|have|still|you|we|i|just|only)\b", re.IGNORECASE
)
_UNREAL = re.compile(r"\b(?:if|would|could|might|should|unless|not sure|used to|was|were|no longer)\b", re.IGNORECASE)


def repair_of(sentence: Sentence) -> str | None:
    """Name the repair that a report calls for, in masked words; None where nothing is reported broken."""
    text, _ = strip_leads(sentence, sentence.text)
    text = _HEARSAY.sub("", text.rstrip(" .!"), count=1)
    if len(text) > LONGEST or sentence.is_question or sentence.is_joke:
        return None
    return (
        _state(text)
        or _lacks(text)
        or _quality(text)
        or _needs(text)
        or _going(text)
        or _fault(text)
        or _not(text)
        or _there(text)
    )


def lowered(thing: str) -> str:
    """Write a thing's article in lower case: it will stand inside a sentence."""
    is_article = thing.split(" ", maxsplit=1)[0] in ("The", "A", "An", "Our", "All", "Some")
    return thing[0].lower() + thing[1:] if is_article else thing


def _state(text: str) -> str | None:
    match = _STATE.match(text)
    return f"fix {lowered(match['subject'])}{match['rest']}" if match and not _UNREAL.search(match["subject"]) else None


def _quality(text: str) -> str | None:
    match = _QUALITY.match(text)
    return f"fix {lowered(match['subject'])} being {match['state']}" if match and not _UNREAL.search(text) else None


def _needs(text: str) -> str | None:
    match = _NEEDS.match(text)
    return f"make {lowered(match['subject'])} {match['what']}" if match and _is_thing(match["subject"]) else None


def _is_thing(subject: str) -> bool:
    return not _CLAUSE.search(subject) and not _UNREAL.search(subject)


def _going(text: str) -> str | None:
    match = _GOING.match(text)
    return (
        f"fix {lowered(match['subject'])} {match['verb']}{match['rest']}"
        if match and not _UNREAL.search(match["subject"])
        else None
    )


def _fault(text: str) -> str | None:
    match = _FAULT.match(text)
    if not match or _UNREAL.search(match["subject"]):
        return None
    verb = match["verb"].casefold()
    if verb not in ALONE and not _TROUBLE.search(match["rest"]):
        return None
    return f"fix {lowered(match['subject'])} {GERUNDS[verb]}{match['rest']}"


def _not(text: str) -> str | None:
    match = _NOT.match(text)
    if not match or _UNREAL.search(match["subject"]):
        return None
    verb = match["verb"].casefold()
    gerund = "submitting" if verb == "submit" else verb.removesuffix("e") + "ing"
    return f"fix {lowered(match['subject'])} not {gerund}{match['rest']}"


def _lacks(text: str) -> str | None:
    match = _LACKS.match(text)
    return f"add {match['what']} to {lowered(match['subject'])}" if match and _is_thing(match["subject"]) else None


def _there(text: str) -> str | None:
    match = _THERE.match(text)
    return f"fix the {match['thing']}" if match else None
