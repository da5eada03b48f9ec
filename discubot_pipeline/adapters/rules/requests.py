"""Recognises the ways people ask for work, promise it or write it down, in English; `foreign` knows the basic ones of
other languages. A frame is what stands around the work: "can you …", "we need to …", "I'll …".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from discubot_pipeline.adapters.rules import foreign
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.verbs import NOUNLIKE, Tier, base_of, tier_of

LONGEST = 500


class Kind(StrEnum):
    """How a piece of work came up."""

    MARKER = "marker"
    BUG = "bug"
    FEATURE = "feature"
    REQUEST = "request"
    PLEASE = "please"
    NEED = "need"
    SHOULD = "should"
    WANT = "want"
    LETS = "lets"
    NAMED = "named"
    PROMISE = "promise"
    OFFER = "offer"
    ORDER = "order"
    FOREIGN = "foreign"


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


_YOU = rf"(?:(?P<shared>we)|you|u|ya|y'all|someone|somebody|anyone|anybody|one of you|either of you|(?P<who>{PERSON}))"
_ADVERBS = (
    r"(?:(?:please|pls|plz|kindly|also|just|quickly|maybe|perhaps|possibly|then|still|really|now|definitely|probably|"
    r"first|instead|at least|either|all|both|go ahead and|go and|try to|try and|be sure to|remember to|guys|"
    r"asap|eventually|finally|always|together|urgently|soon)[ ,]+)*"
)
_BODY = rf"{_ADVERBS}(?P<body>\S.*)"
_WILL = (
    r"(?:'ll|’ll| will| shall|'m going to|’m going to| am going to|'m gonna| are going to|'re going to|’re going to)"
)
_NEED = r"(?:(?:need|needs|have|has|ought|'ve got|’ve got|'ll need|'ll have|will need|will have) to|must)"
_OFTEN = r"(?:(?:still|also|really|just|definitely|all|probably|then|now|urgently|maybe) )*"
_LABEL = (
    r"to-?do'?s?|to do|action(?: item| point)?s?|next steps?|follow[- ]?ups?|tasks?|tickets?|reminder|must do|"
    r"aufgaben?|zu erledigen|actiepunt(?:en)?|taak|te doen|tâches?|à faire|tareas?|pendientes?|por hacer"
)

FRAMES: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (Kind.MARKER, rf"(?:{_LABEL})(?: ?#?\d{{1,3}})?(?: ?\((?P<who>{PERSON})\))? ?(?::| [–—-] ) ?{_BODY}"),
        (Kind.MARKER, r"(?-i:TODO|FIXME) (?P<body>\S.*)"),
        (Kind.BUG, r"(?:bug|defect|regression|bug report) ?(?::| [–—-] ) ?(?P<body>\S.*)"),
        (Kind.FEATURE, r"(?:feature(?: request)?|enhancement) ?(?::| [–—-] ) ?(?P<body>\S.*)"),
        (
            Kind.REQUEST,
            rf"(?:would|could|will|are|can) you (?:be )?(?:able|willing|so kind as|kind enough) to {_BODY}",
        ),
        (Kind.REQUEST, rf"(?:would|do) you mind (?!if){_BODY}"),
        (Kind.REQUEST, rf"(?:can|could|would|will) {_YOU} {_BODY}"),
        (
            Kind.REQUEST,
            rf"(?:any chance|is there any chance|any way) (?:that )?(?:you|someone) (?:can|could) {_BODY}",
        ),
        (
            Kind.REQUEST,
            rf"i(?:'d|’d| would)? (?:need|want|like|love) (?:you|someone|(?P<who>{PERSON})) to {_BODY}",
        ),
        (
            Kind.REQUEST,
            r"(?:it )?(?:would|'d|’d) be (?:\w+ )?(?:great|good|nice|helpful|awesome|lovely) if "
            rf"(?:you|someone|somebody|(?P<who>{PERSON})) (?:can |could |would )?{_BODY}",
        ),
        (Kind.PLEASE, rf"(?:please|pls|plz|kindly) {_BODY}"),
        (
            Kind.PLEASE,
            rf"(?:please )?(?:do not forget|don't forget|don’t forget|reminder|remember) to {_BODY}",
        ),
        (Kind.NEED, rf"(?:we|someone|somebody|one of us) ?{_OFTEN}{_NEED} {_BODY}"),
        (Kind.WANT, rf"we {_OFTEN}need (?P<body>(?:a|an|some|more|another|new) \S.*)"),
        (Kind.NEED, rf"we(?:'ve|’ve| have)? (?:agreed|decided) to {_BODY}"),
        (Kind.NEED, rf"(?:the )?next step(?:s)? (?:is|are|would be) to {_BODY}"),
        (Kind.SHOULD, rf"(?:we|someone|somebody) {_OFTEN}(?:should|could|may want to) {_BODY}"),
        (Kind.LETS, rf"(?:let's|let’s|lets|let us) (?!not\b){_BODY}"),
        (
            Kind.NAMED,
            rf"(?P<who>{PERSON}) ?(?:{_WILL}|(?-i:to)|{_NEED}|should|is going to|can|could) {_BODY}",
        ),
        (Kind.PROMISE, rf"(?P<self>i){_WILL} {_BODY}"),
        (Kind.PROMISE, rf"we{_WILL} {_BODY}"),
        (Kind.OFFER, rf"(?P<self>i) (?:can|could|need to|have to|should|must) {_BODY}"),
        (
            Kind.SHOULD,
            rf"(?P<thing>[^,;:?!]{{2,80}}?) {_OFTEN}"
            r"needs?(?: to (?:be|get))? (?P<done>[a-z]+(?:ed|ing|en|ilt|ade|one|ent))\b(?P<rest>.*)",
        ),
    )
)

_STARTERS = (
    r"(?:can|could|would|will) (?:you|someone|somebody|anyone|anybody|we)\b|please [a-z]|let's |let’s |"
    r"we (?:still |also )?(?:need|have) to\b|i'll |i’ll |i will |i can take "
    rf"|{PERSON},? (?:can|could|please|will|would|to|should|needs) "
    rf"|(?:can|could|would|will) {PERSON} "
)
_CLAUSE = re.compile(rf"(?:[,;:]|\s[–—-]|\s(?:and|but|so|then|while|plus))+\s+(?={_STARTERS})", re.IGNORECASE)
_POLITE_IF = re.compile(
    r"(?:when(?:ever)?|if|once) (?:(?:you|someone|anyone|somebody|anybody) (?!want|need|like|use|are\b)|it's|possible)"
    r"[^,;:?!]{0,70}?(?:,|(?= please\b))[ ,]*",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:if|when|whenever|unless|once|until|suppose|assuming|in case|whether|even if)\b", re.IGNORECASE
)
_LEADS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:hi|hiya|hey|hello|dear|yo|hallo|hoi|bonjour|salut|hola|moin|good (?:morning|afternoon|evening)|guten tag)\b"
        rf"(?: (?:all|team|everyone|everybody|folks|guys|there|again|both|zusammen|iedereen|@?here|@?channel|{PERSON}))*"
        r"[ ,.!:–-]*",
        r"(?:ok|okay|so|and|also|then|but|well|oh|ah|yes|yeah|yep|yup|no|sure|great|perfect|cool|nice|thanks|thank you|thx|"
        r"cheers|right|alright|fyi|btw|by the way|actually|anyway|plus|finally|lastly|first|firstly|secondly|second|third|"
        r"next|additionally|besides|sorry|apologies|hmm|hm|um|uh|ps|p\.s\.|tl;?dr|nb|one more thing|another thing|in that case|"
        r"quick (?:question|one|ask|reminder|favou?r)|i think|i guess|i believe|imo|for now|just|if possible|if you can|"
        r"if so|agreed|good point|fair enough|it (?:seems|looks) like|seems like|looks like|"
        r"@?here|@?channel|@?everyone|all|team|guys|folks)\b(?! of\b|:? \w+ing\b)[ ,.!:–-]*",
        r"(?:for|before|after|in|on|at|by|until|during|regarding|re|as for|since|because|now that|as)\b"
        r"[^,;:?!]{1,70}(?:, |(?= we (?:still |also |really )?(?:need|have|must|should)\b))",
    )
)
_VOCATIVE = re.compile(
    rf"(?P<names>{PERSON}(?:(?: ?,| ?/| and| &)? ?{PERSON})*)"
    r"(?:[ ]?[,:–—-]+[ ]*| +(?=(?:please|pls|plz|kindly|can|could|would|will|do) (?:you\b|\w+ )|(?:let's|let’s|i'll|we) ))",
    re.IGNORECASE,
)
_ONLY_NAMES = re.compile(rf"(?:(?:hi|hey|hello|and|ok|okay|so),? )*(?:{PERSON}[ ,]*)+", re.IGNORECASE)
_TRAILING_OWNER = re.compile(
    rf"(?: ?(?:\(|[–—-]|→|->|=>|:) ?@?(?P<who>{PERSON}) ?\)?|(?:assign(?:ed)? (?:this |it )?to|owner:?|assignee:?) (?P<to>{PERSON})"
    rf"|, ?(?P<last>{PERSON}))[ .!?]*$",
    re.IGNORECASE,
)
_FURTHER = re.compile(r",|;| (?:and|but|so|because|since)\b", re.IGNORECASE)
_NO_THING = re.compile(
    r"\b(?:nothing|because|so|not|if|what|why|who|which|you|i|we|he|she|they|there|think|how|when|where|\w+n['’]t)\b",
    re.IGNORECASE,
)
_FIRST_WORD = re.compile(r"[a-zà-ÿ]+(?:-[a-z]+)?", re.IGNORECASE)
_OPENS_OBJECT = re.compile(
    rf"(?:the|a|an|all|any|our|your|my|his|her|their|its|this|that|these|those|some|every|each|it|them|both|on|in|for|to|up|"
    rf"out|over|with|back|down|off|new|old|more|another|missing|unused|\d|#|[A-Z]|{PERSON}|[\ue000-\uf8ff])"
)
_SUBJECT_VERB = re.compile(
    r"\w+ (?:is|are|was|were|has|had|gives?|takes|makes|does|did|returns|expands|means|needs|uses|produces|"
    r"creates|calls|will|would|can|could|should|may|might|works?|seems|looks|isn't|doesn't|just)\b",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|had|looks?|seems?|isn't|aren't|wasn't|will|would|works?|worked|failed|fails|passed|went|came|"
    r"gets|got|says|said)\b|^\w+ ?:| (?:of|results?) ",
    re.IGNORECASE,
)


def asks_in(sentence: Sentence) -> tuple[Ask, ...]:
    """Find the clauses of a sentence that hold work. Which of them count is decided elsewhere."""
    if len(sentence.text) > LONGEST:
        return ()
    found: list[Ask] = []
    is_conditional = False
    for clause in _clauses(sentence):
        ask = _ask(sentence, clause)
        if ask:
            found.append(replace(ask, is_conditional=is_conditional or ask.is_conditional))
        is_conditional |= bool(_CONDITION.match(clause.lstrip("( "))) and not _POLITE_IF.match(clause + ",")
    return tuple(found)


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


def first_word(text: str) -> str:
    """Give the first word in lower case."""
    match = _FIRST_WORD.match(text)
    return match[0].casefold() if match else ""


def tier_of_words(text: str) -> Tier:
    """Say what kind of verb a text starts with."""
    return Tier.DELIVERS if text.casefold().startswith("set up ") else tier_of(first_word(text))


def opens_object(text: str) -> bool:
    """Say whether a text starts like the object of a verb."""
    return bool(_OPENS_OBJECT.match(text))


def strip_leads(sentence: Sentence, text: str) -> tuple[str, tuple[str | None, ...]]:
    """Take greetings, fillers and names called out off the start; give the rest and the names."""
    called: list[str | None] = []
    for _ in range(6):
        before = text
        for lead in (*_LEADS, _POLITE_IF):
            text = lead.sub("", text, count=1) if lead.match(text) else text
        vocative = _VOCATIVE.match(text)
        if vocative:
            called.extend(sentence.person(mark) for mark in re.findall(PERSON, vocative["names"]))
            text = text[vocative.end() :]
        if text == before:
            break
    return text.strip(), tuple(called)


def owner_at_end(sentence: Sentence, text: str) -> tuple[str, str | None]:
    """Split "… – Ann" or "… (Ann)" into the work and its owner."""
    match = _TRAILING_OWNER.search(text)
    if not match:
        return text, None
    return text[: match.start()].rstrip(), sentence.person(match["who"] or match["to"] or match["last"])


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
    owner = sentence.person(groups["who"]) if groups.get("who") else None
    if groups.get("self"):
        owner = sentence.message.author.name
    body = _to_base(match["body"])
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


def _to_base(body: str) -> str:
    """Turn a gerund at the start ("mind updating …") into its base form."""
    word = first_word(body)
    base = base_of(word) if word.endswith("ing") else None
    return base + body[len(word) :] if base else body


def foreign_ask(sentence: Sentence, text: str) -> Ask | None:
    """Read a text as a request in German, Dutch, French or Spanish."""
    body = foreign.body_of(text)
    return Ask(Kind.FOREIGN, body, Tier.ACTS, sentence) if body else None
