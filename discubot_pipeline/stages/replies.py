"""What is said in a thread, in the voice that the team has chosen. Called by `notify`, `close` and `follow`."""

from dataclasses import dataclass
from typing import NamedTuple

from discubot_pipeline.domain.preferences import PLACEHOLDER, Persona, Preferences
from discubot_pipeline.domain.task import CreatedTasks
from discubot_pipeline.ports import Source


class Voice(NamedTuple):
    """The sentences of a persona; `{count}`, `{all}` and `{old}` are numbers of tasks with their word."""

    made: str
    also: str
    partial: str
    nothing: str
    known: str
    failed: str
    done: str


FORCE = "mention me with “task: …”"
PROFESSIONAL = Voice(
    made="✅ {count} created in Notion{also}",
    also=" ({old} there already)",
    partial="⚠️ {count} of {all} created. A retry creates the rest.",
    nothing=f"✅ I read the thread and found nothing to be done. To make a task all the same: {FORCE}.",
    known="✅ Nothing new: these tasks are there already.",
    failed="❌ I could not turn this thread into tasks ({reason}). Nothing is lost: it can be retried.",
    done="✅ Done in Notion: {task}",
)
VOICES = {
    Persona.PROFESSIONAL: PROFESSIONAL,
    Persona.CUSTOM: PROFESSIONAL,
    Persona.FRIENDLY: Voice(
        made="🎉 Great discussion! I put {count} into Notion for you{also}:",
        also=" ({old} there already)",
        partial="😅 I got {count} of {all} into Notion so far. A retry brings in the rest.",
        nothing=f"👍 Nothing to do here, as far as I can tell. If I missed something, {FORCE} and I'll add it!",
        known="👍 All of this is in Notion already:",
        failed="😕 Sorry, I could not turn this thread into tasks ({reason}). Nothing is lost, please try again!",
        done="🎉 Done! {task} is finished in Notion.",
    ),
    Persona.CONCISE: Voice(
        made="✅ {count}{also}",
        also=", {old} before",
        partial="⚠️ {count} of {all}; retry for the rest",
        nothing=f"✅ No tasks. To force one, {FORCE}.",
        known="✅ Nothing new",
        failed="❌ Failed: {reason}. Retry possible.",
        done="✅ Done: {task}",
    ),
}


def compose(created: CreatedTasks, preferences: Preferences, source: Source) -> str:
    """Write the answer: what was made, with links; what is missing; what could not be set."""
    parts = Parts.of(created, source)
    head = source.plain(headline(created, VOICES[preferences.persona]))
    if preferences.persona is Persona.CUSTOM and preferences.reply_template:
        return parts.fill(preferences.reply_template, source) or head
    return "\n".join(line for line in (head, parts.tasks, parts.missing, parts.skipped, parts.degraded) if line)


def apologise(reason: str, preferences: Preferences, source: Source) -> str:
    """Write that it failed, and why."""
    return source.plain(VOICES[preferences.persona].failed.format(reason=reason))


def report(title: str, url: str, preferences: Preferences, source: Source) -> str:
    """Write that a task is done, with its link."""
    before, _, after = VOICES[preferences.persona].done.partition("{task}")
    return source.plain(before) + source.link(title, url) + source.plain(after)


def headline(created: CreatedTasks, voice: Voice) -> str:
    """Say in one sentence how it went."""
    new, old = len(created.new), len(created.made) - len(created.new)
    if created.missing:
        return voice.partial.format(count=new, all=f"{new + len(created.missing)} new tasks")
    if not created.made:
        return voice.nothing
    if not new:
        return voice.known
    also = voice.also.format(old=f"{old} {'was' if old == 1 else 'were'}") if old else ""
    return voice.made.format(count=tasks(new), also=also)


def tasks(count: int) -> str:
    """Write a number of tasks."""
    return f"{count} {'task' if count == 1 else 'tasks'}"


@dataclass(frozen=True)
class Parts:
    """The parts of an answer, as its source shows them; empty where there is nothing to say."""

    count: str
    tasks: str
    missing: str
    skipped: str
    degraded: str

    @classmethod
    def of(cls, created: CreatedTasks, source: Source) -> "Parts":
        """Write all parts."""
        missing = [f"⚠️ Not created in {miss.output}: {miss.title} ({miss.reason})" for miss in created.missing]
        fields = sorted({name.replace("_", " ") for task in created.new for name in task.skipped})
        skipped = f"Could not be set: {', '.join(fields)}" if fields else ""
        reason = created.analysis.degraded_reason
        degraded = f"⚠️ Read by the built-in analyst, without the model ({reason})" if reason else ""
        return cls(
            count=str(len(created.new)),
            tasks="\n".join(f"{n}. {source.link(task.title, task.url)}" for n, task in enumerate(created.made, 1)),
            missing="\n".join(source.plain(line) for line in missing),
            skipped=source.plain(skipped),
            degraded=source.plain(degraded),
        )

    def fill(self, template: str, source: Source) -> str:
        """Fill a template; links and what is missing are added where it forgets them."""
        told = set(PLACEHOLDER.findall(template))
        rest = [getattr(self, name) for name in ("tasks", "missing", "skipped", "degraded") if name not in told]
        pieces = PLACEHOLDER.split(template)
        text = "".join(getattr(self, piece) if place % 2 else source.plain(piece) for place, piece in enumerate(pieces))
        return "\n".join(part for part in (text.strip(), *rest) if part)
