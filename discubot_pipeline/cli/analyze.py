"""Analyses threads from files with the built-in analyst; opens no database and no connection. Called by `analyze`."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, tzinfo
from functools import cached_property
from typing import Annotated, Any, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from discubot_pipeline.adapters import mrkdwn
from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.domain.analysis import Brief, DetectedTask, Findings
from discubot_pipeline.domain.discussion import Author, Message, title_of
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.ports import Analyst

BOT = "discubot"
MENTION = re.compile(rf"@{BOT}\b[:,]?\s*", re.IGNORECASE)
SLACK_TOKEN = re.compile(r"<(?:[@#!]|https?://|mailto:)[^<>\n]+>|&(?:amp|lt|gt);")
EPOCH = re.compile(r"\d{1,11}(?:\.\d{1,9})?")
NOON = time(12)
FIRST_YEAR, LAST_YEAR = 1900, 9000
"""Outside of these a time zone or "in 300 weeks" may lead out of the calendar."""

When = TypeVar("When", bound=date)


def _complain(expected: str) -> PydanticCustomError:
    return PydanticCustomError("thread", "{expected}", {"expected": expected})


def _moment(value: Any) -> Any:
    """Read a moment: ISO 8601, or seconds since 1970 as Slack writes them; without a zone it stays naive."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            return (
                datetime.fromtimestamp(float(value), UTC) if EPOCH.fullmatch(value) else datetime.fromisoformat(value)
            )
    except (ValueError, OverflowError, OSError):
        pass
    raise _complain("must be an ISO 8601 time or seconds since 1970")


def _day(value: Any) -> Any:
    """Read the day of a thread; a moment counts as its own day."""
    try:
        return datetime.fromisoformat(value).date()
    except (TypeError, ValueError):
        raise _complain("must be a date like 2026-03-02") from None


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise _complain("must be a time zone like Europe/Amsterdam") from None
    return name


def _writable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _complain("must be Unicode text") from None
    return text


Text = Annotated[StrictStr, AfterValidator(_writable)]
Zone = Annotated[str, AfterValidator(_known_zone)]


def _tellable(value: When) -> When:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise _complain(f"must be of a year from {FIRST_YEAR} to {LAST_YEAR}")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_tellable)]
Day = Annotated[date, BeforeValidator(_day), AfterValidator(_tellable)]


class Line(BaseModel):
    """One message of a thread file; what it does not name is ignored."""

    model_config = ConfigDict(frozen=True)

    author: Annotated[Text, Field(min_length=1)]
    text: Text
    ts: Moment | None = None


class ThreadFile(BaseModel):
    """A thread as a file or a line holds it. `instructions` are words, or places in `messages` counted from 0."""

    model_config = ConfigDict(frozen=True)

    id: Text | StrictInt | None = None
    source: Text = "generic"
    title: Text | None = None
    date: Day | None = None
    time_zone: Zone = "UTC"
    people: tuple[Text, ...] = ()
    messages: tuple[Line, ...] = Field(min_length=1)
    instruction: Text | None = None
    instructions: tuple[StrictInt | Text, ...] = ()

    @classmethod
    def read(cls, value: object) -> Self:
        """Check a thread. Raises Permanent with the first field that is wrong and what is expected of it."""
        if not isinstance(value, dict):
            raise Permanent("malformed", "must be an object with messages.")
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise Permanent("malformed", _complaint(error)) from None

    @cached_property
    def brief(self) -> Brief:
        """The thread as an analyst reads it. Raises Permanent where a message has no time or a place no message."""
        messages = tuple(self._messages())
        asked = tuple(
            message for message, line in zip(messages, self.messages, strict=True) if MENTION.search(line.text)
        )
        kept = tuple(message for message in messages if message.text or message not in asked)
        return Brief(
            title=self.title or title_of(next((each.text for each in messages if each.text.strip()), "")),
            messages=kept,
            instructions=tuple(each for each in asked if each.text) + tuple(self._instructions(messages)),
            people=tuple(dict.fromkeys([*self.people, *(line.author for line in self.messages)])),
            time_zone=self.time_zone,
        )

    def _messages(self) -> Iterator[Message]:
        at: datetime | None = None
        for place, line in enumerate(self.messages):
            at = self._time(line) or at
            if at is None:
                raise Permanent("malformed", f"messages[{place}].ts: is missing, and the thread has no date.")
            author = Author(id=line.author, name=line.author)
            yield Message(id=str(place), author=author, text=self._words(line.text), sent_at=at)

    def _time(self, line: Line) -> datetime | None:
        """Give a message's time, else noon of the thread's day; what names no zone is in the thread's."""
        zone: tzinfo = ZoneInfo(self.time_zone)
        if line.ts is not None:
            return line.ts if line.ts.tzinfo else line.ts.replace(tzinfo=zone)
        return datetime.combine(self.date, NOON, zone) if self.date else None

    def _words(self, text: str) -> str:
        """Give the text as people read it: Slack's own tokens decoded, no mention of the bot."""
        if self.source == "slack" and SLACK_TOKEN.search(text):
            text = mrkdwn.decode(text, lambda _id: None)
        return MENTION.sub("", text).strip() if MENTION.search(text) else text

    def _instructions(self, messages: tuple[Message, ...]) -> Iterator[Message]:
        words = [self.instruction] if self.instruction else []
        for place, asked in enumerate([*self.instructions, *words]):
            if isinstance(asked, str):
                last = messages[-1]
                yield Message(id=f"instruction-{place}", author=last.author, text=asked, sent_at=last.sent_at)
            elif 0 <= asked < len(messages):
                yield messages[asked]
            else:
                raise Permanent("malformed", f"instructions[{place}]: must be the place of a message, counted from 0.")


