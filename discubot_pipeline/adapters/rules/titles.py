"""Turns the words of an ask into titles: politeness and dates off, joined orders apart, cut to a title's length."""

import re

from discubot_pipeline.adapters.rules.dates import without_date
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.requests import first_word, opens_object
from discubot_pipeline.adapters.rules.sentences import ATOM, Sentence, clean
from discubot_pipeline.adapters.rules.verbs import ACTS, DELIVERS, HANDS, NOUNLIKE, Tier, stem_of, tier_of

MOST_WORDS = 12
MOST_CHARACTERS = 100
MOST_PARTS = 6

STOP = lexicon(
    """
    a about above after again all already also an and any are as at back be been before below but by can could
    current did do does done down for from get go had has have he her here him his how i i'd i'll i'm if in
    into is it it's its just last let like me more most much my need needed needs new next no not now of off
    ok on once one only or our out over own please really same she should so some still such sure task
    thanks that that's the their them then there these they thing things this those to today tomorrow too up
    us very was we we'll were what when where which while who will with would yes yesterday yet you your
    """
)
"""Words that say nothing about what a task is about."""

POINTERS = lexicon(
    """
    it this that these those them they one ones both everything something anything stuff thing things
    following above same issue problem
    """
)
SMALL = lexicon(
    """
    the a an all any some again please too also now here there soon asap up out on off in of to into onto
    over for me us you quickly first then that's at by with and or so just really is be today tomorrow later
    thanks directly properly
    """
)

