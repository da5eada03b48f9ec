"""Recognises the clauses in which people ask for work, promise it or write it down. `frames` holds the English ways,
`foreign` the basic ones of other languages.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from discubot_pipeline.adapters.rules import foreign
from discubot_pipeline.adapters.rules.frames import FRAMES, Kind
from discubot_pipeline.adapters.rules.leads import POLITE_IF, owner_at_end, strip_leads
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.verbs import NOUNLIKE, Tier, base_of, tier_of

LONGEST = 500


@dataclass(frozen=True, slots=True)
class Ask:
    """One clause that holds work: `body` is the work in the writer's masked words, verb first where there is one."""

    kind: Kind
    body: str
    tier: Tier
    sentence: Sentence
    owner: str | None = None
    is_addressed: bool = False
    is_conditional: bool = False
    is_shared: bool = False
    is_undated: bool = False


_STARTERS = (
    r"(?:can|could|would|will) (?:you|someone|somebody|anyone|anybody|we)\b|please [a-z]|let's |let’s |"
    r"(?:we|someone|somebody) (?:still |also )?(?:needs?|has|have) to\b|i(?:'m|’m| am) going to |"
    r"i (?:also |still |really )?(?:need|have|want) (?:one|an?|the|your|to) |i(?:'ve|’ve) got time |i'll |i’ll |"
    r"ill |(?:someone|somebody) please |just [a-z]+ (?:the|"
    r"an?|your|our) |i will |i can take "
    rf"|will [a-z]+ (?:the|an?|your|our|it|them|that|you) |{PERSON},? (?:bitte|svp|stp|alsjeblieft|por favor|can|"
    rf"could|please|will|would|to|should|needs) |(?:can|could|would|will) {PERSON} "
)
_CLAUSE = re.compile(rf"(?:[,;:]|\s[–—-]|\s(?:and|but|so|then|while|plus))+\s+(?={_STARTERS})", re.IGNORECASE)
_CONDITION = re.compile(
    r"(?:if|when|whenever|unless|once|until|suppose|assuming|in case|whether|even if)\b", re.IGNORECASE
)
_ONLY_NAMES = re.compile(rf"(?:(?:hi|hey|hello|and|ok|okay|so),? )*(?:{PERSON}[ ,]*)+", re.IGNORECASE)
_PHRASES = (
    (Tier.ACTS, re.compile(r"go (?:through|over) |play (?:around )?with ", re.I)),
    (Tier.TALKS, re.compile(r"take care(?! of\b)|report back\b", re.I)),
    (
        Tier.HANDS,
        re.compile(r"do an?(?:other)? (?:quick |short |small )?(?!test\b|bit\b|lot\b|similar)[a-z]{4,}", re.I),
    ),
    (Tier.HANDS, re.compile(r"let (?!me\b|us\b|you\b|it\b)[^ ]+(?: \w+)? know\b", re.I)),
    (Tier.DELIVERS, re.compile(r"set up |get .{2,40} (?:sorted|done|fixed|ready|going|started|working|green)\b", re.I)),
    (
        Tier.HANDS,
        re.compile(
            r"(?:tell|give) (?!me\b|us\b|it\b|up\b|in\b|all\b|your\b|people\b|every|or take)[a-z]+ (?!a try|a go|"
            r"a shot)\w|get back to ",
            re.I,
        ),
    ),
    (Tier.ACTS, re.compile(r"(?:have|take) a (?:quick |closer )?look (?:at|over|into) (?!it\b|this\b|that\b)", re.I)),
)
"""Phrases that say more than their first word."""

