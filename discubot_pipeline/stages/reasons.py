"""Explanations without a model: what a step was given, what it decided, and what that rests on, off its record.

Each step of the discussion's job has words of its own; other steps share those of `generic`.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from discubot_pipeline.domain.explanation import Wanted

Record = dict[str, Any]
LONGEST = 160
"""Characters of a text that is quoted."""


def offline(wanted: Wanted) -> str:
    """Explain a step by its record."""
    given, output = fields(wanted.input), fields(wanted.output)
    if wanted.status == "completed" and output:
        told = TEMPLATES.get(wanted.step, generic)(wanted.step, given, output)
    else:
        told = f"{BEGINNINGS.get(wanted.step, began)(wanted.step, given)} {ending(wanted)}"
    return told + (f" It took {wanted.tries} tries." if wanted.tries > 1 else "")


def fields(value: Any) -> Record:
    """Give a record's fields; what is no object is under `value`."""
    match value:
        case dict():
            return value
        case None:
            return {}
        case _:
            return {"value": value}


def ending(wanted: Wanted) -> str:
    """Say how a step ended that did not do its work."""
    why = f", for the reason {wanted.reason}" if wanted.reason else ""
    words = f": {quoted(wanted.error)}" if wanted.error else ""
    match wanted.status:
        case "ignored":
            return f"It decided that there was nothing to do{why}{words}."
        case "deferred":
            return f"It put the work off to a later run{why}{words}."
        case "failed":
            return f"It failed{why}{words}."
        case _:
            return "It did its work and gave nothing on."


def of_asking(_: str, given: Record) -> str:
    """Say what a job was asked to do."""
    launch = part(given, "Launch")
    if launch.get("thread_url"):
        return f"A person asked for the thread at {launch['thread_url']}."
    if launch.get("delivery_ids"):
        return f"It was asked by {listed('delivery', 'deliveries', launch['delivery_ids'])}."
    return "A person asked for a discussion that is known."


def of_settings(_: str, given: Record) -> str:
    """Say for which thread settings were looked up."""
    parsed = part(given, "ParsedDiscussion")
    return f"Thread {thread_of(parsed)} of team {parsed.get('team_name')} needed its settings."


def of_reading(_: str, given: Record) -> str:
    """Say which thread was to be read."""
    configured = part(given, "ConfiguredDiscussion")
    return f"To be read was thread {thread_of(part(configured, 'parsed'))}, at {configured.get('url') or 'no address'}."


def of_analysis(_: str, given: Record) -> str:
    """Say what was analysed."""
    thread = part(given, "Thread")
    return f"The thread {quoted(thread.get('title'))} has {count(thread.get('messages'), 'message')}."


def of_pages(_: str, given: Record) -> str:
    """Say what pages were to be made of."""
    analysis = part(given, "Analysis")
    return f"{str(analysis.get('analyst')).capitalize()} had found {count(analysis.get('tasks'), 'task')}."


def of_answer(_: str, given: Record) -> str:
    """Say what there was to tell."""
    created = part(given, "CreatedTasks")
    made, missing = created.get("made") or 0, created.get("missing") or 0
    return f"Of the thread {quoted(part(given, 'Thread').get('title'))} {made} pages stand and {missing} are missing."


def began(step: str, given: Record) -> str:
    """Say what any other step was given."""
    return f"The step {step} was given {shown(given)}." if given else f"The step {step} was given nothing."


def asked(step: str, given: Record, parsed: Record) -> str:
    """Explain why there is a job at all."""
    mentions = listed("message", "messages", parsed.get("mention_ids") or ())
    words = f", with the words {quoted(parsed['instruction'])}" if parsed.get("instruction") else ""
    base = f"{mentions} asked for it{words}" if parsed.get("mention_ids") else f"it was started by {parsed['trigger']}"
    return (
        f"{of_asking(step, given)} It was put to thread {thread_of(parsed)} of team {parsed.get('team_name')}, "
        f"discussion {parsed.get('discussion_id')}, since {base}."
    )


def configured(step: str, given: Record, output: Record) -> str:
    """Explain under which settings a discussion was opened."""
    ref = part(part(output, "parsed"), "ref")
    return (
        f"{of_settings(step, given)} It goes by version {output.get('config_version')} of source config "
        f"{ref.get('source_config_id')}, the one that the {ref.get('source')} thread came in by. The discussion was "
        f"opened with {'the link ' + output['url'] if output.get('url') else 'no link'}."
    )


def gathered(step: str, given: Record, thread: Record) -> str:
    """Explain what a thread was taken to be."""
    said = list(thread.get("messages") or ())
    people = list(dict.fromkeys(part(message, "author").get("name") or "?" for message in said))
    begins = f" It begins on {said[0]['sent_at'][:10]} with {quoted(said[0].get('text'))}." if said else ""
    asks = count(len(thread.get("mentions") or ()), "message")
    return (
        f"{of_reading(step, given)} All of it was taken: {count(len(said), 'message')} by {names(people)}, under the "
        f"title {quoted(thread.get('title'))}; {asks} beside a mention of the bot say what is wanted.{begins}"
    )