_POLITE = re.compile(
    r",? *\b(?:please|pls|plz|kindly|thanks(?: in advance| a lot| so much)?|thank you|thx|if possible|if you can|"
    r"if you could|if you have (?:the )?time|if you get a chance|when(?:ever)? you (?:can|could|"
    r"have (?:the )?time|have a (?:minute|moment|sec|second|chance))|when(?:ever)? you get (?:a|the) (?:chance|"
    r"minute|moment)|as soon as (?:possible|you can)|asap|a\.s\.a\.p\.|urgently|right away|for me|right now|"
    r"give me (?:until|till|an?)\b[^;.]*|sorry (?:for|about)\b[^,;.]*|in a (?:sec|second|min|minute|moment|bit)|"
    r"at your (?:earliest )?convenience|by any chance|ok\?|okay\?|(?:(?:it'?s|it is|this is|it isn'?t|"
    r"this isn'?t) )?(?:not |very |really )*(?:urgent|important|critical|a blocker)(?=\W*$)|\(?(?:high|low|"
    r"medium|top) priority\)?|\(?nice to have\)?|\(?(?:urgent|blocker)\)?(?=$|[.!?])|\(?p[0-4]\)?(?=$|[.!?])|"
    r"no rush|no hurry|bitte|alsjeblieft|alstublieft|svp|stp|s'il te plaît|s'il vous plaît|"
    r"por favor)(?![\w-])[,.! ]*",
    re.IGNORECASE,
)
_LINK = re.compile(r" ?\((?:see |cf\.? |link: ?)?https?://[^\s()]+\)|(?:, see |: ?)?https?://\S+", re.IGNORECASE)
_MARKS = re.compile(r"(?<!\w)[*_~]{1,2}(?=\S)|(?<=\S)[*_~]{1,2}(?!\w)")
_TAG = re.compile(r"(?<![\w&/#])#[a-z][\w-]{1,30}", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:,? (?:so that|because|since|otherwise|which|so (?:we|i|you|that|it)|as (?:it|we|they|this)|but|"
    r"unless)\b| ?[–—] | - |: | \(|, see |, (?:and )?(?:it|this|that|we|they|i|you|the)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_DANGLING = re.compile(
    r"(?: (?:for|of|about|with|to|in|on) (?:it|this|that|these|those|them)|,? (?:too|as well|also))$", re.IGNORECASE
)
_JOINT = re.compile(r",? +(?:and then|and also|and|then|plus|&) +|, +|; *")
_FIXED_PAIR = re.compile(
    r"\b(?:copy and paste|cut and paste|drag and drop|search and replace|find and replace|read and write|"
    r"plug and play|sign in and sign|back and forth|trial and error|pros and cons|test and learn)\b",
    re.IGNORECASE,
)
_NESTED = re.compile(r" (?:to|that|which|who|when|where|if|whether|how|why) (?=[a-z])", re.IGNORECASE)
_POINTING = re.compile(r"\b(?:it|them|this|that|these|those|you|me|him|her)\b", re.IGNORECASE)
_LOOSE_END = lexicon(
    """
    a an the and or to of for in on at by with from as is are that which this so until before till
    """
)
_WORD = re.compile(rf"[^\W_]+(?:['’.-][^\W_]+)*|{ATOM}")
_SPLITTING = DELIVERS | HANDS | ACTS | {"use", "get"}


def title_of(sentence: Sentence, body: str) -> str:
    """Write a body as a title; empty where nothing is left of it."""
    text = _POLITE.sub(" ", without_date(body))
    text = _LINK.sub("", _TAG.sub("", sentence.show(text)))
    text = " ".join(_MARKS.sub("", text).split()).replace(" ,", ",").rstrip(" .!?,;:")
    return capped(_DANGLING.sub("", _shortened(text)))


def literal_title(text: str) -> str:
    """Write words that a person chose as a title: only trimmed, capitalised and cut."""
    text = " ".join(_MARKS.sub("", clean(text)).split())
    return _capitalised(_cut_characters(text.strip(" .,:;!–-")).strip(" .,:;!?–-"))


def capped(text: str) -> str:
    """Cut a text to a title's length at a word's end and give it a capital letter."""
    words = text.split()
    if len(words) > MOST_WORDS:
        words = words[:MOST_WORDS]
        while len(words) > 3 and words[-1].casefold().strip(",") in _LOOSE_END:
            words.pop()
    return _capitalised(_trimmed(_cut_characters(" ".join(words))))


def clipped(text: str) -> str:
    """Cut a text to a title's characters at a word's end, with no bracket left open."""
    return _trimmed(_cut_characters(text))


def parts_of(body: str) -> tuple[str, ...]:
    """Take joined orders apart ("fix the header and update the footer"); one part where they belong together."""
    if _FIXED_PAIR.search(body):
        return (body,)
    parts: list[str] = []
    start = 0
    for joint in _JOINT.finditer(body):
        left, right = body[start : joint.start()], body[joint.end() :]
        is_inside = left.count("(") > left.count(")")
        if not is_inside and _opens_order(right) and _is_whole(left):
            parts.append(left.strip())
            start = joint.end()
    parts.append(body[start:].strip())
    return tuple(parts) if len(parts) <= MOST_PARTS else (body,)


def points_back(part: str) -> bool:
    """Say whether a part needs the one before it: "and send it to Ann"."""
    return bool(_POINTING.search(part))


def content_words(text: str) -> frozenset[str]:
    """Give the stems of the words that say what a text is about."""
    words = (word.strip("'’").casefold() for word in _WORD.findall(text))
    return frozenset(stem_of(word) for word in words if word not in STOP and (len(word) > 1 or word.isdigit()))


def has_object(body: str) -> bool:
    """Say whether an order names what it is about, not only "it"."""
    words = [word.casefold() for word in _WORD.findall(_POLITE.sub(" ", without_date(body)))][1:]
    return any(word not in POINTERS and word not in SMALL for word in words)


def _opens_order(text: str) -> bool:
    text = re.sub(r"^(?:(?:also|then|please|finally|maybe|to) )+", "", text)
    word = first_word(text)
    rest = text[len(word) :].lstrip()
    if word not in _SPLITTING or not rest or text[len(word) : len(word) + 1] != " ":
        return False
    return word not in NOUNLIKE or opens_object(rest)


def _is_whole(text: str) -> bool:
    words = text.split()
    if len(words) < 2 or _NESTED.search(text):
        return False
    return tier_of(words[-1].casefold()) is Tier.UNKNOWN or words[-1].casefold() in NOUNLIKE


def _shortened(text: str) -> str:
    """Cut what explains rather than names, where enough is left."""
    cut = _TAIL.sub("", text)
    if len(cut.split()) >= 3 and (len(text.split()) > MOST_WORDS or cut.count("(") == cut.count(")")):
        text = cut
    return text


def _cut_characters(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    cut = text[: MOST_CHARACTERS - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,.;:–-") + "…"


def _trimmed(text: str) -> str:
    text = text.strip(" \t.,:;!?–—-|")
    if text.count("(") == text.count(")"):
        return text
    return text + ")" if text.count("(") > text.count(")") else text.replace(")", "").rstrip(" .,:;!?")


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
