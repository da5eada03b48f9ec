"""Makes work of an ask: joined orders apart, each with its title, its day and its owner; and tasks of the work."""

import re
from dataclasses import replace
from datetime import date

from discubot_pipeline.adapters.rules.dates import without_date
from discubot_pipeline.adapters.rules.foreign import orders_in
from discubot_pipeline.adapters.rules.frames import Kind
from discubot_pipeline.adapters.rules.labels import domain_of, priority_of, tags_in, type_of
from discubot_pipeline.adapters.rules.leads import strip_leads
from discubot_pipeline.adapters.rules.ledger import Todo
from discubot_pipeline.adapters.rules.lexicon import lexicon
from discubot_pipeline.adapters.rules.requests import Ask
from discubot_pipeline.adapters.rules.sentences import Sentence
from discubot_pipeline.adapters.rules.titles import (
    MOST_CHARACTERS,
    content_words,
    has_object,
    parts_of,
    points_back,
    title_of,
)
from discubot_pipeline.adapters.rules.verbs import Tier
from discubot_pipeline.domain.analysis import DetectedTask, TaskType

MOST_DESCRIPTION = 500
FREE_OF_OBJECT = (Kind.MARKER, Kind.BUG, Kind.FEATURE)
"""Frames that make work of a bare name."""

ONE_GOAL = (Kind.NEED, Kind.SHOULD)
"""Frames that name one goal: what they join are its action items."""

READING = lexicon(
    """
    a above action actions add all an and any anything are as ask asks at board brief can capture card cards
    chat chats collect comments conversation convert could create decisions detect did discussed discussion
    do done everything extract file find follow following for from get give go have help here hey hi i in
    into is issue issues it it's both item items just key kindly learn list log look made make me message messages my
    need needed needs note notes notion now of on one open our out outstanding over overview please points
    process put quick read recap record register remaining reply scan see short should some story stories
    summarise summarize summary take task tasks thanks that the them there these this those thread threads
    ticket tickets tldr tl dr to todo todos track tracked tracker turn up us was we were what which will
    with would write yes you your analyse analyze assign bug bugs want everyone team ok okay so
    """
)
"""A text of these words alone asks to read the thread, or talks about tickets; it is no work itself."""

_PLAIN_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_FAULT_NOUN = re.compile(
    r"\b(?:bugs?|errors?|crash(?:es)?|typos?|glitch(?:es)?|regressions?|exceptions?|memory leaks?)\b", re.I
)
_URL = re.compile(r"\(?https?://")
_ARTICLE = re.compile(r"^(?:the|a|an|some) (?=\S)", re.IGNORECASE)
_AND_THING = re.compile(r",? and (?=(?:an?|the|some|two|three|\d+) )", re.IGNORECASE)
_OPENING_TO = re.compile(r"^(?:to|that we|that) ", re.IGNORECASE)


def only_reads(text: str) -> bool:
    """Say whether a text asks for nothing beyond reading the thread."""
    return all(word.casefold() in READING for word in _PLAIN_WORD.findall(text))


def todos_of(ask: Ask, score: float, due: date | None, *, is_one: bool = False) -> tuple[Todo, ...]:
    """Make the pieces of work of an ask; none where its words name nothing to be done."""
    if ask.kind is Kind.FOREIGN:
        joined = orders_in(ask.body)
    else:
        joined = parts_of(ask.body) if ask.kind is not Kind.WANT else tuple(_AND_THING.split(ask.body))
    parts = tuple(part for part in joined if not only_reads(part))
    if not parts:
        return ()
    if len(parts) > 1 and (
        is_one or ask.kind in ONE_GOAL or (not points_back(parts[0]) and any(map(points_back, parts[1:])))
    ):
        items = tuple(filter(None, (title_of(ask.sentence, part) for part in parts)))
        return tuple(replace(todo, items=items) for todo in _single(ask, ask.body, score, due))
    return tuple(todo for part in parts for todo in _single(ask, part, score, due))


def item_titles(ask: Ask) -> tuple[str, ...]:
    """Write the joined orders of an ask as action items."""
    return tuple(filter(None, (title_of(ask.sentence, part) for part in parts_of(ask.body))))


def named(ask: Ask) -> str:
    """Word a body that may lack its verb: "login bug" becomes "fix the login bug"."""
    body = _OPENING_TO.sub("", ask.body)
    if ask.tier is not Tier.UNKNOWN or ask.kind not in (Kind.MARKER, Kind.BUG, Kind.WANT, Kind.FEATURE):
        return body
    if ask.kind is Kind.WANT:
        return f"get {body}"
    if ask.kind is Kind.FEATURE:
        return f"add {body}"
    return thing(body)


def thing(body: str) -> str:
    """Word a thing as work: a fault is to be fixed, anything else keeps its name without the article."""
    if _FAULT_NOUN.search(body):
        return f"fix {body}" if _ARTICLE.match(body) else f"fix the {body}"
    return _ARTICLE.sub("", body)


def task_of(todo: Todo) -> DetectedTask:
    """Write a piece of work as a task, with the words it stands on."""
    said = " ".join(dict.fromkeys(sentence.show() for sentence in todo.said))
    kind = TaskType.BUG if todo.kind is Kind.BUG else TaskType.FEATURE if todo.kind is Kind.FEATURE else None
    return DetectedTask(
        title=todo.title,
        description=said if len(said) <= MOST_DESCRIPTION else said[: MOST_DESCRIPTION - 1].rsplit(" ", 1)[0] + "…",
        action_items=todo.items,
        priority=todo.priority,
        type=kind or type_of(todo.title, said),
        assignee=todo.owner,
        due_date=todo.due,
        tags=tags_in(" ".join(todo.asked.message.text.split("```")[::2])),
        domain=domain_of(todo.title),
        evidence=todo.asked.message.id,
        confidence=round(min(1.0, max(0.0, todo.score)), 2),
    )


def work_on(title: str, ask: Ask, score: float, due: date | None, said: tuple[Sentence, ...] = ()) -> Todo:
    """Make one piece of work under a title of its own."""
    return Todo(
        title=title,
        words=content_words(title),
        kind=ask.kind,
        score=score,
        said=(ask.sentence, *said),
        owner=ask.owner,
        due=due,
        priority=priority_of(ask.sentence.text),
    )


def _single(ask: Ask, part: str, score: float, due: date | None) -> tuple[Todo, ...]:
    body, _ = strip_leads(ask.sentence, part) if part is not ask.body else (part, ())
    body = _OPENING_TO.sub("", body)
    title = title_of(ask.sentence, body)
    if ask.kind not in FREE_OF_OBJECT and not has_object(title):
        title = _with_link(title, ask.sentence)
    if not content_words(title) or not without_date(body):
        return ()
    return (work_on(title, ask, score, due),)


def _with_link(title: str, sentence: Sentence) -> str:
    """Name the link of a sentence as what its order is about ("please review"); empty where it has none."""
    link = next((atom.strip("()") for atom in map(sentence.show, sentence.text) if _URL.match(atom)), "")
    return f"{title} {link}" if link and len(title) + len(link) < MOST_CHARACTERS else ""
