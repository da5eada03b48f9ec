"""What the Dagster UI shows of each stage's value: counts to plot, links to follow, tables, a little Markdown."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import dagster as dg
from pydantic import BaseModel

from discubot_pipeline.domain.analysis import Analysis
from discubot_pipeline.domain.discussion import ConfiguredDiscussion, ParsedDiscussion, Thread
from discubot_pipeline.domain.job import Outcome
from discubot_pipeline.domain.task import CreatedTasks

Metadata = dict[str, Any]
LONGEST_TABLE = 50
"""An event holds no more rows than people read."""
TASKS = {"task": "string", "priority": "string", "type": "string", "assignee": "string", "due": "string"}
PEOPLE = {"name": "string", "handle": "string", "messages": "int"}
PAGES = {"task": "string", "state": "string", "page": "string", "left out": "string"}


def describe(value: BaseModel) -> Metadata:
    """Give the metadata of a stage's value."""
    match value:
        case ParsedDiscussion():
            return of_parsed(value)
        case ConfiguredDiscussion():
            return {"config version": value.config_version}
        case Thread():
            return of_thread(value)
        case Analysis():
            return of_analysis(value)
        case CreatedTasks():
            return of_tasks(value)
        case Outcome():
            return {"outcome": value.outcome.value, "reply": dg.MetadataValue.md(value.reply or "–")}
        case _:
            return {}


def of_parsed(parsed: ParsedDiscussion) -> Metadata:
    """Show which thread a run is about."""
    return {
        "team": parsed.team_name,
        "source": parsed.ref.source.value,
        "thread": parsed.ref.thread_id,
        "discussion": str(parsed.discussion_id),
        "deliveries": len(parsed.delivery_ids),
    }


def of_thread(thread: Thread) -> Metadata:
    """Show how much was read, and where it is."""
    wrote = Counter(message.author.id for message in thread.messages)
    link = {"thread": dg.MetadataValue.url(thread.url)} if thread.url else {}
    return link | {
        "title": thread.title,
        "messages": len(thread.messages),
        "people": len(thread.participants),
        "who": table(PEOPLE, ((who.name, who.handle, wrote[who.id]) for who in thread.participants)),
    }


def of_analysis(analysis: Analysis) -> Metadata:
    """Show what was found."""
    findings = analysis.findings
    return {
        "summary": dg.MetadataValue.md(findings.summary or "–"),
        "tasks": len(findings.tasks),
        "titles": dg.MetadataValue.md("\n".join(f"- {task.title}" for task in findings.tasks) or "–"),
        "to do": table(TASKS, ((t.title, t.priority, t.type, t.assignee, t.due_date) for t in findings.tasks)),
        "confidence": findings.confidence,
        "analyst": analysis.analyst,
        "degraded": analysis.degraded,
        "degraded because": analysis.degraded_reason or "–",
        "kept answer": analysis.cached,
        "prompt tokens": analysis.prompt_tokens,
        "answer tokens": analysis.answer_tokens,
        "cost (USD)": f"no price is known for {analysis.analyst}" if analysis.cost_usd is None else analysis.cost_usd,
    }


def of_tasks(created: CreatedTasks) -> Metadata:
    """Show the pages, each with its link."""
    made = [(t.title, "new" if t.is_new else "there already", t.url, ", ".join(t.skipped)) for t in created.made]
    gone = [(task.title, f"missing: {task.reason}", "", "") for task in created.missing]
    pages = {f"page {number}": dg.MetadataValue.url(task.url) for number, task in enumerate(created.made[:20], 1)}
    return (
        {"created": len(created.new), "there already": len(created.made) - len(created.new)}
        | pages
        | {"missing": len(created.missing), "pages": table(PAGES, made + gone)}
    )


def table(columns: dict[str, str], rows: Iterable[Iterable[object]]) -> dg.TableMetadataValue:
    """Make a table; what is not known is left empty."""
    cells = [[cell if isinstance(cell, int) else str(cell or "") for cell in row] for row in rows]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(dict(zip(columns, row, strict=True))) for row in cells[:LONGEST_TABLE]],
        schema=dg.TableSchema([dg.TableColumn(name, type) for name, type in columns.items()]),
    )