def analyzed(step: str, given: Record, analysis: Record) -> str:
    """Explain what was found, by whom, and in which messages."""
    findings = part(analysis, "findings")
    tasks = list(findings.get("tasks") or ())
    found = "; ".join(finding(task) for task in tasks)
    why = analysis.get("degraded_reason")
    instead = f" It stood in for the language model, which failed ({why})." if analysis.get("degraded") else ""
    kept = " The answer to the same thread was kept, and taken again." if analysis.get("cached") else ""
    return (
        f"{of_analysis(step, given)} The analyst {analysis.get('analyst')} decided on {count(len(tasks), 'task')}"
        f"{': ' + found if found else ', since no message asks for work'}. It is {percent(findings.get('confidence'))} "
        f"sure, and reads the thread as {quoted(findings.get('summary'))}.{instead}{kept}"
    )


def finding(task: Record) -> str:
    """Name one task and what it rests on."""
    evidence = f", by message {task['evidence']}" if task.get("evidence") else ", by the thread as a whole"
    chosen = [f"{name} {task[name]}" for name in ("priority", "assignee", "due_date", "domain") if task.get(name)]
    return f"{quoted(task.get('title'))}{evidence}{' (' + ', '.join(chosen) + ')' if chosen else ''}"


def published(step: str, given: Record, created: Record) -> str:
    """Explain which pages were made, which were there, and which are missing."""
    made, missing = list(created.get("made") or ()), list(created.get("missing") or ())
    new = [f"{quoted(task['title'])} at {task['url']}" for task in made if task.get("is_new")]
    old = [f"{quoted(task['title'])} at {task['url']}" for task in made if not task.get("is_new")]
    lost = [f"{quoted(each['title'])} ({each['reason']}: {quoted(each.get('message'))})" for each in missing]
    skipped = sorted({name for task in made for name in task.get("skipped") or ()})
    parts = [f"Made were {'; '.join(new)}." if new else "No page had to be made."]
    parts += [f"There already, by the same words, were {'; '.join(old)}."] if old else []
    parts += [f"Missing are {'; '.join(lost)}."] if lost else []
    parts += [f"The database has no place for {names(skipped)}."] if skipped else []
    return " ".join([of_pages(step, given), *parts])


def answered(step: str, given: Record, outcome: Record) -> str:
    """Explain how the job was closed, and what was said."""
    reply = f"The thread was told {quoted(outcome['reply'])}" if outcome.get("reply") else "The thread was told nothing"
    why = f", for the reason {outcome['reason']}" if outcome.get("reason") else ""
    return f"{of_answer(step, given)} So the job counts as {outcome.get('outcome')}{why}. {reply}."


def generic(step: str, given: Record, output: Record) -> str:
    """Explain any other step."""
    return f"{began(step, given)} It decided on {shown(output)}, by nothing else that is recorded."


BEGINNINGS: dict[str, Callable[[str, Record], str]] = {
    "validate_discussion": of_asking,
    "load_config": of_settings,
    "build_thread": of_reading,
    "analyze_thread": of_analysis,
    "create_tasks": of_pages,
    "finalize_discussion": of_answer,
}
TEMPLATES: dict[str, Callable[[str, Record, Record], str]] = {
    "validate_discussion": asked,
    "load_config": configured,
    "build_thread": gathered,
    "analyze_thread": analyzed,
    "create_tasks": published,
    "finalize_discussion": answered,
}


def part(record: Record, name: str) -> Record:
    """Give a part of a record; an empty one where it is missing."""
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def thread_of(parsed: Record) -> str:
    """Name a thread."""
    return str(part(parsed, "ref").get("thread_id"))


def count(number: Any, noun: str) -> str:
    """Write a number with its noun."""
    return f"{number or 0} {noun}{'' if number == 1 else 's'}"


def listed(one: str, many: str, items: Sequence[Any]) -> str:
    """Name things of a kind."""
    return f"{one if len(items) == 1 else many} {names(items)}"


def names(items: Sequence[Any]) -> str:
    """Write a list as a person would; of a long one the first five."""
    shown = [str(item) for item in items[:5]]
    rest = f" and {len(items) - len(shown)} more" if len(items) > len(shown) else ""
    return (", ".join(shown) or "nobody") + rest


def percent(share: Any) -> str:
    """Write a share in percent."""
    return f"{round(100 * share)} %" if isinstance(share, int | float) else "not known how"


def quoted(text: Any) -> str:
    """Quote a text in one line, its beginning if it is long."""
    line = " ".join(str(text or "").split())
    return f"“{line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + '…'}”"


def shown(record: Record) -> str:
    """Show a record of any shape, its beginning if it is long."""
    text = json.dumps(record.get("value", record), ensure_ascii=False)
    return text if len(text) <= 2 * LONGEST else text[: 2 * LONGEST - 1] + "…"
