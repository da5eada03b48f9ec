"""Recognises the short answers that make work of what somebody else asked for or offered: "ok", "np, on Friday"."""

import re

from discubot_pipeline.adapters.rules import foreign
from discubot_pipeline.adapters.rules.dates import without_date
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence

LONGEST = 16
"""An answer of more words speaks of something else too."""


_TAKES = re.compile(
    r"(?:(?:yes|yep|yeah|yup|sure|ok|okay|haha|ah|oh|hm+|no problem|np|cool|great|good idea|agreed|thx|thanks|"
    r"of course|"
    r"right|alright)[ ,.!:–-]+)*(?:(?:yes )?it's awful[., ]+)?"
    r"(?:will do|can do|consider it done|doing (?:it|that|this|so)|i'?ll do (?:it|that|this|so)|let me do (?:it|"
    r"that|this)|"
    r"on it|i'?m on it|got mine|my pleasure|i do[!.]|will get (?:it|that|this) done|(?:it|that|this)(?:'s|"
    r" is) (?:on my list|"
    r"mine)|on my list|leave it (?:to|with) me|taking (?:it|this|that)|give me (?:until|till|an? |\d))",
    re.IGNORECASE,
)
_NODS = re.compile(
    r"(?:yes|yep|yeah|yup|y|sure(?: thing)?|ok(?:ay|i)?|okie|okidoki|okie dokie|ack|k|np|no problem|no worries|"
    r"of course|gladly|certainly|absolutely|"
    r"definitely|alright|fine|good idea|deal|right|noted|agreed|jo|happy to|with pleasure|got it|roger|aye|👌|👍|"
    r"should be fine|as you wish|i can(?=[.!]?$))(?![\w'’])",
    re.IGNORECASE,
)
_WELCOMES = re.compile(
    rf"(?:(?:yes|yeah|oh|ah|ok|sure|cool|great|nice|perfect|thanks|thx|{PERSON})[ ,.!]+)*"
    r"(?:(?:yes )?please(?: do)?|go(?: for it| ahead)?|do (?:it|that)|(?:that|this|it)(?:'d| would| will)? be "
    r"(?:\w+ )?(?:great|good|lovely|nice|perfect|awesome|super|fantastic|helpful|wonderful)|sounds (?:good|great|"
    r"perfect|"
    r"like a plan)|great|perfect|lovely|awesome|excellent|fantastic|super|brilliant|good idea|\+1|thanks|thank you|"
    r"thx|ta|"
    r"assigning you|assigned|none from me|makes sense|no objections?|fine (?:by|with) me|works for me|yes|yep|"
    r"ok(?:ay)?|sure|"
    r"gerne?|oui|merci|genial|perfecto|top|super|graag|dank)(?![\w'’])",
    re.IGNORECASE,
)

_YES = re.compile(r"\b(?:ok|okay|sure|yes|yep|fine|will)\b", re.IGNORECASE)
_OWN = re.compile(r"\b(?:i|i'\w+|i’\w+|but|not|n't|you|we|works?|worked|that'?s|it'?s)\b", re.IGNORECASE)
"""A yes before one of these opens another thought."""


def takes(sentence: Sentence) -> bool:
    """Say whether somebody takes what was just asked for."""
    return not sentence.is_question and bool(_TAKES.match(sentence.text) or foreign.TAKES.search(sentence.text))


def nods(sentence: Sentence) -> bool:
    """Say whether somebody answers a request with a bare yes, perhaps with a reason or a day."""
    if not sentence.is_question and not without_date(sentence.text):
        return True
    match = _NODS.match(sentence.text) or foreign.ASSENT.match(sentence.text)
    if not match or sentence.is_question or len(sentence.text.split()) > LONGEST:
        return False
    return not _OWN.search(sentence.text[match.end() :])


def agrees(sentence: Sentence) -> bool:
    """Say whether a yes stands anywhere in a short answer."""
    return not sentence.is_question and len(sentence.text.split()) <= LONGEST and bool(_YES.search(sentence.text))


def welcomes(sentence: Sentence) -> bool:
    """Say whether somebody is glad of an offer; "yes, can you?" is."""
    return (not sentence.is_question or sentence.text.casefold().startswith("yes, can you")) and bool(
        _WELCOMES.match(sentence.text)
    )