_HAVE_DONE = re.compile(
    r"(?:have|get) (?P<thing>(?:it|this|that|them|both|the [\w ]{2,40}?)) (?P<done>[a-z]+(?:ed|t|en))\b(?P<rest>.*)",
    re.I,
)
_AND = re.compile(r"^(?:en|y|et|und) ", re.IGNORECASE)
_SOON = re.compile(
    r"\b(?:now|today|tonight|tomorrow|tmrw|later|asap|this (?:afternoon|morning|evening|week)|next|(?:by|on|before|"
    r"until|for) "
    r"(?:\w+day|the \d+))\b",
    re.IGNORECASE,
)
_CALLED = re.compile(rf" ?({PERSON})(?!(?: ?,| ?/| and| &)* ?{PERSON})")
TO_YOU = (Kind.REQUEST, Kind.PLEASE, Kind.ORDER, Kind.FOREIGN)
_FURTHER = re.compile(r",|;| (?:and|but|so|because|since)\b", re.IGNORECASE)
_NO_THING = re.compile(
    r"\b(?:it|this|that|nothing|because|so|not|if|what|why|who|which|you|i|we|he|she|they|there|think|how|when|where|"
    r"\w+n['’]t)\b",
    re.IGNORECASE,
)
_FIRST_WORD = re.compile(r"[a-zà-ÿ]+(?:-[a-z]+)?", re.IGNORECASE)
_OPENS_OBJECT = re.compile(
    rf"(?:(?:the|a|an|all|any|our|your|my|his|her|their|its|this|that|these|those|some|every|each|it|them|both|on|and|"
    rf"in|for|to|up|out|over|with|back|down|off|new|old|more|another|missing|unused)\b|\d|#|[A-Z]|{PERSON}|"
    rf"[\ue000-\uf8ff])"
)
_SUBJECT_VERB = re.compile(
    r"\w+ (?:is|are|was|were|has|had|gives?|takes|makes|does|did|returns|expands|means|needs|uses|produces|"
    r"creates|calls|will|would|can|could|should|may|might|works?|seems|looks|isn't|doesn't|just)\b",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|had|looks?|seems?|isn't|aren't|wasn't|will|would|works?|worked|failed|fails|"
    r"passed|went|came|gets|got|says|said)\b|^\w+ ?:",
    re.IGNORECASE,
)


def asks_in(sentence: Sentence) -> tuple[Ask, ...]:
    """Find the clauses of a sentence that hold work. Which of them count is decided elsewhere."""
    if len(sentence.text) > LONGEST:
        return ()
    found: list[Ask] = []
    called = _CALLED.match(sentence.text)
    addressee = sentence.person(called[1]) if called and sentence.show(called[1]).startswith("@") else None
    is_conditional = False
    for clause in _clauses(sentence):
        ask = _ask(sentence, clause)
        if ask:
            owner = ask.owner or (addressee if ask.kind in TO_YOU else None)
            found.append(replace(ask, owner=owner, is_conditional=is_conditional or ask.is_conditional))
        is_conditional |= bool(_CONDITION.match(clause.lstrip("( "))) and not POLITE_IF.match(clause + ",")
    is_label = len(found) > 1 and found[0].kind is Kind.MARKER and is_finite(found[0].body)
    return tuple(found[1:] if is_label else found)


def order_in(sentence: Sentence, text: str) -> Ask | None:
    """Read a text as an order ("fix the header"), whatever its verb is worth."""
    word = first_word(text)
    tier = tier_of_words(text)
    rest = text[len(word) :].strip()
    if tier in (Tier.UNKNOWN, Tier.TALKS) or not rest or text[len(word) : len(word) + 1] not in " ":
        return None
    if _SUBJECT_VERB.match(text) or text.endswith(":"):
        return None
    if word in NOUNLIKE and (not _OPENS_OBJECT.match(rest) or _FINITE.search(text)):
        return None
    return Ask(Kind.ORDER, text, tier, sentence)


def is_finite(text: str) -> bool:
    """Say whether a text is a statement, with a verb of its own."""
    return bool(_FINITE.search(text))


def first_word(text: str) -> str:
    """Give the first word in lower case."""
    match = _FIRST_WORD.match(text)
    return match[0].casefold() if match else ""


def tier_of_words(text: str) -> Tier:
    """Say what kind of verb a text starts with."""
    return next((tier for tier, pattern in _PHRASES if pattern.match(text)), None) or tier_of(first_word(text))


def opens_object(text: str) -> bool:
    """Say whether a text starts like the object of a verb."""
    return bool(_OPENS_OBJECT.match(text))


