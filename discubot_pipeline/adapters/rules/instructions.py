"""Reads the words beside a mention of the bot: what they ask for is work by itself, unless they only ask to read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from discubot_pipeline.adapters.rules.bugs import repair_of
from discubot_pipeline.adapters.rules.dates import due_in
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.ledger import Todo
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.lists import Listing, Sense, blocks, item_ask
from discubot_pipeline.adapters.rules.people import People
from discubot_pipeline.adapters.rules.requests import Ask, asks_in, first_word
from discubot_pipeline.adapters.rules.sentences import Sentence, clean, read
from discubot_pipeline.adapters.rules.tasks import named, only_reads, thing, todos_of, work_on
from discubot_pipeline.adapters.rules.titles import content_words, has_object, literal_title, title_of
from discubot_pipeline.adapters.rules.verbs import Tier, tier_of
from discubot_pipeline.adapters.rules.weights import asks_how
from discubot_pipeline.domain.analysis import Brief
from discubot_pipeline.domain.discussion import Message

MOST_FORCED = 100
FORCED, ASKED, GUESSED = 0.95, 0.9, 0.6
PLEASANTRIES = lexicon(
    """
    hi hello hey thanks thank thx cheers good morning afternoon evening bot again all very much ping test
    hallo danke merci gracias bedankt welcome are you there help lol nice great job well done awesome cool
    love it both perfect
    """
)

_FORCE = re.compile(r"\btask ?: ?", re.IGNORECASE)
_TICKET = re.compile(
    r"(?:please |can you |could you |would you |kindly |let's |i need |we need |also |just )*(?:create|make|open|"
    r"file|add|raise|log|write|track|capture|note|put|new|remind)(?: (?:a|an|the|one|another|new|some|up|down|me|"
    r"us|this as a|it as a|separate|quick))* ?(?:(?<=remind me)|(?<=remind us)|\b(?P<noun>task|ticket|to-?do|"
    r"issue|card|story|action item|bug report|bug ticket|bug|item|reminder)(?P<many>s)?\b)(?: (?:on the board|"
    r"in notion|please|here|now))*(?: ?[:–-] ?| (?:for|to|about|that|on|regarding|called|titled|saying|so that|"
    r"so)\b| ) ?(?P<body>\S.*)",
    re.IGNORECASE,
)
_TRACKING = re.compile(
    r"\b(?:track|tasks?|tickets?|to-?dos?|issues?|cards?|action items?|capture|log)\b", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Instructed:
    """What the mentions ask for: work of their own, to read the thread, to make work of the faults in it."""

    todos: tuple[Todo, ...] = ()
    wants_thread: bool = True
    wants_bugs: bool = False


def instructed(brief: Brief, people: People) -> Instructed:
    """Read all instructions of a brief."""
    todos: list[Todo] = []
    reads = False
    for message in brief.instructions:
        own = tuple(_forced(message, people, brief)) or tuple(_asked(message, people, brief))
        reads = reads or not own
        todos.extend(replace(todo, is_instructed=True) for todo in own)
    wants_bugs = reads and any(_TRACKING.search(message.text[:2000]) for message in brief.instructions)
    return Instructed(tuple(todos), wants_thread=reads or not todos, wants_bugs=wants_bugs)


def _forced(message: Message, people: People, brief: Brief) -> Iterator[Todo]:
    """Give exactly one piece of work for each "task:", under the words that follow it."""
    text = clean(message.text)
    marks = [*islice(_FORCE.finditer(text), MOST_FORCED)]
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        said = text[mark.end() : end].strip()
        title = literal_title(said.split("\n")[0])
        if not title or not any(char.isalnum() for char in title):
            continue
        sentences = read([message.model_copy(update={"text": said})], people)
        for sentence in sentences[:1]:
            ask = next(iter(asks_in(sentence)), None) or Ask(Kind.MARKER, sentence.text, Tier.UNKNOWN, sentence)
            owner = ask.owner or _only_person(sentence)
            due = due_in(sentence.text, message, brief.time_zone)
            yield work_on(title, replace(ask, kind=Kind.MARKER, owner=owner), FORCED, due)


def _only_person(sentence: Sentence) -> str | None:
    named_people = {name for _, name in sentence.origin.people if name}
    return named_people.pop() if len(named_people) == 1 and sentence.text[-1:] > "\uf8ff" else None


def _asked(message: Message, people: People, brief: Brief) -> Iterator[Todo]:
    found: list[Todo] = []
    rest: list[Sentence] = []
    for block in blocks(read([message], people)):
        todos = tuple(_of_list(block, brief) if isinstance(block, Listing) else _of_sentence(block, brief))
        found.extend(todos)
        rest.extend([block] if isinstance(block, Sentence) and not todos else [])
    if not found and not any(sentence.is_question or only_reads(sentence.text) for sentence in rest):
        found.extend(todo for sentence in rest[:1] for todo in _guessed(sentence, brief))
    yield from found


def _of_list(listing: Listing, brief: Brief) -> Iterator[Todo]:
    if listing.sense is Sense.STEPS and listing.ask:
        items = tuple(title for item in listing.items if (title := title_of(item, item.text)))
        for todo in _of_ask(listing.ask, brief, is_one=True):
            yield replace(todo, items=items)
        return
    for item in listing.items:
        ask = item_ask(listing, item)
        if ask and not item.is_done_box and listing.sense is not Sense.TALK:
            yield from _of_ask(ask, brief, is_one=True)


def _of_sentence(sentence: Sentence, brief: Brief) -> Iterator[Todo]:
    text, _ = strip_leads(sentence, sentence.text)
    ticket = _TICKET.match(text)
    if ticket:
        yield from _of_ticket(sentence, ticket, brief)
        return
    for ask in asks_in(sentence):
        if ask.tier is not Tier.TALKS or not (sentence.is_question or only_reads(ask.body)):
            yield from _of_ask(ask, brief)


def _of_ticket(sentence: Sentence, ticket: re.Match[str], brief: Brief) -> Iterator[Todo]:
    """Read "make a ticket for the login bug" as what the ticket is for."""
    body = ticket["body"].rstrip(" ?!.")
    if only_reads(body):
        return
    inner = next(iter(asks_in(replace(sentence, text=body))), None)
    if not inner:
        repair = repair_of(replace(sentence, text=body))
        body = repair or thing(body)
        inner = Ask(Kind.MARKER, body, tier_of(first_word(body)), sentence)
    owner = inner.owner or (sentence.writer if not ticket["noun"] else None)
    yield from _of_ask(
        replace(inner, sentence=sentence, owner=owner),
        brief,
        is_one=bool(ticket["noun"]) and not ticket["many"],
    )


def _of_ask(ask: Ask, brief: Brief, *, is_one: bool = False) -> Iterator[Todo]:
    if only_reads(ask.body):
        return
    ask = replace(ask, body=named(ask))
    due = due_in(ask.sentence.text, ask.sentence.message, brief.time_zone)
    if has_object(ask.body) or ask.kind is Kind.MARKER:
        yield from todos_of(ask, ASKED, due, is_one=is_one)
        return
    title = literal_title(f"{ask.sentence.show(ask.body.split()[0])}: {brief.title}")
    if content_words(brief.title):
        yield work_on(title, ask, GUESSED, due)


def _guessed(sentence: Sentence, brief: Brief) -> Iterator[Todo]:
    """Make work of words that ask in no known way, unless they ask a question or only greet."""
    words = {word.casefold() for word in _WORD.findall(sentence.text)}
    if sentence.is_question or asks_how(sentence) or only_reads(sentence.text) or words <= PLEASANTRIES:
        return
    text, _ = strip_leads(sentence, sentence.text)
    if only_reads(text):
        return
    body = repair_of(sentence) or thing(text)
    due = due_in(sentence.text, sentence.message, brief.time_zone)
    yield from todos_of(Ask(Kind.MARKER, body, tier_of(first_word(body)), sentence), GUESSED, due)
