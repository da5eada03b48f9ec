"""Reads numbered and bulleted lists: what their heading says decides what their items are."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.inline import head_of, listed, present_ask
from discubot_pipeline.adapters.rules.leads import owner_at_end, strip_leads
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.requests import Ask, asks_in, first_word, is_finite, order_in
from discubot_pipeline.adapters.rules.sentences import PERSON, Sentence
from discubot_pipeline.adapters.rules.tasks import thing
from discubot_pipeline.adapters.rules.titles import has_object
from discubot_pipeline.adapters.rules.verbs import WORK, Tier, base_of, tier_of

FEWEST = 2
"""A list without a heading is one from this many items on."""


class Sense(StrEnum):
    """What the items of a list are."""

    WORK = "work"
    STEPS = "steps"
    TALK = "talk"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Listing:
    """A heading and its items. `ask` is the heading's own work, `verb` the one that its items share."""

    head: Sentence | None
    items: tuple[Sentence, ...]
    sense: Sense
    ask: Ask | None = None
    verb: str = ""


_TALK = re.compile(
    r"\b(?:reproduce|repro|how to|options?|pros|cons|done|completed|finished|changes|changed|changelog|"
    r"what's new|new in|agenda|expected|actual|tried|i've|i have|here's|here is|here are|example|notes?|facts?|"
    r"questions?|ideas?|either|like this|such as|error|output|differences?|reasons?|results?|because|"
    r"problems? (?:is|are)|alternatives?|learned|shipped|released|works?|you (?:can|could|should|need|have)|"
    r"(?:can|could) (?:also )?use)\b",
    re.IGNORECASE,
)
_WORK = re.compile(
    r"^(?:.{0,80}\b)?(?:to-?do'?s?|to do|action(?:s| items?| points?)|(?:sprint |weekly |our |my )?goals|"
    r"next steps?|(?:open|remaining) (?:tasks|"
    r"points|items|issues)|tasks?|left to do|still (?:open|missing|to do)|must[- ]haves?|checklist|punch list|"
    r"feedback|fixes|please|we (?:still |also )?(?:need|have to|must)(?: to)?|needs?(?: to be done)?|(?:can|"
    r"could|would) (?:you|someone|we)|let's|needed|required|missing|bugs|things to (?P<verb>\w+)|things (?:are |"
    r"still )*(?:left|open|missing)|what(?:'s| is) left|aufgaben|te doen|à faire|tareas|pendientes|"
    r"por hacer)\b(?: (?:before|for|by|until|from|on|in|to|this|next|the|do|are|is)\b.{0,60})?(?:,? please)? ?:?$",
    re.IGNORECASE,
)
_WANTS = re.compile(r"\bwe (?:\w+ )?need ?:?$", re.IGNORECASE)
_GOAL = re.compile(
    r"(?:(?:the )?steps )?(?:to|for) (?P<goal>\w+ [^,:]{2,80}?),? ?(?:we (?:still )?(?:need|have) to(?: do)?|"
    r"please(?: do)?|the steps are)? ?:$",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"\b(?:is|are|was|were|isn't|aren't|says?|said|still|went|could not|couldn't|can't|cannot|doesn't|don't|"
    r"did not|didn't|looks?|seems?|has|have|had)\b",
    re.IGNORECASE,
)
_TALKERS = lexicon("i we you it this he she they there")
_EXPLICIT = re.compile(
    r"\b(?:(?:points|issues|findings|defects|remarks) (?:that |which )?(?:remain|are (?:open|left))|"
    r"(?:remaining|open) (?:points|issues|findings|defects)|to-?dos?|to do|action(?:s| items?| points?)|tasks?|"
    r"next steps?)\b",
    re.IGNORECASE,
)
_NAMED = re.compile(rf"(?:{PERSON}|me|myself) ?(?:[:–-] |to |will |→ )", re.IGNORECASE)
_MINE = re.compile(r"(?:me|myself|i) ?[:–-] ?(?P<what>\S.*)", re.IGNORECASE)
_OF_PERSON = re.compile(rf"(?P<who>{PERSON}) ?(?::|[–-] ) ?(?P<what>\S.{{3,120}})")
_OFF = re.compile(
    r"(?:on|in|at|off|out|away|sick|ooo|back|here|yes|no|ok|thanks|thx|same|nothing|vacation|holiday)\b", re.I
)
_FOR_ME = re.compile(r"(?P<what>.+?) ?(?:\(me\)|(?:→|->|=>|[–—-]) ?me)\W*$", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"\b(?:following|these|those|things?|below|list|points|items|changes|tasks|stuff)\b", re.IGNORECASE
)


def blocks(sentences: Sequence[Sentence]) -> Iterator[Sentence | Listing]:
    """Give the sentences in order, those of a list together."""
    place = 0
    while place < len(sentences):
        end = _list_end(sentences, place)
        following = sentences[place + 1] if place + 1 < len(sentences) else None
        if end > place:
            yield _listing(None, sentences[place:end])
        elif following and following.is_item and _heads(sentences[place], following):
            end = _list_end(sentences, place + 1)
            yield _listing(sentences[place], sentences[place + 1 : end])
        elif (end := _named_end(sentences, place)) - place >= FEWEST:
            items = tuple(replace(each, is_item=True) for each in sentences[place:end])
            yield Listing(None, items, Sense.WORK)
        elif items := listed(sentences[place]):
            yield Listing(head_of(sentences[place]), items, Sense.WORK)
            end = place + 1
        else:
            yield sentences[place]
            end = place + 1
        place = end


