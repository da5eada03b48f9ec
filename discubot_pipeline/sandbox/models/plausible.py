"""What a model would say, near enough for a demo: sentences that ask for work become tasks. Always the same answer."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from discubot_pipeline.sandbox.models.state import Ask
from discubot_pipeline.sandbox.wire import Json

MESSAGE = re.compile(
    r'<message number="(?P<number>\d+)" author="(?P<author>[^"]*)" time="\w+ (?P<day>\d{4}-\d{2}-\d{2})[^"]*"'
    r"(?P<asks> asks_you=\"yes\")?>(?P<text>.*?)</message>",
    re.DOTALL,
)
STEP = re.compile(r'<step name="([^"]*)" status="([^"]*)"')
NAMES = re.compile(r"<people>(.*?)</people>", re.DOTALL)
MOST = re.compile(r"<most_tasks>(\d+)</most_tasks>")
WORK = re.compile(
    r"(?:\bplease |\b(?:can|could|would) you (?:please )?|\bneeds? to (?:be )?|\bmust |\bshould |\btodo:? |\bi'll |"
    r"\bi will |\blet's )(?P<what>.+)",
    re.IGNORECASE,
)
FORCED = re.compile(r"\btask: ?(?P<what>.+)", re.IGNORECASE)
READS = re.compile(r"\b(?:summari[sz]e|read|collect|tasks?)\b", re.IGNORECASE)
LATER = re.compile(r"^(?:do it|be |have |see |let )", re.IGNORECASE)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST = 80


@dataclass(frozen=True)
class Said:
    """One message of the prompt."""

    number: int
    author: str
    day: date
    asks: bool
    text: str


def answer_to(ask: Ask) -> str:
    """Write the answer to a prompt, as JSON."""
    step = STEP.search(ask.prompt)
    if step:
        return json.dumps({"reasoning": f"The step {step[1]} ended {step[2]}, since its record says so."})
    said = [*_messages(ask.prompt)]
    names = re.findall(r"<name>(.*?)</name>", "".join(NAMES.findall(ask.prompt)))
    most = next(iter(MOST.findall(ask.prompt)), "10")
    asked = [message for message in said if message.asks and not READS.fullmatch(message.text.strip(" .!?"))]
    tasks = [*_tasks(asked or said, [html.unescape(name) for name in names])][: int(most)]
    summary = " ".join(message.text.split("\n")[0] for message in said[:2])[:300]
    is_sad = any("broken" in message.text.lower() for message in said)
    return json.dumps(
        {
            "summary": summary or "Nothing was said.",
            "key_points": [message.text.split("\n")[0][:120] for message in said[:3]] if len(said) > 2 else [],
            "sentiment": "negative" if is_sad else "neutral",
            "confidence": 0.8 if tasks else 0.6,
            "tasks": tasks,
        },
        ensure_ascii=False,
    )


def _messages(prompt: str) -> Iterator[Said]:
    for found in MESSAGE.finditer(prompt):
        day, text = date.fromisoformat(found["day"]), html.unescape(found["text"])
        yield Said(int(found["number"]), html.unescape(found["author"]), day, bool(found["asks"]), text)


def _tasks(said: list[Said], names: list[str]) -> Iterator[Json]:
    known: set[str] = set()
    for message in said:
        for what in _work(message):
            title = what[:1].upper() + what[1:LONGEST].rstrip(" .!?,")
            if title.casefold() not in known and len(title.split()) > 1:
                known.add(title.casefold())
                yield _task(title, message, names)


def _work(message: Said) -> Iterator[str]:
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", message.text.strip()):
        forced, found = FORCED.search(sentence), WORK.search(sentence)
        if forced:
            yield forced["what"]
        elif message.asks:
            yield from re.split(r" and (?=\w+ )", found["what"] if found else sentence)
        elif found and not LATER.match(found["what"]):
            yield found["what"]


def _task(title: str, message: Said, names: list[str]) -> Json:
    lower = message.text.lower()
    own = message.author if re.search(r"\bi(?:'ll| will)\b", lower) else None
    called = next((name for name in names if re.search(rf"\b{re.escape(name)}\b", message.text)), None)
    return {
        "title": title,
        "description": message.text.split("\n")[0][:300],
        "action_items": None,
        "status": None,
        "priority": "urgent" if re.search(r"urgent|asap|blocker", lower) else None,
        "type": "bug" if re.search(r"\bfix|broken|bug", lower) else None,
        "assignee": own or called,
        "due_date": _due(lower, message.day),
        "tags": None,
        "domain": None,
        "evidence": message.number,
        "confidence": 0.8,
    }


def _due(lower: str, day: date) -> str | None:
    if "tomorrow" in lower:
        return str(day + timedelta(days=1))
    named = next((number for number, name in enumerate(DAYS) if re.search(rf"\b{name}\b", lower)), None)
    return None if named is None else str(day + timedelta(days=(named - day.weekday()) % 7 or 7))