def _complaint(error: ValidationError) -> str:
    """Name the first field that is wrong and what is expected of it, never what it holds."""
    problem = error.errors(include_input=False, include_url=False)[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"])
    match problem["type"]:
        case "missing":
            what = "is missing"
        case "too_short" | "string_too_short":
            what = "must not be empty"
        case _:
            what = problem["msg"].replace("Input should be", "must be")
    return f"{where.lstrip('.')}: {what}."


def parse(text: str | bytes) -> object:
    """Read JSON. Raises Permanent when it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Permanent("malformed", f"is not JSON: {error.msg} at column {error.colno}.") from None
    except (ValueError, RecursionError):
        raise Permanent("malformed", "is not JSON that can be read.") from None


def result(thread: ThreadFile, analyst: Analyst) -> dict[str, Any]:
    """Analyse a thread; gives what `--json` prints, with the thread's id where it has one."""
    findings = analyst.analyze(thread.brief).findings
    named = {} if thread.id is None else {"id": thread.id}
    return {**named, "analyst": analyst.name, **findings.model_dump(mode="json")}


def analyze_one(text: bytes, as_json: bool) -> str:
    """Analyse the thread of one file; gives what is printed. Raises Permanent naming the field that is wrong."""
    analyst = RuleAnalyst()
    thread = ThreadFile.read(parse(text))
    if as_json:
        return json.dumps(result(thread, analyst), ensure_ascii=False, indent=2)
    return readable(analyst.find(thread.brief))


def analyze_lines(lines: Iterable[bytes]) -> Iterator[tuple[bool, str]]:
    """Analyse one thread a line, in their order, one at a time; gives whether it went well and the line to print."""
    analyst = RuleAnalyst()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        value: object = None
        try:
            value = parse(line)
            yield True, json.dumps(result(ThreadFile.read(value), analyst), ensure_ascii=False)
        except Permanent as error:
            yield False, json.dumps({"id": _id_of(value), "error": f"line {number}: {error.message}"})


def _id_of(value: object) -> str | int | None:
    id = value.get("id") if isinstance(value, dict) else None
    return id if isinstance(id, (str, int)) and not isinstance(id, bool) else None


def readable(findings: Findings) -> str:
    """Write an analysis for people."""
    tasks = [f"{place}. {_task(task)}" for place, task in enumerate(findings.tasks, start=1)]
    return "\n".join([findings.summary, "", *(tasks or ["No tasks."])])


def _task(task: DetectedTask) -> str:
    facts = {
        "for": task.assignee,
        "by": task.due_date and task.due_date.isoformat(),
        "priority": task.priority and task.priority.value,
        "type": task.type and task.type.value,
    }
    known = ", ".join(f"{name} {fact}" for name, fact in facts.items() if fact)
    items = [f"   - {item}" for item in task.action_items]
    return "\n".join([f"{task.title} ({known})" if known else task.title, *items])