def item_ask(listing: Listing, item: Sentence) -> Ask | None:
    """Read an item as work: by its own words, else by what its heading asks for."""
    if (named := _OF_PERSON.match(item.text)) and _OFF.match(named["what"]):
        return None
    own = _signed(item) or _assigned(item) or next(iter(asks_in(item)), None) or present_ask(item)
    if own and own.tier is not Tier.TALKS:
        return own if own.kind is not Kind.ORDER else replace(own, kind=Kind.MARKER)
    text, called = strip_leads(item, item.text)
    order = order_in(item, text)
    if order:
        return replace(order, kind=Kind.MARKER)
    names = {name for name in called if name}
    text, trailing = owner_at_end(item, text)
    mine = _FOR_ME.match(text)
    text = mine["what"] if mine else text
    names |= {name for name in (trailing, item.writer if mine else None) if name}
    body = repair_of(item) or (f"{listing.verb} {text}" if listing.verb else thing(text))
    if first_word(body) in _TALKERS or item.is_question:
        return None
    tier = Tier.DELIVERS if listing.verb else Tier.UNKNOWN
    return Ask(Kind.MARKER, body, tier, item, names.pop() if len(names) == 1 else None)


def _assigned(item: Sentence) -> Ask | None:
    """Read "Ann: wrapping up the importer" and "Ann - announcement mail" as work of hers."""
    match = _OF_PERSON.match(item.text)
    if not match or item.is_question or is_finite(match["what"]):
        return None
    word = first_word(match["what"])
    base = base_of(word) if word.endswith("ing") else None
    body = f"{base}{match['what'][len(word) :]}" if base else thing(match["what"])
    return Ask(Kind.MARKER, body, tier_of(first_word(body)), item, item.person(match["who"]))


def _signed(item: Sentence) -> Ask | None:
    """Read "me: add an alert" and "add an alert (me)" as the writer's own."""
    match = _MINE.match(item.text) or _FOR_ME.match(item.text)
    order = order_in(item, match["what"]) if match else None
    return replace(order, kind=Kind.MARKER, owner=item.writer) if order else None


def is_statement(listing: Listing, item: Sentence, ask: Ask | None) -> bool:
    """Say whether an item only states how something is: no work, unless its list is called one of work."""
    if listing.head and _EXPLICIT.search(listing.head.text):
        return False
    is_own_work = ask is not None and (ask.kind is not Kind.MARKER or ask.tier is not Tier.UNKNOWN)
    return not is_own_work and bool(_STATES.search(item.text)) and not repair_of(item)


def only_owner(head: Sentence) -> str | None:
    """Name the person that a heading consists of: "Ann:"."""
    rest, called = strip_leads(head, head.text + " ")
    return called[0] if len(called) == 1 and not rest.strip(" :") else None


def _list_end(sentences: Sequence[Sentence], place: int) -> int:
    """Give the place behind the list that starts at `place`; `place` itself where none does."""
    end = place
    while end < len(sentences) and sentences[end].message.id == sentences[place].message.id:
        is_rest = end > place and sentences[end].line == sentences[end - 1].line
        if not sentences[end].is_item and not is_rest:
            break
        end += 1
    return end


def _named_end(sentences: Sequence[Sentence], place: int) -> int:
    """Give the place behind the sentences in a row that each open with another name: "Ann: … Ben: …"."""
    end = place
    while end < len(sentences) and sentences[end].message.id == sentences[place].message.id:
        if not _OF_PERSON.match(sentences[end].text) or sentences[end].is_question:
            break
        end += 1
    return end


def _heads(head: Sentence, item: Sentence) -> bool:
    """Say whether a sentence stands right above an item, in its message or as the same author's message before."""
    if head.message.id == item.message.id:
        return head.line == item.line - 1
    return item.line == 0 and head.message.author.id == item.message.author.id and bool(_WORK.match(head.text))


def _listing(head: Sentence | None, rows: Sequence[Sentence]) -> Listing:
    items = tuple(row for row in rows if row.is_item)
    if len([item for item in items if _NAMED.match(item.text) or present_ask(item)]) >= FEWEST:
        return Listing(head, items, Sense.WORK)
    if not head or not (head.text.endswith(":") or _WORK.match(head.text)):
        return Listing(head, items, Sense.OPEN, _heading_ask(head) if head else None)
    ask = _heading_ask(head)
    if ask and has_object(ask.body) and not _PLACEHOLDER.search(ask.body):
        return Listing(head, items, Sense.STEPS, ask)
    goal = _GOAL.match(head.text)
    purpose = order_in(head, goal["goal"]) if goal else None
    if purpose and has_object(purpose.body):
        return Listing(head, items, Sense.STEPS, replace(purpose, kind=Kind.NEED))
    text, _ = strip_leads(head, head.text)
    if ask and tier_of(first_word(ask.body)) is not Tier.UNKNOWN:
        verb = first_word(ask.body)
        return Listing(head, items, Sense.WORK, ask, "" if verb in ("do", "handle", "find", "see", "note") else verb)
    work = _WORK.match(head.text) or (_WORK.match(text) if text else None)
    if work and not _TALK.search(head.text):
        verb = "get" if _WANTS.search(head.text) else (work["verb"] or "").casefold()
        return Listing(head, items, Sense.WORK, ask, verb if verb in WORK or verb == "get" else "")
    return Listing(head, items, Sense.TALK if _TALK.search(head.text) or head.is_question else Sense.OPEN, ask)


def _heading_ask(head: Sentence) -> Ask | None:
    bare = replace(head, text=head.text.rstrip(": "))
    return next((replace(ask, sentence=head) for ask in asks_in(bare)), None)