def _ask(sentence: Sentence, clause: str) -> Ask | None:
    text, called = strip_leads(sentence, clause)
    text, trailing = owner_at_end(sentence, text)
    ask = _framed(sentence, text) or foreign_ask(sentence, text) or order_in(sentence, text)
    if not ask:
        return None
    owner = ask.owner or trailing or (called[0] if len(set(called)) == 1 else None)
    return replace(ask, owner=owner, is_addressed=bool(called) or ask.is_addressed)


def _clauses(sentence: Sentence) -> Iterator[str]:
    """Cut a sentence where another ask starts; a name called out stays with what follows it."""
    called = ""
    for clause in _CLAUSE.split(sentence.text):
        whole = called + clause
        called = f"{whole}, " if _ONLY_NAMES.fullmatch(whole) else ""
        if not called:
            yield whole


def _framed(sentence: Sentence, text: str) -> Ask | None:
    for kind, pattern in FRAMES:
        match = pattern.match(text)
        if match:
            return _of_match(sentence, kind, match)
    return None


def _of_match(sentence: Sentence, kind: Kind, match: re.Match[str]) -> Ask | None:
    groups = match.groupdict()
    if "thing" in groups:
        return _passive(sentence, groups["thing"], groups["done"], groups["rest"])
    if groups.get("subject"):
        return _to_be(sentence, groups["subject"], groups["state"])
    owner = sentence.person(groups["who"]) if groups.get("who") else None
    if groups.get("self") is not None:
        owner = sentence.writer
    body = _to_base(match["body"])
    if first_word(body).endswith("ing") and tier_of_words(body) is Tier.UNKNOWN:
        return None
    if groups.get("self") == "" and (body == match["body"] or not _SOON.search(body) or sentence.is_question):
        return None
    return Ask(
        kind=kind,
        body=body,
        tier=tier_of_words(body),
        sentence=sentence,
        owner=owner,
        is_addressed=bool(groups.get("who")),
        is_shared=bool(groups.get("shared")),
    )


def _passive(sentence: Sentence, thing: str, done: str, rest: str) -> Ask | None:
    """Turn "the header needs to be updated" into the order to update the header."""
    base = None if _NO_THING.search(thing) else base_of(done)
    thing = thing[0].lower() + thing[1:] if thing.startswith(("The ", "A ", "An ", "Our ", "All ")) else thing
    rest = _FURTHER.split(rest)[0]
    return Ask(Kind.SHOULD, f"{base} {thing}{rest}", tier_of(base), sentence) if base else None


def _to_be(sentence: Sentence, thing: str, state: str) -> Ask | None:
    """Turn "the header needs to be sticky" into the order to make it so."""
    if _NO_THING.search(thing) or not opens_object(thing) or base_of(first_word(state)):
        return None
    thing = thing[0].lower() + thing[1:] if thing.startswith(("The ", "A ", "An ", "Our ", "All ")) else thing
    return Ask(Kind.ORDER, f"make {thing} {_FURTHER.split(state)[0]}", Tier.DELIVERS, sentence)


def _to_base(body: str) -> str:
    """Turn a gerund at the start ("mind updating …") into its base form."""
    word = first_word(body)
    had = _HAVE_DONE.match(body)
    if had and base_of(had["done"]):
        return f"{base_of(had['done'])} {had['thing']}{had['rest']}"
    base = base_of(word) if word.endswith("ing") else None
    return base + body[len(word) :] if base else body


def foreign_ask(sentence: Sentence, text: str) -> Ask | None:
    """Read a text as a request in German, Dutch, French or Spanish."""
    text = _AND.sub("", text)
    called = _CALLED.match(text)
    body = foreign.body_of(text) or (foreign.body_of(text[called.end() :].lstrip(" ,")) if called else None)
    if body:
        owner = sentence.person(called[1]) if called else None
        return Ask(Kind.FOREIGN, body, Tier.ACTS, sentence, owner)
    promise = foreign.promise_of(text)
    return Ask(Kind.PROMISE, promise, Tier.DELIVERS, sentence, sentence.writer) if promise else None
